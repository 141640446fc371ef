//! Signatures over TCP: `bytes` is all that one side has said so far.

use super::{Answer, Certain, NotForUs, Probe, Signature, Unsure, be16, be32, begins, begins_any, byte, le32, on_port, sure_if};
use crate::model::Dir;

/// Most telling first.
pub(super) const SIGNATURES: &[Signature] = &[
    Signature { name: "s7comm", look: s7comm },
    Signature { name: "postgresql", look: postgresql },
    Signature { name: "tds", look: tds },
    Signature { name: "mongodb", look: mongodb },
    Signature { name: "mqtt", look: mqtt },
    Signature { name: "modbus", look: modbus },
    Signature { name: "dnp3_tcp", look: |probe| super::dnp3(probe.bytes) },
    Signature { name: "iec104", look: iec104 },
    Signature { name: "enip", look: |probe| begins(probe.bytes, &[0x65, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0]) },
    Signature { name: "bittorrent", look: |probe| begins(probe.bytes, b"\x13BitTorrent protocol") },
    Signature { name: "xmpp", look: xmpp },
    Signature { name: "rtsp", look: rtsp },
    Signature { name: "x11", look: x11 },
    Signature { name: "memcached", look: memcached },
    Signature { name: "openvpn", look: openvpn },
    Signature { name: "bgp", look: bgp },
    Signature {
        name: "nfs",
        look: |probe| sure_if(byte(probe.bytes, 0) == Some(0x80) && probe.bytes.get(4..).is_some_and(super::sun_rpc)),
    },
    Signature { name: "rsync", look: |probe| begins(probe.bytes, b"@RSYNCD: ") },
    Signature { name: "amqp", look: |probe| begins(probe.bytes, b"AMQP\0") },
    Signature { name: "zabbix", look: |probe| begins_any(probe.bytes, &[b"ZBXD\x01", b"ZBXD\x03", b"ZBXD\x05", b"ZBXD\x07"]) },
];

/// The part of a COTP connection request or confirm (RFC 905 13.3) after its fixed fields, in a TPKT (RFC 1006).
fn cotp_connect(bytes: &[u8]) -> Option<&[u8]> {
    let [3, 0, high, low, length, 0xe0 | 0xd0, _, _, _, _, _, variable @ ..] = bytes else { return None };
    (u16::from_be_bytes([*high, *low]) == u16::from(*length) + 5).then_some(variable)
}

/// S7 communication: COTP data whose content begins with the protocol id 0x32.
fn s7comm(probe: &Probe<'_>) -> Answer {
    let bytes = probe.bytes;
    let data = match cotp_connect(bytes) {
        Some([0xc0..=0xc2, ..]) => bytes.get(usize::from(be16(bytes, 2).unwrap_or(0))..).unwrap_or_default(),
        Some([]) => return Unsure,
        Some(_) => return NotForUs,
        None => bytes,
    };
    match data {
        [3, 0, _, _, 2, 0xf0, 0x80, id, ..] => sure_if(*id == 0x32),
        [] | [3] => Unsure,
        [3, 0, rest @ ..] if rest.len() < 6 || bytes.len() < 11 => Unsure,
        _ => NotForUs,
    }
}

/// Startup, or a request for encryption or cancellation (PostgreSQL 53.7).
fn postgresql(probe: &Probe<'_>) -> Answer {
    match (be32(probe.bytes, 0), be32(probe.bytes, 4)) {
        (Some(8), Some(80_877_103 | 80_877_104)) | (Some(16), Some(80_877_102)) => Certain,
        (Some(9..10_000), Some(0x0003_0000..=0x0003_0002)) => match begins(probe.bytes.get(8..).unwrap_or_default(), b"user\0") {
            NotForUs => sure_if(probe.bytes.windows(6).any(|part| part == b"\0user\0")),
            answer => answer,
        },
        (Some(8..10_000), None) | (None, _) if probe.bytes.first().is_none_or(|&first| first == 0) => Unsure,
        _ => NotForUs,
    }
}

