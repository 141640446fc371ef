//! HTTP/1 (RFC 9110, 9112): one row per exchange, files of the bodies, logins in clear.
//!
//! Each direction is a small machine over lines and counted bytes; exchanges wait in a queue for their response.

mod body;
mod exchange;
mod line;
mod parts;
mod secrets;
mod tunnel;
pub mod v2;
#[cfg(test)]
mod tests;

use super::ntlm::Logins;
use super::{Answer, Chunk, Dissector, Out, Probe, Protocol, Setting};
use crate::model::{Conn, Dir, Proto, Ts};
use exchange::Exchange;
use line::{LineBuffer, request_line, status_line};
use secrets::Login;
use std::collections::VecDeque;
use tunnel::Tunnel;

/// How HTTP is recognised and read.
pub const PROTOCOL: Protocol = Protocol { name: "http", over: &[Proto::Tcp], probe, make: |_| Box::new(Reader::default()) };

/// Requests that wait for a response; beyond it the oldest is said without one (Zeek's `max_pending_requests`).
const PENDING_MAX: usize = 100;
/// Header lines read of one message.
const HEADERS_MAX: usize = 256;
/// Ports where a request without version is believed (HTTP/0.9).
const PORTS: [u16; 8] = [80, 81, 631, 1080, 3128, 8000, 8080, 8888];
/// Methods with which such a request may begin.
const LEGACY_METHODS: [&[u8]; 9] = [b"GET", b"POST", b"HEAD", b"PUT", b"DELETE", b"TRACE", b"OPTIONS", b"CONNECT", b"CCM_POST"];

fn probe(probe: &Probe<'_>) -> Answer {
    let text = probe.bytes.trim_ascii_start();
    let Some(end) = memchr::memchr(b'\n', text) else { return if probe.cut { begun(text) } else { unfinished(text) } };
    let line = text[..end].trim_ascii_end();
    if status_line(line).is_some_and(|status| status.version != "0.0") {
        return Answer::Certain;
    }
    match request_line(line) {
        // "PRI * HTTP/2.0" opens another protocol (RFC 9113 3.4).
        Some(request) if request.version.as_deref() == Some("2.0") => Answer::NotForUs,
        Some(request) if request.version.is_some() => Answer::Certain,
        Some(request) if PORTS.contains(&probe.resp_p) && LEGACY_METHODS.contains(&request.method) => Answer::Certain,
        _ => Answer::NotForUs,
    }
}

/// A first line whose end was cut off, as far as it goes.
fn begun(text: &[u8]) -> Answer {
    let asks = || request_line(text).is_some_and(|request| LEGACY_METHODS.contains(&request.method));
    let answers = status_line(text).is_some_and(|status| status.version != "0.0");
    if answers || asks() { Answer::Certain } else { unfinished(text) }
}

/// A first line that is not whole yet: letters, then a blank, nothing unprintable.
fn unfinished(text: &[u8]) -> Answer {
    let token = text.iter().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'/' | b'.')).count();
    let odd = token == 0 && !text.is_empty() || token > 32 || text.get(token).is_some_and(|byte| !matches!(byte, b' ' | b'\t' | b'\r'));
    let binary = text.iter().any(|byte| *byte < b' ' && !matches!(byte, b'\t' | b'\r'));
    if odd || binary { Answer::NotForUs } else { Answer::Unsure }
}

/// Where one direction is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum At {
    /// Before a request or status line.
    Start,
    /// Within headers.
    Headers,
    /// Within a body of known length: bytes left.
    Length(u64),
    /// Before the size of a chunk.
    Size,
    /// Within a chunk: bytes left.
    Chunk(u64),
    /// Before the line end that closes a chunk.
    ChunkEnd,
    /// Within the headers after the last chunk.
    Trailers,
    /// Within a body that ends with the connection.
    UntilClose,
    /// Out of step: looking for a line that begins a message.
    Lost,
    /// Something else has begun: a tunnel, a web socket.
    Over,
}

