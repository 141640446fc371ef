//! Is this still the case that was made, and the evidence that it was made from? Everything is hashed again and compared.
//!
//! What is compared with what: the journal with itself (a chain of hashes), the manifest with the journal, all else with the manifest.
//! Whoever can rewrite all of it can make a new, consistent case: the head of the chain, noted elsewhere, is what tells the two apart.

use super::super::carve::evidence::{Piece, locate};
use super::super::{Error, REOPEN_MEMORY};
use crate::capture::{Hash, hash_file};
use crate::detect::Rules;
use crate::store::{self, folder::files, journal, manifest};
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// How something compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It is what it was.
    Same,
    /// Worth knowing; nothing was changed that should not have been.
    Note,
    /// It is not there to be compared.
    Missing,
    /// It was changed.
    Differs,
}

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// What: `evidence`, `journal`, `manifest`, `file`, `table`, `rules`, `report`.
    pub kind: &'static str,
    /// Which.
    pub name: String,
    /// How it compares.
    pub state: State,
    /// The sentence.
    pub says: String,
}

/// All that was looked at.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Verified {
    /// In the order in which it was looked at.
    pub checks: Vec<Check>,
    /// Entries of the journal.
    pub entries: u64,
    /// Hash of the last: whoever notes it elsewhere can tell later that nothing before it was changed.
    pub head: String,
}

impl Verified {
    /// Whether nothing differs and nothing is missing.
    pub fn holds(&self) -> bool {
        self.checks.iter().all(|check| matches!(check.state, State::Same | State::Note))
    }

    fn say(&mut self, kind: &'static str, name: impl Into<String>, state: State, says: impl Into<String>) {
        self.checks.push(Check { kind, name: name.into(), state, says: says.into() });
    }
}

/// Verifies the case in `folder`; evidence is looked for where it was read, beside the case, or by hash in `evidence`.
pub fn verify(folder: &Path, evidence: Option<&Path>) -> Result<Verified, Error> {
    let mut seen = Verified::default();
    let head = manifest::read(folder)?;
    let all = manifest::read_all(folder)?;
    if !head.complete {
        seen.say("manifest", files::MANIFEST, State::Differs, "the analysis that made the case was never finished");
    }
    let entries = chain(folder, &mut seen);
    manifest_itself(folder, entries.as_deref(), &mut seen);
    whole_files(folder, &all, &mut seen);
    tables(folder, &all, &mut seen);
    rules(&all, &head.vigil, &mut seen);
    reports(folder, entries.as_deref().unwrap_or_default(), &mut seen);
    pieces(folder, &all, evidence, &mut seen)?;
    Ok(seen)
}

/// The journal: `None` where its chain is broken.
fn chain(folder: &Path, seen: &mut Verified) -> Option<Vec<journal::Entry>> {
    match journal::read(folder) {
        Ok(entries) if entries.is_empty() => {
            seen.say("journal", files::JOURNAL, State::Missing, "there is no journal: what was done to the case is not known");
            None
        }
        Ok(entries) => {
            seen.entries = entries.len() as u64;
            seen.head = entries.last().map(|entry| entry.hash.clone()).unwrap_or_default();
            seen.say("journal", files::JOURNAL, State::Same, format!("{} entries, each following from the one before", entries.len()));
            Some(entries)
        }
        Err(error) => {
            seen.say("journal", files::JOURNAL, State::Differs, error.to_string());
            None
        }
    }
}

fn manifest_itself(folder: &Path, entries: Option<&[journal::Entry]>, seen: &mut Verified) {
    let Some(entries) = entries else { return };
    let made = entries.iter().rev().find(|entry| was_made(entry)).and_then(|entry| entry.detail["manifest"].as_str());
    let now = sha256(&folder.join(files::MANIFEST));
    match made {
        None => seen.say("manifest", files::MANIFEST, State::Note, "its hash is not in the journal"),
        Some(made) if now.as_deref() == Some(made) => {
            seen.say("manifest", files::MANIFEST, State::Same, "as the journal says it was written");
        }
        Some(made) => {
            let now = now.unwrap_or_else(|| "nothing readable".into());
            seen.say("manifest", files::MANIFEST, State::Differs, format!("the journal says SHA-256 {made}, there is {now}"));
        }
    }
}

