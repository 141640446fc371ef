//! Neighbouring segments become one: beside everything else, with a database and a thread of their own, in a file that then takes the place
//! of the last of them.
//!
//! A file `N.duckdb` holds all from `sealed.first_number` up to `N`. It is written as `N.merging` and renamed over the old `N` before the
//! others go: wherever that is broken off, what is there is whole, and files that a later one covers are passed over.

use super::super::case::settings;
use super::super::folder::{self, files};
use super::super::{Options, Result, StoreError};
use super::{Segment, quoted, together, views};
use duckdb::{Connection, InterruptHandle};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

/// The catalog that is written.
const MERGED: &str = "merged";
/// Of what DuckDB may hold in all, merging has this share, beside detection: it copies, row group by row group.
const SHARE: u64 = 4;
/// From this size on, blocks are DuckDB's usual ones.
const LARGE: u64 = 64 << 20;

/// Segments that are being merged.
pub(super) struct Merge {
    of: Vec<Segment>,
    into: Segment,
    thread: Option<JoinHandle<Result<()>>>,
    interrupt: Arc<InterruptHandle>,
}

impl Merge {
    /// Begins to merge neighbours, given in order of time, on a thread.
    pub fn begin(root: &Path, options: &Options, of: Vec<Segment>) -> Result<Option<Self>> {
        let Some(into) = of.iter().cloned().reduce(joined) else { return Ok(None) };
        let beside = beside(&into.path);
        remove(&beside)?;
        let failed = || StoreError::database("merging segments");
        let temporary = root.join(files::TEMPORARY).join("merging");
        let conn = settings(options.memory_limit / SHARE, 1)
            .and_then(|config| config.with("temp_directory", temporary.to_string_lossy()))
            .and_then(Connection::open_in_memory_with_flags)
            .map_err(failed())?;
        let interrupt = conn.interrupt_handle();
        let (parts, target) = (of.clone(), into.clone());
        let work = move || {
            let done = write(&conn, &parts, &target, &beside);
            // What failed is of no use, and its disk may be full.
            done.inspect_err(|_| drop(remove(&beside)))
        };
        let thread = std::thread::Builder::new().name("merge".into()).spawn(work).map_err(StoreError::file("merge into", &into.path))?;
        Ok(Some(Self { of, into, thread: Some(thread), interrupt }))
    }

    /// Whether the merged file is written, or could not be.
    pub fn is_over(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// The segments that are merged.
    pub fn of(&self) -> &[Segment] {
        &self.of
    }

    /// Waits until the merged file is written.
    pub fn wait(&mut self) -> Result<()> {
        self.thread.take().map_or(Ok(()), |thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    }

    /// Lets the merged file take the place of its parts, none of which this process may still have open; returns the segment it is.
    pub fn put_in_place(&self) -> Result<Segment> {
        let path = &self.into.path;
        std::fs::rename(beside(path), path).map_err(StoreError::file("replace", path))?;
        // Before the others go, it must be known that this one covers them. Where they cannot go, they are passed over.
        let known = path.parent().is_some_and(|folder| std::fs::File::open(folder).and_then(|folder| folder.sync_all()).is_ok());
        for part in self.of.iter().filter(|part| known && part.number != self.into.number) {
            let _ = super::remove(&part.path);
        }
        Ok(self.into.clone())
    }
}

impl Drop for Merge {
    /// What nobody waits for is broken off.
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            self.interrupt.interrupt();
            let _ = thread.join();
            let _ = remove(&beside(&self.into.path));
        }
    }
}

/// One segment instead of two neighbours, the younger one's place being its own.
fn joined(older: Segment, younger: Segment) -> Segment {
    let mut rows = older.rows;
    for (table, more) in younger.rows {
        *rows.entry(table).or_default() += more;
    }
    let first_ns = [older.first_ns, younger.first_ns].into_iter().flatten().min();
    let last_ns = older.last_ns.max(younger.last_ns);
    Segment { first: older.first, covers: older.covers + younger.covers, first_ns, last_ns, rows, ..younger }
}

