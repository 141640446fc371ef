//! The journal, the hashes and the second run: what was done to a case is on record, and a changed byte is found.

use crate::desk::{Desk, Said, scenario, shared};
use serde_json::Value;
use std::path::Path;

/// A desk with `load.pcap` and its case, reports written.
fn case() -> Desk {
    let desk = Desk::new();
    desk.write("load.pcap", scenario("executable-download"));
    desk.vigil(["analyze", "load.pcap", "--quiet", "--report", "html,json"]);
    desk
}

fn verify(desk: &Desk, more: &[&str]) -> (i32, Value) {
    let said = desk.vigil([&["verify", "load.vigil", "--json"][..], more].concat());
    assert_eq!(said.err, "");
    (said.code, said.json())
}

/// What does not hold: kind and name.
fn broken(seen: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let bad = |check: &&Value| ["differs", "missing"].contains(&check["state"].as_str().unwrap_or_default());
    seen["checks"].as_array().unwrap().iter().filter(bad).map(|check| (text(&check["kind"]), text(&check["name"]))).collect()
}

/// Changes one byte in the middle of a file.
fn tamper(desk: &Desk, name: &str) {
    let path = desk.path(name);
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x20;
    std::fs::write(&path, bytes).unwrap();
}

#[test]
fn a_case_that_nobody_touched_holds_and_so_does_one_that_was_moved() {
    let desk = case();
    let (code, seen) = verify(&desk, &[]);
    assert_eq!((code, broken(&seen), seen["holds"].as_bool()), (0, vec![], Some(true)), "{seen:#}");
    let kinds: Vec<&str> = seen["checks"].as_array().unwrap().iter().filter_map(|check| check["kind"].as_str()).collect();
    for kind in ["journal", "manifest", "file", "table", "rules", "report", "evidence"] {
        assert!(kinds.contains(&kind), "{kind} was not looked at: {kinds:?}");
    }
    let elsewhere = Desk::new();
    std::fs::create_dir(elsewhere.path("vault")).unwrap();
    std::fs::rename(desk.path("load.vigil"), elsewhere.path("load.vigil")).unwrap();
    std::fs::rename(desk.path("load.pcap"), elsewhere.path("vault/exhibit-7")).unwrap();
    let (code, seen) = verify(&elsewhere, &[]);
    assert_eq!((code, broken(&seen)), (3, vec![("evidence".into(), "load.pcap".into())]), "without the evidence it is not whole");
    let (code, seen) = verify(&elsewhere, &["--evidence", "vault"]);
    assert_eq!((code, broken(&seen)), (0, vec![]), "{seen:#}");
}

#[test]
fn a_changed_byte_is_found_wherever_it_is() {
    for (name, kind, what) in [
        ("load.pcap", "evidence", "load.pcap"),
        ("load.vigil/findings.ndjson", "file", "findings.ndjson"),
        ("load.vigil/packets.parquet", "file", "packets.parquet"),
        ("load.vigil/journal.ndjson", "journal", "journal.ndjson"),
        ("load.vigil/report.html", "report", "report.html"),
        ("load.vigil/case.duckdb", "file", "case.duckdb"),
    ] {
        let desk = case();
        tamper(&desk, name);
        let (code, seen) = verify(&desk, &[]);
        assert_eq!(code, 3, "{name}: {seen:#}");
        assert!(broken(&seen).contains(&(kind.to_owned(), what.to_owned())), "{name}: {:?}", broken(&seen));
    }
    let desk = case();
    let manifest = desk.read("load.vigil/manifest.json").replacen("\"threads\": ", "\"threads\": 1", 1);
    desk.write("load.vigil/manifest.json", manifest);
    let (code, seen) = verify(&desk, &[]);
    assert_eq!((code, broken(&seen)), (3, vec![("manifest".into(), "manifest.json".into())]));
}

#[test]
fn a_table_that_was_rewritten_is_named() {
    let desk = case();
    let db = duckdb::Connection::open(desk.path("load.vigil/case.duckdb")).unwrap();
    db.execute_batch("UPDATE hosts SET internal = NOT internal; CREATE TABLE extra (x INTEGER)").unwrap();
    db.close().unwrap();
    let (code, seen) = verify(&desk, &[]);
    let broken = broken(&seen);
    assert_eq!(code, 3);
    for wanted in [("file", "case.duckdb"), ("table", "hosts"), ("table", "extra")] {
        assert!(broken.contains(&(wanted.0.into(), wanted.1.into())), "{wanted:?} in {broken:?}");
    }
    assert!(!broken.iter().any(|(kind, name)| kind == "table" && name == "flows"), "{broken:?}");
}

