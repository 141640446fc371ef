//! Attacks on services from outside that need no login: web requests, a heartbeat, an SMB memory groom, a DNS answer, reflected floods.

use super::office::Office;
use crate::model::{Outcome, time::SECOND};
use crate::synth::apps::http::{BROWSER, page, request};
use crate::synth::apps::tls::{Client, Server};
use crate::synth::apps::x509::Certificate;
use crate::synth::net::{Host, MICRO, MILLI, Net, Os};
use crate::synth::{Capture, Deed};

const WEB: &str = "www.office.example";

/// An office at work, its web server, and a stranger outside.
fn stage(seed: u64) -> (Office, Host, Host) {
    let mut office = Office::new(seed, 3);
    office.bustle(30 * SECOND, 1);
    let server = office.net.host(WEB, [10, 20, 0, 80], Os::Linux);
    let stranger = office.net.outside("", [198, 51, 100, 78], Os::Linux, 44);
    office.net.wait(4 * SECOND);
    (office, server, stranger)
}

/// One request on a connection of its own.
fn ask(net: &mut Net, client: Host, server: Host, request: &[u8], status: &str, body: &[u8]) {
    let mut tcp = net.tcp(client, server, 80);
    tcp.connect();
    tcp.http(request, status, "text/html", body);
    tcp.close();
}

pub fn web_attack(name: &str) -> Capture {
    let (mut office, server, stranger) = stage(140);
    let net = &mut office.net;
    let deed = Deed::attack("initial-access", &["T1190"], "SQL injection until the database complains, then a path out of the site");
    net.deed(deed.rule("web-attack").by([net.ip(stranger)]).on([net.ip(server)]), |net| {
        let tries = [
            ("/item?id=7%27%20OR%20%271%27=%271", "500 Internal Server Error", &b"You have an error in your SQL syntax near ''1'"[..]),
            ("/item?id=7%20UNION%20SELECT%201,2,3--", "200 OK", b"<html>1 2 3</html>"),
            ("/item?id=7%20UNION%20SELECT%20name,pass%20FROM%20information_schema.tables", "200 OK", b"<html>users</html>"),
            ("/item?id=7%20AND%20SLEEP(5)", "200 OK", b"<html></html>"),
            ("/download?file=../../../../etc/passwd", "200 OK", b"root:x:0:0:root:/root:/bin/bash\n"),
            ("/ping?host=127.0.0.1;id", "404 Not Found", b"no"),
        ];
        for (path, status, body) in tries {
            ask(net, stranger, server, &request("GET", WEB, path, &[("User-Agent", "python-requests/2.31.0")], &[]), status, body);
            net.wait(3 * SECOND);
        }
    });
    office.net.finish(name)
}

pub fn web_attack_benign(name: &str) -> Capture {
    let (mut office, server, customer) = stage(141);
    let net = &mut office.net;
    net.deed(Deed::benign("People search for words that SQL and shells use too").by([net.ip(customer)]).on([net.ip(server)]), |net| {
        for path in [
            "/search?q=select+a+union+representative",
            "/search?q=cats+and+dogs+or+birds",
            "/search?q=drop+table+lamp",
            "/search?q=rock+%26+roll%3B+sleep+music",
            "/docs/../about",
            "/search?q=how+to+use+cat+and+id+in+bash",
        ] {
            ask(net, customer, server, &request("GET", WEB, path, &[("User-Agent", BROWSER)], &[]), "200 OK", &page("Results", 900));
            net.wait(6 * SECOND);
        }
    });
    office.net.finish(name)
}

pub fn web_scan(name: &str) -> Capture {
    let (mut office, server, stranger) = stage(142);
    let net = &mut office.net;
    let deed = Deed::attack("discovery", &["T1595.002"], "Eighty paths of a word list, nearly all missing");
    net.deed(deed.rule("web-scan").by([net.ip(stranger)]).on([net.ip(server)]), |net| {
        for n in 0..80 {
            let path = format!("/{}", net.rng.text(7, "abcdefghijklmnopqrstuvwxyz"));
            let status = if n % 20 == 3 { "200 OK" } else { "404 Not Found" };
            ask(net, stranger, server, &request("GET", WEB, &path, &[("User-Agent", "gobuster/3.6")], &[]), status, b"<html></html>");
        }
    });
    office.net.finish(name)
}

pub fn web_scan_benign(name: &str) -> Capture {
    let (mut office, server, customer) = stage(143);
    let net = &mut office.net;
    net.deed(Deed::benign("A reader goes through a site; a few links are dead").by([net.ip(customer)]).on([net.ip(server)]), |net| {
        for n in 0..60 {
            let status = if n % 9 == 4 { "404 Not Found" } else { "200 OK" };
            let path = format!("/articles/{n}");
            ask(net, customer, server, &request("GET", WEB, &path, &[("User-Agent", BROWSER)], &[]), status, &page("An article", 700));
            net.wait(2 * SECOND);
        }
    });
    office.net.finish(name)
}

