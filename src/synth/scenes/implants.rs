//! What programs do that somebody put on a host: call home, take orders, fetch the next stage, mine, steal.

use super::office::Office;
use crate::model::time::SECOND;
use crate::synth::apps::dns::Answer;
use crate::synth::apps::exe;
use crate::synth::apps::http::{page, request};
use crate::synth::apps::tls::{Client, Server};
use crate::synth::apps::x509::Certificate;
use crate::synth::net::{Host, MILLI, MINUTE, Net, Os};
use crate::synth::{Capture, Deed};

const DAY: i64 = 86_400 * SECOND;

/// An office at work, its second workstation, and a stranger outside.
fn stage(seed: u64) -> (Office, Host, Host) {
    let mut office = Office::new(seed, 3);
    office.bustle(40 * SECOND, 1);
    let bot = office.pc(1);
    let stranger = office.net.outside("", [203, 0, 113, 99], Os::Linux, 71);
    office.net.wait(5 * SECOND);
    (office, bot, stranger)
}

fn deed(rule: &'static str, tactic: &'static str, techniques: &'static [&'static str], says: &'static str) -> Deed {
    Deed::attack(tactic, techniques, says).rule(rule)
}

/// One connection with lines going back and forth.
fn talk(net: &mut Net, client: Host, server: Host, port: u16, lines: &[(&[u8], &[u8])]) {
    let mut tcp = net.tcp(client, server, port);
    tcp.connect();
    for (said, answered) in lines {
        if !said.is_empty() {
            tcp.send(said);
        }
        if !answered.is_empty() {
            tcp.reply(answered);
        }
        tcp.pause(2 * SECOND);
    }
    tcp.close();
}

pub fn shell(name: &str) -> Capture {
    let (mut office, bot, stranger) = stage(120);
    let net = &mut office.net;
    let deed = deed("cleartext-shell", "execution", &["T1059"], "A workstation calls out and offers its command line");
    net.deed(deed.by([net.ip(stranger)]).on([net.ip(bot)]), |net| {
        let lines: &[(&[u8], &[u8])] = &[
            (
                b"Microsoft Windows [Version 10.0.19045.3803]\r\n(c) Microsoft Corporation. All rights reserved.\r\n\r\nC:\\Users\\amy>",
                b"whoami\n",
            ),
            (b"whoami\r\noffice\\amy\r\n\r\nC:\\Users\\amy>", b"ipconfig /all\n"),
        ];
        talk(net, bot, stranger, 9_001, lines);
    });
    office.net.finish(name)
}

/// A packet of the Gh0st family: a word, two lengths in little endian, data that zlib packed.
fn gh0st(net: &mut Net, word: &[u8; 5], packed: usize) -> Vec<u8> {
    let whole = (13 + packed) as u32;
    let body = net.rng.bytes(packed - 2);
    [&word[..], &whole.to_le_bytes(), &(3 * whole).to_le_bytes(), &[0x78, 0x9c], &body].concat()
}

pub fn rat(name: &str) -> Capture {
    let (mut office, bot, stranger) = stage(121);
    let net = &mut office.net;
    let deed = deed("rat-gh0st", "command-and-control", &["T1219"], "A remote access tool of the Gh0st family reports and takes orders");
    net.deed(deed.by([net.ip(bot)]).on([net.ip(stranger)]), |net| {
        for _ in 0..3 {
            let (hello, order) = (gh0st(net, b"Xj3rT", 180), gh0st(net, b"Xj3rT", 24));
            talk(net, bot, stranger, 8_090, &[(&hello, &order)]);
            net.wait(30 * SECOND);
        }
    });
    office.net.finish(name)
}

