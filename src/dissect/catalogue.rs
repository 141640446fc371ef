//! `docs/protocols.md`: every protocol with its transports out of the registry, and what a person wants to know of it beside that.

use super::{PROTOCOLS, signatures};
use crate::model::Proto;
use std::collections::BTreeMap;
use std::fmt::Write;

/// What the code of a protocol does not say of itself.
struct Entry {
    /// Service, as in [`PROTOCOLS`].
    name: &'static str,
    /// Tables that its rows stand in; logins and files stand in `credentials` and `files` beside them.
    tables: &'static str,
    /// By what it is recognised, and how far it is read.
    how: &'static str,
}

const fn entry(name: &'static str, tables: &'static str, how: &'static str) -> Entry {
    Entry { name, tables, how }
}

const ENTRIES: &[Entry] = &[
    entry("amqp", "greetings", "Greeting; programs of both sides, user, virtual host."),
    entry(
        "bacnet",
        "bacnet",
        "Virtual link header whose length is the datagram's; service, first object, property and value, writes marked.",
    ),
    entry("bittorrent", "greetings", "Handshake of peers, first entry of a hash table's message; info hash and programs."),
    entry("dce_rpc", "dce_rpc", "Bind or call whose lengths agree; endpoint and operation by name, stub sizes, status."),
    entry("dhcp", "dhcp", "Cookie on any port; one row a transaction over all its flows."),
    entry(
        "dhcpv6",
        "dhcpv6",
        "Message and first option on its ports; identities with hardware addresses, addresses, resolvers, what relays carry.",
    ),
    entry(
        "dnp3_tcp",
        "dnp3",
        "Link header with a right checksum on any port; request and response by name, indications, link addresses, objects.",
    ),
    entry("dnp3_udp", "dnp3", "As over TCP."),
    entry("dns", "dns", "Header, names and counts that agree; mDNS, LLMNR and NetBIOS names are told apart by port in `kind`."),
    entry("dtls", "tls, x509", "Record of a handshake with a hello; the service is `ssl`, as Zeek has it."),
    entry(
        "enip",
        "enip, cip, cip_identity",
        "Registration on any port, any header at home; CIP services with class, instance, attribute and tag, in packets of several too.",
    ),
    entry("ftp", "ftp", "Banner or first commands; data channels are followed."),
    entry("http", "http, websocket", "Request or status line."),
    entry(
        "http2",
        "http",
        "Preface of a client, first settings of a server, or `Upgrade: h2c`; one row a stream. After a loss outside of a body nothing more of that side is read.",
    ),
    entry("iec104", "iec104", "Unnumbered message, or a type, cause and length that agree; type, cause, station, first object and value."),
    entry(
        "ike",
        "ike",
        "Header whose version, exchange and length agree, behind the marker of port 4500 too; proposals, vendor ids, notifications.",
    ),
    entry("imap", "imap", "Greeting or tagged command."),
    entry("irc", "irc", "Registration of a client, notice of a server."),
    entry("krb", "kerberos", "Application tag of a message that parses."),
    entry("krb_tcp", "kerberos", "Length and application tag; requests with their replies."),
    entry("ldap_tcp", "ldap, ldap_search", "Message with an operation that exists."),
    entry("ldap_udp", "ldap, ldap_search", "As over TCP."),
    entry("memcached", "greetings", "Command or answer at home; first command, version."),
    entry(
        "modbus",
        "modbus",
        "Header at home; elsewhere a request that is possible to the last bit; unit, function, address, quantity, values, exceptions.",
    ),
    entry("mongodb", "mongodb", "Header with an operation that exists; command, database, collection, mechanism, user, outcome."),
    entry(
        "mqtt",
        "mqtt_connect, mqtt_publish, mqtt_subscribe",
        "CONNECT on any port, whole packets of a session at home; versions 3.1 to 5.",
    ),
    entry("mysql", "mysql", "Server's greeting; commands with their answers."),
    entry("ntp", "ntp", "Shape at home."),
    entry("opcua", "opcua_binary", "Greeting or channel with a length that makes sense; address, security policy, certificate, errors."),
    entry("pop3", "pop3", "Greeting or first commands."),
    entry("postgresql", "postgresql", "Startup or request for encryption; queries with outcome and number of rows, errors in words."),
    entry("quic", "quic", "Initial packet that decrypts; server name, ALPN, JA4."),
    entry("radius", "radius", "Code and length at home."),
    entry("rdp", "rdp", "Connection request in TPKT."),
    entry("redis", "redis", "Array of strings on any port, lines at home; commands with their answers."),
    entry("rfb", "rfb", "Version line."),
    entry("rlogin", "telnet", "Three names between zeros, at home."),
    entry(
        "rpc",
        "rpc, nfs",
        "ONC RPC: call whose numbers, credential and lengths agree, on any port; replies alone at home. Port mapper and rpcbind (what was asked for, what is \
         registered), mount 1 to 3, NFS 2 to 4.2 with paths, contents and every operation of a compound; of other programs name, procedure and caller. The \
         service is `nfs`, `mount`, `portmapper` or `rpc`. Where a flow was joined in its middle, names are known from the next look-up on.",
    ),
    entry(
        "s7comm",
        "s7comm",
        "COTP data that begins with 0x32; function, items with area, block and address, transfers, start and stop, errors.",
    ),
    entry("sip", "sip, rtp", "Request or status line; media and control flows that its descriptions announce are `rtp` and `rtcp`."),
    entry("smb", "smb_mapping, smb_files, smb_cmd", "Magic of version 1 or 2."),
    entry("smtp", "smtp", "Greeting or first commands."),
    entry("snmp", "snmp", "Version and community, or version 3 with its header."),
    entry("socks", "socks, tunnel", "Request of version 4 or 5 that makes sense."),
    entry("ssh", "ssh", "Version line."),
    entry(
        "ssl",
        "tls, x509",
        "Record with a hello, also where it begins in the middle of another protocol. With keys (`--keylog`, or in a pcapng before the packets or among the same 16,384 frames) \
         TLS 1.0 to 1.3 with AES-GCM, ChaCha20-Poly1305 and AES-CBC is read: what it carries has rows of its own, marked `decrypted`.",
    ),
    entry("stratum", "greetings", "JSON with a method of pools on any port; program, worker, password."),
    entry("stun", "stun", "Cookie and length on any port, the older form at home; addresses that it reveals."),
    entry("syslog", "syslog", "Priority that is possible."),
    entry("syslog_tcp", "syslog", "As over UDP, with its framing."),
    entry("tds", "tds", "Prelogin or login on any port, batches and procedures at home; who, from where, with which program, outcome."),
    entry("telnet", "telnet", "Negotiation, or a login dialogue."),
    entry("tftp", "tftp", "Request with a name and a known mode."),
    entry("wireguard", "greetings", "Kind and exact size of a handshake's message."),
];

