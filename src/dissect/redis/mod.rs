//! Redis (RESP 2 and 3): every command with its answer, as Zeek has it, and the logins.

mod command;
#[cfg(test)]
mod tests;
mod value;

use super::{Answer, Chunk, Dissector, Out, Probe, Protocol, escape, login};
use crate::model::{Dir, Event, Proto, Ts, event::Redis};
use std::collections::VecDeque;
use value::{TEXT_MAX, Value, Values};

/// How Redis is recognised and read.
pub const PROTOCOL: Protocol = Protocol { name: "redis", over: &[Proto::Tcp], probe, make: |_| Box::new(Session::default()) };

/// Commands that wait for their answer: Redis asks not to pipeline more.
const PENDING_MAX: usize = 10_000;

fn probe(probe: &Probe<'_>) -> Answer {
    let at_home = probe.resp_p == 6379;
    match (probe.dir, probe.bytes) {
        (Dir::Orig, [b'*', rest @ ..]) => array_of_strings(rest),
        (Dir::Orig, text) if at_home => inline(text),
        (Dir::Resp, text) => {
            let telling: [&[u8]; 4] = [b"-NOAUTH", b"+PONG\r\n", b"-WRONGPASS", b"-DENIED Redis"];
            match telling.iter().any(|word| text.starts_with(word)) {
                true => Answer::Certain,
                false if telling.iter().any(|word| word.starts_with(text)) => Answer::Unsure,
                false => Answer::NotForUs,
            }
        }
        _ => Answer::NotForUs,
    }
}

/// Words on a line, the first of letters and then digits: what people type into a connection to the port.
fn inline(text: &[u8]) -> Answer {
    let line = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let name = line.split(|byte| byte.is_ascii_whitespace()).next().unwrap_or_default();
    let begins = name.first().is_none_or(u8::is_ascii_alphabetic);
    let letters = (2..=24).contains(&name.len()) && begins && name.iter().all(u8::is_ascii_alphanumeric);
    let printable = line.iter().all(|byte| matches!(byte, b'\t' | b'\r' | b' '..=b'~'));
    match (letters && printable, line.len() < text.len()) {
        (true, true) => Answer::Certain,
        (true, false) if line.len() < 512 => Answer::Unsure,
        (false, false) if line.len() < 2 && printable => Answer::Unsure,
        _ => Answer::NotForUs,
    }
}

/// `*2`, then `$4`, then what it counts.
fn array_of_strings(rest: &[u8]) -> Answer {
    let mut lines = rest.split(|&byte| byte == b'\n');
    let number = |line: &[u8]| !line.is_empty() && line.len() <= 7 && line.iter().all(u8::is_ascii_digit);
    let (count, length) = (lines.next().unwrap_or_default(), lines.next());
    match (count.strip_suffix(b"\r"), length) {
        (Some(count), Some([b'$', length @ ..])) if number(count) => match length.strip_suffix(b"\r") {
            Some(length) if number(length) && lines.next().is_some() => Answer::Certain,
            Some(_) if lines.next().is_some() => Answer::NotForUs,
            _ => Answer::Unsure,
        },
        (Some(count), Some([])) if number(count) => Answer::Unsure,
        (None, None) if count.len() <= 8 && count.iter().all(|byte| byte.is_ascii_digit() || *byte == b'\r') => Answer::Unsure,
        _ => Answer::NotForUs,
    }
}

#[derive(Default)]
struct Session {
    sides: [Values; 2],
    pending: VecDeque<Pending>,
    /// `CLIENT REPLY OFF` is in force, or one answer is to be skipped.
    quiet: Quiet,
    /// Messages come without being asked for (RESP 2 has no mark for them).
    subscribed: bool,
    /// Something was lost: answers are told by their order alone, so none is paired any more.
    unpaired: bool,
    /// Bytes of the client are lost: the next command that begins a segment is waited for.
    adrift: bool,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Quiet {
    #[default]
    No,
    Once,
    Until,
}

/// A command without its answer.
struct Pending {
    row: Box<Redis>,
    login: Option<(Option<String>, String)>,
    place: (u64, Ts),
    answered: bool,
}

impl Session {
    fn command(&mut self, value: &Value, chunk: &Chunk<'_>, out: &mut Out) {
        let words = match value {
            Value::Inline(line) => command::words(line),
            Value::List(values) => {
                let text = |value: &Value| if let Value::Text(text) = value { text.clone() } else { Vec::new() };
                values.iter().map(text).collect()
            }
            _ => return,
        };
        let Some(first) = words.first() else { return };
        let name = escape(first, 64).to_ascii_uppercase();
        let text = |bytes: &[u8]| escape(bytes, TEXT_MAX);
        let (key, value) = command::key_and_value(&name, &words);
        let login = command::login(&name, &words).map(|(user, secret)| (user.map(|user| text(&user)), text(&secret)));
        let row = Redis {
            cmd_name: escape(first, 64),
            cmd_key: key.map(text),
            cmd_value: value.map(text),
            cmd_args: login.is_none().then(|| text(&words.get(1..).unwrap_or_default().join(&b' '))).filter(|args| !args.is_empty()),
            ..Redis::default()
        };
        let answered = self.expects_answer(&name, &words);
        // A client that reads no answers is not followed.
        if self.pending.len() >= PENDING_MAX
            && let Some(oldest) = self.pending.pop_front()
        {
            oldest.say(out);
        }
        self.pending.push_back(Pending { row: Box::new(row), login, place: (chunk.frame, chunk.ts_ns), answered });
    }

