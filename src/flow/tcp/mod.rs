//! A TCP connection as Zeek keeps it: endpoint states, sequence space, history letters, `conn_state`.
//!
//! The rules follow the published behaviour of Zeek's `conn` log so that hunting knowledge carries over: sizes come from sequence
//! numbers, a SYN with another number makes another connection, what ends a connection and when.

mod endpoint;
mod states;
#[cfg(test)]
mod tests;

pub use endpoint::{Endpoint, State};

use super::history::{History, Letter};
use super::oddity::{Oddities, Oddity};
use crate::model::packet::{Tcp, tcp_flags};
use crate::model::{Dir, Limits, Ts};
use endpoint::delta;

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
    /// A SYN-ACK with another number than the one before.
    pub another_syn_ack: bool,
    /// Payload after the same side's RST.
    pub data_after_reset: bool,
    /// Oddities.
    pub odd: Oddities,
}

/// Whether a segment opens another connection on the same ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reuse {
    /// It does not.
    No,
    /// It does; the oddity, if it is one, belongs to the connection that ends thereby.
    Yes(Option<Oddity>),
}

/// Both endpoints.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Originator and responder.
    pub ends: [Endpoint; 2],
    /// Last segment that moved it on.
    last_ns: Ts,
    /// First SYN of the originator, if the connection began with one.
    attempt_ns: Ts,
    /// When nothing more was to be expected of it.
    over_ns: Ts,
    /// When a side reset what it had closed itself.
    reset_ns: Ts,
}

/// A moment that does not come.
const NEVER: Ts = Ts::MAX;
/// A jump of more than this is not believed on SYN and RST.
const TOO_LARGE: i64 = 1 << 20;
/// The greatest shift of a window (RFC 7323 2.3).
const MOST_SCALE: u8 = 14;

/// The flags that make a segment more than data.
struct Flags {
    syn: bool,
    fin: bool,
    rst: bool,
    ack: bool,
}

impl Flags {
    fn of(tcp: &Tcp) -> Self {
        let has = |flag| tcp.flags & flag != 0;
        Self { syn: has(tcp_flags::SYN), fin: has(tcp_flags::FIN), rst: has(tcp_flags::RST), ack: has(tcp_flags::ACK) }
    }
}

impl Connection {
    /// Nothing seen yet.
    pub fn new(now: Ts) -> Self {
        Self { ends: Default::default(), last_ns: now, attempt_ns: NEVER, over_ns: NEVER, reset_ns: NEVER }
    }

    /// Whether this segment opens another connection. Which side sends it does not matter.
    pub fn reuse(&self, tcp: &Tcp, now: Ts, limits: &Limits) -> Reuse {
        let flags = Flags::of(tcp);
        let [orig, resp] = &self.ends;
        if !flags.syn || (flags.ack && orig.state != State::Inactive) {
            return Reuse::No;
        }
        let opener = if flags.ack { resp } else { orig };
        let reset = orig.state == State::Reset || resp.state == State::Reset;
        if !orig.closed && !resp.closed {
            // A SYN behind its own SYN-ACK: two taps, or a capture out of order.
            let reversed = !flags.ack && orig.state == State::SynAckSent && resp.state == State::Inactive && tcp.seq == resp.start;
            if tcp.seq == opener.start || reversed {
                return Reuse::No;
            }
            return Reuse::Yes(Some(if opener.state == State::SynSent { Oddity::SynSeqJump } else { Oddity::ActiveReuse }));
        }
        let odd = if (orig.active() || resp.active()) && !reset {
            Some(Oddity::ActiveReuse)
        } else if now.saturating_sub(self.last_ns) < limits.tcp_linger && !reset {
            Some(Oddity::PrematureReuse)
        } else {
            None
        };
        Reuse::Yes(odd)
    }

    /// When it is over without further segments, unless by silence: the moment, and whether it had closed.
    pub fn due(&self, limits: &Limits) -> Option<(Ts, bool)> {
        let [orig, resp] = &self.ends;
        let unanswered = matches!(orig.state, State::SynSent | State::SynAckSent) && resp.state == State::Inactive;
        let over = self.over_ns.saturating_add(limits.tcp_linger).min(self.reset_ns.saturating_add(limits.tcp_reset_linger));
        let given_up = if unanswered { self.attempt_ns.saturating_add(limits.tcp_attempt) } else { NEVER };
        let at = over.min(given_up);
        (at != NEVER).then_some((at, over <= given_up))
    }

