//! Lists of known bad things, in the formats people get them in.

pub mod csv;
mod misp;
mod plain;
mod stix;
mod when;

use super::kind::{Kind, Thing, Unused};
use super::{Error, Result};
use crate::dissect::hex;
use crate::model::Ts;
use crate::store::{Indicator, SystemLog};
use ipnet::IpNet;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// Bytes of a list at most.
const MOST_BYTES: u64 = 512 << 20;
/// Entries of a list at most.
const MOST_ENTRIES: usize = 5_000_000;
/// Characters kept of what an entry stands for.
const THREAT: usize = 200;

/// A format of lists.
pub trait IntelProvider: Sync {
    /// What the format is called.
    fn name(&self) -> &'static str;
    /// Whether `raw` is in it.
    fn recognises(&self, raw: &Raw) -> bool;
    /// Puts its entries into `list`.
    fn read(&self, raw: &Raw, list: &mut List);
}

/// Formats, the most telling first.
pub const PROVIDERS: [&dyn IntelProvider; 4] = [&stix::Stix, &misp::Misp, &csv::Csv, &plain::Plain];

/// A file as it lies there.
pub struct Raw {
    /// Its name.
    pub name: String,
    /// Its text; what is no UTF-8 is replaced.
    pub text: String,
    /// The same as JSON, where it is.
    pub json: Option<serde_json::Value>,
}

/// What is said of an entry beside the entry itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct About {
    /// What it stands for.
    pub threat: String,
    /// The author's confidence, 0 to 1.
    pub confidence: Option<f64>,
    /// Valid from.
    pub first: Option<Ts>,
    /// Valid until.
    pub last: Option<Ts>,
    /// When the entry was made.
    pub listed: Option<Ts>,
}

/// A list and what could be made of it.
#[derive(Clone, Debug, Default)]
pub struct List {
    /// Name of its file.
    pub name: String,
    /// SHA-256 of its file, hex.
    pub sha256: String,
    /// When it was made, as far as it says.
    pub dated: Option<Ts>,
    entries: Vec<(Thing, String, About)>,
    seen: BTreeSet<(Kind, String)>,
    unused: BTreeMap<Unused, (u64, String)>,
}

impl List {
    /// Takes an entry, or counts why not. `kind` is what the format says it is.
    pub fn add(&mut self, kind: Option<Kind>, text: &str, about: About) {
        match Thing::read(kind, text) {
            Err(why) => self.refuse(why, text),
            Ok(thing) if !self.seen.insert((thing.kind, thing.value.clone())) => self.refuse(Unused::Repeated, text),
            Ok(_) if self.entries.len() >= MOST_ENTRIES => self.refuse(Unused::TooMany, text),
            Ok(thing) => self.entries.push((thing, text.trim().chars().take(512).collect(), about)),
        }
    }

    /// Counts an entry that is of no use.
    pub fn refuse(&mut self, why: Unused, text: &str) {
        let (count, _) = self.unused.entry(why).or_insert_with(|| (0, text.trim().chars().take(80).collect()));
        *count += 1;
    }

    /// Rows of `indicators`, and what is to be said about the list. `span` is that of the evidence; a network counts for each of the
    /// `addresses` in it, since plain SQL cannot tell what lies in a network.
    pub fn rows(mut self, span: Option<(Ts, Ts)>, addresses: &[IpAddr]) -> (Vec<Indicator>, Vec<SystemLog>) {
        let mut rows = Vec::with_capacity(self.entries.len());
        for (thing, listed_as, about) in std::mem::take(&mut self.entries) {
            if let (Some(last), Some((first_frame, _))) = (about.last, span)
                && last < first_frame
            {
                self.refuse(Unused::Expired, &listed_as);
                continue;
            }
            let row = self.row(&thing, listed_as, about);
            if let Ok(net) = thing.value.parse::<IpNet>().map_err(drop).and_then(|net| (thing.kind == Kind::Net).then_some(net).ok_or(())) {
                let inside = addresses.iter().filter(|address| net.contains(*address));
                rows.extend(inside.map(|address| Indicator { kind: "ip".into(), value: address.to_string(), ..row.clone() }));
            }
            rows.push(row);
        }
        let notes = self.notes(rows.len());
        (rows, notes)
    }

    fn row(&self, thing: &Thing, listed_as: String, about: About) -> Indicator {
        let threat: String = about.threat.trim().chars().take(THREAT).collect();
        Indicator {
            kind: thing.kind.name().into(),
            value: thing.value.clone(),
            source: self.name.clone(),
            threat: (!threat.is_empty()).then_some(threat),
            confidence: Some((thing.kind.specificity() * about.confidence.unwrap_or(1.0).clamp(0.0, 1.0) * 1e6).round() / 1e6),
            first_ns: about.first,
            last_ns: about.last,
            listed_ns: about.listed.or(about.first).or(self.dated),
            listed_as,
            list_sha256: self.sha256.clone(),
        }
    }

    fn notes(&self, used: usize) -> Vec<SystemLog> {
        let log = |level: &str, message: String, count: u64| SystemLog { level: level.into(), source: "intel".into(), message, count };
        let unused: u64 = self.unused.values().map(|(count, _)| count).sum();
        let mut notes = vec![log("info", format!("{}: {used} indicators, {unused} of no use", self.name), used as u64)];
        for (why, (count, example)) in &self.unused {
            notes.push(log("warning", format!("{}: {count} of no use ({}), such as {example}", self.name, why.says()), *count));
        }
        notes
    }
}

/// Reads files, and all files of folders, in the order of their paths.
pub fn read(paths: &[PathBuf]) -> Result<Vec<List>> {
    let mut files = Vec::new();
    for path in paths {
        gather(path, &mut files)?;
    }
    files.dedup();
    files.iter().map(|path| list(path)).collect()
}

fn unreadable(path: &Path, why: impl ToString) -> Error {
    Error::File { path: path.display().to_string(), why: why.to_string() }
}

fn gather(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let about = std::fs::metadata(path).map_err(|error| unreadable(path, format!("{error}; --intel takes a file or a folder of lists")))?;
    if !about.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let entries = std::fs::read_dir(path).map_err(|error| unreadable(path, error))?;
    let mut inside = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<std::io::Result<Vec<_>>>()
        .map_err(|error| unreadable(path, error))?;
    inside.sort();
    // Version control and editors leave files there that nobody means.
    inside.retain(|path| path.file_name().is_some_and(|name| !name.to_string_lossy().starts_with('.')));
    inside.iter().try_for_each(|path| gather(path, files))
}

fn list(path: &Path) -> Result<List> {
    let size = std::fs::metadata(path).map_err(|error| unreadable(path, error))?.len();
    if size > MOST_BYTES {
        return Err(unreadable(path, format!("{size} bytes are more than a list may have ({MOST_BYTES}); split it")));
    }
    let bytes = std::fs::read(path).map_err(|error| unreadable(path, error))?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(of_bytes(name, &bytes))
}

/// A list out of the bytes of a file.
pub fn of_bytes(name: String, bytes: &[u8]) -> List {
    let sha256 = hex(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref());
    let text = String::from_utf8_lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)).into_owned();
    let json = text.trim_start().starts_with(['{', '[']).then(|| serde_json::from_str(&text).ok()).flatten();
    let raw = Raw { name: name.clone(), text, json };
    let mut list = List { name, sha256, dated: None, ..List::default() };
    // `Plain` recognises everything.
    if let Some(provider) = PROVIDERS.iter().find(|provider| provider.recognises(&raw)) {
        provider.read(&raw, &mut list);
    }
    list
}
