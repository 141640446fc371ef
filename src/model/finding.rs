//! A finding: what a detection says, folded, scored, and ending in frames.

use super::Ts;
use serde::{Deserialize, Serialize};

/// Bands over risk: info below 20, then low, medium 40, high 60, critical 80.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth a line.
    #[default]
    Info,
    /// Worth a look when there is time.
    Low,
    /// Worth a look.
    Medium,
    /// Act today.
    High,
    /// Act now.
    Critical,
}

impl Severity {
    /// All, mildest first.
    pub const ALL: [Self; 5] = [Self::Info, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The band of a risk from 0 to 100.
    pub fn of_risk(risk: f64) -> Self {
        match risk {
            r if r >= 80.0 => Self::Critical,
            r if r >= 60.0 => Self::High,
            r if r >= 40.0 => Self::Medium,
            r if r >= 20.0 => Self::Low,
            _ => Self::Info,
        }
    }

    /// Lower-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// Whether the technique itself was carried out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It fired on something known to be harmless.
    BenignTrigger,
    /// Tried; no effect seen.
    Attempt,
    /// Password guessing without success.
    Guessing,
    /// Probably worked.
    Likely,
    /// Seen in full.
    Confirmed,
}

impl Outcome {
    /// All.
    pub const ALL: [Self; 5] = [Self::BenignTrigger, Self::Attempt, Self::Guessing, Self::Likely, Self::Confirmed];

    /// Factor on risk (DETECTIONS: attempt 0.4, guessing without success 0.6, likely 0.8, confirmed 1, benign trigger 0.15).
    pub fn factor(self) -> f64 {
        match self {
            Self::BenignTrigger => 0.15,
            Self::Attempt => 0.4,
            Self::Guessing => 0.6,
            Self::Likely => 0.8,
            Self::Confirmed => 1.0,
        }
    }

    /// Snake-case name, as rules write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::BenignTrigger => "benign_trigger",
            Self::Attempt => "attempt",
            Self::Guessing => "guessing",
            Self::Likely => "likely",
            Self::Confirmed => "confirmed",
        }
    }

    /// The outcome of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.name() == name)
    }
}

/// One term of the confidence: `weight * value` is added to the log-odds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Term {
    /// What it measures.
    pub name: String,
    /// Its weight in log-odds.
    pub weight: f64,
    /// Its value, -1 to 1 unless the rule says otherwise.
    pub value: f64,
}

/// A finding: a line of `findings.ndjson` and a row of `findings`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// `F1` is the gravest.
    pub id: String,
    /// Id of the rule.
    pub rule: String,
    /// The rule's title.
    pub title: String,
    /// What happened, in a sentence with the numbers.
    pub says: String,
    /// Band of `risk`.
    pub severity: Severity,
    /// P(true), 0.02 to 0.99.
    pub confidence: f64,
    /// 0 to 100: impact × confidence × outcome.
    pub risk: f64,
    /// How far it got.
    pub outcome: Outcome,
    /// ATT&CK ids, the technique first.
    pub attack: Vec<String>,
    /// Tactic: the folder of the rule.
    pub tactic: String,
    /// Mutually redundant rules share a family.
    pub family: String,
    /// Who does it: plain addresses.
    pub actors: Vec<String>,
    /// Who suffers it: plain addresses.
    pub targets: Vec<String>,
    /// Accounts concerned.
    pub users: Vec<String>,
    /// Earliest evidence.
    pub first_seen: String,
    /// Latest evidence.
    pub last_seen: String,
    /// The same in nanoseconds.
    pub first_ns: Ts,
    /// The same in nanoseconds.
    pub last_ns: Ts,
    /// Observed values beside their thresholds.
    pub evidence: serde_json::Value,
    /// Terms of the confidence.
    pub terms: Vec<Term>,
    /// Flow ids, as printed.
    pub flows: Vec<String>,
    /// Case frame numbers, the telling ones first, at most 200.
    pub frames: Vec<u64>,
    /// A Wireshark display filter that shows it.
    pub wireshark: String,
    /// What harmless thing looks like this.
    pub benign: String,
    /// How many rows of the rule were folded into it.
    pub folded: u64,
    /// What makes it the same finding.
    pub key: String,
    /// Incident, once grouped.
    pub incident: Option<String>,
}
