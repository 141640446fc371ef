//! Numbers of the DNS as Zeek's `dns.log` names them (IANA "Domain Name System Parameters").

use std::borrow::Cow;

/// Types that IANA numbers without holes, from 1.
const LOW_TYPES: [&str; 53] = [
    "A",
    "NS",
    "MD",
    "MF",
    "CNAME",
    "SOA",
    "MB",
    "MG",
    "MR",
    "NULL",
    "WKS",
    "PTR",
    "HINFO",
    "MINFO",
    "MX",
    "TXT",
    "RP",
    "AFSDB",
    "X25",
    "ISDN",
    "RT",
    "NSAP",
    "NSAP-PTR",
    "SIG",
    "KEY",
    "PX",
    "GPOS",
    "AAAA",
    "LOC",
    "NXT",
    "EID",
    "NIMLOC",
    "SRV",
    "ATMA",
    "NAPTR",
    "KX",
    "CERT",
    "A6",
    "DNAME",
    "SINK",
    "OPT",
    "APL",
    "DS",
    "SSHFP",
    "IPSECKEY",
    "RRSIG",
    "NSEC",
    "DNSKEY",
    "DHCID",
    "NSEC3",
    "NSEC3PARAM",
    "TLSA",
    "SMIMEA",
];

/// `A`, `TXT`, `query-65534`; `NB` and `NBSTAT` for NetBIOS (RFC 1002 took 32 and 33 before NIMLOC and SRV did).
pub fn query_type(number: u16, netbios: bool) -> Cow<'static, str> {
    let name = match number {
        32 if netbios => "NB",
        33 if netbios => "NBSTAT",
        55 => "HIP",
        56 => "NINFO",
        57 => "RKEY",
        58 => "TALINK",
        59 => "CDS",
        60 => "CDNSKEY",
        61 => "OPENPGPKEY",
        62 => "CSYNC",
        63 => "ZONEMD",
        64 => "SVCB",
        65 => "HTTPS",
        99 => "SPF",
        100 => "UINFO",
        101 => "UID",
        102 => "GID",
        103 => "UNSPEC",
        104 => "NID",
        105 => "L32",
        106 => "L64",
        107 => "LP",
        108 => "EUI48",
        109 => "EUI64",
        249 => "TKEY",
        250 => "TSIG",
        251 => "IXFR",
        252 => "AXFR",
        253 => "MAILB",
        254 => "MAILA",
        255 => "*",
        256 => "URI",
        257 => "CAA",
        32768 => "TA",
        32769 => "DLV",
        65281 => "WINS",
        65282 => "WINS-R",
        65422 => "XPF",
        65521 => "INTEGRITY",
        _ => match LOW_TYPES.get(usize::from(number).wrapping_sub(1)) {
            Some(name) => name,
            None => return Cow::Owned(format!("query-{number}")),
        },
    };
    Cow::Borrowed(name)
}

/// `C_INTERNET`, `qclass-77`.
pub fn class(number: u16) -> Cow<'static, str> {
    Cow::Borrowed(match number {
        1 => "C_INTERNET",
        2 => "C_CSNET",
        3 => "C_CHAOS",
        4 => "C_HESIOD",
        254 => "C_NONE",
        255 => "C_ANY",
        _ => return Cow::Owned(format!("qclass-{number}")),
    })
}

/// `NOERROR`, `NXDOMAIN`, `unassigned-12` (four bits, so every number has a name).
pub fn rcode(number: u16) -> Cow<'static, str> {
    const NAMES: [&str; 11] =
        ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET", "NXRRSet", "NOTAUTH", "NOTZONE"];
    NAMES.get(usize::from(number)).map_or_else(|| Cow::Owned(format!("unassigned-{number}")), |name| Cow::Borrowed(*name))
}

/// `query`, `netbios-registration`, `opcode-9`.
pub fn opcode(number: u8, netbios: bool) -> String {
    let name = match (number, netbios) {
        (0, false) => "query",
        (1, false) => "iquery",
        (2, false) => "server-status",
        (4, false) => "notify",
        (5, false) => "dynamic-update",
        (6, false) => "dso",
        (0, true) => "netbios-query",
        (5, true) => "netbios-registration",
        (6, true) => "netbios-release",
        (7, true) => "netbios-wack",
        (8 | 9, true) => "netbios-refresh",
        (_, true) => return format!("netbios-opcode-{number}"),
        (_, false) => return format!("opcode-{number}"),
    };
    name.to_owned()
}
