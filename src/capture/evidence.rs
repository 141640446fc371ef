//! What was given on the command line → the captures to read, each once, in the order of their first frames.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use super::error::Error;
use super::hash::{Hash, hash_file};
use super::ledger::Sink;
use super::reader::{Pause, Reader, Turn};
use super::stored::{Input, Stored};
use crate::model::Ts;

/// Bytes read at a time when only the first frame is looked for.
const PEEK_BYTES: usize = 64 << 10;
/// Folders within folders that are entered.
const DEPTH_MAX: usize = 64;

/// One piece of evidence.
pub(super) struct Evidence {
    /// As given, or as found in a folder that was given.
    pub(super) path: PathBuf,
    /// Its name in the case.
    pub(super) shown: String,
    /// Named on the command line, not found in a folder.
    pub(super) named: bool,
    /// How it can be read.
    pub(super) access: Access,
    /// Time of its first frame, if it has one.
    pub(super) first_ts: Option<Ts>,
    /// Why it is no capture, if it is none.
    pub(super) not_a_capture: Option<String>,
    /// Other paths with the same content.
    pub(super) also_at: Vec<String>,
}

/// How evidence can be read.
pub(super) enum Access {
    /// Again and again, this many bytes.
    File(u64),
    /// Once.
    Stream,
    /// Not at all, and why.
    Refused(io::Error),
}

/// Finds the evidence in `paths`: captures once each, and what was named but is none.
pub(super) fn gather(paths: &[PathBuf]) -> Result<Vec<Evidence>, Error> {
    if paths.is_empty() {
        return Err(Error::NoPath);
    }
    let mut found = Vec::new();
    for path in paths {
        named(path, &mut found)?;
    }
    let mut evidence = distinct(found);
    for piece in &mut evidence {
        peek(piece);
    }
    evidence.retain(|piece| piece.named || piece.not_a_capture.is_none() || matches!(piece.access, Access::Refused(_)));
    Ok(evidence)
}

/// The order of the case, whatever that of the command line: by first frame, then name. What has no frames comes last.
pub(super) fn order(one: &Evidence, other: &Evidence) -> Ordering {
    let key = |piece: &Evidence| (piece.first_ts.is_none(), piece.first_ts);
    key(one).cmp(&key(other)).then_with(|| one.path.cmp(&other.path))
}

/// Opens a piece of evidence for its one pass.
pub(super) fn input(piece: &Evidence) -> io::Result<Input> {
    match &piece.access {
        Access::Stream if piece.path == Path::new("-") => Ok(Input::Stream(Box::new(io::stdin()))),
        Access::Stream => Ok(Input::Stream(Box::new(fs::File::open(&piece.path)?))),
        Access::File(_) => Input::open(&piece.path),
        Access::Refused(why) => Err(io::Error::new(why.kind(), why.to_string())),
    }
}

/// Adds what a path on the command line stands for.
fn named(path: &Path, found: &mut Vec<Evidence>) -> Result<(), Error> {
    if path == Path::new("-") {
        found.push(Evidence::new(path, true, Access::Stream));
        return Ok(());
    }
    let opening = |error| Error::opening(path.to_path_buf(), error);
    let metadata = fs::metadata(path).map_err(opening)?;
    if metadata.is_dir() {
        fs::read_dir(path).map_err(opening)?;
        folder(path, found, DEPTH_MAX);
    } else if metadata.is_file() {
        fs::File::open(path).map_err(opening)?;
        found.push(Evidence::new(path, true, Access::File(metadata.len())));
    } else {
        found.push(Evidence::new(path, true, Access::Stream));
    }
    Ok(())
}

/// Adds the files below a folder, sorted by path. Links to folders may lead in circles.
fn folder(path: &Path, found: &mut Vec<Evidence>, depth: usize) {
    let entries = fs::read_dir(path).and_then(|entries| entries.collect::<io::Result<Vec<_>>>());
    let mut entries: Vec<PathBuf> = match entries {
        Ok(entries) => entries.into_iter().map(|entry| entry.path()).collect(),
        Err(error) => return found.push(Evidence::new(path, false, Access::Refused(error))),
    };
    entries.sort();
    for entry in entries {
        match (fs::symlink_metadata(&entry), fs::metadata(&entry)) {
            (Ok(here), Ok(_)) if here.is_dir() && depth > 0 => folder(&entry, found, depth - 1),
            (_, Ok(there)) if there.is_file() => found.push(found_file(&entry, &there)),
            (_, Err(error)) => found.push(Evidence::new(&entry, false, Access::Refused(error))),
            // Pipes and devices in a folder are nobody's evidence, and links to folders are not followed.
            _ => {}
        }
    }
}

fn found_file(path: &Path, metadata: &Metadata) -> Evidence {
    match fs::File::open(path) {
        Ok(_) => Evidence::new(path, false, Access::File(metadata.len())),
        Err(error) => Evidence::new(path, false, Access::Refused(error)),
    }
}

/// Leaves each file once: by its place on the disk, then, among files of equal size, by its hash.
fn distinct(found: Vec<Evidence>) -> Vec<Evidence> {
    let mut sizes: BTreeMap<u64, usize> = BTreeMap::new();
    let (mut places, mut kept): (BTreeSet<PathBuf>, Vec<Evidence>) = (BTreeSet::new(), Vec::new());
    for piece in found {
        let place = if matches!(piece.access, Access::Stream) { Ok(piece.path.clone()) } else { fs::canonicalize(&piece.path) };
        if places.insert(place.unwrap_or_else(|_| piece.path.clone())) {
            if let Access::File(bytes) = piece.access {
                *sizes.entry(bytes).or_default() += 1;
            }
            kept.push(piece);
        } else if let (true, Some(same)) = (piece.named, kept.iter_mut().find(|same| same.path == piece.path)) {
            same.named = true;
        }
    }
    kept.sort_by(|one, other| one.path.cmp(&other.path));
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut once: Vec<Evidence> = Vec::new();
    for piece in kept {
        let twin = match piece.access {
            Access::File(bytes) if bytes > 0 && sizes.get(&bytes).is_some_and(|count| *count > 1) => {
                hash_file(&piece.path, Hash::Blake3).ok()
            }
            _ => None,
        };
        match twin.and_then(|digests| {
            let first = *seen.entry(digests.blake3).or_insert(once.len());
            (first < once.len()).then_some(first)
        }) {
            Some(first) => {
                once[first].named |= piece.named;
                once[first].also_at.push(piece.shown);
            }
            None => once.push(piece),
        }
    }
    once
}

/// Looks at a file's beginning: whether it is a capture, and when its first frame was seen.
fn peek(piece: &mut Evidence) {
    if let Access::Refused(error) = &piece.access {
        piece.not_a_capture = Some(error.to_string());
    }
    if !matches!(piece.access, Access::File(_)) {
        return;
    }
    match Input::open(&piece.path) {
        Ok(input) => {
            let mut reader = Reader::open(Stored::new(input, PEEK_BYTES), String::new());
            piece.not_a_capture = reader.not_a_capture().map(str::to_string);
            if let Pause::Later(first) = reader.pump(&mut Sink::default(), &Turn::NEVER) {
                piece.first_ts = Some(first);
            }
        }
        Err(error) => {
            piece.not_a_capture = Some(error.to_string());
            piece.access = Access::Refused(error);
        }
    }
}

impl Evidence {
    fn new(path: &Path, named: bool, access: Access) -> Self {
        let (path, shown) = (path.to_path_buf(), path.display().to_string());
        Self { path, shown, named, access, first_ts: None, not_a_capture: None, also_at: Vec::new() }
    }
}
