//! HPACK (RFC 7541): header fields that refer to earlier ones. Whoever misses one block misreads all that follow.

use super::huffman;
use std::collections::VecDeque;
use std::sync::Arc;

/// Largest table that a sender may ask for: what browsers take.
const TABLE_MAX: usize = 64 << 10;
/// Size of the table before anybody says otherwise (RFC 9113 6.5.2).
const TABLE_FIRST: usize = 4_096;
/// What an entry counts beside its text (RFC 7541 4.1).
const OVERHEAD: usize = 32;

/// Appendix A.
const STATIC: [(&str, &str); 61] = [
    (":authority", ""),
    (":method", "GET"),
    (":method", "POST"),
    (":path", "/"),
    (":path", "/index.html"),
    (":scheme", "http"),
    (":scheme", "https"),
    (":status", "200"),
    (":status", "204"),
    (":status", "206"),
    (":status", "304"),
    (":status", "400"),
    (":status", "404"),
    (":status", "500"),
    ("accept-charset", ""),
    ("accept-encoding", "gzip, deflate"),
    ("accept-language", ""),
    ("accept-ranges", ""),
    ("accept", ""),
    ("access-control-allow-origin", ""),
    ("age", ""),
    ("allow", ""),
    ("authorization", ""),
    ("cache-control", ""),
    ("content-disposition", ""),
    ("content-encoding", ""),
    ("content-language", ""),
    ("content-length", ""),
    ("content-location", ""),
    ("content-range", ""),
    ("content-type", ""),
    ("cookie", ""),
    ("date", ""),
    ("etag", ""),
    ("expect", ""),
    ("expires", ""),
    ("from", ""),
    ("host", ""),
    ("if-match", ""),
    ("if-modified-since", ""),
    ("if-none-match", ""),
    ("if-range", ""),
    ("if-unmodified-since", ""),
    ("last-modified", ""),
    ("link", ""),
    ("location", ""),
    ("max-forwards", ""),
    ("proxy-authenticate", ""),
    ("proxy-authorization", ""),
    ("range", ""),
    ("referer", ""),
    ("refresh", ""),
    ("retry-after", ""),
    ("server", ""),
    ("set-cookie", ""),
    ("strict-transport-security", ""),
    ("transfer-encoding", ""),
    ("user-agent", ""),
    ("vary", ""),
    ("via", ""),
    ("www-authenticate", ""),
];

type Text = Arc<[u8]>;

/// The fields that one side has told.
pub struct Decoder {
    /// Newest first.
    table: VecDeque<(Text, Text)>,
    size: usize,
    most: usize,
}

impl Default for Decoder {
    fn default() -> Self {
        Self { table: VecDeque::new(), size: 0, most: TABLE_FIRST }
    }
}

impl Decoder {
    /// Reads a whole block and hands on each field. `None` where it makes no sense: nothing of this side can be read any more.
    pub fn decode(&mut self, block: &[u8], mut each: impl FnMut(&[u8], &[u8])) -> Option<()> {
        let mut rest = block;
        while let Some(first) = rest.first().copied() {
            match first {
                0x80.. => {
                    let (name, value) = self.entry(integer(&mut rest, 7)?)?;
                    each(&name, &value);
                }
                0x40.. => {
                    let (name, value) = self.literal(&mut rest, 6)?;
                    each(&name, &value);
                    self.insert(name, value);
                }
                0x20.. => {
                    self.most = integer(&mut rest, 5).filter(|most| *most <= TABLE_MAX)?;
                    self.shrink(0);
                }
                _ => {
                    let (name, value) = self.literal(&mut rest, 4)?;
                    each(&name, &value);
                }
            }
        }
        Some(())
    }

    fn entry(&self, index: usize) -> Option<(Text, Text)> {
        match STATIC.get(index.checked_sub(1)?) {
            Some((name, value)) => Some((name.as_bytes().into(), value.as_bytes().into())),
            None => self.table.get(index - 1 - STATIC.len()).cloned(),
        }
    }

    fn literal(&self, rest: &mut &[u8], prefix: u32) -> Option<(Text, Text)> {
        let name = match integer(rest, prefix)? {
            0 => string(rest)?,
            index => self.entry(index)?.0,
        };
        Some((name, string(rest)?))
    }

