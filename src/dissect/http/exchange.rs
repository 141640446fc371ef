//! A request with its response: what their headers say, and the rows that come of it.

use super::body::Body;
use super::line::{StatusLine, unescape};
use super::parts::Parts;
use super::secrets::{self, Login};
use crate::dissect::login::mask;
use crate::dissect::ntlm::Logins;
use crate::dissect::{Out, escape};
use crate::model::event::{ByteRange, Credential, Http, Websocket};
use crate::model::{Dir, Event, Ts};

/// Bytes of a header value that are read.
const VALUE_MAX: usize = 8_192;
/// Bytes of `request_headers`.
const HEADERS_TEXT_MAX: usize = 4_096;
/// Header names kept of one request.
const NAMES_MAX: usize = 128;
/// Bytes of request and response bodies shown.
pub const PREFIX_MAX: [usize; 2] = [4_096, 1_024];
/// Headers that proxies add, as Zeek lists them.
const PROXY_HEADERS: [&str; 7] =
    ["FORWARDED", "X-FORWARDED-FOR", "X-FORWARDED-FROM", "CLIENT-IP", "VIA", "XROXY-CONNECTION", "PROXY-CONNECTION"];

/// How long a body is, and how it is packed.
#[derive(Clone, Debug, Default)]
pub struct Framing {
    /// `Content-Length`.
    pub length: Option<u64>,
    /// `Transfer-Encoding: chunked`.
    pub chunked: bool,
    /// `Content-Encoding`.
    pub encoding: Option<String>,
    filename: Option<String>,
    /// Which part of the file it is.
    range: Option<ByteRange>,
}

/// One row in the making.
pub struct Exchange {
    /// Position in the connection.
    pub depth: u32,
    /// What is known.
    pub row: Box<Http>,
    /// Frame and time it began.
    pub place: (u64, Ts),
    /// Which messages are over.
    pub done: [bool; 2],
    /// Which were seen whole.
    whole: [bool; 2],
    /// Framing of both messages.
    pub framing: [Framing; 2],
    /// The request had no version: so may the response.
    pub legacy: bool,
    bodies: [Option<Body>; 2],
    /// Of bodies that hold several things.
    parts: [Option<Parts>; 2],
    request_end: Option<Ts>,
    logins: Vec<Login>,
    /// Security tokens of request and response.
    tokens: [Option<Vec<u8>>; 2],
    headers_text: String,
    /// The request asks for a WebSocket.
    pub socket: Option<Box<Websocket>>,
    /// The request asks for HTTP/2.
    pub h2c: bool,
}

impl Exchange {
    /// A new one.
    pub fn new(depth: u32, place: (u64, Ts)) -> Self {
        Self {
            depth,
            row: Box::new(Http { trans_depth: depth, ..Http::default() }),
            place,
            done: [false; 2],
            whole: [false; 2],
            framing: Default::default(),
            legacy: false,
            bodies: [None, None],
            parts: [None, None],
            request_end: None,
            logins: Vec::new(),
            tokens: [None, None],
            headers_text: String::new(),
            socket: None,
            h2c: false,
        }
    }

    /// Takes the request line in.
    pub fn request(&mut self, method: &[u8], target: &[u8]) {
        self.row.method = Some(escape(method, 64));
        self.row.uri = Some(escape(&unescape(target), VALUE_MAX));
        if let Some(at) = target.iter().position(|&byte| byte == b'?') {
            self.logins.extend(secrets::form(&target[at + 1..]));
        }
    }

    /// Takes a status line in.
    pub fn status(&mut self, status: &StatusLine<'_>, place: (u64, Ts)) {
        let reason = escape(status.reason, 256);
        if (100..200).contains(&status.code) {
            self.row.info_code = Some(status.code);
            self.row.info_msg = Some(reason.clone());
        }
        self.row.status_code = Some(status.code);
        self.row.status_msg = Some(reason);
        self.row.version = Some(status.version.clone());
        self.framing[1] = Framing::default();
        self.row.resp_frame = Some(place.0);
        self.row.latency = self.request_end.map(|end| place.1.saturating_sub(end) as f64 / 1e9);
    }

