//! IMAP (RFC 3501, 9051): one row a command with its answer; messages fetched and stored become files.

use super::message::{Carrier, Message};
use crate::dissect::login::credential;
use crate::dissect::login::lines::{Line, Lines};
use crate::dissect::login::sasl::Exchange;
use crate::dissect::{Answer, Chunk, Dissector, Out, Probe, Protocol, escape};
use crate::model::event::Imap;
use crate::model::{Conn, Dir, Event, Proto, Ts};
use std::collections::VecDeque;

/// IMAP over TCP.
pub const IMAP: Protocol = Protocol { name: "imap", over: &[Proto::Tcp], probe, make: |_: &Conn| Box::new(Session::default()) };

/// Commands waiting for a reply.
const PENDING: usize = 64;
/// Bytes of a command spread over literals.
const COMMAND: usize = 8_192;
/// Longest text kept, bytes.
const TEXT: usize = 512;
/// Capabilities kept.
const CAPABILITIES: usize = 64;
/// Files named in one row.
const FUIDS: usize = 256;

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
    /// A literal under way, per direction.
    literals: [Option<Literal>; 2],
    /// A command whose literal goes on in the next line.
    part: Vec<u8>,
    pending: VecDeque<Command>,
    /// What untagged answers tell, until the command that they are for is answered.
    told: Told,
    user: Option<String>,
    mailbox: Option<String>,
    seen: bool,
    over: bool,
}

#[derive(Default)]
struct Told {
    capabilities: Vec<String>,
    responses: u32,
    bytes: u64,
    fuids: Vec<String>,
}

struct Literal {
    left: u64,
    /// The literal is a whole message.
    message: Option<Box<Message>>,
}

struct Command {
    tag: Vec<u8>,
    row: Imap,
    kind: Kind,
    frame: u64,
    ts_ns: Ts,
}

enum Kind {
    Login(String, String),
    Sasl(Exchange),
    Tls,
    Select(String),
    Other,
}

impl Dissector for Session {
    fn data(&mut self, chunk: &Chunk<'_>, out: &mut Out) {
        let mut rest = chunk.bytes;
        while !rest.is_empty() && !self.over {
            if self.literals[chunk.dir.index()].is_some() {
                self.literal(&mut rest, chunk, out);
                continue;
            }
            let Some(line) = self.lines.get_mut(chunk.dir.index()).and_then(|lines| lines.next(&mut rest)) else { break };
            match chunk.dir {
                Dir::Orig => self.client(&line, chunk, out),
                Dir::Resp => self.server(&line, out),
            }
        }
        if chunk.cut > 0 {
            self.gap(chunk.dir, u64::from(chunk.cut), out);
        }
    }

    fn gap(&mut self, dir: Dir, missing: u64, out: &mut Out) {
        if let Some(literal) = self.literals.get_mut(dir.index()).and_then(Option::as_mut) {
            let within = missing.min(literal.left);
            literal.left -= within;
            if let Some(message) = &mut literal.message {
                message.gap(within);
            }
            if within == missing {
                return;
            }
            self.end_literal(dir, false, (0, 0), out);
        }
        self.lines[dir.index()].gap();
        self.part.clear();
        while let Some(command) = self.pending.pop_front() {
            self.settle(command, None, out);
        }
    }