#[test]
fn a_rule_that_was_changed_is_named() {
    let desk = Desk::new();
    desk.write("load.pcap", scenario("executable-download"));
    std::fs::create_dir_all(desk.path("mine/discovery")).unwrap();
    let rule = std::fs::read_to_string(crate::root().join("queries/discovery/sweep-icmp.sql")).unwrap();
    desk.write("mine/discovery/sweep-icmp.sql", &rule);
    desk.vigil(["analyze", "load.pcap", "--rules", "mine", "--quiet"]);
    assert_eq!(verify(&desk, &[]).0, 0);
    desk.write("mine/discovery/sweep-icmp.sql", format!("{rule}\n-- other words\n"));
    let (code, seen) = verify(&desk, &[]);
    assert_eq!((code, broken(&seen)), (3, vec![("rules".into(), "sweep-icmp".into())]));
}

#[test]
fn everything_that_is_done_to_a_case_is_in_its_journal_with_version_and_rules() {
    let desk = case();
    desk.vigil(["carve", "load.vigil", "F1", "-o", "F1.pcapng"]).well();
    desk.vigil(["suppress", "load.vigil", "F1", "--reason", "a test", "--author", "kim"]).well();
    desk.vigil(["comment", "load.vigil", "F1", "asked the owner", "--author", "kim"]).well();
    desk.vigil(["suppress", "load.vigil", "--undo", "F1", "--author", "lee"]).well();
    desk.vigil(["export", "load.vigil", "--format", "navigator", "-o", "layer.json"]).well();
    desk.vigil(["report", "load.vigil", "--format", "md"]).well();
    let journal = desk.read("load.vigil/journal.ndjson");
    let entries: Vec<Value> = journal.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let actions: Vec<&str> = entries.iter().filter_map(|entry| entry["action"].as_str()).collect();
    assert_eq!(actions, ["analysed", "reported", "carved", "suppressed", "commented", "unsuppressed", "exported", "reported"]);
    for entry in &entries {
        assert_eq!(entry["detail"]["vigil"].as_str(), Some(env!("CARGO_PKG_VERSION")), "{entry}");
    }
    assert_eq!(entries[0]["detail"]["rules"].as_str().map(str::len), Some(64));
    assert!(entries[0]["detail"]["options"]["memory"].is_u64(), "{}", entries[0]);
    assert_eq!(verify(&desk, &[]).0, 0);
    // A line taken out of the middle shows.
    let without: Vec<&str> = journal.lines().enumerate().filter(|(at, _)| *at != 3).map(|(_, line)| line).collect();
    desk.write("load.vigil/journal.ndjson", without.join("\n") + "\n");
    assert_eq!(verify(&desk, &[]).0, 3);
}

#[test]
fn two_at_once_write_one_journal() {
    let desk = case();
    let write = |n: usize| desk.vigil(["comment", "load.vigil", "F1", &format!("note {n}"), "--author", "kim"]);
    std::thread::scope(|scope| {
        (0..6).map(|n| scope.spawn(move || write(n))).collect::<Vec<_>>().into_iter().for_each(|it| drop(it.join().unwrap().well()))
    });
    assert_eq!(verify(&desk, &[]).1["entries"].as_u64(), Some(8));
}

#[test]
fn the_same_evidence_and_options_give_the_same_case_and_other_evidence_does_not() {
    let desk = Desk::new();
    desk.write("load.pcap", scenario("executable-download"));
    desk.vigil([
        "analyze",
        "load.pcap",
        "--quiet",
        "--home-net",
        "10.0.0.0/8",
        "--set",
        "beacon.min_calls=9",
        "--filter",
        "ip",
        "--threads",
        "2",
    ]);
    let again = |more: &[&str]| desk.vigil([&["analyze", "--reproduce", "load.vigil"][..], more].concat());
    let said = again(&[]);
    assert_eq!((said.code, said.err.as_str()), (0, ""), "{said:?}");
    assert!(said.out.contains("the same case"), "{}", said.out);
    std::fs::create_dir(desk.path("vault")).unwrap();
    std::fs::rename(desk.path("load.pcap"), desk.path("vault/it")).unwrap();
    assert_eq!(again(&[]).code, 3, "the evidence is gone");
    assert_eq!(again(&["--evidence", "vault", "--threads", "1"]).code, 0);
    let said = desk.vigil(["analyze", "--reproduce", "load.vigil", "other.pcap"]);
    assert_eq!(said.code, 2, "{said:?}");
}

#[test]
fn real_captures_come_out_again() {
    let Some(folder) = shared("corpus/captures") else { return };
    let mut captures: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    captures.sort_by_key(|path| (path.metadata().unwrap().len(), path.clone()));
    let desk = Desk::new();
    for capture in captures.iter().step_by(9).take(10) {
        reproduces(&desk, capture);
    }
}

fn reproduces(desk: &Desk, capture: &Path) {
    let path = capture.to_string_lossy();
    desk.vigil(["analyze", &path, "--out", "one.vigil", "--quiet", "--threads", "2"]);
    let said: Said = desk.vigil(["analyze", "--reproduce", "one.vigil", "--json", "--threads", "1", "--quiet"]);
    assert_eq!((said.code, said.json()["differences"].as_array().map(Vec::len)), (0, Some(0)), "{path}: {said:?}");
}
