//! The Network Service Header (RFC 8300), which leads packets through a chain of services.

use super::super::reader::{Next, Reader};
use super::{ether_type, mpls};
use crate::model::LinkType;

/// Base header and service path, bytes; the length counts them too, in words of four.
const FIXED: usize = 8;

/// Passes the header and its metadata.
pub(super) fn read(reader: &mut Reader<'_>) -> Next {
    let Some([base, length, _, next, ..]) = reader.take::<FIXED>() else { return reader.cut_off("link") };
    let (version, length) = (base >> 6, usize::from(length & 0x3f) * 4);
    let Some(metadata) = length.checked_sub(FIXED).filter(|_| version == 0) else {
        return reader.stop("link", "bad_nsh_header", u32::from(base));
    };
    if reader.rest().len() < metadata {
        return reader.cut_off("link");
    }
    reader.skip(metadata);
    match next {
        1 => Next::Ether(ether_type::IPV4),
        2 => Next::Ether(ether_type::IPV6),
        3 => Next::Link(LinkType::ETHERNET),
        5 => mpls::read(reader),
        other => reader.stop("network", "unknown_nsh_protocol", u32::from(other)),
    }
}
