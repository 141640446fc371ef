//! TLS that ended worse than it might have: held down by somebody between, or agreed on without protection.

use super::office::Office;
use crate::model::time::SECOND;
use crate::synth::net::{Host, Net, Os};
use crate::synth::{Capture, Deed};

/// What a handshake ends with.
struct Ending {
    /// Whether the client offers TLS 1.3.
    modern: bool,
    /// The suite that the server takes (RFC 5246, A.5).
    suite: u16,
    /// Whether the server's random bytes end in the mark of RFC 8446, 4.1.3: it could have done better.
    marked: bool,
}

fn record(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind, 3, 3][..], &(body.len() as u16).to_be_bytes(), body].concat()
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind, 0][..], &(body.len() as u16).to_be_bytes(), body].concat()
}

fn listed(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u16).to_be_bytes()[..], bytes].concat()
}

/// A TLS 1.2 handshake as it looks from outside, and a little that passes under it.
fn handshake(net: &mut Net, client: Host, server: Host, port: u16, ending: &Ending) {
    let (random, mut answered) = (net.rng.bytes(32), net.rng.bytes(32));
    if ending.marked {
        answered.splice(24.., *b"DOWNGRD\x01");
    }
    let suites: Vec<u8> = [0x1301, 0xc02f, 0x002f, ending.suite].iter().flat_map(|suite: &u16| suite.to_be_bytes()).collect();
    let versions: &[u8] = if ending.modern { &[0, 43, 0, 5, 4, 3, 4, 3, 3] } else { &[] };
    let extensions = [&[0, 13, 0, 4, 0, 2, 4, 1][..], versions].concat();
    let hello = [&[3, 3][..], &random, &[0], &listed(&suites), &[1, 0], &listed(&extensions)].concat();
    let taken = [&[3, 3][..], &answered, &[0], &ending.suite.to_be_bytes(), &[0]].concat();
    let (key, done) = (net.rng.bytes(66), net.rng.bytes(40));
    let sealed = [record(20, &[1]), record(22, &done)].concat();
    let mut tcp = net.tcp(client, server, port);
    tcp.connect();
    tcp.send(&record(22, &message(1, &hello)));
    tcp.reply(&record(22, &[message(2, &taken), message(12, &[3, 0, 23, 65, 4, 0]), message(14, &[])].concat()));
    tcp.send(&[record(22, &message(16, &key)), sealed.clone()].concat());
    tcp.reply(&sealed);
    tcp.sealed_send(240);
    tcp.sealed_reply(900);
    tcp.close();
    net.wait(6 * SECOND);
}

fn stage(seed: u64) -> (Office, Host, Host) {
    let mut office = Office::new(seed, 3);
    office.bustle(30 * SECOND, 1);
    let client = office.pc(2);
    let server = office.net.outside("bank.example", [192, 0, 2, 93], Os::Linux, 29);
    office.net.wait(3 * SECOND);
    (office, client, server)
}

pub fn held_down(name: &str) -> Capture {
    let (mut office, client, server) = stage(320);
    let net = &mut office.net;
    let says = "Somebody between strips TLS 1.3 from a client's offer; the server marks its answer";
    let deed = Deed::attack("defense-evasion", &["T1557", "T1562.010"], says).rule("tls-downgrade");
    net.deed(deed.by([net.ip(client)]).on([net.ip(server)]), |net| {
        for _ in 0..2 {
            handshake(net, client, server, 443, &Ending { modern: true, suite: 0xc02f, marked: true });
        }
    });
    office.net.finish(name)
}

pub fn as_offered(name: &str) -> Capture {
    let (mut office, client, server) = stage(321);
    let net = &mut office.net;
    net.deed(
        Deed::benign("An old client at a new server, a new client at an old server").by([net.ip(client)]).on([net.ip(server)]),
        |net| {
            handshake(net, client, server, 443, &Ending { modern: false, suite: 0xc02f, marked: true });
            handshake(net, client, server, 443, &Ending { modern: true, suite: 0xc02f, marked: false });
        },
    );
    office.net.finish(name)
}

pub fn unprotected(name: &str) -> Capture {
    let (mut office, client, server) = stage(322);
    let net = &mut office.net;
    let says = "A client and a server outside agree on keys with nobody proven";
    let deed = Deed::attack("defense-evasion", &["T1557"], says).rule("unprotected-tls");
    net.deed(deed.by([net.ip(client)]).on([net.ip(server)]), |net| {
        // TLS_DH_anon_WITH_AES_128_CBC_SHA.
        for _ in 0..3 {
            handshake(net, client, server, 8_443, &Ending { modern: false, suite: 0x0034, marked: false });
        }
    });
    office.net.finish(name)
}

pub fn protected(name: &str) -> Capture {
    let (mut office, client, server) = stage(323);
    let net = &mut office.net;
    net.deed(
        Deed::benign("An old suite, which still encrypts for a server that is proven").by([net.ip(client)]).on([net.ip(server)]),
        |net| {
            handshake(net, client, server, 443, &Ending { modern: false, suite: 0x002f, marked: false });
        },
    );
    office.net.finish(name)
}
