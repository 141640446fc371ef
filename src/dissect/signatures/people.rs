//! Signatures of what people run: games, messengers, file sharing, media, things at home, mining.

use super::{Answer, Certain, NotForUs, Probe, Signature, Unsure, be16, be32, begins, begins_any, byte, on_port, sure_if};
use crate::model::Dir;

/// Over TCP.
pub(super) const TCP: &[Signature] = &[
    Signature {
        name: "bitcoin",
        look: |probe| begins_any(probe.bytes, &[b"\xf9\xbe\xb4\xd9version\0", b"\x0b\x11\x09\x07version\0", b"\xfa\xbf\xb5\xdaversion\0"]),
    },
    Signature { name: "edonkey", look: edonkey },
    Signature {
        name: "gnutella",
        look: |probe| begins_any(probe.bytes, &[b"GNUTELLA CONNECT/", b"GNUTELLA/0.", b"GIV "]).and_long(probe, 12),
    },
    Signature {
        name: "soulseek",
        look: |probe| sure_if(on_port(probe, &[2_234, 2_242, 2_416]) && matches!(probe.bytes, [_, 0, 0, 0, 1, 0, 0, 0, ..])),
    },
    Signature {
        name: "directconnect",
        look: |probe| begins_any(probe.bytes, &[b"$Lock EXTENDEDPROTOCOL", b"$MyNick ", b"HSUP ADBASE", b"CSUP ADBASE"]),
    },
    Signature { name: "minecraft", look: minecraft },
    Signature {
        name: "telegram",
        look: |probe| sure_if(begins(probe.bytes, &[0xef]) == Certain && matches!(probe.bytes, [0xef, 0x0a, 0, 0, 0, 0, 0, 0, 0, 0, ..])),
    },
    Signature {
        name: "whatsapp",
        look: |probe| {
            begins_any(
                probe.bytes,
                &[b"WA\x01\x05", b"WA\x02\x00", b"WA\x04\x00", b"WA\x05\x02", b"WA\x05\x03", b"WA\x06\x02", b"WA\x06\x03", b"ED\0\x01"],
            )
            .and_long(probe, 8)
        },
    },
    Signature { name: "json-rpc", look: |probe| begins_any(probe.bytes, &[b"{\"jsonrpc\":\"2.0\"", b"{\"jsonrpc\": \"2.0\""]) },
    Signature { name: "tplink-shp", look: |probe| sure_if(on_port(probe, &[9_999]) && shp(probe.bytes.get(4..).unwrap_or_default())) },
    Signature { name: "kismet", look: |probe| begins(probe.bytes, b"*KISMET: ") },
    Signature { name: "syncthing", look: |probe| begins(probe.bytes, &[0x2e, 0xa7, 0xd9, 0x0b]) },
    Signature { name: "shoutcast", look: |probe| begins_any(probe.bytes, &[b"ICY 200 OK\r\n", b"ICY 404 "]) },
    Signature {
        name: "mumble",
        look: |probe| sure_if(on_port(probe, &[64_738]) && matches!(probe.bytes, [0, 0, 0, 0, 0, 4..=64, 8 | 10, ..])),
    },
];

