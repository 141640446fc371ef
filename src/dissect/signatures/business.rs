//! Signatures of what companies run: databases, queues, terminals, medicine, telephony, and TLS whose beginning was missed.

use super::{Answer, Certain, NotForUs, Probe, Signature, Unsure, be16, be32, begins, begins_any, byte, on_port, sure_if};
use crate::model::Dir;

/// Over TCP.
pub(super) const TCP: &[Signature] = &[
    Signature { name: "ssl", look: tls_records },
    Signature { name: "pptp", look: pptp },
    Signature { name: "giop", look: |probe| begins_any(probe.bytes, &[b"GIOP\x01\0", b"GIOP\x01\x01", b"GIOP\x01\x02", b"GIOP\x01\x03"]) },
    Signature { name: "jrmi", look: |probe| begins_any(probe.bytes, &[b"JRMI\0\x01", b"JRMI\0\x02"]) },
    Signature { name: "hl7", look: |probe| begins(probe.bytes, b"\x0bMSH|") },
    Signature { name: "citrix", look: |probe| begins_any(probe.bytes, &[b"\x7f\x7fICA\0", b"\x1aCGP/01"]) },
    Signature { name: "c1222", look: c1222 },
    Signature {
        name: "wow",
        look: |probe| sure_if(probe.bytes.get(2..).is_some_and(|text| text.starts_with(b"WORLD OF WARCRAFT CONNECTION"))),
    },
    Signature { name: "gearman", look: |probe| zero_word(probe.bytes, &[b"REQ", b"RES"]) },
    Signature { name: "cassandra", look: cassandra },
    Signature { name: "diameter", look: diameter },
    Signature { name: "tacacs", look: tacacs },
    Signature { name: "ldp", look: ldp },
    Signature { name: "drda", look: drda },
    Signature { name: "dicom", look: dicom },
    Signature { name: "hislip", look: hislip },
    Signature { name: "h323", look: h323 },
    Signature { name: "mms", look: mms },
    Signature { name: "skinny", look: skinny },
    Signature { name: "tpkt", look: tpkt },
    Signature { name: "ams", look: ads },
    Signature { name: "iscsi", look: iscsi },
    Signature { name: "afp", look: afp },
    Signature { name: "rtmp", look: |probe| sure_if(probe.bytes.len() == 1_537 && matches!(probe.bytes, [3, _, _, _, _, 0, 0, 0, 0, ..])) },
    Signature { name: "nats", look: |probe| begins_any(probe.bytes, &[b"INFO {\"server_id\"", b"CONNECT {\""]) },
    Signature { name: "svn", look: |probe| begins(probe.bytes, b"( success ( ") },
    Signature { name: "git", look: git },
    Signature { name: "ceph", look: |probe| begins(probe.bytes, b"ceph v") },
    Signature {
        name: "zookeeper",
        look: |probe| sure_if(on_port(probe, &[2_181]) && [&b"ruok"[..], b"stat", b"mntr", b"srvr", b"conf"].contains(&probe.bytes)),
    },
    Signature { name: "kafka", look: kafka },
    Signature { name: "oracle", look: oracle },
    Signature { name: "informix", look: |probe| begins(probe.bytes, b"sqlAYABP") },
    Signature {
        name: "firebird",
        look: |probe| sure_if(on_port(probe, &[3_050]) && matches!(probe.bytes, [0, 0, 0, 1, 0, 0, 0, 0x13, 0, 0, 0, ..])),
    },
    Signature {
        name: "epmd",
        look: |probe| sure_if(on_port(probe, &[4_369]) && matches!(probe.bytes, [0, 1, b'n'] | [0, _, b'x' | b'z', ..])),
    },
    Signature { name: "ajp13", look: |probe| begins_any(probe.bytes, &[b"\x12\x34\0\x01\x0a", b"AB\0\x01\x09"]).on(probe, &[8_009]) },
    Signature { name: "fastcgi", look: |probe| begins(probe.bytes, &[1, 1, 0, 1, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]) },
    Signature { name: "lpd", look: lpd },
    Signature { name: "jetdirect", look: |probe| begins_any(probe.bytes, &[b"\x1b%-12345X@PJL", b"%!PS-Adobe"]) },
    Signature {
        name: "atg",
        look: |probe| {
            sure_if(
                matches!(probe.bytes, [1, b'I' | b'S', a, b, c, d, e, ..] if [a, b, c, d, e].iter().all(|digit| digit.is_ascii_digit())),
            )
        },
    },
    Signature { name: "whois", look: whois },
    Signature {
        name: "finger",
        look: |probe| {
            sure_if(
                on_port(probe, &[79])
                    && probe.dir == Dir::Orig
                    && probe.bytes.len() < 128
                    && probe.bytes.ends_with(b"\r\n")
                    && probe.bytes.is_ascii(),
            )
        },
    },
    Signature {
        name: "nntp",
        look: |probe| {
            sure_if(on_port(probe, &[119, 433]) && begins_any(probe.bytes, &[b"200 ", b"201 ", b"MODE READER", b"CAPABILITIES"]) == Certain)
        },
    },
    Signature { name: "managesieve", look: |probe| begins(probe.bytes, b"\"IMPLEMENTATION\" \"") },
    Signature {
        name: "z3950",
        look: |probe| {
            sure_if(
                on_port(probe, &[210]) && matches!(probe.bytes, [0xb4, length, 0x83, ..] if usize::from(*length) + 2 == probe.bytes.len()),
            )
        },
    },
    Signature { name: "nbd", look: |probe| begins(probe.bytes, b"NBDMAGICIHAVEOPT") },
    Signature { name: "spice", look: |probe| begins(probe.bytes, b"REDQ\x02\0\0\0") },
    Signature { name: "radmin", look: |probe| begins(probe.bytes, &[1, 0, 0, 0, 1, 0, 0, 0, 8, 8]) },
    Signature { name: "teamviewer", look: |probe| sure_if(matches!(probe.bytes, [0x17, 0x24, 0x0a..=0x0e, 0x20, ..])) },
    Signature { name: "adb", look: |probe| begins(probe.bytes, b"CNXN\0\0\0\x01").or(begins(probe.bytes, b"CNXN\x01\0\0\x01")) },
    Signature { name: "jdwp", look: |probe| begins(probe.bytes, b"JDWP-Handshake") },
    Signature { name: "smpp", look: smpp },
    Signature { name: "fix", look: |probe| begins_any(probe.bytes, &[b"8=FIX.4.", b"8=FIXT.1."]) },
    Signature { name: "megaco", look: |probe| begins_any(probe.bytes, &[b"MEGACO/", b"!/1 ["]) },
    Signature { name: "someip", look: some_ip },
    Signature { name: "rpcap", look: |probe| sure_if(on_port(probe, &[2_002]) && matches!(probe.bytes, [0, 8 | 0x88, 0, 0, 0, 0, 0, ..])) },
];

