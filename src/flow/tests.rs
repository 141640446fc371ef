//! The flow table from outside: frames in, flows out.

use super::*;
use crate::decode;
use crate::model::{Dir, FrameMeta, LinkType, time::SECOND};
use etherparse::PacketBuilder;
use proptest::prelude::*;

const A: [u8; 4] = [10, 0, 0, 1];
const B: [u8; 4] = [10, 0, 0, 2];

/// A capture being written down: `c` speaks for the client, `s` for the server.
#[derive(Default)]
struct Tape {
    block: Block,
    seq: [u32; 2],
    id: u16,
}

impl Tape {
    fn new() -> Self {
        Self { seq: [1_000, 9_000], ..Self::default() }
    }

    fn frame(&mut self, at: f64, bytes: &[u8]) {
        let number = self.block.frames.len() as u64 + 1;
        let len = bytes.len() as u32;
        let start = self.block.bytes.len() as u32;
        let ts_ns = (at * SECOND as f64) as i64;
        let link = LinkType::ETHERNET;
        self.block.frames.push(FrameMeta {
            number,
            in_file: number,
            offset: 0,
            ts_ns,
            capture: 0,
            caplen: len,
            wire_len: len,
            start,
            link,
        });
        self.block.bytes.extend_from_slice(bytes);
    }

    /// A segment: flags as letters, payload as text.
    fn tcp(&mut self, at: f64, dir: Dir, flags: &str, payload: &[u8]) -> &mut Self {
        let (own, peer) = (dir.index(), dir.flip().index());
        let seq = self.seq[own];
        let step = payload.len() as u32 + u32::from(flags.contains('S')) + u32::from(flags.contains('F'));
        self.seq[own] = seq.wrapping_add(step);
        let ack = self.seq[peer];
        self.tcp_at(at, dir, flags, payload, seq, ack)
    }

    fn tcp_at(&mut self, at: f64, dir: Dir, flags: &str, payload: &[u8], seq: u32, ack: u32) -> &mut Self {
        let (src, dst, sport, dport) = if dir == Dir::Orig { (A, B, 40_000, 80) } else { (B, A, 80, 40_000) };
        self.id += 1;
        let mut ip = etherparse::Ipv4Header::new(0, 64, etherparse::IpNumber::TCP, src, dst).expect("a header");
        ip.identification = self.id;
        let mut tcp =
            PacketBuilder::ethernet2([2; 6], [4; 6]).ip(etherparse::IpHeaders::Ipv4(ip, Default::default())).tcp(sport, dport, seq, 64_000);
        for flag in flags.chars() {
            tcp = match flag {
                'S' => tcp.syn(),
                'A' => tcp.ack(ack),
                'F' => tcp.fin(),
                'R' => tcp.rst(),
                _ => tcp.psh(),
            };
        }
        let mut bytes = Vec::new();
        tcp.write(&mut bytes, payload).expect("a segment");
        self.frame(at, &bytes);
        self
    }

    fn udp(&mut self, at: f64, dir: Dir, payload: &[u8]) -> &mut Self {
        let (src, dst, sport, dport) = if dir == Dir::Orig { (A, B, 40_000, 9_999) } else { (B, A, 9_999, 40_000) };
        let mut bytes = Vec::new();
        PacketBuilder::ethernet2([2; 6], [4; 6]).ipv4(src, dst, 64).udp(sport, dport).write(&mut bytes, payload).expect("a datagram");
        self.frame(at, &bytes);
        self
    }

    fn handshake(&mut self) -> &mut Self {
        self.tcp(0.0, Dir::Orig, "S", b"").tcp(0.01, Dir::Resp, "SA", b"").tcp(0.02, Dir::Orig, "A", b"")
    }

