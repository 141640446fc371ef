//! What a capture says beside its packets.

use super::*;
use crate::model::beside::{About, Beside, Secrets};

/// Reads a capture given as bytes, with the secrets of its blocks.
fn with_secrets(bytes: &[u8]) -> (Reading, Vec<Secrets>) {
    let folder = TempDir::new().unwrap();
    let path = put(&folder, "capture", bytes);
    let mut source = open(std::slice::from_ref(&path), &Options::default()).unwrap();
    let mut secrets = Vec::new();
    while let Some(mut block) = source.next_block().unwrap() {
        secrets.append(&mut block.secrets);
    }
    (read(&[&path]), secrets)
}

fn beside(bytes: &[u8]) -> Beside {
    read_bytes(bytes).captures.remove(0).beside
}

/// A name resolution record.
fn name(ng: &Ng, kind: u16, address: &[u8], names: &[u8]) -> Vec<u8> {
    ng.option(kind, &[address, names].concat())
}

#[test]
fn comments_keep_what_they_are_about() {
    for big_endian in [false, true] {
        let mut ng = Ng::new(big_endian);
        let custom = ng.option(2988, &[ng.u32(32_473), b"of a house".to_vec()].concat());
        ng.section(big_endian, &[ng.option(1, b"first"), ng.option(1, b"second"), ng.option(4, b"dumpcap"), custom].concat());
        ng.interface(1, 0, &[ng.option(1, b"the uplink"), ng.option(0, b"")].concat());
        ng.packet(0, 1, 4, b"abcd", &[]);
        ng.packet(0, 2, 4, b"abcd", &[ng.option(1, b"here it begins"), ng.option(1, b"or here"), ng.option(0, b"")].concat());
        let body = [ng.u32(0), ng.u32(0), ng.u32(0), ng.option(1, b"counted")].concat();
        ng.block(5, &body);
        let said = beside(&ng.bytes).comments;
        let seen: Vec<_> =
            said.iter().map(|c| (c.section, c.about.name(), c.interface, c.frame, c.kind.as_str(), c.text.as_str())).collect();
        assert_eq!(
            seen,
            [
                (1, "section", None, None, "application", "dumpcap"),
                (1, "section", None, None, "comment", "first"),
                (1, "section", None, None, "comment", "second"),
                (1, "section", None, None, "custom 32473", "of a house"),
                (1, "interface", Some(0), None, "comment", "the uplink"),
                (1, "packet", Some(0), Some(2), "comment", "here it begins"),
                (1, "packet", Some(0), Some(2), "comment", "or here"),
                (1, "statistics", Some(0), None, "comment", "counted"),
            ]
        );
    }
}

#[test]
fn interfaces_keep_what_they_are_and_what_they_counted() {
    for big_endian in [false, true] {
        let mut ng = Ng::new(big_endian);
        let options = [
            ng.option(2, b"eth0"),
            ng.option(3, b"uplink"),
            ng.option(4, &[192, 0, 2, 7, 255, 255, 255, 0]),
            ng.option(6, &[2, 0, 0, 0, 0, 9]),
            ng.option(8, &ng.u64(1_000_000_000)),
            ng.option(9, &[0x80 | 20]),
            ng.option(11, b"\0tcp port 80"),
            ng.option(12, b"an OS"),
            ng.option(14, &ng.u64(3)),
            ng.option(15, b"a card"),
        ];
        ng.interface(1, 96, &options.concat());
        ng.packet(0, 1 << 20, 100, b"abcd", &ng.option(2, &ng.u32(1)));
        ng.packet(0, 2 << 20, 100, b"abcd", &[ng.option(2, &ng.u32(2 | 1 << 24 | 1 << 26)), ng.option(4, &ng.u64(5))].concat());
        let moment = |ng: &Ng, units: u64| [ng.u32((units >> 32) as u32), ng.u32(units as u32)].concat();
        let counters =
            [(2u16, moment(&ng, 1 << 20)), (4, ng.u64(900)), (5, ng.u64(30)), (6, ng.u64(870)), (7, ng.u64(12)), (8, ng.u64(858))];
        let counters: Vec<u8> = counters.iter().flat_map(|(code, value)| ng.option(*code, value)).collect();
        let body = [ng.u32(0), ng.u32(0), ng.u32(0), counters].concat();
        ng.block(5, &body);
        let info = read_bytes(&ng.bytes).captures.remove(0);
        assert_eq!(info.reported_drops, Some(42), "what the interface and the system dropped");
        let [told] = &info.beside.interfaces[..] else { panic!("{:?}", info.beside) };
        let texts = [&told.name, &told.description, &told.filter, &told.os, &told.hardware, &told.resolution, &told.addresses[0]];
        assert_eq!(texts, ["eth0", "uplink", "tcp port 80", "an OS", "a card", "2^-20 s", "192.0.2.7/24"]);
        assert_eq!(
            (told.mac.unwrap().to_string().as_str(), told.speed, told.snaplen, told.offset_s),
            ("02:00:00:00:00:09", Some(1_000_000_000), 96, 3)
        );
        assert_eq!((told.frames, told.inbound, told.outbound, told.faulty, told.lost_between), (2, 1, 1, 1, 5));
        assert_eq!(
            (told.received, told.dropped, told.filter_accepted, told.os_dropped, told.delivered),
            (Some(900), Some(30), Some(870), Some(12), Some(858))
        );
        assert_eq!((told.started, told.ended), (Some(4_000_000_000), None));
        let [fault] = &info.beside.comments[..] else { panic!("{:?}", info.beside) };
        assert_eq!(
            (fault.frame, fault.about, fault.kind.as_str(), fault.text.as_str()),
            (Some(2), About::Packet, "link_error", "CRC error, packet too short")
        );
    }
}

