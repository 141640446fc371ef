//! Telnet (RFC 854): option negotiation taken out, typed text put together, prompts and answers read as a person would.

use super::credential;
use super::rlogin::Names;
use super::typing::Typing;
use crate::dissect::{Answer, Chunk, Dissector, Out, Probe, Protocol, escape};
use crate::model::{Conn, Dir, Event, Proto, Ts};
use std::collections::VecDeque;

/// Telnet over TCP.
pub const TELNET: Protocol = Protocol { name: "telnet", over: &[Proto::Tcp], probe, make: |_: &Conn| Box::new(Session::new("telnet")) };

const IAC: u8 = 255;
const SB: u8 = 250;
const SE: u8 = 240;
/// WILL, WONT, DO, DONT.
const NEGOTIATION: std::ops::RangeInclusive<u8> = 251..=254;
/// Options in use end here (IANA), but for one.
const LAST_OPTION: u8 = 49;
/// Bytes of the server's current line kept.
const TAIL: usize = 512;
/// Longest user or secret kept, bytes.
const LONGEST: usize = 256;
/// Lines typed ahead of a prompt.
const AHEAD: usize = 8;
/// Ports where a login prompt without any negotiation is taken for Telnet.
const HOME: [u16; 4] = [23, 2323, 23_231, 2_223];

const ASKS_USER: [&str; 6] = ["login:", "username:", "user name:", "user:", "account:", "login name:"];
const ASKS_SECRET: [&str; 4] = ["password:", "passwd:", "passcode:", "password"];
const REFUSALS: [&str; 12] = [
    "incorrect",
    "invalid",
    "failed",
    "failure",
    "denied",
    "bad password",
    "bad username",
    "wrong",
    "try again",
    "not authorized",
    "unknown user",
    "authentication error",
];
const WELCOMES: [&str; 3] = ["last login", "busybox v", "logged in successfully"];

fn probe(probe: &Probe<'_>) -> Answer {
    match probe.bytes {
        [IAC, verb, option, ..] if NEGOTIATION.contains(verb) => {
            if *option <= LAST_OPTION || *option == IAC {
                Answer::Certain
            } else {
                Answer::NotForUs
            }
        }
        [IAC] => Answer::Unsure,
        [IAC, verb] if NEGOTIATION.contains(verb) => Answer::Unsure,
        text if HOME.contains(&probe.resp_p) && is_text(text) => {
            let line = current_line(text);
            let prompt = probe.dir == Dir::Resp && (asks(&line, &ASKS_USER) || asks(&line, &ASKS_SECRET));
            if prompt { Answer::Certain } else { Answer::Unsure }
        }
        _ => Answer::NotForUs,
    }
}

fn is_text(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| matches!(byte, 0 | 7..=13 | 27 | b' '..=b'~' | 128..=254))
}

fn current_line(text: &[u8]) -> String {
    let line = text.rsplit(|&byte| byte == b'\n' || byte == b'\r').next().unwrap_or_default();
    String::from_utf8_lossy(line.get(line.len().saturating_sub(TAIL)..).unwrap_or_default()).to_ascii_lowercase()
}

fn asks(line: &str, prompts: &[&str]) -> bool {
    let line = line.trim_end_matches([' ', '\0', '\u{7}', '\t']);
    prompts.iter().any(|prompt| line.ends_with(prompt)) && !line.trim_start().starts_with("last login")
}

