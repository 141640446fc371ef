//! What a fragment becomes when it is all there will be: a packet with transport and payload.

use super::super::read;
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

/// The completing fragment, carrying the datagram that `set` holds.
pub(super) fn whole(mut packet: Packet, set: Set) -> Packet {
    let (mut bytes, head) = set.into_datagram();
    let mut proto = 0;
    if let Net::Ip(ip) = &mut packet.net {
        let (first_proto, header_len) = head.unwrap_or((ip.proto, 0));
        proto = first_proto;
        ip.proto = first_proto;
        ip.total_len = header_len + bytes.len() as u32;
        ip.fragment = None;
    }
    packet.stop = None;
    let mut packet = transport(packet, proto, &bytes);
    if let Payload::Frame(range) = packet.payload {
        bytes.truncate(range.end as usize);
        bytes.drain(..range.start as usize);
        packet.payload = Payload::Joined(bytes.into());
    }
    packet
}

/// A first fragment whose siblings can never join it, since its own bytes are not all there.
pub(super) fn first_alone(packet: Packet, bytes: &[u8]) -> Packet {
    let proto = packet.ip().map_or(0, |ip| ip.proto);
    let shift = if let Payload::Frame(range) = &packet.payload { range.start } else { 0 };
    let mut packet = transport(packet, proto, bytes);
    if let Payload::Frame(range) = &mut packet.payload {
        *range = range.start + shift..range.end + shift;
    }
    packet
}

/// Reads the transport at the start of `bytes`.
fn transport(packet: Packet, proto: u8, bytes: &[u8]) -> Packet {
    let announced = (packet.payload_len as usize).max(bytes.len());
    let mut reader = Reader::resume(bytes, announced, packet);
    if let Some(inner) = read(&mut reader, Next::Ip(proto)) {
        // The packet inside has no frame of its own to lie in.
        reader.stop("transport", "tunnel_in_fragments", u32::from(inner));
    }
    reader.finish()
}
