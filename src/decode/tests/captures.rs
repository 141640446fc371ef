//! Every real capture that is there: all frames decode, and what was not understood is printed to be looked at.

use super::*;
use crate::model::Limits;
use crate::model::packet::Net;
use pcap_parser::{Block as PcapBlock, PcapBlockOwned, PcapError, create_reader};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Frames of a file in order, as far as a plain reader gets: link type, bytes, wire length.
fn for_each_frame(path: &Path, mut take: impl FnMut(LinkType, &[u8], u32)) {
    let Ok(file) = std::fs::File::open(path) else { return };
    let Ok(mut reader) = create_reader(1 << 24, file) else { return };
    let mut links = Vec::new();
    let mut refilled = 0;
    loop {
        match reader.next() {
            Ok((size, block)) => {
                let mut give = |interface: usize, data: &[u8], caplen: u32, wire_len: u32| {
                    let link = links.get(interface).copied().unwrap_or(LinkType::ETHERNET);
                    take(link, &data[..data.len().min(caplen as usize)], wire_len);
                };
                match block {
                    PcapBlockOwned::LegacyHeader(header) => links.push(LinkType(header.network.0 as u16)),
                    PcapBlockOwned::Legacy(packet) => give(0, packet.data, packet.caplen, packet.origlen),
                    PcapBlockOwned::NG(PcapBlock::SectionHeader(_)) => links.clear(),
                    PcapBlockOwned::NG(PcapBlock::InterfaceDescription(interface)) => links.push(LinkType(interface.linktype.0 as u16)),
                    PcapBlockOwned::NG(PcapBlock::EnhancedPacket(packet)) => {
                        give(packet.if_id as usize, packet.data, packet.caplen, packet.origlen);
                    }
                    PcapBlockOwned::NG(PcapBlock::SimplePacket(packet)) => give(0, packet.data, packet.origlen, packet.origlen),
                    PcapBlockOwned::NG(_) => {}
                }
                reader.consume(size);
                refilled = 0;
            }
            Err(PcapError::Incomplete(_)) if refilled < 2 => {
                refilled += 1;
                if reader.refill().is_err() {
                    return;
                }
            }
            Err(_) => return,
        }
    }
}

/// What was counted over one file.
#[derive(Default)]
struct Tally {
    frames: u64,
    protocols: BTreeMap<&'static str, u64>,
    stops: BTreeMap<(&'static str, &'static str, u32), u64>,
    weirds: BTreeMap<&'static str, u64>,
    bad_sums: u64,
    /// Payload bytes announced by TCP and UDP.
    payload: u64,
}

fn tally(path: &Path) -> Tally {
    let mut tally = Tally::default();
    let mut defragmenter = Defragmenter::new(&Limits::default());
    let mut out = Vec::new();
    for_each_frame(path, |link, bytes, wire_len| {
        tally.frames += 1;
        let meta = meta(link, bytes.len(), bytes.len().max(wire_len as usize));
        frame(Frame { meta: &meta, bytes }, &mut out);
        assert!(!out.is_empty());
        for packet in out.drain(..) {
            assert!(packet.payload.of(bytes).len() <= packet.payload_len as usize);
            let mut through = Vec::new();
            defragmenter.push(packet, bytes, &mut through);
            through.iter().for_each(|packet| count(packet, &mut tally));
        }
    });
    defragmenter.flush();
    for weird in defragmenter.take_weirds() {
        *tally.weirds.entry(weird.name).or_default() += weird.count;
    }
    tally
}

fn count(packet: &Packet, tally: &mut Tally) {
    let (name, sum) = match (&packet.transport, &packet.net) {
        (Transport::Tcp(tcp), _) => ("tcp", tcp.checksum_ok),
        (Transport::Udp(udp), _) => ("udp", udp.checksum_ok),
        (Transport::Icmp(_), _) => ("icmp", None),
        (Transport::Sctp(_), _) => ("sctp", None),
        (Transport::None, Net::Arp(_)) => ("arp", None),
        (Transport::None, Net::Control(kind)) => (kind.name(), None),
        (Transport::None, Net::Ip(_)) => ("ip", None),
        (Transport::None, Net::None) => ("none", None),
    };
    *tally.protocols.entry(name).or_default() += 1;
    tally.bad_sums += u64::from(sum == Some(false));
    if matches!(packet.transport, Transport::Tcp(_) | Transport::Udp(_)) {
        tally.payload += u64::from(packet.payload_len);
    }
    if let Some(stop) = packet.stop {
        *tally.stops.entry((stop.layer, stop.why, stop.number)).or_default() += 1;
    }
}

#[test]
fn every_frame_of_every_capture_decodes() {
    let root = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").into());
    let shared = Path::new(&root).join("../shared");
    let mut paths: Vec<PathBuf> = ["corpus/captures", "golden/captures"]
        .iter()
        .filter_map(|folder| std::fs::read_dir(shared.join(folder)).ok())
        .flat_map(|entries| entries.filter_map(|entry| Some(entry.ok()?.path())))
        .collect();
    if paths.is_empty() {
        println!("skipped: no captures under {}", shared.display());
        return;
    }
    paths.sort();
    let (mut frames, mut stops) = (0, BTreeMap::<_, (u64, PathBuf)>::new());
    for path in paths {
        let tally = tally(&path);
        frames += tally.frames;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let Tally { frames: n, protocols, bad_sums, payload, weirds, .. } = &tally;
        println!("{name}: {n} frames {protocols:?} bad sums {bad_sums} payload {payload} {weirds:?}");
        for (stop, n) in tally.stops {
            stops.entry(stop).or_insert((0, path.clone())).0 += n;
        }
    }
    for ((layer, why, number), (n, path)) in &stops {
        println!("{layer} {why} {number} (0x{number:x}): {n}, first in {}", path.display());
    }
    assert!(frames > 0, "there are captures, and none could be read");
}
