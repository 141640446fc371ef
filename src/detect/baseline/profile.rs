//! The file that `vigil train` writes: JSON with its version and its feature definitions, checked when it is read.

use super::sketch::{BIN, Sketch};
use super::{OF_FLOWS, OF_SETS, OF_WINDOWS, WINDOW_S};
use crate::dissect::hex;
use crate::model::Ts;
use crate::model::time::SECOND;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Version of the format.
const VERSION: u32 = 1;
/// What is left of an observation after a day.
const DECAY_A_DAY: f64 = 0.97;
/// Things of one kind that are remembered at most.
const MOST_THINGS: usize = 200_000;
/// Nanoseconds of a day.
const DAY: i64 = 86_400 * SECOND;

/// Sketches by measure.
pub type Measures = BTreeMap<String, Sketch>;

/// What is usual.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// Version of the format.
    vigil_profile: u32,
    /// vigil's version that wrote it.
    made_by: String,
    /// What the measures mean.
    features: Features,
    /// SHA-256 of the evidence it was learnt from.
    pub evidence: BTreeSet<String>,
    /// First and last moment of that evidence.
    pub span: Option<(Ts, Ts)>,
    /// Days on which there was something to learn.
    pub days: BTreeSet<i64>,
    /// Measures of hosts in windows, by group: `host 10.0.0.5`, `role dc`, `role dc hour 37` (of the week), `all`.
    pub windows: BTreeMap<String, Measures>,
    /// Measures of flows, by group: service, direction and role of the originator; without role; without direction; transport.
    pub flows: BTreeMap<String, Measures>,
    /// What was seen, by kind.
    pub things: BTreeMap<String, BTreeMap<String, Seen>>,
    /// Things that did not fit.
    pub forgotten: u64,
}

/// When and how often something was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    /// First.
    pub first: Ts,
    /// Last.
    pub last: Ts,
    /// Flows, or what else it was seen in.
    pub times: f64,
}

/// Definitions that must be the same where profiles are used and where they were made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Features {
    window_s: i64,
    bin: f64,
    windows: Vec<(String, String)>,
    flows: Vec<(String, String)>,
    things: Vec<String>,
    sha256: String,
}

impl Features {
    fn in_force() -> Self {
        let pair = |name: &str, what: &str| (name.to_owned(), what.to_owned());
        let mut features = Self {
            window_s: WINDOW_S,
            bin: BIN,
            windows: OF_WINDOWS.iter().map(|(name, _, what)| pair(name, what)).collect(),
            flows: OF_FLOWS.iter().map(|(name, column)| pair(name, column)).collect(),
            things: OF_SETS.iter().map(|(kind, _)| kind.to_string()).collect(),
            sha256: String::new(),
        };
        let text = serde_json::to_string(&features).unwrap_or_default();
        features.sha256 = hex(ring::digest::digest(&ring::digest::SHA256, text.as_bytes()).as_ref());
        features
    }
}

