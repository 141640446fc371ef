//! Kerberos 5 (RFC 4120) over UDP and TCP, and the tokens that other protocols carry (RFC 4121): one row an exchange.

mod exchange;
mod message;
mod names;

use super::ber::{self, Ber};
use super::{Answer, Chunk, Dissector, Out, Probe, Protocol};
use crate::model::{Dir, Event, Proto, Ts, event::Kerberos};
use exchange::Exchange;

/// Over UDP.
pub const UDP: Protocol = Protocol { name: "krb", over: &[Proto::Udp], probe: probe_udp, make: |_| Box::new(Datagrams::default()) };
/// Over TCP, behind four bytes of length (RFC 4120 7.2.2).
pub const TCP: Protocol = Protocol { name: "krb_tcp", over: &[Proto::Tcp], probe: probe_tcp, make: |_| Box::new(Stream::default()) };

/// Longest message kept: tickets of users in very many groups, and no more.
const MESSAGE_MAX: usize = 128 << 10;
/// Fewer bytes leave it open what a stream is.
const HEAD: usize = 20;
/// The mechanism's identifier in a token: 1.2.840.113554.1.2.2, and the one that Microsoft's mistake made of it.
const MECHANISMS: [&[u8]; 2] = [b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x02", b"\x2a\x86\x48\x82\xf7\x12\x01\x02\x02"];

fn probe_udp(probe: &Probe<'_>) -> Answer {
    if message::is_message(probe.bytes) { Answer::Certain } else { Answer::NotForUs }
}

fn probe_tcp(probe: &Probe<'_>) -> Answer {
    let Some((length, rest)) = probe.bytes.split_first_chunk::<4>() else {
        return if probe.bytes.first().is_none_or(|&first| first == 0) { Answer::Unsure } else { Answer::NotForUs };
    };
    let length = u32::from_be_bytes(*length) as usize;
    let tagged = rest.first().is_none_or(|tag| matches!(tag, 0x6a..=0x6d | 0x7e));
    match (16..MESSAGE_MAX).contains(&length) && tagged {
        true if rest.len() < HEAD => Answer::Unsure,
        true if message::is_message(rest) => Answer::Certain,
        _ => Answer::NotForUs,
    }
}

/// What a token says of the one who shows it.
#[derive(Debug)]
enum Token {
    /// A ticket is shown: the row so far.
    Request(Box<Kerberos>),
    /// The server proves that it could read it: the row's `success`.
    Reply,
    /// The server refuses: the row of the error alone.
    Error(Box<Kerberos>),
}

/// Reads a token of GSS-API (RFC 4121 4.1) or SPNEGO: framed with its mechanism, or an AP message as it is.
fn token(bytes: &[u8]) -> Option<Token> {
    let element = Ber(bytes).next()?;
    let message = if element.tag == 0x60 {
        let mut inside = element.inside();
        let mechanism = inside.expect(6)?;
        MECHANISMS.contains(&mechanism.value).then_some(())?;
        // Two bytes of token type.
        Ber(inside.0.get(2..)?).next()?
    } else {
        element
    };
    exchange::token(message)
}

/// A ticket shown to a server, which waits for its answer: for those who carry tokens.
#[derive(Default)]
pub struct Shown {
    open: Option<(Box<Kerberos>, (u64, Ts))>,
    seen: bool,
}

impl Shown {
    /// Whether any was seen.
    pub fn seen(&self) -> bool {
        self.seen
    }

    /// Takes the message of a token.
    pub fn message(&mut self, bytes: &[u8], place: (u64, Ts), out: &mut Out) {
        let Some(token) = token(bytes) else { return };
        self.seen = true;
        match token {
            Token::Request(row) => {
                self.end(out);
                self.open = Some((row, place));
            }
            // The request was not captured: the refusal alone says enough.
            Token::Error(row) if self.open.is_none() => out.say(place.0, place.1, Event::Kerberos(row)),
            reply => self.answer(&reply, place.0, out),
        }
    }

    /// The carrier accepted without a token of its own.
    pub fn accepted(&mut self, frame: u64, out: &mut Out) {
        self.answer(&Token::Reply, frame, out);
    }

    fn answer(&mut self, reply: &Token, frame: u64, out: &mut Out) {
        let Some((mut row, (shown, ts_ns))) = self.open.take() else { return };
        answered(&mut row, reply, frame);
        out.say(shown, ts_ns, Event::Kerberos(row));
    }

    /// The connection is over: a ticket that nobody answered is told too.
    pub fn end(&mut self, out: &mut Out) {
        if let Some((row, (frame, ts_ns))) = self.open.take() {
            out.say(frame, ts_ns, Event::Kerberos(row));
        }
    }
}

/// A token's refusal or proof, added to the row of its request.
fn answered(request: &mut Kerberos, reply: &Token, frame: u64) {
    request.reply_frame = Some(frame);
    match reply {
        Token::Reply => request.success = Some(true),
        Token::Error(error) => {
            request.success = Some(false);
            (request.error_code, request.error_msg) = (error.error_code, error.error_msg.clone());
        }
        Token::Request(_) => {}
    }
}

#[derive(Default)]
struct Datagrams {
    exchange: Exchange,
    confirmed: bool,
}

impl Dissector for Datagrams {
    fn data(&mut self, chunk: &Chunk<'_>, out: &mut Out) {
        if message::is_message(chunk.bytes) {
            self.confirmed = true;
            self.exchange.message(chunk.bytes, chunk.dir, (chunk.frame, chunk.ts_ns), out);
        }
    }

    fn end(&mut self, out: &mut Out) {
        self.exchange.end(out);
    }

    fn confirmed(&self) -> bool {
        self.confirmed
    }
}

#[derive(Default)]
struct Stream {
    exchange: Exchange,
    sides: [Side; 2],
    confirmed: bool,
}

#[derive(Default)]
struct Side {
    buffer: Vec<u8>,
    /// Frame and time of its first byte.
    place: (u64, Ts),
    /// Bytes are lost: the next segment that begins with a message is believed.
    lost: bool,
}

impl Side {
    /// The next whole message off the buffer.
    fn next(&mut self) -> Option<Vec<u8>> {
        let (length, rest) = self.buffer.split_first_chunk::<4>()?;
        let length = u32::from_be_bytes(*length) as usize;
        if length > MESSAGE_MAX || rest.len() >= 2 * HEAD && !message::is_message(rest) {
            self.buffer.clear();
            self.lost = true;
            return None;
        }
        let message = rest.get(..length)?.to_vec();
        self.buffer.drain(..4 + length);
        Some(message)
    }
}

impl Stream {
    /// What a loss or the end left of a message is read as far as it goes.
    fn unfinished(&mut self, dir: Dir, out: &mut Out) {
        let side = &mut self.sides[dir.index()];
        let left = std::mem::take(&mut side.buffer);
        if let Some(message) = left.get(4..).filter(|message| message::is_message(message)) {
            self.confirmed = true;
            self.exchange.message(message, dir, side.place, out);
        }
    }
}

impl Dissector for Stream {
    fn data(&mut self, chunk: &Chunk<'_>, out: &mut Out) {
        let dir = chunk.dir;
        let side = &mut self.sides[dir.index()];
        if side.lost {
            if !chunk.bytes.get(4..).is_some_and(message::is_message) {
                return;
            }
            side.lost = false;
        }
        if side.buffer.is_empty() {
            side.place = (chunk.frame, chunk.ts_ns);
        }
        side.buffer.extend_from_slice(chunk.bytes);
        while let Some(message) = self.sides[dir.index()].next() {
            let place = std::mem::replace(&mut self.sides[dir.index()].place, (chunk.frame, chunk.ts_ns));
            self.confirmed = true;
            self.exchange.message(&message, dir, place, out);
        }
        if chunk.cut > 0 {
            self.gap(dir, u64::from(chunk.cut), out);
        }
    }

    fn gap(&mut self, dir: Dir, _missing: u64, out: &mut Out) {
        self.unfinished(dir, out);
        self.sides[dir.index()].lost = true;
    }

    fn end(&mut self, out: &mut Out) {
        self.unfinished(Dir::Orig, out);
        self.unfinished(Dir::Resp, out);
        self.exchange.end(out);
    }

    fn confirmed(&self) -> bool {
        self.confirmed
    }
}

#[cfg(test)]
mod tests;
