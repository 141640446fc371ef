//! Where the evidence of a case lies now: where it was read, beside the case, or in a folder that was named, where its hash finds it.

use super::super::Error;
use crate::capture::{Hash, hash_file};
use crate::store::{Cell, query};
use duckdb::Connection;
use std::fs;
use std::path::{Path, PathBuf};

/// Folders within folders that are searched.
const DEPTH_MAX: usize = 16;

/// A piece of evidence as the case remembers it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Piece {
    /// Number in the case.
    pub id: u32,
    /// Path as given.
    pub path: String,
    /// Further paths with the same content.
    pub also_at: Vec<String>,
    /// Size as stored.
    pub bytes: u64,
    /// SHA-256, empty if it was not taken.
    pub sha256: String,
    /// BLAKE3, empty if it was not taken.
    pub blake3: String,
}

impl Piece {
    /// The hash that is printed: SHA-256 where there is one.
    pub fn hash(&self) -> String {
        match (self.sha256.is_empty(), self.blake3.is_empty()) {
            (false, _) => format!("SHA-256 {}", self.sha256),
            (true, false) => format!("BLAKE3 {}", self.blake3),
            (true, true) => "no hash".into(),
        }
    }

    /// Which hashes are on record.
    pub fn kind(&self) -> Hash {
        match (self.sha256.is_empty(), self.blake3.is_empty()) {
            (false, true) => Hash::Sha256,
            (true, false) => Hash::Blake3,
            _ => Hash::Both,
        }
    }

    /// Whether a file with these hashes is this piece.
    pub fn is(&self, found: &crate::capture::Digests) -> bool {
        let same = |recorded: &str, now: &str| recorded.is_empty() || now.is_empty() || recorded == now;
        let compared = (!self.sha256.is_empty() && !found.sha256.is_empty()) || (!self.blake3.is_empty() && !found.blake3.is_empty());
        compared && same(&self.sha256, &found.sha256) && same(&self.blake3, &found.blake3)
    }
}

/// All evidence of a case, in order.
pub fn pieces(db: &Connection) -> Result<Vec<Piece>, Error> {
    let rows =
        query(db, "SELECT capture_id, path, also_at, bytes, coalesce(sha256, ''), coalesce(blake3, '') FROM captures ORDER BY capture_id")?;
    let number = |cell: Option<&Cell>| match cell {
        Some(Cell::Int(n)) => u64::try_from(*n).unwrap_or(0),
        _ => 0,
    };
    let text = |cell: Option<&Cell>| cell.map(Cell::to_string).unwrap_or_default();
    let read = |row: &Vec<Cell>| Piece {
        id: number(row.first()) as u32,
        path: text(row.get(1)),
        also_at: match row.get(2) {
            Some(Cell::List(paths)) => paths.iter().map(Cell::to_string).collect(),
            _ => Vec::new(),
        },
        bytes: number(row.get(3)),
        sha256: text(row.get(4)),
        blake3: text(row.get(5)),
    };
    Ok(rows.rows.iter().map(read).collect())
}

/// Where `piece` lies: in `moved_to`, found by its hash; else where it was read from or beside the case in `folder`, by name. `None` if
/// it is nowhere. A file found by name is what its name says only once its hash is known.
pub fn locate(piece: &Piece, folder: &Path, moved_to: Option<&Path>) -> Result<Option<PathBuf>, Error> {
    match moved_to {
        Some(named) => by_hash(piece, named),
        None => Ok(by_name(piece, folder)),
    }
}

fn by_name(piece: &Piece, folder: &Path) -> Option<PathBuf> {
    let beside = folder.parent().unwrap_or(Path::new("."));
    let given = || std::iter::once(&piece.path).chain(&piece.also_at).filter(|path| *path != "-").map(PathBuf::from);
    let neighbours = given().flat_map(|path| {
        let name = path.file_name().map(|name| beside.join(name));
        [Some(beside.join(&path)), name].into_iter().flatten().collect::<Vec<_>>()
    });
    let is_it = |path: &PathBuf| fs::metadata(path).is_ok_and(|about| about.is_file() && about.len() == piece.bytes);
    let there: Vec<PathBuf> = given().chain(neighbours).filter(|path| path.is_file()).collect();
    // A file of another size stands for a changed one only if none of the right size is there.
    there.iter().find(|path| is_it(path)).or(there.first()).cloned()
}

fn by_hash(piece: &Piece, named: &Path) -> Result<Option<PathBuf>, Error> {
    let unreadable = |error: std::io::Error| Error::Read { what: named.display().to_string(), why: error.to_string() };
    let mut candidates = Vec::new();
    if named.is_dir() {
        fs::read_dir(named).map_err(unreadable)?;
        below(named, piece.bytes, DEPTH_MAX, &mut candidates);
    } else {
        fs::metadata(named).map_err(unreadable)?;
        candidates.push(named.to_path_buf());
    }
    // Its old name first: mostly it still has it.
    let name = Path::new(&piece.path).file_name();
    candidates.sort_by_key(|path| (path.file_name() != name, path.clone()));
    Ok(candidates.into_iter().find(|path| hash_file(path, piece.kind()).is_ok_and(|digests| piece.is(&digests))))
}

/// Files of this size below a folder. Links to folders are not followed.
fn below(folder: &Path, bytes: u64, depth: usize, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        match fs::symlink_metadata(&path) {
            Ok(about) if about.is_dir() && depth > 0 => below(&path, bytes, depth - 1, found),
            Ok(_) if fs::metadata(&path).is_ok_and(|about| about.is_file() && about.len() == bytes) => found.push(path),
            _ => {}
        }
    }
}
