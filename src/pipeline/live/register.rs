//! The findings of a live case: each is there once, by its key, however often its rule says it.
//!
//! A rule is asked again and again, each time over what its window shows. What it says anew replaces what it said before, as long as
//! all of the evidence is still in sight; once the beginning has left the window, the old and the new are put together. What a rule no
//! longer says, with all of the evidence in sight, is withdrawn: more traffic told it apart.

use super::drops::Drops;
use crate::detect;
use crate::model::{Finding, Severity, Ts, time};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Findings kept. Beyond, those that ended longest ago are let go from the state; `alerts.ndjson` still has them.
const MOST: usize = 10_000;
/// Names, flows and frames kept of a finding that is put together.
const NAMES: usize = 256;
const FLOWS: usize = 1_000;
const FRAMES: usize = 200;

/// What became of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It was not known.
    New,
    /// It became graver, or concerns more.
    Update,
    /// The rule no longer says it, or says it as part of another.
    Withdrawn,
}

/// An event: a line of `alerts.ndjson`.
#[derive(Clone, Debug, Serialize)]
pub struct Change {
    /// Capture time of the check, RFC 3339.
    pub at: String,
    /// What happened.
    pub change: Kind,
    /// The finding as it stands, or stood.
    pub finding: Finding,
}

/// What was asked.
pub struct Asked<'a> {
    /// Ids of the rules that ran to their end.
    pub rules: &'a BTreeSet<String>,
    /// Nothing before was in sight; `None` where all was.
    pub since: Option<Ts>,
    /// Capture time.
    pub now: Ts,
}

/// All findings that stand.
#[derive(Default)]
pub struct Register {
    standing: BTreeMap<String, Finding>,
    last_id: u64,
    /// Let go because there were too many.
    pub forgotten: u64,
}

impl Register {
    /// Goes on with the findings of an earlier run.
    pub fn resume(findings: Vec<Finding>) -> Self {
        let number = |finding: &Finding| finding.id.strip_prefix('F').and_then(|number| number.parse::<u64>().ok());
        let last_id = findings.iter().filter_map(number).max().unwrap_or(0);
        Self { standing: findings.into_iter().map(|finding| (finding.key.clone(), finding)).collect(), last_id, forgotten: 0 }
    }

    /// Findings as they stand, gravest first.
    pub fn standing(&self) -> Vec<&Finding> {
        let mut standing: Vec<&Finding> = self.standing.values().collect();
        standing.sort_by(|a, b| detect::order(a, b));
        standing
    }

    /// How many stand at each severity, mildest first.
    pub fn counts(&self) -> [u64; 5] {
        Severity::ALL.map(|severity| self.standing.values().filter(|finding| finding.severity == severity).count() as u64)
    }

    /// Takes the answer of a check; returns what changed, gravest first.
    pub fn take(&mut self, found: Vec<Finding>, asked: &Asked<'_>, drops: &Drops) -> Vec<Change> {
        let mut changes = Vec::new();
        let keys: BTreeSet<String> = found.iter().map(|finding| finding.key.clone()).collect();
        for finding in found {
            changes.extend(self.put(finding, asked, drops));
        }
        changes.extend(self.withdraw(&keys, asked));
        self.make_room();
        changes.sort_by(|a, b| detect::order(&a.finding, &b.finding));
        changes
    }

    fn put(&mut self, mut finding: Finding, asked: &Asked<'_>, drops: &Drops) -> Option<Change> {
        let before = self.standing.get(&finding.key);
        let kind = match before {
            None => {
                self.last_id += 1;
                finding.id = format!("F{}", self.last_id);
                Some(Kind::New)
            }
            Some(before) => {
                finding.id.clone_from(&before.id);
                if asked.since.is_some_and(|since| before.first_ns < since) {
                    finding = together(before, finding);
                }
                told_anew(before, &finding).then_some(Kind::Update)
            }
        };
        drops.mark(&mut finding);
        let change = kind.map(|change| Change { at: time::rfc3339(asked.now), change, finding: finding.clone() });
        self.standing.insert(finding.key.clone(), finding);
        change
    }

    /// Findings of rules that were asked, saw all of the evidence, and said nothing of it.
    fn withdraw(&mut self, said: &BTreeSet<String>, asked: &Asked<'_>) -> Vec<Change> {
        let seen_whole = |finding: &Finding| asked.since.is_none_or(|since| finding.first_ns >= since);
        let gone: Vec<String> = self
            .standing
            .values()
            .filter(|finding| asked.rules.contains(&finding.rule) && !said.contains(&finding.key) && seen_whole(finding))
            .map(|finding| finding.key.clone())
            .collect();
        let gone = gone.iter().filter_map(|key| self.standing.remove(key));
        gone.map(|finding| Change { at: time::rfc3339(asked.now), change: Kind::Withdrawn, finding }).collect()
    }

