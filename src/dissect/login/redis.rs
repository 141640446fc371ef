//! Redis (RESP) as far as AUTH goes. Without AUTH a server is open to all, which the service name alone tells.

use super::credential;
use super::lines::Lines;
use crate::dissect::{Answer, Chunk, Dissector, Out, Probe, Protocol, escape};
use crate::model::{Conn, Dir, Event, Proto, Ts};
use std::collections::VecDeque;

/// Redis over TCP.
pub const REDIS: Protocol = Protocol { name: "redis", over: &[Proto::Tcp], probe, make: |_: &Conn| Box::new(Session::default()) };

/// Commands after which an AUTH is no longer waited for.
const COMMANDS: u32 = 64;
/// Elements of one command kept, and their longest length.
const ELEMENTS: usize = 8;
const LONGEST: usize = 512;

fn probe(probe: &Probe<'_>) -> Answer {
    let at_home = probe.resp_p == 6379;
    let bytes = probe.bytes;
    match (probe.dir, bytes) {
        (Dir::Orig, [b'*', rest @ ..]) => {
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
        (Dir::Orig, text) if at_home => {
            let inline: [&[u8]; 6] = [b"PING", b"INFO", b"AUTH ", b"CONFIG ", b"KEYS ", b"CLIENT "];
            let matches = |word: &&&[u8]| text.get(..word.len()).is_some_and(|part| part.eq_ignore_ascii_case(word));
            if inline.iter().any(|word| matches(&word)) { Answer::Certain } else { Answer::NotForUs }
        }
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

#[derive(Default)]
struct Session {
    parsers: [Parser; 2],
    pending: VecDeque<Option<Auth>>,
    commands: u32,
    over: bool,
}

struct Auth {
    user: Option<String>,
    secret: String,
    frame: u64,
    ts_ns: Ts,
}

impl Dissector for Session {
    fn data(&mut self, chunk: &Chunk<'_>, out: &mut Out) {
        let mut rest = chunk.bytes;
        while let Some(value) = self.parsers.get_mut(chunk.dir.index()).filter(|_| !self.over).and_then(|parser| parser.next(&mut rest)) {
            match chunk.dir {
                Dir::Orig => self.command(&value, chunk),
                Dir::Resp => self.reply(&value, out),
            }
        }
        if chunk.cut > 0 {
            self.gap(chunk.dir, u64::from(chunk.cut), out);
        }
    }

    fn gap(&mut self, _dir: Dir, _missing: u64, out: &mut Out) {
        // Values are nested by count: after a loss nothing tells where the next one starts.
        self.end(out);
        self.over = true;
    }

    fn end(&mut self, out: &mut Out) {
        for auth in std::mem::take(&mut self.pending).into_iter().flatten() {
            auth.settle(None, out);
        }
    }

    fn confirmed(&self) -> bool {
        true
    }

    fn wants(&self, _dir: Dir) -> bool {
        !self.over
    }
}

impl Session {
    fn command(&mut self, words: &[Vec<u8>], chunk: &Chunk<'_>) {
        let upper = |at: usize| words.get(at).map(|word: &Vec<u8>| word.to_ascii_uppercase()).unwrap_or_default();
        let text = |at: usize| words.get(at).map(|word| escape(word, LONGEST));
        let named = match upper(0).as_slice() {
            b"AUTH" if words.len() > 2 => Some((text(1), text(2))),
            b"AUTH" => Some((None, text(1))),
            b"HELLO" if upper(2) == b"AUTH" => Some((text(3), text(4))),
            _ => None,
        };
        let auth = named.map(|(user, secret)| Auth { user, secret: secret.unwrap_or_default(), frame: chunk.frame, ts_ns: chunk.ts_ns });
        self.commands += 1;
        self.over |= self.commands > COMMANDS && auth.is_none() && self.pending.iter().all(Option::is_none);
        // A client that reads no replies is not followed.
        if self.pending.len() < COMMANDS as usize {
            self.pending.push_back(auth);
        }
    }

    fn reply(&mut self, value: &[Vec<u8>], out: &mut Out) {
        if let Some(Some(auth)) = self.pending.pop_front() {
            let refused = value.first().is_some_and(|first| first.starts_with(b"-"));
            auth.settle(Some(!refused), out);
        }
    }
}

impl Auth {
    fn settle(self, success: Option<bool>, out: &mut Out) {
        let found = credential("redis", self.user, self.secret, success);
        out.say(self.frame, self.ts_ns, Event::Credential(Box::new(found)));
    }
}

/// Reads top-level values; of an array the elements, of anything else its line.
#[derive(Default)]
struct Parser {
    lines: Lines,
    words: Vec<Vec<u8>>,
    /// Elements still to come.
    owed: u64,
    bulk: Option<Bulk>,
}

struct Bulk {
    left: u64,
    kept: Vec<u8>,
}

impl Parser {
    fn next(&mut self, bytes: &mut &[u8]) -> Option<Vec<Vec<u8>>> {
        loop {
            if let Some(bulk) = &mut self.bulk {
                let part = usize::try_from(bulk.left).unwrap_or(usize::MAX).min(bytes.len());
                let (body, rest) = bytes.split_at(part);
                *bytes = rest;
                bulk.kept.extend(body.iter().take(LONGEST.saturating_sub(bulk.kept.len())));
                bulk.left -= part as u64;
                if bulk.left > 0 {
                    return None;
                }
            }
            let line = self.lines.next(bytes)?.text;
            if let Some(bulk) = self.bulk.take() {
                self.keep(bulk.kept);
            } else if !self.header(&line) {
                self.keep(line);
            }
            if self.owed == 0 && self.bulk.is_none() {
                return Some(std::mem::take(&mut self.words));
            }
        }
    }

    /// One element is complete.
    fn keep(&mut self, word: Vec<u8>) {
        if self.words.len() < ELEMENTS {
            self.words.push(word);
        }
        self.owed = self.owed.saturating_sub(1);
    }

    /// Whether the line announces elements or a string rather than being one.
    fn header(&mut self, line: &[u8]) -> bool {
        let Some((kind, number)) = line.split_first() else { return false };
        let count = std::str::from_utf8(number).ok().and_then(|number| number.parse::<i64>().ok());
        match (kind, count) {
            (b'$' | b'=', Some(length)) if length >= 0 => {
                self.bulk = Some(Bulk { left: length.unsigned_abs(), kept: Vec::new() });
                true
            }
            (b'*' | b'>' | b'~', Some(count)) if count >= 0 => {
                self.owed = self.owed.saturating_sub(1).saturating_add(count.unsigned_abs());
                true
            }
            (b'%', Some(pairs)) if pairs >= 0 => {
                self.owed = self.owed.saturating_sub(1).saturating_add(pairs.unsigned_abs().saturating_mul(2));
                true
            }
            (b'*' | b'$' | b'+' | b'-' | b':' | b'_' | b',' | b'#' | b'(', _) => false,
            // An inline command: words on a line.
            _ if self.owed == 0 => {
                self.words = line.split(|&byte| byte == b' ').take(ELEMENTS).map(<[u8]>::to_vec).collect();
                true
            }
            _ => false,
        }
    }
}
