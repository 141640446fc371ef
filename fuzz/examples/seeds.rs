//! Seeds for the targets: `seeds OUT [CAPTURE…]` writes `OUT/{files,decode,reassembly,dissect}` and `OUT/protocol/NAME` from the generated scenes, or
//! from the captures given instead. `seeds --protocols` prints the names.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use vigil::capture::{self, Options, PacketSource};
use vigil::decode;
use vigil::dissect::Conversation;
use vigil::model::packet::{Tcp, Transport, tcp_flags};
use vigil::model::{Block, LinkType, Packet};
use vigil::synth::{self, SCENARIOS};
use vigil_fuzz::{Flow, Step, dissectors, push};

/// Frames of a capture that become seeds: a fuzzer learns from small ones.
const FRAMES: usize = 400;
/// Bytes of a seed.
const SEED_BYTES: usize = 16 << 10;
/// Frames in a seed for decoding, of each link type and first bytes.
const FRAMES_PER_SEED: usize = 8;

fn main() -> io::Result<()> {
    let mut args = std::env::args_os().skip(1).map(PathBuf::from);
    let Some(out) = args.next() else { return Err(io::Error::other("usage: seeds OUT [CAPTURE…]")) };
    if out.as_os_str() == "--protocols" {
        dissectors().iter().for_each(|(name, _)| println!("{name}"));
        return Ok(());
    }
    for target in ["files", "decode", "reassembly", "dissect"] {
        fs::create_dir_all(out.join(target))?;
    }
    for (name, _) in dissectors() {
        fs::create_dir_all(out.join("protocol").join(name))?;
    }
    let captures: Vec<PathBuf> = args.collect();
    for path in &captures {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Ok(mut files) = capture::open(std::slice::from_ref(path), &Options::default()) else { continue };
        if let Ok(Some(block)) = files.next_block() {
            seeds(&out, &name, &block)?;
        }
        let bytes = fs::read(path)?;
        fs::write(out.join("files").join(&name), &bytes[..bytes.len().min(SEED_BYTES)])?;
    }
    if captures.is_empty() {
        for scenario in SCENARIOS {
            let mut scene = scenario.make();
            scene.frames.truncate(FRAMES);
            let mut block = Block::default();
            for (n, (ts, bytes)) in scene.frames.iter().enumerate() {
                push(&mut block, n as u64 + 1, *ts, LinkType::ETHERNET, bytes.len(), bytes);
            }
            seeds(&out, scenario.name, &block)?;
            scene.frames.truncate(20);
            let mut file = Vec::new();
            synth::write_pcap(&scene, &mut file)?;
            fs::write(out.join("files").join(scenario.name), &file)?;
        }
    }
    Ok(())
}

/// Writes what `block` has for the targets that take frames.
fn seeds(out: &Path, name: &str, block: &Block) -> io::Result<()> {
    let mut packets = Vec::new();
    block.iter().take(FRAMES).for_each(|frame| decode::frame(frame, &mut packets));
    fs::write(out.join("decode").join(name), frames(block))?;
    for (n, (port, flow)) in flows(block, &packets).into_iter().enumerate() {
        let file = format!("{name}-{port}-{n}");
        if let Some(protocol) = protocol_of(&flow) {
            fs::write(out.join("protocol").join(protocol).join(&file), &flow)?;
        }
        fs::write(out.join("dissect").join(file), flow)?;
    }
    if let Some(segments) = segments(&packets) {
        fs::write(out.join("reassembly").join(name), segments)?;
    }
    Ok(())
}

/// Frames that differ in length, in the input of `decode`.
fn frames(block: &Block) -> Vec<u8> {
    let Some(link) = block.frames.first().map(|meta| meta.link.0) else { return Vec::new() };
    let (mut out, mut lengths) = (link.to_be_bytes().to_vec(), BTreeSet::new());
    for frame in block.iter().filter(|frame| frame.meta.link.0 == link) {
        if lengths.len() < FRAMES_PER_SEED && lengths.insert(frame.bytes.len()) {
            let bytes = &frame.bytes[..frame.bytes.len().min(1_600)];
            out.extend([1, 0]);
            out.extend((bytes.len() as u16).to_be_bytes());
            out.extend(bytes);
        }
    }
    out
}

