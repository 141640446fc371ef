//! Messages out of a stream: each tells its own length. Holes and nonsense cost the message they hit; senders begin messages on segment
//! borders, so the next segment that looks like a beginning is taken for one.

use super::{Chunk, Dissector, Out};
use crate::model::{Conn, Dir, Proto};
use std::borrow::Cow;

/// What the first bytes tell about a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Length {
    /// Not enough bytes to tell.
    More,
    /// All its bytes.
    Is(usize),
    /// It is no message.
    Wrong,
}

/// Bytes that a length may stand behind: what needs more is no message.
const HEAD_MAX: usize = 64;

/// Cuts one direction into messages.
#[derive(Default)]
pub(super) struct Messages {
    kept: Vec<u8>,
    /// Bytes of a long message that are passed over.
    skip: u64,
}

impl Messages {
    /// The next message, at most its first `most` bytes; `None` once `rest` is used up.
    pub fn next<'a>(&mut self, rest: &mut &'a [u8], most: usize, length: impl Fn(&[u8]) -> Length) -> Option<Cow<'a, [u8]>> {
        self.pass(rest);
        if rest.is_empty() {
            return None;
        }
        if self.kept.is_empty()
            && let Length::Is(whole) = length(rest)
            && whole > 0
            && let Some((message, later)) = rest.split_at_checked(whole)
        {
            *rest = later;
            return Some(Cow::Borrowed(message.get(..most).unwrap_or(message)));
        }
        loop {
            let wanted = match length(&self.kept) {
                Length::More if self.kept.len() < HEAD_MAX => self.kept.len() + 1,
                Length::Is(whole) if whole >= self.kept.len().max(1) => whole.min(most),
                _ => {
                    self.kept.clear();
                    *rest = &[];
                    return None;
                }
            };
            if let Length::Is(whole) = length(&self.kept)
                && self.kept.len() >= wanted
            {
                self.skip = (whole - wanted) as u64;
                self.pass(rest);
                return Some(Cow::Owned(std::mem::take(&mut self.kept)));
            }
            if rest.is_empty() {
                return None;
            }
            let (now, later) = rest.split_at(rest.len().min(wanted - self.kept.len()));
            self.kept.extend_from_slice(now);
            *rest = later;
        }
    }

    fn pass(&mut self, rest: &mut &[u8]) {
        let now = usize::try_from(self.skip).unwrap_or(usize::MAX).min(rest.len());
        *rest = rest.get(now..).unwrap_or_default();
        self.skip -= now as u64;
    }

    /// Bytes are lost: a message that is passed over anyway does not mind.
    pub fn gap(&mut self, missing: u64) {
        if missing == 0 {
            return;
        }
        self.kept.clear();
        self.skip = self.skip.saturating_sub(missing);
    }
}

/// A protocol of messages that tell their own length: what is left to say once they are cut.
pub(super) trait Speaker: Send {
    /// Bytes of a message that are kept; the rest is passed over.
    const MOST: usize;
    /// What the first bytes of `dir`'s next message tell.
    fn length(&self, dir: Dir, bytes: &[u8]) -> Length;
    /// Takes a message, at most its first [`Self::MOST`] bytes; frame and time are those of its last segment.
    fn message(&mut self, message: &[u8], chunk: &Chunk<'_>, out: &mut Out);
    /// Bytes of `dir` are lost.
    fn lost(&mut self, _dir: Dir) {}
    /// The flow is over.
    fn end(&mut self, _out: &mut Out) {}
    /// Whether it really was this protocol.
    fn confirmed(&self) -> bool;
    /// The flow goes on as TLS.
    fn hands_over(&self) -> bool {
        false
    }
    /// `false` once nothing more is needed.
    fn wants(&self, _dir: Dir) -> bool {
        true
    }
}

/// Reads a [`Speaker`] out of a stream, or out of datagrams that hold one message or several.
pub(super) struct Framed<S> {
    sides: [Messages; 2],
    datagrams: bool,
    speaker: S,
}

impl<S: Speaker> Framed<S> {
    /// For one flow.
    pub fn new(conn: &Conn, speaker: S) -> Self {
        Self { sides: Default::default(), datagrams: conn.proto != Proto::Tcp, speaker }
    }
}

impl<S: Speaker> Dissector for Framed<S> {
    fn data(&mut self, chunk: &Chunk<'_>, out: &mut Out) {
        let [orig, resp] = &mut self.sides;
        let side = if chunk.dir == Dir::Orig { orig } else { resp };
        let mut rest = chunk.bytes;
        while self.speaker.wants(chunk.dir) {
            let Some(message) = side.next(&mut rest, S::MOST, |bytes| self.speaker.length(chunk.dir, bytes)) else { break };
            self.speaker.message(&message, chunk, out);
        }
        if chunk.cut > 0 {
            side.gap(u64::from(chunk.cut));
            self.speaker.lost(chunk.dir);
        }
        if self.datagrams {
            *side = Messages::default();
        }
    }

