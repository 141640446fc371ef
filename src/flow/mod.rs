//! Packets → flows: keys, tables, reassembly, timeouts, limits.
//!
//! The table has 64 shards whatever the number of threads; a packet's shard follows from its key alone. Within a block
//! each shard takes its own packets in order, so that no lock is held and the result is the same at any number of threads.

mod anomaly;
mod body;
mod history;
mod key;
mod oddity;
mod open;
mod ports;
mod shape;
mod shard;
mod side;
mod stream;
mod tcp;
#[cfg(test)]
mod tests;

use crate::model::packet::Transport;
use crate::model::{AppEvent, Block, CapHit, Flow, FlowId, Limits, Packet, Ts};
use key::Place;
use rayon::prelude::*;
use shard::{Shard, Task};

/// Number of shards: fixed, since caps are counted per shard and order depends on it.
pub const SHARDS: usize = 64;

/// Parts in which the flows that are open at the end are handed over.
const LAST_BATCHES: usize = 16;

/// The flow table.
pub struct Table {
    shards: Vec<Shard>,
    limits: Limits,
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
        Self { shards: (0..SHARDS).map(|_| Shard::default()).collect(), limits }
    }

    /// Flows open now.
    pub fn open_flows(&self) -> usize {
        self.shards.iter().map(Shard::len).sum()
    }

    /// Takes the packets of one block, in order. `now` is the block's last time: flows idle since then end.
    pub fn packets(&mut self, packets: &[Packet], block: &Block, now: Option<Ts>) -> Batch {
        let first = block.frames.first().map_or(0, |frame| frame.number);
        let places: Vec<Option<Place>> = (0..packets.len())
            .into_par_iter()
            .with_min_len(1_024)
            .map(|at| if carries_next(packets, at) { None } else { Place::of(&packets[at]) })
            .collect();
        let mut tasks: Vec<Vec<Task>> = vec![Vec::new(); SHARDS];
        for (index, place) in places.iter().enumerate() {
            if let Some(place) = place {
                let frame = (packets[index].frame - first) as usize;
                tasks[place.shard(SHARDS)].push(Task { index: index as u32, frame: frame as u32, place: *place });
            }
        }
        let limits = &self.limits;
        let done: Vec<shard::Done> = self
            .shards
            .par_iter_mut()
            .zip(tasks)
            .map(|(shard, tasks)| {
                let mut done = shard.packets(&tasks, packets, block, limits);
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
        batch.sort();
        batch
    }

    /// Ends every flow, the capture being over: one batch for each of [`LAST_BATCHES`] parts of the table, so that a full table never
    /// stands in memory twice.
    pub fn finish(&mut self, mut take: impl FnMut(Batch)) {
        let limits = &self.limits;
        for part in self.shards.chunks_mut(SHARDS / LAST_BATCHES) {
            let done: Vec<shard::Done> = part.par_iter_mut().map(|shard| shard.finish(limits)).collect();
            let mut batch = Batch::default();
            for done in done {
                batch.flows.extend(done.flows);
                batch.events.extend(done.events);
            }
            batch.sort();
            take(batch);
        }
    }

    /// Caps that were reached so far.
    pub fn caps(&self) -> Vec<CapHit> {
        let sum = |pick: fn(&Shard) -> u64| self.shards.iter().map(pick).sum::<u64>();
        let all = [
            ("flows", self.limits.flows as u64, sum(|shard| shard.evicted)),
            ("reassembly_bytes", self.limits.reassembly_bytes as u64, sum(|shard| shard.relieved)),
        ];
        all.into_iter().filter(|(.., hits)| *hits > 0).map(|(cap, limit, hits)| CapHit { cap: cap.into(), limit, hits }).collect()
    }
}

/// Whether a packet is nothing but the outside of the next one: IP in IP, GRE. Like Zeek, no flow is made of it.
fn carries_next(packets: &[Packet], at: usize) -> bool {
    let (outer, inner) = (&packets[at], packets.get(at + 1));
    outer.transport == Transport::None && inner.is_some_and(|inner| inner.frame == outer.frame && inner.layer == outer.layer + 1)
}

impl Batch {
    /// Order of the table, not of the shards. Sorting is stable, so that events of one frame keep the order of saying.
    fn sort(&mut self) {
        self.flows.sort_by_key(|flow| flow.id);
        self.events.sort_by_key(|event| (event.frame, event.conn.map(|conn| conn.flow)));
    }
}
