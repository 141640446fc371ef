//! TFTP (RFC 1350) with its options (RFC 2347 to 2349). The server answers a request from a port of its own, so the transfer is another flow,
//! which the request announces ([`super::expect`]); what both tell becomes one row ([`super::transfers`]).

use super::files::FileReader;
use super::{Answer, Chunk, Dissector, Out, Probe, Protocol, escape};
use crate::model::event::{DataChannel, File, Tftp};
use crate::model::{Conn, Dir, Event, Proto, Ts};

/// Requests, wherever the server listens.
pub const REQUEST: Protocol = Protocol { name: "tftp", over: &[Proto::Udp], probe, make: |_: &Conn| Box::new(Requests::default()) };
/// An announced transfer.
pub const TRANSFER: Protocol = Protocol { probe: |_| Answer::NotForUs, make: |_: &Conn| Box::new(Transfer::default()), ..REQUEST };

/// Bytes of a block without an agreement.
const BLOCK: u32 = 512;
/// Longest text kept.
const TEXT: usize = 512;
/// Blocks that may be missing before a number is taken for nonsense.
const HOLE: u16 = 1_024;

/// A read or write request with a known mode.
pub(super) fn is_request(bytes: &[u8]) -> bool {
    Request::parse(bytes).is_some()
}

fn probe(probe: &Probe<'_>) -> Answer {
    if is_request(probe.bytes) { Answer::Certain } else { Answer::NotForUs }
}

/// `opcode name 0 mode 0 (option 0 value 0)*`
struct Request {
    op: &'static str,
    file: String,
    mode: String,
    options: Options,
}

#[derive(Default, Clone, Copy)]
struct Options {
    block_size: Option<u32>,
    transfer_size: Option<u64>,
}

impl Options {
    fn parse<'a>(mut fields: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut options = Self::default();
        while let (Some(name), Some(value)) = (fields.next(), fields.next()) {
            let number = std::str::from_utf8(value).ok().and_then(|value| value.parse::<u64>().ok());
            if name.eq_ignore_ascii_case(b"blksize") {
                options.block_size = number.and_then(|number| u32::try_from(number).ok()).filter(|size| (8..=65_464).contains(size));
            } else if name.eq_ignore_ascii_case(b"tsize") {
                options.transfer_size = number;
            }
        }
        options
    }
}

impl Request {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let (op, rest) = match bytes {
            [0, 1, rest @ ..] => ("read", rest),
            [0, 2, rest @ ..] => ("write", rest),
            _ => return None,
        };
        let mut fields = rest.split(|&byte| byte == 0);
        let file = fields.next().filter(|name| !name.is_empty() && name.iter().all(|&byte| byte >= b' '))?;
        let mode =
            fields.next().filter(|mode| [&b"octet"[..], b"netascii", b"mail"].iter().any(|known| mode.eq_ignore_ascii_case(known)))?;
        let (file, mode) = (escape(file, TEXT), escape(mode, TEXT).to_ascii_lowercase());
        Some(Self { op, file, mode, options: Options::parse(fields) })
    }
}

/// The flow of a request; the transfer too, where the server answers from where it was asked.
#[derive(Default)]
struct Requests {
    open: Option<Box<Open>>,
}

struct Open {
    request: Request,
    place: (u64, Ts),
    dir: Dir,
    transfer: Transfer,
}

impl Dissector for Requests {
    fn data(&mut self, chunk: &Chunk<'_>, out: &mut Out) {
        match Request::parse(chunk.bytes) {
            Some(request) => {
                // Nobody answered yet: asked once more.
                let again = self.open.as_ref().is_some_and(|open| open.request.file == request.file && open.request.op == request.op);
                if !(again && self.open.as_ref().is_some_and(|open| !open.transfer.begun())) {
                    self.end(out);
                    let place = (chunk.frame, chunk.ts_ns);
                    self.open = Some(Box::new(Open { request, place, dir: chunk.dir, transfer: Transfer::default() }));
                }
            }
            None => {
                if let Some(open) = &mut self.open {
                    open.transfer.datagram(chunk);
                }
            }
        }
    }

