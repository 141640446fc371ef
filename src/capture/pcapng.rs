//! pcapng files: blocks that tell their length at both ends. <https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-03.html>

mod interface;
mod options;
mod other;
mod packet;
mod recover;

use pcap_parser::{DSB_MAGIC, EPB_MAGIC, IDB_MAGIC, ISB_MAGIC, NRB_MAGIC, SHB_MAGIC, SPB_MAGIC};

use super::beside;
use super::ledger::{Ledger, Record, Sink};
use super::pcap::caplen_max;
use super::reader::{Pause, Turn};
use super::window::Window;
use crate::model::beside::About;
use crate::model::{DamageKind, LinkType, Ts};
use interface::{Interface, comments};
use options::Options;
use packet::{Packet, TOO_LONG};

/// Obsolete Packet Block.
const OPB_MAGIC: u32 = 2;
/// The smallest block: type, length, length.
const BLOCK_BYTES_MIN: usize = 12;
/// The largest block that is believed, beside the longest frame of its links: as in Wireshark.
const BLOCK_BYTES_MAX: usize = 16 << 20;
/// Interfaces kept per section.
const INTERFACES_MAX: usize = 65_536;
/// Link type of frames whose interface was never described.
const LINK_UNKNOWN: LinkType = LinkType(u16::MAX);
/// What a section header says about the machine that captured.
const SECTION_TEXTS: [(u16, &str, &str); 3] = [(2, "hardware", "hardware"), (3, "os", "system"), (4, "application", "application")];

/// Reads the blocks of a pcapng file.
pub(super) struct Pcapng {
    big_endian: bool,
    /// Number of the section, from 0; none before the first.
    section: u32,
    sections: u32,
    interfaces: Vec<Interface>,
    /// Interfaces of the whole file that have a row.
    rows: usize,
    /// Longest block that is believed.
    block_bytes_max: usize,
}

/// The front of a block.
#[derive(Clone, Copy)]
struct Head {
    kind: u32,
    length: usize,
    big_endian: bool,
}

/// What a block was.
enum Read<'a> {
    Packet(Packet<'a>),
    Other,
}

impl Pcapng {
    /// Recognises the first section header; none if there is none.
    pub(super) fn open(window: &mut Window, ledger: &mut Ledger) -> Option<Self> {
        let mut pcapng =
            Self { big_endian: false, section: 0, sections: 0, interfaces: Vec::new(), rows: 0, block_bytes_max: BLOCK_BYTES_MAX };
        if window.data().len() < BLOCK_BYTES_MIN {
            return None;
        }
        pcapng.big_endian = byte_order(window.data())?;
        ledger.info.format = if pcapng.big_endian { "pcapng-be" } else { "pcapng" }.to_string();
        Some(pcapng)
    }

    /// Moves frames into `out` until it is another capture's turn, the block is full, or the file ends.
    pub(super) fn pump(&mut self, window: &mut Window, ledger: &mut Ledger, out: &mut Sink, turn: &Turn) -> Pause {
        loop {
            let Some(Head { kind, length, .. }) = self.next(window, ledger, out) else { return Pause::End };
            let Some(block) = window.data().get(..length) else { return Pause::End };
            let packet = match self.read(kind, block, window.offset(), ledger, out) {
                Ok(Read::Packet(packet)) => packet,
                Ok(Read::Other) => {
                    window.skip(length);
                    continue;
                }
                Err(why) => {
                    ledger.damage(out, DamageKind::BadRecord, window.offset(), length as u64, format!("{why}; the block was skipped"));
                    window.skip(length);
                    continue;
                }
            };
            let interface = self.interfaces.get(packet.interface as usize).or(self.interfaces.first());
            let (ts_ns, fits) = self.time(interface, &packet, ledger);
            let mine = ledger.turn(ts_ns);
            if !turn.is_mine(mine) {
                return Pause::Later(mine);
            }
            if out.full(packet.bytes.len()) {
                return Pause::Full;
            }
            let (offset, link) = (window.offset(), interface.map_or(LINK_UNKNOWN, |interface| interface.link));
            let record = Record { offset, ts_ns, wire_len: packet.wire_len, link, interface: packet.interface, bytes: packet.bytes };
            ledger.frame(out, &record);
            if !fits {
                ledger.out_of_range(offset);
            }
            self.account(&packet, offset, ledger, out);
            window.skip(length);
        }
    }

    /// Ends the last section.
    pub(super) fn close(&mut self, ledger: &mut Ledger) {
        self.end_section(ledger);
    }

