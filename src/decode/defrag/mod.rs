//! Fragments become datagrams, as Zeek shows them: a fragment that completes nothing is kept back, the one that does carries all.

use crate::model::packet::{Fragment, Ip, Net};
use crate::model::{AppEvent, CapHit, Event, Limits, Packet, Ts};
use ahash::AHashMap;
use set::{Overlap, Set};
use std::collections::BTreeMap;
use std::net::IpAddr;

mod join;
mod set;
mod weird;

pub use weird::FragmentWeird;
use weird::{Place, Weirds};

/// Zeek's `MIN_ACCEPTABLE_FRAG_SIZE`: shorter IP packets that are not the last fragment have no honest reason.
const SMALLEST: u32 = 64;
/// Zeek's `MAX_ACCEPTABLE_FRAG_SIZE`: datagrams that end beyond do not occur either.
const LARGEST: u32 = 64_000;

/// Puts fragments together. What it holds is bounded in bytes ([`Limits::fragment_bytes`]) and time ([`Limits::fragment_wait`]).
pub struct Defragmenter {
    limits: (usize, i64),
    sets: AHashMap<Key, Set>,
    /// Sets by arrival, so that the oldest leave first.
    arrivals: BTreeMap<u64, Key>,
    next_arrival: u64,
    held: usize,
    now: Ts,
    hits: u64,
    counts: FragmentCounts,
    weirds: Weirds,
    rows: Vec<AppEvent>,
}

/// What became of all fragments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FragmentCounts {
    /// Fragments seen.
    pub fragments: u64,
    /// Datagrams put together.
    pub datagrams: u64,
    /// Datagrams that never became whole.
    pub incomplete: u64,
    /// Fragments that the capture cut off, and which therefore could not be used.
    pub cut_off: u64,
}

/// What makes fragments siblings (RFC 791 3.2, RFC 8200 4.5).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    src: IpAddr,
    dst: IpAddr,
    id: u32,
    /// IPv4 only: in IPv6 fragments may disagree, the first counts.
    proto: u8,
    layer: u8,
    tenant: u64,
}

impl Key {
    fn new(ip: &Ip, layer: u8, tenant: u64) -> Self {
        let proto = if ip.src.is_ipv4() { ip.proto } else { 0 };
        Self { src: ip.src, dst: ip.dst, id: ip.id, proto, layer, tenant }
    }
}

impl Defragmenter {
    /// Holds nothing yet.
    pub fn new(limits: &Limits) -> Self {
        Self {
            limits: (limits.fragment_bytes, limits.fragment_wait),
            sets: AHashMap::new(),
            arrivals: BTreeMap::new(),
            next_arrival: 0,
            held: 0,
            now: Ts::MIN,
            hits: 0,
            counts: FragmentCounts::default(),
            weirds: Weirds::default(),
            rows: Vec::new(),
        }
    }

    /// Whether `packet` has to go through [`Self::push`]; all others may pass by.
    pub fn wants(packet: &Packet) -> bool {
        packet.ip().is_some_and(|ip| ip.fragment.is_some())
    }

    /// Takes one packet with the bytes of its frame, and passes on what comes of it. What is no fragment comes out as it is. A fragment
    /// comes out when it completes its datagram: then the packet's payload is [`Joined`](crate::model::packet::Payload::Joined), its
    /// transport that of the whole datagram, [`Ip::total_len`] that of the whole, and the packets that travel in it follow. Nothing
    /// comes out of fragments that wait or are of no use.
    ///
    /// The first fragment of a datagram comes out too, with its transport, if the capture cut it off: nothing more will be known.
    pub fn push(&mut self, packet: Packet, frame: &[u8], out: &mut Vec<Packet>) {
        if !Self::wants(&packet) {
            out.push(packet);
            return;
        }
        let layer = packet.layer;
        for packet in self.fragment(packet, frame) {
            // What travels in a datagram may be a fragment again.
            if packet.layer > layer { self.push(packet, frame, out) } else { out.push(packet) }
        }
    }

    fn fragment(&mut self, packet: Packet, frame: &[u8]) -> Vec<Packet> {
        let Net::Ip(ip) = &packet.net else { return vec![packet] };
        let Some(fragment) = ip.fragment else { return vec![packet] };
        self.counts.fragments += 1;
        self.expire(packet.ts_ns);
        let place = Place::of(&packet, ip);
        let bytes = packet.payload.of(frame);
        if bytes.len() < packet.payload_len as usize {
            self.counts.cut_off += 1;
            self.weirds.note("incompletely_captured_fragment", &place);
            if fragment.offset > 0 {
                return Vec::new();
            }
            return join::first_alone(packet.clone(), bytes);
        }
        let key = Key::new(ip, packet.layer, packet.tenant);
        if self.keep(key, fragment, &packet, ip, bytes) {
            self.counts.datagrams += 1;
            let Some(set) = self.take(key) else { return Vec::new() };
            self.note_row(key, &set, None);
            return join::whole(packet, set);
        }
        self.make_room();
        Vec::new()
    }

