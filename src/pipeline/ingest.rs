//! One block of frames through decode, fragments, flows: what comes out is ready to be stored.

use super::tally::Tally;
use crate::capture::filter::Filter;
use crate::decode::{self, Defragmenter};
use crate::dissect::arp;
use crate::flow::Table;
use crate::model::event::Weird;
use crate::model::packet::Net;
use crate::model::{AppEvent, Block, CapHit, Event, Flow, FlowId, FrameMeta, Limits, Packet, Ts};
use rayon::prelude::*;

/// Frames that one task decodes: enough to be worth a task, few enough to share.
const FRAMES_PER_TASK: usize = 512;

/// The state of the lower storey between blocks.
pub struct Ingest {
    table: Table,
    fragments: Defragmenter,
    filter: Option<Filter>,
    /// What was counted so far.
    pub tally: Tally,
}

/// What a block led to, in the order in which it is stored.
#[derive(Default)]
pub struct Step {
    /// Flows that ended.
    pub flows: Vec<Flow>,
    /// Events.
    pub events: Vec<AppEvent>,
    /// The packet index of this block.
    pub packets: Vec<IndexRow>,
}

/// A line of the packet index.
#[derive(Clone, Debug)]
pub struct IndexRow {
    /// Where the frame lies.
    pub meta: FrameMeta,
    /// Its outermost flow.
    pub flow: Option<FlowId>,
    /// Flows inside of that.
    pub inner: Vec<FlowId>,
}

impl Ingest {
    /// Nothing seen yet.
    pub fn new(limits: &Limits, filter: Option<Filter>) -> Self {
        Self { table: Table::new(limits.clone()), fragments: Defragmenter::new(limits), filter, tally: Tally::default() }
    }

    /// Takes one block.
    pub fn block(&mut self, block: &Block) -> Step {
        let packets = self.decode(block);
        self.tally.block(block, &packets);
        let packets = self.join_fragments(packets, block);
        let now = block.frames.last().map(|frame| frame.ts_ns);
        let batch = self.table.packets(&packets, block, now);
        let mut events = batch.events;
        let spoken = packets.iter().filter_map(|packet| match &packet.net {
            Net::Arp(said) => Some(arp::message(packet, said)),
            _ => None,
        });
        events.extend(spoken);
        events.extend(self.fragment_oddities());
        events.sort_by_key(|event| (event.frame, event.conn.map(|conn| conn.flow)));
        self.tally.flows(&batch.flows);
        Step { flows: batch.flows, events, packets: index(block, &packets, &batch.flow_of) }
    }

    /// Ends everything that is still open, in several steps.
    pub fn finish(&mut self, mut take: impl FnMut(Step)) {
        self.fragments.flush();
        let mut events = self.fragment_oddities();
        events.extend(self.tally.oddities());
        events.sort_by_key(|event| event.frame);
        take(Step { events, ..Step::default() });
        let Self { table, tally, .. } = self;
        table.finish(|batch| {
            tally.flows(&batch.flows);
            take(Step { flows: batch.flows, events: batch.events, packets: Vec::new() });
        });
    }

    /// Flows open now.
    pub fn open_flows(&self) -> u64 {
        self.table.open_flows() as u64
    }

    /// Caps that were reached.
    pub fn caps(&self) -> Vec<CapHit> {
        self.table.caps().into_iter().chain(self.fragments.cap_hit()).collect()
    }

    fn decode(&mut self, block: &Block) -> Vec<Packet> {
        let wanted: Option<Vec<bool>> = self.filter.as_mut().map(|filter| block.iter().map(|frame| filter.keeps(&frame)).collect());
        if let Some(wanted) = &wanted {
            self.tally.filtered(block, wanted);
        }
        let frames: Vec<usize> = (0..block.frames.len()).collect();
        let parts: Vec<Vec<Packet>> = frames
            .par_chunks(FRAMES_PER_TASK)
            .map(|chunk| {
                let mut packets = Vec::with_capacity(chunk.len());
                for &index in chunk.iter().filter(|index| wanted.as_ref().is_none_or(|wanted| wanted[**index])) {
                    decode::frame(block.frame(index), &mut packets);
                }
                packets
            })
            .collect();
        let mut packets = Vec::with_capacity(parts.iter().map(Vec::len).sum());
        parts.into_iter().for_each(|part| packets.extend(part));
        packets
    }

    /// Fragments become whole datagrams in one thread: siblings may belong to any shard.
    fn join_fragments(&mut self, packets: Vec<Packet>, block: &Block) -> Vec<Packet> {
        if let Some(last) = block.frames.last() {
            self.fragments.expire(last.ts_ns);
        }
        if !packets.iter().any(Defragmenter::wants) {
            return packets;
        }
        let first = block.frames.first().map_or(0, |frame| frame.number);
        let mut whole = Vec::with_capacity(packets.len());
        for packet in packets {
            if Defragmenter::wants(&packet) {
                let bytes = block.frame((packet.frame - first) as usize).bytes;
                whole.extend(self.fragments.push(packet, bytes));
            } else {
                whole.push(packet);
            }
        }
        whole
    }

    fn fragment_oddities(&mut self) -> Vec<AppEvent> {
        let weirds = self.fragments.take_weirds().into_iter();
        let weirds =
            weirds.map(|weird| oddity(weird.frame, weird.ts_ns, weird.name, format!("{} > {}", weird.src, weird.dst), weird.count));
        weirds.chain(self.fragments.take_rows()).collect()
    }
}

/// A row of `weird` that belongs to no flow.
pub fn oddity(frame: u64, ts_ns: Ts, name: &str, addl: String, count: u64) -> AppEvent {
    AppEvent { conn: None, frame, ts_ns, event: Event::Weird(Box::new(Weird { name: name.into(), addl, source: "decode", count })) }
}

fn index(block: &Block, packets: &[Packet], flow_of: &[Option<FlowId>]) -> Vec<IndexRow> {
    let first = block.frames.first().map_or(0, |frame| frame.number);
    let mut rows: Vec<IndexRow> = block.frames.iter().map(|meta| IndexRow { meta: *meta, flow: None, inner: Vec::new() }).collect();
    for (packet, flow) in packets.iter().zip(flow_of) {
        let (Some(row), Some(flow)) = (rows.get_mut((packet.frame - first) as usize), flow) else { continue };
        if row.flow.is_none() {
            row.flow = Some(*flow);
        } else {
            row.inner.push(*flow);
        }
    }
    rows
}
