//! Each link layer, with the same datagram behind it.

use super::*;
use crate::model::Mac;
use crate::model::packet::{Control, NO_VLAN, Net};

/// Asserts that the DNS-like datagram was found, payload and all.
fn found(packet: &Packet, bytes: &[u8]) {
    assert_eq!(packet.stop, None);
    assert_eq!((udp(packet).sport, udp(packet).dport, udp(packet).checksum_ok), (4000, 53, Some(true)));
    assert_eq!((packet.payload.of(bytes), packet.payload_len), (&b"hello"[..], 5));
}

fn found_behind(link: LinkType, header: &[u8], datagram: &[u8]) -> Packet {
    let bytes = joined(header, datagram);
    let packet = only(packets(link, &bytes));
    found(&packet, &bytes);
    packet
}

#[test]
fn ethernet_addresses_and_type_are_kept() {
    let packet = found_behind(LinkType::ETHERNET, &framed(0x0800, &[]), &ipv4_udp(b"hello"));
    assert_eq!((packet.mac_src, packet.mac_dst, packet.ethertype), (Mac(MACS.0), Mac(MACS.1), 0x0800));
    assert_eq!(packet.vlans, [NO_VLAN; 2]);
    found_behind(LinkType::ETHERNET, &framed(0x86dd, &[]), &ipv6_udp(b"hello"));
}

#[test]
fn tags_are_passed_and_the_outer_two_kept() {
    for kind in [0x8100, 0x88a8, 0x9100] {
        let one = framed(kind, &[0x60, 5, 8, 0]);
        assert_eq!(found_behind(LinkType::ETHERNET, &one, &ipv4_udp(b"hello")).vlans, [5, NO_VLAN]);
    }
    let three = framed(0x88a8, &[0, 5, 0x81, 0, 0, 6, 0x81, 0, 0, 7, 8, 0]);
    assert_eq!(found_behind(LinkType::ETHERNET, &three, &ipv4_udp(b"hello")).vlans, [5, 6]);
}

#[test]
fn a_frame_of_tags_alone_ends() {
    let tags = [0, 1, 0x81, 0].repeat(300);
    let packet = ethernet(&framed(0x8100, &tags));
    assert_eq!(why(&packet), Some(("link", "too_many_headers", 32)));
}

#[test]
fn snap_is_ethernet_written_longer() {
    let datagram = ipv4_udp(b"hello");
    let len = 8 + datagram.len() as u16;
    let header = framed(len, &[0xaa, 0xaa, 3, 0, 0, 0, 8, 0]);
    let mut bytes = joined(&header, &datagram);
    bytes.extend([0; 9]);
    found(&ethernet(&bytes), &bytes);
}

#[test]
fn spanning_tree_and_cdp_are_known_by_their_access_points_and_others_counted() {
    let packet = ethernet(&framed(38, &joined(&[0x42, 0x42, 3], &[0; 43])));
    assert_eq!((&packet.net, why(&packet), packet.ethertype), (&Net::Control(Control::Stp), None, 0));
    assert_eq!(packet.payload_len, 35);
    let cdp = ethernet(&framed(12, &[0xaa, 0xaa, 3, 0, 0, 0x0c, 0x20, 0, 2, 180, 0, 0]));
    assert_eq!((cdp.net, cdp.payload_len), (Net::Control(Control::Cdp), 4));
    let other = ethernet(&framed(6, &[0xfe, 0xfe, 3, 0, 0, 0]));
    assert_eq!(why(&other), Some(("network", "unknown_llc", 0xfefe)));
}

#[test]
fn cooked_captures_give_the_sender_only() {
    let v1 = [0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 8, 0];
    let packet = found_behind(LinkType::LINUX_SLL, &v1, &ipv4_udp(b"hello"));
    assert_eq!((packet.mac_src, packet.mac_dst), (Mac(MACS.0), Mac::default()));
    let v2 = [0x86, 0xdd, 0, 0, 0, 0, 0, 3, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0];
    assert_eq!(found_behind(LinkType::LINUX_SLL2, &v2, &ipv6_udp(b"hello")).mac_src, Mac(MACS.0));
}

#[test]
fn cooked_captures_of_other_devices_are_counted_not_misread() {
    let can = [0, 0, 1, 24, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x0c];
    let packet = only(packets(LinkType::LINUX_SLL, &joined(&can, &[1, 2, 3])));
    assert_eq!(why(&packet), Some(("network", "unknown_ethertype", 0x0c)));
}

#[test]
fn raw_links_go_by_the_version() {
    for link in [12, 14, 101, 228, 229].map(LinkType) {
        assert_eq!(found_behind(link, &[], &ipv4_udp(b"hello")).ethertype, 0x0800);
        assert_eq!(found_behind(link, &[], &ipv6_udp(b"hello")).ethertype, 0x86dd);
        assert_eq!(why(&only(packets(link, &[0x50]))), Some(("network", "unknown_ip_version", 5)));
    }
}

