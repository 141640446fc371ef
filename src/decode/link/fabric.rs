//! Headers that networks of switches put before a frame: provider backbone bridging (IEEE 802.1ah), Cisco FabricPath, VN-Tag
//! (802.1Qbh). The ether type of each is read already.

use super::super::reader::{Next, Reader};
use crate::model::LinkType;

/// Four bytes of service instance, then the customer's own frame.
pub(super) fn provider_backbone(reader: &mut Reader<'_>) -> Next {
    match reader.take::<4>() {
        Some(_) => Next::Link(LinkType::ETHERNET),
        None => reader.cut_off("link"),
    }
}

/// Ten bits of forwarding tag and six of time to live, then the frame as the host sent it.
pub(super) fn fabric_path(reader: &mut Reader<'_>) -> Next {
    match reader.take::<2>() {
        Some(_) => Next::Link(LinkType::ETHERNET),
        None => reader.cut_off("link"),
    }
}

/// Four bytes of virtual interfaces, then the ether type.
pub(super) fn vn_tag(reader: &mut Reader<'_>) -> Next {
    match reader.take() {
        Some([_, _, _, _, kind1, kind2]) => Next::Ether(u16::from_be_bytes([kind1, kind2])),
        None => reader.cut_off("link"),
    }
}
