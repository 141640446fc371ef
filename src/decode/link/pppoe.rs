//! PPP over Ethernet, session stage (RFC 2516).

use super::super::reader::{Next, Reader};

/// Reads the session header; its length says where padding begins.
pub(super) fn read(reader: &mut Reader<'_>) -> Next {
    let Some([_, code, _, _, len1, len2]) = reader.take() else { return reader.cut_off("link") };
    if code != 0 {
        return reader.stop("link", "pppoe_discovery", u32::from(code));
    }
    let len = u16::from_be_bytes([len1, len2]);
    if !reader.limit(usize::from(len)) {
        reader.stop("link", "bad_pppoe_length", u32::from(len));
    }
    super::ppp::read(reader)
}
