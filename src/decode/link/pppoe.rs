//! PPP over Ethernet, session stage (RFC 2516).

use super::super::reader::{Next, Reader};

/// Reads the session header. Its length is not needed, since every payload that is read here brings its own.
pub(super) fn read(reader: &mut Reader<'_>) -> Next {
    let Some([_, code, _, _, _, _]) = reader.take() else { return reader.cut_off("link") };
    if code != 0 {
        return reader.stop("link", "pppoe_discovery", u32::from(code));
    }
    super::ppp::read(reader)
}