/// Whether a line ends as the prompts of shells do.
pub(super) fn is_shell(line: &str) -> bool {
    plain(line).trim().ends_with(['$', '#', '>', '%'])
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A line as the screen shows it after all corrections.
fn echoed(bytes: &[u8]) -> String {
    let mut shown = Vec::new();
    for c in plain(&text(bytes)).chars().filter(|c| *c != '\u{7}') {
        if c == '\u{8}' {
            shown.pop();
        } else {
            shown.push(c);
        }
    }
    escape(shown.into_iter().collect::<String>().trim_end().as_bytes(), LONGEST)
}

/// A line without colours and cursor movements.
fn plain(line: &str) -> String {
    line.split('\u{1b}').enumerate().map(|(at, part)| if at == 0 { part } else { after_escape(part) }).collect()
}

fn after_escape(part: &str) -> &str {
    part.find(|c: char| c.is_ascii_alphabetic()).map_or("", |at| part.get(at + 1..).unwrap_or_default())
}

/// A session of typed text, whatever carries it.
pub(super) struct Session {
    service: &'static str,
    strip: [Strip; 2],
    /// What stands before the text of rlogin.
    names: Option<Names>,
    typing: Typing,
    /// The server's line when the first key of the client's was hit, if one was.
    prompt: Option<Vec<u8>>,
    /// A key that sends several bytes is under way: a cursor key, say.
    key_goes_on: bool,
    /// The shell was asked to complete the line or to recall another: what is typed is not what it takes.
    completed: bool,
    negotiated: bool,
    prompted: bool,
    /// The server's line so far.
    tail: Vec<u8>,
    typed: Vec<u8>,
    ahead: VecDeque<Typed>,
    asked: Asked,
    user: Option<String>,
    attempt: Option<Attempt>,
    logged_in: bool,
}

impl Session {
    fn new(service: &'static str) -> Self {
        Self {
            service,
            strip: Default::default(),
            names: None,
            typing: Typing::new(service),
            prompt: None,
            key_goes_on: false,
            completed: false,
            negotiated: false,
            prompted: false,
            tail: Vec::new(),
            typed: Vec::new(),
            ahead: VecDeque::new(),
            asked: Asked::Nothing,
            user: None,
            attempt: None,
            logged_in: false,
        }
    }

    /// rlogin: the same text behind other beginnings.
    pub fn rlogin() -> Self {
        Self { names: Some(Names::default()), negotiated: true, ..Self::new("rlogin") }
    }
}

#[derive(Default, Clone, Copy, PartialEq)]
enum Asked {
    #[default]
    Nothing,
    User,
    Secret,
}

struct Typed {
    text: String,
    frame: u64,
    ts_ns: Ts,
}

struct Attempt {
    user: Option<String>,
    secret: Typed,
}

impl Dissector for Session {
    fn data(&mut self, chunk: &Chunk<'_>, out: &mut Out) {
        let mut text = Vec::with_capacity(chunk.bytes.len());
        match (&mut self.names, chunk.dir) {
            (Some(names), Dir::Orig) => {
                if let Some([_, user, _]) = names.feed(chunk.bytes, &mut text).as_deref() {
                    self.user = Some(escape(user, LONGEST)).filter(|user| !user.is_empty());
                }
            }
            (Some(_), Dir::Resp) => text.extend(chunk.bytes.iter().filter(|&&byte| byte != 0)),
            (None, dir) => {
                let Some(strip) = self.strip.get_mut(dir.index()) else { return };
                self.negotiated |= strip.feed(chunk.bytes, &mut text);
            }
        }
        for byte in text {
            if self.typing.is_full() {
                break;
            }
            match chunk.dir {
                Dir::Orig => self.key(byte, chunk, out),
                Dir::Resp => self.shown(byte, out),
            }
        }
        if chunk.cut > 0 {
            self.gap(chunk.dir, u64::from(chunk.cut), out);
        }
    }

    fn gap(&mut self, dir: Dir, _missing: u64, _out: &mut Out) {
        match dir {
            // Half a password is not a password.
            Dir::Orig => {
                self.typed.clear();
                self.asked = Asked::Nothing;
            }
            Dir::Resp => self.tail.clear(),
        }
        self.strip[dir.index()] = Strip::default();
    }

    fn end(&mut self, out: &mut Out) {
        self.read_prompt(out);
        self.settle(None, out);
        self.typing.finish(out);
    }

    fn confirmed(&self) -> bool {
        self.negotiated || self.prompted
    }

    fn wants(&self, _dir: Dir) -> bool {
        !self.typing.is_full()
    }
}

impl Session {
    fn key(&mut self, byte: u8, chunk: &Chunk<'_>, out: &mut Out) {
        self.read_prompt(out);
        if self.prompt.is_none() && !matches!(byte, b'\r' | b'\n' | 0) {
            self.prompt = Some(self.tail.clone());
            self.typing.interrupted();
        }
        self.completed |= matches!(byte, b'\t' | 27);
        if self.key_goes_on {
            self.key_goes_on = !(byte.is_ascii_alphabetic() || byte == b'~');
            return;
        }
        match byte {
            27 => self.key_goes_on = true,
            b'\r' | b'\n' => {
                // CR NUL, CR LF and LF all end a line; the second byte of a pair ends none.
                let ends_pair = byte == b'\n' && std::mem::take(&mut self.strip[0].after_cr);
                self.strip[0].after_cr = byte == b'\r';
                if !ends_pair {
                    let text = escape(&std::mem::take(&mut self.typed), LONGEST);
                    self.line(Typed { text, frame: chunk.frame, ts_ns: chunk.ts_ns }, out);
                    self.typing.note_full(chunk, out);
                }
                return;
            }
            8 | 127 => {
                self.typed.pop();
            }
            // Ctrl-C, Ctrl-U
            3 | 21 => self.typed.clear(),
            0 => {}
            _ if self.typed.len() < LONGEST => self.typed.push(byte),
            _ => {}
        }
        self.strip[0].after_cr = false;
    }

    fn line(&mut self, typed: Typed, out: &mut Out) {
        let (prompt, completed) = (self.prompt.take(), std::mem::take(&mut self.completed));
        match self.asked {
            // What is typed without being asked may be a secret typed ahead: only a shell takes commands.
            Asked::Nothing if self.logged_in || prompt.as_deref().is_some_and(|prompt| is_shell(&text(prompt))) => {
                let prompt = prompt.unwrap_or_default();
                let echo = self.tail.strip_prefix(prompt.as_slice()).filter(|_| completed).map(echoed).filter(|echo| !echo.is_empty());
                let command = echo.unwrap_or(typed.text);
                self.typing.enter(&plain(&text(&prompt)), &command, self.user.as_deref(), (typed.frame, typed.ts_ns), out);
            }
            Asked::Nothing => {
                if !typed.text.is_empty() && self.ahead.len() < AHEAD {
                    self.ahead.push_back(typed);
                }
            }
            Asked::User => {
                self.user = Some(typed.text).filter(|user| !user.is_empty());
                self.asked = Asked::Nothing;
            }
            Asked::Secret => {
                self.settle(None, out);
                self.attempt = Some(Attempt { user: self.user.clone(), secret: typed });
                self.asked = Asked::Nothing;
            }
        }
    }

    fn shown(&mut self, byte: u8, out: &mut Out) {
        self.typing.shown(byte);
        if byte == b'\n' || byte == b'\r' {
            let line = String::from_utf8_lossy(&self.tail).to_ascii_lowercase();
            self.tail.clear();
            if self.attempt.is_some() && REFUSALS.iter().any(|word| line.contains(word)) {
                self.settle(Some(false), out);
            } else if self.attempt.is_some() && WELCOMES.iter().any(|word| line.contains(word)) {
                self.settle(Some(true), out);
            }
            return;
        }
        if self.tail.len() < TAIL {
            self.tail.push(byte);
        }
        // Only who typed ahead is served before the client's next key: the line is not finished yet.
        if byte == b':' && !self.ahead.is_empty() {
            self.read_prompt(out);
            if self.asked != Asked::Nothing
                && let Some(typed) = self.ahead.pop_front()
            {
                self.line(typed, out);
            }
        }
    }

    /// What the server's unfinished line asks for.
    fn read_prompt(&mut self, out: &mut Out) {
        if self.tail.is_empty() {
            return;
        }
        let line = String::from_utf8_lossy(&self.tail).to_ascii_lowercase();
        let asked = if asks(&line, &ASKS_USER) {
            Asked::User
        } else if asks(&line, &ASKS_SECRET) {
            Asked::Secret
        } else {
            Asked::Nothing
        };
        if asked != Asked::Nothing {
            // Asked again: the last attempt was no good.
            self.settle(Some(false), out);
            self.prompted = true;
            self.asked = asked;
            self.tail.clear();
        } else if self.attempt.is_some() && is_shell(&line) {
            self.settle(Some(true), out);
        }
    }

    fn settle(&mut self, success: Option<bool>, out: &mut Out) {
        let Some(Attempt { user, secret }) = self.attempt.take() else { return };
        let Typed { text, frame, ts_ns } = secret;
        self.logged_in |= success == Some(true);
        out.say(frame, ts_ns, Event::Credential(Box::new(credential(self.service, user, text, success))));
    }
}

/// Takes commands out of the text.
#[derive(Default)]
struct Strip {
    state: State,
    after_cr: bool,
}

#[derive(Default, Clone, Copy)]
enum State {
    #[default]
    Text,
    Command,
    Option,
    Sub,
    SubCommand,
}

impl Strip {
    /// Appends the text of `bytes`; returns whether there was a command.
    fn feed(&mut self, bytes: &[u8], text: &mut Vec<u8>) -> bool {
        let mut commands = false;
        for &byte in bytes {
            self.state = match (self.state, byte) {
                (State::Text, IAC) => State::Command,
                (State::Text, byte) => {
                    text.push(byte);
                    State::Text
                }
                (State::Command, IAC) => {
                    text.push(IAC);
                    State::Text
                }
                (State::Command, SB) => State::Sub,
                (State::Command, verb) if NEGOTIATION.contains(&verb) => State::Option,
                (State::Option, _) => {
                    commands = true;
                    State::Text
                }
                (State::Command, _) | (State::SubCommand, SE) => State::Text,
                (State::Sub, IAC) => State::SubCommand,
                (State::Sub | State::SubCommand, _) => State::Sub,
            };
        }
        commands
    }
}
