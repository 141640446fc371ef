//! Real captures that are not part of the project: skipped where they are absent.
//!
//! A naive reader (frames, five-tuples, sequence numbers) stands in for the floors below and above.

use super::{Chunk, Conversation};
use crate::model::{AppEvent, Conn, Dir, Event, FlowId, Proto};
use etherparse::{LaxSlicedPacket, TransportSlice};
use pcap_parser::{Block, Linktype, PcapBlockOwned, create_reader};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

fn golden() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().skip(1).map(|dir| dir.join("shared/golden")).find(|dir| dir.is_dir());
    if root.is_none() {
        println!("skipped: no shared/golden beside the project");
    }
    root
}

struct Raw {
    link: Linktype,
    ts_ns: i64,
    bytes: Vec<u8>,
}

/// Frames of a capture, as far as the file goes.
fn frames(path: &Path) -> Vec<Raw> {
    let Ok(file) = std::fs::File::open(path) else { return Vec::new() };
    let Ok(mut reader) = create_reader(1 << 20, file) else { return Vec::new() };
    let (mut frames, mut links, mut units) = (Vec::new(), Vec::new(), Vec::new());
    loop {
        match reader.next() {
            Ok((consumed, block)) => {
                match block {
                    PcapBlockOwned::LegacyHeader(header) => {
                        links = vec![header.network];
                        units = vec![if header.is_nanosecond_precision() { 1 } else { 1_000 }];
                    }
                    PcapBlockOwned::Legacy(packet) => frames.push(Raw {
                        link: links[0],
                        ts_ns: i64::from(packet.ts_sec) * 1_000_000_000 + i64::from(packet.ts_usec) * units[0],
                        bytes: packet.data.to_vec(),
                    }),
                    PcapBlockOwned::NG(Block::InterfaceDescription(idb)) => {
                        links.push(idb.linktype);
                        units.push(if idb.if_tsresol == 9 { 1 } else { 1_000 });
                    }
                    PcapBlockOwned::NG(Block::EnhancedPacket(packet)) => {
                        let interface = packet.if_id as usize;
                        let ticks = (i64::from(packet.ts_high) << 32) | i64::from(packet.ts_low);
                        let bytes = packet.data[..(packet.caplen as usize).min(packet.data.len())].to_vec();
                        frames.push(Raw { link: links[interface], ts_ns: ticks * units[interface], bytes });
                    }
                    PcapBlockOwned::NG(_) => {}
                }
                reader.consume(consumed);
            }
            Err(pcap_parser::PcapError::Incomplete(_)) => {
                if reader.refill().is_err() {
                    break;
                }
            }
            Err(_) => break,
        }
    }
    frames
}

/// One direction of a TCP flow, put in order the simple way.
#[derive(Default)]
struct Stream {
    next: Option<u32>,
    waiting: BTreeMap<u32, (Vec<u8>, u64, i64)>,
}

struct Flow {
    conversation: Conversation,
    streams: [Stream; 2],
    last_ns: i64,
}

fn deliver(flow: &mut Flow, dir: Dir, force: bool, events: &mut Vec<AppEvent>) {
    let stream = &mut flow.streams[dir.index()];
    loop {
        let Some(next) = stream.next else { return };
        // Nearest segment ahead of, or overlapping, what is expected.
        let Some(&seq) = stream.waiting.keys().min_by_key(|seq| seq.wrapping_sub(next) as i32) else { return };
        let ahead = seq.wrapping_sub(next) as i32;
        if ahead > 0 {
            if !force {
                return;
            }
            flow.conversation.gap(dir, ahead as u64, events);
            stream.next = Some(seq);
        }
        let Some((bytes, frame, ts_ns)) = stream.waiting.remove(&seq) else { return };
        let skip = if ahead < 0 { ahead.unsigned_abs() as usize } else { 0 };
        if let Some(fresh) = bytes.get(skip..).filter(|fresh| !fresh.is_empty()) {
            stream.next = Some(stream.next.unwrap_or(seq).wrapping_add(fresh.len() as u32));
            flow.conversation.data(&Chunk { dir, bytes: fresh, cut: 0, frame, ts_ns }, events);
        }
    }
}

