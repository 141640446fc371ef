//! Fragments, in order and out of it.

use super::*;
use crate::decode::FragmentCounts;
use crate::model::Limits;
use crate::model::time::SECOND;
use proptest::prelude::*;

/// One IPv4 fragment of a UDP datagram, `range` of its IP payload.
fn fragment(datagram: &[u8], range: std::ops::Range<usize>) -> Vec<u8> {
    let (head, body) = datagram.split_at(20);
    let range = range.start..range.end.min(body.len());
    let mut bytes = joined(head, &body[range.clone()]);
    bytes[2..4].copy_from_slice(&(20 + range.len() as u16).to_be_bytes());
    let more = if range.end < body.len() { 0x2000 } else { 0 };
    bytes[6..8].copy_from_slice(&(more | (range.start / 8) as u16).to_be_bytes());
    bytes
}

/// Puts packets through, all at 1 s apart from `start`.
struct Bench {
    defragmenter: Defragmenter,
    frame: u64,
    now: i64,
}

impl Bench {
    fn new(limits: &Limits) -> Self {
        Self { defragmenter: Defragmenter::new(limits), frame: 0, now: 0 }
    }

    fn push(&mut self, bytes: &[u8]) -> Option<Packet> {
        self.push_snapped(bytes, bytes.len())
    }

    fn push_snapped(&mut self, bytes: &[u8], caplen: usize) -> Option<Packet> {
        self.frame += 1;
        let mut packet = only(snapped(LinkType::RAW, bytes, caplen));
        packet.frame = self.frame;
        packet.ts_ns = self.now;
        let mut out = Vec::new();
        self.defragmenter.push(packet, &bytes[..caplen], &mut out);
        assert!(out.len() < 2, "{out:?}");
        out.pop()
    }

    fn weirds(&mut self) -> Vec<(&'static str, u64, u64)> {
        self.defragmenter.take_weirds().into_iter().map(|weird| (weird.name, weird.frame, weird.count)).collect()
    }
}

fn payload(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i % 251) as u8).collect()
}

fn assert_whole(packet: &Packet, payload: &[u8]) {
    assert_eq!(udp(packet), &Udp { sport: 4000, dport: 53, checksum_ok: Some(true) });
    assert_eq!((packet.payload.of(&[]), packet.payload_len as usize), (payload, payload.len()));
    assert_eq!((ip(packet).total_len as usize, ip(packet).fragment), (payload.len() + 28, None));
    assert_eq!(packet.stop, None);
}

#[test]
fn what_is_no_fragment_passes_through() {
    let bytes = ipv4_udp(b"hello");
    let packet = only(packets(LinkType::RAW, &bytes));
    assert!(!Defragmenter::wants(&packet));
    let mut bench = Bench::new(&Limits::default());
    assert_eq!(bench.push(&bytes).map(|packet| packet.payload), Some(packet.payload));
    assert_eq!(bench.defragmenter.counts(), FragmentCounts::default());
}

#[test]
fn the_fragment_that_completes_carries_the_datagram() {
    let body = payload(3_000);
    let datagram = ipv4_udp(&body);
    let mut bench = Bench::new(&Limits::default());
    let first = fragment(&datagram, 0..1_480);
    assert!(Defragmenter::wants(&only(packets(LinkType::RAW, &first))));
    assert!(bench.push(&first).is_none());
    assert!(bench.push(&fragment(&datagram, 1_480..2_960)).is_none());
    let whole = bench.push(&fragment(&datagram, 2_960..4_000)).expect("the last one completes");
    assert_whole(&whole, &body);
    assert_eq!(whole.frame, 3);
    assert_eq!(bench.defragmenter.counts(), FragmentCounts { fragments: 3, datagrams: 1, incomplete: 0, cut_off: 0 });
    assert!(bench.weirds().is_empty());
}

#[test]
fn every_datagram_in_fragments_gets_its_row() {
    let datagram = ipv4_udp(&payload(3_000));
    let mut bench = Bench::new(&Limits::default());
    let mut other = fragment(&datagram, 0..1_480);
    *other.last_mut().expect("not empty") ^= 1;
    for part in [fragment(&datagram, 0..1_480), other, fragment(&datagram, 1_480..2_960), fragment(&datagram, 2_960..4_000)] {
        bench.push(&part);
    }
    let lonely = ipv4_udp(&payload(2_000));
    bench.push(&fragment(&lonely, 0..800));
    bench.defragmenter.flush();
    let rows: Vec<_> = bench.defragmenter.take_rows().into_iter().collect();
    let said: Vec<_> = rows
        .iter()
        .map(|at| match &at.event {
            crate::model::Event::Frag(row) => {
                (at.frame, row.fragments, row.overlap, row.differs, row.shortest, row.end, row.complete, row.dropped)
            }
            other => panic!("{other:?}"),
        })
        .collect();
    let given_up = Some("incomplete_fragment_set");
    assert_eq!(said, [(1, 4, true, true, 1_480, 3_008, true, None), (5, 1, false, false, 800, 800, false, given_up)]);
}

