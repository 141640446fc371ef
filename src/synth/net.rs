//! A network in a story: hosts, a clock, and one tap that sees every frame of the office segment.
//!
//! The tap sits beside the inside hosts, so an answer from a host appears one of that host's delays after the question.
//! Outside hosts are seen through the gateway: its hardware address, their time to live less the routers between.

use super::rng::Rng;
use super::truth::{Deed, Truth};
use super::wire::{self, Ip, Macs, Segment};
use super::{Capture, Tcp};
use crate::model::{Ts, time::SECOND};
use std::net::IpAddr;

/// One microsecond in [`Ts`] units; frame times are whole microseconds, as classic pcap stores them.
pub const MICRO: i64 = 1_000;
/// One millisecond in [`Ts`] units.
pub const MILLI: i64 = 1_000_000;
/// One minute in [`Ts`] units.
pub const MINUTE: i64 = 60 * SECOND;

/// Which system a host runs: decides time to live, ports, TCP options, IP ids.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Os {
    /// TTL 64, TCP timestamps, random IP ids.
    Linux,
    /// TTL 128, no TCP timestamps, one IP id counter.
    Windows,
    /// TTL 255: routers, printers, switches.
    Device,
}

impl Os {
    fn ttl(self) -> u8 {
        match self {
            Self::Linux => 64,
            Self::Windows => 128,
            Self::Device => 255,
        }
    }
}

/// A host of a [`Net`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Host(usize);

pub(super) struct Machine {
    pub name: String,
    pub ip: IpAddr,
    pub mac: [u8; 6],
    pub os: Os,
    /// As seen at the tap.
    pub ttl: u8,
    /// From a question at the tap to this host's answer at the tap.
    pub delay: i64,
    pub ns_per_byte: i64,
    ip_id: u16,
    next_port: u16,
    /// Where its TCP timestamp clock stands at the epoch of the story, milliseconds.
    pub uptime: u32,
}

struct Shot {
    ts: Ts,
    label: Option<usize>,
    bytes: Vec<u8>,
}

/// Hosts, clock, chance, and the frames so far.
pub struct Net {
    /// Chance for this story.
    pub rng: Rng,
    /// The clock: time at the tap.
    pub now: Ts,
    /// Out of 1000 flights of TCP segments, how many lose their last segment after the tap.
    pub loss: u64,
    machines: Vec<Machine>,
    gateway: Option<Host>,
    resolver: Option<Host>,
    shots: Vec<Shot>,
    deeds: Vec<Deed>,
    label: Option<usize>,
}

impl Net {
    /// An empty network whose story begins at `start`.
    pub fn new(seed: u64, start: Ts) -> Self {
        let rng = Rng::new(seed);
        Self {
            rng,
            now: start,
            loss: 0,
            machines: Vec::new(),
            gateway: None,
            resolver: None,
            shots: Vec::new(),
            deeds: Vec::new(),
            label: None,
        }
    }

    /// A host on the tapped segment.
    pub fn host(&mut self, name: &str, ip: impl Into<IpAddr>, os: Os) -> Host {
        let noise = self.rng.bits().to_be_bytes();
        // Locally administered, so that no maker's prefix is borrowed.
        let mac = [0x02, 0x42, noise[0], noise[1], noise[2], self.machines.len() as u8];
        let delay = self.rng.between(120, 450) * MICRO;
        self.add(name, ip.into(), os, mac, os.ttl(), delay, 8)
    }

    /// A host beyond the gateway, `rtt_ms` milliseconds there and back.
    pub fn outside(&mut self, name: &str, ip: impl Into<IpAddr>, os: Os, rtt_ms: i64) -> Host {
        let mac = self.gateway.map_or([0x02, 0x42, 0, 0, 0, 1], |gateway| self.machine(gateway).mac);
        let hops = self.rng.between(6, 18) as u8;
        self.add(name, ip.into(), os, mac, os.ttl() - hops, rtt_ms * MILLI, 80)
    }