/// Over UDP.
pub(super) const UDP: &[Signature] = &[
    Signature { name: "ripe-atlas", look: |probe| begins(probe.bytes, b"MGLNDD_").settled() },
    Signature { name: "riotgames", look: |probe| begins(probe.bytes, &[0x13, 0x37, 0xca, 0xfe, 0x0a, 0, 0, 0]).settled() },
    Signature { name: "spotify", look: |probe| begins(probe.bytes, b"SpotUdp").settled() },
    Signature {
        name: "dropbox",
        look: |probe| {
            begins_any(probe.bytes, &[b"{\"host_int\": ", b"{\"host_int\":", b"{\"version\": [", b"{\"displayname\": "]).settled()
        },
    },
    Signature { name: "source-engine", look: source_engine },
    Signature {
        name: "quake",
        look: |probe| {
            begins_any(
                probe.bytes,
                &[
                    b"\xff\xff\xff\xffgetstatus",
                    b"\xff\xff\xff\xffgetinfo",
                    b"\xff\xff\xff\xffgetservers",
                    b"\xff\xff\xff\xffstatusResponse",
                    b"\xff\xff\xff\xffinfoResponse",
                ],
            )
            .settled()
        },
    },
    Signature { name: "raknet", look: raknet },
    Signature { name: "teamspeak", look: |probe| begins(probe.bytes, b"TS3INIT1").settled() },
    Signature {
        name: "mumble",
        look: |probe| sure_if(on_port(probe, &[64_738]) && probe.bytes.starts_with(&[0, 0, 0, 0]) && matches!(probe.bytes.len(), 12 | 24)),
    },
    Signature { name: "syncthing", look: |probe| begins(probe.bytes, &[0x2e, 0xa7, 0xd9, 0x0b]).settled() },
    Signature { name: "steam", look: |probe| begins(probe.bytes, b"VS01").settled().and_long(probe, 36) },
    Signature { name: "steam-discovery", look: |probe| begins(probe.bytes, b"\xff\xff\xff\xff\x21\x4c\x5f\xa0").settled() },
    Signature { name: "tplink-shp", look: |probe| sure_if(on_port(probe, &[9_999]) && shp(probe.bytes)) },
    Signature { name: "tivoconnect", look: |probe| begins(probe.bytes, b"TiVoConnect=").settled() },
    Signature { name: "rtp", look: rtp },
    Signature { name: "rtcp", look: rtcp },
    Signature {
        name: "zerotier",
        look: |probe| sure_if(on_port(probe, &[9_993]) && probe.bytes.len() >= 28 && matches!(byte(probe.bytes, 18), Some(0..=0x3f))),
    },
    Signature { name: "tailscale", look: |probe| begins(probe.bytes, b"TS\xf0\x9f\x92\xac").settled() },
    Signature { name: "utp", look: utp },
    Signature {
        name: "edonkey",
        look: |probe| sure_if(on_port(probe, &[4_662, 4_665, 4_672]) && matches!(probe.bytes, [0xe3..=0xe5, 1..=0x60 | 0x92..=0xa6, ..])),
    },
    Signature {
        name: "lifx",
        look: |probe| {
            sure_if(
                on_port(probe, &[56_700])
                    && probe.bytes.len() >= 36
                    && probe.bytes.first_chunk().is_some_and(|length| usize::from(u16::from_le_bytes(*length)) == probe.bytes.len()),
            )
        },
    },
    Signature {
        name: "miio",
        look: |probe| {
            sure_if(
                probe.bytes.starts_with(&[0x21, 0x31])
                    && be16(probe.bytes, 2).is_some_and(|length| usize::from(length) == probe.bytes.len()),
            )
        },
    },
    Signature {
        name: "tuya",
        look: |probe| sure_if(probe.bytes.starts_with(&[0, 0, 0x55, 0xaa]) && probe.bytes.ends_with(&[0, 0, 0xaa, 0x55])),
    },
    Signature { name: "sonos", look: |probe| sure_if(on_port(probe, &[6_969]) && probe.bytes.starts_with(b"Sonos")) },
];

/// eDonkey: protocol, a length, a kind that begins a conversation.
fn edonkey(probe: &Probe<'_>) -> Answer {
    let [0xe3 | 0xc5, a, b, 0, 0, 0x01 | 0x4c | 0x40, rest @ ..] = probe.bytes else { return NotForUs };
    let length = usize::from(u16::from_le_bytes([*a, *b]));
    sure_if(length == rest.len() + 1 && length > 16)
}

/// A handshake: length, kind 0, version, host, port, next state 1 or 2, and perhaps the request behind it.
fn minecraft(probe: &Probe<'_>) -> Answer {
    let [length @ 7..=120, 0, _, rest @ ..] = probe.bytes else { return NotForUs };
    let message = probe.bytes.get(1..=usize::from(*length));
    sure_if(on_port(probe, &[25_565]) && !rest.is_empty() && message.and_then(<[u8]>::last).is_some_and(|state| matches!(state, 1 | 2)))
}