    fn flows(&self, limits: Limits) -> Vec<Flow> {
        let mut packets = Vec::new();
        self.block.iter().for_each(|frame| decode::frame(frame, &mut packets));
        let mut table = Table::new(limits);
        let mut flows = table.packets(&packets, &self.block, self.block.frames.last().map(|frame| frame.ts_ns)).flows;
        table.finish(|batch| flows.extend(batch.flows));
        flows.sort_by_key(|flow| flow.id);
        flows
    }

    fn anomalies(&self) -> Vec<crate::model::anomaly::TcpAnomaly> {
        let mut packets = Vec::new();
        self.block.iter().for_each(|frame| decode::frame(frame, &mut packets));
        let events = Table::new(Limits::default()).packets(&packets, &self.block, None).events;
        let found = events.into_iter().filter_map(|at| if let crate::model::Event::TcpAnomaly(odd) = at.event { Some(*odd) } else { None });
        found.collect()
    }

    fn only(&self) -> Flow {
        let mut flows = self.flows(Limits::default());
        assert_eq!(flows.len(), 1, "{flows:#?}");
        flows.remove(0)
    }
}

fn said(flow: &Flow) -> (&str, &str, Option<u64>, Option<u64>) {
    (flow.conn_state, &flow.history, flow.orig.bytes, flow.resp.bytes)
}

#[test]
fn a_whole_connection_is_sf_and_its_bytes_come_from_sequence_numbers() {
    let mut tape = Tape::new();
    tape.handshake()
        .tcp(0.1, Dir::Orig, "PA", b"hello")
        .tcp(0.2, Dir::Resp, "A", b"")
        .tcp(0.3, Dir::Resp, "PA", b"good day")
        .tcp(0.4, Dir::Orig, "A", b"")
        .tcp(0.5, Dir::Orig, "FA", b"")
        .tcp(0.6, Dir::Resp, "FA", b"")
        .tcp(0.7, Dir::Orig, "A", b"");
    let flow = tape.only();
    assert_eq!(said(&flow), ("SF", "ShADadFf", Some(5), Some(8)));
    assert_eq!(flow.duration_ns, Some(600_000_000), "the last acknowledgement is not productive");
    assert_eq!((flow.orig.pkts, flow.resp.pkts), (6, 4));
    assert_eq!(flow.rtt_syn, Some(0.01));
}

#[test]
fn unanswered_refused_and_half_open_attempts_are_told_apart() {
    let mut syn = Tape::new();
    syn.tcp(0.0, Dir::Orig, "S", b"");
    assert_eq!(said(&syn.only()), ("S0", "S", None, None), "a single packet took no time and has no size");
    let mut refused = Tape::new();
    refused.tcp(0.0, Dir::Orig, "S", b"").tcp(0.01, Dir::Resp, "RA", b"");
    assert_eq!(said(&refused.only()), ("REJ", "Sr", Some(0), Some(0)));
    let mut half = Tape::new();
    half.tcp(0.0, Dir::Orig, "S", b"").tcp(0.01, Dir::Resp, "SA", b"").tcp(0.02, Dir::Orig, "R", b"");
    assert_eq!(said(&half.only()), ("RSTO", "ShR", Some(0), Some(0)));
}

#[test]
fn a_lone_reset_says_nothing_about_what_it_reset() {
    let mut tape = Tape::new();
    tape.tcp(0.0, Dir::Orig, "R", b"");
    assert_eq!(said(&tape.only()), ("OTH", "R", None, None));
}

#[test]
fn a_repeated_syn_after_the_attempt_timed_out_is_another_attempt() {
    let mut tape = Tape::new();
    tape.tcp(0.0, Dir::Orig, "S", b"").tcp_at(1.0, Dir::Orig, "S", b"", 1_000, 0).tcp_at(8.0, Dir::Orig, "S", b"", 1_000, 0);
    let flows = tape.flows(Limits::default());
    assert_eq!(flows.iter().map(|flow| (flow.first_frame, flow.orig.pkts)).collect::<Vec<_>>(), [(1, 2), (3, 1)]);
}

