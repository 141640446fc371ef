//! Damage: never a panic, never a frame lost that was whole, always a row.

use super::*;
use proptest::prelude::*;

/// Offsets at which the records of a small capture begin, and the end.
fn borders(bytes: &[u8]) -> Vec<u64> {
    let mut borders: Vec<u64> = read_bytes(bytes).frames.iter().map(|frame| frame.offset).collect();
    borders.push(bytes.len() as u64);
    borders
}

#[test]
fn a_capture_cut_anywhere_gives_all_frames_before_the_cut() {
    for whole in [pcap(START, 6), pcapng(START, 6, false), pcapng(START, 6, true)] {
        let borders = borders(&whole);
        let (folder, full) = (TempDir::new().unwrap(), read_bytes(&whole));
        for cut in 48..whole.len() {
            let reading = read(&[&put(&folder, "capture", &whole[..cut])]);
            let kept = borders[1..].iter().filter(|border| **border <= cut as u64).count();
            assert_eq!((&reading.bytes[..], reading.frames.len()), (&full.bytes[..kept], kept), "cut at {cut}");
            let clean = borders.contains(&(cut as u64));
            assert_eq!(reading.kinds(), if clean { vec![] } else { vec![DamageKind::CutShort] }, "cut at {cut}");
        }
    }
}

#[test]
fn a_record_with_an_absurd_length_costs_itself_alone() {
    let mut bytes = pcap(START, 40);
    let third = borders(&bytes)[2] as usize;
    bytes[third + 8..third + 12].copy_from_slice(&0x7fff_ffffu32.to_le_bytes());
    let (reading, plain) = (read_bytes(&bytes), read_bytes(&pcap(START, 40)));
    assert_eq!(reading.kinds(), [DamageKind::BadRecord]);
    assert_eq!((reading.damage[0].after_frame, reading.damage[0].offset), (2, third as u64));
    assert_eq!(reading.damage[0].skipped, 16 + plain.bytes[2].len() as u64);
    assert_eq!(reading.bytes, [&plain.bytes[..2], &plain.bytes[3..]].concat());
}

#[test]
fn a_length_that_points_behind_the_end_is_damage_not_the_end() {
    let mut bytes = pcap(START, 40);
    let third = borders(&bytes)[2] as usize;
    bytes[third + 8..third + 12].copy_from_slice(&200_000u32.to_le_bytes());
    bytes[third + 12..third + 16].copy_from_slice(&200_000u32.to_le_bytes());
    let reading = read_bytes(&bytes);
    assert_eq!((reading.frames.len(), reading.kinds()), (39, vec![DamageKind::BadRecord]));
}

#[test]
fn a_record_that_claims_more_than_there_was_does_not_swallow_those_behind_it() {
    // Contents that pass for lengths wherever they are looked at.
    let contents: Vec<u8> = 4u32.to_le_bytes().repeat(75);
    let mut writer = PcapWriter::new(Vec::new(), LinkType::RAW, true).unwrap();
    (0..400).for_each(|number| writer.frame(START + number, contents.len() as u32, &contents).unwrap());
    let mut bytes = writer.finish().unwrap();
    let eleventh = borders(&bytes)[10] as usize;
    bytes[eleventh + 10] ^= 1;
    let reading = read_bytes(&bytes);
    assert_eq!((reading.frames.len(), reading.kinds()), (399, vec![DamageKind::BadRecord]));
}

#[test]
fn reading_resumes_behind_a_hole_of_zeros_and_stops_at_a_tail_of_them() {
    let mut bytes = pcap(START, 400);
    let borders = borders(&bytes);
    bytes[borders[10] as usize..borders[20] as usize + 40].fill(0);
    let end = bytes.len();
    bytes.resize(end + 5_000, 0);
    let reading = read_bytes(&bytes);
    assert_eq!((reading.frames.len(), reading.kinds()), (389, vec![DamageKind::BadRecord; 2]));
    assert_eq!((reading.damage[0].offset, reading.damage[0].skipped), (borders[10], borders[21] - borders[10]));
    assert_eq!((reading.damage[1].offset, reading.damage[1].skipped), (end as u64, 5_000));
}

#[test]
fn a_hole_larger_than_any_buffer_is_searched_through() {
    let (front, back) = (pcap(START, 50), pcap(START + 60_000_000_000, 50));
    let hole: Vec<u8> = (0..5_000_000u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8 | 0x40).collect();
    let reading = read_bytes(&[&front, &hole[..], &back[24..]].concat());
    assert_eq!((reading.frames.len(), reading.kinds()), (100, vec![DamageKind::BadRecord]));
    assert_eq!(reading.damage[0].skipped, hole.len() as u64);
}

