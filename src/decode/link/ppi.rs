//! Per-packet information: <https://www.tcpdump.org/linktypes/LINKTYPE_PPI.html>. It names the link type of what follows.

use super::super::reader::{Next, Reader};
use crate::model::LinkType;

/// Length of the header without fields.
const HEADER: usize = 8;
/// The link type itself: one in another is none.
const PPI: LinkType = super::link_type::PPI;

/// Passes the header and its fields.
pub(super) fn read(reader: &mut Reader<'_>) -> Next {
    let Some(&[version, _, len1, len2, link1, link2, _, _]) = reader.rest().first_chunk() else { return reader.cut_off("link") };
    let len = usize::from(u16::from_le_bytes([len1, len2]));
    let link = LinkType(u16::from_le_bytes([link1, link2]));
    if version != 0 || len < HEADER || link == PPI {
        return reader.stop("link", "bad_ppi_header", u32::from(version));
    }
    reader.skip(len);
    Next::Link(link)
}
