//! CAPWAP, data channel in clear (RFC 5415 4.3): frames between access points and their controller.

use super::super::link::link_type;
use super::super::reader::Inside;
use super::{Found, inner};
use crate::model::LinkType;
use crate::model::packet::{Tunnel, TunnelKind};

/// Length of the header that every message has.
const HEADER: usize = 8;
/// In the bits behind length, radio and binding: a native frame; a fragment; a keep-alive; reserved.
const NATIVE: u8 = 0x01;
const FRAGMENT: u8 = 0x80;
const KEEP_ALIVE: u8 = 0x08;
const RESERVED: u8 = 0x07;
/// The binding of 802.11.
const WIRELESS: u8 = 1;
/// Frame control of data frames: type and version, before and after the bytes are swapped, as controllers of one maker do.
const DATA: u8 = 0x08;

/// Reads the header. Fragments are not joined.
pub(super) fn find(payload: &[u8], announced: usize) -> Option<Found> {
    let &[preamble, len_radio, radio_binding, flags, _, _, _, last] = payload.first_chunk::<HEADER>()?;
    let header = usize::from(len_radio >> 3) * 4;
    let binding = radio_binding >> 1 & 0x1f;
    let whole = flags & (FRAGMENT | KEEP_ALIVE | RESERVED) == 0 && last & 0x07 == 0;
    if preamble != 0 || !(HEADER..=announced).contains(&header) || !whole || binding != WIRELESS {
        return None;
    }
    let rest = payload.get(header..)?;
    let inside = if radio_binding & NATIVE == 0 {
        inner::ethernet(rest, announced - header).then_some(Inside::Link(LinkType::ETHERNET))?
    } else {
        match rest {
            [control, ..] if control & 0x0f == DATA => Inside::Link(link_type::IEEE802_11),
            [_, swapped, ..] if swapped & 0x0f == DATA => Inside::SwappedWireless,
            _ => return None,
        }
    };
    Some(Found { tunnel: Tunnel { kind: TunnelKind::Capwap, id: None }, header, inside: Some(inside) })
}
