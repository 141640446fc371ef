//! A TCP connection's state as Zeek keeps it: endpoint states, sequence space, history letters, `conn_state`.
//!
//! The rules follow the published behaviour of Zeek's `conn` log (scripts/base/protocols/conn/main.zeek) so that hunting
//! knowledge carries over: sizes come from sequence numbers, letters repeat at powers of ten for c, g, t and w.

use super::history::{History, Letter};
use crate::model::Dir;
use crate::model::packet::{Tcp, tcp_flags};

/// What one side of a connection has done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum State {
    /// Nothing seen.
    #[default]
    Inactive,
    /// SYN seen.
    SynSent,
    /// SYN and ACK seen from an originator.
    SynAckSent,
    /// Bytes seen without a handshake.
    Partial,
    /// Handshake done.
    Established,
    /// FIN seen.
    Closed,
    /// RST seen.
    Reset,
}

/// One endpoint.
#[derive(Clone, Copy, Debug, Default)]
pub struct Endpoint {
    /// Its state.
    pub state: State,
    before: State,
    /// Initial sequence number, once known.
    start: Option<u32>,
    /// Highest sequence number sent, relative to `start`.
    last: u64,
    /// Highest acknowledgement received for it, relative to `start`.
    acked: u64,
    fin: bool,
    /// It has sent FIN or RST.
    pub closed: bool,
    last_ack_sent: Option<u32>,
}

/// A jump of more than this is not believed on SYN and RST (Zeek's TOO_LARGE_SEQ_DELTA).
const TOO_LARGE: i64 = 1 << 20;

impl Endpoint {
    fn enter(&mut self, state: State) {
        self.before = self.state;
        self.state = state;
    }

    fn begin(&mut self, start: u32) {
        self.start = Some(start);
        self.last = 0;
        self.acked = 0;
    }

    /// Signed distance of `seq` from the highest sequence number sent.
    fn beyond_last(&self, seq: u32) -> i64 {
        let Some(start) = self.start else { return 0 };
        let last = start.wrapping_add(self.last as u32);
        i64::from(seq.wrapping_sub(last) as i32)
    }

    /// Payload bytes by sequence numbers: SYN and FIN octets left out.
    pub fn size(&self, peer: &Endpoint) -> u64 {
        if self.before == State::SynSent && self.state == State::Reset && peer.state == State::Inactive && self.acked > 0 {
            return 0;
        }
        let octets = self.last.max(self.acked);
        octets.saturating_sub(1).saturating_sub(u64::from(self.fin))
    }

    /// Whether it has said nothing, or only bytes without a handshake.
    fn idle(&self) -> bool {
        matches!(self.state, State::Inactive | State::Partial)
    }
}

/// What a segment did that others need to know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effect {
    /// Its bytes had been sent before.
    pub retransmission: bool,
    /// It lies ahead of a hole.
    pub ahead: bool,
    /// It announced a zero window that matters.
    pub zero_window: bool,
    /// It acknowledges what was acknowledged before, and carries nothing.
    pub duplicate_ack: bool,
    /// The connection turned out to run the other way round.
    pub flip: bool,
    /// It does not move the connection on: both sides had closed already.
    pub after_close: bool,
    /// An oddity, in Zeek's words.
    pub weird: Option<&'static str>,
}

/// Both endpoints.
#[derive(Clone, Debug, Default)]
pub struct Connection {
    /// Originator and responder.
    pub ends: [Endpoint; 2],
}

impl Connection {
    /// Whether a SYN of `dir` with this number opens another connection on the same ports.
    pub fn is_reuse(&self, dir: Dir, tcp: &Tcp) -> bool {
        if tcp.flags & (tcp_flags::SYN | tcp_flags::ACK | tcp_flags::RST) != tcp_flags::SYN {
            return false;
        }
        let over = self.ends[0].closed && self.ends[1].closed || self.ends.iter().any(|end| end.state == State::Reset);
        over && self.ends[dir.index()].start.is_some_and(|start| start != tcp.seq)
    }

    /// Both sides have closed, or one has reset.
    pub fn is_over(&self) -> bool {
        (self.ends[0].closed && self.ends[1].closed) || self.is_reset()
    }

    /// One side has reset.
    pub fn is_reset(&self) -> bool {
        self.ends.iter().any(|end| end.state == State::Reset)
    }

    /// A SYN that nobody has answered.
    pub fn is_attempt(&self) -> bool {
        self.ends[0].state == State::SynSent && self.ends[1].state == State::Inactive
    }

    /// Exchanges the roles.
    pub fn flip(&mut self) {
        self.ends.swap(0, 1);
    }

