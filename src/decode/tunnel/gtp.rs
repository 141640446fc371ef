//! GTP version 1, user plane (3GPP TS 29.281): packets of a mobile subscriber. Messages without a packet are left to others.

use super::{Found, inner};
use crate::model::packet::{Tunnel, TunnelKind};

/// Length of the mandatory header, and of the optional fields behind it.
const HEADER: usize = 8;
const OPTIONAL: usize = 4;
/// Version 1, GTP and not GTP', and the bit between them that is spare.
const FIXED_MASK: u8 = 0xf8;
const FIXED: u8 = 0x30;
/// Extension header, sequence number, N-PDU number: the optional fields are there if any bit is set.
const ANY_OPTIONAL: u8 = 0x07;
const EXTENDED: u8 = 0x04;
/// The message that carries a packet.
const G_PDU: u8 = 255;

/// Reads the header, passes optional fields and extension headers, and looks whether an IP packet follows that fits.
pub(super) fn find(payload: &[u8], announced: usize) -> Option<Found> {
    let &[flags, message, len1, len2, ref teid @ ..] = payload.first_chunk::<HEADER>()?;
    if flags & FIXED_MASK != FIXED || message != G_PDU || HEADER + usize::from(u16::from_be_bytes([len1, len2])) > announced {
        return None;
    }
    let mut header = HEADER;
    if flags & ANY_OPTIONAL != 0 {
        let &[.., next] = payload.get(HEADER..)?.first_chunk::<OPTIONAL>()?;
        header += OPTIONAL;
        let mut next = if flags & EXTENDED != 0 { next } else { 0 };
        while next != 0 {
            // Length in units of four bytes, the type of the next one at the end (5.2.1).
            let len = usize::from(*payload.get(header)?) * 4;
            next = *payload.get(header..)?.get(len.checked_sub(1)?)?;
            header += len;
        }
    }
    let inside = inner::ip(payload.get(header..)?, announced.checked_sub(header)?)?;
    Some(Found { tunnel: Tunnel { kind: TunnelKind::Gtpv1, id: Some(u32::from_be_bytes(*teid)) }, header, inside: Some(inside) })
}