    fn make_room(&mut self) {
        if self.standing.len() <= MOST {
            return;
        }
        let mut ends: Vec<(Ts, String)> = self.standing.values().map(|finding| (finding.last_ns, finding.key.clone())).collect();
        ends.sort();
        for (_, key) in ends.into_iter().take(self.standing.len() - MOST) {
            self.standing.remove(&key);
            self.forgotten += 1;
        }
    }
}

/// Whether someone who knows the finding would want to hear of it again.
fn told_anew(before: &Finding, now: &Finding) -> bool {
    now.severity > before.severity
        || now.outcome != before.outcome
        || now.actors.iter().any(|actor| !before.actors.contains(actor))
        || now.targets.iter().any(|target| !before.targets.contains(target))
}

/// One finding of two that a window showed one after the other: the graver one speaks, both testify.
fn together(before: &Finding, now: Finding) -> Finding {
    let (lead, other) = if now.risk >= before.risk { (now.clone(), before) } else { (before.clone(), &now) };
    let mut whole = lead;
    whole.first_ns = before.first_ns.min(now.first_ns);
    whole.last_ns = before.last_ns.max(now.last_ns);
    (whole.first_seen, whole.last_seen) = (time::rfc3339(whole.first_ns), time::rfc3339(whole.last_ns));
    add(&mut whole.actors, &other.actors, NAMES);
    add(&mut whole.targets, &other.targets, NAMES);
    add(&mut whole.users, &other.users, NAMES);
    add(&mut whole.flows, &other.flows, FLOWS);
    add(&mut whole.frames, &other.frames, FRAMES);
    whole.folded = whole.folded.max(other.folded);
    whole
}

fn add<T: Clone + Ord>(to: &mut Vec<T>, more: &[T], most: usize) {
    let known: BTreeSet<T> = to.iter().cloned().collect();
    let room = most.saturating_sub(to.len());
    to.extend(more.iter().filter(|one| !known.contains(one)).take(room).cloned());
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn finding(key: &str, target: &str, risk: f64, first_ns: Ts) -> Finding {
        let value = json!({
            "id": "", "rule": "r", "title": "t", "says": "s", "severity": "low", "confidence": 0.5, "risk": risk, "outcome": "attempt",
            "attack": [], "tactic": "discovery", "family": "f", "actors": ["a"], "targets": [target], "users": [],
            "first_seen": "", "last_seen": "", "first_ns": first_ns, "last_ns": first_ns + 5, "evidence": {}, "terms": [],
            "flows": [], "frames": [], "wireshark": "", "benign": "", "folded": 1, "key": key, "incident": null
        });
        serde_json::from_value(value).unwrap()
    }

    fn take(register: &mut Register, found: Vec<Finding>, since: Option<Ts>, now: Ts) -> Vec<(Kind, String)> {
        let rules = BTreeSet::from(["r".to_string()]);
        let changes = register.take(found, &Asked { rules: &rules, since, now }, &Drops::default());
        changes.into_iter().map(|change| (change.change, change.finding.id)).collect()
    }

    #[test]
    fn what_is_said_again_is_no_new_finding_and_a_further_target_is_an_update() {
        let mut register = Register::default();
        assert_eq!(take(&mut register, vec![finding("k", "b", 30.0, 10)], None, 20), [(Kind::New, "F1".into())]);
        assert_eq!(take(&mut register, vec![finding("k", "b", 30.0, 10)], None, 30), []);
        assert_eq!(take(&mut register, vec![finding("k", "c", 30.0, 10)], None, 40), [(Kind::Update, "F1".into())]);
        assert_eq!(register.standing().len(), 1);
    }

    #[test]
    fn what_a_rule_takes_back_is_withdrawn_unless_its_evidence_is_out_of_sight() {
        let mut register = Register::default();
        take(&mut register, vec![finding("old", "b", 30.0, 10), finding("young", "b", 30.0, 100)], None, 110);
        let gone = take(&mut register, vec![], Some(50), 120);
        assert_eq!(gone.len(), 1);
        assert_eq!(register.standing().iter().map(|finding| finding.key.as_str()).collect::<Vec<_>>(), ["old"]);
    }

    #[test]
    fn evidence_that_left_the_window_is_kept_beside_the_new() {
        let mut register = Register::default();
        take(&mut register, vec![finding("k", "b", 60.0, 10)], None, 20);
        take(&mut register, vec![finding("k", "c", 30.0, 1_000)], Some(500), 1_010);
        let kept = register.standing()[0];
        assert_eq!((kept.first_ns, kept.last_ns, kept.risk, kept.targets.len()), (10, 1_005, 60.0, 2));
    }

    #[test]
    fn another_run_goes_on_numbering() {
        let mut first = Register::default();
        take(&mut first, vec![finding("k", "b", 30.0, 10)], None, 20);
        let mut second = Register::resume(first.standing().into_iter().cloned().collect());
        assert_eq!(take(&mut second, vec![finding("k", "b", 30.0, 10), finding("n", "b", 30.0, 15)], None, 30), [(Kind::New, "F2".into())]);
    }
}
