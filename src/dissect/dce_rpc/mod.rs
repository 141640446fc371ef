//! DCE/RPC (C706, MS-RPCE) over TCP; over SMB's pipes the same [`Association`] is fed by `smb`.

mod calls;
mod interfaces;
mod pdu;
mod stub;

use super::gssapi;
use super::ntlm::Logins;
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

struct Connection {
    association: Association,
    logins: Logins,
}

impl Default for Connection {
    fn default() -> Self {
        Self { association: Association::new("tcp", None), logins: Logins::new("dce_rpc") }
    }
}

impl Dissector for Connection {
    fn data(&mut self, chunk: &Chunk<'_>, out: &mut Out) {
        self.association.data(chunk.dir, chunk.bytes, (chunk.frame, chunk.ts_ns), &mut self.logins, out);
        if chunk.cut > 0 {
            self.gap(chunk.dir, u64::from(chunk.cut), out);
        }
    }

    fn gap(&mut self, dir: Dir, missing: u64, out: &mut Out) {
        self.association.gap(dir, missing, &mut self.logins, out);
    }

    fn end(&mut self, out: &mut Out) {
        self.association.end(&mut self.logins, out);
        self.logins.end(out);
    }

    fn confirmed(&self) -> bool {
        self.association.confirmed()
    }

    fn service(&self, _name: &'static str) -> &'static str {
        let (gssapi, kerberos) = self.association.security();
        gssapi::service(gssapi::Carried { smb: false, dce_rpc: true, gssapi, ntlm: self.logins.seen(), kerberos })
    }
}
