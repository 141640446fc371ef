//! Whatever the bytes: no panic, at least one packet, and every range inside the frame.

use super::*;
use crate::model::Limits;
use proptest::prelude::*;

/// Link types that are read, and one that is not.
const LINKS: [u16; 25] = [0, 1, 9, 10, 12, 14, 50, 51, 101, 104, 105, 107, 108, 113, 117, 119, 127, 163, 192, 204, 228, 229, 239, 276, 147];

/// Decodes, and puts what comes out through a defragmenter; asserts what always holds.
fn check(link: u16, bytes: &[u8], wire_len: usize) -> Vec<Packet> {
    let mut out = Vec::new();
    frame(Frame { meta: &meta(LinkType(link), bytes.len(), wire_len), bytes }, &mut out);
    assert!(!out.is_empty());
    for (layer, packet) in out.iter().enumerate() {
        assert_eq!(usize::from(packet.layer), layer);
        let Payload::Frame(range) = &packet.payload else { panic!("nothing was joined") };
        assert!(range.start <= range.end && range.end as usize <= bytes.len(), "{range:?} of {}", bytes.len());
        assert!(range.end - range.start <= packet.payload_len);
        let mut through = Vec::new();
        Defragmenter::new(&Limits::default()).push(packet.clone(), bytes, &mut through);
        for packet in through {
            let Payload::Frame(range) = &packet.payload else { panic!("one fragment joins nothing") };
            assert!(range.start <= range.end && range.end as usize <= bytes.len());
        }
    }
    out
}

/// Frames with a bit of everything.
fn samples() -> Vec<(u16, Vec<u8>)> {
    let mut tagged = framed(0x88a8, &[0, 5, 0x81, 0, 0, 6, 8, 0]);
    tagged.extend(ipv4_udp(b"some payload"));
    let mut tcp = Vec::new();
    let options = etherparse::TcpOptions::try_from_slice(&[2, 4, 5, 0xb4, 1, 3, 3, 7]).expect("they fit");
    let header = etherparse::TcpHeader { syn: true, options, ..etherparse::TcpHeader::new(1, 2, 3, 4) };
    let builder = etherparse::PacketBuilder::ethernet2(MACS.0, MACS.1).ipv6(V6.0, V6.1, 64).tcp_header(header);
    builder.write(&mut tcp, b"some payload").expect("written");
    let mut extended = ipv6_udp(&[0, 0, 4, 1, 0, 0, 0, 0, 17, 0, 0, 1, 0, 0, 0, 9, 0, 53, 0, 53, 0, 8, 0, 0]);
    extended[6] = 60;
    extended[40] = 44;
    let snap = framed(60, &joined(&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0], &ipv4_udp(&[0; 24])));
    let arp = framed(0x0806, &[0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 192, 0, 2, 1, 2, 0, 0, 0, 0, 2, 198, 51, 100, 2]);
    let mut tunnel = ipv6_udp(&joined(&[0, 9, 8, 0], &ipv4_udp(b"some payload")));
    tunnel.splice(40..48, [0x20, 0, 0x65, 0x58, 0, 0, 0, 1, 2, 0, 0, 0, 0, 3, 2, 0, 0, 0, 0, 4, 0x81, 0]);
    tunnel[5] += 14;
    tunnel[6] = 47;
    vec![
        (229, tunnel),
        (1, tagged),
        (1, tcp),
        (101, extended),
        (1, snap),
        (1, arp),
        (113, joined(&[0; 14], &joined(&[8, 0], &ipv4_udp(b"x")))),
    ]
}

#[test]
fn every_shorter_length_is_read_as_far_as_it_goes() {
    for (link, bytes) in samples() {
        for caplen in 0..=bytes.len() {
            let cut = &bytes[..caplen];
            let snapped = check(link, cut, bytes.len());
            if caplen < bytes.len() && snapped[0].stop.is_none() {
                let captured = snapped[0].payload.of(cut).len();
                assert!(captured < snapped[0].payload_len as usize || snapped[0].payload_len == 0);
            }
            check(link, cut, caplen);
        }
    }
}

#[test]
fn every_flipped_byte_is_survived() {
    for (link, bytes) in samples() {
        for at in 0..bytes.len() {
            for flip in [0x01, 0x0f, 0x80, 0xff] {
                let mut flipped = bytes.clone();
                flipped[at] ^= flip;
                check(link, &flipped, bytes.len());
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_of_any_link_are_survived(
        link in prop::sample::select(&LINKS[..]),
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        beyond in 0usize..2_000,
    ) {
        check(link, &bytes, bytes.len() + beyond);
    }

    #[test]
    fn any_bytes_behind_an_ether_type_are_survived(
        kind in prop::sample::select(&[0x0800u16, 0x86dd, 0x0806, 0x8100, 0x8847, 0x8864, 0x88e7, 0x8903, 0x8926, 0x894f, 40][..]),
        version in prop::sample::select(&[0x45u8, 0x46, 0x4f, 0x60, 0x11][..]),
        mut bytes in prop::collection::vec(any::<u8>(), 1..200),
    ) {
        bytes[0] = version;
        let bytes = framed(kind, &bytes);
        check(1, &bytes, bytes.len());
    }
}