#[test]
fn names_are_kept_once_with_the_server_that_was_asked() {
    for big_endian in [false, true] {
        let mut ng = Ng::new(big_endian);
        let records = [
            name(&ng, 1, &[192, 0, 2, 1], b"one.example\0alias.example\0"),
            name(&ng, 2, &[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], b"six.example\0"),
            name(&ng, 3, &[2, 0, 0, 0, 0, 1], b"printer"),
            name(&ng, 9, &[1], b"unknown kind"),
            name(&ng, 1, &[192], b""),
            ng.option(0, b""),
            ng.option(3, &[192, 0, 2, 53]),
        ];
        let body = records.concat();
        ng.block(4, &body);
        ng.block(4, &body);
        let seen: Vec<_> = beside(&ng.bytes).names.into_iter().map(|name| (name.address, name.name, name.server)).collect();
        let row = |address: &str, name: &str| (address.to_string(), name.to_string(), "192.0.2.53".to_string());
        let expected = [
            ("02:00:00:00:00:01", "printer"),
            ("192.0.2.1", "alias.example"),
            ("192.0.2.1", "one.example"),
            ("2001:db8::1", "six.example"),
        ];
        assert_eq!(seen, expected.map(|(address, name)| row(address, name)));
    }
}

#[test]
fn secrets_come_before_the_frames_that_need_them_and_never_show_themselves() {
    let mut ng = Ng::new(true);
    ng.interface(1, 0, &[]);
    ng.packet(0, 1, 4, b"abcd", &[]);
    let log = b"# keys\nCLIENT_RANDOM 00 deadbeef\n\nCLIENT_RANDOM 01 deadbeef\n";
    let body = [ng.u32(0x544c_534b), ng.u32(log.len() as u32), log.to_vec()].concat();
    let offset = ng.bytes.len() as u64;
    ng.block(10, &body);
    ng.packet(0, 2, 4, b"abcd", &[]);
    let (reading, secrets) = with_secrets(&ng.bytes);
    let [found] = &secrets[..] else { panic!("{secrets:?}") };
    assert_eq!((found.name(), found.entries(), found.offset, found.after_frame), ("tls_key_log", 2, offset, 1));
    assert_eq!(&found.bytes[..], log);
    let printed = format!("{found:?} {reading:?}");
    assert!(printed.contains("kept to themselves") && !printed.contains("deadbeef") && !printed.contains("222, 173"), "{printed}");
}

