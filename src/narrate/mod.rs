//! Findings → prose: what happened, why it is suspicious, what to do next; for the case, an incident or one finding.
//!
//! The template needs nothing but the findings and says the same about the same. A model may write instead, if somebody asks for it: it
//! is shown findings and nothing else, and a sentence that does not follow from the findings it cites is dropped (`check`). Where a model
//! fails, the template takes over and says why.

#[cfg(feature = "llm")]
pub mod llm;

mod template;
mod words;

#[cfg(test)]
mod tests;

pub use template::Template;

use crate::model::Finding;
use crate::model::report::{Coverage, Host, Incident, Prose, Verdict};
use std::fmt;
use std::str::FromStr;

/// Everything that can be told.
#[derive(Clone, Copy, Debug)]
pub struct Story<'a> {
    /// The one line and what to do first.
    pub verdict: &'a Verdict,
    /// What was seen and what not.
    pub coverage: &'a Coverage,
    /// Findings, gravest first.
    pub findings: &'a [Finding],
    /// Incidents, gravest first.
    pub incidents: &'a [Incident],
    /// Hosts, gravest first.
    pub hosts: &'a [Host],
}

/// What is told about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum About {
    /// The case as a whole.
    Case,
    /// An incident.
    Incident(String),
    /// A finding.
    Finding(String),
}

impl FromStr for About {
    type Err = String;

    fn from_str(typed: &str) -> Result<Self, String> {
        let numbered = |letter: char| typed.strip_prefix(letter).is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
        match () {
            () if typed == "case" => Ok(Self::Case),
            () if numbered('I') => Ok(Self::Incident(typed.into())),
            () if numbered('F') => Ok(Self::Finding(typed.into())),
            () => Err(format!("{typed:?} is nothing that can be explained; write F3, I1 or case")),
        }
    }
}

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Case => f.write_str("case"),
            Self::Incident(id) | Self::Finding(id) => f.write_str(id),
        }
    }
}

/// An ATT&CK technique in words, with its id.
pub fn technique(id: &str) -> String {
    words::technique(id)
}

/// Writes prose.
pub trait Narrator {
    /// What it is called in `summaries`.
    fn name(&self) -> String;
    /// Tells about a part of the story; `None` if there is no such part.
    fn tell(&mut self, story: &Story<'_>, about: &About) -> Option<Prose>;
}

impl<'a> Story<'a> {
    /// The findings that a part of the story rests on, in order of time; `None` if there is no such part.
    pub fn findings_of(&self, about: &About) -> Option<Vec<&'a Finding>> {
        let mut told: Vec<&Finding> = match about {
            About::Case => self.findings.iter().collect(),
            About::Finding(id) => vec![self.findings.iter().find(|finding| finding.id == *id)?],
            About::Incident(id) => {
                let incident = self.incidents.iter().find(|incident| incident.id == *id)?;
                self.findings.iter().filter(|finding| incident.findings.contains(&finding.id)).collect()
            }
        };
        told.sort_by(|a, b| (a.first_ns, a.last_ns, &a.id).cmp(&(b.first_ns, b.last_ns, &b.id)));
        Some(told)
    }

    /// Every part that a report tells: the case, and each incident that has findings.
    pub fn parts(&self) -> Vec<About> {
        let there = |incident: &&Incident| self.findings.iter().any(|finding| incident.findings.contains(&finding.id));
        let incidents = self.incidents.iter().filter(there).map(|incident| About::Incident(incident.id.clone()));
        std::iter::once(About::Case).chain(incidents).collect()
    }
}
