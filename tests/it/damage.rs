//! Damaged evidence: what can be read is kept, what cannot is a row with its offset, and nobody calls it clean.

use crate::desk::{Desk, Said, scenario};
use serde_json::Value;
use std::io::Write;

/// Bytes of the header of a pcap file, and of a record in it.
const FILE_HEADER: usize = 24;
const RECORD_HEADER: usize = 16;

/// A sound capture: its bytes, and where its records begin.
struct Sound {
    bytes: Vec<u8>,
    records: Vec<usize>,
}

/// A DNS tunnel of some thousand frames: what is left of it should still be found.
fn sound() -> Sound {
    let bytes = scenario("dns-tunnel");
    let (mut records, mut at) = (Vec::new(), FILE_HEADER);
    while at < bytes.len() {
        records.push(at);
        let caplen = u32::from_le_bytes(bytes[at + 8..at + 12].try_into().unwrap());
        at += RECORD_HEADER + caplen as usize;
    }
    assert_eq!(at, bytes.len());
    Sound { bytes, records }
}

/// Analyses `bytes` and returns the report with the exit code.
fn analysed(desk: &Desk, name: &str, bytes: &[u8]) -> (i32, Value) {
    desk.write(name, bytes);
    let said: Said = desk.vigil(["analyze", name, "--out", "x.vigil", "--json"]);
    assert_eq!(said.err, "", "{name}");
    (said.code, said.json())
}

fn frames(report: &Value) -> usize {
    report["coverage"]["frames"].as_u64().unwrap() as usize
}

fn damage(report: &Value) -> Vec<(String, usize)> {
    let place = |line: &Value| (line["kind"].as_str().unwrap().to_string(), line["offset"].as_u64().unwrap() as usize);
    report["damage"].as_array().unwrap().iter().map(place).collect()
}

/// Exit code 3, and the coverage box and the blind spots say why.
#[track_caller]
fn assert_incomplete(code: i32, report: &Value) {
    assert_eq!(code, 3, "{}", report["damage"]);
    assert!(report["coverage"]["damaged"].as_u64() > Some(0));
    let spots = report["coverage"]["blind_spots"].to_string();
    assert!(spots.contains("damaged") || spots.contains("No frame"), "{spots}");
}

fn finds_the_tunnel(report: &Value) -> bool {
    report["findings"].as_array().unwrap().iter().any(|finding| finding["rule"] == "dns-tunnel")
}

#[test]
fn a_capture_cut_inside_a_record_keeps_every_frame_before_the_cut() {
    let (desk, sound) = (Desk::new(), sound());
    let count = sound.records.len();
    for (keep, into) in [(count - 1, 3), (count - 1, RECORD_HEADER), (count * 9 / 10, RECORD_HEADER + 20), (count / 2, 1), (1, 15)] {
        let cut = sound.records[keep] + into;
        let (code, report) = analysed(&desk, "cut.pcap", &sound.bytes[..cut]);
        assert_incomplete(code, &report);
        assert_eq!((frames(&report), damage(&report)), (keep, vec![("cut_short".into(), sound.records[keep])]), "cut at {cut}");
        assert!(keep < count / 2 || finds_the_tunnel(&report), "cut at {cut}");
    }
}

#[test]
fn a_capture_that_ends_between_records_is_whole() {
    let (desk, sound) = (Desk::new(), sound());
    let keep = sound.records.len() / 2;
    let (code, report) = analysed(&desk, "short.pcap", &sound.bytes[..sound.records[keep]]);
    assert!(matches!(code, 0 | 1), "{code}");
    assert_eq!((frames(&report), damage(&report)), (keep, vec![]));
    let (code, report) = analysed(&desk, "header.pcap", &sound.bytes[..FILE_HEADER]);
    assert_eq!((code, frames(&report), damage(&report)), (0, 0, vec![]));
    assert!(report["coverage"]["blind_spots"].to_string().contains("No frame"), "silence is never clean");
}

