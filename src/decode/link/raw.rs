//! No link header at all: the IP version tells what comes.

use super::super::reader::{Next, Reader};

/// Looks at the version, whatever the link type promised.
pub(super) fn read(reader: &mut Reader<'_>) -> Next {
    let Some(&first) = reader.rest().first() else { return reader.cut_off("network") };
    super::ip(first >> 4).unwrap_or_else(|| reader.stop("network", "unknown_ip_version", u32::from(first >> 4)))
}
