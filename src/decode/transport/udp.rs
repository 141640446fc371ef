//! UDP (RFC 768).

use super::super::checksum;
use super::super::reader::{Next, Reader};
use super::super::tunnel;
use crate::model::packet::{Transport, Udp};
use etherparse::{UdpHeader, UdpHeaderSlice};

/// Reads the header. Its length counts where it fits in the IP packet; where it does not, the IP packet's does.
pub(super) fn read(reader: &mut Reader<'_>) -> Next {
    let Ok(header) = UdpHeaderSlice::from_slice(reader.rest()) else {
        return reader.cut_off("transport");
    };
    let len = usize::from(header.length());
    // Zero: a jumbogram (RFC 2675), or offloaded to the network card. A fragment's length is that of the whole datagram.
    let fragment = reader.packet.ip().is_some_and(|ip| ip.fragment.is_some());
    if len != reader.announced() && len != 0 && !fragment {
        reader.stop("transport", "UDP_datagram_length_mismatch", u32::from(header.length()));
    }
    if (UdpHeader::LEN..reader.announced()).contains(&len) {
        reader.limit(len);
    }
    // A sender without a checksum writes zero.
    let judged = header.checksum() != 0 && reader.whole() && reader.final_destination;
    let checksum_ok = reader.packet.ip().filter(|_| judged).and_then(|ip| checksum::segment_ok(ip, reader.rest(), 6));
    reader.packet.transport = Transport::Udp(Udp { sport: header.source_port(), dport: header.destination_port(), checksum_ok });
    let (sport, dport) = (header.source_port(), header.destination_port());
    reader.skip(UdpHeader::LEN);
    tunnel::over_udp(sport, dport, reader)
}
