//! What people say about findings: put aside when it is read, counted always, taken back at will.

use crate::desk::{Desk, scenario};
use serde_json::Value;

fn case() -> Desk {
    let desk = Desk::new();
    desk.write("day.pcap", crate::desk::pcap_of(&vigil::synth::demo(1)));
    desk.vigil(["analyze", "day.pcap", "--quiet"]);
    desk
}

fn report(desk: &Desk) -> Value {
    desk.vigil(["report", "day.vigil", "--format", "json", "--stdout"]).well().json()
}

fn ids(report: &Value) -> Vec<String> {
    report["findings"].as_array().unwrap().iter().filter_map(|finding| finding["id"].as_str().map(str::to_owned)).collect()
}

#[test]
fn what_is_put_aside_leaves_reports_terminal_and_alerts_is_counted_and_comes_back() {
    let desk = case();
    let before = report(&desk);
    let all = ids(&before);
    let said = desk.vigil(["suppress", "day.vigil", "F1", "--reason", "a drill", "--author", "kim"]).well();
    assert!(said.out.contains("puts aside F1;"), "{}", said.out);
    let after = report(&desk);
    assert_eq!(ids(&after), all[1..], "the others keep their ids");
    assert_eq!(after["coverage"]["set_aside"], 1);
    let aside = &after["set_aside"][0];
    assert_eq!((aside["finding"].as_str(), aside["reason"].as_str(), aside["author"].as_str()), (Some("F1"), Some("a drill"), Some("kim")));
    assert_ne!(after["verdict"]["line"], before["verdict"]["line"], "the verdict is judged anew");
    let screen = desk.vigil(["report", "day.vigil"]).well().out;
    assert!(screen.contains("1 finding by people") && !screen.contains("  F1 "), "{screen}");
    let rows =
        desk.sql("day.vigil", "SELECT count(*) AS n, count(*) FILTER (suppressed) AS aside, any_value(suppressed_by) AS by FROM findings");
    assert_eq!((rows[0]["n"].as_u64(), rows[0]["aside"].as_u64()), (Some(all.len() as u64), Some(1)));
    assert!(rows[0]["by"].as_str().is_some_and(|by| by.starts_with('S')), "{rows:?}");
    assert_eq!(desk.sql("day.vigil", "SELECT id FROM alerts").len(), all.len() - 1);
    assert_eq!(desk.sql("day.vigil", "SELECT reason FROM suppressions WHERE state = 'active'").len(), 1);
    desk.vigil(["report", "day.vigil", "--format", "html,md,csv"]).well();
    for name in ["report.html", "report.md"] {
        let page = desk.read(&format!("day.vigil/{name}"));
        assert!(page.contains("a drill"), "{name} says why");
    }
    // It is about the finding, not about its number: a second analysis keeps it.
    desk.vigil(["analyze", "day.pcap", "--quiet"]);
    assert_eq!(ids(&report(&desk)), all[1..]);
    desk.vigil(["suppress", "day.vigil", "--undo", "F1"]).well();
    assert_eq!(ids(&report(&desk)), all);
    assert!(desk.vigil(["suppress", "day.vigil", "--list"]).well().out.contains("undone"));
}

#[test]
fn scopes_reach_as_far_as_they_say() {
    let desk = case();
    let rows = desk
        .sql("day.vigil", "SELECT id, rule, actors[1] AS actor FROM findings WHERE evidence->>'domain' IS NOT NULL ORDER BY id LIMIT 1");
    let (id, rule) = (rows[0]["id"].as_str().unwrap(), rows[0]["rule"].as_str().unwrap());
    let domain = desk.sql("day.vigil", &format!("SELECT evidence->>'domain' AS name FROM findings WHERE id = '{id}'"))[0]["name"]
        .as_str()
        .unwrap()
        .to_owned();
    for (scope, more) in [("rule", None), ("host", None), ("pair", None), ("domain", None), ("domain", Some(domain.as_str()))] {
        let mut args = vec!["suppress", "day.vigil", id, "--reason", "x", "--scope", scope];
        args.extend(more.into_iter().flat_map(|name| ["--domain", name]));
        desk.vigil(args).well();
        assert!(!ids(&report(&desk)).contains(&id.to_owned()), "{scope}");
        let others = desk.sql("day.vigil", &format!("SELECT id FROM findings WHERE suppressed AND rule <> '{rule}'"));
        assert!(others.is_empty(), "{scope} stays within {rule}: {others:?}");
        desk.vigil(["suppress", "day.vigil", "--undo", id]).well();
    }
    let refused = |args: &[&str], why: &str| {
        let said = desk.vigil([&["suppress", "day.vigil"][..], args].concat());
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{said:?}");
        assert!(said.err.contains(why), "{why}: {}", said.err);
    };
    refused(&[id, "--reason", "x", "--scope", "domain", "--domain", "co.uk"], "anybody");
    refused(&[id, "--reason", "x", "--scope", "domain", "--domain", &format!("*.{domain}")], "does not cover");
    refused(&[id, "--reason", "x", "--domain", "a.example"], "--scope domain");
    refused(&[id, "--reason", " "], "--reason");
    refused(&[id, "--reason", "x", "--expires", "soon"], "30d");
    refused(&["F999", "--reason", "x"], "F1 to F");
    refused(&["--undo", "S999"], "--list");
    refused(&[id], "--reason");
}

#[test]
fn comments_stand_beside_their_finding_whatever_they_hold() {
    let desk = case();
    let hostile = "see <script>alert(1)</script> \u{1b}[2J \u{202e} =cmd|' /C calc'!A0";
    desk.vigil(["comment", "day.vigil", "F2", hostile, "--author", "kim"]).well();
    assert_eq!(report(&desk)["remarks"][0]["finding"], "F2");
    desk.vigil(["report", "day.vigil", "--format", "html,md"]).well();
    let page = desk.read("day.vigil/report.html");
    assert!(page.contains("&lt;script&gt;alert(1)") && !page.contains("<script>alert(1)"));
    assert!(!page.contains('\u{202e}') && !page.contains('\u{1b}'));
    assert_eq!(desk.sql("day.vigil", "SELECT text FROM remarks")[0]["text"].as_str(), Some(hostile));
    assert_eq!(desk.vigil(["comment", "day.vigil", "F2", " "]).code, 2);
}

#[test]
fn a_suppression_that_hides_all_is_still_no_clean_bill() {
    let desk = Desk::new();
    desk.write("day.pcap", scenario("dns-tunnel"));
    desk.vigil(["analyze", "day.pcap", "--quiet"]);
    for id in ids(&report(&desk)) {
        desk.vigil(["suppress", "day.vigil", &id, "--reason", "x"]).well();
    }
    let screen = desk.vigil(["report", "day.vigil"]).well().out;
    assert!(screen.contains("by people"), "{screen}");
    let line = &report(&desk)["verdict"]["line"];
    assert!(line.as_str().is_some_and(|line| line.contains("no proof")), "{line}");
}
