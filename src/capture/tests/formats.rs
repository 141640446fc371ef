//! Every format and compression says the same about the same frames.

use super::*;
use std::io::Write;

/// A pcap with `magic`, in either byte order, with `extra` bytes behind each record header.
fn pcap_by_hand(magic: u32, big_endian: bool, extra: usize) -> Vec<u8> {
    let word = |value: u32| if big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
    let half = |value: u16| if big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
    let mut file = [word(magic).to_vec(), half(2).into(), half(4).into(), vec![0; 8], word(65_535).into(), word(113).into()].concat();
    for number in 0..20u32 {
        let bytes = body(number as usize, 60 + number as usize);
        let length = word(bytes.len() as u32);
        file.extend([word(1_700_000_000 + number), word(123_456), length, length].concat());
        file.extend(vec![0x11; extra]);
        file.extend(bytes);
    }
    file
}

#[test]
fn all_variants_of_pcap_are_read() {
    let variants = [
        (0xa1b2_c3d4, false, 0, "pcap", 123_456_000),
        (0xa1b2_c3d4, true, 0, "pcap-be", 123_456_000),
        (0xa1b2_3c4d, false, 0, "pcap-ns", 123_456),
        (0xa1b2_3c4d, true, 0, "pcap-ns-be", 123_456),
        (0xa1b2_cd34, false, 8, "pcap-modified", 123_456_000),
        (0xa1b2_cd34, true, 8, "pcap-modified-be", 123_456_000),
    ];
    for (magic, big_endian, extra, format, fraction) in variants {
        let reading = read_bytes(&pcap_by_hand(magic, big_endian, extra));
        let info = &reading.captures[0];
        assert_eq!((info.format.as_str(), info.frames, info.snaplen, info.links.as_slice()), (format, 20, 65_535, &[LinkType(113)][..]));
        assert_eq!(reading.frames[1].ts_ns, 1_700_000_001_000_000_000 + fraction);
        assert_eq!(reading.frames[1].offset, 24 + 16 + extra as u64 + 60);
        assert_eq!(reading.bytes[19], body(19, 79));
        assert_eq!(reading.damage, []);
    }
}

#[test]
fn pcapng_says_the_same_as_pcap_in_both_byte_orders() {
    let plain = read_bytes(&pcap(START, 50));
    for big_endian in [false, true] {
        let reading = read_bytes(&pcapng(START, 50, big_endian));
        assert_eq!(reading.bytes, plain.bytes);
        let seen = |reading: &Reading| reading.frames.iter().map(|frame| (frame.ts_ns, frame.wire_len, frame.link)).collect::<Vec<_>>();
        assert_eq!(seen(&reading), seen(&plain));
        assert_eq!(reading.captures[0].format, if big_endian { "pcapng-be" } else { "pcapng" });
    }
}

#[test]
fn sections_have_their_own_byte_order_interfaces_and_clocks() {
    for first in [false, true] {
        let mut ng = Ng::new(first);
        let (resolution, offset) = (ng.option(9, &[9]), ng.option(14, &ng.u64(100)));
        ng.interface(101, 0, &[resolution, offset].concat());
        ng.interface(1, 0, &[]);
        ng.packet(0, 5_000_000_007, 4, b"abcd", &[]);
        ng.packet(1, 106_000_000, 9, b"abcd", &[]);
        ng.section(!first, &[]);
        ng.interface(276, 0, &ng.option(9, &[0x80 | 10]));
        ng.packet(0, 107 << 10, 4, b"efgh", &[]);
        let reading = read_bytes(&ng.bytes);
        let seen: Vec<_> = reading.frames.iter().map(|frame| (frame.ts_ns, frame.link.0, frame.wire_len)).collect();
        assert_eq!(seen, [(105_000_000_007, 101, 4), (106_000_000_000, 1, 9), (107_000_000_000, 276, 4)]);
        assert_eq!(reading.captures[0].links, [LinkType(1), LinkType(101), LinkType(276)]);
        assert_eq!(reading.captures[0].truncated_frames, 1);
        assert_eq!(reading.damage, []);
    }
}

#[test]
fn simple_and_obsolete_packets_are_frames() {
    for big_endian in [false, true] {
        let mut ng = Ng::new(big_endian);
        ng.interface(1, 6, &[]);
        let high_low = [ng.u32(0), ng.u32(2_000_000)].concat();
        let obsolete = [ng.u16(0), ng.u16(3), high_low, ng.u32(5), ng.u32(70), b"hello\0\0\0".to_vec()].concat();
        ng.block(2, &obsolete);
        ng.block(3, &[ng.u32(4), b"tiny".to_vec()].concat());
        ng.block(3, &[ng.u32(90), b"snappe\0\0".to_vec()].concat());
        let reading = read_bytes(&ng.bytes);
        assert_eq!(reading.bytes, [&b"hello"[..], b"tiny", b"snappe"]);
        assert_eq!(reading.frames.iter().map(|frame| frame.wire_len).collect::<Vec<_>>(), [70, 4, 90]);
        assert_eq!(reading.frames.iter().map(|frame| frame.ts_ns).collect::<Vec<_>>(), [2_000_000_000; 3]);
        assert_eq!(reading.captures[0].reported_drops, Some(3));
    }
}