pub fn miner(name: &str) -> Capture {
    let (mut office, bot, stranger) = stage(122);
    let net = &mut office.net;
    let deed = deed("crypto-mining", "impact", &["T1496.001"], "A workstation mines for a pool");
    net.deed(deed.by([net.ip(bot)]).on([net.ip(stranger)]), |net| {
        let login = b"{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[\"miner/1.0\"]}\n";
        let job = b"{\"id\":1,\"result\":[[[\"mining.notify\",\"ae6812eb4cd7735a302a8a9dd95cf71f\"]],\"08000002\",4],\"error\":null}\n";
        let share = b"{\"id\":4,\"method\":\"mining.submit\",\"params\":[\"w\",\"bf\",\"00000001\",\"504e86ed\",\"b2957c02\"]}\n";
        let lines: Vec<(&[u8], &[u8])> = std::iter::once((&login[..], &job[..])).chain((0..20).map(|_| (&share[..], &job[..]))).collect();
        talk(net, bot, stranger, 3_333, &lines);
    });
    office.net.finish(name)
}

pub fn next_stage(name: &str) -> Capture {
    let (mut office, bot, stranger) = stage(123);
    let net = &mut office.net;
    let program = exe::pe(&mut net.rng, 40_000, false);
    let sent = [&(program.len() as u32).to_le_bytes()[..], &program].concat();
    let deed = deed("raw-program", "execution", &["T1105"], "A loader calls out and is handed a program with its length before it");
    net.deed(deed.by([net.ip(stranger)]).on([net.ip(bot)]), |net| talk(net, bot, stranger, 4_433, &[(b"", &sent)]));
    office.net.finish(name)
}

/// A TLS connection with a certificate that its owner made.
fn own_certificate(net: &mut Net, bot: Host, server: Host, port: u16, subject: &str, days: (i64, i64)) {
    let born = net.now - days.0 * DAY;
    let certificate = Certificate { subject, issuer: subject, names: &[], not_before: born - born % SECOND, days: days.1 };
    let mut tcp = net.tcp(bot, server, port);
    tcp.connect();
    tcp.tls(None, Client::Implant, &Server::Plain(certificate));
    tcp.sealed_send(180);
    tcp.sealed_reply(2_400);
    tcp.close();
}

pub fn default_certificate(name: &str) -> Capture {
    let (mut office, bot, stranger) = stage(124);
    let net = &mut office.net;
    let deed =
        deed("c2-certificate", "command-and-control", &["T1573.002"], "A remote access tool whose certificate bears the tool's name");
    net.deed(deed.by([net.ip(bot)]).on([net.ip(stranger)]), |net| {
        own_certificate(net, bot, stranger, 6_606, "AsyncRAT Server", (200, 3_650));
    });
    office.net.finish(name)
}

pub fn own_certificate_outside(name: &str) -> Capture {
    let (mut office, bot, stranger) = stage(125);
    let net = &mut office.net;
    let deed =
        deed("odd-certificate", "command-and-control", &["T1573.002"], "TLS on an odd port, certificate made the day before for ten years");
    net.deed(deed.by([net.ip(bot)]).on([net.ip(stranger)]), |net| own_certificate(net, bot, stranger, 7_443, "localhost", (1, 3_660)));
    office.net.finish(name)
}

pub fn own_certificate_at_home(name: &str) -> Capture {
    let (mut office, pc, _) = stage(126);
    let net = &mut office.net;
    let printer = net.host("printer", [10, 20, 0, 70], Os::Device);
    let shop = net.outside("shop.example", [192, 0, 2, 91], Os::Linux, 25);
    net.deed(Deed::benign("A printer's page with the printer's own certificate").by([net.ip(pc)]).on([net.ip(printer)]), |net| {
        own_certificate(net, pc, printer, 443, "printer", (900, 7_300));
    });
    net.deed(Deed::benign("A shop with a certificate of an authority").by([net.ip(pc)]).on([net.ip(shop)]), |net| {
        let born = net.now - 30 * DAY;
        let certificate = Certificate {
            subject: "shop.example",
            issuer: "Example CA 2",
            names: &["shop.example"],
            not_before: born - born % SECOND,
            days: 90,
        };
        net.find(pc, shop);
        let mut tcp = net.tcp(pc, shop, 443);
        tcp.connect();
        tcp.tls(Some("shop.example"), Client::Library, &Server::Plain(certificate));
        tcp.sealed_send(300);
        tcp.sealed_reply(9_000);
        tcp.close();
    });
    let colleague = net.outside("", [203, 0, 113, 77], Os::Linux, 48);
    net.deed(
        Deed::benign("A call between browsers, its keys proven by certificates made for it").by([net.ip(pc)]).on([net.ip(colleague)]),
        |net| {
            net.call((pc, 50_122), (colleague, 41_786), "WebRTC", 70);
        },
    );
    office.net.finish(name)
}