    /// `CLIENT REPLY ON|OFF|SKIP` and subscriptions change which commands are answered.
    fn expects_answer(&mut self, name: &str, words: &[Vec<u8>]) -> bool {
        let word = |at: usize| words.get(at).map(|word| word.to_ascii_uppercase()).unwrap_or_default();
        let before = self.quiet;
        if self.quiet == Quiet::Once {
            self.quiet = Quiet::No;
        }
        if name == "CLIENT" && word(1) == b"REPLY" {
            self.quiet = match word(2).as_slice() {
                b"ON" => Quiet::No,
                b"OFF" => Quiet::Until,
                b"SKIP" if before != Quiet::Until => Quiet::Once,
                _ => self.quiet,
            };
            return self.quiet == Quiet::No;
        }
        match name {
            "SUBSCRIBE" | "PSUBSCRIBE" | "SSUBSCRIBE" => self.subscribed = true,
            "QUIT" | "RESET" | "HELLO" => self.subscribed = false,
            _ => {}
        }
        before == Quiet::No && !name.ends_with("SUBSCRIBE")
    }

    fn reply(&mut self, value: &Value, chunk: &Chunk<'_>, out: &mut Out) {
        let out_of_band = matches!(value, Value::Push(_)) || (self.subscribed && matches!(value, Value::List(_)));
        if out_of_band {
            return;
        }
        while let Some(mut asked) = self.pending.pop_front() {
            if asked.answered {
                asked.row.success = Some(!matches!(value, Value::Error(_)));
                asked.row.reply_value = Some(value.shown());
                asked.row.reply_frame = Some(chunk.frame);
                asked.say(out);
                return;
            }
            asked.say(out);
        }
    }
}

impl Pending {
    fn say(self, out: &mut Out) {
        let (frame, ts_ns) = self.place;
        if let Some((user, secret)) = self.login {
            out.say(frame, ts_ns, Event::Credential(Box::new(login::credential("redis", user, secret, self.row.success))));
        }
        out.say(frame, ts_ns, Event::Redis(self.row));
    }
}

impl Dissector for Session {
    fn data(&mut self, chunk: &Chunk<'_>, out: &mut Out) {
        let mut rest = chunk.bytes;
        if self.adrift && chunk.dir == Dir::Orig {
            self.adrift = rest.strip_prefix(b"*").is_none_or(|rest| array_of_strings(rest) != Answer::Certain);
        }
        while self.wants(chunk.dir)
            && !(self.adrift && chunk.dir == Dir::Orig)
            && let Some(value) = self.sides.get_mut(chunk.dir.index()).and_then(|side| side.next(&mut rest))
        {
            match chunk.dir {
                Dir::Orig => self.command(&value, chunk, out),
                Dir::Resp => self.reply(&value, chunk, out),
            }
        }
        if self.unpaired {
            self.end(out);
        }
        if chunk.cut > 0 {
            self.gap(chunk.dir, u64::from(chunk.cut), out);
        }
    }

    fn gap(&mut self, dir: Dir, _missing: u64, out: &mut Out) {
        self.end(out);
        self.unpaired = true;
        self.adrift |= dir == Dir::Orig;
        if let Some(side) = self.sides.get_mut(dir.index()) {
            *side = Values::default();
        }
    }

    fn end(&mut self, out: &mut Out) {
        std::mem::take(&mut self.pending).into_iter().for_each(|asked| asked.say(out));
    }

    fn confirmed(&self) -> bool {
        true
    }

    fn wants(&self, dir: Dir) -> bool {
        !(self.unpaired && dir == Dir::Resp)
    }
}
