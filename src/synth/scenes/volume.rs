//! Much data, out of the house or within it. Frames are as large as a capture with segmentation offload shows them.

use super::office::{Office, visit};
use crate::model::time::SECOND;
use crate::synth::apps::tls::{Client, Server};
use crate::synth::net::{Host, MILLI, Net, Os};
use crate::synth::{Capture, Deed};

const MEGABYTE: usize = 1_000_000;
/// Just under the largest IP packet.
const OFFLOADED: usize = 62_000;

/// `megabytes` go up over TLS, `down` come back.
pub fn transfer(net: &mut Net, client: Host, server: Host, up: usize, down: usize) {
    let name = net.name(server);
    let mut tcp = net.tcp(client, server, 443).offloaded(OFFLOADED);
    tcp.connect();
    tcp.tls(Some(&name), Client::Library, &Server::Modern);
    for _ in 0..up {
        tcp.sealed_send(MEGABYTE);
        tcp.sealed_reply(48);
    }
    for _ in 0..down {
        tcp.sealed_send(220);
        tcp.sealed_reply(MEGABYTE);
    }
    tcp.close();
}

pub fn exfil(name: &str) -> Capture {
    let mut office = Office::new(60, 5);
    office.bustle(60 * SECOND, 12);
    let (client, sites, net) = (office.pc(3), office.sites.clone(), &mut office.net);
    let server = net.outside("dropzone.example", [203, 0, 113, 200], Os::Linux, 38);
    for site in sites {
        visit(net, client, site);
        net.wait(4 * SECOND);
    }
    net.find(client, server);
    let deed = Deed::attack("exfiltration", &["T1048", "T1041"], "60 MB leave for one outside host over TLS");
    let deed = deed.rule("exfil-volume").by([net.ip(client)]).on([net.ip(server)]);
    net.deed(deed, |net| transfer(net, client, server, 60, 0));
    office.net.finish(name)
}

pub fn exfil_benign(name: &str) -> Capture {
    let mut office = Office::new(61, 5);
    office.bustle(60 * SECOND, 8);
    let (files, pc, other, site) = (office.files, office.pc(3), office.pc(0), office.sites[3]);
    let net = &mut office.net;
    let backup = net.host("backup.office.example", [10, 20, 0, 21], Os::Linux);
    net.deed(Deed::benign("A nightly backup goes to an inside server").by([net.ip(files)]).on([net.ip(backup)]), |net| {
        net.aside(|net| transfer(net, files, backup, 52, 0));
    });
    net.deed(Deed::benign("Somebody downloads a disk image").by([net.ip(pc)]).on([net.ip(site)]), |net| {
        net.aside(|net| transfer(net, pc, site, 0, 12));
    });
    let peer = net.outside("meet.example", [192, 0, 2, 90], Os::Linux, 26);
    net.deed(Deed::benign("A video call, as much out as in").by([net.ip(other)]).on([net.ip(peer)]), |net| call(net, other, peer));
    visit(net, pc, site);
    office.net.finish(name)
}

/// Forty seconds of RTP-like datagrams both ways, one each 10 ms.
fn call(net: &mut Net, caller: Host, peer: Host) {
    let port = net.next_port(caller);
    for sequence in 0..4_000_u32 {
        for (from, to) in [((caller, port), (peer, 50_004)), ((peer, 50_004), (caller, port))] {
            let size = net.rng.between(600, 1_100) as usize;
            let payload = rtp(sequence, &net.rng.bytes(size));
            let moment = net.now + net.rng.between(0, 3) * MILLI;
            net.at(moment, |net| net.udp(from, to, &payload));
        }
        net.wait(10 * MILLI);
    }
}

/// The fixed header of RFC 3550 before the media.
fn rtp(sequence: u32, media: &[u8]) -> Vec<u8> {
    let mut out = vec![0x80, 96];
    out.extend((sequence as u16).to_be_bytes());
    out.extend((sequence * 900).to_be_bytes());
    out.extend([0x5e, 0xed, 0x00, 0x01]);
    out.extend_from_slice(media);
    out
}
