//! The folder of a case: what lies in it, and who may write there.

use super::{Result, StoreError, manifest};
use serde::Serialize;
use std::collections::BTreeSet;
use std::fs;
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Names of the files of a case.
pub mod files {
    /// Facts and judgements.
    pub const DATABASE: &str = "case.duckdb";
    /// The packet index.
    pub const PACKETS: &str = "packets.parquet";
    /// One finding a line.
    pub const FINDINGS: &str = "findings.ndjson";
    /// What made the case.
    pub const MANIFEST: &str = "manifest.json";
    /// What was done with it.
    pub const JOURNAL: &str = "journal.ndjson";
    /// The segments of a live case.
    pub const SEGMENTS: &str = "segments";
    /// Everything that a live case said about findings, one event a line, only ever added to.
    pub const ALERTS: &str = "alerts.ndjson";
    /// Where DuckDB spills; gone when the case is finished.
    pub const TEMPORARY: &str = "tmp";
}

/// What to do if a case is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replace {
    /// Replace it; its journal stays.
    Yes,
    /// Refuse.
    No,
}

/// Makes `folder` ready for a new case and returns its absolute path.
pub fn prepare(folder: &Path, replace: Replace) -> Result<PathBuf> {
    if folder.exists() {
        match (is_case(folder), replace) {
            // Days of capture are not replaced by accident.
            (true, _) if folder.join(files::SEGMENTS).is_dir() => return Err(StoreError::Exists(folder.into())),
            (true, Replace::Yes) => clear(folder)?,
            (true, Replace::No) => return Err(StoreError::Exists(folder.into())),
            (false, _) if is_empty(folder)? => {}
            (false, _) => return Err(StoreError::Occupied(folder.into())),
        }
    }
    fs::create_dir_all(folder).map_err(|source| StoreError::Unwritable { path: folder.into(), source })?;
    folder.canonicalize().map_err(StoreError::file("resolve", folder))
}

fn is_case(folder: &Path) -> bool {
    manifest::read(folder).is_ok()
}

fn is_empty(folder: &Path) -> Result<bool> {
    if !folder.is_dir() {
        return Ok(false);
    }
    Ok(fs::read_dir(folder).map_err(StoreError::file("list", folder))?.next().is_none())
}

/// Removes what an analysis writes, by name: a stranger's file in the folder stays, and so does the journal.
fn clear(folder: &Path) -> Result<()> {
    if in_use(folder) {
        return Err(StoreError::InUse(folder.into()));
    }
    for entry in fs::read_dir(folder).map_err(StoreError::file("list", folder))? {
        let entry = entry.map_err(StoreError::file("list", folder))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let ours = name.starts_with(files::DATABASE)
            || name.starts_with("packets.")
            || name.starts_with("report.")
            || [files::FINDINGS, files::MANIFEST, files::TEMPORARY].contains(&name.as_str());
        if ours {
            remove(&entry.path())?;
        }
    }
    Ok(())
}

/// Removes a file or folder, if it is there.
pub fn remove(path: &Path) -> Result<()> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(StoreError::file("remove", path)(error)),
        _ => Ok(()),
    }
}

/// Makes an empty file, unless there is one.
pub fn touch(path: &Path) -> Result<()> {
    fs::OpenOptions::new().create(true).append(true).open(path).map(drop).map_err(StoreError::file("create", path))
}

/// Appends one line of JSON per row.
pub fn append_lines<T: Serialize>(path: &Path, rows: &[T]) -> Result<()> {
    let failed = || StoreError::file("write", path);
    let file = fs::OpenOptions::new().create(true).append(true).open(path).map_err(failed())?;
    let mut file = BufWriter::new(file);
    for row in rows {
        serde_json::to_writer(&mut file, row).map_err(std::io::Error::from).map_err(failed())?;
        file.write_all(b"\n").map_err(failed())?;
    }
    file.flush().map_err(failed())
}

static OPEN: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn in_use(folder: &Path) -> bool {
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.into());
    OPEN.lock().unwrap_or_else(PoisonError::into_inner).contains(&folder)
}

/// Keeps this process from opening one case twice, which DuckDB does not survive without loss.
#[derive(Debug)]
pub struct OpenGuard(PathBuf);

impl OpenGuard {
    /// Takes the case at this absolute path.
    pub fn take(folder: &Path) -> Result<Self> {
        let fresh = OPEN.lock().unwrap_or_else(PoisonError::into_inner).insert(folder.into());
        if fresh { Ok(Self(folder.into())) } else { Err(StoreError::InUse(folder.into())) }
    }
}

impl Drop for OpenGuard {
    fn drop(&mut self) {
        OPEN.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.0);
    }
}
