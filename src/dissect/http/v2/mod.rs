//! HTTP/2 (RFC 9113) in clear, or in TLS that is read: one row a stream, with the columns of HTTP/1. It begins with its preface, or with
//! `Upgrade: h2c` in HTTP/1 (RFC 7540 3.2).
//!
//! Header fields refer to those before: after a loss outside of a body nothing more of that side is read, and nothing is guessed.

mod frames;
mod hpack;
mod huffman;
#[cfg(test)]
mod tests;

use super::Ntlm;
use super::exchange::Exchange;
use super::line::StatusLine;
use super::secrets::Login;
use crate::dissect::{Answer, Chunk, Dissector, Out, Probe, Protocol};
use crate::model::event::Http;
use crate::model::{Dir, Proto, Ts};
use frames::{Frames, Header, PREFACE, Piece, flag, kind, unpadded};
use std::collections::BTreeMap;

/// How HTTP/2 is recognised and read.
pub const PROTOCOL: Protocol = Protocol { name: "http2", over: &[Proto::Tcp], probe, make: |_| Box::new(Reader::default()) };

/// Streams open at once; beyond it the oldest is said as far as it is known.
const STREAMS_MAX: usize = 256;
/// Bytes of one block of header fields, over all its frames.
const BLOCK_MAX: usize = 256 << 10;
/// Fields read of one block.
const FIELDS_MAX: usize = 256;
/// Settings of a server's first frame, at most.
const SETTINGS_MAX: usize = 32;

/// The client's preface, or a server's settings: it may speak first.
fn probe(probe: &Probe<'_>) -> Answer {
    if probe.bytes.starts_with(PREFACE) {
        return Answer::Certain;
    }
    if PREFACE.starts_with(probe.bytes) {
        return Answer::Unsure;
    }
    let settings = Header::read(probe.bytes).is_some_and(|header| {
        let whole = header.length % 6 == 0 && (6..=6 * SETTINGS_MAX).contains(&header.length);
        let known = |pair: &[u8; 6]| pair[0] == 0 && (1..=16).contains(&pair[1]);
        let list = probe.bytes.get(9..9 + header.length);
        whole
            && header == (Header { kind: kind::SETTINGS, flags: 0, stream: 0, ..header })
            && list.is_some_and(|list| list.as_chunks::<6>().0.iter().all(known))
    });
    if settings && probe.dir == Dir::Resp { Answer::Certain } else { Answer::NotForUs }
}

#[derive(Default)]
struct Side {
    frames: Frames,
    fields: hpack::Decoder,
    /// A block of fields that is not whole yet.
    block: Option<Block>,
    /// Nothing more can be read.
    over: bool,
}

/// Fields of one message, before they are decoded.
struct Block {
    stream: u32,
    bytes: Vec<u8>,
    end_stream: bool,
    /// The fields are a request that the server answers unasked.
    promise: bool,
}

/// Fields that say what other protocols say in their first line.
#[derive(Default)]
struct First {
    method: Option<Vec<u8>>,
    path: Option<Vec<u8>>,
    authority: Option<Vec<u8>>,
    status: Option<u16>,
}

/// One connection.
#[derive(Default)]
pub struct Reader {
    sides: [Side; 2],
    streams: BTreeMap<u32, Exchange>,
    /// Streams so far.
    depth: u32,
    confirmed: bool,
    last_login: Option<(Login, Option<bool>)>,
    ntlm: Ntlm,
    last_ts: Ts,
}

impl Reader {
    /// HTTP/1 gave way to it: the answer to that request comes as stream 1.
    pub fn upgraded(request: &Http, place: (u64, Ts)) -> Self {
        let mut reader = Self { confirmed: true, depth: 1, ..Self::default() };
        reader.sides[1].frames = Frames::begun();
        let mut exchange = Exchange::new(1, place);
        let kept = request.clone();
        *exchange.row = Http { trans_depth: 1, status_code: None, status_msg: None, info_code: None, info_msg: None, ..kept };
        exchange.done[0] = true;
        reader.streams.insert(1, exchange);
        reader
    }

