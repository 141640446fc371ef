//! POP3 (RFC 1939, 2449, 5034): one row a command with its answer; messages fetched become files.

use super::cut::Cutter;
use super::message::{Carrier, Message};
use crate::dissect::login::credential;
use crate::dissect::login::lines::{Line, Lines};
use crate::dissect::login::sasl::Exchange;
use crate::dissect::{Answer, Chunk, Dissector, Out, Probe, Protocol, escape};
use crate::model::event::Pop3;
use crate::model::{Conn, Dir, Event, Proto, Ts};
use std::collections::VecDeque;

/// POP3 over TCP.
pub const POP3: Protocol = Protocol { name: "pop3", over: &[Proto::Tcp], probe, make: |_: &Conn| Box::new(Session::default()) };

/// Commands waiting for a reply.
const PENDING: usize = 64;
/// Longest text kept, bytes.
const TEXT: usize = 512;
/// Capabilities kept.
const CAPABILITIES: usize = 64;
/// Commands of the protocol and its extensions; others are told only if they look like one.
const KNOWN: [&str; 19] = [
    "USER", "PASS", "APOP", "AUTH", "STLS", "CAPA", "QUIT", "NOOP", "STAT", "LIST", "RETR", "DELE", "RSET", "TOP", "UIDL", "UTF8", "LANG",
    "XTND", "LAST",
];

fn probe(probe: &Probe<'_>) -> Answer {
    let at_home = probe.resp_p == 110;
    let bytes = probe.bytes;
    match probe.dir {
        // Redis says a bare "+OK" too; a greeting says more.
        Dir::Resp => match bytes {
            [b'+', b'O', b'K', b' ', _, ..] => Answer::Certain,
            [b'+', b'O', b'K', ..] if at_home => Answer::Certain,
            short if b"+OK\r\n".starts_with(short) || short == b"+OK " => Answer::Unsure,
            _ => Answer::NotForUs,
        },
        Dir::Orig => {
            let starts = |word: &[u8]| bytes.get(..word.len()).is_some_and(|part| part.eq_ignore_ascii_case(word));
            if starts(b"CAPA\r\n") || starts(b"APOP ") || (at_home && (starts(b"USER ") || starts(b"AUTH"))) {
                Answer::Certain
            } else if starts(b"USER ") || [&b"CAPA\r\n"[..], b"APOP ", b"USER "].iter().any(|word| word.starts_with(bytes)) {
                Answer::Unsure
            } else {
                Answer::NotForUs
            }
        }
    }
}

#[derive(Default)]
struct Session {
    lines: [Lines; 2],
    pending: VecDeque<Command>,
    /// An answer of several lines under way.
    listing: Option<Box<Listing>>,
    user: Option<String>,
    commands: u64,
    replies: u64,
    over: bool,
}

struct Command {
    row: Pop3,
    kind: Kind,
    frame: u64,
    ts_ns: Ts,
}

enum Kind {
    Pass(Option<String>, String),
    Apop(String),
    Sasl(Exchange),
    Tls,
    Capabilities,
    Message,
    List,
    Other,
}

/// Lines up to a lone dot.
struct Listing {
    command: Command,
    cutter: Cutter,
    message: Option<Message>,
}

