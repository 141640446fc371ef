//! Which flows are tunnels, and what travels in them: rows of `tunnel`, and the parents of flows.
//!
//! A tunnel over UDP is the flow that carries it. One directly over IP is known by its two hosts, as in Zeek; no row of `flows` stands
//! for it, but its row of `tunnel` has an id that no flow has: that of the packet which showed it first.

use crate::model::event::{Tunnel as Seen, TunnelAction};
use crate::model::packet::{Tunnel, TunnelKind};
use crate::model::{AppEvent, Conn, Event, Flow, FlowId, Packet, Proto, Ts, time::SECOND};
use std::collections::HashMap;
use std::net::IpAddr;

/// Tunnels between hosts that are remembered. Beyond, the half that was silent longest is forgotten, and told anew if it speaks again.
const MOST_PAIRS: usize = 65_536;
/// Parents kept of one flow.
const MOST_PARENTS: usize = 16;
/// A tunnel between hosts ends after this silence (Zeek's `Tunnel::expiration_interval`).
const SILENCE: i64 = 24 * 3_600 * SECOND;

/// All tunnels of a case.
#[derive(Default)]
pub struct Tunnels {
    /// Of open flows.
    parents: HashMap<FlowId, Vec<FlowId>, ahash::RandomState>,
    /// Open flows that are tunnels, and what showed it.
    carriers: HashMap<FlowId, Found, ahash::RandomState>,
    /// Tunnels between two hosts, the lower address first.
    pairs: HashMap<(IpAddr, IpAddr), Hosts, ahash::RandomState>,
    now: Ts,
    /// Tunnels between hosts that were forgotten.
    pub forgotten: u64,
}

struct Found {
    tunnel: Tunnel,
    frame: u64,
    ts_ns: Ts,
}

struct Hosts {
    conn: Conn,
    tunnel: Tunnel,
    last_ns: Ts,
    last_frame: u64,
}

/// The packet that `packets[at]` travels in.
pub fn around(packets: &[Packet], at: usize) -> Option<usize> {
    let inner = packets.get(at)?;
    let layer = inner.layer.checked_sub(1)?;
    let same_frame = packets.get(..at)?.iter().enumerate().rev().take_while(|(_, outer)| outer.frame == inner.frame);
    same_frame.into_iter().find(|(_, outer)| outer.layer == layer).map(|(index, _)| index)
}

impl Tunnels {
    /// The most tunnels between hosts that are remembered.
    pub const MOST: usize = MOST_PAIRS;

    /// Takes note of the packets of a block, whose flows are known by now.
    pub fn packets(&mut self, packets: &[Packet], flow_of: &[Option<FlowId>], events: &mut Vec<AppEvent>) {
        for (at, (packet, flow)) in packets.iter().zip(flow_of).enumerate() {
            if packet.layer == 0 {
                continue;
            }
            let Some(flow) = flow else { continue };
            if let Some(parent) = self.register(packets, flow_of, at, events) {
                let parents = self.parents.entry(*flow).or_default();
                // A datagram may travel in one of its own flow.
                if parents.len() < MOST_PARENTS && parent != *flow && !parents.contains(&parent) {
                    parents.push(parent);
                }
            }
        }
    }

    /// Registers all tunnels around a packet, the outermost first. Returns the innermost.
    fn register(&mut self, packets: &[Packet], flow_of: &[Option<FlowId>], at: usize, events: &mut Vec<AppEvent>) -> Option<FlowId> {
        let outer_at = around(packets, at)?;
        self.register(packets, flow_of, outer_at, events);
        let outer = packets.get(outer_at)?;
        let tunnel = outer.carries?;
        if tunnel.kind.between_hosts() {
            return self.between_hosts(outer, tunnel, events);
        }
        let flow = (*flow_of.get(outer_at)?)?;
        self.carriers.entry(flow).or_insert(Found { tunnel, frame: outer.frame, ts_ns: outer.ts_ns });
        Some(flow)
    }

    fn between_hosts(&mut self, outer: &Packet, tunnel: Tunnel, events: &mut Vec<AppEvent>) -> Option<FlowId> {
        let ip = outer.ip()?;
        let pair = (ip.src.min(ip.dst), ip.src.max(ip.dst));
        self.now = self.now.max(outer.ts_ns);
        if self.pairs.get(&pair).is_some_and(|hosts| self.now.saturating_sub(hosts.last_ns) > SILENCE) {
            self.expire(&pair, events);
        }
        if let Some(hosts) = self.pairs.get_mut(&pair) {
            hosts.last_ns = hosts.last_ns.max(outer.ts_ns);
            hosts.last_frame = outer.frame;
            return Some(hosts.conn.flow);
        }
        self.make_room();
        let flow = FlowId::new(outer.frame, outer.layer);
        let conn = Conn { flow, orig_h: ip.src, orig_p: 0, resp_h: ip.dst, resp_p: 0, proto: Proto::Other };
        self.pairs.insert(pair, Hosts { conn, tunnel, last_ns: outer.ts_ns, last_frame: outer.frame });
        events.push(row(conn, tunnel, TunnelAction::Discover, outer.frame, outer.ts_ns));
        Some(flow)
    }

