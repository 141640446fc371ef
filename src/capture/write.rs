//! Captures written by vigil: generated ones and the packets carved out of evidence.
//!
//! File and section headers are built by `pcap-parser`; records are written here, so that no frame is copied on its way out.

use crate::model::{LinkType, Ts, time::SECOND};
use pcap_parser::{
    InterfaceDescriptionBlock, Linktype, OptionCode, PcapHeader, PcapNGOption, SectionHeaderBlock, ToVec, pcapng::EPB_MAGIC,
};
use std::borrow::Cow;
use std::io::{self, Write};

/// Snap length written to headers: what tcpdump and Wireshark announce.
const SNAPLEN: u32 = 262_144;
/// Magic of a pcap file with nanosecond times, in the order of the writing machine.
const MAGIC_NANOS: u32 = 0xa1b2_3c4d;
/// `if_tsresol` for nanoseconds: 10^-9 s.
const RESOLUTION_NANOS: u8 = 9;
/// Longest comment or name that an option can hold, bytes.
const OPTION_BYTES_MAX: usize = 65_532;

/// Writes a little-endian pcap file.
pub struct PcapWriter<W: Write> {
    out: W,
    nanos: bool,
}

impl<W: Write> PcapWriter<W> {
    /// Writes the file header. `nanos` chooses nanosecond times over microseconds.
    pub fn new(mut out: W, link: LinkType, nanos: bool) -> io::Result<Self> {
        let mut header = PcapHeader { snaplen: SNAPLEN, network: Linktype(i32::from(link.0)), ..PcapHeader::new() };
        if nanos {
            header.magic_number = MAGIC_NANOS;
        }
        out.write_all(&serialized(&mut header)?)?;
        Ok(Self { out, nanos })
    }

    /// Writes one frame. Times outside 1970 to 2106, which pcap cannot hold, are moved to the nearest it can.
    pub fn frame(&mut self, ts_ns: Ts, wire_len: u32, bytes: &[u8]) -> io::Result<()> {
        let caplen = length(bytes)?;
        let seconds = u32::try_from(ts_ns.max(0) / SECOND).unwrap_or(u32::MAX);
        let nanos = (ts_ns.max(0) % SECOND) as u32;
        let fraction = if self.nanos { nanos } else { nanos / 1000 };
        let mut header = [0; 16];
        for (field, value) in header.chunks_exact_mut(4).zip([seconds, fraction, caplen, wire_len.max(caplen)]) {
            field.copy_from_slice(&value.to_le_bytes());
        }
        self.out.write_all(&header)?;
        self.out.write_all(bytes)
    }

    /// Flushes and gives the output back.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }
}

/// Writes a little-endian pcapng file of one section with nanosecond times.
pub struct PcapNgWriter<W: Write> {
    out: W,
    interfaces: u32,
}

impl<W: Write> PcapNgWriter<W> {
    /// Writes the section header; `application` and `comment` go into it where not empty.
    pub fn new(mut out: W, application: &str, comment: &str) -> io::Result<Self> {
        let mut section = SectionHeaderBlock {
            block_type: 0,
            block_len1: 0,
            bom: 0,
            major_version: 1,
            minor_version: 0,
            section_len: -1,
            options: [option(OptionCode::ShbUserAppl, application), option(OptionCode::Comment, comment)].into_iter().flatten().collect(),
            block_len2: 0,
        };
        out.write_all(&serialized(&mut section)?)?;
        Ok(Self { out, interfaces: 0 })
    }

    /// Describes an interface and returns its id.
    pub fn interface(&mut self, link: LinkType, name: &str) -> io::Result<u32> {
        self.described(link, name, "", 0)
    }

    /// Describes an interface as its first describer did (`snaplen` 0 for none), and returns its id.
    pub fn described(&mut self, link: LinkType, name: &str, description: &str, snaplen: u32) -> io::Result<u32> {
        let mut interface = InterfaceDescriptionBlock {
            block_type: 0,
            block_len1: 0,
            linktype: Linktype(i32::from(link.0)),
            reserved: 0,
            snaplen,
            options: [option(OptionCode::IfName, name), option(OptionCode::IfDescription, description)].into_iter().flatten().collect(),
            block_len2: 0,
            if_tsresol: RESOLUTION_NANOS,
            if_tsoffset: 0,
        };
        self.out.write_all(&serialized(&mut interface)?)?;
        self.interfaces += 1;
        Ok(self.interfaces - 1)
    }

    /// Writes one frame of a described interface, with a comment where not empty. Times before 1970 become 1970.
    pub fn frame(&mut self, interface: u32, ts_ns: Ts, wire_len: u32, bytes: &[u8], comment: &str) -> io::Result<()> {
        let caplen = length(bytes)?;
        let options = match option(OptionCode::Comment, comment) {
            Some(mut comment) => [serialized(&mut comment)?, vec![0; 4]].concat(),
            None => Vec::new(),
        };
        let padding = bytes.len().next_multiple_of(4) - bytes.len();
        let total = length(bytes)? + (32 + padding + options.len()) as u32;
        let ts = ts_ns.max(0) as u64;
        let fields = [EPB_MAGIC, total, interface, (ts >> 32) as u32, ts as u32, caplen, wire_len.max(caplen)];
        let mut header = [0; 28];
        for (field, value) in header.chunks_exact_mut(4).zip(fields) {
            field.copy_from_slice(&value.to_le_bytes());
        }
        self.out.write_all(&header)?;
        self.out.write_all(bytes)?;
        self.out.write_all(&[0; 3][..padding])?;
        self.out.write_all(&options)?;
        self.out.write_all(&total.to_le_bytes())
    }

