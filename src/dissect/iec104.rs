//! IEC 60870-5-104, telecontrol over TCP: every message, its type, cause and first object.

mod names;
#[cfg(test)]
mod tests;

use super::messages::{Fields, Framed, Length, Speaker};
use super::{Answer, Chunk, Out, Probe, Protocol};
use crate::model::{Dir, Event, Proto, event::Iec104};

/// How IEC 104 is recognised and read.
pub const PROTOCOL: Protocol =
    Protocol { name: "iec104", over: &[Proto::Tcp], probe, make: |conn| Box::new(Framed::new(conn, Session::default())) };

/// The longest message: 253 bytes behind start and length.
const MESSAGE_MAX: usize = 255;

/// An unnumbered message; or a numbered one whose type, cause and length agree.
fn probe(probe: &Probe<'_>) -> Answer {
    let home = [probe.orig_p, probe.resp_p].contains(&2404);
    match probe.bytes {
        [0x68, 4, 0x07 | 0x0b | 0x13 | 0x23 | 0x43 | 0x83, 0, 0, 0, ..] => Answer::Certain,
        [0x68, 4, 1, 0, low, _, ..] if home && low & 1 == 0 => Answer::Certain,
        [0x68, length @ 10..=253, send, _, receive, _, kind, variable, cause, ..] => {
            let fits = send & 1 == 0
                && receive & 1 == 0
                && names::type_id(*kind).is_some()
                && variable & 0x7f > 0
                && (1..=47).contains(&(cause & 0x3f));
            let whole = probe.bytes.len() >= usize::from(*length) + 2;
            if fits && (home || whole) { Answer::Certain } else { Answer::NotForUs }
        }
        [0x68, rest @ ..] if rest.len() < 8 && matches!(rest.first(), None | Some(4..=253)) => Answer::Unsure,
        _ => Answer::NotForUs,
    }
}

#[derive(Default)]
struct Session {
    seen: bool,
}

impl Speaker for Session {
    const MOST: usize = MESSAGE_MAX;

    fn length(&self, _dir: Dir, bytes: &[u8]) -> Length {
        match bytes {
            [0x68, length @ 4..=253, ..] => Length::Is(2 + usize::from(*length)),
            [] | [0x68] => Length::More,
            _ => Length::Wrong,
        }
    }

    fn message(&mut self, message: &[u8], chunk: &Chunk<'_>, out: &mut Out) {
        let [_, _, one, two, three, four, asdu @ ..] = message else { return };
        let mut row = Iec104 { is_orig: chunk.dir == Dir::Orig, ..Iec104::default() };
        let (send, receive) = (u16::from_le_bytes([*one, *two]) >> 1, u16::from_le_bytes([*three, *four]) >> 1);
        match one & 3 {
            3 => (row.apci_type, row.u_function) = ("U", names::unnumbered(*one)),
            1 => (row.apci_type, row.recv_seq) = ("S", Some(receive)),
            _ => {
                (row.apci_type, row.send_seq, row.recv_seq) = ("I", Some(send), Some(receive));
                data_unit(asdu, &mut row);
            }
        }
        self.seen = true;
        out.say(chunk.frame, chunk.ts_ns, Event::Iec104(Box::new(row)));
    }

    fn confirmed(&self) -> bool {
        self.seen
    }
}

/// Type, number of objects, cause, originator, station, then the first object (IEC 60870-5-101 7.2).
fn data_unit(bytes: &[u8], row: &mut Iec104) {
    let mut fields = Fields(bytes);
    let (Some(kind), Some(variable), Some(cause)) = (fields.u8(), fields.u8(), fields.u8()) else { return };
    row.type_id = Some(kind);
    row.type_name = Some(names::type_id(kind).map_or_else(|| format!("unknown-{kind}"), str::to_owned));
    row.direction = names::direction(kind);
    row.objects = Some(variable & 0x7f);
    row.cause = Some(cause & 0x3f);
    row.cause_name = Some(names::cause(cause & 0x3f));
    (row.negative, row.test) = (cause & 0x40 != 0, cause & 0x80 != 0);
    row.originator = fields.u8();
    row.common_address = fields.le16();
    row.object_address =
        fields.take(3).and_then(|at| at.first_chunk::<3>()).map(|&[low, middle, high]| u32::from_le_bytes([low, middle, high, 0]));
    row.value = value(kind, fields);
}

/// The first object's value: states, commands and measured values; times and qualities behind it are not told.
fn value(kind: u8, mut fields: Fields<'_>) -> Option<String> {
    Some(match kind {
        1 | 30 => (fields.u8()? & 1).to_string(),
        3 | 31 => (fields.u8()? & 3).to_string(),
        45 | 58 => command(fields.u8()?, 1),
        46 | 59 => command(fields.u8()?, 3),
        47 | 60 => command(fields.u8()?, 3),
        9 | 11 | 34 | 35 | 48 | 49 | 61 | 62 => fields.le16()?.cast_signed().to_string(),
        13 | 36 | 50 | 63 => f32::from_bits(fields.le32()?).to_string(),
        15 | 37 => fields.le32()?.cast_signed().to_string(),
        7 | 33 | 51 | 64 => format!("{:08x}", fields.le32()?),
        100 | 101 => fields.u8()?.to_string(),
        _ => return None,
    })
}

/// The state that a command asks for; `select` where it is only announced.
fn command(byte: u8, mask: u8) -> String {
    format!("{}{}", byte & mask, if byte & 0x80 != 0 { " select" } else { "" })
}