    fn end(&mut self, out: &mut Out) {
        let Some(open) = self.open.take() else { return };
        let Open { request: Request { op, file, mode, options }, place, dir, transfer } = *open;
        let row = Tftp { op, file: Some(file), mode: Some(mode), transfer_size: options.transfer_size, ..Tftp::default() };
        let mut row = Tftp { block_size: options.block_size, ..row };
        if transfer.begun() {
            let report = transfer.report(out);
            if let Some((mut content, place)) = report.content.map(|content| (content, (report.frame, report.ts_ns))) {
                content.filename = row.file.clone();
                row.fuid = Some(content.fuid.clone());
                out.say(place.0, place.1, Event::File(content));
            }
            let told = report.row;
            row = Tftp { op: row.op, file: row.file, mode: row.mode, fuid: row.fuid, content: None, ..told };
        } else {
            let conn = &out.conn;
            let (asker, server) = match dir {
                Dir::Orig => ((conn.orig_h, conn.orig_p), conn.resp_h),
                Dir::Resp => ((conn.resp_h, conn.resp_p), conn.orig_h),
            };
            row.channel = Some(DataChannel { orig_h: Some(server), resp_h: asker.0, resp_p: asker.1 });
        }
        out.say(place.0, place.1, Event::Tftp(Box::new(row)));
    }

    fn confirmed(&self) -> bool {
        true
    }
}

/// The blocks of one file.
#[derive(Default)]
struct Transfer {
    reader: Option<FileReader>,
    /// Who sends the file.
    sender: Option<Dir>,
    /// Block that comes next.
    next: u16,
    blocks: u32,
    options: Options,
    error: Option<(u16, String)>,
    complete: bool,
    place: (u64, Ts),
    said: bool,
}

struct Report {
    row: Tftp,
    content: Option<Box<File>>,
    frame: u64,
    ts_ns: Ts,
}

impl Transfer {
    fn begun(&self) -> bool {
        self.place.0 != 0
    }

    fn datagram(&mut self, chunk: &Chunk<'_>) {
        let known = match chunk.bytes {
            [0, 3, high, low, block @ ..] => {
                self.block(chunk.dir, u16::from_be_bytes([*high, *low]), block, chunk.cut);
                true
            }
            [0, 4, _, _] => true,
            [0, 5, high, low, text @ ..] => {
                let text = text.split(|&byte| byte == 0).next().unwrap_or_default();
                self.error = Some((u16::from_be_bytes([*high, *low]), escape(text, TEXT)));
                true
            }
            [0, 6, options @ ..] => {
                self.options = Options::parse(options.split(|&byte| byte == 0));
                true
            }
            _ => false,
        };
        if known && !self.begun() {
            self.place = (chunk.frame, chunk.ts_ns);
        }
    }

    fn block(&mut self, dir: Dir, number: u16, bytes: &[u8], cut: u32) {
        if *self.sender.get_or_insert(dir) != dir || self.complete {
            return;
        }
        if self.reader.is_none() {
            self.next = 1;
        }
        let size = self.options.block_size.unwrap_or(BLOCK);
        let ahead = number.wrapping_sub(self.next);
        if ahead > HOLE {
            // Sent once more.
            return;
        }
        let reader = self.reader.get_or_insert_default();
        if ahead > 0 {
            reader.gap(u64::from(ahead) * u64::from(size));
        }
        reader.data(bytes);
        if cut > 0 {
            reader.gap(u64::from(cut));
        }
        self.blocks = self.blocks.saturating_add(1);
        self.next = number.wrapping_add(1);
        self.complete = (bytes.len() as u64).saturating_add(u64::from(cut)) < u64::from(size);
    }

    fn report(self, out: &mut Out) -> Report {
        let mut row = Tftp {
            block_size: self.options.block_size.or(self.reader.as_ref().map(|_| BLOCK)),
            transfer_size: self.options.transfer_size,
            data_flow: Some(out.conn.flow),
            blocks: Some(self.blocks),
            bytes: Some(self.reader.as_ref().map_or(0, FileReader::seen)),
            error_code: self.error.as_ref().map(|(code, _)| *code),
            error_msg: self.error.map(|(_, text)| text).filter(|text| !text.is_empty()),
            ..Tftp::default()
        };
        let sender = self.sender;
        let content = self.reader.map(|reader| {
            let mut file = reader.finish(self.complete);
            (file.source, file.is_orig, file.total_bytes) = ("TFTP", sender == Some(Dir::Orig), row.transfer_size);
            file.fuid = out.fuid();
            Box::new(file)
        });
        row.complete = content.as_ref().is_some_and(|file| file.complete);
        row.fuid = content.as_ref().map(|file| file.fuid.clone());
        Report { row, content, frame: self.place.0, ts_ns: self.place.1 }
    }
}

impl Dissector for Transfer {
    fn data(&mut self, chunk: &Chunk<'_>, _out: &mut Out) {
        self.datagram(chunk);
    }

    fn end(&mut self, out: &mut Out) {
        if self.begun() && !std::mem::take(&mut self.said) {
            let Report { row, content, frame, ts_ns } = std::mem::take(self).report(out);
            self.said = true;
            out.say(frame, ts_ns, Event::Tftp(Box::new(Tftp { content, ..row })));
        }
    }

    fn confirmed(&self) -> bool {
        self.begun() || self.said
    }
}

#[cfg(test)]
mod tests;
