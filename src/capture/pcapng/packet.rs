//! Packet blocks: enhanced, simple, and the obsolete one.

use super::options::Options;
use super::{half, word};

/// Packets lost between this and the one before, as the obsolete block says when it does not know.
const DROPS_UNKNOWN: u16 = u16::MAX;
/// `epb_flags`, `pack_flags`.
const FLAGS: u16 = 2;
/// `epb_dropcount`.
const DROPCOUNT: u16 = 4;

/// A packet, whatever block it came in.
pub(super) struct Packet<'a> {
    /// Interface of the section.
    pub(super) interface: u32,
    /// Units of the interface's clock; none in simple packet blocks.
    pub(super) ts: Option<u64>,
    /// Length on the wire, as told.
    pub(super) wire_len: u32,
    /// As captured.
    pub(super) bytes: &'a [u8],
    /// What is said about it.
    pub(super) options: Options<'a>,
    drops: u64,
}

/// A block whose lengths contradict each other.
pub(super) const TOO_LONG: &str = "a packet longer than its block";

impl<'a> Packet<'a> {
    /// Reads an enhanced packet block.
    pub(super) fn enhanced(body: &'a [u8], big_endian: bool) -> Option<Self> {
        let field = |at| word(big_endian, body, at);
        let (interface, ts, caplen, wire_len) = (field(0)?, join(field(4)?, field(8)?), field(12)?, field(16)?);
        let (bytes, options) = split(body.get(20..)?, caplen)?;
        let options = Options::new(options, big_endian);
        Some(Self { interface, ts: Some(ts), wire_len, bytes, options, drops: 0 })
    }

    /// Reads a simple packet block: it has no captured length, which is that on the wire, cut at the snap length and at the block's end.
    pub(super) fn simple(body: &'a [u8], big_endian: bool, snaplen: u32) -> Option<Self> {
        let wire_len = word(big_endian, body, 0)?;
        let room = body.get(4..)?;
        let caplen = if snaplen == 0 { wire_len } else { wire_len.min(snaplen) };
        let bytes = room.get(..caplen as usize).unwrap_or(room);
        Some(Self { interface: 0, ts: None, wire_len, bytes, options: Options::new(&[], big_endian), drops: 0 })
    }

    /// Reads an obsolete packet block.
    pub(super) fn obsolete(body: &'a [u8], big_endian: bool) -> Option<Self> {
        let field = |at| word(big_endian, body, at);
        let (interface, drops) = (half(big_endian, body, 0)?, half(big_endian, body, 2)?);
        let (ts, caplen, wire_len) = (join(field(4)?, field(8)?), field(12)?, field(16)?);
        let (bytes, options) = split(body.get(20..)?, caplen)?;
        let drops = if drops == DROPS_UNKNOWN { 0 } else { u64::from(drops) };
        let options = Options::new(options, big_endian);
        Some(Self { interface: u32::from(interface), ts: Some(ts), wire_len, bytes, options, drops })
    }

    /// Packets lost before this one.
    pub(super) fn drops(&self) -> u64 {
        self.drops.saturating_add(self.options.u64(DROPCOUNT).unwrap_or(0))
    }

    /// What the interface said about it, if it said something.
    pub(super) fn flags(&self) -> Option<Flags> {
        self.options.u32(FLAGS).map(Flags)
    }
}

/// The bytes of a packet and the options behind their padding.
fn split(rest: &[u8], caplen: u32) -> Option<(&[u8], &[u8])> {
    let caplen = caplen as usize;
    Some((rest.get(..caplen)?, rest.get(caplen.next_multiple_of(4)..).unwrap_or(&[])))
}

fn join(high: u32, low: u32) -> u64 {
    (u64::from(high) << 32) | u64::from(low)
}

/// Bits of `epb_flags`.
#[derive(Clone, Copy)]
pub(super) struct Flags(u32);

/// Errors of the link layer: bits 24 to 31.
const ERRORS: [&str; 8] = [
    "CRC error",
    "packet too long",
    "packet too short",
    "wrong gap between frames",
    "unaligned frame",
    "start frame delimiter error",
    "preamble error",
    "symbol error",
];

impl Flags {
    /// Received by the capturing host.
    pub(super) fn inbound(self) -> bool {
        self.0 & 3 == 1
    }

    /// Sent by it.
    pub(super) fn outbound(self) -> bool {
        self.0 & 3 == 2
    }

    /// What went wrong on the link, in words; empty if nothing did.
    pub(super) fn errors(self) -> String {
        let set = |bit: usize| self.0 >> (24 + bit) & 1 == 1;
        ERRORS.iter().enumerate().filter(|(bit, _)| set(*bit)).map(|(_, error)| *error).collect::<Vec<_>>().join(", ")
    }
}
