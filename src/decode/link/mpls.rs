//! MPLS labels (RFC 3032). What follows the last one is not said: IP is recognised by its version.

use super::super::reader::{Next, Reader};

/// Passes all labels.
pub(super) fn read(reader: &mut Reader<'_>) -> Next {
    loop {
        let Some([_, _, label_end, _]) = reader.take() else { return reader.cut_off("link") };
        if label_end & 1 == 1 {
            break;
        }
    }
    let Some(&first) = reader.rest().first() else { return reader.cut_off("network") };
    super::ip(first >> 4).unwrap_or_else(|| reader.stop("network", "unknown_mpls_payload", u32::from(first)))
}
