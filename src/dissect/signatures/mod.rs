//! Names for flows whose protocol has no dissector here: one pure look at the first bytes each, nothing kept, nothing read further.
//!
//! A wrong name is worse than none. Shapes that random bytes could have count only on their port; a port alone never counts.

mod business;
mod network;
mod people;
mod tcp;
mod udp;

use super::{Answer, Probe};
use crate::model::Proto;
use Answer::{Certain, NotForUs, Unsure};

/// One protocol's look.
struct Signature {
    /// Zeek's service name where Zeek has one.
    name: &'static str,
    look: fn(&Probe<'_>) -> Answer,
}

/// What the table says of these bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Named {
    /// It is this.
    Yes(&'static str),
    /// More bytes could tell.
    Perhaps,
    /// No.
    No,
}

/// All signatures of a transport, most telling first.
fn tables(proto: Proto) -> &'static [&'static [Signature]] {
    match proto {
        Proto::Tcp => &[tcp::SIGNATURES, business::TCP, people::TCP],
        Proto::Udp => &[udp::SIGNATURES, business::UDP, network::UDP, people::UDP],
        Proto::Icmp | Proto::Sctp | Proto::Other => &[],
    }
}

/// All names that signatures of a transport give.
pub(super) fn names(proto: Proto) -> Vec<&'static str> {
    tables(proto).iter().copied().flatten().map(|signature| signature.name).collect()
}

/// Asks all signatures of the transport.
pub(super) fn name(probe: &Probe<'_>) -> Named {
    let mut perhaps = Named::No;
    for signature in tables(probe.proto).iter().copied().flatten() {
        match (signature.look)(probe) {
            Certain => return Named::Yes(signature.name),
            Unsure => perhaps = Named::Perhaps,
            NotForUs => {}
        }
    }
    perhaps
}

/// One of the ports is among these.
fn on_port(probe: &Probe<'_>, ports: &[u16]) -> bool {
    ports.contains(&probe.resp_p) || ports.contains(&probe.orig_p)
}

/// Begins with `magic`; fewer bytes than that leave it open.
fn begins(bytes: &[u8], magic: &[u8]) -> Answer {
    if bytes.starts_with(magic) {
        Certain
    } else if magic.starts_with(bytes) {
        Unsure
    } else {
        NotForUs
    }
}

/// The best answer any of several texts gets.
fn begins_any(bytes: &[u8], magics: &[&[u8]]) -> Answer {
    magics.iter().fold(NotForUs, |best, magic| match (best, begins(bytes, magic)) {
        (Certain, _) | (_, Certain) => Certain,
        (Unsure, _) | (_, Unsure) => Unsure,
        _ => NotForUs,
    })
}

fn sure_if(yes: bool) -> Answer {
    if yes { Certain } else { NotForUs }
}

fn byte(bytes: &[u8], at: usize) -> Option<u8> {
    bytes.get(at).copied()
}

fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..)?.first_chunk().copied()?))
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..)?.first_chunk().copied()?))
}

#[cfg(test)]
mod tests;