struct Side {
    at: At,
    line: LineBuffer,
    /// The header before this line: the next may continue it (RFC 9112 5.2).
    header: Option<(Vec<u8>, Vec<u8>)>,
    headers: usize,
    /// Exchange being read.
    depth: u32,
}

impl Default for Side {
    fn default() -> Self {
        Self { at: At::Start, line: LineBuffer::default(), header: None, headers: 0, depth: 0 }
    }
}

/// NTLM logins of the connection.
struct Ntlm(Logins);

impl Default for Ntlm {
    fn default() -> Self {
        Self(Logins::new("http"))
    }
}

#[derive(Default)]
struct Reader {
    sides: [Side; 2],
    exchanges: VecDeque<Exchange>,
    depth: u32,
    confirmed: bool,
    weird: bool,
    /// What the connection has become.
    tunnel: Option<Box<Tunnel>>,
    /// It has become HTTP/2.
    second: Option<Box<v2::Reader>>,
    setting: Setting,
    last_login: Option<(Login, Option<bool>)>,
    ntlm: Ntlm,
    last_ts: Ts,
}

impl Reader {
    fn exchange(&mut self, dir: Dir) -> Option<&mut Exchange> {
        let depth = self.sides[dir.index()].depth;
        self.exchanges.iter_mut().find(|exchange| exchange.depth == depth)
    }

    /// Begins an exchange and makes room for it.
    fn open(&mut self, place: (u64, Ts), out: &mut Out) -> &mut Exchange {
        if self.exchanges.len() >= PENDING_MAX {
            self.drop_oldest(out);
        }
        self.depth += 1;
        self.exchanges.push_back(Exchange::new(self.depth, place));
        let last = self.exchanges.len() - 1;
        &mut self.exchanges[last]
    }

    fn drop_oldest(&mut self, out: &mut Out) {
        if let Some(mut oldest) = self.exchanges.pop_front() {
            for dir in [Dir::Orig, Dir::Resp] {
                oldest.finish(dir, false, self.last_ts, out);
            }
            oldest.say(&mut self.last_login, &mut self.ntlm.0, out);
        }
    }

    fn line(&mut self, dir: Dir, line: &[u8], chunk: &Chunk<'_>, out: &mut Out) {
        let at = self.sides[dir.index()].at;
        match at {
            At::Start | At::Lost => self.start(dir, line, chunk, out),
            At::Headers => self.header_line(dir, line, chunk, out),
            At::Size => self.sides[dir.index()].at = chunk_size(line),
            At::ChunkEnd => self.sides[dir.index()].at = At::Size,
            At::Trailers if line.is_empty() => self.finish(dir, true, chunk.ts_ns, out),
            _ => {}
        }
    }

    fn start(&mut self, dir: Dir, line: &[u8], chunk: &Chunk<'_>, out: &mut Out) {
        if line.is_empty() {
            return;
        }
        let lost = self.sides[dir.index()].at == At::Lost;
        let place = (chunk.frame, chunk.ts_ns);
        let depth = match dir {
            Dir::Orig => self.start_request(line, lost, place, out),
            Dir::Resp => self.start_response(line, place, out),
        };
        let side = &mut self.sides[dir.index()];
        match depth {
            Some(depth) => {
                (side.at, side.depth, side.headers) = (At::Headers, depth, 0);
                self.confirmed = true;
            }
            None => {
                side.at = At::Lost;
                if !std::mem::replace(&mut self.weird, true) {
                    let name = if dir == Dir::Orig { "bad_HTTP_request" } else { "bad_HTTP_reply" };
                    out.weird(chunk, "http", name, super::escape(line, 64));
                }
            }
        }
    }

