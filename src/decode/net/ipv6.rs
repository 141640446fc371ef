//! IPv6 and its extension headers (RFC 8200).

use super::super::reader::{Next, Reader};
use crate::model::packet::{Fragment, Ip, Net};
use etherparse::{Ipv6FragmentHeader, Ipv6FragmentHeaderSlice, Ipv6Header, Ipv6HeaderSlice, Ipv6RawExtHeaderSlice, ip_number};
use std::net::IpAddr;

/// Ethernet fills shorter payloads up to this (IEEE 802.3 3.2.8).
const SHORTEST_FRAME: usize = 46;

/// Reads the fixed header.
pub(crate) fn read(reader: &mut Reader<'_>) -> Next {
    let bytes = reader.rest();
    let Some(&first) = bytes.first() else { return reader.cut_off("network") };
    if first >> 4 != 6 {
        return reader.stop("network", "unknown_ip_version", u32::from(first >> 4));
    }
    let Ok(header) = Ipv6HeaderSlice::from_slice(bytes) else { return reader.cut_off("network") };
    let total_len = match header.payload_length() {
        // A jumbogram (RFC 2675), or offloaded to the network card: the frame knows. A short frame has padding to tell instead.
        0 if header.next_header() != ip_number::IPV6_NO_NEXT_HEADER && reader.announced() > SHORTEST_FRAME => reader.announced(),
        len => Ipv6Header::LEN + usize::from(len),
    };
    reader.final_destination = true;
    reader.packet.net = Net::Ip(Ip {
        src: IpAddr::V6(header.source_addr()),
        dst: IpAddr::V6(header.destination_addr()),
        proto: header.next_header().0,
        ttl: header.hop_limit(),
        tos: header.traffic_class(),
        id: 0,
        total_len: total_len as u32,
        fragment: None,
        checksum_ok: None,
    });
    if !reader.limit(total_len) {
        reader.stop("network", "truncated_IP", total_len as u32);
    }
    reader.skip(Ipv6Header::LEN);
    Next::Ip(header.next_header().0)
}

/// Reads an extension header that begins with "next header" and its length in eight bytes: hop-by-hop, routing, destination,
/// mobility, HIP, Shim6.
pub(crate) fn extension(kind: u8, reader: &mut Reader<'_>) -> Next {
    let Ok(header) = Ipv6RawExtHeaderSlice::from_slice(reader.rest()) else {
        return reader.cut_off("network");
    };
    // While segments are left, the destination is the next hop's (RFC 8200 4.4).
    let segments_left = header.payload().get(1).copied().unwrap_or(0);
    if kind == ip_number::IPV6_ROUTE_HEADER.0 && segments_left > 0 {
        reader.final_destination = false;
    }
    reader.skip(header.slice().len());
    follow(header.next_header().0, reader)
}

/// Reads a fragment header. A fragment that is the whole datagram (RFC 6946) is read on as if it were none.
pub(crate) fn fragment(reader: &mut Reader<'_>) -> Next {
    let Ok(header) = Ipv6FragmentHeaderSlice::from_slice(reader.rest()) else {
        return reader.cut_off("network");
    };
    let fragmented = header.is_fragmenting_payload();
    if let Net::Ip(ip) = &mut reader.packet.net {
        ip.id = header.identification();
        let offset = u32::from(header.fragment_offset().value()) * 8;
        ip.fragment = fragmented.then_some(Fragment { offset, more: header.more_fragments() });
    }
    reader.skip(Ipv6FragmentHeader::LEN);
    let next = follow(header.next_header().0, reader);
    if fragmented { Next::Payload } else { next }
}

/// Notes the protocol behind an extension header.
pub(crate) fn follow(proto: u8, reader: &mut Reader<'_>) -> Next {
    if let Net::Ip(ip) = &mut reader.packet.net {
        ip.proto = proto;
    }
    Next::Ip(proto)
}
