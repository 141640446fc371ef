//! Who owns an address on the segment: a liar, and changes that are no lies.

use super::office::{Office, visit_plain};
use crate::model::time::SECOND;
use crate::synth::apps::ping::linux_pattern;
use crate::synth::net::{Host, MILLI, Net, Os};
use crate::synth::wire::{self, Ip, Macs};
use crate::synth::{Capture, Deed};
use std::net::{IpAddr, Ipv4Addr};

const GATEWAY: [u8; 4] = [10, 20, 0, 1];

/// The liar's place in the story.
struct Middle {
    liar: Host,
    victim: Host,
    gateway: Host,
}

pub fn spoof(name: &str) -> Capture {
    let mut office = Office::new(70, 5);
    let middle = Middle { liar: office.pc(4), victim: office.pc(0), gateway: office.gateway };
    let (others, site) = (office.pcs.clone(), office.sites[0]);
    let net = &mut office.net;
    for host in others.iter().copied() {
        net.arp(host, middle.gateway);
        net.wait(600 * MILLI);
    }
    visit_plain(net, middle.victim, site, "/", 900);
    net.wait(3 * SECOND);
    let begin = net.now;
    let deed = Deed::attack("credential-access", &["T1557.002"], "The gateway and a workstation are told each other's address by a third");
    let deed = deed.rule("arp-spoof").by([net.ip(middle.liar)]).on([net.ip(middle.victim), net.ip(middle.gateway)]);
    net.deed(deed, |net| {
        for _ in 0..45 {
            lie(net, &middle);
            net.wait(SECOND);
        }
        for seq in 0..20 {
            net.at(begin + 2 * SECOND + i64::from(seq) * 2 * SECOND, |net| relayed_ping(net, &middle, site, seq));
        }
    });
    for round in 1..4 {
        // The true gateway goes on speaking: it answers the neighbours who ask.
        net.at(begin + round * 11 * SECOND, |net| net.arp(others[2], middle.gateway));
    }
    office.net.finish(name)
}

/// One pair of false replies.
fn lie(net: &mut Net, middle: &Middle) {
    let mac = net.mac(middle.liar);
    net.arp_claim(mac, GATEWAY, middle.victim);
    if let IpAddr::V4(victim) = net.ip(middle.victim) {
        net.wait(MILLI);
        net.arp_claim(mac, victim.octets(), middle.gateway);
    }
}

/// The victim pings a site; every packet passes twice, the second time from the liar, its time to live one less.
fn relayed_ping(net: &mut Net, middle: &Middle, site: Host, seq: u16) {
    let data = linux_pattern(net.now, 56);
    let (victim, liar, gateway) = (net.mac(middle.victim), net.mac(middle.liar), net.mac(middle.gateway));
    let ends = (net.ip(middle.victim), net.ip(site));
    let request = wire::icmp(8, 0, 0x0700_0000 | u32::from(seq), &data);
    let reply = wire::icmp(0, 0, 0x0700_0000 | u32::from(seq), &data);
    let id = net.rng.bits() as u16;
    pass(net, Macs { src: victim, dst: liar }, ends, (128, id), &request);
    net.wait(MILLI);
    pass(net, Macs { src: liar, dst: gateway }, ends, (127, id), &request);
    net.react(site);
    pass(net, Macs { src: gateway, dst: liar }, (ends.1, ends.0), (54, id ^ 0x1111), &reply);
    net.wait(MILLI);
    pass(net, Macs { src: liar, dst: victim }, (ends.1, ends.0), (53, id ^ 0x1111), &reply);
}

fn pass(net: &mut Net, macs: Macs, (src, dst): (IpAddr, IpAddr), (ttl, id): (u8, u16), message: &[u8]) {
    let ip = Ip { src, dst, ttl, id, protocol: wire::ICMP };
    net.frame(wire::ip_frame(macs, &ip, message.to_vec(), 2));
}

pub fn spoof_benign(name: &str) -> Capture {
    let mut office = Office::new(71, 5);
    let (pcs, site, gateway) = (office.pcs.clone(), office.sites[0], office.gateway);
    let net = &mut office.net;
    let routers = [[10, 20, 0, 2], [10, 20, 0, 3]].map(|ip| net.host("router", ip, Os::Device));
    net.deed(Deed::benign("The second of two VRRP routers takes over the shared address"), |net| {
        for second in 0..20 {
            let master = routers[usize::from(second >= 10)];
            net.aside(|net| advertise(net, master, second >= 10));
            if second == 10 {
                net.arp_announce(VIRTUAL, [10, 20, 0, 254]);
            }
            net.wait(SECOND);
        }
    });
    let (leaver, comer) = (pcs[3], net.host("guest", [10, 20, 0, 104], Os::Windows));
    visit_plain(net, leaver, site, "/", 700);
    net.wait(400 * SECOND);
    net.deed(Deed::benign("An address is leased to another host after the first has gone"), |net| {
        net.dhcp_lease(comer, gateway);
        let mac = net.mac(comer);
        net.arp_announce(mac, [10, 20, 0, 104]);
        net.arp(comer, gateway);
    });
    visit_plain(net, comer, site, "/", 700);
    net.deed(Deed::benign("Hosts announce themselves three times after boot"), |net| {
        for (index, pc) in pcs.iter().copied().take(3).enumerate() {
            let mac = net.mac(pc);
            for _ in 0..3 {
                net.arp_announce(mac, [10, 20, 0, 101 + index as u8]);
                net.wait(2 * SECOND);
            }
        }
    });
    office.net.finish(name)
}

/// Hardware address of virtual router 10 (RFC 9568, 7.3).
const VIRTUAL: [u8; 6] = [0, 0, 0x5e, 0, 1, 10];

/// A VRRP version 3 advertisement of `router` for 10.20.0.254, once a second.
fn advertise(net: &mut Net, router: Host, backup: bool) {
    let mut message = vec![0x31, 10, if backup { 100 } else { 200 }, 1, 0, 100, 0, 0];
    message.extend([10, 20, 0, 254]);
    let ip = Ip { src: net.ip(router), dst: Ipv4Addr::new(224, 0, 0, 18).into(), ttl: 255, id: 0, protocol: 112 };
    let macs = Macs { src: VIRTUAL, dst: [1, 0, 0x5e, 0, 0, 18] };
    net.frame(wire::ip_frame(macs, &ip, message, 6));
}
