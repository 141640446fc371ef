//! A TCP flow while it is open: its connection, and, once there is something to read, its streams and their dissector.

use super::anomaly::{Heads, Watch};
use super::history::{History, Letter};
use super::oddity::Oddity;
use super::stream::{Piece, Segment, Stream};
use super::tcp::{Connection, Effect};
use crate::dissect::expect::Kind;
use crate::dissect::{Chunk, Conversation, Setting};
use crate::model::flow::{Side, SynInfo};
use crate::model::packet::{Ip, Tcp, tcp_flags};
use crate::model::{AppEvent, Conn, Dir, Event, Keys, Limits, Packet, Ts, time::SECOND};

/// A TCP flow.
pub struct TcpBody {
    /// Its states.
    pub connection: Connection,
    /// Made when the first payload, FIN, or acknowledgement of unseen payload comes: most flows of a scan never have one.
    contents: Option<Box<Contents>>,
    /// What another flow announced it to be.
    expected: Option<Kind>,
    counts: [Counts; 2],
    watch: Watch,
    /// First SYN.
    pub syn: SynInfo,
    syn_ns: Ts,
    /// Seconds from SYN to SYN-ACK.
    pub rtt_syn: Option<f64>,
    /// No SYN began it.
    pub midstream: bool,
    /// Flags of the first segment.
    pub first_flags: u16,
    /// Bytes missing while the connection was clean: Zeek's `missed_bytes`.
    pub missed: u64,
}

/// Bytes in order, and who reads them.
struct Contents {
    streams: [Stream; 2],
    dissected: [u64; 2],
    heads: [Heads; 2],
    conversation: Conversation,
}

/// What went wrong in one direction.
#[derive(Clone, Copy, Default)]
struct Counts {
    retrans: u32,
    ooo: u32,
    zero_win: u32,
    dup_acks: u32,
    gaps: u32,
}

/// A segment with all that it brings.
pub struct Arrival<'a> {
    /// Who sent it.
    pub dir: Dir,
    /// It.
    pub packet: &'a Packet,
    /// Its IP header.
    pub ip: &'a Ip,
    /// Its header.
    pub tcp: &'a Tcp,
    /// Its payload, as far as captured.
    pub payload: &'a [u8],
    /// The flow.
    pub conn: Conn,
}

impl TcpBody {
    /// Begins with this segment.
    pub fn new(tcp: &Tcp, now: Ts, expected: Option<Kind>) -> Self {
        Self {
            connection: Connection::new(now),
            contents: None,
            expected,
            counts: Default::default(),
            watch: Watch::default(),
            syn: SynInfo::default(),
            syn_ns: 0,
            rtt_syn: None,
            midstream: tcp.flags & tcp_flags::SYN == 0,
            first_flags: tcp.flags,
            missed: 0,
        }
    }

    /// Bytes held for reordering.
    pub fn held_bytes(&self) -> usize {
        self.contents.as_ref().map_or(0, |contents| contents.streams.iter().map(Stream::held_bytes).sum())
    }