/// Over UDP.
pub(super) const UDP: &[Signature] = &[
    Signature { name: "dce_rpc", look: connectionless_rpc },
    Signature { name: "someip", look: some_ip },
    Signature { name: "can", look: |probe| begins(probe.bytes, b"ISO11898").settled() },
    Signature { name: "trdp", look: trdp },
    Signature { name: "cip_io", look: cip_io },
    Signature { name: "c1222", look: c1222 },
    Signature { name: "bfcp", look: bfcp },
    Signature { name: "gtp_prime", look: gtp_prime },
    Signature { name: "megaco", look: |probe| begins_any(probe.bytes, &[b"MEGACO/", b"!/1 ["]).settled() },
    Signature { name: "mgcp", look: mgcp },
    Signature { name: "iax", look: iax },
    Signature { name: "hl7", look: |probe| begins(probe.bytes, b"\x0bMSH|").settled() },
    Signature {
        name: "collectd",
        look: |probe| {
            sure_if(
                on_port(probe, &[25_826])
                    && matches!(probe.bytes, [0, 0, 0, length @ 5..=64, ..] if byte(probe.bytes, usize::from(*length) - 1) == Some(0)),
            )
        },
    },
    Signature { name: "gelf", look: |probe| begins_any(probe.bytes, &[b"{\"version\":\"1.1\"", b"{\"version\": \"1.1\""]).settled() },
    Signature {
        name: "statsd",
        look: |probe| {
            sure_if(
                on_port(probe, &[8_125])
                    && probe.bytes.is_ascii()
                    && [&b"|c"[..], b"|g", b"|ms"].iter().any(|kind| probe.bytes.windows(kind.len()).any(|part| part == *kind)),
            )
        },
    },
    Signature { name: "ads_udp", look: |probe| sure_if(on_port(probe, &[48_899]) && matches!(probe.bytes, [3, 0x66, 0x14, 0x71, ..])) },
    Signature {
        name: "hart_ip",
        look: |probe| {
            sure_if(
                on_port(probe, &[5_094])
                    && matches!(probe.bytes, [1, 0..=2, 0..=3 | 0x80, ..])
                    && be16(probe.bytes, 6).is_some_and(|length| usize::from(length) == probe.bytes.len()),
            )
        },
    },
    Signature {
        name: "knx",
        look: |probe| {
            sure_if(
                matches!(probe.bytes, [6, 0x10, 2..=5, _, ..])
                    && be16(probe.bytes, 4).is_some_and(|length| usize::from(length) == probe.bytes.len())
                    && on_port(probe, &[3_671]),
            )
        },
    },
    Signature {
        name: "omron_fins",
        look: |probe| {
            sure_if(on_port(probe, &[9_600]) && matches!(probe.bytes, [0x80 | 0x81 | 0xc0 | 0xc1, 0, 2, ..]) && probe.bytes.len() >= 12)
        },
    },
];

