//! Test help: real captures through [`Conversation`], with a small reassembler of its own so that this floor is tested alone.

use super::{Chunk, Conversation};
use crate::model::{AppEvent, Conn, Dir, FlowId, Proto};
use etherparse::{LaxSlicedPacket, TransportSlice};
use pcap_parser::{Block, Linktype, PcapBlockOwned, PcapError};
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// One flow and what was understood of it.
pub(super) struct Replayed {
    pub conn: Conn,
    pub service: &'static str,
    pub events: Vec<AppEvent>,
}

struct Open {
    conn: Conn,
    talk: Conversation,
    next: [Option<u32>; 2],
    /// Highest acknowledgement the other side sent.
    acked: [Option<u32>; 2],
    held: [BTreeMap<u32, Vec<u8>>; 2],
    events: Vec<AppEvent>,
}

/// A folder of the captures that live beside the project, if it is there; says so if not.
pub(super) fn shared(folder: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let found = root.ancestors().skip(1).map(|up| up.join("shared").join(folder)).find(|path| path.is_dir());
    if found.is_none() {
        println!("skipped: no shared/{folder} beside the project");
    }
    found
}

/// All TCP and UDP flows of a capture, in order of their first packet.
pub(super) fn replay(path: &Path) -> Vec<Replayed> {
    let mut flows: Vec<Open> = Vec::new();
    let mut index = HashMap::new();
    let mut frame = 0;
    each_frame(path, |link, bytes, wire| {
        frame += 1;
        let Some(packet) = slice(link, bytes) else { return };
        let Some((src, dst)) = addresses(&packet) else { return };
        let cut = u32::try_from(wire.saturating_sub(bytes.len())).unwrap();
        let (proto, ports, payload) = match &packet.transport {
            Some(TransportSlice::Tcp(tcp)) => (Proto::Tcp, (tcp.source_port(), tcp.destination_port()), tcp.payload()),
            Some(TransportSlice::Udp(udp)) => (Proto::Udp, (udp.source_port(), udp.destination_port()), udp.payload()),
            _ => return,
        };
        let (from, to) = ((src, ports.0), (dst, ports.1));
        let syn = matches!(&packet.transport, Some(TransportSlice::Tcp(tcp)) if tcp.syn());
        let answer = matches!(&packet.transport, Some(TransportSlice::Tcp(tcp)) if tcp.syn() && tcp.ack());
        let fresh_syn = syn && !answer;
        let key = (proto, from.min(to), from.max(to));
        let known = index.get(&key).copied();
        let at = known.filter(|&at: &usize| !(fresh_syn && flows[at].next.iter().all(Option::is_some))).unwrap_or_else(|| {
            let (orig, resp) = if answer { (to, from) } else { (from, to) };
            let flow = FlowId::new(frame, 0);
            let conn = Conn { flow, orig_h: orig.0, orig_p: orig.1, resp_h: resp.0, resp_p: resp.1, proto };
            flows.push(Open {
                conn,
                talk: Conversation::new(conn),
                next: [None; 2],
                acked: [None; 2],
                held: Default::default(),
                events: Vec::new(),
            });
            index.insert(key, flows.len() - 1);
            flows.len() - 1
        });
        let open = &mut flows[at];
        let dir = if (open.conn.orig_h, open.conn.orig_p) == from { Dir::Orig } else { Dir::Resp };
        match &packet.transport {
            Some(TransportSlice::Tcp(tcp)) => {
                if tcp.ack() {
                    open.acked[dir.flip().index()] = Some(tcp.acknowledgment_number());
                    open.acknowledged(dir.flip(), frame);
                }
                open.segment(dir, tcp.sequence_number(), syn, payload, cut, frame);
            }
            _ => open.talk.data(&Chunk { dir, bytes: payload, cut, frame, ts_ns: 0 }, &mut open.events),
        }
    });
    flows.into_iter().map(Open::close).collect()
}

impl Open {
    fn segment(&mut self, dir: Dir, seq: u32, syn: bool, payload: &[u8], cut: u32, frame: u64) {
        if syn {
            self.next[dir.index()] = Some(seq.wrapping_add(1));
            return;
        }
        let next = *self.next[dir.index()].get_or_insert(seq);
        let ahead = seq.wrapping_sub(next) as i32;
        let skip = usize::try_from(-i64::from(ahead)).unwrap_or(0);
        if ahead > 0 {
            self.held[dir.index()].insert(seq, payload.to_vec());
            if self.held[dir.index()].len() > 64 {
                self.give_up(dir, frame);
            }
            self.acknowledged(dir, frame);
            return;
        }
        let Some(new) = payload.get(skip..).filter(|new| !new.is_empty()) else { return };
        self.talk.data(&Chunk { dir, bytes: new, cut, frame, ts_ns: 0 }, &mut self.events);
        self.next[dir.index()] = Some(seq.wrapping_add(u32::try_from(payload.len()).unwrap()).wrapping_add(cut));
        self.release(dir, frame);
    }

