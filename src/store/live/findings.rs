//! Findings of a live case: as they stand in `findings.ndjson`, and what was said about them and when in `alerts.ndjson`.

use super::super::folder::{self, files};
use super::super::{Result, StoreError};
use crate::model::Finding;
use serde::Serialize;
use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Both files.
pub struct FindingsFile {
    folder: PathBuf,
    alerts: File,
}

impl FindingsFile {
    /// Goes on with what is there.
    pub fn open(root: &Path) -> Result<Self> {
        let path = root.join(files::ALERTS);
        let alerts = OpenOptions::new().create(true).append(true).open(&path).map_err(StoreError::file("write", &path))?;
        // A case that is killed before its first check has no findings, which is not the same as a case without that file.
        folder::touch(&root.join(files::FINDINGS))?;
        Ok(Self { folder: root.into(), alerts })
    }

    /// Adds events, and replaces the findings as they stand. When this returns, a power cut loses none of it.
    pub fn keep<E: Serialize>(&mut self, events: &[E], standing: &[&Finding]) -> Result<()> {
        let path = self.folder.join(files::ALERTS);
        let failed = || StoreError::file("write", &path);
        let mut lines = Vec::new();
        for event in events {
            serde_json::to_writer(&mut lines, event).map_err(std::io::Error::from).map_err(failed())?;
            lines.push(b'\n');
        }
        self.alerts.write_all(&lines).and_then(|()| self.alerts.sync_data()).map_err(failed())?;
        replace(&self.folder.join(files::FINDINGS), standing)
    }
}

/// Writes beside and renames: whoever reads sees the old findings or the new ones, never half of them.
fn replace(path: &Path, findings: &[&Finding]) -> Result<()> {
    let beside = path.with_extension("ndjson.new");
    let failed = || StoreError::file("write", path);
    let mut out = BufWriter::new(File::create(&beside).map_err(failed())?);
    for finding in findings {
        serde_json::to_writer(&mut out, finding).map_err(std::io::Error::from).map_err(failed())?;
        out.write_all(b"\n").map_err(failed())?;
    }
    let file = out.into_inner().map_err(|error| failed()(error.into_error()))?;
    file.sync_data().map_err(failed())?;
    fs::rename(&beside, path).map_err(failed())
}

/// Findings as they stand; none where there is no file.
pub(super) fn read(folder: &Path) -> Result<Vec<Finding>> {
    let path = folder.join(files::FINDINGS);
    if !path.exists() {
        return Ok(Vec::new());
    }
    let text = fs::read_to_string(&path).map_err(StoreError::file("read", &path))?;
    let wrong = |error: serde_json::Error| StoreError::file("understand", &path)(error.into());
    text.lines().filter(|line| !line.trim().is_empty()).map(|line| serde_json::from_str(line).map_err(wrong)).collect()
}
