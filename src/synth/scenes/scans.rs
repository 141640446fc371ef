//! Looking around: ports of one host, one port of many hosts, odd flags, who is there at all.

use super::office::{Office, visit};
use crate::model::time::SECOND;
use crate::synth::apps::ping::linux_pattern;
use crate::synth::net::{Host, MICRO, MILLI, MINUTE, Net, Os};
use crate::synth::wire::{ACK, FIN, PSH, RST, SYN, Segment, URG};
use crate::synth::{Capture, Deed};

/// A scanner's SYN: window 1024, an MSS and nothing else, always from the same port.
fn syn(port: u16, seq: u32) -> Segment {
    Segment { src_port: 61_357, dst_port: port, seq, flags: SYN, window: 1_024, options: vec![2, 4, 0x05, 0xb4], ..Segment::default() }
}

/// What the target says to a SYN.
#[derive(Clone, Copy, PartialEq)]
pub enum Door {
    Open,
    Closed,
    Silent,
}

/// One half-open probe and what comes of it.
pub fn probe(net: &mut Net, scanner: Host, target: Host, port: u16, door: Door) {
    let seq = net.rng.bits() as u32;
    net.segment(scanner, target, &syn(port, seq), &[]);
    let (src_port, dst_port, ack) = (port, 61_357, seq.wrapping_add(1));
    let answer = Segment { src_port, dst_port, ack, flags: RST | ACK, ..Segment::default() };
    match door {
        Door::Silent => {
            net.wait(SECOND);
            net.segment(scanner, target, &syn(port, seq), &[]);
        }
        Door::Closed => net.aside(|net| {
            net.react(target);
            net.segment(target, scanner, &answer, &[]);
        }),
        Door::Open => net.aside(|net| {
            net.react(target);
            let seq = net.rng.bits() as u32;
            let welcome = Segment { seq, flags: SYN | ACK, window: 64_240, options: vec![2, 4, 0x05, 0xb4], ..answer.clone() };
            net.segment(target, scanner, &welcome, &[]);
            net.react(scanner);
            let reset = Segment { src_port: dst_port, dst_port: src_port, seq: ack, flags: RST, ..Segment::default() };
            net.segment(scanner, target, &reset, &[]);
        }),
    }
}

/// Probes these ports in random order.
pub fn probe_ports(net: &mut Net, scanner: Host, target: Host, mut ports: Vec<u16>, open: &[u16]) {
    net.rng.shuffle(&mut ports);
    for port in ports {
        let door = if open.contains(&port) { Door::Open } else { Door::Closed };
        probe(net, scanner, target, port, door);
        let gap = net.rng.human(6 * MILLI);
        net.wait(gap);
    }
}

pub fn vertical(name: &str) -> Capture {
    let mut office = Office::new(1, 4);
    office.bustle(40 * SECOND, 4);
    let (scanner, target, net) = (office.pc(2), office.files, &mut office.net);
    net.wait(5 * SECOND);
    net.arp(scanner, target);
    let deed = Deed::attack("discovery", &["T1046"], "Half-open scan of 300 ports of the file server");
    let deed = deed.rule("port-scan-vertical").by([net.ip(scanner)]).on([net.ip(target)]);
    net.deed(deed, |net| {
        let ports = (1..=290).chain([445, 631, 2_049, 3_306, 5_432, 5_900, 8_000, 8_080, 8_443, 9_100]).collect();
        probe_ports(net, scanner, target, ports, &[22, 80, 445, 2_049]);
    });
    office.net.finish(name)
}