/// What the dissectors say about a capture.
fn events(path: &Path) -> Vec<AppEvent> {
    let mut flows: HashMap<(IpAddr, u16, IpAddr, u16, u8), usize> = HashMap::new();
    let mut all: Vec<Flow> = Vec::new();
    let mut events = Vec::new();
    for (n, raw) in frames(path).into_iter().enumerate() {
        let frame = n as u64 + 1;
        let parsed = match raw.link {
            Linktype::ETHERNET => LaxSlicedPacket::from_ethernet(&raw.bytes).ok(),
            Linktype::LINUX_SLL => raw.bytes.get(16..).and_then(|ip| LaxSlicedPacket::from_ip(ip).ok()),
            Linktype::NULL | Linktype::LOOP => raw.bytes.get(4..).and_then(|ip| LaxSlicedPacket::from_ip(ip).ok()),
            _ => LaxSlicedPacket::from_ip(&raw.bytes).ok(),
        };
        let Some(packet) = parsed else { continue };
        let (src, dst): (IpAddr, IpAddr) = match &packet.net {
            Some(etherparse::LaxNetSlice::Ipv4(ip)) => (ip.header().source_addr().into(), ip.header().destination_addr().into()),
            Some(etherparse::LaxNetSlice::Ipv6(ip)) => (ip.header().source_addr().into(), ip.header().destination_addr().into()),
            _ => continue,
        };
        let (proto, sport, dport, payload, tcp) = match &packet.transport {
            Some(TransportSlice::Tcp(t)) => {
                (Proto::Tcp, t.source_port(), t.destination_port(), t.payload(), Some((t.sequence_number(), t.syn(), t.fin(), t.ack())))
            }
            Some(TransportSlice::Udp(u)) => (Proto::Udp, u.source_port(), u.destination_port(), u.payload(), None),
            _ => continue,
        };
        let kind = u8::from(proto == Proto::Tcp);
        let fresh = tcp.is_some_and(|(_, syn, _, ack)| syn && !ack);
        let (key, back) = ((src, sport, dst, dport, kind), (dst, dport, src, sport, kind));
        let known = flows.get(&key).map(|&at| (at, Dir::Orig)).or_else(|| flows.get(&back).map(|&at| (at, Dir::Resp)));
        let known = known.filter(|&(at, _)| {
            let idle = raw.ts_ns - all[at].last_ns;
            !(kind == 0 && idle > 60_000_000_000 || fresh && idle > 5_000_000_000)
        });
        let (at, dir) = known.unwrap_or_else(|| {
            // A SYN-ACK first: the other side began.
            let swap = tcp.is_some_and(|(_, syn, _, ack)| syn && ack);
            let (orig_h, orig_p, resp_h, resp_p) = if swap { (dst, dport, src, sport) } else { (src, sport, dst, dport) };
            let conn = Conn { flow: FlowId::new(frame, 0), orig_h, orig_p, resp_h, resp_p, proto };
            flows.remove(&key);
            flows.remove(&back);
            flows.insert((orig_h, orig_p, resp_h, resp_p, kind), all.len());
            all.push(Flow { conversation: Conversation::new(conn), streams: Default::default(), last_ns: raw.ts_ns });
            (all.len() - 1, if swap { Dir::Resp } else { Dir::Orig })
        });
        let flow = &mut all[at];
        flow.last_ns = raw.ts_ns;
        let Some((seq, syn, fin, _)) = tcp else {
            flow.conversation.data(&Chunk { dir, bytes: payload, cut: 0, frame, ts_ns: raw.ts_ns }, &mut events);
            continue;
        };
        let stream = &mut flow.streams[dir.index()];
        let seq = if syn { seq.wrapping_add(1) } else { seq };
        stream.next.get_or_insert(seq);
        if !payload.is_empty() && payload.len() > stream.waiting.get(&seq).map_or(0, |(bytes, ..)| bytes.len()) {
            stream.waiting.insert(seq, (payload.to_vec(), frame, raw.ts_ns));
        }
        deliver(flow, dir, fin, &mut events);
        if fin {
            flow.conversation.fin(dir, &mut events);
        }
    }
    for flow in &mut all {
        deliver(flow, Dir::Orig, true, &mut events);
        deliver(flow, Dir::Resp, true, &mut events);
        flow.conversation.end(&mut events);
    }
    events
}

