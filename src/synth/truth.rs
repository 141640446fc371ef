//! What really happened: the labels of a generated capture, one JSON line each.

use crate::model::{Outcome, Ts, time};
use serde::Serialize;
use std::net::IpAddr;

/// Something done in a story, named before its packets are sent.
#[derive(Clone, Debug, Serialize)]
pub struct Deed {
    /// `attack`, or `benign` for what merely looks like one.
    pub kind: &'static str,
    /// The rule that should find it, if there is one.
    pub rule: Option<&'static str>,
    /// ATT&CK tactic, lower case.
    pub phase: &'static str,
    /// ATT&CK ids, the technique first.
    pub techniques: &'static [&'static str],
    /// Who does it.
    pub attackers: Vec<IpAddr>,
    /// Who suffers it.
    pub victims: Vec<IpAddr>,
    /// Whether the technique was carried out.
    pub outcome: Outcome,
    /// What happens, in a sentence.
    pub says: &'static str,
}

impl Deed {
    /// An attack that works.
    pub fn attack(phase: &'static str, techniques: &'static [&'static str], says: &'static str) -> Self {
        let (attackers, victims) = (Vec::new(), Vec::new());
        Self { kind: "attack", rule: None, phase, techniques, attackers, victims, outcome: Outcome::Confirmed, says }
    }

    /// Something harmless that looks like an attack.
    pub fn benign(says: &'static str) -> Self {
        Self { kind: "benign", outcome: Outcome::BenignTrigger, ..Self::attack("", &[], says) }
    }

    /// Names the rule that should find it.
    pub fn rule(mut self, id: &'static str) -> Self {
        self.rule = Some(id);
        self
    }

    /// Names who does it.
    pub fn by(mut self, actors: impl IntoIterator<Item = IpAddr>) -> Self {
        self.attackers.extend(actors);
        self
    }

    /// Names who suffers it.
    pub fn on(mut self, targets: impl IntoIterator<Item = IpAddr>) -> Self {
        self.victims.extend(targets);
        self
    }

    /// Says how far it got.
    pub fn ends(mut self, outcome: Outcome) -> Self {
        self.outcome = outcome;
        self
    }
}

/// A deed and the frames it left: a line of `truth.jsonl`.
#[derive(Clone, Debug, Serialize)]
pub struct Instance {
    /// Name of the capture.
    pub capture: String,
    /// Number of the deed in the capture, from 1.
    pub instance_id: usize,
    /// What was done.
    #[serde(flatten)]
    pub deed: Deed,
    /// Time of its first frame, RFC 3339.
    pub t0: String,
    /// Time of its last frame.
    pub t1: String,
    /// The same in nanoseconds.
    pub first_ns: Ts,
    /// The same in nanoseconds.
    pub last_ns: Ts,
    /// Its frames as `[first, last]` runs, numbered from 1 as Wireshark does.
    pub frames: Vec<[u64; 2]>,
}

impl Instance {
    /// How many frames it has.
    pub fn frame_count(&self) -> u64 {
        self.frames.iter().map(|[first, last]| last - first + 1).sum()
    }
}

/// All deeds of one capture that left frames, in the order they were begun. What carries no label is background.
#[derive(Clone, Debug, Default)]
pub struct Truth(pub Vec<Instance>);

impl Truth {
    /// `truth.jsonl`: one deed a line.
    pub fn jsonl(&self) -> String {
        self.0.iter().filter_map(|instance| serde_json::to_string(instance).ok()).map(|line| line + "\n").collect()
    }

    /// Joins deeds with the frames they left: deed, time and number of each, in order.
    pub(super) fn of(capture: &str, deeds: Vec<Deed>, frames: impl IntoIterator<Item = (usize, Ts, u64)>) -> Self {
        let mut found: Vec<(Deed, Vec<(Ts, u64)>)> = deeds.into_iter().map(|deed| (deed, Vec::new())).collect();
        for (label, ts, number) in frames {
            if let Some((_, frames)) = found.get_mut(label) {
                frames.push((ts, number));
            }
        }
        let seen = found.into_iter().filter_map(|(deed, frames)| Some((deed, frames.first()?.0, frames.last()?.0, runs(&frames))));
        let line = |(instance_id, (deed, first_ns, last_ns, frames))| Instance {
            capture: capture.into(),
            instance_id,
            deed,
            t0: time::rfc3339(first_ns),
            t1: time::rfc3339(last_ns),
            first_ns,
            last_ns,
            frames,
        };
        Self((1..).zip(seen).map(line).collect())
    }
}

/// Consecutive frame numbers as `[first, last]`.
fn runs(frames: &[(Ts, u64)]) -> Vec<[u64; 2]> {
    let mut out: Vec<[u64; 2]> = Vec::new();
    for (_, number) in frames {
        match out.last_mut() {
            Some([_, last]) if *last + 1 == *number => *last = *number,
            _ => out.push([*number, *number]),
        }
    }
    out
}
