//! A live case: segments of time instead of one `case.duckdb`, so that it can be read while it grows and old days can be deleted.
//!
//! ```text
//! x.vigil/segments/00000001.duckdb   sealed: anyone may open it read-only
//!                  00000002.duckdb   open: this process alone
//!         findings.ndjson            findings as they stand, replaced as a whole
//!         alerts.ndjson              what was said about them and when, only added to
//! ```
//!
//! All segments hang on one in-memory database, the hub: a query sees all of them. Neighbours are merged in time, so that there are never many.

mod desk;
mod findings;
mod merge;
mod read;
mod segment;
mod tiers;
mod together;
mod views;

pub use desk::{Desk, Lens};
pub use findings::FindingsFile;
pub(super) use read::open;
pub use read::{KEYED, Reader};
pub use segment::{Books, Marks, Sealing, Writer};
pub use tiers::Room;
pub(super) use views::tables_in;

use super::case::{note, settings, sha256};
use super::folder::{self, OpenGuard, files};
use super::{Options, Result, StoreError, journal, manifest};
use crate::model::{Finding, Ts};
use duckdb::Connection;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

/// One segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Number, from 1.
    pub number: u64,
    /// Number of the first segment that was merged into it; its own where none was.
    pub first: u64,
    /// How many were.
    pub covers: u64,
    /// Its file.
    pub path: PathBuf,
    /// Earliest frame in it.
    pub first_ns: Option<Ts>,
    /// Latest frame in it; `None` where it holds none.
    pub last_ns: Option<Ts>,
    /// Rows by table; of the open segment, not known.
    pub rows: BTreeMap<String, u64>,
}

impl Segment {
    fn at(folder: &Path, number: u64) -> Self {
        let path = folder.join(files::SEGMENTS).join(format!("{number:08}.duckdb"));
        Self { number, first: number, covers: 1, path, first_ns: None, last_ns: None, rows: BTreeMap::new() }
    }

    /// Flows in it.
    pub fn flows(&self) -> u64 {
        self.rows.get("flows").copied().unwrap_or(0)
    }

    /// Whether the rows of another are in this one too: that one was left over when it was merged into this.
    fn replaces(&self, other: &Self) -> bool {
        (self.first..self.number).contains(&other.number)
    }

    /// What it is called in queries of the hub.
    pub fn catalog(&self) -> String {
        format!("seg_{}", self.number)
    }
}

/// What an earlier run left.
#[derive(Debug, Default)]
pub struct Left {
    /// Sealed segments, oldest first.
    pub segments: Vec<Segment>,
    /// Number that the next frame gets.
    pub next_frame: u64,
    /// Findings as they stood.
    pub findings: Vec<Finding>,
}

/// A live case, open for writing.
pub struct LiveCase {
    folder: PathBuf,
    options: Options,
    /// Files that were sealed by an earlier run.
    left: Vec<Segment>,
    hub: Connection,
    /// Held as long as the process lives: two captures must not write to one case.
    _lock: File,
    _guard: OpenGuard,
}

impl LiveCase {
    /// Makes a live case in `folder`, or goes on with the one that is there: segments that a crash left open are sealed first.
    pub fn open(folder: &Path, options: &Options) -> Result<(Self, Left)> {
        journal::read(folder)?;
        let goes_on = is_live(folder);
        let folder = if goes_on {
            folder.canonicalize().map_err(StoreError::file("resolve", folder))?
        } else {
            folder::prepare(folder, folder::Replace::No)?
        };
        let segments = folder.join(files::SEGMENTS);
        std::fs::create_dir_all(&segments).map_err(StoreError::file("create", &segments))?;
        let lock = lock(&segments)?;
        merge::clear(&segments)?;
        let options = &Options { salt: salt(&segments, options.salt)?, ..options.clone() };
        manifest::begin(&folder)?;
        let guard = OpenGuard::take(&folder)?;
        let hub = hub(&folder, options)?;
        let mut case = Self { folder, options: options.clone(), left: Vec::new(), hub, _lock: lock, _guard: guard };
        let mut left = Left { next_frame: 1, ..Left::default() };
        if goes_on {
            left = case.recover()?;
        }
        case.left.clone_from(&left.segments);
        Ok((case, left))
    }

    /// Where it lies.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The writer of the next segment, with a packet index where there is evidence to find frames in.
    pub fn writer(&self, packets: bool) -> Result<Writer> {
        let number = self.left.last().map_or(0, |segment| segment.number) + 1;
        Writer::begin(another(&self.hub)?, &self.folder, &self.options, number, packets)
    }

    /// The desk at which rules look at the segments, which are merged as far as there is `room`.
    pub fn desk(&self, room: Room) -> Result<Desk> {
        Desk::new(another(&self.hub)?, &self.folder, &self.options, self.left.clone(), room)
    }