/// Why a profile cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not readable.
    #[error("cannot read the baseline {path}: {why}; give a case folder, or a file written by `vigil train`")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// Made by a vigil that measured other things.
    #[error("the profile {path} was made by vigil {made_by} with other feature definitions; train it again with this version")]
    Other {
        /// The file.
        path: PathBuf,
        /// Who made it.
        made_by: String,
    },
    /// Not writable.
    #[error("cannot write the profile {path}: {source}")]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl Profile {
    /// Nothing learnt yet.
    pub fn new() -> Self {
        let made_by = env!("CARGO_PKG_VERSION").to_owned();
        Self { vigil_profile: VERSION, made_by, features: Features::in_force(), ..Self::default() }
    }

    /// Reads one, and checks that it means the same here.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let wrong = |why: String| Error::Unreadable { path: path.into(), why };
        let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        let head: serde_json::Value = serde_json::from_str(&text).map_err(|error| wrong(format!("it is no profile ({error})")))?;
        let made_by = head["made_by"].as_str().unwrap_or("of another kind").to_owned();
        if head.get("vigil_profile").is_none() {
            return Err(wrong("it is JSON, but no profile".into()));
        }
        let other = || Error::Other { path: path.into(), made_by: made_by.clone() };
        let profile: Self = serde_json::from_value(head).map_err(|_| other())?;
        if profile.vigil_profile != VERSION || profile.features != Features::in_force() {
            return Err(other());
        }
        Ok(profile)
    }

    /// Writes it; an existing file is replaced only when the new one is whole.
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        let failed = |source| Error::Unwritable { path: path.into(), source };
        let mut beside = path.as_os_str().to_owned();
        beside.push(".new");
        let text = serde_json::to_vec(self).map_err(|error| failed(error.into()))?;
        std::fs::write(&beside, text).map_err(failed)?;
        std::fs::rename(&beside, path).map_err(failed)
    }

    /// Learns from newer evidence: what is known fades by the days that have passed, then the new is added.
    pub fn update(&mut self, newer: &Self) {
        if let (Some((_, last)), Some((_, until))) = (self.span, newer.span) {
            self.fade((until - last).max(0) as f64 / DAY as f64);
        }
        self.add(newer);
    }

    fn fade(&mut self, days: f64) {
        let factor = DECAY_A_DAY.powf(days);
        for measures in self.windows.values_mut().chain(self.flows.values_mut()) {
            measures.values_mut().for_each(|sketch| sketch.decay(factor));
            measures.retain(|_, sketch| sketch.n() > 0.0);
        }
        self.windows.retain(|_, measures| !measures.is_empty());
        self.flows.retain(|_, measures| !measures.is_empty());
    }

    /// Adds what another has learnt. The same evidence twice counts once.
    pub fn add(&mut self, other: &Self) {
        if !other.evidence.is_empty() && other.evidence.is_subset(&self.evidence) {
            return;
        }
        for (own, theirs) in [(&mut self.windows, &other.windows), (&mut self.flows, &other.flows)] {
            for (group, measures) in theirs {
                let group = own.entry(group.clone()).or_default();
                measures.iter().for_each(|(measure, sketch)| group.entry(measure.clone()).or_default().merge(sketch));
            }
        }
        for (kind, things) in &other.things {
            things.iter().for_each(|(thing, seen)| self.see(kind, thing, *seen));
        }
        self.evidence.extend(other.evidence.iter().cloned());
        self.days.extend(&other.days);
        self.forgotten += other.forgotten;
        self.span = match (self.span, other.span) {
            (Some(own), Some(theirs)) => Some((own.0.min(theirs.0), own.1.max(theirs.1))),
            (own, theirs) => own.or(theirs),
        };
    }

    /// Remembers a thing.
    pub fn see(&mut self, kind: &str, thing: &str, seen: Seen) {
        let things = self.things.entry(kind.to_owned()).or_default();
        if let Some(known) = things.get_mut(thing) {
            *known = Seen { first: known.first.min(seen.first), last: known.last.max(seen.last), times: known.times + seen.times };
        } else if things.len() < MOST_THINGS {
            things.insert(thing.to_owned(), seen);
        } else {
            self.forgotten += 1;
        }
    }

    /// In a sentence: how much it knows.
    pub fn says(&self) -> String {
        let count = |kind: &str| self.things.get(kind).map_or(0, BTreeMap::len);
        let span = match self.span {
            Some((first, last)) => format!("{} to {}", crate::model::time::short(first), crate::model::time::short(last)),
            None => "no evidence".into(),
        };
        format!(
            "{span}: {} hosts, {} services, {} destinations, {} fingerprints, {} groups of hosts and {} of flows",
            count("host"),
            count("service"),
            count("destination"),
            count("fingerprint"),
            self.windows.len(),
            self.flows.len()
        )
    }
}
