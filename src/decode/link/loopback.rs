//! BSD loopback: four bytes of address family, in network order or in that of the capturing host.

use super::super::reader::{Next, Reader};

/// Reads the family. Its number for IPv6 depends on the system: Linux 10, NetBSD and OpenBSD 24, FreeBSD 28, macOS 30.
pub(super) fn read(reader: &mut Reader<'_>) -> Next {
    let Some(bytes) = reader.take() else { return reader.cut_off("link") };
    let family = match u32::from_le_bytes(bytes) {
        // Families are small: a large one was written the other way round.
        large @ 0x1_0000.. => large.swap_bytes(),
        small => small,
    };
    let version = match family {
        2 => 4,
        10 | 24 | 28 | 30 => 6,
        _ => 0,
    };
    super::ip(version).unwrap_or_else(|| reader.stop("link", "unknown_address_family", family))
}
