//! ICMP (RFC 792): echo and its answer, and the errors routers send.

use crate::synth::net::{Host, MILLI, Net};
use crate::synth::wire;

/// What `ping` on Linux sends: sixteen bytes of time, then 0x10, 0x11, 0x12 …
pub fn linux_pattern(now: i64, bytes: usize) -> Vec<u8> {
    let mut out = (now / 1_000_000_000).to_le_bytes().to_vec();
    out.extend((now % 1_000_000_000 / 1_000).to_le_bytes());
    out.extend((out.len()..bytes).map(|position| position as u8));
    out.truncate(bytes);
    out
}

impl Net {
    /// Echo request and reply with the same data.
    pub fn ping(&mut self, from: Host, to: Host, id: u16, seq: u16, data: &[u8]) {
        self.ping_unanswered(from, to, id, seq, data);
        self.react(to);
        self.pong(to, from, id, seq, data);
    }

    /// Echo request alone.
    pub fn ping_unanswered(&mut self, from: Host, to: Host, id: u16, seq: u16, data: &[u8]) {
        let kind = if self.ip(from).is_ipv4() { 8 } else { 128 };
        self.icmp(from, to, (kind, 0), echo(id, seq), data);
    }

    /// Echo reply alone.
    pub fn pong(&mut self, from: Host, to: Host, id: u16, seq: u16, data: &[u8]) {
        let kind = if self.ip(from).is_ipv4() { 0 } else { 129 };
        self.icmp(from, to, (kind, 0), echo(id, seq), data);
    }

    /// The route to `to` over `routers`, three UDP probes per hop as traceroute sends them.
    pub fn traceroute(&mut self, from: Host, to: Host, routers: &[Host]) {
        let source = self.next_port(from);
        let hops: Vec<Host> = routers.iter().copied().chain([to]).collect();
        let mut port = 33_434;
        for (ttl, hop) in (1..).zip(hops) {
            for _ in 0..3 {
                let probe = wire::udp(source, port, b"@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_");
                self.send_ip_with(from, to, ttl, wire::UDP, probe, 6);
                let quoted: Vec<u8> = self.newest_packet().iter().copied().take(28 + 32).collect();
                self.react(hop);
                let kind = if hop == to { (3, 3) } else { (11, 0) };
                self.icmp(hop, from, kind, 0, &quoted);
                self.wait(3 * MILLI);
                port += 1;
            }
        }
    }
}

fn echo(id: u16, seq: u16) -> u32 {
    u32::from(id) << 16 | u32::from(seq)
}