    fn start_request(&mut self, line: &[u8], lost: bool, place: (u64, Ts), out: &mut Out) -> Option<u32> {
        // A request without version is believed as the first word of a flow only.
        let first = !lost && self.depth <= 1;
        let request =
            request_line(line).filter(|request| request.version.is_some() || first && LEGACY_METHODS.contains(&request.method))?;
        let exchange = self.open(place, out);
        exchange.request(request.method, request.target);
        exchange.legacy = request.version.is_none();
        Some(exchange.depth)
    }

    fn start_response(&mut self, line: &[u8], place: (u64, Ts), out: &mut Out) -> Option<u32> {
        let status = status_line(line)?;
        let exchange = match self.exchanges.iter().position(|exchange| !exchange.done[1]) {
            Some(waiting) => &mut self.exchanges[waiting],
            None => {
                let exchange = self.open(place, out);
                // Its request was not seen and will not be.
                exchange.done[0] = true;
                exchange
            }
        };
        exchange.status(&status, place);
        Some(exchange.depth)
    }

    fn header_line(&mut self, dir: Dir, line: &[u8], chunk: &Chunk<'_>, out: &mut Out) {
        let side = &mut self.sides[dir.index()];
        if let (Some((_, value)), Some(b' ' | b'\t')) = (&mut side.header, line.first()) {
            let more = line.trim_ascii();
            if !more.is_empty() {
                if !value.is_empty() {
                    value.push(b' ');
                }
                value.extend_from_slice(more);
                return;
            }
        }
        let previous = side.header.take();
        side.headers += 1;
        if side.headers <= HEADERS_MAX
            && let Some(colon) = memchr::memchr(b':', line)
        {
            side.header = Some((line[..colon].trim_ascii().to_vec(), line[colon + 1..].trim_ascii().to_vec()));
        }
        if let (Some((name, value)), Some(exchange)) = (previous, self.exchange(dir)) {
            exchange.header(dir, &name, &value);
        }
        if line.is_empty() {
            self.headers_done(dir, chunk, out);
        }
    }

    fn headers_done(&mut self, dir: Dir, chunk: &Chunk<'_>, out: &mut Out) {
        let Some(exchange) = self.exchange(dir) else {
            self.sides[dir.index()].at = At::Lost;
            return;
        };
        let framing = &exchange.framing[dir.index()];
        let framed = match framing.length {
            _ if framing.chunked => Some(At::Size),
            Some(0) => None,
            Some(length) => Some(At::Length(length)),
            None if dir == Dir::Resp => Some(At::UntilClose),
            None => None,
        };
        let method = exchange.row.method.clone().unwrap_or_default();
        let tunnel = method.eq_ignore_ascii_case("CONNECT");
        let code = exchange.row.status_code.unwrap_or(0);
        let next = match (dir, code) {
            (Dir::Orig, _) if tunnel => None,
            (Dir::Orig, _) => framed,
            (Dir::Resp, 101) if exchange.h2c => {
                self.second = Some(Box::new(v2::Reader::upgraded(&exchange.row, exchange.place)));
                return self.over(None, chunk, out);
            }
            (Dir::Resp, 101) => {
                let inside = exchange.socket.is_some().then_some(Tunnel::websocket as fn(Conn, Setting) -> Tunnel);
                return self.over(inside, chunk, out);
            }
            (Dir::Resp, 200..=299) if tunnel => return self.over(Some(Tunnel::plain), chunk, out),
            // An interim response: the real one follows (RFC 9110 15.2).
            (Dir::Resp, 100..=199) => Some(At::Start),
            (Dir::Resp, 204 | 304) => None,
            (Dir::Resp, _) if method.eq_ignore_ascii_case("HEAD") => None,
            (Dir::Resp, _) => framed,
        };
        match next {
            Some(at) => self.sides[dir.index()].at = at,
            None => self.finish(dir, true, chunk.ts_ns, out),
        }
    }

