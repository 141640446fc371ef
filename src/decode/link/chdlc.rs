//! Cisco HDLC: <https://www.tcpdump.org/linktypes/LINKTYPE_C_HDLC.html>. An address, a control byte, an ether type.

use super::super::reader::{Next, Reader};
use super::llc;

/// Reads the four bytes.
pub(super) fn read(reader: &mut Reader<'_>) -> Next {
    let Some([_, _, kind1, kind2]) = reader.take() else { return reader.cut_off("link") };
    let kind = u16::from_be_bytes([kind1, kind2]);
    if kind <= llc::LONGEST {
        return reader.stop("network", "unknown_ethertype", u32::from(kind));
    }
    Next::Ether(kind)
}
