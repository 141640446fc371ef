//! Kerberos inside other protocols: a ticket is shown, the server proves that it could read it, or refuses. One row a ticket.

use super::Out;
use super::kerberos::{self, Token};
use crate::model::event::Kerberos;
use crate::model::{Event, Ts};

/// The Kerberos side of one connection.
#[derive(Default)]
pub struct Tickets {
    open: Option<(Box<Kerberos>, (u64, Ts))>,
    seen: bool,
}

impl Tickets {
    /// Whether any was seen.
    pub fn seen(&self) -> bool {
        self.seen
    }

    /// Takes a Kerberos message or the token around it.
    pub fn token(&mut self, bytes: &[u8], place: (u64, Ts), out: &mut Out) {
        let Some(token) = kerberos::token(bytes) else { return };
        self.seen = true;
        match (token, self.open.take()) {
            (Token::Request(row), before) => {
                self.say(before, out);
                self.open = Some((row, place));
            }
            (reply, Some((mut row, asked))) => {
                kerberos::answered(&mut row, &reply, place.0);
                self.say(Some((row, asked)), out);
            }
            (Token::Error(row), None) => self.say(Some((row, place)), out),
            (Token::Reply, None) => {}
        }
    }

    /// The carrier accepted, without a token that says so.
    pub fn accepted(&mut self, frame: u64, out: &mut Out) {
        if let Some((mut row, asked)) = self.open.take() {
            kerberos::answered(&mut row, &Token::Reply, frame);
            self.say(Some((row, asked)), out);
        }
    }

    /// The connection is over.
    pub fn end(&mut self, out: &mut Out) {
        let open = self.open.take();
        self.say(open, out);
    }

    fn say(&self, row: Option<(Box<Kerberos>, (u64, Ts))>, out: &mut Out) {
        if let Some((row, (frame, ts_ns))) = row {
            out.say(frame, ts_ns, Event::Kerberos(row));
        }
    }
}
