//! pcap files: one header, then records. <https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-05.html>
//!
//! Records carry no marks, so damage is recognised by what cannot be, and reading resumes where several records in a row make sense.

use pcap_parser::nom::IResult;
use pcap_parser::{
    LegacyPcapBlock, PcapError, PcapHeader, parse_pcap_frame, parse_pcap_frame_be, parse_pcap_frame_modified, parse_pcap_header,
};

use super::ledger::{Ledger, Record, Sink};
use super::reader::{Pause, Turn};
use super::window::Window;
use crate::model::{DamageKind, LinkType, Ts, time::SECOND};

/// Longest frame that Wireshark and libpcap accept of most link types, bytes.
const CAPLEN_MAX: u32 = 262_144;
/// The same for USB and D-Bus, whose transfers are large.
const CAPLEN_MAX_LARGE: u32 = 128 << 20;
/// Link types with such frames: USB_LINUX, USB_LINUX_MMAPPED, DBUS, USBPCAP, EBHSCR.
const LARGE_LINKS: [u16; 5] = [189, 220, 231, 249, 279];
/// Bytes of the file header.
const HEADER_BYTES: usize = 24;
/// Headers that must follow each other before an odd record is believed, or reading resumes.
const CHAIN: usize = 3;
/// A record is odd when its time lies further than this from the one before, seconds.
const ODD_SECONDS: u32 = 366 * 86_400;
/// Where reading resumes, time may have gone this far forward and back, seconds.
const RESUME_FORWARD: i64 = 30 * 86_400;
const RESUME_BACK: i64 = 86_400;
/// Frames longer than this on the wire are odd, bytes.
const WIRE_LEN_MAX: u32 = 1 << 20;
/// Times that captures show: 1990 to 2100.
const SOME_TIME: std::ops::Range<u32> = 631_152_000..4_102_444_800;

type ParseRecord = for<'a> fn(&'a [u8]) -> IResult<&'a [u8], LegacyPcapBlock<'a>, PcapError<&'a [u8]>>;

/// Reads the records of a pcap file.
pub(super) struct Pcap {
    parse: ParseRecord,
    big_endian: bool,
    record_header: usize,
    nanos: bool,
    link: LinkType,
    caplen_max: u32,
    /// Seconds of the last record, and of the last that was not odd.
    latest: Option<u32>,
    trusted: Option<u32>,
    /// Where an odd record begins that was judged already.
    believed_at: Option<u64>,
}

/// A record header.
#[derive(Clone, Copy)]
struct Header {
    seconds: u32,
    fraction: u32,
    caplen: u32,
    wire_len: u32,
}

/// The longest frame of this link type that is believed, bytes.
pub(super) fn caplen_max(link: LinkType) -> u32 {
    if LARGE_LINKS.contains(&link.0) { CAPLEN_MAX_LARGE } else { CAPLEN_MAX }
}

impl Pcap {
    /// Reads the file header; none if the file ends inside it.
    pub(super) fn open(window: &mut Window, ledger: &mut Ledger) -> Option<Self> {
        window.need(HEADER_BYTES);
        let (_, header) = parse_pcap_header(window.data()).ok()?;
        let pcap = Self::with(&header, ledger);
        window.skip(HEADER_BYTES);
        ledger.info.format = match (pcap.nanos, header.is_modified_format(), pcap.big_endian) {
            (false, false, false) => "pcap",
            (false, false, true) => "pcap-be",
            (true, _, false) => "pcap-ns",
            (true, _, true) => "pcap-ns-be",
            (false, true, _) => "pcap-modified",
        }
        .to_string();
        Some(pcap)
    }

    fn with(header: &PcapHeader, ledger: &mut Ledger) -> Self {
        // The upper bits tell the length of the frame check sequence.
        let link = LinkType(header.network.0 as u16);
        ledger.link(link);
        ledger.info.snaplen = ledger.info.snaplen.max(header.snaplen);
        let modified = header.is_modified_format();
        let parse: ParseRecord = match (modified, header.is_bigendian()) {
            (true, _) => parse_pcap_frame_modified,
            (false, true) => parse_pcap_frame_be,
            (false, false) => parse_pcap_frame,
        };
        Self {
            parse,
            big_endian: header.is_bigendian(),
            record_header: if modified { 24 } else { 16 },
            nanos: header.is_nanosecond_precision(),
            link,
            caplen_max: caplen_max(link),
            latest: None,
            trusted: None,
            believed_at: None,
        }
    }

