//! SMTP as far as AUTH goes (RFC 4954). Mail itself is not read here.

use super::lines::{Line, Lines};
use super::sasl::Exchange;
use crate::dissect::{Answer, Chunk, Dissector, Out, Probe, Protocol};
use crate::model::{Conn, Dir, Event, Proto};

/// SMTP over TCP.
pub const SMTP: Protocol = Protocol { name: "smtp", over: &[Proto::Tcp], probe, make: |_: &Conn| Box::new(Session::default()) };

const GREETINGS: [&[u8]; 3] = [b"EHLO", b"HELO", b"LHLO"];

fn probe(probe: &Probe<'_>) -> Answer {
    let bytes = probe.bytes;
    let word = bytes.get(..bytes.len().min(4)).unwrap_or_default();
    match probe.dir {
        Dir::Orig => match bytes.get(4) {
            Some(b' ' | b'\r' | b'\n') if GREETINGS.iter().any(|known| word.eq_ignore_ascii_case(known)) => Answer::Certain,
            None if GREETINGS.iter().any(|known| known.get(..word.len()).is_some_and(|known| known.eq_ignore_ascii_case(word))) => {
                Answer::Unsure
            }
            _ => Answer::NotForUs,
        },
        Dir::Resp => {
            let says_so = bytes.windows(4).any(|part| part.eq_ignore_ascii_case(b"smtp"));
            match bytes {
                [b'2', b'2', b'0', b' ' | b'-', ..] | [b'5', b'5', b'4', b' ' | b'-', ..] if says_so => Answer::Certain,
                [b'2', b'2', b'0', b' ' | b'-', ..] => Answer::Unsure,
                short if b"220".starts_with(short) => Answer::Unsure,
                _ => Answer::NotForUs,
            }
        }
    }
}

#[derive(Default)]
struct Session {
    lines: [Lines; 2],
    exchange: Option<Exchange>,
    greeted: bool,
    tls_asked: bool,
    over: bool,
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
        self.settle(None, out);
    }

    fn end(&mut self, out: &mut Out) {
        self.settle(None, out);
    }

    fn confirmed(&self) -> bool {
        self.greeted
    }

    fn hands_over(&self) -> bool {
        self.over && self.tls_asked
    }

    fn wants(&self, _dir: Dir) -> bool {
        !self.over
    }
}

impl Session {
    fn client(&mut self, line: &Line, chunk: &Chunk<'_>, out: &mut Out) {
        if let Some(exchange) = self.exchange.as_mut().filter(|exchange| !exchange.complete()) {
            exchange.answer(&line.text);
            (exchange.frame, exchange.ts_ns) = (chunk.frame, chunk.ts_ns);
            return;
        }
        let text = line.escaped();
        let mut words = text.split_ascii_whitespace();
        match words.next().unwrap_or_default().to_ascii_uppercase().as_str() {
            "AUTH" => {
                self.settle(None, out);
                let mut exchange = Exchange::new(words.next().unwrap_or_default(), words.next());
                (exchange.frame, exchange.ts_ns) = (chunk.frame, chunk.ts_ns);
                self.exchange = Some(exchange);
            }
            "EHLO" | "HELO" | "LHLO" => self.greeted = true,
            "STARTTLS" => self.tls_asked = true,
            // Whoever writes mail has logged in, or need not.
            "MAIL" => {
                self.settle(None, out);
                self.over = true;
            }
            _ => {}
        }
    }

    fn server(&mut self, line: &Line, out: &mut Out) {
        let code = line.text.get(..3).unwrap_or_default();
        let last = line.text.get(3).is_none_or(|&byte| byte == b' ');
        let refused = matches!(code, [b'4' | b'5', ..]);
        self.greeted |= code == b"220";
        match code {
            b"235" => {
                self.settle(Some(true), out);
                self.over = true;
            }
            _ if refused && self.exchange.is_some() => self.settle(Some(false), out),
            b"220" if self.tls_asked => self.over = true,
            _ if last && code != b"334" => self.tls_asked = false,
            _ => {}
        }
    }

    fn settle(&mut self, success: Option<bool>, out: &mut Out) {
        let Some(exchange) = self.exchange.take() else { return };
        let (frame, ts_ns) = (exchange.frame, exchange.ts_ns);
        if let Some(found) = exchange.attempt("smtp", success) {
            out.say(frame, ts_ns, Event::Credential(Box::new(found)));
        }
    }
}
