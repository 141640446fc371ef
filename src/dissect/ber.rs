//! Reading BER and DER (X.690), as far as they go: what is cut off is given as far as it is there.

use crate::model::Ts;
use chrono::NaiveDateTime;

/// One element.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tlv<'a> {
    /// Identifier: class, constructed bit and number (below 31).
    pub tag: u8,
    /// Length as announced.
    pub length: usize,
    /// Content, possibly shorter than announced.
    pub value: &'a [u8],
}

impl<'a> Tlv<'a> {
    /// All of it is there.
    pub fn is_whole(&self) -> bool {
        self.value.len() == self.length
    }

    /// Its elements.
    pub fn inside(&self) -> Ber<'a> {
        Ber(self.value)
    }
}

/// A run of elements.
#[derive(Clone, Copy, Debug)]
pub struct Ber<'a>(pub &'a [u8]);

impl<'a> Iterator for Ber<'a> {
    type Item = Tlv<'a>;

    fn next(&mut self) -> Option<Tlv<'a>> {
        let (tag, length, head) = header(self.0)?;
        let (value, rest) = self.0.get(head..)?.split_at(length.min(self.0.len() - head));
        self.0 = rest;
        Some(Tlv { tag, length, value })
    }
}

impl<'a> Ber<'a> {
    /// The next element, if it has this tag; anything else stays where it is.
    pub fn expect(&mut self, tag: u8) -> Option<Tlv<'a>> {
        let mut ahead = *self;
        let element = ahead.next().filter(|element| element.tag == tag)?;
        *self = ahead;
        Some(element)
    }

    /// What stands in the first element with this explicit tag.
    pub fn field(self, tag: u8) -> Option<Tlv<'a>> {
        self.into_iter().find(|element| element.tag == tag)?.inside().next()
    }
}

/// Tag, length and bytes of both. Indefinite lengths and tag numbers above 30 are not for the protocols here.
pub fn header(bytes: &[u8]) -> Option<(u8, usize, usize)> {
    let [tag, first, rest @ ..] = bytes else { return None };
    if tag & 0x1f == 0x1f {
        return None;
    }
    match first {
        0..=0x7f => Some((*tag, usize::from(*first), 2)),
        0x81..=0x84 => {
            let count = usize::from(first & 0x7f);
            let length = rest.get(..count)?.iter().fold(0, |sum, &digit| sum << 8 | usize::from(digit));
            Some((*tag, length, 2 + count))
        }
        _ => None,
    }
}

/// INTEGER and ENUMERATED of up to eight bytes.
pub fn integer(bytes: &[u8]) -> Option<i64> {
    let (&first, _) = bytes.split_first().filter(|_| bytes.len() <= 8)?;
    let sign = if first & 0x80 == 0 { 0 } else { -1 };
    Some(bytes.iter().fold(sign, |sum, &byte| sum << 8 | i64::from(byte)))
}

/// BIT STRING, its first 32 bits with bit 0 highest.
pub fn bits(bytes: &[u8]) -> Option<u32> {
    let (_unused, bits) = bytes.split_first()?;
    Some((0..4).fold(0, |sum, n| sum << 8 | u32::from(bits.get(n).copied().unwrap_or(0))))
}

/// GeneralizedTime in UTC without fraction, `20370913024805Z`, in nanoseconds; the far future stops where they end.
pub fn time(bytes: &[u8]) -> Option<Ts> {
    let text = std::str::from_utf8(bytes).ok()?;
    let moment = NaiveDateTime::parse_from_str(text.strip_suffix('Z')?, "%Y%m%d%H%M%S").ok()?.and_utc();
    Some(moment.timestamp_nanos_opt().unwrap_or(if moment.timestamp() < 0 { i64::MIN } else { i64::MAX }))
}

/// An OBJECT IDENTIFIER with dots.
pub fn oid(bytes: &[u8]) -> Option<String> {
    let mut parts: Vec<u64> = Vec::new();
    let mut value = 0u64;
    for &byte in bytes.iter().take(64) {
        value = value.checked_mul(128)? | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            match parts.is_empty() {
                true => parts.extend([(value / 40).min(2), value - 40 * (value / 40).min(2)]),
                false => parts.push(value),
            }
            value = 0;
        }
    }
    let dotted: Vec<String> = parts.iter().map(u64::to_string).collect();
    (!dotted.is_empty()).then(|| dotted.join("."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_are_read_as_x_690_writes_them() {
        assert_eq!((integer(&[0x7f]), integer(&[0x00, 0x80]), integer(&[0xff]), integer(&[])), (Some(127), Some(128), Some(-1), None));
        assert_eq!(bits(&[0, 0x40, 0x81, 0, 0x10]), Some(0x4081_0010));
        assert_eq!(time(b"20370913024805Z"), Some(2_136_422_885_000_000_000));
        assert_eq!(time(b"99990101000000Z"), Some(i64::MAX));
        assert_eq!(time(b"20371313024805Z"), None);
        assert_eq!(oid(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 2]).as_deref(), Some("1.2.840.113554.1.2.2"));
    }

    #[test]
    fn what_is_cut_off_is_given_as_far_as_it_goes() {
        let bytes = [0x30, 0x82, 1, 0, 2, 1, 5, 4, 3, b'a'];
        let outer = Ber(&bytes).next().unwrap();
        assert!(!outer.is_whole() && outer.length == 256);
        let inner: Vec<_> = outer.inside().collect();
        assert_eq!((inner.len(), inner[1].value, inner[1].is_whole()), (2, &b"a"[..], false));
    }

    proptest! {
        #[test]
        fn any_bytes_end(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            for element in Ber(&bytes) {
                let _ = (integer(element.value), bits(element.value), time(element.value), oid(element.value));
                prop_assert!(element.inside().count() <= element.value.len());
            }
        }
    }
}