fn expectations(suite: &str) -> Vec<(String, Value)> {
    let Some(root) = golden() else { return Vec::new() };
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(root.join("expect").join(suite)).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    files.sort();
    let read =
        |path: &PathBuf| Some((path.file_stem()?.to_string_lossy().into_owned(), serde_json::from_slice(&std::fs::read(path).ok()?).ok()?));
    files.iter().filter_map(read).collect()
}

fn capture(name: &str) -> PathBuf {
    golden().unwrap_or_default().join("captures").join(name)
}

/// Prints every event of one capture: `VIGIL_LOOK=name cargo test … look -- --nocapture`.
#[test]
fn look_at_one_capture() {
    let Ok(name) = std::env::var("VIGIL_LOOK") else { return };
    for event in events(&capture(&name)) {
        println!("{} {:?} {:?}", event.frame, event.conn.map(|conn| (conn.orig_p, conn.resp_p)), event.event);
    }
}

/// A row as the expectations name its fields; only what is compared.
fn row(event: &AppEvent) -> Option<(&'static str, Value)> {
    use serde_json::json;
    let (log, mut value) = match &event.event {
        Event::Dns(d) => (
            "dns",
            json!({"trans_id": d.trans_id, "rtt": d.rtt, "query": d.query, "qclass": d.qclass, "qclass_name": d.qclass_name, "qtype": d.qtype,
                "qtype_name": d.qtype_name, "rcode": d.rcode, "rcode_name": d.rcode_name, "AA": d.aa, "TC": d.tc, "RD": d.rd, "RA": d.ra, "Z": d.z,
                "answers": d.answers, "TTLs": d.ttls.iter().map(|ttl| f64::from(*ttl)).collect::<Vec<_>>(), "rejected": d.rejected, "opcode": d.opcode, "opcode_name": d.opcode_name}),
        ),
        Event::Http(h) => (
            "http",
            json!({"trans_depth": h.trans_depth, "method": h.method, "host": h.host, "uri": h.uri, "referrer": h.referrer, "version": h.version,
                "user_agent": h.user_agent, "origin": h.origin, "request_body_len": h.request_body_len, "response_body_len": h.response_body_len,
                "status_code": h.status_code, "status_msg": h.status_msg, "username": h.username, "proxied": h.proxied}),
        ),
        Event::Tls(t) => (
            "ssl",
            json!({"version": t.version, "cipher": t.cipher, "curve": t.curve, "server_name": t.server_name, "resumed": t.resumed,
                "last_alert": t.last_alert, "next_protocol": t.next_protocol, "established": t.established, "ssl_history": t.ssl_history}),
        ),
        Event::X509(x) => (
            "x509",
            json!({"fingerprint": x.fingerprint, "certificate.version": x.version, "certificate.serial": x.serial, "certificate.subject": x.subject,
                "certificate.issuer": x.issuer, "certificate.key_alg": x.key_alg, "certificate.sig_alg": x.sig_alg,
                "certificate.key_type": x.key_type, "certificate.key_length": x.key_length, "certificate.exponent": x.exponent,
                "certificate.not_valid_before": x.not_valid_before.map(|ns| ns as f64 / 1e9), "certificate.not_valid_after": x.not_valid_after.map(|ns| ns as f64 / 1e9),
                "certificate.curve": x.curve, "san.dns": x.san_dns, "san.uri": x.san_uri, "san.email": x.san_email, "san.ip": x.san_ip,
                "basic_constraints.ca": x.basic_constraints_ca, "basic_constraints.path_len": x.basic_constraints_path_len}),
        ),
        _ => return None,
    };
    let conn = event.conn?;
    if log != "x509" {
        value["id.orig_p"] = json!(conn.orig_p);
        value["id.resp_p"] = json!(conn.resp_p);
        value["id.orig_h"] = json!(conn.orig_h.to_string());
        value["id.resp_h"] = json!(conn.resp_h.to_string());
    }
    Some((log, value))
}

/// Undoes `\xNN`, as both sides escape.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("\\x") {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        match rest.get(at + 2..at + 4).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &rest[at + 4..];
            }
            None => {
                bytes.extend_from_slice(b"\\x");
                rest = &rest[at + 2..];
            }
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}

