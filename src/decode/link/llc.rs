//! 802.3 frames: a length where Ethernet II has the ether type, then 802.2 LLC, then perhaps SNAP (RFC 1042).

use super::super::reader::{Next, Reader};
use super::control;
use crate::model::packet::Control;

/// The largest value of the ether type field that is a length (IEEE 802.3 3.2.6).
pub(super) const LONGEST: u16 = 1500;

/// Both service access points of SNAP, and "unnumbered information".
const SNAP: [u8; 3] = [0xaa, 0xaa, 0x03];
/// Both service access points of the spanning tree, and "unnumbered information".
const SPANNING_TREE: [u8; 3] = [0x42, 0x42, 0x03];
/// Cisco, whose SNAP protocols below are read.
const CISCO: [u8; 3] = [0, 0, 0x0c];
const CDP: u16 = 0x2000;
const PVST: u16 = 0x010b;
/// Organisations whose SNAP protocol is an ether type: RFC 1042, and bridged (802.1H).
const ETHER_TYPED: [[u8; 3]; 2] = [[0, 0, 0], [0, 0, 0xf8]];

/// Cuts padding off behind `len` bytes, and reads the LLC header.
pub(super) fn read(len: u16, reader: &mut Reader<'_>) -> Next {
    reader.packet.ethertype = 0;
    if !reader.limit(usize::from(len)) {
        reader.stop("link", "bad_802.3_length", u32::from(len));
    }
    header(reader)
}

/// Reads the LLC header, and SNAP if it follows.
pub(super) fn header(reader: &mut Reader<'_>) -> Next {
    let Some(&[destination, source, unnumbered]) = reader.rest().first_chunk() else {
        return reader.cut_off("link");
    };
    if [destination, source, unnumbered] == SPANNING_TREE {
        reader.skip(SPANNING_TREE.len());
        return control(Control::Stp, reader);
    }
    if [destination, source, unnumbered] != SNAP {
        return reader.stop("network", "unknown_llc", u32::from(u16::from_be_bytes([destination, source])));
    }
    reader.skip(SNAP.len());
    snap(reader)
}

/// Reads organisation and protocol.
pub(super) fn snap(reader: &mut Reader<'_>) -> Next {
    let Some([oui1, oui2, oui3, kind1, kind2]) = reader.take() else { return reader.cut_off("link") };
    let kind = u16::from_be_bytes([kind1, kind2]);
    if ETHER_TYPED.contains(&[oui1, oui2, oui3]) && kind > LONGEST {
        return Next::Ether(kind);
    }
    match ([oui1, oui2, oui3], kind) {
        (CISCO, CDP) => return control(Control::Cdp, reader),
        (CISCO, PVST) => return control(Control::Pvst, reader),
        _ => {}
    }
    reader.stop("network", "unknown_snap", u32::from(kind))
}
