//! Reading on behind damage: records carry no marks, so three headers in a row must make sense.

use super::super::ledger::{Ledger, Sink};
use super::super::window::Window;
use super::layout::{Header, Layout};
use super::{CHAIN, Pcap};
use crate::model::DamageKind;

/// Where reading resumes, time may have gone this far forward and back, seconds.
const RESUME_FORWARD: i64 = 30 * 86_400;
const RESUME_BACK: i64 = 86_400;
/// Records at which reading resumes are not longer than this, bytes: a chance find must not ask for half a gigabyte of file.
const RESUME_CAPLEN_MAX: u32 = 1 << 20;
/// Times that captures show: 1990 to 2100.
const SOME_TIME: std::ops::Range<u32> = 631_152_000..4_102_444_800;

impl Pcap {
    /// Another file header where a record should be: captures that were simply joined. Reading goes on with it.
    pub(super) fn second_header(&mut self, window: &mut Window, ledger: &mut Ledger, out: &mut Sink) -> bool {
        window.need(Layout::FILE_HEADER_MAX);
        let Some((layout, file)) = Layout::of(window.data()).filter(|(_, file)| file.is_usual) else { return false };
        let detail = format!("another {} file begins here; it was read on as part of this one", layout.name());
        ledger.damage(out, DamageKind::BadRecord, window.offset(), layout.file_header() as u64, detail);
        *self = Self::with(layout, &file, ledger);
        window.skip(layout.file_header());
        true
    }

    /// Searches for the next record that makes sense; false if none does, after saying so.
    pub(super) fn resume(&mut self, header: &Header, window: &mut Window, ledger: &mut Ledger, out: &mut Sink) -> bool {
        let (offset, why) = (window.offset(), header.describe());
        // A long search must not hold the whole file: what was searched is let go.
        let mut from = 1;
        loop {
            if let Some(found) = self.find(window, from) {
                window.skip(found);
                let skipped = window.offset() - offset;
                ledger.damage(out, DamageKind::BadRecord, offset, skipped, format!("{why}; reading resumed {skipped} bytes on"));
                return true;
            }
            window.skip(window.data().len().saturating_sub(self.layout.record_header() - 1));
            from = 0;
            if !window.need(self.layout.record_header()) {
                window.skip(window.data().len());
                let skipped = window.offset() - offset;
                ledger.damage(out, DamageKind::BadRecord, offset, skipped, format!("{why}; no record makes sense after it"));
                if let Some(trouble) = window.trouble() {
                    ledger.damage(out, trouble.kind, window.offset(), 0, trouble.detail);
                }
                return false;
            }
        }
    }

    pub(super) fn skip_damage(&self, header: &Header, found: usize, window: &mut Window, ledger: &mut Ledger, out: &mut Sink) {
        let (offset, why) = (window.offset(), header.describe());
        window.skip(found);
        ledger.damage(out, DamageKind::BadRecord, offset, found as u64, format!("{why}; reading resumed {found} bytes on"));
    }

    /// The first place in the window, at or behind `from`, where a chain of records begins.
    pub(super) fn find(&self, window: &mut Window, from: usize) -> Option<usize> {
        let mut at = from;
        loop {
            let data = window.data();
            let last = data.len().checked_sub(self.layout.record_header())?;
            at = (at..=last).find(|at| self.layout.header(&data[*at..]).is_some_and(|header| self.looks_like_one(&header)))?;
            if self.chain_makes_sense(window, at) {
                return Some(at);
            }
            at += 1;
        }
    }

    /// Whether records follow each other from `start` on, each a little later than the one before.
    pub(super) fn chain_makes_sense(&self, window: &mut Window, start: usize) -> bool {
        let (mut at, mut before, mut near) = (start, None::<Header>, false);
        for links in 0..CHAIN {
            if !window.need(at + self.layout.record_header()) {
                // The file ends: one whole record that fits in time to what was read is enough.
                return near && (links > 1 || links == 1 && window.data().len() >= at);
            }
            let Some(header) = window.data().get(at..).and_then(|rest| self.layout.header(rest)) else { return false };
            if !self.looks_like_one(&header) || before.is_some_and(|before| !header.is_near(before.seconds)) {
                return false;
            }
            if links == 0 {
                near = self.latest.is_none() || self.fits_in_time(&header);
            }
            before = Some(header);
            at += self.layout.record_header() + header.stored as usize;
        }
        true
    }

    /// Whether a record header in the middle of nowhere looks like one.
    pub(super) fn looks_like_one(&self, header: &Header) -> bool {
        header.caplen > 0
            && header.caplen <= RESUME_CAPLEN_MAX
            && self.is_neat(header)
            && (SOME_TIME.contains(&header.seconds) || self.fits_in_time(header))
    }

    /// Whether a record may follow those that were read.
    fn fits_in_time(&self, header: &Header) -> bool {
        [self.trusted, self.latest].iter().flatten().any(|time| header.is_near(*time))
    }
}

impl Header {
    /// Whether reading may resume here after a record of that time, seconds.
    fn is_near(&self, seconds: u32) -> bool {
        (-RESUME_BACK..=RESUME_FORWARD).contains(&(i64::from(self.seconds) - i64::from(seconds)))
    }

    fn describe(&self) -> String {
        let Self { seconds, fraction, caplen, wire_len, .. } = self;
        format!("a record that cannot be: {caplen} bytes captured of {wire_len}, time {seconds} s and {fraction} parts")
    }
}