#[test]
fn fragments_of_ipv6_join_without_their_fragment_header() {
    let body = payload(400);
    let datagram = ipv6_udp(&body);
    let part = |range: std::ops::Range<usize>, more: u16| {
        let field = (range.start as u16) | more;
        let mut bytes = [&datagram[..40], &[17, 0, 0, 0, 0, 0, 0, 5], &datagram[40..][range]].concat();
        bytes[42..44].copy_from_slice(&field.to_be_bytes());
        bytes[6] = 44;
        let len = bytes.len() as u16 - 40;
        bytes[4..6].copy_from_slice(&len.to_be_bytes());
        bytes
    };
    let mut bench = Bench::new(&Limits::default());
    assert!(bench.push(&part(200..408, 0)).is_none());
    let whole = bench.push(&part(0..200, 1)).expect("complete");
    assert_eq!((udp(&whole).checksum_ok, whole.payload.of(&[])), (Some(true), &body[..]));
    assert_eq!(ip(&whole).total_len, 40 + 8 + 400);
}

#[test]
fn the_bytes_that_came_first_win_and_contradictions_are_noted() {
    let body = payload(96);
    let datagram = ipv4_udp(&body);
    let mut bench = Bench::new(&Limits::default());
    assert!(bench.push(&fragment(&datagram, 0..64)).is_none());
    let mut liar = fragment(&datagram, 48..80);
    liar[20..28].fill(0xee);
    assert!(bench.push(&liar).is_none());
    let whole = bench.push(&fragment(&datagram, 72..200)).expect("complete");
    assert_whole(&whole, &body);
    assert_eq!(bench.weirds(), [("excessively_small_fragment", 2, 1), ("fragment_inconsistency", 2, 1), ("fragment_overlap", 3, 1),]);
}

#[test]
fn lengths_that_contradict_each_other_are_noted() {
    let datagram = ipv4_udp(&payload(200));
    let mut bench = Bench::new(&Limits::default());
    let mut early_end = fragment(&datagram, 0..104);
    early_end[6] &= !0x20;
    early_end[7] = 8;
    assert!(bench.push(&early_end).is_none(), "its first 64 bytes are missing");
    assert!(bench.push(&fragment(&datagram, 176..300)).is_none());
    assert_eq!(bench.weirds(), [("fragment_size_inconsistency", 2, 1)]);
}

#[test]
fn a_datagram_beyond_the_largest_is_noted() {
    let datagram = ipv4_udp(&payload(1_000));
    let mut bench = Bench::new(&Limits::default());
    let mut far = fragment(&datagram, 0..504);
    far[6..8].copy_from_slice(&(0x2000u16 | 8_100).to_be_bytes());
    assert!(bench.push(&far).is_none());
    assert_eq!(bench.weirds(), [("excessively_large_fragment", 1, 1)]);
}

#[test]
fn cut_off_fragments_cannot_join_but_the_first_still_tells_its_ports() {
    let datagram = ipv4_udp(&payload(1_000));
    let mut bench = Bench::new(&Limits::default());
    let first = fragment(&datagram, 0..504);
    let packet = bench.push_snapped(&first, 100).expect("it is all there will be");
    assert_eq!((udp(&packet).dport, &packet.payload, packet.payload_len), (53, &Payload::Frame(28..100), 496));
    assert_eq!((ip(&packet).fragment.is_some(), packet.stop), (true, None));
    assert!(bench.push_snapped(&fragment(&datagram, 504..2_000), 100).is_none());
    assert_eq!(bench.weirds(), [("incompletely_captured_fragment", 1, 2)]);
    assert_eq!(bench.defragmenter.counts().cut_off, 2);
}

