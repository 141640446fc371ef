//! What a fragment becomes when it is all there will be: a packet with transport and payload.

use super::super::packets;
use super::super::reader::{Next, Reader};
use super::set::Set;
use crate::model::Packet;
use crate::model::packet::{Ip, Net, Payload};

/// Length of a fragment header (RFC 8200 4.5), which the whole datagram does not have.
const FRAGMENT_HEADER: u32 = 8;

/// Length of the IP headers of a fragment, as they will stand before the whole datagram.
pub(super) fn header_len(packet: &Packet, ip: &Ip) -> u32 {
    let all = ip.total_len.saturating_sub(packet.payload_len);
    if ip.src.is_ipv6() { all.saturating_sub(FRAGMENT_HEADER) } else { all }
}

/// The completing fragment, carrying the datagram that `set` holds, and what travels in that.
pub(super) fn whole(mut packet: Packet, set: Set) -> Vec<Packet> {
    let (bytes, head) = set.into_datagram();
    let mut proto = 0;
    if let Net::Ip(ip) = &mut packet.net {
        let (first_proto, header_len) = head.unwrap_or((ip.proto, 0));
        proto = first_proto;
        ip.proto = first_proto;
        ip.total_len = header_len + bytes.len() as u32;
        ip.fragment = None;
    }
    packet.stop = None;
    let mut all = transport(packet, proto, &bytes);
    for packet in &mut all {
        // Each has a copy of its own: the datagram exists nowhere else, and tunnels in fragments are rare.
        packet.payload = Payload::Joined(packet.payload.of(&bytes).into());
    }
    all
}

/// A first fragment whose siblings can never join it, since its own bytes are not all there; and what travels in it.
pub(super) fn first_alone(packet: Packet, bytes: &[u8]) -> Vec<Packet> {
    let proto = packet.ip().map_or(0, |ip| ip.proto);
    let shift = if let Payload::Frame(range) = &packet.payload { range.start } else { 0 };
    let mut all = transport(packet, proto, bytes);
    for packet in &mut all {
        if let Payload::Frame(range) = &mut packet.payload {
            *range = range.start + shift..range.end + shift;
        }
    }
    all
}

/// Reads the transport at the start of `bytes`.
fn transport(packet: Packet, proto: u8, bytes: &[u8]) -> Vec<Packet> {
    let announced = (packet.payload_len as usize).max(bytes.len());
    let mut all = Vec::with_capacity(1);
    packets(Reader::resume(bytes, announced, packet), Next::Ip(proto), &mut all);
    all
}