#[test]
fn captures_that_were_joined_are_read_as_one() {
    let other = {
        let mut writer = PcapWriter::new(Vec::new(), LinkType::RAW, true).unwrap();
        (0..5).for_each(|number| writer.frame(START + number, 60, &body(number as usize, 60)).unwrap());
        writer.finish().unwrap()
    };
    let reading = read_bytes(&[pcap(START, 5), other].concat());
    assert_eq!((reading.frames.len(), reading.kinds()), (10, vec![DamageKind::BadRecord]));
    assert_eq!((reading.frames[9].ts_ns, reading.frames[9].link), (START + 4, LinkType::RAW));
    assert_eq!(read_bytes(&[pcapng(START, 5, false), pcapng(START, 5, true)].concat()).frames.len(), 10);
}

#[test]
fn frames_longer_than_on_the_wire_are_kept_and_share_a_row() {
    let mut bytes = pcap(START, 10);
    let borders = borders(&bytes);
    for border in &borders[3..9] {
        bytes[*border as usize + 12..*border as usize + 16].copy_from_slice(&7u32.to_le_bytes());
    }
    let reading = read_bytes(&bytes);
    assert_eq!((reading.frames.len(), reading.kinds()), (10, vec![DamageKind::CaplenAboveLen]));
    assert_eq!((reading.damage[0].after_frame, reading.damage[0].offset), (3, borders[3]));
    assert!(reading.damage[0].detail.starts_with("6 frames"), "{}", reading.damage[0].detail);
}

#[test]
fn lengths_that_no_wire_carries_are_not_believed_and_share_a_row() {
    let mut bytes = pcap(START, 10);
    let borders = borders(&bytes);
    for border in &borders[3..5] {
        bytes[*border as usize + 12..*border as usize + 16].copy_from_slice(&0x7fff_ffffu32.to_le_bytes());
    }
    let reading = read_bytes(&bytes);
    assert_eq!((reading.frames.len(), reading.kinds()), (10, vec![DamageKind::WireLenAbsurd]));
    assert!(reading.damage[0].detail.starts_with("2 frames claim a length that no wire carries; the first is frame 4 with "));
    assert!(reading.frames.iter().all(|frame| frame.wire_len == frame.caplen), "they count with what was captured");
    assert_eq!(reading.captures[0].truncated_frames, 2, "and as cut short");
}

#[test]
fn the_clock_may_jump_and_years_later_reading_still_resumes() {
    let day = 86_400_000_000_000;
    let mut writer = PcapWriter::new(Vec::new(), LinkType::ETHERNET, false).unwrap();
    let late = 3_000 * day;
    let times = [0, 10_000, 5_000, 2 * day, 1_000, late, late + 1_000, late + 2_000, late + 3_000, late + 4_000];
    for (number, time) in times.iter().enumerate() {
        writer.frame(START + time, 60, &body(number, 60)).unwrap();
    }
    let mut bytes = writer.finish().unwrap();
    let seventh = borders(&bytes)[6] as usize;
    bytes[seventh + 8] = 0xff;
    bytes[seventh + 11] = 0xff;
    let reading = read_bytes(&bytes);
    assert_eq!(reading.frames.len(), 9);
    let jump = DamageKind::ClockJump;
    assert_eq!(reading.kinds(), [jump, jump, jump, DamageKind::BadRecord]);
    assert_eq!(reading.captures[0].backward_jumps, 2);
}

#[test]
fn rows_of_damage_are_capped_and_the_rest_is_counted() {
    let mut writer = PcapWriter::new(Vec::new(), LinkType::ETHERNET, false).unwrap();
    for number in 0..1_501 {
        writer.frame(START + (number % 2) * 200_000_000_000_000, 60, &body(number as usize, 60)).unwrap();
    }
    let path_free = writer.finish().unwrap();
    let folder = TempDir::new().unwrap();
    let mut source = Box::new(open(&[put(&folder, "capture", &path_free)], &Options::default()).unwrap());
    let mut rows = Vec::new();
    while let Some(block) = source.next_block().unwrap() {
        rows.extend(block.damage);
    }
    assert_eq!((rows.len(), source.captures().unwrap()[0].damaged), (1_001, 1_500));
    assert!(rows[1_000].detail.starts_with("500 more"), "{}", rows[1_000].detail);
}

