//! A small office: gateway, name server, file server, workstations, and what they do on any morning.

use crate::model::{Ts, time::SECOND};
use crate::synth::apps::dns::Answer;
use crate::synth::apps::http::page;
use crate::synth::apps::tls::{Client, Server};
use crate::synth::net::{Host, MILLI, Net, Os};

/// Tuesday, 3 March 2026, 09:00 UTC.
const MORNING: Ts = 1_772_528_400 * SECOND;

/// The office network; the address of everything inside begins with 10.20.0.
pub struct Office {
    pub net: Net,
    pub gateway: Host,
    pub files: Host,
    pub pcs: Vec<Host>,
    /// Sites people visit.
    pub sites: Vec<Host>,
}

impl Office {
    /// An office with so many workstations.
    pub fn new(seed: u64, workstations: u8) -> Self {
        let mut net = Net::new(seed, MORNING);
        let gateway = net.host("gateway", [10, 20, 0, 1], Os::Device);
        net.set_gateway(gateway);
        let dns = net.host("dns", [10, 20, 0, 53], Os::Linux);
        net.set_resolver(dns);
        let files = net.host("files", [10, 20, 0, 20], Os::Linux);
        let pc = |n: u8| (format!("pc-{n:02}"), [10, 20, 0, 100 + n], if n.is_multiple_of(4) { Os::Linux } else { Os::Windows });
        let pcs = (1..=workstations).map(pc).map(|(name, ip, os)| net.host(&name, ip, os)).collect();
        let site = |(name, last, rtt)| net.outside(name, [192, 0, 2, last], Os::Linux, rtt);
        let sites = [("www.example.com", 10, 18), ("news.example", 11, 31), ("mail.example.com", 12, 24), ("shop.example", 13, 46)];
        let sites = sites.map(site).into();
        Self { net, gateway, files, pcs, sites }
    }

    /// A workstation, counted from 0.
    pub fn pc(&self, index: usize) -> Host {
        self.pcs[index % self.pcs.len()]
    }

    /// Everybody browses a little over the next `span`, beside the story: some sit down and open a few pages of one site.
    pub fn bustle(&mut self, span: i64, visits: usize) {
        let begin = self.net.now;
        let mut left = visits;
        while left > 0 {
            let pages = (self.net.rng.between(1, 5) as usize).min(left);
            let mut moment = begin + self.net.rng.between(0, span);
            let (who, site) = (*self.net.rng.pick(&self.pcs), *self.net.rng.pick(&self.sites));
            for _ in 0..pages {
                self.net.at(moment, |net| net.unlabelled(|net| visit(net, who, site)));
                moment += self.net.rng.human(12 * SECOND);
            }
            left -= pages;
        }
    }
}

/// A person opens a page over HTTPS: both address types are asked for, one connection, a few requests.
pub fn visit(net: &mut Net, who: Host, site: Host) {
    let name = net.name(site);
    net.find(who, site);
    net.aside(|net| net.dns(who, &name, crate::synth::apps::dns::AAAA, &Answer::Nothing));
    let requests = net.rng.between(1, 4);
    let mut tcp = net.tcp(who, site, 443);
    tcp.connect();
    tcp.tls(Some(&name), Client::Browser, &Server::Modern);
    for _ in 0..requests {
        let (ask, answer) = (tcp.net.rng.between(300, 700), tcp.net.rng.human(1_000));
        tcp.sealed_send(ask as usize);
        tcp.sealed_reply(answer as usize);
        let reading = tcp.net.rng.human(900 * MILLI);
        tcp.pause(reading);
    }
    tcp.close();
}

/// A person opens a page over plain HTTP.
pub fn visit_plain(net: &mut Net, who: Host, site: Host, path: &str, bytes: usize) {
    let name = net.name(site);
    net.find(who, site);
    let mut tcp = net.tcp(who, site, 80);
    tcp.connect();
    tcp.http_get(&name, path, "200 OK", "text/html; charset=utf-8", &page("Welcome", bytes));
    tcp.pause(MILLI * 1_500);
    tcp.close();
}
