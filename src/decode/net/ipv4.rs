//! IPv4 (RFC 791).

use super::super::checksum;
use super::super::reader::{Next, Reader};
use crate::model::packet::{Fragment, Ip, Net};
use etherparse::{Ipv4Header, Ipv4HeaderSlice};
use std::net::IpAddr;

/// Loose and strict source routing: while they are under way, the destination is the next hop's (RFC 791 3.1).
const SOURCE_ROUTES: [u8; 2] = [131, 137];

/// Reads the header, its options, and how long the packet says it is.
pub(crate) fn read(reader: &mut Reader<'_>) -> Next {
    let bytes = reader.rest();
    let Some(&first) = bytes.first() else { return reader.cut_off("network") };
    if first >> 4 != 4 {
        return reader.stop("network", "unknown_ip_version", u32::from(first >> 4));
    }
    let header_len = usize::from(first & 15) * 4;
    let mut patched = [0; Ipv4Header::MIN_LEN];
    let Some(header) = header(bytes, &mut patched) else { return reader.cut_off("network") };
    let total_len = match header.total_len() {
        // Offloaded to the network card, which fills it in after the capture.
        0 => reader.announced(),
        len => usize::from(len),
    };
    let more = header.more_fragments();
    let offset = u32::from(header.fragments_offset().value()) * 8;
    reader.packet.net = Net::Ip(Ip {
        src: IpAddr::V4(header.source_addr()),
        dst: IpAddr::V4(header.destination_addr()),
        proto: header.protocol().0,
        ttl: header.ttl(),
        tos: header.dcp().value() << 2 | header.ecn().value(),
        id: u32::from(header.identification()),
        total_len: total_len as u32,
        fragment: (more || offset > 0).then_some(Fragment { offset, more }),
        checksum_ok: bytes.get(..header_len).map(checksum::header_ok),
    });
    if header_len < Ipv4Header::MIN_LEN || total_len < header_len {
        return reader.stop("network", "invalid_IP_header_size", header_len as u32);
    }
    if !reader.limit(total_len) {
        reader.stop("network", "truncated_IP", total_len as u32);
    }
    if bytes.len() < header_len {
        reader.cut_off("network");
        reader.skip(header_len);
        return Next::Payload;
    }
    // Any byte of the options that may open a route counts: an unjudged checksum costs less than a wrong judgement.
    reader.final_destination = !header.options().iter().any(|kind| SOURCE_ROUTES.contains(kind));
    reader.skip(header_len);
    if more || offset > 0 { Next::Payload } else { Next::Ip(header.protocol().0) }
}

/// The header as far as it is usable: one whose options are cut off, or whose length cannot be, is read without options.
fn header<'a>(bytes: &'a [u8], patched: &'a mut [u8; Ipv4Header::MIN_LEN]) -> Option<Ipv4HeaderSlice<'a>> {
    if let Ok(header) = Ipv4HeaderSlice::from_slice(bytes) {
        return Some(header);
    }
    *patched = *bytes.first_chunk()?;
    patched[0] = 0x45;
    Ipv4HeaderSlice::from_slice(patched).ok()
}
