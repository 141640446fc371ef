//! TDS, the language of Microsoft SQL Server (MS-TDS): prelogin, login, batches and procedures with what became of them.

mod login7;
#[cfg(test)]
mod tests;

use super::messages::{Fields, Framed, Length, Speaker};
use super::{Answer, Chunk, Out, Probe, Protocol, le, login};
use crate::model::{Dir, Event, Proto, Ts, event::Tds};

/// How TDS is recognised and read.
pub const PROTOCOL: Protocol =
    Protocol { name: "tds", over: &[Proto::Tcp], probe, make: |conn| Box::new(Framed::new(conn, Session::default())) };

/// Bytes kept of a packet: servers agree on 32,767 at most.
const PACKET_MAX: usize = 32_768;
/// Bytes of a message in several packets that are kept.
const MESSAGE_MAX: usize = 65_536;
/// Characters of a query, and of an answer's words.
const TEXT_MAX: usize = 4_096;
const HEADER: usize = 8;

/// Kinds of packets (2.2.3.1.1).
mod kind {
    pub const BATCH: u8 = 1;
    pub const OLD_LOGIN: u8 = 2;
    pub const RPC: u8 = 3;
    pub const RESULT: u8 = 4;
    pub const BULK: u8 = 7;
    pub const TRANSACTION: u8 = 14;
    pub const LOGIN: u8 = 16;
    pub const SSPI: u8 = 17;
    pub const PRELOGIN: u8 = 18;
}

/// A prelogin or login; on its port also what follows them.
fn probe(probe: &Probe<'_>) -> Answer {
    let home = [probe.orig_p, probe.resp_p].contains(&1_433);
    match probe.bytes {
        [1 | 3 | 4, 0 | 1 | 9, high, low, _, _, _, 0, _, ..] if home && u16::from_be_bytes([*high, *low]) > 8 => Answer::Certain,
        [0x12, 0 | 1, high, low, 0, 0, 0 | 1, 0, 0, ..] if (16..1_024).contains(&u16::from_be_bytes([*high, *low])) => Answer::Certain,
        [0x10, 0 | 1, _, _, 0, 0, _, 0, rest @ ..] => match rest {
            [_, _, _, _, _, _, 0..=4, 0x70..=0x74, ..] => Answer::Certain,
            rest if rest.len() < 8 => Answer::Unsure,
            _ => Answer::NotForUs,
        },
        [0x12 | 0x10, rest @ ..] if rest.len() < 8 => Answer::Unsure,
        [] => Answer::Unsure,
        _ => Answer::NotForUs,
    }
}

#[derive(Default)]
struct Session {
    /// Parts of a message, per direction.
    parts: [Vec<u8>; 2],
    open: Option<(Box<Tds>, (u64, Ts), String)>,
    /// What the login said of itself.
    who: Tds,
    encrypted: bool,
    seen: bool,
}

impl Speaker for Session {
    const MOST: usize = PACKET_MAX;

    fn length(&self, _dir: Dir, bytes: &[u8]) -> Length {
        match bytes {
            [1..=18, _, high, low, ..] => match u16::from_be_bytes([*high, *low]) {
                length @ 8.. => Length::Is(usize::from(length)),
                _ => Length::Wrong,
            },
            [] | [1..=18] | [1..=18, _] | [1..=18, _, _] => Length::More,
            _ => Length::Wrong,
        }
    }

    fn message(&mut self, packet: &[u8], chunk: &Chunk<'_>, out: &mut Out) {
        let (Some(&[kind, status, ..]), Some(data)) = (packet.first_chunk::<2>(), packet.get(HEADER..)) else { return };
        let Some(part) = self.parts.get_mut(chunk.dir.index()) else { return };
        let room = MESSAGE_MAX.saturating_sub(part.len());
        part.extend(data.iter().take(room));
        // The last packet of a message says so.
        if status & 1 == 0 {
            return;
        }
        let message = std::mem::take(part);
        self.seen = true;
        match chunk.dir {
            Dir::Orig => self.request(kind, &message, chunk, out),
            Dir::Resp => self.answer(kind, &message, chunk, out),
        }
    }

    fn lost(&mut self, dir: Dir) {
        if let Some(part) = self.parts.get_mut(dir.index()) {
            part.clear();
        }
    }

    fn end(&mut self, out: &mut Out) {
        self.say(out);
    }

    fn confirmed(&self) -> bool {
        self.seen
    }

    fn wants(&self, _dir: Dir) -> bool {
        !self.encrypted
    }
}