    fn piece(&mut self, dir: Dir, piece: Piece<'_>, chunk: &Chunk<'_>, out: &mut Out) {
        match piece {
            Piece::Body(stream, bytes, end) => {
                if let Some(exchange) = self.streams.get_mut(&stream).filter(|exchange| !exchange.done[dir.index()]) {
                    let tunnel = exchange.row.method.as_deref() == Some("CONNECT");
                    if !tunnel {
                        exchange.body(dir, bytes, (chunk.frame, chunk.ts_ns), out);
                    }
                    if end {
                        self.finish(dir, stream, true, out);
                    }
                }
            }
            Piece::Frame(header, bytes) => {
                self.confirmed = true;
                if self.frame(dir, &header, &bytes, chunk, out).is_none() {
                    self.sides[dir.index()].over = true;
                }
            }
            Piece::Broken => self.sides[dir.index()].over = true,
        }
    }

    /// `None` if fields cannot be read any more.
    fn frame(&mut self, dir: Dir, header: &Header, bytes: &[u8], chunk: &Chunk<'_>, out: &mut Out) -> Option<()> {
        let block = &mut self.sides[dir.index()].block;
        match header.kind {
            kind::HEADERS => {
                let mut bytes = unpadded(header, bytes)?;
                if header.has(flag::PRIORITY) {
                    bytes = bytes.get(5..)?;
                }
                let end_stream = header.has(flag::END_STREAM);
                *block = Some(Block { stream: header.stream, bytes: bytes.to_vec(), end_stream, promise: false });
            }
            kind::PROMISE => {
                let (stream, bytes) = unpadded(header, bytes)?.split_first_chunk::<4>()?;
                let stream = u32::from_be_bytes(*stream) & 0x7fff_ffff;
                *block = Some(Block { stream, bytes: bytes.to_vec(), end_stream: true, promise: true });
            }
            kind::CONTINUATION => {
                let block = block.as_mut()?;
                block.bytes.extend_from_slice(bytes);
                if block.bytes.len() > BLOCK_MAX {
                    return None;
                }
            }
            kind::RESET => {
                self.finish(Dir::Orig, header.stream, false, out);
                self.finish(Dir::Resp, header.stream, false, out);
                return Some(());
            }
            _ => return Some(()),
        }
        if header.has(flag::END_HEADERS) {
            let block = self.sides[dir.index()].block.take()?;
            self.block(dir, block, (chunk.frame, chunk.ts_ns), out)?;
        }
        Some(())
    }

    fn block(&mut self, dir: Dir, block: Block, place: (u64, Ts), out: &mut Out) -> Option<()> {
        let mut first = First::default();
        let mut fields: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        self.sides[dir.index()].fields.decode(&block.bytes, |name, value| {
            if let Some(word) = name.strip_prefix(b":") {
                first.take(word, value);
            } else if fields.len() < FIELDS_MAX {
                fields.push((name.to_vec(), value.to_vec()));
            }
        })?;
        let role = if block.promise { Dir::Orig } else { dir };
        self.message(role, block.stream, &first, &fields, place, out);
        let interim = first.status.is_some_and(|code| (100..200).contains(&code));
        if block.end_stream && !interim {
            self.finish(role, block.stream, true, out);
        }
        Some(())
    }

