//! VXLAN (RFC 7348), with group policy (draft-smith-vxlan-group-policy), and with a protocol number (draft-ietf-nvo3-vxlan-gpe).

use super::super::link::ether_type;
use super::super::reader::Inside;
use super::{Found, inner};
use crate::model::LinkType;
use crate::model::packet::{Tunnel, TunnelKind};

/// Length of the header.
const HEADER: usize = 8;
/// Bits of the first byte: the VNI is valid, which it always is; the last reserved byte before it is a protocol number; the reserved
/// bytes before it hold a group policy.
mod flag {
    pub(super) const VNI_VALID: u8 = 0x08;
    pub(super) const PROTOCOL: u8 = 0x04;
    pub(super) const GROUP_POLICY: u8 = 0x80;
}
/// What is inside where nothing is said.
const FRAME: Inside = Inside::Link(LinkType::ETHERNET);

/// Reads the header. All bits that are reserved are zero. If they hold something, what is inside has to prove that it does.
pub(super) fn find(payload: &[u8], announced: usize) -> Option<Found> {
    let &[flags, policy @ .., vni1, vni2, vni3, reserved] = payload.first_chunk::<HEADER>()?;
    if reserved != 0 || flags & flag::VNI_VALID == 0 {
        return None;
    }
    let (rest, announced) = (payload.get(HEADER..)?, announced - HEADER);
    let inside = match (flags & !flag::VNI_VALID, policy) {
        (0, [0, 0, 0]) => FRAME,
        (flag::GROUP_POLICY, _) if inner::ethernet(rest, announced) => FRAME,
        (flag::PROTOCOL, [0, 0, protocol]) => with_protocol(protocol, rest, announced)?,
        _ => return None,
    };
    let id = Some(u32::from_be_bytes([0, vni1, vni2, vni3]));
    Some(Found { tunnel: Tunnel { kind: TunnelKind::Vxlan, id }, header: HEADER, inside: Some(inside) })
}

fn with_protocol(protocol: u8, rest: &[u8], announced: usize) -> Option<Inside> {
    let kind = match protocol {
        1 => ether_type::IPV4,
        2 => ether_type::IPV6,
        3 => return inner::ethernet(rest, announced).then_some(FRAME),
        5 => ether_type::MPLS,
        _ => return None,
    };
    inner::network(kind, rest, announced).then_some(Inside::Ether(kind))
}
