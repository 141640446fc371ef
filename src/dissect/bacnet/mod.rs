//! BACnet/IP (ASHRAE 135 annex J): virtual link, network and application header of each datagram, its first object and property.

mod apdu;
mod names;
#[cfg(test)]
mod tests;

use super::messages::Fields;
use super::{Answer, Chunk, Dissector, Out, Probe, Protocol};
use crate::model::{Dir, Event, Proto, event::Bacnet};

/// How BACnet is recognised and read.
pub const PROTOCOL: Protocol = Protocol { name: "bacnet", over: &[Proto::Udp], probe, make: |_| Box::new(Session::default()) };

/// A virtual link's header whose length is the datagram's, with a network layer of version 1 in it.
fn probe(probe: &Probe<'_>) -> Answer {
    let home = [probe.orig_p, probe.resp_p].iter().any(|port| (47_808..=47_823).contains(port));
    match virtual_link(probe.bytes, 0) {
        Some((function, npdu)) if names::bvlc(function).is_some() => match npdu.first() {
            Some(1) => Answer::Certain,
            _ if home => Answer::Certain,
            _ => Answer::NotForUs,
        },
        _ => Answer::NotForUs,
    }
}

/// The function of the virtual link, and the network message in it (J.2).
fn virtual_link(bytes: &[u8], cut: u32) -> Option<(u8, &[u8])> {
    let [0x81, function, high, low, rest @ ..] = bytes else { return None };
    let whole = usize::from(u16::from_be_bytes([*high, *low])) == bytes.len() + cut as usize;
    // A forwarded message names its first sender.
    let npdu = if *function == 4 { rest.get(6..)? } else { rest };
    whole.then_some((*function, if carries(*function) { npdu } else { &[] }))
}

fn carries(function: u8) -> bool {
    matches!(function, 4 | 9 | 0x0a | 0x0b)
}

#[derive(Default)]
struct Session {
    seen: bool,
}

impl Dissector for Session {
    fn data(&mut self, chunk: &Chunk<'_>, out: &mut Out) {
        let Some((function, npdu)) = virtual_link(chunk.bytes, chunk.cut) else { return };
        self.seen = true;
        let bvlc = names::bvlc(function).map_or_else(|| format!("unknown-{function}"), str::to_owned);
        let mut row = Bacnet { is_orig: chunk.dir == Dir::Orig, bvlc_function: bvlc, ..Bacnet::default() };
        // A network without application message tells something about routes.
        match application(npdu) {
            Some(Inside::Application(bytes)) => apdu::read(bytes, &mut row),
            Some(Inside::Network(kind)) => row.pdu_service = names::network(kind),
            None => {}
        }
        out.say(chunk.frame, chunk.ts_ns, Event::Bacnet(Box::new(row)));
    }

    fn confirmed(&self) -> bool {
        self.seen
    }
}

enum Inside<'a> {
    Application(&'a [u8]),
    Network(u8),
}

/// Passes the network header (6.2): version, control, perhaps destination, source and hop count.
fn application(npdu: &[u8]) -> Option<Inside<'_>> {
    let mut fields = Fields(npdu);
    let (Some(1), control) = (fields.u8(), fields.u8()?) else { return None };
    let to = control & 0x20 != 0;
    for given in [to, control & 0x08 != 0] {
        if given {
            fields.take(2)?;
            let length = usize::from(fields.u8()?);
            fields.take(length)?;
        }
    }
    if to {
        fields.u8()?;
    }
    if control & 0x80 != 0 { fields.u8().map(Inside::Network) } else { Some(Inside::Application(fields.0)) }
}
