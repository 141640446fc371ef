//! Zeek's `history`: one letter per kind of event, upper case from the originator.
//!
//! Zeek drops a segment whose checksum is wrong and writes nothing but `C`; here nothing is dropped, so letters that only such
//! segments led to are marked. When the flow is over it is known whether the sender's checksums meant anything at all (network cards
//! fill them in after the capture, anonymisers leave them behind): then either the marked letters go, or the `C`.

use crate::model::Dir;
use smallvec::SmallVec;

/// Kinds of events, by their letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Letter {
    /// SYN without ACK.
    Syn = b's' as isize,
    /// SYN with ACK.
    SynAck = b'h' as isize,
    /// Pure acknowledgement.
    Ack = b'a' as isize,
    /// Payload.
    Data = b'd' as isize,
    /// FIN.
    Fin = b'f' as isize,
    /// RST.
    Reset = b'r' as isize,
    /// Bad checksum; repeats at powers of ten.
    BadChecksum = b'c' as isize,
    /// Content gap; repeats at powers of ten.
    Gap = b'g' as isize,
    /// Retransmitted payload; repeats at powers of ten.
    Retransmission = b't' as isize,
    /// Zero window; repeats at powers of ten.
    ZeroWindow = b'w' as isize,
    /// FIN together with RST.
    Inconsistent = b'i' as isize,
    /// SYN together with FIN or RST.
    MultiFlag = b'q' as isize,
}

/// Set on a letter that a segment with a bad checksum led to.
const DOUBTFUL: u8 = 0x80;
/// Letters kept: repeated SYN, FIN and RST with ever new numbers could go on for ever.
const MOST: usize = 256;

/// The letters so far.
#[derive(Clone, Debug, Default)]
pub struct History {
    letters: SmallVec<[u8; 16]>,
    /// Kinds seen per direction: in sound segments, and in any.
    sound: [u16; 2],
    any: [u16; 2],
    doubtful: bool,
}

impl History {
    /// A packet begins, its checksum right (or not judged) or wrong.
    pub fn packet(&mut self, bad_checksum: bool) {
        self.doubtful = bad_checksum;
    }

    /// Notes an event that counts once per direction; tells whether it had been seen.
    pub fn once(&mut self, dir: Dir, letter: Letter) -> bool {
        let (bit, at) = (kind(letter), dir.index());
        let seen = if self.doubtful { self.any[at] } else { self.sound[at] } & bit != 0;
        if !seen {
            self.write(dir, letter);
        }
        self.any[at] |= bit;
        if !self.doubtful {
            self.sound[at] |= bit;
        }
        seen
    }

    /// Notes an event that is written again when its sequence number is another than the last time.
    pub fn numbered(&mut self, dir: Dir, letter: Letter, another: bool) {
        if self.once(dir, letter) && another {
            self.write(dir, letter);
        }
    }

    /// Notes an event that is written the first, tenth, hundredth … time; `count` includes this one.
    pub fn scaled(&mut self, dir: Dir, letter: Letter, count: u64) {
        if count.checked_ilog10().is_some_and(|digits| 10u64.pow(digits) == count) {
            self.write(dir, letter);
        }
    }

    /// A cap was reached: what follows is known in part only.
    pub fn limited(&mut self) {
        if !self.letters.contains(&b'X') {
            self.push(b'X');
        }
    }

    /// Originator and responder changed places. As in Zeek, what was written before stays as it is.
    pub fn flipped(&mut self) {
        self.push(b'^');
    }

    /// As stored. `unsummed`: directions whose checksums mean nothing.
    pub fn into_string(self, unsummed: [bool; 2]) -> String {
        let mut text = String::with_capacity(self.letters.len());
        let mut written = [0u16; 2];
        for byte in self.letters {
            let letter = byte & !DOUBTFUL;
            let dir = usize::from(letter.is_ascii_lowercase());
            if matches!(letter, b'^' | b'X') {
                text.push(char::from(letter));
                continue;
            }
            let bit = 1u16 << ORDER.iter().position(|known| *known == letter.to_ascii_lowercase()).unwrap_or(15);
            let doubtful = byte & DOUBTFUL != 0;
            let keep = match (letter.to_ascii_lowercase(), unsummed[dir]) {
                (b'c', unsummed) => !unsummed,
                (_, false) => !doubtful,
                // A kind that came in doubt first and soundly later stands twice.
                (kind, true) => doubtful || written[dir] & bit == 0 || !ONCE.contains(&kind),
            };
            if keep {
                written[dir] |= bit;
                text.push(char::from(letter));
            }
        }
        text
    }

