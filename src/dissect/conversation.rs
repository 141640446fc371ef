//! One flow's application layer: finds the protocol, then feeds its dissector.

use super::expect::Kind;
use super::signatures::{self, Named};
use super::{Answer, Chunk, Dissector, Level, Out, PROTOCOLS, Probe, Protocol, Setting, http, tls};
use crate::model::{AppEvent, Conn, Dir, Proto, Ts};

/// Bytes per direction within which a stream must say what it is.
const PROBE_BYTES: usize = 2_048;
/// Bytes per direction within which datagrams must.
const PROBE_DATAGRAM_BYTES: usize = 16_384;
/// Chunks within which a stream must say what it is: typed text comes byte by byte.
const PROBE_CHUNKS: usize = 256;
/// Datagrams within which a flow must say what it is.
const PROBE_DATAGRAMS: usize = 8;
/// Bytes per direction of a stream that nobody reads (any more) in which a TLS hello is still looked for.
const WATCH_BYTES: u64 = 64 << 10;

/// Services that hand a stream over to TLS, and what the flow is called then.
const CARRIERS: [(&str, &str); 17] = [
    ("http", "http,ssl"),
    ("ftp", "ftp,ssl"),
    ("ftp-data", "ftp-data,ssl"),
    ("smtp", "smtp,ssl"),
    ("imap", "imap,ssl"),
    ("pop3", "pop3,ssl"),
    ("amqp", "amqp,ssl"),
    ("irc", "irc,ssl"),
    ("ldap_tcp", "ldap_tcp,ssl"),
    ("mongodb", "mongodb,ssl"),
    ("mysql", "mysql,ssl"),
    ("postgresql", "postgresql,ssl"),
    ("rdp", "rdp,ssl"),
    ("rfb", "rfb,ssl"),
    ("socks", "socks,ssl"),
    ("tds", "tds,ssl"),
    ("xmpp", "xmpp,ssl"),
];

/// Carriers that can be read without their greeting.
const GO_ON: [&str; 7] = ["ftp", "smtp", "imap", "pop3", "irc", "ldap_tcp", "postgresql"];

/// The application layer of one flow.
pub struct Conversation {
    conn: Conn,
    state: State,
    /// Service before TLS took over, as STARTTLS and proxies do.
    before: &'static str,
    watched: [u64; 2],
    /// The capturing program cut some of it off.
    snapped: bool,
    ended: bool,
    setting: Setting,
    /// Files named so far.
    files: u32,
}