    /// The service confirmed by content.
    pub fn service(&self) -> &'static str {
        self.contents.as_ref().map_or("", |contents| contents.conversation.service())
    }

    /// Takes a segment.
    pub fn segment(&mut self, seen: &Arrival<'_>, limits: &Limits, history: &mut History, events: &mut Vec<AppEvent>) -> Effect {
        let Arrival { dir, packet, tcp, payload, conn, .. } = *seen;
        let has = |flag| tcp.flags & flag != 0;
        let (syn, fin, rst) = (has(tcp_flags::SYN), has(tcp_flags::FIN), has(tcp_flags::RST));
        self.note_handshake(dir, packet.ts_ns, tcp);
        let mut effect = self.connection.segment(dir, tcp, packet.payload_len, packet.ts_ns, history);
        self.counts[dir.index()].note(dir, &effect, history);
        let data = packet.payload_len > 0 && !rst;
        let acks = has(tcp_flags::ACK) && !rst && !syn;
        let unseen = acks && self.connection.ends[dir.flip().index()].acked > 1;
        if self.contents.is_none() && (data || unseen || (fin && !rst)) {
            self.contents = Some(Box::new(Contents::new(conn, &self.connection, self.expected, &limits.keys)));
        }
        effect.odd.note_if(data && payload.len() < packet.payload_len as usize, Oddity::TruncatedPayload);
        let heads = self.contents.as_mut().map(|contents| &mut contents.heads[dir.index()]);
        if let Some(anomaly) = self.watch.segment(seen, &effect, heads) {
            let event = Event::TcpAnomaly(Box::new(anomaly));
            events.push(AppEvent { conn: Some(conn), frame: packet.frame, ts_ns: packet.ts_ns, event });
        }
        let Some(contents) = &mut self.contents else { return effect };
        if syn {
            contents.streams[dir.index()].begin(tcp.seq.wrapping_add(1));
        }
        let first = tcp.seq.wrapping_add(u32::from(syn));
        if data {
            let segment = Segment { seq: first, bytes: payload, len: packet.payload_len, frame: packet.frame, ts_ns: packet.ts_ns };
            contents.take(dir, segment, limits, events);
        }
        if acks {
            let (clean, gaps, missed) = (self.connection.clean(), &mut self.counts[dir.flip().index()].gaps, &mut self.missed);
            contents.acknowledged(dir.flip(), tcp.ack, limits, events, |bytes| {
                *gaps = gaps.saturating_add(1);
                if clean {
                    *missed += bytes;
                    history.scaled(dir.flip(), Letter::Gap, u64::from(*gaps));
                }
            });
        }
        if fin && !rst {
            contents.streams[dir.index()].ends_at(first.wrapping_add(packet.payload_len));
        }
        contents.tell_ends(events);
        effect
    }

    fn note_handshake(&mut self, dir: Dir, now: Ts, tcp: &Tcp) {
        match (dir, tcp.flags & (tcp_flags::SYN | tcp_flags::ACK)) {
            (Dir::Orig, tcp_flags::SYN) if !self.syn.seen => {
                self.syn = SynInfo { mss: tcp.mss, wscale: tcp.wscale, option_kinds: tcp.option_kinds, window: tcp.window, seen: true };
                self.syn_ns = now;
            }
            (Dir::Resp, flags) if flags == tcp_flags::SYN | tcp_flags::ACK && self.rtt_syn.is_none() && self.syn.seen => {
                self.rtt_syn = Some(now.saturating_sub(self.syn_ns) as f64 / SECOND as f64);
            }
            _ => {}
        }
    }

    /// Originator and responder change places.
    pub fn flip(&mut self, conn: Conn) {
        self.connection.flip();
        self.counts.swap(0, 1);
        self.watch.flip();
        if let Some(contents) = &mut self.contents {
            contents.streams.swap(0, 1);
            contents.dissected.swap(0, 1);
            contents.heads.swap(0, 1);
            // Nothing but SYNs has been seen: there is nothing to tell the application layer anew.
            contents.conversation.begin_anew(conn);
        }
    }

    /// Adds what was counted to the sides.
    pub fn measure(&self, orig: &mut Side, resp: &mut Side) {
        let [a, b] = &self.connection.ends;
        (orig.bytes, resp.bytes) = (Some(a.size(b)), Some(b.size(a)));
        for (side, counts) in [&mut *orig, &mut *resp].into_iter().zip(self.counts) {
            side.retrans = u64::from(counts.retrans);
            side.ooo = u64::from(counts.ooo);
            side.zero_win = u64::from(counts.zero_win);
            side.dup_acks = u64::from(counts.dup_acks);
            side.gaps = u64::from(counts.gaps);
        }
        if let Some(contents) = &self.contents {
            // Holes nobody acknowledged may be losses of the capture or of the network: like Zeek, they are not counted.
            (orig.missed_bytes, resp.missed_bytes) = (contents.streams[0].missed, contents.streams[1].missed);
        }
    }

    /// Hands on what is left; tells whether a buffer had been full.
    pub fn finish(&mut self, limits: &Limits, events: &mut Vec<AppEvent>) -> bool {
        let Some(contents) = &mut self.contents else { return false };
        contents.finish(limits, events);
        contents.streams.iter().any(|stream| stream.overflowed)
    }
}

