//! How far reading is, for anyone who wants to watch.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counters that the reading thread moves on.
#[derive(Debug, Default)]
pub struct Progress {
    bytes_read: AtomicU64,
    bytes_total: Option<u64>,
    frames: AtomicU64,
}

impl Progress {
    /// Nothing read yet of `bytes_total`, which is `None` where a stream takes part.
    pub(super) fn new(bytes_total: Option<u64>) -> Self {
        Self { bytes_total, ..Self::default() }
    }

    pub(super) fn read(&self, bytes: u64) {
        self.bytes_read.fetch_add(bytes, Relaxed);
    }

    pub(super) fn seen(&self, frames: u64) {
        self.frames.fetch_add(frames, Relaxed);
    }

    /// Stored bytes read so far.
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read.load(Relaxed)
    }

    /// Stored bytes there are; `None` when a stream takes part.
    pub fn bytes_total(&self) -> Option<u64> {
        self.bytes_total
    }

    /// Frames read so far.
    pub fn frames(&self) -> u64 {
        self.frames.load(Relaxed)
    }
}
