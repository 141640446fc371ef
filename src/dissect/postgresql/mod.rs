//! PostgreSQL (protocol 3.0): startup, login and queries with what became of them, in Zeek's rows.

mod names;
#[cfg(test)]
mod tests;

use super::messages::{Fields, Framed, Length, Speaker};
use super::{Answer, Chunk, Out, Probe, Protocol, escape, login};
use crate::model::{Dir, Event, Proto, Ts, event::Postgresql};

/// How PostgreSQL is recognised and read.
pub const PROTOCOL: Protocol =
    Protocol { name: "postgresql", over: &[Proto::Tcp], probe, make: |conn| Box::new(Framed::new(conn, Session::default())) };

/// Bytes of a message that are kept.
const MESSAGE_MAX: usize = 16_384;
/// Bytes of a query, and of an answer's words.
const TEXT_MAX: usize = 4_096;
/// Messages larger than this are none: the server's own limit for what is not a COPY.
const BELIEVED_MAX: u32 = 1 << 30;

/// Codes that stand where a version would (PostgreSQL 53.7).
mod request {
    pub const CANCEL: u32 = 80_877_102;
    pub const TLS: u32 = 80_877_103;
    pub const GSS: u32 = 80_877_104;
    pub const VERSIONS: std::ops::RangeInclusive<u32> = 0x0003_0000..=0x0003_0002;
}

/// Startup, or a request for encryption or cancellation; of a server, a request to log in.
fn probe(probe: &Probe<'_>) -> Answer {
    let bytes = probe.bytes;
    let mut fields = Fields(bytes);
    if probe.dir == Dir::Resp {
        return server(bytes);
    }
    match (fields.be32(), fields.be32()) {
        (Some(8), Some(request::TLS | request::GSS)) | (Some(16), Some(request::CANCEL)) => Answer::Certain,
        (Some(9..10_000), Some(version)) if request::VERSIONS.contains(&version) => match fields.0 {
            rest if rest.starts_with(b"user\0") || rest.windows(6).any(|part| part == b"\0user\0") => Answer::Certain,
            rest if b"user\0".starts_with(rest) => Answer::Unsure,
            _ => Answer::NotForUs,
        },
        (Some(8..10_000), None) | (None, _) if bytes.first().is_none_or(|&first| first == 0) => Answer::Unsure,
        _ => Answer::NotForUs,
    }
}

/// `R` with a method that exists, or an error whose first field is its severity.
fn server(bytes: &[u8]) -> Answer {
    match bytes {
        [b'R', 0, 0, 0, length @ 8..=200, 0, 0, 0, method @ 0..=12, ..] => match (length, method) {
            (8, 0 | 2 | 3 | 7 | 9) | (12, 5) => Answer::Certain,
            (_, 10) if bytes.get(9..).is_some_and(|name| name.starts_with(b"SCRAM-")) => Answer::Certain,
            _ => Answer::NotForUs,
        },
        [b'E', 0, 0, _, _, b'S', rest @ ..] if rest.starts_with(b"FATAL\0") || rest.starts_with(b"ERROR\0") => Answer::Certain,
        _ => Answer::NotForUs,
    }
}

/// Where the client stands.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Stage {
    /// The next message has no type.
    #[default]
    Startup,
    /// The server answers a request for encryption with one byte.
    Asked,
    Typed,
    /// Encrypted, or over.
    Over,
}

#[derive(Default)]
struct Session {
    stage: Stage,
    row: Option<(Box<Postgresql>, (u64, Ts))>,
    user: Option<String>,
    database: Option<String>,
    application: Option<String>,
    rows: Option<u64>,
    login: Option<Login>,
    tls: bool,
    seen: bool,
}

/// A login under way.
struct Login {
    secret: String,
    place: (u64, Ts),
}

impl Session {
    /// The row under way; one begins if there is none.
    fn row(&mut self, chunk: &Chunk<'_>) -> &mut Postgresql {
        &mut self.row.get_or_insert_with(|| (Box::default(), (chunk.frame, chunk.ts_ns))).0
    }