    fn insert(&mut self, name: Text, value: Text) {
        let size = name.len() + value.len() + OVERHEAD;
        self.shrink(size);
        if size <= self.most {
            self.size += size;
            self.table.push_front((name, value));
        }
    }

    /// Forgets the oldest until another `size` bytes fit, or nothing is left.
    fn shrink(&mut self, size: usize) {
        while self.size + size > self.most {
            let Some((name, value)) = self.table.pop_back() else { return };
            self.size -= name.len() + value.len() + OVERHEAD;
        }
    }
}

/// An integer behind a prefix of some bits (RFC 7541 5.1). Nothing here needs more than 28 bits.
fn integer(rest: &mut &[u8], prefix: u32) -> Option<usize> {
    let (first, mut later) = rest.split_first()?;
    let full = (1usize << prefix) - 1;
    let mut value = usize::from(*first) & full;
    if value == full {
        for shift in [0, 7, 14, 21] {
            let (byte, after) = later.split_first()?;
            later = after;
            value += usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                *rest = later;
                return Some(value);
            }
        }
        return None;
    }
    *rest = later;
    Some(value)
}

/// A string, with or without Huffman's code (RFC 7541 5.2).
fn string(rest: &mut &[u8]) -> Option<Text> {
    let coded = rest.first()? & 0x80 != 0;
    let length = integer(rest, 7)?;
    let (text, later) = rest.split_at_checked(length)?;
    *rest = later;
    Some(if coded { huffman::decode(text)?.into() } else { text.into() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(decoder: &mut Decoder, block: &[u8]) -> Option<Vec<String>> {
        let mut fields = Vec::new();
        decoder
            .decode(block, |name, value| fields.push(format!("{}: {}", String::from_utf8_lossy(name), String::from_utf8_lossy(value))))?;
        Some(fields)
    }

    #[test]
    fn requests_are_those_of_rfc_7541() {
        // C.4: three requests of one connection, each shorter than the one before.
        let mut decoder = Decoder::default();
        let first = read(&mut decoder, b"\x82\x86\x84\x41\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff").unwrap();
        assert_eq!(first, [":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com"]);
        let second = read(&mut decoder, b"\x82\x86\x84\xbe\x58\x86\xa8\xeb\x10\x64\x9c\xbf").unwrap();
        assert_eq!(second[3..], [":authority: www.example.com", "cache-control: no-cache"]);
        let third = b"\x82\x87\x85\xbf\x40\x88\x25\xa8\x49\xe9\x5b\xa9\x7d\x7f\x89\x25\xa8\x49\xe9\x5b\xb8\xe8\xb4\xbf";
        assert_eq!(
            read(&mut decoder, third).unwrap()[2..],
            [":path: /index.html", ":authority: www.example.com", "custom-key: custom-value"]
        );
        assert_eq!((decoder.size, decoder.table.len()), (164, 3));
    }

    #[test]
    fn a_table_never_grows_beyond_what_was_agreed_on() {
        let mut decoder = Decoder::default();
        let field = [&[0x40, 1, b'n', 0x7f, 0xc9, 0x06][..], &[b'v'; 968]].concat();
        for _ in 0..20 {
            assert!(decoder.decode(&field, |_, _| ()).is_some());
            assert!(decoder.size <= TABLE_FIRST);
        }
        assert_eq!(decoder.table.len(), 4);
        assert!(decoder.decode(&[0x20], |_, _| ()).is_some() && decoder.table.is_empty(), "a size of nothing");
        assert!(decoder.decode(&[0x3f, 0xe2, 0xff, 0x03], |_, _| ()).is_none(), "more than anybody needs");
        assert!(decoder.decode(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff], |_, _| ()).is_none(), "a number without end");
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived_in_bounds(blocks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..100), 0..10)) {
            let mut decoder = Decoder::default();
            for block in blocks {
                let _ = decoder.decode(&block, |_, _| ());
                prop_assert!(decoder.size <= TABLE_MAX);
                prop_assert_eq!(decoder.size, decoder.table.iter().map(|(name, value)| name.len() + value.len() + OVERHEAD).sum::<usize>());
            }
        }
    }
}