enum State {
    /// Nobody is sure yet: what came so far is kept to be read again.
    Probing(Box<Waiting>),
    /// One protocol has it.
    Reading { name: &'static str, dissector: Box<dyn Dissector> },
    /// Nobody knows it, or the reader has had enough.
    Over { service: &'static str },
}

#[derive(Default)]
struct Waiting {
    kept: Vec<Kept>,
    heads: [Vec<u8>; 2],
    /// Bytes heard, per direction: heads start anew after losses.
    heard: [usize; 2],
    /// Whether some protocol was unsure about the last bytes of each direction.
    maybe: [bool; 2],
    /// What a signature says it is, should no dissector want it.
    service: &'static str,
    /// What another flow announced it to be.
    expected: Option<Kind>,
}

/// What happened before anyone was sure, to be told to whoever takes the flow.
enum Kept {
    Data { dir: Dir, bytes: Vec<u8>, cut: u32, frame: u64, ts_ns: Ts },
    Gap(Dir, u64),
    Fin(Dir),
}

impl Conversation {
    /// For a new flow.
    pub fn new(conn: Conn) -> Self {
        Self {
            conn,
            state: State::Probing(Box::default()),
            before: "",
            watched: [0; 2],
            snapped: false,
            ended: false,
            setting: Setting::default(),
            files: 0,
        }
    }

    /// For a new flow, what another one announced of it, and what is known for it.
    pub fn perhaps(conn: Conn, expected: Option<Kind>, setting: Setting) -> Self {
        Self { state: State::Probing(Box::new(Waiting { expected, ..Waiting::default() })), setting, ..Self::new(conn) }
    }

    /// For what another conversation of the flow carries.
    pub fn within(conn: Conn, setting: Setting) -> Self {
        Self { setting, ..Self::new(conn) }
    }

    /// Nothing was said yet, and the ends have changed places.
    pub fn begin_anew(&mut self, conn: Conn) {
        *self = Self::within(conn, std::mem::take(&mut self.setting));
    }

    /// Takes the next bytes of a stream, or one datagram.
    pub fn data(&mut self, chunk: &Chunk<'_>, events: &mut Vec<AppEvent>) {
        if chunk.bytes.is_empty() {
            return;
        }
        self.snapped |= chunk.cut > 0;
        if let Some(successor) = self.successor(chunk) {
            self.succeed(successor, chunk, events);
            return;
        }
        match &mut self.state {
            State::Over { .. } => {}
            State::Reading { dissector, .. } => {
                with_out(self.conn, self.setting.level, &mut self.files, events, |out| dissector.data(chunk, out))
            }
            State::Probing(_) => self.probe(chunk, events),
        }
    }

    /// Whether TLS may begin in the middle of `dir`: what came before is unknown, or has handed the flow over.
    fn watches(&self, dir: Dir) -> bool {
        let open = match &self.state {
            State::Probing(waiting) => waiting.expected.is_none() && !waiting.heads[dir.index()].is_empty(),
            State::Reading { dissector, .. } => dissector.hands_over(),
            State::Over { service } => service.is_empty() || CARRIERS.iter().any(|(carrier, _)| carrier == service),
        };
        open && !self.ended && self.conn.proto == Proto::Tcp && self.watched[dir.index()] < WATCH_BYTES
    }

    /// Who takes the flow from here on, if someone else does.
    fn successor(&mut self, chunk: &Chunk<'_>) -> Option<&'static Protocol> {
        if self.watches(chunk.dir) {
            self.watched[chunk.dir.index()] += chunk.bytes.len() as u64;
            return tls::is_hello(chunk.bytes).then_some(&tls::PROTOCOL);
        }
        // STUN finds the way for DTLS, and goes on beside it (RFC 7983).
        if matches!(self.state, State::Reading { name: "stun", .. }) && tls::dtls::is_hello(chunk.bytes) {
            return Some(&tls::dtls::PROTOCOL);
        }
        // A web server's complaint about a ClientHello on its clear port.
        let refused =
            matches!(&self.state, State::Reading { name, dissector } if *name == tls::PROTOCOL.name && dissector.wants(chunk.dir));
        (refused && chunk.bytes.starts_with(b"HTTP/1.")).then_some(&http::PROTOCOL)
    }

    fn succeed(&mut self, successor: &'static Protocol, chunk: &Chunk<'_>, events: &mut Vec<AppEvent>) {
        self.before = self.service();
        if let State::Reading { dissector, .. } = &mut self.state {
            with_out(self.conn, self.setting.level, &mut self.files, events, |out| dissector.end(out));
        }
        self.state = State::Over { service: "" };
        self.start(successor, Some(chunk), events);
    }

    /// Tells that bytes of `dir` are lost.
    pub fn gap(&mut self, dir: Dir, missing: u64, events: &mut Vec<AppEvent>) {
        if missing == 0 {
            return;
        }
        match &mut self.state {
            State::Reading { dissector, .. } => {
                with_out(self.conn, self.setting.level, &mut self.files, events, |out| dissector.gap(dir, missing, out))
            }
            State::Probing(waiting) => {
                waiting.heads[dir.index()].clear();
                if waiting.kept.len() < PROBE_CHUNKS {
                    waiting.kept.push(Kept::Gap(dir, missing));
                }
            }
            State::Over { .. } => {}
        }
    }

    /// Tells that `dir` has sent its last byte.
    pub fn fin(&mut self, dir: Dir, events: &mut Vec<AppEvent>) {
        self.settle(events);
        match &mut self.state {
            State::Reading { dissector, .. } => {
                with_out(self.conn, self.setting.level, &mut self.files, events, |out| dissector.fin(dir, out))
            }
            State::Probing(waiting) if waiting.kept.len() < PROBE_CHUNKS => waiting.kept.push(Kept::Fin(dir)),
            State::Probing(_) | State::Over { .. } => {}
        }
    }

    /// Tells that the flow is over, and lets go of everything.
    pub fn end(&mut self, events: &mut Vec<AppEvent>) {
        self.settle(events);
        if let State::Reading { dissector, .. } = &mut self.state {
            with_out(self.conn, self.setting.level, &mut self.files, events, |out| dissector.end(out));
        }
        self.state = State::Over { service: self.service() };
        self.before = "";
        self.ended = true;
    }

    /// Whether bytes of `dir` are still of use.
    pub fn wants(&self, dir: Dir) -> bool {
        let reads = match &self.state {
            State::Probing(_) => true,
            State::Reading { dissector, .. } => dissector.wants(dir),
            State::Over { .. } => false,
        };
        reads || self.watches(dir)
    }

    /// The service confirmed by content, of cut frames by its beginning, empty if none was; with a comma where TLS took over.
    pub fn service(&self) -> &'static str {
        let service = match &self.state {
            State::Reading { name, dissector } if dissector.confirmed() => dissector.service(name),
            // What was cut off cannot confirm what the first bytes say beyond doubt.
            State::Reading { name, .. } if self.snapped => name,
            State::Reading { .. } => "",
            State::Probing(waiting) => waiting.expected.map_or(waiting.service, Kind::service),
            State::Over { service } => service,
        };
        match (self.before, service) {
            (before, "") => before,
            ("", service) => service,
            (before, service) if service.starts_with("ssl") => {
                CARRIERS.iter().find(|(carrier, _)| *carrier == before).map_or("ssl", |(_, both)| both)
            }
            ("ssl", "http") => "ssl,http",
            _ => service,
        }
    }

    /// What spoke before TLS took over speaks on inside of it, and greets nobody again.
    fn carried_on(&self) -> Option<&'static Protocol> {
        let carrier = Some(self.setting.carrier).filter(|carrier| self.setting.level.is_decrypted() && GO_ON.contains(carrier))?;
        PROTOCOLS.iter().find(|protocol| protocol.name == carrier)
    }

    /// Believes what was announced, now that no more will come from one side.
    fn settle(&mut self, events: &mut Vec<AppEvent>) {
        if let State::Probing(waiting) = &self.state
            && let Some(kind) = waiting.expected.filter(|_| waiting.heard != [0; 2])
        {
            self.start(kind.protocol(), None, events);
        }
    }

    /// Believes what was announced once the bytes say nothing against it. True if that is settled, or still open, with this chunk.
    fn expects(&mut self, chunk: &Chunk<'_>, events: &mut Vec<AppEvent>) -> bool {
        let State::Probing(waiting) = &mut self.state else { return false };
        let Some(kind) = waiting.expected else { return false };
        if !kind.fits(chunk.bytes) {
            waiting.expected = None;
            return false;
        }
        let heard = waiting.heard;
        if heard == [0; 2] && self.conn.proto == Proto::Tcp && tls::is_hello(chunk.bytes) {
            self.before = kind.service();
            self.start(&tls::PROTOCOL, Some(chunk), events);
            return true;
        }
        if kind.is_one_way() && heard[chunk.dir.flip().index()] > 0 {
            // Whoever announced it was wrong, or wanted it to be taken for something else: all of it is read anew.
            let kept = std::mem::take(waiting).kept;
            for kept in &kept {
                match kept {
                    Kept::Data { dir, bytes, cut, frame, ts_ns } => {
                        self.data(&Chunk { dir: *dir, bytes, cut: *cut, frame: *frame, ts_ns: *ts_ns }, events);
                    }
                    Kept::Gap(dir, missing) => self.gap(*dir, *missing, events),
                    Kept::Fin(dir) => self.fin(*dir, events),
                }
            }
            self.data(chunk, events);
            return true;
        }
        if !kind.is_one_way() || heard[chunk.dir.index()] >= PROBE_BYTES || waiting.kept.len() + 1 >= PROBE_CHUNKS {
            self.start(kind.protocol(), Some(chunk), events);
            return true;
        }
        false
    }

    fn probe(&mut self, chunk: &Chunk<'_>, events: &mut Vec<AppEvent>) {
        if let Some(protocol) = self.carried_on() {
            return self.start(protocol, Some(chunk), events);
        }
        if self.expects(chunk, events) {
            return;
        }
        let State::Probing(waiting) = &mut self.state else { return };
        let stream = self.conn.proto == Proto::Tcp;
        let head = &mut waiting.heads[chunk.dir.index()];
        if !stream {
            head.clear();
        }
        let room = PROBE_BYTES.saturating_sub(head.len());
        head.extend_from_slice(&chunk.bytes[..chunk.bytes.len().min(room)]);
        let probe = Probe {
            proto: self.conn.proto,
            dir: chunk.dir,
            bytes: if stream { head } else { chunk.bytes },
            cut: chunk.cut > 0,
            orig_p: self.conn.orig_p,
            resp_p: self.conn.resp_p,
        };
        let announced = waiting.expected.is_some();
        let mut maybe = announced;
        let mut sure = None;
        for protocol in PROTOCOLS.iter().filter(|protocol| !announced && protocol.over.contains(&self.conn.proto)) {
            match (protocol.probe)(&probe) {
                Answer::Certain => {
                    sure = Some(protocol);
                    break;
                }
                Answer::Unsure => maybe = true,
                Answer::NotForUs => {}
            }
        }
        if let Some(protocol) = sure {
            self.start(protocol, Some(chunk), events);
            return;
        }
        if !announced && waiting.service.is_empty() {
            match signatures::name(&probe) {
                Named::Yes(service) => waiting.service = service,
                Named::Perhaps => maybe = true,
                Named::No => {}
            }
        }
        let Chunk { dir, bytes, cut, frame, ts_ns } = *chunk;
        waiting.kept.push(Kept::Data { dir, bytes: bytes.to_vec(), cut, frame, ts_ns });
        waiting.maybe[dir.index()] = maybe;
        if cut > 0 {
            // What follows is not the continuation of what was captured.
            waiting.heads[dir.index()].clear();
        }
        // A named flow waits for nobody but a dissector that is not sure yet.
        waiting.heard[dir.index()] += bytes.len();
        let other_silent = waiting.heard[dir.flip().index()] == 0 && waiting.service.is_empty();
        let (most, enough) = if stream { (PROBE_CHUNKS, PROBE_BYTES) } else { (PROBE_DATAGRAMS, PROBE_DATAGRAM_BYTES) };
        let full = !announced && (waiting.kept.len() >= most || waiting.heard.iter().any(|&heard| heard >= enough));
        if full || !(waiting.maybe.contains(&true) || other_silent) {
            self.state = State::Over { service: waiting.service };
        }
    }

    fn start(&mut self, protocol: &'static Protocol, chunk: Option<&Chunk<'_>>, events: &mut Vec<AppEvent>) {
        let mut dissector = (protocol.make)(&self.conn);
        dissector.settle(&Setting { carrier: self.before, ..self.setting.clone() });
        let before = std::mem::replace(&mut self.state, State::Over { service: "" });
        with_out(self.conn, self.setting.level, &mut self.files, events, |out| {
            if let State::Probing(waiting) = before {
                for kept in &waiting.kept {
                    match kept {
                        Kept::Data { dir, bytes, cut, frame, ts_ns } => {
                            dissector.data(&Chunk { dir: *dir, bytes, cut: *cut, frame: *frame, ts_ns: *ts_ns }, out);
                        }
                        Kept::Gap(dir, missing) => dissector.gap(*dir, *missing, out),
                        Kept::Fin(dir) => dissector.fin(*dir, out),
                    }
                }
            }
            if let Some(chunk) = chunk {
                dissector.data(chunk, out);
            }
        });
        self.state = State::Reading { name: protocol.name, dissector };
    }
}

/// Lends the event list to a dissector for one call.
fn with_out(conn: Conn, level: Level, files: &mut u32, events: &mut Vec<AppEvent>, call: impl FnOnce(&mut Out)) {
    let mut out = Out { conn, events: std::mem::take(events), files: *files, level };
    call(&mut out);
    (*events, *files) = (out.events, out.files);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Event, FlowId};

