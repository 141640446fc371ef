//! Link frames (IEEE 1815 9.2): a header of eight bytes with its checksum, then data in blocks of sixteen with theirs.

use crate::dissect::messages::Length;

/// Header with checksum.
pub(super) const HEADER: usize = 10;
/// The longest frame: 250 bytes of data in sixteen blocks.
pub(super) const FRAME_MAX: usize = 292;
/// Bytes that `length` counts before the data: control and both addresses.
const COUNTED: u8 = 5;

/// Whether a header with a right checksum stands here; `None` while it cannot be told.
pub(in crate::dissect) fn is_header(bytes: &[u8]) -> Option<bool> {
    let magic = [0x05, 0x64];
    if bytes.iter().zip(magic).any(|(byte, expected)| *byte != expected) {
        return Some(false);
    }
    let (header, rest) = bytes.split_at_checked(HEADER - 2)?;
    Some(checks(header, rest.first_chunk()?))
}

/// The whole frame, by what its header counts.
pub(super) fn length(counted: u8) -> Length {
    match counted.checked_sub(COUNTED) {
        None => Length::Wrong,
        Some(data) => Length::Is(HEADER + usize::from(data) + 2 * usize::from(data).div_ceil(16)),
    }
}

/// A frame with data.
pub(super) struct Frame {
    /// The sender is the master.
    pub from_master: bool,
    /// Link address it goes to.
    pub destination: u16,
    /// Link address it comes from.
    pub source: u16,
    /// Data without checksums, up to the first block whose checksum is wrong.
    pub data: Vec<u8>,
}

impl Frame {
    /// Of a frame that may be cut.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let (header, blocks) = bytes.split_at_checked(HEADER)?;
        let &[_, _, _, control, to_low, to_high, from_low, from_high, ..] = header else { return None };
        let mut data = Vec::new();
        for block in blocks.chunks(18) {
            let Some((part, crc)) = block.split_last_chunk::<2>().filter(|(part, crc)| checks(part, crc)) else { break };
            let _ = crc;
            data.extend_from_slice(part);
        }
        let (destination, source) = (u16::from_le_bytes([to_low, to_high]), u16::from_le_bytes([from_low, from_high]));
        Some(Self { from_master: control & 0x80 != 0, destination, source, data })
    }
}

fn checks(bytes: &[u8], sum: &[u8; 2]) -> bool {
    !crc(bytes) == u16::from_le_bytes(*sum)
}

/// The polynomial 0x3d65, reflected; the sum is its complement.
pub(super) fn crc(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, &byte| (0..8).fold(crc ^ u16::from(byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xa6bc } else { crc >> 1 }))
}
