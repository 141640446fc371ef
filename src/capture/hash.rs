//! SHA-256 and BLAKE3 of the evidence as stored, each on its own thread, fed with the very buffers that are being decoded.

use ring::digest::{Context, SHA256};
use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use super::stored::{CHUNK_BYTES, Input, Stored};

/// Buffers that may wait for a hash before reading waits too.
const QUEUE: usize = 6;

/// Which hashes are computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hash {
    /// SHA-256 and BLAKE3.
    #[default]
    Both,
    /// SHA-256 alone.
    Sha256,
    /// BLAKE3 alone: the faster one.
    Blake3,
}

/// Hashes of one file, lower-case hex; empty where not asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Digests {
    /// SHA-256.
    pub sha256: String,
    /// BLAKE3.
    pub blake3: String,
}

/// Hashes one file as stored, in one pass.
pub fn hash_file(path: &Path, hash: Hash) -> io::Result<Digests> {
    let hashers = Arc::new(Hashers::start(hash)?);
    let mut stored = Stored::new(Input::open(path)?, CHUNK_BYTES).hashed(0, hashers.clone());
    stored.drain()?;
    drop(stored);
    let digests = Arc::into_inner(hashers).map(Hashers::finish).unwrap_or_default();
    Ok(digests.get(&0).cloned().unwrap_or_default())
}

/// The hashing threads of one case: two at most, however many files are open. Files are told apart by a number.
pub(super) struct Hashers {
    sha256: Option<Worker>,
    blake3: Option<Worker>,
}

/// What a hashing thread is told.
enum Job {
    /// More of a file.
    Bytes { file: u32, bytes: Arc<Vec<u8>>, range: Range<usize> },
    /// All of a file was given.
    End { file: u32 },
}

struct Worker {
    jobs: SyncSender<Job>,
    thread: JoinHandle<BTreeMap<u32, String>>,
}

impl Hashers {
    /// Starts the threads that `hash` asks for.
    pub(super) fn start(hash: Hash) -> io::Result<Self> {
        Ok(Self {
            sha256: (hash != Hash::Blake3).then(|| Worker::start::<Context>("sha256")).transpose()?,
            blake3: (hash != Hash::Sha256).then(|| Worker::start::<blake3::Hasher>("blake3")).transpose()?,
        })
    }

    /// Gives the next bytes of `file` to every thread; waits while they are behind.
    pub(super) fn update(&self, file: u32, bytes: &Arc<Vec<u8>>, range: Range<usize>) {
        for worker in self.workers() {
            worker.send(Job::Bytes { file, bytes: bytes.clone(), range: range.clone() });
        }
    }

    /// Says that `file` is complete.
    pub(super) fn end(&self, file: u32) {
        for worker in self.workers() {
            worker.send(Job::End { file });
        }
    }

    /// Waits for the threads and returns the hashes of every file that was completed.
    pub(super) fn finish(self) -> BTreeMap<u32, Digests> {
        let mut digests: BTreeMap<u32, Digests> = BTreeMap::new();
        for (file, hex) in self.sha256.map(Worker::finish).unwrap_or_default() {
            digests.entry(file).or_default().sha256 = hex;
        }
        for (file, hex) in self.blake3.map(Worker::finish).unwrap_or_default() {
            digests.entry(file).or_default().blake3 = hex;
        }
        digests
    }

    fn workers(&self) -> impl Iterator<Item = &Worker> {
        self.sha256.iter().chain(&self.blake3)
    }
}

impl Worker {
    fn start<H: Hasher>(name: &str) -> io::Result<Self> {
        let (jobs, inbox) = sync_channel(QUEUE);
        let thread = std::thread::Builder::new().name(name.into()).spawn(move || work::<H>(&inbox))?;
        Ok(Self { jobs, thread })
    }

    fn send(&self, job: Job) {
        // The receiver lives as long as the thread; a thread that died is noticed when it is joined.
        let _ = self.jobs.send(job);
    }

    fn finish(self) -> BTreeMap<u32, String> {
        drop(self.jobs);
        self.thread.join().unwrap_or_default()
    }
}

fn work<H: Hasher>(inbox: &Receiver<Job>) -> BTreeMap<u32, String> {
    let mut open: BTreeMap<u32, H> = BTreeMap::new();
    let mut done = BTreeMap::new();
    for job in inbox {
        match job {
            Job::Bytes { file, bytes, range } => open.entry(file).or_insert_with(H::begin).more(&bytes[range]),
            Job::End { file } => {
                done.insert(file, open.remove(&file).unwrap_or_else(H::begin).hex());
            }
        }
    }
    done
}

/// What both hash functions have in common.
trait Hasher: 'static {
    fn begin() -> Self;
    fn more(&mut self, bytes: &[u8]);
    fn hex(self) -> String;
}

impl Hasher for Context {
    fn begin() -> Self {
        Self::new(&SHA256)
    }

    fn more(&mut self, bytes: &[u8]) {
        self.update(bytes);
    }

    fn hex(self) -> String {
        self.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Hasher for blake3::Hasher {
    fn begin() -> Self {
        Self::new()
    }

    fn more(&mut self, bytes: &[u8]) {
        self.update(bytes);
    }

    fn hex(self) -> String {
        self.finalize().to_hex().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_nothing_is_the_published_one() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let digests = hash_file(file.path(), Hash::Both).unwrap();
        assert_eq!(digests.sha256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(digests.blake3, "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262");
    }

    #[test]
    fn files_larger_than_the_queue_hash_as_a_whole() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let bytes: Vec<u8> = (0..12 * CHUNK_BYTES + 77).map(|at| (at % 251) as u8).collect();
        std::fs::write(file.path(), &bytes).unwrap();
        let both = hash_file(file.path(), Hash::Both).unwrap();
        assert_eq!(both.blake3, blake3::hash(&bytes).to_hex().to_string());
        let sha: String = ring::digest::digest(&SHA256, &bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hash_file(file.path(), Hash::Sha256).unwrap(), Digests { sha256: sha.clone(), blake3: String::new() });
        assert_eq!(both.sha256, sha);
    }
}