impl Counts {
    /// Counts what a segment did, and writes the letters that go by number.
    fn note(&mut self, dir: Dir, effect: &Effect, history: &mut History) {
        let add = |count: &mut u32, so: bool| *count = count.saturating_add(u32::from(so));
        add(&mut self.retrans, effect.retransmission);
        add(&mut self.ooo, effect.ahead);
        add(&mut self.zero_win, effect.zero_window);
        add(&mut self.dup_acks, effect.duplicate_ack);
        if effect.zero_window {
            history.scaled(dir, Letter::ZeroWindow, u64::from(self.zero_win));
        }
        if effect.retransmission {
            history.scaled(dir, Letter::Retransmission, u64::from(self.retrans));
        }
    }
}

impl Contents {
    fn new(conn: Conn, connection: &Connection, expected: Option<Kind>, keys: &Keys) -> Self {
        let mut streams: [Stream; 2] = Default::default();
        for (stream, end) in streams.iter_mut().zip(&connection.ends).filter(|(_, end)| end.syn) {
            stream.begin(end.start.wrapping_add(1));
        }
        let conversation = Conversation::perhaps(conn, expected, Setting::of_flow(keys));
        Self { streams, dissected: [0; 2], heads: Default::default(), conversation }
    }

    fn take(&mut self, dir: Dir, segment: Segment<'_>, limits: &Limits, events: &mut Vec<AppEvent>) {
        let at = dir.index();
        let keep = self.dissected[at] < limits.dissect_bytes && self.conversation.wants(dir);
        let (conversation, dissected) = (&mut self.conversation, &mut self.dissected[at]);
        self.streams[at].take(segment, keep, limits.stream_bytes, |piece| {
            hand_on(conversation, dir, piece, dissected, limits.dissect_bytes, events);
        });
    }

    fn acknowledged(&mut self, dir: Dir, ack: u32, limits: &Limits, events: &mut Vec<AppEvent>, mut lost: impl FnMut(u64)) {
        let (conversation, dissected) = (&mut self.conversation, &mut self.dissected[dir.index()]);
        self.streams[dir.index()].acknowledged(ack, |piece| {
            if let Piece::Gap(bytes) = piece {
                lost(bytes);
            }
            hand_on(conversation, dir, piece, dissected, limits.dissect_bytes, events);
        });
    }

    fn tell_ends(&mut self, events: &mut Vec<AppEvent>) {
        for dir in [Dir::Orig, Dir::Resp] {
            if self.streams[dir.index()].just_ended() {
                self.conversation.fin(dir, events);
            }
        }
    }

    fn finish(&mut self, limits: &Limits, events: &mut Vec<AppEvent>) {
        for dir in [Dir::Orig, Dir::Resp] {
            let (conversation, dissected) = (&mut self.conversation, &mut self.dissected[dir.index()]);
            self.streams[dir.index()].finish(|piece| {
                hand_on(conversation, dir, piece, dissected, limits.dissect_bytes, events);
            });
        }
        self.conversation.end(events);
    }
}

/// Gives a piece of a stream to the application layer, up to `most` bytes per direction.
fn hand_on(conversation: &mut Conversation, dir: Dir, piece: Piece<'_>, dissected: &mut u64, most: u64, events: &mut Vec<AppEvent>) {
    match piece {
        Piece::Bytes { bytes, cut, frame, ts_ns } if *dissected < most && conversation.wants(dir) => {
            *dissected += bytes.len() as u64;
            conversation.data(&Chunk { dir, bytes, cut, frame, ts_ns }, events);
            if cut > 0 {
                conversation.gap(dir, u64::from(cut), events);
            }
        }
        // Nobody may take the beginning of a long transfer for the whole of it.
        Piece::Bytes { bytes, cut, .. } if conversation.wants(dir) => conversation.gap(dir, bytes.len() as u64 + u64::from(cut), events),
        Piece::Bytes { .. } => {}
        Piece::Gap(missing) => conversation.gap(dir, missing, events),
    }
}
