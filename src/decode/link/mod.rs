//! What stands before the network layer.

use super::net;
use super::reader::{Next, Reader};
use crate::model::LinkType;

mod ethernet;
mod vlan;

/// Ether types that are read here, from the IEEE registry.
pub(super) mod ether_type {
    pub(crate) const IPV4: u16 = 0x0800;
    pub(crate) const ARP: u16 = 0x0806;
    pub(crate) const IPV6: u16 = 0x86dd;
    pub(crate) const VLAN: u16 = 0x8100;
    pub(crate) const QINQ: u16 = 0x88a8;
    pub(crate) const QINQ_OLD: u16 = 0x9100;
}

/// Reads the header of a link type.
pub(super) fn read(link: LinkType, reader: &mut Reader<'_>) -> Next {
    match link {
        LinkType::ETHERNET => ethernet::read(reader),
        LinkType(other) => reader.stop("link", "unknown_link_type", u32::from(other)),
    }
}

/// Reads what an ether type names: a tag, or a network layer.
pub(super) fn ether(kind: u16, reader: &mut Reader<'_>) -> Next {
    reader.packet.ethertype = kind;
    match kind {
        ether_type::IPV4 => net::ipv4(reader),
        ether_type::IPV6 => net::ipv6(reader),
        ether_type::ARP => net::arp(reader),
        ether_type::VLAN | ether_type::QINQ | ether_type::QINQ_OLD => vlan::read(reader),
        other => reader.stop("network", "unknown_ethertype", u32::from(other)),
    }
}
