//! Whether bytes hold together as what a tunnel says it carries.

use super::super::link::ether_type;
use super::super::reader::Inside;

/// Shortest headers.
const ETHERNET: usize = 14;
const IPV4: usize = 20;
const IPV6: usize = 40;
const ARP: usize = 8;

/// An IP packet of either version, whole in the `announced` bytes.
pub(super) fn ip(bytes: &[u8], announced: usize) -> Option<Inside> {
    let kind = match bytes.first()? >> 4 {
        4 => ether_type::IPV4,
        6 => ether_type::IPV6,
        _ => return None,
    };
    network(kind, bytes, announced).then_some(Inside::Ether(kind))
}

/// What an ether type names: IP that fits, ARP, or labels and tags before them, which are believed.
pub(super) fn network(kind: u16, bytes: &[u8], announced: usize) -> bool {
    match kind {
        ether_type::IPV4 => ipv4_len(bytes).is_some_and(|len| len <= announced),
        ether_type::IPV6 => ipv6_len(bytes).is_some_and(|len| len <= announced),
        ether_type::ARP => bytes.first_chunk::<ARP>().is_some_and(|head| head[..2] == [0, 1]),
        ether_type::VLAN | ether_type::QINQ | ether_type::MPLS | ether_type::PPP => bytes.len() >= 4,
        _ => false,
    }
}

/// An Ethernet frame with something known in it, or one of 802.3.
pub(super) fn ethernet(bytes: &[u8], announced: usize) -> bool {
    let (Some(header), Some(rest)) = (bytes.first_chunk::<ETHERNET>(), bytes.get(ETHERNET..)) else { return false };
    let kind = u16::from_be_bytes([header[12], header[13]]);
    let after = announced - ETHERNET;
    network(kind, rest, after) || (3..=1500).contains(&kind) && usize::from(kind) <= after
}

/// Length of an IPv4 packet whose header cannot be anything else.
pub(super) fn ipv4_len(bytes: &[u8]) -> Option<usize> {
    let header = bytes.first_chunk::<IPV4>()?;
    let words = usize::from(header[0] & 15);
    let len = usize::from(u16::from_be_bytes([header[2], header[3]]));
    (header[0] >> 4 == 4 && words >= 5 && len >= words * 4).then_some(len)
}

/// Length of an IPv6 packet.
pub(super) fn ipv6_len(bytes: &[u8]) -> Option<usize> {
    let header = bytes.first_chunk::<IPV6>()?;
    (header[0] >> 4 == 6).then(|| IPV6 + usize::from(u16::from_be_bytes([header[4], header[5]])))
}

/// Whether the protocol of an IPv6 header is one that hosts send: extension headers, transports, tunnels, nothing.
pub(super) fn is_usual(next_header: u8) -> bool {
    matches!(next_header, 0 | 4 | 6 | 17 | 41 | 43 | 44 | 47 | 50 | 51 | 58 | 59 | 60 | 89 | 103 | 132 | 135 | 136)
}