    /// Hands what was written to the system.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// Flushes and gives the output back.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }
}

/// A length as the formats hold it; frames near 4 GiB are refused rather than written wrong.
fn length(bytes: &[u8]) -> io::Result<u32> {
    u32::try_from(bytes.len())
        .ok()
        .filter(|length| *length < u32::MAX - 1_000_000)
        .ok_or_else(|| io::Error::other("frame too long for a capture file"))
}

/// A text option, cut at a character border where it is too long; none for empty text.
fn option(code: OptionCode, text: &str) -> Option<PcapNGOption<'_>> {
    let end = (0..=text.len().min(OPTION_BYTES_MAX)).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    let text = &text[..end];
    let option = PcapNGOption { code, len: text.len() as u16, value: Cow::Borrowed(text.as_bytes()) };
    (!text.is_empty()).then_some(option)
}

fn serialized(block: &mut impl ToVec) -> io::Result<Vec<u8>> {
    block.to_vec().map_err(|error| io::Error::other(format!("cannot serialise a capture header: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pcap_parser::{Block as Ng, parse_pcap_frame, parse_pcap_header, pcapng::parse_block_le};

    #[test]
    fn a_pcap_reads_back_as_written() {
        for (nanos, fraction) in [(false, 123_456), (true, 123_456_789)] {
            let mut writer = PcapWriter::new(Vec::new(), LinkType::LINUX_SLL2, nanos).unwrap();
            writer.frame(1_700_000_000_123_456_789, 90, b"abcde").unwrap();
            writer.frame(-5, 0, b"xy").unwrap();
            let file = writer.finish().unwrap();
            let (rest, header) = parse_pcap_header(&file).unwrap();
            assert_eq!((header.network.0, header.is_nanosecond_precision()), (276, nanos));
            let (rest, first) = parse_pcap_frame(rest).unwrap();
            assert_eq!((first.ts_sec, first.ts_usec, first.origlen, first.data), (1_700_000_000, fraction, 90, &b"abcde"[..]));
            let (rest, second) = parse_pcap_frame(rest).unwrap();
            assert_eq!((second.ts_sec, second.ts_usec, second.origlen, second.data), (0, 0, 2, &b"xy"[..]));
            assert!(rest.is_empty());
        }
    }

    #[test]
    fn a_pcapng_reads_back_with_its_comments() {
        let mut writer = PcapNgWriter::new(Vec::new(), "vigil", "carved").unwrap();
        let interface = writer.interface(LinkType::ETHERNET, "eth0").unwrap();
        writer.frame(interface, 1_700_000_000_123_456_789, 90, b"abcde", "F3: why").unwrap();
        writer.frame(interface, 7, 4, b"abcd", "").unwrap();
        let file = writer.finish().unwrap();
        let (mut rest, mut seen) = (&file[..], Vec::new());
        while !rest.is_empty() {
            let (after, block) = parse_block_le(rest).unwrap();
            seen.push(match block {
                Ng::SectionHeader(section) => section.shb_userappl().unwrap().unwrap().to_string(),
                Ng::InterfaceDescription(described) => format!("{} {}", described.if_name().unwrap().unwrap(), described.if_tsresol),
                Ng::EnhancedPacket(packet) => {
                    let ts = (u64::from(packet.ts_high) << 32) | u64::from(packet.ts_low);
                    let comment = packet.options.first().map(|option| option.as_str().unwrap().to_string());
                    format!("{ts} {} {} {comment:?}", packet.caplen, packet.origlen)
                }
                other => panic!("unexpected block {other:?}"),
            });
            rest = after;
        }
        assert_eq!(seen, ["vigil", "eth0 9", "1700000000123456789 5 90 Some(\"F3: why\")", "7 4 4 None"]);
    }

    #[test]
    fn a_comment_too_long_for_an_option_is_cut_at_a_character() {
        let mut writer = PcapNgWriter::new(Vec::new(), "", "").unwrap();
        let interface = writer.interface(LinkType::RAW, "").unwrap();
        writer.frame(interface, 0, 1, b"a", &"ü".repeat(40_000)).unwrap();
        let file = writer.finish().unwrap();
        let (rest, _) = parse_block_le(&file).unwrap();
        let (rest, _) = parse_block_le(rest).unwrap();
        let (rest, block) = parse_block_le(rest).unwrap();
        let Ng::EnhancedPacket(packet) = block else { panic!("no packet") };
        assert_eq!(packet.options[0].as_str().unwrap().chars().count(), OPTION_BYTES_MAX / 2);
        assert!(rest.is_empty());
    }
}
