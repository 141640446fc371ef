//! DHCP (RFC 2131, RFC 2132): messages of one flow here, transactions over all flows in [`Transactions`].

mod message;
#[cfg(test)]
mod tests;
mod transactions;

use super::{Answer, Chunk, Dissector, Out, Probe, Protocol};
use crate::model::{Dir, Event, Proto};
use std::net::IpAddr;
pub use transactions::Transactions;

/// How DHCP is recognised and read: by the cookie, on any port.
pub const PROTOCOL: Protocol = Protocol { name: "dhcp", over: &[Proto::Udp], probe, make: |_| Box::new(Reader::default()) };

const SERVER_PORT: u16 = 67;
const CLIENT_PORT: u16 = 68;

fn probe(probe: &Probe<'_>) -> Answer {
    if message::is_dhcp(probe.bytes) { Answer::Certain } else { Answer::NotForUs }
}

#[derive(Default)]
struct Reader {
    confirmed: bool,
}

impl Dissector for Reader {
    fn data(&mut self, chunk: &Chunk<'_>, out: &mut Out) {
        let Some(mut message) = message::parse(chunk.bytes) else { return };
        self.confirmed = true;
        message.is_orig = chunk.dir == Dir::Orig;
        // A server that broadcasts is the originator too: ports and the missing address tell the client.
        let conn = &out.conn;
        let nobody = matches!(conn.orig_h, IpAddr::V4(addr) if addr.is_unspecified());
        message.from_client = message.is_orig && (nobody || conn.orig_p == CLIENT_PORT || conn.resp_p == SERVER_PORT);
        out.say(chunk.frame, chunk.ts_ns, Event::DhcpMessage(Box::new(message)));
    }

    fn confirmed(&self) -> bool {
        self.confirmed
    }
}