    fn say(&mut self, reply: Option<u64>, out: &mut Out) {
        let Some((mut row, (frame, ts_ns))) = self.row.take() else { return };
        row.user.clone_from(&self.user);
        row.database.clone_from(&self.database);
        row.application_name.clone_from(&self.application);
        row.reply_frame = reply;
        out.say(frame, ts_ns, Event::Postgresql(row));
    }

    fn say_login(&mut self, success: Option<bool>, out: &mut Out) {
        let Some(Login { secret, place: (frame, ts_ns) }) = self.login.take() else { return };
        let mut login = login::credential("postgresql", self.user.clone(), secret, success);
        login.realm.clone_from(&self.database);
        out.say(frame, ts_ns, Event::Credential(Box::new(login)));
    }

    /// A message without type: its second word says what it is.
    fn startup(&mut self, message: &[u8], chunk: &Chunk<'_>) {
        let mut fields = Fields(message);
        let (Some(_), Some(code)) = (fields.be32(), fields.be32()) else { return };
        self.seen = true;
        match code {
            request::TLS | request::GSS => {
                self.row(chunk).frontend = Some(if code == request::TLS { "ssl_request" } else { "gssenc_request" }.to_owned());
                self.stage = Stage::Asked;
            }
            request::CANCEL => {
                self.row(chunk).frontend = Some("cancel_request".to_owned());
                self.stage = Stage::Over;
            }
            _ => {
                while let (Some(name @ [_, ..]), Some(value)) = (fields.until_zero(), fields.until_zero()) {
                    let value = Some(escape(value, 256));
                    match name {
                        b"user" => self.user = value,
                        b"database" => self.database = value,
                        b"application_name" => self.application = value,
                        _ => {}
                    }
                }
                self.row(chunk).frontend = Some("startup".to_owned());
                self.login = Some(Login { secret: String::new(), place: (chunk.frame, chunk.ts_ns) });
                self.stage = Stage::Typed;
            }
        }
    }

    fn client(&mut self, kind: u8, body: &[u8], chunk: &Chunk<'_>, out: &mut Out) {
        let text = |bytes: &[u8]| escape(bytes.split(|&byte| byte == 0).next().unwrap_or_default(), TEXT_MAX);
        match kind {
            b'Q' => {
                self.say(None, out);
                self.rows = Some(0);
                let row = self.row(chunk);
                (row.frontend, row.frontend_arg) = (Some("simple_query".to_owned()), Some(text(body)));
            }
            b'X' => {
                self.say(None, out);
                self.row(chunk).frontend = Some("terminate".to_owned());
                self.say(None, out);
            }
            // A statement is prepared: its name, then its text.
            b'P' => {
                let statement = body.splitn(2, |&byte| byte == 0).nth(1).map(text).filter(|text| !text.is_empty());
                self.row(chunk).statement = statement;
            }
            // A password in clear; digests and SASL look like anything.
            b'p' => {
                let clear = self.row.as_ref().and_then(|(row, _)| row.backend_arg.as_deref()) == Some(names::CLEARTEXT);
                if let Some(login) = self.login.as_mut().filter(|_| clear) {
                    login.secret = text(body);
                }
            }
            _ => {}
        }
    }

    fn server(&mut self, kind: u8, body: &[u8], chunk: &Chunk<'_>, out: &mut Out) {
        let mut fields = Fields(body);
        match kind {
            b'R' => self.authentication(fields.be32(), chunk, out),
            b'E' => self.error(body, chunk, out),
            b'N' => {
                let notice = names::fields(body, TEXT_MAX);
                let row = self.row(chunk);
                join(&mut row.backend_arg, &notice);
            }
            b'D' => {
                self.row(chunk);
                self.rows = Some(self.rows.unwrap_or(0) + 1);
            }
            b'Z' => {
                let Some((row, _)) = &mut self.row else { return };
                row.success.get_or_insert(matches!(body.first(), Some(b'I' | b'T')));
                row.rows = self.rows.take();
                self.say(Some(chunk.frame), out);
            }
            _ => {}
        }
    }

