//! IMAP as far as the login goes (RFC 9051 6.2). Mail itself is not read here.

use super::credential;
use super::lines::{Line, Lines};
use super::sasl::Exchange;
use crate::dissect::{Answer, Chunk, Dissector, Out, Probe, Protocol, escape};
use crate::model::{Conn, Dir, Event, Proto, Ts};
use std::collections::VecDeque;

/// IMAP over TCP.
pub const IMAP: Protocol = Protocol { name: "imap", over: &[Proto::Tcp], probe, make: |_: &Conn| Box::new(Session::default()) };

/// Logins waiting for a reply.
const PENDING: usize = 32;
/// Bytes of a command spread over literals.
const COMMAND: usize = 8_192;
/// Longest user or secret kept, bytes.
const LONGEST: usize = 512;

fn probe(probe: &Probe<'_>) -> Answer {
    let bytes = probe.bytes;
    match probe.dir {
        Dir::Resp => {
            let greetings: [&[u8]; 3] = [b"* OK ", b"* PREAUTH ", b"* BYE "];
            if greetings.iter().any(|greeting| bytes.starts_with(greeting)) {
                Answer::Certain
            } else if greetings.iter().any(|greeting| greeting.starts_with(bytes)) {
                Answer::Unsure
            } else {
                Answer::NotForUs
            }
        }
        Dir::Orig => {
            let mut words = bytes.split(|&byte| matches!(byte, b' ' | b'\r' | b'\n'));
            let tag = words.next().unwrap_or_default();
            if tag.is_empty() || tag.len() > 12 || !tag.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'.') {
                return Answer::NotForUs;
            }
            let numbered = tag.iter().any(u8::is_ascii_digit);
            match words.next().map(<[u8]>::to_ascii_uppercase).as_deref() {
                Some(b"CAPABILITY" | b"LOGIN" | b"AUTHENTICATE" | b"STARTTLS" | b"ID") if numbered && words.next().is_some() => {
                    Answer::Certain
                }
                Some(word) if !b"CAPABILITY LOGIN AUTHENTICATE STARTTLS ID".windows(word.len().max(1)).any(|part| part == word) => {
                    Answer::NotForUs
                }
                _ => Answer::Unsure,
            }
        }
    }
}

#[derive(Default)]
struct Session {
    lines: [Lines; 2],
    /// A command whose literal goes on in the next line.
    part: Vec<u8>,
    pending: VecDeque<Login>,
    seen: bool,
    over: bool,
}

struct Login {
    tag: Vec<u8>,
    kind: Kind,
    frame: u64,
    ts_ns: Ts,
}

enum Kind {
    Login(String, String),
    Sasl(Exchange),
    Tls,
}

impl Dissector for Session {
    fn data(&mut self, chunk: &Chunk<'_>, out: &mut Out) {
        let mut rest = chunk.bytes;
        while let Some(line) = self.lines.get_mut(chunk.dir.index()).filter(|_| !self.over).and_then(|lines| lines.next(&mut rest)) {
            match chunk.dir {
                Dir::Orig => self.client(&line, chunk, out),
                Dir::Resp => self.server(&line, out),
            }
        }
        if chunk.cut > 0 {
            self.gap(chunk.dir, u64::from(chunk.cut), out);
        }
    }

    fn gap(&mut self, dir: Dir, _missing: u64, out: &mut Out) {
        self.lines[dir.index()].gap();
        self.part.clear();
        self.end(out);
    }

    fn end(&mut self, out: &mut Out) {
        while let Some(login) = self.pending.pop_front() {
            login.settle(None, out);
        }
    }

    fn confirmed(&self) -> bool {
        self.seen
    }

    fn hands_over(&self) -> bool {
        self.over
    }

    fn wants(&self, _dir: Dir) -> bool {
        !self.over
    }
}

