//! Linux cooked capture: <https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL.html> and `…_SLL2.html`.

use super::super::reader::{Next, Reader};
use crate::model::Mac;

/// Values of the protocol field that are no ether types (`if_ether.h`): raw 802.3, and 802.2 LLC.
const LLC: [u16; 2] = [0x0001, 0x0004];

/// Reads the 16-byte header of version 1.
pub(super) fn v1(reader: &mut Reader<'_>) -> Next {
    let Some([_, _, _, _, len1, len2, a, b, c, d, e, f, _, _, kind1, kind2]) = reader.take() else {
        return reader.cut_off("link");
    };
    source(u16::from_be_bytes([len1, len2]), [a, b, c, d, e, f], reader);
    follow(u16::from_be_bytes([kind1, kind2]), reader)
}

/// Reads the 20-byte header of version 2.
pub(super) fn v2(reader: &mut Reader<'_>) -> Next {
    let Some([kind1, kind2, _, _, _, _, _, _, _, _, _, len, a, b, c, d, e, f, _, _]) = reader.take() else {
        return reader.cut_off("link");
    };
    source(u16::from(len), [a, b, c, d, e, f], reader);
    follow(u16::from_be_bytes([kind1, kind2]), reader)
}

/// Keeps the sender's address if it is one of 48 bits.
fn source(len: u16, address: [u8; 6], reader: &mut Reader<'_>) {
    if len == 6 {
        reader.packet.mac_src = Mac(address);
    }
}

fn follow(kind: u16, reader: &mut Reader<'_>) -> Next {
    if LLC.contains(&kind) {
        return super::llc::header(reader);
    }
    // The other small numbers are of links that are no Ethernet, and no 802.3 lengths.
    if kind <= super::llc::LONGEST {
        return reader.stop("network", "unknown_ethertype", u32::from(kind));
    }
    Next::Ether(kind)
}