    /// What the receiver has acknowledged and the capture has not will not come any more.
    fn acknowledged(&mut self, dir: Dir, frame: u64) {
        let (Some(acked), Some((&seq, _))) = (self.acked[dir.index()], self.held[dir.index()].first_key_value()) else { return };
        if acked.wrapping_sub(seq) as i32 >= 0 {
            self.give_up(dir, frame);
        }
    }

    fn release(&mut self, dir: Dir, frame: u64) {
        let next = self.next[dir.index()].unwrap_or(0);
        let ready = self.held[dir.index()].iter().find(|(seq, _)| seq.wrapping_sub(next) as i32 <= 0).map(|(&seq, _)| seq);
        if let Some(seq) = ready {
            let payload = self.held[dir.index()].remove(&seq).unwrap();
            self.segment(dir, seq, false, &payload, 0, frame);
            self.release(dir, frame);
        }
    }

    fn give_up(&mut self, dir: Dir, frame: u64) {
        let (Some(next), Some((&seq, _))) = (self.next[dir.index()], self.held[dir.index()].first_key_value()) else { return };
        self.talk.gap(dir, u64::from(seq.wrapping_sub(next)), &mut self.events);
        self.next[dir.index()] = Some(seq);
        self.release(dir, frame);
    }

    fn close(mut self) -> Replayed {
        for dir in [Dir::Orig, Dir::Resp] {
            while !self.held[dir.index()].is_empty() {
                self.give_up(dir, 0);
            }
        }
        self.talk.end(&mut self.events);
        Replayed { conn: self.conn, service: self.talk.service(), events: self.events }
    }
}

fn addresses(packet: &LaxSlicedPacket<'_>) -> Option<(IpAddr, IpAddr)> {
    match packet.net.as_ref()? {
        etherparse::LaxNetSlice::Ipv4(ip) => Some((ip.header().source_addr().into(), ip.header().destination_addr().into())),
        etherparse::LaxNetSlice::Ipv6(ip) => Some((ip.header().source_addr().into(), ip.header().destination_addr().into())),
        etherparse::LaxNetSlice::Arp(_) => None,
    }
}

fn slice(link: Linktype, bytes: &[u8]) -> Option<LaxSlicedPacket<'_>> {
    match link {
        Linktype::ETHERNET => LaxSlicedPacket::from_ethernet(bytes).ok(),
        Linktype::NULL | Linktype::LOOP => LaxSlicedPacket::from_ip(bytes.get(4..)?).ok(),
        Linktype::LINUX_SLL => LaxSlicedPacket::from_ip(bytes.get(16..)?).ok(),
        _ => LaxSlicedPacket::from_ip(bytes).ok(),
    }
}

fn each_frame(path: &Path, mut each: impl FnMut(Linktype, &[u8], usize)) {
    let file = std::fs::File::open(path).unwrap();
    let Ok(mut reader) = pcap_parser::create_reader(1 << 20, file) else { return };
    let mut links = Vec::new();
    let mut dry = false;
    loop {
        match reader.next() {
            Ok((used, block)) => {
                match block {
                    PcapBlockOwned::LegacyHeader(header) => links = vec![header.network],
                    PcapBlockOwned::Legacy(packet) => each(links[0], packet.data, packet.origlen as usize),
                    PcapBlockOwned::NG(Block::SectionHeader(_)) => links.clear(),
                    PcapBlockOwned::NG(Block::InterfaceDescription(interface)) => links.push(interface.linktype),
                    PcapBlockOwned::NG(Block::EnhancedPacket(packet)) => {
                        let link = links.get(packet.if_id as usize).copied().unwrap_or(Linktype::ETHERNET);
                        let caplen = packet.caplen as usize;
                        each(link, packet.data.get(..caplen).unwrap_or(packet.data), packet.origlen as usize);
                    }
                    PcapBlockOwned::NG(_) => {}
                }
                reader.consume(used);
                dry = false;
            }
            Err(PcapError::Incomplete(_)) if !dry => {
                dry = true;
                if reader.refill().is_err() {
                    break;
                }
            }
            Err(_) => break,
        }
    }
}
