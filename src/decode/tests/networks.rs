//! IPv4, IPv6, their options and extensions, and ARP.

use super::*;
use crate::model::Mac;
use crate::model::packet::{Arp, Net};
use std::net::{IpAddr, Ipv4Addr};

#[test]
fn an_ipv4_header_is_read_field_by_field() {
    let mut bytes = framed(0x0800, &ipv4_udp(b"hello"));
    bytes[15] = 0xb9;
    let packet = ethernet(&bytes);
    let read = ip(&packet);
    assert_eq!((read.src, read.dst), (IpAddr::from(V4.0), IpAddr::from(V4.1)));
    assert_eq!((read.proto, read.ttl, read.tos, read.total_len), (17, 64, 0xb9, 33));
    assert_eq!((read.fragment, read.checksum_ok), (None, Some(false)), "the tos byte was changed behind the checksum's back");
    bytes[15] = 0;
    assert_eq!(ip(&ethernet(&bytes)).checksum_ok, Some(true));
}

#[test]
fn padding_behind_the_datagram_is_no_payload() {
    let mut bytes = framed(0x0800, &ipv4_udp(b"hi"));
    bytes.resize(60, 0xee);
    let packet = ethernet(&bytes);
    assert_eq!((packet.payload.of(&bytes), packet.payload_len), (&b"hi"[..], 2));
}

#[test]
fn a_snapped_datagram_says_how_long_it_was() {
    let bytes = framed(0x0800, &ipv4_udp(&[7; 500]));
    let packet = only(snapped(LinkType::ETHERNET, &bytes, 96));
    assert_eq!((packet.stop, packet.payload_len), (None, 500));
    assert_eq!(packet.payload, Payload::Frame(42..96));
    assert_eq!(udp(&packet).checksum_ok, None, "not all bytes were there to judge");
}

#[test]
fn a_total_length_above_the_frame_is_noted_and_read_anyway() {
    let mut bytes = framed(0x0800, &ipv4_udp(b"hello"));
    bytes[17] = 200;
    let packet = ethernet(&bytes);
    assert_eq!(why(&packet), Some(("network", "truncated_IP", 200)));
    assert_eq!((udp(&packet).dport, packet.payload.of(&bytes)), (53, &b"hello"[..]));
}

#[test]
fn a_total_length_of_zero_means_the_network_card_fills_it_in() {
    let mut bytes = framed(0x0800, &ipv4_udp(b"hello"));
    bytes[16..18].fill(0);
    let packet = ethernet(&bytes);
    assert_eq!((packet.stop, ip(&packet).total_len, packet.payload.of(&bytes)), (None, 33, &b"hello"[..]));
    let mut bytes = framed(0x86dd, &ipv6_udp(b"hello"));
    bytes[18..20].fill(0);
    assert_eq!((ip(&ethernet(&bytes)).total_len, ethernet(&bytes).payload_len), (53, 5));
}

#[test]
fn header_lengths_that_cannot_be_end_the_reading() {
    for (first, total, number) in [(0x44, 33, 16), (0x4f, 33, 60), (0x45, 19, 20)] {
        let mut bytes = framed(0x0800, &ipv4_udp(b"hello"));
        bytes[14] = first;
        bytes[17] = total;
        let packet = ethernet(&bytes);
        assert_eq!((why(&packet), &packet.transport), (Some(("network", "invalid_IP_header_size", number)), &Transport::None));
        assert_eq!(ip(&packet).dst, IpAddr::from(V4.1), "the addresses are known all the same");
    }
}

#[test]
fn options_are_passed_and_source_routes_leave_checksums_unjudged() {
    for (option, judged) in [(0x94, Some(true)), (131, None)] {
        let plain = ipv4_udp(b"hello");
        let mut bytes = joined(&plain[..20], &[option, 4, 0, 0]);
        bytes.extend_from_slice(&plain[20..]);
        bytes[0] = 0x46;
        bytes[3] += 4;
        let packet = only(packets(LinkType::RAW, &bytes));
        assert_eq!((udp(&packet).checksum_ok, packet.payload.of(&bytes)), (judged, &b"hello"[..]));
    }
}

