//! Segments in any order, overlapping, lost, snapped: the bytes of a stream come in order and once, gaps are counted, caps are kept.
//! The same segments go into a flow table as packets: each is counted once, in one flow.
//!
//! Input: cap (2 bytes), sequence number (4), then segments of 8 bytes: kind, place (2), length (2), acknowledged (2), pause in 50 ms.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::collections::BTreeSet;
use vigil::flow::stream::{Piece, Segment, Stream};
use vigil::flow::{Batch, Table};
use vigil::model::packet::{Ip, Net, Payload, Tcp, Transport, tcp_flags};
use vigil::model::{Block, Flow, Limits, LinkType, Packet};
use vigil_fuzz::{Bytes, push, stay_on_this_thread};

/// Packets after which a block ends.
const BLOCK: usize = 24;

/// One segment as the fuzzer wants it.
#[derive(Clone, Copy)]
struct Step {
    /// Bit 0: direction. Bits 1-3: [`Step::flags`]. Bit 4: other bytes than the rest. Bit 5: snapped. Bits 6-7: which connection.
    kind: u8,
    place: u16,
    len: u16,
    ack: u16,
    pause: u8,
}

fuzz_target!(init: stay_on_this_thread(), |data: &[u8]| {
    let mut data = Bytes(data);
    let (Some(cap), Some(start)) = (data.u16(), data.u32()) else { return };
    let mut steps = Vec::new();
    while let (Some(kind), Some(place), Some(len), Some(ack), Some(pause)) = (data.u8(), data.u16(), data.u16(), data.u16(), data.u8()) {
        steps.push(Step { kind, place, len: len % 2_048, ack, pause });
    }
    stream(usize::from(cap), start, &steps);
    table(usize::from(cap), start, &steps);
});

impl Step {
    fn dir(&self) -> u8 {
        self.kind & 1
    }

    fn flags(&self) -> u16 {
        use tcp_flags::{ACK, FIN, PSH, RST, SYN};
        [ACK, ACK | PSH, ACK, 0, FIN | ACK, SYN, SYN | ACK, RST][usize::from(self.kind >> 1 & 7)]
    }

    fn seq(&self, start: u32) -> u32 {
        // The last eighth of all places lies before the beginning.
        start.wrapping_add_signed(if self.place >= 0xe000 { i32::from(self.place as i16) } else { i32::from(self.place) })
    }

    /// The time after `ts_ns`: a little later, or, for the last values, at the ends of all time.
    fn after(&self, ts_ns: i64) -> i64 {
        match self.pause {
            254 => i64::MIN,
            255 => i64::MAX,
            pause => ts_ns.saturating_add(i64::from(pause) * 50_000_000),
        }
    }

    fn bytes(&self, start: u32) -> Vec<u8> {
        let len = if self.kind & 0x20 != 0 { self.len / 2 } else { self.len };
        let other = if self.kind & 0x10 != 0 { OTHER } else { 0 };
        (0..u32::from(len)).map(|at| byte(self.seq(start).wrapping_add(at)) ^ other).collect()
    }
}

/// Turns a byte into one that contradicts it.
const OTHER: u8 = 0x80;

/// The byte at a sequence number.
fn byte(seq: u32) -> u8 {
    (seq.wrapping_mul(0x9e37_79b1) >> 25) as u8
}