    #[allow(clippy::too_many_arguments)]
    fn add(&mut self, name: &str, ip: IpAddr, os: Os, mac: [u8; 6], ttl: u8, delay: i64, ns_per_byte: i64) -> Host {
        let first_port = if os == Os::Linux { 32_768 } else { 49_152 };
        let next_port = first_port + self.rng.below(9_000) as u16;
        let (ip_id, uptime) = (self.rng.bits() as u16, self.rng.below(1 << 31) as u32);
        self.machines.push(Machine { name: name.into(), ip, mac, os, ttl, delay, ns_per_byte, ip_id, next_port, uptime });
        Host(self.machines.len() - 1)
    }

    /// Makes `host` the router to everything outside.
    pub fn set_gateway(&mut self, host: Host) {
        self.gateway = Some(host);
    }

    /// Makes `host` the name server that [`Net::lookup`] asks.
    pub fn set_resolver(&mut self, host: Host) {
        self.resolver = Some(host);
    }

    /// The name server, if one was set.
    pub fn resolver(&self) -> Option<Host> {
        self.resolver
    }

    pub(super) fn machine(&self, host: Host) -> &Machine {
        &self.machines[host.0]
    }

    /// Address of a host.
    pub fn ip(&self, host: Host) -> IpAddr {
        self.machine(host).ip
    }

    /// Hardware address of a host.
    pub fn mac(&self, host: Host) -> [u8; 6] {
        self.machine(host).mac
    }

    /// Name of a host.
    pub fn name(&self, host: Host) -> String {
        self.machine(host).name.clone()
    }

    /// Lets time pass.
    pub fn wait(&mut self, ns: i64) {
        self.now += ns;
    }

    /// Tells `story` at another time; the clock then stands where it stood.
    pub fn at<R>(&mut self, ts: Ts, story: impl FnOnce(&mut Self) -> R) -> R {
        let clock = std::mem::replace(&mut self.now, ts);
        let result = story(self);
        self.now = clock;
        result
    }

    /// Tells `story` from now on beside what comes next.
    pub fn aside<R>(&mut self, story: impl FnOnce(&mut Self) -> R) -> R {
        self.at(self.now, story)
    }

    /// Tells `story` as a deed: its frames carry the label.
    pub fn deed<R>(&mut self, deed: Deed, story: impl FnOnce(&mut Self) -> R) -> R {
        let label = self.plan(deed);
        self.labelled(Some(label), story)
    }

    /// Tells `story` as background, even inside a deed.
    pub fn unlabelled<R>(&mut self, story: impl FnOnce(&mut Self) -> R) -> R {
        self.labelled(None, story)
    }

    /// Tells `story` under that label.
    pub(super) fn labelled<R>(&mut self, label: Option<usize>, story: impl FnOnce(&mut Self) -> R) -> R {
        let before = std::mem::replace(&mut self.label, label);
        let result = story(self);
        self.label = before;
        result
    }

