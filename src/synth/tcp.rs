//! One TCP conversation, told from both ends: handshake, data in flights, acknowledgements, loss, the end.

use super::net::{Host, MICRO, MILLI, Net, Os};
use super::wire::{self, ACK, FIN, PSH, RST, SYN, Segment};
use crate::model::time::SECOND;

/// Shift both ends announce for their window.
const WINDOW_SCALE: u8 = 7;
/// The window both ends offer once open, before the shift: 262,272 bytes.
const WINDOW: u16 = 2_049;
/// How long an end waits for data to carry its acknowledgement.
const DELAYED_ACK: i64 = 40 * MILLI;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Client,
    Server,
}

impl Side {
    fn other(self) -> Self {
        if self == Self::Client { Self::Server } else { Self::Client }
    }
}

struct End {
    host: Host,
    port: u16,
    /// Next byte to send.
    seq: u32,
    /// Highest byte of the peer acknowledged so far.
    acked: u32,
    /// Ends of the peer's segments not yet acknowledged.
    pending: Vec<u32>,
    /// Newest timestamp of the peer, echoed.
    echo: u32,
}

/// A conversation in the making. Its moves advance the clock of the [`Net`] it borrows.
pub struct Tcp<'n> {
    /// The network, for what happens beside it.
    pub net: &'n mut Net,
    client: End,
    server: End,
    stamps: bool,
    /// Largest payload of a frame.
    piece: usize,
    last: Option<Side>,
    /// Segments in a flight, growing as in slow start.
    flight: usize,
}

impl<'n> Tcp<'n> {
    pub(super) fn new(net: &'n mut Net, client: (Host, u16), server: (Host, u16)) -> Self {
        let stamps = net.machine(client.0).os == Os::Linux && net.machine(server.0).os == Os::Linux;
        let v6 = if net.machine(client.0).ip.is_ipv6() { 20 } else { 0 };
        let piece = 1460 - v6 - if stamps { 12 } else { 0 };
        let mut end = |(host, port)| End { host, port, seq: net.rng.bits() as u32, acked: 0, pending: Vec::new(), echo: 0 };
        let (client, server) = (end(client), end(server));
        Self { net, client, server, stamps, piece, last: None, flight: 10 }
    }

    /// Uses this client port instead of an ephemeral one.
    pub fn from_port(mut self, port: u16) -> Self {
        self.client.port = port;
        self
    }

    /// Lets frames carry up to `bytes`, as captures taken on a host with segmentation offload show them.
    pub fn offloaded(mut self, bytes: usize) -> Self {
        self.piece = bytes.min(65_000);
        self
    }

    /// The client's port.
    pub fn client_port(&self) -> u16 {
        self.client.port
    }

    /// The server's port.
    pub fn server_port(&self) -> u16 {
        self.server.port
    }

    /// The host that opened the conversation.
    pub fn client(&self) -> Host {
        self.client.host
    }

    /// The host that was called.
    pub fn server(&self) -> Host {
        self.server.host
    }

    /// SYN, SYN-ACK, ACK.
    pub fn connect(&mut self) {
        self.call();
        self.turn(Side::Server);
        self.put(Side::Server, SYN | ACK, &[]);
        self.turn(Side::Client);
        self.put(Side::Client, ACK, &[]);
    }

    /// SYN, answered by a reset: the port is closed.
    pub fn refused(&mut self) {
        self.call();
        self.turn(Side::Server);
        self.server.seq = 0;
        self.put(Side::Server, RST | ACK, &[]);
    }

    /// SYN, sent again after 1, 2, 4 … seconds, never answered.
    pub fn ignored(&mut self, retries: u32) {
        let first = self.client.seq;
        self.call();
        for retry in 0..retries {
            self.net.now += self.net.rng.jitter(SECOND << retry, 1);
            self.client.seq = first;
            self.put(Side::Client, SYN, &[]);
        }
    }

    /// SYN, SYN-ACK, and a reset by the client: a half-open scan that found an open port.
    pub fn half_open(&mut self) {
        self.call();
        self.turn(Side::Server);
        self.put(Side::Server, SYN | ACK, &[]);
        self.turn(Side::Client);
        self.put(Side::Client, RST, &[]);
    }