#[test]
fn a_damaged_block_costs_itself_alone() {
    let (whole, plain) = (pcapng(START, 40, false), read_bytes(&pcapng(START, 40, false)));
    let (third, fourth) = (borders(&whole)[2] as usize, borders(&whole)[3] as usize);
    let damage = |place: usize, bytes: &[u8]| {
        let mut file = whole.clone();
        file[place..place + bytes.len()].copy_from_slice(bytes);
        read_bytes(&file)
    };
    let without_third = [&plain.bytes[..2], &plain.bytes[3..]].concat();
    for length in [3u32, 13, 0, 0xffff_fff0, 9_000, 15 << 20] {
        let reading = damage(third + 4, &length.to_le_bytes());
        assert_eq!((reading.bytes, &reading.damage[0].kind), (without_third.clone(), &DamageKind::BadRecord), "length {length}");
        assert_eq!((reading.damage[0].offset, reading.damage[0].skipped), (third as u64, (fourth - third) as u64));
    }
    let longer_than_block = damage(third + 20, &5_000u32.to_le_bytes());
    assert_eq!((longer_than_block.bytes, longer_than_block.damage[0].skipped), (without_third, (fourth - third) as u64));
    let closing_length = damage(fourth - 4, &77u32.to_le_bytes());
    assert_eq!((closing_length.bytes, closing_length.damage[0].kind), (plain.bytes, DamageKind::BadRecord));
}

#[test]
fn frames_of_an_undescribed_interface_are_kept() {
    let mut ng = Ng::new(false);
    ng.packet(0, 1_000_000, 4, b"abcd", &[]);
    ng.interface(101, 0, &ng.option(9, &[3]));
    ng.packet(7, 2_000, 4, b"efgh", &[]);
    let reading = read_bytes(&ng.bytes);
    assert_eq!(reading.kinds(), [DamageKind::UnknownInterface; 2]);
    let seen: Vec<_> = reading.frames.iter().map(|frame| (frame.ts_ns, frame.link.0)).collect();
    assert_eq!(seen, [(1_000_000_000, u16::MAX), (2_000_000_000, 101)]);
}

#[test]
fn times_that_no_clock_can_show_do_not_overflow() {
    let mut ng = Ng::new(false);
    ng.interface(1, 0, &[ng.option(9, &[0]), ng.option(14, &ng.u64(i64::MAX as u64))].concat());
    ng.interface(1, 0, &ng.option(14, &ng.u64(i64::MIN as u64)));
    for interface in [0, 1, 0] {
        ng.packet(interface, u64::MAX, 4, b"abcd", &[]);
    }
    let reading = read_bytes(&ng.bytes);
    assert_eq!(reading.frames.iter().map(|frame| frame.ts_ns).collect::<Vec<_>>(), [Ts::MAX, Ts::MIN, Ts::MAX]);
    assert_eq!(reading.kinds(), [DamageKind::ClockJump, DamageKind::ClockJump, DamageKind::TimeOutOfRange]);
    assert!(reading.damage[2].detail.starts_with("3 frames"), "{}", reading.damage[2].detail);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn flipped_bytes_never_panic_and_cost_little(
        format in 0..3usize,
        flips in prop::collection::vec((any::<prop::sample::Index>(), 1..=255u8), 1..4),
    ) {
        let mut bytes = match format { 0 => pcap(START, 200), 1 => pcapng(START, 200, false), _ => pcapng(START, 200, true) };
        for (place, flip) in &flips {
            // The first header decides whether it is a capture at all.
            let place = 48 + place.index(bytes.len() - 48);
            bytes[place] ^= flip;
        }
        let reading = read_bytes(&bytes);
        prop_assert!(reading.frames.len() + 30 * flips.len() >= 200, "{} frames: {:?}", reading.frames.len(), reading.damage);
    }

    #[test]
    fn noise_behind_a_header_never_panics(format in 0..3usize, noise in prop::collection::vec(any::<u8>(), 0..4_000)) {
        let header = match format { 0 => pcap(START, 0), 1 => pcapng(START, 0, false), _ => pcapng(START, 0, true) };
        read_bytes(&[header, noise].concat());
    }

    #[test]
    fn noise_in_compressed_data_never_panics(
        which in 0..5usize,
        place in any::<prop::sample::Index>(),
        noise in prop::collection::vec(any::<u8>(), 1..64),
    ) {
        let mut packed = super::formats::COMPRESSIONS[which].1(&pcap(START, 300));
        let place = 8 + place.index(packed.len() - 8);
        packed.splice(place..(place + noise.len()).min(packed.len()), noise);
        let folder = TempDir::new().unwrap();
        let path = put(&folder, "capture", &packed);
        // Where nothing at all can be decompressed, opening says so.
        if let Ok(source) = open(&[path], &Options::default()) {
            let source: Box<dyn PacketSource> = Box::new(source);
            prop_assert_eq!(source.captures().unwrap()[0].bytes, packed.len() as u64);
        }
    }
}