fn same(field: &str, expected: &Value, got: &Value) -> bool {
    let empty = |value: &Value| value.is_null() || value.as_str() == Some("") || value.as_array().is_some_and(Vec::is_empty);
    match (expected, got) {
        _ if empty(expected) || empty(got) => empty(expected) && empty(got),
        (Value::Number(a), Value::Number(b)) => (a.as_f64().unwrap_or(0.0) - b.as_f64().unwrap_or(1.0)).abs() < 2e-6,
        (Value::Array(a), Value::Array(b)) => {
            let sorted = |list: &[Value]| {
                let mut list: Vec<String> = list.iter().map(|v| unescaped(v.as_str().unwrap_or(&v.to_string()))).collect();
                list.sort();
                list
            };
            sorted(a) == sorted(b)
        }
        (Value::String(a), Value::String(b)) if field.contains("subject") || field.contains("issuer") => {
            let parts = |text: &str| {
                let mut parts: Vec<String> = text.split(',').map(|part| part.trim().to_owned()).collect();
                parts.sort();
                parts
            };
            parts(&unescaped(a)) == parts(&unescaped(b))
        }
        (Value::String(a), Value::String(b)) => unescaped(a).to_lowercase() == unescaped(b).to_lowercase(),
        _ => expected == got,
    }
}

/// Agreeing and expected cells of one log over the captures of the zeek suite.
fn agreement(log: &str, skip: &[&str]) -> (usize, usize) {
    let show = std::env::var("VIGIL_SHOW").is_ok();
    let (mut agree, mut total) = (0, 0);
    for (name, expect) in expectations("zeek") {
        let Some(rows) = expect["logs"][log]["rows"].as_array() else { continue };
        if skip.iter().any(|word| name.contains(word)) {
            continue;
        }
        let mut got: Vec<Value> =
            events(&capture(&name)).iter().filter_map(row).filter(|(kind, _)| *kind == log).map(|(_, value)| value).collect();
        for expected in rows.iter().filter_map(Value::as_object) {
            let score = |candidate: &Value| {
                expected.iter().filter(|(field, value)| candidate.get(field.as_str()).is_some_and(|got| same(field, value, got))).count()
            };
            let best = (0..got.len()).max_by_key(|&at| (score(&got[at]), std::cmp::Reverse(at)));
            let found = best.map(|at| got.remove(at));
            for (field, value) in expected {
                let known = ["id.orig_h", "id.resp_h", "id.orig_p", "id.resp_p"].contains(&field.as_str()) && log != "x509";
                let columns = row_fields(log);
                if !known && !columns.contains(&field.as_str()) {
                    continue;
                }
                total += 1;
                let ok = found.as_ref().is_some_and(|found| same(field, value, &found[field.as_str()]));
                agree += usize::from(ok);
                if !ok && show {
                    println!("{name} {field}: expected {value} got {:?}", found.as_ref().map(|found| found[field.as_str()].to_string()));
                }
            }
        }
    }
    println!("{log}: {agree} of {total} cells agree");
    (agree, total)
}

fn row_fields(log: &str) -> &'static [&'static str] {
    match log {
        "dns" => &[
            "trans_id",
            "rtt",
            "query",
            "qclass",
            "qclass_name",
            "qtype",
            "qtype_name",
            "rcode",
            "rcode_name",
            "AA",
            "TC",
            "RD",
            "RA",
            "Z",
            "answers",
            "TTLs",
            "rejected",
            "opcode",
            "opcode_name",
        ],
        "http" => &[
            "trans_depth",
            "method",
            "host",
            "uri",
            "referrer",
            "version",
            "user_agent",
            "origin",
            "request_body_len",
            "response_body_len",
            "status_code",
            "status_msg",
            "username",
            "proxied",
        ],
        "ssl" => &["version", "cipher", "curve", "server_name", "resumed", "last_alert", "next_protocol", "established", "ssl_history"],
        _ => &[
            "fingerprint",
            "certificate.version",
            "certificate.serial",
            "certificate.subject",
            "certificate.issuer",
            "certificate.not_valid_before",
            "certificate.not_valid_after",
            "certificate.key_alg",
            "certificate.sig_alg",
            "certificate.key_type",
            "certificate.key_length",
            "certificate.exponent",
            "certificate.curve",
            "san.dns",
            "san.uri",
            "san.email",
            "san.ip",
            "basic_constraints.ca",
            "basic_constraints.path_len",
        ],
    }
}

#[test]
fn dns_rows_agree_with_the_golden_expectations() {
    // The naive reader knows no tunnels and no fragments.
    let (agree, total) = agreement("dns", &["tunnels", "fragmented"]);
    assert!(agree * 100 >= total * 97, "{agree} of {total}");
}

