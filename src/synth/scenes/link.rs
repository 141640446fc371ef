//! Who says on a link that it is the way out: IPv6 routers, DHCPv6 servers, and cards that nobody has.

use super::Office;
use crate::model::time::SECOND;
use crate::synth::net::{Host, MICRO, MILLI, Net, Os};
use crate::synth::wire::{self, Ip, Macs, SYN, Segment};
use crate::synth::{Capture, Deed};
use std::net::{IpAddr, Ipv6Addr};

const fn local(last: u16) -> Ipv6Addr {
    Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, last)
}

const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
const ALL_SERVERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2);

struct Link {
    office: Office,
    router: Host,
    attacker: Host,
    clients: [Host; 2],
    nodes: Host,
    servers: Host,
}

fn link(seed: u64) -> Link {
    let mut office = Office::new(seed, 2);
    let net = &mut office.net;
    let router = net.host("router", local(1), Os::Device);
    let attacker = net.host("guest", local(0x66), Os::Linux);
    let clients = [0x11, 0x12].map(|last| net.host("pc", local(last), Os::Windows));
    let (nodes, servers) = (net.host("", ALL_NODES, Os::Device), net.host("", ALL_SERVERS, Os::Device));
    Link { office, router, attacker, clients, nodes, servers }
}

/// A router advertisement (RFC 4861, 4.2) with one prefix, and a resolver (RFC 8106) if there is one.
fn advertise(net: &mut Net, from: Host, to: Host, (preference, lifetime): (u8, u16), prefix: u16, resolver: Option<Ipv6Addr>) {
    let mut options = vec![0; 8];
    options.extend([3, 4, 64, 0xc0, 0, 0, 0x0e, 0x10, 0, 0, 0x07, 0x08, 0, 0, 0, 0]);
    options.extend(Ipv6Addr::new(0x2001, 0xdb8, prefix, 0, 0, 0, 0, 0).octets());
    if let Some(resolver) = resolver {
        options.extend([25, 3, 0, 0, 0, 0, 0x0e, 0x10]);
        options.extend(resolver.octets());
    }
    let head = u32::from_be_bytes([64, preference, (lifetime >> 8) as u8, lifetime as u8]);
    net.send_ip_with(from, to, 255, wire::ICMP6, wire::icmp(134, 0, head, &options), 2);
}

pub fn second_router(name: &str) -> Capture {
    let Link { mut office, router, attacker, nodes, .. } = link(270);
    let net = &mut office.net;
    for round in 0..6 {
        net.at(net.now + round * 20 * SECOND, |net| advertise(net, router, nodes, (0, 1_800), 1, None));
    }
    net.wait(50 * SECOND);
    let deed = Deed::attack("credential-access", &["T1557"], "A guest announces itself as the better router, with a resolver of its own");
    net.deed(deed.rule("rogue-router").by([net.ip(attacker)]), |net| {
        for _ in 0..5 {
            // Router preference high: 01 in bits 3 and 4 (RFC 4191).
            advertise(net, attacker, nodes, (8, 9_000), 0xbad, Some(local(0x66)));
            net.wait(5 * SECOND);
        }
    });
    office.net.finish(name)
}

pub fn second_router_benign(name: &str) -> Capture {
    let Link { mut office, router, attacker: backup, clients: [thing, _], nodes, .. } = link(271);
    let net = &mut office.net;
    net.deed(
        Deed::benign("Two routers back each other up; a border router of small things announces no default route").by([net.ip(router)]),
        |net| {
            for _ in 0..6 {
                advertise(net, router, nodes, (0, 1_800), 1, Some(local(1)));
                net.wait(4 * SECOND);
                advertise(net, backup, nodes, (0x18, 1_800), 1, Some(local(1)));
                net.wait(4 * SECOND);
                advertise(net, thing, nodes, (0, 0), 0xfd, None);
                net.wait(12 * SECOND);
            }
        },
    );
    office.net.finish(name)
}

fn option(code: u16, value: &[u8]) -> Vec<u8> {
    [&code.to_be_bytes()[..], &(value.len() as u16).to_be_bytes(), value].concat()
}

