//! Connection-oriented PDUs (C706 12.6) out of a stream of bytes, each whole or as far as it was seen.

use crate::model::Ts;

/// Bytes of the common header.
pub const HEADER: usize = 16;

/// First fragment of a call.
pub const FIRST: u8 = 1;
/// Last fragment of a call.
pub const LAST: u8 = 2;
/// An object UUID stands before the arguments.
pub const OBJECT: u8 = 0x80;

/// The common header.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Header {
    /// Type of PDU.
    pub kind: u8,
    /// Flags.
    pub flags: u8,
    /// Numbers are little-endian.
    pub little: bool,
    /// Length of the PDU, header included.
    pub len: usize,
    /// Length of the security token at its end.
    pub auth_len: usize,
    /// Call.
    pub call_id: u32,
}

/// Reads a header; `None` if it cannot be one or is not whole.
pub fn header(bytes: &[u8]) -> Option<Header> {
    let &[5, 0 | 1, kind, flags, order, 0..=3, 0, 0, a, b, c, d, e, f, g, h] = bytes.get(..HEADER)? else { return None };
    let little = match order {
        0x10 => true,
        0 => false,
        _ => return None,
    };
    let short = if little { u16::from_le_bytes } else { u16::from_be_bytes };
    let long = if little { u32::from_le_bytes } else { u32::from_be_bytes };
    let (len, auth_len) = (usize::from(short([a, b])), usize::from(short([c, d])));
    let known = matches!(kind, 0 | 2 | 3 | 11..=19);
    (known && len >= HEADER && auth_len + HEADER <= len).then(|| Header { kind, flags, little, len, auth_len, call_id: long([e, f, g, h]) })
}

/// A PDU as far as it was seen.
pub struct Pdu<'a> {
    /// Its header.
    pub header: Header,
    /// Its bytes, header included; fewer than announced if some were lost.
    pub bytes: &'a [u8],
    /// Frame in which it began.
    pub place: (u64, Ts),
    /// Time of its last bytes.
    pub done: Ts,
}

/// One direction of a stream of PDUs. Holds at most one of them, 65,535 bytes.
#[derive(Default)]
pub struct Stream {
    held: Vec<u8>,
    /// Header of the PDU that is being read.
    header: Option<Header>,
    /// Bytes of it that were lost, or follow what was: nothing more is kept.
    skipped: usize,
    place: (u64, Ts),
    done: Ts,
    /// Out of step: only the beginning of a segment can be a header.
    lost: bool,
    /// PDUs seen.
    pub count: u64,
}

impl Stream {
    /// Takes the next bytes; says each PDU that they complete.
    pub fn data(&mut self, mut bytes: &[u8], place: (u64, Ts), mut say: impl FnMut(Pdu<'_>)) {
        if self.lost && header(bytes).is_none() {
            return;
        }
        self.lost = false;
        while !bytes.is_empty() {
            if self.held.is_empty() && self.skipped == 0 {
                self.place = place;
            }
            self.done = place.1;
            let wanted = self.header.map_or(HEADER, |header| header.len).saturating_sub(self.held.len() + self.skipped);
            let (now, rest) = bytes.split_at(wanted.min(bytes.len()));
            bytes = rest;
            if self.skipped > 0 {
                self.skipped += now.len();
            } else {
                self.held.extend_from_slice(now);
            }
            self.step(&mut say);
            if self.lost {
                return;
            }
        }
    }

    /// Bytes are lost.
    pub fn gap(&mut self, missing: u64, mut say: impl FnMut(Pdu<'_>)) {
        let left = self.header.map_or(0, |header| header.len.saturating_sub(self.held.len() + self.skipped));
        match usize::try_from(missing) {
            Ok(missing) if missing <= left => {
                self.skipped += missing;
                self.step(&mut say);
            }
            _ => {
                self.finish(&mut say);
                self.lost = true;
            }
        }
    }

    /// The stream is over: says what was begun.
    pub fn finish(&mut self, say: &mut impl FnMut(Pdu<'_>)) {
        if let Some(header) = self.header.take() {
            self.count += 1;
            say(Pdu { header, bytes: &self.held, place: self.place, done: self.done });
        }
        self.held.clear();
        self.skipped = 0;
    }

    fn step(&mut self, say: &mut impl FnMut(Pdu<'_>)) {
        if self.header.is_none() && self.held.len() >= HEADER {
            self.header = header(&self.held);
            if self.header.is_none() {
                self.held.clear();
                self.lost = true;
            }
        }
        if self.header.is_some_and(|header| self.held.len() + self.skipped >= header.len) {
            self.finish(say);
        }
    }
}
