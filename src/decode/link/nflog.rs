//! Linux netfilter log: <https://www.tcpdump.org/linktypes/LINKTYPE_NFLOG.html>. The packet is one of several type-length-value fields.

use super::super::reader::{Next, Reader};

/// Bytes of type and length, which the length counts too.
const FIELD_HEAD: usize = 4;
/// The field that holds the packet; the bits above are flags.
const PAYLOAD: u16 = 9;
const TYPE_BITS: u16 = 0x7fff;

/// Passes fields until the packet.
pub(super) fn read(reader: &mut Reader<'_>) -> Next {
    let Some([_, version, _, _]) = reader.take() else { return reader.cut_off("link") };
    if version != 0 {
        return reader.stop("link", "unknown_nflog_version", u32::from(version));
    }
    // In the byte order of the capturing host, which nothing tells: little-endian since the 1990s.
    while let Some([len1, len2, kind1, kind2]) = reader.take() {
        let len = usize::from(u16::from_le_bytes([len1, len2]));
        let Some(value) = len.checked_sub(FIELD_HEAD).filter(|&value| value <= reader.announced()) else {
            return reader.stop("link", "nflog_bad_tlv_len", len as u32);
        };
        if u16::from_le_bytes([kind1, kind2]) & TYPE_BITS == PAYLOAD {
            reader.limit(value);
            return super::raw::read(reader);
        }
        reader.skip(value.next_multiple_of(FIELD_HEAD));
    }
    reader.cut_off("link")
}
