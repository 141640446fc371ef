//! S7 communication, the language of Siemens controllers, in ISO transport over TCP (RFC 1006): jobs with their answers, user data, and what
//! they read, write, start, stop or load.

mod items;
mod names;
#[cfg(test)]
mod tests;

use super::messages::{Fields, Framed, Length, Speaker};
use super::{Answer, Chunk, Out, Probe, Protocol, escape, hex};
use crate::model::{Dir, Event, Proto, Ts, event::S7comm};
use std::collections::VecDeque;

/// How S7 communication is recognised and read.
pub const PROTOCOL: Protocol =
    Protocol { name: "s7comm", over: &[Proto::Tcp], probe, make: |conn| Box::new(Framed::new(conn, Session::default())) };

/// Bytes kept of a message: controllers agree on 960 at most.
const MESSAGE_MAX: usize = 2_048;
/// Jobs that wait for their answer.
const PENDING_MAX: usize = 32;
/// Bytes of data shown, and of names.
const DATA_SHOWN: usize = 32;
const NAME_MAX: usize = 64;

/// The protocol's first byte.
const PROTOCOL_ID: u8 = 0x32;
/// Kinds of messages.
mod rosctr {
    pub const JOB: u8 = 1;
    pub const ACK: u8 = 2;
    pub const ACK_DATA: u8 = 3;
    pub const USER_DATA: u8 = 7;
}

/// COTP data that begins with the protocol's byte, perhaps behind COTP's connection.
fn probe(probe: &Probe<'_>) -> Answer {
    let bytes = probe.bytes;
    let data = match cotp_connect(bytes) {
        Some([0xc0..=0xc2, ..]) => bytes.get(usize::from(u16::from_be_bytes([bytes[2], bytes[3]]))..).unwrap_or_default(),
        Some([]) => return Answer::Unsure,
        Some(_) => return Answer::NotForUs,
        None => bytes,
    };
    match data {
        [3, 0, _, _, 2, 0xf0, 0x80, PROTOCOL_ID, 1..=3 | 7, ..] => Answer::Certain,
        [3, 0, _, _, 2, 0xf0, 0x80, PROTOCOL_ID] => Answer::Unsure,
        [] | [3] => Answer::Unsure,
        [3, 0, rest @ ..] if rest.len() < 6 || bytes.len() < 11 => Answer::Unsure,
        _ => Answer::NotForUs,
    }
}

/// What follows the fixed part of a COTP connection request or confirm (RFC 905 13.3), in a TPKT.
fn cotp_connect(bytes: &[u8]) -> Option<&[u8]> {
    let [3, 0, high, low, length, 0xe0 | 0xd0, _, _, _, _, _, variable @ ..] = bytes else { return None };
    (u16::from_be_bytes([*high, *low]) == u16::from(*length) + 5).then_some(variable)
}

#[derive(Default)]
struct Session {
    pending: VecDeque<Job>,
    seen: bool,
}

/// A job without its answer.
struct Job {
    row: Box<S7comm>,
    dir: Dir,
    place: (u64, Ts),
}

impl Speaker for Session {
    const MOST: usize = MESSAGE_MAX;

    fn length(&self, _dir: Dir, bytes: &[u8]) -> Length {
        match bytes {
            [3, 0, high, low, ..] => match u16::from_be_bytes([*high, *low]) {
                length @ 7.. => Length::Is(usize::from(length)),
                _ => Length::Wrong,
            },
            [] | [3] | [3, 0] | [3, 0, _] => Length::More,
            _ => Length::Wrong,
        }
    }

    fn message(&mut self, message: &[u8], chunk: &Chunk<'_>, out: &mut Out) {
        // COTP data, last of its unit; connections and parts of units carry nothing that is read here.
        let [_, _, _, _, 2, 0xf0, 0x80, PROTOCOL_ID, kind, body @ ..] = message else { return };
        let mut fields = Fields(body);
        let (Some(_), Some(reference), Some(parameters), Some(data)) = (fields.be16(), fields.be16(), fields.be16(), fields.be16()) else {
            return;
        };
        let error = if matches!(*kind, rosctr::ACK | rosctr::ACK_DATA) { fields.u8().zip(fields.u8()) } else { None };
        self.seen = true;
        let parameters = fields.take(usize::from(parameters).min(fields.0.len())).unwrap_or_default();
        let data = fields.take(usize::from(data).min(fields.0.len())).unwrap_or_default();
        match *kind {
            rosctr::ACK | rosctr::ACK_DATA => self.answer(*kind, reference, error, parameters, data, chunk, out),
            kind => self.asked(kind, reference, parameters, data, chunk, out),
        }
    }

    fn end(&mut self, out: &mut Out) {
        std::mem::take(&mut self.pending).into_iter().for_each(|job| job.say(out));
    }

    fn confirmed(&self) -> bool {
        self.seen
    }
}

