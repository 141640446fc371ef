//! Modbus over TCP (Modbus Messaging on TCP/IP 1.0b): one row a message, as Zeek has it, with what is read or written.

mod names;
#[cfg(test)]
mod tests;

use super::messages::{Fields, Framed, Length, Speaker};
use super::{Answer, Chunk, Out, Probe, Protocol};
use crate::model::{Dir, Event, Proto, event::Modbus};
use std::collections::VecDeque;

/// How Modbus is recognised and read.
pub const PROTOCOL: Protocol =
    Protocol { name: "modbus", over: &[Proto::Tcp], probe, make: |conn| Box::new(Framed::new(conn, Session::default())) };

/// The largest message: header and 253 bytes (4.1 of the protocol's specification).
const MESSAGE_MAX: usize = 260;
/// Bytes before the length counts: transaction, protocol, length.
const PREFIX: usize = 6;
/// Requests that wait for their response; devices take up to sixteen at once.
const PENDING_MAX: usize = 32;
/// Values shown of one message.
const VALUES_MAX: usize = 32;

/// At home the header must make sense; elsewhere a request must be one of the common ones to the last bit.
fn probe(probe: &Probe<'_>) -> Answer {
    let home = [probe.orig_p, probe.resp_p].contains(&502);
    match length(probe.bytes) {
        Length::Wrong => Answer::NotForUs,
        Length::More if home && probe.bytes.get(2..).unwrap_or_default().iter().all(|&byte| byte == 0) => Answer::Unsure,
        Length::More => Answer::NotForUs,
        Length::Is(whole) => match probe.bytes.get(..whole) {
            Some(message) if home => sure(message.get(7).is_some_and(|code| code & 0x7f != 0)),
            Some(message) => sure(probe.dir == Dir::Orig && whole == probe.bytes.len() && is_exact(message)),
            None if home => Answer::Unsure,
            None => Answer::NotForUs,
        },
    }
}

fn sure(yes: bool) -> Answer {
    if yes { Answer::Certain } else { Answer::NotForUs }
}

/// Transaction, protocol 0, length: unit, function and what belongs to it.
fn length(bytes: &[u8]) -> Length {
    match bytes {
        [_, _, 0, 0, 0, length @ 2..=254, ..] => Length::Is(PREFIX + usize::from(*length)),
        [_, _, 0, 0, 0] | [_, _, 0, 0] | [_, _, 0] | [_, _] | [_] | [] => Length::More,
        _ => Length::Wrong,
    }
}

/// A request whose every field is possible: reads of a possible number, writes whose counts agree.
fn is_exact(message: &[u8]) -> bool {
    let (Some(code), Some(data)) = (message.get(7), message.get(8..)) else { return false };
    match (code, data) {
        (1 | 2, [_, _, high, low]) => (1..=2_000).contains(&u16::from_be_bytes([*high, *low])),
        (3 | 4, [_, _, high, low]) => (1..=125).contains(&u16::from_be_bytes([*high, *low])),
        (5, [_, _, 0 | 0xff, 0]) => true,
        (15, [_, _, high, low, count, values @ ..]) => {
            let bits = u16::from_be_bytes([*high, *low]);
            bits > 0 && usize::from(*count) == values.len() && usize::from(bits).div_ceil(8) == values.len()
        }
        (16, [_, _, high, low, count, values @ ..]) => {
            let registers = usize::from(u16::from_be_bytes([*high, *low]));
            registers > 0 && usize::from(*count) == values.len() && registers * 2 == values.len()
        }
        _ => false,
    }
}

#[derive(Default)]
struct Session {
    pending: VecDeque<Asked>,
    seen: bool,
}

/// What a response needs to know of its request.
struct Asked {
    tid: u16,
    unit: u8,
    code: u8,
    address: Option<u16>,
    quantity: Option<u16>,
}

impl Speaker for Session {
    const MOST: usize = MESSAGE_MAX;

    fn length(&self, _dir: Dir, bytes: &[u8]) -> Length {
        length(bytes)
    }

