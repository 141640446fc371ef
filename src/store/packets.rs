//! The packet index: for every frame of the case where it lies, when it was, and which flows it belongs to.
//!
//! Rows are staged in a database of their own beside the case, which keeps memory bounded at any number of frames, and
//! copied to Parquet at the end.

use super::case::put;
use super::column::Columns;
use super::folder::{self, files};
use super::{Result, StoreError};
use crate::model::{FlowId, Ts};
use duckdb::Connection;
use smallvec::SmallVec;
use std::path::{Path, PathBuf};

const STAGING: &str = "packets.staging.duckdb";
const TABLE: &str = "packets";
/// Rows gathered before they are staged.
const BATCH: usize = 32 * 2_048;

/// One frame of the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PacketRow {
    /// Number in the case, from 1.
    pub frame: u64,
    /// Evidence file.
    pub capture_id: u32,
    /// Number in its file, from 1.
    pub frame_in_file: u64,
    /// Byte offset of its record in the decompressed file.
    pub offset: u64,
    /// Capture time.
    pub ts_ns: Ts,
    /// Bytes captured.
    pub caplen: u32,
    /// Bytes on the wire.
    pub wire_len: u32,
    /// Outermost flow; `None` if it belongs to none.
    pub flow_id: Option<FlowId>,
    /// Flows inside, outer first.
    pub inner_flow_ids: SmallVec<[FlowId; 2]>,
}

fn columns() -> Columns<PacketRow> {
    Columns::new()
        .big("frame", "Number in the case, from 1.", |r: &PacketRow| r.frame)
        .int("capture_id", "Evidence file.", |r| r.capture_id)
        .big("frame_in_file", "Number in its file, from 1.", |r| r.frame_in_file)
        .big("offset", "Byte offset of its record in the decompressed file.", |r| r.offset)
        .big("ts_ns", "Capture time.", |r| r.ts_ns)
        .int("caplen", "Bytes captured.", |r| r.caplen)
        .int("wire_len", "Bytes on the wire.", |r| r.wire_len)
        .big("flow_id", "Outermost flow.", |r| r.flow_id)
        .bigs("inner_flow_ids", "Flows inside, outer first.", |r| r.inner_flow_ids.as_slice())
}

/// The packet index while it grows.
pub struct PacketIndex {
    conn: Connection,
    /// Name under which DuckDB knows the case's own database.
    catalog: String,
    folder: PathBuf,
    waiting: Vec<PacketRow>,
}

impl PacketIndex {
    /// An empty index beside the case in `folder`. It has a connection of its own: one transaction writes to one database.
    pub fn create(case: &Connection, folder: &Path) -> Result<Self> {
        let failed = || StoreError::database("beginning the packet index");
        let conn = case.try_clone().map_err(failed())?;
        let catalog = conn.query_row("SELECT current_database()", [], |row| row.get(0)).map_err(failed())?;
        let path = folder.join(STAGING).to_string_lossy().replace('\'', "''");
        let rows: Vec<String> = columns().0.iter().map(|column| format!("\"{}\" {}", column.name, column.kind.sql())).collect();
        let table = rows.join(", ");
        conn.execute_batch(&format!("ATTACH '{path}' AS staging; USE staging; CREATE TABLE {TABLE} ({table}); BEGIN TRANSACTION"))
            .map_err(failed())?;
        Ok(Self { conn, catalog, folder: folder.into(), waiting: Vec::new() })
    }

    /// Takes the next frames.
    pub fn append(&mut self, rows: Vec<PacketRow>) -> Result<()> {
        self.waiting.extend(rows);
        if self.waiting.len() >= BATCH { self.stage() } else { Ok(()) }
    }

    fn stage(&mut self) -> Result<()> {
        put(&self.conn, TABLE, &columns(), &self.waiting)?;
        self.waiting.clear();
        Ok(())
    }

    /// Writes `packets.parquet` and takes the staging away.
    pub fn finish(mut self) -> Result<()> {
        self.stage()?;
        let failed = || StoreError::database("writing the packet index");
        let path = self.folder.join(files::PACKETS).to_string_lossy().replace('\'', "''");
        self.conn
            .execute_batch(&format!(
                "COMMIT;
                 COPY (FROM {TABLE}) TO '{path}' (FORMAT parquet, PARQUET_VERSION v2, COMPRESSION zstd);
                 USE \"{}\";
                 DETACH staging",
                self.catalog
            ))
            .map_err(failed())?;
        drop(self.conn);
        folder::remove(&self.folder.join(STAGING))?;
        folder::remove(&self.folder.join(format!("{STAGING}.wal")))
    }
}
