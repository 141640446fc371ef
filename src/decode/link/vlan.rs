//! VLAN tags (IEEE 802.1Q, 802.1ad), any number of them in a row.

use super::super::reader::{Next, Reader};
use crate::model::packet::NO_VLAN;
use etherparse::{SingleVlanHeader, SingleVlanHeaderSlice};

/// Reads one tag. The first two ids are kept; deeper tags are passed.
pub(super) fn read(reader: &mut Reader<'_>) -> Next {
    let Ok(tag) = SingleVlanHeaderSlice::from_slice(reader.rest()) else {
        return reader.cut_off("link");
    };
    if let Some(free) = reader.packet.vlans.iter_mut().find(|id| **id == NO_VLAN) {
        *free = tag.vlan_identifier().value();
    }
    reader.skip(SingleVlanHeader::LEN);
    Next::Ether(tag.ether_type().0)
}
