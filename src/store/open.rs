//! Opening a finished case, read-only and closed in: SQL that people or reports run on it reaches no other file.

use super::case::{put, put_incidents, settings};
use super::folder::{OpenGuard, files};
use super::schema::judgement;
use super::{Result, StoreError, live, manifest, schema};
use crate::model::report::{Host, Incident};
use duckdb::{AccessMode, Connection};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A case, open for reading.
#[derive(Debug)]
pub struct OpenCase {
    folder: PathBuf,
    head: manifest::Head,
    // Fields drop in order: the database closes before the guard says that it is closed.
    conn: Connection,
    /// Segments of a live case that are shown.
    segments: usize,
    /// Catalog of a look at a live case from the process that writes it.
    look: Option<String>,
    /// Shared by those that show one live case at different times; the process that writes it has one of its own.
    guard: Option<Arc<OpenGuard>>,
}

impl OpenCase {
    /// Where it lies.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Who wrote it.
    pub fn head(&self) -> &manifest::Head {
        &self.head
    }

    /// How many segments of a live case are shown: one that is being sealed is not.
    pub fn segments(&self) -> usize {
        self.segments
    }

    /// The connection. The packet index is the view `packets` in it.
    pub fn connection(&self) -> &Connection {
        &self.conn
    }

    /// One more connection to the same case, for another thread. It must not outlive the case.
    pub fn another(&self) -> Result<Connection> {
        let failed = || StoreError::database("opening a further connection");
        let conn = self.conn.try_clone().map_err(failed())?;
        match &self.look {
            Some(look) => conn.execute_batch(&format!("USE {look}")).map_err(failed())?,
            None => packets_view(&conn, &self.folder)?,
        }
        Ok(conn)
    }

    /// A live case as it stands now; this one goes on showing what it showed.
    pub fn again(&self, memory_limit: u64, threads: usize) -> Result<Self> {
        let head = manifest::read(&self.folder)?;
        open_live(self.folder.clone(), head, self.guard.clone(), memory_limit, threads, true)
    }

    /// A look at a live case, from the process that writes it. `conn` is turned to the catalog `look`, which goes with the value.
    pub(super) fn looking(folder: &Path, conn: Connection, look: String) -> Result<Self> {
        Ok(Self { folder: folder.into(), head: manifest::read(folder)?, conn, segments: 0, look: Some(look), guard: None })
    }

    /// Hosts by risk and incidents of a live case, which are judged whenever it is looked at. A finished case has them.
    pub fn keep_judged(&self, hosts: &[Host], incidents: &[Incident]) -> Result<()> {
        if !live::is_live(&self.folder) {
            return Ok(());
        }
        put(&self.conn, "host_risk", &judgement::host_risk(), hosts)?;
        put_incidents(&self.conn, incidents)
    }
}

impl Drop for OpenCase {
    fn drop(&mut self) {
        if let Some(look) = &self.look {
            // What remains otherwise is a catalog of views: memory, and no harm.
            let _ = self.conn.execute_batch(&format!("USE memory; DETACH {look}"));
        }
    }
}

/// Opens the case in `folder` (its `case.duckdb` may be named as well) with at most `memory_limit` bytes and `threads` threads.
pub fn open_read_only(folder: &Path, memory_limit: u64, threads: usize) -> Result<OpenCase> {
    open(folder, memory_limit, threads, true)
}

/// The same for vigil's own rules: they make tables beside the case and choose how many threads they want. Not for statements of others.
pub fn open_for_rules(folder: &Path, memory_limit: u64, threads: usize) -> Result<OpenCase> {
    open(folder, memory_limit, threads, false)
}

fn open(folder: &Path, memory_limit: u64, threads: usize, lock: bool) -> Result<OpenCase> {
    let folder = find(folder)?;
    let head = manifest::read(&folder)?;
    if head.schema > schema::VERSION {
        return Err(StoreError::Newer { path: folder, schema: head.schema, version: head.vigil, ours: schema::VERSION });
    }
    let guard = OpenGuard::take(&folder)?;
    if live::is_live(&folder) {
        return open_live(folder, head, Some(Arc::new(guard)), memory_limit, threads, lock);
    }
    if !head.complete {
        return Err(StoreError::Unfinished(folder));
    }
    let conn = if lock { closed_in(&folder, memory_limit, threads)? } else { beside(&folder, memory_limit, threads)? };
    Ok(OpenCase { folder, head, conn, segments: 0, look: None, guard: Some(Arc::new(guard)) })
}

