//! How bad it is for each host: noisy-OR over families of findings (DETECTIONS 5.4).
//!
//! Independent kinds of evidence add up; many findings of one kind do not.

use super::{Facts, stage, tactics};
use crate::model::report::Host;
use crate::model::{Finding, Outcome, Severity};
use std::collections::BTreeMap;

/// Part of a finding's risk that a host carries for merely being aimed at.
const AIMED_AT: f64 = 0.4;
/// Beyond the gravest finding of a family, the others count this much.
const REPETITION: f64 = 0.25;
/// Per further tactic, and at most.
const TACTIC_BONUS: (f64, f64) = (0.10, 1.5);
/// For tactics that follow each other as attacks do.
const ORDER_BONUS: f64 = 1.1;
/// A tactic counts for the bonus from this confidence on.
const SURE: f64 = 0.5;
/// A confirmed finding of this impact …
const GRAVE_IMPACT: f64 = 85.0;
/// … puts its host at least here.
const GRAVE_RISK: f64 = 80.0;
/// Attempts alone put a host at most here.
const NOISE: f64 = 35.0;

/// What a finding means for one host.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Part {
    /// Somebody tried something on it.
    Targeted,
    /// Somebody probably got in.
    Accessed,
    /// Somebody got in, or it serves somebody else.
    Compromised,
    /// It acts against others.
    Attacking,
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::Targeted => "targeted",
            Self::Accessed => "accessed",
            Self::Compromised => "compromised",
            Self::Attacking => "attacking",
        }
    }
}

/// The part that `host` plays in `finding`; `None` if it is not named.
pub(super) fn part(finding: &Finding, host: &str) -> Option<Part> {
    let is = |names: &[String]| names.iter().any(|name| name == host);
    let through = matches!(finding.outcome, Outcome::Likely | Outcome::Confirmed);
    let entered = if finding.outcome == Outcome::Confirmed { Part::Compromised } else { Part::Accessed };
    if is(&finding.actors) {
        return Some(match serves(finding) {
            true if through => entered,
            true => Part::Targeted,
            // To log in without encryption harms nobody else.
            false if finding.family == "cleartext" => Part::Targeted,
            false => Part::Attacking,
        });
    }
    if !is(&finding.targets) {
        return None;
    }
    let enters =
        matches!(finding.tactic.as_str(), "initial-access" | "execution" | "persistence" | "privilege-escalation" | "lateral-movement");
    Some(if through && (enters || brings_in(finding) || lets_in(finding)) { entered } else { Part::Targeted })
}

/// Who calls out to a controller, or sends data away, is a victim that acts for somebody else.
pub(super) fn serves(finding: &Finding) -> bool {
    matches!(finding.tactic.as_str(), "command-and-control" | "exfiltration") && !brings_in(finding)
}

/// What it says of its target is only that the actor went there of its own accord.
pub(super) fn calls_out(finding: &Finding) -> bool {
    serves(finding) || finding.family == "cleartext"
}

/// A tool or program was brought onto the target.
fn brings_in(finding: &Finding) -> bool {
    finding.attack.first().is_some_and(|technique| technique == "T1105")
}

/// An account was taken over.
fn lets_in(finding: &Finding) -> bool {
    finding.attack.iter().any(|technique| technique == "T1078" || technique.starts_with("T1078."))
}

/// Share of the finding's risk that the host carries.
fn share(finding: &Finding, part: Part) -> f64 {
    if part == Part::Targeted && finding.family != "cleartext" && finding.tactic != "impact" { AIMED_AT } else { 1.0 }
}