pub fn vertical_benign(name: &str) -> Capture {
    let mut office = Office::new(2, 4);
    let monitor = office.net.host("monitor", [10, 20, 0, 30], Os::Linux);
    let (files, site, pc) = (office.files, office.sites[1], office.pc(0));
    let net = &mut office.net;
    let begin = net.now;
    let ports = [21, 22, 25, 80, 110, 139, 143, 389, 443, 445, 993, 2_049, 3_306, 5_432, 8_080, 9_100];
    net.deed(
        Deed::benign("A monitor connects to sixteen ports of a server; two are closed").by([net.ip(monitor)]).on([net.ip(files)]),
        |net| {
            for (index, port) in ports.into_iter().enumerate() {
                net.wait(SECOND);
                let mut tcp = net.tcp(monitor, files, port);
                if index % 8 == 7 {
                    tcp.refused();
                } else {
                    tcp.connect();
                    tcp.close();
                }
            }
        },
    );
    net.deed(Deed::benign("A browser opens thirty connections to one site").by([net.ip(pc)]).on([net.ip(site)]), |net| {
        net.find(pc, site);
        for _ in 0..30 {
            net.wait(20 * MILLI);
            net.aside(|net| small_fetch(net, pc, site));
        }
    });
    net.deed(Deed::benign("A program calls a stopped service again and again").by([net.ip(pc)]).on([net.ip(files)]), |net| {
        for attempt in 0..40 {
            net.at(begin + attempt * 5 * SECOND, |net| net.tcp(pc, files, 8_081).refused());
        }
    });
    office.net.finish(name)
}

fn small_fetch(net: &mut Net, who: Host, site: Host) {
    let mut tcp = net.tcp(who, site, 80);
    tcp.connect();
    tcp.http_get("news.example", "/style.css", "304 Not Modified", "text/css", b"");
    tcp.close();
}

pub fn horizontal(name: &str) -> Capture {
    let mut office = Office::new(3, 4);
    office.bustle(60 * SECOND, 4);
    let (scanner, net) = (office.pc(0), &mut office.net);
    let branch: Vec<Host> = (1..=120).map(|last| net.outside("", [10, 30, 1, last], Os::Windows, 2)).collect();
    let deed = Deed::attack("discovery", &["T1046", "T1018"], "Port 445 tried on 120 addresses of the branch network");
    let deed = deed.rule("port-scan-horizontal").by([net.ip(scanner)]).on(branch.iter().map(|host| net.ip(*host)));
    net.deed(deed, |net| {
        for (index, target) in branch.into_iter().enumerate() {
            let gap = net.rng.human(90 * MILLI);
            net.wait(gap);
            net.aside(|net| match index % 20 {
                3 => open_and_close(net, scanner, target, 445),
                7 | 11 | 15 => net.tcp(scanner, target, 445).refused(),
                _ => net.tcp(scanner, target, 445).ignored(2),
            });
        }
    });
    office.net.finish(name)
}

fn open_and_close(net: &mut Net, client: Host, server: Host, port: u16) {
    let mut tcp = net.tcp(client, server, port);
    tcp.connect();
    tcp.close();
}

pub fn horizontal_benign(name: &str) -> Capture {
    let mut office = Office::new(4, 4);
    let net = &mut office.net;
    let monitor = net.host("monitor", [10, 20, 0, 30], Os::Linux);
    let relay = net.host("mail", [10, 20, 0, 25], Os::Linux);
    let servers: Vec<Host> = (1..=40).map(|last| net.outside("", [10, 40, 0, last], Os::Linux, 1)).collect();
    let mailers: Vec<Host> = (1..=25).map(|last| net.outside("", [198, 51, 100, last], Os::Linux, 35)).collect();
    net.deed(Deed::benign("A monitor asks forty web servers for their status; three are down").by([net.ip(monitor)]), |net| {
        for (index, server) in servers.into_iter().enumerate() {
            net.wait(400 * MILLI);
            let mut tcp = net.tcp(monitor, server, 80);
            if index % 15 == 9 {
                tcp.refused();
                continue;
            }
            tcp.connect();
            tcp.http_get("status.example", "/health", "200 OK", "text/plain", b"ok\n");
            tcp.close();
        }
    });
    net.deed(Deed::benign("A mail gateway delivers to 25 servers; two do not answer").by([net.ip(relay)]), |net| {
        for (index, mailer) in mailers.into_iter().enumerate() {
            net.wait(SECOND);
            let mut tcp = net.tcp(relay, mailer, 25);
            if index % 12 == 5 {
                tcp.ignored(2);
                continue;
            }
            deliver(&mut tcp);
        }
    });
    office.net.finish(name)
}