impl Session {
    fn client(&mut self, line: &Line, chunk: &Chunk<'_>, out: &mut Out) {
        if let Some(Login { kind: Kind::Sasl(exchange), .. }) = self.pending.back_mut()
            && !exchange.complete()
        {
            exchange.answer(&line.text);
            return;
        }
        self.part.extend(line.text.iter().take(COMMAND.saturating_sub(self.part.len())));
        if line.text.ends_with(b"}") && literal(&line.text).is_some() && self.part.len() < COMMAND {
            self.part.extend(b"\r\n");
            return;
        }
        let command = std::mem::take(&mut self.part);
        let mut fields = Fields(&command);
        let (Some(tag), Some(word)) = (fields.next(), fields.next()) else { return };
        let text = |field: Option<Vec<u8>>| field.map(|field| escape(&field, LONGEST));
        let kind = match word.to_ascii_uppercase().as_slice() {
            b"LOGIN" => Kind::Login(text(fields.next()).unwrap_or_default(), text(fields.next()).unwrap_or_default()),
            b"AUTHENTICATE" => Kind::Sasl(Exchange::new(&text(fields.next()).unwrap_or_default(), text(fields.next()).as_deref())),
            b"STARTTLS" => Kind::Tls,
            // Only who is logged in selects a mailbox.
            b"SELECT" | b"EXAMINE" | b"LIST" | b"LSUB" | b"STATUS" | b"APPEND" | b"FETCH" | b"UID" => {
                self.end(out);
                self.over = self.seen;
                return;
            }
            _ => return,
        };
        self.seen = true;
        if self.pending.len() >= PENDING
            && let Some(oldest) = self.pending.pop_front()
        {
            oldest.settle(None, out);
        }
        self.pending.push_back(Login { tag, kind, frame: chunk.frame, ts_ns: chunk.ts_ns });
    }

    fn server(&mut self, line: &Line, out: &mut Out) {
        self.seen |= line.text.starts_with(b"* ") || !self.pending.is_empty();
        let mut words = line.text.split(|&byte| byte == b' ');
        let (Some(tag), Some(status)) = (words.next(), words.next()) else { return };
        let accepted = match status.to_ascii_uppercase().as_slice() {
            b"OK" => true,
            b"NO" | b"BAD" => false,
            _ => return,
        };
        if let Some(at) = self.pending.iter().position(|login| login.tag == tag)
            && let Some(login) = self.pending.remove(at)
        {
            login.settle(Some(accepted), out);
            self.over |= accepted;
        }
    }
}

impl Login {
    fn settle(self, success: Option<bool>, out: &mut Out) {
        let found = match self.kind {
            Kind::Login(user, secret) => Some(credential("imap", Some(user), secret, success)),
            Kind::Sasl(exchange) => exchange.attempt("imap", success),
            Kind::Tls => None,
        };
        if let Some(found) = found {
            out.say(self.frame, self.ts_ns, Event::Credential(Box::new(found)));
        }
    }
}

/// The length announced by `{n}` or `{n+}` at the end of a line.
fn literal(line: &[u8]) -> Option<usize> {
    let start = line.iter().rposition(|&byte| byte == b'{')?;
    let number = line.get(start + 1..line.len() - 1)?;
    std::str::from_utf8(number.strip_suffix(b"+").unwrap_or(number)).ok()?.parse().ok()
}

/// Atoms, quoted strings and literals of a command.
struct Fields<'a>(&'a [u8]);

impl Iterator for Fields<'_> {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let rest = self.0.trim_ascii_start();
        match rest {
            [] => None,
            [b'"', quoted @ ..] => {
                let mut text = Vec::new();
                let mut bytes = quoted.iter().enumerate();
                while let Some((at, &byte)) = bytes.next() {
                    match byte {
                        b'"' => {
                            self.0 = quoted.get(at + 1..).unwrap_or_default();
                            return Some(text);
                        }
                        b'\\' => text.extend(bytes.next().map(|(_, &byte)| byte)),
                        byte => text.push(byte),
                    }
                }
                self.0 = &[];
                Some(text)
            }
            [b'{', ..] => {
                let end = memchr::memchr(b'\n', rest)?;
                let length = literal(rest.get(..end)?.trim_ascii_end())?;
                let body = rest.get(end + 1..)?;
                let (text, after) = body.split_at(length.min(body.len()));
                self.0 = after;
                Some(text.to_vec())
            }
            _ => {
                let end = rest.iter().position(|byte| byte.is_ascii_whitespace()).unwrap_or(rest.len());
                let (atom, after) = rest.split_at(end);
                self.0 = after;
                Some(atom.to_vec())
            }
        }
    }
}
