//! The store as a whole: what goes in comes out, whatever it holds, and nothing else can be reached.

mod claims;
mod live;

use super::*;
use crate::model::event::{AppEvent, Conn, Credential, Dns, Event, Http, Weird, X509};
use crate::model::flow::{EndReason, Flow, Moments, Side, SynInfo};
use crate::model::{CaptureInfo, Finding, FlowId, HomeNets, LinkType, Mac, Outcome, Proto, Severity};
use serde_json::json;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const GIB: u64 = 1 << 30;

fn moments(values: &[f64]) -> Moments {
    let mut moments = Moments::default();
    values.iter().for_each(|value| moments.push(*value));
    moments
}

fn side(mac: u8, pkts: u64) -> Side {
    Side {
        mac: Mac([2, 0, 0, 0, 0, mac]),
        pkts,
        ip_bytes: pkts * 100,
        bytes: Some(pkts * 60),
        payload_bytes: pkts * 60,
        dup_pkts: u64::from(pkts > 2),
        ttl_min: 64,
        ttl_max: 64,
        len: moments(&[40.0, 60.0, 1500.0]),
        iat: moments(&[0.25, 0.5]),
        len_hist: [0, 0, 0, 0, 0, 3, 0, 2, 0, 0, 1, 0, 0, 0, 0, 0],
        first_bytes: vec![0x16, 0x03, 0xff],
        entropy: Some(7.5),
        printable: Some(0.25),
        ..Side::default()
    }
}

fn flow(first_frame: u64) -> Flow {
    Flow {
        id: FlowId::new(first_frame, 0),
        first_frame,
        last_frame: first_frame + 9,
        capture: 0,
        ts_ns: 1_700_000_000_123_456_789,
        last_ns: 1_700_000_001_623_456_789,
        duration_ns: Some(1_500_000_000),
        orig_h: [10, 0, 0, 5].into(),
        orig_p: 50_123,
        resp_h: [192, 0, 2, 7].into(),
        resp_p: 443,
        proto: Proto::Tcp,
        ip_proto: 6,
        vlans: [Some(7), None],
        layer: 0,
        tunnel_parents: Vec::new(),
        service: "ssl".into(),
        conn_state: "SF",
        history: "ShADadFf".into(),
        missed_bytes: 0,
        community_id: "1:abc=".into(),
        end: EndReason::Closed,
        midstream: false,
        first_flags: 2,
        flipped: false,
        syn: SynInfo { mss: 1460, wscale: Some(7), option_kinds: [2, 4, 8, 1, 3, 0, 0, 0, 0, 0, 0, 0], window: 64_240, seen: true },
        rtt_syn: Some(0.01),
        orig: side(5, 6),
        resp: side(1, 4),
        len: moments(&[40.0, 60.0, 1500.0]),
        iat: moments(&[0.25]),
        first_lens: vec![517, -1460],
        first_iats_us: vec![0, 10_000],
        frames: vec![first_frame, first_frame + 9],
    }
}

fn event(flow: &Flow, event: Event) -> AppEvent {
    let conn =
        Conn { flow: flow.id, orig_h: flow.orig_h, orig_p: flow.orig_p, resp_h: flow.resp_h, resp_p: flow.resp_p, proto: flow.proto };
    AppEvent { conn: Some(conn), frame: flow.first_frame + 3, ts_ns: flow.ts_ns + 5, event }
}

fn packet(frame: u64) -> PacketRow {
    let inner_flow_ids = if frame.is_multiple_of(3) { [FlowId::new(frame, 1)].into_iter().collect() } else { Default::default() };
    PacketRow {
        frame,
        capture_id: 0,
        frame_in_file: frame,
        offset: 24 + frame * 76,
        ts_ns: 1_700_000_000_000_000_000 + frame as i64,
        caplen: 60,
        wire_len: 60,
        flow_id: (!frame.is_multiple_of(5)).then(|| FlowId::new(1, 0)),
        inner_flow_ids,
    }
}