/// Trains (IEC 61375-2-3): sequence, version 1.0, a kind of two letters, at home.
fn trdp(probe: &Probe<'_>) -> Answer {
    let kind = matches!(
        probe.bytes.get(4..8),
        Some([1, 0, b'P', b'd' | b'p' | b'r' | b'e'] | [1, 0, b'M', b'n' | b'r' | b'p' | b'q' | b'c' | b'e'])
    );
    sure_if(kind && on_port(probe, &[17_224, 17_225]))
}

/// CIP's connected data over UDP: two items, the first of them a sequenced address, the second connected data.
fn cip_io(probe: &Probe<'_>) -> Answer {
    sure_if(matches!(probe.bytes, [2, 0, 2, 0x80, 8, 0, ..]) && probe.bytes.get(14..16) == Some(&[0xb1, 0]))
}

/// Meters (ANSI C12.22): an application's tag with the title called, or calling, at home.
fn c1222(probe: &Probe<'_>) -> Answer {
    sure_if(on_port(probe, &[1_153]) && matches!(probe.bytes, [0x60, 0x10..=0x7f, 0xa1 | 0xa2 | 0xa4 | 0xa6 | 0xa8, ..]))
}

/// Floor control: version 1, a primitive that exists, a length that is the message's (RFC 8855 5.1).
fn bfcp(probe: &Probe<'_>) -> Answer {
    let [0x20, 1..=19, high, low, conference @ .., _] = probe.bytes else { return NotForUs };
    let length = usize::from(u16::from_be_bytes([*high, *low])) * 4 + 12;
    sure_if(length == probe.bytes.len() && conference.starts_with(&[0, 0]) && probe.orig_p.is_multiple_of(2))
}

/// Charging (3GPP TS 32.295): version of the high bits, a kind, a length that is the datagram's, at home.
fn gtp_prime(probe: &Probe<'_>) -> Answer {
    let kind = matches!(probe.bytes, [first, 1..=7 | 0xf0 | 0xf1, ..] if first & 0x10 == 0);
    sure_if(
        on_port(probe, &[3_386])
            && kind
            && be16(probe.bytes, 2).is_some_and(|length| [6, 20].contains(&(probe.bytes.len().saturating_sub(usize::from(length))))),
    )
}

/// Records of TLS from the middle of a connection: two in a row, or one that fills what was sent to the last byte.
fn tls_records(probe: &Probe<'_>) -> Answer {
    const RECORD_MAX: usize = 16_640;
    let mut rest = probe.bytes;
    for record in 0..2 {
        let (head, body) = match rest {
            [] if record > 0 => return Certain,
            [20..=23, 3, 1..=3, high, low, body @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), body),
            [] | [20..=23] | [20..=23, 3] | [20..=23, 3, 1..=3] | [20..=23, 3, 1..=3, _] => return Unsure,
            _ => return NotForUs,
        };
        if !(2..=RECORD_MAX).contains(&head) {
            return NotForUs;
        }
        let Some(later) = body.get(head..) else { return if record == 0 { Unsure } else { Certain } };
        rest = later;
    }
    Certain
}

/// Connectionless DCE/RPC (C706 12.5): version 4, a representation that exists, and a length that is the datagram's.
fn connectionless_rpc(probe: &Probe<'_>) -> Answer {
    let [4, 0..=10, _, flags, order @ (0 | 0x10), 0, 0, ..] = probe.bytes else { return NotForUs };
    let length = probe.bytes.get(74..).and_then(|at| at.first_chunk::<2>());
    let length = length.map(|length| if *order == 0 { u16::from_be_bytes(*length) } else { u16::from_le_bytes(*length) });
    sure_if(flags & 0xfc == 0 && length.is_some_and(|length| usize::from(length) + 80 == probe.bytes.len()))
}

