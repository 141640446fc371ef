//! What is known of one piece of evidence, and of its damage.

use super::{Beside, LinkType, Ts};
use serde::Serialize;

/// One capture file (or stream) of the case: a row of `captures`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CaptureInfo {
    /// Index in the case, from 0: `capture_id`.
    pub id: u32,
    /// The path as given, `-` for standard input.
    pub path: String,
    /// `pcap`, `pcap-ns`, `pcap-modified`, `pcapng`, with `-be` where big-endian, or `snoop`; empty if nothing could be recognised.
    pub format: String,
    /// `gzip`, `zstd`, `xz`, `bzip2`, `lz4` or empty.
    pub compression: String,
    /// Size of the file as stored, bytes.
    pub bytes: u64,
    /// Lower-case hex; empty when `--hash blake3`.
    pub sha256: String,
    /// Lower-case hex; empty when `--hash sha256`.
    pub blake3: String,
    /// Frames read.
    pub frames: u64,
    /// Captured bytes of those frames.
    pub frame_bytes: u64,
    /// Their bytes on the wire.
    pub wire_bytes: u64,
    /// Frames with `caplen < wire_len`.
    pub truncated_frames: u64,
    /// Largest snap length announced, 0 if unlimited or unknown.
    pub snaplen: u32,
    /// Link types seen in interface descriptions and headers, ascending.
    pub links: Vec<LinkType>,
    /// Earliest frame.
    pub first_ts: Option<Ts>,
    /// Latest frame.
    pub last_ts: Option<Ts>,
    /// Frames whose time lies before the frame read just before.
    pub backward_jumps: u64,
    /// Drops announced by the capturing program (pcapng interface statistics).
    pub reported_drops: Option<u64>,
    /// Capturing application, hardware, operating system and comments, as written by it.
    pub comments: Vec<String>,
    /// Rows of damage that belong to it.
    pub damaged: u64,
    /// Given again under these paths: read once.
    pub also_at: Vec<String>,
    /// What it says beside its packets.
    pub beside: Beside,
}

/// What kind of damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DamageKind {
    /// The file ends inside a record: the last packet is incomplete.
    CutShort,
    /// A record or block whose lengths cannot be; reading resumed after it where it could.
    BadRecord,
    /// `caplen > len`; the frame is kept and its wire length raised.
    CaplenAboveLen,
    /// A length on the wire beyond a mebibyte, of a frame that was not captured so long; it counts with what was captured.
    WireLenAbsurd,
    /// A frame that names an interface that was never described.
    UnknownInterface,
    /// Options of a block that make no sense; the block itself was kept.
    BadOption,
    /// Time went back, or forward, by more than a day.
    ClockJump,
    /// Times before 1677 or after 2262, which nanoseconds in 64 bits cannot hold; they were moved to the nearest that can.
    TimeOutOfRange,
    /// Compressed data ends early or fails its check.
    BadCompression,
    /// The bytes are no capture that vigil reads.
    NotACapture,
    /// The file could not be read to its end.
    ReadError,
}

impl DamageKind {
    /// Snake-case name, as stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::CutShort => "cut_short",
            Self::BadRecord => "bad_record",
            Self::CaplenAboveLen => "caplen_above_len",
            Self::WireLenAbsurd => "wire_len_absurd",
            Self::UnknownInterface => "unknown_interface",
            Self::BadOption => "bad_option",
            Self::ClockJump => "clock_jump",
            Self::TimeOutOfRange => "time_out_of_range",
            Self::BadCompression => "bad_compression",
            Self::NotACapture => "not_a_capture",
            Self::ReadError => "read_error",
        }
    }

    /// Whether evidence is missing because of it (exit code 3), not merely odd.
    pub fn loses_evidence(self) -> bool {
        !matches!(self, Self::CaplenAboveLen | Self::WireLenAbsurd | Self::BadOption | Self::ClockJump | Self::TimeOutOfRange)
    }
}

/// One place where the evidence is damaged: a row of `damage`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Which capture.
    pub capture: u32,
    /// The frame read just before it in that file, 0 if none.
    pub after_frame: u64,
    /// Byte offset in the (decompressed) file.
    pub offset: u64,
    /// Bytes skipped to resume, 0 if none or to the end.
    pub skipped: u64,
    /// What.
    pub kind: DamageKind,
    /// A sentence with the numbers.
    pub detail: String,
}
