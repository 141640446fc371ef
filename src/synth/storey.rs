//! Property tests of the lower storey as a whole: a generated capture is cut, flipped, shuffled, repeated, and read from file to flows.
//! Nothing panics, every frame is accounted for, and the number of threads changes nothing.

use super::scenario;
use crate::capture::write::{PcapNgWriter, PcapWriter};
use crate::capture::{self, Hash, Options, PacketSource};
use crate::decode::{self, Defragmenter};
use crate::flow::{Batch, Table};
use crate::model::packet::{Net, Transport};
use crate::model::{AppEvent, Block, DamageKind, Flow, Limits, LinkType, Packet, Ts};
use proptest::prelude::*;
use proptest::sample::Index;
use rayon::ThreadPool;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// Frames taken of each scene.
const FRAMES_PER_SCENE: usize = 60;
/// Frames of the capture that is cut everywhere.
const SHORTEST: usize = 6;
/// Scenes of different protocols.
const SCENES: [&str; 6] = ["dns-tunnel", "cleartext-credentials", "beacon", "port-scan-vertical", "arp-spoof", "icmp-tunnel"];

static POOLS: LazyLock<[ThreadPool; 2]> =
    LazyLock::new(|| [1, 8].map(|threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool")));

/// A bit of everything, in time order.
static FRAMES: LazyLock<Vec<(Ts, Vec<u8>)>> = LazyLock::new(|| {
    let scenes = SCENES.iter().filter_map(|name| scenario(name));
    let mut frames: Vec<_> = scenes.flat_map(|scene| scene.frames.into_iter().take(FRAMES_PER_SCENE)).collect();
    frames.sort();
    assert!(frames.len() >= 3 * FRAMES_PER_SCENE, "{} frames: scenes were renamed", frames.len());
    frames
});

fn pcap(frames: &[(Ts, Vec<u8>)]) -> Vec<u8> {
    let mut writer = PcapWriter::new(Vec::new(), LinkType::ETHERNET, false).expect("a header");
    frames.iter().for_each(|(ts, bytes)| writer.frame(*ts, bytes.len() as u32, bytes).expect("a frame"));
    writer.finish().expect("a file")
}

fn pcapng(frames: &[(Ts, Vec<u8>)]) -> Vec<u8> {
    let mut writer = PcapNgWriter::new(Vec::new(), "a test", "").expect("a header");
    let interface = writer.interface(LinkType::ETHERNET, "eth0").expect("an interface");
    frames.iter().for_each(|(ts, bytes)| writer.frame(interface, *ts, bytes.len() as u32, bytes, "").expect("a frame"));
    writer.finish().expect("a file")
}

/// All that a file led to.
#[derive(Debug, Default, PartialEq)]
struct Told {
    frames: u64,
    damage: Vec<DamageKind>,
    flows: Vec<Flow>,
    events: Vec<AppEvent>,
}

/// Reads a file as the pipeline does, at 1 and at 8 threads, and checks what must always hold. None: it is no capture.
fn told(file: &[u8]) -> Option<Told> {
    let folder = tempfile::TempDir::new().expect("a folder");
    let path = folder.path().join("capture");
    std::fs::write(&path, file).expect("a file");
    let [one, eight] = &*POOLS;
    let read = || {
        let mut source = capture::open(std::slice::from_ref(&path), &Options { hash: Hash::Blake3 }).ok()?;
        Some(ingest(&mut source))
    };
    let (alone, together) = (one.install(read), eight.install(read));
    assert_eq!(format!("{alone:?}"), format!("{together:?}"), "the same at any number of threads");
    alone
}

fn ingest(source: &mut dyn PacketSource) -> Told {
    // Small caps, so that they are reached.
    let limits = Limits { flows: 256, stream_bytes: 4 << 10, reassembly_bytes: 64 << 10, fragment_bytes: 8 << 10, ..Limits::default() };
    let (mut table, mut fragments, mut told) = (Table::new(limits.clone()), Defragmenter::new(&limits), Told::default());
    let mut carried = 0;
    while let Some(mut block) = source.next_block().expect("blocks") {
        told.frames += block.frames.len() as u64;
        told.damage.extend(block.damage.drain(..).map(|damage| damage.kind));
        let packets = decoded(&block, &mut fragments);
        let batch = table.packets(&packets, &block, block.frames.last().map(|frame| frame.ts_ns));
        carried += batch.flow_of.iter().flatten().count() as u64;
        assert!(table.open_flows() <= 256);
        keep(&mut told, batch);
    }
    fragments.flush();
    table.finish(|batch| keep(&mut told, batch));
    let packets: u64 = told.flows.iter().map(|flow| flow.orig.pkts + flow.resp.pkts).sum();
    assert_eq!(packets, carried, "each packet is counted in one flow");
    let ids: BTreeSet<_> = told.flows.iter().map(|flow| flow.id).collect();
    assert_eq!((ids.len(), table.open_flows(), fragments.held_bytes()), (told.flows.len(), 0, 0));
    told
}

fn keep(told: &mut Told, batch: Batch) {
    told.flows.extend(batch.flows);
    told.events.extend(batch.events);
}

/// Packets of a block with fragments put together. Every frame is understood, or says where and why it is not.
fn decoded(block: &Block, fragments: &mut Defragmenter) -> Vec<Packet> {
    let mut packets = Vec::new();
    for frame in block.iter() {
        let first = packets.len();
        decode::frame(frame, &mut packets);
        let outermost = &packets[first];
        let unknown_transport = matches!(outermost.net, Net::Ip(_));
        let understood =
            outermost.transport != Transport::None || matches!(outermost.net, Net::Arp(_) | Net::Control(_)) || unknown_transport;
        assert!(understood || outermost.stop.is_some(), "{outermost:?}");
        assert!(packets[first..].iter().all(|packet| packet.frame == frame.meta.number));
    }
    let first = block.frames.first().map_or(0, |meta| meta.number);
    let mut whole = Vec::new();
    for packet in packets {
        let bytes = block.frame((packet.frame - first) as usize).bytes;
        fragments.push(packet, bytes, &mut whole);
    }
    whole
}

#[test]
fn a_capture_cut_at_every_length_gives_what_came_before() {
    // Of each length one, the shortest: every length of the file is a reading.
    let by_length: BTreeMap<usize, &(Ts, Vec<u8>)> = FRAMES.iter().rev().map(|frame| (frame.1.len(), frame)).collect();
    let mut frames: Vec<_> = by_length.into_values().take(SHORTEST).cloned().collect();
    frames.sort();
    for whole in [pcap(&frames), pcapng(&frames)] {
        let mut before = 0;
        for length in 0..=whole.len() {
            let Some(told) = told(&whole[..length]) else { continue };
            assert!(told.frames >= before && told.frames - before <= 1, "{} frames of {length} bytes", told.frames);
            assert!(told.damage.len() <= 1, "{:?}", told.damage);
            before = told.frames;
        }
        assert_eq!(before, SHORTEST as u64);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn flipped_bits_cost_little_and_break_nothing(
        ng: bool,
        flips in prop::collection::vec((any::<Index>(), 0..8u8), 1..30),
    ) {
        let mut file = if ng { pcapng(&FRAMES) } else { pcap(&FRAMES) };
        for (place, bit) in &flips {
            // The first headers decide whether it is a capture at all.
            let place = 100 + place.index(file.len() - 100);
            file[place] ^= 1 << bit;
        }
        let told = told(&file).expect("a capture");
        prop_assert!(told.frames + 4 * flips.len() as u64 >= FRAMES.len() as u64, "{} of {} frames", told.frames, FRAMES.len());
    }

    #[test]
    fn shuffled_repeated_lost_and_snapped_frames_are_all_counted(
        swaps in prop::collection::vec((any::<Index>(), any::<Index>()), 0..40),
        repeats in prop::collection::vec(any::<Index>(), 0..20),
        losses in prop::collection::vec(any::<Index>(), 0..20),
        snaps in prop::collection::vec((any::<Index>(), any::<Index>()), 0..20),
    ) {
        let mut frames = FRAMES.clone();
        for index in losses {
            frames.remove(index.index(frames.len()));
        }
        for index in repeats {
            let at = index.index(frames.len());
            frames.insert(at, frames[at].clone());
        }
        for (one, other) in swaps {
            // Times stay in order: it is the packets that overtake each other.
            let (one, other) = (one.index(frames.len()), other.index(frames.len()));
            let bytes = frames[one].1.clone();
            frames[one].1 = std::mem::replace(&mut frames[other].1, bytes);
        }
        for (frame, length) in snaps {
            let bytes = &mut frames[frame.index(FRAMES.len() - 40)].1;
            bytes.truncate(length.index(bytes.len() + 1));
        }
        let told = told(&pcap(&frames)).expect("a capture");
        prop_assert_eq!((told.frames, told.damage.len()), (frames.len() as u64, 0));
    }

    #[test]
    fn absurd_times_break_nothing(times in prop::collection::vec((any::<Index>(), any::<u64>()), 1..20)) {
        let mut file = pcapng(&FRAMES);
        // Times of enhanced packet blocks lie 12 bytes into them.
        let borders: Vec<usize> = blocks(&file).into_iter().filter(|at| file[*at] == 6).collect();
        for (block, time) in times {
            let at = borders[block.index(borders.len())] + 12;
            file[at..at + 4].copy_from_slice(&((time >> 32) as u32).to_le_bytes());
            file[at + 4..at + 8].copy_from_slice(&(time as u32).to_le_bytes());
        }
        prop_assert_eq!(told(&file).expect("a capture").frames, FRAMES.len() as u64);
    }
}

/// Where the blocks of a little-endian pcapng begin.
fn blocks(file: &[u8]) -> Vec<usize> {
    let mut at = 0;
    std::iter::from_fn(|| {
        let length = u32::from_le_bytes(*file.get(at + 4..)?.first_chunk()?) as usize;
        at += length;
        Some(at - length)
    })
    .collect()
}

#[test]
fn the_sound_capture_is_read_whole() {
    let told = told(&pcap(&FRAMES)).expect("a capture");
    assert_eq!((told.frames, told.damage.len()), (FRAMES.len() as u64, 0));
    assert!(told.flows.len() > 50 && !told.events.is_empty(), "{} flows, {} events", told.flows.len(), told.events.len());
}