#[test]
fn garbage_between_records_is_skipped_and_nothing_else_is_lost() {
    let (desk, sound) = (Desk::new(), sound());
    for (place, garbage) in [(2, 500), (sound.records.len() / 2, 5_000), (sound.records.len() - 3, 64)] {
        let at = sound.records[place];
        let bytes = [&sound.bytes[..at], &vec![0xff; garbage], &sound.bytes[at..]].concat();
        let (code, report) = analysed(&desk, "garbage.pcap", &bytes);
        assert_incomplete(code, &report);
        assert_eq!(frames(&report), sound.records.len(), "after record {place}");
        assert_eq!(damage(&report), [("bad_record".into(), at)], "after record {place}");
        let rows = desk.sql("x.vigil", "SELECT skipped, after_frame, detail FROM damage");
        assert_eq!((rows[0]["skipped"].as_u64(), rows[0]["after_frame"].as_u64()), (Some(garbage as u64), Some(place as u64)), "{rows:?}");
        assert!(finds_the_tunnel(&report));
    }
}

#[test]
fn a_record_with_an_absurd_length_costs_that_record_alone() {
    let (desk, mut sound) = (Desk::new(), sound());
    let at = sound.records[sound.records.len() / 3];
    sound.bytes[at + 8..at + 12].fill(0xfe);
    let (code, report) = analysed(&desk, "absurd.pcap", &sound.bytes);
    assert_incomplete(code, &report);
    assert_eq!((frames(&report), damage(&report)), (sound.records.len() - 1, vec![("bad_record".into(), at)]));
    assert!(finds_the_tunnel(&report));
}

#[test]
fn a_frame_from_the_future_is_noted_and_costs_nothing() {
    let (desk, mut sound) = (Desk::new(), sound());
    let at = sound.records[sound.records.len() / 2];
    // 2100-01-01
    sound.bytes[at..at + 4].copy_from_slice(&4_102_444_800_u32.to_le_bytes());
    let (code, report) = analysed(&desk, "future.pcap", &sound.bytes);
    assert_eq!(code, 1, "odd, but nothing is missing: {}", report["damage"]);
    assert_eq!(frames(&report), sound.records.len());
    assert!(damage(&report).contains(&("clock_jump".into(), at)), "{:?} at {at}", damage(&report));
    assert!(finds_the_tunnel(&report));
    let detail = report["damage"][0]["detail"].as_str().unwrap();
    assert!(detail.contains("2100") || detail.contains("day"), "{detail}");
}

#[test]
fn a_compressed_capture_that_breaks_off_keeps_what_came_out() {
    let (desk, sound) = (Desk::new(), sound());
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&sound.bytes).unwrap();
    let packed = gzip.finish().unwrap();
    let (code, report) = analysed(&desk, "broken.pcap.gz", &packed[..packed.len() * 2 / 3]);
    assert_incomplete(code, &report);
    assert!(frames(&report) > sound.records.len() / 3 && frames(&report) < sound.records.len(), "{}", frames(&report));
    assert!(damage(&report).iter().any(|(kind, _)| kind == "bad_compression"), "{:?}", damage(&report));
}

#[test]
fn one_damaged_file_among_many_is_named_and_the_others_are_whole() {
    let (desk, sound) = (Desk::new(), sound());
    std::fs::create_dir(desk.path("evidence")).unwrap();
    desk.write("evidence/sound.pcap", &sound.bytes);
    desk.write("evidence/broken.pcap", &scenario("icmp-tunnel")[..5_000]);
    let said = desk.vigil(["analyze", "evidence", "--out", "x.vigil", "--json", "--report", "html"]);
    let report = said.json();
    assert_incomplete(said.code, &report);
    assert_eq!(report["damage"][0]["path"], "evidence/broken.pcap");
    assert!(finds_the_tunnel(&report));
    let whole = desk.sql("x.vigil", "SELECT frames FROM captures WHERE damaged = 0");
    assert_eq!(whole, [serde_json::json!({ "frames": sound.records.len() })]);
    let page = desk.read("x.vigil/report.html");
    assert!(page.contains("evidence/broken.pcap") && page.contains("id=\"damage\""));
}

