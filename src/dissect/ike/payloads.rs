//! The chain of payloads: each names the kind of the next and its own length (RFC 2408 3.2, RFC 7296 3.2).

use super::names;
use crate::dissect::messages::Fields;
use crate::dissect::{escape, hex};
use crate::model::event::Ike;

const PAYLOADS_MAX: usize = 32;
const TRANSFORMS_MAX: usize = 64;
const LIST_MAX: usize = 16;

/// Reads payloads until the first that is encrypted.
pub(super) fn read(first: u8, bytes: &[u8], old: bool, row: &mut Ike) {
    let mut fields = Fields(bytes);
    let mut kind = first;
    while kind != 0 && row.payloads.len() < PAYLOADS_MAX {
        let (Some(next), Some(_), Some(length)) = (fields.u8(), fields.u8(), fields.be16()) else { return };
        let Some(length) = usize::from(length).checked_sub(4) else { return };
        let Some(body) = fields.take(length.min(fields.0.len())) else { return };
        row.payloads.push(names::payload(kind, old));
        match (kind, old) {
            (46 | 53, false) => {
                row.encrypted = true;
                return;
            }
            // Domain of interpretation and situation stand first.
            (1, true) => proposals(body.get(8..).unwrap_or_default(), true, row),
            (33, false) => proposals(body, false, row),
            (34, false) => row.dh_group = body.first_chunk().map(|group| u16::from_be_bytes(*group)),
            (13, true) | (43, false) if row.vendor_ids.len() < LIST_MAX => row.vendor_ids.push(names::vendor(body)),
            (5, true) => row.identity = identity(body),
            (11, true) => notify(body.get(4..).unwrap_or_default(), true, row),
            (41, false) => notify(body, false, row),
            _ => {}
        }
        kind = next;
    }
}

/// Proposals, and in each its transforms.
fn proposals(bytes: &[u8], old: bool, row: &mut Ike) {
    let mut fields = Fields(bytes);
    while let (Some(more), Some(_), Some(length)) = (fields.u8(), fields.u8(), fields.be16()) {
        let Some(body) = usize::from(length).checked_sub(4).and_then(|length| fields.take(length.min(fields.0.len()))) else { return };
        let mut inner = Fields(body);
        let (Some(_number), Some(_protocol), Some(spi), Some(_count)) = (inner.u8(), inner.u8(), inner.u8(), inner.u8()) else { return };
        inner.take(usize::from(spi));
        transforms(inner, old, row);
        if more == 0 {
            return;
        }
    }
}

fn transforms(mut fields: Fields<'_>, old: bool, row: &mut Ike) {
    while let (Some(more), Some(_), Some(length)) = (fields.u8(), fields.u8(), fields.be16()) {
        let Some(body) = usize::from(length).checked_sub(4).and_then(|length| fields.take(length.min(fields.0.len()))) else { return };
        if row.transforms.len() >= TRANSFORMS_MAX {
            return;
        }
        let named = if old { old_transform(body, row) } else { transform(body) };
        row.transforms.push(named);
        if more == 0 {
            return;
        }
    }
}

/// A pair of numbers, or a number with bytes.
fn attributes(bytes: &[u8]) -> Vec<(u16, u32)> {
    let mut fields = Fields(bytes);
    let mut found = Vec::new();
    while let (Some(kind), Some(value)) = (fields.be16(), fields.be16()) {
        if kind & 0x8000 != 0 {
            found.push((kind & 0x7fff, u32::from(value)));
        } else if let Some(bytes) = fields.take(usize::from(value).min(fields.0.len())) {
            found.push((kind, bytes.iter().take(4).fold(0, |number, &byte| number << 8 | u32::from(byte))));
        }
    }
    found
}

/// Version 1: one transform holds cipher, hash, authentication and group.
fn old_transform(body: &[u8], row: &mut Ike) -> String {
    let attributes = attributes(body.get(4..).unwrap_or_default());
    let of = |kind: u16| attributes.iter().find(|(number, _)| *number == kind).map(|(_, value)| *value);
    let mut parts = Vec::new();
    if let Some(cipher) = of(1) {
        parts.push(match of(14) {
            Some(bits) => format!("{}-{bits}", names::old_cipher(cipher)),
            None => names::old_cipher(cipher),
        });
    }
    parts.extend(of(2).map(names::old_hash));
    parts.extend(of(3).map(names::old_authentication));
    if let Some(group) = of(4) {
        row.dh_group = row.dh_group.or(u16::try_from(group).ok());
        parts.push(format!("group {group}"));
    }
    parts.join("/")
}

/// Version 2: a kind, its number, perhaps the length of a key.
fn transform(body: &[u8]) -> String {
    let mut fields = Fields(body);
    let (Some(kind), Some(_), Some(number)) = (fields.u8(), fields.u8(), fields.be16()) else { return String::new() };
    let name = names::transform(kind, number);
    match attributes(fields.0).iter().find(|(attribute, _)| *attribute == 14) {
        Some((_, bits)) => format!("{name}-{bits}"),
        None => name,
    }
}

/// Kind, protocol, port, then who: an address, a name, a mail address.
fn identity(body: &[u8]) -> Option<String> {
    let (&kind, rest) = body.split_first()?;
    let value = rest.get(3..)?;
    Some(match (kind, value) {
        (1, [a, b, c, d]) => format!("{a}.{b}.{c}.{d}"),
        (2 | 3, _) => escape(value, 256),
        _ => hex(value.get(..64).unwrap_or(value)),
    })
}

/// Protocol, length of an SPI, kind.
fn notify(bytes: &[u8], old: bool, row: &mut Ike) {
    let mut fields = Fields(bytes);
    let (Some(_), Some(_), Some(kind)) = (fields.u8(), fields.u8(), fields.be16()) else { return };
    if row.notifies.len() < LIST_MAX {
        row.notifies.push(names::notify(kind, old));
    }
}