fn finding() -> Finding {
    Finding {
        id: "F1".into(),
        rule: "dns-tunnel".into(),
        title: "DNS tunnel".into(),
        says: "10.0.0.5 asked 500 names".into(),
        severity: Severity::High,
        confidence: 0.9,
        risk: 76.5,
        outcome: Outcome::Confirmed,
        attack: vec!["T1071.004".into()],
        tactic: "command-and-control".into(),
        family: "dns-c2".into(),
        actors: vec!["10.0.0.5".into()],
        targets: Vec::new(),
        users: Vec::new(),
        first_seen: "2023-11-14T22:13:20.123456Z".into(),
        last_seen: "2023-11-14T22:13:21.623456Z".into(),
        first_ns: 1_700_000_000_123_456_789,
        last_ns: 1_700_000_001_623_456_789,
        evidence: json!({"names": {"observed": 500, "threshold": 100}}),
        terms: Vec::new(),
        flows: vec!["1".into(), "1042/1".into()],
        frames: vec![1, 4],
        wireshark: "dns".into(),
        benign: String::new(),
        folded: 1,
        key: "k".into(),
        incident: None,
    }
}

/// A case in a folder of its own, read back after it was finished.
struct Written {
    open: OpenCase,
    _dir: TempDir,
}

impl Written {
    fn cell(&self, sql: &str) -> String {
        let table = query(self.open.connection(), sql).expect(sql);
        table.rows.first().and_then(|row| row.first()).expect(sql).to_string()
    }
}

fn write_in(folder: &Path, options: &Options, fill: impl FnOnce(&mut Case)) {
    let mut case = Case::create(folder, options, Replace::Yes).expect("a new case");
    fill(&mut case);
    case.finish(&json!({"argv": ["vigil"]})).expect("a finished case");
}

fn written(options: &Options, fill: impl FnOnce(&mut Case)) -> Written {
    let dir = tempfile::tempdir().expect("a folder");
    let folder = dir.path().join("it's a.vigil");
    write_in(&folder, options, fill);
    Written { open: open_read_only(&folder, GIB, 1).expect("an open case"), _dir: dir }
}

fn sealed(options: &Options, flows: Vec<Flow>, events: Vec<AppEvent>) -> Written {
    written(options, |case| {
        case.append(flows, events).expect("rows");
        case.seal().expect("facts");
    })
}

#[test]
fn a_flow_comes_out_as_it_went_in() {
    let case = sealed(&Options::default(), vec![flow(1)], vec![]);
    for (expression, expected) in [
        ("ts", "2023-11-14T22:13:20.123456Z"),
        ("ts_ns", "1700000000123456789"),
        ("id_orig_h", "10.0.0.5"),
        ("duration", "1.5"),
        ("flow_duration", "1.5"),
        ("direction", "out"),
        ("local_orig AND NOT local_resp", "true"),
        ("orig_pkts", "6"),
        ("total_fwd_packets", "5"),
        ("total_packets", "8"),
        ("iat_mean", "0.25"),
        ("iat_std IS NULL", "true"),
        ("round(fwd_iat_std, 6)", "0.176777"),
        ("orig_l2_addr", "02:00:00:00:00:05"),
        ("vlan", "7"),
        ("inner_vlan IS NULL", "true"),
        ("frames", "[1, 10]"),
        ("end_reason", "closed"),
    ] {
        assert_eq!(case.cell(&format!("SELECT {expression} FROM flows")), expected, "{expression}");
    }
    assert_eq!(case.cell("SELECT syn_opts FROM flow_shape"), "2-4-8-1-3");
    assert_eq!(case.cell("SELECT orig_len_hist FROM flow_shape"), "[0, 0, 0, 0, 0, 3, 0, 2, 0, 0, 1]");
    assert_eq!(case.cell("SELECT first_lens FROM flow_shape"), "[517, -1460]");
    assert_eq!(case.cell("SELECT orig_first_bytes FROM payloads"), "1603ff");
}

#[test]
fn rows_keep_the_order_in_which_they_were_given_over_many_batches() {
    let flows: Vec<Flow> = (1..=50_000).rev().map(flow).collect();
    let case = sealed(&Options { threads: 2, ..Options::default() }, flows, vec![]);
    assert_eq!(case.cell("SELECT count(*) FROM flows"), "50000");
    assert_eq!(case.cell("SELECT count(*) FROM flows WHERE first_frame <> 50000 - rowid"), "0");
    assert_eq!(case.cell("SELECT count(*) FROM flow_shape s JOIN flows f ON s.rowid = f.rowid WHERE s.flow_id <> f.flow_id"), "0");
}

