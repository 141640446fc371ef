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
