//! Frame Relay: <https://www.tcpdump.org/linktypes/LINKTYPE_FRELAY.html>, with the encapsulation of RFC 2427 or that of Cisco.

use super::super::reader::{Next, Reader};

/// The bit that ends the address (Q.922), which has two to four bytes.
const ADDRESS_END: u8 = 1;
const LONGEST_ADDRESS: usize = 4;
/// "Unnumbered information"; Cisco's encapsulation has an ether type instead.
const CONTROL: u8 = 0x03;
/// A byte of padding, so that what follows is aligned.
const PAD: u8 = 0;

/// Network layer protocol identifiers (ISO/IEC TR 9577).
mod nlpid {
    pub(super) const SNAP: u8 = 0x80;
    pub(super) const IPV6: u8 = 0x8e;
    pub(super) const IPV4: u8 = 0xcc;
    pub(super) const PPP: u8 = 0xcf;
}

/// Reads address, control and protocol.
pub(super) fn read(reader: &mut Reader<'_>) -> Next {
    let address = reader.rest().iter().take(LONGEST_ADDRESS).position(|byte| byte & ADDRESS_END == ADDRESS_END);
    let Some(last) = address else { return reader.stop("link", "bad_frame_relay_address", 0) };
    reader.skip(last + 1);
    let Some(&[first, second]) = reader.rest().first_chunk() else { return reader.cut_off("link") };
    if first != CONTROL {
        reader.skip(2);
        return Next::Ether(u16::from_be_bytes([first, second]));
    }
    reader.skip(if second == PAD { 2 } else { 1 });
    let Some([protocol]) = reader.take() else { return reader.cut_off("link") };
    match protocol {
        nlpid::IPV4 => Next::Ether(super::ether_type::IPV4),
        nlpid::IPV6 => Next::Ether(super::ether_type::IPV6),
        nlpid::PPP => super::ppp::read(reader),
        nlpid::SNAP => super::llc::snap(reader),
        other => reader.stop("network", "unknown_nlpid", u32::from(other)),
    }
}
