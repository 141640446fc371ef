//! Records out of one direction of a stream (RFC 5531 11): fragments behind four bytes of length, the last one marked. The head of a record is
//! kept, the rest flows by: no record is ever held whole.

use super::header::{REPLY_MIN, begins_call, begins_reply};
use crate::dissect::Answer;
use crate::model::Ts;

/// Bytes kept of a record: enough for any call or reply but the data of reads, writes and listings.
pub const HEAD_MAX: usize = 16 << 10;
/// Bytes of a fragment's head.
const PREFIX: usize = 4;
/// Longest fragment believed; servers take some 4 MiB at once.
pub const FRAGMENT_MAX: usize = 0x00ff_ffff;
/// Bytes that tell whether a record is one.
const ENOUGH: usize = 12;

/// What a direction says.
#[derive(Debug, PartialEq)]
pub enum Piece<'a> {
    /// The head of a record: all of it, or the first [`HEAD_MAX`] bytes, or what came before a loss.
    Head { bytes: &'a [u8], place: (u64, Ts) },
    /// Bytes of it that follow.
    More(&'a [u8]),
    /// Bytes of it that are lost.
    Lost(u64),
}

/// One direction.
#[derive(Default)]
pub struct Records {
    held: Vec<u8>,
    prefix: Vec<u8>,
    state: State,
    /// The head of the record was said.
    said: bool,
    place: (u64, Ts),
}

#[derive(Clone, Copy, Default, PartialEq)]
enum State {
    /// Before a fragment, or within its prefix.
    #[default]
    Prefix,
    /// Within a fragment: bytes left, and whether it is the last of its record.
    Fragment { left: usize, last: bool },
    /// Out of step.
    Adrift,
}

impl Records {
    /// Takes the next bytes; `known` are the transactions that wait for a reply.
    pub fn data(&mut self, mut bytes: &[u8], place: (u64, Ts), known: impl Fn(u32) -> bool, mut say: impl FnMut(Piece<'_>)) {
        while !bytes.is_empty() {
            let used = match self.state {
                State::Prefix => self.prefix(bytes, place),
                State::Fragment { left, last } => self.fragment(left, last, bytes, &mut say),
                State::Adrift => {
                    let Some(at) = find(bytes, &known) else { return };
                    self.begin_anew(State::Prefix);
                    at
                }
            };
            bytes = bytes.get(used..).unwrap_or_default();
        }
    }

    /// Whether the next record has to be searched for.
    pub fn is_adrift(&self) -> bool {
        self.state == State::Adrift
    }

    /// Bytes are lost.
    pub fn gap(&mut self, missing: u64, mut say: impl FnMut(Piece<'_>)) {
        let State::Fragment { left, last } = self.state else {
            return self.begin_anew(State::Adrift);
        };
        self.say_head(&mut say);
        let missing = usize::try_from(missing).unwrap_or(usize::MAX);
        say(Piece::Lost(missing.min(left) as u64));
        match left.checked_sub(missing) {
            Some(left) => self.go_on(left, last),
            None => self.begin_anew(State::Adrift),
        }
    }

    /// The direction is over: says the head of what was begun.
    pub fn finish(&mut self, mut say: impl FnMut(Piece<'_>)) {
        if !self.held.is_empty() {
            self.say_head(&mut say);
        }
        self.begin_anew(State::Adrift);
    }

    fn begin_anew(&mut self, state: State) {
        self.held.clear();
        self.prefix.clear();
        (self.state, self.said) = (state, false);
    }

    fn prefix(&mut self, bytes: &[u8], place: (u64, Ts)) -> usize {
        if self.prefix.is_empty() && self.held.is_empty() && !self.said {
            self.place = place;
        }
        let now = bytes.len().min(PREFIX - self.prefix.len());
        self.prefix.extend(bytes.iter().take(now));
        if let Some(prefix) = self.prefix.first_chunk().copied().map(u32::from_be_bytes) {
            self.prefix.clear();
            let (length, last) = ((prefix & 0x7fff_ffff) as usize, prefix & 0x8000_0000 != 0);
            match length <= FRAGMENT_MAX {
                true => self.go_on(length, last),
                false => self.begin_anew(State::Adrift),
            }
        }
        now
    }

    /// Within a fragment, or behind it.
    fn go_on(&mut self, left: usize, last: bool) {
        match (left, last) {
            (0, true) => self.begin_anew(State::Prefix),
            (0, false) => self.state = State::Prefix,
            _ => self.state = State::Fragment { left, last },
        }
    }

    fn fragment(&mut self, left: usize, last: bool, bytes: &[u8], say: &mut impl FnMut(Piece<'_>)) -> usize {
        if self.said {
            let now = bytes.get(..left.min(bytes.len())).unwrap_or_default();
            say(Piece::More(now));
            self.go_on(left - now.len(), last);
            return now.len();
        }
        let now = bytes.len().min(left).min(HEAD_MAX - self.held.len());
        self.held.extend(bytes.iter().take(now));
        if self.held.len() >= ENOUGH && !begins(&self.held) {
            self.begin_anew(State::Adrift);
            return now;
        }
        let over = now == left && last;
        if over || self.held.len() >= HEAD_MAX {
            self.say_head(say);
        }
        self.go_on(left - now, last);
        now
    }

    fn say_head(&mut self, say: &mut impl FnMut(Piece<'_>)) {
        // A head that is too short to be one still ends what was said before.
        if !self.said {
            say(Piece::Head { bytes: &self.held, place: self.place });
        }
        self.held.clear();
        self.said = true;
    }
}

/// A call or a reply, by its first words.
fn begins(bytes: &[u8]) -> bool {
    match bytes.get(4..12) {
        Some([0, 0, 0, 0, rest @ ..]) => rest == [0, 0, 0, 2],
        Some([0, 0, 0, 1, 0, 0, 0, stat]) => *stat <= 1,
        _ => false,
    }
}

/// Whether a fragment that is a whole record, a call or a reply, begins here.
fn starts(bytes: &[u8], reply: impl Fn(u32) -> bool) -> bool {
    let Some((prefix, message)) = bytes.split_first_chunk::<PREFIX>() else { return false };
    let length = (u32::from_be_bytes(*prefix) & 0x7fff_ffff) as usize;
    let xid = message.first_chunk().copied().map(u32::from_be_bytes);
    prefix.first() == Some(&0x80)
        && length >= REPLY_MIN
        && (begins_call(message) == Answer::Certain || (begins_reply(message) && xid.is_some_and(reply)))
}

/// Where a record starts in the middle of bytes: a call anywhere, a reply anywhere to what was asked, else at the beginning of a segment.
pub fn find(bytes: &[u8], known: impl Fn(u32) -> bool) -> Option<usize> {
    memchr::memchr_iter(0x80, bytes).find(|&at| starts(bytes.get(at..).unwrap_or_default(), |xid| at == 0 || known(xid)))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{call, fragments, record, reply, sys};
    use super::*;
    use proptest::prelude::*;

    /// Bytes of the heads, and of what followed each.
    fn read(records: &mut Records, bytes: &[u8], seen: &mut Vec<(usize, usize)>) {
        records.data(
            bytes,
            (1, 1),
            |_| true,
            |piece| match piece {
                Piece::Head { bytes, .. } => seen.push((bytes.len(), 0)),
                Piece::More(more) => seen.last_mut().expect("a head comes first").1 += more.len(),
                Piece::Lost(_) => {}
            },
        );
    }

    fn long(length: usize) -> Vec<u8> {
        let head = call(1, (100_003, 3, 7), &sys("a", 0, 0), &[]);
        let rest = length - head.len();
        [head, vec![7; rest]].concat()
    }

    #[test]
    fn fragments_of_a_record_are_one_message() {
        let whole = long(100);
        let (mut records, mut seen) = (Records::default(), Vec::new());
        read(&mut records, &[fragments(&whole, 30), record(&reply(1, b""))].concat(), &mut seen);
        assert_eq!(seen, [(100, 0), (24, 0)]);
    }

    #[test]
    fn a_loss_within_a_record_keeps_the_step_and_beyond_it_the_next_record_is_found() {
        let (mut records, mut seen) = (Records::default(), Vec::new());
        let bytes = record(&long(40_000));
        read(&mut records, &bytes[..20_004], &mut seen);
        records.gap(10_000, |piece| assert_eq!(piece, Piece::Lost(10_000)));
        read(&mut records, &bytes[30_004..], &mut seen);
        records.gap(77, |_| {});
        read(&mut records, &[&[0x80, 2, 3][..], &record(&reply(5, b""))].concat(), &mut seen);
        assert_eq!(seen, [(HEAD_MAX, 30_000 - HEAD_MAX), (24, 0)]);
    }

    proptest! {
        #[test]
        fn segments_make_no_difference(lengths in proptest::collection::vec(80usize..40_000, 1..4), piece in 20usize..3_000, cuts in proptest::collection::vec(1usize..3_000, 1..9)) {
            let bytes: Vec<u8> = lengths.iter().flat_map(|&length| fragments(&long(length), piece)).collect();
            let (mut records, mut seen, mut rest) = (Records::default(), Vec::new(), bytes.as_slice());
            for cut in cuts.iter().copied().cycle() {
                if rest.is_empty() { break; }
                let (now, later) = rest.split_at(cut.min(rest.len()));
                read(&mut records, now, &mut seen);
                rest = later;
            }
            let wanted: Vec<_> = lengths.iter().map(|&length| (length.min(HEAD_MAX), length.saturating_sub(HEAD_MAX))).collect();
            prop_assert_eq!(seen, wanted);
        }

        #[test]
        fn any_bytes_and_losses_are_survived(steps in proptest::collection::vec((proptest::collection::vec(any::<u8>(), 0..60), any::<u16>()), 0..40)) {
            let mut records = Records::default();
            for (bytes, missing) in steps {
                records.data(&bytes, (1, 1), |_| true, |_| {});
                records.gap(u64::from(missing), |_| {});
                records.data(&record(&long(90)), (1, 1), |_| true, |_| {});
                prop_assert!(records.held.len() <= HEAD_MAX);
            }
        }
    }
}
