//! SMTP (RFC 5321) with its extensions: pipelining (RFC 2920), chunks (RFC 3030), AUTH (RFC 4954), STARTTLS (RFC 3207), LMTP's greeting. Rows are
//! those of Zeek's `smtp.log`, one for each message that a client sent or began.

mod row;

use super::cut::Cutter;
use super::message::{Carrier, Message};
use crate::dissect::login::lines::{Line, Lines};
use crate::dissect::login::sasl::Exchange;
use crate::dissect::{Answer, Chunk, Dissector, Out, Probe, Protocol, escape};
use crate::model::{Conn, Dir, Event, Proto, Ts};
use row::Row;
use std::collections::VecDeque;

/// SMTP over TCP.
pub const SMTP: Protocol = Protocol { name: "smtp", over: &[Proto::Tcp], probe, make: |_: &Conn| Box::new(Session::default()) };

const GREETINGS: [&[u8]; 3] = [b"EHLO", b"HELO", b"LHLO"];
/// Commands waiting for a reply; beyond it the oldest is forgotten.
const PENDING: usize = 512;
/// Messages sent ahead of the answers to them.
const AHEAD: usize = 64;
/// Longest text of a command or reply kept.
const TEXT: usize = 1_024;

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
    replies: Lines,
    commands: Lines,
    content: Cutter,
    state: State,
    pending: VecDeque<Said>,
    /// The command that the reply under way is for.
    answered: Option<Said>,
    row: Row,
    /// Messages that are sent whole and not answered yet, though the next one has begun.
    ahead: VecDeque<Row>,
    mail: Option<Box<Message>>,
    exchange: Option<Exchange>,
    banner: Option<String>,
    messages: u32,
    /// The server has spoken.
    replied: bool,
    greeted: bool,
    over: bool,
}

/// What the client's next bytes are.
#[derive(Default, Clone, Copy, PartialEq)]
enum State {
    #[default]
    Commands,
    /// A message up to a lone dot; the server has asked for it.
    Data { granted: bool },
    /// So many bytes of a message, and whether they are its last.
    Chunk { left: u64, last: bool },
}

/// A command as far as its reply needs it.
#[derive(Clone, Copy, PartialEq)]
enum Said {
    Greeting,
    Recipient,
    Data,
    /// The dot at the end of a message.
    End,
    Chunk {
        last: bool,
    },
    Tls,
    Auth,
    Other,
}

impl Dissector for Session {
    fn data(&mut self, chunk: &Chunk<'_>, out: &mut Out) {
        let mut rest = chunk.bytes;
        while !rest.is_empty() && !self.over {
            match chunk.dir {
                Dir::Resp => match self.replies.next(&mut rest) {
                    Some(line) => self.server(&line, chunk, out),
                    None => break,
                },
                Dir::Orig => self.client(&mut rest, chunk, out),
            }
        }
        if chunk.cut > 0 {
            self.gap(chunk.dir, u64::from(chunk.cut), out);
        }
    }

    fn gap(&mut self, dir: Dir, missing: u64, out: &mut Out) {
        self.settle(None, out);
        // Which reply answers which command is no longer known.
        self.pending.clear();
        self.answered = None;
        if dir == Dir::Resp {
            self.replies.gap();
            return;
        }
        match &mut self.state {
            State::Commands => self.commands.gap(),
            State::Data { .. } => {
                self.content.gap();
                self.lose(missing);
            }
            State::Chunk { left, .. } => {
                let within = missing.min(*left);
                *left -= within;
                self.lose(within);
                if missing > within {
                    self.state = State::Commands;
                    self.commands.gap();
                }
            }
        }
    }

    fn end(&mut self, out: &mut Out) {
        self.settle(None, out);
        self.end_mail(false, (0, 0), out);
        self.flush(out);
    }

    fn confirmed(&self) -> bool {
        self.greeted
    }

    fn hands_over(&self) -> bool {
        self.over
    }

    fn wants(&self, _dir: Dir) -> bool {
        !self.over
    }
}

