//! Reading on behind damage: blocks tell their length at both ends, which is what makes them recognisable.

use pcap_parser::{DSB_MAGIC, EPB_MAGIC, IDB_MAGIC, ISB_MAGIC, NRB_MAGIC, SHB_MAGIC, SPB_MAGIC};

use super::super::ledger::{Ledger, Sink};
use super::super::window::Window;
use super::other::{CUSTOM, JOURNAL};
use super::{BLOCK_BYTES_MIN, Head, OPB_MAGIC, Pcapng, word};
use crate::model::DamageKind;

/// Blocks at which reading resumes are not longer than this, bytes: longer ones are rare, and chance finds them.
const RESUME_BYTES_MAX: usize = 1 << 20;
/// Blocks that are known, and so can be told from chance.
const KNOWN: [u32; 11] =
    [SHB_MAGIC, IDB_MAGIC, OPB_MAGIC, SPB_MAGIC, NRB_MAGIC, ISB_MAGIC, EPB_MAGIC, DSB_MAGIC, JOURNAL, CUSTOM[0], CUSTOM[1]];

impl Pcapng {
    /// Notes that the file ends inside a block, if it does.
    pub(super) fn cut_short(&self, window: &mut Window, ledger: &mut Ledger, out: &mut Sink, whole: usize) {
        let (offset, there) = (window.offset(), window.data().len());
        if let Some(trouble) = window.trouble() {
            ledger.damage(out, trouble.kind, offset, there as u64, trouble.detail);
        } else if there > 0 {
            let detail = format!("the file ends inside a block: {there} bytes are there, at least {whole} are announced");
            ledger.damage(out, DamageKind::CutShort, offset, there as u64, detail);
        }
        window.skip(there);
    }

    /// Searches for the next block that makes sense, and says what was passed over; false at the end of the file.
    pub(super) fn resume(&self, window: &mut Window, ledger: &mut Ledger, out: &mut Sink, why: &str) -> bool {
        let offset = window.offset();
        let mut from = 1;
        loop {
            if let Some(found) = self.find(window, from) {
                window.skip(found);
                let skipped = window.offset() - offset;
                ledger.damage(out, DamageKind::BadRecord, offset, skipped, format!("{why}; reading resumed {skipped} bytes on"));
                return true;
            }
            // A long search must not hold the whole file: what was searched is let go.
            window.skip(window.data().len().saturating_sub(BLOCK_BYTES_MIN - 1));
            from = 0;
            if !window.need(BLOCK_BYTES_MIN) {
                window.skip(window.data().len());
                let skipped = window.offset() - offset;
                ledger.damage(out, DamageKind::BadRecord, offset, skipped, format!("{why}; no block makes sense after it"));
                if let Some(trouble) = window.trouble() {
                    ledger.damage(out, trouble.kind, window.offset(), 0, trouble.detail);
                }
                return false;
            }
        }
    }

    /// The first place in the window, at or behind `from`, where a known block begins and another follows it, or the end.
    ///
    /// Blocks are aligned to 4 bytes, but not where bytes were lost before them: every place is tried.
    pub(super) fn find(&self, window: &mut Window, from: usize) -> Option<usize> {
        let mut at = from;
        loop {
            let data = window.data();
            let last = data.len().checked_sub(BLOCK_BYTES_MIN)?;
            at = (at..=last).find(|at| self.known_head(&data[*at..]).is_some())?;
            if self.whole_block(window, at).is_some_and(|length| self.block_follows(window, at + length)) {
                return Some(at);
            }
            at += 1;
        }
    }

    /// Whether the file ends at `at`, or a known block begins there, whole or cut short.
    pub(super) fn block_follows(&self, window: &mut Window, at: usize) -> bool {
        if !window.need(at + BLOCK_BYTES_MIN) {
            return window.data().len() >= at;
        }
        let Some(head) = window.data().get(at..).and_then(|rest| self.known_head(rest)) else { return false };
        !window.need(at + head.length) || self.whole_block(window, at).is_some()
    }

    /// Length of the known block at `at`, if it is all there and says the same length at both ends.
    fn whole_block(&self, window: &mut Window, at: usize) -> Option<usize> {
        let head = self.known_head(window.data().get(at..)?)?;
        if !window.need(at + head.length) {
            return None;
        }
        let closing = word(head.big_endian, window.data(), at + head.length - 4)?;
        (closing as usize == head.length).then_some(head.length)
    }

    fn known_head(&self, data: &[u8]) -> Option<Head> {
        self.head(data).filter(|head| head.length <= RESUME_BYTES_MAX && KNOWN.contains(&head.kind))
    }
}
