//! Which findings belong together: by shared hosts, by closeness in time, by an order that makes sense (DETECTIONS 5.3).

use super::{stage, tactics};
use crate::model::report::Host;
use crate::model::time::{SECOND, short};
use crate::model::{Finding, Severity};
use crate::store::IncidentRow;
use std::collections::{BTreeMap, BTreeSet};

/// Weight from which two findings are one story.
const LINKED: f64 = 0.55;
const SAME_ACTOR: f64 = 0.35;
/// The actor of the later one was the target of the earlier: the attack moved on.
const PIVOT: f64 = 0.6;
const SAME_TARGET: f64 = 0.25;
/// Full when they overlap, fading over `FADE`.
const CLOSE: f64 = 0.3;
const FADE: i64 = 6 * 3600 * SECOND;
/// Silence after which a story is over.
const SILENCE: i64 = 12 * 3600 * SECOND;
/// The later one is the next step of an attack.
const IN_ORDER: f64 = 0.2;
/// Findings compared with each other; beyond that many, the mildest stay alone.
const MOST: usize = 2_000;

/// Groups what is worth a look, names the groups `I1` … by risk, and writes the name into each finding.
pub(super) fn group(findings: &mut [Finding], hosts: &[Host]) -> Vec<IncidentRow> {
    let told: Vec<usize> = (0..findings.len()).filter(|&at| findings[at].severity > Severity::Info).collect();
    let mut parent: Vec<usize> = (0..told.len()).collect();
    for later in 0..told.len().min(MOST) {
        for earlier in 0..later {
            if weight(&findings[told[earlier]], &findings[told[later]]) >= LINKED {
                let (a, b) = (root(&parent, earlier), root(&parent, later));
                parent[a.max(b)] = a.min(b);
            }
        }
    }
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (place, &at) in told.iter().enumerate() {
        members.entry(root(&parent, place)).or_default().push(at);
    }
    let mut incidents: Vec<(IncidentRow, Vec<usize>)> = members.into_values().map(|at| (incident(findings, &at, hosts), at)).collect();
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

fn root(parent: &[usize], mut at: usize) -> usize {
    while parent[at] != at {
        at = parent[at];
    }
    at
}

/// How strongly two findings belong together.
fn weight(a: &Finding, b: &Finding) -> f64 {
    let (first, second) = if (b.first_ns, &b.id) < (a.first_ns, &a.id) { (b, a) } else { (a, b) };
    let pause = second.first_ns.saturating_sub(first.last_ns).max(0);
    if pause > SILENCE {
        return 0.0;
    }
    let share = |x: &[String], y: &[String]| x.iter().any(|name| y.contains(name));
    let mut weight = 0.0;
    if share(&first.actors, &second.actors) {
        weight += SAME_ACTOR;
    }
    if share(&first.targets, &second.actors) || share(&first.actors, &second.targets) {
        weight += PIVOT;
    }
    if share(&first.targets, &second.targets) {
        weight += SAME_TARGET;
    }
    if weight == 0.0 {
        return 0.0;
    }
    weight += CLOSE * (-(pause as f64) / FADE as f64).exp();
    if stage(&first.tactic) < stage(&second.tactic) {
        weight += IN_ORDER;
    }
    weight
}

fn incident(findings: &[Finding], members: &[usize], hosts: &[Host]) -> IncidentRow {
    let of = || members.iter().map(|&at| &findings[at]);
    let names: BTreeSet<&str> = of().flat_map(|finding| finding.actors.iter().chain(&finding.targets)).map(String::as_str).collect();
    let concerned = || hosts.iter().filter(|host| names.contains(host.ip.as_str()));
    let taken = concerned().filter(|host| ["compromised", "attacking"].contains(&host.state.as_str()) && host.internal).count();
    let gravest = of().map(|finding| finding.risk).fold(0.0, f64::max).max(concerned().map(|host| host.risk).fold(0.0, f64::max));
    let risk = (gravest * (1.0 + 0.05 * (taken.max(1) as f64).log2())).min(100.0);
    let risk = (risk * 1e6).round() / 1e6;
    let mut in_time: Vec<&Finding> = of().collect();
    in_time.sort_by(|a, b| (a.first_ns, &a.id).cmp(&(b.first_ns, &b.id)));
    IncidentRow {
        id: String::new(),
        title: title(&in_time),
        severity: Severity::of_risk(risk),
        risk,
        confidence: confidence(&in_time),
        first_ns: of().map(|finding| finding.first_ns).min().unwrap_or_default(),
        last_ns: of().map(|finding| finding.last_ns).max().unwrap_or_default(),
        hosts: concerned().map(|host| host.ip.clone()).collect(),
        tactics: tactics(of()),
        findings: in_time.iter().map(|finding| finding.id.clone()).collect(),
    }
}

/// The gravest thing that happened, and how the story began where that is something else.
fn title(in_time: &[&Finding]) -> String {
    let gravest = in_time.iter().max_by(|a, b| a.risk.total_cmp(&b.risk).then_with(|| b.id.cmp(&a.id)));
    let (Some(gravest), Some(first)) = (gravest, in_time.first()) else { return String::new() };
    if gravest.id == first.id {
        return gravest.says.clone();
    }
    format!("{}; it began {} with: {}", gravest.says, short(first.first_ns), first.title)
}

/// P(at least one family of evidence is right).
fn confidence(findings: &[&Finding]) -> f64 {
    let mut families: BTreeMap<&str, f64> = BTreeMap::new();
    for finding in findings {
        let best = families.entry(&finding.family).or_default();
        *best = best.max(finding.confidence);
    }
    let wrong: f64 = families.values().map(|confidence| 1.0 - confidence).product();
    ((1.0 - wrong) * 1e6).round() / 1e6
}
