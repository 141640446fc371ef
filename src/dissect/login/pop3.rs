//! POP3 as far as the login goes (RFC 1939, 5034). Mail itself is not read here.

use super::credential;
use super::lines::{Line, Lines};
use super::sasl::Exchange;
use crate::dissect::{Answer, Chunk, Dissector, Out, Probe, Protocol, escape};
use crate::model::{Conn, Dir, Event, Proto, Ts};
use std::collections::VecDeque;

/// POP3 over TCP.
pub const POP3: Protocol = Protocol { name: "pop3", over: &[Proto::Tcp], probe, make: |_: &Conn| Box::new(Session::default()) };

/// Commands waiting for a reply.
const PENDING: usize = 32;
/// Longest user or secret kept, bytes.
const LONGEST: usize = 512;

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
    user: Option<String>,
    commands: u64,
    replies: u64,
    over: bool,
}

struct Command {
    kind: Kind,
    frame: u64,
    ts_ns: Ts,
}

enum Kind {
    Pass(Option<String>, String),
    Apop(String),
    Sasl(Exchange),
    Tls,
    Other,
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
        self.end(out);
    }

    fn end(&mut self, out: &mut Out) {
        while let Some(command) = self.pending.pop_front() {
            settle(command, None, out);
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
        let rest = escape(line.text.get(word.len() + 1..).unwrap_or_default(), LONGEST);
        let mut words = rest.split_ascii_whitespace();
        let kind = match escape(word, 16).to_ascii_uppercase().as_str() {
            "USER" => {
                self.user = Some(rest);
                Kind::Other
            }
            "PASS" => Kind::Pass(self.user.clone(), rest),
            "APOP" => Kind::Apop(words.next().unwrap_or_default().to_owned()),
            "AUTH" => match words.next() {
                Some(mechanism) => Kind::Sasl(Exchange::new(mechanism, words.next())),
                None => Kind::Other,
            },
            "STLS" => Kind::Tls,
            "CAPA" | "QUIT" | "NOOP" | "STAT" | "LIST" | "RETR" | "DELE" | "RSET" | "TOP" | "UIDL" | "UTF8" | "LANG" => Kind::Other,
            _ => return,
        };
        self.commands += 1;
        if self.pending.len() >= PENDING
            && let Some(oldest) = self.pending.pop_front()
        {
            settle(oldest, None, out);
        }
        self.pending.push_back(Command { kind, frame: chunk.frame, ts_ns: chunk.ts_ns });
    }

    fn server(&mut self, line: &Line, out: &mut Out) {
        let accepted = line.text.starts_with(b"+OK");
        if !accepted && !line.text.starts_with(b"-ERR") {
            return;
        }
        self.replies += 1;
        // Nothing pending: the greeting.
        let Some(command) = self.pending.pop_front() else { return };
        let ends = !matches!(command.kind, Kind::Other);
        settle(command, Some(accepted), out);
        self.over |= accepted && ends;
    }
}

fn settle(command: Command, success: Option<bool>, out: &mut Out) {
    let found = match command.kind {
        Kind::Pass(user, secret) => Some(credential("pop3", user, secret, success)),
        Kind::Apop(user) => Some(credential("pop3", Some(user), String::new(), success)),
        Kind::Sasl(exchange) => exchange.attempt("pop3", success),
        Kind::Tls | Kind::Other => None,
    };
    if let Some(found) = found {
        out.say(command.frame, command.ts_ns, Event::Credential(Box::new(found)));
    }
}