    /// Last segment that moved it on: from there silence counts.
    pub fn last_ns(&self) -> Ts {
        self.last_ns
    }

    /// Whether holes are believed: both sides established, or properly closing.
    pub fn clean(&self) -> bool {
        self.ends.iter().all(Endpoint::clean)
    }

    /// Exchanges the roles.
    pub fn flip(&mut self) {
        self.ends.swap(0, 1);
    }

    /// Takes one segment: `len` payload bytes on the wire.
    pub fn segment(&mut self, dir: Dir, tcp: &Tcp, len: u32, now: Ts, history: &mut History) -> Effect {
        let flags = Flags::of(tcp);
        let mut effect = Effect { after_close: self.ends[0].closed && self.ends[1].closed, ..Effect::default() };
        let [orig, resp] = &mut self.ends;
        let (own, peer) = if dir == Dir::Orig { (orig, resp) } else { (resp, orig) };
        let seg_len = if flags.rst { 0 } else { len } + u32::from(flags.syn) + u32::from(flags.fin);
        let end = tcp.seq.wrapping_add(seg_len);
        init(own, tcp, &flags, seg_len, &mut effect);
        let place = own.place(tcp.seq);
        effect.odd.note_if(place < 0 && !flags.rst, Oddity::SeqUnderflow);
        note_flags(dir, &flags, place as u32, len, own, history);
        effect.zero_window = tcp.window == 0 && !flags.rst && peer.state != State::Closed && own.state != State::Reset;
        effect.odd.note_if(own.offer(tcp), Oddity::WindowRecision);
        if !effect.after_close {
            self.last_ns = self.last_ns.max(now);
        }
        if flags.syn {
            note_syn(own, peer, tcp, len, &mut effect.odd);
        }
        note_flags_odd(tcp.flags, &mut effect.odd);
        own.syn |= flags.syn;
        own.fin |= flags.fin;
        if flags.ack {
            acknowledge(own, peer, tcp, len, &flags, &mut effect);
        }
        let beyond = advance(own, end, len, &flags, &mut effect);
        let closes = self.change_state(dir, tcp, &flags, len, beyond, now, &mut effect);
        if closes {
            self.close(dir, now);
        }
        effect
    }

    /// One side has sent FIN or RST.
    fn close(&mut self, dir: Dir, now: Ts) {
        let peer = self.ends[dir.flip().index()];
        let own = &mut self.ends[dir.index()];
        if own.closed {
            return;
        }
        own.closed = true;
        if own.state == State::Reset || peer.closed || peer.state == State::Inactive {
            self.over_ns = self.over_ns.min(now);
        }
    }
}

/// Starts counting, or starts anew where a SYN says so.
fn init(own: &mut Endpoint, tcp: &Tcp, flags: &Flags, seg_len: u32, effect: &mut Effect) {
    let another = flags.syn && tcp.seq != own.start;
    match own.state {
        State::Inactive if flags.syn => own.begin(tcp.seq, u64::from(seg_len)),
        // As though a SYN had stood before.
        State::Inactive => own.begin(tcp.seq.wrapping_sub(1), 1),
        State::SynSent | State::SynAckSent if another => {
            effect.odd.note(Oddity::SynSeqJump);
            own.begin(tcp.seq, u64::from(seg_len));
        }
        State::Established | State::Partial if flags.syn => {
            effect.odd.note_if(own.last > 1, Oddity::SynInside);
            effect.odd.note_if(another, Oddity::SynSeqJump);
            effect.another_syn_ack = another && flags.ack;
            own.begin(tcp.seq, u64::from(seg_len));
        }
        // Its numbers were a RST's, which may have been forged.
        State::Reset if flags.syn && own.before == State::Inactive => own.begin(tcp.seq, u64::from(seg_len)),
        _ => {}
    }
}

