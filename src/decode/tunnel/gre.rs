//! GRE (RFC 2784, RFC 2890), the variant that PPTP carries PPP in (RFC 2637), ERSPAN of three types
//! (draft-foschiano-erspan), NVGRE (RFC 7637), and GRE in UDP (RFC 8086).

use super::super::link::{ether_type, link_type};
use super::super::reader::{Inside, Next, Reader};
use super::{Found, inner};
use crate::model::LinkType;
use crate::model::packet::{Tunnel, TunnelKind};

/// Bits of the first two bytes.
mod flag {
    pub(super) const CHECKSUM: u16 = 0x8000;
    pub(super) const ROUTING: u16 = 0x4000;
    pub(super) const KEY: u16 = 0x2000;
    pub(super) const SEQUENCE: u16 = 0x1000;
    pub(super) const ACKNOWLEDGEMENT: u16 = 0x0080;
    pub(super) const VERSION: u16 = 0x0007;
}

/// Protocols that are no ether types of anything else.
mod protocol {
    pub(super) const ERSPAN: u16 = 0x88be;
    pub(super) const ERSPAN_III: u16 = 0x22eb;
    pub(super) const WCCP: u16 = 0x883e;
}

/// Length of the header that ERSPAN puts behind GRE: none in type I, which has no sequence number.
const ERSPAN_II: usize = 8;
const ERSPAN_III: usize = 12;
/// What type III has besides, if its last bit says so.
const ERSPAN_III_PLATFORM: usize = 8;
/// The redirect header of WCCP 2; version 1 has none.
const WCCP_REDIRECT: usize = 4;

/// Why reading ends: as the stop says it.
type Refusal = (&'static str, u32);

/// Reads GRE that IP names.
pub(in crate::decode) fn read(reader: &mut Reader<'_>) -> Next {
    match header(reader.rest()) {
        Some(Ok(Found { tunnel, header, inside: Some(inside) })) => {
            reader.skip(header);
            Next::Tunnel { tunnel, header: 0, inside }
        }
        Some(Ok(Found { header, inside: None, .. })) => {
            reader.skip(header);
            Next::Payload
        }
        Some(Err((why, number))) => reader.stop("transport", why, number),
        None => reader.cut_off("transport"),
    }
}

/// GRE in a datagram: version 0, around an IP packet that holds together, or around a frame.
pub(super) fn in_udp(payload: &[u8], announced: usize) -> Option<Found> {
    let found = header(payload)?.ok()?;
    let (rest, announced) = (payload.get(found.header..)?, announced.checked_sub(found.header)?);
    let holds = match found.inside? {
        Inside::Ether(kind) => inner::network(kind, rest, announced),
        Inside::Link(LinkType::ETHERNET) => inner::ethernet(rest, announced),
        Inside::Link(_) | Inside::Ip(_) | Inside::SwappedWireless => false,
    };
    (holds && payload.get(1)? & flag::VERSION as u8 == 0).then_some(found)
}

/// Reads the header: four bytes, and four more for each flag. `None`: it is cut off.
fn header(bytes: &[u8]) -> Option<Result<Found, Refusal>> {
    let &[flags1, flags2, kind1, kind2] = bytes.first_chunk()?;
    let flags = u16::from_be_bytes([flags1, flags2]);
    let kind = u16::from_be_bytes([kind1, kind2]);
    let fields = match flags & flag::VERSION {
        0 => flag::CHECKSUM | flag::KEY | flag::SEQUENCE,
        1 => flag::KEY | flag::SEQUENCE | flag::ACKNOWLEDGEMENT,
        other => return Some(Err(("unknown_gre_version", u32::from(other)))),
    };
    if flags & flag::ROUTING != 0 {
        return Some(Err(("gre_routing", u32::from(flags))));
    }
    let len = 4 + 4 * (flags & fields).count_ones() as usize;
    let rest = bytes.get(len..)?;
    let sequence = flags & flag::SEQUENCE != 0;
    let (more, inside) = match kind {
        // PPTP's bare acknowledgements carry nothing.
        ether_type::PPP if !sequence && flags & flag::VERSION == 1 => (0, None),
        protocol::ERSPAN => (if sequence { ERSPAN_II } else { 0 }, Some(Inside::Link(LinkType::ETHERNET))),
        protocol::ERSPAN_III => (erspan_iii(rest)?, Some(Inside::Link(LinkType::ETHERNET))),
        protocol::WCCP => (if rest.first()? >> 4 == 4 { 0 } else { WCCP_REDIRECT }, Some(Inside::Ether(ether_type::IPV4))),
        ether_type::ETHERNET => (0, Some(Inside::Link(LinkType::ETHERNET))),
        ether_type::IPV4 | ether_type::IPV6 | ether_type::ARP | ether_type::PPP | ether_type::MPLS => (0, Some(Inside::Ether(kind))),
        aruba if is_aruba(aruba) => (0, Some(Inside::Link(link_type::IEEE802_11))),
        other => return Some(Err(("unknown_gre_protocol", u32::from(other)))),
    };
    let _ = rest.get(more..)?;
    let id = vsid(bytes, flags, kind);
    Some(Ok(Found { tunnel: Tunnel { kind: TunnelKind::Gre, id }, header: len + more, inside }))
}

fn erspan_iii(rest: &[u8]) -> Option<usize> {
    let platform = rest.get(ERSPAN_III - 1)? & 1 == 1;
    Some(ERSPAN_III + if platform { ERSPAN_III_PLATFORM } else { 0 })
}

/// Access points of Aruba send 802.11 frames under these numbers, as Zeek has found.
fn is_aruba(kind: u16) -> bool {
    matches!(kind, 0x8200..=0x82f0 | 0x8300..=0x8370 if kind & 0x0f == 0) || kind == 0x9000
}

/// The network that NVGRE numbers in the upper 24 bits of the key; nothing but a key goes with it (RFC 7637 3.2). Other keys may
/// differ between both directions and number no networks.
fn vsid(bytes: &[u8], flags: u16, kind: u16) -> Option<u32> {
    let &[_, _, _, _, high, mid, low, _] = bytes.first_chunk()?;
    (flags == flag::KEY && kind == ether_type::ETHERNET).then(|| u32::from_be_bytes([0, high, mid, low]))
}
