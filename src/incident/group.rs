//! Which findings are one incident.
//!
//! Findings are linked in pairs; what hangs together by links is one incident. Two kinds of the same trouble by one host are not held
//! apart, as DETECTIONS 5.3 would have it: who scans twice is one thing to look into.

use super::link::{LINKED, Thread};
use super::{Known, story};
use crate::model::report::Incident;
use crate::model::{Finding, Severity};
use std::collections::BTreeMap;

/// Findings compared with each other; beyond that many, the mildest stay alone.
const MOST: usize = 2_000;

/// Groups what is worth a look, names the groups `I1` … by risk, and writes the name into each finding.
pub(super) fn group(findings: &mut [Finding], known: &Known<'_>) -> Vec<Incident> {
    let members = members(findings, known);
    let mut incidents: Vec<(Incident, Vec<usize>)> = members
        .into_iter()
        .map(|members| (story::tell(&members.iter().map(|&at| &findings[at]).collect::<Vec<_>>(), known), members))
        .collect();
    incidents
        .sort_by(|(a, _), (b, _)| b.risk.total_cmp(&a.risk).then(a.first_ns.cmp(&b.first_ns)).then_with(|| a.findings.cmp(&b.findings)));
    for (place, (incident, members)) in incidents.iter_mut().enumerate() {
        incident.id = format!("I{}", place + 1);
        for &at in members.iter() {
            findings[at].incident = Some(incident.id.clone());
        }
    }
    incidents.into_iter().map(|(incident, _)| incident).collect()
}

/// Places of the findings of each incident.
fn members(findings: &[Finding], known: &Known<'_>) -> Vec<Vec<usize>> {
    let told: Vec<usize> = (0..findings.len()).filter(|&at| findings[at].severity > Severity::Info).collect();
    let threads: Vec<Thread<'_>> = told.iter().map(|&at| Thread::of(&findings[at], known)).collect();
    let mut parent: Vec<usize> = (0..told.len()).collect();
    for later in 0..told.len().min(MOST) {
        for earlier in 0..later {
            let (a, b) = (root(&parent, earlier), root(&parent, later));
            if a != b && threads[earlier].weight(&threads[later], known) >= LINKED {
                parent[a.max(b)] = a.min(b);
            }
        }
    }
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (place, &at) in told.iter().enumerate() {
        members.entry(root(&parent, place)).or_default().push(at);
    }
    members.into_values().collect()
}

fn root(parent: &[usize], mut at: usize) -> usize {
    while parent[at] != at {
        at = parent[at];
    }
    at
}