fn pptp(probe: &Probe<'_>) -> Answer {
    sure_if(
        be32(probe.bytes, 4) == Some(0x1a2b_3c4d)
            && be16(probe.bytes, 2) == Some(1)
            && be16(probe.bytes, 0).is_some_and(|length| length <= 256),
    )
}

/// A zero, then one of these words.
fn zero_word(bytes: &[u8], words: &[&[u8]]) -> Answer {
    match bytes.split_first() {
        Some((0, rest)) if rest.len() >= 11 => match begins_any(rest, words) {
            Certain => sure_if(be32(bytes, 4).is_some_and(|kind| (1..=42).contains(&kind))),
            answer => answer,
        },
        Some((0, rest)) => match begins_any(rest, words) {
            NotForUs => NotForUs,
            _ => Unsure,
        },
        _ => NotForUs,
    }
}

/// CQL frames (native protocol, 2): version, flags, stream, operation, length.
fn cassandra(probe: &Probe<'_>) -> Answer {
    let kind = match (probe.dir, probe.bytes) {
        (Dir::Orig, [3..=5, 0..=16, _, _, kind @ (1 | 5 | 7 | 9..=11 | 13 | 15), ..]) => kind,
        (Dir::Resp, [0x83..=0x85, 0..=16, _, _, kind @ (0 | 2 | 3 | 6 | 8 | 12 | 14 | 16), ..]) => kind,
        _ => return NotForUs,
    };
    let length = be32(probe.bytes, 5);
    let exact = length.is_some_and(|length| length as usize + 9 == probe.bytes.len());
    // A query for options has no body, and says nothing elsewhere.
    sure_if(exact && (on_port(probe, &[9_042]) || (*kind == 1 && probe.bytes.windows(11).any(|part| part == b"CQL_VERSION"))))
}

/// Version 1, length, flags, a base command (RFC 6733 3).
fn diameter(probe: &Probe<'_>) -> Answer {
    let [1, a, b, c, flags, 0, 1, command, ..] = probe.bytes else { return NotForUs };
    let length = u32::from_be_bytes([0, *a, *b, *c]) as usize;
    let known = matches!(command, 1..=27) && flags & 0x0f == 0;
    sure_if(known && length.is_multiple_of(4) && length >= 20 && (length == probe.bytes.len() || on_port(probe, &[3_868])))
}

/// Version 12, a kind, an odd sequence of the client, a length that fits (RFC 8907 4.1).
fn tacacs(probe: &Probe<'_>) -> Answer {
    let [0xc0 | 0xc1, 1..=3, _, 0 | 1 | 4 | 5, ..] = probe.bytes else { return NotForUs };
    sure_if(on_port(probe, &[49]) && be32(probe.bytes, 8).is_some_and(|length| length as usize + 12 == probe.bytes.len()))
}

/// Version 1, length, then a message of a known kind (RFC 5036 3.1).
fn ldp(probe: &Probe<'_>) -> Answer {
    let length = be16(probe.bytes, 2).is_some_and(|length| (14..4_096).contains(&length));
    let kind = be16(probe.bytes, 10).is_some_and(|kind| matches!(kind, 1 | 0x100 | 0x200 | 0x201 | 0x300 | 0x301 | 0x400..=0x404));
    sure_if(on_port(probe, &[646]) && be16(probe.bytes, 0) == Some(1) && length && kind)
}

/// A data stream structure (DRDA volume 3): length, 0xd0, then EXCSAT or its answer.
fn drda(probe: &Probe<'_>) -> Answer {
    let [_, _, 0xd0, 1..=3 | 0x41..=0x43, _, _, _, _, 0x10 | 0x14 | 0x24, code, ..] = probe.bytes else { return NotForUs };
    let lengths = be16(probe.bytes, 0).zip(be16(probe.bytes, 6));
    sure_if(matches!(code, 0x41 | 0x43 | 0x6d | 0x6e) && lengths.is_some_and(|(outer, inner)| outer == inner.wrapping_add(6)))
}

