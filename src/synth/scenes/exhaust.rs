//! Servers that are kept busy by requests, and hosts that are handed pieces of packets that fit nowhere; ports that many share out.

use super::Office;
use super::scans::{Door, probe};
use crate::model::time::SECOND;
use crate::synth::apps::http::{page, request};
use crate::synth::net::{Host, MILLI, Net, Os};
use crate::synth::wire::{self, Ip, Macs};
use crate::synth::{Capture, Deed};

fn shop(net: &mut Net) -> Host {
    net.host("shop.office.example", [10, 20, 0, 80], Os::Linux)
}

/// A request of which another header comes every ten seconds, and never the last.
fn drip(net: &mut Net, from: Host, server: Host, pieces: usize) {
    let mut tcp = net.tcp(from, server, 80);
    tcp.connect();
    tcp.send(b"GET /?51 HTTP/1.1\r\nHost: shop.office.example\r\n");
    for piece in 0..pieces {
        tcp.pause(10 * SECOND);
        tcp.send(format!("X-a: {}\r\n", 1_000 + piece).as_bytes());
    }
    tcp.reset_by_server();
}

pub fn slow(name: &str) -> Capture {
    let mut office = Office::new(280, 2);
    let attacker = office.pc(0);
    let net = &mut office.net;
    let server = shop(net);
    let deed = Deed::attack("impact", &["T1499.002"], "Sixty connections to a web server, each with a request that never ends");
    net.deed(deed.rule("slow-http").by([net.ip(attacker)]).on([net.ip(server)]), |net| {
        for _ in 0..60 {
            net.wait(30 * MILLI);
            net.aside(|net| drip(net, attacker, server, 5));
        }
    });
    office.net.finish(name)
}

pub fn slow_benign(name: &str) -> Capture {
    let mut office = Office::new(281, 3);
    let (pc, other) = (office.pc(0), office.pc(1));
    let net = &mut office.net;
    let server = shop(net);
    net.deed(
        Deed::benign("Forty pages are waited for half a minute each, since the server is slow; two uploads trickle").by([net.ip(pc)]),
        |net| {
            for _ in 0..40 {
                net.wait(200 * MILLI);
                net.aside(|net| {
                    let mut tcp = net.tcp(pc, server, 80);
                    tcp.connect();
                    tcp.send(&request("GET", "shop.office.example", "/report", &[], &[]));
                    tcp.pause(30 * SECOND);
                    let answer = crate::synth::apps::http::response(tcp.net.now, "200 OK", "text/html", &page("Report", 300));
                    tcp.reply(&answer);
                    tcp.close();
                });
            }
            for _ in 0..2 {
                net.aside(|net| drip(net, other, server, 4));
            }
        },
    );
    office.net.finish(name)
}

/// So many requests for one page a second over `seconds`, on connections of twenty requests; the server answers with `status`, or not at all.
fn ask_often(net: &mut Net, from: Host, server: Host, connections: usize, answer: Option<&str>) {
    for _ in 0..connections {
        net.wait(100 * MILLI);
        net.aside(|net| {
            let mut tcp = net.tcp(from, server, 80);
            tcp.connect();
            let ask = request("GET", "shop.office.example", "/search?q=a", &[("User-Agent", "bench")], &[]);
            for _ in 0..20 {
                match answer {
                    Some(status) => tcp.http(&ask, status, "text/plain", b"-"),
                    None => tcp.send(&ask),
                }
            }
            tcp.reset();
        });
    }
}

pub fn requests(name: &str) -> Capture {
    let mut office = Office::new(282, 2);
    let attacker = office.pc(0);
    let net = &mut office.net;
    let server = shop(net);
    let deed = Deed::attack(
        "impact",
        &["T1499.002"],
        "A hundred and fifty requests a second for one page, until the server only says that it cannot",
    );
    net.deed(deed.rule("http-flood").by([net.ip(attacker)]).on([net.ip(server)]), |net| {
        ask_often(net, attacker, server, 45, Some("503 Service Unavailable"));
    });
    office.net.finish(name)
}

pub fn requests_benign(name: &str) -> Capture {
    let mut office = Office::new(283, 2);
    let pc = office.pc(0);
    let net = &mut office.net;
    let server = shop(net);
    net.deed(Deed::benign("A load test of one page, all of it answered").by([net.ip(pc)]), |net| {
        ask_often(net, pc, server, 45, Some("200 OK"));
    });
    office.net.finish(name)
}

