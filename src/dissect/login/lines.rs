//! Lines out of a stream that may have holes.

/// Longest line kept; what follows up to the line end is dropped.
const LONGEST: usize = 4_096;

/// One line without its end.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::dissect) struct Line {
    /// CR and LF removed.
    pub text: Vec<u8>,
    /// Nothing is missing at its start, and it was not too long.
    pub whole: bool,
}

/// Cuts one direction into lines.
#[derive(Default)]
pub(in crate::dissect) struct Lines {
    part: Vec<u8>,
    torn: bool,
}

impl Lines {
    /// Takes bytes up to the next line end; `None` once `bytes` is used up.
    pub fn next(&mut self, bytes: &mut &[u8]) -> Option<Line> {
        let end = memchr::memchr(b'\n', bytes);
        let (part, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
        let room = LONGEST.saturating_sub(self.part.len());
        self.part.extend(part.iter().take(room));
        self.torn |= part.len() > room;
        *bytes = rest.get(1..).unwrap_or_default();
        end?;
        let mut text = std::mem::take(&mut self.part);
        while text.last() == Some(&b'\r') {
            text.pop();
        }
        Some(Line { text, whole: !std::mem::take(&mut self.torn) })
    }

    /// Bytes are missing here: the line begun is dropped, the next one may lack its start.
    pub fn gap(&mut self) {
        self.part.clear();
        self.torn = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(chunks: &[&[u8]]) -> Vec<(String, bool)> {
        let mut lines = Lines::default();
        let mut found = Vec::new();
        for chunk in chunks {
            let mut rest = *chunk;
            while let Some(line) = lines.next(&mut rest) {
                found.push((crate::dissect::escape(&line.text, LONGEST), line.whole));
            }
        }
        found
    }

    #[test]
    fn lines_end_at_lf_wherever_chunks_end() {
        let expected = [("a b".to_owned(), true), (String::new(), true), ("c".into(), true)];
        assert_eq!(lines(&[b"a b\r\n\nc\r\n"]), expected);
        assert_eq!(lines(&[b"a", b" b\r", b"\n\n", b"c\r\n", b"rest"]), expected);
    }

    #[test]
    fn too_long_lines_are_cut_and_marked() {
        let long = [vec![b'x'; 10_000], b"\nnext\n".to_vec()].concat();
        let found = lines(&[&long]);
        assert_eq!(found[0], ("x".repeat(LONGEST), false));
        assert_eq!(found[1], ("next".into(), true));
    }

    #[test]
    fn a_gap_drops_the_line_begun_and_marks_the_next() {
        let mut lines = Lines::default();
        let mut bytes: &[u8] = b"half";
        assert_eq!(lines.next(&mut bytes), None);
        lines.gap();
        let mut bytes: &[u8] = b"tail\nwhole\n";
        assert_eq!(lines.next(&mut bytes), Some(Line { text: b"tail".to_vec(), whole: false }));
        assert_eq!(lines.next(&mut bytes), Some(Line { text: b"whole".to_vec(), whole: true }));
    }
}
