//! As many flows and packets as wanted, written as they are made: for measuring, and for comparing thread counts.

use super::anomalies::Anomalies;
use super::apps::tls::{Client, Server};
use super::{Host, Net, Os, Truth};
use crate::capture::write::PcapWriter;
use crate::model::{LinkType, Ts, time::SECOND};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{self, Write};

/// What the flows are made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Profile {
    /// Frames of 60 to 120 bytes: datagrams, pings, refused and empty connections.
    Tiny,
    /// DNS, HTTP and TLS with real payloads.
    Mixed,
}

/// How much is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Flows to make, exactly.
    pub flows: u64,
    /// Packets to make, met within a few in a hundred where the profile allows so few per flow.
    pub packets: u64,
    /// Chance.
    pub seed: u64,
    /// Of what.
    pub profile: Profile,
    /// So many of the flows are strange: probes, check-ins, guessed passwords, uploads.
    pub anomalies: u64,
    /// How long it all takes, nanoseconds; by default as long as thousands of flows a second take.
    pub span: Option<Ts>,
}

impl Default for Load {
    fn default() -> Self {
        Self { flows: 1_000, packets: 20_000, seed: 1, profile: Profile::Mixed, anomalies: 0, span: None }
    }
}

/// What was made.
#[derive(Clone, Debug)]
pub struct Scale {
    /// Flows.
    pub flows: u64,
    /// Frames.
    pub frames: u64,
    /// The most frames that waited in memory at one time.
    pub held_max: usize,
    /// The strange flows among them.
    pub truth: Truth,
}

/// Letters: random bytes would now and then look like some protocol.
const FILLER: [u8; 40] = *b"the quick brown fox jumps over the lazy ";
const CLIENTS: u16 = 2_000;
/// 1 March 2026, 00:00 UTC.
const START: Ts = 1_772_323_200 * SECOND;

/// Writes a classic pcap of `load`; memory does not grow with its size.
pub fn scale(load: &Load, out: impl Write) -> io::Result<Scale> {
    let mut net = Net::new(load.seed, START);
    let crowd = Crowd::gather(&mut net);
    let usual_pace = if load.profile == Profile::Tiny { SECOND / 5_000 } else { SECOND / 1_000 };
    let gap = load.span.map_or(usual_pace, |span| span / load.flows.max(1) as i64);
    let mut anomalies = (load.anomalies > 0).then(|| Anomalies::new(&mut net, load.anomalies, load.flows, gap));
    let mut queue = Queue::new(out)?;
    let usual = load.packets / load.flows.max(1);
    let mut made = 0;
    for flow in 0..load.flows {
        let start = START + (flow as i64) * gap;
        queue.write_before(start)?;
        net.now = start;
        // What is left is spread over the flows left, but the last few do not pay for all before them.
        let share = (load.packets.saturating_sub(made) / (load.flows - flow)).min(usual * 2);
        let budget = 1 + net.rng.below(2 * share.max(1) - 1);
        let strange = anomalies.as_mut().is_some_and(|anomalies| anomalies.take(&mut net, flow));
        match load.profile {
            _ if strange => {}
            Profile::Tiny => crowd.tiny(&mut net, budget),
            Profile::Mixed => crowd.mixed(&mut net, budget),
        }
        made += queue.take(net.drain());
    }
    queue.write_before(Ts::MAX)?;
    queue.writer.finish()?;
    let truth = Truth::of("load", net.deeds(), queue.labelled);
    Ok(Scale { flows: load.flows, frames: queue.frames, held_max: queue.held_max, truth })
}

/// Time, order, bytes, deed.
type Waiting = (Ts, u64, Vec<u8>, Option<usize>);

/// Frames that wait for those before them.
struct Queue<W: Write> {
    waiting: BinaryHeap<Reverse<Waiting>>,
    writer: PcapWriter<W>,
    frames: u64,
    written: u64,
    held_max: usize,
    /// Deed, time and number of each frame that belongs to one.
    labelled: Vec<(usize, Ts, u64)>,
}

impl<W: Write> Queue<W> {
    fn new(out: W) -> io::Result<Self> {
        let writer = PcapWriter::new(out, LinkType::ETHERNET, false)?;
        Ok(Self { waiting: BinaryHeap::new(), writer, frames: 0, written: 0, held_max: 0, labelled: Vec::new() })
    }

