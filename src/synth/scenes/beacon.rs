//! Regular check-ins: of an implant, and of the many programs that are allowed to be regular.

use super::office::{Office, visit};
use crate::model::time::SECOND;
use crate::synth::apps::http::request;
use crate::synth::apps::tls::{Client, Server};
use crate::synth::apps::x509::Certificate;
use crate::synth::net::{Host, MILLI, MINUTE, Net, Os};
use crate::synth::wire::{RST, Segment};
use crate::synth::{Capture, Deed};

/// One check-in: a new connection, a question of fixed size, an answer of fixed size, or tasks.
pub fn check_in(net: &mut Net, bot: Host, server: Host, answer: usize) {
    let name = net.name(server);
    let born = net.now - 26 * 86_400 * SECOND;
    let certificate = Certificate { subject: &name, issuer: &name, names: &[&name], not_before: born - born % SECOND, days: 365 };
    let mut tcp = net.tcp(bot, server, 443);
    tcp.connect();
    tcp.tls(Some(&name), Client::Implant, &Server::Plain(certificate));
    tcp.sealed_send(248);
    tcp.pause(12 * MILLI);
    tcp.sealed_reply(answer);
    tcp.close();
}

/// `count` check-ins, `period` apart with a fifth of jitter; one in twelve is missed.
pub fn check_ins(net: &mut Net, bot: Host, server: Host, period: i64, count: usize, tasked_at: usize) {
    net.find(bot, server);
    for index in 0..count {
        let start = net.now;
        if index == tasked_at {
            for _ in 0..6 {
                let task = net.rng.between(700, 2_600) as usize;
                check_in(net, bot, server, task);
                let gap = net.rng.between(900, 2_500) * MILLI;
                net.wait(gap);
            }
        } else if index % 12 != 9 {
            check_in(net, bot, server, 92);
        }
        net.now = start + net.rng.jitter(period, 20);
    }
}

pub fn https(name: &str) -> Capture {
    let mut office = Office::new(30, 5);
    office.bustle(40 * MINUTE, 6);
    let (bot, net) = (office.pc(1), &mut office.net);
    let server = net.outside("sync.telemetry-hub.example", [203, 0, 113, 77], Os::Linux, 62);
    let deed = Deed::attack("command-and-control", &["T1071.001", "T1573"], "HTTPS check-ins every 45 s, jitter 20 %, one burst of tasks");
    let deed = deed.rule("beacon").by([net.ip(bot)]).on([net.ip(server)]);
    net.wait(30 * SECOND);
    net.deed(deed, |net| check_ins(net, bot, server, 45 * SECOND, 40, 25));
    office.net.finish(name)
}

pub fn benign(name: &str) -> Capture {
    let mut office = Office::new(31, 12);
    let (pcs, gateway, sites) = (office.pcs.clone(), office.gateway, office.sites.clone());
    let net = &mut office.net;
    let begin = net.now;
    let clock = net.outside("ntp.example", [192, 0, 2, 123], Os::Linux, 14);
    let updates = net.outside("updates.example.com", [192, 0, 2, 40], Os::Linux, 22);
    net.deed(Deed::benign("Four hosts keep time, every 64 seconds").on([net.ip(clock)]), |net| {
        for (index, pc) in pcs.iter().copied().take(4).enumerate() {
            for poll in 0..55 {
                net.at(begin + index as i64 * 7 * SECOND + poll * 64 * SECOND, |net| net.ntp(pc, clock));
            }
        }
    });
    net.deed(Deed::benign("Leases renewed every five minutes").on([net.ip(gateway)]), |net| {
        for (index, pc) in pcs.iter().copied().enumerate() {
            for renewal in 0..10 {
                let moment = begin + index as i64 * 13 * SECOND + renewal * 5 * MINUTE;
                net.at(moment, |net| net.dhcp_renew(pc, gateway));
            }
        }
    });
    net.deed(Deed::benign("All hosts ask the update server every six minutes").on([net.ip(updates)]), |net| {
        for (index, pc) in pcs.iter().copied().enumerate() {
            for poll in 0..10 {
                let moment = begin + index as i64 * 29 * SECOND + poll * 6 * MINUTE + net.rng.between(0, 9_000) * MILLI;
                net.at(moment, |net| ask_for_updates(net, pc, updates));
            }
        }
    });
    let gone = net.outside("", [192, 0, 2, 41], Os::Linux, 30);
    net.deed(
        Deed::benign("A device resets a connection every 70 seconds that its peer has forgotten").by([net.ip(pcs[5])]).on([net.ip(gone)]),
        |net| {
            let reset = Segment { src_port: 49_731, dst_port: 8_883, seq: 77_001, flags: RST, ..Segment::default() };
            for time in 0..45 {
                net.at(begin + time * 70 * SECOND, |net| net.segment(pcs[5], gone, &reset, &[]));
            }
        },
    );
    people(net, &pcs, &sites);
    office.net.finish(name)
}

fn ask_for_updates(net: &mut Net, pc: Host, updates: Host) {
    net.find(pc, updates);
    let ask = request("HEAD", "updates.example.com", "/stable/index", &[("User-Agent", "updater/4.2"), ("If-None-Match", "\"8f2\"")], &[]);
    let mut tcp = net.tcp(pc, updates, 80);
    tcp.connect();
    tcp.http(&ask, "304 Not Modified", "text/plain", b"");
    tcp.close();
}

/// Four people come back to the same site when they feel like it.
fn people(net: &mut Net, pcs: &[Host], sites: &[Host]) {
    let begin = net.now;
    net.deed(Deed::benign("People return to the same site, irregularly"), |net| {
        for pc in pcs.iter().copied().take(2) {
            let mut moment = begin;
            for _ in 0..12 {
                moment += net.rng.human(2 * MINUTE);
                net.at(moment, |net| visit(net, pc, sites[1]));
            }
        }
    });
}