impl Dissector for Session {
    fn data(&mut self, chunk: &Chunk<'_>, out: &mut Out) {
        let mut rest = chunk.bytes;
        while !rest.is_empty() && !self.over {
            if chunk.dir == Dir::Resp && self.listing.is_some() {
                self.listed(&mut rest, chunk, out);
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
        if let Some(listing) = self.listing.as_mut().filter(|_| dir == Dir::Resp) {
            listing.cutter.gap();
            if let Some(message) = &mut listing.message {
                message.gap(missing);
            }
            return;
        }
        self.lines[dir.index()].gap();
        while let Some(command) = self.pending.pop_front() {
            self.settle(command, None, out);
        }
    }

    fn end(&mut self, out: &mut Out) {
        self.end_listing(false, out);
        while let Some(command) = self.pending.pop_front() {
            self.settle(command, None, out);
        }
    }

    fn confirmed(&self) -> bool {
        self.replies > 0 || self.commands > 1
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
        let word = line.text.split(|&byte| byte == b' ').next().unwrap_or_default();
        let name = escape(word, 16).to_ascii_uppercase();
        if !KNOWN.contains(&name.as_str()) {
            return;
        }
        let rest = escape(line.text.get(word.len() + 1..).unwrap_or_default(), TEXT);
        let mut words = rest.split_ascii_whitespace();
        let mut argument = Some(rest.clone()).filter(|rest| !rest.is_empty());
        let kind = match name.as_str() {
            "USER" => {
                self.user = Some(rest.clone());
                Kind::Other
            }
            "PASS" => {
                argument = None;
                Kind::Pass(self.user.clone(), rest)
            }
            "APOP" => {
                let user = words.next().unwrap_or_default().to_owned();
                argument = Some(user.clone());
                self.user = Some(user.clone());
                Kind::Apop(user)
            }
            "AUTH" => match words.next() {
                Some(mechanism) => {
                    argument = Some(mechanism.to_owned());
                    Kind::Sasl(Exchange::new(mechanism, words.next()))
                }
                None => Kind::List,
            },
            "STLS" => Kind::Tls,
            "CAPA" => Kind::Capabilities,
            "RETR" | "TOP" => Kind::Message,
            "LIST" | "UIDL" if argument.is_none() => Kind::List,
            _ => Kind::Other,
        };
        self.commands += 1;
        if self.pending.len() >= PENDING
            && let Some(oldest) = self.pending.pop_front()
        {
            self.settle(oldest, None, out);
        }
        let row = Pop3 { command: Some(name), argument, ..Pop3::default() };
        self.pending.push_back(Command { row, kind, frame: chunk.frame, ts_ns: chunk.ts_ns });
    }

    fn server(&mut self, line: &Line, out: &mut Out) {
        let (accepted, text) = match line.text.strip_prefix(b"+OK") {
            Some(text) => (true, text),
            None => match line.text.strip_prefix(b"-ERR") {
                Some(text) => (false, text),
                None => return,
            },
        };
        self.replies += 1;
        // Nothing pending: the greeting.
        let Some(mut command) = self.pending.pop_front() else { return };
        command.row.status = Some(if accepted { "OK" } else { "ERR" });
        command.row.message = Some(escape(text.trim_ascii(), TEXT)).filter(|text| !text.is_empty());
        if accepted && matches!(command.kind, Kind::Capabilities | Kind::Message | Kind::List) {
            let carrier = Carrier { source: "POP3", is_orig: false };
            let message = matches!(command.kind, Kind::Message).then(|| Message::new(carrier));
            self.listing = Some(Box::new(Listing { command, cutter: Cutter::default(), message }));
            return;
        }
        self.over |= accepted && matches!(command.kind, Kind::Tls);
        self.settle(command, Some(accepted), out);
    }

    /// The next line of an answer of several.
    fn listed(&mut self, rest: &mut &[u8], chunk: &Chunk<'_>, out: &mut Out) {
        let Some(listing) = &mut self.listing else { return };
        let Some(mut piece) = listing.cutter.next(rest) else { return };
        if piece.first && matches!(piece.bytes.as_slice(), b".\r\n" | b".\n") {
            self.end_listing(true, out);
            return;
        }
        if piece.first && piece.bytes.first() == Some(&b'.') {
            piece.bytes.remove(0);
        }
        let row = &mut listing.command.row;
        row.response_bytes += piece.bytes.len() as u64;
        if let Some(message) = &mut listing.message {
            message.piece(&piece, (chunk.frame, chunk.ts_ns), out);
        } else if matches!(listing.command.kind, Kind::Capabilities) && row.capabilities.len() < CAPABILITIES {
            row.capabilities.push(escape(piece.bytes.trim_ascii(), TEXT));
        }
    }

    fn end_listing(&mut self, complete: bool, out: &mut Out) {
        let Some(listing) = self.listing.take() else { return };
        let Listing { mut command, message, .. } = *listing;
        if let Some(message) = message {
            command.row.fuids = message.finish(complete, (command.frame, command.ts_ns), out).fuids;
        }
        self.settle(command, Some(true), out);
    }

    fn settle(&mut self, command: Command, success: Option<bool>, out: &mut Out) {
        let Command { mut row, kind, frame, ts_ns } = command;
        let found = match kind {
            Kind::Pass(user, secret) => Some(credential("pop3", user, secret, success)),
            Kind::Apop(user) => Some(credential("pop3", Some(user), String::new(), success)),
            Kind::Sasl(exchange) => exchange.attempt("pop3", success),
            _ => None,
        };
        if let Some(found) = found {
            self.user = self.user.take().or_else(|| found.user.clone());
            out.say(frame, ts_ns, Event::Credential(Box::new(found)));
        }
        row.user.clone_from(&self.user);
        out.say(frame, ts_ns, Event::Pop3(Box::new(row)));
    }
}
