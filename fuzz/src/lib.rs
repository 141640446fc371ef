//! What the targets share: how the fuzzer's bytes are cut into frames, segments and chunks.
//!
//! The cutting is plain on purpose: lengths stand before their bytes, so that a mutation moves one border and not all.

use vigil::model::{Block, FrameMeta, LinkType, Ts};

/// Takes values off the front of the fuzzer's bytes.
pub struct Bytes<'a>(pub &'a [u8]);

impl<'a> Bytes<'a> {
    /// The next byte.
    pub fn u8(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// The next two, big-endian.
    pub fn u16(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes([self.u8()?, self.u8()?]))
    }

    /// The next four, big-endian.
    pub fn u32(&mut self) -> Option<u32> {
        Some(u32::from(self.u16()?) << 16 | u32::from(self.u16()?))
    }

    /// The next `len`, or as many as there are.
    pub fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        taken
    }
}

/// Makes the flow table work on the fuzzer's own thread: handing over to others costs more than the work. Call it first.
pub fn stay_on_this_thread() {
    // Only the first call can succeed.
    let _ = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build_global();
}

/// Adds a frame to a block, as a reader would.
pub fn push(block: &mut Block, number: u64, ts_ns: Ts, link: LinkType, wire_len: usize, bytes: &[u8]) {
    block.frames.push(FrameMeta {
        number,
        in_file: number,
        offset: 0,
        ts_ns,
        capture: 0,
        caplen: bytes.len() as u32,
        wire_len: wire_len.max(bytes.len()) as u32,
        start: block.bytes.len() as u32,
        link,
    });
    block.bytes.extend_from_slice(bytes);
}
