//! Signatures over UDP: `bytes` is one datagram, possibly cut.

use super::{Answer, Certain, NotForUs, Probe, Signature, be16, be32, begins, begins_any, on_port, sure_if};

/// Most telling first.
pub(super) const SIGNATURES: &[Signature] = &[
    Signature { name: "dhcp", look: dhcp },
    Signature { name: "dtls", look: dtls },
    Signature { name: "ssdp", look: ssdp },
    Signature { name: "openvpn", look: |probe| sure_if(openvpn_reset(probe.bytes)) },
    Signature { name: "gtpv1", look: gtpv1 },
    Signature { name: "gtpv2", look: gtpv2 },
    Signature { name: "vxlan", look: |probe| sure_if(on_port(probe, &[4_789]) && matches!(probe.bytes, [8, 0, 0, 0, _, _, _, 0, _, ..])) },
    Signature { name: "geneve", look: |probe| sure_if(on_port(probe, &[6_081]) && matches!(probe.bytes, [0..=0x3f, _, 0x65, 0x58, ..])) },
    Signature { name: "teredo", look: |probe| sure_if(on_port(probe, &[3_544]) && matches!(probe.bytes, [0x60, ..] | [0, 0 | 1, ..])) },
    Signature { name: "rdpeudp", look: rdpeudp },
    Signature { name: "netflow", look: netflow },
    Signature {
        name: "sflow",
        look: |probe| sure_if(on_port(probe, &[6_343]) && be32(probe.bytes, 0) == Some(5) && matches!(be32(probe.bytes, 4), Some(1 | 2))),
    },
    Signature {
        name: "netbios",
        look: |probe| sure_if(on_port(probe, &[138]) && matches!(probe.bytes, [0x10..=0x16, _, _, _, ..]) && probe.bytes.len() > 14),
    },
    Signature {
        name: "coap",
        look: |probe| sure_if(on_port(probe, &[5_683]) && matches!(probe.bytes, [0x40..=0x78, 0..=0x1f | 0x40..=0xa5, _, _, ..])),
    },
    Signature { name: "memcached", look: memcached },
];

impl Answer {
    /// A datagram is all there is: no second look.
    fn only_certain(self) -> Self {
        if self == Certain { Certain } else { NotForUs }
    }
}

/// The 16-bit field at `at` plus `more` is the datagram's length, which a cut datagram may miss.
fn length_is(bytes: &[u8], at: usize, more: usize) -> bool {
    be16(bytes, at).is_some_and(|length| usize::from(length) + more == bytes.len())
}

/// A message that was cut before its cookie; whole ones have their dissector.
fn dhcp(probe: &Probe<'_>) -> Answer {
    let head = matches!(probe.bytes, [1 | 2, 1..=32, 0..=16, ..]);
    sure_if(head && on_port(probe, &[67]) && on_port(probe, &[68]) && (44..240).contains(&probe.bytes.len()))
}

/// DTLS 1.0 and 1.2 records; Zeek calls them `ssl`.
fn dtls(probe: &Probe<'_>) -> Answer {
    let [20..=25, 0xfe, 0xfd | 0xff, rest @ ..] = probe.bytes else { return NotForUs };
    let epoch = be16(rest, 0).is_some_and(|epoch| epoch < 4);
    let length = be16(rest, 8).is_some_and(|length| length > 0 && usize::from(length) <= probe.bytes.len().saturating_sub(13));
    sure_if(epoch && length)
}

fn ssdp(probe: &Probe<'_>) -> Answer {
    let request = begins_any(probe.bytes, &[b"M-SEARCH * HTTP/1.", b"NOTIFY * HTTP/1."]).only_certain();
    let answer = on_port(probe, &[1_900]) && begins(probe.bytes, b"HTTP/1.1 200 ") == Certain;
    if answer { Certain } else { request }
}

/// A hard reset of client or server: opcode with key 0, session, perhaps authentication, no acknowledgements, message 0.
pub(super) fn openvpn_reset(packet: &[u8]) -> bool {
    let end = packet.len().saturating_sub(5);
    let quiet = packet.get(end..).is_some_and(|end| end == [0; 5]);
    let session = packet.get(1..9).is_some_and(|session| session.iter().any(|&byte| byte != 0));
    // Plain, or with HMAC (SHA-1, SHA-256, SHA-512), packet number and time.
    matches!((packet.first(), packet.len()), (Some(0x38 | 0x50), 14 | 42 | 54 | 86)) && quiet && session
}

fn gtpv1(probe: &Probe<'_>) -> Answer {
    sure_if(on_port(probe, &[2_152, 2_123]) && matches!(probe.bytes, [0x30..=0x37, ..]) && length_is(probe.bytes, 2, 8))
}

fn gtpv2(probe: &Probe<'_>) -> Answer {
    sure_if(on_port(probe, &[2_123]) && matches!(probe.bytes, [0x40..=0x5f, ..]) && length_is(probe.bytes, 2, 4))
}

/// The first datagram: nothing acknowledged, SYN flag (MS-RDPEUDP 2.2.2.1).
fn rdpeudp(probe: &Probe<'_>) -> Answer {
    let syn = be16(probe.bytes, 6).is_some_and(|flags| flags & 1 == 1);
    sure_if(on_port(probe, &[3_389]) && be32(probe.bytes, 0) == Some(u32::MAX) && syn)
}

/// Version 5 by its exact length, 9 and IPFIX at home or by their length.
fn netflow(probe: &Probe<'_>) -> Answer {
    let count = be16(probe.bytes, 2).map(usize::from);
    sure_if(match (be16(probe.bytes, 0), count) {
        (Some(5), Some(count @ 1..=30)) => probe.bytes.len() == 24 + 48 * count,
        (Some(9), Some(1..=1_000)) => on_port(probe, &[2_055, 9_995, 9_996, 4_739, 9_555]) && probe.bytes.len() > 20,
        (Some(10), Some(length)) => length == probe.bytes.len() && on_port(probe, &[2_055, 4_739, 9_995, 9_996]),
        _ => false,
    })
}

/// The frame header of memcached over UDP, then text, at home: the shape of a reflection attack.
fn memcached(probe: &Probe<'_>) -> Answer {
    let text = probe.bytes.get(8..).unwrap_or_default();
    let words = begins_any(text, &[b"get", b"stats", b"set ", b"STAT ", b"VALUE ", b"END", b"version"]);
    sure_if(on_port(probe, &[11_211]) && be16(probe.bytes, 6) == Some(0) && words == Certain)
}