fn note_flags(dir: Dir, flags: &Flags, place: u32, len: u32, own: &mut Endpoint, history: &mut History) {
    let mut numbered = |letter, which: usize, number: u32| {
        let before = std::mem::replace(&mut own.numbers[which], number);
        history.numbered(dir, letter, before != number);
    };
    match (flags.syn, flags.fin, flags.rst) {
        (_, true, true) => _ = history.once(dir, Letter::Inconsistent),
        (true, true, _) | (true, _, true) => _ = history.once(dir, Letter::MultiFlag),
        (true, ..) => numbered(if flags.ack { Letter::SynAck } else { Letter::Syn }, 0, place),
        (_, true, _) => numbered(Letter::Fin, 1, place.wrapping_add(len)),
        (.., true) => numbered(Letter::Reset, 2, place),
        _ if len > 0 => _ = history.once(dir, Letter::Data),
        _ if flags.ack => _ = history.once(dir, Letter::Ack),
        _ => {}
    }
}

/// What a SYN may do wrong, and what it says about windows.
fn note_syn(own: &mut Endpoint, peer: &mut Endpoint, tcp: &Tcp, len: u32, odd: &mut Oddities) {
    odd.note_if(tcp.flags & tcp_flags::RST != 0, Oddity::Christmas);
    odd.note_if(tcp.flags & tcp_flags::FIN != 0, Oddity::SynWithFin);
    odd.note_if(tcp.flags & tcp_flags::URG != 0, Oddity::BaroqueSyn);
    odd.note_if(len > 0, Oddity::SynWithData);
    match tcp.wscale {
        Some(scale) => {
            own.window.scale = scale.min(MOST_SCALE);
            (own.window.seq, own.window.ack) = (tcp.seq, tcp.ack);
            (peer.window.seq, peer.window.ack) = (tcp.ack, tcp.seq);
        }
        None => {
            own.window.scale = 0;
            if tcp.flags & tcp_flags::ACK != 0 {
                peer.window.scale = 0;
            }
        }
    }
}

fn note_flags_odd(flags: u16, odd: &mut Oddities) {
    odd.note_if(flags & tcp_flags::FIN != 0 && flags & tcp_flags::RST != 0, Oddity::FinWithRst);
    odd.note_if(flags & 0x3f == 0, Oddity::Null);
}

fn acknowledge(own: &mut Endpoint, peer: &mut Endpoint, tcp: &Tcp, len: u32, flags: &Flags, effect: &mut Effect) {
    let plain = !flags.syn && !flags.fin && !flags.rst;
    effect.duplicate_ack = plain && len == 0 && own.last_ack_sent == Some(tcp.ack) && own.state != State::Inactive;
    own.last_ack_sent = Some(tcp.ack);
    if peer.state == State::Inactive {
        let handshaken = matches!(own.state, State::SynSent | State::SynAckSent | State::Established);
        effect.odd.note_if(plain && handshaken, Oddity::SplitRouting);
        // Nothing was seen of it: whatever was acknowledged so far is where it starts.
        peer.begin(tcp.ack.wrapping_sub(1), 0);
        return;
    }
    let place = peer.place_ack(tcp.ack);
    if place < 0 {
        effect.odd.note(Oddity::AckUnderflow);
    } else if !(flags.rst || tcp.ack == 0 && place - peer.acked as i64 > TOO_LARGE) {
        peer.acked = peer.acked.max(place as u64);
    }
}

/// Moves the highest number on; returns how far, negative if it lies behind.
fn advance(own: &mut Endpoint, end: u32, len: u32, flags: &Flags, effect: &mut Effect) -> i64 {
    let beyond = delta(end, own.start.wrapping_add(own.last as u32));
    if (flags.syn || flags.rst) && beyond.abs() > TOO_LARGE {
        // Not believed.
    } else if flags.fin && own.last == 1 {
        // Even backwards: over 2 GB of which only SYN and FIN were seen.
        own.last = u64::from(end.wrapping_sub(own.start));
    } else if own.state == State::Reset {
        // Nothing is believed after a RST.
    } else if beyond > 0 {
        effect.ahead = len > 0 && beyond > i64::from(len) + i64::from(flags.fin) && own.state != State::Inactive;
        own.last += beyond as u64;
    } else if len > 0 {
        // Bytes in a SYN were counted when it was taken; they are no repetition.
        effect.retransmission = !(flags.syn && own.state == State::Inactive);
    }
    beyond
}
