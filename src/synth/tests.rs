//! Every scenario is told and read back with another crate's eyes.

use super::*;
use crate::model::time::SECOND;
use etherparse::{Icmpv4Header, NetSlice, SlicedPacket, TransportSlice};
use std::fs;
use std::path::{Path, PathBuf};

fn all() -> impl Iterator<Item = (&'static str, Capture)> {
    SCENARIOS.iter().map(|scenario| (scenario.name, scenario.make()))
}

/// The captures kept in the repository: those of at most this many bytes.
const KEPT_MAX: usize = 180_000;

fn pcap(capture: &Capture) -> Vec<u8> {
    let mut out = Vec::new();
    write_pcap(capture, &mut out).unwrap();
    out
}

/// Whether the IP header's checksum is right; what is not IPv4 has none.
fn network_holds(packet: &SlicedPacket<'_>) -> bool {
    match &packet.net {
        Some(NetSlice::Ipv4(ip)) => ip.header().to_header().calc_header_checksum() == ip.header().header_checksum(),
        _ => true,
    }
}

fn transport_holds(packet: &SlicedPacket<'_>) -> bool {
    let (Some(net), Some(transport)) = (&packet.net, &packet.transport) else { return true };
    let NetSlice::Ipv4(ip) = net else { return transport_holds_6(net, transport) };
    let (src, dst) = (ip.header().source(), ip.header().destination());
    match transport {
        TransportSlice::Tcp(tcp) => tcp.calc_checksum_ipv4(src, dst) == Ok(tcp.checksum()),
        TransportSlice::Udp(udp) => udp.to_header().calc_checksum_ipv4_raw(src, dst, udp.payload()) == Ok(udp.checksum()),
        TransportSlice::Icmpv4(icmp) => Icmpv4Header::with_checksum(icmp.icmp_type(), icmp.payload()).checksum == icmp.checksum(),
        _ => false,
    }
}

fn transport_holds_6(net: &NetSlice<'_>, transport: &TransportSlice<'_>) -> bool {
    let NetSlice::Ipv6(ip) = net else { return true };
    let (src, dst) = (ip.header().source(), ip.header().destination());
    match transport {
        TransportSlice::Tcp(tcp) => tcp.calc_checksum_ipv6(src, dst) == Ok(tcp.checksum()),
        TransportSlice::Udp(udp) => udp.to_header().calc_checksum_ipv6_raw(src, dst, udp.payload()) == Ok(udp.checksum()),
        TransportSlice::Icmpv6(icmp) => icmp.is_checksum_valid(src, dst),
        _ => false,
    }
}

/// Frames parse to their end, checksums hold, times ascend in whole microseconds, labels point at frames.
fn check(name: &str, capture: &Capture) {
    let mut before = 0;
    for (number, (ts, bytes)) in (1..).zip(&capture.frames) {
        assert!(*ts >= before && ts % 1_000 == 0, "{name} frame {number}: time {ts} after {before}");
        before = *ts;
        let packet = SlicedPacket::from_ethernet(bytes).unwrap_or_else(|error| panic!("{name} frame {number}: {error}"));
        assert!(packet.net.is_some(), "{name} frame {number}: neither IP nor ARP");
        assert!(network_holds(&packet) && transport_holds(&packet), "{name} frame {number}: checksum");
    }
    let frames = capture.frames.len() as u64;
    for instance in &capture.truth.0 {
        let (first, last) = (instance.frames[0][0], instance.frames[instance.frames.len() - 1][1]);
        assert!(first >= 1 && last <= frames && instance.frame_count() >= 1, "{name}: {instance:?}");
        assert_eq!(instance.first_ns, capture.frames[first as usize - 1].0, "{name}: {instance:?}");
        assert_eq!(instance.last_ns, capture.frames[last as usize - 1].0, "{name}: {instance:?}");
    }
}

#[test]
fn every_frame_of_every_scenario_is_whole_in_order_and_has_right_checksums() {
    for (name, capture) in all() {
        check(name, &capture);
    }
}

#[test]
fn proofs_hold_an_attack_for_their_rule_and_look_alikes_hold_none() {
    for scenario in SCENARIOS {
        let truth = scenario.make().truth;
        let attacks: Vec<&Instance> = truth.0.iter().filter(|instance| instance.deed.kind == "attack").collect();
        assert_eq!(!attacks.is_empty(), scenario.fires, "{}", scenario.name);
        assert!(attacks.iter().all(|attack| attack.deed.rule == Some(scenario.rule)), "{}", scenario.name);
        assert!(scenario.fires || scenario.name == format!("{}-benign", scenario.rule), "{}", scenario.name);
    }
}

