//! The authentication header (RFC 4302), of either IP version: it hides nothing, so it is read past.

use super::super::reader::{Next, Reader};
use super::ipv6::follow;
use etherparse::IpAuthHeaderSlice;

/// Reads it.
pub(crate) fn read(reader: &mut Reader<'_>) -> Next {
    let Ok(header) = IpAuthHeaderSlice::from_slice(reader.rest()) else {
        return reader.cut_off("network");
    };
    reader.skip(header.slice().len());
    follow(header.next_header().0, reader)
}