#[test]
fn what_the_capturing_program_says_is_kept() {
    for big_endian in [false, true] {
        let mut ng = Ng::new(big_endian);
        let options =
            [ng.option(2, b"a machine"), ng.option(3, b"an OS"), ng.option(4, b"dumpcap"), ng.option(1, b"by hand"), ng.option(0, b"")];
        ng.section(big_endian, &options.concat());
        ng.interface(1, 0, &[ng.option(2, b"eth0"), ng.option(11, b"\0tcp port 80"), ng.option(0, b"")].concat());
        ng.packet(0, 1, 4, b"abcd", &[ng.option(1, "böse".as_bytes()), ng.option(0, b"")].concat());
        let statistics = |ng: &Ng, drops: u64| {
            [ng.u32(0), ng.u32(0), ng.u32(0), ng.option(5, &ng.u64(drops)), ng.option(7, &ng.u64(2)), ng.option(0, b"")].concat()
        };
        // The counters of a later block include those of an earlier one.
        for drops in [30, 40] {
            let body = statistics(&ng, drops);
            ng.block(5, &body);
        }
        let info = &read_bytes(&ng.bytes).captures[0];
        let said = ["hardware: a machine", "system: an OS", "application: dumpcap", "comment: by hand", "interface: eth0"];
        assert_eq!(info.comments[..5], said);
        assert_eq!(info.comments[5..], ["capture filter: tcp port 80", "frame 1: böse"]);
        assert_eq!(info.reported_drops, Some(42));
    }
}

#[test]
fn unknown_blocks_are_passed_over() {
    let mut ng = Ng::new(false);
    ng.interface(1, 0, &[]);
    for kind in [9, 0xbad, 0x4000_0bad, 0x8000_0001, 0x7777] {
        ng.block(kind, b"who knows what??");
    }
    ng.packet(0, 1, 4, b"abcd", &[]);
    let reading = read_bytes(&ng.bytes);
    assert_eq!((reading.frames.len(), reading.damage.len()), (1, 0));
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn lz4(bytes: &[u8]) -> Vec<u8> {
    let info = lz4_flex::frame::FrameInfo::new().block_size(lz4_flex::frame::BlockSize::Max64KB);
    let mut encoder = lz4_flex::frame::FrameEncoder::with_frame_info(info, Vec::new());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

pub(super) type Compress = fn(&[u8]) -> Vec<u8>;
pub(super) const COMPRESSIONS: [(&str, Compress); 5] = [("gzip", gzip), ("lz4", lz4), ("bzip2", bzip2), ("xz", xz), ("zstd", zstd)];

#[test]
fn compressed_captures_equal_the_plain_one_in_one_member_or_many() {
    let bytes = pcap(START, 3_000);
    let plain = read_bytes(&bytes);
    for (name, compress) in COMPRESSIONS {
        let (front, back) = bytes.split_at(bytes.len() / 3);
        for packed in [compress(&bytes), [compress(front), compress(b""), compress(back)].concat()] {
            let reading = read_bytes(&packed);
            assert_eq!((&reading.frames, &reading.bytes), (&plain.frames, &plain.bytes), "{name}");
            assert_eq!((reading.captures[0].compression.as_str(), reading.damage.len()), (name, 0));
        }
    }
}

#[test]
fn frames_of_metadata_and_padding_between_members_are_passed_over() {
    let bytes = pcap(START, 100);
    let skippable = [&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"abc"].concat();
    for compress in [zstd as Compress, lz4] {
        let reading = read_bytes(&[compress(&bytes[..99]), skippable.clone(), compress(&bytes[99..]), skippable.clone()].concat());
        assert_eq!((reading.frames.len(), reading.damage.len()), (100, 0));
    }
    for compress in [xz as Compress, gzip] {
        let reading = read_bytes(&[compress(&bytes[..99]), vec![0; 8], compress(&bytes[99..]), vec![0; 512]].concat());
        assert_eq!((reading.frames.len(), reading.damage.len()), (100, 0));
    }
}

#[test]
fn damaged_compression_keeps_what_came_before_it() {
    let bytes = pcap(START, 3_000);
    for (name, compress) in COMPRESSIONS {
        let packed = compress(&bytes);
        let cut = read_bytes(&packed[..packed.len() * 3 / 4]);
        assert_eq!(cut.kinds(), [DamageKind::BadCompression], "{name}");
        assert!(cut.frames.len() > 1_500, "{name}: {} frames", cut.frames.len());
        let garbage = read_bytes(&[packed.clone(), b"not of this kind".to_vec()].concat());
        assert_eq!((garbage.frames.len(), garbage.kinds()), (3_000, vec![DamageKind::BadCompression]), "{name}");
        assert!(garbage.damage[0].detail.contains(name));
    }
}

#[test]
fn blocks_close_by_bytes_and_by_frames() {
    let folder = TempDir::new().unwrap();
    for (length, count, blocks) in [(1_400, 9_000, 4), (10, 40_000, 3), (262_144, 17, 2)] {
        let mut writer = PcapWriter::new(Vec::new(), LinkType::ETHERNET, true).unwrap();
        for number in 0..count {
            writer.frame(START + number, length as u32, &body(number as usize, length)).unwrap();
        }
        let path = put(&folder, "capture", &writer.finish().unwrap());
        let mut source = open(&[path], &Options::default()).unwrap();
        let mut sizes = Vec::new();
        while let Some(block) = source.next_block().unwrap() {
            assert!(block.bytes.len() <= 4 << 20 && block.frames.len() <= 16_384);
            sizes.push(block.frames.len());
        }
        assert_eq!((sizes.iter().sum::<usize>(), sizes.len()), (count as usize, blocks), "{sizes:?}");
    }
}
