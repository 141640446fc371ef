//! One side of a TCP connection: its state and its place in sequence space.

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

/// One endpoint. Numbers are relative to `start`, which stands where the SYN stood or would have stood.
#[derive(Clone, Copy, Debug, Default)]
pub struct Endpoint {
    /// Its state.
    pub state: State,
    /// The state before.
    pub before: State,
    /// It has sent FIN or RST, and that was noted.
    pub closed: bool,
    /// It has sent a SYN.
    pub syn: bool,
    /// It has sent a FIN.
    pub fin: bool,
    /// Initial sequence number.
    pub start: u32,
    /// One past the highest sequence number sent.
    pub last: u64,
    /// Highest acknowledgement received.
    pub acked: u64,
    /// Numbers of the last SYN, FIN and RST: repetitions of the same are no news.
    pub numbers: [u32; 3],
    /// The last acknowledgement sent.
    pub last_ack_sent: Option<u32>,
    /// Room offered last, where, and by which segment.
    pub window: Window,
}

/// A receive window as it was last believed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Window {
    /// Shift, at most 14 (RFC 7323).
    pub scale: u8,
    /// Bytes.
    pub size: u32,
    /// Sequence number of the segment that offered it.
    pub seq: u32,
    /// Its acknowledgement number, from which it counts.
    pub ack: u32,
}

/// Signed distance from `b` to `a` around the circle of sequence numbers.
pub fn delta(a: u32, b: u32) -> i64 {
    i64::from(a.wrapping_sub(b) as i32)
}

impl Endpoint {
    /// Changes the state.
    pub fn enter(&mut self, state: State) {
        if self.state != state {
            self.before = self.state;
            self.state = state;
        }
    }

    /// Sets where counting starts.
    pub fn begin(&mut self, start: u32, last: u64) {
        (self.start, self.last, self.acked) = (start, last, 0);
    }

    /// A number of its own, relative to `start`; negative before it.
    pub fn place(&self, seq: u32) -> i64 {
        self.last as i64 + delta(seq, self.start.wrapping_add(self.last as u32))
    }

    /// An acknowledgement of it, relative to `start`; negative before it.
    pub fn place_ack(&self, ack: u32) -> i64 {
        self.acked as i64 + delta(ack, self.start.wrapping_add(self.acked as u32))
    }

    /// Payload bytes by sequence numbers: SYN and FIN octets left out.
    pub fn size(&self, peer: &Endpoint) -> u64 {
        let aborted = self.before == State::SynSent && self.state == State::Reset && peer.state == State::Inactive;
        if aborted && self.acked > 1 {
            // A half-open connection was found out: its numbers say nothing of payload.
            return 0;
        }
        self.last.max(self.acked).saturating_sub(1).saturating_sub(u64::from(self.fin))
    }

    /// Whether it has said nothing, or only bytes without a handshake.
    pub fn idle(&self) -> bool {
        matches!(self.state, State::Inactive | State::Partial)
    }

    /// Neither silent nor done.
    pub fn active(&self) -> bool {
        !matches!(self.state, State::Inactive | State::Reset) && !self.closed
    }

    /// Established, or closed properly from there: what is missing then is truly missing.
    pub fn clean(&self) -> bool {
        self.state == State::Established || (self.state == State::Closed && self.before == State::Established)
    }

    /// Takes the window of a segment; tells whether room that had been offered is taken back.
    pub fn offer(&mut self, tcp: &Tcp) -> bool {
        if tcp.flags & (tcp_flags::SYN | tcp_flags::FIN | tcp_flags::RST) != 0 || matches!(self.state, State::Closed | State::Reset) {
            return false;
        }
        let old = self.window;
        if delta(tcp.seq, old.seq) < 0 || delta(tcp.ack, old.ack) < 0 {
            return false;
        }
        let size = u32::from(tcp.window) << old.scale;
        self.window = Window { size, seq: tcp.seq, ack: tcp.ack, scale: old.scale };
        let advance = delta(tcp.ack.wrapping_add(size), old.ack.wrapping_add(old.size));
        // Less than one step of the scale is rounding.
        old.size > 0 && -advance >= 1 << old.scale
    }
}
