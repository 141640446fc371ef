//! PPP (RFC 1661), with or without the HDLC framing of RFC 1662.

use super::super::reader::{Next, Reader};

/// "All stations", "unnumbered information": the HDLC address and control bytes.
const FRAMING: [u8; 2] = [0xff, 0x03];

/// Reads the protocol number, of one byte when compressed (RFC 1661 6.5: the first byte is odd).
pub(super) fn read(reader: &mut Reader<'_>) -> Next {
    if reader.rest().starts_with(&FRAMING) {
        reader.skip(FRAMING.len());
    }
    let Some(&first) = reader.rest().first() else { return reader.cut_off("link") };
    let protocol = if first & 1 == 1 {
        reader.skip(1);
        u16::from(first)
    } else {
        match reader.take() {
            Some(both) => u16::from_be_bytes(both),
            None => return reader.cut_off("link"),
        }
    };
    match protocol {
        0x0021 => Next::Ether(super::ether_type::IPV4),
        0x0057 => Next::Ether(super::ether_type::IPV6),
        0x0281 => Next::Ether(super::ether_type::MPLS),
        0x0283 => Next::Ether(super::ether_type::MPLS_MULTICAST),
        other => reader.stop("network", "unknown_ppp_protocol", u32::from(other)),
    }
}

/// Passes the byte that tells who sent it: <https://www.tcpdump.org/linktypes/LINKTYPE_PPP_WITH_DIR.html>.
pub(super) fn with_direction(reader: &mut Reader<'_>) -> Next {
    match reader.take::<1>() {
        Some(_) => read(reader),
        None => reader.cut_off("link"),
    }
}