/// A pcapng block, little-endian.
fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let padded = body.len().next_multiple_of(4);
    let length = (padded as u32 + 12).to_le_bytes();
    [&kind.to_le_bytes()[..], &length, body, &vec![0; padded - body.len()], &length].concat()
}

/// An option of a block.
fn option(code: u16, value: &[u8]) -> Vec<u8> {
    let padding = vec![0; value.len().next_multiple_of(4) - value.len()];
    [&code.to_le_bytes()[..], &(value.len() as u16).to_le_bytes(), value, &padding].concat()
}

/// A TLS secret, as a key log has it.
const SECRET: &str = "CLIENT_RANDOM 5ec2e75ec2e75ec2e7 deadbeefdeadbeefdeadbeef";

/// The frames of the sound capture with all that a pcapng can say beside them.
fn talkative(sound: &Sound) -> Vec<u8> {
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    let header = [words(&[0x1a2b_3c4d, 1, u32::MAX, u32::MAX]), option(2, b"a <b>machine</b>"), option(1, b"taken at noon")].concat();
    let interface = [words(&[1, 0]), option(2, b"eth7"), option(11, b"\0not port 22")].concat();
    let secrets = [words(&[0x544c_534b, SECRET.len() as u32]), SECRET.as_bytes().to_vec()].concat();
    let names = [option(1, b"\xc0\x00\x02\x07host.example\0"), words(&[0])].concat();
    let mut file = [block(0x0a0d_0d0a, &header), block(1, &interface), block(10, &secrets), block(4, &names)].concat();
    for (number, at) in sound.records.iter().enumerate() {
        let field = |from: usize| u32::from_le_bytes(sound.bytes[at + from..at + from + 4].try_into().unwrap());
        let micros = u64::from(field(0)) * 1_000_000 + u64::from(field(4));
        let bytes = &sound.bytes[at + RECORD_HEADER..at + RECORD_HEADER + field(8) as usize];
        let mut body = words(&[0, (micros >> 32) as u32, micros as u32, field(8), field(12)]);
        body.extend(bytes);
        body.resize(body.len().next_multiple_of(4), 0);
        if number == 99 {
            body.extend(option(1, b"look here"));
        }
        file.extend(block(6, &body));
    }
    let counted = |code, value: u64| option(code, &value.to_le_bytes());
    file.extend(block(5, &[words(&[0, 0, 0]), counted(4, 9_000), counted(5, 30), counted(7, 12)].concat()));
    file.extend(block(9, b"MESSAGE=link is down\n"));
    file
}

#[test]
fn what_a_capture_says_beside_its_packets_can_be_queried() {
    let (desk, sound) = (Desk::new(), sound());
    let (code, report) = analysed(&desk, "talk.pcapng", &talkative(&sound));
    assert_eq!((code, frames(&report), damage(&report)), (1, sound.records.len(), vec![]));
    let rows = desk.sql("x.vigil", "SELECT about, frame, kind, text FROM comments ORDER BY ALL");
    let comment = |about: &str, frame: Option<u64>, kind: &str, text: &str| serde_json::json!({ "about": about, "frame": frame, "kind": kind, "text": text });
    let expected = [
        comment("packet", Some(100), "comment", "look here"),
        comment("section", None, "comment", "taken at noon"),
        comment("section", None, "hardware", "a <b>machine</b>"),
    ];
    assert_eq!(rows, expected);
    let rows = desk.sql("x.vigil", "SELECT name, filter, frames, received, dropped, os_dropped FROM capture_interfaces");
    let interface = serde_json::json!({
        "name": "eth7", "filter": "not port 22", "frames": sound.records.len(), "received": 9_000, "dropped": 30, "os_dropped": 12,
    });
    assert_eq!(rows, [interface]);
    let rows = desk.sql("x.vigil", "SELECT address, name FROM resolved_names");
    assert_eq!(rows, [serde_json::json!({ "address": "192.0.2.7", "name": "host.example" })]);
    let rows = desk.sql("x.vigil", "SELECT name, content FROM capture_blocks");
    assert_eq!(rows, [serde_json::json!({ "name": "systemd_journal", "content": "MESSAGE=link is down" })]);
}