    /// Length of the next block, which then lies whole in the window, with its type. Damage before it is passed over.
    /// None at the end of the file, after saying how it ended.
    fn next(&mut self, window: &mut Window, ledger: &mut Ledger, out: &mut Sink) -> Option<Head> {
        loop {
            if !window.need(BLOCK_BYTES_MIN) {
                self.cut_short(window, ledger, out, BLOCK_BYTES_MIN);
                return None;
            }
            let Some(head) = self.head(window.data()) else {
                if self.resume(window, ledger, out, "a block whose length cannot be") {
                    continue;
                }
                return None;
            };
            if !window.need(head.length) {
                // Either the file ends here, or a damaged length points behind its end and good blocks follow.
                if self.find(window, 1).is_some() && self.resume(window, ledger, out, "a block longer than its file") {
                    continue;
                }
                self.cut_short(window, ledger, out, head.length);
                return None;
            }
            let closing = head.length - 4;
            if word(head.big_endian, window.data(), closing) == Some(head.length as u32) {
                return Some(head);
            }
            // The block is kept if another follows where its first length points; else that length is the damaged one.
            if self.block_follows(window, head.length) {
                let detail = "a block whose closing length is wrong; it was kept".to_string();
                ledger.damage(out, DamageKind::BadRecord, window.offset(), 0, detail);
                let length = head.length as u32;
                window.patch(closing, if head.big_endian { length.to_be_bytes() } else { length.to_le_bytes() });
            } else if !self.resume(window, ledger, out, "a block whose two lengths differ") {
                return None;
            }
        }
    }

    /// What stands at the front of `data`, if it can be a block.
    fn head(&self, data: &[u8]) -> Option<Head> {
        let kind = word(self.big_endian, data, 0)?;
        let big_endian = if kind == SHB_MAGIC { byte_order(data)? } else { self.big_endian };
        let length = word(big_endian, data, 4)? as usize;
        let possible = (BLOCK_BYTES_MIN..=self.block_bytes_max).contains(&length) && length.is_multiple_of(4);
        possible.then_some(Head { kind, length, big_endian })
    }