    fn message(&mut self, message: &[u8], chunk: &Chunk<'_>, out: &mut Out) {
        let mut fields = Fields(message);
        let (Some(tid), Some(_), Some(unit), Some(code)) = (fields.be16(), fields.be32(), fields.u8(), fields.u8()) else { return };
        let mut row = Modbus { tid, unit, func: names::function(code), func_code: code, access: names::access(code), ..Modbus::default() };
        match chunk.dir {
            Dir::Orig => {
                row.pdu_type = "REQ";
                request(code, fields, &mut row);
                if self.pending.len() == PENDING_MAX {
                    self.pending.pop_front();
                }
                self.pending.push_back(Asked { tid, unit, code, address: row.address, quantity: row.quantity });
            }
            Dir::Resp => {
                row.pdu_type = "RESP";
                self.response(code, fields, &mut row);
            }
        }
        self.seen = true;
        out.say(chunk.frame, chunk.ts_ns, Event::Modbus(Box::new(row)));
    }

    fn confirmed(&self) -> bool {
        self.seen
    }
}

impl Session {
    fn response(&mut self, code: u8, mut fields: Fields<'_>, row: &mut Modbus) {
        let same = |asked: &Asked| (asked.tid, asked.unit, asked.code) == (row.tid, row.unit, code & 0x7f);
        let asked = self.pending.iter().position(same).and_then(|at| self.pending.remove(at));
        if let Some(asked) = &asked {
            (row.address, row.quantity) = (asked.address, asked.quantity);
        }
        match code {
            0x80.. => row.exception = fields.u8().map(names::exception),
            1 | 2 => {
                let most = asked.and_then(|asked| asked.quantity).unwrap_or(u16::MAX);
                row.values = counted8(&mut fields).map(|bytes| bits(bytes, most)).unwrap_or_default();
            }
            3 | 4 | 0x17 => row.values = counted8(&mut fields).map(registers).unwrap_or_default(),
            5 | 6 | 15 | 16 | 0x16 => request(code, fields, row),
            _ => {}
        }
    }
}

/// Fields of a request; writes are answered with the same.
fn request(code: u8, mut fields: Fields<'_>, row: &mut Modbus) {
    match code {
        1..=4 => (row.address, row.quantity) = (fields.be16(), fields.be16()),
        5 => {
            (row.address, row.quantity) = (fields.be16(), Some(1));
            row.values = fields.be16().map(|value| u16::from(value == 0xff00)).into_iter().collect();
        }
        6 | 0x16 => {
            (row.address, row.quantity) = (fields.be16(), Some(1));
            row.values = registers(fields.0);
        }
        15 => {
            (row.address, row.quantity) = (fields.be16(), fields.be16());
            let most = row.quantity.unwrap_or(0);
            row.values = counted8(&mut fields).map(|bytes| bits(bytes, most)).unwrap_or_default();
        }
        16 => {
            (row.address, row.quantity) = (fields.be16(), fields.be16());
            row.values = counted8(&mut fields).map(registers).unwrap_or_default();
        }
        // Read first, then written: what is written counts.
        0x17 => {
            let _read = fields.be32();
            (row.address, row.quantity) = (fields.be16(), fields.be16());
            row.values = counted8(&mut fields).map(registers).unwrap_or_default();
        }
        0x18 => row.address = fields.be16(),
        _ => {}
    }
}

/// As many bytes as the one before says, or as there are.
fn counted8<'a>(fields: &mut Fields<'a>) -> Option<&'a [u8]> {
    let count = usize::from(fields.u8()?);
    fields.take(count.min(fields.0.len()))
}

fn registers(bytes: &[u8]) -> Vec<u16> {
    bytes.as_chunks::<2>().0.iter().take(VALUES_MAX).map(|pair| u16::from_be_bytes(*pair)).collect()
}

fn bits(bytes: &[u8], most: u16) -> Vec<u16> {
    let each = bytes.iter().flat_map(|&byte| (0..8).map(move |bit| u16::from(byte >> bit & 1)));
    each.take(VALUES_MAX.min(usize::from(most))).collect()
}
