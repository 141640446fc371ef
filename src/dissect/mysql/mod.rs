//! MySQL and MariaDB: the login, each command and what became of it. Result sets are counted over, not read.

mod commands;
mod packets;

use super::{Answer, Chunk, Dissector, Out, Probe, Protocol, escape, login};
use crate::model::{Dir, Event, Proto, Ts, event::Mysql};
use commands::command;
use packets::{CLIENT_MAX, Packets, SERVER_MAX, integer, take, until_zero};

/// How MySQL is recognised and read.
pub const PROTOCOL: Protocol = Protocol { name: "mysql", over: &[Proto::Tcp], probe, make: |_| Box::new(Session::default()) };

/// Bytes of a query or a message.
const TEXT_MAX: usize = 4_096;

/// Capabilities of a client (the protocol's numbers).
mod capability {
    pub const COMPRESS: u32 = 0x20;
    pub const PROTOCOL_41: u32 = 0x200;
    pub const TLS: u32 = 0x800;
    pub const QUERY_ATTRIBUTES: u32 = 1 << 27;
}

/// The server's greeting, protocol 10, or its refusal at home.
fn probe(probe: &Probe<'_>) -> Answer {
    if probe.dir != Dir::Resp {
        return Answer::NotForUs;
    }
    match probe.bytes {
        [low, high, 0, 0, 10, b'3'..=b'9' | b'1', rest @ ..] => {
            let length = u16::from_le_bytes([*low, *high]);
            let version = rest.split(|&byte| byte == 0).next().unwrap_or_default();
            let printable = version.iter().all(u8::is_ascii_graphic);
            match printable && (30..512).contains(&length) {
                _ if rest.len() == version.len() && printable && rest.len() < 64 => Answer::Unsure,
                true => Answer::Certain,
                false => Answer::NotForUs,
            }
        }
        [_, _, 0, 0, 0xff, _, _, text @ ..] if [probe.orig_p, probe.resp_p].contains(&3_306) && text.is_ascii() && !text.is_empty() => {
            Answer::Certain
        }
        short if short.len() < 6 && short.get(2..).unwrap_or_default().iter().zip([0, 0, 10]).all(|(byte, expected)| *byte == expected) => {
            Answer::Unsure
        }
        _ => Answer::NotForUs,
    }
}

/// Where the session stands.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum Stage {
    #[default]
    Greeting,
    Login,
    Commands,
    Tls,
    /// Compressed, or nothing that can be followed.
    Over,
}

#[derive(Default)]
struct Session {
    stage: Stage,
    sides: [Packets; 2],
    server_version: Option<String>,
    capabilities: u32,
    user: Option<String>,
    /// The command that waits for its answer, with its number.
    open: Option<(Box<Mysql>, (u64, Ts), u8)>,
    seen: bool,
}

impl Session {
    fn server(&mut self, sequence: u8, content: &[u8], chunk: &Chunk<'_>, out: &mut Out) {
        match (self.stage, content) {
            (Stage::Greeting, [10, greeting @ ..]) => {
                let mut rest = greeting;
                self.server_version = until_zero(&mut rest).map(|version| escape(version, 128));
                (self.stage, self.seen) = (Stage::Login, true);
            }
            (Stage::Greeting, [0xff, ..]) => self.seen = true,
            // More of the login's dialogue: another method, or more data.
            (Stage::Login, [0xfe | 1, ..]) => {}
            (Stage::Login | Stage::Commands, [0xff, ..]) => self.refused(content, chunk, out),
            (Stage::Login, [0, ok @ ..]) => self.accepted(ok, chunk, out),
            (Stage::Commands, [0, ok @ ..]) if sequence == 1 => {
                let prepared = self.open.as_ref().is_some_and(|(_, _, number)| *number == command::PREPARE);
                self.accepted(if prepared { &[] } else { ok }, chunk, out);
            }
            // The first packet of a result set, or a line of text.
            (Stage::Commands, [_, ..]) if sequence == 1 => self.accepted(&[], chunk, out),
            _ => {}
        }
    }

    fn accepted(&mut self, mut ok: &[u8], chunk: &Chunk<'_>, out: &mut Out) {
        if let Some((row, ..)) = &mut self.open {
            (row.success, row.rows) = (Some(true), Some(integer(&mut ok).unwrap_or(0)));
        }
        self.say(Some(chunk.frame), out);
        if self.stage == Stage::Login {
            self.stage = if self.capabilities & capability::COMPRESS == 0 { Stage::Commands } else { Stage::Over };
        }
    }

    /// An error: number, state behind `#`, words.
    fn refused(&mut self, content: &[u8], chunk: &Chunk<'_>, out: &mut Out) {
        let mut rest = content.get(1..).unwrap_or_default();
        let code = take(&mut rest, 2).and_then(|code| code.first_chunk().map(|code| u16::from_le_bytes(*code)));
        let words = if rest.first() == Some(&b'#') { rest.get(6..).unwrap_or_default() } else { rest };
        if let Some((row, ..)) = &mut self.open {
            (row.success, row.error_code, row.response) = (Some(false), code, Some(escape(words, TEXT_MAX)));
        }
        self.say(Some(chunk.frame), out);
    }

