//! Options behind the fixed part of a block: code, length, value, padded to four bytes.

/// The options of one block. Iterating ends at the first that does not fit.
#[derive(Clone, Copy)]
pub(super) struct Options<'a> {
    bytes: &'a [u8],
    big_endian: bool,
}

/// `opt_endofopt`.
const END: u16 = 0;
/// `opt_comment`, the same in every block.
pub(super) const COMMENT: u16 = 1;
/// `opt_custom` with text, and the same not to be copied.
const CUSTOM_TEXT: [u16; 2] = [2_988, 19_372];

impl<'a> Options<'a> {
    /// Of what is left of a block.
    pub(super) fn new(bytes: &'a [u8], big_endian: bool) -> Self {
        Self { bytes, big_endian }
    }

    /// The first value with this code.
    pub(super) fn get(self, code: u16) -> Option<&'a [u8]> {
        self.into_iter().find(|option| option.code == code).map(|option| option.value)
    }

    /// Text of the first option with this code, empty without; what is not UTF-8 is replaced.
    pub(super) fn text(self, code: u16) -> String {
        self.get(code).map(text).unwrap_or_default()
    }

    /// A 64-bit number.
    pub(super) fn u64(self, code: u16) -> Option<u64> {
        let bytes = *self.get(code)?.first_chunk()?;
        Some(if self.big_endian { u64::from_be_bytes(bytes) } else { u64::from_le_bytes(bytes) })
    }

    /// A 32-bit number.
    pub(super) fn u32(self, code: u16) -> Option<u32> {
        super::word(self.big_endian, self.get(code)?, 0)
    }

    /// A 32-bit number within a value, in the byte order of the section.
    pub(super) fn word_of(self, value: &[u8], at: usize) -> Option<u32> {
        super::word(self.big_endian, value, at)
    }

    /// Custom options that hold text, each with a word that names the enterprise that defined it.
    pub(super) fn custom_texts(self) -> impl Iterator<Item = (String, String)> + use<'a> {
        let big_endian = self.big_endian;
        let texts = self.into_iter().filter(|option| CUSTOM_TEXT.contains(&option.code));
        texts
            .filter_map(move |option| Some((format!("custom {}", super::word(big_endian, option.value, 0)?), text(option.value.get(4..)?))))
    }

    /// Whether the list ends as it should: at its end mark, or with the block.
    pub(super) fn are_sound(self) -> bool {
        let mut walk = self.into_iter();
        while walk.next().is_some() {}
        walk.sound
    }
}

/// Text of an option; what is not UTF-8 is replaced.
pub(super) fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value).into_owned()
}

/// One option.
pub(super) struct Opt<'a> {
    /// What.
    pub(super) code: u16,
    /// Its value, without padding.
    pub(super) value: &'a [u8],
}

impl<'a> IntoIterator for Options<'a> {
    type Item = Opt<'a>;
    type IntoIter = Walk<'a>;

    fn into_iter(self) -> Walk<'a> {
        Walk { rest: self.bytes, big_endian: self.big_endian, sound: true }
    }
}

/// A walk over options.
pub(super) struct Walk<'a> {
    rest: &'a [u8],
    big_endian: bool,
    sound: bool,
}

impl<'a> Iterator for Walk<'a> {
    type Item = Opt<'a>;

    fn next(&mut self) -> Option<Opt<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        let option = (|| {
            let code = super::half(self.big_endian, self.rest, 0)?;
            let length = usize::from(super::half(self.big_endian, self.rest, 2)?);
            let value = self.rest.get(4..4 + length)?;
            // Some writers leave the padding of the last option out.
            let rest = self.rest.get(4 + length.next_multiple_of(4)..).unwrap_or(&[]);
            Some((Opt { code, value }, rest))
        })();
        let Some((option, rest)) = option else {
            (self.rest, self.sound) = (&[], false);
            return None;
        };
        self.rest = if option.code == END { &[] } else { rest };
        (option.code != END).then_some(option)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_up_to_the_one_that_does_not_fit() {
        let bytes = [0, 1, 0, 2, b'h', b'i', 0, 0, 0, 2, 0, 9, b'x'];
        let options = Options::new(&bytes, true);
        assert_eq!((options.text(COMMENT).as_str(), options.get(2), options.are_sound()), ("hi", None, false));
        let without_padding = Options::new(&bytes[..6], true);
        assert_eq!((without_padding.text(COMMENT).as_str(), without_padding.are_sound()), ("hi", true));
        let after_the_end = [0, 0, 0, 0, 0xff, 0xff, 0xff];
        assert!(Options::new(&after_the_end, true).are_sound());
    }
}
