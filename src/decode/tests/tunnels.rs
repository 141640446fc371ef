//! Packets within packets.

use super::*;
use crate::model::Mac;
use crate::model::packet::{NO_VLAN, TunnelKind};
use std::net::IpAddr;

/// An IPv4 packet of any protocol.
fn ipv4(proto: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = ipv4_udp(&[]);
    bytes.truncate(20);
    bytes[2..4].copy_from_slice(&(20 + payload.len() as u16).to_be_bytes());
    bytes[9] = proto;
    joined(&bytes, payload)
}

/// Asserts that `bytes` is a tunnel with the usual datagram in it, and returns both packets.
fn found_inside(bytes: &[u8]) -> [Packet; 2] {
    let Ok([outer, inner]) = <[Packet; 2]>::try_from(packets(LinkType::ETHERNET, bytes)) else { panic!("two packets") };
    assert_eq!((outer.layer, &outer.transport, outer.stop), (0, &Transport::None, None));
    assert_eq!((inner.layer, udp(&inner).dport, inner.stop), (1, 53, None));
    assert_eq!((inner.payload.of(bytes), udp(&inner).checksum_ok), (&b"hello"[..], Some(true)));
    assert!(outer.payload.of(bytes).ends_with(b"hello"));
    [outer, inner]
}

#[test]
fn ip_in_ip_is_read_in_all_four_ways() {
    for (proto, inside) in [(4, ipv4_udp(b"hello")), (41, ipv6_udp(b"hello"))] {
        let mut bytes = framed(0x0800, &ipv4(proto, &inside));
        bytes.resize(bytes.len().max(60), 0);
        let Ok([outer, inner]) = <[Packet; 2]>::try_from(packets(LinkType::ETHERNET, &bytes)) else { panic!("two packets") };
        assert_eq!((ip(&outer).proto, outer.payload.of(&bytes)), (proto, &inside[..]));
        assert_eq!((inner.mac_src, inner.payload.of(&bytes)), (Mac(MACS.0), &b"hello"[..]));
        let mut around = ipv6_udp(&inside);
        around.drain(40..48);
        around[5] -= 8;
        around[6] = proto;
        found_inside(&framed(0x86dd, &around));
    }
}

#[test]
fn gre_fields_are_passed_as_its_flags_say() {
    for (flags, fields) in [(0u16, 0), (0x2000, 4), (0xb000, 12)] {
        let header = [&flags.to_be_bytes()[..], &[8, 0], &vec![0; fields]].concat();
        found_inside(&framed(0x0800, &ipv4(47, &joined(&header, &ipv4_udp(b"hello")))));
    }
}

#[test]
fn ethernet_over_gre_has_addresses_and_tags_of_its_own() {
    let mut inside = framed(0x8100, &joined(&[0, 9, 8, 0], &ipv4_udp(b"hello")));
    inside[11] = 0x77;
    let gre = joined(&[0, 0, 0x65, 0x58], &inside);
    let bytes = framed(0x8100, &joined(&[0, 5, 8, 0], &ipv4(47, &gre)));
    let [outer, inner] = found_inside(&bytes);
    assert_eq!((outer.vlans, inner.vlans), ([5, NO_VLAN], [9, NO_VLAN]));
    assert_eq!((outer.mac_src, inner.mac_src), (Mac(MACS.0), Mac([2, 0, 0, 0, 0, 0x77])));
}

#[test]
fn pptp_carries_ppp_and_its_acknowledgements_nothing() {
    let header = [0x30, 0x81, 0x88, 0x0b, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0xff, 3, 0, 0x21];
    found_inside(&framed(0x0800, &ipv4(47, &joined(&header, &ipv4_udp(b"hello")))));
    let acknowledgement = [0x20, 0x81, 0x88, 0x0b, 0, 0, 0, 1, 0, 0, 0, 2];
    let packet = ethernet(&framed(0x0800, &ipv4(47, &acknowledgement)));
    assert_eq!((packet.stop, packet.payload_len), (None, 0));
}

#[test]
fn what_gre_carries_unknown_is_counted() {
    let stops = [
        ([0, 0, 0x20, 0x01], ("transport", "unknown_gre_protocol", 0x2001)),
        ([0, 2, 8, 0], ("transport", "unknown_gre_version", 2)),
        ([0x40, 0, 8, 0], ("transport", "gre_routing", 0x4000)),
        ([0x20, 0, 8, 0], ("transport", "truncated_header", 4)),
    ];
    for (header, stop) in stops {
        assert_eq!(why(&ethernet(&framed(0x0800, &ipv4(47, &header)))), Some(stop));
    }
}

