//! Passwords on the wire for anybody to read, and protocols that could have shown one and did not.

use super::Office;
use crate::model::time::SECOND;
use crate::synth::apps::http::{BROWSER, page, request};
use crate::synth::apps::tls::{Client, Server};
use crate::synth::net::{Host, MILLI, Net, Os};
use crate::synth::{Capture, Deed, Tcp};

/// What happens, between whom, and how.
type Story = (&'static str, Host, Host, fn(&mut Net, Host, Host));

pub fn credentials(name: &str) -> Capture {
    let mut office = Office::new(80, 5);
    office.bustle(40 * SECOND, 4);
    let (files, pcs) = (office.files, office.pcs.clone());
    let net = &mut office.net;
    let printer = net.host("printer", [10, 20, 0, 9], Os::Device);
    let mail = net.outside("pop.example.com", [192, 0, 2, 110], Os::Linux, 27);
    let site = net.outside("intranet.example.com", [192, 0, 2, 80], Os::Linux, 21);
    let stories: [Story; 4] = [
        ("FTP login with a password in the clear", pcs[0], files, ftp),
        ("HTTP Basic authorization without TLS", pcs[1], site, basic),
        ("Telnet login, typed key by key", pcs[2], printer, telnet),
        ("POP3 login without TLS", pcs[3], mail, pop3),
    ];
    for (says, client, server, story) in stories {
        net.wait(4 * SECOND);
        let deed = Deed::attack("credential-access", &["T1040", "T1552"], says).rule("cleartext-credentials");
        let deed = deed.by([net.ip(client)]).on([net.ip(server)]);
        net.deed(deed, |net| story(net, client, server));
    }
    office.net.finish(name)
}

fn ftp(net: &mut Net, client: Host, server: Host) {
    let mut tcp = net.tcp(client, server, 21);
    tcp.connect();
    tcp.greeting("220 ProFTPD Server (files) [10.20.0.20]");
    tcp.ftp_login("ann", "Tr0ub4dor&3", true);
    tcp.line("PWD", "257 \"/\" is the current directory");
    tcp.ftp_retrieve("plan.txt", 39_001, &b"week 10: stock taking\r\n".repeat(30));
    tcp.line("QUIT", "221 Goodbye.");
    tcp.close();
}

/// `carol:Winter-2026` in base64.
const BASIC: &str = "Basic Y2Fyb2w6V2ludGVyLTIwMjY=";

fn basic(net: &mut Net, client: Host, server: Host) {
    net.find(client, server);
    let mut tcp = net.tcp(client, server, 80);
    tcp.connect();
    let bare = request("GET", "intranet.example.com", "/reports/", &[("User-Agent", BROWSER)], &[]);
    tcp.http(&bare, "401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"reports\"", "text/html", &page("401", 300));
    tcp.pause(5 * SECOND);
    let known = request("GET", "intranet.example.com", "/reports/", &[("User-Agent", BROWSER), ("Authorization", BASIC)], &[]);
    tcp.http(&known, "200 OK", "text/html", &page("Reports", 2_000));
    tcp.close();
}

/// IAC DO/WILL options both sides agree on: echo, suppress go-ahead, terminal type.
fn negotiate(tcp: &mut Tcp<'_>) {
    tcp.reply(&[255, 253, 24, 255, 251, 1, 255, 251, 3]);
    tcp.send(&[255, 251, 24, 255, 253, 1, 255, 253, 3]);
    tcp.reply(&[255, 250, 24, 1, 255, 240]);
    tcp.send(&[&[255, 250, 24, 0][..], b"xterm", &[255, 240]].concat());
}

fn telnet(net: &mut Net, client: Host, server: Host) {
    let mut tcp = net.tcp(client, server, 23);
    tcp.connect();
    negotiate(&mut tcp);
    tcp.reply(b"\r\nprinter login: ");
    tcp.pause(SECOND);
    tcp.typed("admin", true);
    tcp.reply(b"Password: ");
    tcp.pause(SECOND);
    tcp.typed("s3cr3t!", false);
    tcp.pause(200 * MILLI);
    tcp.reply(b"\r\nLast login: Mon Mar  2 08:14:51\r\n$ ");
    tcp.typed("status", true);
    tcp.reply(b"toner 42%\r\n$ ");
    tcp.typed("exit", true);
    tcp.close_by_server();
}

fn pop3(net: &mut Net, client: Host, server: Host) {
    net.find(client, server);
    let mut tcp = net.tcp(client, server, 110);
    tcp.connect();
    tcp.greeting("+OK Dovecot ready.");
    tcp.line("CAPA", "+OK\r\nCAPA\r\nTOP\r\nUIDL\r\nUSER\r\n.");
    tcp.line("USER dave@example.com", "+OK");
    tcp.line("PASS correct-horse", "+OK Logged in.");
    tcp.line("STAT", "+OK 2 5120");
    tcp.line("QUIT", "+OK Logging out.");
    tcp.close_by_server();
}

pub fn credentials_benign(name: &str) -> Capture {
    let mut office = Office::new(81, 5);
    office.bustle(40 * SECOND, 4);
    let (files, pcs, site) = (office.files, office.pcs.clone(), office.sites[0]);
    let net = &mut office.net;
    let mail = net.outside("pop.example.com", [192, 0, 2, 110], Os::Linux, 27);
    let clock = net.host("clock", [10, 20, 0, 37], Os::Device);
    let stories: [Story; 5] = [
        ("FTP that turns to TLS before anybody logs in", pcs[0], files, ftp_tls),
        ("POP3 that turns to TLS before anybody logs in", pcs[1], mail, pop3_tls),
        ("A page that asks for a password and gets none", pcs[2], site, refused_page),
        ("A Telnet service that tells the time to anybody", pcs[3], clock, talking_clock),
        ("A token over TLS", pcs[4], site, |net, client, site| super::office::visit(net, client, site)),
    ];
    for (says, client, server, story) in stories {
        net.wait(4 * SECOND);
        net.deed(Deed::benign(says).by([net.ip(client)]).on([net.ip(server)]), |net| story(net, client, server));
    }
    office.net.finish(name)
}

fn ftp_tls(net: &mut Net, client: Host, server: Host) {
    let mut tcp = net.tcp(client, server, 21);
    tcp.connect();
    tcp.greeting("220 (vsFTPd 3.0.3)");
    tcp.line("AUTH TLS", "234 Proceed with negotiation.");
    tcp.tls(None, Client::Library, &Server::Modern);
    sealed_lines(&mut tcp, 6);
}

fn pop3_tls(net: &mut Net, client: Host, server: Host) {
    net.find(client, server);
    let mut tcp = net.tcp(client, server, 110);
    tcp.connect();
    tcp.greeting("+OK Dovecot ready.");
    tcp.line("STLS", "+OK Begin TLS negotiation now.");
    tcp.tls(Some("pop.example.com"), Client::Library, &Server::Modern);
    sealed_lines(&mut tcp, 5);
}

fn sealed_lines(tcp: &mut Tcp<'_>, count: usize) {
    for _ in 0..count {
        tcp.sealed_send(22);
        tcp.sealed_reply(40);
    }
    tcp.close();
}

fn refused_page(net: &mut Net, client: Host, site: Host) {
    net.find(client, site);
    let mut tcp = net.tcp(client, site, 80);
    tcp.connect();
    let ask = request("GET", "www.example.com", "/members/", &[("User-Agent", BROWSER)], &[]);
    tcp.http(&ask, "401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"members\"", "text/html", &page("401", 300));
    tcp.pause(8 * SECOND);
    tcp.close();
}

fn talking_clock(net: &mut Net, client: Host, clock: Host) {
    let mut tcp = net.tcp(client, clock, 23);
    tcp.connect();
    negotiate(&mut tcp);
    tcp.reply(b"\r\nWelcome to the office clock. It is 09:01.\r\n> ");
    tcp.typed("time", true);
    tcp.reply(b"09:01:07\r\n> ");
    tcp.typed("quit", true);
    tcp.close_by_server();
}