    /// Fields of a request or a response; behind a body they say nothing that a row has.
    fn message(&mut self, role: Dir, stream: u32, first: &First, fields: &[(Vec<u8>, Vec<u8>)], place: (u64, Ts), out: &mut Out) {
        let opens = match role {
            Dir::Orig => first.method.is_some(),
            Dir::Resp => first.status.is_some(),
        };
        if !opens {
            return;
        }
        let exchange = self.open(stream, place, out);
        if exchange.done[role.index()] {
            return;
        }
        match (role, first.status) {
            (Dir::Orig, _) => {
                exchange.request(first.method.as_deref().unwrap_or_default(), first.path.as_deref().unwrap_or_default());
                if let Some(authority) = &first.authority {
                    exchange.row.host = Some(crate::dissect::escape(authority, 1_024));
                }
            }
            (Dir::Resp, Some(code)) => {
                exchange.status(&StatusLine { version: "2".to_owned(), code, reason: b"" }, place);
                // There are no phrases any more.
                exchange.row.status_msg = None;
                exchange.row.info_msg = None;
            }
            (Dir::Resp, None) => {}
        }
        exchange.row.version = Some("2".to_owned());
        for (name, value) in fields {
            exchange.header(role, name, value);
        }
    }

    /// The exchange of a stream, made if it is new.
    fn open(&mut self, stream: u32, place: (u64, Ts), out: &mut Out) -> &mut Exchange {
        if !self.streams.contains_key(&stream) {
            if self.streams.len() >= STREAMS_MAX
                && let Some(oldest) = self.streams.iter().min_by_key(|(_, exchange)| exchange.depth).map(|(stream, _)| *stream)
            {
                self.finish(Dir::Orig, oldest, false, out);
                self.finish(Dir::Resp, oldest, false, out);
            }
            self.depth += 1;
        }
        let depth = self.depth;
        self.streams.entry(stream).or_insert_with(|| Exchange::new(depth, place))
    }

    /// One message of a stream is over; says the row once both are.
    fn finish(&mut self, dir: Dir, stream: u32, whole: bool, out: &mut Out) {
        let Some(exchange) = self.streams.get_mut(&stream) else { return };
        exchange.finish(dir, whole, self.last_ts, out);
        if exchange.is_over()
            && let Some(exchange) = self.streams.remove(&stream)
        {
            exchange.say(&mut self.last_login, &mut self.ntlm.0, out);
        }
    }
}

impl First {
    fn take(&mut self, word: &[u8], value: &[u8]) {
        match word {
            b"method" => self.method = Some(value.to_vec()),
            b"path" => self.path = Some(value.to_vec()),
            b"authority" => self.authority = Some(value.to_vec()),
            b"status" => self.status = std::str::from_utf8(value).ok().and_then(|code| code.parse().ok()),
            _ => {}
        }
    }
}

impl Dissector for Reader {
    fn data(&mut self, chunk: &Chunk<'_>, out: &mut Out) {
        self.last_ts = chunk.ts_ns;
        let dir = chunk.dir;
        let mut rest = chunk.bytes;
        while !self.sides[dir.index()].over {
            let Some(piece) = self.sides[dir.index()].frames.next(&mut rest) else { return };
            self.piece(dir, piece, chunk, out);
        }
    }

    fn gap(&mut self, dir: Dir, missing: u64, out: &mut Out) {
        let lost = self.sides[dir.index()].frames.gap(missing);
        if let Some((stream, end)) = lost {
            if let Some(exchange) = self.streams.get_mut(&stream) {
                exchange.body_gap(dir, missing);
            }
            if end {
                self.finish(dir, stream, false, out);
            }
        }
        let side = &mut self.sides[dir.index()];
        side.over |= side.frames.is_broken();
    }

    fn end(&mut self, out: &mut Out) {
        let mut open: Vec<(u32, u32)> = self.streams.iter().map(|(stream, exchange)| (exchange.depth, *stream)).collect();
        open.sort_unstable();
        for (_, stream) in open {
            self.finish(Dir::Orig, stream, false, out);
            self.finish(Dir::Resp, stream, false, out);
        }
        self.ntlm.0.end(out);
    }

    fn confirmed(&self) -> bool {
        self.confirmed
    }

    fn wants(&self, dir: Dir) -> bool {
        !self.sides[dir.index()].over
    }
}