#[test]
fn http_rows_agree_with_the_golden_expectations() {
    let (agree, total) = agreement("http", &["tunnels", "mixed-vlan-mpls"]);
    assert!(agree * 100 >= total * 93, "{agree} of {total}");
}

#[test]
fn tls_rows_agree_with_the_golden_expectations() {
    let (agree, total) = agreement("ssl", &["quic", "ppp", "webrtc"]);
    assert!(agree * 100 >= total * 99, "{agree} of {total}");
}

#[test]
fn certificates_agree_with_the_golden_expectations() {
    let (agree, total) = agreement("x509", &["rdp-x509"]);
    assert!(agree * 100 >= total * 99, "{agree} of {total}");
}

/// Fingerprints said of a capture by unordered pair of endpoints.
fn fingerprints(name: &str) -> HashMap<(String, String), Vec<crate::model::event::Tls>> {
    let mut found: HashMap<(String, String), Vec<_>> = HashMap::new();
    for event in events(&capture(name)) {
        if let (Event::Tls(row), Some(conn)) = (event.event, event.conn) {
            let mut ends = [format!("{} {}", conn.orig_h, conn.orig_p), format!("{} {}", conn.resp_h, conn.resp_p)];
            ends.sort();
            found.entry(ends.into()).or_default().push(*row);
        }
    }
    found
}

fn ends(row: &Value) -> (String, String) {
    let end = |host: &str, port: &str| {
        let address =
            row[host].as_str().and_then(|text| text.parse::<IpAddr>().ok()).map(|address| address.to_string()).unwrap_or_default();
        format!("{address} {}", row[port])
    };
    let mut ends = [end("src", "sport"), end("dst", "dport")];
    ends.sort();
    ends.into()
}

/// Agreeing and expected fingerprints over TCP; `rows` are the rows of a suite, `fields` what to compare.
fn fingerprint_agreement(suite: &str, rows: &str, transport: &str, fields: &[&str]) -> (usize, usize) {
    let show = std::env::var("VIGIL_SHOW").is_ok();
    let (mut agree, mut total) = (0, 0);
    for (name, expect) in expectations(suite) {
        let wanted: Vec<&Value> = expect[rows]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|row| row[transport].as_str().is_some_and(|p| p.eq_ignore_ascii_case("tcp")))
            .collect();
        if !wanted.iter().any(|row| fields.iter().any(|field| row.get(*field).is_some())) {
            continue;
        }
        let found = fingerprints(&name);
        for row in wanted {
            let said = found.get(&ends(row)).map(Vec::as_slice).unwrap_or_default();
            for &field in fields {
                let Some(value) = row.get(field).filter(|value| !value.is_null()) else { continue };
                let allowed: Vec<&str> = match row.get("ja4_all").and_then(Value::as_array).filter(|_| field == "ja4") {
                    Some(all) => all.iter().filter_map(Value::as_str).collect(),
                    None => value.as_str().into_iter().collect(),
                };
                let of = |row: &crate::model::event::Tls| match field {
                    "ja3" => row.ja3.clone(),
                    "ja3s" => row.ja3s.clone(),
                    "ja4" => row.ja4.clone(),
                    _ => row.server_name.clone(),
                };
                total += 1;
                let ok = said.iter().filter_map(of).any(|said| allowed.contains(&said.as_str()));
                agree += usize::from(ok);
                if !ok && show {
                    println!("{name} {:?} {field}: expected {allowed:?} got {:?}", ends(row), said.iter().map(of).collect::<Vec<_>>());
                }
            }
        }
    }
    println!("{suite}: {agree} of {total} fingerprints agree");
    (agree, total)
}

#[test]
fn ja4_agrees_with_its_inventors() {
    let (agree, total) = fingerprint_agreement("ja4", "rows", "proto", &["ja4", "sni"]);
    assert!(agree * 100 >= total * 95, "{agree} of {total}");
}

#[test]
fn fingerprints_agree_with_ndpi() {
    // Not JA4: nDPI's counts any name as one and takes the first two letters of a protocol. Tunnels are for the floors below.
    let (agree, total) = fingerprint_agreement("ndpi", "flows", "l4", &["ja3", "ja3s"]);
    assert!(agree * 100 >= total * 96, "{agree} of {total}");
}