    /// An answer without a head, as HTTP/0.9 sends them; Zeek writes it so.
    pub fn headless(&mut self, place: (u64, Ts)) {
        self.row.status_code = Some(0);
        self.row.status_msg = Some("<empty>".to_owned());
        self.row.version = Some("0.9".to_owned());
        self.row.resp_frame = Some(place.0);
        self.row.latency = self.request_end.map(|end| place.1.saturating_sub(end) as f64 / 1e9);
    }

    /// Takes a header in.
    pub fn header(&mut self, dir: Dir, name: &[u8], value: &[u8]) {
        let name = escape(name, 256).to_ascii_uppercase();
        let text = || Some(escape(value, VALUE_MAX));
        let framing = &mut self.framing[dir.index()];
        match name.as_str() {
            // Two lengths that differ are a smuggler's; the first one counts here.
            "CONTENT-LENGTH" if framing.length.is_none() => {
                framing.length = std::str::from_utf8(value).ok().and_then(|v| v.trim().parse().ok())
            }
            "TRANSFER-ENCODING" => framing.chunked |= value.to_ascii_lowercase().ends_with(b"chunked"),
            "CONTENT-ENCODING" => framing.encoding = Some(escape(value, 64)),
            "CONTENT-DISPOSITION" => framing.filename = disposition(value),
            "CONTENT-RANGE" => framing.range = content_range(value),
            _ => {}
        }
        match dir {
            Dir::Orig => self.request_header(name, value, text),
            Dir::Resp => match name.as_str() {
                "SERVER" => self.row.server = text(),
                "CONTENT-TYPE" => self.row.content_type = text(),
                "CONTENT-DISPOSITION" => self.row.filename = disposition(value),
                "WWW-AUTHENTICATE" | "PROXY-AUTHENTICATE" => self.token(Dir::Resp, value),
                "SEC-WEBSOCKET-PROTOCOL" => self.socket(|socket| socket.subprotocol = Some(escape(value, VALUE_MAX))),
                "SEC-WEBSOCKET-EXTENSIONS" => self.socket(|socket| socket.server_extensions.extend(listed(value))),
                _ => {}
            },
        }
    }

    /// What belongs to a WebSocket that was asked for.
    fn socket(&mut self, note: impl FnOnce(&mut Websocket)) {
        if let Some(socket) = &mut self.socket {
            note(socket);
        }
    }

    fn request_header(&mut self, name: String, value: &[u8], text: impl Fn() -> Option<String>) {
        if matches!(name.as_str(), "AUTHORIZATION" | "PROXY-AUTHORIZATION") {
            self.token(Dir::Orig, value);
        }
        match name.as_str() {
            "UPGRADE" if value.eq_ignore_ascii_case(b"websocket") => {
                self.socket.get_or_insert_default();
            }
            "UPGRADE" => self.h2c |= listed(value).any(|item| item.eq_ignore_ascii_case("h2c")),
            // These may stand before `Upgrade`.
            "SEC-WEBSOCKET-PROTOCOL" => self.socket.get_or_insert_default().client_protocols.extend(listed(value)),
            "SEC-WEBSOCKET-EXTENSIONS" => self.socket.get_or_insert_default().client_extensions.extend(listed(value)),
            _ => {}
        }
        let row = &mut self.row;
        let mut private = false;
        match name.as_str() {
            "HOST" => row.host = text(),
            "REFERER" => row.referrer = text(),
            "USER-AGENT" => row.user_agent = text(),
            "ORIGIN" => row.origin = text(),
            "CONTENT-TYPE" => row.request_content_type = text(),
            "COOKIE" | "COOKIE2" => {
                row.cookie_present = true;
                private = true;
            }
            "AUTHORIZATION" | "PROXY-AUTHORIZATION" => {
                let (scheme, login) = secrets::authorization(value);
                row.authorization_scheme = Some(scheme);
                if let Some(login) = login {
                    row.username.clone_from(&login.user);
                    self.logins.push(login);
                }
                private = true;
            }
            proxy if PROXY_HEADERS.contains(&proxy) => {
                let entry = format!("{proxy} -> {}", escape(value, VALUE_MAX));
                if row.proxied.len() < NAMES_MAX && !row.proxied.contains(&entry) {
                    row.proxied.push(entry);
                }
            }
            _ => {}
        }
        if !private && self.headers_text.len() < HEADERS_TEXT_MAX {
            let line = format!("{}{name}: {}", if self.headers_text.is_empty() { "" } else { "\n" }, escape(value, VALUE_MAX));
            let room = HEADERS_TEXT_MAX - self.headers_text.len();
            // Escaped text is ASCII: any cut is a character's.
            self.headers_text.push_str(line.get(..line.len().min(room)).unwrap_or_default());
        }
        if row.client_header_names.len() < NAMES_MAX {
            row.client_header_names.push(name);
        }
    }