    fn make_room(&mut self) {
        if self.pairs.len() < MOST_PAIRS {
            return;
        }
        let mut all: Vec<(Ts, FlowId, (IpAddr, IpAddr))> =
            self.pairs.iter().map(|(pair, hosts)| (hosts.last_ns, hosts.conn.flow, *pair)).collect();
        all.sort_unstable();
        for (.., pair) in all.iter().take(MOST_PAIRS / 2) {
            self.pairs.remove(pair);
            self.forgotten += 1;
        }
    }

    fn expire(&mut self, pair: &(IpAddr, IpAddr), events: &mut Vec<AppEvent>) {
        if let Some(hosts) = self.pairs.remove(pair) {
            events.push(row(hosts.conn, hosts.tunnel, TunnelAction::Expire, hosts.last_frame, hosts.last_ns));
        }
    }

    /// Takes note of flows that ended: those that travelled get their parents, those that were tunnels say so.
    pub fn ended(&mut self, flows: &mut [Flow], events: &mut Vec<AppEvent>) {
        for flow in flows {
            if let Some(parents) = self.parents.remove(&flow.id) {
                flow.tunnel_parents = parents;
            }
            let Flow { id, orig_h, orig_p, resp_h, resp_p, proto, .. } = *flow;
            let conn = Conn { flow: id, orig_h, orig_p, resp_h, resp_p, proto };
            if let Some(Found { tunnel, frame, ts_ns }) = self.carriers.remove(&id)
                && tunnel.kind != TunnelKind::Ah
            {
                events.push(row(conn, tunnel, TunnelAction::Discover, frame, ts_ns));
                events.push(row(conn, tunnel, TunnelAction::Close, flow.last_frame, flow.last_ns));
            }
            if flow.service.split(',').any(|service| service == "socks") {
                events.push(proxied(conn, TunnelKind::Socks, flow.first_frame, flow.ts_ns));
            }
        }
    }

    /// Gives flows that are still open the parents they have so far.
    pub fn so_far(&self, flows: &mut [Flow]) {
        for flow in flows {
            flow.tunnel_parents = self.parents.get(&flow.id).cloned().unwrap_or_default();
        }
    }

    /// The evidence is over: ends what was silent for long enough.
    pub fn finish(&mut self, events: &mut Vec<AppEvent>) {
        let mut silent: Vec<(FlowId, (IpAddr, IpAddr))> = self
            .pairs
            .iter()
            .filter(|(_, hosts)| self.now.saturating_sub(hosts.last_ns) > SILENCE)
            .map(|(pair, hosts)| (hosts.conn.flow, *pair))
            .collect();
        silent.sort_unstable();
        for (_, pair) in silent {
            self.expire(&pair, events);
        }
    }
}

/// The tunnels that HTTP opens: a CONNECT that was granted.
pub fn granted(events: &mut Vec<AppEvent>) {
    let rows: Vec<AppEvent> = events
        .iter()
        .filter_map(|at| match &at.event {
            Event::Http(http) if http.method.as_deref() == Some("CONNECT") && http.status_code == Some(200) => {
                Some(proxied(at.conn?, TunnelKind::Http, at.frame, at.ts_ns))
            }
            _ => None,
        })
        .collect();
    events.extend(rows);
}

/// What a proxy is asked to open: Zeek leaves the client's port out, since further ones belong to the same tunnel.
fn proxied(conn: Conn, kind: TunnelKind, frame: u64, ts_ns: Ts) -> AppEvent {
    row(Conn { orig_p: 0, ..conn }, Tunnel { kind, id: None }, TunnelAction::Discover, frame, ts_ns)
}

fn row(conn: Conn, tunnel: Tunnel, action: TunnelAction, frame: u64, ts_ns: Ts) -> AppEvent {
    let seen = Seen { tunnel_type: tunnel.kind.name(), action, tunnel_id: tunnel.id };
    AppEvent { conn: Some(conn), frame, ts_ns, event: Event::Tunnel(Box::new(seen)) }
}

#[cfg(test)]
mod tests;