#[test]
fn retransmissions_and_holes_are_seen() {
    let mut tape = Tape::new();
    tape.handshake().tcp(0.1, Dir::Orig, "PA", b"hello");
    tape.tcp_at(0.4, Dir::Orig, "PA", b"hello", 1_001, 9_001);
    tape.seq[0] += 100;
    tape.tcp(0.5, Dir::Orig, "PA", b"later").tcp(0.6, Dir::Resp, "A", b"");
    let flow = tape.only();
    assert_eq!(flow.history, "ShADTaG");
    assert_eq!((flow.orig.missed_bytes, flow.orig.retrans, flow.orig.bytes), (100, 1, Some(110)));
}

#[test]
fn a_syn_after_a_refusal_or_with_another_number_is_another_attempt() {
    let mut refused = Tape::new();
    for at in [0.0, 0.5, 1.0] {
        refused.tcp_at(at, Dir::Orig, "S", b"", 1_000, 0).tcp_at(at + 0.05, Dir::Resp, "RA", b"", 0, 1_001);
    }
    let states: Vec<_> = refused.flows(Limits::default()).iter().map(|flow| (flow.conn_state, flow.orig.pkts)).collect();
    assert_eq!(states, [("REJ", 1); 3]);
    let mut renumbered = Tape::new();
    renumbered.handshake().tcp(0.1, Dir::Orig, "PA", b"hello").tcp_at(0.2, Dir::Orig, "S", b"", 700_000, 0);
    let states: Vec<_> = renumbered.flows(Limits::default()).iter().map(|flow| (flow.conn_state, flow.history.clone())).collect();
    assert_eq!(states, [("S1", "ShAD".into()), ("S0", "S".into())]);
}

#[test]
fn stragglers_of_a_closed_connection_belong_to_it_for_five_seconds() {
    let mut tape = Tape::new();
    tape.handshake().tcp(1.0, Dir::Resp, "RA", b"").tcp(1.2, Dir::Orig, "A", b"").tcp(5.9, Dir::Orig, "A", b"").tcp(
        6.1,
        Dir::Orig,
        "A",
        b"",
    );
    let ends: Vec<_> = tape.flows(Limits::default()).iter().map(|flow| (flow.conn_state, flow.orig.pkts, flow.end.name())).collect();
    assert_eq!(ends, [("RSTR", 4, "closed"), ("OTH", 1, "capture_end")]);
}

#[test]
fn a_side_that_resets_what_it_closed_ends_the_connection_at_once() {
    let mut tape = Tape::new();
    tape.handshake().tcp(1.0, Dir::Orig, "FA", b"").tcp(1.1, Dir::Orig, "R", b"").tcp(1.3, Dir::Resp, "PA", b"still talking");
    let ends: Vec<_> = tape.flows(Limits::default()).iter().map(|flow| (flow.conn_state, flow.history.clone())).collect();
    assert_eq!(ends, [("RSTO", "ShAFR".into()), ("OTH", "^d".into())]);
}

#[test]
fn what_one_side_acknowledges_of_a_side_that_was_not_captured_is_no_size() {
    let mut tape = Tape::new();
    tape.tcp(0.0, Dir::Orig, "S", b"").tcp_at(0.1, Dir::Orig, "A", b"", 1_001, 9_001);
    tape.tcp_at(0.2, Dir::Orig, "PA", b"hello", 1_001, 9_051).tcp_at(0.3, Dir::Orig, "FA", b"", 1_006, 9_051);
    assert_eq!(said(&tape.only()), ("SH", "SADF", Some(5), Some(0)));
}

#[test]
fn a_missed_syn_is_made_good_by_its_answer() {
    let mut tape = Tape::new();
    tape.seq[0] += 1;
    tape.tcp(0.0, Dir::Resp, "SA", b"").tcp(0.1, Dir::Orig, "A", b"").tcp(0.2, Dir::Orig, "PA", b"hello");
    let flow = tape.only();
    assert_eq!((flow.conn_state, flow.history.as_str(), flow.orig.bytes), ("S1", "^hAD", Some(5)));
}

