//! Findings → host risk, incidents, timeline, verdict. Pure functions on values: no database, no clock.
//!
//! Findings say what happened; this floor says to whom, what belongs together, and what to do first.

mod advice;
mod cast;
mod group;
mod hosts;
mod link;
mod story;
mod verdict;

#[cfg(test)]
mod tests;

pub use advice::{advice, things_to_do};

use crate::model::report::{Host, Incident, RuleRun, TimelineEntry, Verdict};
use crate::model::{Finding, HomeNets, Severity};
use std::collections::BTreeMap;

/// Lines of the timeline: a story that is longer is not read.
const TIMELINE: usize = 60;

/// What is known beyond the findings.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Hosts with names, hardware, roles and traffic; risk, state, tactics and findings are filled in here.
    pub hosts: Vec<Host>,
    /// Frames read.
    pub frames: u64,
    /// Flows seen.
    pub flows: u64,
    /// Places where evidence is damaged.
    pub damaged: u64,
}

/// Whether `name` is an address of ours. Addresses that no flow had (they stand in ARP, or in a payload) are judged by the usual ranges.
fn is_home(name: &str, hosts: &[Host]) -> bool {
    let known = hosts.iter().find(|host| host.ip == name).map(|host| host.internal);
    known.unwrap_or_else(|| name.parse().is_ok_and(|addr| HomeNets::default().contains(addr)))
}

/// The same, by address.
struct Known<'a>(BTreeMap<&'a str, &'a Host>);

impl<'a> Known<'a> {
    fn new(facts: &'a Facts) -> Self {
        Self(facts.hosts.iter().map(|host| (host.ip.as_str(), host)).collect())
    }

    /// As [`is_home`].
    fn is_home(&self, name: &str) -> bool {
        let known = self.0.get(name).map(|host| host.internal);
        known.unwrap_or_else(|| name.parse().is_ok_and(|addr| HomeNets::default().contains(addr)))
    }

    /// Its best name; empty if it has none.
    fn name_of(&self, ip: &str) -> String {
        self.0.get(ip).and_then(|host| host.names.first()).cloned().unwrap_or_default()
    }

    /// Whether it has one of these roles.
    fn has_role(&self, ip: &str, roles: &[&str]) -> bool {
        self.0.get(ip).is_some_and(|host| host.roles.iter().any(|role| roles.contains(&role.as_str())))
    }
}

/// The judgement.
#[derive(Clone, Debug, Default)]
pub struct Judged {
    /// Hosts that findings name, gravest first.
    pub hosts: Vec<Host>,
    /// What belongs together, gravest first.
    pub incidents: Vec<Incident>,
    /// The story in order of time.
    pub timeline: Vec<TimelineEntry>,
    /// One line that a person can act on.
    pub verdict: Verdict,
}

/// Judges all findings of a case, and writes into each the incident that it belongs to.
pub fn judge(findings: &mut [Finding], runs: &[RuleRun], facts: &Facts) -> Judged {
    let hosts = hosts::weigh(findings, facts);
    let incidents = group::group(findings, &Known::new(facts));
    let timeline = timeline(findings);
    let verdict = verdict::say(findings, &hosts, runs, facts);
    Judged { hosts, incidents, timeline, verdict }
}

/// The gravest findings in order of time.
fn timeline(findings: &[Finding]) -> Vec<TimelineEntry> {
    timeline_of(&findings.iter().filter(|finding| finding.severity > Severity::Info).collect::<Vec<_>>(), TIMELINE)
}

/// The `most` gravest of `findings` in order of time.
fn timeline_of(findings: &[&Finding], most: usize) -> Vec<TimelineEntry> {
    let mut told: Vec<&Finding> = findings.to_vec();
    // Stable: findings of equal risk stay in their order.
    told.sort_by(|a, b| b.risk.total_cmp(&a.risk));
    told.truncate(most);
    let mut lines: Vec<TimelineEntry> = told
        .into_iter()
        .map(|finding| TimelineEntry {
            ts_ns: finding.first_ns,
            until_ns: finding.last_ns,
            finding: finding.id.clone(),
            tactic: finding.tactic.clone(),
            says: finding.says.clone(),
            severity: finding.severity,
        })
        .collect();
    lines.sort_by(|a, b| (a.ts_ns, a.until_ns, &a.finding).cmp(&(b.ts_ns, b.until_ns, &b.finding)));
    lines
}

/// Tactics of `findings` in kill-chain order, once each.
fn tactics<'a>(findings: impl Iterator<Item = &'a Finding>) -> Vec<String> {
    let mut found: Vec<&str> = findings.map(|finding| finding.tactic.as_str()).collect();
    found.sort_by_key(|tactic| (stage(tactic), *tactic));
    found.dedup();
    found.into_iter().map(str::to_owned).collect()
}

/// Place of a tactic in the kill chain; what is unknown comes last.
fn stage(tactic: &str) -> usize {
    crate::detect::TACTICS.iter().position(|known| *known == tactic).unwrap_or(usize::MAX)
}
