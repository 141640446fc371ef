//! TLS and SSL as far as it is in clear: hellos, certificates, alerts, fingerprints. Once the handshake is over nothing more is read,
//! unless its keys are known: then what it carries is read as if it had come in clear ([`decrypt`]).

pub mod bytes;
pub mod carried;
mod decrypt;
pub mod dtls;
mod hello;
mod ja;
mod inside;
mod names;
mod record;
mod session;
#[cfg(test)]
mod tests;

use super::{Answer, Chunk, Dissector, Out, Probe, Protocol, Setting};
use crate::model::{Dir, Proto};
use decrypt::{Decryption, Sealed};
use inside::Inside;
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
    /// After ChangeCipherSpec (up to TLS 1.2) nothing is readable in clear.
    encrypted: bool,
}

#[derive(Default)]
struct Reader {
    sides: [Side; 2],
    session: Session,
    garbage: bool,
    setting: Setting,
    /// Whether keys were looked for.
    sought: bool,
    /// What is read with keys.
    inside: Option<Box<Inside>>,
}

impl Reader {
    fn record(&mut self, dir: Dir, record: &Sealed<'_>, chunk: &Chunk<'_>, out: &mut Out) {
        if self.inside.as_ref().is_some_and(|inside| inside.cipher.seals(dir, record.kind)) {
            return self.sealed(dir, record, chunk, out);
        }
        let encrypted = self.sides[dir.index()].encrypted;
        match record.kind {
            content::CHANGE_CIPHER_SPEC => self.change_cipher_spec(dir, out),
            content::ALERT if !encrypted => self.session.alert(dir, record.body),
            content::HANDSHAKE if !encrypted => {
                self.handshake(dir, record.body, false, chunk, out);
                if self.session.is_13() {
                    self.seek_keys(out);
                }
            }
            content::DATA => self.session.data(dir, out),
            content::HEARTBEAT => self.session.heartbeat(dir, record.body, encrypted),
            _ => {}
        }
    }

    fn change_cipher_spec(&mut self, dir: Dir, out: &mut Out) {
        self.session.change_cipher_spec(dir);
        // In TLS 1.3 it means nothing (RFC 8446 D.4).
        self.sides[dir.index()].encrypted = !self.session.is_13();
        self.seek_keys(out);
        let both = self.sides.iter().all(|side| side.encrypted);
        match &mut self.inside {
            Some(inside) => {
                inside.cipher.change_cipher_spec(dir);
                inside.over |= both;
            }
            None if both => self.session.established(out),
            None => {}
        }
    }

    /// Looks for keys, once: when all that they depend on was said.
    fn seek_keys(&mut self, out: &Out) {
        let Some((terms, client)) = self.session.terms().filter(|_| !self.sought) else { return };
        self.sought = true;
        let Some((keys, setting)) = self.setting.keys.as_ref().zip(self.setting.decrypted()) else { return };
        if let Some(cipher) = Decryption::new(keys, terms, client) {
            self.inside = Some(Box::new(Inside::new(cipher, out.conn, setting)));
            self.sides.iter_mut().for_each(|side| side.records.keeps_data = true);
        }
    }

    /// A record that only keys can open.
    fn sealed(&mut self, dir: Dir, record: &Sealed<'_>, chunk: &Chunk<'_>, out: &mut Out) {
        let Some(inside) = &mut self.inside else { return };
        inside.over |= self.session.is_over_with(dir);
        match inside.cipher.open(dir, record) {
            Some((content::HANDSHAKE, bytes)) => self.handshake(dir, &bytes, true, chunk, out),
            Some((content::CHANGE_CIPHER_SPEC, _)) => self.renewed(dir),
            Some((content::DATA, bytes)) => inside.data(dir, &bytes, chunk, out),
            // Before it closes.
            Some((content::ALERT, bytes)) if bytes == [1, 0] => inside.fin(dir, out),
            Some(_) => {}
            None => inside.lost(dir, record.body.len() as u64, out),
        }
        self.judge(out);
    }

    /// Says the row once it is proven that the keys fit, or that they do not.
    fn judge(&mut self, out: &mut Out) {
        let Some(inside) = &self.inside else { return };
        if inside.cipher.is_proven() && inside.over && !self.session.is_said() {
            self.session.is_decrypted();
            self.session.established(out);
        } else if inside.cipher.is_hopeless() {
            if inside.over {
                self.session.established(out);
            }
            self.inside = None;
            self.sides.iter_mut().for_each(|side| side.records.keeps_data = false);
        }
    }

    /// Up to TLS 1.2 a connection may negotiate anew, under its old keys, until `dir` changes to new ones.
    fn renewed(&mut self, dir: Dir) {
        if let (Some(inside), Some(keys), Some((terms, client))) = (&mut self.inside, &self.setting.keys, self.session.terms()) {
            inside.cipher.renew(keys, terms, client, dir);
        }
    }

    fn handshake(&mut self, dir: Dir, body: &[u8], hidden: bool, chunk: &Chunk<'_>, out: &mut Out) {
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
            if hidden {
                self.session.hidden_message(dir, kind, content, chunk, out);
                if let Some(inside) = &mut self.inside {
                    inside.cipher.said(dir, kind);
                }
            } else {
                self.session.message(dir, kind, content, chunk, out);
            }
        }
        self.sides[dir.index()].messages = rest.0.to_vec();
    }
}

impl Dissector for Reader {
    fn settle(&mut self, setting: &Setting) {
        self.setting = setting.clone();
    }

    fn data(&mut self, chunk: &Chunk<'_>, out: &mut Out) {
        let dir = chunk.dir;
        let mut rest = chunk.bytes;
        while self.wants(dir) {
            let Some(record) = self.sides[dir.index()].records.next(&mut rest) else { return };
            match record {
                Record::Tls { kind, version, body } => self.record(dir, &Sealed { kind, version, body: &body }, chunk, out),
                Record::V2(body) => self.session.v2_message(dir, &body, chunk),
                Record::Garbage => self.garbage = true,
            }
        }
    }

    fn gap(&mut self, dir: Dir, missing: u64, out: &mut Out) {
        let side = &mut self.sides[dir.index()];
        side.records.gap(missing);
        side.messages.clear();
        if let Some(inside) = &mut self.inside {
            inside.cipher.missed(dir, missing);
            inside.lost(dir, missing, out);
        }
    }

    fn fin(&mut self, dir: Dir, out: &mut Out) {
        if let Some(inside) = &mut self.inside {
            inside.fin(dir, out);
        }
    }

    fn end(&mut self, out: &mut Out) {
        for dir in [Dir::Orig, Dir::Resp] {
            let side = &self.sides[dir.index()];
            if !side.encrypted {
                let broken = [side.messages.as_slice(), side.records.unfinished()].concat();
                self.session.broken_message(dir, &broken);
            }
        }
        if let Some(inside) = &mut self.inside {
            inside.end(out);
            if inside.cipher.is_proven() {
                self.session.is_decrypted();
            }
            if inside.over {
                self.session.established(out);
            }
        }
        self.session.say(out);
    }

    fn confirmed(&self) -> bool {
        self.session.is_known()
    }

    fn service(&self, name: &'static str) -> &'static str {
        self.inside.as_ref().map_or(name, |inside| inside.service(name))
    }

    fn wants(&self, dir: Dir) -> bool {
        !self.garbage && (!self.session.is_said() || self.inside.as_ref().is_some_and(|inside| inside.wants(dir)))
    }
}
