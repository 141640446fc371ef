//! Packets → flows: keys, tables, reassembly, timeouts, limits.
//!
//! The table has 64 shards whatever the number of threads; a packet's shard follows from its key alone. Within a block
//! each shard takes its own packets in order, so that no lock is held and the result is the same at any number of threads.

mod anomaly;
mod body;
mod expected;
mod history;
mod key;
mod oddity;
mod open;
mod ports;
mod shape;
mod shard;
mod side;
pub mod stream;
mod tcp;
mod tenant;
#[cfg(test)]
mod tests;
mod tunnels;

use crate::model::packet::{Transport, TunnelKind};
use crate::model::{AppEvent, Block, CapHit, Flow, FlowId, Limits, Packet, Ts};
use expected::Expected;
use key::Place;
use rayon::prelude::*;
use shard::{Shard, Task};
use tenant::Tenants;
use tunnels::Tunnels;

/// Number of shards: fixed, since caps are counted per shard and order depends on it.
pub const SHARDS: usize = 64;

/// Parts in which the flows that are open at the end are handed over.
const LAST_BATCHES: usize = 16;

/// The flow table.
pub struct Table {
    shards: Vec<Shard>,
    tunnels: Tunnels,
    expected: Expected,
    limits: Limits,
    /// Kept from block to block for its memory alone.
    places: Vec<Option<Place>>,
    /// The same, one list for each shard.
    tasks: Vec<Vec<Task>>,
}

/// What a block of packets led to.
#[derive(Default, Debug)]
pub struct Batch {
    /// Flows that ended, by id.
    pub flows: Vec<Flow>,
    /// Events, by frame.
    pub events: Vec<AppEvent>,
    /// The flow of each packet of the block, in the order of the packets.
    pub flow_of: Vec<Option<FlowId>>,
}

impl Table {
    /// An empty table.
    pub fn new(limits: Limits) -> Self {
        // What one capture tells is nothing that another one should know.
        let limits = Limits { keys: limits.keys.apart(), ..limits };
        let shards = (0..SHARDS).map(|_| Shard::default()).collect();
        Self {
            shards,
            tunnels: Tunnels::default(),
            expected: Expected::default(),
            limits,
            places: Vec::new(),
            tasks: vec![Vec::new(); SHARDS],
        }
    }

    /// Flows open now.
    pub fn open_flows(&self) -> usize {
        self.shards.iter().map(Shard::len).sum()
    }

    /// Takes the packets of one block, in order. `now` is the block's last time: flows idle since then end.
    pub fn packets(&mut self, packets: &[Packet], block: &Block, now: Option<Ts>) -> Batch {
        let first = block.frames.first().map_or(0, |frame| frame.number);
        let Self { shards, tunnels, expected, limits, places, tasks } = self;
        let limits = &*limits;
        block.secrets.iter().for_each(|secrets| limits.keys.add_secrets(secrets));
        (0..packets.len())
            .into_par_iter()
            .with_min_len(1_024)
            .map(|at| if is_outside_only(&packets[at]) { None } else { Place::of(&packets[at])?.inside_of(packets, at).into() })
            .collect_into_vec(places);
        expected.read(packets, block, places);
        let expected = &*expected;
        tasks.iter_mut().for_each(Vec::clear);
        for (index, place) in places.iter().enumerate() {
            if let Some(place) = place {
                let frame = (packets[index].frame - first) as usize;
                tasks[place.shard(SHARDS)].push(Task { index: index as u32, frame: frame as u32, place: *place });
            }
        }
        let done: Vec<shard::Done> = shards
            .par_iter_mut()
            .zip(&*tasks)
            .map(|(shard, tasks)| {
                let mut done = shard.packets(tasks, packets, block, expected, limits);
                if let Some(now) = now {
                    shard.expire(now, limits, &mut done);
                }
                shard.evict(limits, &mut done);
                done
            })
            .collect();
        let mut batch = Batch { flow_of: vec![None; packets.len()], ..Batch::default() };
        for done in done {
            for (index, id) in &done.flow_of {
                batch.flow_of[*index as usize] = Some(*id);
            }
            batch.flows.extend(done.flows);
            batch.events.extend(done.events);
        }
        tunnels.packets(packets, &batch.flow_of, &mut batch.events);
        batch.complete(tunnels);
        batch
    }

    /// Ends every flow, the capture being over: one batch for each of [`LAST_BATCHES`] parts of the table, so that a full table never
    /// stands in memory twice.
    pub fn finish(&mut self, mut take: impl FnMut(Batch)) {
        let Self { shards, tunnels, limits, .. } = self;
        let limits = &*limits;
        for part in shards.chunks_mut(SHARDS / LAST_BATCHES) {
            let done: Vec<shard::Done> = part.par_iter_mut().map(|shard| shard.finish(limits)).collect();
            let mut batch = Batch::default();
            for done in done {
                batch.flows.extend(done.flows);
                batch.events.extend(done.events);
            }
            batch.complete(tunnels);
            take(batch);
        }
        let mut last = Batch::default();
        tunnels.finish(&mut last.events);
        take(last);
    }

    /// Open flows as far as they have come, as if the capture ended now; they stay open. In parts, so that a full table never stands in
    /// memory twice; `take` says whether it wants more.
    pub fn so_far(&mut self, mut take: impl FnMut(Vec<Flow>) -> bool) {
        for part in self.shards.chunks_mut(SHARDS / LAST_BATCHES) {
            // Nothing changes: threads take turns with a shard, they do not share it.
            let flows: Vec<Vec<Flow>> = part.par_iter_mut().map(|shard| shard.so_far()).collect();
            let mut flows: Vec<Flow> = flows.into_iter().flatten().collect();
            self.tunnels.so_far(&mut flows);
            if !take(flows) {
                return;
            }
        }
    }

    /// Caps that were reached so far.
    pub fn caps(&self) -> Vec<CapHit> {
        let sum = |pick: fn(&Shard) -> u64| self.shards.iter().map(pick).sum::<u64>();
        let all = [
            ("flows", self.limits.flows as u64, sum(|shard| shard.evicted)),
            ("reassembly_bytes", self.limits.reassembly_bytes as u64, sum(|shard| shard.relieved)),
            ("expected_flows", Expected::MOST as u64, self.expected.forgotten),
            ("tenants", Tenants::MOST as u64, sum(|shard| shard.tenants.forgotten)),
            ("tunnels", Tunnels::MOST as u64, self.tunnels.forgotten),
        ];
        all.into_iter().filter(|(.., hits)| *hits > 0).map(|(cap, limit, hits)| CapHit { cap: cap.into(), limit, hits }).collect()
    }
}

/// Whether a packet is nothing but the outside of another one: IP in IP, GRE. Like Zeek, no flow is made of it.
fn is_outside_only(packet: &Packet) -> bool {
    packet.transport == Transport::None && packet.carries.is_some_and(|tunnel| tunnel.kind != TunnelKind::Ah)
}

impl Batch {
    /// Adds what only all shards together know, and puts everything in order.
    fn complete(&mut self, tunnels: &mut Tunnels) {
        tunnels.ended(&mut self.flows, &mut self.events);
        tunnels::granted(&mut self.events);
        self.sort();
    }

    /// Order of the table, not of the shards. Sorting is stable, so that events of one frame keep the order of saying.
    fn sort(&mut self) {
        self.flows.sort_by_key(|flow| flow.id);
        self.events.sort_by_key(|event| (event.frame, event.conn.map(|conn| conn.flow)));
    }
}
