//! How the headers of a pcap file and its relatives are laid out.

use crate::model::{LinkType, Ts, time::SECOND};

/// Magic numbers, as the writer's own byte order shows them.
mod magic {
    pub(super) const MICROS: u32 = 0xa1b2_c3d4;
    pub(super) const NANOS: u32 = 0xa1b2_3c4d;
    /// Alexey Kuznetzov's libpcap: more in each record header.
    pub(super) const MODIFIED: u32 = 0xa1b2_cd34;
}

/// First bytes of a snoop file (RFC 1761).
pub(crate) const SNOOP: [u8; 8] = *b"snoop\0\0\0";

/// The kinds of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Plain,
    Nanos,
    Modified,
    Snoop,
}

/// Which length comes first: before version 2.4 of libpcap this changed twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lengths {
    CapturedFirst,
    WireFirst,
    /// Version 2.3 had both: the smaller is that captured.
    Either,
}

/// How records are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    kind: Kind,
    big_endian: bool,
    lengths: Lengths,
}

/// What a file header says beside the layout.
pub(super) struct File {
    /// Link type of all frames.
    pub(super) link: LinkType,
    /// Snap length, 0 if unknown.
    pub(super) snaplen: u32,
    /// Whether its version is one that is written today: a header in the middle of a file must be beyond doubt.
    pub(super) is_usual: bool,
}

/// A record header.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Header {
    pub(super) seconds: u32,
    pub(super) fraction: u32,
    pub(super) caplen: u32,
    pub(super) wire_len: u32,
    /// Bytes behind the header up to the next: the frame and its padding.
    pub(super) stored: u32,
    /// Packets lost since the capture began.
    pub(super) drops: u32,
}

impl Layout {
    /// The longest file header.
    pub(super) const FILE_HEADER_MAX: usize = 24;

    /// Reads a file header.
    pub(super) fn of(data: &[u8]) -> Option<(Self, File)> {
        if data.starts_with(&SNOOP) {
            return Self::snoop(data);
        }
        let first: [u8; 4] = *data.first_chunk()?;
        let (kind, big_endian) = Self::magic(u32::from_le_bytes(first))
            .map(|kind| (kind, false))
            .or_else(|| Self::magic(u32::from_be_bytes(first)).map(|kind| (kind, true)))?;
        let word = |at| word(big_endian, data, at);
        let (versions, snaplen, link) = (word(4)?, word(16)?, word(20)?);
        let (major, minor) = if big_endian { (versions >> 16, versions & 0xffff) } else { (versions & 0xffff, versions >> 16) };
        let lengths = match (major, minor) {
            (2, 0..=2) | (543, 0) => Lengths::WireFirst,
            (2, 3) => Lengths::Either,
            _ => Lengths::CapturedFirst,
        };
        // The upper bits tell the length of the frame check sequence.
        let file = File { link: LinkType(link as u16), snaplen, is_usual: major == 2 && minor <= 4 };
        Some((Self { kind, big_endian, lengths }, file))
    }

    fn magic(word: u32) -> Option<Kind> {
        match word {
            magic::MICROS => Some(Kind::Plain),
            magic::NANOS => Some(Kind::Nanos),
            magic::MODIFIED => Some(Kind::Modified),
            _ => None,
        }
    }

    fn snoop(data: &[u8]) -> Option<(Self, File)> {
        let (version, link) = (word(true, data, 8)?, word(true, data, 12)?);
        let file = File { link: snoop_link(link), snaplen: 0, is_usual: version == 2 };
        // Version 1 was never published, 3 and 4 have other record headers.
        (version == 2).then_some((Self { kind: Kind::Snoop, big_endian: true, lengths: Lengths::WireFirst }, file))
    }

    /// As stored in `captures.format`.
    pub(super) fn name(self) -> &'static str {
        match (self.kind, self.big_endian) {
            (Kind::Plain, false) => "pcap",
            (Kind::Plain, true) => "pcap-be",
            (Kind::Nanos, false) => "pcap-ns",
            (Kind::Nanos, true) => "pcap-ns-be",
            (Kind::Modified, false) => "pcap-modified",
            (Kind::Modified, true) => "pcap-modified-be",
            (Kind::Snoop, _) => "snoop",
        }
    }

    /// Bytes of the file header.
    pub(super) fn file_header(self) -> usize {
        if self.kind == Kind::Snoop { 16 } else { Self::FILE_HEADER_MAX }
    }

    /// Bytes of a record header.
    #[inline]
    pub(super) fn record_header(self) -> usize {
        if matches!(self.kind, Kind::Plain | Kind::Nanos) { 16 } else { 24 }
    }

    /// Parts of a second in which times are counted.
    #[inline]
    pub(super) fn units(self) -> u32 {
        if self.kind == Kind::Nanos { 1_000_000_000 } else { 1_000_000 }
    }

    /// When a record was captured.
    #[inline]
    pub(super) fn time(self, header: &Header) -> Ts {
        i64::from(header.seconds) * SECOND + i64::from(header.fraction) * if self.kind == Kind::Nanos { 1 } else { 1_000 }
    }

    /// The record at the front of `data`, if all of it is there.
    #[inline]
    pub(super) fn record(self, data: &[u8]) -> Option<(Header, &[u8])> {
        let header = self.header(data)?;
        let behind = data.get(self.record_header()..)?;
        behind.get(..header.stored as usize)?;
        Some((header, behind.get(..header.caplen as usize)?))
    }

    /// The record header at the front of `data`.
    #[inline]
    pub(super) fn header(self, data: &[u8]) -> Option<Header> {
        let data = data.get(..self.record_header())?;
        let word = |at| word(self.big_endian, data, at);
        if self.kind == Kind::Snoop {
            let (wire_len, caplen, length) = (word(0)?, word(4)?, word(8)?);
            // A length shorter than the header makes the record impossible, which `padding` tells.
            let stored = length.saturating_sub(24);
            return Some(Header { seconds: word(16)?, fraction: word(20)?, caplen, wire_len, stored, drops: word(12)? });
        }
        let (one, other) = (word(8)?, word(12)?);
        let (caplen, wire_len) = match self.lengths {
            Lengths::WireFirst => (other, one),
            Lengths::Either if one > other => (other, one),
            _ => (one, other),
        };
        Some(Header { seconds: word(0)?, fraction: word(4)?, caplen, wire_len, stored: caplen, drops: 0 })
    }
}

impl Header {
    /// Bytes between this frame and the next header; none if the record is too short for its frame.
    #[inline]
    pub(super) fn padding(&self) -> Option<u32> {
        self.stored.checked_sub(self.caplen)
    }

    /// Whether nothing is in it.
    pub(super) fn is_zero(&self) -> bool {
        self.seconds == 0 && self.fraction == 0 && self.caplen == 0 && self.wire_len == 0
    }
}

/// Data link types of RFC 1761, as far as there is a link type for them.
fn snoop_link(number: u32) -> LinkType {
    match number {
        // 802.3 and Ethernet share a header.
        0 | 4 => LinkType::ETHERNET,
        // Token ring.
        2 => LinkType(6),
        8 => LinkType(10),
        // Solaris' loopback in IP form.
        26 => LinkType::RAW,
        other => LinkType(UNKNOWN_SNOOP | (other as u16 & 0x3ff)),
    }
}

/// Link types of snoop that nobody else numbers are counted from here on, so that none is taken for another.
const UNKNOWN_SNOOP: u16 = 0xf000;

fn word(big_endian: bool, data: &[u8], at: usize) -> Option<u32> {
    let bytes = *data.get(at..)?.first_chunk()?;
    Some(if big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
}
