//! Prose of a case: by the template when it is made, by whoever explained it last when it is read.

#[cfg(feature = "llm")]
mod model;

#[cfg(feature = "llm")]
pub use model::{ask, dry_run};

use super::{Error, reopen_with_incidents};
use crate::model::Report;
use crate::model::report::{Incident, Prose};
use crate::narrate::{About, Narrator, Story, Template};
use crate::store::{Summary, journal};
use std::collections::BTreeMap;
use std::path::Path;

/// The story of a report.
pub fn story<'a>(report: &'a Report, incidents: &'a [Incident]) -> Story<'a> {
    Story { verdict: &report.verdict, coverage: &report.coverage, findings: &report.findings, incidents, hosts: &report.hosts }
}

/// The case and each incident, told by the template.
pub(super) fn by_template(report: &Report, incidents: &[Incident]) -> Vec<Prose> {
    let story = story(report, incidents);
    story.parts().iter().filter_map(|about| Template.tell(&story, about)).collect()
}

/// Rows of `summaries`.
pub(super) fn rows(prose: &[Prose]) -> Vec<Summary> {
    let row =
        |told: &Prose| Summary { subject: told.about.clone(), narrator: told.narrator.clone(), says: told.text(), cites: told.cites() };
    prose.iter().map(row).collect()
}

/// The same, but where somebody had it explained since the last analysis, in those words.
pub(super) fn as_told(folder: &Path, report: &Report, incidents: &[Incident]) -> Result<Vec<Prose>, Error> {
    let mut newest: BTreeMap<String, Prose> = BTreeMap::new();
    for entry in journal::read(folder)? {
        match entry.action.as_str() {
            "analysed" => newest.clear(),
            "explained" => {
                newest.extend(serde_json::from_value(entry.detail["prose"].clone()).ok().map(|told: Prose| (told.about.clone(), told)))
            }
            _ => {}
        }
    }
    let there = |told: &Prose| told.cites().iter().all(|id| report.findings.iter().any(|finding| finding.id == *id));
    let mut prose = by_template(report, incidents);
    for told in &mut prose {
        if let Some(other) = newest.remove(&told.about).filter(there) {
            *told = other;
        }
    }
    Ok(prose)
}

/// What was told.
#[derive(Clone, Debug, Default)]
pub struct Explained {
    /// Prose, in the order asked for.
    pub prose: Vec<Prose>,
    /// Tokens spent.
    pub tokens: u64,
    /// Parts that were answered before and cost nothing.
    pub remembered: u64,
}

/// Has parts of the case in `folder` told by the template; all that a report tells if `parts` is empty. Nothing leaves, nothing is noted.
pub fn explain(folder: &Path, parts: &[About]) -> Result<Explained, Error> {
    let (report, incidents) = reopen_with_incidents(folder)?;
    let story = story(&report, &incidents);
    let prose = wanted(&story, parts)?.iter().filter_map(|about| Template.tell(&story, about)).collect();
    Ok(Explained { prose, ..Explained::default() })
}

/// The parts to tell; each must be there.
fn wanted(story: &Story<'_>, parts: &[About]) -> Result<Vec<About>, Error> {
    if parts.is_empty() {
        return Ok(story.parts());
    }
    for about in parts {
        if story.findings_of(about).is_none_or(|findings| findings.is_empty() && *about != About::Case) {
            return Err(Error::Selection(format!(
                "there is no {about} to explain: this case has {} findings and {} incidents that are not put aside",
                story.findings.len(),
                story.parts().len() - 1
            )));
        }
    }
    Ok(parts.to_vec())
}
