//! What people said about a case: suppressions and comments. They stand in the journal, are applied whenever the case is read, and can
//! be taken back; what they put aside is counted wherever findings are.

mod domain;
mod overlay;
mod scope;

pub use overlay::overlay;
pub use scope::{Scope, Subject};

use super::{Error, custody};
use crate::model::Finding;
use crate::model::report::{Remark, SetAside};
use crate::store::{journal, manifest};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::Path;

/// A suppression as it stands in the journal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppression {
    /// `S4`: the number of its entry in the journal.
    #[serde(default)]
    pub id: String,
    /// Finding from which it was made.
    pub finding: String,
    /// How far it reaches.
    pub scope: Scope,
    /// What it was made from.
    #[serde(flatten)]
    pub subject: Subject,
    /// Domain that it is about, with [`Scope::Domain`].
    #[serde(default)]
    pub domain: Option<String>,
    /// Why.
    pub reason: String,
    /// Who.
    pub author: String,
    /// Until when, RFC 3339; `None` for good.
    pub expires: Option<String>,
    /// When it was made.
    #[serde(default)]
    pub at: String,
    /// `active`, `expired`, `undone`.
    #[serde(default)]
    pub state: String,
}

/// Everything that people said.
#[derive(Clone, Debug, Default)]
pub struct Notes {
    /// Suppressions, oldest first, those undone and expired too.
    pub suppressions: Vec<Suppression>,
    /// Comments, oldest first.
    pub remarks: Vec<Remark>,
}

impl Notes {
    /// What the journal of the case in `folder` says, as of now.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        Ok(Self::of(&journal::read(folder)?, Utc::now()))
    }

    fn of(entries: &[journal::Entry], now: DateTime<Utc>) -> Self {
        let mut notes = Self::default();
        for entry in entries {
            match entry.action.as_str() {
                "suppressed" => notes.suppressions.extend(suppression(entry, now)),
                "unsuppressed" => {
                    let undone = entry.detail["suppression"].as_str();
                    notes.suppressions.iter_mut().filter(|one| Some(one.id.as_str()) == undone).for_each(|one| one.state = "undone".into());
                }
                "commented" => notes.remarks.extend(remark(entry)),
                _ => {}
            }
        }
        notes
    }

    /// The suppression that puts this aside, if one does: the oldest of those in force.
    pub fn hiding(&self, subject: &Subject) -> Option<&Suppression> {
        self.suppressions.iter().filter(|one| one.state == "active").find(|one| one.covers(subject))
    }

    /// Takes out of `findings` what is put aside, and says what and why.
    pub fn set_aside(&self, findings: &mut Vec<Finding>) -> Vec<SetAside> {
        let mut aside = Vec::new();
        findings.retain(|finding| match self.hiding(&Subject::of(finding)) {
            Some(one) => {
                aside.push(one.aside(finding));
                false
            }
            None => true,
        });
        aside
    }

    /// Comments on findings that are there, under the ids that they have now.
    pub fn remarks_on(&self, findings: &[Finding]) -> Vec<Remark> {
        let on = |remark: &Remark| findings.iter().find(|finding| finding.key == remark.key).map(|finding| finding.id.clone());
        self.remarks.iter().filter_map(|remark| Some(Remark { finding: on(remark)?, ..remark.clone() })).collect()
    }
}

impl Suppression {
    fn covers(&self, subject: &Subject) -> bool {
        self.scope.covers(&self.subject, self.domain.as_deref(), subject)
    }

    fn aside(&self, finding: &Finding) -> SetAside {
        SetAside {
            finding: finding.id.clone(),
            severity: finding.severity,
            title: finding.title.clone(),
            suppression: self.id.clone(),
            scope: self.scope.name().into(),
            reason: self.reason.clone(),
            author: self.author.clone(),
            at: self.at.clone(),
            expires: self.expires.clone(),
        }
    }
}

fn suppression(entry: &journal::Entry, now: DateTime<Utc>) -> Option<Suppression> {
    let mut one: Suppression = serde_json::from_value(entry.detail.clone()).ok()?;
    let until = one.expires.as_deref().and_then(|text| DateTime::parse_from_rfc3339(text).ok());
    let over = until.is_some_and(|until| until <= now);
    (one.id, one.at) = (format!("S{}", entry.seq), entry.at.clone());
    one.state = if over { "expired" } else { "active" }.into();
    Some(one)
}

fn remark(entry: &journal::Entry) -> Option<Remark> {
    let text = |name: &str| entry.detail[name].as_str().map(str::to_owned);
    Some(Remark { finding: text("finding")?, key: text("key")?, text: text("text")?, author: text("author")?, at: entry.at.clone() })
}

/// Who does something, and why.
#[derive(Clone, Debug, Default)]
pub struct Who {
    /// Name.
    pub author: String,
    /// Reason.
    pub reason: String,
}