#[test]
fn a_reset_after_both_sides_closed_changes_nothing() {
    let mut tape = Tape::new();
    tape.handshake().tcp(0.1, Dir::Resp, "FA", b"").tcp(0.2, Dir::Orig, "FA", b"").tcp(0.3, Dir::Resp, "R", b"");
    assert_eq!(said(&tape.only()), ("SF", "ShAfFr", Some(0), Some(0)));
}

#[test]
fn repeated_flags_are_written_again_only_with_another_number() {
    let mut tape = Tape::new();
    tape.handshake();
    for seq in [1_001, 1_001, 5_000] {
        tape.tcp_at(0.1, Dir::Orig, "R", b"", seq, 0);
    }
    assert_eq!(tape.only().history, "ShARR");
}

#[test]
fn payload_that_comes_with_a_fin_is_told_by_the_fin_alone() {
    let mut tape = Tape::new();
    tape.handshake().tcp(0.1, Dir::Orig, "FA", b"hello");
    assert_eq!(said(&tape.only()), ("S2", "ShAF", Some(5), Some(0)));
}

#[test]
fn holes_of_a_connection_joined_in_the_middle_are_no_missed_bytes_as_zeek_counts() {
    let mut tape = Tape::new();
    tape.tcp(0.0, Dir::Orig, "PA", b"hello").tcp(0.1, Dir::Resp, "A", b"");
    tape.seq[0] += 100;
    tape.tcp(0.2, Dir::Orig, "PA", b"later").tcp(0.3, Dir::Resp, "A", b"");
    let flow = tape.only();
    assert_eq!((flow.missed_bytes, flow.orig.missed_bytes, flow.orig.gaps, flow.history.as_str()), (0, 100, 1, "Da"));
}

#[test]
fn wrong_checksums_are_told_unless_every_one_is_wrong() {
    let spoil = |tape: &mut Tape, from: usize| {
        let FrameMeta { start, caplen, .. } = tape.block.frames[from];
        // The checksum stands at byte 16 of the TCP header, behind Ethernet and IPv4.
        tape.block.bytes[(start as usize + 14 + 20 + 16).min((start + caplen) as usize - 1)] ^= 0x55;
    };
    let mut one = Tape::new();
    one.handshake().tcp(0.1, Dir::Orig, "PA", b"hello");
    spoil(&mut one, 3);
    let flow = one.only();
    assert_eq!((flow.history.as_str(), flow.orig.bad_checksums, flow.orig.bytes), ("ShAC", 1, Some(5)), "noted, not dropped");
    let mut all = Tape::new();
    all.handshake().tcp(0.1, Dir::Orig, "PA", b"hello");
    [0, 2, 3].into_iter().for_each(|frame| spoil(&mut all, frame));
    let flow = all.only();
    assert_eq!((flow.history.as_str(), flow.orig.bad_checksums), ("ShAD", 3), "filled in behind the capture's back");
    let mut scan = Tape::new();
    scan.tcp(0.0, Dir::Orig, "S", b"");
    spoil(&mut scan, 0);
    assert_eq!(said(&scan.only()), ("S0", "S", None, None));
}

#[test]
fn hardware_addresses_of_both_ends_are_those_of_the_first_packet() {
    let mut tape = Tape::new();
    tape.tcp(0.0, Dir::Orig, "S", b"");
    let flow = tape.only();
    assert_eq!((flow.orig.mac, flow.resp.mac, flow.resp.pkts), (crate::model::Mac([2; 6]), crate::model::Mac([4; 6]), 0));
}

