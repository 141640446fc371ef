//! Packets within datagrams: those that prove themselves are entered, everything else is a datagram like others.

use super::*;
use crate::model::packet::{Tunnel, TunnelKind};
use proptest::prelude::*;

/// A datagram between two ports, over IPv4.
fn datagram(sport: u16, dport: u16, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    etherparse::PacketBuilder::ipv4(V4.0, V4.1, 64).udp(sport, dport).write(&mut bytes, payload).expect("a vector takes all");
    bytes
}

/// An Ethernet frame with a datagram.
fn inner_frame() -> Vec<u8> {
    framed(0x0800, &ipv4_udp(b"hello"))
}

/// An IPv6 packet from an address of Teredo.
fn teredo_packet() -> Vec<u8> {
    let mut bytes = ipv6_udp(b"hello");
    bytes[8..16].copy_from_slice(&[0x20, 1, 0, 0, 192, 0, 2, 1]);
    bytes
}

/// A datagram of each kind: ports, what it is, header and what it carries.
fn samples() -> Vec<(u16, u16, Tunnel, Vec<u8>)> {
    let tunnel = |kind, id| Tunnel { kind, id };
    let ayiya = [&[0x42, 0x52, 0x11, 41, 0, 0, 0, 0][..], &[1; 16 + 20]].concat();
    let origin = [0, 0, 0xf0, 0xf0, 0x3f, 0xff, 0xfd, 0xfe];
    let authentication = [0, 1, 2, 1, 7, 7, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let extended_gtp = [0x34, 255, 0, 41, 0, 0, 0, 9, 0, 0, 0, 0x85, 1, 0, 9, 0];
    let wireless = [&[8, 1, 0, 0][..], &MACS.1, &MACS.0, &[9; 6], &[0; 2], &[0xaa, 0xaa, 3, 0, 0, 0, 8, 0]].concat();
    let mut swapped = wireless.clone();
    swapped.swap(0, 1);
    let capwap = [0, 0x10, 0x43, 0, 0, 0, 0, 0];
    vec![
        (50_000, 4789, tunnel(TunnelKind::Vxlan, Some(0x01_02_03)), joined(&[8, 0, 0, 0, 1, 2, 3, 0], &inner_frame())),
        (50_000, 4789, tunnel(TunnelKind::Vxlan, Some(7)), joined(&[0x88, 0, 0, 9, 0, 0, 7, 0], &inner_frame())),
        (50_000, 8472, tunnel(TunnelKind::Vxlan, Some(1)), joined(&[8, 0, 0, 0, 0, 0, 1, 0], &inner_frame())),
        (50_000, 4789, tunnel(TunnelKind::Vxlan, Some(2)), joined(&[0x0c, 0, 0, 3, 0, 0, 2, 0], &inner_frame())),
        (50_000, 4790, tunnel(TunnelKind::Vxlan, Some(2)), joined(&[0x0c, 0, 0, 1, 0, 0, 2, 0], &ipv4_udp(b"hello"))),
        (50_000, 6081, tunnel(TunnelKind::Geneve, Some(5)), joined(&[0, 0, 0x65, 0x58, 0, 0, 5, 0], &inner_frame())),
        (50_000, 6081, tunnel(TunnelKind::Geneve, Some(5)), joined(&[1, 0x40, 8, 0, 0, 0, 5, 0, 1, 1, 1, 0], &ipv4_udp(b"hello"))),
        (2152, 2152, tunnel(TunnelKind::Gtpv1, Some(9)), joined(&[0x30, 255, 0, 33, 0, 0, 0, 9], &ipv4_udp(b"hello"))),
        (2152, 40_000, tunnel(TunnelKind::Gtpv1, Some(9)), joined(&[0x32, 255, 0, 37, 0, 0, 0, 9, 0, 1, 0, 0], &ipv4_udp(b"hello"))),
        (2152, 2152, tunnel(TunnelKind::Gtpv1, Some(9)), joined(&extended_gtp, &ipv4_udp(b"hello"))),
        (50_000, 3544, tunnel(TunnelKind::Teredo, None), ipv6_udp(b"hello")),
        (50_000, 50_001, tunnel(TunnelKind::Teredo, None), teredo_packet()),
        (50_000, 50_001, tunnel(TunnelKind::Teredo, None), joined(&origin, &ipv6_udp(b"hello"))),
        (50_000, 50_001, tunnel(TunnelKind::Teredo, None), [&authentication[..], &origin, &ipv6_udp(b"hello")].concat()),
        (50_000, 5072, tunnel(TunnelKind::Ayiya, None), joined(&ayiya, &ipv6_udp(b"hello"))),
        (50_000, 50_001, tunnel(TunnelKind::Ayiya, None), joined(&ayiya, &ipv6_udp(b"hello"))),
        (50_000, 4754, tunnel(TunnelKind::Gre, None), joined(&[0, 0, 8, 0], &ipv4_udp(b"hello"))),
        (1701, 1701, tunnel(TunnelKind::L2tp, None), joined(&[0, 2, 0, 1, 0, 2, 0xff, 3, 0, 0x21], &ipv4_udp(b"hello"))),
        (1701, 1701, tunnel(TunnelKind::L2tp, None), joined(&[0x40, 2, 0, 43, 0, 1, 0, 2, 0, 0x21], &ipv4_udp(b"hello"))),
        (50_000, 5247, tunnel(TunnelKind::Capwap, None), [&capwap[..], &wireless, &ipv4_udp(b"hello")].concat()),
        (50_000, 5247, tunnel(TunnelKind::Capwap, None), [&capwap[..], &swapped, &ipv4_udp(b"hello")].concat()),
    ]
}

#[test]
fn every_kind_is_entered_and_its_datagram_stays_a_packet_with_all_of_its_payload() {
    for (sport, dport, tunnel, payload) in samples() {
        let bytes = datagram(sport, dport, &payload);
        let all = packets(LinkType::RAW, &bytes);
        let [outer, inner] = &all[..] else { panic!("{tunnel:?}: {all:?}") };
        assert_eq!((outer.carries, outer.stop, udp(outer).dport), (Some(tunnel), None, dport));
        assert_eq!((outer.payload.of(&bytes), outer.payload_len as usize), (&payload[..], payload.len()));
        assert_eq!((udp(inner).dport, udp(inner).checksum_ok, inner.stop, inner.carries), (53, inner_sum(tunnel.kind, inner), None, None));
        assert_eq!((inner.layer, inner.payload.of(&bytes)), (1, &b"hello"[..]));
        assert_eq!(inner.tenant == 0, tunnel.id.is_none());
    }
}

/// The address of the Teredo sample was put in after its checksum.
fn inner_sum(kind: TunnelKind, inner: &Packet) -> Option<bool> {
    let teredo = ip(inner).src.to_string().starts_with("2001:0:");
    Some(!(kind == TunnelKind::Teredo && teredo))
}

#[test]
fn a_port_alone_makes_no_tunnel() {
    let query = [0x08, 0x1c, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, b'a', 2, b'b', b'c', 0, 0, 1, 0, 1];
    for port in [1701, 2123, 2152, 3544, 4754, 4789, 5072, 5247, 6081, 8472] {
        for payload in [&query[..], &[0; 64], &[0xff; 64], b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", &ipv4_udp(b"hello"), &[]] {
            for (sport, dport) in [(port, 53), (53, port), (port, port)] {
                let packet = only(packets(LinkType::RAW, &datagram(sport, dport, payload)));
                assert_eq!((packet.carries, packet.stop, packet.payload_len as usize), (None, None, payload.len()), "{sport} {dport}");
            }
        }
    }
}

#[test]
fn headers_that_their_specification_does_not_allow_make_no_tunnel() {
    let (frame, packet) = (inner_frame(), ipv4_udp(b"hello"));
    let wrong: [(u16, &[u8], &[u8]); 17] = [
        (4789, &[0, 0, 0, 0, 0, 0, 1, 0], &frame),
        (4789, &[8, 0, 0, 0, 0, 0, 1, 1], &frame),
        (4789, &[8, 1, 0, 0, 0, 0, 1, 0], &[9; 40]),
        (4789, &[0x88, 0, 0, 9, 0, 0, 7, 0], b"no frame that anybody would send"),
        (6081, &[0x40, 0, 0x65, 0x58, 0, 0, 5, 0], &frame),
        (6081, &[0, 1, 0x65, 0x58, 0, 0, 5, 0], &frame),
        (6081, &[0x3f, 0, 0x65, 0x58, 0, 0, 5, 0], &frame),
        (6081, &[0, 0, 8, 0, 0, 0, 5, 0], &frame),
        (2152, &[0x30, 1, 0, 33, 0, 0, 0, 9], &packet),
        (2152, &[0x20, 255, 0, 33, 0, 0, 0, 9], &packet),
        (2152, &[0x30, 255, 1, 33, 0, 0, 0, 9], &packet),
        (2152, &[0x34, 255, 0, 33, 0, 0, 0, 9, 0, 0, 0, 0x85, 0], &packet),
        (3544, &[0, 0, 0, 0, 0, 0, 0, 0], &packet),
        (5072, &[0x42, 0x52, 0x12, 4, 0, 0, 0, 0], &packet),
        (4754, &[0, 1, 8, 0], &packet),
        (1701, &[0xc0, 2, 0, 43, 0, 1, 0, 2, 0, 0x21], &packet),
        (5247, &[0, 0x10, 0x43, 0x80, 0, 0, 0, 0], &packet),
    ];
    for (port, header, inside) in wrong {
        let packet = only(packets(LinkType::RAW, &datagram(50_000, port, &joined(header, inside))));
        assert_eq!(packet.carries, None, "{port} {header:?}");
    }
}

#[test]
fn teredo_and_ayiya_have_to_fill_their_datagram() {
    for (port, payload) in [(50_001, teredo_packet()), (3544, ipv6_udp(b"hello"))] {
        let longer = joined(&payload, &[0]);
        for payload in [&longer[..], &payload[..payload.len() - 1]] {
            assert_eq!(only(packets(LinkType::RAW, &datagram(50_000, port, payload))).carries, None);
        }
    }
    assert_eq!(only(packets(LinkType::RAW, &datagram(50_000, 50_001, &ipv6_udp(b"hello")))).carries, None, "no sign of Teredo");
}

#[test]
fn a_bubble_opens_translators_and_carries_nothing() {
    let mut bubble = teredo_packet()[..40].to_vec();
    bubble[4..7].copy_from_slice(&[0, 0, 59]);
    for payload in [bubble.clone(), joined(&bubble, b"more")] {
        let bytes = datagram(50_000, 50_001, &payload);
        let all = packets(LinkType::RAW, &bytes);
        assert_eq!(all.len(), 2);
        assert_eq!((all[0].carries.map(|tunnel| tunnel.kind), ip(&all[1]).proto), (Some(TunnelKind::Teredo), 59));
    }
}

#[test]
fn headers_that_nothing_follows_are_named_as_zeek_does() {
    for (port, header, why_not) in
        [(4789, [8, 0, 0, 0, 0, 0, 1, 0], "vxlan_empty_packet"), (6081, [0, 0, 0x65, 0x58, 0, 0, 5, 0], "geneve_empty_packet")]
    {
        let packet = only(packets(LinkType::RAW, &datagram(50_000, port, &header)));
        assert!(packet.carries.is_some());
        assert_eq!(why(&packet), Some(("transport", why_not, 0)));
    }
}

#[test]
fn numbers_of_nested_tunnels_make_a_network_of_their_own() {
    let vxlan = |vni: u8, inside: &[u8]| datagram(50_000, 4789, &joined(&[8, 0, 0, 0, 0, 0, vni, 0], &framed(0x0800, inside)));
    let tenant = |bytes: &[u8]| packets(LinkType::RAW, bytes).last().map(|packet| (packet.layer, packet.tenant));
    let nested = |outer, inner| tenant(&vxlan(outer, &vxlan(inner, &ipv4_udp(b"hello"))));
    let all = [nested(1, 2), nested(2, 1), nested(1, 1), nested(2, 2), nested(3, 2)];
    for (index, one) in all.iter().enumerate() {
        assert_eq!(one.map(|(layer, _)| layer), Some(2));
        assert!(all[index + 1..].iter().all(|other| other != one), "{all:?}");
    }
    assert_eq!(nested(1, 2), all[0]);
}

#[test]
fn every_cut_and_every_flipped_byte_is_survived_with_the_datagram_kept() {
    for (sport, dport, _, payload) in samples() {
        let bytes = datagram(sport, dport, &payload);
        for caplen in 28..=bytes.len() {
            let all = snapped(LinkType::RAW, &bytes, caplen);
            assert_eq!((udp(&all[0]).dport, all[0].payload_len as usize), (dport, payload.len()));
            assert!(all.iter().all(|packet| packet.payload.of(&bytes[..caplen]).len() <= packet.payload_len as usize));
        }
        for at in 28..bytes.len() {
            for flip in [0x01, 0x0f, 0x80, 0xff] {
                let mut flipped = bytes.clone();
                flipped[at] ^= flip;
                let all = packets(LinkType::RAW, &flipped);
                assert_eq!((udp(&all[0]).dport, all[0].payload.of(&flipped)), (dport, &flipped[28..]));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_datagrams_are_no_tunnels(
        port in prop::sample::select(&[1701u16, 2123, 2152, 3544, 4754, 4789, 5072, 5247, 6081, 8472, 40_000][..]),
        payload in prop::collection::vec(any::<u8>(), 0..120),
    ) {
        let bytes = datagram(40_000, port, &payload);
        let all = packets(LinkType::RAW, &bytes);
        prop_assert_eq!(all[0].payload.of(&bytes), &payload[..]);
        // All bits that have to be as they are: the weakest kind, Geneve, has one chance in four million here.
        prop_assert_eq!(all.len(), 1);
    }

    #[test]
    fn any_bytes_behind_a_header_are_survived(
        which in 0..21usize,
        keep in 0..60usize,
        tail in prop::collection::vec(any::<u8>(), 0..80),
        beyond in 0..2_000usize,
    ) {
        let all = samples();
        let (sport, dport, _, payload) = &all[which % all.len()];
        let payload = joined(&payload[..keep.min(payload.len())], &tail);
        let bytes = datagram(*sport, *dport, &payload);
        let meta = meta(LinkType::RAW, bytes.len(), bytes.len() + beyond);
        let mut out = Vec::new();
        frame(Frame { meta: &meta, bytes: &bytes }, &mut out);
        for (layer, packet) in out.iter().enumerate() {
            prop_assert_eq!(usize::from(packet.layer), layer);
            let Payload::Frame(range) = &packet.payload else { panic!("nothing was joined") };
            prop_assert!(range.start <= range.end && range.end as usize <= bytes.len());
        }
    }
}
