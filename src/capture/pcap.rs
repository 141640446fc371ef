//! pcap files: one header, then records. <https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-05.html>; snoop files (RFC 1761) likewise.
//!
//! Records carry no marks, so damage is recognised by what cannot be, and reading resumes where several records in a row make sense.

mod layout;
mod recover;

use super::ledger::{Ledger, Record, Sink, WIRE_LEN_MAX};
use super::reader::{Pause, Turn};
use super::window::Window;
use crate::model::{DamageKind, LinkType};
pub(super) use layout::Header;
use layout::Layout;

/// Longest frame that Wireshark and libpcap accept of most link types, bytes.
const CAPLEN_MAX: u32 = 262_144;
/// The same for USB and D-Bus, whose transfers are large.
const CAPLEN_MAX_LARGE: u32 = 128 << 20;
/// Link types with such frames: USB_LINUX, USB_LINUX_MMAPPED, DBUS, USBPCAP, EBHSCR.
const LARGE_LINKS: [u16; 5] = [189, 220, 231, 249, 279];
/// A record is odd when its time lies further than this from the one before, seconds.
const ODD_SECONDS: u32 = 366 * 86_400;
/// Bytes that may pad a record of a snoop file.
const PADDING_MAX: u32 = 63;
/// Records that an odd one must lead to before it is believed.
const CHAIN: usize = 3;

/// Reads the records of a pcap file, or of a snoop file, which differs in its headers alone.
pub(super) struct Pcap {
    layout: Layout,
    link: LinkType,
    caplen_max: u32,
    /// Seconds of the last record, and of the last that was not odd.
    latest: Option<u32>,
    trusted: Option<u32>,
    /// Where an odd record begins that was judged already.
    believed_at: Option<u64>,
}

/// The longest frame of this link type that is believed, bytes.
pub(super) fn caplen_max(link: LinkType) -> u32 {
    if LARGE_LINKS.contains(&link.0) { CAPLEN_MAX_LARGE } else { CAPLEN_MAX }
}

impl Pcap {
    /// Reads the file header; none if the file ends inside it, or it is none.
    pub(super) fn open(window: &mut Window, ledger: &mut Ledger) -> Option<Self> {
        window.need(Layout::FILE_HEADER_MAX);
        let (layout, file) = Layout::of(window.data())?;
        let pcap = Self::with(layout, &file, ledger);
        window.skip(layout.file_header());
        ledger.info.format = layout.name().to_string();
        Some(pcap)
    }

    fn with(layout: Layout, file: &layout::File, ledger: &mut Ledger) -> Self {
        ledger.link(file.link);
        ledger.info.snaplen = ledger.info.snaplen.max(file.snaplen);
        Self { layout, link: file.link, caplen_max: caplen_max(file.link), latest: None, trusted: None, believed_at: None }
    }

    /// Moves frames into `out` until it is another capture's turn, the block is full, or the file ends.
    pub(super) fn pump(&mut self, window: &mut Window, ledger: &mut Ledger, out: &mut Sink, turn: &Turn) -> Pause {
        loop {
            let Some((header, bytes)) = self.layout.record(window.data()) else {
                if self.wait(window, ledger, out) {
                    continue;
                }
                return Pause::End;
            };
            let odd = self.is_odd(&header);
            if odd && self.believed_at != Some(window.offset()) {
                if self.is_believable(&header, window) {
                    self.believed_at = Some(window.offset());
                } else if !self.second_header(window, ledger, out) && !self.resume(&header, window, ledger, out) {
                    return Pause::End;
                }
                continue;
            }
            let ts_ns = self.layout.time(&header);
            let mine = ledger.turn(ts_ns);
            if !turn.is_mine(mine) {
                return Pause::Later(mine);
            }
            if out.full(bytes.len()) {
                return Pause::Full;
            }
            let (offset, length) = (window.offset(), self.layout.record_header() + header.stored as usize);
            ledger.frame(out, &Record { offset, ts_ns, wire_len: header.wire_len, link: self.link, interface: 0, bytes });
            if header.drops > 0 {
                ledger.drops_so_far(u64::from(header.drops));
            }
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
        let least = self.layout.record_header();
        if there < least {
            return window.need(least) || self.cut_short(window, ledger, out, least);
        }
        let Some(header) = self.layout.header(window.data()) else { return false };
        if !self.fits(&header) {
            return self.second_header(window, ledger, out) || self.resume(&header, window, ledger, out);
        }
        let whole = least + header.stored as usize;
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

    /// Whether lengths and fraction are what they should be.
    #[inline]
    fn is_neat(&self, header: &Header) -> bool {
        self.fits(header)
            && header.caplen <= header.wire_len
            && header.wire_len <= self.caplen_max.max(WIRE_LEN_MAX)
            && header.fraction < self.layout.units()
    }

    /// Whether a record can be as long as it says.
    #[inline]
    fn fits(&self, header: &Header) -> bool {
        header.caplen <= self.caplen_max && header.padding().is_some_and(|padding| padding <= PADDING_MAX)
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
        let least = self.layout.record_header();
        let mut at = least + header.stored as usize;
        if !self.fits(header) || is_pcap_magic(window.data()) {
            return false;
        }
        if self.looks_like_one(header) {
            return true;
        }
        // More captured than there was: where records go on behind what there was, the length is damaged, and would swallow them.
        if header.caplen > header.wire_len && self.chain_makes_sense(window, least + header.wire_len as usize) {
            return false;
        }
        for _ in 1..CHAIN {
            if !window.need(at + least) {
                return !header.is_zero();
            }
            let Some(next) = window.data().get(at..).and_then(|rest| self.layout.header(rest)) else { return false };
            if !self.fits(&next) || next.is_zero() {
                // What follows may itself be another file's header.
                return window.data().get(at..).is_some_and(is_pcap_magic);
            }
            at += least + next.stored as usize;
        }
        true
    }
}

fn is_pcap_magic(data: &[u8]) -> bool {
    super::magic::Format::of(data) == Some(super::magic::Format::Pcap)
}
