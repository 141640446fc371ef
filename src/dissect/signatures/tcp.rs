//! Signatures over TCP: `bytes` is all that one side has said so far.

use super::{Answer, Certain, NotForUs, Probe, Signature, Unsure, be16, begins, begins_any, byte, on_port, sure_if};
use crate::model::Dir;

/// Most telling first.
pub(super) const SIGNATURES: &[Signature] = &[
    Signature { name: "xmpp", look: xmpp },
    Signature { name: "rtsp", look: rtsp },
    Signature { name: "irc", look: irc },
    Signature { name: "x11", look: x11 },
    Signature { name: "rlogin", look: rlogin },
    Signature { name: "openvpn", look: openvpn },
    Signature { name: "bgp", look: bgp },
    Signature {
        name: "nfs",
        look: |probe| sure_if(byte(probe.bytes, 0) == Some(0x80) && probe.bytes.get(4..).is_some_and(super::sun_rpc)),
    },
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

/// Registration lines of a client (RFC 2812 3.1), notices of a server before it.
fn irc(probe: &Probe<'_>) -> Answer {
    let text = probe.bytes;
    match probe.dir {
        Dir::Resp => match text {
            [b':', ..] => {
                let line = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
                sure_if(line.windows(8).any(|part| part == b" NOTICE " || part == b" 001 :We"))
            }
            _ => begins_any(text, &[b"NOTICE AUTH ", b"NOTICE * :"]),
        },
        Dir::Orig => {
            let has = |word: &[u8]| {
                text.split(|&byte| byte == b'\n')
                    .any(|line| line.len() >= word.len() && line.iter().zip(word).all(|(a, b)| a.eq_ignore_ascii_case(b)))
            };
            if has(b"NICK ") && has(b"USER ")
                || begins(text, b"CAP LS") == Certain
                || (begins(text, b"NICK ") == Certain && on_port(probe, &[6_667]))
            {
                Certain
            } else {
                begins_any(text, &[b"NICK ", b"CAP LS", b"PASS "]).min_unsure()
            }
        }
    }
}

fn x11(probe: &Probe<'_>) -> Answer {
    begins_any(probe.bytes, &[&[b'l', 0, 11, 0, 0, 0], &[b'B', 0, 0, 11, 0, 0]])
}

/// Three names between zeros (RFC 1282), at home.
fn rlogin(probe: &Probe<'_>) -> Answer {
    let Some((0, names)) = probe.bytes.split_first().filter(|_| on_port(probe, &[513]) && probe.dir == Dir::Orig) else { return NotForUs };
    match names.iter().filter(|&&byte| byte == 0).count() {
        0..=2 if names.len() < 128 => Unsure,
        3 => sure_if(names.last() == Some(&0)),
        _ => NotForUs,
    }
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

impl Answer {
    /// Never more than unsure: too short a magic to be certain of.
    fn min_unsure(self) -> Self {
        if self == Certain { Unsure } else { self }
    }
}
