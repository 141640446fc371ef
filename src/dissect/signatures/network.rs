//! Signatures of what holds networks together: routing, redundancy, time, discovery, management.

use super::{Answer, Certain, NotForUs, Probe, Signature, be16, be32, begins, begins_any, byte, on_port, sure_if};

/// Over UDP.
pub(super) const UDP: &[Signature] = &[
    Signature { name: "slp", look: slp },
    Signature { name: "dnscrypt", look: dnscrypt },
    Signature { name: "wsd", look: wsd },
    Signature { name: "rmcp", look: |probe| sure_if(on_port(probe, &[623, 664]) && matches!(probe.bytes, [6, 0, _, 6 | 7 | 0x86, ..])) },
    Signature { name: "bfd", look: bfd },
    Signature { name: "hsrp", look: hsrp },
    Signature { name: "rip", look: rip },
    Signature {
        name: "ripng",
        look: |probe| sure_if(on_port(probe, &[521]) && matches!(probe.bytes, [1 | 2, 1, 0, 0, ..]) && probe.bytes.len() % 20 == 4),
    },
    Signature { name: "ptp", look: ptp },
    Signature {
        name: "ldp",
        look: |probe| sure_if(on_port(probe, &[646]) && be16(probe.bytes, 0) == Some(1) && be16(probe.bytes, 10) == Some(0x100)),
    },
    Signature {
        name: "lisp",
        look: |probe| {
            sure_if(on_port(probe, &[4_342]) && matches!(probe.bytes, [0x10..=0x4f | 0x80..=0x8f, ..]) && probe.bytes.len() >= 16)
        },
    },
    Signature { name: "roughtime", look: roughtime },
    Signature { name: "dlep", look: |probe| begins(probe.bytes, b"DLEP\0").settled() },
    Signature { name: "capwap", look: capwap },
    Signature { name: "rtps", look: |probe| begins_any(probe.bytes, &[b"RTPS\x01", b"RTPS\x02"]).settled() },
    Signature { name: "natpmp", look: natpmp },
    Signature {
        name: "pcp",
        look: |probe| {
            sure_if(
                on_port(probe, &[5_351])
                    && matches!(probe.bytes, [2, 0..=2 | 0x80..=0x82, ..])
                    && probe.bytes.len() >= 24
                    && probe.bytes.len() % 4 == 0,
            )
        },
    },
    Signature {
        name: "xdmcp",
        look: |probe| {
            sure_if(
                on_port(probe, &[177])
                    && matches!(probe.bytes, [0, 1, 0, 1..=15, ..])
                    && be16(probe.bytes, 4).is_some_and(|length| usize::from(length) + 6 == probe.bytes.len()),
            )
        },
    },
    Signature {
        name: "olsr",
        look: |probe| {
            sure_if(on_port(probe, &[698]) && be16(probe.bytes, 0).is_some_and(|length| usize::from(length) == probe.bytes.len()))
        },
    },
    Signature {
        name: "babel",
        look: |probe| {
            sure_if(
                on_port(probe, &[6_696])
                    && matches!(probe.bytes, [42, 2, ..])
                    && be16(probe.bytes, 2).is_some_and(|length| usize::from(length) + 4 <= probe.bytes.len()),
            )
        },
    },
    Signature {
        name: "mndp",
        look: |probe| sure_if(on_port(probe, &[5_678]) && (probe.bytes == [0; 4] || matches!(probe.bytes, [_, _, _, _, 0, 1, 0, 6, ..]))),
    },
    Signature {
        name: "ubiquiti",
        look: |probe| {
            sure_if(
                on_port(probe, &[10_001])
                    && matches!(probe.bytes, [1 | 2, 0 | 6 | 8 | 9 | 11, high, low, ..] if usize::from(u16::from_be_bytes([*high, *low])) + 4 == probe.bytes.len()),
            )
        },
    },
    Signature {
        name: "mssql-browser",
        look: |probe| {
            sure_if(
                on_port(probe, &[1_434])
                    && (matches!(probe.bytes, [2] | [3] | [4, ..])
                        || matches!(probe.bytes, [5, _, _, b'S', b'e', b'r', b'v', b'e', b'r', ..])),
            )
        },
    },
    Signature { name: "rx", look: rx },
    Signature {
        name: "bjnp",
        look: |probe| begins_any(probe.bytes, &[b"BJNP\x01", b"BJNP\x02", b"BJNP\x81", b"BJNP\x82", b"MFNP\x02"]).settled(),
    },
    Signature {
        name: "time",
        look: |probe| {
            sure_if(on_port(probe, &[37]) && probe.bytes.len() == 4 && be32(probe.bytes, 0).is_some_and(|time| time > 0xd000_0000))
        },
    },
    Signature {
        name: "daytime",
        look: |probe| sure_if(on_port(probe, &[13]) && probe.bytes.len() > 12 && probe.bytes.is_ascii() && probe.bytes.ends_with(b"\n")),
    },
    Signature {
        name: "chargen",
        look: |probe| {
            sure_if(
                on_port(probe, &[19])
                    && probe.bytes.len() > 64
                    && probe.bytes.windows(8).any(|part| part == b"()*+,-./" || part == b"abcdefgh"),
            )
        },
    },
    Signature {
        name: "qotd",
        look: |probe| {
            sure_if(on_port(probe, &[17]) && probe.bytes.len() > 16 && probe.bytes.is_ascii() && probe.dir == crate::model::Dir::Resp)
        },
    },
];