impl Session {
    fn client(&mut self, rest: &mut &[u8], chunk: &Chunk<'_>, out: &mut Out) {
        let place = (chunk.frame, chunk.ts_ns);
        match self.state {
            State::Commands => {
                if let Some(line) = self.commands.next(rest) {
                    self.command(&line, place, out);
                }
            }
            State::Data { .. } => {
                let Some(mut piece) = self.content.next(rest) else { return };
                if piece.first && matches!(piece.bytes.as_slice(), b".\r\n" | b".\n") {
                    self.end_mail(true, place, out);
                    self.state = State::Commands;
                    self.expect(Said::End);
                    return;
                }
                if piece.first && piece.bytes.first() == Some(&b'.') {
                    piece.bytes.remove(0);
                }
                self.mail().piece(&piece, place, out);
            }
            State::Chunk { left, last } => {
                let now = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
                let (bytes, later) = rest.split_at(now);
                *rest = later;
                self.mail().data(bytes, place, out);
                self.chunk(left - now as u64, last, place, out);
            }
        }
    }

    /// `left` bytes of a chunk are still to come.
    fn chunk(&mut self, left: u64, last: bool, place: (u64, Ts), out: &mut Out) {
        self.state = State::Chunk { left, last };
        if left == 0 {
            self.state = State::Commands;
            if last {
                self.end_mail(true, place, out);
            }
        }
    }

    fn command(&mut self, line: &Line, place: (u64, Ts), out: &mut Out) {
        if let Some(exchange) = self.exchange.as_mut().filter(|exchange| !exchange.complete()) {
            exchange.answer(&line.text);
            (exchange.frame, exchange.ts_ns) = place;
            self.expect(Said::Auth);
            return;
        }
        let text = escape(&line.text, TEXT);
        let (word, arg) = text.split_once(' ').unwrap_or((&text, ""));
        let arg = arg.trim();
        let said = match word.to_ascii_uppercase().as_str() {
            "EHLO" | "HELO" | "LHLO" => {
                self.greeted = true;
                self.row.greet(arg);
                Said::Other
            }
            "MAIL" => {
                self.settle(None, out);
                self.mail_from(arg, place, out);
                Said::Other
            }
            "RCPT" => {
                self.row.recipient(arg, place);
                Said::Recipient
            }
            "DATA" => {
                self.end_mail(false, place, out);
                (self.state, self.content) = (State::Data { granted: false }, Cutter::default());
                Said::Data
            }
            "BDAT" => {
                let mut words = arg.split_ascii_whitespace();
                let left = words.next().and_then(|number| number.parse().ok()).unwrap_or(0);
                let last = words.next();
                if last.is_none_or(|word| word.eq_ignore_ascii_case("LAST")) {
                    self.expect(Said::Chunk { last: last.is_some() });
                    self.chunk(left, last.is_some(), place, out);
                    return;
                }
                // Anything else is refused, and no bytes follow.
                Said::Other
            }
            "AUTH" => {
                self.settle(None, out);
                let mut words = arg.split_ascii_whitespace();
                let mut exchange = Exchange::new(words.next().unwrap_or_default(), words.next());
                (exchange.frame, exchange.ts_ns) = place;
                self.exchange = Some(exchange);
                Said::Auth
            }
            "STARTTLS" => Said::Tls,
            _ => Said::Other,
        };
        self.expect(said);
    }

    fn mail_from(&mut self, arg: &str, place: (u64, Ts), out: &mut Out) {
        if !arg.get(..5).is_some_and(|word| word.eq_ignore_ascii_case("FROM:")) {
            return;
        }
        self.end_mail(false, place, out);
        if self.row.sent && self.ahead.len() < AHEAD {
            let next = self.row.following();
            self.ahead.push_back(std::mem::replace(&mut self.row, next));
        } else {
            // The last message may lack the server's word on it.
            self.flush(out);
        }
        self.row.sender(arg, place);
    }

    fn expect(&mut self, said: Said) {
        if self.pending.len() >= PENDING {
            self.pending.pop_front();
        }
        self.pending.push_back(said);
    }