    fn write(&mut self, dir: Dir, letter: Letter) {
        let small = letter as u8;
        let letter_byte = if dir == Dir::Orig { small.to_ascii_uppercase() } else { small };
        // A bad checksum itself is no matter of doubt.
        let doubtful = self.doubtful && letter != Letter::BadChecksum;
        self.push(if doubtful { letter_byte | DOUBTFUL } else { letter_byte });
    }

    fn push(&mut self, byte: u8) {
        if self.letters.len() < MOST {
            self.letters.push(byte);
        }
    }
}

/// All letters, for their place in a set of bits.
const ORDER: [u8; 12] = *b"shadfrcgtwiq";
/// Those that are written once per direction, whatever their number.
const ONCE: [u8; 4] = *b"adiq";

/// The bit of a kind: both kinds of SYN are one.
fn kind(letter: Letter) -> u16 {
    match letter {
        Letter::Syn | Letter::SynAck => 1,
        Letter::Ack => 2,
        Letter::Data => 4,
        Letter::Fin => 8,
        Letter::Reset => 16,
        Letter::Inconsistent => 32,
        Letter::MultiFlag => 64,
        Letter::BadChecksum | Letter::Gap | Letter::Retransmission | Letter::ZeroWindow => 128,
    }
}

/// Whether a RST followed a SYN, and the originator sent nothing else of weight between: what Zeek calls `RSTOS0`.
pub fn reset_after_syn_alone(history: &str) -> bool {
    let rest = history.strip_prefix('^').unwrap_or(history);
    let Some(after) = rest.strip_prefix('S') else { return false };
    after.split('R').next().is_some_and(|between| between.len() < after.len() && !between.contains(['H', 'A', 'F', 'G', 'I', 'Q']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequent_events_are_written_at_powers_of_ten() {
        let mut history = History::default();
        for n in 1..=150 {
            history.scaled(Dir::Orig, Letter::Retransmission, n);
            history.once(Dir::Resp, Letter::Data);
        }
        assert_eq!(history.into_string([false; 2]), "TdTT");
    }

    #[test]
    fn a_flip_is_told_where_it_happened() {
        let mut history = History::default();
        history.once(Dir::Orig, Letter::SynAck);
        history.once(Dir::Resp, Letter::Syn);
        history.flipped();
        history.once(Dir::Orig, Letter::Ack);
        assert_eq!(history.into_string([false; 2]), "Hs^A");
    }

    #[test]
    fn letters_of_segments_with_bad_checksums_count_only_where_checksums_mean_nothing() {
        let mut history = History::default();
        for (dir, bad, letter, count) in [
            (Dir::Orig, true, Letter::Syn, 1),
            (Dir::Resp, false, Letter::SynAck, 0),
            (Dir::Orig, true, Letter::Data, 2),
            (Dir::Orig, false, Letter::Data, 0),
            (Dir::Resp, true, Letter::Data, 1),
        ] {
            history.packet(bad);
            if bad {
                history.scaled(dir, Letter::BadChecksum, count);
            }
            history.once(dir, letter);
        }
        let said = |unsummed| history.clone().into_string(unsummed);
        assert_eq!(said([false, false]), "ChDc", "as if these segments had been dropped");
        assert_eq!(said([true, false]), "ShDc");
        assert_eq!(said([true, true]), "ShDd");
    }

    #[test]
    fn a_reset_after_nothing_but_a_syn_is_recognised() {
        let verdicts = ["SR", "^SR", "SDR", "SrR", "SAR", "ShR", "R", "S", "SF"].map(reset_after_syn_alone);
        assert_eq!(verdicts, [true, true, true, true, false, true, false, false, false]);
    }
}
