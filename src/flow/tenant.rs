//! Tunnels keep networks apart that use the same addresses. Flows inside are kept apart by the number in the tunnel's header.
//!
//! Both directions of a flow may have different numbers: a TEID belongs to the receiving end, and routers with a VNI per subnet use that
//! of the destination. So the numbers of both directions are paired, in order of appearance: a number belongs to the pair that has
//! it already in this direction, then to one that has the same in the other, then to the first that lacks one, else to a new one.

use super::key::Key;
use std::collections::{HashMap, VecDeque};

/// Keys remembered in a shard; the oldest is forgotten first.
const MOST_KEYS: usize = 4_096;
/// Pairs of one key. Numbers beyond are not paired: both directions of a flow must then share theirs.
const MOST_PAIRS: usize = 64;

/// The networks that were seen under each key.
#[derive(Default)]
pub struct Tenants {
    /// Looked up, never iterated, so that its order cannot reach the output.
    known: HashMap<Key, Vec<Pair>, ahash::RandomState>,
    arrivals: VecDeque<Key>,
    /// Keys that were forgotten.
    pub forgotten: u64,
}

/// Numbers in packets of the lower and of the higher side of the key.
#[derive(Clone, Copy, Default)]
struct Pair([Option<u64>; 2]);

impl Tenants {
    /// The most keys that all shards remember together.
    pub const MOST: usize = MOST_KEYS * super::SHARDS;

    /// Which of the networks under `key` a packet with `number` belongs to, from 1.
    pub fn find(&mut self, key: Key, from_low: bool, number: u64) -> u32 {
        if !self.known.contains_key(&key) {
            self.make_room();
            self.arrivals.push_back(key);
        }
        let pairs = self.known.entry(key).or_default();
        let (here, there) = (usize::from(!from_low), usize::from(from_low));
        let at = |test: &dyn Fn(&Pair) -> bool| pairs.iter().position(test);
        let found = at(&|pair| pair.0[here] == Some(number))
            .or_else(|| at(&|pair| pair.0[here].is_none() && pair.0[there] == Some(number)))
            .or_else(|| at(&|pair| pair.0[here].is_none()));
        let index = match found {
            Some(index) => index,
            None if pairs.len() < MOST_PAIRS => {
                pairs.push(Pair::default());
                pairs.len() - 1
            }
            None => return number as u32 | 1 << 31,
        };
        if let Some(pair) = pairs.get_mut(index) {
            pair.0[here] = Some(number);
        }
        index as u32 + 1
    }

    fn make_room(&mut self) {
        if self.known.len() < MOST_KEYS {
            return;
        }
        if let Some(oldest) = self.arrivals.pop_front() {
            self.known.remove(&oldest);
            self.forgotten += 1;
        }
    }
}