impl Session {
    /// A job, or user data, which is its own answer.
    fn asked(&mut self, kind: u8, reference: u16, parameters: &[u8], data: &[u8], chunk: &Chunk<'_>, out: &mut Out) {
        let mut row = row(kind, reference, chunk.dir);
        if kind == rosctr::USER_DATA {
            user_data(parameters, data, &mut row);
        } else {
            job(parameters, data, &mut row);
        }
        let job = Job { row: Box::new(row), dir: chunk.dir, place: (chunk.frame, chunk.ts_ns) };
        if kind != rosctr::JOB {
            job.say(out);
            return;
        }
        if self.pending.len() >= PENDING_MAX
            && let Some(oldest) = self.pending.pop_front()
        {
            oldest.say(out);
        }
        self.pending.push_back(job);
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one message, used once")]
    fn answer(
        &mut self,
        kind: u8,
        reference: u16,
        error: Option<(u8, u8)>,
        parameters: &[u8],
        data: &[u8],
        chunk: &Chunk<'_>,
        out: &mut Out,
    ) {
        let asked = self.pending.iter().position(|job| job.row.pdu_reference == reference && job.dir != chunk.dir);
        let mut job = asked.and_then(|at| self.pending.remove(at)).unwrap_or_else(|| {
            let mut row = row(kind, reference, chunk.dir);
            name_function(parameters, &mut row);
            Job { row: Box::new(row), dir: chunk.dir, place: (chunk.frame, chunk.ts_ns) }
        });
        (job.row.error_class, job.row.error_code) = error.unzip();
        job.row.reply_frame = asked.map(|_| chunk.frame);
        if job.row.function_code == Some(names::READ) {
            job.row.data = first_data(data);
        }
        job.say(out);
    }
}

impl Job {
    fn say(self, out: &mut Out) {
        out.say(self.place.0, self.place.1, Event::S7comm(self.row));
    }
}

fn row(kind: u8, reference: u16, dir: Dir) -> S7comm {
    let is_orig = dir == Dir::Orig;
    S7comm { rosctr_code: kind, rosctr_name: names::rosctr(kind), pdu_reference: reference, is_orig, ..S7comm::default() }
}

fn name_function(parameters: &[u8], row: &mut S7comm) {
    let Some(&function) = parameters.first() else { return };
    row.function_code = Some(function);
    row.function_name = names::function(function);
    row.action = names::action(function);
}

/// A job's parameters: items of a read or write, block of a transfer, service of a control job.
fn job(parameters: &[u8], data: &[u8], row: &mut S7comm) {
    name_function(parameters, row);
    let rest = parameters.get(1..).unwrap_or_default();
    match row.function_code {
        Some(names::READ | names::WRITE) => {
            items::read(rest, row);
            if row.function_code == Some(names::WRITE) {
                row.data = first_data(data);
            }
        }
        // Status, unused bytes, then the name behind its length.
        Some(0x1a..=0x1f) => {
            let name =
                rest.get(7..).and_then(|named| named.split_first()).map(|(&length, name)| &name[..name.len().min(usize::from(length))]);
            row.block = name.filter(|name| !name.is_empty()).map(|name| escape(name, NAME_MAX));
        }
        // Unused bytes, a block of arguments, then the service's name.
        Some(function @ (0x28 | 0x29)) => {
            let mut fields = Fields(rest);
            fields.take(if function == 0x28 { 7 } else { 5 });
            if function == 0x28
                && let Some(arguments) = fields.be16()
            {
                fields.take(usize::from(arguments).min(fields.0.len()));
            }
            let name = fields.u8().and_then(|length| fields.take(usize::from(length).min(fields.0.len())));
            row.block = name.filter(|name| !name.is_empty()).map(|name| escape(name, NAME_MAX));
        }
        _ => {}
    }
}

/// User data: head, length, method, type and group, number, sequence; of a request for a system status list its id and index.
fn user_data(parameters: &[u8], data: &[u8], row: &mut S7comm) {
    let [0, 1, 0x12, _, _, group, number, ..] = parameters else { return };
    row.subfunction_code = Some(u16::from_be_bytes([*group & 0x0f, *number]));
    row.subfunction_name = names::user_function(*group & 0x0f, *number);
    row.function_code = Some(*group);
    row.function_name = Some(names::user_group(*group & 0x0f));
    if let (4, 1, Some([_, _, _, _, id1, id2, index1, index2])) = (*group & 0x0f, *number, data.first_chunk::<8>()) {
        row.szl_id = Some(u16::from_be_bytes([*id1, *id2]));
        row.szl_index = Some(u16::from_be_bytes([*index1, *index2]));
    }
}

/// The first item's bytes: return code, kind of length, length, then data.
fn first_data(data: &[u8]) -> String {
    let [_, kind, high, low, values @ ..] = data else { return String::new() };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    // Bits, bytes and integers are counted in bits.
    let bytes = if matches!(kind, 3..=5) { length.div_ceil(8) } else { length };
    hex(values.get(..bytes.min(DATA_SHOWN).min(values.len())).unwrap_or_default())
}
