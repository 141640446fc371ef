//! Chosen frames out of the evidence, in the order of the case, each checked against the packet index, and the evidence against its hash.

use super::super::Error;
use super::evidence::{Piece, locate};
use super::select::{CHOSEN, one};
use crate::capture::{Again, Digests, Origin, Readings};
use crate::model::{Frame, Ts};
use duckdb::Connection;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Frames of the case that are looked at in one query: bounds what is held of the index.
const FRAMES_AT_ONCE: u64 = 1 << 20;

/// A frame that is wanted: its row of the packet index.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    /// Number in the case.
    pub frame: u64,
    /// Evidence file.
    pub capture: u32,
    /// Number in that file.
    pub in_file: u64,
    offset: u64,
    ts_ns: Ts,
    caplen: u32,
    /// Chosen itself; else it lies around chosen ones.
    pub chosen: bool,
}

/// Which rows of the index are wanted: SQL over `p`, and over the table of spans if there is context.
pub(super) struct Wish {
    context: bool,
}

impl Wish {
    /// Chosen frames, and with `context_ns` all others within so much of them.
    pub fn new(db: &Connection, context_ns: i64) -> Result<Self, Error> {
        if context_ns > 0 {
            db.execute_batch(&format!(
                "CREATE OR REPLACE TEMP TABLE carve_spans AS
                 SELECT min(ts_ns) - {context_ns}::BIGINT AS from_ns, max(ts_ns) + {context_ns}::BIGINT AS until_ns FROM (
                     SELECT ts_ns, sum(fresh) OVER (ORDER BY ts_ns, frame ROWS UNBOUNDED PRECEDING) AS island FROM (
                         SELECT p.ts_ns, p.frame,
                                CASE WHEN p.ts_ns - lag(p.ts_ns) OVER (ORDER BY p.ts_ns, p.frame) <= {context_ns}::BIGINT * 2 THEN 0 ELSE 1 END AS fresh
                         FROM packets p WHERE {CHOSEN}))
                 GROUP BY island"
            ))?;
        }
        Ok(Self { context: context_ns > 0 })
    }

    /// The wanted rows of these frames, in order.
    fn rows(&self, db: &Connection, from: u64) -> Result<Vec<Wanted>, Error> {
        let wanted = if self.context {
            format!("({CHOSEN} OR EXISTS (SELECT 1 FROM carve_spans s WHERE p.ts_ns BETWEEN s.from_ns AND s.until_ns))")
        } else {
            CHOSEN.to_owned()
        };
        let mut statement = db.prepare(&format!(
            "SELECT p.frame, p.capture_id, p.frame_in_file, p.\"offset\", p.ts_ns, p.caplen, coalesce({CHOSEN}, false) FROM packets p
             WHERE p.frame >= {from} AND p.frame < {} AND {wanted} ORDER BY p.frame",
            from + FRAMES_AT_ONCE
        ))?;
        let rows = statement.query_map([], |row| {
            let big = |at| row.get::<_, i64>(at).map(i64::unsigned_abs);
            Ok(Wanted {
                frame: big(0)?,
                capture: row.get::<_, i32>(1)?.unsigned_abs(),
                in_file: big(2)?,
                offset: big(3)?,
                ts_ns: row.get(4)?,
                caplen: row.get::<_, i32>(5)?.unsigned_abs(),
                chosen: row.get(6)?,
            })
        })?;
        Ok(rows.collect::<duckdb::Result<_>>()?)
    }
}

/// Evidence that was read: which piece, where it lay.
pub(super) type Read = Vec<(Piece, PathBuf)>;

/// Hands every wanted frame to `take`, in the order of the case. Fails if evidence is not there, or no longer what it was: what `take`
/// made of the frames is worth nothing then.
pub(super) fn each(
    db: &Connection,
    wish: &Wish,
    place: &Place<'_>,
    mut take: impl FnMut(&Wanted, Frame<'_>, Origin) -> Result<(), Error>,
) -> Result<Read, Error> {
    let last = one(db, "SELECT coalesce(max(frame), 0) FROM packets")?;
    let ends = last_frames(db, wish, last)?;
    let mut desk = Desk { place, readings: Readings::start(kind(place.pieces))?, open: BTreeMap::new(), done: Vec::new() };
    let mut odd = None;
    'evidence: for from in (1..=last).step_by(FRAMES_AT_ONCE as usize) {
        for wanted in wish.rows(db, from)? {
            let again = desk.open(wanted.capture)?;
            match again.frame(wanted.in_file) {
                Some((frame, origin)) if fits(&wanted, &frame) => take(&wanted, frame, origin)?,
                _ => odd = odd.or(Some(wanted)),
            }
            // A file is closed with its last frame: of rotated captures one at a time is open.
            if ends.get(&wanted.capture) == Some(&wanted.frame) || odd.is_some() {
                desk.close(wanted.capture);
            }
            if odd.is_some() {
                break 'evidence;
            }
        }
    }
    desk.finish(odd)
}

