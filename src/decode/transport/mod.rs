//! What an IP protocol number names: transports, and the extension headers on the way to them.

use super::link::ether_type;
use super::net;
use super::reader::{Inside, Next, Reader};
use super::tunnel;
use crate::model::packet::{Tunnel, TunnelKind};

mod icmp;
mod sctp;
mod tcp;
mod udp;

/// IANA protocol numbers that are read here.
mod proto {
    pub(super) const HOP_BY_HOP: u8 = 0;
    pub(super) const ICMP: u8 = 1;
    pub(super) const IPV4: u8 = 4;
    pub(super) const TCP: u8 = 6;
    pub(super) const UDP: u8 = 17;
    pub(super) const IPV6: u8 = 41;
    pub(super) const ROUTING: u8 = 43;
    pub(super) const FRAGMENT: u8 = 44;
    pub(super) const GRE: u8 = 47;
    pub(super) const AUTHENTICATION: u8 = 51;
    pub(super) const ICMPV6: u8 = 58;
    pub(super) const NO_NEXT_HEADER: u8 = 59;
    pub(super) const DESTINATION: u8 = 60;
    pub(super) const SCTP: u8 = 132;
    pub(super) const MOBILITY: u8 = 135;
    pub(super) const HIP: u8 = 139;
    pub(super) const SHIM6: u8 = 140;
}

/// Reads what `number` names.
pub(super) fn read(number: u8, reader: &mut Reader<'_>) -> Next {
    let v6 = reader.packet.ip().is_some_and(|ip| ip.src.is_ipv6());
    match number {
        proto::TCP => tcp::read(reader),
        proto::UDP => udp::read(reader),
        proto::ICMP | proto::ICMPV6 => icmp::read(reader),
        proto::SCTP => sctp::read(reader),
        proto::IPV4 => ip_in_ip(ether_type::IPV4),
        proto::IPV6 => ip_in_ip(ether_type::IPV6),
        proto::GRE => tunnel::gre(reader),
        proto::AUTHENTICATION => net::auth(reader),
        proto::NO_NEXT_HEADER => Next::Payload,
        proto::FRAGMENT if v6 => net::fragment(reader),
        proto::HOP_BY_HOP | proto::ROUTING | proto::DESTINATION | proto::MOBILITY | proto::HIP | proto::SHIM6 if v6 => {
            net::extension(number, reader)
        }
        // Flows without ports are made of whatever else there is.
        _ => Next::Payload,
    }
}

fn ip_in_ip(kind: u16) -> Next {
    Next::Tunnel { tunnel: Tunnel { kind: TunnelKind::Ip, id: None }, header: 0, inside: Inside::Ether(kind) }
}
