//! One block of frames through decode, fragments, flows: what comes out is ready to be stored.

use super::tally::Tally;
use crate::capture::filter::Filter;
use crate::decode::{self, Defragmenter, FragmentWeird};
use crate::dissect::{arp, dhcp::Transactions, link_control, ranges::Ranges, transfers::Transfers};
use crate::flow::Table;
use crate::model::event::Weird;
use crate::model::packet::Net;
use crate::model::{AppEvent, Block, CapHit, Event, Flow, FlowId, FrameMeta, Limits, Packet, Ts};
use crate::store::PacketRow;
use rayon::prelude::*;
use smallvec::SmallVec;

/// Frames that one task decodes: enough to be worth a task, few enough to share.
const FRAMES_PER_TASK: usize = 512;

/// The state of the lower storey between blocks.
pub struct Ingest {
    desk: Desk,
    decoder: Decoder,
    /// The block that was decoded last and goes to the flow table next.
    decoded: Option<Decoded>,
    /// What was counted so far.
    pub tally: Tally,
}

/// What keeps packets in mind from block to block.
struct Desk {
    table: Table,
    fragments: Defragmenter,
    leases: Transactions,
    transfers: Transfers,
    ranges: Ranges,
    arps: arp::Exchanges,
    devices: link_control::Devices,
}

/// A block with its packets.
struct Decoded {
    block: Block,
    packets: Vec<Packet>,
    /// Which frames the user's filter keeps, if there is one.
    wanted: Option<Vec<bool>>,
}

/// What a block led to, in the order in which it is stored.
#[derive(Default)]
pub struct Step {
    /// Flows that ended.
    pub flows: Vec<Flow>,
    /// Events.
    pub events: Vec<AppEvent>,
    /// The packet index of this block.
    pub packets: Vec<PacketRow>,
}

impl Ingest {
    /// Nothing seen yet.
    pub fn new(limits: &Limits, filter: Option<Filter>) -> Self {
        let desk = Desk {
            table: Table::new(limits.clone()),
            fragments: Defragmenter::new(limits),
            leases: Transactions::default(),
            transfers: Transfers::default(),
            ranges: Ranges::default(),
            arps: arp::Exchanges::default(),
            devices: link_control::Devices::default(),
        };
        Self { desk, decoder: Decoder { filter, ..Decoder::default() }, decoded: None, tally: Tally::default() }
    }

    /// Takes one block and decodes it, while the one before goes to the flow table: that one comes back with what it led to.
    pub fn block(&mut self, block: Option<Block>) -> (Step, Option<Block>) {
        let Self { desk, decoder, decoded, tally } = self;
        let before = decoded.take();
        let flowed = || before.map(|mut before| (desk.flow(tally, &mut before), before));
        let (now, flowed) = rayon::join(|| block.map(|block| decoder.block(block)), flowed);
        *decoded = now;
        let Some((step, Decoded { block, packets, .. })) = flowed else { return Default::default() };
        decoder.spare = packets;
        (step, Some(block))
    }

    /// Ends everything that is still open, in several steps.
    pub fn finish(&mut self, mut take: impl FnMut(Step)) {
        let Self { desk, tally, .. } = self;
        desk.fragments.flush();
        let mut events = fragment_oddities(&mut desk.fragments);
        events.extend(tally.oddities());
        events.extend(desk.leases.finish());
        events.sort_by_key(|event| event.frame);
        take(Step { events, ..Step::default() });
        let Desk { table, transfers, ranges, .. } = desk;
        table.finish(|mut batch| {
            tally.flows(&batch.flows);
            transfers.gather(&mut batch.events, None);
            ranges.gather(&mut batch.events, None);
            take(Step { flows: batch.flows, events: batch.events, packets: Vec::new() });
        });
        let rest = transfers.finish().into_iter().chain(ranges.finish()).collect();
        take(Step { events: rest, ..Step::default() });
    }

    /// Open flows as they stand, in parts, while `take` wants more. The block that waits for its turn is not in them.
    pub fn so_far(&mut self, take: impl FnMut(Vec<Flow>) -> bool) {
        self.desk.table.so_far(take);
    }

    /// Ends a page of the count of frames: what was counted since the last one, and the oddities in it.
    pub fn turn_page(&mut self) -> (Tally, Vec<AppEvent>) {
        let page = self.tally.turn_page();
        let mut events = page.oddities();
        events.sort_by_key(|event| event.frame);
        (page, events)
    }

    /// Flows open now.
    pub fn open_flows(&self) -> u64 {
        self.desk.table.open_flows() as u64
    }

    /// Caps that were reached.
    pub fn caps(&self) -> Vec<CapHit> {
        self.desk.table.caps().into_iter().chain(self.desk.fragments.cap_hit()).collect()
    }
}

/// Turns frames into packets. What holds packets is used again block after block: fresh memory costs more than decoding.
#[derive(Default)]
struct Decoder {
    filter: Option<Filter>,
    parts: Vec<Vec<Packet>>,
    spare: Vec<Packet>,
}