#[test]
fn the_same_rows_make_the_same_fingerprint_whatever_the_batches_and_threads() {
    let all: Vec<Flow> = (1..=30_000).map(flow).collect();
    let whole = sealed(&Options { threads: 1, ..Options::default() }, all.clone(), vec![]);
    let pieces = written(&Options { threads: 4, ..Options::default() }, |case| {
        all.chunks(777).for_each(|part| case.append(part.to_vec(), vec![]).expect("rows"));
        case.seal().expect("facts");
    });
    let [whole, pieces] = [&whole, &pieces].map(|case| fingerprint(case.open.connection()).expect("hashes"));
    assert_eq!(whole, pieces);
    assert!(whole.contains_key("packets") && whole.contains_key("flows"));
}

#[test]
fn one_changed_value_changes_the_fingerprint_of_its_table_and_of_no_other() {
    let other = Flow { resp: Side { max_gap: 1e-300, ..side(1, 4) }, ..flow(1) };
    let [before, after] =
        [flow(1), other].map(|flow| fingerprint(sealed(&Options::default(), vec![flow], vec![]).open.connection()).expect("hashes"));
    let changed: Vec<&String> = before.keys().filter(|table| before[*table] != after[*table]).collect();
    assert_eq!(changed, ["flow_shape"]);
}

fn hostile() -> Vec<String> {
    let huge = "\u{1f480}A".repeat(300_000);
    [
        "'; DROP TABLE flows; --",
        "a\0b\0",
        "\u{202e}gpj.exe\u{202c}",
        "<script>alert(1)</script>",
        "=cmd|' /C calc'!A0",
        "\x1b[2J\r\n\t",
        "\"\\",
        "\u{fffd}\u{10ffff}",
        &huge,
    ]
    .map(String::from)
    .into()
}

#[test]
fn hostile_strings_are_stored_to_the_byte() {
    let base = flow(1);
    let events = hostile().into_iter().flat_map(|text| {
        let dns = Dns { query: Some(text.clone()), answers: vec![text.clone(), text.clone()], kind: "dns", ..Dns::default() };
        let http = Http { user_agent: Some(text.clone()), uri: Some(text.clone()), ..Http::default() };
        let cert = X509 { subject: text.clone(), san_dns: vec![text.clone()], ..X509::default() };
        let weird = Weird { name: text.clone(), addl: text, source: "decode", count: u64::MAX };
        [Event::Dns(Box::new(dns)), Event::Http(Box::new(http)), Event::X509(Box::new(cert)), Event::Weird(Box::new(weird))]
            .map(|said| event(&base, said))
    });
    let case = sealed(&Options::default(), vec![Flow { history: hostile()[0].clone(), ..flow(1) }], events.collect());
    for sql in [
        "SELECT query FROM dns",
        "SELECT unnest(answers[1:1]) FROM dns",
        "SELECT user_agent FROM http",
        "SELECT unnest(san_dns) FROM x509",
        "SELECT name FROM weird",
    ] {
        let found: Vec<Cell> = query(case.open.connection(), sql).expect(sql).rows.into_iter().flatten().collect();
        assert!(found == hostile().into_iter().map(Cell::Text).collect::<Vec<_>>(), "{sql}");
    }
    assert_eq!(case.cell("SELECT count FROM weird"), i64::MAX.to_string());
    assert_eq!(case.cell("SELECT history FROM flows"), hostile()[0]);
}

fn login(secret: &str) -> Event {
    let masked = secret.chars().next().map(|first| format!("{first}***")).unwrap_or_default();
    Event::Credential(Box::new(Credential {
        service: "ftp",
        user: Some("bob".into()),
        secret_masked: masked,
        secret: secret.into(),
        ..Credential::default()
    }))
}

#[test]
fn secrets_are_stored_only_as_salted_hashes_unless_they_may_be_shown() {
    let events = || vec![event(&flow(1), login("hunter2")), event(&flow(1), login("hunter2")), event(&flow(1), login(""))];
    let salted =
        |salt: u8, reveal: bool| sealed(&Options { salt: [salt; 16], reveal_secrets: reveal, ..Options::default() }, vec![], events());
    let (shut, other, shown) = (salted(1, false), salted(2, false), salted(1, true));
    assert_eq!(shut.cell("SELECT count(*) FROM credentials WHERE secret IS NOT NULL"), "0");
    assert_eq!(shut.cell("SELECT count(DISTINCT secret_sha) FROM credentials"), "1");
    assert_eq!(shut.cell("SELECT count(*) FROM credentials WHERE secret_sha IS NULL AND secret_masked IS NULL"), "1");
    assert_ne!(shut.cell("SELECT secret_sha FROM credentials"), other.cell("SELECT secret_sha FROM credentials"));
    assert_eq!(shown.cell("SELECT secret FROM credentials"), "hunter2");
    let database = std::fs::read(shut.open.folder().join("case.duckdb")).expect("the database");
    assert_eq!(memchr::memmem::find(&database, b"hunter2"), None);
}