#[test]
fn the_same_story_gives_the_same_bytes() {
    let (once, again) = (scenario("dns-tunnel").unwrap(), scenario("dns-tunnel").unwrap());
    assert_eq!(pcap(&once), pcap(&again));
    assert_eq!(once.truth.jsonl(), again.truth.jsonl());
    assert!(scenario("no-such-scenario").is_none());
}

#[test]
fn no_address_outside_the_private_and_documentation_ranges_appears() {
    let inside =
        |ip: &std::net::Ipv4Addr| ip.is_private() || ip.is_documentation() || ip.is_multicast() || ip.is_broadcast() || ip.is_unspecified();
    for (name, capture) in all() {
        for (number, (_, bytes)) in (1..).zip(&capture.frames) {
            if let Ok(SlicedPacket { net: Some(NetSlice::Ipv4(ip)), .. }) = SlicedPacket::from_ethernet(bytes) {
                let (src, dst) = (ip.header().source_addr(), ip.header().destination_addr());
                assert!(inside(&src) && inside(&dst), "{name} frame {number}: {src} {dst}");
            }
        }
    }
}

fn datasets() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("datasets")
}

/// The head of `datasets/README.md`; a line for each scenario follows.
fn readme() -> String {
    String::from(
        "# Datasets\n\nLabelled captures made by `src/synth`. Small ones are kept here, large ones are made when a test asks for them.\n\
         `NAME.truth.jsonl` says what happened, by whom, to whom, in which frames. A test makes them again and compares every byte;\n\
         after a change to a story, `VIGIL_WRITE_DATASETS=1 cargo test --no-default-features synth` writes them anew.\n\n\
         | capture | rule | must fire | frames | shows |\n|---|---|---|---|---|\n",
    )
}

/// What stands in `datasets/`: file names and contents.
fn kept_files() -> Vec<(String, Vec<u8>)> {
    let (mut files, mut table) = (Vec::new(), readme());
    for scenario in SCENARIOS {
        let (name, rule, shows) = (scenario.name, scenario.rule, scenario.shows);
        let capture = scenario.make();
        let bytes = pcap(&capture);
        let (frames, fires) = (capture.frames.len(), if scenario.fires { "yes" } else { "no" });
        if bytes.len() > KEPT_MAX {
            table += &format!("| {name} | {rule} | {fires} | {frames} | {shows} |\n");
            continue;
        }
        table += &format!("| [{name}]({name}.pcap) | {rule} | {fires} | {frames} | {shows} |\n");
        files.push((format!("{name}.pcap"), bytes));
        files.push((format!("{name}.truth.jsonl"), capture.truth.jsonl().into_bytes()));
        files.extend(list(name).map(|text| (format!("{name}.list"), text.as_bytes().to_vec())));
    }
    files.push(("README.md".to_string(), table.into_bytes()));
    files
}

#[test]
fn the_kept_datasets_are_what_the_stories_tell() {
    let folder = datasets();
    let expected = kept_files();
    if std::env::var_os("VIGIL_WRITE_DATASETS").is_some() {
        fs::create_dir_all(&folder).unwrap();
        for (name, bytes) in &expected {
            fs::write(folder.join(name), bytes).unwrap();
        }
    }
    for (name, bytes) in &expected {
        let stored = fs::read(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(stored == *bytes, "datasets/{name} is not what the story tells; VIGIL_WRITE_DATASETS=1 writes it anew");
    }
    let strays: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| !expected.iter().any(|(name, _)| path.ends_with(name)))
        .collect();
    assert!(strays.is_empty(), "{strays:?} belongs to no scenario");
    assert!(expected.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() < 7_000_000);
}

#[test]
fn the_demo_tells_an_attack_from_the_first_look_to_the_last_byte_out() {
    let capture = demo(2026);
    check("demo", &capture);
    let phases: Vec<&str> = capture.truth.0.iter().map(|instance| instance.deed.phase).collect();
    let order = [
        "reconnaissance",
        "credential-access",
        "initial-access",
        "command-and-control",
        "command-and-control",
        "discovery",
        "discovery",
        "collection",
        "exfiltration",
    ];
    assert_eq!(phases, order);
    let begins: Vec<Ts> = capture.truth.0.iter().map(|instance| instance.first_ns).collect();
    assert!(begins.is_sorted(), "{begins:?}");
    let labelled: u64 = capture.truth.0.iter().map(Instance::frame_count).sum();
    let frames = capture.frames.len() as u64;
    assert!((10_000..20_000).contains(&frames) && labelled < frames * 3 / 4, "{labelled} of {frames} frames");
    let bytes = pcap(&capture).len();
    assert!((1_000_000..3_000_000).contains(&bytes), "{bytes}");
    assert_ne!(pcap(&demo(1)), pcap(&capture), "another seed tells it with other bytes");
}

