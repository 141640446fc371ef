//! BSON as far as names, texts, numbers and inner documents go (bsonspec.org 1.1). A document that is cut gives what it has.

use crate::dissect::messages::Fields;

/// Elements looked at in one document.
const ELEMENTS_MAX: usize = 256;

/// Bytes that begin with a document.
#[derive(Clone, Copy)]
pub(super) struct Document<'a>(pub &'a [u8]);

/// A value.
#[derive(Clone, Copy)]
pub(super) enum Element<'a> {
    Text(&'a [u8]),
    Number(f64),
    Binary(&'a [u8]),
    Document(Document<'a>),
    Other,
}

impl<'a> Document<'a> {
    /// Names and values in order.
    pub fn elements(self) -> impl Iterator<Item = (&'a [u8], Element<'a>)> {
        let mut fields = Fields(self.0);
        let length = fields.le32().and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
        let mut fields = Fields(fields.0.get(..length.saturating_sub(4)).unwrap_or(fields.0));
        std::iter::from_fn(move || {
            let kind = fields.u8().filter(|&kind| kind != 0)?;
            let name = fields.until_zero()?;
            Some((name, value(kind, &mut fields)?))
        })
        .take(ELEMENTS_MAX)
    }
}

fn value<'a>(kind: u8, fields: &mut Fields<'a>) -> Option<Element<'a>> {
    Some(match kind {
        0x01 => Element::Number(f64::from_le_bytes(*fields.take(8)?.first_chunk()?)),
        0x02 | 0x0d | 0x0e => {
            let text = counted(fields, 0)?;
            Element::Text(text.strip_suffix(&[0]).unwrap_or(text))
        }
        0x03 | 0x04 => {
            let all = fields.0;
            counted(fields, 4)?;
            Element::Document(Document(all))
        }
        0x05 => {
            let length = usize::try_from(fields.le32()?).ok()?;
            fields.u8()?;
            Element::Binary(fields.take(length)?)
        }
        0x07 => fields.take(12).map(|_| Element::Other)?,
        0x08 => Element::Number(f64::from(fields.u8()?)),
        0x09 | 0x11 => fields.take(8).map(|_| Element::Other)?,
        0x10 => Element::Number(f64::from(fields.le32()?.cast_signed())),
        0x12 => Element::Number(i64::from_le_bytes(*fields.take(8)?.first_chunk()?) as f64),
        0x13 => fields.take(16).map(|_| Element::Other)?,
        0x0b => {
            fields.until_zero()?;
            fields.until_zero()?;
            Element::Other
        }
        0x06 | 0x0a | 0x7f | 0xff => Element::Other,
        _ => return None,
    })
}

/// As many bytes as the four before say, less those that the length counts itself.
fn counted<'a>(fields: &mut Fields<'a>, itself: usize) -> Option<&'a [u8]> {
    let length = usize::try_from(fields.le32()?).ok()?;
    fields.take(length.checked_sub(itself)?)
}