    /// The first SYN, a moment after the client decided to call.
    fn call(&mut self) {
        self.net.now += self.net.rng.between(80, 600) * MICRO;
        self.put(Side::Client, SYN, &[]);
    }

    /// Data from client to server.
    pub fn send(&mut self, bytes: &[u8]) {
        self.data(Side::Client, bytes);
    }

    /// Data from server to client.
    pub fn reply(&mut self, bytes: &[u8]) {
        self.data(Side::Server, bytes);
    }

    /// Nobody says anything; what is owed is acknowledged.
    pub fn pause(&mut self, ns: i64) {
        let until = self.net.now + ns;
        if ns >= DELAYED_ACK {
            self.settle();
        }
        self.net.now = self.net.now.max(until);
    }

    /// The client ends it: FIN, FIN, ACK.
    pub fn close(&mut self) {
        self.end(Side::Client);
    }

    /// The server ends it.
    pub fn close_by_server(&mut self) {
        self.end(Side::Server);
    }

    /// The client tears it down.
    pub fn reset(&mut self) {
        self.settle();
        self.turn(Side::Client);
        self.put(Side::Client, RST | ACK, &[]);
    }

    /// The server tears it down.
    pub fn reset_by_server(&mut self) {
        self.settle();
        self.turn(Side::Server);
        self.put(Side::Server, RST | ACK, &[]);
    }

    /// The client tries whether the server is still there: one old byte, answered at once.
    pub fn keep_alive(&mut self) {
        self.settle();
        self.turn(Side::Client);
        self.client.seq = self.client.seq.wrapping_sub(1);
        self.put(Side::Client, ACK, &[]);
        self.client.seq = self.client.seq.wrapping_add(1);
        self.turn(Side::Server);
        self.put(Side::Server, ACK, &[]);
    }

    fn end(&mut self, side: Side) {
        self.settle_side(side.other());
        self.turn(side);
        self.put(side, FIN | ACK, &[]);
        self.turn(side.other());
        self.put(side.other(), FIN | ACK, &[]);
        self.turn(side);
        self.put(side, ACK, &[]);
    }

    /// Sends `bytes` in flights no larger than the window, acknowledged as they arrive.
    fn data(&mut self, side: Side, bytes: &[u8]) {
        let window = usize::from(WINDOW) << WINDOW_SCALE;
        let mut rest = bytes;
        while !rest.is_empty() {
            let segments = self.flight.min((window / self.piece).max(1));
            let (flight, later) = rest.split_at(rest.len().min(segments * self.piece));
            self.fly(side, flight, later.is_empty());
            self.flight = (self.flight * 2).min(64);
            rest = later;
        }
    }

    /// One flight, and the acknowledgements it draws.
    fn fly(&mut self, side: Side, flight: &[u8], last: bool) {
        let near = self.net.machine(self.end_of(side.other()).host).delay < MILLI;
        let count = flight.len().div_ceil(self.piece);
        for (index, piece) in flight.chunks(self.piece).enumerate() {
            match index {
                0 => self.turn(side),
                _ => self.gap(side, piece.len()),
            }
            let flags = if index + 1 == count { ACK | PSH } else { ACK };
            self.put(side, flags, piece);
            if near && index + 1 < count {
                self.acknowledge(side.other(), 2);
            }
        }
        let final_piece = &flight[(count - 1) * self.piece..];
        if self.net.rng.chance(self.net.loss) {
            self.send_again(side, final_piece);
        }
        self.acknowledge(side.other(), if last { 2 } else { 1 });
    }

    /// The newest segment was lost behind the tap and is sent once more.
    fn send_again(&mut self, side: Side, piece: &[u8]) {
        self.net.now += self.net.rng.between(210, 320) * MILLI;
        let end = self.end_mut(side);
        end.seq = end.seq.wrapping_sub(piece.len() as u32);
        self.end_mut(side.other()).pending.pop();
        self.put(side, ACK | PSH, piece);
    }

    /// Acknowledges pending segments two at a time while at least `least` wait.
    fn acknowledge(&mut self, side: Side, least: usize) {
        while self.end_of(side).pending.len() >= least.max(1) {
            self.turn(side);
            let end = self.end_mut(side);
            let taken = end.pending.len().min(2);
            let upto = end.pending.drain(..taken).next_back().unwrap_or(end.acked);
            self.put_ack(side, ACK, upto, &[]);
        }
    }

