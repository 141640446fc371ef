//! Messages out of one direction of a NetBIOS session (RFC 1002 4.3), which port 445 uses too. The head of a message is kept, the rest
//! flows by: no message is ever held whole.

use crate::model::Ts;

/// Bytes kept of a message: enough for any command but the data of reads and writes.
pub const HEAD_MAX: usize = 16 << 10;
/// Bytes before a message.
const PREFIX: usize = 4;
/// Longest message: SMB2 allows 8 MiB of data (MS-SMB2 3.3.5.2.5), SMB1's large reads and writes stay below.
const LENGTH_MAX: usize = 0x00ff_ffff;
/// Shortest header, SMB1's; the compression header is shorter, but something follows it.
const LENGTH_MIN: usize = 16;

/// What a direction says.
#[derive(Debug, PartialEq)]
pub enum Piece<'a> {
    /// The head of a message, from its protocol id on: all of it, or the first [`HEAD_MAX`] bytes, or what came before a loss.
    Head { bytes: &'a [u8], len: usize, place: (u64, Ts) },
    /// Bytes of it that follow.
    More(&'a [u8]),
    /// Bytes of it that are lost.
    Lost(u64),
}

/// One direction.
#[derive(Default)]
pub struct Framing {
    held: Vec<u8>,
    state: State,
    place: (u64, Ts),
    /// Messages that began like SMB.
    pub messages: u64,
}

#[derive(Clone, Copy, Default)]
enum State {
    /// Before or within the prefix.
    #[default]
    Prefix,
    /// Collecting the head of a message of this length.
    Head { len: usize },
    /// After the head: bytes left.
    Rest { left: usize },
    /// Within something of no interest: bytes left.
    Skip { left: usize },
    /// Out of step.
    Lost,
}

impl Framing {
    /// Takes the next bytes.
    pub fn data(&mut self, mut bytes: &[u8], place: (u64, Ts), mut say: impl FnMut(Piece<'_>)) {
        while !bytes.is_empty() {
            let used = match self.state {
                State::Prefix => self.prefix(bytes, place),
                State::Head { len } => self.head(len, bytes, &mut say),
                State::Rest { left } => {
                    let now = bytes.get(..left.min(bytes.len())).unwrap_or_default();
                    say(Piece::More(now));
                    self.state = if now.len() == left { State::Prefix } else { State::Rest { left: left - now.len() } };
                    now.len()
                }
                State::Skip { left } => {
                    let now = left.min(bytes.len());
                    self.state = if now == left { State::Prefix } else { State::Skip { left: left - now } };
                    now
                }
                State::Lost => match find(bytes) {
                    Some(at) => {
                        self.state = State::Prefix;
                        self.held.clear();
                        at
                    }
                    None => return,
                },
            };
            bytes = bytes.get(used..).unwrap_or_default();
        }
    }

    /// Bytes are lost.
    pub fn gap(&mut self, missing: u64, mut say: impl FnMut(Piece<'_>)) {
        let missing_here = usize::try_from(missing).unwrap_or(usize::MAX);
        if let State::Head { len } = self.state
            && self.held.len() > LENGTH_MIN
        {
            let left = len - self.held.len();
            self.say_head(len, &mut say);
            self.state = State::Rest { left };
        }
        match self.state {
            State::Rest { left } => {
                let here = left.min(missing_here);
                say(Piece::Lost(here as u64));
                self.state = after(left, missing_here, |left| State::Rest { left });
            }
            State::Skip { left } => self.state = after(left, missing_here, |left| State::Skip { left }),
            State::Prefix | State::Head { .. } | State::Lost => self.state = State::Lost,
        }
        if matches!(self.state, State::Lost) {
            self.held.clear();
        }
    }

    /// The direction is over: says the head of what was begun.
    pub fn finish(&mut self, mut say: impl FnMut(Piece<'_>)) {
        if let State::Head { len } = self.state
            && self.held.len() > LENGTH_MIN
        {
            self.say_head(len, &mut say);
        }
        self.state = State::Lost;
        self.held.clear();
    }

    fn prefix(&mut self, bytes: &[u8], place: (u64, Ts)) -> usize {
        if self.held.is_empty() {
            self.place = place;
        }
        let now = bytes.len().min(PREFIX - self.held.len());
        self.held.extend(bytes.iter().take(now));
        if let Some(&[kind, a, b, c]) = self.held.first_chunk::<PREFIX>() {
            let len = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
            self.held.clear();
            self.state = match kind {
                0 if (LENGTH_MIN..=LENGTH_MAX).contains(&len) => State::Head { len },
                // Session request and its answers, keep-alive.
                0x81..=0x85 if len <= 256 && len > 0 => State::Skip { left: len },
                0 | 0x81..=0x85 if len == 0 => State::Prefix,
                _ => State::Lost,
            };
        }
        now
    }

    fn head(&mut self, len: usize, bytes: &[u8], say: &mut impl FnMut(Piece<'_>)) -> usize {
        let wanted = len.min(HEAD_MAX) - self.held.len();
        let now = wanted.min(bytes.len());
        self.held.extend(bytes.iter().take(now));
        if self.held.len() >= PREFIX && !is_magic(&self.held) {
            self.held.clear();
            self.state = State::Lost;
        } else if now == wanted {
            let left = len - self.held.len();
            self.say_head(len, say);
            self.state = if left == 0 { State::Prefix } else { State::Rest { left } };
        }
        now
    }

    fn say_head(&mut self, len: usize, say: &mut impl FnMut(Piece<'_>)) {
        self.messages += 1;
        say(Piece::Head { bytes: &self.held, len, place: self.place });
        self.held.clear();
    }
}

/// The state `missing` bytes further on.
fn after(left: usize, missing: usize, within: impl Fn(usize) -> State) -> State {
    match left.checked_sub(missing) {
        Some(0) => State::Prefix,
        Some(left) => within(left),
        None => State::Lost,
    }
}

/// Protocol ids: SMB1, SMB2, encryption and compression headers.
pub fn is_magic(bytes: &[u8]) -> bool {
    matches!(bytes, [0xfc..=0xff, b'S', b'M', b'B', ..])
}

/// Where a message with its prefix stands in the middle of bytes.
pub fn find(bytes: &[u8]) -> Option<usize> {
    memchr::memmem::find_iter(bytes, b"SMB").find_map(|at| {
        let start = at.checked_sub(PREFIX + 1)?;
        matches!(bytes.get(start..), Some([0, a, b, c, 0xfc..=0xff, ..]) if usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c) >= LENGTH_MIN)
            .then_some(start)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn message(len: usize) -> Vec<u8> {
        let mut bytes = vec![0, (len >> 16) as u8, (len >> 8) as u8, len as u8, 0xfe, b'S', b'M', b'B'];
        bytes.extend((0..len - 4).map(|n| n as u8));
        bytes
    }

    /// Lengths of the messages and what was seen of each.
    fn read(pieces: &[&[u8]]) -> Vec<(usize, usize)> {
        let (mut framing, mut seen) = (Framing::default(), Vec::new());
        for piece in pieces {
            framing.data(piece, (1, 1), |piece| match piece {
                Piece::Head { bytes, len, .. } => seen.push((len, bytes.len())),
                Piece::More(bytes) => seen.last_mut().expect("a head comes first").1 += bytes.len(),
                Piece::Lost(_) => {}
            });
        }
        seen
    }

    #[test]
    fn after_a_loss_reading_goes_on_at_the_next_message() {
        let (mut framing, mut heads) = (Framing::default(), 0);
        let whole = message(100);
        framing.data(&whole[..50], (1, 1), |_| {});
        framing.gap(5_000, |_| {});
        framing.data(&[&[1, 2, 3][..], &message(60)].concat(), (2, 2), |piece| {
            heads += usize::from(matches!(piece, Piece::Head { len: 60, .. }))
        });
        assert_eq!(heads, 1);
    }

    #[test]
    fn a_loss_within_the_data_of_a_message_keeps_the_step() {
        let (mut framing, mut seen) = (Framing::default(), Vec::new());
        let whole = message(40_000);
        let mut say = |piece: Piece<'_>| {
            seen.push(match piece {
                Piece::Head { len, .. } => len,
                Piece::More(bytes) => bytes.len(),
                Piece::Lost(n) => n as usize,
            });
        };
        framing.data(&whole[..20_004], (1, 1), &mut say);
        framing.gap(10_000, &mut say);
        framing.data(&whole[30_004..], (1, 1), &mut say);
        framing.data(&message(50), (1, 1), &mut say);
        assert_eq!(seen, [40_000, 20_000 - HEAD_MAX, 10_000, 10_000, 50]);
    }

    proptest! {
        #[test]
        fn segments_make_no_difference(lens in proptest::collection::vec(32usize..40_000, 1..5), cuts in proptest::collection::vec(1usize..3_000, 1..9)) {
            let bytes: Vec<u8> = lens.iter().flat_map(|&len| message(len)).collect();
            let mut rest = bytes.as_slice();
            let mut pieces = Vec::new();
            for cut in cuts.iter().copied().cycle() {
                if rest.is_empty() { break; }
                let (now, later) = rest.split_at(cut.min(rest.len()));
                pieces.push(now);
                rest = later;
            }
            let seen = read(&pieces);
            prop_assert_eq!(seen, lens.iter().map(|&len| (len, len)).collect::<Vec<_>>());
        }

        #[test]
        fn any_bytes_and_losses_are_survived(steps in proptest::collection::vec((proptest::collection::vec(any::<u8>(), 0..60), any::<u16>()), 0..40)) {
            let mut framing = Framing::default();
            for (bytes, missing) in steps {
                framing.data(&bytes, (1, 1), |_| {});
                framing.gap(u64::from(missing), |_| {});
                framing.data(&message(40), (1, 1), |_| {});
                prop_assert!(framing.held.len() <= HEAD_MAX);
            }
        }
    }
}