#[test]
fn erspan_of_all_three_types_mirrors_frames() {
    let mirrored = framed(0x0800, &ipv4_udp(b"hello"));
    let mut platform = [0; 12 + 8];
    platform[11] = 1;
    let headers: [&[u8]; 4] = [
        &[0, 0, 0x88, 0xbe],
        &[0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 0, 0, 5, 0, 0, 0, 0],
        &joined(&[0x10, 0, 0x22, 0xeb, 0, 0, 0, 1], &[0; 12]),
        &joined(&[0x10, 0, 0x22, 0xeb, 0, 0, 0, 1], &platform),
    ];
    for header in headers {
        let [outer, inner] = found_inside(&framed(0x0800, &ipv4(47, &joined(header, &mirrored))));
        assert_eq!((outer.carries.map(|tunnel| tunnel.kind), inner.tenant), (Some(TunnelKind::Gre), 0));
    }
}

#[test]
fn nvgre_numbers_networks_and_other_keys_do_not() {
    let number = |key: [u8; 4], kind: [u8; 2], inside: &[u8]| {
        let header = [&[0x20, 0][..], &kind, &key].concat();
        let [outer, inner] = found_inside(&framed(0x0800, &ipv4(47, &joined(&header, inside))));
        (outer.carries.and_then(|tunnel| tunnel.id), inner.tenant)
    };
    let frame = framed(0x0800, &ipv4_udp(b"hello"));
    let (one, same, other) = (
        number([0, 0, 5, 1], [0x65, 0x58], &frame),
        number([0, 0, 5, 2], [0x65, 0x58], &frame),
        number([0, 0, 6, 1], [0x65, 0x58], &frame),
    );
    assert_eq!((one.0, one), (Some(5), same), "the last byte is entropy");
    assert_ne!(one.1, other.1);
    assert_eq!(number([0, 0, 5, 1], [8, 0], &ipv4_udp(b"hello")), (None, 0));
}

#[test]
fn tunnels_end_at_their_cap() {
    let mut bytes = ipv4_udp(b"hello");
    for _ in 0..7 {
        bytes = ipv4(4, &bytes);
    }
    let packets = packets(LinkType::RAW, &bytes);
    assert_eq!(packets.iter().map(|packet| packet.layer).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    assert!(packets.iter().all(|packet| ip(packet).dst == IpAddr::from(V4.1)));
    assert_eq!(why(&packets[4]), Some(("transport", "exceeded_tunnel_max_depth", 4)));
}

#[test]
fn the_authentication_header_is_a_flow_around_another_between_the_same_hosts() {
    let datagram = ipv4_udp(b"hello");
    let header = [&[17, 4][..], &[0; 22]].concat();
    let [outer, inner] = found_inside(&framed(0x0800, &ipv4(51, &joined(&header, &datagram[20..]))));
    assert_eq!((ip(&outer).proto, ip(&inner).proto, ip(&inner).src), (51, 17, ip(&outer).src));
}

#[test]
fn a_tunnel_in_fragments_is_joined_and_entered() {
    let datagram = ipv4(4, &ipv4_udp(&[7; 100]));
    let mut first = datagram[..20 + 64].to_vec();
    first[3] = 84;
    first[6] = 0x20;
    let mut last = joined(&datagram[..20], &datagram[20 + 64..]);
    last[3] = last.len() as u8;
    last[7] = 8;
    let mut defragmenter = Defragmenter::new(&crate::model::Limits::default());
    let mut out = Vec::new();
    defragmenter.push(only(packets(LinkType::RAW, &first)), &first, &mut out);
    assert!(out.is_empty());
    defragmenter.push(only(packets(LinkType::RAW, &last)), &last, &mut out);
    let Ok([outer, inner]) = <[Packet; 2]>::try_from(out) else { panic!("two packets") };
    assert_eq!((outer.stop, outer.payload.of(&[])), (None, &datagram[20..]));
    assert_eq!((inner.layer, udp(&inner).dport, inner.payload.of(&[])), (1, 53, &[7; 100][..]));
}

#[test]
fn fragments_in_a_tunnel_are_joined_where_they_lie() {
    let datagram = ipv4_udp(&[7; 100]);
    let parts = [(0x2000u16, 20..84), (8, 84..datagram.len())].map(|(field, range)| {
        let mut part = joined(&datagram[..20], &datagram[range]);
        part[3] = part.len() as u8;
        part[6..8].copy_from_slice(&field.to_be_bytes());
        ipv4(4, &part)
    });
    let mut defragmenter = Defragmenter::new(&crate::model::Limits::default());
    let mut out = Vec::new();
    for part in &parts {
        packets(LinkType::RAW, part).into_iter().for_each(|packet| defragmenter.push(packet, part, &mut out));
    }
    assert_eq!(out.iter().map(|packet| packet.layer).collect::<Vec<_>>(), [0, 0, 1]);
    assert_eq!(out[2].payload.of(&[]), [7; 100]);
}
