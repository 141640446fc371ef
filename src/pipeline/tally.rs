//! Every frame read is counted: understood, or not and why. Nothing is dropped silently.

use super::ingest::oddity;
use crate::decode::Defragmenter;
use crate::model::packet::{Net, Stop, Transport};
use crate::model::report::Bucket;
use crate::model::{AppEvent, Block, Flow, Packet, Ts, time::SECOND};
use crate::store::{PacketsSummary, StatisticsRow};
use std::collections::{BTreeMap, HashMap};

/// Buckets of time that are kept; with more, they are made wider.
const MOST_BUCKETS: usize = 4_096;
/// Widths of a bucket, seconds.
const WIDTHS: [i64; 9] = [1, 10, 60, 300, 1_800, 7_200, 43_200, 604_800, 31_536_000];

/// What became of frames.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Fate {
    /// Evidence file.
    pub capture: u32,
    /// Layer reached: `tcp`, `udp`, `icmp`, `arp`, `fragment` when understood; else where reading ended.
    pub layer: &'static str,
    /// Empty when understood; else why not.
    pub why: &'static str,
    /// The number that was not understood.
    pub number: u32,
}

/// How many frames and bytes met a fate, and the first of them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sum {
    /// Frames.
    pub frames: u64,
    /// Bytes on the wire.
    pub bytes: u64,
    first_frame: u64,
    first_ns: Ts,
}

/// Counts of the whole case.
#[derive(Debug, Default)]
pub struct Tally {
    fates: HashMap<Fate, Sum, ahash::RandomState>,
    /// Where reading ended inside of tunnels, and tunnels without anything inside. Their frames have a fate already.
    inside: HashMap<Fate, Sum, ahash::RandomState>,
    buckets: BTreeMap<i64, Bucket>,
    width: usize,
    last_frame: u64,
}

impl Tally {
    /// Counts the packets of a block: each frame once, by its outermost packet. They must come as decoded, in the order of their frames,
    /// before fragments are put together.
    pub fn block(&mut self, block: &Block, packets: &[Packet]) {
        for packet in packets {
            let outermost = packet.frame > self.last_frame;
            if outermost {
                self.last_frame = packet.frame;
                self.note(fate(packet), packet.wire_len, packet.frame, packet.ts_ns);
            }
            if let Some(Stop { layer, why, number, .. }) = packet.stop.filter(|stop| !outermost || stop.why.ends_with("_empty_packet")) {
                let fate = Fate { capture: packet.capture, layer, why, number };
                add(&mut self.inside, fate, packet.wire_len, packet.frame, packet.ts_ns);
            }
        }
        for frame in &block.frames {
            let bucket = self.bucket(frame.ts_ns);
            bucket.frames += 1;
            bucket.bytes += u64::from(frame.wire_len);
        }
    }

    /// Counts frames that the user's filter left out.
    pub fn filtered(&mut self, block: &Block, wanted: &[bool]) {
        for (frame, _) in block.frames.iter().zip(wanted).filter(|(_, wanted)| !**wanted) {
            let fate = Fate { capture: frame.capture, layer: "filter", why: "left_out_by_filter", number: 0 };
            self.note(fate, frame.wire_len, frame.number, frame.ts_ns);
        }
    }

    /// What was counted since the last page, which then starts anew; frames are still counted once.
    pub fn turn_page(&mut self) -> Self {
        let next = Self { last_frame: self.last_frame, ..Self::default() };
        std::mem::replace(self, next)
    }

    /// Rows of `packets_summary`.
    pub fn summary(&self) -> Vec<PacketsSummary> {
        let row = |(fate, sum): (Fate, Sum)| PacketsSummary {
            capture: fate.capture,
            layer: fate.layer.into(),
            reason: fate.why.into(),
            number: (fate.number != 0).then_some(fate.number),
            frames: sum.frames,
            bytes: sum.bytes,
        };
        self.fates().into_iter().map(row).collect()
    }

    /// Rows of `statistics`.
    pub fn statistics(&self) -> Vec<StatisticsRow> {
        let (bucket_ns, buckets) = self.traffic();
        let row = |(ts_ns, bucket): (Ts, Bucket)| StatisticsRow {
            ts_ns,
            bucket_ns,
            frames: bucket.frames,
            bytes: bucket.bytes,
            flows: bucket.flows,
        };
        buckets.into_iter().map(row).collect()
    }

    /// Counts flows by the time they began.
    pub fn flows(&mut self, flows: &[Flow]) {
        for flow in flows {
            self.bucket(flow.ts_ns).flows += 1;
        }
    }

    /// Fates in a fixed order.
    pub fn fates(&self) -> Vec<(Fate, Sum)> {
        let mut fates: Vec<_> = self.fates.iter().map(|(fate, sum)| (*fate, *sum)).collect();
        fates.sort_by_key(|(fate, _)| *fate);
        fates
    }

    /// Rows of `weird` for what was not understood: one per reason.
    pub fn oddities(&self) -> Vec<AppEvent> {
        let mut inside: Vec<_> = self.inside.iter().map(|(fate, sum)| (*fate, *sum)).collect();
        inside.sort_by_key(|(fate, _)| *fate);
        let fates = self.fates().into_iter().filter(|(fate, _)| !fate.why.is_empty() && fate.layer != "filter");
        fates
            .chain(inside)
            .map(|(fate, sum)| oddity(sum.first_frame, sum.first_ns, fate.why, format!("{} {}", fate.layer, fate.number), sum.frames))
            .collect()
    }

