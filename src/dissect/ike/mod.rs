//! IKE (versions 1 and 2; RFC 2408, RFC 2409, RFC 7296) as far as it is in clear: what is offered, chosen and told by vendors.

mod names;
mod payloads;
#[cfg(test)]
mod tests;

use super::messages::Fields;
use super::{Answer, Chunk, Dissector, Out, Probe, Protocol, hex};
use crate::model::{Dir, Event, Proto, event::Ike};

/// How IKE is recognised and read.
pub const PROTOCOL: Protocol = Protocol { name: "ike", over: &[Proto::Udp], probe, make: |_| Box::new(Session::default()) };

/// Bytes of the header.
const HEADER: usize = 28;
/// Rows of a flow.
const ROWS_MAX: u32 = 1_000;

/// A header whose version, exchange, first payload and length are possible: elsewhere than at home the length must be the datagram's.
fn probe(probe: &Probe<'_>) -> Answer {
    let home = [500, 4_500].iter().any(|port| [probe.orig_p, probe.resp_p].contains(port));
    match Header::read(message(probe.bytes)) {
        Some(header) if home || header.length == message(probe.bytes).len() && header.first != 0 => Answer::Certain,
        _ => Answer::NotForUs,
    }
}

/// Behind four zeros where port 4500 is shared with ESP (RFC 3948 2.2).
fn message(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(&[0; 4]).filter(|rest| Header::read(rest).is_some()).unwrap_or(bytes)
}

struct Header<'a> {
    initiator: &'a [u8],
    responder: &'a [u8],
    first: u8,
    version: u8,
    exchange: u8,
    flags: u8,
    message_id: u32,
    length: usize,
}

impl<'a> Header<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut fields = Fields(bytes);
        let header = Self {
            initiator: fields.take(8)?,
            responder: fields.take(8)?,
            first: fields.u8()?,
            version: fields.u8()?,
            exchange: fields.u8()?,
            flags: fields.u8()?,
            message_id: fields.be32()?,
            length: usize::try_from(fields.be32()?).ok()?,
        };
        let exchange = match header.version {
            0x10 => matches!(header.exchange, 1..=6 | 32 | 33),
            0x20 => matches!(header.exchange, 34..=43),
            _ => false,
        };
        let sound = exchange && header.initiator.iter().any(|&byte| byte != 0) && (HEADER..65_536).contains(&header.length);
        sound.then_some(header)
    }
}

#[derive(Default)]
struct Session {
    rows: u32,
}

impl Dissector for Session {
    fn data(&mut self, chunk: &Chunk<'_>, out: &mut Out) {
        let bytes = message(chunk.bytes);
        let Some(header) = Header::read(bytes).filter(|_| self.rows < ROWS_MAX) else { return };
        self.rows += 1;
        let old = header.version == 0x10;
        let mut row = Ike {
            is_orig: chunk.dir == Dir::Orig,
            version: if old { "1.0" } else { "2.0" }.to_owned(),
            initiator_spi: hex(header.initiator),
            responder_spi: hex(header.responder),
            exchange: names::exchange(header.exchange, old),
            message_id: header.message_id,
            // Version 1 has no such flag: who answers is told by the flow.
            is_response: if old { chunk.dir == Dir::Resp } else { header.flags & 0x20 != 0 },
            ..Ike::default()
        };
        let body = bytes.get(HEADER..).unwrap_or_default();
        if old && header.flags & 1 != 0 {
            row.encrypted = true;
        } else {
            payloads::read(header.first, body, old, &mut row);
        }
        out.say(chunk.frame, chunk.ts_ns, Event::Ike(Box::new(row)));
    }

    fn confirmed(&self) -> bool {
        self.rows > 0
    }

    fn wants(&self, _dir: Dir) -> bool {
        self.rows < ROWS_MAX
    }
}