#[test]
fn loopback_families_are_read_in_both_byte_orders() {
    for link in [LinkType::NULL, LinkType::LOOP] {
        for header in [[2, 0, 0, 0], [0, 0, 0, 2]] {
            found_behind(link, &header, &ipv4_udp(b"hello"));
        }
        for family in [10, 24, 28, 30] {
            found_behind(link, &[family, 0, 0, 0], &ipv6_udp(b"hello"));
            found_behind(link, &[0, 0, 0, family], &ipv6_udp(b"hello"));
        }
        assert_eq!(why(&only(packets(link, &[0, 0, 0, 99, 1]))), Some(("link", "unknown_address_family", 99)));
    }
}

#[test]
fn ppp_comes_framed_compressed_and_over_ethernet() {
    let datagram = ipv4_udp(b"hello");
    for header in [&[0xff, 3, 0, 0x21][..], &[0, 0x21], &[0x21]] {
        found_behind(LinkType(9), header, &datagram);
    }
    let len = 2 + datagram.len() as u8;
    let mut bytes = joined(&framed(0x8864, &[0x11, 0, 0, 1, 0, len, 0, 0x21]), &datagram);
    bytes.extend([0; 6]);
    found(&ethernet(&bytes), &bytes);
    assert_eq!(why(&only(packets(LinkType(9), &[0xc0, 0x21, 1, 1]))), Some(("network", "unknown_ppp_protocol", 0xc021)));
}

#[test]
fn mpls_labels_are_passed_to_the_bottom() {
    found_behind(LinkType::ETHERNET, &framed(0x8847, &[0, 1, 0, 64, 0, 2, 1, 64]), &ipv4_udp(b"hello"));
    found_behind(LinkType::ETHERNET, &framed(0x8847, &[0, 2, 1, 64]), &ipv6_udp(b"hello"));
}

#[test]
fn cisco_hdlc_carries_ether_types() {
    found_behind(LinkType(104), &[0x0f, 0, 8, 0], &ipv4_udp(b"hello"));
}

#[test]
fn fddi_and_wireless_carry_llc() {
    let snap = [0xaa, 0xaa, 3, 0, 0, 0, 8, 0];
    let fddi = [&[0x50][..], &MACS.1, &MACS.0, &snap].concat();
    assert_eq!(found_behind(LinkType(10), &fddi, &ipv4_udp(b"hello")).mac_src, Mac(MACS.0));
    let (a, b, c) = (MACS.1, [9; 6], MACS.0);
    let from_station = [&[0x88, 1, 0, 0][..], &b, &c, &a, &[0; 4], &snap].concat();
    let to_station = [&[0x08, 2, 0, 0][..], &a, &b, &c, &[0; 2], &snap].concat();
    for wireless in [from_station, to_station] {
        let packet = found_behind(LinkType(105), &wireless, &ipv4_udp(b"hello"));
        assert_eq!((packet.mac_src, packet.mac_dst), (Mac(MACS.0), Mac(MACS.1)));
        found_behind(LinkType(127), &joined(&[0, 0, 9, 0, 0, 0, 0, 0, 7], &wireless), &ipv4_udp(b"hello"));
        let mut encrypted = wireless.clone();
        encrypted[1] |= 0x40;
        assert_eq!(only(packets(LinkType(105), &encrypted)).stop.map(|stop| stop.why), Some("encrypted_80211_frame"));
    }
    assert_eq!(why(&only(packets(LinkType(105), &[0x80, 0, 0, 0, 1]))), Some(("network", "unknown_80211_frame", 0x80)));
}

#[test]
fn the_netfilter_log_holds_the_packet_in_a_field() {
    let datagram = ipv4_udp(b"hello");
    let field = 4 + datagram.len() as u8;
    found_behind(LinkType(239), &[2, 0, 0, 1, 5, 0, 10, 0, 0, 0, 0, 0, field, 0, 9, 0], &datagram);
    assert_eq!(why(&only(packets(LinkType(239), &[2, 0, 0, 1, 0, 1, 9, 0]))), Some(("link", "nflog_bad_tlv_len", 256)));
    assert_eq!(why(&only(packets(LinkType(239), &[2, 0, 0, 1, 3, 0, 9, 0]))), Some(("link", "nflog_bad_tlv_len", 3)));
}

#[test]
fn what_is_not_known_is_named_with_its_number() {
    let packet = only(packets(LinkType(147), b"whatever"));
    assert_eq!(why(&packet), Some(("link", "unknown_link_type", 147)));
    assert_eq!((packet.net, packet.payload_len), (Net::None, 8));
    assert_eq!(why(&ethernet(&framed(0x88cd, b"what"))), Some(("network", "unknown_ethertype", 0x88cd)));
    assert_eq!(ethernet(&framed(0x88cc, b"lldp")).net, Net::Control(Control::Lldp));
    assert_eq!(why(&ethernet(&[0; 13])), Some(("link", "truncated_header", 13)));
}