    /// What is still owed is acknowledged by itself.
    fn settle(&mut self) {
        self.settle_side(Side::Client);
        self.settle_side(Side::Server);
    }

    fn settle_side(&mut self, side: Side) {
        if !self.end_of(side).pending.is_empty() {
            self.net.now += DELAYED_ACK;
            self.put(side, ACK, &[]);
        }
    }

    /// Time until `side` can speak: its delay if the other spoke last, else the time its last frame took on the wire.
    fn turn(&mut self, side: Side) {
        if self.last == Some(side) {
            self.gap(side, 60);
        } else {
            self.net.react(self.end_of(side).host);
        }
    }

    fn gap(&mut self, side: Side, bytes: usize) {
        let per_byte = self.net.machine(self.end_of(side).host).ns_per_byte;
        self.net.now += per_byte * bytes as i64 + self.net.rng.between(1, 4) * MICRO;
    }

    /// A segment that acknowledges all that came.
    fn put(&mut self, side: Side, flags: u8, payload: &[u8]) {
        let all = self.end_of(side.other()).seq;
        let first = flags & (SYN | ACK) == SYN;
        self.end_mut(side).pending.clear();
        self.put_ack(side, flags, if first { 0 } else { all }, payload);
    }

    fn put_ack(&mut self, side: Side, flags: u8, ack: u32, payload: &[u8]) {
        self.end_mut(side).acked = ack;
        let options = self.options(side, flags);
        let window = if flags & SYN != 0 { 64_240 } else { WINDOW };
        let window = if flags & RST != 0 { 0 } else { window };
        let (from, to) = (self.end_of(side), self.end_of(side.other()));
        let ack = if flags & ACK != 0 { ack } else { 0 };
        let head = Segment { src_port: from.port, dst_port: to.port, seq: from.seq, ack, flags, window, options };
        let (from, to) = (from.host, to.host);
        self.net.send_ip(from, to, wire::TCP, wire::tcp(&head, payload), 16);
        self.count(side, flags, payload.len());
    }

    /// Moves the sequence number past what was sent, and notes what the peer owes.
    fn count(&mut self, side: Side, flags: u8, bytes: usize) {
        let takes = bytes as u32 + u32::from(flags & (SYN | FIN) != 0);
        let stamp = self.stamp(side);
        let end = self.end_mut(side);
        end.seq = end.seq.wrapping_add(takes);
        let reached = end.seq;
        let peer = self.end_mut(side.other());
        peer.echo = stamp;
        if bytes > 0 {
            peer.pending.push(reached);
        }
        self.last = Some(side);
    }

    /// TCP timestamp of `side` now, in its milliseconds.
    fn stamp(&self, side: Side) -> u32 {
        self.net.machine(self.end_of(side).host).uptime.wrapping_add((self.net.now / MILLI) as u32)
    }

    /// Options in the order the system writes them.
    fn options(&self, side: Side, flags: u8) -> Vec<u8> {
        let mss = if self.net.machine(self.client.host).ip.is_ipv6() { 1_440_u16 } else { 1_460 }.to_be_bytes();
        let mut stamps = vec![8, 10];
        stamps.extend(self.stamp(side).to_be_bytes());
        stamps.extend(self.end_of(side).echo.to_be_bytes());
        match (flags & SYN != 0, self.stamps) {
            (true, true) => {
                let mut out = vec![2, 4, mss[0], mss[1], 4, 2];
                out.extend(stamps);
                out.extend([1, 3, 3, WINDOW_SCALE]);
                out
            }
            (true, false) => vec![2, 4, mss[0], mss[1], 1, 3, 3, WINDOW_SCALE, 1, 1, 4, 2],
            (false, true) if flags & RST == 0 => {
                let mut out = vec![1, 1];
                out.extend(stamps);
                out
            }
            _ => Vec::new(),
        }
    }

    fn end_of(&self, side: Side) -> &End {
        if side == Side::Client { &self.client } else { &self.server }
    }

    fn end_mut(&mut self, side: Side) -> &mut End {
        if side == Side::Client { &mut self.client } else { &mut self.server }
    }
}