    /// Shows the case to others while it is written.
    pub fn reader(&self) -> Result<Reader> {
        Ok(Reader::new(another(&self.hub)?, &self.folder, &self.options))
    }

    /// Says that the case is whole for now, and notes the run in the journal.
    pub fn finish(self, run: &serde_json::Value) -> Result<()> {
        let Self { folder, hub, .. } = self;
        hub.close().map_err(|(_, source)| StoreError::Database { doing: "closing the case".into(), source })?;
        folder::touch(&folder.join(files::FINDINGS))?;
        folder::remove(&folder.join(files::TEMPORARY))?;
        // Sealed segments are known as files; which of them there are changes from run to run.
        let mut seals = manifest::Seals::default();
        for number in numbers(&folder)? {
            let name = format!("{}/{number:08}.duckdb", files::SEGMENTS);
            seals.files.insert(name.clone(), sha256(&folder.join(name))?);
        }
        seals.files.insert(files::FINDINGS.into(), sha256(&folder.join(files::FINDINGS))?);
        manifest::complete(&folder, run, &seals)?;
        note(&folder, "captured", run)
    }

    /// Seals what a crash left open, and finds out where to go on.
    fn recover(&self) -> Result<Left> {
        let mut left = Left { next_frame: 1, findings: findings::read(&self.folder)?, ..Left::default() };
        let numbers = numbers(&self.folder)?;
        for number in numbers {
            let mut segment = Segment::at(&self.folder, number);
            if let Err(error) = segment::recover(&another(&self.hub)?, &self.folder, &self.options, &mut segment) {
                // One that was begun and never committed to has no tables: nothing is lost with it.
                if segment::is_empty(&segment.path) {
                    remove(&segment.path)?;
                    continue;
                }
                return Err(error);
            }
            left.next_frame = left.next_frame.max(segment::next_frame(&self.hub, &segment)?);
            segment::detach(&self.hub, &segment)?;
            left.segments.push(segment);
        }
        // A crash came between a merged file and the end of those that are in it.
        let whole = left.segments.clone();
        let (over, segments): (Vec<_>, Vec<_>) = left.segments.into_iter().partition(|one| whole.iter().any(|other| other.replaces(one)));
        over.iter().try_for_each(|segment| remove(&segment.path))?;
        left.segments = segments;
        Ok(left)
    }
}

/// Whether `folder` holds a live case.
pub fn is_live(folder: &Path) -> bool {
    folder.join(files::SEGMENTS).is_dir() && manifest::read(folder).is_ok()
}

/// Numbers of the segments there are, ascending.
fn numbers(folder: &Path) -> Result<Vec<u64>> {
    let path = folder.join(files::SEGMENTS);
    let mut numbers = Vec::new();
    for entry in std::fs::read_dir(&path).map_err(StoreError::file("list", &path))? {
        let name = entry.map_err(StoreError::file("list", &path))?.file_name();
        numbers.extend(name.to_string_lossy().strip_suffix(".duckdb").and_then(|number| number.parse::<u64>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Removes a segment with what DuckDB keeps beside it.
fn remove(path: &Path) -> Result<()> {
    folder::remove(path)?;
    let mut log = path.as_os_str().to_owned();
    log.push(".wal");
    folder::remove(Path::new(&log))
}

/// What secrets are hashed with: that of the first run, so that they can be compared over all of them.
fn salt(segments: &Path, fresh: [u8; 16]) -> Result<[u8; 16]> {
    let path = segments.join("salt");
    match std::fs::read(&path).ok().and_then(|bytes| bytes.try_into().ok()) {
        Some(salt) => Ok(salt),
        None => std::fs::write(&path, fresh).map(|()| fresh).map_err(StoreError::file("write", &path)),
    }
}

fn lock(segments: &Path) -> Result<File> {
    let path = segments.join("lock");
    let file = File::create(&path).map_err(StoreError::file("create", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(StoreError::Live(segments.parent().unwrap_or(segments).into())),
        Err(std::fs::TryLockError::Error(source)) => Err(StoreError::file("lock", &path)(source)),
    }
}

/// How segments are written: as other cases are.
const COMPRESSION: &str = "SET disabled_compression_methods = 'fsst,dict_fsst,alp,alprd';";

fn hub(folder: &Path, options: &Options) -> Result<Connection> {
    let failed = || StoreError::database("opening the live case");
    let temporary = folder.join(files::TEMPORARY);
    let config = settings(options.memory_limit, options.threads)
        .and_then(|config| config.with("temp_directory", temporary.to_string_lossy()))
        .map_err(failed())?;
    let hub = Connection::open_in_memory_with_flags(config).map_err(failed())?;
    hub.execute_batch(COMPRESSION).map_err(failed())?;
    Ok(hub)
}

fn another(hub: &Connection) -> Result<Connection> {
    hub.try_clone().map_err(StoreError::database("opening a further connection"))
}

/// A path as SQL text.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.to_string_lossy().replace('\'', "''"))
}
