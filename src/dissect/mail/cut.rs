//! Lines of a message as they come by, long ones in pieces: their ends matter, since boundaries and the closing dot stand at the start of a line.

/// A line longer than this is handed on in pieces.
const LONGEST: usize = 8_192;

/// A line, or a piece of a long one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// With its line end, if it is whole.
    pub bytes: Vec<u8>,
    /// Begins at the start of a line.
    pub first: bool,
}

/// Cuts a stream into lines with their ends.
#[derive(Default)]
pub(super) struct Cutter {
    part: Vec<u8>,
    /// What is next is not the start of a line.
    inside: bool,
}

impl Cutter {
    /// Takes bytes up to the next line end; `None` once `bytes` is used up.
    pub fn next(&mut self, bytes: &mut &[u8]) -> Option<Piece> {
        let room = LONGEST.saturating_sub(self.part.len()).max(1);
        let end = memchr::memchr(b'\n', bytes).map(|at| at + 1).filter(|&end| end <= room);
        let (now, later) = bytes.split_at(end.unwrap_or(bytes.len()).min(room));
        self.part.extend_from_slice(now);
        *bytes = later;
        if end.is_none() && self.part.len() < LONGEST {
            return None;
        }
        let first = !std::mem::replace(&mut self.inside, end.is_none());
        Some(Piece { bytes: std::mem::take(&mut self.part), first })
    }

    /// What is left of a line without an end.
    pub fn rest(&mut self) -> Option<Piece> {
        let first = !std::mem::take(&mut self.inside);
        (!self.part.is_empty()).then(|| Piece { bytes: std::mem::take(&mut self.part), first })
    }

    /// Bytes are missing: what comes next is the middle of a line.
    pub fn gap(&mut self) {
        self.part.clear();
        self.inside = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_keep_their_ends_and_long_ones_their_order() {
        let text = [b"a\r\n\n".to_vec(), vec![b'x'; 20_000], b"\r\nlast".to_vec()].concat();
        for step in [1, 7, 9_000, 30_000] {
            let (mut cutter, mut pieces) = (Cutter::default(), Vec::new());
            for chunk in text.chunks(step) {
                let mut rest = chunk;
                while let Some(piece) = cutter.next(&mut rest) {
                    pieces.push(piece);
                }
            }
            pieces.extend(cutter.rest());
            assert_eq!(pieces.iter().flat_map(|piece| piece.bytes.clone()).collect::<Vec<_>>(), text);
            assert!(pieces.iter().all(|piece| piece.bytes.len() <= LONGEST));
            let starts: Vec<_> = pieces.iter().filter(|piece| piece.first).map(|piece| piece.bytes[0]).collect();
            assert_eq!(starts, [b'a', b'\n', b'x', b'l'], "chunks of {step}");
        }
    }
}
