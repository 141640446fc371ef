//! The story of `vigil demo`: an ordinary hour in an office, and one attack from the first look to the last byte out.

use super::apps::exe;
use super::net::{MILLI, MINUTE};
use super::scenes::{Office, moves};
use super::{Capture, Deed, Host, Net, Os};
use crate::model::{Outcome, time::SECOND};

/// Everybody in the story.
struct Cast {
    /// The office's web server, which falls.
    web: Host,
    files: Host,
    /// Who looks, guesses and logs in.
    intruder: Host,
    /// Where the tool comes from.
    depot: Host,
    /// Whom the tool calls.
    control: Host,
}

/// About an hour of a small office, some 10,000 frames; the same bytes for the same seed.
///
/// An outside host scans the web server, guesses an SSH password, logs in, fetches a tool; the tool checks in with its
/// control server, looks around inside, takes files from the file server, and sends data out in DNS names.
pub fn demo(seed: u64) -> Capture {
    let mut office = Office::new(seed, 8);
    let net = &mut office.net;
    net.loss = 6;
    let cast = Cast {
        web: net.host("www.office.example", [10, 20, 0, 80], Os::Linux),
        files: office.files,
        intruder: net.outside("", [198, 51, 100, 66], Os::Linux, 48),
        depot: net.outside("", [203, 0, 113, 45], Os::Linux, 52),
        control: net.outside("sync.telemetry-hub.example", [203, 0, 113, 77], Os::Linux, 62),
    };
    office.bustle(55 * MINUTE, 140);
    habits(&mut office);
    attack(&mut office.net, &cast);
    office.net.finish("demo")
}

/// Minute by minute.
fn attack(net: &mut Net, cast: &Cast) {
    let begin = net.now;
    net.at(begin + 4 * MINUTE, |net| look(net, cast));
    let inside = net.at(begin + 8 * MINUTE, |net| {
        break_in(net, cast);
        net.now
    });
    net.at(inside + 40 * SECOND, |net| fetch_tool(net, cast));
    net.at(inside + 70 * SECOND, |net| call_home(net, cast));
    net.at(begin + 22 * MINUTE, |net| look_around(net, cast));
    net.at(begin + 31 * MINUTE, |net| take_files(net, cast));
    net.at(begin + 36 * MINUTE, |net| send_out(net, cast));
}

fn look(net: &mut Net, cast: &Cast) {
    let deed = Deed::attack("reconnaissance", &["T1595.001", "T1046"], "An outside host tries 700 ports of the web server");
    let deed = deed.rule("port-scan-vertical").by([net.ip(cast.intruder)]).on([net.ip(cast.web)]);
    net.deed(deed, |net| moves::probe_ports(net, cast.intruder, cast.web, (1..=700).collect(), &[22, 80, 443]));
}

fn break_in(net: &mut Net, cast: &Cast) {
    let actors = ([net.ip(cast.intruder)], [net.ip(cast.web)]);
    let guess = Deed::attack("credential-access", &["T1110.001"], "26 SSH connections with wrong passwords");
    let guess = guess.rule("password-guessing").by(actors.0).on(actors.1).ends(Outcome::Guessing);
    net.deed(guess, |net| {
        for attempt in 0..36 {
            net.aside(|net| moves::ssh_guess(net, cast.intruder, cast.web, "backup", 1 + attempt % 2));
            let gap = net.rng.between(300, 1_200);
            net.wait(gap * MILLI);
        }
    });
    net.wait(6 * SECOND);
    let enter = Deed::attack("initial-access", &["T1110.001", "T1078"], "The next password is right; a shell is used");
    let enter = enter.rule("guessing-success").by(actors.0).on(actors.1).ends(Outcome::Likely);
    net.deed(enter, |net| moves::ssh_break_in(net, cast.intruder, cast.web, 14_000));
}

fn fetch_tool(net: &mut Net, cast: &Cast) {
    let program = exe::elf(&mut net.rng, 48_000);
    let deed = Deed::attack("command-and-control", &["T1105", "T1036.008"], "The web server fetches a program that is called a picture");
    let deed = deed.rule("executable-download").by([net.ip(cast.depot)]).on([net.ip(cast.web)]);
    net.deed(deed, |net| moves::fetch_disguised(net, cast.web, cast.depot, "/img/banner.png", "Wget/1.21.3", "image/png", &program));
}

fn call_home(net: &mut Net, cast: &Cast) {
    let deed = Deed::attack("command-and-control", &["T1071.001", "T1573"], "The program checks in over HTTPS every 40 s, jitter 20 %");
    let deed = deed.rule("beacon").by([net.ip(cast.web)]).on([net.ip(cast.control)]);
    net.deed(deed, |net| moves::check_ins(net, cast.web, cast.control, 40 * SECOND, 62, 17));
}

