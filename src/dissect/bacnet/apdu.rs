//! The application message (ASHRAE 135 clause 20): kind, service, and of its tagged data the first object, property and value.

use super::names;
use crate::dissect::escape;
use crate::dissect::messages::Fields;
use crate::model::event::Bacnet;

/// Tags looked at for object, property and value.
const TAGS_MAX: usize = 24;

/// Reads an application message.
pub(super) fn read(bytes: &[u8], row: &mut Bacnet) {
    let mut fields = Fields(bytes);
    let Some(head) = fields.u8() else { return };
    row.pdu_type = names::pdu(head >> 4);
    match head >> 4 {
        0 => {
            fields.u8();
            row.invoke_id = fields.u8();
            if head & 8 != 0 {
                fields.take(2);
            }
            confirmed(fields, row);
        }
        1 => {
            let service = fields.u8();
            row.pdu_service = service.map(names::unconfirmed).unwrap_or_default();
            row.write = matches!(service, Some(10));
            tagged(fields, row, service == Some(0));
        }
        3 => {
            row.invoke_id = fields.u8();
            if head & 8 != 0 {
                fields.take(2);
            }
            row.pdu_service = fields.u8().map(names::confirmed).unwrap_or_default();
            tagged(fields, row, false);
        }
        2 => {
            row.invoke_id = fields.u8();
            row.pdu_service = fields.u8().map(names::confirmed).unwrap_or_default();
        }
        4 => row.invoke_id = fields.u8(),
        5 => {
            row.invoke_id = fields.u8();
            row.pdu_service = fields.u8().map(names::confirmed).unwrap_or_default();
            row.result_code = error(fields);
        }
        6 | 7 => {
            row.invoke_id = fields.u8();
            row.result_code = fields.u8().map(|reason| reason.to_string());
        }
        _ => {}
    }
}

fn confirmed(mut fields: Fields<'_>, row: &mut Bacnet) {
    let service = fields.u8();
    row.pdu_service = service.map(names::confirmed).unwrap_or_default();
    row.write = matches!(service, Some(7 | 8 | 9 | 10 | 11 | 15 | 16 | 17 | 20));
    match service {
        // Seconds, state, perhaps a password: none names an object.
        Some(17 | 20) => {}
        _ => tagged(fields, row, false),
    }
}

/// Class and code, two enumerations.
fn error(mut fields: Fields<'_>) -> Option<String> {
    let class = Tag::next(&mut fields)?.number();
    let code = Tag::next(&mut fields)?.number();
    Some(format!("{class}:{code}"))
}

/// A tag with its content (20.2.1).
struct Tag<'a> {
    number: u8,
    context: bool,
    kind: Kind,
    content: &'a [u8],
}

#[derive(PartialEq, Eq)]
enum Kind {
    Value,
    Opening,
    Closing,
}

impl<'a> Tag<'a> {
    fn next(fields: &mut Fields<'a>) -> Option<Self> {
        let head = fields.u8()?;
        let context = head & 8 != 0;
        let number = if head >> 4 == 15 { fields.u8()? } else { head >> 4 };
        let length = match head & 7 {
            6 if context => return Some(Self { number, context, kind: Kind::Opening, content: &[] }),
            7 if context => return Some(Self { number, context, kind: Kind::Closing, content: &[] }),
            // A boolean's value stands in place of its length.
            value if !context && number == 1 => {
                return Some(Self { number, context, kind: Kind::Value, content: if value == 0 { &[0] } else { &[1] } });
            }
            5 => match fields.u8()? {
                254 => u32::from(fields.be16()?),
                255 => fields.be32()?,
                length => u32::from(length),
            },
            length => u32::from(length),
        };
        let content = fields.take(usize::try_from(length).ok()?)?;
        Some(Self { number, context, kind: Kind::Value, content })
    }

    /// The content as a number; what is longer keeps its last four bytes.
    fn number(&self) -> u32 {
        self.content.iter().fold(0, |number, &byte| number << 8 | u32::from(byte))
    }

    /// An object: ten bits of type, twenty-two of number.
    fn object(&self, row: &mut Bacnet) {
        if row.object_type.is_none() && self.content.len() == 4 {
            let id = self.number();
            row.object_type = Some(names::object(id >> 22));
            row.instance_number = Some(id & 0x3f_ffff);
        }
    }

    /// A value of the simple types.
    fn value(&self) -> Option<String> {
        Some(match (self.number, self.content) {
            (0, _) => "null".to_owned(),
            (1, [value]) => (*value != 0).to_string(),
            (2 | 9, _) => self.number().to_string(),
            (3, content) => {
                let fill = if content.first().is_some_and(|first| first & 0x80 != 0) { -1 } else { 0 };
                content.iter().fold(fill, |number: i64, &byte| number << 8 | i64::from(byte)).to_string()
            }
            (4, content) => f32::from_be_bytes(*content.first_chunk()?).to_string(),
            (5, content) => f64::from_be_bytes(*content.first_chunk()?).to_string(),
            (7, [_, text @ ..]) => escape(text, 128),
            (12, content) => {
                let id = u32::from_be_bytes(*content.first_chunk()?);
                format!("{}:{}", names::object(id >> 22), id & 0x3f_ffff)
            }
            _ => return None,
        })
    }
}

/// The first object, the first property, the first value of what is tagged. Reads and writes of single properties number these tags 0, 1
/// and 3; lists of them open tag 1 and number them 0 to 4 within; an announcement begins with an object of the application's own.
fn tagged(mut fields: Fields<'_>, row: &mut Bacnet, announcement: bool) {
    let mut depth = 0u32;
    for _ in 0..TAGS_MAX {
        let Some(tag) = Tag::next(&mut fields) else { return };
        match tag.kind {
            Kind::Opening => depth += 1,
            Kind::Closing => depth = depth.saturating_sub(1),
            Kind::Value if !tag.context => {
                if announcement || (depth == 0 && tag.number == 12) {
                    tag.object(row);
                }
                if depth > 0 && row.property.is_some() && row.value.is_none() {
                    row.value = tag.value();
                }
            }
            Kind::Value => match (tag.number, depth) {
                (0, 0) => tag.object(row),
                (1, 0) | (0 | 2, 1) if row.object_type.is_some() && row.property.is_none() && tag.content.len() <= 3 => {
                    row.property = Some(names::property(tag.number()));
                }
                (2, 0) if tag.content.len() == 4 => tag.object(row),
                _ => {}
            },
        }
    }
}
