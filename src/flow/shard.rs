//! One of the parts of the flow table: open flows by key, a calendar of when they end, and caps.

use super::SHARDS;
use super::expected::Expected;
use super::key::{Key, Place};
use super::open::Open;
use super::ports::looks_reversed;
use super::tcp::Reuse;
use super::tenant::Tenants;
use crate::model::flow::EndReason;
use crate::model::{AppEvent, Block, Flow, FlowId, Limits, Packet, Ts};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

/// One packet for this shard.
#[derive(Clone, Copy)]
pub struct Task {
    /// Index in the block's packets.
    pub index: u32,
    /// Index of its frame in the block.
    pub frame: u32,
    /// Its place.
    pub place: Place,
}

/// What a shard has done with its packets.
#[derive(Default)]
pub struct Done {
    /// Flows that ended.
    pub flows: Vec<Flow>,
    /// Events.
    pub events: Vec<AppEvent>,
    /// Index of packet → flow.
    pub flow_of: Vec<(u32, FlowId)>,
}

/// Open flows whose key hashes here.
#[derive(Default)]
pub struct Shard {
    /// Looked up, or sorted after going through it, so that its order cannot reach the output.
    open: HashMap<Key, Box<Open>, ahash::RandomState>,
    /// When flows are due, earliest first. An entry may be stale: the flow then says its own deadline.
    calendar: BinaryHeap<Reverse<(Ts, FlowId, KeyOrder)>>,
    held_bytes: usize,
    /// Networks that share addresses.
    pub tenants: Tenants,
    /// Flows written out because the table was full.
    pub evicted: u64,
    /// Times that held bytes had to be let go.
    pub relieved: u64,
}

/// Keys in the calendar are carried along, not compared: flow ids are unique already.
#[derive(Clone, Copy)]
struct KeyOrder(Key);

impl PartialEq for KeyOrder {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
impl Eq for KeyOrder {}
impl PartialOrd for KeyOrder {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for KeyOrder {
    fn cmp(&self, _: &Self) -> std::cmp::Ordering {
        std::cmp::Ordering::Equal
    }
}

impl Shard {
    /// Open flows.
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// Takes packets in order.
    pub fn packets(&mut self, tasks: &[Task], packets: &[Packet], block: &Block, expected: &Expected, limits: &Limits) -> Done {
        let mut done = Done { flow_of: Vec::with_capacity(tasks.len()), ..Done::default() };
        for task in tasks {
            let packet = &packets[task.index as usize];
            let payload = packet.payload.of(block.frame(task.frame as usize).bytes);
            let id = self.packet(packet, &task.place, payload, expected, limits, &mut done);
            done.flow_of.extend(id.map(|id| (task.index, id)));
        }
        done
    }

    fn packet(
        &mut self,
        packet: &Packet,
        place: &Place,
        payload: &[u8],
        expected: &Expected,
        limits: &Limits,
        done: &mut Done,
    ) -> Option<FlowId> {
        let ip = packet.ip()?;
        let key = match place.number {
            0 => place.key,
            number => place.key.of_tenant(self.tenants.find(place.key, place.from_low, number)),
        };
        if let Some(open) = self.open.get_mut(&key) {
            let (deadline, why) = open.deadline(limits);
            if packet.ts_ns > deadline {
                self.end(&key, why, limits, done);
            } else if let Reuse::Yes(odd) = open.reuse(packet, limits) {
                if let Some(odd) = odd {
                    open.weird(odd, packet);
                }
                self.end(&key, EndReason::Closed, limits, done);
            }
        }
        let open = self.open.entry(key).or_insert_with(|| {
            let flipped = looks_reversed(packet, place);
            Box::new(Open::new(packet, ip, place, flipped, expected.of(packet, place), limits))
        });
        let held = open.held_bytes();
        open.travels(place.tunnel);
        open.packet(place.dir(open.orig_is_low), packet, ip, payload, limits, &mut done.events);
        self.held_bytes = self.held_bytes - held + open.held_bytes();
        let (deadline, _) = open.deadline(limits);
        if deadline < open.due {
            open.due = deadline;
            self.calendar.push(Reverse((deadline, open.id, KeyOrder(key))));
        }
        Some(open.id)
    }

    /// Ends flows that are due before `now`.
    pub fn expire(&mut self, now: Ts, limits: &Limits, done: &mut Done) {
        while let Some(Reverse((due, id, KeyOrder(key)))) = self.calendar.peek().copied() {
            if due >= now {
                return;
            }
            self.calendar.pop();
            let Some(open) = self.open.get_mut(&key).filter(|open| open.id == id && open.due == due) else { continue };
            let (deadline, why) = open.deadline(limits);
            if deadline < now {
                self.end(&key, why, limits, done);
            } else {
                open.due = deadline;
                self.calendar.push(Reverse((deadline, id, KeyOrder(key))));
            }
        }
    }

    /// Keeps the shard inside its caps: the idlest flows are written out first.
    pub fn evict(&mut self, limits: &Limits, done: &mut Done) {
        let most = (limits.flows / SHARDS).max(1);
        if self.open.len() > most {
            // An eighth more than needed, so that this is rare.
            let surplus = self.open.len() - most + most / 8;
            let ended = self.end_idlest(surplus, |_| true, limits, done);
            self.evicted += ended;
        }
        let most = (limits.reassembly_bytes / SHARDS).max(1);
        if self.held_bytes > most {
            let holding = self.open.len();
            let mut freed = 0;
            while self.held_bytes > most / 2 && freed < holding {
                let ended = self.end_idlest(1, |open| open.held_bytes() > 0, limits, done);
                if ended == 0 {
                    break;
                }
                self.relieved += ended;
                freed += 1;
            }
        }
    }

    fn end_idlest(&mut self, count: usize, which: impl Fn(&Open) -> bool, limits: &Limits, done: &mut Done) -> u64 {
        let mut idlest: Vec<(Ts, FlowId, Key)> =
            self.open.iter().filter(|(_, open)| which(open)).map(|(key, open)| (open.last_ns, open.id, *key)).collect();
        let count = count.min(idlest.len());
        if count == 0 {
            return 0;
        }
        idlest.select_nth_unstable_by_key(count - 1, |(last, id, _)| (*last, *id));
        for (.., key) in &idlest[..count] {
            self.end(key, EndReason::Memory, limits, done);
        }
        count as u64
    }

    /// Every open flow as far as it has come, by id.
    pub fn so_far(&self) -> Vec<Flow> {
        let mut flows: Vec<Flow> = self.open.values().map(|open| open.so_far()).collect();
        flows.sort_unstable_by_key(|flow| flow.id);
        flows
    }

    /// Ends all flows.
    pub fn finish(&mut self, limits: &Limits) -> Done {
        let mut done = Done::default();
        let mut keys: Vec<(FlowId, Key)> = self.open.iter().map(|(key, open)| (open.id, *key)).collect();
        keys.sort_by_key(|(id, _)| *id);
        for (_, key) in keys {
            self.end(&key, EndReason::CaptureEnd, limits, &mut done);
        }
        self.calendar.clear();
        done
    }

    fn end(&mut self, key: &Key, why: EndReason, limits: &Limits, done: &mut Done) {
        if let Some(open) = self.open.remove(key) {
            self.held_bytes -= open.held_bytes();
            done.flows.push(open.finish(why, limits, &mut done.events));
        }
    }
}
