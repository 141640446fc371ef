//! Where reading stands in a frame, and the packet that grows out of it.

use crate::model::packet::{Net, Payload, Stop, Transport, Tunnel};
use crate::model::{Frame, LinkType, Packet};

/// What the bytes ahead are said to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// A frame of that link type.
    Link(LinkType),
    /// What an ether type names.
    Ether(u16),
    /// What an IP protocol number names, extension headers among them.
    Ip(u8),
    /// A frame of 802.11 with its first two bytes swapped.
    SwappedWireless,
    /// A packet of its own, behind `header` bytes that still belong to the payload of this one.
    Tunnel { tunnel: Tunnel, header: usize, inside: Inside },
    /// Nothing that is read here.
    Payload,
}

/// What the bytes in a tunnel are said to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Inside {
    /// What an ether type names.
    Ether(u16),
    /// A frame of that link type.
    Link(LinkType),
    /// What an IP protocol number names, between the same two hosts.
    Ip(u8),
    /// A frame of 802.11 with its first two bytes swapped.
    SwappedWireless,
}

/// A cursor over captured bytes. Two ends: where the captured bytes of the current layer end, and where they should.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    end: usize,
    announced: usize,
    /// The destination in the IP header is the final one, so that checksums over it can be judged.
    pub(super) final_destination: bool,
    /// What was understood so far.
    pub(super) packet: Packet,
}

impl<'a> Reader<'a> {
    /// At the first byte of `frame`.
    pub(super) fn new(frame: &Frame<'a>) -> Self {
        let end = frame.bytes.len();
        let announced = (frame.meta.wire_len as usize).max(end);
        Self { bytes: frame.bytes, at: 0, end, announced, final_destination: true, packet: Packet::new(frame.meta) }
    }

    /// At the first byte of `bytes`, which is all there is, to fill in the rest of `packet`.
    pub(super) fn resume(bytes: &'a [u8], announced: usize, packet: Packet) -> Self {
        let end = bytes.len();
        Self { bytes, at: 0, end, announced: announced.max(end), final_destination: true, packet }
    }

    /// The captured bytes ahead, of the current layer.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..self.end).unwrap_or(&[])
    }

    /// The next `N` bytes, passed; nothing moves if there are fewer.
    pub(super) fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let taken = *self.rest().first_chunk::<N>()?;
        self.at += N;
        Some(taken)
    }

    /// Passes `n` announced bytes, captured or not.
    pub(super) fn skip(&mut self, n: usize) {
        self.at = (self.at + n).min(self.announced);
    }

    /// Bytes ahead that the headers announce; never fewer than were captured.
    pub(super) fn announced(&self) -> usize {
        self.announced - self.at
    }

    /// Whether everything announced was captured.
    pub(super) fn whole(&self) -> bool {
        self.announced == self.end
    }

    /// The layer ahead is `len` bytes long, as its header says: what follows is padding, what is missing was not captured.
    /// Returns `false` if the layer around it cannot hold as much.
    pub(super) fn limit(&mut self, len: usize) -> bool {
        let held = self.at + len <= self.announced;
        self.announced = self.at + len;
        self.end = self.end.min(self.announced);
        held
    }

    /// Notes why reading ends or cannot be trusted; the first reason stands.
    pub(super) fn stop(&mut self, layer: &'static str, why: &'static str, number: u32) -> Next {
        let offset = u32::try_from(self.at).unwrap_or(u32::MAX);
        self.packet.stop.get_or_insert(Stop { layer, why, offset, number });
        Next::Payload
    }

    /// A header is cut off: the usual stop, with the number of bytes that are left of it.
    pub(super) fn cut_off(&mut self, layer: &'static str) -> Next {
        let left = self.rest().len() as u32;
        self.stop(layer, "truncated_header", left)
    }

    /// Goes into a tunnel whose header has `header` bytes more. Returns the packet that carries it; the one inside so far shares
    /// nothing but the link.
    pub(super) fn enter(&mut self, tunnel: Tunnel, header: usize) -> Packet {
        self.close();
        self.packet.carries = Some(tunnel);
        let outer = self.packet.clone();
        self.skip(header);
        self.packet.layer += 1;
        self.packet.net = Net::None;
        self.packet.transport = Transport::None;
        self.packet.stop = None;
        self.packet.carries = None;
        self.packet.tenant = within(self.packet.tenant, tunnel);
        outer
    }

    /// The packet, its payload being what is ahead.
    pub(super) fn finish(mut self) -> Packet {
        self.close();
        self.packet
    }

    fn close(&mut self) {
        let start = self.at.min(self.end);
        self.packet.payload = Payload::Frame(start as u32..self.end as u32);
        self.packet.payload_len = u32::try_from(self.announced()).unwrap_or(u32::MAX);
    }
}

/// The tenant inside of a tunnel: SplitMix64's finaliser, so that numbers of nested tunnels do not cancel each other out.
fn within(outer: u64, tunnel: Tunnel) -> u64 {
    let Some(id) = tunnel.id else { return outer };
    let mut mix = outer ^ (u64::from(id) | (tunnel.kind as u64 + 1) << 32);
    for (shift, factor) in [(30, 0xbf58_476d_1ce4_e5b9), (27, 0x94d0_49bb_1331_11eb)] {
        mix = (mix ^ mix >> shift).wrapping_mul(factor);
    }
    mix ^ mix >> 31
}
