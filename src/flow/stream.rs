//! One direction of a TCP connection put in order, within caps. Holes wait for their bytes until the other side
//! acknowledges them, the buffer is full, or the flow ends; then they are announced as gaps.

use crate::model::Ts;
use std::collections::BTreeMap;

/// A segment that waits for what comes before it.
#[derive(Debug)]
struct Held {
    bytes: Box<[u8]>,
    len: u32,
    frame: u64,
    ts_ns: Ts,
}

/// What a stream hands on, in order.
#[derive(Debug, PartialEq)]
pub enum Piece<'a> {
    /// The next bytes; `cut` of this segment were not captured.
    Bytes {
        /// Those that were captured.
        bytes: &'a [u8],
        /// How many behind them were not.
        cut: u32,
        /// Frame that brought them.
        frame: u64,
        /// Its time.
        ts_ns: Ts,
    },
    /// This many bytes are lost.
    Gap(u64),
}

/// Bytes of one segment with their place.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
    /// Sequence number of the first byte.
    pub seq: u32,
    /// Bytes captured.
    pub bytes: &'a [u8],
    /// Length on the wire, not below `bytes.len()`.
    pub len: u32,
    /// Frame.
    pub frame: u64,
    /// Its time.
    pub ts_ns: Ts,
}

/// Reassembly state of one direction.
#[derive(Debug, Default)]
pub struct Stream {
    /// Next byte expected, once anything is known.
    next: Option<u32>,
    /// Sequence number of the FIN.
    fin: Option<u32>,
    fin_told: bool,
    held: BTreeMap<u64, Held>,
    /// Offset of `next` in the stream, from 0: the key space of `held`.
    offset: u64,
    held_bytes: usize,
    /// Bytes announced as gaps.
    pub missed: u64,
    /// A hole was given up because the buffer was full.
    pub overflowed: bool,
}

/// What a held segment takes beside its bytes: segments of a byte each, or whose bytes nobody wants, must not add up to gigabytes.
const HELD_OVERHEAD: usize = 64;

/// Sequence numbers further ahead than this are taken to lie behind (RFC 9293 compares modulo 2^32; a window never exceeds 2^30).
const FAR_AHEAD: u32 = 1 << 30;

impl Stream {
    /// Sets where the stream begins (the byte after the SYN), unless bytes were already taken.
    pub fn begin(&mut self, seq: u32) {
        if self.offset == 0 && self.held.is_empty() {
            self.next = Some(seq);
        }
    }

    /// A FIN stands at `seq`, after the last byte.
    pub fn ends_at(&mut self, seq: u32) {
        self.fin.get_or_insert(seq);
    }

    /// Whether the last byte has been handed on: true once.
    pub fn just_ended(&mut self) -> bool {
        let ended = !self.fin_told && self.fin.is_some() && (self.next == self.fin || self.next.is_none());
        self.fin_told |= ended;
        ended
    }

    /// Bytes held for reordering, overhead included.
    pub fn held_bytes(&self) -> usize {
        self.held_bytes
    }