/// The pieces of one datagram: offset, whether more follow, bytes.
fn pieces(net: &mut Net, from: Host, to: Host, protocol: u8, pieces: &[(usize, bool, &[u8])]) {
    let id = net.rng.bits() as u16;
    let ip = Ip { src: net.ip(from), dst: net.ip(to), ttl: 64, id, protocol };
    let macs = Macs { src: net.mac(from), dst: net.mac(to) };
    for (offset, more, bytes) in pieces {
        net.frame(wire::ethernet(macs, 0x0800, &wire::fragment(&ip, *offset, *more, bytes)));
        net.wait(MILLI);
    }
}

pub fn torn(name: &str) -> Capture {
    let mut office = Office::new(284, 2);
    let (attacker, victim) = (office.pc(0), office.files);
    let net = &mut office.net;
    let deed = Deed::attack(
        "impact",
        &["T1499.001"],
        "Datagrams in pieces that contradict each other, that reach beyond the largest packet, and half ones by the hundred",
    );
    net.deed(deed.rule("fragment-attack").by([net.ip(attacker)]).on([net.ip(victim)]), |net| {
        let mut head = wire::udp(4_000, 9, &[0x41; 56]);
        head.truncate(64);
        for _ in 0..4 {
            pieces(net, attacker, victim, wire::UDP, &[(0, true, &head), (32, true, &[0x42; 32]), (64, false, &[0x43; 16])]);
        }
        pieces(net, attacker, victim, wire::ICMP, &[(0, true, &[8; 1_480]), (65_528, false, &[0x44; 400])]);
        pieces(net, attacker, victim, wire::TCP, &[(0, true, &[0x10, 0x92, 0, 80, 0, 0, 0, 1]), (8, false, &[0; 32])]);
        for _ in 0..400 {
            pieces(net, attacker, victim, wire::UDP, &[(0, true, &head)]);
        }
    });
    office.net.finish(name)
}

pub fn torn_benign(name: &str) -> Capture {
    let mut office = Office::new(285, 2);
    let (pc, files) = (office.pc(0), office.files);
    let net = &mut office.net;
    net.deed(Deed::benign("Large datagrams in pieces that fit; of a few one piece is lost, and one comes twice").by([net.ip(pc)]), |net| {
        let whole = wire::udp(900, 2_049, &net.rng.bytes(4_000));
        let (one, two, three) = (&whole[..1_480], &whole[1_480..2_960], &whole[2_960..]);
        for round in 0..40 {
            match round % 10 {
                3 => pieces(net, pc, files, wire::UDP, &[(0, true, one), (2_960, false, three)]),
                7 => pieces(net, pc, files, wire::UDP, &[(0, true, one), (1_480, true, two), (1_480, true, two), (2_960, false, three)]),
                _ => pieces(net, pc, files, wire::UDP, &[(0, true, one), (1_480, true, two), (2_960, false, three)]),
            }
        }
    });
    office.net.finish(name)
}

pub fn shared_out(name: &str) -> Capture {
    let mut office = Office::new(286, 2);
    let target = office.files;
    let net = &mut office.net;
    let hosts: Vec<Host> = (1..=24).map(|last| net.outside("", [198, 51, 100, last], Os::Linux, 40)).collect();
    let deed = Deed::attack("discovery", &["T1046", "T1595.001"], "Twenty-four hosts try six ports of a server each, none twice");
    net.deed(deed.rule("port-scan-distributed").by(hosts.iter().map(|host| net.ip(*host))).on([net.ip(target)]), |net| {
        for (index, host) in (0..).zip(hosts) {
            for turn in 0..6 {
                let port = 1 + turn * 24 + index;
                probe(net, host, target, port, if port == 22 || port == 80 { Door::Open } else { Door::Closed });
                net.wait(60 * MILLI);
            }
        }
    });
    office.net.finish(name)
}

pub fn shared_out_benign(name: &str) -> Capture {
    let mut office = Office::new(287, 2);
    let target = office.files;
    let net = &mut office.net;
    let hosts: Vec<Host> = (1..=24).map(|last| net.outside("", [198, 51, 100, last], Os::Linux, 40)).collect();
    net.deed(
        Deed::benign("Strangers knock at the same few well-known ports, each for itself; old peers call on one").on([net.ip(target)]),
        |net| {
            for host in hosts {
                for port in [22, 23, 80, 8_080] {
                    probe(net, host, target, port, Door::Closed);
                    net.wait(200 * MILLI);
                }
                net.tcp(host, target, 51_413).refused();
            }
        },
    );
    office.net.finish(name)
}
