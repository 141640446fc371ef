//! One flow's application layer: finds the protocol, then feeds its dissector.

use super::signatures::{self, Named};
use super::{Answer, Chunk, Dissector, Out, PROTOCOLS, Probe};
use crate::model::{AppEvent, Conn, Dir, Proto, Ts};

/// Bytes per direction within which a stream must say what it is.
const PROBE_BYTES: usize = 2_048;
/// Chunks within which a stream must say what it is: typed text comes byte by byte.
const PROBE_CHUNKS: usize = 256;
/// Datagrams within which a flow must say what it is.
const PROBE_DATAGRAMS: usize = 8;

/// The application layer of one flow.
pub struct Conversation {
    conn: Conn,
    state: State,
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
    /// What a signature says it is, should no dissector want it.
    service: &'static str,
}

struct Kept {
    dir: Dir,
    bytes: Vec<u8>,
    cut: u32,
    frame: u64,
    ts_ns: Ts,
}

impl Conversation {
    /// For a new flow.
    pub fn new(conn: Conn) -> Self {
        Self { conn, state: State::Probing(Box::default()) }
    }

    /// Takes the next bytes of a stream, or one datagram.
    pub fn data(&mut self, chunk: &Chunk<'_>, events: &mut Vec<AppEvent>) {
        if chunk.bytes.is_empty() {
            return;
        }
        match &mut self.state {
            State::Over { .. } => {}
            State::Reading { dissector, .. } => with_out(self.conn, events, |out| dissector.data(chunk, out)),
            State::Probing(_) => self.probe(chunk, events),
        }
    }

    /// Tells that bytes of `dir` are lost.
    pub fn gap(&mut self, dir: Dir, missing: u64, events: &mut Vec<AppEvent>) {
        match &mut self.state {
            State::Reading { dissector, .. } => with_out(self.conn, events, |out| dissector.gap(dir, missing, out)),
            State::Probing(waiting) => waiting.heads[dir.index()].clear(),
            State::Over { .. } => {}
        }
    }

    /// Tells that `dir` has sent its last byte.
    pub fn fin(&mut self, dir: Dir, events: &mut Vec<AppEvent>) {
        if let State::Reading { dissector, .. } = &mut self.state {
            with_out(self.conn, events, |out| dissector.fin(dir, out));
        }
    }

    /// Tells that the flow is over, and lets go of everything.
    pub fn end(&mut self, events: &mut Vec<AppEvent>) {
        if let State::Reading { dissector, .. } = &mut self.state {
            with_out(self.conn, events, |out| dissector.end(out));
        }
        self.state = State::Over { service: self.service() };
    }

    /// Whether bytes of `dir` are still of use.
    pub fn wants(&self, dir: Dir) -> bool {
        match &self.state {
            State::Probing(_) => true,
            State::Reading { dissector, .. } => dissector.wants(dir),
            State::Over { .. } => false,
        }
    }

    /// The service confirmed by content, empty if none was.
    pub fn service(&self) -> &'static str {
        match &self.state {
            State::Reading { name, dissector } if dissector.confirmed() => name,
            State::Reading { .. } => "",
            State::Probing(waiting) => waiting.service,
            State::Over { service } => service,
        }
    }

    fn probe(&mut self, chunk: &Chunk<'_>, events: &mut Vec<AppEvent>) {
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
            orig_p: self.conn.orig_p,
            resp_p: self.conn.resp_p,
        };
        let mut maybe = false;
        let mut sure = None;
        for protocol in PROTOCOLS.iter().filter(|protocol| protocol.over.contains(&self.conn.proto)) {
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
            self.start(protocol, chunk, events);
            return;
        }
        if waiting.service.is_empty() {
            match signatures::name(&probe) {
                Named::Yes(service) => waiting.service = service,
                Named::Perhaps => maybe = true,
                Named::No => {}
            }
        }
        let Chunk { dir, bytes, cut, frame, ts_ns } = *chunk;
        waiting.kept.push(Kept { dir, bytes: bytes.to_vec(), cut, frame, ts_ns });
        // A named flow waits for nobody but a dissector that is not sure yet.
        let other_silent = waiting.heads[chunk.dir.flip().index()].is_empty() && waiting.service.is_empty();
        let most = if stream { PROBE_CHUNKS } else { PROBE_DATAGRAMS };
        let full = waiting.heads.iter().any(|head| head.len() >= PROBE_BYTES) || waiting.kept.len() >= most;
        if full || !(maybe || other_silent) {
            self.state = State::Over { service: waiting.service };
        }
    }

    fn start(&mut self, protocol: &'static super::Protocol, chunk: &Chunk<'_>, events: &mut Vec<AppEvent>) {
        let mut dissector = (protocol.make)(&self.conn);
        let before = std::mem::replace(&mut self.state, State::Over { service: "" });
        with_out(self.conn, events, |out| {
            if let State::Probing(waiting) = before {
                for Kept { dir, bytes, cut, frame, ts_ns } in &waiting.kept {
                    dissector.data(&Chunk { dir: *dir, bytes, cut: *cut, frame: *frame, ts_ns: *ts_ns }, out);
                }
            }
            dissector.data(chunk, out);
        });
        self.state = State::Reading { name: protocol.name, dissector };
    }
}

/// Lends the event list to a dissector for one call.
fn with_out(conn: Conn, events: &mut Vec<AppEvent>, call: impl FnOnce(&mut Out)) {
    let mut out = Out { conn, events: std::mem::take(events) };
    call(&mut out);
    *events = out.events;
}
