//! L2TP version 2 (RFC 2661), data messages: PPP sessions. Control messages are left to others.

use super::super::link::ether_type;
use super::super::reader::Inside;
use super::{Found, inner};
use crate::model::packet::{Tunnel, TunnelKind};

/// Bits of the first two bytes; the others are reserved but for the version.
const CONTROL: u16 = 0x8000;
const LENGTH: u16 = 0x4000;
const SEQUENCE: u16 = 0x0800;
const OFFSET: u16 = 0x0200;
const PRIORITY: u16 = 0x0100;
const VERSION: u16 = 0x0002;
/// The HDLC bytes that PPP may begin with.
const FRAMING: [u8; 2] = [0xff, 0x03];

/// Reads the header; a PPP frame with an IP packet that fits has to follow.
pub(super) fn find(payload: &[u8], announced: usize) -> Option<Found> {
    let word = |at: usize| Some(u16::from_be_bytes(*payload.get(at..)?.first_chunk()?));
    let flags = word(0)?;
    if flags & CONTROL != 0 || flags & !(LENGTH | SEQUENCE | OFFSET | PRIORITY) != VERSION {
        return None;
    }
    let mut header = 2;
    if flags & LENGTH != 0 {
        if usize::from(word(header)?) != announced {
            return None;
        }
        header += 2;
    }
    // Tunnel and session.
    header += 4;
    if flags & SEQUENCE != 0 {
        header += 4;
    }
    if flags & OFFSET != 0 {
        header += 2 + usize::from(word(header)?);
    }
    let mut packet = header;
    if payload.get(packet..)?.starts_with(&FRAMING) {
        packet += FRAMING.len();
    }
    let protocol = payload.get(packet..)?;
    packet += match protocol {
        [0, 0x21 | 0x57, ..] => 2,
        [0x21 | 0x57, ..] => 1,
        _ => return None,
    };
    inner::ip(payload.get(packet..)?, announced.checked_sub(packet)?)?;
    let tunnel = Tunnel { kind: TunnelKind::L2tp, id: None };
    Some(Found { tunnel, header, inside: Some(Inside::Ether(ether_type::PPP)) })
}