pub fn tor(name: &str) -> Capture {
    let (mut office, bot, _) = stage(127);
    let net = &mut office.net;
    let relays: Vec<Host> = (0..3).map(|n| net.outside("", [198, 51, 100, 140 + n], Os::Linux, 40)).collect();
    let deed = deed("tor-client", "command-and-control", &["T1090.003"], "Three Tor relays under made-up names");
    net.deed(deed.by([net.ip(bot)]).on([net.ip(relays[0]), net.ip(relays[1]), net.ip(relays[2])]), |net| {
        for relay in relays.iter().copied() {
            let made_up = format!("www.{}.com", net.rng.text(14, "abcdefghijklmnopqrstuvwxyz234567"));
            let mut tcp = net.tcp(bot, relay, 9_001);
            tcp.connect();
            tcp.tls(Some(&made_up), Client::Library, &Server::Modern);
            tcp.sealed_send(514);
            tcp.sealed_reply(1_028);
            tcp.close();
            net.wait(SECOND);
        }
    });
    office.net.finish(name)
}

pub fn post(name: &str) -> Capture {
    let (mut office, bot, stranger) = stage(128);
    let net = &mut office.net;
    let deed = deed("bare-post", "command-and-control", &["T1071.001"], "Reports posted to a bare address under made-up paths");
    net.deed(deed.by([net.ip(bot)]).on([net.ip(stranger)]), |net| {
        for _ in 0..4 {
            let letters = "abcdefghijklmnopqrstuvwxyz0123456789";
            let path = format!("/{}/{}/", net.rng.text(12, letters), net.rng.text(9, letters));
            let body = net.rng.bytes(420);
            let headers =
                [("User-Agent", "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 6.1)"), ("Content-Type", "application/octet-stream")];
            let ask = request("POST", "203.0.113.99:8080", &path, &headers, &body);
            let answer = net.rng.bytes(6_000);
            let mut tcp = net.tcp(bot, stranger, 8_080);
            tcp.connect();
            tcp.http(&ask, "200 OK", "text/html", &answer);
            tcp.close();
            net.wait(20 * SECOND);
        }
    });
    office.net.finish(name)
}

pub fn algorithm(name: &str) -> Capture {
    let (mut office, bot, _) = stage(129);
    let net = &mut office.net;
    let deed = deed("dga", "command-and-control", &["T1568.002"], "Forty made-up domains, the last of which exists");
    net.deed(deed.by([net.ip(bot)]), |net| {
        for n in 0..40 {
            let made_up = format!("{}.{}", net.rng.text(13, "bcdfghjklmnpqrstvwxz0123456789aeiou"), ["com", "net", "biz", "info"][n % 4]);
            let answer = if n == 39 { Answer::Address([203, 0, 113, 99].into(), 300) } else { Answer::NoSuchName };
            net.dns(bot, &made_up, 1, &answer);
            net.wait(700 * MILLI);
        }
    });
    office.net.finish(name)
}

pub fn wrong_names(name: &str) -> Capture {
    let (mut office, pc, _) = stage(130);
    let net = &mut office.net;
    net.deed(Deed::benign("A browser's three probes, and names with the wrong suffix").by([net.ip(pc)]), |net| {
        for _ in 0..3 {
            let probe = net.rng.text(10, "abcdefghijklmnopqrstuvwxyz");
            net.dns(pc, &probe, 1, &Answer::NoSuchName);
        }
        for host in ["files", "print", "intranet", "wiki", "mail", "build", "calendar", "git", "status", "payroll", "proxy", "ldap"] {
            net.dns(pc, &format!("{host}.office.example"), 1, &Answer::NoSuchName);
            net.dns(pc, &format!("{host}.corp.office.example"), 1, &Answer::NoSuchName);
        }
    });
    office.net.finish(name)
}