    /// A token of NTLM or Negotiate (RFC 4559 4), if the value is one.
    fn token(&mut self, dir: Dir, value: &[u8]) {
        if let (Some(token), Some(place)) = (secrets::token(value), self.tokens.get_mut(dir.index())) {
            *place = Some(token);
        }
    }

    /// Takes body bytes in.
    pub fn body(&mut self, dir: Dir, bytes: &[u8], place: (u64, Ts), out: &mut Out) {
        let n = dir.index();
        if self.bodies[n].is_none() && self.framing[n].encoding.is_none() {
            let content_type = if dir == Dir::Orig { &self.row.request_content_type } else { &self.row.content_type };
            self.parts[n] = content_type.as_deref().and_then(|text| Parts::of(text, dir, self.url(out), place, out));
        }
        self.body_in(dir).data(bytes, place);
        if let Some(parts) = &mut self.parts[n] {
            parts.data(bytes, place, out);
        }
    }

    /// Body bytes are lost.
    pub fn body_gap(&mut self, dir: Dir, missing: u64) {
        self.body_in(dir).gap(missing);
        if let Some(parts) = &mut self.parts[dir.index()] {
            parts.gap(missing);
        }
    }

    fn body_in(&mut self, dir: Dir) -> &mut Body {
        let n = dir.index();
        let encoding = self.framing[n].encoding.as_deref();
        self.bodies[n].get_or_insert_with(|| Body::new(encoding, PREFIX_MAX[n]))
    }

    /// A message is over: its body becomes a file.
    pub fn finish(&mut self, dir: Dir, whole: bool, ts_ns: Ts, out: &mut Out) {
        let n = dir.index();
        if std::mem::replace(&mut self.done[n], true) {
            return;
        }
        self.whole[n] = whole;
        if dir == Dir::Orig {
            self.request_end = Some(ts_ns);
        }
        let Some(mut body) = self.bodies[n].take() else { return };
        let (length, mime) = (body.len(), body.mime().map(str::to_owned));
        let row = &mut self.row;
        let shown = Some(escape(&secrets::masked(body.prefix()), 2 * PREFIX_MAX[n])).filter(|text| !text.is_empty());
        match dir {
            Dir::Orig => {
                let form = row.request_content_type.as_deref().is_none_or(|kind| kind.to_ascii_lowercase().contains("urlencoded"));
                self.logins.extend(form.then(|| secrets::form(body.prefix())).flatten());
                (row.request_body_len, row.orig_mime, row.body_prefix_req) = (length, mime, shown);
            }
            Dir::Resp => (row.response_body_len, row.resp_mime, row.body_prefix_resp) = (length, mime, shown),
        }
        let place = body.place().unwrap_or(self.place);
        let files_within = self.parts[n].take().is_some_and(|parts| parts.finish(whole, place, out));
        if !files_within {
            self.file(dir, body, whole, out);
        }
    }

    fn file(&mut self, dir: Dir, body: Body, whole: bool, out: &mut Out) {
        let Some((frame, ts_ns)) = body.place() else { return };
        let (row, framing) = (&self.row, &self.framing[dir.index()]);
        // A part of a file has no digest that anyone could look up.
        let part = dir == Dir::Resp && row.status_code == Some(206);
        let mut file = body.finish(whole && !part);
        file.source = "HTTP";
        file.is_orig = dir == Dir::Orig;
        file.total_bytes = framing.length.filter(|_| !framing.chunked);
        file.declared_mime = if file.is_orig { row.request_content_type.clone() } else { row.content_type.clone() };
        file.filename.clone_from(&framing.filename);
        file.range = framing.range.filter(|_| part);
        file.url = self.url(out);
        out.file(frame, ts_ns, file);
    }

    /// Where it is sent, or fetched.
    fn url(&self, out: &Out) -> Option<String> {
        self.row.uri.as_ref().map(|uri| match &self.row.host {
            Some(host) if uri.starts_with('/') => format!("{}://{host}{uri}", if out.level.is_decrypted() { "https" } else { "http" }),
            _ => uri.clone(),
        })
    }

