//! The authentication header (RFC 4302) hides nothing, so what it protects is read too.

use super::super::reader::{Inside, Next, Reader};
use super::ipv6::follow;
use crate::model::packet::{Tunnel, TunnelKind};
use etherparse::IpAuthHeaderSlice;

/// Reads it. In IPv6 it is an extension header like others; in IPv4 it is a protocol, whose flow carries another one, as the field
/// has it.
pub(crate) fn read(reader: &mut Reader<'_>) -> Next {
    let Ok(header) = IpAuthHeaderSlice::from_slice(reader.rest()) else {
        return reader.cut_off("network");
    };
    let (len, proto) = (header.slice().len(), header.next_header().0);
    if reader.packet.ip().is_some_and(|ip| ip.src.is_ipv4()) {
        return Next::Tunnel { tunnel: Tunnel { kind: TunnelKind::Ah, id: None }, header: len, inside: Inside::Ip(proto) };
    }
    reader.skip(len);
    follow(proto, reader)
}