    /// From here on the connection speaks something else.
    fn over(&mut self, inside: Option<fn(Conn, Setting) -> Tunnel>, chunk: &Chunk<'_>, out: &mut Out) {
        self.tunnel = inside.and_then(|open| Some(Box::new(open(out.conn, self.setting.tunnelled()?))));
        self.finish(Dir::Resp, true, chunk.ts_ns, out);
        for side in &mut self.sides {
            *side = Side { at: At::Over, ..Side::default() };
        }
    }

    /// A message is over; says all rows that are.
    fn finish(&mut self, dir: Dir, whole: bool, ts_ns: Ts, out: &mut Out) {
        let side = &mut self.sides[dir.index()];
        side.at = At::Start;
        side.header = None;
        if let Some(exchange) = self.exchange(dir) {
            exchange.finish(dir, whole, ts_ns, out);
        }
        while self.exchanges.front().is_some_and(Exchange::is_over) {
            if let Some(exchange) = self.exchanges.pop_front() {
                exchange.say(&mut self.last_login, &mut self.ntlm.0, out);
            }
        }
    }

    /// Up to `left` bytes of body off `rest`; the bytes still to come, if the body goes on.
    fn body(&mut self, dir: Dir, left: u64, rest: &mut &[u8], chunk: &Chunk<'_>, out: &mut Out) -> u64 {
        let n = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
        let (now, later) = rest.split_at(n);
        *rest = later;
        if let Some(exchange) = self.exchange(dir) {
            exchange.body(dir, now, (chunk.frame, chunk.ts_ns), out);
        }
        left - n as u64
    }

    /// An answer that does not begin like one, to a request that had no version: all of it is body.
    fn headless(&mut self, dir: Dir, bytes: &[u8], chunk: &Chunk<'_>) {
        let side = &mut self.sides[dir.index()];
        if dir == Dir::Orig || side.at != At::Start || !side.line.is_empty() || bytes.starts_with(b"HTTP/") {
            return;
        }
        if let Some(exchange) = self.exchanges.iter_mut().find(|exchange| !exchange.done[1]).filter(|exchange| exchange.legacy) {
            exchange.headless((chunk.frame, chunk.ts_ns));
            (side.at, side.depth) = (At::UntilClose, exchange.depth);
        }
    }
}

/// The state after the line that announces a chunk. A size that cannot be is taken for the last chunk, which is how a smuggled
/// request behind it is found.
fn chunk_size(line: &[u8]) -> At {
    let digits = line.trim_ascii_start();
    let end = digits.iter().position(|byte| !byte.is_ascii_hexdigit()).unwrap_or(digits.len());
    let size = std::str::from_utf8(&digits[..end]).ok().and_then(|text| u64::from_str_radix(text, 16).ok());
    match size {
        Some(size) if size > 0 => At::Chunk(size),
        _ => At::Trailers,
    }
}

impl Dissector for Reader {
    fn data(&mut self, chunk: &Chunk<'_>, out: &mut Out) {
        self.last_ts = chunk.ts_ns;
        let dir = chunk.dir;
        let mut rest = chunk.bytes;
        while !rest.is_empty() {
            self.headless(dir, rest, chunk);
            match self.sides[dir.index()].at {
                At::Over => {
                    if let Some(tunnel) = &mut self.tunnel {
                        tunnel.data(&Chunk { bytes: rest, ..*chunk }, out);
                    } else if let Some(second) = &mut self.second {
                        second.data(&Chunk { bytes: rest, ..*chunk }, out);
                    }
                    return;
                }
                At::Length(left) => match self.body(dir, left, &mut rest, chunk, out) {
                    0 => self.finish(dir, true, chunk.ts_ns, out),
                    left => self.sides[dir.index()].at = At::Length(left),
                },
                At::Chunk(left) => {
                    let left = self.body(dir, left, &mut rest, chunk, out);
                    self.sides[dir.index()].at = if left == 0 { At::ChunkEnd } else { At::Chunk(left) };
                }
                At::UntilClose => {
                    self.body(dir, u64::MAX, &mut rest, chunk, out);
                }
                _ => {
                    if let Some(line) = self.sides[dir.index()].line.take(&mut rest) {
                        self.line(dir, &line, chunk, out);
                    }
                }
            }
        }
    }

