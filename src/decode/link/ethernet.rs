//! Ethernet II (IEEE 802.3).

use super::super::reader::{Next, Reader};
use crate::model::Mac;
use etherparse::{Ethernet2Header, Ethernet2HeaderSlice};

/// Reads both addresses and the ether type.
pub(super) fn read(reader: &mut Reader<'_>) -> Next {
    let Ok(header) = Ethernet2HeaderSlice::from_slice(reader.rest()) else {
        return reader.cut_off("link");
    };
    reader.packet.mac_src = Mac(header.source());
    reader.packet.mac_dst = Mac(header.destination());
    reader.skip(Ethernet2Header::LEN);
    Next::Ether(header.ether_type().0)
}