/// A-ASSOCIATE-RQ: kind 1, version 1, and the names of both programs.
fn dicom(probe: &Probe<'_>) -> Answer {
    let [1 | 2, 0, _, _, _, _, 0, 1, 0, 0, ..] = probe.bytes else { return NotForUs };
    let titles = probe.bytes.get(10..42).is_some_and(|titles| titles.iter().all(|byte| (b' '..=b'~').contains(byte)));
    sure_if(titles && be32(probe.bytes, 2).is_some_and(|length| (68..65_536).contains(&length)))
}

fn hislip(probe: &Probe<'_>) -> Answer {
    sure_if(
        matches!(probe.bytes, [b'H', b'S', 0..=26, _, _, _, _, _, 0, 0, 0, 0, ..]) && probe.bytes.len() >= 16 && on_port(probe, &[4_880]),
    )
}

/// Q.931 call control in a TPKT: protocol 8, call reference of two bytes, a message that exists.
fn h323(probe: &Probe<'_>) -> Answer {
    sure_if(
        matches!(probe.bytes, [3, 0, _, _, 8, 2, _, _, 1 | 2 | 3 | 5 | 7 | 0x5a | 0x62, ..])
            && be16(probe.bytes, 2).is_some_and(|length| length >= 10),
    )
}

/// A COTP unit with a session layer's connect or data, as MMS has it.
fn mms(probe: &Probe<'_>) -> Answer {
    let unit = matches!(probe.bytes, [3, 0, _, _, 2, 0xf0, 0x80, 0x0d | 0x0e, ..] | [3, 0, _, _, 2, 0xf0, 0x80, 1, 0, 1, 0, ..]);
    sure_if(unit && on_port(probe, &[102]))
}

/// Other users of TPKT and COTP, when the connection is all that was seen.
fn tpkt(probe: &Probe<'_>) -> Answer {
    let [3, 0, high, low, length, 0xe0 | 0xd0, _, _, _, _, _, ..] = probe.bytes else { return NotForUs };
    sure_if(on_port(probe, &[102]) && u16::from_be_bytes([*high, *low]) == u16::from(*length) + 5)
}

/// Length, version, a message number below 0x200, at home.
fn skinny(probe: &Probe<'_>) -> Answer {
    let [_, _, 0, 0, version, 0, 0, 0, _, 0 | 1, 0, 0, ..] = probe.bytes else { return NotForUs };
    sure_if(on_port(probe, &[2_000]) && matches!(version, 0 | 0x0a..=0x16))
}

/// AMS over TCP (Beckhoff): reserved zeros, then a length that is the message's.
fn ads(probe: &Probe<'_>) -> Answer {
    let length = probe.bytes.get(2..6).and_then(|length| length.first_chunk()).map(|length| u32::from_le_bytes(*length) as usize);
    sure_if(
        on_port(probe, &[48_898])
            && probe.bytes.starts_with(&[0, 0])
            && length.is_some_and(|length| length >= 32 && length + 6 == probe.bytes.len()),
    )
}

/// A login: operation 3 with the immediate bit, version 0, and keys in its data (RFC 7143 11.12).
fn iscsi(probe: &Probe<'_>) -> Answer {
    let [0x43 | 0x23, _, 0, 0, ..] = probe.bytes else { return NotForUs };
    sure_if(
        probe
            .bytes
            .get(48..)
            .is_some_and(|data| [&b"InitiatorName="[..], b"AuthMethod=", b"TargetPortalGroupTag="].iter().any(|key| data.starts_with(key))),
    )
}

/// Apple's session header: request or reply, a command, an offset of 0.
fn afp(probe: &Probe<'_>) -> Answer {
    let [0 | 1, 1..=8, _, _, 0, 0, 0, 0, 0, 0, ..] = probe.bytes else { return NotForUs };
    let length = be32(probe.bytes, 8).is_some_and(|length| length as usize + 16 == probe.bytes.len());
    sure_if(on_port(probe, &[548]) && length && be32(probe.bytes, 12) == Some(0))
}

/// Four digits of length, then the request for a repository.
fn git(probe: &Probe<'_>) -> Answer {
    let digits = probe.bytes.get(..4).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
    sure_if(
        digits
            && probe.bytes.get(4..).is_some_and(|text| {
                [&b"git-upload-pack /"[..], b"git-receive-pack /", b"# service=git-"].iter().any(|word| text.starts_with(word))
            }),
    )
}