    /// Moves frames into `out` until it is another capture's turn, the block is full, or the file ends.
    pub(super) fn pump(&mut self, window: &mut Window, ledger: &mut Ledger, out: &mut Sink, turn: &Turn) -> Pause {
        loop {
            let Ok((_, record)) = (self.parse)(window.data()) else {
                if self.wait(window, ledger, out) {
                    continue;
                }
                return Pause::End;
            };
            let header = Header::of(&record);
            let odd = self.is_odd(&header);
            if odd && self.believed_at != Some(window.offset()) {
                if self.is_believable(&header, window) {
                    self.believed_at = Some(window.offset());
                } else if !self.second_header(window, ledger, out) && !self.resume(&header, window, ledger, out) {
                    return Pause::End;
                }
                continue;
            }
            let ts_ns = self.time(&header);
            let mine = ledger.turn(ts_ns);
            if !turn.is_mine(mine) {
                return Pause::Later(mine);
            }
            if out.full(record.data.len()) {
                return Pause::Full;
            }
            let (offset, length) = (window.offset(), self.record_header + record.data.len());
            ledger.frame(out, &Record { offset, ts_ns, wire_len: header.wire_len, link: self.link, bytes: record.data });
            self.latest = Some(header.seconds);
            if !odd {
                self.trusted = Some(header.seconds);
            }
            window.skip(length);
        }
    }

    /// Waits for the rest of a record; false at the end of the file, after saying how it ended.
    fn wait(&mut self, window: &mut Window, ledger: &mut Ledger, out: &mut Sink) -> bool {
        let there = window.data().len();
        if there < self.record_header {
            return window.need(self.record_header) || self.cut_short(window, ledger, out, self.record_header);
        }
        let Some(header) = self.header(window.data()) else { return false };
        if header.caplen > self.caplen_max {
            return self.second_header(window, ledger, out) || self.resume(&header, window, ledger, out);
        }
        let whole = self.record_header + header.caplen as usize;
        if window.need(whole) {
            return true;
        }
        // Either the file ends here, or a damaged length points behind its end and good records follow.
        match self.find(window, 1) {
            Some(found) => {
                self.skip_damage(&header, found, window, ledger, out);
                true
            }
            None => self.cut_short(window, ledger, out, whole),
        }
    }

    /// Notes that the file ends inside a record. Always false: there is no more.
    fn cut_short(&self, window: &mut Window, ledger: &mut Ledger, out: &mut Sink, whole: usize) -> bool {
        let (offset, there) = (window.offset(), window.data().len());
        if let Some(trouble) = window.trouble() {
            ledger.damage(out, trouble.kind, offset, there as u64, trouble.detail);
        } else if there > 0 {
            let detail = format!("the file ends inside a record: {there} bytes are there, at least {whole} are announced");
            ledger.damage(out, DamageKind::CutShort, offset, there as u64, detail);
        }
        window.skip(there);
        false
    }

    /// Another file header where a record should be: captures that were simply joined. Reading goes on with it.
    fn second_header(&mut self, window: &mut Window, ledger: &mut Ledger, out: &mut Sink) -> bool {
        if !window.need(HEADER_BYTES) {
            return false;
        }
        let Ok((_, header)) = parse_pcap_header(window.data()) else { return false };
        if header.version_major != 2 || header.version_minor > 4 {
            return false;
        }
        let detail = "another pcap file begins here; it was read on as part of this one".to_string();
        ledger.damage(out, DamageKind::BadRecord, window.offset(), HEADER_BYTES as u64, detail);
        *self = Self::with(&header, ledger);
        window.skip(HEADER_BYTES);
        true
    }

