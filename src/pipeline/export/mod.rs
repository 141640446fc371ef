//! A case in the formats of other programs. The same case gives the same bytes: ids follow from content, times are those of the capture.

mod eve;
mod navigator;
mod parquet;
mod stix;
mod timesketch;

use super::{Error, custody, reopen_with_incidents};
use crate::capture::{Hash, hash_file};
use crate::model::Report;
use crate::store;
use serde::Serialize;
use serde_json::json;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Memory for reading the case.
const MEMORY: u64 = 1 << 30;

/// Formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// STIX 2.1 bundle. <https://docs.oasis-open.org/cti/stix/v2.1/os/stix-v2.1-os.html>
    Stix,
    /// ATT&CK Navigator layer 4.5.
    Navigator,
    /// Timesketch JSONL.
    Timesketch,
    /// Suricata EVE NDJSON.
    Eve,
    /// A Parquet file for each table.
    Parquet,
}

impl Format {
    /// As typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stix => "stix",
            Self::Navigator => "navigator",
            Self::Timesketch => "timesketch",
            Self::Eve => "eve",
            Self::Parquet => "parquet",
        }
    }
}

/// A file that was written.
#[derive(Clone, Debug, Serialize)]
pub struct Written {
    /// Where.
    pub path: PathBuf,
    /// What is in it: `412 flows, 9 alerts`.
    pub holds: String,
    /// SHA-256.
    pub sha256: String,
}

/// What was written.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Exported {
    /// Files.
    pub files: Vec<Written>,
    /// Findings that were put aside and are in none of them.
    pub set_aside: u64,
}

/// Writes the case in `folder` to `out`; `-` is standard output.
pub fn export(folder: &Path, format: Format, out: &Path) -> Result<Exported, Error> {
    let (report, _) = reopen_with_incidents(folder)?;
    let mut exported = Exported { set_aside: report.set_aside.len() as u64, ..Exported::default() };
    match format {
        Format::Parquet if out.as_os_str() == "-" => {
            return Err(Error::Selection("parquet is many files; name a folder with -o".into()));
        }
        Format::Parquet => exported.files = parquet::write(folder, out)?,
        _ => exported.files.extend(one_file(folder, &report, format, out)?),
    }
    let files: Vec<_> = exported.files.iter().map(|file| json!({ "path": file.path, "sha256": file.sha256 })).collect();
    custody::record(folder, "exported", json!({ "format": format.name(), "out": out, "files": files }))?;
    Ok(exported)
}

fn one_file(folder: &Path, report: &Report, format: Format, out: &Path) -> Result<Option<Written>, Error> {
    if out.as_os_str() == "-" {
        let mut stdout = BufWriter::new(std::io::stdout().lock());
        fill(folder, report, format, &mut stdout, out)?;
        return Ok(None);
    }
    let mut file = BufWriter::new(create(out)?);
    let filled = fill(folder, report, format, &mut file, out);
    let holds = filled.inspect_err(|_| drop(std::fs::remove_file(out)))?;
    drop(file);
    written(out, holds).map(Some)
}

fn fill(folder: &Path, report: &Report, format: Format, file: &mut impl Write, out: &Path) -> Result<String, Error> {
    let holds = match format {
        Format::Stix => {
            let case = store::open_read_only(folder, MEMORY, 1)?;
            let bundle = stix::bundle(case.connection(), report)?;
            let holds = format!("{} objects", bundle["objects"].as_array().map_or(0, Vec::len));
            writeln!(file, "{bundle:#}").map(|()| holds)
        }
        Format::Navigator => {
            let layer = navigator::layer(report);
            let holds = format!("{} techniques", layer["techniques"].as_array().map_or(0, Vec::len));
            writeln!(file, "{layer:#}").map(|()| holds)
        }
        Format::Timesketch => timesketch::write(report, file),
        Format::Eve => return eve::write(folder, report, file, out),
        Format::Parquet => Ok(String::new()),
    };
    let holds = holds.and_then(|holds| file.flush().map(|()| holds));
    holds.map_err(|error| unwritable(out, error))
}

fn create(path: &Path) -> Result<File, Error> {
    File::create_new(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => Error::Occupied { path: path.display().to_string() },
        _ => unwritable(path, error),
    })
}

fn unwritable(path: &Path, error: std::io::Error) -> Error {
    let what = if path.as_os_str() == "-" { "to standard output".into() } else { path.display().to_string() };
    Error::Write { what, error }
}

fn written(path: &Path, holds: String) -> Result<Written, Error> {
    let digests = hash_file(path, Hash::Sha256).map_err(|error| unwritable(path, error))?;
    Ok(Written { path: path.to_path_buf(), holds, sha256: digests.sha256 })
}

/// One hash over all evidence: what a case is known by, wherever it lies.
fn case_key(report: &Report) -> String {
    let known = |piece: &crate::model::report::Evidence| if piece.sha256.is_empty() { piece.blake3.clone() } else { piece.sha256.clone() };
    report.evidence.iter().map(known).collect::<Vec<_>>().join(" ")
}
