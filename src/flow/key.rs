//! What makes two packets the same flow: addresses, ports, protocol, in an order that both directions share.

use super::tunnels::around;
use crate::model::packet::{Ip, Transport};
use crate::model::{Dir, Packet, Proto};
use std::net::IpAddr;

/// Symmetric key of a flow.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Key {
    low: (u128, u16),
    high: (u128, u16),
    proto: u8,
    v6: bool,
    /// ICMP messages without a counterpart keep their direction in the key.
    one_way: bool,
    /// Which of the networks with these addresses, 0 outside of tunnels that number them ([`super::tenant`]). How deep a packet lies is
    /// not in the key: of many flows one direction alone is seen in a tunnel.
    tenant: u32,
}

/// A packet's place in its flow, before the flow is known.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The flow's key.
    pub key: Key,
    /// The sender's side of the key: `true` if it is the lower one.
    pub from_low: bool,
    /// Sender.
    pub src: (IpAddr, u16),
    /// Receiver.
    pub dst: (IpAddr, u16),
    /// Transport.
    pub proto: Proto,
    /// The number of its network, as in [`Packet::tenant`].
    pub number: u64,
    /// What the tunnel around it is, in one number; `None` outside of tunnels.
    pub tunnel: Option<u64>,
}

impl Place {
    /// Where a packet belongs; `None` for what is no flow (ARP, later fragments, nothing recognised).
    pub fn of(packet: &Packet) -> Option<Self> {
        let ip = packet.ip()?;
        if ip.fragment.is_some_and(|fragment| fragment.offset > 0) {
            return None;
        }
        let (sport, dport, one_way) = ports(ip, &packet.transport);
        let (src, dst) = ((ip.src, sport), (ip.dst, dport));
        let (a, b) = ((bits(ip.src), sport), (bits(ip.dst), dport));
        let from_low = one_way || a <= b;
        let (low, high) = if from_low { (a, b) } else { (b, a) };
        let key = Key { low, high, proto: ip.proto, v6: ip.src.is_ipv6(), one_way, tenant: 0 };
        Some(Self { key, from_low, src, dst, proto: packet.proto(), number: packet.tenant, tunnel: None })
    }

    /// Direction within a flow whose originator is the lower side or not.
    pub fn dir(&self, orig_is_low: bool) -> Dir {
        if self.from_low == orig_is_low { Dir::Orig } else { Dir::Resp }
    }

    /// This place inside of whatever surrounds `packets[at]`.
    pub fn inside_of(self, packets: &[Packet], at: usize) -> Self {
        Self { tunnel: tunnel(packets, at), ..self }
    }

    /// Chooses the shard: that of all networks with these addresses.
    pub fn shard(&self, shards: usize) -> usize {
        (self.key.mix() >> 33) as usize % shards
    }
}

impl Key {
    /// The same key in one of the networks that share its addresses.
    pub fn of_tenant(self, tenant: u32) -> Self {
        Self { tenant, ..self }
    }

    /// A number that depends on addresses, ports and protocol alone, the same in every run.
    fn mix(&self) -> u64 {
        let Self { low, high, proto, .. } = *self;
        let mut mix = u64::from(proto) ^ 0x9e37_79b9_7f4a_7c15;
        for part in [low.0 as u64, (low.0 >> 64) as u64, high.0 as u64, (high.0 >> 64) as u64, u64::from(low.1) << 16 | u64::from(high.1)] {
            // SplitMix64's finaliser: every input bit reaches the low output bits.
            mix = (mix ^ part).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mix ^= mix >> 31;
        }
        mix.wrapping_mul(0x94d0_49bb_1331_11eb)
    }
}

/// The tunnel around `packets[at]`: by hosts for those that are known by them, else by flow, and by what is around that.
fn tunnel(packets: &[Packet], at: usize) -> Option<u64> {
    let outer_at = around(packets, at)?;
    let outer = packets.get(outer_at)?;
    let mut key = Place::of(outer)?.key;
    if outer.carries?.kind.between_hosts() {
        key = Key { low: (key.low.0, 0), high: (key.high.0, 0), proto: 0, ..key };
    }
    Some(key.mix().wrapping_add(tunnel(packets, outer_at).unwrap_or(0).rotate_left(17)))
}

fn bits(addr: IpAddr) -> u128 {
    match addr {
        IpAddr::V4(v4) => u128::from(u32::from(v4)),
        IpAddr::V6(v6) => u128::from(v6),
    }
}

/// Ports, or for ICMP the type and its counterpart as Zeek assigns them; the flag marks ICMP types without counterpart.
fn ports(ip: &Ip, transport: &Transport) -> (u16, u16, bool) {
    match transport {
        Transport::Tcp(tcp) => (tcp.sport, tcp.dport, false),
        Transport::Udp(udp) => (udp.sport, udp.dport, false),
        Transport::Sctp(sctp) => (sctp.sport, sctp.dport, false),
        Transport::Icmp(icmp) => {
            let counterpart = if ip.proto == 58 { icmp6_counterpart(icmp.kind) } else { icmp4_counterpart(icmp.kind) };
            let other = counterpart.unwrap_or(icmp.code);
            (u16::from(icmp.kind), u16::from(other), counterpart.is_none())
        }
        Transport::None => (0, 0, false),
    }
}

/// Request and reply types that belong together (RFC 792, 950, 1256).
fn icmp4_counterpart(kind: u8) -> Option<u8> {
    Some(match kind {
        8 => 0,
        0 => 8,
        13 => 14,
        14 => 13,
        15 => 16,
        16 => 15,
        17 => 18,
        18 => 17,
        10 => 9,
        9 => 10,
        _ => return None,
    })
}

/// Request and reply types that belong together (RFC 4443, 2710, 4861, 4620, 6275).
fn icmp6_counterpart(kind: u8) -> Option<u8> {
    Some(match kind {
        128 => 129,
        129 => 128,
        130 => 131,
        131 => 130,
        133 => 134,
        134 => 133,
        135 => 136,
        136 => 135,
        139 => 140,
        140 => 139,
        144 => 145,
        145 => 144,
        _ => return None,
    })
}
