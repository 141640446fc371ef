//! The packet index: for every frame of the case where it lies, when it was, and which flows it belongs to.
//!
//! Rows go straight to a Parquet file, a row group at a time: memory stays bounded at any number of frames. Numbers are written as
//! differences to the one before, packed in as few bits as they need.

use super::column::Columns;
use super::folder::files;
use super::{Result, StoreError};
use crate::model::{FlowId, Ts};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding};
use parquet::file::properties::{WriterProperties, WriterVersion};
use smallvec::SmallVec;
use std::fs::File;
use std::path::Path;

/// Rows gathered before they are encoded.
const BATCH: usize = 8 * 2_048;
/// Rows of a row group: what a reader can skip at once, and what is held in memory while it is written.
const GROUP: usize = 64 * 2_048;

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

pub(super) fn columns() -> Columns<PacketRow> {
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
    writer: ArrowWriter<File>,
    columns: Columns<PacketRow>,
    waiting: Vec<PacketRow>,
}

impl PacketIndex {
    /// An empty index in the case at `folder`.
    pub fn create(folder: &Path) -> Result<Self> {
        let path = folder.join(files::PACKETS);
        let file = File::create(&path).map_err(StoreError::file("write", &path))?;
        let properties = WriterProperties::builder()
            .set_writer_version(WriterVersion::PARQUET_2_0)
            .set_created_by(concat!("vigil ", env!("CARGO_PKG_VERSION")).into())
            .set_max_row_group_row_count(Some(GROUP))
            .set_dictionary_enabled(false)
            .set_encoding(Encoding::DELTA_BINARY_PACKED)
            .set_compression(Compression::SNAPPY)
            .build();
        let columns = columns();
        let writer = ArrowWriter::try_new(file, columns.schema(), Some(properties)).map_err(failed)?;
        Ok(Self { writer, columns, waiting: Vec::new() })
    }

    /// Takes the next frames.
    pub fn append(&mut self, rows: Vec<PacketRow>) -> Result<()> {
        self.waiting.extend(rows);
        if self.waiting.len() >= BATCH { self.encode() } else { Ok(()) }
    }

    fn encode(&mut self) -> Result<()> {
        let batch = self.columns.batch(&self.waiting).map_err(|source| StoreError::Columns { table: "packets", source })?;
        self.waiting.clear();
        self.writer.write(&batch).map_err(failed)
    }

    /// Writes what waits and closes the file.
    pub fn finish(mut self) -> Result<()> {
        self.encode()?;
        self.writer.close().map(drop).map_err(failed)
    }
}

fn failed(source: parquet::errors::ParquetError) -> StoreError {
    StoreError::PacketIndex { source }
}