/// Puts a finding, or all like it, aside from now on.
pub fn suppress(
    folder: &Path,
    id: &str,
    scope: Scope,
    domain: Option<&str>,
    who: &Who,
    lasts: Option<chrono::Duration>,
) -> Result<Suppression, Error> {
    let finding = finding(folder, id)?;
    let subject = Subject::of(&finding);
    let domain = match scope {
        Scope::Domain => Some(domain::pattern(domain, &subject.domains).map_err(Error::Selection)?),
        _ => None,
    };
    scope.possible(&subject, id).map_err(Error::Selection)?;
    let expires = lasts.map(|lasts| (Utc::now() + lasts).to_rfc3339_opts(SecondsFormat::Secs, true));
    let (reason, author) = (who.reason.clone(), who.author.clone());
    let mut made = Suppression { finding: id.into(), scope, subject, domain, reason, author, expires, ..Suppression::default() };
    if !made.covers(&made.subject) {
        let about = made.domain.unwrap_or_default();
        return Err(Error::Selection(format!("{about} does not cover {id} itself; leave --domain out to take the domain of the finding")));
    }
    let mut detail = serde_json::to_value(&made).unwrap_or_default();
    if let Value::Object(fields) = &mut detail {
        ["id", "at", "state"].iter().for_each(|name| drop(fields.remove(*name)));
    }
    let entry = custody::record(folder, "suppressed", detail)?;
    (made.id, made.at, made.state) = (format!("S{}", entry.seq), entry.at, "active".into());
    Ok(made)
}

/// Takes back suppression `S4`, or all that put `F7` aside. Returns which.
pub fn unsuppress(folder: &Path, id: &str, who: &Who) -> Result<Vec<String>, Error> {
    manifest::read(folder)?;
    let notes = Notes::read(folder)?;
    let active = notes.suppressions.iter().filter(|one| one.state == "active");
    let wanted: Vec<String> = if id.starts_with('S') {
        active.filter(|one| one.id == id).map(|one| one.id.clone()).collect()
    } else {
        let subject = Subject::of(&finding(folder, id)?);
        active.filter(|one| one.covers(&subject)).map(|one| one.id.clone()).collect()
    };
    if wanted.is_empty() {
        return Err(Error::Selection(format!(
            "nothing in force is called {id} or puts it aside; `vigil suppress CASE --list` lists what there is"
        )));
    }
    for id in &wanted {
        custody::record(folder, "unsuppressed", json!({ "suppression": id, "reason": who.reason, "author": who.author }))?;
    }
    Ok(wanted)
}

/// Notes a comment on a finding.
pub fn comment(folder: &Path, id: &str, text: &str, author: &str) -> Result<(), Error> {
    let finding = finding(folder, id)?;
    custody::record(folder, "commented", json!({ "finding": id, "key": finding.key, "text": text, "author": author })).map(drop)
}

/// A finding of the case.
pub fn finding(folder: &Path, id: &str) -> Result<Finding, Error> {
    if !manifest::read(folder)?.complete {
        return Err(crate::store::StoreError::Unfinished(folder.into()).into());
    }
    let all = super::read_findings(folder)?;
    let count = all.len();
    let there =
        if count == 0 { "this case has none".into() } else { format!("this case has F1 to F{count}; `vigil report CASE` lists them") };
    all.into_iter().find(|finding| finding.id == id).ok_or_else(|| Error::Selection(format!("there is no finding {id}: {there}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(seq: u64, action: &str, detail: Value) -> journal::Entry {
        journal::Entry { seq, at: "2026-01-01T00:00:00Z".into(), action: action.into(), detail, prev: String::new(), hash: String::new() }
    }

    fn made(expires: Option<&str>) -> Value {
        json!({
            "finding": "F1", "scope": "rule", "rule": "beacon", "key": "beacon a", "actors": ["10.0.0.1"], "targets": [], "domains": [],
            "reason": "update service", "author": "kim", "expires": expires,
        })
    }

    fn subject() -> Subject {
        Subject { rule: "beacon".into(), key: "beacon b".into(), ..Subject::default() }
    }

    #[test]
    fn a_suppression_holds_until_it_expires_or_is_undone() {
        let now: DateTime<Utc> = "2026-06-01T00:00:00Z".parse().unwrap();
        let state = |entries: &[journal::Entry]| {
            let notes = Notes::of(entries, now);
            (notes.suppressions[0].id.clone(), notes.suppressions[0].state.clone(), notes.hiding(&subject()).is_some())
        };
        assert_eq!(state(&[entry(3, "suppressed", made(None))]), ("S3".into(), "active".into(), true));
        assert_eq!(state(&[entry(3, "suppressed", made(Some("2026-05-31T00:00:00Z")))]), ("S3".into(), "expired".into(), false));
        assert_eq!(state(&[entry(3, "suppressed", made(Some("2026-06-02T00:00:00Z")))]), ("S3".into(), "active".into(), true));
        let undone = [entry(3, "suppressed", made(None)), entry(4, "unsuppressed", json!({ "suppression": "S3" }))];
        assert_eq!(state(&undone), ("S3".into(), "undone".into(), false));
    }
}