/// A request of a known kind and version, at home, that ends where its length says.
fn kafka(probe: &Probe<'_>) -> Answer {
    let length = be32(probe.bytes, 0).is_some_and(|length| length as usize + 4 == probe.bytes.len());
    let kind = be16(probe.bytes, 4).is_some_and(|kind| kind <= 75) && be16(probe.bytes, 6).is_some_and(|version| version <= 17);
    sure_if(on_port(probe, &[9_092]) && probe.dir == Dir::Orig && length && kind)
}

/// A TNS connect packet: its length, and a description in brackets in it.
fn oracle(probe: &Probe<'_>) -> Answer {
    let [_, _, 0, 0, 1, 0, 0, 0, 1, ..] = probe.bytes else { return NotForUs };
    sure_if(probe.bytes.windows(13).any(|part| part.eq_ignore_ascii_case(b"(DESCRIPTION=") || part.eq_ignore_ascii_case(b"(CONNECT_DATA")))
}

/// A job for a queue (RFC 1179 5), at home.
fn lpd(probe: &Probe<'_>) -> Answer {
    let [1..=5, name @ .., b'\n'] = probe.bytes else { return NotForUs };
    sure_if(on_port(probe, &[515]) && probe.dir == Dir::Orig && name.len() < 128 && name.iter().all(|byte| (b' '..=b'~').contains(byte)))
}

/// A question of one line, at home.
fn whois(probe: &Probe<'_>) -> Answer {
    let line = probe.bytes.strip_suffix(b"\r\n").filter(|line| !line.is_empty() && line.len() < 256);
    sure_if(
        on_port(probe, &[43, 4_343])
            && probe.dir == Dir::Orig
            && line.is_some_and(|line| line.iter().all(|byte| (b' '..=b'~').contains(byte))),
    )
}

/// Length, a known command, status, sequence (SMPP 3.4, 3.2).
fn smpp(probe: &Probe<'_>) -> Answer {
    let length = be32(probe.bytes, 0).is_some_and(|length| (16..65_536).contains(&length) && length as usize <= probe.bytes.len());
    let command = be32(probe.bytes, 4).map(|command| command & 0x7fff_ffff);
    sure_if(
        length
            && matches!(command, Some(1 | 2 | 4 | 5 | 6 | 9 | 0x15))
            && be32(probe.bytes, 8) == Some(0)
            && (on_port(probe, &[2_775]) || command == Some(9)),
    )
}

/// Service and method, a length that fits, protocol version 1, a kind of message that exists.
fn some_ip(probe: &Probe<'_>) -> Answer {
    let length = be32(probe.bytes, 4).is_some_and(|length| length >= 8 && length as usize + 8 <= probe.bytes.len());
    let shape = matches!(probe.bytes.get(12..16), Some([1, _, 0 | 1 | 2 | 0x40 | 0x41 | 0x42 | 0x80 | 0x81 | 0xc0 | 0xc1, 0..=0x0a]));
    let discovery = probe.bytes.starts_with(&[0xff, 0xff, 0x81, 0]);
    sure_if(length && shape && (discovery || on_port(probe, &[30_490, 30_491, 30_501])))
}

/// A command in four letters, a number, an end point, the version (RFC 3435 3.2.1); or a number of three digits, at home.
fn mgcp(probe: &Probe<'_>) -> Answer {
    let line = probe.bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let command = [&b"AUEP "[..], b"AUCX ", b"CRCX ", b"DLCX ", b"EPCF ", b"MDCX ", b"NTFY ", b"RQNT ", b"RSIP "]
        .iter()
        .any(|word| line.starts_with(word));
    sure_if(command && line.windows(5).any(|part| part == b"MGCP "))
}

/// A full frame whose kind and subclass exist (RFC 5456 8.1), at home.
fn iax(probe: &Probe<'_>) -> Answer {
    let [call, _, _, _, _, _, _, _, _, _, kind @ 1..=11, _, ..] = probe.bytes else { return NotForUs };
    sure_if(on_port(probe, &[4_569]) && call & 0x80 != 0 && *kind > 0)
}

impl Answer {
    /// A datagram is all there is: no second look.
    pub(super) fn settled(self) -> Self {
        sure_if(self == Certain)
    }

    /// Only on these ports.
    fn on(self, probe: &Probe<'_>, ports: &[u16]) -> Self {
        if on_port(probe, ports) { self } else { NotForUs }
    }

    /// The better of two.
    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Certain, _) | (_, Certain) => Certain,
            (Unsure, _) | (_, Unsure) => Unsure,
            _ => NotForUs,
        }
    }
}
