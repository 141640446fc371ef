//! What a segment says to itself: ARP (RFC 826), DHCP (RFC 2131), and NTP (RFC 5905) to the world.

use crate::model::{Ts, time::SECOND};
use crate::synth::net::{Host, Net};
use crate::synth::wire::{self, ArpSide, BROADCAST, Ip, Macs};
use std::net::{IpAddr, Ipv4Addr};

fn four(address: IpAddr) -> [u8; 4] {
    match address {
        IpAddr::V4(v4) => v4.octets(),
        IpAddr::V6(_) => [0; 4],
    }
}

impl Net {
    fn side(&self, host: Host) -> ArpSide {
        ArpSide { mac: self.mac(host), ip: four(self.ip(host)) }
    }

    /// "Who has `ip`?" to everybody, unanswered.
    pub fn arp_ask(&mut self, asker: Host, ip: [u8; 4]) {
        let sender = self.side(asker);
        self.arp_frame(BROADCAST, 1, sender, ArpSide { mac: [0; 6], ip });
    }

    /// A question and its answer.
    pub fn arp(&mut self, asker: Host, target: Host) {
        let (sender, found) = (self.side(asker), self.side(target));
        self.arp_ask(asker, found.ip);
        self.react(target);
        self.arp_frame(sender.mac, 2, found, sender);
    }

    /// `mac` tells `listener`, unasked, that it has `ip`.
    pub fn arp_claim(&mut self, mac: [u8; 6], ip: [u8; 4], listener: Host) {
        let to = self.side(listener);
        self.arp_frame(to.mac, 2, ArpSide { mac, ip }, to);
    }

    /// `mac` tells everybody that it has `ip`: after boot, or after taking over.
    pub fn arp_announce(&mut self, mac: [u8; 6], ip: [u8; 4]) {
        self.arp_frame(BROADCAST, 1, ArpSide { mac, ip }, ArpSide { mac: [0; 6], ip });
    }

    fn arp_frame(&mut self, to: [u8; 6], operation: u16, sender: ArpSide, target: ArpSide) {
        let macs = Macs { src: sender.mac, dst: to };
        self.frame(wire::ethernet(macs, 0x0806, &wire::arp(operation, sender, target)));
    }

    /// A lease taken for the first time: DISCOVER, OFFER, REQUEST, ACK.
    pub fn dhcp_lease(&mut self, client: Host, server: Host) {
        let id = self.rng.bits() as u32;
        for (kind, answer) in [(1, 2), (3, 5)] {
            self.dhcp_broadcast(client, &dhcp(self, client, server, id, kind));
            self.react(server);
            let reply = dhcp(self, client, server, id, answer);
            self.udp((server, 67), (client, 68), &reply);
            self.wait(2_000_000);
        }
    }

    /// "Is there a lease for me?" from a hardware address that was made up, out of `sender`'s port.
    pub fn dhcp_discover_as(&mut self, sender: Host, server: Host, card: [u8; 6]) {
        let id = self.rng.bits() as u32;
        let mut message = dhcp(self, sender, server, id, 1);
        message[28..34].copy_from_slice(&card);
        self.dhcp_broadcast(sender, &message);
    }

    /// A lease renewed: REQUEST and ACK, both unicast.
    pub fn dhcp_renew(&mut self, client: Host, server: Host) {
        let id = self.rng.bits() as u32;
        let (request, ack) = (dhcp(self, client, server, id, 3), dhcp(self, client, server, id, 5));
        self.udp_exchange((client, 68), (server, 67), &request, &ack);
    }

    fn dhcp_broadcast(&mut self, client: Host, message: &[u8]) {
        let (src, dst) = (Ipv4Addr::UNSPECIFIED.into(), Ipv4Addr::BROADCAST.into());
        let ip = Ip { src, dst, ttl: self.machine(client).ttl, id: 0, protocol: wire::UDP };
        let macs = Macs { src: self.mac(client), dst: BROADCAST };
        self.frame(wire::ip_frame(macs, &ip, wire::udp(68, 67, message), 6));
    }

    /// A client asks a time server.
    pub fn ntp(&mut self, client: Host, server: Host) {
        let asked = self.now;
        let question = ntp(0x23, 0, [0, 0, asked]);
        let answer = ntp(0x24, 2, [asked, asked + 4_000_000, asked + 4_030_000]);
        self.udp_exchange((client, 123), (server, 123), &question, &answer);
    }
}

/// A DHCP message of type `kind`; odd types come from the client.
fn dhcp(net: &Net, client: Host, server: Host, id: u32, kind: u8) -> Vec<u8> {
    let (leased, router) = (four(net.ip(client)), four(net.ip(server)));
    let from_server = matches!(kind, 2 | 5);
    let mut out = vec![if from_server { 2 } else { 1 }, 1, 6, 0];
    out.extend(id.to_be_bytes());
    out.extend([0; 8]);
    out.extend(if from_server { leased } else { [0; 4] });
    out.extend(if from_server { router } else { [0; 4] });
    out.extend([0; 4]);
    out.extend(net.mac(client));
    out.extend([0; 10 + 64 + 128]);
    out.extend([0x63, 0x82, 0x53, 0x63, 53, 1, kind]);
    if from_server {
        out.extend([&[54, 4], &router[..], &[51, 4, 0, 0, 0x0e, 0x10, 1, 4, 255, 255, 255, 0, 3, 4], &router, &[6, 4], &router].concat());
    } else {
        let name = net.name(client);
        out.extend([&[50, 4], &leased[..], &[12, name.len() as u8], name.as_bytes(), &[55, 4, 1, 3, 6, 15]].concat());
    }
    out.push(255);
    out.resize(out.len().max(300), 0);
    out
}

/// An NTP packet: first byte (leap, version, mode), stratum, and origin, receive and transmit times.
fn ntp(first: u8, stratum: u8, times: [Ts; 3]) -> Vec<u8> {
    let mut out = vec![first, stratum, 6, 0xe9];
    out.extend([0, 0, 0x01, 0x20, 0, 0, 0x02, 0x40]);
    out.extend(if stratum == 0 { [0; 4] } else { [192, 0, 2, 123] });
    out.extend(stamp(times[0]));
    for ts in times {
        out.extend(stamp(ts));
    }
    out
}

/// Seconds since 1900 and their fraction; zero stays zero.
fn stamp(ts: Ts) -> [u8; 8] {
    const SINCE_1900: i64 = 2_208_988_800;
    if ts == 0 {
        return [0; 8];
    }
    let seconds = (ts.div_euclid(SECOND) + SINCE_1900) as u64;
    let fraction = ((ts.rem_euclid(SECOND) as u64) << 32) / SECOND as u64;
    ((seconds << 32) | fraction).to_be_bytes()
}