/// The database itself, read-only.
fn closed_in(folder: &Path, memory_limit: u64, threads: usize) -> Result<Connection> {
    let config = settings(memory_limit, threads)
        .and_then(|config| config.access_mode(AccessMode::ReadOnly))
        .map_err(StoreError::database("opening the case"))?;
    let conn = Connection::open_with_flags(folder.join(files::DATABASE), config).map_err(|error| explain(folder, error))?;
    close_in(&conn, folder)?;
    Ok(conn)
}

/// An in-memory database on which the case hangs: a read-only one takes no tables beside it.
fn beside(folder: &Path, memory_limit: u64, threads: usize) -> Result<Connection> {
    let failed = || StoreError::database("opening the case for rules");
    let conn = settings(memory_limit, threads).and_then(Connection::open_in_memory_with_flags).map_err(failed())?;
    let quoted = |path: &Path| path.display().to_string().replace('\'', "''");
    // What does not fit into memory goes where it is gone with this process, not beside the evidence.
    let spilled = std::env::temp_dir().join(format!("vigil-rules-{}.spill", std::process::id()));
    conn.execute_batch(&format!("SET temp_directory = '{}'", quoted(&spilled))).map_err(failed())?;
    let attach = format!("ATTACH '{}' AS stored (READ_ONLY)", quoted(&folder.join(files::DATABASE)));
    conn.execute_batch(&attach).map_err(|error| explain(folder, error))?;
    let tables = live::tables_in(&conn, "stored")?;
    let views: String = tables.iter().map(|table| format!("CREATE VIEW \"{table}\" AS FROM stored.main.\"{table}\";")).collect();
    conn.execute_batch(&views).map_err(failed())?;
    packets_view(&conn, folder)?;
    Ok(conn)
}

/// A live case: an in-memory database on which all its segments hang.
fn open_live(
    folder: PathBuf,
    head: manifest::Head,
    guard: Option<Arc<OpenGuard>>,
    memory_limit: u64,
    threads: usize,
    lock: bool,
) -> Result<OpenCase> {
    let failed = || StoreError::database("opening the live case");
    let conn = settings(memory_limit, threads).and_then(Connection::open_in_memory_with_flags).map_err(failed())?;
    let segments = live::open(&conn, &folder)?;
    if lock {
        conn.execute_batch("SET enable_external_access = false; SET lock_configuration = true").map_err(failed())?;
    }
    Ok(OpenCase { folder, head, conn, segments, look: None, guard })
}

fn find(path: &Path) -> Result<PathBuf> {
    if !path.exists() {
        return Err(StoreError::NoCase(path.into()));
    }
    let absolute = path.canonicalize().map_err(StoreError::file("resolve", path))?;
    match absolute.parent() {
        Some(parent) if absolute.file_name().is_some_and(|name| name == files::DATABASE) => Ok(parent.into()),
        _ => Ok(absolute),
    }
}

fn explain(folder: &Path, error: duckdb::Error) -> StoreError {
    let said = error.to_string();
    if said.contains("Could not set lock") {
        return StoreError::Locked { path: folder.into(), detail: said.lines().next().unwrap_or_default().into() };
    }
    StoreError::Database { doing: format!("opening '{}'", folder.display()), source: error }
}

/// Only the packet index may be read from SQL, and nothing can lift that.
fn close_in(conn: &Connection, folder: &Path) -> Result<()> {
    let failed = || StoreError::database("closing the case in");
    conn.execute_batch(&format!("SET allowed_paths = [{}]; SET enable_external_access = false", packets_path(folder))).map_err(failed())?;
    packets_view(conn, folder)?;
    conn.execute_batch("SET lock_configuration = true").map_err(failed())
}

fn packets_view(conn: &Connection, folder: &Path) -> Result<()> {
    if !folder.join(files::PACKETS).exists() {
        return Ok(());
    }
    conn.execute_batch(&format!("CREATE OR REPLACE TEMP VIEW packets AS FROM read_parquet({})", packets_path(folder)))
        .map_err(StoreError::database("reading the packet index"))
}

fn packets_path(folder: &Path) -> String {
    format!("'{}'", folder.join(files::PACKETS).to_string_lossy().replace('\'', "''"))
}
