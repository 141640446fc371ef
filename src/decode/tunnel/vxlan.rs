//! VXLAN (RFC 7348), also with group policy (draft-smith-vxlan-group-policy).

use super::super::reader::Inside;
use super::{Found, inner};
use crate::model::LinkType;
use crate::model::packet::{Tunnel, TunnelKind};

/// Length of the header.
const HEADER: usize = 8;
/// The bit that says the VNI is valid.
const VNI_VALID: u8 = 0x08;
/// The bit that says the reserved bytes hold a group policy.
const GROUP_POLICY: u8 = 0x80;

/// Reads the header. All bits that are reserved are zero. If they hold a policy, the frame inside has to prove that there is one.
pub(super) fn find(payload: &[u8], announced: usize) -> Option<Found> {
    let &[flags, policy @ .., vni1, vni2, vni3, reserved] = payload.first_chunk::<HEADER>()?;
    let rest = payload.get(HEADER..)?;
    let plain = flags == VNI_VALID && policy == [0; 3];
    let with_policy = flags == VNI_VALID | GROUP_POLICY && inner::ethernet(rest, announced - HEADER);
    if reserved != 0 || !(plain || with_policy) {
        return None;
    }
    let id = Some(u32::from_be_bytes([0, vni1, vni2, vni3]));
    Some(Found { tunnel: Tunnel { kind: TunnelKind::Vxlan, id }, header: HEADER, inside: Some(Inside::Link(LinkType::ETHERNET)) })
}
