//! TCP, UDP, ICMP and ICMPv6.

use super::*;
use crate::model::packet::tcp_flags;
use etherparse::{PacketBuilder, TcpHeader, TcpOptionElement, TcpOptions};

fn tcp_frame(header: TcpHeader, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let builder = PacketBuilder::ethernet2(MACS.0, MACS.1).ipv4(V4.0, V4.1, 64).tcp_header(header);
    builder.write(&mut bytes, payload).expect("a vector takes all");
    bytes
}

fn syn() -> TcpHeader {
    use TcpOptionElement::{MaximumSegmentSize, Noop, SelectiveAcknowledgementPermitted, Timestamp, WindowScale};
    let options = [MaximumSegmentSize(1460), SelectiveAcknowledgementPermitted, Timestamp(1, 0), Noop, WindowScale(7)];
    TcpHeader {
        syn: true,
        ece: true,
        cwr: true,
        ns: true,
        options: TcpOptions::try_from_elements(&options).expect("they fit"),
        ..TcpHeader::new(50_000, 443, 0x0102_0304, 64_240)
    }
}

#[test]
fn a_tcp_header_is_read_with_its_options() {
    let bytes = tcp_frame(syn(), b"data");
    let packet = ethernet(&bytes);
    let read = tcp(&packet);
    assert_eq!((read.sport, read.dport, read.seq, read.ack, read.window), (50_000, 443, 0x0102_0304, 0, 64_240));
    assert_eq!(read.flags, tcp_flags::SYN | tcp_flags::ECE | tcp_flags::CWR | tcp_flags::AE);
    assert_eq!((read.mss, read.wscale), (1460, Some(7)));
    assert_eq!(read.option_kinds, [2, 4, 8, 1, 3, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!((read.checksum_ok, packet.payload.of(&bytes)), (Some(true), &b"data"[..]));
}

#[test]
fn a_changed_byte_is_seen_in_the_checksum_and_nothing_is_dropped() {
    let mut bytes = tcp_frame(syn(), b"data");
    *bytes.last_mut().expect("not empty") ^= 1;
    let packet = ethernet(&bytes);
    assert_eq!((tcp(&packet).checksum_ok, packet.payload_len), (Some(false), 4));
}

#[test]
fn a_checksum_left_to_the_network_card_is_not_judged() {
    let mut bytes = tcp_frame(syn(), b"data");
    let segment = bytes.len() - 34;
    for length in [segment, 0] {
        // The sum of the pseudo header alone, as the driver writes it (RFC 9293 3.1); segmentation offload leaves out the length.
        let words = bytes[26..34].chunks(2).map(|word| u32::from(word[0]) << 8 | u32::from(word[1])).sum::<u32>() + 6 + length as u32;
        let sum = ((words & 0xffff) + (words >> 16)) as u16;
        bytes[50..52].copy_from_slice(&sum.to_be_bytes());
        assert_eq!(tcp(&ethernet(&bytes)).checksum_ok, None, "{length}");
    }
    bytes[50] ^= 1;
    assert_eq!(tcp(&ethernet(&bytes)).checksum_ok, Some(false));
}

#[test]
fn options_cut_off_leave_ports_and_flags() {
    let bytes = tcp_frame(syn(), b"data");
    let packet = only(snapped(LinkType::ETHERNET, &bytes, 14 + 20 + 20 + 6));
    assert_eq!((tcp(&packet).dport, tcp(&packet).mss, tcp(&packet).flags & tcp_flags::SYN), (443, 1460, tcp_flags::SYN));
    assert_eq!(why(&packet), Some(("transport", "truncated_header", 26)));
    assert_eq!((packet.payload, packet.payload_len), (Payload::Frame(60..60), 4));
}

#[test]
fn less_than_a_tcp_header_is_none() {
    let bytes = tcp_frame(syn(), b"data");
    let packet = only(snapped(LinkType::ETHERNET, &bytes, 14 + 20 + 19));
    assert_eq!((&packet.transport, why(&packet)), (&Transport::None, Some(("transport", "truncated_header", 19))));
    assert_eq!(ip(&packet).proto, 6);
}

#[test]
fn tcp_header_lengths_that_cannot_be_are_noted() {
    for offset in [0x40, 0xf0] {
        let mut bytes = tcp_frame(TcpHeader::new(1, 2, 3, 4), b"");
        bytes[14 + 20 + 12] = offset;
        let packet = ethernet(&bytes);
        assert_eq!(tcp(&packet).dport, 2);
        assert_eq!((packet.stop.map(|stop| stop.why), packet.payload_len), (Some("bad_TCP_header_len"), 0));
    }
}

#[test]
fn options_with_impossible_lengths_end_the_list() {
    for broken in [[2, 0, 5, 0xb4], [2, 1, 5, 0xb4], [2, 40, 5, 0xb4], [2, 3, 5, 0xb4]] {
        let header = TcpHeader { options: TcpOptions::try_from_slice(&broken).expect("four bytes fit"), ..TcpHeader::new(1, 2, 3, 4) };
        let packet = ethernet(&tcp_frame(header, b""));
        assert_eq!((tcp(&packet).mss, tcp(&packet).option_kinds[0], packet.stop), (0, 2, None));
    }
}

#[test]
fn udp_lengths_that_fit_count_and_those_that_do_not_are_noted() {
    let mut bytes = framed(0x0800, &ipv4_udp(b"hello"));
    bytes[14 + 20 + 5] = 11;
    let packet = ethernet(&bytes);
    assert_eq!((packet.payload.of(&bytes), packet.payload_len), (&b"hel"[..], 3));
    assert_eq!(why(&packet), Some(("transport", "UDP_datagram_length_mismatch", 11)));
    for lie in [7, 99] {
        bytes[14 + 20 + 5] = lie;
        let packet = ethernet(&bytes);
        assert_eq!((packet.payload.of(&bytes), packet.payload_len), (&b"hello"[..], 5));
        assert_eq!(why(&packet), Some(("transport", "UDP_datagram_length_mismatch", u32::from(lie))));
    }
}

#[test]
fn a_udp_checksum_of_zero_is_absent() {
    let mut bytes = framed(0x0800, &ipv4_udp(b"hello"));
    bytes[14 + 20 + 6..14 + 20 + 8].fill(0);
    assert_eq!(udp(&ethernet(&bytes)).checksum_ok, None);
}

#[test]
fn icmp_of_both_versions_keeps_id_and_sequence() {
    let mut v4 = Vec::new();
    PacketBuilder::ethernet2(MACS.0, MACS.1).ipv4(V4.0, V4.1, 64).icmpv4_echo_request(11, 12).write(&mut v4, b"ping").expect("written");
    let mut v6 = Vec::new();
    PacketBuilder::ethernet2(MACS.0, MACS.1).ipv6(V6.0, V6.1, 64).icmpv6_echo_reply(11, 12).write(&mut v6, b"ping").expect("written");
    for (bytes, kind, proto) in [(v4, 8, 1), (v6, 129, 58)] {
        let packet = ethernet(&bytes);
        assert_eq!(icmp(&packet), &Icmp { kind, code: 0, id: 11, seq: 12 });
        assert_eq!((ip(&packet).proto, packet.payload.of(&bytes), packet.stop), (proto, &b"ping"[..], None));
    }
}
