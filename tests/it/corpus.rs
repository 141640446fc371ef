//! Every real capture at hand is analysed, and every frame in it is accounted for.

use crate::desk::{Desk, Said, shared};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Runs of vigil side by side, each on one thread.
const SIDE_BY_SIDE: usize = 2;
/// `coverage.undecoded` tells at most this many reasons.
const REASONS_TOLD: usize = 20;
/// No capture of these libraries is large; one that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// A capture and how many packets others count in it.
struct Known {
    path: PathBuf,
    packets: u64,
}

#[test]
fn every_labelled_capture_is_analysed_and_every_frame_accounted_for() {
    let Some(library) = shared("corpus") else { return };
    let truth = read_json(&library.join("truth.json"));
    account_for(&known(&library, truth.as_array().expect("a list of captures"), "file"));
}

#[test]
fn every_capture_of_other_projects_tests_is_analysed_and_every_frame_accounted_for() {
    let Some(library) = shared("golden") else { return };
    let manifest = read_json(&library.join("MANIFEST.json"));
    account_for(&known(&library, manifest["captures"].as_array().expect("a list of captures"), "name"));
}

fn read_json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).expect("the library has a list")).expect("the list is JSON")
}

fn known(library: &Path, list: &[Value], name: &str) -> Vec<Known> {
    let known = |entry: &Value| Known {
        path: library.join("captures").join(entry[name].as_str().expect("a name")),
        packets: entry["packets"].as_u64().expect("a count"),
    };
    list.iter().map(known).collect()
}

/// Two workers take captures from one queue; what does not hold is gathered and told at the end.
fn account_for(captures: &[Known]) {
    let (next, wrong, codes) = (AtomicUsize::new(0), Mutex::new(Vec::new()), Mutex::new(BTreeMap::<i32, u32>::new()));
    let started = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE {
            scope.spawn(|| {
                let desk = Desk::new();
                while let Some(capture) = captures.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let (said, took) = analyse(&desk, capture);
                    *codes.lock().unwrap().entry(said.code).or_default() += 1;
                    let mut complaints = complaints(&said, capture.packets);
                    if took > PATIENCE {
                        complaints.push(format!("took {} s", took.as_secs()));
                    }
                    let name = capture.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                    wrong.lock().unwrap().extend(complaints.into_iter().map(|complaint| format!("{name}: {complaint}")));
                }
            });
        }
    });
    println!("{} captures in {} s; exit codes {:?}", captures.len(), started.elapsed().as_secs(), codes.lock().unwrap());
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} complaints:\n{}", wrong.len(), wrong.join("\n"));
    assert!(!captures.is_empty(), "an empty list proves nothing");
}

fn analyse(desk: &Desk, capture: &Known) -> (Said, Duration) {
    let started = Instant::now();
    let path = capture.path.to_string_lossy();
    let said = desk.vigil(["analyze", &path, "--out", "x.vigil", "--threads", "1", "--json"]);
    (said, started.elapsed())
}

/// What does not hold: exit code, calm, and the sums.
fn complaints(said: &Said, packets: u64) -> Vec<String> {
    let mut complaints = Vec::new();
    if !matches!(said.code, 0 | 1 | 3) || !said.err.is_empty() {
        complaints.push(format!("exit code {}, {}", said.code, said.err.trim()));
        return complaints;
    }
    let report = said.json();
    let coverage = &report["coverage"];
    let frames = count(&coverage["frames"]);
    let damage = report["damage"].as_array().map_or(0, Vec::len);
    if frames != packets && damage == 0 {
        complaints.push(format!("{frames} frames, others count {packets}, and no damage explains it"));
    }
    if (said.code == 3) != (count(&coverage["damaged"]) > 0) {
        complaints.push(format!("exit code {} with {} places of damage", said.code, coverage["damaged"]));
    }
    let undecoded = coverage["undecoded"].as_array().map(Vec::as_slice).unwrap_or_default();
    let told = count(&coverage["decoded"]) + undecoded.iter().map(|reason| count(&reason["count"])).sum::<u64>();
    if told != frames && undecoded.len() < REASONS_TOLD {
        complaints.push(format!("{frames} frames were read, but what became of them is told of {told}"));
    }
    let failed = report["rules"].as_array().into_iter().flatten().filter(|rule| rule["status"] == "failed");
    complaints.extend(failed.map(|rule| format!("rule {} failed: {}", rule["id"], rule["why"])));
    complaints
}

fn count(value: &Value) -> u64 {
    value.as_u64().unwrap_or(0)
}