    fn gap(&mut self, dir: Dir, missing: u64, out: &mut Out) {
        let within = |left: u64| missing <= left;
        let at = self.sides[dir.index()].at;
        let lost_of_body = match at {
            At::Over => {
                if let Some(tunnel) = &mut self.tunnel {
                    tunnel.gap(dir, missing, out);
                } else if let Some(second) = &mut self.second {
                    second.gap(dir, missing, out);
                }
                return;
            }
            At::Length(left) | At::Chunk(left) => missing.min(left),
            At::UntilClose => missing,
            _ => 0,
        };
        if lost_of_body > 0
            && let Some(exchange) = self.exchange(dir)
        {
            exchange.body_gap(dir, lost_of_body);
        }
        match at {
            At::Length(left) if missing == left => self.finish(dir, false, self.last_ts, out),
            At::Length(left) if within(left) => self.sides[dir.index()].at = At::Length(left - missing),
            At::Chunk(left) if within(left) => {
                self.sides[dir.index()].at = if missing == left { At::ChunkEnd } else { At::Chunk(left - missing) };
            }
            At::UntilClose => {}
            _ => {
                // Within a head, or beyond the end of a body: nothing tells where this is. What was begun is all there is.
                self.sides[dir.index()].line.clear();
                if !matches!(at, At::Start | At::Lost) {
                    self.finish(dir, false, self.last_ts, out);
                }
                self.sides[dir.index()].at = At::Lost;
            }
        }
    }

    fn fin(&mut self, dir: Dir, out: &mut Out) {
        if self.sides[dir.index()].at == At::UntilClose {
            self.finish(dir, true, self.last_ts, out);
        }
        if let Some(tunnel) = &mut self.tunnel {
            tunnel.fin(dir, out);
        }
    }

    fn end(&mut self, out: &mut Out) {
        // A head that broke off has a header in hand, and perhaps the beginning of another.
        for dir in [Dir::Orig, Dir::Resp] {
            let side = &mut self.sides[dir.index()];
            let line = if side.at == At::Headers { side.line.unfinished() } else { Vec::new() };
            let cut = memchr::memchr(b':', &line).map(|at| (line[..at].trim_ascii().to_vec(), line[at + 1..].trim_ascii().to_vec()));
            for (name, value) in [side.header.take(), cut].into_iter().flatten() {
                if let Some(exchange) = self.exchange(dir) {
                    exchange.header(dir, &name, &value);
                }
            }
        }
        while !self.exchanges.is_empty() {
            self.drop_oldest(out);
        }
        self.ntlm.0.end(out);
        if let Some(tunnel) = &mut self.tunnel {
            tunnel.end(out);
        }
        if let Some(second) = &mut self.second {
            second.end(out);
        }
    }

    fn service(&self, name: &'static str) -> &'static str {
        match &self.tunnel {
            Some(tunnel) => tunnel.service(),
            None if self.second.is_some() => "http,http2",
            None => name,
        }
    }

    fn settle(&mut self, setting: &Setting) {
        self.setting = setting.clone();
    }

    fn confirmed(&self) -> bool {
        self.confirmed
    }

    fn hands_over(&self) -> bool {
        self.sides[0].at == At::Over && self.tunnel.is_none() && self.second.is_none()
    }

    fn wants(&self, dir: Dir) -> bool {
        match (&self.tunnel, &self.second) {
            (Some(tunnel), _) => tunnel.wants(dir),
            (None, Some(second)) => second.wants(dir),
            (None, None) => self.sides[dir.index()].at != At::Over,
        }
    }
}