#[test]
fn other_bytes_in_the_same_place_are_a_third_hand() {
    let mut tape = Tape::new();
    tape.handshake().tcp(0.1, Dir::Resp, "PA", b"HTTP/1.1 302 Found");
    tape.tcp_at(0.11, Dir::Resp, "PA", b"HTTP/1.1 200 OK", 9_001, 1_001).tcp_at(0.2, Dir::Resp, "PA", b"HTTP/1.1 200 OK", 9_001, 1_001);
    let odd = tape.anomalies();
    assert_eq!(
        odd.iter().map(|odd| (odd.kind, odd.is_orig, odd.a.frame, odd.b.frame)).collect::<Vec<_>>()[0],
        ("overlap_diff", false, 4, 5)
    );
    assert_eq!((&odd[0].a.bytes[9..12], &odd[0].b.bytes[9..12]), (&b"302"[..], &b"200"[..]));
    let mut repeated = Tape::new();
    repeated.handshake().tcp(0.1, Dir::Resp, "PA", b"same").tcp_at(0.4, Dir::Resp, "PA", b"same and more", 9_001, 1_001);
    assert_eq!(repeated.anomalies(), [], "a repetition is no contradiction");
}

#[test]
fn who_goes_on_after_a_reset_or_answers_twice_is_not_alone() {
    let mut reset = Tape::new();
    reset.handshake().tcp(0.1, Dir::Resp, "R", b"").tcp(0.2, Dir::Resp, "PA", b"here I am");
    let mut twice = Tape::new();
    twice.tcp(0.0, Dir::Orig, "S", b"").tcp(0.1, Dir::Resp, "SA", b"").tcp_at(0.11, Dir::Resp, "SA", b"", 77_777, 1_001);
    let kinds = |tape: &Tape| tape.anomalies().iter().map(|odd| (odd.kind, odd.a.frame, odd.b.frame)).collect::<Vec<_>>();
    assert_eq!((kinds(&reset), kinds(&twice)), (vec![("rst_race", 4, 5)], vec![("synack_diff_isn", 2, 3)]));
}

#[test]
fn an_open_flow_is_small() {
    // A SYN and its refusal: these two and a packet's look; the key stands in the table and in the calendar.
    let refused = size_of::<open::Open>() + size_of::<body::TcpBody>() + size_of::<shape::Shape>() + 2 * size_of::<key::Key>();
    assert!(refused <= 1_400, "{} {} {}", size_of::<open::Open>(), size_of::<body::TcpBody>(), size_of::<shape::Shape>());
}

#[test]
fn a_connection_joined_in_the_middle_is_turned_round_by_its_server_port() {
    let mut tape = Tape::new();
    tape.tcp(0.0, Dir::Resp, "PA", b"from the server").tcp(0.1, Dir::Orig, "A", b"");
    let flow = tape.only();
    assert_eq!((flow.resp_p, flow.conn_state, flow.midstream, flow.history.as_str()), (80, "OTH", true, "^dA"));
}

#[test]
fn datagrams_after_a_minute_of_silence_are_another_flow() {
    let mut tape = Tape::new();
    tape.udp(0.0, Dir::Orig, b"ask").udp(0.5, Dir::Resp, b"answer").udp(61.0, Dir::Orig, b"ask").udp(60.9, Dir::Orig, b"late");
    let flows = tape.flows(Limits::default());
    let states: Vec<_> = flows.iter().map(|flow| (flow.conn_state, flow.orig.bytes, flow.resp.bytes)).collect();
    assert_eq!(states, [("SF", Some(3), Some(6)), ("S0", None, None)]);
}

#[test]
fn copies_of_a_packet_count_as_packets_but_not_as_behaviour() {
    let mut tape = Tape::new();
    tape.handshake().tcp(0.1, Dir::Orig, "PA", b"hello");
    let copy = tape.block.frame(3).bytes.to_vec();
    tape.frame(0.1001, &copy);
    let flow = tape.only();
    assert_eq!((flow.orig.pkts, flow.orig.dup_pkts, flow.len.n), (4, 1, 4));
}