#[test]
fn other_blocks_are_counted_and_journals_and_custom_ones_show_what_they_say() {
    let mut ng = Ng::new(false);
    ng.interface(1, 0, &[]);
    ng.packet(0, 1, 4, b"abcd", &[]);
    ng.block(9, b"MESSAGE=link is up\n_PID=1\n\0\0");
    ng.block(9, b"MESSAGE=link is down\n_PID=1\n");
    let body = [ng.u32(32_473), vec![0xff, 0xfe, 0, 1]].concat();
    ng.block(0x0bad, &body);
    (0..5).for_each(|_| ng.block(0x7777, b"abcdefgh"));
    let seen: Vec<_> =
        beside(&ng.bytes).blocks.into_iter().map(|b| (b.name(), b.kind, b.pen, b.count, b.bytes, b.after_frame, b.content)).collect();
    let row = |name, kind, pen, count, bytes, content: &str| (name, kind, pen, count, bytes, 1, content.to_string());
    assert_eq!(
        seen,
        [
            row("systemd_journal", 9, None, 1, 28, "MESSAGE=link is up\n_PID=1"),
            row("systemd_journal", 9, None, 1, 28, "MESSAGE=link is down\n_PID=1"),
            row("custom", 0x0bad, Some(32_473), 1, 8, "fffe0001"),
            row("", 0x7777, None, 5, 40, "abcdefgh"),
        ]
    );
}

#[test]
fn blocks_that_contradict_themselves_cost_themselves_alone() {
    for kind in [1, 4, 5, 10] {
        let mut ng = Ng::new(false);
        ng.interface(1, 0, &[]);
        // Lengths inside that lead out of the block.
        ng.block(kind, &[1, 0, 0xff, 0x7f, 1, 0, 0xff, 0x7f][..if kind == 5 || kind == 1 { 4 } else { 8 }]);
        ng.packet(0, 1, 4, b"abcd", &[]);
        let reading = read_bytes(&ng.bytes);
        assert_eq!((reading.frames.len(), reading.kinds()), (1, vec![DamageKind::BadRecord]), "type {kind}");
    }
}

#[test]
fn a_damaged_description_keeps_its_place_among_the_interfaces() {
    let mut ng = Ng::new(true);
    ng.block(1, &[0; 4]);
    ng.interface(101, 0, &[]);
    ng.packet(1, 1, 4, b"abcd", &[]);
    ng.packet(0, 2, 4, b"abcd", &[]);
    let reading = read_bytes(&ng.bytes);
    assert_eq!(reading.frames.iter().map(|frame| frame.link.0).collect::<Vec<_>>(), [101, u16::MAX]);
    assert_eq!(reading.kinds(), [DamageKind::BadRecord]);
}

#[test]
fn a_packet_whose_options_make_no_sense_is_kept() {
    let mut ng = Ng::new(false);
    ng.interface(1, 0, &[]);
    let options = [ng.option(1, b"good"), ng.u16(1), ng.u16(500), vec![1; 8]].concat();
    ng.packet(0, 1, 4, b"abcd", &options);
    let reading = read_bytes(&ng.bytes);
    assert_eq!((reading.frames.len(), reading.kinds()), (1, vec![DamageKind::BadOption]));
    assert_eq!(reading.captures[0].beside.comments[0].text, "good");
}

#[test]
fn whoever_writes_without_end_fills_a_cap_that_is_told() {
    let mut ng = Ng::new(false);
    (0..1_100u32).for_each(|n| ng.interface(1, 0, &ng.option(2, format!("eth{n}").as_bytes())));
    let long = vec![b'x'; 60_000];
    let option = ng.option(1, &long);
    (0..3_000u64).for_each(|n| ng.packet(1_099, n, 4, b"abcd", &option));
    (0..30).for_each(|_| {
        let secret = vec![b'k'; 1 << 20];
        let body = [ng.u32(1), ng.u32(1 << 20), secret].concat();
        ng.block(10, &body);
    });
    let (reading, secrets) = with_secrets(&ng.bytes);
    let beside = &reading.captures[0].beside;
    assert_eq!((reading.frames.len(), beside.interfaces.len(), secrets.len()), (3_000, 1_000, 16));
    assert!(beside.comments.iter().map(|comment| comment.text.len()).sum::<usize>() <= 8 << 20);
    let caps: Vec<_> = beside.caps.iter().map(|cap| (cap.cap.as_str(), cap.hits)).collect();
    assert_eq!(caps, [("capture_comments", 3_000 - 2_097), ("capture_interfaces", 100), ("capture_secret_bytes", 14)]);
}
