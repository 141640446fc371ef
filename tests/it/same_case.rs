//! Same evidence, same case: at any number of threads the same rows in the same order, the same findings, the same report.

use crate::desk::{Desk, shared};
use std::collections::BTreeMap;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use vigil::synth::{Load, Profile, scale};

const THREADS: [&str; 3] = ["1", "2", "8"];
/// Captures of the corpus that are compared.
const CAPTURES: usize = 10;
/// Flows of the large capture.
const MANY_FLOWS: u64 = 1_050_000;
/// Memory to compare cases in.
const MEMORY: u64 = 1 << 30;

/// All of a case that must not differ.
#[derive(PartialEq)]
struct Case {
    tables: BTreeMap<String, String>,
    findings: String,
    json: String,
    html: String,
}

#[test]
fn ten_real_captures_give_the_same_case_at_one_two_and_eight_threads() {
    let Some(library) = shared("corpus/captures") else { return };
    let mut captures: Vec<PathBuf> = std::fs::read_dir(library).unwrap().map(|entry| entry.unwrap().path()).collect();
    captures.sort();
    let step = captures.len() / CAPTURES;
    assert!(step > 0, "the corpus holds {} captures", captures.len());
    for capture in captures.iter().step_by(step).take(CAPTURES) {
        same_at_any_number_of_threads(capture);
    }
}

#[test]
fn the_generated_attack_gives_the_same_case_at_one_two_and_eight_threads() {
    let desk = Desk::new();
    let capture = desk.write("attack.pcap", crate::desk::pcap_of(&vigil::synth::demo(3)));
    let case = same_at_any_number_of_threads(&capture);
    assert!(case.findings.lines().count() > 3, "an attack without findings compares nothing: {}", case.findings);
}

#[test]
fn a_million_flows_give_the_same_case_at_one_two_and_eight_threads() {
    let desk = Desk::new();
    let capture = desk.path("million.pcap");
    let load = Load { flows: MANY_FLOWS, packets: 2 * MANY_FLOWS, seed: 11, profile: Profile::Tiny, ..Load::default() };
    let file = std::fs::File::create(&capture).expect("the desk can be written on");
    let made = scale(&load, BufWriter::new(file)).expect("the disk takes it");
    assert!(made.flows >= 1_000_000, "{made:?}");
    same_at_any_number_of_threads(&capture);
}

#[test]
fn the_same_evidence_in_other_order_and_given_twice_is_the_same_case() {
    let desk = Desk::new();
    let folder = desk.path("evidence");
    std::fs::create_dir(&folder).unwrap();
    for name in ["dns-tunnel", "icmp-tunnel"] {
        desk.write(&format!("evidence/{name}.pcap"), crate::desk::scenario(name));
    }
    let tables = |case: &str, paths: &[&str]| {
        let args = ["analyze", "--out", case].into_iter().chain(paths.iter().copied());
        desk.vigil(args).well();
        // How the evidence was named, and what else was, is part of the record.
        tables(&desk.path(case)).into_iter().filter(|(table, _)| table != "captures").collect::<BTreeMap<_, _>>()
    };
    let first = tables("a.vigil", &["evidence/dns-tunnel.pcap", "evidence/icmp-tunnel.pcap"]);
    assert!(first == tables("b.vigil", &["evidence/icmp-tunnel.pcap", "evidence/dns-tunnel.pcap"]));
    assert!(first == tables("c.vigil", &["evidence", "evidence/dns-tunnel.pcap"]));
}

fn same_at_any_number_of_threads(capture: &Path) -> Case {
    let desk = Desk::new();
    let cases = THREADS.map(|threads| case(&desk, capture, threads));
    let [one, others @ ..] = cases;
    for (other, threads) in others.iter().zip(&THREADS[1..]) {
        let what = format!("{} at 1 and {threads} threads", capture.display());
        let differing: Vec<_> = one.tables.keys().filter(|table| one.tables.get(*table) != other.tables.get(*table)).collect();
        assert!(differing.is_empty(), "{what}: tables {differing:?} differ");
        assert_eq!(one.tables.len(), other.tables.len(), "{what}");
        assert!(one.findings == other.findings, "{what}: findings.ndjson differs");
        assert!(one.json == other.json, "{what}: report.json differs outside run");
        assert!(one.html == other.html, "{what}: report.html differs outside its run section");
    }
    assert!(!one.json.contains("\"status\": \"failed\""), "{}: a rule failed", capture.display());
    one
}

fn case(desk: &Desk, capture: &Path, threads: &str) -> Case {
    // Cases are called after their folder, so that only the folder around it differs.
    let case = format!("{threads}/x.vigil");
    let said =
        desk.vigil(["analyze", &capture.to_string_lossy(), "--out", &case, "--threads", threads, "--report", "html,json", "--quiet"]);
    assert!(matches!(said.code, 0 | 1 | 3) && said.err.is_empty(), "{}: {said:?}", capture.display());
    Case {
        tables: tables(&desk.path(&case)),
        findings: desk.read(&format!("{case}/findings.ndjson")),
        json: before(&desk.read(&format!("{case}/report.json")), "\n  \"run\": {"),
        html: without_run(&desk.read(&format!("{case}/report.html"))),
    }
}

/// A hash of every table's rows in stored order.
fn tables(case: &Path) -> BTreeMap<String, String> {
    let open = vigil::store::open_read_only(case, MEMORY, 1).expect("a finished case opens");
    vigil::store::fingerprint(open.connection()).expect("tables can be read")
}

fn before(text: &str, mark: &str) -> String {
    text.split_once(mark).unwrap_or_else(|| panic!("no {mark:?}")).0.to_string()
}

fn without_run(html: &str) -> String {
    let (before, rest) = html.split_once("<section id=\"run\" data-volatile>").expect("the run section is marked");
    let (_, after) = rest.split_once("</section>").expect("sections end");
    format!("{before}{after}")
}