    /// Reads one whole block, which begins at `offset`.
    fn read<'a>(&mut self, kind: u32, block: &'a [u8], offset: u64, ledger: &mut Ledger, out: &mut Sink) -> Result<Read<'a>, String> {
        let body = block.get(8..block.len().saturating_sub(4)).unwrap_or(&[]);
        let packet = match kind {
            EPB_MAGIC => Packet::enhanced(body, self.big_endian),
            SPB_MAGIC => Packet::simple(body, self.big_endian, self.interfaces.first().map_or(0, |interface| interface.snaplen)),
            OPB_MAGIC => Packet::obsolete(body, self.big_endian),
            _ => return self.aside(kind, block, body, offset, ledger, out).map(|()| Read::Other),
        };
        packet.map(Read::Packet).ok_or_else(|| TOO_LONG.to_string())
    }

    /// Reads a block that holds no packet.
    fn aside(&mut self, kind: u32, block: &[u8], body: &[u8], offset: u64, ledger: &mut Ledger, out: &mut Sink) -> Result<(), String> {
        let known = match kind {
            SHB_MAGIC => self.begin_section(block, body, offset, ledger, out),
            IDB_MAGIC => self.describe(body, offset, ledger, out),
            ISB_MAGIC => self.statistics(body, offset, ledger, out),
            NRB_MAGIC => self.names(body, ledger),
            DSB_MAGIC => self.secrets(body, offset, ledger, out),
            _ => {
                self.other(kind, body, offset, ledger);
                Some(())
            }
        };
        known.ok_or_else(|| format!("a block of type {kind} that contradicts itself"))
    }

    fn begin_section(&mut self, block: &[u8], body: &[u8], offset: u64, ledger: &mut Ledger, out: &mut Sink) -> Option<()> {
        self.end_section(ledger);
        self.big_endian = byte_order(block).unwrap_or(self.big_endian);
        (self.section, self.sections) = (self.sections, self.sections.saturating_add(1));
        ledger.section = self.section;
        let options = Options::new(body.get(16..)?, self.big_endian);
        for (code, kind, label) in SECTION_TEXTS {
            ledger.said(label, &options.text(code));
            ledger.comment(About::Section, None, kind, options.text(code));
        }
        comments(options, About::Section, None, ledger);
        self.judge(options, offset, ledger, out);
        Some(())
    }

    fn describe(&mut self, body: &[u8], offset: u64, ledger: &mut Ledger, out: &mut Sink) -> Option<()> {
        let (id, row) = (self.interfaces.len() as u32, self.rows < beside::INTERFACES_MAX);
        let Some(interface) = Interface::new(body, self.big_endian, self.section, id, row) else {
            // It keeps its place, so that those behind it keep their numbers.
            self.interfaces.extend((self.interfaces.len() < INTERFACES_MAX).then(Interface::unknown));
            return None;
        };
        if row {
            self.rows += 1;
        } else {
            ledger.gathered.interface_left_out();
        }
        interface.tell(ledger);
        let options = Options::new(body.get(8..)?, self.big_endian);
        comments(options, About::Interface, Some(id), ledger);
        self.judge(options, offset, ledger, out);
        self.block_bytes_max = self.block_bytes_max.max(caplen_max(interface.link) as usize + BLOCK_BYTES_MAX);
        if self.interfaces.len() < INTERFACES_MAX {
            self.interfaces.push(interface);
        }
        Some(())
    }

    fn statistics(&mut self, body: &[u8], offset: u64, ledger: &mut Ledger, out: &mut Sink) -> Option<()> {
        let id = word(self.big_endian, body, 0)?;
        let options = Options::new(body.get(12..)?, self.big_endian);
        if let Some(interface) = self.interfaces.get_mut(id as usize) {
            interface.count(options);
        }
        comments(options, About::Statistics, Some(id), ledger);
        self.judge(options, offset, ledger, out);
        Some(())
    }

    /// Simple packets carry no time: they take that of the frame before, so that they keep their place.
    fn time(&self, interface: Option<&Interface>, packet: &Packet<'_>, ledger: &Ledger) -> (Ts, bool) {
        match (packet.ts, interface) {
            (Some(ts), Some(interface)) => interface.clock.ns(ts),
            (Some(ts), None) => interface::Clock::default().ns(ts),
            (None, _) => (ledger.previous().unwrap_or(0), true),
        }
    }

    /// Books what is said about a frame just read, or that its interface was never described.
    fn account(&mut self, packet: &Packet<'_>, offset: u64, ledger: &mut Ledger, out: &mut Sink) {
        let id = packet.interface;
        match self.interfaces.get_mut(id as usize) {
            Some(interface) => {
                interface.lost(packet.drops());
                let flags = packet.flags();
                let errors = flags.map(|flags| flags.errors()).unwrap_or_default();
                if let Some(told) = &mut interface.told {
                    told.frames += 1;
                    told.inbound += u64::from(flags.is_some_and(|flags| flags.inbound()));
                    told.outbound += u64::from(flags.is_some_and(|flags| flags.outbound()));
                    told.faulty += u64::from(!errors.is_empty());
                }
                ledger.packet_comment(out, id, "link_error", errors);
            }
            None => {
                let taken = if self.interfaces.is_empty() { "its link type is not known" } else { "it was read as one of interface 0" };
                let detail = format!("frame {} names interface {id}, which was never described; {taken}", ledger.info.frames);
                ledger.damage(out, DamageKind::UnknownInterface, offset, 0, detail);
            }
        }
        for option in packet.options.into_iter().filter(|option| option.code == options::COMMENT) {
            let text = options::text(option.value);
            ledger.said(&format!("frame {}", ledger.info.frames), &text);
            ledger.packet_comment(out, id, "comment", text);
        }
        for (kind, text) in packet.options.custom_texts() {
            ledger.packet_comment(out, id, &kind, text);
        }
        self.judge(packet.options, offset, ledger, out);
    }

    fn end_section(&mut self, ledger: &mut Ledger) {
        for interface in self.interfaces.drain(..) {
            if let Some(drops) = interface.drops() {
                let sum = ledger.info.reported_drops.get_or_insert(0);
                *sum = sum.saturating_add(drops);
            }
            if let Some(told) = interface.into_told() {
                ledger.gathered.interface(told);
            }
        }
        self.block_bytes_max = BLOCK_BYTES_MAX;
    }
}

/// Byte order of the section that begins here.
fn byte_order(data: &[u8]) -> Option<bool> {
    match data.get(8..12)? {
        [0x4d, 0x3c, 0x2b, 0x1a] => Some(false),
        [0x1a, 0x2b, 0x3c, 0x4d] => Some(true),
        _ => None,
    }
}

fn word(big_endian: bool, data: &[u8], at: usize) -> Option<u32> {
    let bytes = *data.get(at..)?.first_chunk()?;
    Some(if big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
}

fn half(big_endian: bool, data: &[u8], at: usize) -> Option<u16> {
    let bytes = *data.get(at..)?.first_chunk()?;
    Some(if big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
}
