use super::*;
use crate::dissect::{Chunk, Conversation};
use crate::model::{Conn, Dir, FlowId};
use proptest::prelude::*;

fn look(proto: Proto, dir: Dir, port: u16, bytes: &[u8]) -> Named {
    name(&Probe { proto, dir, bytes, cut: false, orig_p: 40_000, resp_p: port })
}

/// A port that no signature knows.
const ANY: u16 = 31_337;

#[test]
fn streams_are_named_by_their_first_bytes() {
    use Dir::{Orig, Resp};
    let xmpp: &[u8] = b"<?xml version='1.0'?><stream:stream xmlns='jabber:client' to='x'>";
    let cases: Vec<(&str, Dir, u16, &[u8])> = vec![
        ("xmpp", Orig, ANY, xmpp),
        ("rtsp", Orig, ANY, b"DESCRIBE rtsp://h/x RTSP/1.0\r\n"),
        ("x11", Orig, ANY, b"l\0\x0b\0\0\0\0\0"),
        ("openvpn", Orig, ANY, b"\0\x0e\x38\x01\x02\x03\x04\x05\x06\x07\x08\0\0\0\0\0"),
        ("bgp", Orig, ANY, b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\x1d\x01\x04"),
        ("rsync", Resp, ANY, b"@RSYNCD: 31.0\n"),
        ("ssl", Orig, ANY, b"\x17\x03\x03\0\x04abcd\x17\x03\x03\0\x02ab"),
        ("giop", Orig, ANY, b"GIOP\x01\x02\0\0"),
        ("hl7", Orig, ANY, b"\x0bMSH|^~"),
        ("bitcoin", Orig, ANY, b"\xf9\xbe\xb4\xd9version\0\0"),
        ("json-rpc", Orig, ANY, b"{\"jsonrpc\":\"2.0\",\"id\":1}"),
        ("jdwp", Orig, ANY, b"JDWP-Handshake"),
        ("nats", Resp, ANY, b"INFO {\"server_id\":\"x\"}"),
    ];
    for (expected, dir, port, bytes) in cases {
        assert_eq!(look(Proto::Tcp, dir, port, bytes), Named::Yes(expected), "{bytes:02x?}");
        // A stream may come in any pieces: what is certain in the end is never denied on the way.
        let first = (1..bytes.len()).find(|&end| look(Proto::Tcp, dir, port, &bytes[..end]) == Named::No);
        let open: bool = first.is_none() || matches!(expected, "openvpn" | "rtsp");
        assert!(open, "{expected} denied after {first:?} bytes");
    }
}

#[test]
fn datagrams_are_named_by_their_shape() {
    let mut dtls = vec![22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 40];
    dtls.resize(53, 1);
    let mut netflow = vec![0, 5, 0, 2];
    netflow.resize(24 + 96, 0);
    let cases: Vec<(&str, u16, &[u8])> = vec![
        ("dtls", ANY, &dtls),
        ("ssdp", ANY, b"M-SEARCH * HTTP/1.1\r\n"),
        ("openvpn", ANY, b"\x38\x01\x02\x03\x04\x05\x06\x07\x08\0\0\0\0\0"),
        ("gtpv1", 2_152, b"\x30\xff\0\x04\0\0\0\x01abcd"),
        ("vxlan", 4_789, b"\x08\0\0\0\0\0\x01\0\x02"),
        ("netflow", ANY, &netflow),
        ("memcached", 11_211, b"\0\x01\0\0\0\x01\0\0stats\r\n"),
        ("spotify", ANY, b"SpotUdp0abc"),
        ("source-engine", ANY, b"\xff\xff\xff\xffTSource Engine Query\0"),
        ("slp", 427, b"\x02\x01\0\0\x10\0\0\0\0\0\0\x01\0\x02en"),
        ("rtps", ANY, b"RTPS\x02\x01\x01\x0f"),
        ("roughtime", ANY, b"\x02\0\0\0\x40\0\0\0NONCPAD\xff"),
        ("can", ANY, b"ISO11898\x01\x02"),
        ("dlep", ANY, b"DLEP\0\x01"),
        ("bfd", 3_784, b"\x20\x40\x03\x18\0\0\0\x01\0\0\0\0\0\x0f\x42\x40\0\x0f\x42\x40\0\0\0\0"),
    ];
    for (expected, port, bytes) in cases {
        assert_eq!(look(Proto::Udp, Dir::Orig, port, bytes), Named::Yes(expected), "{bytes:02x?}");
    }
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
    for part in [&b"@RS"[..], b"YNC", b"D: 31.0\n"] {
        assert_eq!(conversation.service(), "");
        assert!(conversation.wants(Dir::Orig));
        conversation.data(&Chunk { dir: Dir::Orig, bytes: part, cut: 0, frame: 1, ts_ns: 1 }, &mut events);
    }
    assert_eq!(conversation.service(), "rsync");
    // A TLS hello is still looked for in what follows, for a while.
    conversation.data(&Chunk { dir: Dir::Orig, bytes: &[0; 70_000], cut: 0, frame: 1, ts_ns: 1 }, &mut events);
    assert!(!conversation.wants(Dir::Orig));
    conversation.end(&mut events);
    assert_eq!((conversation.service(), events.len()), ("rsync", 0));
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
