//! DNP3 (IEEE 1815) over TCP and UDP: link frames with checksums, transport fragments, application messages; one row a request with its
//! response, as Zeek has it.

mod link;
mod names;
#[cfg(test)]
mod tests;

use super::messages::{Fields, Framed, Length, Speaker};
use super::{Answer, Chunk, Out, Probe, Protocol};
use crate::model::{Conn, Dir, Event, Proto, Ts, event::Dnp3};
pub(super) use link::is_header;
use link::{Frame, HEADER};

/// DNP3 over TCP, under Zeek's name.
pub const TCP: Protocol = Protocol { name: "dnp3_tcp", over: &[Proto::Tcp], probe, make };
/// DNP3 over UDP.
pub const UDP: Protocol = Protocol { name: "dnp3_udp", over: &[Proto::Udp], probe, make };

fn make(conn: &Conn) -> Box<dyn super::Dissector> {
    Box::new(Framed::new(conn, Session::default()))
}

/// Bytes of an application message that are kept while its fragments come.
const MESSAGE_MAX: usize = 4_096;
/// Objects named of one message.
const OBJECTS_MAX: usize = 8;
/// A master confirms what it got: no question of its own.
const CONFIRM: u8 = 0;

/// Begins with a link header whose checksum is right.
fn probe(probe: &Probe<'_>) -> Answer {
    match (is_header(probe.bytes), probe.proto) {
        (Some(true), _) => Answer::Certain,
        (None, Proto::Tcp) => Answer::Unsure,
        _ => Answer::NotForUs,
    }
}

#[derive(Default)]
struct Session {
    /// Application bytes so far, per direction, with the transport sequence that must come next.
    parts: [Option<Part>; 2],
    open: Option<(Box<Dnp3>, (u64, Ts))>,
    seen: bool,
}

struct Part {
    bytes: Vec<u8>,
    next: u8,
}

impl Session {
    /// A transport segment (IEEE 1815 8.2): FIN, FIR, sequence, then bytes.
    fn segment(&mut self, frame: &Frame, chunk: &Chunk<'_>, out: &mut Out) {
        let Some((&head, bytes)) = frame.data.split_first() else { return };
        let (last, first, sequence) = (head & 0x80 != 0, head & 0x40 != 0, head & 0x3f);
        let at = frame.from_master as usize;
        let mut part = match self.parts.get_mut(at).and_then(Option::take) {
            _ if first => Part { bytes: Vec::new(), next: sequence },
            Some(part) if part.next == sequence => part,
            _ => return,
        };
        let room = MESSAGE_MAX - part.bytes.len();
        part.bytes.extend(bytes.iter().take(room));
        part.next = sequence.wrapping_add(1) & 0x3f;
        if last {
            self.application(&part.bytes, frame, chunk, out);
        } else if let Some(slot) = self.parts.get_mut(at) {
            *slot = Some(part);
        }
    }

    /// An application message (IEEE 1815 4.2): control, function, of responses the indications, then objects.
    fn application(&mut self, bytes: &[u8], frame: &Frame, chunk: &Chunk<'_>, out: &mut Out) {
        let mut fields = Fields(bytes);
        let (Some(_control), Some(function)) = (fields.u8(), fields.u8()) else { return };
        self.seen = true;
        let place = (chunk.frame, chunk.ts_ns);
        if function & 0x80 == 0 {
            self.say_unanswered(out);
            let row = Dnp3 {
                fc_request: Some(names::function(function)),
                master: Some(frame.source),
                outstation: Some(frame.destination),
                objects: if function == CONFIRM { Vec::new() } else { objects(fields) },
                ..Dnp3::default()
            };
            self.open = Some((Box::new(row), place));
            return;
        }
        let (mut row, (asked, asked_ns)) = self.open.take().unwrap_or_else(|| (Box::default(), place));
        row.fc_reply = Some(names::function(function));
        row.iin = fields.be16();
        (row.outstation, row.master) = (Some(frame.source), Some(frame.destination));
        row.reply_objects = objects(fields);
        row.reply_frame = Some(chunk.frame);
        out.say(asked, asked_ns, Event::Dnp3(row));
    }

    /// A request that got no answer is a row, a confirmation is not.
    fn say_unanswered(&mut self, out: &mut Out) {
        let confirm = names::function(CONFIRM);
        if let Some((row, (frame, ts_ns))) = self.open.take()
            && row.fc_request.as_ref() != Some(&confirm)
        {
            out.say(frame, ts_ns, Event::Dnp3(row));
        }
    }
}

/// Object headers, as far as their length can be told without knowing every object: those of a request for data, and the first of the rest.
fn objects(mut fields: Fields<'_>) -> Vec<String> {
    let mut found = Vec::new();
    while found.len() < OBJECTS_MAX {
        let (Some(group), Some(variation), Some(qualifier)) = (fields.u8(), fields.u8(), fields.u8()) else { break };
        found.push(format!("{group}:{variation}"));
        let range = match qualifier {
            0x06 => 0,
            0x00 => 2,
            0x01 => 4,
            0x07 => 1,
            0x08 => 2,
            _ => break,
        };
        // Only class data and reads have headers alone.
        if fields.take(range).is_none() || (group != 60 && qualifier != 0x06) {
            break;
        }
    }
    found
}

impl Speaker for Session {
    const MOST: usize = link::FRAME_MAX;

    fn length(&self, _dir: Dir, bytes: &[u8]) -> Length {
        match is_header(bytes) {
            None => Length::More,
            Some(false) => Length::Wrong,
            Some(true) => bytes.get(2).map_or(Length::More, |&length| link::length(length)),
        }
    }

    fn message(&mut self, message: &[u8], chunk: &Chunk<'_>, out: &mut Out) {
        // A link message without data still is DNP3.
        self.seen |= message.len() >= HEADER;
        if let Some(frame) = Frame::read(message) {
            self.segment(&frame, chunk, out);
        }
    }

    fn end(&mut self, out: &mut Out) {
        self.say_unanswered(out);
    }

    fn confirmed(&self) -> bool {
        self.seen
    }
}