#[test]
fn a_full_table_writes_out_the_idlest_flows_and_says_so() {
    let mut tape = Tape::new();
    for n in 0..2_000u32 {
        let mut bytes = Vec::new();
        let src = [10, 1, (n >> 8) as u8, n as u8];
        PacketBuilder::ethernet2([2; 6], [4; 6]).ipv4(src, B, 64).udp(5_000, 6_000).write(&mut bytes, b"x").expect("a datagram");
        tape.frame(f64::from(n) * 0.001, &bytes);
    }
    let flows = tape.flows(Limits { flows: 640, ..Limits::default() });
    assert_eq!(flows.len(), 2_000);
    let evicted = flows.iter().filter(|flow| flow.end.name() == "memory").count();
    assert!((1_000..2_000).contains(&evicted), "{evicted}");
}

#[test]
fn what_is_open_is_told_as_it_would_end_now_and_goes_on_unchanged() {
    let mut tape = Tape::new();
    tape.handshake().tcp(0.1, Dir::Orig, "PA", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").udp(0.2, Dir::Orig, b"x").udp(0.3, Dir::Resp, b"yy");
    tape.tcp(0.4, Dir::Resp, "PA", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").tcp(0.5, Dir::Orig, "A", b"");
    let mut packets = Vec::new();
    tape.block.iter().for_each(|frame| decode::frame(frame, &mut packets));
    let mut table = Table::new(Limits::default());
    table.packets(&packets, &tape.block, Some(SECOND));
    let mut so_far = || {
        let mut flows = Vec::new();
        table.so_far(|part| {
            flows.extend(part);
            true
        });
        flows.sort_by_key(|flow: &Flow| flow.id);
        flows
    };
    let (open, again) = (so_far(), so_far());
    assert_eq!((open.len(), &open), (2, &again), "a look changes nothing");
    assert_eq!(open, tape.flows(Limits::default()), "as if the capture ended here");
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let mut tape = Tape::new();
    for n in 0..500u16 {
        let at = f64::from(n) * 0.37;
        tape.tcp_at(
            at,
            if n % 3 == 0 { Dir::Resp } else { Dir::Orig },
            ["S", "A", "PA", "FA", "R"][usize::from(n % 5)],
            b"abc",
            u32::from(n) * 3,
            7,
        );
        tape.udp(at, if n % 2 == 0 { Dir::Orig } else { Dir::Resp }, &[n as u8; 9]);
    }
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.install(|| format!("{:?}", tape.flows(Limits::default())))
    };
    assert_eq!(run(1), run(8));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn no_sequence_of_segments_breaks_the_table_and_every_packet_is_counted(
        steps in proptest::collection::vec((any::<bool>(), 0u8..64, any::<u32>(), any::<u32>(), 0usize..30, any::<bool>(), 0.0..400.0f64), 1..60)
    ) {
        let mut tape = Tape::new();
        for (orig, bits, seq, ack, len, near, at) in steps {
            let flags: String = "SAFRP".chars().enumerate().filter(|(bit, _)| bits >> bit & 1 == 1).map(|(_, c)| c).collect();
            let (seq, ack) = if near { (seq % 200, ack % 200) } else { (seq, ack) };
            tape.tcp_at(at, if orig { Dir::Orig } else { Dir::Resp }, &flags, &vec![b'x'; len], seq, ack);
        }
        let flows = tape.flows(Limits { stream_bytes: 40, ..Limits::default() });
        let counted: u64 = flows.iter().map(|flow| flow.orig.pkts + flow.resp.pkts).sum();
        prop_assert_eq!(counted, tape.block.frames.len() as u64);
    }
}

#[test]
fn how_ip_identifications_go_on_is_told_per_side() {
    let mut tape = Tape::new();
    tape.handshake().tcp(0.1, Dir::Orig, "PA", b"hello");
    let flow = tape.only();
    assert_eq!((flow.orig.ip_ids, flow.resp.ip_ids), (Some(crate::model::flow::IpIds::Rising), None));
}
