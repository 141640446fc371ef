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
        flows.extend(table.finish().flows);
        flows.sort_by_key(|flow| flow.id);
        flows
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