/// Whether facts were written then: by an analysis, or a live run that ended.
fn was_made(entry: &journal::Entry) -> bool {
    ["analysed", "captured"].contains(&entry.action.as_str())
}

fn sha256(path: &Path) -> Option<String> {
    hash_file(path, Hash::Sha256).ok().map(|digests| digests.sha256)
}

fn whole_files(folder: &Path, manifest: &Value, seen: &mut Verified) {
    for (name, made) in hashes(&manifest["files"]) {
        let path = folder.join(&name);
        match sha256(&path) {
            None => seen.say("file", name, State::Missing, "it cannot be read"),
            Some(now) if now == made => seen.say("file", name, State::Same, format!("SHA-256 {now}")),
            Some(now) => seen.say("file", name, State::Differs, format!("SHA-256 {made} was written, {now} is there now")),
        }
    }
}

/// Hashes by name, out of a manifest.
pub(super) fn hashes(map: &Value) -> BTreeMap<String, String> {
    let text = |(name, hash): (&String, &Value)| Some((name.clone(), hash.as_str()?.to_owned()));
    map.as_object().into_iter().flatten().filter_map(text).collect()
}

fn tables(folder: &Path, manifest: &Value, seen: &mut Verified) {
    let made = hashes(&manifest["tables"]);
    if made.is_empty() {
        return seen.say("table", "all", State::Note, "no hashes of single tables are on record: files are compared as a whole");
    }
    let now = store::open_read_only(folder, REOPEN_MEMORY, 1).and_then(|case| store::fingerprint(case.connection()));
    let mut now = match now {
        Ok(now) => now,
        Err(error) => return seen.say("table", "all", State::Differs, format!("the database cannot be read: {error}")),
    };
    // The packet index is compared as a file.
    now.remove("packets");
    let differing: Vec<&str> = made.iter().filter(|(name, hash)| now.get(*name) != Some(hash)).map(|(name, _)| name.as_str()).collect();
    let strange: Vec<&str> = now.keys().filter(|name| !made.contains_key(*name)).map(String::as_str).collect();
    for name in &differing {
        let says = if now.contains_key(*name) { "its rows are not those that were written" } else { "it is gone" };
        seen.say("table", *name, State::Differs, says);
    }
    for name in &strange {
        seen.say("table", *name, State::Differs, "it was added later");
    }
    if differing.is_empty() && strange.is_empty() {
        seen.say("table", "all", State::Same, format!("{} tables hold the rows that were written", made.len()));
    }
}

/// Rules are compared with those of this program: the same version must have the same.
fn rules(manifest: &Value, version: &str, seen: &mut Verified) {
    let run = &manifest["run"];
    let made: BTreeMap<String, String> = run["rules"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|rule| Some((rule["id"].as_str()?.to_owned(), rule["sha256"].as_str()?.to_owned())))
        .collect();
    let folders: Vec<PathBuf> = run["rules_from"].as_array().into_iter().flatten().filter_map(Value::as_str).map(PathBuf::from).collect();
    let now: BTreeMap<String, String> = match Rules::load(&folders, &[]) {
        Ok(rules) => rules.list().map(|rule| (rule.header.id.clone(), rule.sha256.clone())).collect(),
        Err(error) => return seen.say("rules", "all", State::Missing, format!("the rules of the analysis cannot be loaded: {error}")),
    };
    let names: BTreeSet<&String> = made.keys().chain(now.keys()).collect();
    let differing: Vec<&str> = names.into_iter().filter(|id| made.get(*id) != now.get(*id)).map(String::as_str).collect();
    let (state, why) = if version == env!("CARGO_PKG_VERSION") {
        (State::Differs, "though the case was made by this version".to_owned())
    } else {
        (State::Note, format!("the case was made by vigil {version}"))
    };
    if differing.is_empty() {
        seen.say("rules", "all", State::Same, format!("{} rules are those that ran", made.len()));
    }
    for id in differing {
        let says = match (made.get(id), now.get(id)) {
            (Some(_), Some(_)) => "another text than the one that ran",
            (Some(_), None) => "it ran, and is not here",
            _ => "it is here, and did not run",
        };
        seen.say("rules", id, state, format!("{says}; {why}"));
    }
}

