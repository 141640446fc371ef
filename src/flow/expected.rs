//! Flows that other flows announced. Both may belong to different shards, and to the same block; so announcements are read from the packets of a
//! block before any shard takes them, and are only looked up while the shards work.

use super::key::Place;
use crate::dissect::expect::{Announcement, Announcements, Kind, announced};
use crate::model::packet::Transport;
use crate::model::{Block, Packet, Proto, Ts, time::SECOND};
use rayon::prelude::*;
use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;

/// How long an announcement holds: Zeek's wait for a data connection.
const HOLDS: i64 = 300 * SECOND;
/// Announcements of one place: who announces it over and over again is not believed more often.
const SAME: usize = 64;
/// Packets that one task looks at.
const PACKETS_PER_TASK: usize = 1_024;

/// Who waits for the flow.
type Waits = (Proto, IpAddr, u16);

/// What was announced lately.
#[derive(Default)]
pub struct Expected {
    /// Looked up, never iterated, so that its order cannot reach the output. Latest last.
    pending: HashMap<Waits, VecDeque<Pending>, ahash::RandomState>,
    arrivals: VecDeque<(Ts, u64, Waits)>,
    /// Announcements that were dropped before their time.
    pub forgotten: u64,
}

struct Pending {
    said: Announcement,
    frame: u64,
    ts_ns: Ts,
}

impl Expected {
    /// The most announcements remembered.
    pub const MOST: usize = 65_536;

    /// Reads the announcements of a block.
    pub fn read(&mut self, packets: &[Packet], block: &Block, places: &[Option<Place>]) {
        let first = block.frames.first().map_or(0, |frame| frame.number);
        if let Some(frame) = block.frames.first() {
            self.forget(|since, _| since.saturating_add(HOLDS) < frame.ts_ns);
        }
        let found: Vec<(usize, Announcements)> = (packets, places)
            .into_par_iter()
            .enumerate()
            .with_min_len(PACKETS_PER_TASK)
            .filter_map(|(index, (packet, place))| {
                let place = place.as_ref()?;
                if packet.payload_len == 0 || !matches!(packet.transport, Transport::Tcp(_) | Transport::Udp(_)) {
                    return None;
                }
                let payload = packet.payload.of(block.frame((packet.frame - first) as usize).bytes);
                let said = announced(place.proto, place.src, place.dst, payload);
                (!said.is_empty()).then_some((index, said))
            })
            .collect();
        for (index, said) in found {
            let Some(packet) = packets.get(index) else { continue };
            for said in said {
                self.add(Pending { said, frame: packet.frame, ts_ns: packet.ts_ns });
            }
        }
    }

    fn add(&mut self, pending: Pending) {
        let waits = (pending.said.proto, pending.said.channel.resp_h, pending.said.channel.resp_p);
        self.arrivals.push_back((pending.ts_ns, pending.frame, waits));
        let list = self.pending.entry(waits).or_default();
        list.push_back(pending);
        if list.len() > SAME {
            list.pop_front();
            self.forgotten += 1;
        }
        let most = self.arrivals.len().saturating_sub(Self::MOST);
        if most > 0 {
            self.forgotten += most as u64;
            self.forget(|_, left| left > Self::MOST);
        }
    }

    /// Drops the oldest as long as `due` says so of its time and of how many there are.
    fn forget(&mut self, due: impl Fn(Ts, usize) -> bool) {
        while let Some(&(since, frame, waits)) = self.arrivals.front() {
            if !due(since, self.arrivals.len()) {
                return;
            }
            self.arrivals.pop_front();
            if let Some(list) = self.pending.get_mut(&waits) {
                if list.front().is_some_and(|oldest| oldest.frame == frame) {
                    list.pop_front();
                }
                if list.is_empty() {
                    self.pending.remove(&waits);
                }
            }
        }
    }

    /// What was announced of the flow that begins with `packet`.
    pub fn of(&self, packet: &Packet, place: &Place) -> Option<Kind> {
        if self.pending.is_empty() {
            return None;
        }
        let list = self.pending.get(&(place.proto, place.dst.0, place.dst.1))?;
        let fits = |pending: &&Pending| {
            pending.frame < packet.frame
                && packet.ts_ns.saturating_sub(pending.ts_ns) <= HOLDS
                && pending.said.channel.orig_h.is_none_or(|host| host == place.src.0)
        };
        list.iter().rev().find(fits).map(|pending| pending.said.kind)
    }
}