#[test]
fn extension_headers_are_passed_in_any_order() {
    let plain = ipv6_udp(b"hello");
    let chain: [&[u8]; 6] = [
        &[60, 0, 1, 4, 0, 0, 0, 0],
        &[51, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        &[135, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1],
        &[43, 0, 0, 0, 0, 0, 0, 0],
        &[44, 0, 4, 0, 0, 0, 0, 0],
        &[17, 0, 0, 0, 0, 0, 0, 9],
    ];
    let extensions = chain.concat();
    let mut bytes = [&plain[..40], &extensions, &plain[40..]].concat();
    bytes[6] = 0;
    bytes[5] += extensions.len() as u8;
    let packet = only(packets(LinkType::RAW, &bytes));
    assert_eq!(packet.stop, None);
    let read = ip(&packet);
    assert_eq!((read.proto, read.id, read.fragment), (17, 9, None), "an atomic fragment is no fragment");
    assert_eq!((udp(&packet).checksum_ok, packet.payload.of(&bytes)), (Some(true), &b"hello"[..]));
}

#[test]
fn a_route_under_way_leaves_the_checksum_unjudged() {
    let plain = ipv6_udp(b"hello");
    let mut bytes = [&plain[..40], &[17, 0, 0, 1, 0, 0, 0, 0], &plain[40..]].concat();
    bytes[6] = 43;
    bytes[5] += 8;
    assert_eq!(udp(&only(packets(LinkType::RAW, &bytes))).checksum_ok, None);
}

#[test]
fn an_endless_chain_of_extension_headers_ends() {
    let mut bytes = ipv6_udp(&[0; 8 * 60]);
    bytes[6] = 60;
    bytes[40..].fill(0);
    bytes[40..].iter_mut().step_by(8).for_each(|next| *next = 60);
    assert_eq!(why(&only(packets(LinkType::RAW, &bytes))), Some(("network", "too_many_headers", 32)));
}

#[test]
fn no_next_header_is_an_end_and_no_damage() {
    let mut bytes = ipv6_udp(b"");
    bytes[6] = 59;
    let packet = only(packets(LinkType::RAW, &bytes));
    assert_eq!((packet.stop, ip(&packet).proto, &packet.transport), (None, 59, &Transport::None));
}

#[test]
fn other_protocols_keep_their_number_and_payload() {
    let mut bytes = ipv4_udp(b"");
    bytes[9] = 89;
    let packet = only(packets(LinkType::RAW, &bytes));
    assert_eq!((packet.stop, ip(&packet).proto, &packet.transport, packet.payload_len), (None, 89, &Transport::None, 8));
}

#[test]
fn a_short_ipv6_packet_without_payload_is_not_as_long_as_its_padding() {
    let mut bytes = framed(0x86dd, &ipv6_udp(b"")[..40]);
    bytes[14 + 4..14 + 7].copy_from_slice(&[0, 0, 99]);
    bytes.resize(60, 0);
    let packet = ethernet(&bytes);
    assert_eq!((ip(&packet).total_len, packet.payload_len), (40, 0));
}

#[test]
fn arp_for_ipv4_is_read_and_other_families_are_counted() {
    let message = [0, 1, 8, 0, 6, 4, 0, 2, 2, 0, 0, 0, 0, 1, 192, 0, 2, 1, 2, 0, 0, 0, 0, 2, 198, 51, 100, 2];
    let mut bytes = framed(0x0806, &message);
    bytes.resize(60, 0);
    let packet = ethernet(&bytes);
    let expected = Arp { op: 2, sha: Mac(MACS.0), spa: Ipv4Addr::from(V4.0), tha: Mac(MACS.1), tpa: Ipv4Addr::from(V4.1) };
    assert_eq!((packet.net, packet.stop, packet.payload_len), (Net::Arp(expected), None, 0));
    let appletalk = [0, 1, 0x80, 0x9b, 6, 3, 0, 1, 2, 0, 0, 0, 0, 1, 1, 2, 3, 2, 0, 0, 0, 0, 2, 4, 5, 6];
    assert_eq!(why(&ethernet(&framed(0x0806, &appletalk))), Some(("network", "unknown_arp_addresses", 0x809b)));
}