    /// Takes one segment: `len` payload bytes on the wire.
    pub fn segment(&mut self, dir: Dir, tcp: &Tcp, len: u32, history: &mut History) -> Effect {
        let mut effect = Effect { after_close: self.ends[0].closed && self.ends[1].closed, ..Effect::default() };
        let has = |flag| tcp.flags & flag != 0;
        let (syn, fin, rst, ack) = (has(tcp_flags::SYN), has(tcp_flags::FIN), has(tcp_flags::RST), has(tcp_flags::ACK));
        note_flags(dir, tcp, len, history);
        effect.weird = odd_flags(tcp.flags);
        effect.zero_window = tcp.window == 0 && !rst && !self.is_reset() && !self.ends[dir.flip().index()].closed;
        if effect.zero_window {
            history.scaled(dir, Letter::ZeroWindow);
        }
        let seg_len = if rst { 0 } else { len } + u32::from(syn) + u32::from(fin);
        let end_seq = tcp.seq.wrapping_add(seg_len);
        self.place_start(dir, tcp, &mut effect);
        if ack && !rst {
            self.acknowledge(dir, tcp, len, &mut effect);
        }
        self.advance(dir, tcp, end_seq, len, &mut effect);
        if effect.retransmission {
            history.scaled(dir, Letter::Retransmission);
        }
        effect.flip = self.change_state(dir, tcp, &mut effect);
        effect
    }

    fn place_start(&mut self, dir: Dir, tcp: &Tcp, effect: &mut Effect) {
        let end = &mut self.ends[dir.index()];
        let syn = tcp.flags & tcp_flags::SYN != 0;
        match (end.start, end.state) {
            (None, _) => end.begin(if syn || tcp.flags & tcp_flags::RST != 0 { tcp.seq } else { tcp.seq.wrapping_sub(1) }),
            // A start guessed from the other side's acknowledgements gives way to the real one.
            (Some(start), State::Inactive) if syn && start != tcp.seq => end.begin(tcp.seq),
            (Some(start), State::SynSent | State::SynAckSent | State::Established | State::Partial) if syn && start != tcp.seq => {
                effect.weird = Some("SYN_seq_jump");
                end.begin(tcp.seq);
            }
            (Some(_), State::Reset) if syn && end.before == State::Inactive => end.begin(tcp.seq),
            _ => {}
        }
    }

    fn acknowledge(&mut self, dir: Dir, tcp: &Tcp, len: u32, effect: &mut Effect) {
        let plain = tcp.flags & (tcp_flags::SYN | tcp_flags::FIN | tcp_flags::RST) == 0;
        let own = &mut self.ends[dir.index()];
        effect.duplicate_ack = plain && len == 0 && own.last_ack_sent == Some(tcp.ack) && own.state != State::Inactive;
        own.last_ack_sent = Some(tcp.ack);
        let peer = &mut self.ends[dir.flip().index()];
        match peer.start {
            None => peer.begin(tcp.ack.wrapping_sub(1)),
            Some(start) => {
                let known = start.wrapping_add(peer.acked as u32);
                let delta = i64::from(tcp.ack.wrapping_sub(known) as i32);
                // What is acknowledged can hardly lie far beyond what was seen sent.
                if delta > 0 && (peer.state != State::Inactive || delta < TOO_LARGE) {
                    peer.acked += delta as u64;
                }
            }
        }
    }

    fn advance(&mut self, dir: Dir, tcp: &Tcp, end_seq: u32, len: u32, effect: &mut Effect) {
        let end = &mut self.ends[dir.index()];
        let delta = end.beyond_last(end_seq);
        let (syn, rst, fin) = (tcp.flags & tcp_flags::SYN != 0, tcp.flags & tcp_flags::RST != 0, tcp.flags & tcp_flags::FIN != 0);
        if (syn || rst) && delta.abs() > TOO_LARGE {
            return;
        }
        if fin && end.last <= 1 && delta < 0 {
            // Over 2 GB of which only SYN and FIN were seen.
            end.last = u64::from(end_seq.wrapping_sub(end.start.unwrap_or(end_seq)));
        } else if end.state == State::Reset {
        } else if delta > 0 {
            effect.ahead = len > 0 && delta > i64::from(len) + i64::from(fin) && end.state != State::Inactive;
            end.last += delta as u64;
        } else if len > 0 && end.state != State::Inactive {
            effect.retransmission = true;
        }
    }