    /// Opens a TCP conversation on paper; nothing is sent yet.
    pub fn tcp(&mut self, client: Host, server: Host, port: u16) -> Tcp<'_> {
        let from = self.next_port(client);
        Tcp::new(self, (client, from), (server, port))
    }

    /// The next ephemeral port of a host.
    pub fn next_port(&mut self, host: Host) -> u16 {
        let machine = &mut self.machines[host.0];
        let port = machine.next_port;
        let (first, last, step) = if machine.os == Os::Linux { (32_768, 60_998, 2) } else { (49_152, 65_534, 1) };
        machine.next_port = if port >= last { first } else { port + step };
        port
    }

    /// One UDP datagram, now.
    pub fn udp(&mut self, from: (Host, u16), to: (Host, u16), payload: &[u8]) {
        self.send_ip(from.0, to.0, wire::UDP, wire::udp(from.1, to.1, payload), 6);
    }

    /// A UDP question and, one delay later, its answer.
    pub fn udp_exchange(&mut self, from: (Host, u16), to: (Host, u16), question: &[u8], answer: &[u8]) {
        self.udp(from, to, question);
        self.react(to.0);
        self.udp(to, from, answer);
    }

    /// One ICMP message, now: type and code, the second header word, and what follows.
    pub fn icmp(&mut self, from: Host, to: Host, kind: (u8, u8), rest: u32, payload: &[u8]) {
        let protocol = if self.machine(from).ip.is_ipv4() { wire::ICMP } else { wire::ICMP6 };
        self.send_ip(from, to, protocol, wire::icmp(kind.0, kind.1, rest, payload), 2);
    }

    /// One TCP segment outside any conversation, as scanners send them.
    pub fn segment(&mut self, from: Host, to: Host, head: &Segment, payload: &[u8]) {
        self.send_ip(from, to, wire::TCP, wire::tcp(head, payload), 16);
    }

    /// An IP packet between two hosts, now.
    pub(super) fn send_ip(&mut self, from: Host, to: Host, protocol: u8, transport: Vec<u8>, checksum_at: usize) {
        let ttl = self.machine(from).ttl;
        self.send_ip_with(from, to, ttl, protocol, transport, checksum_at);
    }

    /// The same with a time to live of its own, as traceroute sets it.
    pub(super) fn send_ip_with(&mut self, from: Host, to: Host, ttl: u8, protocol: u8, transport: Vec<u8>, checksum_at: usize) {
        let id = self.ip_id(from);
        let (src, dst) = (&self.machine(from), &self.machine(to));
        let ip = Ip { src: src.ip, dst: dst.ip, ttl, id, protocol };
        let macs = Macs { src: src.mac, dst: dst.mac };
        self.frame(wire::ip_frame(macs, &ip, transport, checksum_at));
    }

    fn ip_id(&mut self, host: Host) -> u16 {
        let random = self.rng.bits() as u16;
        let machine = &mut self.machines[host.0];
        machine.ip_id = if machine.os == Os::Linux { random } else { machine.ip_id.wrapping_add(1) };
        machine.ip_id
    }

    /// A finished frame, now.
    pub fn frame(&mut self, bytes: Vec<u8>) {
        let ts = self.now - self.now.rem_euclid(MICRO);
        self.shots.push(Shot { ts, label: self.label, bytes });
    }

    /// The IP packet of the newest frame, for ICMP errors that quote it.
    pub(super) fn newest_packet(&self) -> &[u8] {
        self.shots.last().and_then(|shot| shot.bytes.get(14..)).unwrap_or(&[])
    }

    /// Lets pass what `host` needs to answer.
    pub fn react(&mut self, host: Host) {
        let delay = self.machine(host).delay;
        self.now += self.rng.jitter(delay, 12).max(MICRO);
    }

    /// Hands over the frames so far with their deeds, in time order, and forgets them.
    pub(super) fn drain(&mut self) -> Vec<(Ts, Option<usize>, Vec<u8>)> {
        let mut shots = std::mem::take(&mut self.shots);
        shots.sort_by_key(|shot| shot.ts);
        shots.into_iter().map(|shot| (shot.ts, shot.label, shot.bytes)).collect()
    }

    /// Names a deed that will be told in several pieces; gives its label.
    pub(super) fn plan(&mut self, deed: Deed) -> usize {
        self.deeds.push(deed);
        self.deeds.len() - 1
    }

    /// All deeds so far, in the order of their labels.
    pub(super) fn deeds(self) -> Vec<Deed> {
        self.deeds
    }

    /// Ends the story: frames in time order, and what they were.
    pub fn finish(mut self, name: &str) -> Capture {
        self.shots.sort_by_key(|shot| shot.ts);
        let labels = (1..).zip(&self.shots).filter_map(|(number, shot)| Some((shot.label?, shot.ts, number)));
        let truth = Truth::of(name, self.deeds, labels);
        Capture { frames: self.shots.into_iter().map(|shot| (shot.ts, shot.bytes)).collect(), truth }
    }
}
