//! The binary packet protocol before encryption (RFC 4253 6): four bytes of length, padding length, payload, padding.

/// Longest packet that is believed. RFC 4253 asks for 35,000; post-quantum key exchanges stay far below.
const LONGEST: usize = 64 * 1024;
/// Bytes of a payload that are kept: KEXINIT and host keys fit.
const KEPT: usize = 16 * 1024;

/// One packet in clear.
pub(super) struct Packet<'a> {
    /// Message number (RFC 4250 4.1.2).
    pub kind: u8,
    /// Payload after the number, as far as it was captured.
    pub body: &'a [u8],
    /// All of it is there.
    pub whole: bool,
}

/// Puts packets of one direction together.
#[derive(Default)]
pub(super) struct Reader {
    head: Vec<u8>,
    body: Vec<u8>,
    left: usize,
    damaged: bool,
    lost: bool,
}

impl Reader {
    /// Whether the packet boundaries are lost for good.
    pub fn lost(&self) -> bool {
        self.lost
    }

    /// Takes bytes up to the end of one packet; returns how many, and whether a packet is now ready for [`Reader::packet`].
    pub fn take(&mut self, bytes: &[u8]) -> (usize, bool) {
        let mut used = 0;
        if self.left == 0 {
            self.body.clear();
            let want = 4usize.saturating_sub(self.head.len()).min(bytes.len());
            self.head.extend(bytes.iter().take(want));
            used = want;
            let Ok(length) = <[u8; 4]>::try_from(self.head.as_slice()) else { return (used, false) };
            self.head.clear();
            self.damaged = false;
            self.left = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
            if !(2..=LONGEST).contains(&self.left) {
                self.lost = true;
                self.left = 0;
                return (bytes.len(), false);
            }
        }
        let rest = bytes.get(used..).unwrap_or_default();
        let part = rest.get(..self.left.min(rest.len())).unwrap_or_default();
        let room = KEPT.saturating_sub(self.body.len());
        self.body.extend(part.iter().take(room));
        self.left -= part.len();
        (used + part.len(), self.left == 0)
    }

    /// `missing` bytes never came. Inside one packet that costs its content only; beyond it the boundaries are lost.
    /// Returns whether a packet ended exactly there.
    pub fn skip(&mut self, missing: u64) -> bool {
        match u64::try_from(self.left) {
            Ok(left) if left > 0 && missing <= left => {
                self.damaged = true;
                self.left -= usize::try_from(missing).unwrap_or(self.left);
                self.left == 0
            }
            _ => {
                self.lost = true;
                false
            }
        }
    }

    /// The packet that [`Reader::take`] or [`Reader::skip`] announced.
    pub fn packet(&self) -> Option<Packet<'_>> {
        let (&padding, payload) = self.body.split_first()?;
        let end = payload.len().saturating_sub(if self.damaged { 0 } else { usize::from(padding) });
        let (&kind, body) = payload.get(..end)?.split_first()?;
        Some(Packet { kind, body, whole: !self.damaged && self.body.len() < KEPT })
    }
}
