//! Transferred files out of carved flows: the flows are dissected once more, and what they carried is written under neutral names.
//!
//! Nothing that is written is ever run, opened or looked into here. A file that is there already stays as it is.

use super::super::Error;
use super::super::ingest::{Ingest, Step};
use crate::dissect::keep_contents;
use crate::model::{AppEvent, Block, Event, Frame, FrameMeta, Limits};
use crate::store::{Cell, query};
use duckdb::Connection;
use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Content of files held until it is known that the evidence is unchanged.
const CONTENT_BYTES: u64 = 512 << 20;
/// Bytes gathered before they are dissected.
const BLOCK_BYTES: usize = 4 << 20;
/// Frames gathered before they are dissected.
const BLOCK_FRAMES: usize = 16_384;

/// A file as the case knows it.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Transferred {
    /// SHA-256 of its content; `None` if it was not seen whole.
    pub sha256: Option<String>,
    /// Bytes seen.
    pub bytes: u64,
    /// Type by content.
    pub mime_type: Option<String>,
    /// What it was called, as told by whoever sent it.
    pub name: Option<String>,
    /// Frame in which it began or was asked for.
    pub frame: u64,
    /// Where it was written; `None` if it was not.
    pub path: Option<PathBuf>,
    /// Why it was not written, or that it was there already.
    pub note: String,
}

/// Files of the chosen flows and frames, and puts their flows in the place of what was chosen: a file needs every packet of its flow, and
/// of those that announced it (FTP names its transfers elsewhere).
pub(super) fn wanted(db: &Connection) -> Result<Vec<Transferred>, Error> {
    let from = "FROM files WHERE flow_id IN (SELECT id FROM carve_flows) OR frame IN (SELECT frame FROM carve_frames)";
    let rows = query(db, &format!("SELECT sha256, seen_bytes, mime_type, coalesce(filename, url), frame {from} ORDER BY frame, sha256"))?;
    let text = |cell: Option<&Cell>| cell.filter(|cell| **cell != Cell::Null).map(Cell::to_string);
    let number = |cell: Option<&Cell>| text(cell).and_then(|text| text.parse().ok()).unwrap_or(0);
    let read = |row: &Vec<Cell>| Transferred {
        sha256: text(row.first()),
        bytes: number(row.get(1)),
        mime_type: text(row.get(2)),
        name: text(row.get(3)),
        frame: number(row.get(4)),
        path: None,
        note: String::new(),
    };
    let found = rows.rows.iter().map(read).collect();
    db.execute_batch(&format!(
        "CREATE OR REPLACE TEMP TABLE carve_more AS SELECT DISTINCT flow_id AS id {from} AND flow_id IS NOT NULL;
         DELETE FROM carve_frames; DELETE FROM carve_flows; INSERT INTO carve_flows FROM carve_more;
         INSERT INTO carve_flows SELECT announces.flow_id FROM flows carries
             JOIN flows announces ON list_sort([carries.id_orig_h, carries.id_resp_h]) = list_sort([announces.id_orig_h, announces.id_resp_h])
             WHERE carries.flow_id IN (SELECT id FROM carve_more) AND list_has_any(string_split(announces.service, ','), ['ftp', 'tftp'])"
    ))?;
    super::select::siblings(db)?;
    Ok(found)
}

/// Takes frames and holds the contents of the files that they carried.
pub(super) struct Rebuilder {
    ingest: Ingest,
    block: Block,
    frames: u64,
    contents: BTreeMap<String, Vec<u8>>,
}

impl Rebuilder {
    pub fn new() -> Self {
        keep_contents(CONTENT_BYTES);
        Self { ingest: Ingest::new(&Limits::default(), None), block: Block::default(), frames: 0, contents: BTreeMap::new() }
    }

    /// Takes the next frame. Frames are numbered anew: those between are not there.
    pub fn frame(&mut self, frame: Frame<'_>) {
        if self.block.frames.len() >= BLOCK_FRAMES || self.block.bytes.len() + frame.bytes.len() > BLOCK_BYTES {
            self.flush();
        }
        self.frames += 1;
        let start = self.block.bytes.len() as u32;
        self.block.frames.push(FrameMeta { number: self.frames, in_file: self.frames, capture: 0, start, ..*frame.meta });
        self.block.bytes.extend_from_slice(frame.bytes);
    }

    fn flush(&mut self) {
        let block = std::mem::take(&mut self.block);
        let (step, _) = self.ingest.block((!block.frames.is_empty()).then_some(block));
        keep(&mut self.contents, step);
    }

    /// Contents by SHA-256.
    pub fn finish(mut self) -> BTreeMap<String, Vec<u8>> {
        self.flush();
        // Blocks go through the flow table one step behind.
        self.flush();
        let Self { mut ingest, mut contents, .. } = self;
        ingest.finish(|step| keep(&mut contents, step));
        keep_contents(0);
        contents
    }
}

fn keep(contents: &mut BTreeMap<String, Vec<u8>>, step: Step) {
    for AppEvent { event, .. } in step.events {
        if let Event::File(mut file) = event
            && let (Some(sha256), Some(content)) = (file.sha256.take(), file.content.take())
        {
            contents.insert(sha256, content);
        }
    }
}

/// Writes what could be rebuilt into `folder`, as `SHA256.bin`.
pub(super) fn write(files: &mut [Transferred], contents: &BTreeMap<String, Vec<u8>>, folder: &Path) -> Result<(), Error> {
    let failed = |path: &Path| {
        let what = path.display().to_string();
        move |error| Error::Write { what, error }
    };
    std::fs::create_dir_all(folder).map_err(failed(folder))?;
    for file in files {
        let Some(sha256) = &file.sha256 else {
            file.note = "not written: the capture does not hold all of it".into();
            continue;
        };
        let Some(content) = contents.get(sha256) else {
            file.note = format!("not written: it could not be rebuilt from its flow alone, or {} MB were reached", CONTENT_BYTES >> 20);
            continue;
        };
        let path = folder.join(format!("{sha256}.bin"));
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(mut out) => out.write_all(content).map_err(failed(&path))?,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => file.note = "was there already".into(),
            Err(error) => return Err(failed(&path)(error)),
        }
        file.path = Some(path);
    }
    Ok(())
}
