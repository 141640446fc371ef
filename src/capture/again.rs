//! Evidence that was read before, read again: chosen frames, each with the interface that took it, while every stored byte is hashed.
//!
//! Whoever asks knows the numbers of the frames from the packet index; what lies between them is passed over. The hashes tell afterwards
//! whether these are the same bytes as when the index was made.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use super::error::Error;
use super::hash::{Digests, Hash, Hashers};
use super::ledger::{Origin, Sink};
use super::progress::Progress;
use super::reader::{Pause, Reader, Turn};
use super::stored::{CHUNK_BYTES, Input, Stored};
use crate::model::Frame;

/// Each file is read for itself: no other's turn can come.
const FOREVER: Turn = Turn { rank: 0, until: None };

/// Files that are read again, and the threads that hash them.
pub struct Readings {
    hashers: Arc<Hashers>,
    progress: Arc<Progress>,
    open: Arc<AtomicUsize>,
    files: u32,
}

/// One capture that is read again.
pub struct Again {
    reader: Reader,
    sink: Sink,
    ticket: u32,
    ended: bool,
}

impl Readings {
    /// Starts the threads that hash.
    pub fn start(hash: Hash) -> Result<Self, Error> {
        let hashers = Arc::new(Hashers::start(hash).map_err(Error::Thread)?);
        Ok(Self { hashers, progress: Arc::default(), open: Arc::default(), files: 0 })
    }

    /// Opens a capture. What is none has no frames, but a hash.
    pub fn open(&mut self, path: &Path) -> Result<Again, Error> {
        let input = Input::open(path).map_err(|error| Error::opening(path.to_path_buf(), error))?;
        let ticket = self.files;
        self.files += 1;
        let stored = Stored::new(input, CHUNK_BYTES).hashed(ticket, self.hashers.clone());
        let reader = Reader::open(stored.observed(self.progress.clone(), self.open.clone()), String::new());
        Ok(Again { reader, sink: Sink { origins: Some(Vec::new()), ..Sink::default() }, ticket, ended: false })
    }

    /// Hashes of the files that were read to their end, by [`Again::finish`]'s number.
    pub fn finish(self) -> BTreeMap<u32, Digests> {
        Arc::into_inner(self.hashers).map(Hashers::finish).unwrap_or_default()
    }
}

impl Again {
    /// The frame with this number in its file, from 1. Numbers must rise from call to call; none if there is no such frame.
    pub fn frame(&mut self, in_file: u64) -> Option<(Frame<'_>, Origin)> {
        loop {
            let first = self.sink.block.frames.first().map_or(u64::MAX, |frame| frame.in_file);
            let index = usize::try_from(in_file.checked_sub(first).unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
            if index < self.sink.block.frames.len() {
                let origin = self.sink.origins.as_ref().and_then(|origins| origins.get(index)).copied().unwrap_or_default();
                return Some((self.sink.block.frame(index), origin));
            }
            if self.ended {
                return None;
            }
            self.next_block();
        }
    }

    /// The next frames take the place of those in the block.
    fn next_block(&mut self) {
        let Sink { block, origins, .. } = &mut self.sink;
        block.bytes.clear();
        block.frames.clear();
        block.damage.clear();
        block.secrets.clear();
        origins.iter_mut().for_each(Vec::clear);
        self.ended = self.reader.pump(&mut self.sink, &FOREVER) == Pause::End;
    }

    /// Hands what is left to the hashes without looking at it. Returns the number under which [`Readings::finish`] has them.
    pub fn finish(mut self) -> u32 {
        self.sink.block = Default::default();
        self.reader.finish(&mut self.sink);
        self.ticket
    }
}
