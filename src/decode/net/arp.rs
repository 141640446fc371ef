//! ARP (RFC 826) for IPv4 over 48-bit hardware addresses.

use super::super::reader::{Next, Reader};
use crate::model::Mac;
use crate::model::packet::{Arp, Net};
use etherparse::ArpPacketSlice;
use std::net::Ipv4Addr;

/// Reads the message; other address families are left unread.
pub(crate) fn read(reader: &mut Reader<'_>) -> Next {
    let Ok(arp) = ArpPacketSlice::from_slice(reader.rest()) else {
        return reader.cut_off("network");
    };
    let addresses = (
        arp.sender_hw_addr().first_chunk::<6>(),
        arp.sender_protocol_addr().first_chunk::<4>(),
        arp.target_hw_addr().first_chunk::<6>(),
        arp.target_protocol_addr().first_chunk::<4>(),
    );
    let ((Some(sha), Some(spa), Some(tha), Some(tpa)), 6, 4) = (addresses, arp.hw_addr_size(), arp.proto_addr_size()) else {
        return reader.stop("network", "unknown_arp_addresses", u32::from(arp.proto_addr_type().0));
    };
    reader.packet.net =
        Net::Arp(Arp { op: arp.operation().0, sha: Mac(*sha), spa: Ipv4Addr::from(*spa), tha: Mac(*tha), tpa: Ipv4Addr::from(*tpa) });
    reader.skip(arp.slice().len());
    // What follows is padding up to the smallest Ethernet frame.
    reader.limit(0);
    Next::Payload
}
