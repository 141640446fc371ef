//! CIP messages (ODVA volume 1, 2-4): service, path, status; services within an unconnected send or a multiple service packet are rows too.

use super::names;
use crate::dissect::messages::Fields;
use crate::dissect::{Chunk, Out, escape};
use crate::model::event::Cip;
use crate::model::{Dir, Event};
use std::collections::VecDeque;

/// Requests whose path a response may want to know.
const PENDING_MAX: usize = 64;
/// Messages within messages.
const DEPTH_MAX: u8 = 3;
/// Services of one multiple service packet that are rows.
const SERVICES_MAX: usize = 32;

const MULTIPLE: u8 = 0x0a;
const UNCONNECTED_SEND: u8 = 0x52;
/// The connection manager, whose 0x52 is the unconnected send; elsewhere it reads fragments.
const CONNECTION_MANAGER: u32 = 6;

/// Requests that were seen, for what their responses leave out.
#[derive(Default)]
pub(super) struct Requests {
    open: VecDeque<Cip>,
}

impl Requests {
    /// Reads a message with the count of its connection, if it has one.
    pub fn message(&mut self, count: Option<u16>, bytes: &[u8], chunk: &Chunk<'_>, out: &mut Out) {
        self.at_depth(count, bytes, chunk, 0, out);
    }

    fn at_depth(&mut self, count: Option<u16>, bytes: &[u8], chunk: &Chunk<'_>, depth: u8, out: &mut Out) {
        let mut fields = Fields(bytes);
        let Some(code) = fields.u8().filter(|_| depth < DEPTH_MAX) else { return };
        let mut row = Cip { is_orig: chunk.dir == Dir::Orig, cip_sequence_count: count, cip_service_code: code & 0x7f, ..Cip::default() };
        if code & 0x80 != 0 {
            self.response(row, fields, chunk, depth, out);
            return;
        }
        row.direction = "request";
        let words = usize::from(fields.u8().unwrap_or(0));
        path(fields.take((words * 2).min(fields.0.len())).unwrap_or_default(), &mut row);
        row.cip_service = names::service(row.cip_service_code, row.class_id);
        row.write = names::writes(row.cip_service_code, row.class_id);
        let (service, class) = (row.cip_service_code, row.class_id);
        out.say(chunk.frame, chunk.ts_ns, Event::Cip(Box::new(row.clone())));
        if self.open.len() == PENDING_MAX {
            self.open.pop_front();
        }
        self.open.push_back(row);
        if service == UNCONNECTED_SEND && class == Some(CONNECTION_MANAGER) {
            // Timing, then the message behind its length.
            fields.take(2);
            if let Some(length) = fields.le16() {
                let inner = fields.take(usize::from(length).min(fields.0.len())).unwrap_or_default();
                self.at_depth(count, inner, chunk, depth + 1, out);
            }
        } else if service == MULTIPLE {
            self.several(count, fields.0, chunk, depth, out);
        }
    }

    /// Reserved byte, status, additional status behind its length in words; then data.
    fn response(&mut self, mut row: Cip, mut fields: Fields<'_>, chunk: &Chunk<'_>, depth: u8, out: &mut Out) {
        row.direction = "response";
        let (Some(_reserved), Some(status), words) = (fields.u8(), fields.u8(), fields.u8().unwrap_or(0)) else { return };
        fields.take((usize::from(words) * 2).min(fields.0.len()));
        let same = |asked: &Cip| {
            asked.cip_service_code == row.cip_service_code
                && asked.cip_sequence_count == row.cip_sequence_count
                && asked.is_orig != row.is_orig
        };
        if let Some(asked) = self.open.iter().position(same).and_then(|at| self.open.remove(at)) {
            row = Cip { is_orig: row.is_orig, direction: row.direction, cip_sequence_count: row.cip_sequence_count, ..asked };
        }
        row.cip_service = names::service(row.cip_service_code, row.class_id);
        (row.cip_status_code, row.cip_status) = (Some(status), Some(names::general_status(status)));
        let several = row.cip_service_code == MULTIPLE;
        out.say(chunk.frame, chunk.ts_ns, Event::Cip(Box::new(row)));
        if several {
            self.several(None, fields.0, chunk, depth, out);
        }
    }

    /// A number of offsets, counted from that number, then the messages.
    fn several(&mut self, count: Option<u16>, data: &[u8], chunk: &Chunk<'_>, depth: u8, out: &mut Out) {
        let mut fields = Fields(data);
        let number = usize::from(fields.le16().unwrap_or(0)).min(SERVICES_MAX);
        let offsets: Vec<usize> = (0..number).map_while(|_| fields.le16().map(usize::from)).collect();
        for (at, &from) in offsets.iter().enumerate() {
            let to = offsets.get(at + 1).copied().unwrap_or(data.len()).min(data.len());
            if let Some(inner) = data.get(from..to) {
                self.at_depth(count, inner, chunk, depth + 1, out);
            }
        }
    }
}

/// Segments of a path (volume 1, C-1): class, instance, attribute, symbol.
fn path(bytes: &[u8], row: &mut Cip) {
    let mut fields = Fields(bytes);
    while let Some(kind) = fields.u8() {
        let number = match kind & 3 {
            _ if kind == 0x91 => {
                let length = usize::from(fields.u8().unwrap_or(0));
                let symbol = fields.take(length.min(fields.0.len())).unwrap_or_default();
                let name = escape(symbol, 128);
                row.tag =
                    Some(row.tag.take().map_or_else(|| name.clone(), |before| format!("{before}.{name}")).chars().take(256).collect());
                fields.take(length % 2);
                continue;
            }
            _ if kind & 0xe0 != 0x20 => return,
            0 => fields.u8().map(u32::from),
            1 => fields.take(1).and(fields.le16()).map(u32::from),
            2 => fields.take(1).and(fields.le32()),
            _ => None,
        };
        match kind & 0xfc {
            0x20 => {
                row.class_id = number;
                row.class_name = number.and_then(names::class);
            }
            0x24 => row.instance_id = number,
            0x30 => row.attribute_id = number,
            _ => {}
        }
    }
}
