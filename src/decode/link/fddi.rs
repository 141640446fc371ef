//! FDDI (ISO 9314-2): a frame control byte, both addresses, then LLC.

use super::super::reader::{Next, Reader};
use crate::model::Mac;

/// The bits of the frame control byte that tell what follows; the others are class, address length and priority.
const FORMAT: u8 = 0x30;
/// Their value for LLC.
const LLC: u8 = 0x10;

/// Reads the 13 bytes.
pub(super) fn read(reader: &mut Reader<'_>) -> Next {
    let Some([control, addresses @ ..]) = reader.take::<13>() else { return reader.cut_off("link") };
    let [d1, d2, d3, d4, d5, d6, s1, s2, s3, s4, s5, s6] = addresses;
    reader.packet.mac_dst = Mac([d1, d2, d3, d4, d5, d6]);
    reader.packet.mac_src = Mac([s1, s2, s3, s4, s5, s6]);
    if control & FORMAT != LLC {
        return reader.stop("network", "unknown_fddi_frame", u32::from(control));
    }
    super::llc::header(reader)
}
