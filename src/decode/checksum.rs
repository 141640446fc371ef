//! The Internet checksum (RFC 1071), as it is judged: the sum over everything, checksum field included, is all ones.

use crate::model::packet::Ip;
use etherparse::checksum::Sum16BitWords;
use std::net::IpAddr;

/// Whether an IPv4 header's sum is right.
pub(super) fn header_ok(header: &[u8]) -> bool {
    Sum16BitWords::new().add_slice(header).ones_complement() == 0
}

/// Whether a TCP or UDP segment's sum over pseudo header (RFC 9293 3.1, RFC 8200 8.1) and segment is right.
pub(super) fn segment_ok(ip: &Ip, segment: &[u8]) -> bool {
    let sum = match (ip.src, ip.dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => Sum16BitWords::new().add_4bytes(src.octets()).add_4bytes(dst.octets()),
        (IpAddr::V6(src), IpAddr::V6(dst)) => Sum16BitWords::new().add_16bytes(src.octets()).add_16bytes(dst.octets()),
        _ => return false,
    };
    let len = u32::try_from(segment.len()).unwrap_or(u32::MAX);
    sum.add_2bytes([0, ip.proto]).add_4bytes(len.to_be_bytes()).add_slice(segment).ones_complement() == 0
}
