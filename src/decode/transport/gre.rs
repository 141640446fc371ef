//! GRE (RFC 2784, RFC 2890), and the variant that PPTP carries PPP in (RFC 2637).

use super::super::link::ether_type;
use super::super::reader::{Next, Reader};

/// Bits of the first two bytes.
mod flag {
    pub(super) const CHECKSUM: u16 = 0x8000;
    pub(super) const ROUTING: u16 = 0x4000;
    pub(super) const KEY: u16 = 0x2000;
    pub(super) const SEQUENCE: u16 = 0x1000;
    pub(super) const ACKNOWLEDGEMENT: u16 = 0x0080;
    pub(super) const VERSION: u16 = 0x0007;
}

/// Reads the header: four bytes, and four more for each flag.
pub(super) fn read(reader: &mut Reader<'_>) -> Next {
    let Some([flags1, flags2, kind1, kind2]) = reader.take() else { return reader.cut_off("transport") };
    let flags = u16::from_be_bytes([flags1, flags2]);
    let kind = u16::from_be_bytes([kind1, kind2]);
    let fields = match flags & flag::VERSION {
        0 => flag::CHECKSUM | flag::KEY | flag::SEQUENCE,
        1 => flag::KEY | flag::SEQUENCE | flag::ACKNOWLEDGEMENT,
        other => return reader.stop("transport", "unknown_gre_version", u32::from(other)),
    };
    if flags & flag::ROUTING != 0 {
        return reader.stop("transport", "gre_routing", u32::from(flags));
    }
    for _ in 0..(flags & fields).count_ones() {
        if reader.take::<4>().is_none() {
            return reader.cut_off("transport");
        }
    }
    match kind {
        // PPTP's bare acknowledgements carry nothing.
        ether_type::PPP if flags & flag::SEQUENCE == 0 => Next::Payload,
        ether_type::IPV4 | ether_type::IPV6 | ether_type::ARP | ether_type::ETHERNET | ether_type::PPP | ether_type::MPLS => {
            Next::Tunnel(kind)
        }
        other => reader.stop("transport", "unknown_gre_protocol", u32::from(other)),
    }
}