/// One mail, from greeting to good-bye.
fn deliver(tcp: &mut crate::synth::Tcp<'_>) {
    tcp.connect();
    tcp.greeting("220 mx.example ESMTP");
    tcp.line("EHLO mail.office.example", "250 mx.example");
    tcp.line("MAIL FROM:<ann@office.example>", "250 2.1.0 Ok");
    tcp.line("RCPT TO:<bob@mx.example>", "250 2.1.5 Ok");
    tcp.line("DATA", "354 End data with <CR><LF>.<CR><LF>");
    tcp.line("Subject: minutes\r\n\r\nAttached, as promised.\r\n.", "250 2.0.0 Ok: queued as 4QbX");
    tcp.line("QUIT", "221 2.0.0 Bye");
    tcp.close_by_server();
}

pub fn stealth(name: &str) -> Capture {
    let mut office = Office::new(5, 4);
    let (target, net) = (office.files, &mut office.net);
    let scanner = net.host("laptop", [10, 20, 0, 66], Os::Linux);
    net.arp(scanner, target);
    let kinds: [(&str, u8); 3] = [
        ("FIN probes of sixty ports", FIN),
        ("NULL probes of sixty ports: no flag at all", 0),
        ("XMAS probes of sixty ports: FIN, PSH, URG", FIN | PSH | URG),
    ];
    for (says, flags) in kinds {
        net.wait(4 * SECOND);
        let deed = Deed::attack("discovery", &["T1046"], says).rule("port-scan-stealth").by([net.ip(scanner)]).on([net.ip(target)]);
        net.deed(deed, |net| odd_probes(net, scanner, target, flags));
    }
    office.bustle(20 * SECOND, 3);
    office.net.finish(name)
}

/// Sixty ports; a closed one answers with a reset, an open one not at all (RFC 9293, 3.10.7).
fn odd_probes(net: &mut Net, scanner: Host, target: Host, flags: u8) {
    let mut ports: Vec<u16> = (1..=60).collect();
    net.rng.shuffle(&mut ports);
    for port in ports {
        let seq = net.rng.bits() as u32;
        let probe = Segment { src_port: 40_125, dst_port: port, seq, flags, window: 1_024, ..Segment::default() };
        net.segment(scanner, target, &probe, &[]);
        if port != 22 {
            net.react(target);
            let ack = seq.wrapping_add(u32::from(flags & FIN));
            let reset = Segment { src_port: port, dst_port: 40_125, ack, flags: RST | ACK, ..Segment::default() };
            net.segment(target, scanner, &reset, &[]);
        }
        let gap = net.rng.human(8 * MILLI);
        net.wait(gap);
    }
}

pub fn stealth_benign(name: &str) -> Capture {
    let mut office = Office::new(6, 6);
    let (pcs, sites, files) = (office.pcs.clone(), office.sites.clone(), office.files);
    let net = &mut office.net;
    net.deed(Deed::benign("Conversations that began before the capture end in it"), |net| {
        for (index, pc) in pcs.iter().copied().enumerate() {
            let mut tcp = net.tcp(pc, sites[index % sites.len()], 443);
            tcp.net.wait(700 * MILLI);
            match index % 3 {
                0 => tcp.close(),
                1 => tcp.close_by_server(),
                _ => tcp.reset(),
            }
            let mut share = net.tcp(pc, files, 445);
            share.keep_alive();
            share.pause(3 * SECOND);
            share.keep_alive();
            share.reset_by_server();
        }
    });
    office.bustle(20 * SECOND, 4);
    office.net.finish(name)
}

pub fn sweep_arp(name: &str) -> Capture {
    let mut office = Office::new(7, 9);
    let scanner = office.pc(4);
    let present: Vec<Host> = office.pcs.iter().copied().chain([office.gateway, office.files]).filter(|host| *host != scanner).collect();
    let net = &mut office.net;
    let dns: Vec<Host> = net.resolver().into_iter().collect();
    let deed = Deed::attack("discovery", &["T1018"], "Every address of the network asked for by ARP");
    let deed = deed.rule("sweep-arp").by([net.ip(scanner)]);
    net.deed(deed, |net| {
        for last in 1..=254 {
            let known = present.iter().chain(&dns).copied().find(|host| net.ip(*host) == std::net::Ipv4Addr::new(10, 20, 0, last));
            match known {
                Some(host) => net.aside(|net| net.arp(scanner, host)),
                None => net.arp_ask(scanner, [10, 20, 0, last]),
            }
            let gap = net.rng.between(15, 40);
            net.wait(gap * MILLI);
        }
    });
    office.bustle(20 * SECOND, 3);
    office.net.finish(name)
}

