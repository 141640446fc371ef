//! Oddities of fragments, folded so that a flood of them stays one line.

use crate::model::packet::Ip;
use crate::model::{Packet, Ts};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Different oddities kept between two calls of `take`; beyond, only those already kept are counted on.
const MOST: usize = 10_000;

/// An oddity of fragments: a row of `weird` without flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FragmentWeird {
    /// Zeek's name where it has one: `fragment_overlap`, `fragment_inconsistency`, `fragment_size_inconsistency`,
    /// `excessively_small_fragment`, `excessively_large_fragment`, `incompletely_captured_fragment`; ours are
    /// `incomplete_fragment_set` and `fragment_memory_exceeded`.
    pub name: &'static str,
    /// First frame that shows it.
    pub frame: u64,
    /// Time of that frame.
    pub ts_ns: Ts,
    /// Source of the fragments.
    pub src: IpAddr,
    /// Their destination.
    pub dst: IpAddr,
    /// How often between these two.
    pub count: u64,
}

/// Where a fragment was seen.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) frame: u64,
    pub(super) ts_ns: Ts,
    src: IpAddr,
    dst: IpAddr,
}

impl Place {
    pub(super) fn of(packet: &Packet, ip: &Ip) -> Self {
        Self { frame: packet.frame, ts_ns: packet.ts_ns, src: ip.src, dst: ip.dst }
    }
}

/// What was noted since it was last taken.
#[derive(Default)]
pub(super) struct Weirds(BTreeMap<(IpAddr, IpAddr, &'static str), FragmentWeird>);

impl Weirds {
    pub(super) fn note(&mut self, name: &'static str, place: &Place) {
        let Place { frame, ts_ns, src, dst } = *place;
        let key = (src, dst, name);
        if let Some(known) = self.0.get_mut(&key) {
            known.count += 1;
        } else if self.0.len() < MOST {
            self.0.insert(key, FragmentWeird { name, frame, ts_ns, src, dst, count: 1 });
        }
    }

    pub(super) fn take(&mut self) -> Vec<FragmentWeird> {
        let mut all: Vec<_> = std::mem::take(&mut self.0).into_values().collect();
        all.sort_by_key(|weird| weird.frame);
        all
    }
}