impl Decoder {
    /// Every frame of a block as far as it goes.
    fn block(&mut self, block: Block) -> Decoded {
        let wanted: Option<Vec<bool>> = self.filter.as_mut().map(|filter| block.iter().map(|frame| filter.keeps(&frame)).collect());
        let count = block.frames.len();
        self.parts.resize_with(self.parts.len().max(count.div_ceil(FRAMES_PER_TASK)), Vec::new);
        self.parts.par_iter_mut().enumerate().for_each(|(number, part)| {
            let from = number * FRAMES_PER_TASK;
            for index in (from..count.min(from + FRAMES_PER_TASK)).filter(|index| wanted.as_ref().is_none_or(|wanted| wanted[*index])) {
                decode::frame(block.frame(index), part);
            }
        });
        let mut packets = std::mem::take(&mut self.spare);
        self.parts.iter_mut().for_each(|part| packets.append(part));
        Decoded { block, packets, wanted }
    }
}

impl Desk {
    /// Decoded packets through the flow table: what is counted, and what is stored.
    fn flow(&mut self, tally: &mut Tally, decoded: &mut Decoded) -> Step {
        let Decoded { block, packets: decoded, wanted } = decoded;
        if let Some(wanted) = wanted {
            tally.filtered(block, wanted);
        }
        tally.block(block, decoded);
        let mut packets = join_fragments(&mut self.fragments, std::mem::take(decoded), block);
        let now = block.frames.last().map(|frame| frame.ts_ns);
        let batch = self.table.packets(&packets, block, now);
        let mut events = batch.events;
        let first = block.frames.first().map_or(0, |frame| frame.number);
        let spoken = packets.iter().filter_map(|packet| match &packet.net {
            Net::Arp(said) => Some(self.arps.message(packet, said)),
            Net::Control(kind) => {
                let bytes = packet.payload.of(block.frame((packet.frame - first) as usize).bytes);
                self.devices.message(packet, *kind, bytes)
            }
            _ => None,
        });
        events.extend(spoken);
        events.extend(fragment_oddities(&mut self.fragments));
        events.sort_by_key(|event| (event.frame, event.conn.map(|conn| conn.flow)));
        self.leases.gather(&mut events, now);
        self.transfers.gather(&mut events, now);
        self.ranges.gather(&mut events, now);
        events.sort_by_key(|event| (event.frame, event.conn.map(|conn| conn.flow)));
        tally.flows(&batch.flows);
        let index = index(block, &packets, &batch.flow_of);
        packets.clear();
        *decoded = packets;
        Step { flows: batch.flows, events, packets: index }
    }
}

/// Fragments become whole datagrams in one thread: siblings may belong to any shard.
fn join_fragments(fragments: &mut Defragmenter, packets: Vec<Packet>, block: &Block) -> Vec<Packet> {
    if let Some(last) = block.frames.last() {
        fragments.expire(last.ts_ns);
    }
    if !packets.iter().any(Defragmenter::wants) {
        return packets;
    }
    let first = block.frames.first().map_or(0, |frame| frame.number);
    let mut whole = Vec::with_capacity(packets.len());
    for packet in packets {
        if Defragmenter::wants(&packet) {
            let bytes = block.frame((packet.frame - first) as usize).bytes;
            fragments.push(packet, bytes, &mut whole);
        } else {
            whole.push(packet);
        }
    }
    whole
}

fn fragment_oddities(fragments: &mut Defragmenter) -> Vec<AppEvent> {
    let weirds = fragments.take_weirds();
    let said = |weird: FragmentWeird| {
        let ends = format!("{} > {}", weird.src, weird.dst);
        oddity(weird.frame, weird.ts_ns, weird.name, ends, weird.count)
    };
    weirds.into_iter().map(said).chain(fragments.take_rows()).collect()
}

/// A row of `weird` that belongs to no flow.
pub fn oddity(frame: u64, ts_ns: Ts, name: &str, addl: String, count: u64) -> AppEvent {
    AppEvent { conn: None, frame, ts_ns, event: Event::Weird(Box::new(Weird { name: name.into(), addl, source: "decode", count })) }
}

/// Lines of the packet index.
fn index(block: &Block, packets: &[Packet], flow_of: &[Option<FlowId>]) -> Vec<PacketRow> {
    let first = block.frames.first().map_or(0, |frame| frame.number);
    let mut rows: Vec<PacketRow> = block.frames.iter().map(line).collect();
    for (packet, flow) in packets.iter().zip(flow_of) {
        let (Some(row), Some(flow)) = (rows.get_mut((packet.frame - first) as usize), flow) else { continue };
        if row.flow_id.is_none() {
            row.flow_id = Some(*flow);
        } else {
            row.inner_flow_ids.push(*flow);
        }
    }
    rows
}

fn line(meta: &FrameMeta) -> PacketRow {
    PacketRow {
        frame: meta.number,
        capture_id: meta.capture,
        frame_in_file: meta.in_file,
        offset: meta.offset,
        ts_ns: meta.ts_ns,
        caplen: meta.caplen,
        wire_len: meta.wire_len,
        flow_id: None,
        inner_flow_ids: SmallVec::new(),
    }
}