    fn take(&mut self, frames: Vec<(Ts, Option<usize>, Vec<u8>)>) -> u64 {
        let count = frames.len() as u64;
        for (ts, label, bytes) in frames {
            self.waiting.push(Reverse((ts, self.frames, bytes, label)));
            self.frames += 1;
        }
        self.held_max = self.held_max.max(self.waiting.len());
        count
    }

    /// Writes all that no later flow can precede.
    fn write_before(&mut self, ts: Ts) -> io::Result<()> {
        while self.waiting.peek().is_some_and(|Reverse(first)| first.0 < ts) {
            if let Some(Reverse((ts, _, bytes, label))) = self.waiting.pop() {
                self.writer.frame(ts, bytes.len() as u32, &bytes)?;
                self.written += 1;
                self.labelled.extend(label.map(|label| (label, ts, self.written)));
            }
        }
        Ok(())
    }
}

/// Clients and servers enough that no two flows share addresses and ports.
struct Crowd {
    clients: Vec<Host>,
    servers: Vec<Host>,
}

impl Crowd {
    fn gather(net: &mut Net) -> Self {
        let gateway = net.host("gateway", [10, 50, 0, 1], Os::Device);
        net.set_gateway(gateway);
        let systems = [Os::Linux, Os::Windows];
        let client = |n: u16| net.host("client", [10, 50, 1 + (n >> 8) as u8, n as u8], systems[usize::from(n) % 2]);
        let clients = (0..CLIENTS).map(client).collect();
        let mut servers = Vec::new();
        for [a, b, c] in [[192, 0, 2], [198, 51, 100], [203, 0, 113]] {
            for last in 1..=250 {
                let rtt = net.rng.between(4, 80);
                servers.push(net.outside("www.example.com", [a, b, c, last], Os::Linux, rtt));
            }
        }
        net.set_resolver(servers[0]);
        Self { clients, servers }
    }

    fn pair(&self, net: &mut Net) -> (Host, Host) {
        (*net.rng.pick(&self.clients), *net.rng.pick(&self.servers))
    }

    /// One flow of about `budget` small packets.
    fn tiny(&self, net: &mut Net, budget: u64) {
        let (client, server) = self.pair(net);
        match budget {
            1 => datagrams(net, client, server, 1),
            2..=5 if net.rng.chance(300) => net.tcp(client, server, 8_080).refused(),
            2..=5 if net.rng.chance(100) => echo(net, client, server),
            2..=5 => datagrams(net, client, server, budget),
            more => {
                let mut tcp = net.tcp(client, server, 7);
                tcp.connect();
                for _ in 0..(more - 6) / 2 {
                    tcp.send(b"ping\n");
                    tcp.reply(b"pong\n");
                }
                tcp.close();
            }
        }
    }

    /// One flow of a real protocol, of about `budget` packets where it can be so short.
    fn mixed(&self, net: &mut Net, budget: u64) {
        let (client, server) = self.pair(net);
        // Two of three data packets of a download are full; the third is their acknowledgement.
        let bulk = (budget.saturating_sub(14) as usize) * 2 / 3 * 1_448;
        match budget {
            0..=6 => net.find(client, server),
            7..=12 => page(net, client, server, 600),
            _ if net.rng.chance(300) => page(net, client, server, bulk + 600),
            _ => secret(net, client, server, bulk),
        }
    }
}

fn datagrams(net: &mut Net, client: Host, server: Host, count: u64) {
    let port = net.next_port(client);
    for index in 0..count {
        let (from, to) = if index % 2 == 0 { ((client, port), (server, 9_999)) } else { ((server, 9_999), (client, port)) };
        let size = net.rng.between(8, 40) as usize;
        net.udp(from, to, &FILLER[..size]);
        net.react(to.0);
    }
}

fn echo(net: &mut Net, client: Host, server: Host) {
    let id = net.next_port(client);
    net.ping(client, server, id, 1, &[0x55; 24]);
}

fn page(net: &mut Net, client: Host, server: Host, bytes: usize) {
    let body = super::apps::http::page("Scale", bytes);
    let mut tcp = net.tcp(client, server, 80);
    tcp.connect();
    tcp.http_get("www.example.com", "/", "200 OK", "text/html", &body);
    tcp.close();
}

fn secret(net: &mut Net, client: Host, server: Host, bytes: usize) {
    let mut tcp = net.tcp(client, server, 443);
    tcp.connect();
    tcp.tls(Some("www.example.com"), Client::Browser, &Server::Modern);
    tcp.sealed_send(360);
    tcp.sealed_reply(bytes + 400);
    tcp.close();
}
