//! How the states of the endpoints change, and what they mean together.

use super::endpoint::{Endpoint, State};
use super::{Connection, Effect, Flags, NEVER};
use crate::flow::history::reset_after_syn_alone;
use crate::flow::oddity::Oddity;
use crate::model::packet::Tcp;
use crate::model::{Dir, Ts};

/// A segment in the state in which it finds its connection.
struct Step<'a> {
    own: &'a mut Endpoint,
    peer: &'a mut Endpoint,
    is_orig: bool,
    tcp: &'a Tcp,
    flags: &'a Flags,
    len: u32,
    effect: &'a mut Effect,
}

impl Connection {
    /// Moves the endpoint states on; tells whether the sender closes thereby.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn change_state(&mut self, dir: Dir, tcp: &Tcp, flags: &Flags, len: u32, beyond: i64, now: Ts, effect: &mut Effect) -> bool {
        let [orig, resp] = &mut self.ends;
        let (own, peer, is_orig) = if dir == Dir::Orig { (orig, resp, true) } else { (resp, orig, false) };
        let before = own.state;
        let resets_own_close = before == State::Closed && flags.rst && peer.state != State::Closed;
        let mut step = Step { own, peer, is_orig, tcp, flags, len, effect };
        let closes = match before {
            State::Inactive => step.first(),
            State::SynSent | State::SynAckSent => step.handshake(),
            State::Established | State::Partial => step.established(),
            State::Closed => step.closed(beyond, resets_own_close),
            State::Reset => step.reset(),
        };
        if before == State::Inactive && is_orig && flags.syn {
            self.attempt_ns = now;
        }
        if resets_own_close && self.over_ns == NEVER {
            self.reset_ns = self.reset_ns.min(now);
        }
        closes
    }

    /// Zeek's `conn_state`.
    pub fn conn_state(&self, history: &str) -> &'static str {
        let [orig, resp] = &self.ends;
        let empty = orig.size(resp) == 0 && resp.size(orig) == 0;
        match (orig.state, resp.state) {
            (State::SynSent | State::SynAckSent, State::Reset) => "REJ",
            (State::Reset, State::Reset) if empty => "REJ",
            (_, State::Reset) if orig.idle() => "RSTRH",
            (_, State::Reset) => "RSTR",
            (State::Reset, _) if resp.idle() && reset_after_syn_alone(history) => "RSTOS0",
            (State::Reset, _) if resp.idle() => "OTH",
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

impl Step<'_> {
    fn odd(&mut self, so: bool, oddity: Oddity) {
        self.effect.odd.note_if(so, oddity);
    }

    /// The first segment of this side.
    fn first(&mut self) -> bool {
        let Flags { syn, fin, rst, ack } = *self.flags;
        match (syn, self.is_orig) {
            (true, true) => {
                self.odd(ack, Oddity::OriginatorSynAck);
                self.own.enter(if ack { State::SynAckSent } else { State::SynSent });
            }
            (true, false) => self.answer(),
            _ => {}
        }
        if fin {
            self.own.enter(State::Closed);
            self.odd(self.peer.state != State::Partial && !syn, Oddity::SpontaneousFin);
        }
        if rst {
            self.own.enter(State::Reset);
            self.odd(self.peer.state == State::Inactive, Oddity::SpontaneousRst);
        }
        if self.own.state == State::Inactive {
            // Some acknowledge a SYN before they answer it.
            let early = !self.is_orig && self.len == 0 && self.peer.state == State::SynSent;
            if ack && self.peer.state == State::Established {
                // Only the SYN was missed.
                self.own.enter(State::Established);
            } else if !early {
                self.own.enter(State::Partial);
            }
        }
        fin || rst
    }

    /// A SYN from the responder.
    fn answer(&mut self) {
        if self.flags.ack {
            let place = self.peer.place(self.tcp.ack);
            let to_another = place < 0 || place > self.peer.last as i64;
            self.odd(!matches!(self.peer.state, State::Inactive | State::Partial) && to_another, Oddity::BadSynAck);
        } else if self.peer.state == State::SynAckSent && self.tcp.seq == self.own.start {
            // The SYN-ACK was captured before the SYN.
            self.effect.flip = true;
            self.peer.enter(State::Established);
        } else {
            self.odd(true, Oddity::SimultaneousOpen);
        }
        match self.peer.state {
            State::SynSent => self.peer.enter(State::Established),
            State::Inactive => self.odd(true, Oddity::UnsolicitedSynResponse),
            _ => {}
        }
        self.own.enter(State::Established);
    }

    fn handshake(&mut self) -> bool {
        let Flags { syn, fin, rst, ack } = *self.flags;
        let repeated = syn && self.is_orig && ack && !fin && !rst && self.own.state != State::SynAckSent;
        self.odd(repeated, Oddity::RepeatedSynWithAck);
        self.odd(syn && !self.is_orig && !ack && self.own.state != State::SynSent, Oddity::RepeatedSynReplyWithoutAck);
        if fin {
            self.odd(matches!(self.peer.state, State::Inactive | State::SynSent), Oddity::InappropriateFin);
            self.own.enter(State::Closed);
        }
        if rst {
            self.own.enter(State::Reset);
        } else {
            self.odd(self.len > 0, Oddity::DataBeforeEstablished);
        }
        fin || rst
    }

    fn established(&mut self) -> bool {
        let Flags { syn, fin, rst, ack } = *self.flags;
        if syn && !ack && self.own.state == State::Partial && self.peer.state == State::Inactive {
            self.odd(true, Oddity::SynAfterPartial);
            self.own.enter(State::SynSent);
        }
        if fin && !rst {
            self.own.enter(State::Closed);
            if self.peer.state == State::Reset && self.peer.before == State::Closed {
                // FIN and then RST, answered by a FIN: that was a normal end.
                self.peer.enter(State::Closed);
            }
        }
        if rst {
            self.own.enter(State::Reset);
        }
        fin || rst
    }

    fn closed(&mut self, beyond: i64, resets_own_close: bool) -> bool {
        self.odd(self.flags.syn, Oddity::SynAfterClose);
        self.odd(self.flags.fin && beyond > 0, Oddity::FinAdvanced);
        // When both have closed, a RST changes nothing any more.
        if resets_own_close {
            self.own.enter(State::Reset);
        }
        resets_own_close && !self.own.closed
    }

    fn reset(&mut self) -> bool {
        self.odd(self.flags.syn, Oddity::SynAfterReset);
        self.odd(self.flags.fin, Oddity::FinAfterReset);
        self.effect.data_after_reset = self.len > 0 && !self.flags.rst;
        self.odd(self.effect.data_after_reset, Oddity::DataAfterReset);
        false
    }
}
