//! TLS and SSL as far as it is in clear: hellos, certificates, alerts, fingerprints. Once the handshake is over nothing more is read.

pub mod bytes;
pub mod carried;
pub mod dtls;
mod hello;
mod ja;
mod names;
mod record;
mod session;
#[cfg(test)]
mod tests;

use super::{Answer, Chunk, Dissector, Out, Probe, Protocol};
use crate::model::{Dir, Proto};
use record::{Record, Records, content};
use session::Session;

/// How TLS is recognised and read.
pub const PROTOCOL: Protocol = Protocol { name: "ssl", over: &[Proto::Tcp], probe, make: |_| Box::new(Reader::default()) };

/// Longest handshake message kept: certificate chains of some length, and no more.
const MESSAGE_MAX: usize = 256 << 10;

fn probe(probe: &Probe<'_>) -> Answer {
    judge(probe.bytes)
}

/// Whether these bytes begin a TLS connection: a hello in either direction.
fn judge(bytes: &[u8]) -> Answer {
    if let Some(length) = record::v2_header(bytes) {
        return match bytes.get(2..2 + length) {
            Some(body) if hello::v2_client_hello(body).is_some() => Answer::Certain,
            Some(_) => Answer::NotForUs,
            None if bytes.len() < 512 => Answer::Unsure,
            None => Answer::NotForUs,
        };
    }
    match bytes {
        [] => Answer::Unsure,
        [22] | [22, 3] => Answer::Unsure,
        [22, 3, ..] if bytes.len() < 11 => Answer::Unsure,
        _ if is_hello(bytes) => Answer::Certain,
        _ => Answer::NotForUs,
    }
}

/// A handshake record with a ClientHello or ServerHello whose lengths and versions agree.
pub fn is_hello(bytes: &[u8]) -> bool {
    let Some((content::HANDSHAKE, length)) = record::header(bytes) else { return false };
    let Some(&[kind, a, b, c, major, minor]) = bytes.get(5..11) else { return false };
    let message = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
    let versioned = major == 3 && minor <= 4 || major == 0x7f;
    // A message may span records, and a record may hold several messages.
    matches!(kind, 1 | 2) && versioned && (38..=MESSAGE_MAX).contains(&message) && length >= 4
}

#[derive(Default)]
struct Side {
    records: Records,
    /// Handshake bytes that are no whole message yet.
    messages: Vec<u8>,
    /// After ChangeCipherSpec (up to TLS 1.2) nothing is readable.
    encrypted: bool,
}

#[derive(Default)]
struct Reader {
    sides: [Side; 2],
    session: Session,
    garbage: bool,
}

impl Reader {
    fn record(&mut self, dir: Dir, kind: u8, body: &[u8], chunk: &Chunk<'_>, out: &mut Out) {
        let encrypted = self.sides[dir.index()].encrypted;
        match kind {
            content::CHANGE_CIPHER_SPEC => {
                self.session.change_cipher_spec(dir);
                // In TLS 1.3 it means nothing (RFC 8446 D.4).
                self.sides[dir.index()].encrypted = !self.session.is_13();
                let both = self.sides.iter().all(|side| side.encrypted);
                if both {
                    self.session.established(out);
                }
            }
            content::ALERT if !encrypted => self.session.alert(dir, body),
            content::HANDSHAKE if !encrypted => self.handshake(dir, body, chunk, out),
            content::DATA => self.session.data(dir, out),
            content::HEARTBEAT => self.session.heartbeat(dir, body, encrypted),
            _ => {}
        }
    }

    fn handshake(&mut self, dir: Dir, body: &[u8], chunk: &Chunk<'_>, out: &mut Out) {
        let mut messages = std::mem::take(&mut self.sides[dir.index()].messages);
        messages.extend_from_slice(body);
        let mut rest = bytes::Bytes(&messages);
        loop {
            let mut ahead = rest;
            let Some((kind, length)) = (|| Some((ahead.u8()?, ahead.u24()?)))() else { break };
            if length > MESSAGE_MAX {
                rest = bytes::Bytes(&[]);
                break;
            }
            let Some(content) = ahead.take(length) else { break };
            rest = ahead;
            self.session.message(dir, kind, content, chunk, out);
        }
        self.sides[dir.index()].messages = rest.0.to_vec();
    }
}

impl Dissector for Reader {
    fn data(&mut self, chunk: &Chunk<'_>, out: &mut Out) {
        let dir = chunk.dir;
        let mut rest = chunk.bytes;
        while self.wants(dir) {
            let Some(record) = self.sides[dir.index()].records.next(&mut rest) else { return };
            match record {
                Record::Tls { kind, body } => self.record(dir, kind, &body, chunk, out),
                Record::V2(body) => self.session.v2_message(dir, &body, chunk),
                Record::Garbage => self.garbage = true,
            }
        }
    }

    fn gap(&mut self, dir: Dir, missing: u64, _out: &mut Out) {
        let side = &mut self.sides[dir.index()];
        side.records.gap(missing);
        side.messages.clear();
    }

    fn end(&mut self, out: &mut Out) {
        for dir in [Dir::Orig, Dir::Resp] {
            let side = &self.sides[dir.index()];
            if !side.encrypted {
                let broken = [side.messages.as_slice(), side.records.unfinished()].concat();
                self.session.broken_message(dir, &broken);
            }
        }
        self.session.say(out);
    }

    fn confirmed(&self) -> bool {
        self.session.is_known()
    }

    fn wants(&self, _dir: Dir) -> bool {
        !self.garbage && !self.session.is_said()
    }
}
