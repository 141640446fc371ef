//! IRC (RFC 1459, 2812; IRCv3 tags): who joined what, what was said, which files were offered. Rows of NICK, USER, JOIN and DCC are Zeek's; the
//! others are for whoever looks for a herder's commands.

mod message;

use super::login::credential;
use super::login::lines::{Line, Lines};
use super::login::sasl::Exchange;
use super::{Answer, Chunk, Dissector, Out, Probe, Protocol, escape};
use crate::model::event::Irc;
use crate::model::{Conn, Dir, Event, Proto, Ts};
use message::Message;
pub(super) use message::Offer;

/// IRC over TCP.
pub const IRC: Protocol = Protocol { name: "irc", over: &[Proto::Tcp], probe, make: |_: &Conn| Box::new(Session::default()) };

/// Rows of one connection.
const ROWS_MAX: u32 = 5_000;
/// Channels of one JOIN.
const CHANNELS_MAX: usize = 16;
/// Longest value kept, bytes.
const TEXT: usize = 512;

/// Registration lines of a client, notices and the welcome of a server.
fn probe(probe: &Probe<'_>) -> Answer {
    let text = probe.bytes;
    match probe.dir {
        Dir::Resp => {
            let line = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
            let notice = [&b"NOTICE AUTH "[..], b"NOTICE * :"];
            match text {
                [b':', ..] if line.windows(8).any(|part| part == b" NOTICE " || part == b" 001 :We") => Answer::Certain,
                // A colon alone begins many things; only the first line is waited for.
                [b':', ..] if line.len() == text.len() && line.len() < TEXT && !line.contains(&0) => Answer::Unsure,
                _ if notice.iter().any(|known| text.starts_with(known)) => Answer::Certain,
                _ if notice.iter().any(|known| known.starts_with(text)) => Answer::Unsure,
                _ => Answer::NotForUs,
            }
        }
        Dir::Orig => {
            let starts = |line: &[u8], word: &[u8]| line.get(..word.len()).is_some_and(|part| part.eq_ignore_ascii_case(word));
            let has = |word: &[u8]| text.split(|&byte| byte == b'\n').any(|line| starts(line, word));
            let at_home = matches!(probe.resp_p, 6_660..=6_669 | 7_000);
            let begins = |word: &[u8]| text.iter().zip(word).all(|(a, b)| a.eq_ignore_ascii_case(b));
            if (has(b"NICK ") && has(b"USER ")) || starts(text, b"CAP LS") || (at_home && starts(text, b"NICK ")) {
                Answer::Certain
            } else if [&b"NICK "[..], b"CAP LS", b"PASS ", b"USER "].iter().any(|word| begins(word)) {
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
    nick: Option<String>,
    user: Option<String>,
    /// Zeek's rows show what the last one set where they set nothing themselves.
    value: Option<String>,
    addl: Option<String>,
    /// Secrets of which the server has not said whether they are right.
    pass: Option<Secret>,
    oper: Option<Secret>,
    sasl: Option<Exchange>,
    rows: u32,
    seen: bool,
    over: bool,
}

struct Secret {
    user: Option<String>,
    text: String,
    frame: u64,
    ts_ns: Ts,
}

impl Dissector for Session {
    fn data(&mut self, chunk: &Chunk<'_>, out: &mut Out) {
        let mut rest = chunk.bytes;
        while let Some(line) = self.lines.get_mut(chunk.dir.index()).filter(|_| !self.over).and_then(|lines| lines.next(&mut rest)) {
            self.line(&line, chunk, out);
        }
        if chunk.cut > 0 {
            self.gap(chunk.dir, u64::from(chunk.cut), out);
        }
    }

    fn gap(&mut self, dir: Dir, _missing: u64, _out: &mut Out) {
        self.lines[dir.index()].gap();
    }

    fn end(&mut self, out: &mut Out) {
        self.passed(None, out);
        self.opered(None, out);
        self.authenticated(None, out);
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
    fn line(&mut self, line: &Line, chunk: &Chunk<'_>, out: &mut Out) {
        let Some(message) = Message::parse(&line.text).filter(|_| line.whole) else { return };
        self.seen = true;
        match chunk.dir {
            Dir::Orig => self.client(&message, &line.text, chunk, out),
            Dir::Resp => self.server(&message, &line.text, chunk, out),
        }
    }

    fn client(&mut self, message: &Message<'_>, line: &[u8], chunk: &Chunk<'_>, out: &mut Out) {
        let param = |n: usize| message.params.get(n).map(|param| escape(param, TEXT));
        match message.command.as_str() {
            "NICK" => {
                self.value = param(0);
                self.zeek("NICK", chunk, out);
                self.nick = param(0);
            }
            "USER" => {
                self.value = param(0);
                self.addl = Some(format!("{} {} {}", param(1).unwrap_or_default(), param(2).unwrap_or_default(), message.real_name()));
                self.zeek("USER", chunk, out);
                self.user = param(0);
            }
            "JOIN" => self.join(message, chunk, out),
            "PASS" => self.pass = Some(Secret { user: None, text: param(0).unwrap_or_default(), frame: chunk.frame, ts_ns: chunk.ts_ns }),
            "OPER" => {
                let text = param(1).unwrap_or_default();
                self.oper = Some(Secret { user: param(0), text, frame: chunk.frame, ts_ns: chunk.ts_ns });
            }
            "AUTHENTICATE" => self.authenticate(message, chunk),
            "PRIVMSG" | "NOTICE" => self.spoken(message, line, chunk, out),
            "TOPIC" | "PART" | "QUIT" | "KICK" | "MODE" | "INVITE" => self.other(message, 0, chunk, out),
            _ => {}
        }
    }

    fn server(&mut self, message: &Message<'_>, line: &[u8], chunk: &Chunk<'_>, out: &mut Out) {
        match message.command.as_str() {
            "001" => self.passed(Some(true), out),
            "464" => {
                self.passed(Some(false), out);
                self.opered(Some(false), out);
            }
            "381" => self.opered(Some(true), out),
            "491" => self.opered(Some(false), out),
            "903" => self.authenticated(Some(true), out),
            "904" | "905" => self.authenticated(Some(false), out),
            "670" => self.over = true,
            // The topic that a newcomer is shown: some botnets keep their orders there.
            "332" => self.other(&Message { command: "TOPIC".into(), ..message.clone() }, 1, chunk, out),
            "PRIVMSG" => self.spoken(message, line, chunk, out),
            // Of the server's own notices there are too many.
            "NOTICE" if message.speaker().is_some() => self.spoken(message, line, chunk, out),
            "TOPIC" | "KICK" | "INVITE" => self.other(message, 0, chunk, out),
            _ => {}
        }
    }

    fn join(&mut self, message: &Message<'_>, chunk: &Chunk<'_>, out: &mut Out) {
        let list = |n: usize| message.params.get(n).copied().unwrap_or_default().split(|&byte| byte == b',');
        let mut keys = list(1);
        for channel in list(0).filter(|channel| !channel.is_empty()).take(CHANNELS_MAX) {
            let key = keys.next().filter(|key| !key.is_empty());
            self.value = Some(escape(channel, TEXT));
            self.addl = key.map(|key| format!(" with channel key: '{}'", escape(key, TEXT)));
            self.zeek("JOIN", chunk, out);
        }
    }

    /// A message, or the offer of a file within one.
    fn spoken(&mut self, message: &Message<'_>, line: &[u8], chunk: &Chunk<'_>, out: &mut Out) {
        if let Some(offer) = Offer::find(line) {
            let mut row = self.row("DCC", chunk);
            (row.value, row.addl) = (self.value.clone(), self.addl.clone());
            row.dcc_file_name = Some(escape(offer.name, TEXT));
            row.dcc_file_size = offer.size;
            row.source = message.speaker().map(|speaker| escape(speaker, TEXT));
            row.dcc_channel = Some(offer.channel());
            self.say(row, chunk, out);
            return;
        }
        if chunk.dir == Dir::Orig && self.identified(message, chunk, out) {
            return;
        }
        self.other(message, 0, chunk, out);
    }

    /// `PRIVMSG NickServ :IDENTIFY secret`: a login, not a message.
    fn identified(&mut self, message: &Message<'_>, chunk: &Chunk<'_>, out: &mut Out) -> bool {
        let [target, text, ..] = message.params.as_slice() else { return false };
        let mut words = text.split(|&byte| byte == b' ').filter(|word| !word.is_empty());
        let asks = words.next().is_some_and(|word| word.eq_ignore_ascii_case(b"IDENTIFY"));
        if !asks || !target.get(..8).is_some_and(|name| name.eq_ignore_ascii_case(b"nickserv")) {
            return false;
        }
        let words: Vec<String> = words.map(|word| escape(word, TEXT)).collect();
        let (user, secret) = match words.as_slice() {
            [account, secret, ..] => (Some(account.clone()), secret.clone()),
            [secret] => (self.nick.clone(), secret.clone()),
            [] => return false,
        };
        out.say(chunk.frame, chunk.ts_ns, Event::Credential(Box::new(credential("irc", user, secret, None))));
        true
    }

    /// A row of ours: the parameter at `at`, and the rest.
    fn other(&mut self, message: &Message<'_>, at: usize, chunk: &Chunk<'_>, out: &mut Out) {
        let mut row = self.row(&message.command, chunk);
        row.value = message.params.get(at).map(|param| escape(param, TEXT));
        let rest: Vec<String> = message.params.iter().skip(at + 1).map(|param| escape(param, TEXT)).collect();
        row.addl = Some(rest.join(" ")).filter(|rest| !rest.is_empty());
        row.source = message.speaker().map(|speaker| escape(speaker, TEXT));
        self.say(row, chunk, out);
    }

    fn zeek(&mut self, command: &str, chunk: &Chunk<'_>, out: &mut Out) {
        let mut row = self.row(command, chunk);
        (row.value, row.addl) = (self.value.clone(), self.addl.clone());
        self.say(row, chunk, out);
    }

    fn row(&self, command: &str, chunk: &Chunk<'_>) -> Irc {
        Irc {
            nick: self.nick.clone(),
            user: self.user.clone(),
            command: Some(command.to_owned()),
            is_orig: chunk.dir == Dir::Orig,
            ..Irc::default()
        }
    }

    fn say(&mut self, row: Irc, chunk: &Chunk<'_>, out: &mut Out) {
        self.rows += 1;
        match self.rows {
            ..=ROWS_MAX => out.say(chunk.frame, chunk.ts_ns, Event::Irc(Box::new(row))),
            _ if self.rows == ROWS_MAX + 1 => out.weird(chunk, "irc", "irc_too_many_messages", format!("{ROWS_MAX}")),
            _ => self.rows = ROWS_MAX + 2,
        }
    }

    fn authenticate(&mut self, message: &Message<'_>, chunk: &Chunk<'_>) {
        let text = message.params.first().copied().unwrap_or_default();
        match &mut self.sasl {
            Some(exchange) if !exchange.complete() => exchange.answer(text),
            _ => {
                let mut exchange = Exchange::new(&escape(text, TEXT), None);
                (exchange.frame, exchange.ts_ns) = (chunk.frame, chunk.ts_ns);
                self.sasl = Some(exchange);
            }
        }
    }

    fn authenticated(&mut self, success: Option<bool>, out: &mut Out) {
        let Some(exchange) = self.sasl.take() else { return };
        let (frame, ts_ns) = (exchange.frame, exchange.ts_ns);
        if let Some(found) = exchange.attempt("irc", success) {
            out.say(frame, ts_ns, Event::Credential(Box::new(found)));
        }
    }

    fn passed(&mut self, success: Option<bool>, out: &mut Out) {
        if let Some(secret) = self.pass.take() {
            Secret { user: self.nick.clone(), ..secret }.say(success, out);
        }
    }

    fn opered(&mut self, success: Option<bool>, out: &mut Out) {
        if let Some(secret) = self.oper.take() {
            secret.say(success, out);
        }
    }
}

impl Secret {
    fn say(self, success: Option<bool>, out: &mut Out) {
        out.say(self.frame, self.ts_ns, Event::Credential(Box::new(credential("irc", self.user, self.text, success))));
    }
}

#[cfg(test)]
mod tests;