pub fn heartbeat(name: &str) -> Capture {
    let (mut office, server, stranger) = stage(144);
    let net = &mut office.net;
    let deed = Deed::attack("initial-access", &["T1190"], "A heartbeat of three bytes that asks for 16,384; the server gives them");
    net.deed(deed.rule("heartbleed").by([net.ip(stranger)]).on([net.ip(server)]), |net| {
        let born = net.now - 90 * 86_400 * SECOND;
        let certificate = Certificate { subject: WEB, issuer: "Example CA 2", names: &[WEB], not_before: born - born % SECOND, days: 365 };
        let memory = net.rng.bytes(16_384);
        let mut tcp = net.tcp(stranger, server, 443);
        tcp.connect();
        tcp.tls(None, Client::Implant, &Server::Plain(certificate));
        tcp.close();
        let mut tcp = net.tcp(stranger, server, 443);
        tcp.connect();
        let hello = [&[3, 3][..], &[7; 32], &[0, 0, 2, 0, 0x2f, 1, 0, 0, 5, 0, 15, 0, 1, 1]].concat();
        tcp.send(&record(22, &[&[1, 0, 0, hello.len() as u8], &hello[..]].concat()));
        let answer = [&[3, 3][..], &[9; 32], &[0, 0, 0x2f, 0, 0, 5, 0, 15, 0, 1, 1]].concat();
        tcp.reply(&record(22, &[&[2, 0, 0, answer.len() as u8], &answer[..], &[14, 0, 0, 0]].concat()));
        tcp.send(&record(24, &[1, 0x40, 0]));
        tcp.reply(&record(24, &[&[2, 0x40, 0][..], &memory[..16_000]].concat()));
        tcp.reset();
    });
    office.net.finish(name)
}

/// A TLS record in the clear.
fn record(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind, 3, 2][..], &(body.len() as u16).to_be_bytes(), body].concat()
}

pub fn groom(name: &str) -> Capture {
    let (mut office, _, stranger) = stage(145);
    let (victim, net) = (office.pc(1), &mut office.net);
    let deed = Deed::attack("lateral-movement", &["T1210"], "SMB buffers are groomed; the victim then calls the attacker");
    net.deed(deed.rule("eternalblue").by([net.ip(stranger)]).on([net.ip(victim)]), |net| {
        for _ in 0..9 {
            let start = [&[0, 0, 0xff, 0xf7, 0xfe][..], b"SMB", &[0; 124]].concat();
            net.aside(|net| {
                let mut tcp = net.tcp(stranger, victim, 445);
                tcp.connect();
                tcp.send(&start);
                tcp.pause(SECOND);
                tcp.close();
            });
            net.wait(40 * MILLI);
        }
        net.wait(4 * SECOND);
        let order = net.rng.bytes(300);
        let mut tcp = net.tcp(victim, stranger, 4_433);
        tcp.connect();
        tcp.reply(&order);
        tcp.close();
    });
    office.net.finish(name)
}

pub fn long_signature(name: &str) -> Capture {
    let (mut office, _, stranger) = stage(146);
    let (asker, net) = (office.pc(0), &mut office.net);
    let deed = Deed::attack("initial-access", &["T1210"], "A DNS answer over TCP with a signature record of nearly 64 kB");
    net.deed(deed.rule("sigred").ends(Outcome::Attempt).by([net.ip(stranger)]).on([net.ip(asker)]), |net| {
        let question = [&b"\x12\x34\x01\x00\0\x01\0\0\0\0\0\0"[..], b"\x019\x07example\0", &[0, 24, 0, 1]].concat();
        let data = net.rng.bytes(65_380);
        let fixed = [&[0, 1, 5, 0, 0, 0, 0, 32, 0x68, 0, 0, 0, 0x60, 0, 0, 0, 0x9e, 0x42][..], b"\xc0\x0c", &data].concat();
        let head = [&b"\x12\x34\x81\x80\0\x01\0\x01\0\0\0\0"[..], &question[12..], b"\xc0\x0c", &[0, 24, 0, 1, 0, 0, 0, 32]].concat();
        let answer = [&head[..], &(fixed.len() as u16).to_be_bytes(), &fixed].concat();
        let framed = |message: &[u8]| [&(message.len() as u16).to_be_bytes()[..], message].concat();
        let mut tcp = net.tcp(asker, stranger, 53);
        tcp.connect();
        tcp.send(&framed(&question));
        tcp.reply(&framed(&answer));
        tcp.close();
    });
    office.net.finish(name)
}

pub fn reflected(name: &str) -> Capture {
    let (mut office, server, _) = stage(147);
    let net = &mut office.net;
    let deed = Deed::attack("impact", &["T1498.002"], "Time servers answer questions that the victim never asked");
    net.deed(deed.rule("reflection-flood").on([net.ip(server)]), |net| {
        for n in 0..160u8 {
            let reflector = net.outside("", [192, 0, 2, n + 20], Os::Linux, 60);
            let answer = [&[0xd7, 0, 3, 0x2a, 0, 6, 0, 72][..], &net.rng.bytes(432)].concat();
            for _ in 0..4 {
                net.udp((reflector, 123), (server, 80), &answer);
                net.wait(900 * MICRO);
            }
        }
    });
    office.net.finish(name)
}
