//! The Huffman code of HPACK (RFC 7541 appendix B). It is canonical: the lengths of the codes say everything.

use std::sync::LazyLock;

/// Bits of the code of each byte, and of the end of the string.
#[rustfmt::skip]
const LENGTHS: [u8; 257] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
     6, 10, 10, 12, 13,  6,  8, 11, 10, 10,  8, 11,  8,  6,  6,  6,  5,  5,  5,  6,  6,  6,  6,  6,  6,  6,  7,  8, 15,  6, 12, 10,
    13,  6,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  8,  7,  8, 13, 19, 13, 14,  6,
    15,  5,  6,  5,  6,  5,  6,  6,  6,  5,  7,  7,  6,  6,  6,  5,  6,  7,  6,  5,  5,  6,  7,  7,  7,  7,  7, 15, 11, 14, 13, 28,
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
    30,
];
/// Longest code.
const BITS_MAX: usize = 30;

/// Codes of one length: they follow each other.
#[derive(Clone, Copy, Default)]
struct Group {
    first: u32,
    count: u32,
    /// Where their symbols begin.
    symbols: usize,
}

/// Groups by length, and all symbols in the order of their codes.
static CODE: LazyLock<([Group; BITS_MAX + 1], Vec<u16>)> = LazyLock::new(|| {
    let mut groups = [Group::default(); BITS_MAX + 1];
    let mut symbols = Vec::with_capacity(LENGTHS.len());
    let mut code = 0;
    for (length, group) in groups.iter_mut().enumerate() {
        code <<= 1;
        let before = symbols.len();
        symbols.extend((0u16..).zip(LENGTHS).filter(|(_, bits)| usize::from(*bits) == length).map(|(symbol, _)| symbol));
        let count = (symbols.len() - before) as u32;
        *group = Group { first: code, count, symbols: before };
        code += count;
    }
    (groups, symbols)
});

/// The bytes that `coded` stands for. `None` where it stands for nothing: an end inside, or padding that is none.
pub fn decode(coded: &[u8]) -> Option<Vec<u8>> {
    let (groups, symbols) = &*CODE;
    let mut out = Vec::with_capacity(coded.len() * 8 / 5);
    let (mut code, mut length) = (0u32, 0);
    for byte in coded {
        for bit in (0..8).rev() {
            code = code << 1 | u32::from(byte >> bit & 1);
            length += 1;
            let group = groups.get(length)?;
            let Some(at) = code.checked_sub(group.first).filter(|at| *at < group.count) else { continue };
            out.push(u8::try_from(*symbols.get(group.symbols + at as usize)?).ok()?);
            (code, length) = (0, 0);
        }
    }
    // Padding is the beginning of the end's code: ones, and less than a byte of them.
    (length < 8 && code == (1 << length) - 1).then_some(out)
}

#[cfg(test)]
pub fn encode(text: &[u8]) -> Vec<u8> {
    let (groups, symbols) = &*CODE;
    let mut bits: Vec<bool> = Vec::new();
    for byte in text {
        let length = usize::from(LENGTHS[usize::from(*byte)]);
        let at = symbols.iter().position(|symbol| *symbol == u16::from(*byte)).unwrap();
        let code = groups[length].first + (at - groups[length].symbols) as u32;
        bits.extend((0..length).rev().map(|bit| code >> bit & 1 == 1));
    }
    bits.resize(bits.len().next_multiple_of(8), true);
    bits.chunks(8).map(|byte| byte.iter().fold(0, |sum, bit| sum << 1 | u8::from(*bit))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_code_is_complete_and_that_of_the_rfc() {
        assert_eq!(LENGTHS.iter().map(|bits| 1u64 << (BITS_MAX as u32 - u32::from(*bits))).sum::<u64>(), 1 << BITS_MAX);
        // RFC 7541 C.4.1 and C.6.1.
        assert_eq!(decode(b"\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff").unwrap(), b"www.example.com");
        let location = b"\x9d\x29\xad\x17\x18\x63\xc7\x8f\x0b\x97\xc8\xe9\xae\x82\xae\x43\xd3";
        assert_eq!(decode(location).unwrap(), b"https://www.example.com");
        assert_eq!(decode(b"\xff\xff\xff\xff"), None, "the end inside");
        assert_eq!(decode(b"\x00"), None, "padding of zeroes");
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(text in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(decode(&encode(&text)), Some(text));
        }

        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(decode(&bytes).is_none_or(|text| text.len() * 5 <= bytes.len() * 8));
        }
    }
}