/// PRELOGIN and LOGIN7 (MS-TDS 2.2); at home also what follows them.
fn tds(probe: &Probe<'_>) -> Answer {
    match probe.bytes {
        [1 | 3 | 4, 0 | 1 | 9, high, low, _, _, _, 0, _, ..] if on_port(probe, &[1_433]) => sure_if(u16::from_be_bytes([*high, *low]) > 8),
        [0x12, 0 | 1, high, low, 0, 0, 0 | 1, 0, 0, ..] => sure_if((16..1_024).contains(&u16::from_be_bytes([*high, *low]))),
        [0x10, 1, _, _, 0, 0, _, 0, rest @ ..] => match rest {
            [_, _, _, _, _, _, version, 0x70..=0x74, ..] => sure_if(*version <= 4),
            _ => Unsure,
        },
        [0x12 | 0x10, rest @ ..] if rest.len() < 8 => Unsure,
        _ => NotForUs,
    }
}

fn mongodb(probe: &Probe<'_>) -> Answer {
    let bytes = probe.bytes;
    match (le32(bytes, 0), le32(bytes, 8), le32(bytes, 12)) {
        (Some(16..48_000_000), Some(answered), Some(2_004 | 2_010..=2_013)) => sure_if(probe.dir == Dir::Resp || answered == 0),
        (Some(36..48_000_000), _, Some(1)) => sure_if(probe.dir == Dir::Resp && on_port(probe, &[27_017])),
        (Some(16..48_000_000), _, None) if on_port(probe, &[27_017]) => Unsure,
        _ => NotForUs,
    }
}

/// CONNECT (MQTT 3.1): remaining length of up to four bytes, then the protocol's name.
fn mqtt(probe: &Probe<'_>) -> Answer {
    let Some((0x10, rest)) = probe.bytes.split_first() else { return NotForUs };
    let length = rest.iter().take(4).take_while(|&&byte| byte & 0x80 != 0).count() + 1;
    begins_any(rest.get(length..).unwrap_or_default(), &[b"\0\x04MQTT", b"\0\x06MQIsdp"])
}

/// Any bytes could be this header: only at home, and only if the length is right.
fn modbus(probe: &Probe<'_>) -> Answer {
    match probe.bytes {
        _ if !on_port(probe, &[502]) => NotForUs,
        [_, _, 0, 0, 0, length @ 2..=254, _, function, rest @ ..] => {
            let whole = rest.len() + 2 >= usize::from(*length);
            if whole { sure_if(function & 0x7f != 0) } else { Unsure }
        }
        short if short.len() < 8 => Unsure,
        _ => NotForUs,
    }
}

fn iec104(probe: &Probe<'_>) -> Answer {
    match probe.bytes {
        [0x68, 4, 0x07 | 0x0b | 0x13 | 0x23 | 0x43 | 0x83, 0, 0, 0, ..] => Certain,
        [0x68, 4..=253, _, _, low, _, ..] => sure_if(on_port(probe, &[2404]) && low & 1 == 0),
        [0x68, rest @ ..] if rest.len() < 5 => Unsure,
        _ => NotForUs,
    }
}

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

fn memcached(probe: &Probe<'_>) -> Answer {
    match (probe.dir, probe.bytes) {
        _ if !on_port(probe, &[11_211]) => NotForUs,
        (_, [0x80 | 0x81, 0..=0x1f, ..]) => sure_if(probe.bytes.len() >= 24),
        (Dir::Orig, text) => {
            begins_any(text, &[b"get ", b"gets ", b"set ", b"add ", b"stats", b"version", b"delete ", b"flush_all", b"incr "])
        }
        (Dir::Resp, text) => begins_any(text, &[b"STAT ", b"VALUE ", b"STORED\r\n", b"END\r\n", b"VERSION "]),
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