    fn client(&mut self, sequence: u8, content: &[u8], length: usize, chunk: &Chunk<'_>, out: &mut Out) {
        match self.stage {
            Stage::Login if self.open.is_none() => self.login(content, length, chunk),
            Stage::Commands if sequence == 0 => self.command(content, chunk, out),
            _ => {}
        }
    }

    /// The client's answer to the greeting; one without a user asks for TLS.
    fn login(&mut self, content: &[u8], length: usize, chunk: &Chunk<'_>) {
        let Some(low) = content.first_chunk::<2>().map(|low| u32::from(u16::from_le_bytes(*low))) else { return };
        let new = low & capability::PROTOCOL_41 != 0;
        let full = content.first_chunk::<4>().map(|full| u32::from_le_bytes(*full));
        self.capabilities = full.filter(|_| new).unwrap_or(low);
        if self.capabilities & capability::TLS != 0 && length <= 32 {
            self.stage = Stage::Tls;
            return;
        }
        let mut rest = content.get(if new { 32 } else { 5 }..).unwrap_or_default();
        let user = until_zero(&mut rest).map(|user| escape(user, 256)).unwrap_or_default();
        self.user = Some(user.clone());
        self.begin("login".to_owned(), user, u8::MAX, chunk);
    }

    fn begin(&mut self, cmd: String, arg: String, number: u8, chunk: &Chunk<'_>) {
        let row = Mysql { cmd, arg, server_version: self.server_version.clone(), user: self.user.clone(), ..Mysql::default() };
        self.open = Some((Box::new(row), (chunk.frame, chunk.ts_ns), number));
    }

    fn command(&mut self, content: &[u8], chunk: &Chunk<'_>, out: &mut Out) {
        self.say(None, out);
        let Some((&number, argument)) = content.split_first() else { return };
        let argument = match number {
            command::QUERY => commands::query(argument, self.capabilities & capability::QUERY_ATTRIBUTES != 0),
            command::CHANGE_USER => {
                let user = argument.split(|&byte| byte == 0).next().unwrap_or_default();
                self.user = Some(escape(user, 256));
                user
            }
            // Numbers of statements and other binary arguments say nothing.
            0..=2 | 4..=6 | command::PREPARE => argument,
            _ => &[],
        };
        let argument = argument.strip_suffix(&[0]).unwrap_or(argument);
        // A list of fields names its table, then a pattern.
        let argument = if number == 4 { argument.split(|&byte| byte == 0).next().unwrap_or_default() } else { argument };
        self.begin(commands::name(number), escape(argument, TEXT_MAX), number, chunk);
        if commands::is_silent(number) {
            self.say(None, out);
        }
        // The answer begins with a packet of its own.
        self.sides[Dir::Resp.index()].restart();
    }

    fn say(&mut self, reply: Option<u64>, out: &mut Out) {
        let Some((mut row, (frame, ts_ns), number)) = self.open.take() else { return };
        row.reply_frame = reply;
        if number == u8::MAX || number == command::CHANGE_USER {
            let login = login::credential("mysql", Some(row.arg.clone()), String::new(), row.success);
            out.say(frame, ts_ns, Event::Credential(Box::new(login)));
        }
        out.say(frame, ts_ns, Event::Mysql(row));
    }
}

impl Dissector for Session {
    fn data(&mut self, chunk: &Chunk<'_>, out: &mut Out) {
        let at = chunk.dir.index();
        if self.sides[at].lost && chunk.dir == Dir::Orig {
            // A client speaks in turns, and a turn begins with a segment.
            self.sides[at].restart();
        }
        let mut rest = chunk.bytes;
        while matches!(self.stage, Stage::Greeting | Stage::Login | Stage::Commands) && !self.sides[at].lost {
            let most = if chunk.dir == Dir::Orig { CLIENT_MAX } else { SERVER_MAX };
            let Some(packet) = self.sides[at].next(&mut rest, most) else { break };
            match chunk.dir {
                Dir::Orig => self.client(packet.sequence, &packet.content, packet.length, chunk, out),
                Dir::Resp => self.server(packet.sequence, &packet.content, chunk, out),
            }
        }
        if chunk.cut > 0 {
            self.gap(chunk.dir, u64::from(chunk.cut), out);
        }
    }

    fn gap(&mut self, dir: Dir, missing: u64, _out: &mut Out) {
        self.sides[dir.index()].gap(missing);
    }

    fn end(&mut self, out: &mut Out) {
        self.say(None, out);
    }

    fn confirmed(&self) -> bool {
        self.seen
    }

    fn hands_over(&self) -> bool {
        self.stage == Stage::Tls
    }

    fn wants(&self, _dir: Dir) -> bool {
        !matches!(self.stage, Stage::Tls | Stage::Over)
    }
}

#[cfg(test)]
mod tests;