    /// Takes a segment; `keep` false counts its bytes without holding them. Hands on what is in order.
    pub fn take(&mut self, segment: Segment<'_>, keep: bool, cap: usize, mut hand: impl FnMut(Piece<'_>)) {
        if segment.len == 0 {
            return;
        }
        let next = *self.next.get_or_insert(segment.seq);
        let ahead = segment.seq.wrapping_sub(next);
        if ahead == 0 && self.held.is_empty() {
            self.advance(segment.len);
            hand(Piece::Bytes {
                bytes: segment.bytes,
                cut: segment.len.saturating_sub(segment.bytes.len() as u32),
                frame: segment.frame,
                ts_ns: segment.ts_ns,
            });
            return;
        }
        let behind = next.wrapping_sub(segment.seq);
        if ahead >= FAR_AHEAD && behind >= segment.len {
            return;
        }
        let (skip, at) = if ahead < FAR_AHEAD { (0, self.offset + u64::from(ahead)) } else { (behind, self.offset) };
        self.hold(segment, skip, at, keep);
        self.drain(&mut hand);
        while self.held_bytes > cap {
            self.overflowed = true;
            self.skip_hole(&mut hand);
            self.drain(&mut hand);
        }
    }

    /// The other side acknowledged everything before `ack`: holes before it will never be filled.
    pub fn acknowledged(&mut self, ack: u32, mut hand: impl FnMut(Piece<'_>)) {
        let Some(next) = self.next else { return };
        // The FIN takes a number but is no byte, and none comes after.
        let ack = self.fin.filter(|fin| ack.wrapping_sub(*fin) < FAR_AHEAD).unwrap_or(ack);
        let ahead = ack.wrapping_sub(next);
        if ahead == 0 || ahead >= FAR_AHEAD {
            return;
        }
        let until = self.offset + u64::from(ahead);
        while self.offset < until {
            match self.held.keys().next() {
                Some(&at) if at < until => self.skip_hole(&mut hand),
                _ => self.lose(until - self.offset, &mut hand),
            }
            self.drain(&mut hand);
        }
    }

    /// Hands on what is left, holes announced.
    pub fn finish(&mut self, mut hand: impl FnMut(Piece<'_>)) {
        while !self.held.is_empty() {
            self.skip_hole(&mut hand);
            self.drain(&mut hand);
        }
    }

    fn advance(&mut self, len: u32) {
        self.next = self.next.map(|next| next.wrapping_add(len));
        self.offset += u64::from(len);
    }

    fn lose(&mut self, missing: u64, hand: &mut impl FnMut(Piece<'_>)) {
        self.missed += missing;
        self.next = self.next.map(|next| next.wrapping_add(missing as u32));
        self.offset += missing;
        hand(Piece::Gap(missing));
    }

    /// Keeps the part of a segment that is not there yet. First come, first kept, as Zeek and BSD do.
    fn hold(&mut self, segment: Segment<'_>, skip: u32, at: u64, keep: bool) {
        let (mut at, mut from, end) = (at, skip, segment.len);
        if let Some((&before, held)) = self.held.range(..=at).next_back() {
            let covered = (before + u64::from(held.len)).saturating_sub(at).min(u64::from(end));
            at += covered;
            from = from.saturating_add(covered as u32);
        }
        while from < end {
            let room = self.held.range(at..).next().map_or(u64::MAX, |(&after, _)| after - at);
            let len = u64::from(end - from).min(room) as u32;
            if len > 0 {
                let bytes: Box<[u8]> = if keep {
                    let last = (from as usize).saturating_add(len as usize).min(segment.bytes.len());
                    segment.bytes.get(from as usize..last).unwrap_or(&[]).into()
                } else {
                    Box::default()
                };
                self.held_bytes += bytes.len() + HELD_OVERHEAD;
                self.held.insert(at, Held { bytes, len, frame: segment.frame, ts_ns: segment.ts_ns });
            }
            at += u64::from(len);
            from += len;
            // Step over what is already held there.
            if let Some(held) = self.held.get(&at) {
                at += u64::from(held.len);
                from = from.saturating_add(held.len);
            }
        }
    }

    fn drain(&mut self, hand: &mut impl FnMut(Piece<'_>)) {
        while let Some(entry) = self.held.first_entry() {
            if *entry.key() > self.offset {
                return;
            }
            let held = entry.remove();
            self.held_bytes -= held.bytes.len() + HELD_OVERHEAD;
            self.advance(held.len);
            let cut = held.len.saturating_sub(held.bytes.len() as u32);
            hand(Piece::Bytes { bytes: &held.bytes, cut, frame: held.frame, ts_ns: held.ts_ns });
        }
    }

    fn skip_hole(&mut self, hand: &mut impl FnMut(Piece<'_>)) {
        if let Some(&at) = self.held.keys().next() {
            let missing = at.saturating_sub(self.offset);
            if missing > 0 {
                self.lose(missing, hand);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn segment(seq: u32, bytes: &[u8]) -> Segment<'_> {
        Segment { seq, bytes, len: bytes.len() as u32, frame: 1, ts_ns: 0 }
    }

    fn text(pieces: &mut Vec<u8>) -> impl FnMut(Piece<'_>) + '_ {
        |piece| match piece {
            Piece::Bytes { bytes, .. } => pieces.extend_from_slice(bytes),
            Piece::Gap(n) => pieces.extend(std::iter::repeat_n(b'_', n as usize)),
        }
    }

    #[test]
    fn an_acknowledged_hole_is_announced_and_reading_goes_on() {
        let (mut stream, mut got) = (Stream::default(), Vec::new());
        stream.begin(100);
        stream.take(segment(100, b"abc"), true, 1000, text(&mut got));
        stream.take(segment(106, b"ghi"), true, 1000, text(&mut got));
        assert_eq!(got, b"abc");
        stream.acknowledged(109, text(&mut got));
        assert_eq!(got, b"abc___ghi");
        assert_eq!(stream.missed, 3);
    }

    #[test]
    fn a_full_buffer_gives_up_the_hole_rather_than_the_bytes() {
        let (mut stream, mut got) = (Stream::default(), Vec::new());
        stream.begin(0);
        stream.take(segment(2, b"cd"), true, 3, text(&mut got));
        stream.take(segment(4, b"ef"), true, 3, text(&mut got));
        assert_eq!(got, b"__cdef");
        assert_eq!((stream.overflowed, stream.missed, stream.held_bytes()), (true, 2, 0));
    }

    #[test]
    fn tiny_segments_and_those_nobody_wants_fill_the_buffer_too() {
        for keep in [true, false] {
            let (mut stream, mut got) = (Stream::default(), Vec::new());
            stream.begin(0);
            (0..10_000).for_each(|n| stream.take(segment(2 + 2 * n, b"x"), keep, 1_000, text(&mut got)));
            assert!(stream.held.len() < 20 && stream.held_bytes() <= 1_000, "{} segments are held", stream.held.len());
        }
    }

    proptest! {
        #[test]
        fn any_order_and_overlap_of_segments_gives_the_bytes_in_order(
            start: u32,
            cuts in proptest::collection::vec((0usize..200, 1usize..60), 1..80),
            order in proptest::collection::vec(any::<u16>(), 80),
        ) {
            let whole: Vec<u8> = (0..200u32).map(|n| (n * 7 % 251) as u8).collect();
            let mut pieces: Vec<(usize, usize)> = (0..200).step_by(20).map(|at| (at, 20)).collect();
            pieces.extend(cuts);
            let mut keyed: Vec<_> = pieces.iter().enumerate().map(|(n, p)| (order[n % order.len()], *p)).collect();
            keyed.sort();
            let (mut stream, mut got) = (Stream::default(), Vec::new());
            stream.begin(start);
            for (_, (at, len)) in keyed {
                let end = (at + len).min(200);
                stream.take(segment(start.wrapping_add(at as u32), &whole[at..end]), true, 1 << 20, text(&mut got));
            }
            stream.finish(text(&mut got));
            prop_assert_eq!(got, whole);
            prop_assert_eq!(stream.held_bytes(), 0);
        }

        #[test]
        fn no_sequence_of_segments_and_acknowledgements_can_break_it(
            steps in proptest::collection::vec((any::<u32>(), 0u32..5000, any::<bool>(), any::<bool>()), 0..100)
        ) {
            let mut stream = Stream::default();
            let bytes = vec![0u8; 5000];
            for (seq, len, near, ack) in steps {
                let seq = if near { seq % 10_000 } else { seq };
                if ack {
                    stream.acknowledged(seq, |_| {});
                } else {
                    stream.take(Segment { seq, bytes: &bytes[..len as usize / 2], len, frame: 0, ts_ns: 0 }, near, 4_000, |_| {});
                }
                prop_assert!(stream.held_bytes() <= 4_000 + 5_000);
            }
            stream.finish(|_| {});
            prop_assert_eq!(stream.held_bytes(), 0);
        }
    }
}