#[test]
fn authentication_headers_in_a_fragment_alone_are_read_once_each() {
    // Each announces another (protocol 51), the last UDP.
    let head = |next: u8| [next, 1, 0, 0, 0, 0, 0, 7, 0, 0, 0, 1];
    let datagram = ipv4_udp(&payload(1_000));
    let body = [&head(51)[..], &head(51), &head(17), &datagram[20..]].concat();
    let mut whole = joined(&datagram[..20], &body);
    whole[9] = 51;
    let first = fragment(&whole, 0..504);
    let (mut fragments, mut out) = (Defragmenter::new(&Limits::default()), Vec::new());
    fragments.push(only(snapped(LinkType::RAW, &first, 100)), &first[..100], &mut out);
    assert_eq!(
        out.iter().map(|packet| (packet.layer, ip(packet).fragment.is_some())).collect::<Vec<_>>(),
        [(0, true), (1, false), (2, false), (3, false)]
    );
    assert_eq!(udp(&out[3]).dport, 53);
    assert_eq!((fragments.counts().fragments, fragments.counts().cut_off), (1, 1));
}

#[test]
fn sets_that_wait_too_long_are_given_up() {
    let datagram = ipv4_udp(&payload(1_000));
    let limits = Limits { fragment_wait: 10 * SECOND, ..Limits::default() };
    let mut bench = Bench::new(&limits);
    assert!(bench.push(&fragment(&datagram, 0..504)).is_none());
    bench.now = 11 * SECOND;
    assert!(bench.push(&fragment(&datagram, 504..2_000)).is_none());
    assert_eq!(bench.weirds(), [("incomplete_fragment_set", 1, 1)]);
    bench.defragmenter.flush();
    assert_eq!(bench.weirds(), [("incomplete_fragment_set", 2, 1)]);
    assert_eq!(bench.defragmenter.counts().incomplete, 2);
}

#[test]
fn memory_is_bounded_and_the_oldest_set_goes_first() {
    let limits = Limits { fragment_bytes: 2_000, ..Limits::default() };
    let mut bench = Bench::new(&limits);
    let parts: Vec<[Vec<u8>; 2]> = (0..3u8)
        .map(|id| {
            let mut datagram = ipv4_udp(&payload(1_000));
            datagram[5] = id;
            [fragment(&datagram, 0..504), fragment(&datagram, 504..2_000)]
        })
        .collect();
    for part in &parts {
        assert!(bench.push(&part[0]).is_none());
    }
    assert_eq!(bench.weirds(), [("fragment_memory_exceeded", 1, 1)]);
    assert!(bench.push(&parts[1][1]).is_some());
    assert!(bench.push(&parts[2][1]).is_some());
    assert!(bench.push(&parts[0][1]).is_none(), "its first half was given up");
    let hit = bench.defragmenter.cap_hit().expect("it was reached");
    assert_eq!((hit.cap.as_str(), hit.limit, hit.hits), ("fragment_bytes", 2_000, 1));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_order_gives_the_same_datagram(len in 1usize..4_000, step in 1usize..60, seed in any::<u64>()) {
        let body = payload(len);
        let datagram = ipv4_udp(&body);
        let mut parts: Vec<Vec<u8>> = (0..len + 8).step_by(step * 8).map(|at| fragment(&datagram, at..at + step * 8)).collect();
        let mut state = seed;
        for i in (1..parts.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            parts.swap(i, (state >> 33) as usize % (i + 1));
        }
        prop_assume!(parts.len() > 1);
        let mut bench = Bench::new(&Limits::default());
        let (last, before) = parts.split_last().expect("several");
        for part in before {
            prop_assert!(bench.push(part).is_none());
        }
        assert_whole(&bench.push(last).expect("complete"), &body);
        prop_assert_eq!(bench.defragmenter.held_bytes(), 0);
    }

    #[test]
    fn any_fragments_are_survived_in_bounded_memory(parts in prop::collection::vec((0u16..0x4000, 1usize..200, 0u8..3), 1..200)) {
        let limits = Limits { fragment_bytes: 20_000, ..Limits::default() };
        let mut bench = Bench::new(&limits);
        for (field, len, id) in parts {
            let mut bytes = ipv4_udp(&payload(len));
            bytes[5] = id;
            bytes[6..8].copy_from_slice(&field.to_be_bytes());
            if let Some(packet) = bench.push(&bytes) {
                prop_assert_eq!(packet.payload.of(&bytes).len(), packet.payload_len as usize);
            }
            prop_assert!(bench.defragmenter.held_bytes() <= limits.fragment_bytes);
        }
        bench.defragmenter.flush();
        prop_assert_eq!(bench.defragmenter.held_bytes(), 0);
    }
}