    /// Whether nothing more is to come.
    pub fn is_over(&self) -> bool {
        self.done == [true; 2]
    }

    /// Says the row and the logins in it. `last` is the login said before in this flow: repeating it is not another attempt.
    pub fn say(mut self, last: &mut Option<(Login, Option<bool>)>, ntlm: &mut Logins, out: &mut Out) {
        let (frame, ts_ns) = self.place;
        self.say_tokens(ntlm, out);
        self.row.complete = self.whole == [true; 2];
        self.row.request_headers = Some(std::mem::take(&mut self.headers_text)).filter(|text| !text.is_empty());
        for mut login in std::mem::take(&mut self.logins) {
            let form = login.service == "http-form";
            let success = match self.row.status_code {
                Some(401 | 403 | 407) => Some(false),
                Some(200..=399) if !form => Some(true),
                _ => None,
            };
            login.realm = login.realm.or_else(|| self.row.host.clone());
            if last.as_ref().is_some_and(|said| *said == (login.clone(), success)) {
                continue;
            }
            *last = Some((login.clone(), success));
            let Login { service, user, realm, secret } = login;
            let secret_masked = mask(&secret);
            let cleartext = service != "http-digest";
            out.say(
                frame,
                ts_ns,
                Event::Credential(Box::new(Credential { service, user, realm, secret_masked, secret, success, cleartext })),
            );
        }
        let switched = self.row.status_code == Some(101);
        if let Some(mut socket) = self.socket.take().filter(|_| switched) {
            (socket.host, socket.uri) = (self.row.host.clone(), self.row.uri.clone());
            socket.user_agent.clone_from(&self.row.user_agent);
            out.say(frame, ts_ns, Event::Websocket(socket));
        }
        out.say(frame, ts_ns, Event::Http(self.row));
    }

    /// NTLM logs a connection in, not a request: offer, challenge and answer stand in several exchanges.
    fn say_tokens(&mut self, ntlm: &mut Logins, out: &mut Out) {
        let [request, response] = std::mem::take(&mut self.tokens);
        if let Some(token) = request {
            ntlm.token(&token, self.place, out);
        }
        let status = self.row.status_code;
        if ntlm.waits() {
            let success = match status {
                Some(401 | 407) => Some(false),
                Some(200..=399) => Some(true),
                _ => None,
            };
            ntlm.verdict(success, status.map(|code| code.to_string()), out);
        }
        if let Some(token) = response {
            ntlm.token(&token, (self.row.resp_frame.unwrap_or(self.place.0), self.place.1), out);
        }
    }
}

/// The items of a list between commas.
fn listed(value: &[u8]) -> impl Iterator<Item = String> {
    value
        .split(|&byte| byte == b',')
        .map(<[u8]>::trim_ascii)
        .filter(|item| !item.is_empty())
        .take(NAMES_MAX)
        .map(|item| escape(item, VALUE_MAX))
}

/// `bytes 0-499/1234` (RFC 9110 14.4).
fn content_range(value: &[u8]) -> Option<ByteRange> {
    let text = std::str::from_utf8(value).ok()?.trim().strip_prefix("bytes")?.trim();
    let (span, total) = text.split_once('/')?;
    let (start, _) = span.split_once('-')?;
    Some(ByteRange { start: start.trim().parse().ok()?, total: total.trim().parse().ok()? })
}

/// `attachment; filename="a.exe"`, or RFC 8187's `filename*=UTF-8''a%20b.exe`.
fn disposition(value: &[u8]) -> Option<String> {
    let parts =
        || value.split(|&byte| byte == b';').filter_map(|part| part.iter().position(|&byte| byte == b'=').map(|at| part.split_at(at)));
    let named =
        |name: &[u8]| parts().find(|(key, _)| key.trim_ascii().eq_ignore_ascii_case(name)).map(|(_, value)| value[1..].trim_ascii());
    if let Some(extended) = named(b"filename*") {
        let text = extended.splitn(3, |&byte| byte == b'\'').nth(2).unwrap_or(extended);
        return Some(escape(&unescape(text), 512));
    }
    let plain = named(b"filename")?;
    let plain = plain.strip_prefix(b"\"").unwrap_or(plain);
    Some(escape(plain.strip_suffix(b"\"").unwrap_or(plain), 512)).filter(|name| !name.is_empty())
}
