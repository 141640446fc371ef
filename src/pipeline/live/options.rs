//! What a live run is told.

use super::super::Options;
use crate::capture::live::{Listening, Speed};
use crate::model::time::SECOND;
use crate::store::live::Room;
use std::path::PathBuf;
use std::time::Duration;

/// Where packets come from.
#[derive(Clone, Debug)]
pub enum From {
    /// Interfaces.
    Interfaces {
        /// Their names.
        names: Vec<String>,
        /// How they are listened to.
        listening: Listening,
    },
    /// Files, replayed.
    Files {
        /// How fast.
        speed: Speed,
    },
}

/// What a live run is told, beside what an analysis is told.
#[derive(Clone, Debug)]
pub struct LiveOptions {
    /// As for an analysis; `paths` are those that are replayed.
    pub common: Options,
    /// Where packets come from.
    pub from: From,
    /// Ends after this time.
    pub duration: Option<Duration>,
    /// Capture time between two checks, nanoseconds.
    pub check_period: i64,
    /// How far back rules look that want the whole capture, nanoseconds.
    pub look_back: i64,
    /// A segment is closed after this much capture time, nanoseconds …
    pub segment_span: i64,
    /// … or when it takes so many bytes.
    pub segment_bytes: u64,
    /// Segments older than this are deleted, nanoseconds.
    pub keep: Option<i64>,
    /// Folder and size of the ring of packets.
    pub ring: Option<(PathBuf, u64)>,
    /// Programs of this machine are looked up.
    pub programs: bool,
    /// What is usual is learnt anew from so much capture time, nanoseconds.
    pub train: Option<i64>,
    /// Where that is kept, if not in the case.
    pub profile: Option<PathBuf>,
}

impl LiveOptions {
    /// Everything by default.
    pub fn new(common: Options, from: From) -> Self {
        Self {
            common,
            from,
            duration: None,
            check_period: 10 * SECOND,
            look_back: 24 * 3_600 * SECOND,
            segment_span: 3_600 * SECOND,
            segment_bytes: 4 << 30,
            keep: None,
            ring: None,
            programs: false,
            train: None,
            profile: None,
        }
    }

    /// What a merged segment may be at most. It goes as a whole, so it spans a small part of the time that is kept; without that, half a year.
    pub(super) fn room(&self) -> Room {
        const PARTS: i64 = 8;
        const LONG: i64 = 180 * 24 * 3_600 * SECOND;
        Room { bytes: self.segment_bytes, span: self.keep.map_or(LONG, |keep| keep / PARTS) }
    }
}