/// The first bytes of each flow with another port or length, in the input of `dissect`.
fn flows(block: &Block, packets: &[Packet]) -> Vec<(u16, Vec<u8>)> {
    let mut flows: BTreeMap<(IpAddr, u16, IpAddr, u16, bool), Vec<u8>> = BTreeMap::new();
    let first = block.frames.first().map_or(0, |frame| frame.number);
    for packet in packets {
        let (sport, dport, udp) = match &packet.transport {
            Transport::Tcp(tcp) => (tcp.sport, tcp.dport, false),
            Transport::Udp(udp) => (udp.sport, udp.dport, true),
            _ => continue,
        };
        let (Some(ip), bytes) = (packet.ip(), packet.payload.of(block.frame((packet.frame - first) as usize).bytes)) else { continue };
        let (there, back) = ((ip.src, sport, ip.dst, dport, udp), (ip.dst, dport, ip.src, sport, udp));
        let up = !flows.contains_key(&back);
        let flow = flows.entry(if up { there } else { back }).or_insert_with(|| vec![(dport >> 8) as u8, dport as u8, u8::from(udp)]);
        if !bytes.is_empty() && flow.len() + bytes.len() < SEED_BYTES {
            flow.push(u8::from(!up));
            flow.extend((bytes.len() as u16).to_be_bytes());
            flow.extend(bytes);
        }
    }
    let mut shapes = BTreeSet::new();
    let flows = flows.into_iter().map(|((.., port, _), flow)| (port, flow));
    flows.filter(|(port, flow)| flow.len() > 3 && shapes.insert((*port, flow.len() / 64)) && shapes.len() < 12).collect()
}

/// The protocol that reads a flow, by its name here.
fn protocol_of(data: &[u8]) -> Option<String> {
    let flow = Flow::new(data)?;
    let mut conversation = Conversation::new(flow.conn);
    for step in flow.steps {
        if let Step::Data(chunk) = step {
            conversation.data(&chunk, &mut Vec::new());
        }
    }
    let service = conversation.service();
    let service = service.split(',').next_back()?;
    let reads = dissectors().into_iter().find(|(_, protocol)| protocol.name == service && protocol.over.contains(&flow.conn.proto));
    reads.map(|(name, _)| name)
}

/// The first connection, in the input of `reassembly`; none without TCP.
fn segments(packets: &[Packet]) -> Option<Vec<u8>> {
    let tcps = || packets.iter().filter_map(|packet| if let Transport::Tcp(tcp) = &packet.transport { Some((packet, tcp)) } else { None });
    let ports = |tcp: &Tcp| (tcp.sport.min(tcp.dport), tcp.sport.max(tcp.dport));
    let (_, first) = tcps().next()?;
    let mut starts: [Option<u32>; 2] = [None, None];
    let mut out = vec![0x40, 0];
    out.extend(first.seq.to_be_bytes());
    for (packet, tcp) in tcps().filter(|(_, tcp)| ports(tcp) == ports(first)).take(200) {
        let back = usize::from(tcp.sport != first.sport);
        let start = *starts[back].get_or_insert(tcp.seq);
        let has = |flag| tcp.flags & flag != 0;
        let flags = match () {
            () if has(tcp_flags::SYN) => 5 + u8::from(has(tcp_flags::ACK)),
            () if has(tcp_flags::RST) => 7,
            () if has(tcp_flags::FIN) => 4,
            () => u8::from(has(tcp_flags::PSH)),
        };
        let ack = starts[1 - back].map_or(0, |start| tcp.ack.wrapping_sub(start));
        out.push(back as u8 | flags << 1);
        for field in [tcp.seq.wrapping_sub(start) as u16, packet.payload_len as u16, ack as u16] {
            out.extend(field.to_be_bytes());
        }
        out.push(1);
    }
    Some(out)
}
