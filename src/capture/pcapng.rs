//! pcapng files: blocks that tell their length at both ends. <https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-03.html>

mod interface;
mod recover;

use pcap_parser::traits::PcapNGPacketBlock;
use pcap_parser::{
    Block as Ng, EPB_MAGIC, EnhancedPacketBlock, IDB_MAGIC, ISB_MAGIC, InterfaceStatisticsBlock, OptionCode, PcapNGOption, SHB_MAGIC,
    SPB_MAGIC, SectionHeaderBlock, SimplePacketBlock, parse_block_be, parse_block_le,
};

use super::ledger::{Ledger, Record, Sink};
use super::pcap::caplen_max;
use super::reader::{Pause, Turn};
use super::window::Window;
use crate::model::{DamageKind, LinkType, Ts};
use interface::Interface;

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
/// `epb_dropcount`: packets lost between this and the one before.
const EPB_DROPCOUNT: OptionCode = OptionCode(4);
/// The obsolete block's drop counter when it is not known.
const OPB_DROPS_UNKNOWN: u16 = u16::MAX;

/// Reads the blocks of a pcapng file.
pub(super) struct Pcapng {
    big_endian: bool,
    interfaces: Vec<Interface>,
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

/// A packet block, whatever its kind.
struct Packet<'a> {
    interface: u32,
    /// Units of the interface's clock; none in simple packet blocks.
    ts: Option<u64>,
    wire_len: u32,
    bytes: &'a [u8],
    drops: u64,
    comments: Vec<String>,
}

/// What a block was.
enum Read<'a> {
    Packet(Packet<'a>),
    Other,
}

impl Pcapng {
    /// Recognises the first section header; none if there is none.
    pub(super) fn open(window: &mut Window, ledger: &mut Ledger) -> Option<Self> {
        let mut pcapng = Self { big_endian: false, interfaces: Vec::new(), block_bytes_max: BLOCK_BYTES_MAX };
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
            let packet = match self.read(kind, block, ledger) {
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
            let ts_ns = self.time(interface, &packet, ledger);
            let mine = ledger.turn(ts_ns);
            if !turn.is_mine(mine) {
                return Pause::Later(mine);
            }
            if out.full(packet.bytes.len()) {
                return Pause::Full;
            }
            let link = interface.map_or(LINK_UNKNOWN, |interface| interface.link);
            ledger.frame(out, &Record { offset: window.offset(), ts_ns, wire_len: packet.wire_len, link, bytes: packet.bytes });
            for comment in &packet.comments {
                ledger.comment(&format!("frame {}", ledger.info.frames), comment);
            }
            let (id, drops) = (packet.interface, packet.drops);
            self.account(id, drops, window.offset(), ledger, out);
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

    /// Reads one whole block.
    fn read<'a>(&mut self, kind: u32, block: &'a [u8], ledger: &mut Ledger) -> Result<Read<'a>, String> {
        if !matches!(kind, SHB_MAGIC | IDB_MAGIC | OPB_MAGIC | SPB_MAGIC | ISB_MAGIC | EPB_MAGIC) {
            return Ok(Read::Other);
        }
        if kind == SHB_MAGIC {
            self.end_section(ledger);
            self.big_endian = byte_order(block).unwrap_or(self.big_endian);
        }
        let parsed = if self.big_endian { parse_block_be(block) } else { parse_block_le(block) };
        let (_, parsed) = parsed.map_err(|_| format!("a block of type {kind} that contradicts itself"))?;
        match parsed {
            Ng::SectionHeader(section) => self.section(&section, ledger),
            Ng::InterfaceDescription(described) => {
                let interface = Interface::new(&described, self.big_endian);
                interface.tell(&described, ledger);
                self.block_bytes_max = self.block_bytes_max.max(caplen_max(interface.link) as usize + BLOCK_BYTES_MAX);
                if self.interfaces.len() < INTERFACES_MAX {
                    self.interfaces.push(interface);
                }
            }
            Ng::InterfaceStatistics(statistics) => self.statistics(&statistics),
            Ng::EnhancedPacket(packet) => return self.enhanced(&packet).map(Read::Packet),
            Ng::SimplePacket(packet) => return Ok(Read::Packet(self.simple(&packet, block))),
            Ng::Unknown(unknown) => return self.obsolete(unknown.data).map(Read::Packet),
            _ => {}
        }
        Ok(Read::Other)
    }

    fn section(&mut self, section: &SectionHeaderBlock<'_>, ledger: &mut Ledger) {
        let labels = [
            (OptionCode::ShbHardware, "hardware"),
            (OptionCode::ShbOs, "system"),
            (OptionCode::ShbUserAppl, "application"),
            (OptionCode::Comment, "comment"),
        ];
        for option in &section.options {
            if let Some((_, label)) = labels.iter().find(|(code, _)| *code == option.code) {
                ledger.comment(label, &text(option));
            }
        }
    }

