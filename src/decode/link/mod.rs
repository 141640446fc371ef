//! What stands before the network layer.

use super::net;
use super::reader::{Next, Reader};
use crate::model::LinkType;
use crate::model::packet::{Control, Net};

mod chdlc;
mod cooked;
mod ethernet;
mod fabric;
mod fddi;
mod frame_relay;
mod llc;
mod loopback;
mod mpls;
mod nflog;
mod nsh;
mod pflog;
mod ppi;
mod ppp;
mod pppoe;
mod raw;
mod vlan;
mod wireless;

/// Link types without a name in the model, from <https://www.tcpdump.org/linktypes.html>.
pub(super) mod link_type {
    use crate::model::LinkType;
    pub(in crate::decode) const PPP: LinkType = LinkType(9);
    pub(in crate::decode) const FDDI: LinkType = LinkType(10);
    pub(in crate::decode) const PPP_HDLC: LinkType = LinkType(50);
    pub(in crate::decode) const PPP_ETHER: LinkType = LinkType(51);
    pub(in crate::decode) const C_HDLC: LinkType = LinkType(104);
    pub(in crate::decode) const IEEE802_11: LinkType = LinkType(105);
    pub(in crate::decode) const FRAME_RELAY: LinkType = LinkType(107);
    pub(in crate::decode) const PFLOG: LinkType = LinkType(117);
    pub(in crate::decode) const IEEE802_11_PRISM: LinkType = LinkType(119);
    pub(in crate::decode) const IEEE802_11_RADIOTAP: LinkType = LinkType(127);
    pub(in crate::decode) const IEEE802_11_AVS: LinkType = LinkType(163);
    pub(in crate::decode) const PPI: LinkType = LinkType(192);
    pub(in crate::decode) const PPP_WITH_DIR: LinkType = LinkType(204);
    pub(in crate::decode) const NFLOG: LinkType = LinkType(239);
}

/// Ether types that are read here, from the IEEE registry.
pub(super) mod ether_type {
    pub(in crate::decode) const IPV4: u16 = 0x0800;
    pub(in crate::decode) const ARP: u16 = 0x0806;
    pub(in crate::decode) const IPV6: u16 = 0x86dd;
    pub(in crate::decode) const VLAN: u16 = 0x8100;
    pub(in crate::decode) const QINQ: u16 = 0x88a8;
    pub(in crate::decode) const QINQ_OLD: u16 = 0x9100;
    pub(in crate::decode) const MPLS: u16 = 0x8847;
    pub(in crate::decode) const MPLS_MULTICAST: u16 = 0x8848;
    pub(in crate::decode) const PPPOE_SESSION: u16 = 0x8864;
    pub(in crate::decode) const PROVIDER_BACKBONE: u16 = 0x88e7;
    pub(in crate::decode) const FABRIC_PATH: u16 = 0x8903;
    pub(in crate::decode) const VN_TAG: u16 = 0x8926;
    pub(in crate::decode) const NSH: u16 = 0x894f;
    pub(in crate::decode) const ETHERNET: u16 = 0x6558;
    pub(in crate::decode) const LLDP: u16 = 0x88cc;
    pub(in crate::decode) const PPP: u16 = 0x880b;
}

/// Reads the header of a link type.
pub(super) fn read(link: LinkType, reader: &mut Reader<'_>) -> Next {
    match link {
        LinkType::ETHERNET => ethernet::read(reader),
        LinkType::LINUX_SLL => cooked::v1(reader),
        LinkType::LINUX_SLL2 => cooked::v2(reader),
        LinkType::RAW | LinkType::RAW_OLD | LinkType::RAW_BSD | LinkType::IPV4 | LinkType::IPV6 => raw::read(reader),
        LinkType::NULL | LinkType::LOOP => loopback::read(reader),
        link_type::PPP | link_type::PPP_HDLC => ppp::read(reader),
        link_type::PPP_ETHER => pppoe::read(reader),
        link_type::C_HDLC => chdlc::read(reader),
        link_type::FDDI => fddi::read(reader),
        link_type::PPP_WITH_DIR => ppp::with_direction(reader),
        link_type::FRAME_RELAY => frame_relay::read(reader),
        link_type::IEEE802_11 => wireless::read(reader),
        link_type::IEEE802_11_RADIOTAP => wireless::radiotap(reader),
        link_type::IEEE802_11_AVS => wireless::avs(reader),
        link_type::IEEE802_11_PRISM => wireless::prism(reader),
        link_type::PPI => ppi::read(reader),
        link_type::PFLOG => pflog::read(reader),
        link_type::NFLOG => nflog::read(reader),
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
        ether_type::MPLS | ether_type::MPLS_MULTICAST => mpls::read(reader),
        ether_type::PPPOE_SESSION => pppoe::read(reader),
        ether_type::PROVIDER_BACKBONE => fabric::provider_backbone(reader),
        ether_type::FABRIC_PATH => fabric::fabric_path(reader),
        ether_type::VN_TAG => fabric::vn_tag(reader),
        ether_type::NSH => nsh::read(reader),
        ether_type::ETHERNET => ethernet::read(reader),
        ether_type::PPP => ppp::read(reader),
        ether_type::LLDP => control(Control::Lldp, reader),
        0..=llc::LONGEST => llc::read(kind, reader),
        other => reader.stop("network", "unknown_ethertype", u32::from(other)),
    }
}

/// What follows is a message between devices.
fn control(kind: Control, reader: &mut Reader<'_>) -> Next {
    reader.packet.net = Net::Control(kind);
    Next::Payload
}

/// Reads a frame of 802.11 whose first two bytes are swapped.
pub(super) fn swapped_wireless(reader: &mut Reader<'_>) -> Next {
    wireless::swapped(reader)
}

/// The ether type of an IP version.
fn ip(version: u8) -> Option<Next> {
    match version {
        4 => Some(Next::Ether(ether_type::IPV4)),
        6 => Some(Next::Ether(ether_type::IPV6)),
        _ => None,
    }
}
