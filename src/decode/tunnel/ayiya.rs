//! AYIYA (draft-massar-v6ops-ayiya-02): "anything in anything", which tunnel brokers carried IPv6 in.

use super::{Found, inner};
use crate::model::packet::{Tunnel, TunnelKind};

/// Length of the header without identity and signature.
const HEADER: usize = 8;
/// What every known client sends behind the length of its identity: SHA-1 of 20 bytes; shared secret and "forward".
const USUAL: [u8; 2] = [0x52, 0x11];
/// The only operation that carries a packet.
const FORWARD: u8 = 1;

/// Reads the header; what it forwards has to be an IP packet that fills the datagram.
pub(super) fn find(its_port: bool, payload: &[u8], announced: usize) -> Option<Found> {
    let &[identity, signature, operation, next_header, ..] = payload.first_chunk::<HEADER>()?;
    if operation & 0x0f != FORWARD || !(its_port || [signature, operation] == USUAL) {
        return None;
    }
    let header = HEADER + (1usize << (identity >> 4)) + usize::from(signature >> 4) * 4;
    let packet = payload.get(header..)?;
    let len = match next_header {
        4 => inner::ipv4_len(packet)?,
        41 => inner::ipv6_len(packet)?,
        _ => return None,
    };
    let inside = inner::ip(packet, announced.checked_sub(header)?)?;
    (header + len == announced).then_some(Found { tunnel: Tunnel { kind: TunnelKind::Ayiya, id: None }, header, inside: Some(inside) })
}