    /// Width of the buckets, nanoseconds, and the buckets by their start.
    pub fn traffic(&self) -> (i64, Vec<(Ts, Bucket)>) {
        let width = WIDTHS[self.width] * SECOND;
        (width, self.buckets.iter().map(|(index, bucket)| (index.saturating_mul(width), *bucket)).collect())
    }

    fn note(&mut self, fate: Fate, wire_len: u32, frame: u64, ts_ns: Ts) {
        add(&mut self.fates, fate, wire_len, frame, ts_ns);
    }

    fn bucket(&mut self, ts: Ts) -> &mut Bucket {
        let index = ts.div_euclid(WIDTHS[self.width] * SECOND);
        if self.buckets.len() >= MOST_BUCKETS && !self.buckets.contains_key(&index) && self.width + 1 < WIDTHS.len() {
            self.widen();
            return self.bucket(ts);
        }
        self.buckets.entry(index).or_default()
    }

    fn widen(&mut self) {
        let before = WIDTHS[self.width] * SECOND;
        self.width += 1;
        let after = WIDTHS[self.width] * SECOND;
        for (index, old) in std::mem::take(&mut self.buckets) {
            let bucket = self.buckets.entry(index.saturating_mul(before).div_euclid(after)).or_default();
            bucket.frames += old.frames;
            bucket.bytes += old.bytes;
            bucket.flows += old.flows;
        }
    }
}

fn add(sums: &mut HashMap<Fate, Sum, ahash::RandomState>, fate: Fate, wire_len: u32, frame: u64, ts_ns: Ts) {
    let sum = sums.entry(fate).or_insert(Sum { first_frame: frame, first_ns: ts_ns, ..Sum::default() });
    sum.frames += 1;
    sum.bytes += u64::from(wire_len);
}

fn fate(packet: &Packet) -> Fate {
    let understood = |layer| Fate { capture: packet.capture, layer, why: "", number: 0 };
    match (&packet.net, &packet.transport) {
        (Net::Arp(_), _) => understood("arp"),
        (Net::Control(kind), _) => understood(kind.name()),
        // Put aside until its siblings are there.
        _ if Defragmenter::wants(packet) => understood("fragment"),
        (_, Transport::Tcp(_)) => understood("tcp"),
        (_, Transport::Udp(_)) => understood("udp"),
        (_, Transport::Icmp(_)) => understood("icmp"),
        (_, Transport::Sctp(_)) => understood("sctp"),
        _ if packet.carries.is_some() => understood("tunnel"),
        // A flow without ports: whatever it is, it is told by its number.
        (Net::Ip(ip), Transport::None) if packet.stop.is_none() => {
            Fate { capture: packet.capture, layer: "other", why: "", number: u32::from(ip.proto) }
        }
        _ => packet.stop.map_or(Fate { capture: packet.capture, layer: "network", why: "no_transport", number: 0 }, |stop| Fate {
            capture: packet.capture,
            layer: stop.layer,
            why: stop.why,
            number: stop.number,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_capture_gets_wider_buckets_and_loses_no_frame() {
        let mut tally = Tally::default();
        for second in 0..100_000 {
            tally.bucket(second * SECOND).frames += 1;
        }
        let (width, buckets) = tally.traffic();
        assert!(buckets.len() <= MOST_BUCKETS);
        assert_eq!(width, 60 * SECOND);
        assert_eq!(buckets.iter().map(|(_, bucket)| bucket.frames).sum::<u64>(), 100_000);
    }

    #[test]
    fn what_is_wrong_in_a_tunnel_is_told_and_its_frame_counted_once() {
        let packet = |layer: u8, why: &'static str| {
            let meta = crate::model::FrameMeta {
                number: 1,
                in_file: 1,
                offset: 0,
                ts_ns: 5,
                capture: 0,
                caplen: 60,
                wire_len: 60,
                start: 0,
                link: crate::model::LinkType::RAW,
            };
            let udp = Transport::Udp(crate::model::packet::Udp { sport: 1, dport: 2, checksum_ok: None });
            let stop = Some(Stop { layer: "transport", why, offset: 0, number: 4 });
            Packet { layer, transport: udp, stop, ..Packet::new(&meta) }
        };
        for packets in [vec![packet(0, "vxlan_empty_packet")], vec![packet(0, "truncated_IP"), packet(1, "exceeded_tunnel_max_depth")]] {
            let mut tally = Tally::default();
            tally.block(&Block::default(), &packets);
            let frames: u64 = tally.fates().iter().map(|(_, sum)| sum.frames).sum();
            let said = tally.oddities().into_iter().filter_map(|at| match at.event {
                crate::model::Event::Weird(weird) => Some((weird.name, weird.count)),
                _ => None,
            });
            let why = packets.last().and_then(|packet| packet.stop).map(|stop| stop.why.to_string());
            assert_eq!((frames, said.collect::<Vec<_>>()), (1, why.map(|why| (why, 1)).into_iter().collect()));
        }
    }

    #[test]
    fn times_before_the_epoch_and_at_the_end_of_the_range_have_a_bucket() {
        let mut tally = Tally::default();
        for ts in [i64::MIN, -1, 0, i64::MAX] {
            tally.bucket(ts).frames += 1;
        }
        assert_eq!(tally.traffic().1.len(), 4);
    }
}
