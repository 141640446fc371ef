//! Too many SYNs, and many that are not too many.

use super::Office;
use crate::model::time::SECOND;
use crate::synth::apps::http::page;
use crate::synth::net::{Host, MICRO, MILLI, Net, Os};
use crate::synth::wire::{ACK, SYN, Segment};
use crate::synth::{Capture, Deed};
use std::net::IpAddr;

const PER_SECOND: i64 = 230;
const SECONDS: i64 = 7;

/// The web server of the office.
fn web_server(net: &mut Net) -> Host {
    net.host("www.office.example", [10, 20, 0, 80], Os::Linux)
}

/// Any address of the three documentation networks.
fn somebody(net: &mut Net) -> IpAddr {
    let network = *net.rng.pick(&[[192, 0, 2], [198, 51, 100], [203, 0, 113]]);
    let last = net.rng.between(1, 254) as u8;
    [network[0], network[1], network[2], last].into()
}

pub fn syn(name: &str) -> Capture {
    let mut office = Office::new(20, 2);
    let net = &mut office.net;
    let server = web_server(net);
    let begin = net.now + 6 * SECOND;
    let customers: Vec<Host> = (20..24).map(|last| net.outside("", [192, 0, 2, last], Os::Windows, 28)).collect();
    for (index, customer) in (0..).zip(customers.iter().copied()) {
        net.at(begin - 5 * SECOND + index * SECOND, |net| shop(net, customer, server));
        net.at(begin + SECOND + index * SECOND, |net| net.tcp(customer, server, 443).ignored(2));
    }
    let deed = Deed::attack("impact", &["T1499.001", "T1498.001"], "SYNs from spoofed addresses fill the server's queue");
    let deed = deed.rule("syn-flood").on([net.ip(server)]);
    net.deed(deed, |net| {
        for n in 0..PER_SECOND * SECONDS {
            let moment = begin + n * (SECOND / PER_SECOND) + net.rng.between(0, 2_000) * MICRO;
            net.at(moment, |net| spoofed(net, server, n < 200));
        }
    });
    office.net.finish(name)
}

/// One SYN of the flood; only while the queue has room does the server answer, and then it asks again.
fn spoofed(net: &mut Net, server: Host, room: bool) {
    let address = somebody(net);
    let from = net.outside("", address, Os::Linux, 30);
    let (src_port, seq) = (net.rng.between(1_024, 65_535) as u16, net.rng.bits() as u32);
    let head = Segment { src_port, dst_port: 443, seq, flags: SYN, window: 512, ..Segment::default() };
    net.segment(from, server, &head, &[]);
    if room {
        let own = net.rng.bits() as u32;
        let options = vec![2, 4, 0x05, 0xb4];
        let ack = seq.wrapping_add(1);
        let answer = Segment { src_port: 443, dst_port: src_port, seq: own, ack, flags: SYN | ACK, window: 64_240, options };
        net.react(server);
        net.segment(server, from, &answer, &[]);
        net.wait(SECOND);
        net.segment(server, from, &answer, &[]);
    }
}

/// A customer who gets in.
fn shop(net: &mut Net, customer: Host, server: Host) {
    let mut tcp = net.tcp(customer, server, 443);
    tcp.connect();
    tcp.tls(Some("www.office.example"), crate::synth::apps::tls::Client::Browser, &crate::synth::apps::tls::Server::Modern);
    tcp.sealed_send(420);
    tcp.sealed_reply(5_200);
    tcp.close();
}

pub fn syn_benign(name: &str) -> Capture {
    let mut office = Office::new(21, 2);
    let net = &mut office.net;
    let server = web_server(net);
    let begin = net.now;
    let body = page("Results", 300);
    net.deed(Deed::benign("A busy web server; every handshake completes").on([net.ip(server)]), |net| {
        for n in 0..PER_SECOND * SECONDS {
            let address = somebody(net);
            let rtt = net.rng.between(9, 70);
            let customer = net.outside("", address, Os::Windows, rtt);
            let moment = begin + n * (SECOND / PER_SECOND) + net.rng.between(0, 3) * MILLI;
            net.at(moment, |net| {
                let mut tcp = net.tcp(customer, server, 80);
                tcp.connect();
                tcp.http_get("www.office.example", "/results", "200 OK", "text/html", &body);
                tcp.close();
            });
        }
    });
    office.net.finish(name)
}

pub fn datagrams(name: &str) -> Capture {
    let mut office = Office::new(24, 2);
    let net = &mut office.net;
    let server = web_server(net);
    let sources: Vec<Host> = (1..=40).map(|last| net.outside("", [198, 51, 100, last], Os::Linux, 30)).collect();
    let deed = Deed::attack("impact", &["T1498.001"], "Datagrams without meaning from forty hosts to any port").rule("datagram-flood");
    net.deed(deed.on([net.ip(server)]), |net| {
        for _ in 0..2_400 {
            let from = *net.rng.pick(&sources);
            let (own, port) = (net.rng.between(1_024, 65_535) as u16, net.rng.between(1_024, 65_535) as u16);
            net.udp((from, own), (server, port), &[0x41; 8]);
            net.wait(MILLI);
        }
    });
    office.net.finish(name)
}

pub fn datagrams_benign(name: &str) -> Capture {
    let mut office = Office::new(25, 2);
    let caller = office.pc(0);
    let net = &mut office.net;
    let server = net.outside("media.example", [192, 0, 2, 60], Os::Linux, 25);
    net.deed(Deed::benign("A video is sent between two sockets, hardly answered").by([net.ip(caller)]), |net| {
        for _ in 0..2_200 {
            net.udp((caller, 50_002), (server, 50_004), &[0x80; 12]);
            net.wait(MILLI);
        }
    });
    office.net.finish(name)
}