/// Where evidence is looked for.
pub(super) struct Place<'a> {
    /// Evidence of the case.
    pub pieces: &'a [Piece],
    /// Folder of the case.
    pub folder: &'a Path,
    /// Folder that the user named.
    pub moved_to: Option<&'a Path>,
}

/// The last wanted frame of each capture.
fn last_frames(db: &Connection, wish: &Wish, last: u64) -> Result<BTreeMap<u32, u64>, Error> {
    let mut ends = BTreeMap::new();
    for from in (1..=last).step_by(FRAMES_AT_ONCE as usize) {
        ends.extend(wish.rows(db, from)?.into_iter().map(|wanted| (wanted.capture, wanted.frame)));
    }
    Ok(ends)
}

fn kind(pieces: &[Piece]) -> crate::capture::Hash {
    pieces.first().map(Piece::kind).unwrap_or_default()
}

fn fits(wanted: &Wanted, frame: &Frame<'_>) -> bool {
    let meta = frame.meta;
    (meta.offset, meta.ts_ns, meta.caplen) == (wanted.offset, wanted.ts_ns, wanted.caplen) && frame.bytes.len() == meta.caplen as usize
}

/// Evidence while it is read.
struct Desk<'a> {
    place: &'a Place<'a>,
    readings: Readings,
    open: BTreeMap<u32, (Again, PathBuf)>,
    /// Number of the piece, number with the hashes, path.
    done: Vec<(u32, u32, PathBuf)>,
}

impl Desk<'_> {
    fn open(&mut self, capture: u32) -> Result<&mut Again, Error> {
        if !self.open.contains_key(&capture) {
            let piece = piece(self.place.pieces, capture)?;
            let path = locate(piece, self.place.folder, self.place.moved_to)?.ok_or_else(|| missing(piece, self.place.moved_to))?;
            let again = self.readings.open(&path)?;
            self.open.insert(capture, (again, path));
        }
        match self.open.get_mut(&capture) {
            Some((again, _)) => Ok(again),
            None => Err(Error::Selection(format!("evidence {capture} is not open"))),
        }
    }

    fn close(&mut self, capture: u32) {
        if let Some((again, path)) = self.open.remove(&capture) {
            self.done.push((capture, again.finish(), path));
        }
    }

    /// Compares the hashes of all that was read with those on record.
    fn finish(mut self, odd: Option<Wanted>) -> Result<Read, Error> {
        let left: Vec<u32> = self.open.keys().copied().collect();
        left.into_iter().for_each(|capture| self.close(capture));
        let digests = self.readings.finish();
        let mut read = Vec::new();
        for (capture, ticket, path) in self.done {
            let (piece, now) = (piece(self.place.pieces, capture)?, digests.get(&ticket).cloned().unwrap_or_default());
            if !piece.is(&now) {
                return Err(changed(piece, &path, &now));
            }
            read.push((piece.clone(), path));
        }
        read.sort_by_key(|(piece, _)| piece.id);
        match odd {
            None => Ok(read),
            Some(wanted) => Err(Error::Read {
                what: format!("frame {} from the evidence", wanted.frame),
                why: "the evidence is the same, but packets.parquet says otherwise; `vigil verify CASE` tells what was changed".into(),
            }),
        }
    }
}

fn piece(pieces: &[Piece], capture: u32) -> Result<&Piece, Error> {
    let unknown =
        || Error::Read { what: format!("evidence {capture}"), why: "packets.parquet names it, the table captures does not".into() };
    pieces.iter().find(|piece| piece.id == capture).ok_or_else(unknown)
}

/// The evidence is not where it was.
pub(in super::super) fn missing(piece: &Piece, moved_to: Option<&Path>) -> Error {
    let whereabouts = match moved_to {
        Some(folder) => format!("no file in {} has its hash", folder.display()),
        None if piece.path == "-" => "it came by standard input; name the folder where it is kept with --evidence DIR".into(),
        None => "it is not where it was read from; name the folder that it was moved to with --evidence DIR".into(),
    };
    Error::EvidenceMissing { path: piece.path.clone(), hash: piece.hash(), whereabouts }
}

fn changed(piece: &Piece, path: &Path, now: &Digests) -> Error {
    let now = Piece { sha256: now.sha256.clone(), blake3: now.blake3.clone(), ..Piece::default() };
    Error::EvidenceChanged { path: path.display().to_string(), recorded: piece.hash(), now: now.hash() }
}