    fn statistics(&mut self, statistics: &InterfaceStatisticsBlock<'_>) {
        let counted = [OptionCode::IsbIfDrop, OptionCode::IsbOsDrop].map(|code| {
            let option = statistics.options.iter().find(|option| option.code == code)?;
            number(self.big_endian, option)
        });
        if let (Some(interface), true) = (self.interfaces.get_mut(statistics.if_id as usize), counted.iter().any(Option::is_some)) {
            interface.reported_drops = Some(counted.into_iter().flatten().fold(0, u64::saturating_add));
        }
    }

    fn enhanced<'a>(&self, packet: &EnhancedPacketBlock<'a>) -> Result<Packet<'a>, String> {
        let bytes: &'a [u8] = packet.data.get(..packet.caplen as usize).ok_or("a packet longer than its block")?;
        let comments = packet.options.iter().filter(|option| option.code == OptionCode::Comment).map(text).collect();
        let drops = packet.options.iter().find(|option| option.code == EPB_DROPCOUNT).and_then(|option| number(self.big_endian, option));
        Ok(Packet {
            interface: packet.if_id,
            ts: Some(join(packet.ts_high, packet.ts_low)),
            wire_len: packet.orig_len(),
            bytes,
            drops: drops.unwrap_or(0),
            comments,
        })
    }

    /// A simple packet has no captured length: it is the length on the wire, cut at the snap length and at the block's end.
    fn simple<'a>(&self, packet: &SimplePacketBlock<'_>, block: &'a [u8]) -> Packet<'a> {
        let snaplen = self.interfaces.first().map_or(0, |interface| interface.snaplen) as usize;
        let room = block.len().saturating_sub(16);
        let caplen = (packet.origlen as usize).min(if snaplen == 0 { usize::MAX } else { snaplen }).min(room);
        let bytes = block.get(12..12 + caplen).unwrap_or(&[]);
        Packet { interface: 0, ts: None, wire_len: packet.origlen, bytes, drops: 0, comments: Vec::new() }
    }

    fn obsolete<'a>(&self, data: &'a [u8]) -> Result<Packet<'a>, String> {
        let half = |at: usize| {
            let bytes = *data.get(at..)?.first_chunk()?;
            Some(if self.big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
        };
        let fields = || {
            Some((
                half(0)?,
                half(2)?,
                word(self.big_endian, data, 4)?,
                word(self.big_endian, data, 8)?,
                word(self.big_endian, data, 12)?,
                word(self.big_endian, data, 16)?,
            ))
        };
        let (interface, drops, high, low, caplen, wire_len) = fields().ok_or("a packet block without room for its header")?;
        let bytes = data.get(20..).and_then(|rest| rest.get(..caplen as usize)).ok_or("a packet longer than its block")?;
        let drops = if drops == OPB_DROPS_UNKNOWN { 0 } else { u64::from(drops) };
        Ok(Packet { interface: u32::from(interface), ts: Some(join(high, low)), wire_len, bytes, drops, comments: Vec::new() })
    }

    /// Simple packets carry no time: they take that of the frame before, so that they keep their place.
    fn time(&self, interface: Option<&Interface>, packet: &Packet<'_>, ledger: &Ledger) -> Ts {
        match (packet.ts, interface) {
            (Some(ts), Some(interface)) => interface.clock.ns(ts),
            (Some(ts), None) => interface::Clock::default().ns(ts),
            (None, _) => ledger.previous().unwrap_or(0),
        }
    }

    /// Books drops, and a frame of an interface that nobody described.
    fn account(&mut self, id: u32, drops: u64, offset: u64, ledger: &mut Ledger, out: &mut Sink) {
        match self.interfaces.get_mut(id as usize) {
            Some(interface) => interface.counted_drops = interface.counted_drops.saturating_add(drops),
            None => {
                let taken = if self.interfaces.is_empty() { "its link type is not known" } else { "it was read as one of interface 0" };
                let detail = format!("frame {} names interface {id}, which was never described; {taken}", ledger.info.frames);
                ledger.damage(out, DamageKind::UnknownInterface, offset, 0, detail);
            }
        }
    }

    fn end_section(&mut self, ledger: &mut Ledger) {
        let drops = self.interfaces.drain(..).filter_map(|interface| interface.drops()).reduce(u64::saturating_add);
        if let Some(drops) = drops {
            *ledger.info.reported_drops.get_or_insert(0) += drops;
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

fn join(high: u32, low: u32) -> u64 {
    (u64::from(high) << 32) | u64::from(low)
}

/// Text of an option; what is not UTF-8 is replaced.
fn text(option: &PcapNGOption<'_>) -> String {
    option.as_bytes().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default()
}

/// A 64-bit number in an option. The crate reads these as little-endian whatever the section says.
fn number(big_endian: bool, option: &PcapNGOption<'_>) -> Option<u64> {
    let bytes = *option.as_bytes().ok()?.first_chunk()?;
    Some(if big_endian { u64::from_be_bytes(bytes) } else { u64::from_le_bytes(bytes) })
}
