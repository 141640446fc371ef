//! AMQP 0.9.1 (4.2): the greeting, then frames of kind 1 with class, method and arguments.

use super::{Seen, TEXT_MAX};
use crate::dissect::escape;
use crate::dissect::messages::Fields;
use crate::model::Dir;

/// Frames looked at.
const FRAMES_MAX: usize = 16;

/// Reads the beginning of a direction.
pub(super) fn read(seen: &mut Seen, dir: Dir, head: &[u8]) {
    let mut fields = Fields(head);
    if head.starts_with(b"AMQP") {
        let [_, _, _, _, id, major, minor, revision] = head.first_chunk::<8>().copied().unwrap_or_default();
        // 0.9.1 is written 0 0 9 1, 1.0 with the kind of its first layer.
        let version = if major == 0 { format!("{major}.{minor}.{revision}") } else { format!("{major}.{minor}") };
        if dir == Dir::Orig || seen.row.version.is_none() {
            seen.row.version = Some(version);
        }
        let _ = id;
        fields.take(8);
    }
    for _ in 0..FRAMES_MAX {
        let (Some(kind), Some(_channel), Some(size)) = (fields.u8(), fields.be16(), fields.be32()) else { return };
        let Some(body) = fields.take((size as usize).min(fields.0.len())) else { return };
        fields.u8();
        if kind == 1 {
            method(seen, Fields(body));
        }
    }
}

/// Start, start-ok and open of a connection (class 10).
fn method(seen: &mut Seen, mut fields: Fields<'_>) {
    match (fields.be16(), fields.be16()) {
        (Some(10), Some(10)) => {
            fields.take(2);
            seen.row.server = counted32(&mut fields).and_then(product);
        }
        (Some(10), Some(11)) => {
            seen.row.client = counted32(&mut fields).and_then(product);
            let mechanism = counted8(&mut fields);
            // PLAIN: who to be, who it is, and the password (RFC 4616).
            if let (Some(b"PLAIN"), Some(response)) = (mechanism, counted32(&mut fields)) {
                let mut parts = response.split(|&byte| byte == 0).skip(1);
                seen.row.user = parts.next().map(|user| escape(user, TEXT_MAX));
                seen.secret = parts.next().map(|secret| escape(secret, TEXT_MAX));
            }
        }
        (Some(10), Some(40)) => seen.row.subject = counted8(&mut fields).map(|host| escape(host, TEXT_MAX)),
        _ => {}
    }
}

/// `RabbitMQ 3.8.2`, out of a table of properties.
fn product(table: &[u8]) -> Option<String> {
    let mut fields = Fields(table);
    let (mut product, mut version) = (None, None);
    while let (Some(name), Some(kind)) = (counted8(&mut fields), fields.u8()) {
        let value = match kind {
            b'S' | b'F' | b'x' => counted32(&mut fields)?,
            b't' | b'b' => fields.take(1)?,
            b'I' => fields.take(4)?,
            b'l' | b'T' => fields.take(8)?,
            _ => break,
        };
        match name {
            b"product" => product = Some(escape(value, 64)),
            b"version" => version = Some(escape(value, 64)),
            _ => {}
        }
    }
    product.map(|product| version.map_or_else(|| product.clone(), |version| format!("{product} {version}")))
}

fn counted8<'a>(fields: &mut Fields<'a>) -> Option<&'a [u8]> {
    let length = usize::from(fields.u8()?);
    fields.take(length)
}

fn counted32<'a>(fields: &mut Fields<'a>) -> Option<&'a [u8]> {
    let length = usize::try_from(fields.be32()?).ok()?;
    fields.take(length)
}
