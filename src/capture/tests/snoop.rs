//! Snoop files (RFC 1761), and pcap files older than version 2.4.

use super::*;

/// A snoop file of `frames`, each padded to four bytes; `drops` packets were lost before the last.
fn snoop(version: u32, link: u32, frames: &[(u32, u32, &[u8], u32)], drops: u32) -> Vec<u8> {
    let mut file = [b"snoop\0\0\0".to_vec(), version.to_be_bytes().into(), link.to_be_bytes().into()].concat();
    for (number, (seconds, micros, bytes, wire_len)) in frames.iter().enumerate() {
        let padded = bytes.len().next_multiple_of(4);
        let lost = if number + 1 == frames.len() { drops } else { 0 };
        let words = [*wire_len, bytes.len() as u32, padded as u32 + 24, lost, *seconds, *micros];
        file.extend(words.iter().flat_map(|word| word.to_be_bytes()));
        file.extend(*bytes);
        file.resize(file.len() + padded - bytes.len(), 0);
    }
    file
}

#[test]
fn a_snoop_file_is_read_with_its_padding_and_its_drops() {
    let file = snoop(2, 4, &[(1_700_000_000, 5, b"hello", 5), (1_700_000_001, 7, b"worlds", 90), (1_700_000_001, 9, b"four", 4)], 17);
    let reading = read_bytes(&file);
    assert_eq!((reading.bytes.clone(), reading.damage.len()), (vec![b"hello".to_vec(), b"worlds".to_vec(), b"four".to_vec()], 0));
    assert_eq!(
        reading.frames.iter().map(|frame| (frame.ts_ns, frame.wire_len, frame.offset)).collect::<Vec<_>>(),
        [(1_700_000_000_000_005_000, 5, 16), (1_700_000_001_000_007_000, 90, 48), (1_700_000_001_000_009_000, 4, 80),]
    );
    let info = &reading.captures[0];
    assert_eq!((info.format.as_str(), info.links.as_slice(), info.reported_drops), ("snoop", &[LinkType::ETHERNET][..], Some(17)));
}

#[test]
fn a_damaged_snoop_record_costs_itself_alone() {
    let bodies: Vec<Vec<u8>> = (0..40).map(|number| body(number, 61 + number)).collect();
    let frames: Vec<_> =
        bodies.iter().enumerate().map(|(n, bytes)| (1_700_000_000 + n as u32, 1, &bytes[..], bytes.len() as u32)).collect();
    let whole = snoop(2, 4, &frames, 0);
    let third = read_bytes(&whole).frames[2].offset as usize;
    for (field, value) in [(4, 0x7fff_ffffu32), (8, 9), (8, 4_000), (20, 5_000_000)] {
        let mut file = whole.clone();
        file[third + field..third + field + 4].copy_from_slice(&value.to_be_bytes());
        let reading = read_bytes(&file);
        assert!(reading.frames.len() >= 39, "field {field} = {value}: {} frames, {:?}", reading.frames.len(), reading.damage);
        assert!(reading.frames.len() == 40 || reading.kinds() == [DamageKind::BadRecord], "field {field} = {value}: {:?}", reading.damage);
    }
    let sound = read_bytes(&whole).frames;
    for cut in 16..300 {
        let end = |frame: &&FrameMeta| frame.offset + 24 + u64::from(frame.caplen).next_multiple_of(4) <= cut as u64;
        assert_eq!(read_bytes(&whole[..cut]).frames.len(), sound.iter().filter(end).count(), "cut at {cut}");
    }
}

#[test]
fn formats_that_are_not_read_are_named_with_their_cure() {
    let folder = TempDir::new().unwrap();
    let say = |bytes: &[u8]| open(&[put(&folder, "x", bytes)], &Options::default()).map(|_| ()).unwrap_err().to_string();
    for (bytes, kind) in [
        (&b"GMBU and so on"[..], "Network Monitor 2"),
        (b"btsnoop\0\0\0\0\x01", "btsnoop"),
        (&snoop(4, 4, &[], 0), "snoop file of a version other than 2"),
    ] {
        let said = say(bytes);
        assert!(said.contains(kind) && said.contains("editcap -F pcapng"), "{said}");
    }
}

#[test]
fn lengths_of_pcap_files_before_version_2_4_are_put_right() {
    let file = |minor: u16, first: u32, second: u32| {
        let mut file = pcap(START, 0);
        file[6..8].copy_from_slice(&minor.to_le_bytes());
        for number in 0..3u32 {
            let words = [1_700_000_000 + number, 0, first, second];
            file.extend(words.iter().flat_map(|word| word.to_le_bytes()));
            file.extend(b"snap");
        }
        file
    };
    for (minor, first, second) in [(4, 4, 90), (3, 90, 4), (3, 4, 90), (2, 90, 4)] {
        let reading = read_bytes(&file(minor, first, second));
        assert_eq!(
            reading.frames.iter().map(|frame| (frame.caplen, frame.wire_len)).collect::<Vec<_>>(),
            [(4, 90); 3],
            "version 2.{minor}"
        );
        assert_eq!(reading.damage, []);
    }
}
