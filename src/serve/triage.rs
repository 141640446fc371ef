//! What people say became of findings: entries of the journal, which is the only thing that serving writes.

use super::App;
use super::problem::Problem;
use crate::model::Finding;
use crate::pipeline::custody;
use crate::serve::described::{Described, message};
use crate::store::journal;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;

/// Characters of a comment.
pub const COMMENT: usize = 4_000;
/// What entries are called in the journal.
const TRIAGE: &str = "triage";
const COMMENTED: &str = "commented";

/// What somebody decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verb {
    /// Seen; being looked into.
    Acknowledge,
    /// Handed on to those who act.
    Escalate,
    /// Done with.
    Archive,
    /// Open again.
    Reopen,
    /// Nothing but words.
    Comment,
}

impl Verb {
    /// All, in the order of the buttons.
    pub const ALL: [Self; 5] = [Self::Acknowledge, Self::Escalate, Self::Archive, Self::Reopen, Self::Comment];

    /// Lower-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Acknowledge => "acknowledge",
            Self::Escalate => "escalate",
            Self::Archive => "archive",
            Self::Reopen => "reopen",
            Self::Comment => "comment",
        }
    }

    /// The state that a finding is in afterwards; words change none.
    fn state(self) -> Option<&'static str> {
        match self {
            Self::Acknowledge => Some("acknowledged"),
            Self::Escalate => Some("escalated"),
            Self::Archive => Some("archived"),
            Self::Reopen => Some("open"),
            Self::Comment => None,
        }
    }
}

impl Described for Verb {
    fn schema() -> serde_json::Value {
        json!({ "type": "string", "enum": Self::ALL.map(Self::name) })
    }
}

/// States of findings, as filters name them.
pub const STATES: [&str; 4] = ["open", "acknowledged", "escalated", "archived"];

message! {
    /// One entry about a finding.
    #[derive(Clone, Debug, Serialize)]
    pub struct Note {
        /// Wall clock, RFC 3339.
        pub at: String,
        /// Who.
        pub by: String,
        /// What.
        pub verb: Verb,
        /// In their words.
        pub comment: String,
    }
}

message! {
    /// What became of a finding so far.
    #[derive(Clone, Debug, Serialize)]
    pub struct Triage {
        /// `open`, `acknowledged`, `escalated` or `archived`.
        pub state: &'static str,
        /// Entries, oldest first.
        pub notes: Vec<Note>,
    }
}

impl Default for Triage {
    fn default() -> Self {
        Self { state: "open", notes: Vec::new() }
    }
}

/// By id of finding.
pub type Inbox = BTreeMap<String, Triage>;

/// The state of a finding; one of which nobody said anything is open.
pub fn state(inbox: &Inbox, id: &str) -> &'static str {
    inbox.get(id).map_or("open", |triage| triage.state)
}

/// What an entry says. Comments are the same entries that `vigil comment` writes.
#[derive(Deserialize)]
struct Detail {
    key: String,
    #[serde(alias = "author")]
    by: String,
    #[serde(default, alias = "text")]
    comment: String,
    #[serde(default = "words")]
    verb: Verb,
}

fn words() -> Verb {
    Verb::Comment
}

/// Reads the journal. Findings are recognised by their key, so that what was said holds after another analysis.
pub fn read(app: &App) -> Result<Inbox, Problem> {
    let mut by_key: BTreeMap<String, Triage> = BTreeMap::new();
    for entry in journal::read(&app.folder)?.into_iter().filter(|entry| [TRIAGE, COMMENTED].contains(&entry.action.as_str())) {
        let Ok(detail) = serde_json::from_value::<Detail>(entry.detail) else { continue };
        let triage = by_key.entry(detail.key).or_default();
        triage.state = detail.verb.state().unwrap_or(triage.state);
        triage.notes.push(Note { at: entry.at, by: detail.by, verb: detail.verb, comment: detail.comment });
    }
    Ok(app.report.findings.iter().filter_map(|finding| Some((finding.id.clone(), by_key.get(&finding.key)?.clone()))).collect())
}

/// Adds an entry.
pub fn write(app: &App, finding: &Finding, by: &str, verb: Verb, comment: &str) -> Result<(), Problem> {
    let comment = comment.trim();
    if comment.chars().count() > COMMENT {
        return Err(Problem::TooLarge(format!("a comment may have {COMMENT} characters")));
    }
    if verb == Verb::Comment && comment.is_empty() {
        return Err(Problem::Wrong("a comment needs words".into()));
    }
    let (action, detail) = match verb {
        Verb::Comment => (COMMENTED, json!({ "finding": finding.id, "key": finding.key, "text": comment, "author": by })),
        _ => (TRIAGE, json!({ "finding": finding.id, "key": finding.key, "verb": verb, "by": by, "comment": comment })),
    };
    custody::record(&app.folder, action, detail).map_err(|error| Problem::Ours(error.to_string()))?;
    Ok(())
}
