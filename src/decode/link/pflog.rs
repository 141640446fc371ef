//! OpenBSD packet filter log: <https://www.tcpdump.org/linktypes/LINKTYPE_PFLOG.html>.

use super::super::reader::{Next, Reader};

/// Headers are padded to a multiple of this.
const ALIGNED: usize = 4;

/// Passes the header, whose first byte is its length without padding.
pub(super) fn read(reader: &mut Reader<'_>) -> Next {
    let Some(&len) = reader.rest().first() else { return reader.cut_off("link") };
    if len == 0 {
        return reader.stop("link", "bad_pflog_header_len", 0);
    }
    reader.skip(usize::from(len).next_multiple_of(ALIGNED));
    super::raw::read(reader)
}
