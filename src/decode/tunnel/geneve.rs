//! Geneve (RFC 8926).

use super::super::link::ether_type;
use super::super::reader::Inside;
use super::{Found, inner};
use crate::model::LinkType;
use crate::model::packet::{Tunnel, TunnelKind};

/// Length of the header without options.
const HEADER: usize = 8;

/// Reads the header and passes its options. Reserved bits are zero.
pub(super) fn find(payload: &[u8], announced: usize) -> Option<Found> {
    let &[version_len, flags, kind1, kind2, vni1, vni2, vni3, reserved] = payload.first_chunk::<HEADER>()?;
    let header = HEADER + usize::from(version_len & 0x3f) * 4;
    if version_len >> 6 != 0 || flags & 0x3f != 0 || reserved != 0 || header > announced {
        return None;
    }
    let rest = payload.get(header..).unwrap_or(&[]);
    let inside = match u16::from_be_bytes([kind1, kind2]) {
        ether_type::ETHERNET => Inside::Link(LinkType::ETHERNET),
        kind if inner::network(kind, rest, announced - header) => Inside::Ether(kind),
        _ => return None,
    };
    let id = Some(u32::from_be_bytes([0, vni1, vni2, vni3]));
    Some(Found { tunnel: Tunnel { kind: TunnelKind::Geneve, id }, header, inside: Some(inside) })
}