    #[test]
    fn cut_frames_have_the_service_that_their_beginning_tells() {
        let host = |last| std::net::IpAddr::from([192, 0, 2, last]);
        let conn = Conn { flow: FlowId::new(1, 0), orig_h: host(1), orig_p: 40_000, resp_h: host(2), resp_p: 9_999, proto: Proto::Tcp };
        for (bytes, service) in [
            (&b"SSH-2.0-OpenSS"[..], "ssh"),
            (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "ssl"),
            (b"HTTP/1.1 200 O", "http"),
            (b"GET /a/page.ht", "http"),
            (b"xyzzy", ""),
        ] {
            for cut in [0, 200] {
                let mut conversation = Conversation::new(conn);
                let mut events = Vec::new();
                for dir in [Dir::Orig, Dir::Resp] {
                    conversation.data(&Chunk { dir, bytes, cut, frame: 1, ts_ns: 1 }, &mut events);
                }
                assert_eq!(conversation.service(), if cut > 0 { service } else { "" }, "{bytes:?}");
            }
        }
    }

    #[test]
    fn a_loss_before_anybody_is_sure_is_told_to_who_comes_later() {
        let host = |last| std::net::IpAddr::from([192, 0, 2, last]);
        let conn = Conn { flow: FlowId::new(1, 0), orig_h: host(1), orig_p: 40_000, resp_h: host(2), resp_p: 9_999, proto: Proto::Tcp };
        let mut conversation = Conversation::new(conn);
        let mut events = Vec::new();
        let mut say = |dir, bytes: &[u8], missing| {
            conversation.gap(dir, missing, &mut events);
            conversation.data(&Chunk { dir, bytes, cut: 0, frame: 1, ts_ns: 1 }, &mut events);
        };
        say(Dir::Orig, b"USER jane\r\nPASS sec", 0);
        say(Dir::Orig, b"CWD x\r\nSYST\r\n", 100);
        let commands: Vec<_> = {
            conversation.end(&mut events);
            events.iter().filter_map(|event| if let Event::Ftp(ftp) = &event.event { ftp.command.clone() } else { None }).collect()
        };
        assert_eq!(commands, ["USER", "CWD", "SYST"], "half a password and another line are no password");
    }
}