/// Version 1 or 2, a function, a length that is the datagram's (RFC 2608 8).
fn slp(probe: &Probe<'_>) -> Answer {
    let length = match probe.bytes {
        [2, 1..=11, a, b, c, ..] => u32::from_be_bytes([0, *a, *b, *c]) as usize,
        [1, 1..=10, a, b, ..] => usize::from(u16::from_be_bytes([*a, *b])),
        _ => return NotForUs,
    };
    sure_if(on_port(probe, &[427]) && length == probe.bytes.len())
}

/// The magic of answers; of questions the provider's own magic is not known, so these are told by the answer.
fn dnscrypt(probe: &Probe<'_>) -> Answer {
    begins_any(probe.bytes, &[b"r6fnvWj8", b"7PYqwfzt", b"Q6fnvWj8"]).settled()
}

/// Tags of a message: their number, then places, among them a nonce's or a signature's.
fn roughtime(probe: &Probe<'_>) -> Answer {
    if begins(probe.bytes, b"ROUGHTIM") == Certain {
        return Certain;
    }
    let [tags @ 2..=16, 0, 0, 0, rest @ ..] = probe.bytes else { return NotForUs };
    let places = (usize::from(*tags) - 1) * 4;
    let names = rest.get(places..places + usize::from(*tags) * 4).unwrap_or_default();
    sure_if(names.as_chunks::<4>().0.iter().any(|tag| [b"NONC", b"SIG\0", b"SREP"].contains(&tag)))
}

/// Control messages: a header of version 0 whose length is possible, bound to Ethernet or 802.11, at home (RFC 5415 4.3).
fn capwap(probe: &Probe<'_>) -> Answer {
    sure_if(
        on_port(probe, &[5_246, 5_247])
            && matches!(probe.bytes, [0, 0x10 | 0x18 | 0x20 | 0x28, _, _, _, _, _, ..] | [1, 0, 0, 0, 0x16, 0xfe, ..]),
    )
}

/// Discovery of web services: an envelope of SOAP, at home.
fn wsd(probe: &Probe<'_>) -> Answer {
    let envelope = begins_any(probe.bytes, &[b"<?xml ", b"<soap:Envelope", b"<SOAP-ENV:Envelope", b"<s:Envelope"]) == Certain;
    sure_if(on_port(probe, &[3_702]) && envelope)
}

/// Version 1, a length of 24 or more that is the datagram's (RFC 5880 4.1).
fn bfd(probe: &Probe<'_>) -> Answer {
    let [first, _, multiplier, length @ 24..=52, ..] = probe.bytes else { return NotForUs };
    sure_if(on_port(probe, &[3_784, 4_784]) && first >> 5 == 1 && *multiplier > 0 && usize::from(*length) == probe.bytes.len())
}

/// Version 1 (RFC 2281), or the values of version 2.
fn hsrp(probe: &Probe<'_>) -> Answer {
    let old = matches!(probe.bytes, [0, 0..=3, 0 | 1 | 2 | 4 | 8 | 16, ..]) && probe.bytes.len() >= 8;
    let new = matches!(probe.bytes, [1..=4, length, 2, ..] if usize::from(*length) + 2 <= probe.bytes.len());
    sure_if(on_port(probe, &[1_985, 2_029]) && (old || new))
}

/// Command, version, two zeros, entries of twenty bytes (RFC 2453 4).
fn rip(probe: &Probe<'_>) -> Answer {
    sure_if(on_port(probe, &[520]) && matches!(probe.bytes, [1..=2, 1 | 2, 0, 0, ..]) && probe.bytes.len() % 20 == 4)
}

/// Version 2, a length that is the datagram's (IEEE 1588 13.3).
fn ptp(probe: &Probe<'_>) -> Answer {
    let version = byte(probe.bytes, 1).is_some_and(|version| version & 15 == 2);
    let kind = byte(probe.bytes, 0).is_some_and(|first| matches!(first & 15, 0..=3 | 8..=13));
    sure_if(
        on_port(probe, &[319, 320])
            && version
            && kind
            && be16(probe.bytes, 2).is_some_and(|length| usize::from(length) <= probe.bytes.len() && length >= 34),
    )
}

/// Version 0: a question of two or twelve bytes, an answer of twelve or sixteen (RFC 6886 3).
fn natpmp(probe: &Probe<'_>) -> Answer {
    sure_if(
        on_port(probe, &[5_350, 5_351])
            && matches!(
                (probe.bytes, probe.bytes.len()),
                ([0, 0, ..], 2) | ([0, 1 | 2, ..], 12) | ([0, 0x80, ..], 12) | ([0, 0x81 | 0x82, ..], 16)
            ),
    )
}

/// The header of RX, which AFS speaks: a kind that exists, no user status, at home.
fn rx(probe: &Probe<'_>) -> Answer {
    let kind = matches!(byte(probe.bytes, 20), Some(1..=8 | 13));
    sure_if(
        (7_000..=7_009).any(|port| on_port(probe, &[port]))
            && probe.bytes.len() >= 28
            && kind
            && be32(probe.bytes, 0).is_some_and(|epoch| epoch > 0),
    )
}
