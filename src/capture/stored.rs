//! The evidence as stored: read once from front to end in large buffers that decoding and hashing share.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::hash::Hashers;
use super::progress::Progress;

/// Bytes read at a time: large enough that system calls cost nothing, small enough to stay in the cache.
pub(super) const CHUNK_BYTES: usize = 1 << 20;
/// Buffers kept for use again.
const POOL: usize = 10;
/// Buffers made for one giant record are not kept.
const POOLED_BYTES_MAX: usize = 4 * CHUNK_BYTES;
/// With more captures open than this, each closes its file between reads, so that descriptors never run out.
const OPEN_FILES_MAX: usize = 100;

/// Where stored bytes come from.
pub(super) enum Input {
    /// A file that can be opened again where it was left.
    Path {
        /// Which.
        path: PathBuf,
        /// Open, or closed between two reads.
        file: Option<File>,
    },
    /// Standard input or a pipe: one pass only.
    Stream(Box<dyn Read + Send>),
}

impl Input {
    /// Opens a file.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self::Path { path: path.to_path_buf(), file: Some(File::open(path)?) })
    }

    fn read(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Stream(stream) => stream.read(buffer),
            Self::Path { file: Some(file), .. } => file.read(buffer),
            Self::Path { path, file } => {
                let mut again = File::open(path)?;
                again.seek(SeekFrom::Start(offset))?;
                file.insert(again).read(buffer)
            }
        }
    }

    fn rest(&mut self) {
        if let Self::Path { file, .. } = self {
            *file = None;
        }
    }
}

/// A piece of a byte stream in a buffer that others may share.
#[derive(Clone)]
pub(super) struct Chunk {
    /// The buffer.
    pub(super) bytes: Arc<Vec<u8>>,
    /// Where what is not yet used begins.
    pub(super) start: usize,
    /// Where it ends.
    pub(super) end: usize,
}

impl Default for Chunk {
    fn default() -> Self {
        Self { bytes: Arc::new(Vec::new()), start: 0, end: 0 }
    }
}

impl Chunk {
    /// What is not yet used.
    pub(super) fn data(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or(&[])
    }
}

/// Buffers used in turn. A buffer that a hash still holds is left to it.
#[derive(Default)]
pub(super) struct Pool(VecDeque<Arc<Vec<u8>>>);

impl Pool {
    /// Takes back a buffer, for use when nobody else holds it any more.
    pub(super) fn give(&mut self, buffer: Arc<Vec<u8>>) {
        if self.0.len() < POOL && (1..=POOLED_BYTES_MAX).contains(&buffer.len()) {
            self.0.push_back(buffer);
        }
    }

    /// A buffer of at least `len` bytes that nobody else holds.
    fn take(&mut self, len: usize) -> Vec<u8> {
        let free = self.0.iter().position(|buffer| Arc::strong_count(buffer) == 1 && buffer.len() >= len);
        let buffer = free.and_then(|at| self.0.remove(at)).and_then(Arc::into_inner);
        buffer.unwrap_or_else(|| vec![0; len])
    }

    /// A chunk that begins with `tail` and goes on with up to `more` bytes from `read`. The flag says whether bytes came.
    pub(super) fn chunk(&mut self, tail: &[u8], more: usize, mut read: impl FnMut(&mut [u8]) -> io::Result<usize>) -> io::Result<Chunk> {
        let mut buffer = self.take(tail.len() + more);
        buffer[..tail.len()].copy_from_slice(tail);
        let got = read(&mut buffer[tail.len()..tail.len() + more]);
        let chunk = Chunk { bytes: Arc::new(buffer), start: 0, end: tail.len() + *got.as_ref().unwrap_or(&0) };
        got.map(|_| chunk)
    }
}

/// A file or stream as stored. Every byte goes through the hashes exactly once, whatever becomes of decoding.
pub(super) struct Stored {
    input: Input,
    chunk_bytes: usize,
    offset: u64,
    pool: Pool,
    hashers: Option<(u32, Arc<Hashers>)>,
    progress: Option<Arc<Progress>>,
    open: Option<Arc<AtomicUsize>>,
    failed: Option<io::Error>,
    ended: bool,
}

impl Stored {
    /// Reads `input`, `chunk_bytes` at a time.
    pub(super) fn new(input: Input, chunk_bytes: usize) -> Self {
        let (pool, hashers, progress, open, failed) = (Pool::default(), None, None, None, None);
        Self { input, chunk_bytes, offset: 0, pool, hashers, progress, open, failed, ended: false }
    }

    /// Hashes what is read, as file number `file`.
    pub(super) fn hashed(mut self, file: u32, hashers: Arc<Hashers>) -> Self {
        self.hashers = Some((file, hashers));
        self
    }

    /// Tells how far it is, and counts itself among the captures that are `open`.
    pub(super) fn observed(mut self, progress: Arc<Progress>, open: Arc<AtomicUsize>) -> Self {
        open.fetch_add(1, Relaxed);
        self.progress = Some(progress);
        self.open = Some(open);
        self
    }

    /// Bytes read so far.
    pub(super) fn bytes(&self) -> u64 {
        self.offset
    }

    /// The next bytes behind `tail`, at least enough that both hold `want` where the input has them.
    /// A chunk no longer than `tail` means the end.
    pub(super) fn chunk(&mut self, tail: &[u8], want: usize, used: Arc<Vec<u8>>) -> io::Result<Chunk> {
        let more = self.chunk_bytes.max(want.saturating_sub(tail.len()));
        let mut pool = std::mem::take(&mut self.pool);
        let chunk = pool.chunk(tail, more, |buffer| self.fill(buffer));
        pool.give(used);
        self.pool = pool;
        let chunk = chunk?;
        if let (Some((file, hashers)), true) = (&self.hashers, chunk.end > tail.len()) {
            hashers.update(*file, &chunk.bytes, tail.len()..chunk.end);
        }
        Ok(chunk)
    }

    /// Reads what is left, for the hashes, and closes them.
    pub(super) fn drain(&mut self) -> io::Result<()> {
        let mut used = Chunk::default();
        let result = loop {
            match self.chunk(&[], 0, used.bytes) {
                Ok(chunk) if chunk.end == 0 => break Ok(()),
                Ok(chunk) => used = chunk,
                Err(error) => break Err(error),
            }
        };
        if let Some((file, hashers)) = self.hashers.take() {
            hashers.end(file);
        }
        self.input.rest();
        result
    }

    /// Fills `buffer` as far as the input goes. An error after some bytes waits for the next call.
    fn fill(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() && !self.ended {
            if let Some(error) = self.failed.take_if(|_| filled == 0) {
                self.ended = true;
                return Err(error);
            }
            match self.input.read(self.offset, &mut buffer[filled..]) {
                Ok(0) => self.ended = true,
                Ok(read) => {
                    filled += read;
                    self.offset += read as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.failed = Some(error);
                    if filled > 0 {
                        break;
                    }
                }
            }
        }
        if let Some(progress) = &self.progress {
            progress.read(filled as u64);
        }
        if self.open.as_ref().is_some_and(|open| open.load(Relaxed) > OPEN_FILES_MAX) {
            self.input.rest();
        }
        Ok(filled)
    }
}

impl Drop for Stored {
    fn drop(&mut self) {
        if let Some(open) = &self.open {
            open.fetch_sub(1, Relaxed);
        }
    }
}