/// Where a merged segment is written before it takes its place: a name that no reader takes for a segment.
fn beside(path: &Path) -> PathBuf {
    path.with_extension("merging")
}

fn remove(beside: &Path) -> Result<()> {
    folder::remove(beside)?;
    folder::remove(&beside.with_extension("merging.wal"))
}

/// Removes what an earlier run left half merged.
pub(super) fn clear(segments: &Path) -> Result<()> {
    for entry in std::fs::read_dir(segments).map_err(StoreError::file("list", segments))? {
        let path = entry.map_err(StoreError::file("list", segments))?.path();
        if path.extension().is_some_and(|ending| ending == "merging") {
            remove(&path)?;
        }
    }
    Ok(())
}

/// Writes the rows of `of` into a new file, all of them or none.
fn write(conn: &Connection, of: &[Segment], into: &Segment, beside: &Path) -> Result<()> {
    let failed = || StoreError::database(format!("merging segments into '{}'", into.path.display()));
    let size: u64 = of.iter().filter_map(|part| std::fs::metadata(&part.path).ok()).map(|meta| meta.len()).sum();
    let blocks = if size > LARGE { "" } else { super::segment::SMALL_BLOCKS };
    let attach: Vec<String> = of.iter().map(|part| format!("ATTACH {} AS {} (READ_ONLY);", quoted(&part.path), part.catalog())).collect();
    let begin = format!("{}{}\nATTACH {} AS {MERGED} {blocks}; BEGIN TRANSACTION", super::COMPRESSION, attach.concat(), quoted(beside));
    conn.execute_batch(&begin).map_err(failed())?;
    let mut holders: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for part in of {
        let catalog = part.catalog();
        for table in views::tables_in(conn, &catalog)? {
            holders.entry(table).or_default().push(catalog.clone());
        }
    }
    for (table, holders) in &holders {
        let holders: Vec<&str> = holders.iter().map(String::as_str).collect();
        conn.execute_batch(&copying(conn, table, &holders)?).map_err(failed())?;
    }
    let end = format!("{}; COMMIT; CHECKPOINT {MERGED}; DETACH {MERGED}", super::segment::seal_of(MERGED, into));
    conn.execute_batch(&end).map_err(failed())
}

/// The statements that bring one table into the merged segment.
fn copying(conn: &Connection, table: &str, holders: &[&str]) -> Result<String> {
    let all = together::all(holders.iter().copied(), table);
    let create = |rows: String| format!("CREATE TABLE {MERGED}.main.\"{table}\" AS {rows}");
    Ok(match table {
        super::segment::SEALED => String::new(),
        "hosts" => create(together::hosts(&all)),
        "host_role" => create(together::host_role(&all)),
        "host_claims" => create(together::host_claims(&all)),
        "indicators" | "places" => create(together::known(&all)),
        "rules" => create(format!("FROM {}.main.rules", newest_with_rows(conn, table, holders)?)),
        // One after the other: rows keep their order, and no more than a row group waits in memory.
        _ => {
            let insert = |holder: &&str| format!("INSERT INTO {MERGED}.main.\"{table}\" BY NAME SELECT * FROM {holder}.main.\"{table}\"");
            let inserts: Vec<String> = holders.iter().map(insert).collect();
            format!("{}; {}", create(format!("SELECT * FROM ({all}) LIMIT 0")), inserts.join("; "))
        }
    })
}

/// The newest of these catalogs whose table has rows, or the newest.
fn newest_with_rows<'a>(conn: &Connection, table: &str, holders: &[&'a str]) -> Result<&'a str> {
    for holder in holders.iter().rev() {
        if views::rows(conn, holder, &[table])?.values().any(|rows| *rows > 0) {
            return Ok(holder);
        }
    }
    Ok(holders.last().copied().unwrap_or_default())
}
