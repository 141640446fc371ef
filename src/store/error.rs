//! What can go wrong with a case. Each message names the thing, the place and the cure.

use std::path::{Path, PathBuf};

/// An error of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Nothing is there.
    #[error("no case at '{0}': nothing is there. `vigil analyze CAPTURE` makes one; it is named CAPTURE.vigil in the folder it is run in")]
    NoCase(PathBuf),
    /// Something else is there.
    #[error("'{0}' is not a vigil case: it has no readable manifest.json. Name the folder that `vigil analyze` wrote, usually NAME.vigil")]
    NotACase(PathBuf),
    /// The place is taken by something that is not ours.
    #[error("will not write into '{0}': it is not empty and no vigil case. Name another folder with --out, or empty that one")]
    Occupied(PathBuf),
    /// Nothing can be written there.
    #[error("cannot make a case at '{path}': {source}. Name a folder that can be written to with --out")]
    Unwritable {
        /// Where the case was to be.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The place is taken by a case.
    #[error("a case is at '{0}' already. Name another folder with --out, or delete that one if it is no longer needed")]
    Exists(PathBuf),
    /// The analysis that made it never ended.
    #[error("the case '{0}' is not finished: its analysis was broken off, or still runs. Run `vigil analyze` on the evidence again")]
    Unfinished(PathBuf),
    /// Written by a later version.
    #[error(
        "the case '{path}' has schema {schema}, written by vigil {version}; this vigil reads up to schema {ours}. Use that version or a later one"
    )]
    Newer {
        /// The case.
        path: PathBuf,
        /// Its schema.
        schema: u32,
        /// Who wrote it.
        version: String,
        /// What this build reads.
        ours: u32,
    },
    /// Another process writes to it.
    #[error("the case '{path}' is in use by another process that writes to it. Close that program and try again ({detail})")]
    Locked {
        /// The case.
        path: PathBuf,
        /// What DuckDB said.
        detail: String,
    },
    /// This process has it open.
    #[error("the case '{0}' is open in this process already, and opening it twice could lose data. Use the open one")]
    InUse(PathBuf),
    /// A live capture writes there.
    #[error("a live capture writes to '{0}' now. Name another folder with --out, or end that one")]
    Live(PathBuf),
    /// A file could not be read or written.
    #[error("cannot {doing} '{path}': {source}")]
    File {
        /// `read`, `write` …
        doing: &'static str,
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The database refused.
    #[error("the case database failed while {doing}: {source}")]
    Database {
        /// What was being done.
        doing: String,
        /// What DuckDB said.
        source: duckdb::Error,
    },
    /// The packet index could not be written.
    #[error("cannot write the packet index, packets.parquet in the case folder: {source}. Is the disk full?")]
    PacketIndex {
        /// Why.
        source: parquet::errors::ParquetError,
    },
    /// Rows could not be put into columns: a fault in the schema.
    #[error("rows of table '{table}' do not fit its columns: {source}")]
    Columns {
        /// Table.
        table: &'static str,
        /// Why.
        source: duckdb::arrow::error::ArrowError,
    },
    /// The journal was tampered with or damaged.
    #[error("the journal '{path}' is broken at line {line}: {why}. Entries before that line are intact; keep the file as evidence")]
    Journal {
        /// The journal.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// What does not fit.
        why: String,
    },
}

impl StoreError {
    /// Whether the disk had no room.
    pub fn is_disk_full(&self) -> bool {
        match self {
            Self::File { source, .. } => source.kind() == std::io::ErrorKind::StorageFull,
            other => {
                let said = other.to_string().to_lowercase();
                said.contains("no space left") || said.contains("disk full") || said.contains("enospc")
            }
        }
    }

    /// Wraps what DuckDB said.
    pub fn database(doing: impl Into<String>) -> impl FnOnce(duckdb::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Database { doing, source }
    }

    /// Wraps what the system said about a file.
    pub fn file(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::File { doing, path, source }
    }
}
