//! FTP's control connection (RFC 959, 2428, 4217): one row a command with its reply, one credential a login.

mod channel;
mod path;

use super::login::credential;
use super::login::lines::{Line, Lines};
use super::{Answer, Chunk, Dissector, Out, Probe, Protocol, escape};
use crate::model::event::{DataChannel, Ftp};
use crate::model::{Conn, Dir, Event, Proto, Ts};
pub(super) use channel::Channel;
use path::Directory;
use std::collections::VecDeque;

/// FTP control connections over TCP.
pub const FTP: Protocol = Protocol { name: "ftp", over: &[Proto::Tcp], probe, make: |_: &Conn| Box::new(Session::default()) };

/// Commands waiting for a reply; a client that sends more without any is not followed.
const PENDING: usize = 64;
/// Bytes of arguments and reply texts kept.
const TEXT: usize = 1_024;
/// Users whose password is no secret.
const GUESTS: [&str; 4] = ["anonymous", "ftp", "ftpuser", "guest"];
/// Commands that other line protocols do not have.
const OWN: [&str; 22] = [
    "SYST", "PASV", "PORT", "EPSV", "EPRT", "TYPE", "CWD", "PWD", "XPWD", "CDUP", "STOR", "STOU", "APPE", "FEAT", "OPTS", "MLSD", "MLST",
    "NLST", "SIZE", "MDTM", "PBSZ", "PROT",
];
/// Commands that POP3 or SMTP know too.
const SHARED: [&str; 18] = [
    "USER", "PASS", "AUTH", "QUIT", "NOOP", "LIST", "RETR", "DELE", "HELP", "STAT", "ACCT", "REST", "MKD", "RMD", "RNFR", "RNTO", "ABOR",
    "SITE",
];
/// Commands whose content goes through a data connection.
const TRANSFER: [&str; 7] = ["APPE", "LIST", "MLSD", "NLST", "RETR", "STOR", "STOU"];
/// Commands whose argument is a file: the row shows where it lies, as Zeek's does.
const FILE: [&str; 10] = ["APPE", "DELE", "MKD", "MDTM", "RETR", "RMD", "RNFR", "RNTO", "STOR", "STOU"];

fn probe(probe: &Probe<'_>) -> Answer {
    match probe.dir {
        Dir::Orig => probe_client(probe),
        Dir::Resp => probe_server(probe.bytes),
    }
}

fn probe_client(probe: &Probe<'_>) -> Answer {
    let mut sure = false;
    let mut lines = probe.bytes.split(|&byte| byte == b'\n').peekable();
    while let Some(line) = lines.next() {
        let word = command_word(line);
        if lines.peek().is_none() {
            // The line is not finished yet.
            return match is_prefix(&word) {
                true if sure => Answer::Certain,
                true => Answer::Unsure,
                false => Answer::NotForUs,
            };
        }
        if OWN.contains(&word.as_str()) || (word == "USER" && probe.resp_p == 21) {
            sure = true;
        } else if !SHARED.contains(&word.as_str()) {
            return Answer::NotForUs;
        }
    }
    if sure { Answer::Certain } else { Answer::Unsure }
}

fn is_prefix(word: &str) -> bool {
    OWN.iter().chain(&SHARED).any(|known| known.starts_with(word))
}

/// SMTP greets with 220 too: sure is only who says so, or asks for a password.
fn probe_server(bytes: &[u8]) -> Answer {
    let greets = bytes.iter().zip(b"220").all(|(byte, expected)| byte == expected);
    let next = bytes.get(3).is_none_or(|byte| matches!(byte, b' ' | b'-'));
    if !greets || !next {
        return Answer::NotForUs;
    }
    let has = |word: &[u8]| bytes.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word));
    match (has(b"smtp"), has(b"ftp") || has(b"\n331 ")) {
        (true, _) => Answer::NotForUs,
        (_, true) => Answer::Certain,
        _ => Answer::Unsure,
    }
}

/// The first word of a line, upper case.
fn command_word(line: &[u8]) -> String {
    let word = line.split(|&byte| byte == b' ' || byte == b'\r').next().unwrap_or_default();
    escape(word, 16).to_ascii_uppercase()
}

#[derive(Default)]
struct Session {
    lines: [Lines; 2],
    pending: VecDeque<Command>,
    user: Option<String>,
    /// As far as it may be shown.
    password: Option<String>,
    /// The data connection agreed on for the next transfer.
    over: Option<DataChannel>,
    directory: Directory,
    size: Option<u64>,
    /// Inside a reply of several lines: its code.
    multiline: Option<u16>,
    commands: u64,
    replies: u64,
    encrypted: bool,
}

struct Command {
    name: String,
    arg: Option<String>,
    secret: Option<String>,
    frame: u64,
    ts_ns: Ts,
}

struct Reply {
    code: u16,
    text: String,
    goes_on: bool,
}