    fn gap(&mut self, dir: Dir, missing: u64, _out: &mut Out) {
        let [orig, resp] = &mut self.sides;
        if dir == Dir::Orig { orig } else { resp }.gap(missing);
        self.speaker.lost(dir);
    }

    fn end(&mut self, out: &mut Out) {
        self.speaker.end(out);
    }

    fn confirmed(&self) -> bool {
        self.speaker.confirmed()
    }

    fn hands_over(&self) -> bool {
        self.speaker.hands_over()
    }

    fn wants(&self, dir: Dir) -> bool {
        self.speaker.wants(dir)
    }
}

/// Bytes taken one after the other; nothing beyond the end.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a>(pub &'a [u8]);

impl<'a> Fields<'a> {
    /// The next `n` bytes, if there are as many.
    pub fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (now, later) = self.0.split_at_checked(n)?;
        self.0 = later;
        Some(now)
    }

    /// A byte.
    pub fn u8(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    /// Two bytes, the high one first.
    pub fn be16(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(*self.take(2)?.first_chunk()?))
    }

    /// Four bytes, the highest first.
    pub fn be32(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(*self.take(4)?.first_chunk()?))
    }

    /// Two bytes, the low one first.
    pub fn le16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes(*self.take(2)?.first_chunk()?))
    }

    /// Four bytes, the lowest first.
    pub fn le32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(*self.take(4)?.first_chunk()?))
    }

    /// As many bytes as the two before them say.
    pub fn counted16(&mut self) -> Option<&'a [u8]> {
        let length = self.be16()?;
        self.take(usize::from(length))
    }

    /// Bytes up to a zero, which is passed.
    pub fn until_zero(&mut self) -> Option<&'a [u8]> {
        let end = memchr::memchr(0, self.0)?;
        let text = self.take(end);
        self.take(1);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A byte of length, then as many bytes.
    fn short(bytes: &[u8]) -> Length {
        match bytes {
            [] => Length::More,
            [0xff, ..] => Length::Wrong,
            [length, ..] => Length::Is(1 + usize::from(*length)),
        }
    }

    fn all(segments: &[&[u8]], most: usize) -> Vec<Vec<u8>> {
        let mut messages = Messages::default();
        let mut found = Vec::new();
        for segment in segments {
            let mut rest = *segment;
            while let Some(message) = messages.next(&mut rest, most, short) {
                found.push(message.into_owned());
            }
        }
        found
    }

    #[test]
    fn long_messages_keep_their_beginning_and_the_next_one_is_found() {
        assert_eq!(all(&[b"\x05abcde\x01x"], 3), [b"\x05ab".to_vec(), b"\x01x".to_vec()]);
        assert_eq!(all(&[b"\x05a", b"bc", b"de\x01", b"x"], 3), [b"\x05ab".to_vec(), b"\x01x".to_vec()]);
    }

    #[test]
    fn nonsense_costs_its_segment_and_a_gap_the_message_begun() {
        assert_eq!(all(&[b"\x01a\xffzzzz", b"\x01b"], 9), [b"\x01a".to_vec(), b"\x01b".to_vec()]);
        let mut messages = Messages::default();
        assert_eq!(messages.next(&mut &b"\x05ab"[..], 9, short), None);
        messages.gap(3);
        assert_eq!(messages.next(&mut &b"\x01b"[..], 9, short).as_deref(), Some(&b"\x01b"[..]));
    }

    proptest! {
        #[test]
        fn cuts_change_nothing(lengths in proptest::collection::vec(0usize..40, 1..20), cuts in proptest::collection::vec(1usize..9, 1..9), most in 1usize..50) {
            let stream: Vec<u8> = lengths.iter().flat_map(|&length| std::iter::once(length as u8).chain((0..length).map(|n| n as u8))).collect();
            let mut parts = Vec::new();
            let (mut rest, mut at) = (stream.as_slice(), 0);
            while !rest.is_empty() {
                let (now, later) = rest.split_at(cuts[at % cuts.len()].min(rest.len()));
                parts.push(now);
                (rest, at) = (later, at + 1);
            }
            prop_assert_eq!(all(&parts, most), all(&[&stream], most));
            prop_assert_eq!(all(&parts, most).len(), lengths.len());
        }
    }
}