/// Protocols that no registry holds: they need no port, or stand below IP.
const BELOW: &[(&str, &str, &str, &str)] = &[
    ("arp", "Ethernet", "arp", "Ether type; each message, and the request that a reply answers."),
    ("cdp", "802.2 SNAP", "cdp", "Cisco's protocol number; what is new in what a device says."),
    ("icmp", "IP", "icmp", "Protocol number; each message up to a cap, with what it quotes."),
    ("igmp", "IP", "igmp", "Protocol number; groups of queries, reports and leaves."),
    ("lldp", "Ethernet", "lldp", "Ether type; what is new in what a device says."),
    ("ndp", "ICMPv6", "ndp", "Types 133 to 137; router advertisements with the hardware that sent them."),
    ("stp", "802.2", "stp", "Access points 0x42, or Cisco's protocol number; what is new in what a bridge says."),
];

/// `docs/protocols.md`.
pub fn markdown() -> String {
    let mut text = String::from(
        "# Protocols\n\nGenerated by `UPDATE_DOCS=1 cargo test --lib dissect::catalogue`. Recognition is by content; \"at home\" means that a shape is too \
         weak to count on ports other than the protocol's own. Columns are in [schema.md](schema.md).\n\n## Read\n\n\
         | service | over | tables | recognised by; how far it is read |\n| --- | --- | --- | --- |\n",
    );
    let mut transports: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for protocol in PROTOCOLS {
        let over = transports.entry(protocol.name).or_default();
        over.extend(protocol.over.iter().map(|proto| proto.name()));
    }
    for (name, mut over) in transports {
        over.sort_unstable();
        over.dedup();
        let entry = ENTRIES.iter().find(|entry| entry.name == name);
        let (tables, how) = entry.map_or(("", ""), |entry| (entry.tables, entry.how));
        let _ = writeln!(text, "| `{name}` | {} | {} | {how} |", over.join(", "), quoted(tables));
    }
    for (name, over, tables, how) in BELOW {
        let _ = writeln!(text, "| `{name}` | {over} | {} | {how} |", quoted(tables));
    }
    text.push_str("\n## Named\n\nFlows of these get their service's name from their first bytes, and nothing more.\n\n");
    for proto in [Proto::Tcp, Proto::Udp] {
        let mut names = signatures::names(proto);
        names.sort_unstable();
        names.dedup();
        let list: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        let _ = writeln!(text, "- {}: {}", proto.name(), list.join(" "));
    }
    text
}

fn quoted(tables: &str) -> String {
    let tables: Vec<String> = tables.split(", ").filter(|table| !table.is_empty()).map(|table| format!("`{table}`")).collect();
    tables.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_in_order_and_belong_to_a_protocol() {
        assert!(ENTRIES.windows(2).all(|pair| pair[0].name < pair[1].name), "sorted, and none twice");
        let unknown: Vec<_> =
            ENTRIES.iter().map(|entry| entry.name).filter(|name| PROTOCOLS.iter().all(|protocol| protocol.name != *name)).collect();
        assert_eq!(unknown, Vec::<&str>::new());
    }

    #[test]
    fn every_protocol_says_how_it_is_recognised() {
        let silent: Vec<_> =
            PROTOCOLS.iter().map(|protocol| protocol.name).filter(|name| ENTRIES.iter().all(|entry| entry.name != *name)).collect();
        assert_eq!(silent, Vec::<&str>::new(), "add a line to ENTRIES");
    }

    #[test]
    fn the_written_list_is_the_one_in_force() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/protocols.md");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(path, markdown()).unwrap();
        }
        let written = std::fs::read_to_string(path).unwrap_or_default();
        assert!(written == markdown(), "docs/protocols.md is out of date: UPDATE_DOCS=1 cargo test --lib dissect::catalogue");
    }
}