impl Dissector for Session {
    fn data(&mut self, chunk: &Chunk<'_>, out: &mut Out) {
        let mut rest = chunk.bytes;
        while !self.encrypted {
            let [client, server] = &mut self.lines;
            match chunk.dir {
                Dir::Orig => match client.next(&mut rest) {
                    Some(line) => self.command(&line, chunk, out),
                    None => break,
                },
                Dir::Resp => match server.next(&mut rest) {
                    Some(line) => self.reply(&line, chunk, out),
                    None => break,
                },
            }
        }
        if chunk.cut > 0 {
            self.gap(chunk.dir, u64::from(chunk.cut), out);
        }
    }

    fn gap(&mut self, dir: Dir, _missing: u64, out: &mut Out) {
        if let Some(lines) = self.lines.get_mut(dir.index()) {
            lines.gap();
        }
        self.multiline = None;
        // Which reply answers which command is no longer known.
        self.end(out);
    }

    fn end(&mut self, out: &mut Out) {
        while let Some(command) = self.pending.pop_front() {
            self.answer(command, None, out);
        }
    }

    fn confirmed(&self) -> bool {
        match (self.commands, self.replies) {
            (0, replies) => replies > 1,
            (commands, 0) => commands > 1,
            _ => true,
        }
    }

    fn hands_over(&self) -> bool {
        self.encrypted
    }

    fn wants(&self, _dir: Dir) -> bool {
        !self.encrypted
    }
}

impl Session {
    fn command(&mut self, line: &Line, chunk: &Chunk<'_>, out: &mut Out) {
        // A synch signal may stand before ABOR (RFC 959 4.1.3).
        let start = line.text.iter().position(|byte| byte.is_ascii_alphabetic()).unwrap_or(line.text.len());
        let text = line.text.get(start..).unwrap_or_default();
        let name = command_word(text);
        let known = is_known(&name);
        if !known && (!line.whole || name.len() < 3 || !name.bytes().all(|byte| byte.is_ascii_uppercase())) {
            return;
        }
        self.commands += 1;
        let arg = text.get(name.len() + 1..).filter(|arg| !arg.is_empty()).map(|arg| escape(arg, TEXT));
        let mut command = Command { name, arg, secret: None, frame: chunk.frame, ts_ns: chunk.ts_ns };
        match command.name.as_str() {
            "USER" => self.user = command.arg.clone(),
            "PASS" => {
                let secret = command.arg.take().unwrap_or_default();
                self.password = Some(if self.is_guest() { secret.clone() } else { "<hidden>".into() });
                command.secret = Some(secret);
            }
            "ACCT" => command.secret = Some(command.arg.take().unwrap_or_default()),
            _ => {}
        }
        if self.pending.len() >= PENDING
            && let Some(oldest) = self.pending.pop_front()
        {
            self.answer(oldest, None, out);
        }
        self.pending.push_back(command);
    }

    fn reply(&mut self, line: &Line, chunk: &Chunk<'_>, out: &mut Out) {
        let Some(reply) = Reply::parse(&line.text).filter(|_| line.whole) else { return };
        match self.multiline {
            Some(code) if code != reply.code || reply.goes_on => return,
            None if reply.goes_on => {
                self.multiline = Some(reply.code);
                return;
            }
            _ => self.multiline = None,
        }
        self.replies += 1;
        if (100..200).contains(&reply.code) {
            let retrieves = self.pending.front().is_some_and(|command| command.name == "RETR");
            self.size = if retrieves { announced_size(&reply.text).or(self.size) } else { self.size };
            return;
        }
        match self.take_fitting(reply.code, out) {
            Some(command) => self.answer(command, Some(reply), out),
            // The greeting is nobody's reply; anything else unasked is told as it is.
            None if reply.code == 220 => {}
            None => self.row(None, Some(&reply), (chunk.frame, chunk.ts_ns), out),
        }
    }

    /// The command that a reply is for: the oldest, unless its code can only be for another. Older ones then lost their replies.
    fn take_fitting(&mut self, code: u16, out: &mut Out) -> Option<Command> {
        let at = match only_for(code) {
            Some(names) => self.pending.iter().position(|command| names.contains(&command.name.as_str()) || !is_known(&command.name))?,
            None => 0,
        };
        for _ in 0..at {
            if let Some(lost) = self.pending.pop_front() {
                self.answer(lost, None, out);
            }
        }
        self.pending.pop_front()
    }

    fn answer(&mut self, command: Command, reply: Option<Reply>, out: &mut Out) {
        let code = reply.as_ref().map(|reply| reply.code);
        self.login(&command, code, out);
        match (command.name.as_str(), code) {
            ("CWD" | "XCWD", Some(200..300)) => self.directory.enter(command.arg.as_deref().unwrap_or_default()),
            ("CDUP" | "XCUP", Some(200..300)) => self.directory.enter(".."),
            ("PWD" | "XPWD", Some(257)) => self.directory.told(reply.as_ref().map_or("", |reply| &reply.text)),
            ("SIZE", Some(213)) => self.size = reply.as_ref().and_then(|reply| reply.text.trim().parse().ok()),
            ("AUTH", Some(234)) => self.encrypted = true,
            _ => {}
        }
        self.row(Some(&command), reply.as_ref(), (command.frame, command.ts_ns), out);
    }

