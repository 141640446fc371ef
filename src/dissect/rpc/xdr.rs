//! XDR (RFC 4506): four bytes at a time, the highest first; texts and opaques behind their length, filled up with zeros to a multiple of four.

use crate::dissect::messages::Fields;

/// Values taken one after the other; nothing beyond the end.
#[derive(Clone, Copy)]
pub struct Xdr<'a>(Fields<'a>);

impl<'a> Xdr<'a> {
    /// Of these bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(Fields(bytes))
    }

    /// An unsigned integer.
    pub fn u32(&mut self) -> Option<u32> {
        self.0.be32()
    }

    /// An unsigned hyper.
    pub fn u64(&mut self) -> Option<u64> {
        Some(u64::from_be_bytes(*self.0.take(8)?.first_chunk()?))
    }

    /// A bool; what is neither 0 nor 1 is none.
    pub fn bool(&mut self) -> Option<bool> {
        match self.u32()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    /// Passes `n` bytes.
    pub fn skip(&mut self, n: usize) -> Option<()> {
        self.0.take(n).map(|_| ())
    }

    /// `n` bytes as they are.
    pub fn fixed(&mut self, n: usize) -> Option<&'a [u8]> {
        self.0.take(n)
    }

    /// At most `most` bytes behind their length.
    pub fn opaque(&mut self, most: usize) -> Option<&'a [u8]> {
        let length = usize::try_from(self.u32()?).ok().filter(|&length| length <= most)?;
        let bytes = self.0.take(length)?;
        self.pad(length);
        Some(bytes)
    }

    /// Bytes behind their length of which the end may stand elsewhere: the length, and what is here.
    pub fn opaque_part(&mut self) -> Option<(u64, &'a [u8])> {
        let length = usize::try_from(self.u32()?).ok()?;
        let here = self.0.take(length.min(self.rest().len()))?;
        if here.len() == length {
            self.pad(length);
        }
        Some((length as u64, here))
    }

    /// Four-byte words behind their number: passed.
    pub fn skip_words(&mut self, most: usize) -> Option<()> {
        let count = usize::try_from(self.u32()?).ok().filter(|&count| count <= most)?;
        self.skip(4 * count)
    }

    /// What is left.
    pub fn rest(&self) -> &'a [u8] {
        self.0.0
    }

    /// Padding may be missing at the end of a message that was cut.
    fn pad(&mut self, length: usize) {
        let padding = (length.wrapping_neg() % 4).min(self.rest().len());
        self.0.take(padding);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_end_where_their_padding_does() {
        let mut xdr = Xdr::new(b"\0\0\0\x05hello\0\0\0\0\0\0\x01\0\0\0\x09ab");
        assert_eq!((xdr.opaque(255), xdr.bool(), xdr.opaque_part()), (Some(&b"hello"[..]), Some(true), Some((9, &b"ab"[..]))));
        assert_eq!((xdr.u32(), Xdr::new(b"\0\0\0\x05hello").opaque(4)), (None, None));
    }
}
