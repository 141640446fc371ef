//! A frame: bytes as captured, with where and when. Frames travel in blocks so that threads share work, not locks.

use super::{Damage, Secrets, Ts};

/// A link type number from <https://www.tcpdump.org/linktypes.html>.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct LinkType(pub u16);

impl LinkType {
    /// BSD loopback, family in the capturing host's byte order.
    pub const NULL: Self = Self(0);
    /// Ethernet II and 802.3.
    pub const ETHERNET: Self = Self(1);
    /// Raw IP, the older numbers used by some writers.
    pub const RAW_OLD: Self = Self(12);
    /// Raw IP as OpenBSD numbers it.
    pub const RAW_BSD: Self = Self(14);
    /// Raw IP.
    pub const RAW: Self = Self(101);
    /// OpenBSD loopback, family in network byte order.
    pub const LOOP: Self = Self(108);
    /// Linux cooked capture.
    pub const LINUX_SLL: Self = Self(113);
    /// Raw IPv4.
    pub const IPV4: Self = Self(228);
    /// Raw IPv6.
    pub const IPV6: Self = Self(229);
    /// Linux cooked capture v2.
    pub const LINUX_SLL2: Self = Self(276);

    /// The tcpdump name where this build knows one, else `DLT_n`.
    pub fn name(self) -> String {
        match self {
            Self::NULL => "NULL".into(),
            Self::ETHERNET => "EN10MB".into(),
            Self::RAW_OLD | Self::RAW_BSD | Self::RAW => "RAW".into(),
            Self::LOOP => "LOOP".into(),
            Self::LINUX_SLL => "LINUX_SLL".into(),
            Self::IPV4 => "IPV4".into(),
            Self::IPV6 => "IPV6".into(),
            Self::LINUX_SLL2 => "LINUX_SLL2".into(),
            Self(other) => format!("DLT_{other}"),
        }
    }
}

/// Everything about a frame except its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameMeta {
    /// Number in the case, from 1, in merge order.
    pub number: u64,
    /// Number in its own file, from 1: what Wireshark shows as `frame.number`.
    pub in_file: u64,
    /// Byte offset of the packet record in its (decompressed) file.
    pub offset: u64,
    /// Capture time.
    pub ts_ns: Ts,
    /// Which evidence file: index of its [`super::CaptureInfo`].
    pub capture: u32,
    /// Bytes captured.
    pub caplen: u32,
    /// Bytes on the wire, never below `caplen`.
    pub wire_len: u32,
    /// Where its bytes begin in [`Block::bytes`].
    pub start: u32,
    /// Link type of its interface.
    pub link: LinkType,
}

/// A run of consecutive frames and the bytes they hold. Block borders depend on the evidence alone, never on threads.
#[derive(Default, Debug)]
pub struct Block {
    /// The captured bytes, frame after frame.
    pub bytes: Vec<u8>,
    /// The frames, in case order.
    pub frames: Vec<FrameMeta>,
    /// Damage met while these frames were read.
    pub damage: Vec<Damage>,
    /// Secrets met before or among these frames: with them, frames from here on can be decrypted.
    pub secrets: Vec<Secrets>,
}

/// One frame of a block.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// Where and when.
    pub meta: &'a FrameMeta,
    /// As captured.
    pub bytes: &'a [u8],
}

impl Block {
    /// The frame at `index`, or an empty one if the block does not hold its bytes.
    pub fn frame(&self, index: usize) -> Frame<'_> {
        let meta = &self.frames[index];
        let start = meta.start as usize;
        Frame { meta, bytes: self.bytes.get(start..start + meta.caplen as usize).unwrap_or(&[]) }
    }

    /// All frames in order.
    pub fn iter(&self) -> impl Iterator<Item = Frame<'_>> {
        (0..self.frames.len()).map(|index| self.frame(index))
    }

    /// Time of the newest frame, if there is one.
    pub fn newest(&self) -> Option<Ts> {
        self.frames.iter().map(|frame| frame.ts_ns).max()
    }
}