/// Reports as they were written last. One that was deleted can be written again.
fn reports(folder: &Path, entries: &[journal::Entry], seen: &mut Verified) {
    let mut written: BTreeMap<String, (u64, String)> = BTreeMap::new();
    let since = entries.iter().rposition(was_made).unwrap_or(0);
    for entry in entries.iter().skip(since).filter(|entry| entry.action == "reported") {
        written.extend(hashes(&entry.detail["files"]).into_iter().map(|(name, hash)| (name, (entry.seq, hash))));
    }
    let judged = |entry: &&journal::Entry| ["suppressed", "unsuppressed", "commented", "explained"].contains(&entry.action.as_str());
    let last_word = entries.iter().rev().find(judged).map_or(0, |entry| entry.seq);
    for (name, (seq, made)) in written {
        match sha256(&folder.join(&name)) {
            None => seen.say("report", name, State::Note, "it was written once and is not here; `vigil report` writes it again"),
            Some(now) if now != made => seen.say("report", name, State::Differs, format!("SHA-256 {made} was written, {now} is there now")),
            Some(_) if last_word > seq => {
                seen.say("report", name, State::Note, "as written, but the journal has more since; `vigil report` writes it anew");
            }
            Some(now) => seen.say("report", name, State::Same, format!("SHA-256 {now}")),
        }
    }
}

/// Evidence as the manifest remembers it.
pub(super) fn remembered(manifest: &Value) -> Vec<Piece> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let read = |piece: &Value| Piece {
        id: piece["id"].as_u64().unwrap_or(0) as u32,
        path: text(&piece["path"]),
        also_at: piece["also_at"].as_array().into_iter().flatten().map(text).collect(),
        bytes: piece["bytes"].as_u64().unwrap_or(0),
        sha256: text(&piece["sha256"]),
        blake3: text(&piece["blake3"]),
    };
    manifest["run"]["evidence"].as_array().into_iter().flatten().map(read).collect()
}

fn pieces(folder: &Path, manifest: &Value, moved_to: Option<&Path>, seen: &mut Verified) -> Result<(), Error> {
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf());
    for piece in remembered(manifest) {
        let Some(path) = locate(&piece, &folder, moved_to)? else {
            let cure =
                if moved_to.is_some() { "no file there has its hash" } else { "name the folder where it is kept with --evidence DIR" };
            seen.say("evidence", &piece.path, State::Missing, format!("{} is not to be found; {cure}", piece.hash()));
            continue;
        };
        let Ok(now) = hash_file(&path, piece.kind()) else {
            seen.say("evidence", &piece.path, State::Missing, format!("{} cannot be read", path.display()));
            continue;
        };
        let moved = if path == Path::new(&piece.path) { String::new() } else { format!(", found at {}", path.display()) };
        if piece.is(&now) {
            seen.say("evidence", &piece.path, State::Same, format!("{}{moved}", piece.hash()));
        } else {
            let now = Piece { sha256: now.sha256, blake3: now.blake3, ..Piece::default() }.hash();
            seen.say("evidence", &piece.path, State::Differs, format!("{} was analysed, {now} is there now{moved}", piece.hash()));
        }
    }
    Ok(())
}
