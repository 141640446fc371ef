//! Data where none belongs: in names, in pings. And names and pings that only look odd.

use super::office::{Office, visit};
use crate::model::time::SECOND;
use crate::synth::apps::dns::{A, Answer, MX, PTR, TXT};
use crate::synth::apps::ping::linux_pattern;
use crate::synth::net::{Host, MILLI, Net, Os};
use crate::synth::{Capture, Deed};
use std::net::IpAddr;

const BASE32: &str = "abcdefghijklmnopqrstuvwxyz234567";
const HEX: &str = "0123456789abcdef";

/// `count` queries that carry about 100 bytes each, and answers that carry as much back.
pub fn dns_tunnel(net: &mut Net, client: Host, domain: &str, count: usize) {
    for sequence in 0..count {
        let data = net.rng.between(96, 152) as usize;
        let text = net.rng.text(data, BASE32);
        let labels: Vec<&str> =
            [Some(&text[..60]), text.get(60..120), text.get(120..)].into_iter().flatten().filter(|part| !part.is_empty()).collect();
        let name = format!("{sequence:04x}.{}.{domain}", labels.join("."));
        let size = net.rng.between(40, 190) as usize;
        let answer = Answer::Text(net.rng.text(size, BASE32).into_bytes(), 0);
        net.dns(client, &name, TXT, &answer);
        let gap = net.rng.human(200 * MILLI);
        net.wait(gap);
    }
}

pub fn dns(name: &str) -> Capture {
    let mut office = Office::new(50, 4);
    office.bustle(40 * SECOND, 4);
    let (client, net) = (office.pc(2), &mut office.net);
    let deed = Deed::attack("command-and-control", &["T1071.004", "T1572", "T1048.003"], "180 TXT queries carry base32 data both ways");
    let deed = deed.rule("dns-tunnel").by([net.ip(client)]);
    net.wait(5 * SECOND);
    net.deed(deed, |net| dns_tunnel(net, client, "t.updatecheck.example", 180));
    office.net.finish(name)
}

pub fn dns_benign(name: &str) -> Capture {
    let mut office = Office::new(51, 6);
    let pcs = office.pcs.clone();
    office.bustle(120 * SECOND, 8);
    let net = &mut office.net;
    net.deed(Deed::benign("Names of a content network"), |net| {
        for index in 0..40 {
            let host = format!("d{}.cdn.example.net", net.rng.text(13, "abcdefghijklmnopqrstuvwxyz0123456789"));
            let edge = Answer::Alias(format!("edge-{}.cdn.example.net", index % 5), [192, 0, 2, 60].into(), 60);
            net.dns(pcs[index % pcs.len()], &host, A, &edge);
            net.wait(900 * MILLI);
        }
    });
    net.deed(Deed::benign("Antivirus look-ups by hash"), |net| {
        for index in 0..40 {
            let host = format!("{}.antivirus.example", net.rng.text(32, HEX));
            net.dns(pcs[index % 2], &host, A, &Answer::Address([127, 0, 0, 4].into(), 3_600));
            net.wait(1_100 * MILLI);
        }
    });
    net.deed(Deed::benign("A mail filter asks block lists and for keys"), |net| mail_filter(net, pcs[3]));
    net.deed(Deed::benign("Reverse look-ups of IPv6 addresses"), |net| {
        for index in 0..25_u16 {
            let address = [0x2001, 0xdb8, 0x10, 0, 0x5054, 0xff, 0xfe00 + index, 0x1f].into();
            net.dns(pcs[4], &reverse(address), PTR, &Answer::Name(format!("v6-{index}.example.com"), 3_600));
            net.wait(300 * MILLI);
        }
    });
    office.net.finish(name)
}

