//! DCE/RPC (C706, MS-RPCE) over TCP; over SMB's pipes the same [`Association`] is fed by `smb`.

mod calls;
mod interfaces;
mod pdu;
mod stub;

use super::gssapi;
use super::{Answer, Chunk, Dissector, Out, Probe, Protocol};
use crate::model::{Conn, Dir, Proto};

pub use calls::Association;

/// DCE/RPC over TCP.
pub const PROTOCOL: Protocol = Protocol { name: "dce_rpc", over: &[Proto::Tcp], probe, make: |_: &Conn| Box::new(Connection::default()) };

/// The port of the endpoint mapper: there a few bytes are worth waiting for more.
const MAPPER: u16 = 135;

fn probe(probe: &Probe<'_>) -> Answer {
    match probe.bytes {
        bytes if pdu::header(bytes).is_some() => Answer::Certain,
        [5, 0 | 1, 0..=19, rest @ ..] if rest.len() < pdu::HEADER - 3 => Answer::Unsure,
        [5] | [5, 0 | 1] => Answer::Unsure,
        // Joined in the middle of a call: a header may come yet.
        _ if probe.resp_p == MAPPER => Answer::Unsure,
        _ => Answer::NotForUs,
    }
}

struct Connection(Association);

impl Default for Connection {
    fn default() -> Self {
        Self(Association::new("tcp", None))
    }
}

impl Dissector for Connection {
    fn data(&mut self, chunk: &Chunk<'_>, out: &mut Out) {
        self.0.data(chunk.dir, chunk.bytes, (chunk.frame, chunk.ts_ns), out);
        if chunk.cut > 0 {
            self.gap(chunk.dir, u64::from(chunk.cut), out);
        }
    }

    fn gap(&mut self, dir: Dir, missing: u64, out: &mut Out) {
        self.0.gap(dir, missing, out);
    }

    fn end(&mut self, out: &mut Out) {
        self.0.end(out);
    }

    fn confirmed(&self) -> bool {
        self.0.confirmed()
    }

    fn service(&self, _name: &'static str) -> &'static str {
        gssapi::service(self.0.carried())
    }
}

#[cfg(test)]
pub(in crate::dissect) mod tests;
