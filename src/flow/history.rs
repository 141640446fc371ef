//! Zeek's `history`: one letter per kind of event, upper case from the originator, in the order of first appearance.

use crate::model::Dir;

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
    /// A cap of the analyzer was reached.
    Limit = b'x' as isize,
}

/// The letters so far.
#[derive(Clone, Debug, Default)]
pub struct History {
    letters: String,
    seen: [u32; 2],
    scaled: [[u32; 4]; 2],
}

impl History {
    /// Notes an event that counts once per direction.
    pub fn once(&mut self, dir: Dir, letter: Letter) {
        let bit = 1u32 << (letter as u8 - b'a');
        if self.seen[dir.index()] & bit == 0 {
            self.seen[dir.index()] |= bit;
            self.write(dir, letter);
        }
    }

    /// Notes an event that is written the first, tenth, hundredth … time.
    pub fn scaled(&mut self, dir: Dir, letter: Letter) {
        let slot = match letter {
            Letter::BadChecksum => 0,
            Letter::Gap => 1,
            Letter::Retransmission => 2,
            _ => 3,
        };
        let count = &mut self.scaled[dir.index()][slot];
        *count = count.saturating_add(1);
        if 10u32.pow(count.ilog10()) == *count {
            self.write(dir, letter);
        }
    }

    /// The originator was wrong: roles change, `^` is written, and letters keep what they meant.
    pub fn flip(&mut self) {
        self.letters =
            self.letters.chars().map(|c| if c.is_ascii_uppercase() { c.to_ascii_lowercase() } else { c.to_ascii_uppercase() }).collect();
        self.letters.insert(0, '^');
        self.seen.swap(0, 1);
        self.scaled.swap(0, 1);
    }

    /// The originator was recognised by its port before anything was written.
    pub fn flipped_at_start(&mut self) {
        self.letters.push('^');
    }

    /// As stored.
    pub fn into_string(self) -> String {
        self.letters
    }

    fn write(&mut self, dir: Dir, letter: Letter) {
        let small = letter as u8;
        self.letters.push(char::from(if dir == Dir::Orig { small.to_ascii_uppercase() } else { small }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequent_events_are_written_at_powers_of_ten() {
        let mut history = History::default();
        for _ in 0..150 {
            history.scaled(Dir::Orig, Letter::Retransmission);
            history.once(Dir::Resp, Letter::Data);
        }
        assert_eq!(history.into_string(), "TdTT");
    }

    #[test]
    fn a_flip_keeps_who_did_what() {
        let mut history = History::default();
        history.once(Dir::Orig, Letter::SynAck);
        history.flip();
        history.once(Dir::Resp, Letter::SynAck);
        history.once(Dir::Orig, Letter::Ack);
        assert_eq!(history.into_string(), "^hA");
    }
}