/// One direction alone: what it hands on must be the bytes of their places.
fn stream(cap: usize, start: u32, steps: &[Step]) {
    let mut stream = Stream::default();
    stream.begin(start);
    let (mut at, mut gaps, mut sent, mut acked) = (0u64, 0u64, 0u64, 0u64);
    let contradicted = steps.iter().any(|step| step.kind & 0x10 != 0);
    let mut check = |piece: Piece<'_>| match piece {
        Piece::Bytes { bytes, cut, .. } => {
            for (n, got) in bytes.iter().enumerate() {
                let right = byte(start.wrapping_add((at + n as u64) as u32));
                assert!(*got == right || contradicted && *got == right ^ OTHER, "byte {} of the stream", at + n as u64);
            }
            at += bytes.len() as u64 + u64::from(cut);
        }
        Piece::Gap(missing) => {
            assert!(missing > 0);
            (at, gaps) = (at + missing, gaps + missing);
        }
    };
    for (n, step) in steps.iter().enumerate() {
        let (seq, bytes) = (step.seq(start), step.bytes(start));
        let end = i64::from(seq.wrapping_sub(start) as i32) + i64::from(step.len);
        match step.kind >> 1 & 7 {
            0..=2 => {
                if step.len > 0 {
                    sent = sent.max(end.max(0) as u64);
                }
                let segment = Segment { seq, bytes: &bytes, len: u32::from(step.len), frame: n as u64, ts_ns: 0 };
                stream.take(segment, step.kind & 0x40 == 0, cap, &mut check);
                assert!(stream.held_bytes() <= cap, "{} of {cap} bytes are held", stream.held_bytes());
            }
            3 | 4 => {
                acked = acked.max(u64::from(step.ack));
                stream.acknowledged(start.wrapping_add(u32::from(step.ack)), &mut check);
            }
            _ => {
                stream.ends_at(seq);
                stream.just_ended();
            }
        }
    }
    stream.finish(&mut check);
    assert_eq!(stream.held_bytes(), 0);
    assert_eq!(stream.missed, gaps);
    assert!(at >= sent && at <= sent.max(acked), "{at} bytes of {sent} sent and {acked} acknowledged");
}

/// All directions in a table with small caps.
fn table(cap: usize, start: u32, steps: &[Step]) {
    let limits = Limits { flows: 128, stream_bytes: cap, reassembly_bytes: 64 * cap, dissect_bytes: 4 << 10, ..Limits::default() };
    let mut table = Table::new(limits);
    let (mut flows, mut number, mut ts_ns) = (Vec::<Flow>::new(), 0, 0i64);
    for part in steps.chunks(BLOCK) {
        let (mut block, mut packets) = (Block::default(), Vec::new());
        for step in part {
            (number, ts_ns) = (number + 1, step.after(ts_ns));
            push(&mut block, number, ts_ns, LinkType::RAW, usize::from(step.len) + 40, &step.bytes(start));
            packets.push(packet(&block, step, start));
        }
        let batch: Batch = table.packets(&packets, &block, Some(ts_ns));
        assert!(batch.flow_of.iter().all(Option::is_some));
        assert!(table.open_flows() <= 128);
        flows.extend(batch.flows);
    }
    table.finish(|batch| flows.extend(batch.flows));
    let ids: BTreeSet<_> = flows.iter().map(|flow| flow.id).collect();
    assert_eq!((ids.len(), table.open_flows()), (flows.len(), 0));
    let counted: u64 = flows.iter().map(|flow| flow.orig.pkts + flow.resp.pkts).sum();
    assert_eq!(counted, steps.len() as u64);
    for side in flows.iter().flat_map(|flow| [&flow.orig, &flow.resp]) {
        assert!(side.missed_bytes <= 1 << 32, "{} bytes missed by {} packets", side.missed_bytes, side.pkts);
        assert!(side.dup_pkts <= side.pkts && side.data_pkts <= side.pkts);
    }
}

fn packet(block: &Block, step: &Step, start: u32) -> Packet {
    let frame = block.frame(block.frames.len() - 1);
    let host = |last| [192, 0, 2, last].into();
    let (src, dst) = if step.dir() == 0 { (host(1), host(2)) } else { (host(2), host(1)) };
    let port = 40_000 + u16::from(step.kind >> 6);
    let (sport, dport) = if step.dir() == 0 { (port, 80) } else { (80, port) };
    let total_len = u32::from(step.len) + 40;
    let mut packet = Packet::new(frame.meta);
    packet.net =
        Net::Ip(Ip { src, dst, proto: 6, ttl: 64, tos: 0, id: u32::from(step.ack), total_len, fragment: None, checksum_ok: Some(true) });
    packet.transport = Transport::Tcp(Tcp {
        sport,
        dport,
        seq: step.seq(start),
        ack: start.wrapping_add(u32::from(step.ack)),
        flags: step.flags(),
        window: step.ack,
        urgent: 0,
        mss: 0,
        wscale: None,
        option_kinds: [0; 12],
        checksum_ok: Some(true),
    });
    packet.payload = Payload::Frame(0..frame.bytes.len() as u32);
    packet.payload_len = u32::from(step.len);
    packet
}