    fn login(&mut self, command: &Command, code: Option<u16>, out: &mut Out) {
        let success = match code {
            Some(200..300) => Some(true),
            Some(400..600) => Some(false),
            _ => None,
        };
        let secret = match (command.name.as_str(), &command.secret) {
            ("PASS", Some(secret)) => secret.clone(),
            // Settled without a password, either way.
            ("USER", _) if success.is_some() => String::new(),
            _ => return,
        };
        let secret = if self.is_guest() { String::new() } else { secret };
        let event = credential("ftp", self.user.clone(), secret, success);
        out.say(command.frame, command.ts_ns, Event::Credential(Box::new(event)));
    }

    fn is_guest(&self) -> bool {
        self.user.as_deref().is_some_and(|user| GUESTS.iter().any(|name| user.eq_ignore_ascii_case(name)))
    }

    fn row(&mut self, command: Option<&Command>, reply: Option<&Reply>, (frame, ts_ns): (u64, Ts), out: &mut Out) {
        let name = command.map_or("", |command| command.name.as_str());
        let channel = Channel::of(
            &out.conn,
            name,
            command.and_then(|command| command.arg.as_deref()),
            reply.map(|reply| (reply.code, reply.text.as_str())),
        );
        let file_size = if matches!(name, "RETR") { self.size.take() } else { self.size.filter(|_| name == "SIZE") };
        let arg = match command {
            Some(command) if FILE.contains(&name) => {
                Some(path::url(out.conn.resp_h, &self.directory.join(command.arg.as_deref().unwrap_or_default())))
            }
            command => command.and_then(|command| command.arg.clone()),
        };
        if let Some(Channel { orig_h, resp_h, resp_p, .. }) = channel {
            self.over = Some(DataChannel { orig_h: Some(orig_h), resp_h, resp_p });
        }
        // A refused transfer leaves the data connection to the next one.
        let moved = TRANSFER.contains(&name) && reply.is_none_or(|reply| reply.code < 500);
        let event = Ftp {
            user: self.user.clone(),
            password: self.password.clone(),
            over: if moved { self.over.take() } else { None },
            command: command.map(|command| command.name.clone()),
            arg,
            reply_code: reply.map(|reply| reply.code),
            reply_msg: reply.map(|reply| reply.text.clone()),
            file_size,
            data_channel_passive: channel.as_ref().map(|channel| channel.passive),
            data_channel_orig_h: channel.as_ref().map(|channel| channel.orig_h),
            data_channel_resp_h: channel.as_ref().map(|channel| channel.resp_h),
            data_channel_resp_p: channel.as_ref().map(|channel| channel.resp_p),
            ..Ftp::default()
        };
        out.say(frame, ts_ns, Event::Ftp(Box::new(event)));
    }
}

/// Commands to which alone a reply code belongs (RFC 959 5.4).
fn only_for(code: u16) -> Option<&'static [&'static str]> {
    Some(match code {
        202 => &["PASS", "ACCT", "ALLO", "SITE"],
        211..=213 => &["STAT", "FEAT", "SIZE", "MDTM", "HELP", "MFMT"],
        215 => &["SYST"],
        221 => &["QUIT", "RETR", "STOR", "LIST", "NLST"],
        226 => &["RETR", "STOR", "STOU", "APPE", "LIST", "NLST", "MLSD", "ABOR", "SITE"],
        227 => &["PASV"],
        229 => &["EPSV"],
        230 | 232 => &["USER", "PASS", "AUTH", "REIN", "ACCT"],
        234 | 334 => &["AUTH"],
        257 => &["PWD", "XPWD", "MKD", "XMKD"],
        331 | 332 => &["USER", "PASS"],
        _ => return None,
    })
}

fn is_known(name: &str) -> bool {
    OWN.contains(&name) || SHARED.contains(&name)
}

impl Reply {
    fn parse(line: &[u8]) -> Option<Self> {
        let (digits, text) = line.split_at_checked(3)?;
        let code = std::str::from_utf8(digits).ok().filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok()?;
        let goes_on = text.first() == Some(&b'-');
        let text = text.strip_prefix(b" ").or(text.strip_prefix(b"-")).unwrap_or(text);
        (100..700).contains(&code).then(|| Self { code, text: escape(text, TEXT), goes_on })
    }
}

/// `Opening BINARY mode data connection for x (1234 bytes).`
fn announced_size(text: &str) -> Option<u64> {
    let lower = text.to_ascii_lowercase();
    let (before, _) = lower.split_once(" byte")?;
    let start = before.rfind(|c: char| !c.is_ascii_digit()).map_or(0, |at| at + 1);
    before.get(start..)?.parse().ok()
}

#[cfg(test)]
mod tests;
