//! Ethernet II (IEEE 802.3).

use super::super::reader::{Next, Reader};
use crate::model::Mac;
use crate::model::packet::NO_VLAN;
use etherparse::{Ethernet2Header, Ethernet2HeaderSlice};

/// Reads both addresses and the ether type.
pub(super) fn read(reader: &mut Reader<'_>) -> Next {
    let Ok(header) = Ethernet2HeaderSlice::from_slice(reader.rest()) else {
        return reader.cut_off("link");
    };
    // Tags of a frame around this one are not its own.
    reader.packet.vlans = [NO_VLAN; 2];
    reader.packet.mac_src = Mac(header.source());
    reader.packet.mac_dst = Mac(header.destination());
    reader.skip(Ethernet2Header::LEN);
    Next::Ether(header.ether_type().0)
}