/// Hosts that findings name, gravest first.
pub(super) fn weigh(findings: &[Finding], facts: &Facts) -> Vec<Host> {
    let known: BTreeMap<&str, &Host> = facts.hosts.iter().map(|host| (host.ip.as_str(), host)).collect();
    let mut named: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in findings {
        for name in finding.actors.iter().chain(&finding.targets) {
            let list = named.entry(name).or_default();
            if list.last().is_none_or(|last| last.id != finding.id) {
                list.push(finding);
            }
        }
    }
    let mut hosts: Vec<Host> = named.into_iter().map(|(name, findings)| host(name, &findings, known.get(name).copied(), facts)).collect();
    hosts.sort_by(|a, b| b.risk.total_cmp(&a.risk).then(b.internal.cmp(&a.internal)).then_with(|| a.ip.cmp(&b.ip)));
    hosts
}

fn host(name: &str, findings: &[&Finding], known: Option<&Host>, facts: &Facts) -> Host {
    let mut host =
        known.cloned().unwrap_or_else(|| Host { ip: name.to_owned(), internal: super::is_home(name, &facts.hosts), ..Host::default() });
    let parts: Vec<(&Finding, Part)> = findings.iter().filter_map(|finding| Some((*finding, part(finding, name)?))).collect();
    host.risk = risk(&parts);
    host.severity = Severity::of_risk(host.risk);
    host.state = state(&parts).into();
    host.tactics = tactics(parts.iter().map(|(finding, _)| *finding));
    host.findings = findings.iter().map(|finding| finding.id.clone()).collect();
    host
}

/// The worst part it plays; a host that attacks after somebody got in is called by what it does now.
pub(super) fn state(parts: &[(&Finding, Part)]) -> &'static str {
    let worst = parts.iter().filter(|(finding, _)| finding.outcome != Outcome::BenignTrigger).map(|&(_, part)| part).max();
    worst.map_or("clean", Part::name)
}

/// 0 to 100.
pub(super) fn risk(parts: &[(&Finding, Part)]) -> f64 {
    let mut families: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for (finding, part) in parts {
        families.entry(&finding.family).or_default().push(finding.risk * share(finding, *part));
    }
    let spared: f64 = families.values().map(|risks| 1.0 - family(risks) / 100.0).product();
    let mut risk = 100.0 * (1.0 - spared) * bonus(parts);
    let grave = |finding: &Finding| finding.outcome == Outcome::Confirmed && finding.risk >= GRAVE_IMPACT * finding.confidence;
    if parts.iter().any(|(finding, part)| *part != Part::Targeted && grave(finding) && finding.confidence >= SURE) {
        risk = risk.max(GRAVE_RISK);
    }
    if parts.iter().all(|(finding, _)| finding.outcome <= Outcome::Attempt) {
        risk = risk.min(NOISE);
    }
    (risk.clamp(0.0, 100.0) * 1e6).round() / 1e6
}

/// The gravest, and a little for each repetition.
fn family(risks: &[f64]) -> f64 {
    let gravest = risks.iter().copied().fold(0.0, f64::max);
    let rest: f64 = risks.iter().sum::<f64>() - gravest;
    (gravest + REPETITION * rest).min(100.0)
}

fn bonus(parts: &[(&Finding, Part)]) -> f64 {
    let sure: Vec<&Finding> = parts
        .iter()
        .map(|(finding, _)| *finding)
        .filter(|finding| finding.confidence >= SURE && finding.severity > Severity::Info)
        .collect();
    let tactics = tactics(sure.iter().copied());
    let breadth = (1.0 + TACTIC_BONUS.0 * (tactics.len().max(1) - 1) as f64).min(TACTIC_BONUS.1);
    if tactics.len() > 1 && in_order(&sure) { (breadth * ORDER_BONUS).min(TACTIC_BONUS.1) } else { breadth }
}

/// Each tactic began no earlier than the one before it in the kill chain.
fn in_order(findings: &[&Finding]) -> bool {
    let mut begins: BTreeMap<usize, i64> = BTreeMap::new();
    for finding in findings {
        let begin = begins.entry(stage(&finding.tactic)).or_insert(finding.first_ns);
        *begin = (*begin).min(finding.first_ns);
    }
    let times: Vec<i64> = begins.into_values().collect();
    times.windows(2).all(|pair| pair[0] <= pair[1])
}