#[test]
fn headers_of_switching_networks_stand_before_a_frame() {
    let frame = framed(0x0800, &ipv4_udp(b"hello"));
    let (inside, datagram) = frame.split_at(14);
    for (kind, header) in [(0x88e7, &[0, 0, 0, 9][..]), (0x8903, &[0, 0x7f])] {
        let packet = found_behind(LinkType::ETHERNET, &framed(kind, &joined(header, inside)), datagram);
        assert_eq!(packet.mac_src, Mac(MACS.0));
    }
    found_behind(LinkType::ETHERNET, &framed(0x8926, &[0, 1, 0, 2, 8, 0]), datagram);
    let recursive: Vec<u8> = std::iter::repeat_n(joined(&framed(0x88e7, &[0; 4]), &[]), 40).flatten().collect();
    assert_eq!(ethernet(&recursive).stop.map(|stop| stop.why), Some("too_many_headers"));
}

#[test]
fn a_service_header_is_passed_with_its_metadata() {
    let frame = framed(0x0800, &ipv4_udp(b"hello"));
    let (inside, datagram) = frame.split_at(14);
    let path = [0, 0, 1, 2];
    let fixed = [&[0, 6, 1, 1][..], &path, &[7; 16]].concat();
    found_behind(LinkType::ETHERNET, &framed(0x894f, &fixed), datagram);
    found_behind(LinkType::ETHERNET, &framed(0x894f, &joined(&[0, 2, 2, 3], &joined(&path, inside))), datagram);
    found_behind(LinkType::ETHERNET, &framed(0x894f, &joined(&[0, 2, 2, 2], &path)), &ipv6_udp(b"hello"));
    let stopped = |header: [u8; 4]| why(&ethernet(&framed(0x894f, &joined(&header, &path))));
    assert_eq!(stopped([0, 2, 2, 9]), Some(("network", "unknown_nsh_protocol", 9)));
    assert_eq!(stopped([0x40, 2, 2, 1]), Some(("link", "bad_nsh_header", 0x40)));
    assert_eq!(stopped([0, 1, 2, 1]), Some(("link", "bad_nsh_header", 0)));
    assert_eq!(stopped([0, 6, 1, 1]).map(|why| why.1), Some("truncated_header"));
}

#[test]
fn frame_relay_is_read_in_both_encapsulations() {
    let (four, six) = (ipv4_udp(b"hello"), ipv6_udp(b"hello"));
    for header in [&[0x18, 0x41, 3, 0xcc][..], &[0x18, 0x40, 0x40, 0x41, 3, 0, 0xcc], &[0x18, 0x41, 8, 0]] {
        found_behind(LinkType(107), header, &four);
    }
    found_behind(LinkType(107), &[0x18, 0x41, 3, 0x8e], &six);
    found_behind(LinkType(107), &[0x18, 0x41, 3, 0xcf, 0, 0x21], &four);
    found_behind(LinkType(107), &[0x18, 0x41, 3, 0, 0x80, 0, 0, 0, 8, 0], &four);
    assert_eq!(why(&only(packets(LinkType(107), &[0; 8]))), Some(("link", "bad_frame_relay_address", 0)));
    assert_eq!(why(&only(packets(LinkType(107), &[0x18, 0x41, 3, 0x81, 0]))), Some(("network", "unknown_nlpid", 0x81)));
}

#[test]
fn what_drivers_note_before_a_wireless_frame_is_passed() {
    let wireless = [&[0x08, 2, 0, 0][..], &MACS.1, &[9; 6], &MACS.0, &[0; 2], &[0xaa, 0xaa, 3, 0, 0, 0, 8, 0]].concat();
    let datagram = ipv4_udp(b"hello");
    let avs = [&[0x80, 0x21, 0x10, 1, 0, 0, 0, 64][..], &[0; 56]].concat();
    let prism = [&[0x44, 0, 0, 0, 144, 0, 0, 0][..], &[0; 136]].concat();
    let swapped = [&[0, 0, 0, 0x44, 0, 0, 0, 144][..], &[0; 136]].concat();
    for (link, header) in [(163, &avs), (119, &avs), (119, &prism), (119, &swapped)] {
        found_behind(LinkType(link), &joined(header, &wireless), &datagram);
    }
    found_behind(LinkType(192), &joined(&[0, 0, 12, 0, 105, 0, 0, 0, 1, 1, 1, 1], &wireless), &datagram);
    let ppi_in_ppi = only(packets(LinkType(192), &[0, 0, 8, 0, 192, 0, 0, 0, 0, 0, 8, 0, 192, 0, 0, 0]));
    assert_eq!(why(&ppi_in_ppi), Some(("link", "bad_ppi_header", 0)));
}

#[test]
fn a_filter_log_and_ppp_with_direction_are_read() {
    let datagram = ipv4_udp(b"hello");
    found_behind(LinkType(117), &joined(&[61, 2, 0, 0], &[0; 60]), &datagram);
    assert_eq!(why(&only(packets(LinkType(117), &[0; 8]))), Some(("link", "bad_pflog_header_len", 0)));
    found_behind(LinkType(204), &[1, 0xff, 3, 0, 0x21], &datagram);
}
