//! Packets (MySQL client/server protocol): three bytes of length, a sequence number, content.

/// Bytes kept of a client's packet: queries.
pub const CLIENT_MAX: usize = 16 << 10;
/// Bytes kept of a server's packet: verdicts and errors stand first.
pub const SERVER_MAX: usize = 1 << 10;

/// One side's packets.
#[derive(Default)]
pub struct Packets {
    buffer: Vec<u8>,
    skip: u64,
    /// Bytes are lost: where packets begin is unknown.
    pub lost: bool,
}

/// A packet, perhaps without its end.
#[derive(Debug, PartialEq)]
pub struct Packet {
    /// Sequence number.
    pub sequence: u8,
    /// Content, at most as much as is kept.
    pub content: Vec<u8>,
    /// Bytes announced.
    pub length: usize,
}

impl Packets {
    /// The next packet off `rest`, of which `most` bytes are kept.
    pub fn next(&mut self, rest: &mut &[u8], most: usize) -> Option<Packet> {
        let skipped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(rest.len());
        self.skip -= skipped as u64;
        *rest = rest.get(skipped..).unwrap_or_default();
        self.fill(4, rest);
        let [a, b, c, sequence] = *self.buffer.first_chunk::<4>()?;
        let length = usize::from(a) | usize::from(b) << 8 | usize::from(c) << 16;
        let kept = 4 + length.min(most);
        self.fill(kept, rest);
        if self.buffer.len() < kept {
            return None;
        }
        self.skip = (length + 4 - kept) as u64;
        let content = std::mem::take(&mut self.buffer).split_off(4);
        Some(Packet { sequence, content, length })
    }

    fn fill(&mut self, to: usize, rest: &mut &[u8]) {
        let (now, later) = rest.split_at(rest.len().min(to.saturating_sub(self.buffer.len())));
        self.buffer.extend_from_slice(now);
        *rest = later;
    }

    /// Bytes are lost. Within what is skipped anyway that is no loss.
    pub fn gap(&mut self, missing: u64) {
        if missing <= self.skip {
            self.skip -= missing;
        } else {
            *self = Self { lost: true, ..Self::default() };
        }
    }

    /// Begins anew where the other side has answered: requests and answers take turns.
    pub fn restart(&mut self) {
        *self = Self::default();
    }
}

/// A length-encoded integer.
pub fn integer(bytes: &mut &[u8]) -> Option<u64> {
    let (&first, rest) = bytes.split_first()?;
    let width = match first {
        0..=0xfa => 0,
        0xfc => 2,
        0xfd => 3,
        0xfe => 8,
        _ => return None,
    };
    let (value, rest) = rest.split_at_checked(width)?;
    *bytes = rest;
    if width == 0 {
        return Some(u64::from(first));
    }
    Some(value.iter().rev().fold(0, |sum, &byte| sum << 8 | u64::from(byte)))
}

/// Bytes behind a length-encoded length.
pub fn string<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(integer(bytes)?).ok()?;
    take(bytes, length)
}

/// The next `n` bytes.
pub fn take<'a>(bytes: &mut &'a [u8], n: usize) -> Option<&'a [u8]> {
    let (now, rest) = bytes.split_at_checked(n)?;
    *bytes = rest;
    Some(now)
}

/// Up to a zero.
pub fn until_zero<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let end = bytes.iter().position(|&byte| byte == 0)?;
    let text = take(bytes, end)?;
    take(bytes, 1)?;
    Some(text)
}