fn look_around(net: &mut Net, cast: &Cast) {
    let sweep = Deed::attack("discovery", &["T1018"], "The web server asks for every address of its network")
        .rule("sweep-arp")
        .by([net.ip(cast.web)]);
    net.deed(sweep, |net| {
        for last in 2..=250 {
            net.arp_ask(cast.web, [10, 20, 0, last]);
            let gap = net.rng.between(20, 60);
            net.wait(gap * MILLI);
        }
    });
    net.wait(20 * SECOND);
    let branch: Vec<Host> = (1..=100).map(|last| net.outside("", [10, 30, 1, last], Os::Windows, 2)).collect();
    let ports = Deed::attack("discovery", &["T1046"], "The web server tries port 445 of a hundred addresses of the branch network");
    let ports = ports.rule("port-scan-horizontal").by([net.ip(cast.web)]).on(branch.iter().map(|host| net.ip(*host)));
    net.deed(ports, |net| {
        for (index, target) in branch.into_iter().enumerate() {
            let door = match index % 17 {
                4 => moves::Door::Open,
                9 | 13 => moves::Door::Closed,
                _ => moves::Door::Silent,
            };
            net.aside(|net| moves::probe(net, cast.web, target, 445, door));
            let gap = net.rng.human(120 * MILLI);
            net.wait(gap);
        }
    });
}

fn take_files(net: &mut Net, cast: &Cast) {
    let content = net.rng.bytes(36_000);
    let deed = Deed::attack("collection", &["T1039", "T1074", "T1552"], "The web server takes four archives from the file server by FTP");
    let deed = deed.rule("cleartext-credentials").by([net.ip(cast.web)]).on([net.ip(cast.files)]);
    net.deed(deed, |net| {
        let mut tcp = net.tcp(cast.web, cast.files, 21);
        tcp.connect();
        tcp.greeting("220 (vsFTPd 3.0.3)");
        tcp.ftp_login("backup", "Spring2026!", true);
        for (name, port) in [("payroll.zip", 40_301), ("contracts.zip", 40_302), ("customers.zip", 40_303), ("plans.zip", 40_304)] {
            tcp.ftp_retrieve(name, port, &[b"PK\x03\x04\x14\0\0\0\x08\0", &content[..]].concat());
            tcp.pause(3 * SECOND);
        }
        tcp.line("QUIT", "221 Goodbye.");
        tcp.close();
    });
}

fn send_out(net: &mut Net, cast: &Cast) {
    let deed = Deed::attack("exfiltration", &["T1048.003", "T1071.004", "T1572"], "Data leaves in DNS names, 900 queries");
    let deed = deed.rule("dns-tunnel").by([net.ip(cast.web)]);
    net.deed(deed, |net| moves::dns_tunnel(net, cast.web, "t.updatecheck.example", 900));
}

/// What goes on at any hour: time, leases, address questions, the intranet, customers of the web server.
fn habits(office: &mut Office) {
    let (pcs, gateway, files, sites) = (office.pcs.clone(), office.gateway, office.files, office.sites.clone());
    let net = &mut office.net;
    let begin = net.now;
    let clock = net.outside("ntp.example", [192, 0, 2, 123], Os::Linux, 14);
    let files6 = net.host("files", [0xfd20, 0, 0, 0, 0, 0, 0, 0x20], Os::Linux);
    let pc6 = net.host("pc-04", [0xfd20, 0, 0, 0, 0, 0, 0, 0x104], Os::Linux);
    for (index, pc) in pcs.iter().copied().enumerate() {
        let own = begin + index as i64 * 9 * SECOND;
        for round in 0..5 {
            net.at(own + round * 11 * MINUTE, |net| net.arp(pc, gateway));
            let moment = own + round * 11 * MINUTE + net.rng.human(2 * MINUTE);
            net.at(moment, |net| moves::visit_plain(net, pc, sites[0], "/start", 1_200));
        }
        for poll in 0..36 {
            net.at(own + poll * 90 * SECOND, |net| net.ntp(pc, clock));
        }
        net.at(own + 20 * MINUTE, |net| net.dhcp_renew(pc, gateway));
        net.at(own + 26 * MINUTE, |net| intranet(net, pc, files));
    }
    net.at(begin + 12 * MINUTE, |net| intranet(net, pc6, files6));
}

/// A look into the document store.
fn intranet(net: &mut Net, who: Host, files: Host) {
    use super::apps::tls::{Client, Server};
    let mut tcp = net.tcp(who, files, 443);
    tcp.connect();
    tcp.tls(Some("files.office.example"), Client::Browser, &Server::Modern);
    for _ in 0..3 {
        tcp.sealed_send(380);
        tcp.sealed_reply(5_000);
        let reading = tcp.net.rng.human(4 * SECOND);
        tcp.pause(reading);
    }
    tcp.close();
}
