use super::*;
use crate::dissect::{Chunk, Conversation};
use crate::model::{Conn, Dir, FlowId};
use proptest::prelude::*;

fn look(proto: Proto, dir: Dir, port: u16, bytes: &[u8]) -> Named {
    name(&Probe { proto, dir, bytes, orig_p: 40_000, resp_p: port })
}

/// A port that no signature knows.
const ANY: u16 = 31_337;

fn bytes(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

#[test]
fn streams_are_named_by_their_first_bytes() {
    use Dir::{Orig, Resp};
    let postgresql = bytes(&[&[0, 0, 0, 30, 0, 3, 0, 0], b"user\0postgres\0\0"]);
    let s7 = bytes(&[
        &[3, 0, 0, 22, 17, 0xe0, 0, 0, 0, 1, 0, 0xc1, 2, 1, 0, 0xc2, 2, 1, 2, 0xc0, 1, 10],
        &[3, 0, 0, 25, 2, 0xf0, 0x80, 0x32, 1],
    ]);
    let xmpp: &[u8] = b"<?xml version='1.0'?><stream:stream xmlns='jabber:client' to='x'>";
    let cases: Vec<(&str, Dir, u16, &[u8])> = vec![
        ("s7comm", Orig, 102, &s7),
        ("postgresql", Orig, ANY, &postgresql),
        ("postgresql", Orig, ANY, b"\0\0\0\x08\x04\xd2\x16\x2f"),
        ("tds", Orig, ANY, b"\x12\x01\0\x2f\0\0\x01\0\0\0\x1a"),
        ("mongodb", Orig, ANY, b"\x3a\0\0\0\x01\0\0\0\0\0\0\0\xdd\x07\0\0"),
        ("mqtt", Orig, ANY, b"\x10\x10\0\x04MQTT\x04\x02"),
        ("modbus", Orig, 502, b"\0\x01\0\0\0\x06\x01\x03\0\0\0\x0a"),
        ("iec104", Orig, ANY, b"\x68\x04\x07\0\0\0"),
        ("enip", Orig, ANY, b"\x65\0\x04\0\0\0\0\0\0\0\0\0\0\0"),
        ("bittorrent", Orig, ANY, b"\x13BitTorrent protocol\0\0"),
        ("xmpp", Orig, ANY, xmpp),
        ("rtsp", Orig, ANY, b"DESCRIBE rtsp://h/x RTSP/1.0\r\n"),
        ("x11", Orig, ANY, b"l\0\x0b\0\0\0\0\0"),
        ("memcached", Orig, 11_211, b"stats\r\n"),
        ("openvpn", Orig, ANY, b"\0\x0e\x38\x01\x02\x03\x04\x05\x06\x07\x08\0\0\0\0\0"),
        ("bgp", Orig, ANY, b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\x1d\x01\x04"),
        ("rsync", Resp, ANY, b"@RSYNCD: 31.0\n"),
    ];
    for (expected, dir, port, bytes) in cases {
        assert_eq!(look(Proto::Tcp, dir, port, bytes), Named::Yes(expected), "{bytes:02x?}");
        // A stream may come in any pieces: what is certain in the end is never denied on the way.
        let first = (1..bytes.len()).find(|&end| look(Proto::Tcp, dir, port, &bytes[..end]) == Named::No);
        let open: bool = first.is_none() || matches!(expected, "mongodb" | "openvpn" | "mqtt" | "rtsp");
        assert!(open, "{expected} denied after {first:?} bytes");
    }
}

#[test]
fn datagrams_are_named_by_their_shape() {
    let mut dtls = vec![22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 40];
    dtls.resize(53, 1);
    let mut wireguard = vec![1, 0, 0, 0];
    wireguard.resize(148, 9);
    let mut netflow = vec![0, 5, 0, 2];
    netflow.resize(24 + 96, 0);
    let mut ike = vec![3; 28];
    ike[16..20].copy_from_slice(&[33, 0x20, 34, 8]);
    ike[24..].copy_from_slice(&[0, 0, 0, 28]);
    let cases: Vec<(&str, u16, &[u8])> = vec![
        ("dtls", ANY, &dtls),
        ("stun", ANY, b"\0\x01\0\0\x21\x12\xa4\x42abcdefghijkl"),
        ("ssdp", ANY, b"M-SEARCH * HTTP/1.1\r\n"),
        ("wireguard", ANY, &wireguard),
        ("openvpn", ANY, b"\x38\x01\x02\x03\x04\x05\x06\x07\x08\0\0\0\0\0"),
        ("ike", 500, &ike),
        ("bittorrent", ANY, b"d1:ad2:id20:aaaaaaaaaaaaaaaaaaaae1:q4:ping"),
        ("gtpv1", 2_152, b"\x30\xff\0\x04\0\0\0\x01abcd"),
        ("vxlan", 4_789, b"\x08\0\0\0\0\0\x01\0\x02"),
        ("netflow", ANY, &netflow),
        ("nfs", ANY, b"\x01\x02\x03\x04\0\0\0\0\0\0\0\x02\0\x01\x86\xa0\0\0\0\x02"),
        ("memcached", 11_211, b"\0\x01\0\0\0\x01\0\0stats\r\n"),
    ];
    for (expected, port, bytes) in cases {
        assert_eq!(look(Proto::Udp, Dir::Orig, port, bytes), Named::Yes(expected), "{bytes:02x?}");
    }
}

/// Reference vector of IEEE 1815: a link header with its checksum.
#[test]
fn dnp3_counts_only_with_a_right_checksum() {
    let mut frame = vec![0x05, 0x64, 0x05, 0xc9, 0x01, 0x00, 0x00, 0x04];
    let crc = !dnp3_crc(&frame);
    assert_eq!(!dnp3_crc(b"123456789"), 0xea82);
    frame.extend(crc.to_le_bytes());
    assert_eq!(look(Proto::Tcp, Dir::Orig, ANY, &frame), Named::Yes("dnp3_tcp"));
    frame[8] ^= 1;
    assert_eq!(look(Proto::Tcp, Dir::Orig, ANY, &frame), Named::No);
}

#[test]
fn weak_shapes_count_on_their_port_only() {
    assert_eq!(look(Proto::Tcp, Dir::Orig, ANY, b"\0\x01\0\0\0\x06\x01\x03\0\0\0\x0a"), Named::No);
    assert_eq!(look(Proto::Udp, Dir::Orig, 123, b"not a clock at all"), Named::No);
}

/// Pseudo-random payloads from a fixed seed: on no port may one in twenty thousand get a name.
#[test]
fn noise_has_no_name() {
    let mut state = 0x2545_f491_4f6c_dd1du64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut named = Vec::new();
    for _ in 0..20_000 {
        let length = 16 + (next() % 400) as usize;
        let noise: Vec<u8> = (0..length).map(|_| (next() >> 24) as u8).collect();
        for proto in [Proto::Tcp, Proto::Udp] {
            for dir in [Dir::Orig, Dir::Resp] {
                if let Named::Yes(name) = look(proto, dir, ANY, &noise) {
                    named.push(name);
                }
            }
        }
    }
    assert_eq!(named, Vec::<&str>::new());
}

#[test]
fn a_conversation_without_dissector_is_still_named_and_soon_costs_nothing() {
    let host = |last| std::net::IpAddr::from([192, 0, 2, last]);
    let conn = Conn { flow: FlowId::new(1, 0), orig_h: host(1), orig_p: 40_000, resp_h: host(2), resp_p: ANY, proto: Proto::Tcp };
    let mut conversation = Conversation::new(conn);
    let mut events = Vec::new();
    for part in [&b"\x13Bit"[..], b"Torrent pro", b"tocol\0"] {
        assert_eq!(conversation.service(), "");
        assert!(conversation.wants(Dir::Orig));
        conversation.data(&Chunk { dir: Dir::Orig, bytes: part, cut: 0, frame: 1, ts_ns: 1 }, &mut events);
    }
    assert_eq!(conversation.service(), "bittorrent");
    // A TLS hello is still looked for in what follows, for a while.
    conversation.data(&Chunk { dir: Dir::Orig, bytes: &[0; 70_000], cut: 0, frame: 1, ts_ns: 1 }, &mut events);
    assert!(!conversation.wants(Dir::Orig));
    conversation.end(&mut events);
    assert_eq!((conversation.service(), events.len()), ("bittorrent", 0));
}

#[test]
fn stun_gives_way_to_what_it_prepared() {
    let host = |last| std::net::IpAddr::from([192, 0, 2, last]);
    let conn = Conn { flow: FlowId::new(1, 0), orig_h: host(1), orig_p: 40_000, resp_h: host(2), resp_p: ANY, proto: Proto::Udp };
    let mut dtls = vec![22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 40];
    dtls.resize(53, 1);
    let stun = b"\0\x01\0\0\x21\x12\xa4\x42abcdefghijkl";
    let mut conversation = Conversation::new(conn);
    for (dir, bytes, service) in [(Dir::Orig, &stun[..], "stun"), (Dir::Resp, stun, "stun"), (Dir::Orig, &dtls, "dtls")] {
        conversation.data(&Chunk { dir, bytes, cut: 0, frame: 1, ts_ns: 1 }, &mut Vec::new());
        assert_eq!(conversation.service(), service);
    }
}

proptest! {
    #[test]
    fn any_bytes_on_any_port_are_safe(noise in proptest::collection::vec(any::<u8>(), 0..300), port in any::<u16>(), start in 0usize..40) {
        let starts: [&[u8]; 8] = [b"\x30\x84", b"\x05\x64", b"\x03\0", b"\x10\xff\xff", b"\x81\0\0\x44", b"<9", b"\x6a\x84\xff", b"\x12\x01"];
        let bytes = [starts.get(start).copied().unwrap_or_default(), &noise].concat();
        for proto in [Proto::Tcp, Proto::Udp] {
            for dir in [Dir::Orig, Dir::Resp] {
                look(proto, dir, port, &bytes);
            }
        }
    }
}

/// Services by port over all captures: where a name stands on odd ports, look twice.
#[test]
#[ignore = "prints, for people"]
fn services_by_port_at_a_glance() {
    let mut told = std::collections::BTreeMap::<(&str, &str, u16), (usize, String)>::new();
    for folder in ["corpus/captures", "golden/captures"] {
        let Some(folder) = crate::dissect::replay::shared(folder) else { continue };
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            for flow in crate::dissect::replay::replay(&path).iter().filter(|flow| !flow.service.is_empty()) {
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                told.entry((flow.service, flow.conn.proto.name(), flow.conn.resp_p)).or_insert((0, name)).0 += 1;
            }
        }
    }
    for ((service, proto, port), (flows, capture)) in told {
        println!("{service:>12} | {proto} {port:>5} {flows:>5} {capture}");
    }
}

/// Zeek's service of every flow in its baseline against ours: `cargo test services_at_a_glance -- --ignored --nocapture`.
#[test]
#[ignore = "prints, for people"]
fn services_at_a_glance() {
    let Some(golden) = crate::dissect::replay::shared("golden") else { return };
    let mut told = std::collections::BTreeMap::<(String, String), Vec<String>>::new();
    for suite in ["zeek", "ndpi"] {
        for entry in std::fs::read_dir(golden.join("expect").join(suite)).unwrap() {
            let expected: serde_json::Value = serde_json::from_slice(&std::fs::read(entry.unwrap().path()).unwrap()).unwrap();
            let capture = expected["capture"].as_str().unwrap();
            let (rows, keys) = match suite {
                "zeek" => (&expected["logs"]["conn"]["rows"], ["id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "service"]),
                _ => (&expected["flows"], ["src", "sport", "dst", "dport", "ndpi"]),
            };
            let Some(rows) = rows.as_array().filter(|rows| rows.first().is_some_and(|row| row[keys[1]].is_number())) else { continue };
            let flows = crate::dissect::replay::replay(&golden.join(capture));
            for row in rows {
                let ours = flows.iter().find(|flow| {
                    let end = |host: std::net::IpAddr, port: u16| (host.to_string(), u64::from(port));
                    let (a, b) = (end(flow.conn.orig_h, flow.conn.orig_p), end(flow.conn.resp_h, flow.conn.resp_p));
                    let their = |host: &str, port: &str| {
                        (row[host].as_str().unwrap_or_default().to_owned(), row[port].as_u64().unwrap_or_default())
                    };
                    let (c, d) = (their(keys[0], keys[1]), their(keys[2], keys[3]));
                    (a == c && b == d) || (a == d && b == c)
                });
                let Some(ours) = ours else { continue };
                let service = row[keys[4]].as_str().unwrap_or("-").to_owned();
                told.entry((format!("{suite} {service}"), ours.service.to_owned())).or_default().push(capture[9..].to_owned());
            }
        }
    }
    for ((theirs, ours), captures) in told {
        println!(
            "{theirs:>40} | {ours:<12} {:>5} {}",
            captures.len(),
            captures.iter().find(|name| !name.contains("synscan")).unwrap_or(&captures[0])
        );
    }
}