#[test]
fn drops_that_the_capturing_host_counted_are_a_blind_spot() {
    let (desk, sound) = (Desk::new(), sound());
    let (_, report) = analysed(&desk, "talk.pcapng", &talkative(&sound));
    assert_eq!(report["coverage"]["reported_drops"], 42);
    let spots = report["coverage"]["blind_spots"].to_string();
    assert!(spots.contains("42 dropped"), "{spots}");
}

#[test]
fn secrets_in_a_capture_are_counted_and_shown_nowhere() {
    let (desk, sound) = (Desk::new(), sound());
    desk.write("talk.pcapng", talkative(&sound));
    let said = desk.vigil(["analyze", "talk.pcapng", "--out", "x.vigil", "--json", "--report", "html,json,md,csv"]);
    let rows = desk.sql("x.vigil", "SELECT name, entries, bytes, content FROM decryption_secrets");
    assert_eq!(rows, [serde_json::json!({ "name": "tls_key_log", "entries": 1, "bytes": SECRET.len(), "content": null })]);
    let told = |text: &[u8]| memchr::memmem::find(text, b"deadbeefdeadbeef").is_some();
    assert!(!told(said.out.as_bytes()) && !told(said.err.as_bytes()));
    for path in crate::files(desk.folder(), "").into_iter().filter(|path| !path.ends_with("talk.pcapng")) {
        assert!(!told(&std::fs::read(&path).unwrap()), "{}", path.display());
    }
}

#[test]
fn whatever_was_damaged_every_frame_is_decoded_or_says_why_at_any_number_of_threads() {
    let (desk, sound) = (Desk::new(), sound());
    let length = sound.bytes.len();
    let flipped = |every: usize| {
        let mut bytes = sound.bytes.clone();
        (1_000..length).step_by(every).for_each(|at| bytes[at] ^= 1 << (at % 8));
        bytes
    };
    let repeated = [&sound.bytes[..], &sound.bytes[FILE_HEADER..length / 2], &sound.bytes[FILE_HEADER..]].concat();
    for (name, bytes) in
        [("flips", flipped(997)), ("many flips", flipped(97)), ("repeated", repeated), ("cut", sound.bytes[..length - 7].into())]
    {
        desk.write("hurt.pcap", bytes);
        let [one, eight] = ["1", "8"].map(|threads| {
            let report = desk.vigil(["analyze", "hurt.pcap", "--out", "x.vigil", "--threads", threads, "--json"]).json();
            let counted = desk.sql(
                "x.vigil",
                "SELECT (SELECT sum(frames) FROM packets_summary)::BIGINT AS fates, (SELECT count(*) FROM damage) AS damage",
            );
            let mut report = report;
            report.as_object_mut().unwrap().remove("run");
            (report, counted)
        });
        assert_eq!(one, eight, "{name}");
        assert_eq!(one.1[0]["fates"].as_u64(), Some(frames(&one.0) as u64), "{name}");
        let undecoded = one.0["coverage"]["undecoded"].as_array().unwrap().iter().filter_map(|share| share["count"].as_u64()).sum::<u64>();
        let decoded = one.0["coverage"]["decoded"].as_u64().unwrap();
        assert!(decoded + undecoded <= frames(&one.0) as u64 && decoded > 0, "{name}");
    }
}