    /// Gives up sets that wait since before `now` minus the limit.
    pub fn expire(&mut self, now: Ts) {
        self.now = self.now.max(now);
        let deadline = self.now.saturating_sub(self.limits.1);
        while let Some(key) = self.oldest() {
            if self.sets.get(&key).is_some_and(|set| set.since >= deadline) {
                return;
            }
            self.give_up(key, "incomplete_fragment_set");
        }
    }

    /// The evidence is over: gives up everything that still waits.
    pub fn flush(&mut self) {
        while let Some(key) = self.oldest() {
            self.give_up(key, "incomplete_fragment_set");
        }
    }

    /// What became of the fragments so far.
    pub fn counts(&self) -> FragmentCounts {
        self.counts
    }

    /// The cap on memory, if it was reached.
    pub fn cap_hit(&self) -> Option<CapHit> {
        (self.hits > 0).then(|| CapHit { cap: "fragment_bytes".into(), limit: self.limits.0 as u64, hits: self.hits })
    }

    /// Bytes held now, overhead included: what [`Limits::fragment_bytes`] bounds.
    pub fn held_bytes(&self) -> usize {
        self.held
    }

    /// Oddities noted since the last call, in order of their first frame; one per name, source and destination.
    pub fn take_weirds(&mut self) -> Vec<FragmentWeird> {
        self.weirds.take()
    }

    /// What became of datagrams since the last call, each with its first fragment: rows of `frag`, no more than fragments came.
    pub fn take_rows(&mut self) -> Vec<AppEvent> {
        std::mem::take(&mut self.rows)
    }

    /// Files a fragment in its set. Returns whether the set is whole now.
    fn keep(&mut self, key: Key, fragment: Fragment, packet: &Packet, ip: &Ip, bytes: &[u8]) -> bool {
        let place = Place::of(packet, ip);
        let set = self.sets.entry(key).or_insert_with(|| {
            let arrival = self.next_arrival;
            self.next_arrival += 1;
            self.arrivals.insert(arrival, key);
            self.held += set::OVERHEAD;
            Set::new(arrival, self.now, place)
        });
        let end = fragment.offset + bytes.len() as u32;
        if fragment.offset == 0 {
            set.first(ip.proto, join::header_len(packet, ip));
        }
        if fragment.more && ip.total_len < SMALLEST {
            self.weirds.note("excessively_small_fragment", &place);
        }
        if end > LARGEST {
            self.weirds.note("excessively_large_fragment", &place);
        }
        if !set.announce(end, bytes.len() as u32, fragment.more) {
            self.weirds.note("fragment_size_inconsistency", &place);
        }
        let before = set.held();
        set.came_in(packet.frame);
        match set.insert(fragment.offset, bytes) {
            Overlap::None => {}
            Overlap::Same => self.weirds.note("fragment_overlap", &place),
            Overlap::Different => self.weirds.note("fragment_inconsistency", &place),
        }
        self.held += set.held() - before;
        set.complete()
    }

    /// Gives up the oldest sets until the rest fits.
    fn make_room(&mut self) {
        while self.held > self.limits.0 {
            let Some(key) = self.oldest() else { return };
            self.hits += 1;
            self.give_up(key, "fragment_memory_exceeded");
        }
    }

    fn oldest(&self) -> Option<Key> {
        self.arrivals.first_key_value().map(|(_, key)| *key)
    }

    fn give_up(&mut self, key: Key, why: &'static str) {
        if let Some(set) = self.take(key) {
            self.counts.incomplete += 1;
            self.weirds.note(why, &set.place);
            self.note_row(key, &set, Some(why));
        }
    }

    fn note_row(&mut self, key: Key, set: &Set, dropped: Option<&'static str>) {
        let Key { src, dst, id, proto, .. } = key;
        let event = Event::Frag(Box::new(set.row(src, dst, id, proto, dropped)));
        self.rows.push(AppEvent { conn: None, frame: set.place.frame, ts_ns: set.place.ts_ns, event });
    }

    fn take(&mut self, key: Key) -> Option<Set> {
        let set = self.sets.remove(&key)?;
        self.arrivals.remove(&set.arrival);
        self.held -= set.held() + set::OVERHEAD;
        Some(set)
    }
}