impl Session {
    fn request(&mut self, kind: u8, message: &[u8], chunk: &Chunk<'_>, out: &mut Out) {
        // More of a login's dialogue belongs to the login.
        if kind == kind::SSPI {
            return;
        }
        self.say(out);
        let mut secret = String::new();
        let mut row = Tds::default();
        match kind {
            kind::PRELOGIN => {
                // TLS travels in packets of this kind, until the login is over.
                if message.first() == Some(&0x16) {
                    self.encrypted = true;
                    return;
                }
                (row.command, row.encryption) = ("prelogin", encryption(message));
            }
            kind::LOGIN => {
                row.command = "login";
                secret = login7::read(message, &mut row);
                self.who = Tds { user: row.user.clone(), host: row.host.clone(), database: row.database.clone(), ..Tds::default() };
            }
            kind::BATCH => (row.command, row.arg) = ("sql_batch", Some(le::utf16(after_headers(message), TEXT_MAX))),
            kind::RPC => (row.command, row.arg) = ("rpc", procedure(after_headers(message))),
            kind::BULK => row.command = "bulk_load",
            kind::TRANSACTION => row.command = "transaction",
            kind::OLD_LOGIN => row.command = "login_old",
            _ => return,
        }
        if kind != kind::LOGIN {
            (row.user, row.host, row.database) = (self.who.user.clone(), self.who.host.clone(), self.who.database.clone());
        }
        self.open = Some((Box::new(row), (chunk.frame, chunk.ts_ns), secret));
    }

    fn answer(&mut self, kind: u8, message: &[u8], chunk: &Chunk<'_>, out: &mut Out) {
        let Some((row, ..)) = &mut self.open else { return };
        if kind != kind::RESULT && kind != kind::PRELOGIN {
            return;
        }
        row.reply_frame = Some(chunk.frame);
        if row.command == "prelogin" {
            row.success = Some(true);
        } else if message.first() == Some(&0xed) {
            // A challenge: the verdict is still to come.
            return;
        } else {
            verdict(message, row);
        }
        self.say(out);
    }

    fn say(&mut self, out: &mut Out) {
        let Some((row, (frame, ts_ns), secret)) = self.open.take() else { return };
        if row.command == "login" && row.user.is_some() {
            let mut login = login::credential("tds", row.user.clone(), secret, row.success);
            login.realm.clone_from(&row.server);
            out.say(frame, ts_ns, Event::Credential(Box::new(login)));
        }
        out.say(frame, ts_ns, Event::Tds(row));
    }
}

/// Headers of version 7.2 and later: all their bytes, then each; they begin with a length that fits (2.2.5.3).
fn after_headers(message: &[u8]) -> &[u8] {
    let Some(total) = le::u32_at(message, 0).and_then(|total| usize::try_from(total).ok()) else { return message };
    if (18..=256).contains(&total) { message.get(total..).unwrap_or_default() } else { message }
}

/// The name of a procedure, or the number of a well-known one (2.2.6.6).
fn procedure(message: &[u8]) -> Option<String> {
    const NAMES: [&str; 15] = [
        "sp_cursor",
        "sp_cursoropen",
        "sp_cursorprepare",
        "sp_cursorexecute",
        "sp_cursorprepexec",
        "sp_cursorunprepare",
        "sp_cursorfetch",
        "sp_cursoroption",
        "sp_cursorclose",
        "sp_executesql",
        "sp_prepare",
        "sp_execute",
        "sp_prepexec",
        "sp_prepexecrpc",
        "sp_unprepare",
    ];
    let length = le::u16_at(message, 0)?;
    if length == u16::MAX {
        let number = usize::from(le::u16_at(message, 2)?);
        return Some(
            number.checked_sub(1).and_then(|at| NAMES.get(at)).map_or_else(|| format!("procedure {number}"), |name| (*name).to_owned()),
        );
    }
    Some(le::utf16(le::part(message, 2, usize::from(length) * 2)?, TEXT_MAX))
}

/// The encryption that a prelogin asks for: an option of kind 1 with its place and length (2.2.6.5).
fn encryption(message: &[u8]) -> Option<&'static str> {
    let mut fields = Fields(message);
    loop {
        let option = fields.u8().filter(|&option| option != 0xff)?;
        let (at, _length) = (fields.be16()?, fields.be16()?);
        if option == 1 {
            return ["off", "on", "unsupported", "required"].get(usize::from(*message.get(usize::from(at))? & 3)).copied();
        }
    }
}

/// Of the answer's tokens the error, the login's acknowledgement, and whether it ends with an error; only those whose length can be told.
fn verdict(message: &[u8], row: &mut Tds) {
    const TOKENS_MAX: usize = 64;
    let mut fields = Fields(message);
    for _ in 0..TOKENS_MAX {
        let Some(token) = fields.u8() else { break };
        match token {
            0xaa | 0xab | 0xad | 0xe3 => {
                let Some(body) = fields.le16().and_then(|length| fields.take(usize::from(length))) else { break };
                match token {
                    0xaa => {
                        row.success = Some(false);
                        row.error_code = row.error_code.or(le::u32_at(body, 0));
                        let words = le::u16_at(body, 6).and_then(|length| le::part(body, 8, usize::from(length) * 2));
                        row.response = row.response.take().or(words.map(|words| le::utf16(words, TEXT_MAX)));
                    }
                    0xad => row.success = Some(true),
                    _ => {}
                }
            }
            // Done: bit 1 of its status tells an error.
            0xfd..=0xff => {
                let failed = fields.le16().is_some_and(|status| status & 2 != 0);
                row.success = row.success.or(Some(!failed));
                break;
            }
            // A result: it was carried out.
            0x81 | 0xd1 | 0xd3 | 0x79 => {
                row.success = row.success.or(Some(true));
                break;
            }
            _ => break,
        }
    }
}