pub fn peers(name: &str) -> Capture {
    let (mut office, _, _) = stage(131);
    let net = &mut office.net;
    let bot = net.host("", [0xfd00, 20, 0, 0, 0, 0, 0, 0x17], Os::Windows);
    let deed = deed("peer-to-peer-bot", "command-and-control", &["T1071", "T1095"], "A bot pings 120 peers that it was born with");
    net.deed(deed.by([net.ip(bot)]), |net| {
        for n in 0..120u16 {
            let peer = net.outside("", [0x2001, 0x0db8, 0x100 + n, 0, 0, 0, 0, 7], Os::Windows, 90);
            let (question, answer) = (net.rng.bytes(16), net.rng.bytes(280));
            if n % 3 == 0 {
                net.udp_exchange((bot, 51_413), (peer, 16_470), &question, &answer);
            } else {
                net.udp((bot, 51_413), (peer, 16_470), &question);
            }
            net.wait(900 * MILLI);
        }
    });
    office.net.finish(name)
}

pub fn stealer(name: &str) -> Capture {
    let (mut office, bot, stranger) = stage(132);
    let net = &mut office.net;
    let asked = net.outside("api.ipify.org", [192, 0, 2, 55], Os::Linux, 18);
    let deed = deed("stealer-upload", "exfiltration", &["T1048.003"], "Asks for its public address, then stores what it gathered by FTP");
    net.deed(deed.by([net.ip(bot)]).on([net.ip(stranger)]), |net| {
        net.find(bot, asked);
        let mut tcp = net.tcp(bot, asked, 80);
        tcp.connect();
        tcp.http(&request("GET", "api.ipify.org", "/", &[], &[]), "200 OK", "text/plain", b"203.0.113.5");
        tcp.close();
        net.wait(4 * SECOND);
        let mut tcp = net.tcp(bot, stranger, 21);
        tcp.connect();
        tcp.greeting("220 ready");
        tcp.ftp_login("drop", "gathered", true);
        tcp.line("TYPE I", "200 Type set");
        tcp.line("PASV", "227 Entering Passive Mode (203,0,113,99,200,10)");
        tcp.line("STOR PW_amy-PC_2026.html", "150 Ok to send data");
        tcp.close();
        let report = page("gathered", 4_000);
        talk(net, bot, stranger, 51_210, &[(&report, b"")]);
    });
    net.wait(MINUTE);
    office.net.finish(name)
}

pub fn report(name: &str) -> Capture {
    let (mut office, bot, stranger) = stage(132);
    let net = &mut office.net;
    let deed = deed(
        "host-report",
        "command-and-control",
        &["T1071.001", "T1082"],
        "A program tells a bare address the names of computer and user, and a mark",
    );
    net.deed(deed.by([net.ip(bot)]).on([net.ip(stranger)]), |net| {
        for _ in 0..3 {
            let body = b"id=6f9619ff-8b86-d011-b42d-00cf4fc964ff&host=PC-02&user=amy&v=3";
            let headers = [("User-Agent", "Mozilla/5.0 (Windows NT 10.0)"), ("Content-Type", "application/x-www-form-urlencoded")];
            let mut tcp = net.tcp(bot, stranger, 80);
            tcp.connect();
            tcp.http(&request("POST", "203.0.113.99", "/in", &headers, body), "200 OK", "text/plain", b"ok");
            tcp.close();
            net.wait(40 * SECOND);
        }
    });
    office.net.finish(name)
}