    fn authentication(&mut self, method: Option<u32>, chunk: &Chunk<'_>, out: &mut Out) {
        let Some(method) = method else { return };
        self.seen = true;
        let row = self.row(chunk);
        if method == 0 {
            (row.backend, row.success) = (Some("auth_ok".to_owned()), Some(true));
            self.say_login(Some(true), out);
            return;
        }
        match &mut row.backend {
            Some(backend) if !backend.ends_with("auth") => backend.push_str(",auth_request"),
            backend => *backend = Some("auth_request".to_owned()),
        }
        join(&mut row.backend_arg, &names::method(method));
    }

    fn error(&mut self, body: &[u8], chunk: &Chunk<'_>, out: &mut Out) {
        let words = names::fields(body, TEXT_MAX);
        let row = self.row(chunk);
        join(&mut row.backend, "error");
        join(&mut row.backend_arg, &words);
        row.success = Some(false);
        self.say_login(Some(false), out);
        self.say(Some(chunk.frame), out);
    }
}

/// Adds to a list with commas, which does not grow beyond what is kept of a text.
fn join(list: &mut Option<String>, more: &str) {
    match list {
        Some(list) if list.len() < TEXT_MAX => {
            list.push(',');
            list.push_str(more);
        }
        Some(_) => {}
        None => *list = Some(more.to_owned()),
    }
}

impl Speaker for Session {
    const MOST: usize = MESSAGE_MAX;

    fn length(&self, dir: Dir, bytes: &[u8]) -> Length {
        match (dir, self.stage) {
            (Dir::Orig, Stage::Startup | Stage::Asked) => counted(bytes, 0, 8),
            (Dir::Resp, Stage::Asked) if matches!(bytes.first(), Some(b'S' | b'N' | b'G')) => Length::Is(1),
            _ if bytes.first().is_some_and(|kind| !kind.is_ascii_alphanumeric()) => Length::Wrong,
            _ => counted(bytes, 1, 4),
        }
    }

    fn message(&mut self, message: &[u8], chunk: &Chunk<'_>, out: &mut Out) {
        match (chunk.dir, self.stage) {
            (Dir::Orig, Stage::Startup | Stage::Asked) => self.startup(message, chunk),
            (Dir::Resp, Stage::Asked) if message.len() == 1 => {
                let row = self.row(chunk);
                (row.backend, row.backend_arg) = (Some("ssl_reply".to_owned()), Some(escape(message, 1)));
                row.success = Some(message != b"N");
                self.tls = message == b"S";
                self.stage = if message == b"N" { Stage::Startup } else { Stage::Over };
                self.say(Some(chunk.frame), out);
            }
            (dir, _) => {
                let (Some((&kind, _)), Some(body)) = (message.split_first(), message.get(5..)) else { return };
                if dir == Dir::Orig { self.client(kind, body, chunk, out) } else { self.server(kind, body, chunk, out) }
            }
        }
    }

    fn lost(&mut self, _dir: Dir) {
        // The middle of a session has types.
        if self.stage == Stage::Startup {
            self.stage = Stage::Typed;
        }
    }

    fn end(&mut self, out: &mut Out) {
        self.say_login(None, out);
        self.say(None, out);
    }

    fn confirmed(&self) -> bool {
        self.seen
    }

    fn hands_over(&self) -> bool {
        self.tls
    }

    fn wants(&self, _dir: Dir) -> bool {
        self.stage != Stage::Over
    }
}

/// A length of four bytes at `at`, which counts itself and what follows.
fn counted(bytes: &[u8], at: usize, least: u32) -> Length {
    match bytes.get(at..).and_then(|rest| rest.first_chunk()).map(|length| u32::from_be_bytes(*length)) {
        None => Length::More,
        Some(length) if (least..BELIEVED_MAX).contains(&length) => Length::Is(at + length as usize),
        Some(_) => Length::Wrong,
    }
}