    /// Searches for the next record that makes sense; false if none does, after saying so.
    fn resume(&mut self, header: &Header, window: &mut Window, ledger: &mut Ledger, out: &mut Sink) -> bool {
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
            window.skip(window.data().len().saturating_sub(self.record_header - 1));
            from = 0;
            if !window.need(self.record_header) {
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

    fn skip_damage(&self, header: &Header, found: usize, window: &mut Window, ledger: &mut Ledger, out: &mut Sink) {
        let (offset, why) = (window.offset(), header.describe());
        window.skip(found);
        ledger.damage(out, DamageKind::BadRecord, offset, found as u64, format!("{why}; reading resumed {found} bytes on"));
    }

    /// The first place in the window, at or behind `from`, where a chain of records begins.
    fn find(&self, window: &mut Window, from: usize) -> Option<usize> {
        let mut at = from;
        loop {
            let data = window.data();
            let last = data.len().checked_sub(self.record_header)?;
            at = (at..=last).find(|at| self.header(&data[*at..]).is_some_and(|header| self.looks_like_one(&header)))?;
            if self.chain_makes_sense(window, at) {
                return Some(at);
            }
            at += 1;
        }
    }

    /// Whether records follow each other from `start` on, each a little later than the one before.
    fn chain_makes_sense(&self, window: &mut Window, start: usize) -> bool {
        let (mut at, mut before, mut near) = (start, None::<Header>, false);
        for links in 0..CHAIN {
            if !window.need(at + self.record_header) {
                // The file ends: one whole record that fits in time to what was read is enough.
                return near && (links > 1 || links == 1 && window.data().len() >= at);
            }
            let Some(header) = window.data().get(at..).and_then(|rest| self.header(rest)) else { return false };
            if !self.looks_like_one(&header) || before.is_some_and(|before| !header.is_near(before.seconds)) {
                return false;
            }
            if links == 0 {
                near = self.latest.is_none() || self.fits_in_time(&header);
            }
            before = Some(header);
            at += self.record_header + header.caplen as usize;
        }
        true
    }

    /// Whether a record header in the middle of nowhere looks like one.
    fn looks_like_one(&self, header: &Header) -> bool {
        header.caplen > 0 && self.is_neat(header) && (SOME_TIME.contains(&header.seconds) || self.fits_in_time(header))
    }

    /// Whether a record may follow those that were read.
    fn fits_in_time(&self, header: &Header) -> bool {
        [self.trusted, self.latest].iter().flatten().any(|time| header.is_near(*time))
    }

    /// Whether lengths and fraction are what they should be.
    #[inline]
    fn is_neat(&self, header: &Header) -> bool {
        header.caplen <= self.caplen_max
            && header.caplen <= header.wire_len
            && header.wire_len <= self.caplen_max.max(WIRE_LEN_MAX)
            && header.fraction < self.units()
    }

    /// Whether something about the header is strange enough to look at what follows.
    #[inline]
    fn is_odd(&self, header: &Header) -> bool {
        !self.is_neat(header)
            || header.seconds == 0 && header.caplen == 0
            || self.latest.is_some_and(|latest| header.seconds.abs_diff(latest) > ODD_SECONDS)
    }

    /// An odd record is believed when its time alone is odd, or when lengths lead from it to other records or to the end of the file.
    #[cold]
    fn is_believable(&self, header: &Header, window: &mut Window) -> bool {
        let mut at = self.record_header + header.caplen as usize;
        if header.caplen > self.caplen_max || is_pcap_magic(window.data()) {
            return false;
        }
        if self.looks_like_one(header) {
            return true;
        }
        for _ in 1..CHAIN {
            if !window.need(at + self.record_header) {
                return !header.is_zero();
            }
            let Some(next) = window.data().get(at..).and_then(|rest| self.header(rest)) else { return false };
            if next.caplen > self.caplen_max || next.is_zero() {
                // What follows may itself be another file's header.
                return window.data().get(at..).is_some_and(is_pcap_magic);
            }
            at += self.record_header + next.caplen as usize;
        }
        true
    }

    #[inline]
    fn units(&self) -> u32 {
        if self.nanos { 1_000_000_000 } else { 1_000_000 }
    }

    #[inline]
    fn time(&self, header: &Header) -> Ts {
        i64::from(header.seconds) * SECOND + i64::from(header.fraction) * if self.nanos { 1 } else { 1_000 }
    }

    fn header(&self, data: &[u8]) -> Option<Header> {
        let word = |at: usize| {
            let bytes = *data.get(at..)?.first_chunk()?;
            Some(if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
        };
        Some(Header { seconds: word(0)?, fraction: word(4)?, caplen: word(8)?, wire_len: word(12)? })
    }
}

impl Header {
    /// Whether reading may resume here after a record of that time, seconds.
    fn is_near(&self, seconds: u32) -> bool {
        (-RESUME_BACK..=RESUME_FORWARD).contains(&(i64::from(self.seconds) - i64::from(seconds)))
    }

    #[inline]
    fn of(record: &LegacyPcapBlock<'_>) -> Self {
        Self { seconds: record.ts_sec, fraction: record.ts_usec, caplen: record.caplen, wire_len: record.origlen }
    }

    fn is_zero(&self) -> bool {
        self.seconds == 0 && self.fraction == 0 && self.caplen == 0 && self.wire_len == 0
    }

    fn describe(&self) -> String {
        let Self { seconds, fraction, caplen, wire_len } = self;
        format!("a record that cannot be: {caplen} bytes captured of {wire_len}, time {seconds} s and {fraction} parts")
    }
}

fn is_pcap_magic(data: &[u8]) -> bool {
    super::magic::Format::of(data) == Some(super::magic::Format::Pcap)
}
