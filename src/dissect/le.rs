//! Little-endian numbers, UTF-16 text and Windows times, as SMB, DCE/RPC and NTLM write them. Never beyond the end.

use crate::model::Ts;

/// 100 ns between 1601 and 1970.
const EPOCH_TICKS: i64 = 116_444_736_000_000_000;

/// A byte at `at`.
pub fn u8_at(bytes: &[u8], at: usize) -> Option<u8> {
    bytes.get(at).copied()
}

/// Two bytes at `at`.
pub fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// Four bytes at `at`.
pub fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// Eight bytes at `at`.
pub fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// `len` bytes at `at`, fewer where the bytes end before; `None` if they end before `at`.
pub fn part(bytes: &[u8], at: usize, len: usize) -> Option<&[u8]> {
    let rest = bytes.get(at..)?;
    rest.get(..len.min(rest.len()))
}

/// FILETIME: 100 ns since 1601, zero and all ones for none.
pub fn filetime(ticks: u64) -> Option<Ts> {
    let ticks = i64::try_from(ticks).ok().filter(|&ticks| ticks > 0)?;
    ticks.checked_sub(EPOCH_TICKS)?.checked_mul(100)
}

/// UTF-16 as text, up to `cap` characters: a backslash doubled and control characters as `\xNN`, as everywhere; other letters are kept.
pub fn utf16(bytes: &[u8], cap: usize) -> String {
    let units = bytes.as_chunks::<2>().0.iter().map(|pair| u16::from_le_bytes(*pair));
    let mut text = String::new();
    for letter in char::decode_utf16(units).take(cap) {
        push(&mut text, letter.unwrap_or(char::REPLACEMENT_CHARACTER));
    }
    text
}

/// UTF-16 up to a zero.
pub fn utf16_z(bytes: &[u8], cap: usize) -> String {
    let pairs = bytes.as_chunks::<2>().0;
    let end = pairs.iter().position(|pair| *pair == [0, 0]).unwrap_or(pairs.len());
    utf16(bytes.get(..2 * end).unwrap_or_default(), cap)
}

fn push(text: &mut String, letter: char) {
    match letter {
        '\\' => text.push_str("\\\\"),
        _ if letter.is_control() => {
            let number = u32::from(letter);
            text.push_str("\\x");
            text.extend([number >> 4 & 15, number & 15].iter().filter_map(|&digit| char::from_digit(digit, 16)));
        }
        _ => text.push(letter),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn text_is_kept_and_what_could_confuse_is_escaped() {
        assert_eq!(utf16(&wide("\\\\srv\\Büro\r\n"), 99), "\\\\\\\\srv\\\\Büro\\x0d\\x0a");
        assert_eq!(utf16_z(&wide("ab\0cd"), 99), "ab");
        assert_eq!(utf16(&[0x41, 0, 0, 0xd8, 0x42], 99), "A\u{fffd}", "half a pair and half a unit");
        assert_eq!(utf16(&wide("abcdef"), 3), "abc");
    }

    #[test]
    fn times_are_nanoseconds_since_1970() {
        assert_eq!(filetime(116_444_736_000_000_000 + 15), Some(1_500));
        assert_eq!((filetime(0), filetime(u64::MAX)), (None, None));
    }

    #[test]
    fn nothing_is_read_beyond_the_end() {
        assert_eq!((u8_at(&[1], 1), u16_at(&[1], 0), u32_at(&[1; 4], 1), u64_at(&[1; 8], usize::MAX)), (None, None, None, None));
        assert_eq!((part(&[1, 2, 3], 1, 9), part(&[1], 2, 0)), (Some(&[2, 3][..]), None));
    }
}