#[test]
fn the_packet_index_holds_every_frame_in_order() {
    let case = written(&Options::default(), |case| {
        for first in (1..=200_000).step_by(1_000) {
            case.append_packets((first..first + 1_000).map(packet).collect()).expect("frames");
        }
        case.seal().expect("facts");
    });
    assert_eq!(case.cell("SELECT count(*) FROM packets"), "200000");
    assert_eq!(case.cell("SELECT count(*) FROM (SELECT frame - lag(frame) OVER () AS step FROM packets) WHERE step <> 1"), "0");
    assert_eq!(case.cell("SELECT inner_flow_ids FROM packets WHERE frame = 3"), "[49]");
    assert_eq!(case.cell("SELECT count(*) FROM packets WHERE flow_id IS NULL"), "40000");
    let mut names: Vec<String> = std::fs::read_dir(case.open.folder())
        .expect("files")
        .map(|entry| entry.expect("entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert_eq!(names, ["case.duckdb", "findings.ndjson", "journal.ndjson", "manifest.json", "packets.parquet"]);
}

#[test]
fn findings_are_stored_with_their_flows_as_rows_and_as_lines() {
    let case = written(&Options::default(), |case| {
        case.seal().expect("facts");
        case.append_findings(&[finding()]).expect("findings");
    });
    assert_eq!(case.cell("SELECT list(flow_id ORDER BY flow_id) FROM finding_flows"), format!("[16, {}]", 1042 * 16 + 1));
    assert_eq!(case.cell("SELECT evidence ->> '$.names.observed' FROM findings"), "500");
    assert_eq!(case.cell("SELECT severity FROM alerts"), "high");
    let lines = std::fs::read_to_string(case.open.folder().join("findings.ndjson")).expect("lines");
    assert_eq!(serde_json::from_str::<Finding>(&lines).expect("one line"), finding());
}

#[test]
fn every_view_can_be_read() {
    let case = sealed(&Options::default(), vec![flow(1)], vec![]);
    for view in ["alerts", "conn", "ssl", "flow_scores", "ecs_connection", "ecs_dns", "eve_flow", "host_claims", "packets"] {
        query(case.open.connection(), &format!("SELECT * FROM {view}")).expect(view);
    }
    assert_eq!(case.cell("SELECT uid FROM conn"), "16");
    assert_eq!(case.cell("SELECT \"network.direction\" FROM ecs_connection"), "outbound");
}

#[test]
fn hosts_have_names_roles_and_the_hardware_address_that_is_theirs() {
    let client = flow(1);
    let server = Flow { resp_h: [192, 0, 2, 8].into(), ..flow(20) };
    let dns = Dns {
        query: Some("Example.ORG".into()),
        answers: vec!["192.0.2.7".into()],
        answer_types: vec!["A".into()],
        kind: "dns",
        ..Dns::default()
    };
    let resolver = |frame| Flow { resp_h: [10, 0, 0, 1].into(), resp_p: 53, proto: Proto::Udp, ..flow(frame) };
    let asked = (100..106).map(resolver).collect::<Vec<_>>();
    let answer = |flow: &Flow| event(flow, Event::Dns(Box::new(Dns { rcode: Some(0), ..dns.clone() })));
    let events = asked.iter().map(answer).collect();
    let case = sealed(&Options::default(), [vec![client, server], asked].concat(), events);
    assert_eq!(case.cell("SELECT names FROM hosts WHERE ip = '192.0.2.7'"), "[example.org]");
    assert_eq!(case.cell("SELECT macs FROM hosts WHERE ip = '10.0.0.5'"), "[02:00:00:00:00:05]");
    assert_eq!(case.cell("SELECT macs FROM hosts WHERE ip = '192.0.2.7'"), "[]", "it lies behind the router that the frames came from");
    assert_eq!(case.cell("SELECT internal FROM hosts WHERE ip = '10.0.0.1'"), "true");
    assert_eq!(case.cell("SELECT role FROM host_role WHERE ip = '10.0.0.1'"), "dns_resolver");
    assert_eq!(case.cell("SELECT bytes_out FROM hosts WHERE ip = '10.0.0.5'"), "4800");
}

#[test]
fn home_networks_decide_who_is_internal() {
    let options = Options { home_nets: HomeNets::new(vec!["192.0.2.0/24".parse().expect("a network")]), ..Options::default() };
    let case = sealed(&options, vec![flow(1)], vec![]);
    assert_eq!(case.cell("SELECT direction FROM flows"), "in");
    assert_eq!(case.cell("SELECT internal FROM hosts WHERE ip = '192.0.2.7'"), "true");
}

#[test]
fn evidence_is_on_record() {
    let case = written(&Options::default(), |case| {
        let info = CaptureInfo { path: "a.pcap".into(), links: vec![LinkType::ETHERNET], first_ts: Some(-1), ..CaptureInfo::default() };
        case.append_captures(&[info]).expect("captures");
        case.seal().expect("facts");
    });
    assert_eq!(case.cell("SELECT links FROM captures"), "[EN10MB]");
    assert_eq!(case.cell("SELECT first_ts FROM captures"), "1969-12-31T23:59:59.999999Z", "rounded down, before 1970 as well");
}

#[test]
fn sql_on_an_open_case_reaches_no_other_file_and_changes_nothing() {
    let case = sealed(&Options::default(), vec![flow(1)], vec![]);
    let outside = case.open.folder().join("manifest.json");
    for sql in [
        format!("SELECT * FROM read_text('{}')", outside.display()),
        "SELECT * FROM read_csv('/etc/passwd')".into(),
        "COPY flows TO '/tmp/vigil-should-not-exist.csv'".into(),
        "ATTACH '/tmp/vigil-should-not-exist.db'".into(),
        "INSTALL httpfs".into(),
        "SET enable_external_access = true".into(),
        "DELETE FROM flows".into(),
        "CREATE TABLE mine (x INTEGER)".into(),
    ] {
        assert!(query(case.open.connection(), &sql).is_err(), "{sql}");
    }
    assert_eq!(case.cell("SELECT count(*) FROM flows"), "1");
}

#[test]
fn a_further_connection_sees_the_packets_too() {
    let case = written(&Options::default(), |case| {
        case.append_packets(vec![packet(1)]).expect("frames");
        case.seal().expect("facts");
    });
    let another = case.open.another().expect("a connection");
    assert_eq!(query(&another, "SELECT frame FROM packets").expect("rows").rows, [[Cell::Int(1)]]);
}

#[test]
fn cells_print_and_become_json() {
    let case = sealed(&Options::default(), vec![], vec![]);
    let shown = |sql: &str| {
        let cell = query(case.open.connection(), &format!("SELECT {sql}")).expect(sql).rows.remove(0).remove(0);
        (cell.to_string(), cell.to_json())
    };
    for (sql, text, value) in [
        ("NULL", "", json!(null)),
        (
            "170141183460469231731687303715884105727::HUGEINT",
            "170141183460469231731687303715884105727",
            json!("170141183460469231731687303715884105727"),
        ),
        ("sum(x) FROM (VALUES (1), (2)) t(x)", "3", json!(3)),
        ("1.50::DECIMAL(9, 2)", "1.50", json!("1.50")),
        ("1e300::DOUBLE", "1e300", json!(1e300)),
        ("'nan'::DOUBLE", "NaN", json!(null)),
        ("['a', NULL]", "[a, NULL]", json!(["a", null])),
        ("{'n': 1, 'l': [1.5::DOUBLE]}", "{n: 1, l: [1.5]}", json!({"n": 1, "l": [1.5]})),
        ("MAP {'k': 1}", "{k: 1}", json!({"k": 1})),
        ("TIMESTAMP '2026-01-02 03:04:05.5'", "2026-01-02T03:04:05.500000Z", json!("2026-01-02T03:04:05.500000Z")),
        ("DATE '1969-12-31'", "1969-12-31", json!("1969-12-31")),
        ("TIME '01:02:03'", "01:02:03.000000", json!("01:02:03.000000")),
        ("'\\x00\\xFF'::BLOB", "00ff", json!("00ff")),
    ] {
        assert_eq!(shown(sql), (text.into(), value), "{sql}");
    }
}

fn refused(path: &Path) -> String {
    open_read_only(path, GIB, 1).expect_err("an error").to_string()
}

#[test]
fn what_is_no_case_is_refused_with_a_cure() {
    let dir = tempfile::tempdir().expect("a folder");
    assert!(refused(&dir.path().join("none")).contains("vigil analyze CAPTURE"));
    assert!(refused(dir.path()).contains("not a vigil case"));
    let folder = dir.path().join("broken.vigil");
    drop(Case::create(&folder, &Options::default(), Replace::No).expect("a case"));
    assert!(refused(&folder).contains("broken off"));
    std::fs::write(folder.join("manifest.json"), r#"{"kind":"vigil-case","schema":999,"vigil":"9.9.9","complete":true}"#)
        .expect("a manifest");
    assert!(refused(&folder).contains("schema 999, written by vigil 9.9.9"));
}

#[test]
fn a_case_is_opened_once_per_process() {
    let case = sealed(&Options::default(), vec![], vec![]);
    let folder: PathBuf = case.open.folder().into();
    assert!(refused(&folder).contains("open in this process already"));
    assert!(Case::create(&folder, &Options::default(), Replace::Yes).is_err());
    drop(case.open);
    open_read_only(&folder.join("case.duckdb"), GIB, 1).expect("free again, by the name of its database as well");
}

#[test]
fn only_a_case_is_replaced_and_only_on_demand() {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("thesis.txt"), "years of work").expect("a file");
    let error = Case::create(dir.path(), &Options::default(), Replace::Yes).map(drop).expect_err("occupied");
    assert!(error.to_string().contains("no vigil case"), "{error}");

    let folder = dir.path().join("x.vigil");
    write_in(&folder, &Options::default(), |case| case.append(vec![flow(1)], vec![]).and_then(|()| case.seal()).expect("facts"));
    std::fs::write(folder.join("report.html"), "old").expect("a report");
    std::fs::write(folder.join("mine.txt"), "notes").expect("a file");
    let error = Case::create(&folder, &Options::default(), Replace::No).map(drop).expect_err("exists");
    assert!(error.to_string().contains("--out"), "{error}");
    write_in(&folder, &Options::default(), |case| case.seal().expect("facts"));
    assert!(!folder.join("report.html").exists(), "a report of the case before");
    assert!(folder.join("mine.txt").exists());
    let actions: Vec<String> = journal::read(&folder).expect("a journal").into_iter().map(|entry| entry.action).collect();
    assert_eq!(actions, ["analysed", "analysed"]);
    let open = open_read_only(&folder, GIB, 1).expect("the new case");
    assert_eq!(query(open.connection(), "SELECT count(*) FROM flows").expect("rows").rows, [[Cell::Int(0)]]);
}

#[test]
fn a_journal_that_was_tampered_with_is_noticed_and_not_continued() {
    let dir = tempfile::tempdir().expect("a folder");
    for n in 0..3 {
        journal::append(dir.path(), "commented", json!({"text": "'\"\u{202e}\n", "n": n, "share": 0.1 + 0.2})).expect("an entry");
    }
    let path = dir.path().join("journal.ndjson");
    let whole = std::fs::read_to_string(&path).expect("lines");
    assert_eq!(journal::read(dir.path()).expect("a chain").len(), 3);
    let lines: Vec<&str> = whole.lines().collect();
    for (bad, line) in [
        (whole.replace("\"n\":1", "\"n\":7"), 2),
        (format!("{}\n{}\n", lines[0], lines[2]), 2),
        (format!("{}\n", lines[1]), 1),
        (whole[..whole.len() - 9].to_owned(), 3),
    ] {
        std::fs::write(&path, bad).expect("tampered lines");
        let error = journal::append(dir.path(), "commented", json!({})).expect_err("a broken chain").to_string();
        assert!(error.contains(&format!("broken at line {line}")), "{error}");
    }
    let error = Case::create(dir.path(), &Options::default(), Replace::Yes).map(drop).expect_err("known before any work is done");
    assert!(error.to_string().contains("broken at line 3"), "{error}");
}
