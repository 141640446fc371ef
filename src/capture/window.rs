//! A window that slides over the decompressed bytes of one capture.

use std::io;
use std::sync::Arc;

use super::magic::Compression;
use super::stored::{Chunk, Stored};
use super::unpack::Unpack;
use crate::model::DamageKind;

/// Where the bytes come from.
enum Source {
    Plain(Stored),
    Packed(Unpack),
}

/// Why the bytes ended before their time.
pub(super) struct Trouble {
    /// Read error or damaged compression.
    pub(super) kind: DamageKind,
    /// What the system or the decoder said.
    pub(super) detail: String,
}

/// The part of the capture that is being parsed: always in one piece.
pub(super) struct Window {
    source: Option<Source>,
    compression: Option<Compression>,
    chunk: Chunk,
    offset: u64,
    ended: bool,
    trouble: Option<Trouble>,
}

impl Window {
    /// Opens a window at the beginning, undoing compression where the first bytes announce one.
    pub(super) fn new(mut stored: Stored) -> Self {
        let first = stored.chunk(&[], 0, Arc::default());
        let (chunk, trouble) = match first {
            Ok(chunk) => (chunk, None),
            Err(error) => (Chunk::default(), Some(Trouble { kind: DamageKind::ReadError, detail: error.to_string() })),
        };
        let compression = Compression::of(chunk.data());
        let ended = trouble.is_some();
        let (source, chunk) = match compression {
            Some(compression) => (Source::Packed(Unpack::new(compression, stored, chunk)), Chunk::default()),
            None => (Source::Plain(stored), chunk),
        };
        Self { source: Some(source), compression, chunk, offset: 0, ended, trouble }
    }

    /// How the file is compressed.
    pub(super) fn compression(&self) -> Option<Compression> {
        self.compression
    }

    /// What lies in the window.
    #[inline]
    pub(super) fn data(&self) -> &[u8] {
        self.chunk.data()
    }

    /// Offset of the window's first byte in the decompressed file.
    #[inline]
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Moves the window on over `bytes`, at most to its end.
    #[inline]
    pub(super) fn skip(&mut self, bytes: usize) {
        let step = bytes.min(self.data().len());
        self.chunk.start += step;
        self.offset += step as u64;
    }

    /// Widens the window to `bytes`; false if the file has no more.
    #[inline]
    pub(super) fn need(&mut self, bytes: usize) -> bool {
        self.data().len() >= bytes || self.widen(bytes)
    }

    /// Replaces four bytes at `at`, for parsing only: the hashes have seen what is stored.
    pub(super) fn patch(&mut self, at: usize, bytes: [u8; 4]) {
        if Arc::get_mut(&mut self.chunk.bytes).is_none() {
            self.chunk = Chunk { bytes: Arc::new(self.data().to_vec()), start: 0, end: self.data().len() };
        }
        let start = self.chunk.start + at;
        if let Some(place) = Arc::get_mut(&mut self.chunk.bytes).and_then(|buffer| buffer.get_mut(start..start + 4)) {
            place.copy_from_slice(&bytes);
        }
    }

    /// Why the bytes ended early, told once.
    pub(super) fn trouble(&mut self) -> Option<Trouble> {
        self.trouble.take()
    }

    /// Reads what is left of the stored file, for its hashes, and returns its size.
    pub(super) fn finish(&mut self) -> u64 {
        let stored = match self.source.take() {
            Some(Source::Plain(stored)) => Some(stored),
            Some(Source::Packed(unpack)) => unpack.into_stored(),
            None => None,
        };
        let Some(mut stored) = stored else { return 0 };
        if let Err(error) = stored.drain() {
            self.trouble = Some(Trouble { kind: DamageKind::ReadError, detail: error.to_string() });
        }
        stored.bytes()
    }

    #[cold]
    fn widen(&mut self, bytes: usize) -> bool {
        while !self.ended && self.data().len() < bytes {
            let old = std::mem::take(&mut self.chunk);
            match self.refill(&old, bytes) {
                Ok(chunk) => {
                    self.ended = chunk.end == old.data().len();
                    self.chunk = chunk;
                }
                Err(error) => {
                    self.ended = true;
                    self.trouble = Some(self.say(&error));
                    self.chunk = old;
                }
            }
        }
        self.data().len() >= bytes
    }

    fn refill(&mut self, old: &Chunk, want: usize) -> io::Result<Chunk> {
        match &mut self.source {
            Some(Source::Plain(stored)) => stored.chunk(old.data(), want, old.bytes.clone()),
            Some(Source::Packed(unpack)) => unpack.chunk(old.data(), want, old.bytes.clone()),
            None => Ok(old.clone()),
        }
    }

    /// Errors of the operating system carry its number; those of decoders do not.
    fn say(&self, error: &io::Error) -> Trouble {
        match self.compression.filter(|_| error.raw_os_error().is_none()) {
            Some(compression) => {
                let (name, at) = (compression.name(), self.offset + self.data().len() as u64);
                Trouble {
                    kind: DamageKind::BadCompression,
                    detail: format!("{name} data is damaged after {at} decompressed bytes: {error}"),
                }
            }
            None => Trouble { kind: DamageKind::ReadError, detail: error.to_string() },
        }
    }
}
