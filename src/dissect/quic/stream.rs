//! The CRYPTO stream of one side: pieces that come in any order, several packets, several times.

use std::collections::BTreeMap;

/// Bytes of the stream that are looked at: a ClientHello of many kilobytes, no more.
const STREAM_MAX: u64 = 64 << 10;
/// Pieces that wait for earlier ones.
const PIECES_MAX: usize = 256;

/// One side's stream.
#[derive(Default)]
pub struct Stream {
    next: u64,
    waiting: BTreeMap<u64, Vec<u8>>,
}

impl Stream {
    /// Takes a piece in.
    pub fn put(&mut self, offset: u64, bytes: &[u8]) {
        let Some(end) = offset.checked_add(bytes.len() as u64).filter(|&end| end <= STREAM_MAX) else { return };
        let longer = self.waiting.get(&offset).is_none_or(|known| known.len() < bytes.len());
        if end > self.next && longer && (self.waiting.len() < PIECES_MAX || offset <= self.next) {
            self.waiting.insert(offset, bytes.to_vec());
        }
    }

    /// The next bytes in order, if they are there.
    pub fn next(&mut self) -> Option<Vec<u8>> {
        loop {
            let (&offset, _) = self.waiting.first_key_value().filter(|&(&offset, _)| offset <= self.next)?;
            let piece = self.waiting.remove(&offset)?;
            let known = usize::try_from(self.next - offset).ok()?;
            if let Some(new) = piece.get(known..).filter(|new| !new.is_empty()) {
                self.next += new.len() as u64;
                return Some(new.to_vec());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_order_of_overlapping_pieces_gives_the_stream(pieces in proptest::collection::vec((0usize..200, 1usize..60), 0..40), seed: u64) {
            let whole: Vec<u8> = (0..260u16).map(|n| (n % 251) as u8).collect();
            let mut order: Vec<(usize, usize)> = pieces;
            order.extend((0..13).map(|n| (n * 20, 20)));
            let mut state = seed | 1;
            for n in (1..order.len()).rev() {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                order.swap(n, (state >> 33) as usize % (n + 1));
            }
            let mut stream = Stream::default();
            let mut out = Vec::new();
            for (offset, length) in order {
                stream.put(offset as u64, &whole[offset..(offset + length).min(whole.len())]);
                while let Some(next) = stream.next() {
                    out.extend(next);
                }
            }
            prop_assert_eq!(out, whole);
        }
    }

    #[test]
    fn what_waits_is_bounded() {
        let mut stream = Stream::default();
        for n in 0..10_000u64 {
            stream.put(10 + n * 2, &[1]);
        }
        stream.put(u64::MAX, &[1; 9]);
        assert_eq!(stream.waiting.len(), PIECES_MAX);
        assert_eq!(stream.next(), None);
    }
}