/// JSON whose bytes were each combined with the one before, beginning with 171 (TP-Link's smart home protocol).
fn shp(bytes: &[u8]) -> bool {
    matches!(bytes, [0xd0, 0xf2, ..] | [0xd0, 0xdf, ..] | [0xd0, 0xad, ..])
}

/// Questions to game servers of Valve's engine, and their answers.
fn source_engine(probe: &Probe<'_>) -> Answer {
    let question = begins_any(
        probe.bytes,
        &[b"\xff\xff\xff\xffTSource Engine Query\0", b"\xff\xff\xff\xff\x55\xff\xff\xff\xff", b"\xff\xff\xff\xff\x56\xff\xff\xff\xff"],
    );
    let answer = matches!(probe.bytes, [0xff, 0xff, 0xff, 0xff, b'A', ..]) && probe.bytes.len() == 9
        || matches!(probe.bytes, [0xff, 0xff, 0xff, 0xff, b'I', 0x11, ..]);
    if answer { Certain } else { question.settled() }
}

/// The magic of unconnected messages.
fn raknet(probe: &Probe<'_>) -> Answer {
    const MAGIC: [u8; 16] = [0, 0xff, 0xff, 0, 0xfe, 0xfe, 0xfe, 0xfe, 0xfd, 0xfd, 0xfd, 0xfd, 0x12, 0x34, 0x56, 0x78];
    let kind = matches!(byte(probe.bytes, 0), Some(1 | 2 | 5..=8 | 0x19 | 0x1c));
    sure_if(kind && probe.bytes.windows(16).take(24).any(|part| part == MAGIC))
}

/// A header of version 2 with a kind of payload that RFC 3551 assigns, no padding, and a length that a codec has. Random bytes have that one
/// time in some thousands: only even ports above 1,023 on both sides, as RFC 3550 11 asks for.
fn rtp(probe: &Probe<'_>) -> Answer {
    let [0x80, kind, ..] = probe.bytes else { return NotForUs };
    let ports = [probe.orig_p, probe.resp_p].iter().all(|port| port % 2 == 0 && *port > 1_023);
    let frame = match kind & 0x7f {
        0 | 8 => probe.bytes.len().checked_sub(12).is_some_and(|length| length % 80 == 0 && (80..=320).contains(&length)),
        3 => probe.bytes.len() == 12 + 33,
        4 => matches!(probe.bytes.len(), 36 | 32),
        9 => matches!(probe.bytes.len(), 92 | 172 | 252 | 332),
        18 => matches!(probe.bytes.len(), 22 | 32 | 42 | 52),
        _ => false,
    };
    sure_if(ports && frame)
}

/// Reports whose lengths fill the datagram: a sender's or a receiver's first, a description behind it.
fn rtcp(probe: &Probe<'_>) -> Answer {
    let mut rest = probe.bytes;
    let mut reports = 0;
    while let [0x80..=0x9f, kind @ 200..=207, high, low, ..] = rest {
        if reports == 0 && !matches!(kind, 200 | 201) {
            return NotForUs;
        }
        let length = (usize::from(u16::from_be_bytes([*high, *low])) + 1) * 4;
        let Some(later) = rest.get(length..) else { return NotForUs };
        (rest, reports) = (later, reports + 1);
    }
    sure_if(rest.is_empty() && reports >= 1 && probe.bytes.len() >= 28)
}

/// BitTorrent's transport (BEP 29): a SYN of version 1 with nothing to acknowledge, twenty bytes or one extension more.
fn utp(probe: &Probe<'_>) -> Answer {
    let [0x41, 0..=2, ..] = probe.bytes else { return NotForUs };
    let first = be32(probe.bytes, 8) == Some(0) && be16(probe.bytes, 16) == Some(1) && be16(probe.bytes, 18) == Some(0);
    sure_if(first && matches!(probe.bytes.len(), 20 | 30) && probe.dir == Dir::Orig)
}

impl Answer {
    /// Certain only of what is at least this long.
    fn and_long(self, probe: &Probe<'_>, least: usize) -> Self {
        if self == Certain && probe.bytes.len() < least { Unsure } else { self }
    }
}
