//! Signatures over TCP: `bytes` is all that one side has said so far.

use super::{Answer, Certain, NotForUs, Probe, Signature, Unsure, be16, begins, begins_any, byte, sure_if};

/// Most telling first.
pub(super) const SIGNATURES: &[Signature] = &[
    Signature { name: "xmpp", look: xmpp },
    Signature { name: "rtsp", look: rtsp },
    Signature { name: "x11", look: x11 },
    Signature { name: "openvpn", look: openvpn },
    Signature { name: "bgp", look: bgp },
    Signature { name: "rsync", look: |probe| begins(probe.bytes, b"@RSYNCD: ") },
    Signature { name: "zabbix", look: |probe| begins_any(probe.bytes, &[b"ZBXD\x01", b"ZBXD\x03", b"ZBXD\x05", b"ZBXD\x07"]) },
];

fn xmpp(probe: &Probe<'_>) -> Answer {
    let head = probe.bytes.get(..probe.bytes.len().min(512)).unwrap_or_default();
    match begins_any(head, &[b"<?xml ", b"<stream:stream"]) {
        Certain if head.windows(8).any(|part| part == b"jabber:c" || part == b"jabber:s") => Certain,
        Certain if head.len() < 200 => Unsure,
        Certain => NotForUs,
        answer => answer,
    }
}

fn rtsp(probe: &Probe<'_>) -> Answer {
    match begins(probe.bytes, b"RTSP/1.") {
        NotForUs => {}
        answer => return answer,
    }
    let line = probe.bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let version = line.trim_ascii_end();
    sure_if(line.len() < 1_024 && (version.ends_with(b" RTSP/1.0") || version.ends_with(b" RTSP/2.0")))
}

fn x11(probe: &Probe<'_>) -> Answer {
    begins_any(probe.bytes, &[&[b'l', 0, 11, 0, 0, 0], &[b'B', 0, 0, 11, 0, 0]])
}

/// A hard reset behind its length.
fn openvpn(probe: &Probe<'_>) -> Answer {
    match be16(probe.bytes, 0) {
        Some(length @ 14..=200) => match probe.bytes.get(2..) {
            Some(packet) if packet.len() == usize::from(length) => sure_if(super::udp::openvpn_reset(packet)),
            Some([0x38 | 0x50, ..]) => Unsure,
            _ => NotForUs,
        },
        _ => NotForUs,
    }
}

/// The marker of sixteen ones, length and type (RFC 4271 4.1).
fn bgp(probe: &Probe<'_>) -> Answer {
    match begins(probe.bytes, &[0xff; 16]) {
        Certain => match (be16(probe.bytes, 16), byte(probe.bytes, 18)) {
            (Some(19..=4_096), Some(kind)) => sure_if((1..=5).contains(&kind)),
            (_, None) => Unsure,
            _ => NotForUs,
        },
        answer => answer,
    }
}