pub fn sweep_arp_benign(name: &str) -> Capture {
    let mut office = Office::new(8, 14);
    let (gateway, pcs) = (office.gateway, office.pcs.clone());
    let net = &mut office.net;
    let begin = net.now;
    net.deed(Deed::benign("A gateway renews what it knows of its hosts").by([net.ip(gateway)]), |net| {
        for round in 0..4 {
            for (index, pc) in pcs.iter().copied().enumerate() {
                net.at(begin + round * 50 * SECOND + index as i64 * 230 * MILLI, |net| net.arp(gateway, pc));
            }
        }
    });
    net.deed(Deed::benign("Hosts ask for a printer that was removed"), |net| {
        for (index, pc) in pcs.iter().copied().enumerate() {
            for attempt in 0..5 {
                net.at(begin + index as i64 * 11 * SECOND + attempt * SECOND, |net| net.arp_ask(pc, [10, 20, 0, 9]));
            }
        }
    });
    net.deed(Deed::benign("Hosts announce themselves after boot"), |net| {
        for pc in pcs.iter().copied() {
            net.wait(9 * SECOND);
            let (mac, ip) = (net.mac(pc), net.ip(pc));
            if let std::net::IpAddr::V4(ip) = ip {
                net.arp_announce(mac, ip.octets());
            }
        }
    });
    office.net.finish(name)
}

pub fn sweep_icmp(name: &str) -> Capture {
    let mut office = Office::new(9, 4);
    office.bustle(20 * SECOND, 3);
    let (scanner, net) = (office.pc(3), &mut office.net);
    let targets: Vec<Host> = (1..=120).map(|last| net.outside("", [10, 30, 2, last], Os::Windows, 2)).collect();
    let deed = Deed::attack("discovery", &["T1018"], "120 addresses of the branch network pinged once each");
    let deed = deed.rule("sweep-icmp").by([net.ip(scanner)]).on(targets.iter().map(|host| net.ip(*host)));
    net.deed(deed, |net| {
        for (seq, target) in (0..).zip(targets) {
            match seq % 13 {
                5 => net.aside(|net| net.ping(scanner, target, 0x5a31, seq, &[])),
                _ => net.ping_unanswered(scanner, target, 0x5a31, seq, &[]),
            }
            let gap = net.rng.human(30 * MILLI);
            net.wait(gap);
        }
    });
    office.net.finish(name)
}

pub fn sweep_icmp_benign(name: &str) -> Capture {
    let mut office = Office::new(10, 14);
    let (hosts, files, site, pc) = (office.pcs.clone(), office.files, office.sites[0], office.pc(1));
    let net = &mut office.net;
    let begin = net.now;
    let monitor = net.host("monitor", [10, 20, 0, 30], Os::Linux);
    net.deed(Deed::benign("A monitor pings its fifteen hosts every minute").by([net.ip(monitor)]), |net| {
        for minute in 0..8 {
            for (index, host) in hosts.iter().copied().chain([files]).enumerate() {
                let moment = begin + minute * MINUTE + index as i64 * 120 * MILLI + net.rng.between(0, 900) * MICRO;
                net.at(moment, |net| {
                    let data = linux_pattern(net.now, 56);
                    net.ping(monitor, host, 0x1000 + index as u16, minute as u16, &data);
                });
            }
        }
    });
    let routers: Vec<Host> = (1..=6).map(|hop| net.outside("", [198, 51, 100, 200 + hop], Os::Device, 2 + i64::from(hop) * 3)).collect();
    net.wait(90 * SECOND);
    net.deed(Deed::benign("A traceroute").by([net.ip(pc)]).on([net.ip(site)]), |net| net.traceroute(pc, site, &routers));
    visit(net, pc, site);
    office.net.finish(name)
}