/// The frames of a classic little-endian pcap.
fn records(pcap: &[u8]) -> Vec<(Ts, Vec<u8>)> {
    let word = |at: usize| i64::from(u32::from_le_bytes(pcap[at..at + 4].try_into().unwrap()));
    let (mut at, mut out) = (24, Vec::new());
    while at < pcap.len() {
        let length = word(at + 8) as usize;
        out.push((word(at) * 1_000_000_000 + word(at + 4) * 1_000, pcap[at + 16..at + 16 + length].to_vec()));
        at += 16 + length;
    }
    out
}

/// Addresses and ports of a frame, the smaller end first; ICMP by its identifier.
fn conversation(bytes: &[u8]) -> Option<[(std::net::Ipv4Addr, u16); 2]> {
    let packet = SlicedPacket::from_ethernet(bytes).ok()?;
    let Some(NetSlice::Ipv4(ip)) = &packet.net else { return None };
    let (from, to) = match packet.transport? {
        TransportSlice::Tcp(tcp) => (tcp.source_port(), tcp.destination_port()),
        TransportSlice::Udp(udp) => (udp.source_port(), udp.destination_port()),
        TransportSlice::Icmpv4(icmp) => [u16::from_be_bytes([icmp.bytes5to8()[0], icmp.bytes5to8()[1]]); 2].into(),
        _ => return None,
    };
    let mut ends = [(ip.header().source_addr(), from), (ip.header().destination_addr(), to)];
    ends.sort();
    Some(ends)
}

#[test]
fn a_load_has_the_flows_it_was_asked_for_in_order_and_about_as_many_packets() {
    for (profile, flows, packets) in [(Profile::Tiny, 3_000, 9_000), (Profile::Mixed, 600, 18_000)] {
        let mut bytes = Vec::new();
        let made = scale(&Load { flows, packets, seed: 9, profile, ..Load::default() }, &mut bytes).unwrap();
        let capture = Capture { frames: records(&bytes), truth: Truth::default() };
        check("load", &capture);
        let seen: std::collections::BTreeSet<_> = capture.frames.iter().filter_map(|(_, bytes)| conversation(bytes)).collect();
        assert_eq!((made.frames, made.flows), (capture.frames.len() as u64, seen.len() as u64), "{profile:?}");
        assert!(made.frames.abs_diff(packets) < packets / 10, "{made:?} for {packets}");
    }
}

#[test]
fn a_load_hides_as_many_strange_flows_as_it_was_asked_for_and_says_which_frames_they_are() {
    let load = Load { flows: 400, packets: 4_000, anomalies: 60, span: Some(3_600 * SECOND), ..Load::default() };
    let mut bytes = Vec::new();
    let made = scale(&load, &mut bytes).unwrap();
    let capture = Capture { frames: records(&bytes), truth: made.truth };
    check("load", &capture);
    let frames = |numbers: &[[u64; 2]]| -> Vec<&[u8]> {
        numbers.iter().flat_map(|[first, last]| *first..=*last).map(|number| &capture.frames[number as usize - 1].1[..]).collect()
    };
    let flows =
        |deed: &Instance| frames(&deed.frames).into_iter().filter_map(conversation).collect::<std::collections::BTreeSet<_>>().len();
    let counts: Vec<(&str, usize)> = capture.truth.0.iter().map(|deed| (deed.deed.rule.unwrap(), flows(deed))).collect();
    assert_eq!(counts, [("port-scan-vertical", 30), ("beacon", 12), ("password-guessing", 12), ("exfil-volume", 6)]);
}

#[test]
fn a_longer_load_holds_no_more_frames_in_memory() {
    let held = |flows| {
        scale(&Load { flows, packets: flows * 3, seed: 4, profile: Profile::Tiny, ..Load::default() }, std::io::sink()).unwrap().held_max
    };
    let (short, long) = (held(20_000), held(100_000));
    assert!(long < short * 3 / 2, "{short} then {long}");
}