    fn server(&mut self, line: &Line, chunk: &Chunk<'_>, out: &mut Out) {
        let Some((digits, text)) = line.text.split_at_checked(3).filter(|_| line.whole) else { return };
        let code = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse::<u16>().ok()).filter(|code| (100..600).contains(code));
        let Some(code) = code else { return };
        let goes_on = text.first() == Some(&b'-');
        self.greeted |= code == 220;
        let first = self.answered.is_none();
        let said = match self.answered {
            Some(said) => said,
            // Some clients do not wait for it.
            None if !self.replied && (self.pending.is_empty() || matches!(code, 220 | 421 | 554)) => Said::Greeting,
            None => self.pending.pop_front().unwrap_or(Said::Other),
        };
        (self.answered, self.replied) = (goes_on.then_some(said), true);
        let text = escape(text.get(1..).unwrap_or_default().trim_ascii_start(), TEXT);
        if said == Said::Greeting && first {
            self.banner = Some(text.clone());
        }
        self.spoken_of().last_reply = Some(format!("{code} {text}"));
        match said {
            Said::End if first => self.answer(code, out),
            _ if !goes_on => self.reply(said, code, (chunk.frame, chunk.ts_ns), out),
            _ => {}
        }
    }

    /// The last line of a reply.
    fn reply(&mut self, said: Said, code: u16, place: (u64, Ts), out: &mut Out) {
        match (said, code) {
            (Said::Data, 354) => {
                if let State::Data { granted } = &mut self.state {
                    *granted = true;
                }
            }
            (Said::Data, 400..) => {
                self.mail = None;
                if matches!(self.state, State::Data { .. }) {
                    self.state = State::Commands;
                }
            }
            (Said::Chunk { last: true }, _) => self.answer(code, out),
            (Said::Recipient, 400..) => self.spoken_of().refused += 1,
            (Said::Tls, 220) => {
                self.row.tls(place);
                self.over = true;
            }
            (Said::Auth, 235) => self.settle(Some(true), out),
            (Said::Auth, 400..) => self.settle(Some(false), out),
            // The dot was lost: only a message that has ended is answered.
            (Said::Other, 250 | 400..) if self.state == (State::Data { granted: true }) && self.pending.is_empty() => {
                self.end_mail(false, place, out);
                self.state = State::Commands;
                self.answer(code, out);
            }
            _ => {}
        }
    }

    /// The message that the server speaks of: the oldest that it has not answered.
    fn spoken_of(&mut self) -> &mut Row {
        self.ahead.front_mut().unwrap_or(&mut self.row)
    }

    /// The server's word on a message: it is over, and the next one begins.
    fn answer(&mut self, code: u16, out: &mut Out) {
        self.spoken_of().accepted = Some(code < 400);
        if let Some(mut row) = self.ahead.pop_front() {
            row.say(self.messages.saturating_add(1), self.banner.as_deref(), out);
        } else {
            self.flush(out);
            self.row = self.row.following();
        }
        self.messages = self.messages.saturating_add(1);
    }

    fn mail(&mut self) -> &mut Message {
        self.mail.get_or_insert_with(|| Box::new(Message::new(Carrier { source: "SMTP", is_orig: true })))
    }

    fn lose(&mut self, missing: u64) {
        self.mail().gap(missing);
    }

    fn end_mail(&mut self, complete: bool, place: (u64, Ts), out: &mut Out) {
        if let Some(mail) = self.mail.take() {
            let seen = mail.finish(complete, place, out);
            self.row.message(seen);
        }
        self.row.sent |= complete;
    }

    fn flush(&mut self, out: &mut Out) {
        for mut row in std::mem::take(&mut self.ahead) {
            row.say(self.messages.saturating_add(1), self.banner.as_deref(), out);
        }
        self.row.say(self.messages.saturating_add(1), self.banner.as_deref(), out);
    }

    fn settle(&mut self, success: Option<bool>, out: &mut Out) {
        let Some(exchange) = self.exchange.take() else { return };
        let (frame, ts_ns) = (exchange.frame, exchange.ts_ns);
        if let Some(found) = exchange.attempt("smtp", success) {
            if success == Some(true) {
                self.row.auth_user.clone_from(&found.user);
            }
            out.say(frame, ts_ns, Event::Credential(Box::new(found)));
        }
    }
}

#[cfg(test)]
mod tests;