fn mail_filter(net: &mut Net, filter: Host) {
    for sender in 1..=25_u8 {
        let listed = format!("{sender}.100.51.198.bl.example.org");
        net.dns(filter, &listed, A, &Answer::NoSuchName);
        net.dns(filter, &format!("sender{sender}.example"), MX, &Answer::Name(format!("mx.sender{sender}.example"), 3_600));
        let key = format!("v=DKIM1; k=rsa; p={}", net.rng.text(216, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"));
        net.dns(filter, &format!("s2026._domainkey.sender{sender}.example"), TXT, &Answer::Text(key.into_bytes(), 3_600));
        net.wait(2 * SECOND);
    }
}

/// The name under ip6.arpa, nibble by nibble.
fn reverse(address: IpAddr) -> String {
    let IpAddr::V6(v6) = address else { return String::new() };
    let nibbles: Vec<String> = v6.octets().iter().rev().flat_map(|byte| [format!("{:x}", byte & 15), format!("{:x}", byte >> 4)]).collect();
    nibbles.join(".") + ".ip6.arpa"
}

pub fn icmp(name: &str) -> Capture {
    let mut office = Office::new(52, 4);
    office.bustle(60 * SECOND, 3);
    let (client, net) = (office.pc(3), &mut office.net);
    let server = net.outside("", [203, 0, 113, 150], Os::Linux, 44);
    let deed =
        Deed::attack("command-and-control", &["T1095", "T1572"], "Ciphertext of changing length in 150 echo requests and their replies");
    let deed = deed.rule("icmp-tunnel").by([net.ip(client)]).on([net.ip(server)]);
    net.deed(deed, |net| {
        for seq in 0..150 {
            let sizes = [net.rng.between(48, 640), net.rng.between(48, 640)];
            let [up, down] = sizes.map(|size| net.rng.bytes(size as usize));
            let start = net.now;
            net.ping_unanswered(client, server, 0x2f01, seq, &up);
            net.react(server);
            net.pong(server, client, 0x2f01, seq, &down);
            net.now = start + net.rng.jitter(500 * MILLI, 15);
        }
    });
    office.net.finish(name)
}

pub fn icmp_benign(name: &str) -> Capture {
    let mut office = Office::new(53, 4);
    let (gateway, files, site, pc, windows) = (office.gateway, office.files, office.sites[0], office.pc(3), office.pc(0));
    let net = &mut office.net;
    let begin = net.now;
    let monitor = net.host("monitor", [10, 20, 0, 30], Os::Linux);
    net.deed(Deed::benign("A monitor sends 1400-byte pings").by([net.ip(monitor)]).on([net.ip(gateway)]), |net| {
        pings(net, monitor, gateway, 0x0b11, 15, 1_400);
    });
    net.deed(Deed::benign("Somebody watches a site with ordinary pings").by([net.ip(pc)]).on([net.ip(site)]), |net| {
        net.at(begin + 300 * MILLI, |net| pings(net, pc, site, 0x0c42, 90, 56));
    });
    net.deed(Deed::benign("Windows pings, letters in order").by([net.ip(windows)]).on([net.ip(files)]), |net| {
        for seq in 0..60 {
            net.at(begin + i64::from(seq) * SECOND, |net| net.ping(windows, files, 1, 200 + seq, b"abcdefghijklmnopqrstuvwabcdefghi"));
        }
    });
    let routers: Vec<Host> = (1..=5).map(|hop| net.outside("", [198, 51, 100, 210 + hop], Os::Device, 3 * i64::from(hop))).collect();
    net.deed(Deed::benign("A traceroute").by([net.ip(pc)]).on([net.ip(site)]), |net| net.traceroute(pc, site, &routers));
    visit(net, pc, site);
    office.net.finish(name)
}

/// One ping a second with the pattern of the Linux program.
fn pings(net: &mut Net, from: Host, to: Host, id: u16, count: u16, bytes: usize) {
    for seq in 0..count {
        let start = net.now;
        let data = linux_pattern(start, bytes);
        net.ping(from, to, id, seq + 1, &data);
        net.now = start + SECOND + net.rng.between(0, 2_000_000);
    }
}