pub fn report_of_a_page(name: &str) -> Capture {
    let (mut office, person, shop) = stage(133);
    let net = &mut office.net;
    net.deed(
        Deed::benign("A page counts a visit with a mark; a form of an inside page names computer and user").by([net.ip(person)]),
        |net| {
            let mut tcp = net.tcp(person, shop, 80);
            tcp.connect();
            let headers = [("User-Agent", "Mozilla/5.0 (Windows NT 10.0)"), ("Referer", "http://shop.example/")];
            let path = "/count?c=SALE&u=home&id=6f9619ff-8b86-d011-b42d-00cf4fc964ff";
            tcp.http(&request("GET", "shop.example", path, &headers, b""), "200 OK", "text/plain", b"ok");
            let headers = [("User-Agent", "Mozilla/5.0 (Windows NT 10.0)"), ("Cookie", "session=1")];
            tcp.http(&request("GET", "shop.example", "/ask?host=PC-02&user=amy", &headers, b""), "200 OK", "text/plain", b"ok");
            tcp.close();
        },
    );
    office.net.finish(name)
}

/// A request without page or cookie, by a program.
fn bare_get(net: &mut Net, bot: Host, server: Host, host: &str, path: &str) {
    net.lookup(bot, host, net.ip(server));
    let mut tcp = net.tcp(bot, server, 80);
    tcp.connect();
    tcp.http(&request("GET", host, path, &[("User-Agent", "Mozilla/5.0 (Windows NT 10.0)")], b""), "200 OK", "text/plain", b"ok");
    tcp.close();
}

pub fn hexadecimal(name: &str) -> Capture {
    let (mut office, bot, stranger) = stage(134);
    let net = &mut office.net;
    let deed =
        deed("made-up-domain", "command-and-control", &["T1568.002"], "A program fetches its orders from a domain that an algorithm named");
    net.deed(deed.by([net.ip(bot)]).on([net.ip(stranger)]), |net| {
        for round in 0..3 {
            bare_get(net, bot, stranger, "b07c41ea.example", &format!("/de/?d={round}"));
            net.wait(50 * SECOND);
        }
    });
    office.net.finish(name)
}

pub fn names_with_digits(name: &str) -> Capture {
    let (mut office, person, server) = stage(135);
    let net = &mut office.net;
    net.deed(Deed::benign("Names with digits, and hashes below the name of a content network").by([net.ip(person)]), |net| {
        for host in ["2026calendar.example", "decade80.example", "d3f0c81a9b.cdn.example", "facade.example"] {
            bare_get(net, person, server, host, "/");
            net.wait(5 * SECOND);
        }
    });
    office.net.finish(name)
}

/// A connection held open with a word now and then.
fn held_open(net: &mut Net, client: Host, server: Host, name: Option<&str>, program: Client) {
    let mut tcp = net.tcp(client, server, 443);
    tcp.connect();
    tcp.tls(name, program, &Server::Modern);
    for _ in 0..12 {
        tcp.sealed_send(180);
        tcp.sealed_reply(90);
        tcp.pause(15 * SECOND);
    }
    tcp.close();
}

pub fn without_a_name(name: &str) -> Capture {
    let (mut office, bot, stranger) = stage(136);
    let net = &mut office.net;
    let deed = deed("nameless-tls", "command-and-control", &["T1071.001", "T1573.002"], "An implant holds TLS open to a bare address");
    net.deed(deed.by([net.ip(bot)]).on([net.ip(stranger)]), |net| held_open(net, bot, stranger, None, Client::Library));
    office.net.finish(name)
}

pub fn with_a_name(name: &str) -> Capture {
    let (mut office, person, server) = stage(137);
    let net = &mut office.net;
    net.deed(Deed::benign("A page is held open for news; a short call without a name").by([net.ip(person)]), |net| {
        net.lookup(person, "push.example", net.ip(server));
        held_open(net, person, server, Some("push.example"), Client::Browser);
        let other = net.outside("", [198, 51, 100, 20], Os::Linux, 40);
        let mut tcp = net.tcp(person, other, 443);
        tcp.connect();
        tcp.tls(None, Client::Library, &Server::Modern);
        tcp.sealed_send(100);
        tcp.sealed_reply(400);
        tcp.close();
    });
    office.net.finish(name)
}