    fn end(&mut self, out: &mut Out) {
        for dir in [Dir::Orig, Dir::Resp] {
            self.end_literal(dir, false, (0, 0), out);
        }
        while let Some(command) = self.pending.pop_front() {
            self.settle(command, None, out);
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
        if let Some(Command { kind: Kind::Sasl(exchange), .. }) = self.pending.back_mut()
            && !exchange.complete()
        {
            exchange.answer(&line.text);
            return;
        }
        self.part.extend(line.text.iter().take(COMMAND.saturating_sub(self.part.len())));
        if let Some(size) = literal(&line.text).filter(|_| self.part.len() < COMMAND) {
            self.part.extend(b"\r\n");
            let append = Fields(&self.part).nth(1).is_some_and(|word| word.eq_ignore_ascii_case(b"APPEND"));
            let message = append.then(|| Box::new(Message::new(Carrier { source: "IMAP", is_orig: true })));
            self.literals[0] = Some(Literal { left: size, message });
            return;
        }
        let command = std::mem::take(&mut self.part);
        self.command(&command, chunk, out);
    }

    fn command(&mut self, command: &[u8], chunk: &Chunk<'_>, out: &mut Out) {
        let mut fields = Fields(command);
        let (Some(tag), Some(word)) = (fields.next(), fields.next()) else { return };
        if tag.len() > 32 || word.len() > 20 || !word.iter().all(|byte| byte.is_ascii_alphanumeric()) {
            return;
        }
        let mut name = escape(&word, 20).to_ascii_uppercase();
        if name == "UID"
            && let Some(second) = fields.next()
        {
            name = format!("UID {}", escape(&second, 20).to_ascii_uppercase());
        }
        let rest = escape(fields.0.trim_ascii(), TEXT);
        let mut argument = Some(rest).filter(|rest| !rest.is_empty());
        let text = |field: Option<Vec<u8>>| field.map(|field| escape(&field, TEXT));
        let kind = match name.as_str() {
            "LOGIN" => {
                let user = text(fields.next()).unwrap_or_default();
                argument = Some(user.clone());
                Kind::Login(user, text(fields.next()).unwrap_or_default())
            }
            "AUTHENTICATE" => {
                let mechanism = text(fields.next()).unwrap_or_default();
                argument = Some(mechanism.clone());
                Kind::Sasl(Exchange::new(&mechanism, text(fields.next()).as_deref()))
            }
            "STARTTLS" => Kind::Tls,
            "SELECT" | "EXAMINE" => Kind::Select(text(fields.next()).unwrap_or_default()),
            _ => Kind::Other,
        };
        self.seen |= name.len() > 1;
        if self.pending.len() >= PENDING
            && let Some(oldest) = self.pending.pop_front()
        {
            self.settle(oldest, None, out);
        }
        let row = Imap { tag: Some(escape(&tag, 32)), command: Some(name), argument, ..Imap::default() };
        self.pending.push_back(Command { tag, row, kind, frame: chunk.frame, ts_ns: chunk.ts_ns });
    }

    fn server(&mut self, line: &Line, out: &mut Out) {
        self.seen |= line.text.starts_with(b"* ") || !self.pending.is_empty();
        self.told.bytes += line.text.len() as u64 + 2;
        if let Some(size) = literal(&line.text) {
            let message = holds_message(&line.text).then(|| Box::new(Message::new(Carrier { source: "IMAP", is_orig: false })));
            self.literals[1] = Some(Literal { left: size, message });
        }
        let mut words = line.text.splitn(3, |&byte| byte == b' ');
        let (Some(tag), Some(status)) = (words.next(), words.next()) else { return };
        let text = words.next().unwrap_or_default();
        self.capabilities(status, text);
        if tag == b"*" {
            self.told.responses = self.told.responses.saturating_add(1);
            return;
        }
        let (accepted, status) = match status.to_ascii_uppercase().as_slice() {
            b"OK" => (true, "OK"),
            b"NO" => (false, "NO"),
            b"BAD" => (false, "BAD"),
            _ => return,
        };
        if let Some(at) = self.pending.iter().position(|command| command.tag == tag)
            && let Some(mut command) = self.pending.remove(at)
        {
            command.row.status = Some(status);
            command.row.message = Some(escape(text, TEXT)).filter(|text| !text.is_empty());
            if let (true, Kind::Select(mailbox)) = (accepted, &command.kind) {
                self.mailbox = Some(mailbox.clone());
            }
            self.over |= accepted && matches!(command.kind, Kind::Tls);
            self.settle(command, Some(accepted), out);
        }
    }

    /// `* CAPABILITY …`, or within brackets of an answer.
    fn capabilities(&mut self, status: &[u8], text: &[u8]) {
        let list = if status.eq_ignore_ascii_case(b"CAPABILITY") {
            text
        } else if text.get(..12).is_some_and(|start| start.eq_ignore_ascii_case(b"[CAPABILITY ")) {
            text.get(12..).and_then(|text| text.split(|&byte| byte == b']').next()).unwrap_or_default()
        } else {
            return;
        };
        let words = list.split(|&byte| byte == b' ').filter(|word| !word.is_empty());
        self.told.capabilities = words.take(CAPABILITIES).map(|word| escape(word, 64)).collect();
    }

    fn literal(&mut self, rest: &mut &[u8], chunk: &Chunk<'_>, out: &mut Out) {
        let place = (chunk.frame, chunk.ts_ns);
        let Some(literal) = self.literals.get_mut(chunk.dir.index()).and_then(Option::as_mut) else { return };
        let now = usize::try_from(literal.left).unwrap_or(usize::MAX).min(rest.len());
        let (bytes, later) = rest.split_at(now);
        *rest = later;
        literal.left -= now as u64;
        let left = literal.left;
        match (&mut literal.message, chunk.dir) {
            (Some(message), _) => message.data(bytes, place, out),
            (None, Dir::Orig) => self.part.extend(bytes.iter().take(COMMAND.saturating_sub(self.part.len()))),
            (None, Dir::Resp) => {}
        }
        if chunk.dir == Dir::Resp {
            self.told.bytes += now as u64;
        }
        if left == 0 {
            self.end_literal(chunk.dir, true, place, out);
        }
    }

    fn end_literal(&mut self, dir: Dir, complete: bool, place: (u64, Ts), out: &mut Out) {
        let literal = self.literals.get_mut(dir.index()).and_then(Option::take);
        if let Some(message) = literal.and_then(|literal| literal.message) {
            let fuids = message.finish(complete, place, out).fuids;
            let room = FUIDS.saturating_sub(self.told.fuids.len());
            self.told.fuids.extend(fuids.into_iter().take(room));
        }
    }

    fn settle(&mut self, command: Command, success: Option<bool>, out: &mut Out) {
        let Command { mut row, kind, frame, ts_ns, .. } = command;
        let found = match kind {
            Kind::Login(user, secret) => Some(credential("imap", Some(user), secret, success)),
            Kind::Sasl(exchange) => exchange.attempt("imap", success),
            Kind::Tls | Kind::Select(_) | Kind::Other => None,
        };
        if let Some(found) = found {
            self.user = if success == Some(false) { self.user.take() } else { found.user.clone() };
            row.user.clone_from(&found.user);
            out.say(frame, ts_ns, Event::Credential(Box::new(found)));
        } else {
            row.user.clone_from(&self.user);
        }
        let Told { capabilities, responses, bytes, fuids } = std::mem::take(&mut self.told);
        (row.capabilities, row.responses, row.response_bytes, row.fuids) = (capabilities, responses, bytes, fuids);
        row.mailbox.clone_from(&self.mailbox);
        out.say(frame, ts_ns, Event::Imap(Box::new(row)));
    }
}

/// What a literal of a FETCH answer is: the whole of a message, or a part that says too little alone.
fn holds_message(line: &[u8]) -> bool {
    let upper = line.to_ascii_uppercase();
    let before = upper.get(..upper.iter().rposition(|&byte| byte == b'{').unwrap_or(0)).unwrap_or_default().trim_ascii_end();
    before.ends_with(b"BODY[]") || before.ends_with(b"RFC822") || before.ends_with(b"BODY[]<0>") || before.ends_with(b"BINARY[]")
}

/// The length announced by `{n}` or `{n+}` at the end of a line.
fn literal(line: &[u8]) -> Option<u64> {
    let inner = line.strip_suffix(b"}")?;
    let start = inner.iter().rposition(|&byte| byte == b'{')?;
    let number = inner.get(start + 1..)?;
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
                let length = usize::try_from(literal(rest.get(..end)?.trim_ascii_end())?).unwrap_or(usize::MAX);
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
