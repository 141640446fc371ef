//! `journal.ndjson`: what people and later commands did with a case. Entries are only added; each holds the hash of the
//! one before, so that a change in the middle shows. It proves order and integrity, not authorship: whoever can rewrite
//! the whole file can make a new chain.

use super::folder::files;
use super::schema::flows::Hex;
use super::{Result, StoreError};
use chrono::{SecondsFormat, Utc};
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::path::Path;

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// From 1, without gaps.
    pub seq: u64,
    /// Wall clock, RFC 3339.
    pub at: String,
    /// `analysed`, `suppressed`, `commented` … What was said about findings before the last `analysed` is about an earlier analysis.
    pub action: String,
    /// Details of the action.
    pub detail: serde_json::Value,
    /// Hash of the entry before; empty in the first.
    pub prev: String,
    /// SHA-256, hex, over the text of its line up to this field.
    pub hash: String,
}

/// What stands between the sealed part of a line and its hash.
const SEAL: &str = ",\"hash\":\"";

/// The hash of a line: of its text up to the hash, as written, so that no way of writing numbers can break a chain.
fn seal(line: &str) -> Option<String> {
    let (sealed, _) = line.rsplit_once(SEAL)?;
    Some(Hex(digest(&SHA256, sealed.as_bytes())).to_string())
}

/// Adds an entry to the journal of the case in `folder`. Other processes wait meanwhile. A broken chain is not continued.
pub fn append(folder: &Path, action: &str, detail: serde_json::Value) -> Result<Entry> {
    let path = folder.join(files::JOURNAL);
    let failed = || StoreError::file("write", &path);
    let mut file = OpenOptions::new().create(true).read(true).append(true).open(&path).map_err(failed())?;
    file.lock().map_err(failed())?;
    let before = check(&path, &read_text(&path, &mut file)?)?;
    let last = before.last();
    let mut entry = Entry {
        seq: last.map_or(0, |entry| entry.seq) + 1,
        at: Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true),
        action: action.into(),
        detail,
        prev: last.map(|entry| entry.hash.clone()).unwrap_or_default(),
        hash: String::new(),
    };
    let unsealed = serde_json::to_string(&entry).map_err(std::io::Error::from).map_err(failed())?;
    entry.hash = seal(&unsealed).unwrap_or_default();
    let mut line = serde_json::to_vec(&entry).map_err(std::io::Error::from).map_err(failed())?;
    line.push(b'\n');
    file.write_all(&line).and_then(|()| file.sync_all()).map_err(failed())?;
    Ok(entry)
}

/// All entries, oldest first, if the chain holds. No journal is an empty one.
pub fn read(folder: &Path) -> Result<Vec<Entry>> {
    let path = folder.join(files::JOURNAL);
    if !path.exists() {
        return Ok(Vec::new());
    }
    let failed = || StoreError::file("read", &path);
    let mut file = File::open(&path).map_err(failed())?;
    file.lock_shared().map_err(failed())?;
    check(&path, &read_text(&path, &mut file)?)
}

fn read_text(path: &Path, file: &mut File) -> Result<String> {
    let mut text = String::new();
    file.rewind().and_then(|()| file.read_to_string(&mut text)).map_err(StoreError::file("read", path))?;
    Ok(text)
}

fn check(path: &Path, text: &str) -> Result<Vec<Entry>> {
    let mut entries: Vec<Entry> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let broken = |why: String| StoreError::Journal { path: path.into(), line: index + 1, why };
        let entry: Entry = serde_json::from_str(line).map_err(|error| broken(format!("it is no entry ({error})")))?;
        let prev = entries.last().map_or("", |before| before.hash.as_str());
        if entry.prev != prev || entry.seq != index as u64 + 1 {
            return Err(broken("it does not follow the line before: lines were removed, added or moved".into()));
        }
        if seal(line).as_ref() != Some(&entry.hash) {
            return Err(broken("it was changed after it was written".into()));
        }
        entries.push(entry);
    }
    Ok(entries)
}