/// SOLICIT and REQUEST, each with its answer (RFC 9915): an address and a resolver.
fn lease(net: &mut Net, client: Host, group: Host, server: Host, address: Ipv6Addr, resolver: Ipv6Addr) {
    let duid = |net: &Net, host| option(if host == client { 1 } else { 2 }, &[&[0, 3, 0, 1], &net.mac(host)[..]].concat());
    let id = net.rng.bytes(3);
    let times = [0, 0, 0, 200, 0, 0, 0, 250];
    let lives = [0, 0, 1, 44, 0, 0, 1, 44];
    let address = option(5, &[&address.octets()[..], &lives].concat());
    for (kind, answer) in [(1, 2), (3, 7)] {
        let ask = [&[kind], &id[..], &duid(net, client), &option(3, &[&[0, 0, 0, 1], &times[..]].concat()), &option(6, &[0, 23])].concat();
        let given = option(3, &[&[0, 0, 0, 1], &times[..], &address].concat());
        let says = [&[answer], &id[..], &duid(net, client), &duid(net, server), &given, &option(23, &resolver.octets())].concat();
        net.udp((client, 546), (group, 547), &ask);
        net.react(server);
        net.udp((server, 547), (client, 546), &says);
        net.wait(100 * MILLI);
    }
}

pub fn six(name: &str) -> Capture {
    let Link { mut office, attacker, clients, servers, .. } = link(272);
    let net = &mut office.net;
    let deed =
        Deed::attack("credential-access", &["T1557"], "A guest gives IPv6 addresses to two workstations and makes itself their resolver");
    let deed = deed.rule("rogue-dhcpv6").by([net.ip(attacker)]).on(clients.map(|one| net.ip(one)));
    net.deed(deed, |net| {
        for (number, client) in (0x1000..).zip(clients) {
            lease(net, client, servers, attacker, local(number), local(0x66));
            net.wait(3 * SECOND);
        }
    });
    office.net.finish(name)
}

pub fn six_benign(name: &str) -> Capture {
    let Link { mut office, router, clients, nodes, servers, .. } = link(273);
    let net = &mut office.net;
    net.deed(
        Deed::benign("The router of a home gives out addresses of its prefix and resolves names itself").by([net.ip(router)]),
        |net| {
            for (number, client) in (0x100..).zip(clients) {
                advertise(net, router, nodes, (0, 1_800), 1, None);
                net.wait(SECOND);
                lease(net, client, servers, router, Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, number), local(1));
                net.wait(30 * SECOND);
            }
        },
    );
    office.net.finish(name)
}

pub fn cards(name: &str) -> Capture {
    let mut office = Office::new(274, 2);
    office.bustle(20 * SECOND, 3);
    let net = &mut office.net;
    let deed = Deed::attack("credential-access", &["T1040"], "Nine hundred frames, each from and to cards and addresses that nobody has");
    net.deed(deed.rule("mac-flooding"), |net| {
        for _ in 0..900 {
            let noise = net.rng.bytes(24);
            let four = |at: usize| IpAddr::from([10, noise[at + 1], noise[at + 2], noise[at + 3]]);
            let card = |at: usize| [noise[at] & 0xfe | 2, noise[at + 1], noise[at + 2], noise[at + 3], noise[at + 4], noise[at + 5]];
            let ip = Ip { src: four(0), dst: four(4), ttl: 64, id: 0, protocol: wire::TCP };
            let ports = (net.rng.between(1_024, 65_535) as u16, net.rng.between(1_024, 65_535) as u16);
            let head =
                Segment { src_port: ports.0, dst_port: ports.1, seq: net.rng.bits() as u32, flags: SYN, window: 512, ..Segment::default() };
            net.frame(wire::ip_frame(Macs { src: card(8), dst: card(14) }, &ip, wire::tcp(&head, &[]), 16));
            net.wait(2 * MILLI + 300 * MICRO);
        }
    });
    office.net.finish(name)
}

pub fn cards_benign(name: &str) -> Capture {
    let mut office = Office::new(275, 2);
    let (gateway, site) = (office.gateway, office.sites[0]);
    let net = &mut office.net;
    let guests: Vec<Host> = (0..=250).map(|last| net.host("", [10, 21, 0, last], Os::Linux)).collect();
    net.deed(
        Deed::benign("Two hundred and fifty guests of a radio network announce themselves, and half of them look a name up")
            .by([net.ip(gateway)]),
        |net| {
            for (index, guest) in guests.into_iter().enumerate() {
                net.arp_ask(guest, [10, 20, 0, 1]);
                if index % 2 == 0 {
                    net.find(guest, site);
                }
                net.wait(100 * MILLI);
            }
        },
    );
    office.net.finish(name)
}