    /// Moves the endpoint states on; tells whether originator and responder must change places.
    fn change_state(&mut self, dir: Dir, tcp: &Tcp, effect: &mut Effect) -> bool {
        let has = |flag| tcp.flags & flag != 0;
        let mut flip = false;
        let [orig, resp] = &mut self.ends;
        let (own, peer, is_orig) = match dir {
            Dir::Orig => (orig, resp, true),
            Dir::Resp => (resp, orig, false),
        };
        if has(tcp_flags::SYN) && matches!(own.state, State::Inactive | State::SynSent | State::SynAckSent) {
            match (is_orig, has(tcp_flags::ACK)) {
                (true, false) => {
                    if own.state == State::Inactive {
                        own.enter(State::SynSent);
                    }
                }
                (true, true) => {
                    if peer.state == State::SynSent {
                        own.enter(State::Established);
                        peer.enter(State::Established);
                    } else if own.state == State::Inactive {
                        effect.weird = effect.weird.or(Some("connection_originator_SYN_ack"));
                        own.enter(State::SynAckSent);
                    }
                }
                (false, with_ack) => {
                    if !with_ack && peer.state == State::SynAckSent {
                        flip = true;
                        peer.enter(State::Established);
                        own.enter(State::Established);
                    } else {
                        if !with_ack {
                            effect.weird = effect.weird.or(Some("simultaneous_open"));
                        }
                        match peer.state {
                            State::SynSent => peer.enter(State::Established),
                            State::Inactive => effect.weird = effect.weird.or(Some("unsolicited_SYN_response")),
                            _ => {}
                        }
                        own.enter(State::Established);
                    }
                }
            }
        }
        if own.state == State::SynAckSent && !has(tcp_flags::SYN) && !has(tcp_flags::RST) {
            own.enter(State::Established);
        }
        if has(tcp_flags::FIN) && !has(tcp_flags::RST) && own.state != State::Reset {
            if own.state == State::SynSent && !has(tcp_flags::SYN) {
                effect.weird = effect.weird.or(Some("inappropriate_FIN"));
            }
            own.fin |= own.state != State::Closed;
            if own.state != State::Closed {
                own.enter(State::Closed);
            }
            own.closed = true;
        } else if has(tcp_flags::RST) {
            if own.state != State::Reset {
                own.enter(State::Reset);
            }
            own.closed = true;
        } else if own.state == State::Inactive {
            own.enter(State::Partial);
        }
        flip
    }

    /// Zeek's `conn_state`.
    pub fn conn_state(&self) -> &'static str {
        let [orig, resp] = &self.ends;
        let sizes = orig.size(resp) == 0 && resp.size(orig) == 0;
        match (orig.state, resp.state) {
            // Resets alone say nothing about what they reset.
            (State::Reset, State::Inactive) if orig.before == State::Inactive => "OTH",
            (State::Inactive, State::Reset) if resp.before == State::Inactive => "OTH",
            (State::SynSent | State::SynAckSent, State::Reset) => "REJ",
            (State::Reset, State::Reset) if sizes => "REJ",
            (_, State::Reset) if orig.idle() => "RSTRH",
            (_, State::Reset) => "RSTR",
            (State::Reset, _) if resp.idle() => "RSTOS0",
            (State::Reset, _) => "RSTO",
            (State::Closed, State::Closed) => "SF",
            (State::Closed, _) if resp.idle() => "SH",
            (State::Closed, _) => "S2",
            (_, State::Closed) if orig.idle() => "SHR",
            (_, State::Closed) => "S3",
            (State::SynSent, State::Inactive) => "S0",
            (State::Established, State::Established) => "S1",
            _ => "OTH",
        }
    }
}

fn note_flags(dir: Dir, tcp: &Tcp, len: u32, history: &mut History) {
    let has = |flag| tcp.flags & flag != 0;
    let (syn, fin, rst, ack) = (has(tcp_flags::SYN), has(tcp_flags::FIN), has(tcp_flags::RST), has(tcp_flags::ACK));
    if tcp.checksum_ok == Some(false) {
        history.scaled(dir, Letter::BadChecksum);
    }
    if syn && (fin || rst) {
        history.once(dir, Letter::MultiFlag);
    } else if fin && rst {
        history.once(dir, Letter::Inconsistent);
    }
    if syn {
        history.once(dir, if ack { Letter::SynAck } else { Letter::Syn });
    }
    if len > 0 && !rst {
        history.once(dir, Letter::Data);
    }
    if fin {
        history.once(dir, Letter::Fin);
    }
    if rst {
        history.once(dir, Letter::Reset);
    }
    if ack && len == 0 && !syn && !fin && !rst {
        history.once(dir, Letter::Ack);
    }
}

fn odd_flags(flags: u16) -> Option<&'static str> {
    let has = |flag| flags & flag != 0;
    let (syn, fin, rst) = (has(tcp_flags::SYN), has(tcp_flags::FIN), has(tcp_flags::RST));
    match () {
        () if fin && has(tcp_flags::URG) && has(tcp_flags::PSH) && !has(tcp_flags::ACK) => Some("TCP_christmas"),
        () if syn && fin => Some("SYN_with_FIN"),
        () if syn && rst => Some("SYN_with_RST"),
        () if fin && rst => Some("FIN_with_RST"),
        () if flags & 0x3f == 0 => Some("TCP_null"),
        () => None,
    }
}
