//! Teredo (RFC 4380): IPv6 behind address translators.

use super::super::link::ether_type;
use super::super::reader::Inside;
use super::{Found, inner};
use crate::model::packet::{Tunnel, TunnelKind};

/// The service prefix 2001::/32 (RFC 4380 2.6).
const PREFIX: [u8; 4] = [0x20, 1, 0, 0];
/// Where both addresses begin in an IPv6 header.
const ADDRESSES: [usize; 2] = [8, 24];
/// Bytes of an authentication without client identifier and value (5.1.1): indicator, two lengths, nonce, confirmation.
const AUTHENTICATION: usize = 13;
/// Bytes of an origin indication.
const ORIGIN: usize = 8;
/// A protocol that says that nothing follows: the bubbles that open translators.
const NOTHING: u8 = 59;

/// Looks for an IPv6 packet that fills the datagram to the last byte, after the indications there may be. At other ports than Teredo's
/// there has to be an indication, or an address of its prefix.
pub(super) fn find(its_port: bool, payload: &[u8], announced: usize) -> Option<Found> {
    let mut header = 0;
    if payload.starts_with(&[0, 1]) {
        header += AUTHENTICATION + usize::from(*payload.get(2)?) + usize::from(*payload.get(3)?);
    }
    if payload.get(header..)?.starts_with(&[0, 0]) {
        header += ORIGIN;
    }
    let packet = payload.get(header..)?;
    let len = inner::ipv6_len(packet)?;
    let next_header = *packet.get(6)?;
    let in_prefix = ADDRESSES.iter().any(|&at| packet.get(at..).is_some_and(|address| address.starts_with(&PREFIX)));
    let announced = announced.checked_sub(header)?;
    let bubble = next_header == NOTHING && len == 40 && (its_port || in_prefix);
    let fits = len == announced || bubble && len <= announced;
    let told = its_port || header > 0 || in_prefix;
    (fits && told && inner::is_usual(next_header)).then_some(Found {
        tunnel: Tunnel { kind: TunnelKind::Teredo, id: None },
        header,
        inside: Some(Inside::Ether(ether_type::IPV6)),
    })
}
