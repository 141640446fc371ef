//! A flow while it is open: takes packets, feeds the application layer, and becomes a [`Flow`].

use super::history::{History, Letter};
use super::key::Place;
use super::oddity::Oddity;
use super::side::OpenSide;
use super::stream::{Piece, Segment, Stream};
use super::tcp::{Connection, Reuse};
use crate::dissect::{Chunk, Conversation, Out, icmp};
use crate::model::event::Weird;
use crate::model::flow::{EndReason, Moments, Side, SynInfo};
use crate::model::packet::{Ip, NO_VLAN, Tcp, Transport, tcp_flags};
use crate::model::{AppEvent, Conn, Dir, Event, Flow, FlowId, Limits, Mac, Packet, Proto, Ts, time::SECOND};

/// First payload-carrying packets whose lengths and distances are kept.
const FIRST_PACKETS: usize = 8;
/// Names of oddities kept per flow.
const WEIRD_NAMES: usize = 16;

/// An open flow.
pub struct Open {
    /// Its id.
    pub id: FlowId,
    /// Last packet's time.
    pub last_ns: Ts,
    /// Whether the originator is the lower side of the key.
    pub orig_is_low: bool,
    /// The earliest entry in the shard's calendar.
    pub due: Ts,
    conn: Conn,
    first_ns: Ts,
    productive_ns: Ts,
    last_frame: u64,
    capture: u32,
    ip_proto: u8,
    vlans: [u16; 2],
    layer: u8,
    sides: [OpenSide; 2],
    /// Payload of datagrams, copies included.
    datagram_bytes: [u64; 2],
    len: Moments,
    iat: Moments,
    last_any_ns: Option<Ts>,
    first_lens: Vec<i32>,
    first_iats_us: Vec<i64>,
    last_data_ns: Option<Ts>,
    frames: Vec<u64>,
    flipped: bool,
    /// Hardware addresses of the originator and the responder, as the first packet told both.
    macs: [Mac; 2],
    history: History,
    body: Body,
    weirds: Vec<(Oddity, u64, Ts, u64)>,
}

enum Body {
    Tcp(Box<TcpBody>),
    Udp(Box<Conversation>),
    Icmp(Box<icmp::Messages>),
    Other,
}

struct TcpBody {
    connection: Connection,
    streams: [Stream; 2],
    dissected: [u64; 2],
    conversation: Conversation,
    syn: SynInfo,
    syn_ns: Option<Ts>,
    rtt_syn: Option<f64>,
    midstream: bool,
    first_flags: u16,
    /// Bytes missing while the connection was clean: Zeek's `missed_bytes`.
    missed: u64,
}

impl Open {
    /// A flow that begins with this packet.
    pub fn new(packet: &Packet, ip: &Ip, place: &Place, flipped: bool, limits: &Limits) -> Self {
        let (orig, resp) = if flipped { (place.dst, place.src) } else { (place.src, place.dst) };
        let id = FlowId::new(packet.frame, packet.layer);
        let conn = Conn { flow: id, orig_h: orig.0, orig_p: orig.1, resp_h: resp.0, resp_p: resp.1, proto: place.proto };
        let mut history = History::default();
        let mut macs = [packet.mac_src, packet.mac_dst];
        if flipped {
            history.flipped();
            macs.swap(0, 1);
        }
        let body = match &packet.transport {
            Transport::Tcp(tcp) => Body::Tcp(Box::new(TcpBody::new(conn, tcp, packet.ts_ns))),
            Transport::Udp(_) => Body::Udp(Box::new(Conversation::new(conn))),
            Transport::Icmp(_) => Body::Icmp(Box::new(icmp::Messages::new(limits.icmp_rows))),
            Transport::None => Body::Other,
        };
        Self {
            id,
            last_ns: packet.ts_ns,
            orig_is_low: place.from_low != flipped,
            due: Ts::MAX,
            conn,
            first_ns: packet.ts_ns,
            productive_ns: packet.ts_ns,
            last_frame: packet.frame,
            capture: packet.capture,
            ip_proto: ip.proto,
            vlans: packet.vlans,
            layer: packet.layer,
            sides: Default::default(),
            datagram_bytes: [0; 2],
            len: Moments::default(),
            iat: Moments::default(),
            last_any_ns: None,
            first_lens: Vec::new(),
            first_iats_us: Vec::new(),
            last_data_ns: None,
            frames: Vec::new(),
            flipped,
            macs,
            history,
            body,
            weirds: Vec::new(),
        }
    }

    /// Whether this packet begins another flow on the same key.
    pub fn reuse(&self, packet: &Packet, limits: &Limits) -> Reuse {
        match (&self.body, &packet.transport) {
            (Body::Tcp(body), Transport::Tcp(tcp)) => body.connection.reuse(tcp, packet.ts_ns, limits),
            _ => Reuse::No,
        }
    }

    /// When the flow ends if nothing more comes, and why.
    pub fn deadline(&self, limits: &Limits) -> (Ts, EndReason) {
        let (since, wait) = match &self.body {
            Body::Tcp(body) => (body.connection.last_ns(), limits.tcp_idle),
            Body::Icmp(_) => (self.last_ns, limits.icmp_idle),
            Body::Udp(_) | Body::Other => (self.last_ns, limits.udp_idle),
        };
        let (mut at, mut why) = (since.saturating_add(wait), EndReason::Idle);
        if let Body::Tcp(body) = &self.body
            && let Some((due, closed)) = body.connection.due(limits)
            && due < at
        {
            (at, why) = (due, if closed { EndReason::Closed } else { EndReason::Idle });
        }
        if limits.active > 0 && self.first_ns.saturating_add(limits.active) < at {
            (at, why) = (self.first_ns.saturating_add(limits.active), EndReason::Active);
        }
        (at, why)
    }

    /// Bytes held for reordering.
    pub fn held_bytes(&self) -> usize {
        match &self.body {
            Body::Tcp(body) => body.streams.iter().map(Stream::held_bytes).sum(),
            _ => 0,
        }
    }

    /// Takes a packet.
    pub fn packet(&mut self, dir: Dir, packet: &Packet, ip: &Ip, payload: &[u8], limits: &Limits, events: &mut Vec<AppEvent>) {
        let copy = self.sides[dir.index()].packet(packet, ip, payload);
        self.judge_checksum(dir, packet);
        self.last_ns = self.last_ns.max(packet.ts_ns);
        self.last_frame = packet.frame;
        self.note_frame(packet.frame);
        self.datagram_bytes[dir.index()] += u64::from(packet.payload_len);
        if !copy {
            self.note_shape(dir, packet, ip);
        }
        let mut after_close = false;
        match (&mut self.body, &packet.transport) {
            (Body::Tcp(body), Transport::Tcp(tcp)) => {
                let said = body.packet(dir, packet, tcp, payload, limits, &mut self.history, &mut self.sides, events);
                after_close = said.after_close;
                said.odd.iter().for_each(|odd| self.weird(odd, packet));
                if said.flip {
                    self.flip();
                }
            }
            (Body::Udp(conversation), _) => {
                self.history.once(dir, Letter::Data);
                let cut = packet.payload_len.saturating_sub(payload.len() as u32);
                conversation.data(&Chunk { dir, bytes: payload, cut, frame: packet.frame, ts_ns: packet.ts_ns }, events);
            }
            (Body::Icmp(messages), Transport::Icmp(icmp)) => {
                let mut out = Out { conn: self.conn, events: std::mem::take(events) };
                let v6 = ip.proto == 58;
                messages.message(dir, v6, icmp, payload, packet.payload_len, packet.frame, packet.ts_ns, &mut out);
                *events = out.events;
            }
            _ => {}
        }
        if !after_close {
            self.productive_ns = self.productive_ns.max(packet.ts_ns);
        }
    }

    /// Notes a wrong checksum; the packet counts all the same.
    fn judge_checksum(&mut self, dir: Dir, packet: &Packet) {
        let (sum, odd) = match &packet.transport {
            Transport::Tcp(tcp) => (tcp.checksum_ok, Oddity::BadTcpChecksum),
            Transport::Udp(udp) => (udp.checksum_ok, Oddity::BadUdpChecksum),
            _ => return,
        };
        let bad = sum == Some(false);
        self.history.packet(bad);
        if bad {
            let side = &mut self.sides[dir.index()].side;
            side.bad_checksums += 1;
            self.history.scaled(dir, Letter::BadChecksum, side.bad_checksums);
            self.weird(odd, packet);
        }
    }

    fn note_frame(&mut self, frame: u64) {
        if self.frames.len() < FIRST_PACKETS && self.frames.last() != Some(&frame) {
            self.frames.push(frame);
        }
    }

    fn note_shape(&mut self, dir: Dir, packet: &Packet, ip: &Ip) {
        self.len.push(f64::from(ip.total_len));
        if let Some(before) = self.last_any_ns {
            self.iat.push(packet.ts_ns.saturating_sub(before) as f64 / SECOND as f64);
        }
        self.last_any_ns = Some(packet.ts_ns);
        if packet.payload_len > 0 && self.first_lens.len() < FIRST_PACKETS {
            let len = i32::try_from(packet.payload_len).unwrap_or(i32::MAX);
            self.first_lens.push(if dir == Dir::Orig { len } else { -len });
            self.first_iats_us.push(self.last_data_ns.map_or(0, |before| packet.ts_ns.saturating_sub(before) / 1_000));
            self.last_data_ns = Some(packet.ts_ns);
        }
    }

    /// Notes an oddity: the first of a kind with its place, all others by number.
    pub fn weird(&mut self, odd: Oddity, packet: &Packet) {
        if let Some(known) = self.weirds.iter_mut().find(|(known, ..)| *known == odd) {
            known.3 += 1;
        } else if self.weirds.len() < WEIRD_NAMES {
            self.weirds.push((odd, packet.frame, packet.ts_ns, 1));
        }
    }

    fn flip(&mut self) {
        let Conn { orig_h, orig_p, resp_h, resp_p, .. } = self.conn;
        self.conn = Conn { orig_h: resp_h, orig_p: resp_p, resp_h: orig_h, resp_p: orig_p, ..self.conn };
        self.orig_is_low = !self.orig_is_low;
        self.sides.swap(0, 1);
        self.datagram_bytes.swap(0, 1);
        self.macs.swap(0, 1);
        self.history.flipped();
        self.flipped = !self.flipped;
        self.first_lens.iter_mut().for_each(|len| *len = -*len);
        if let Body::Tcp(body) = &mut self.body {
            body.connection.flip();
            body.streams.swap(0, 1);
            body.dissected.swap(0, 1);
            // Nothing but SYNs has been seen: there is nothing to tell the application layer anew.
            body.conversation = Conversation::new(self.conn);
        }
    }

    /// Ends the flow.
    pub fn finish(mut self, end: EndReason, limits: &Limits, events: &mut Vec<AppEvent>) -> Flow {
        let mut service = "";
        let mut tcp = None;
        match &mut self.body {
            Body::Tcp(body) => {
                if body.finish(limits, events) {
                    self.history.limited();
                }
                service = body.conversation.service();
                tcp = Some(());
            }
            Body::Udp(conversation) => {
                conversation.end(events);
                service = conversation.service();
            }
            _ => {}
        }
        for (odd, frame, ts_ns, count) in std::mem::take(&mut self.weirds) {
            let weird = Weird { name: odd.name().into(), addl: String::new(), source: "flow", count };
            events.push(AppEvent { conn: Some(self.conn), frame, ts_ns, event: Event::Weird(Box::new(weird)) });
        }
        let duration = self.productive_ns.saturating_sub(self.first_ns);
        let duration_ns = (duration > 0).then_some(duration);
        let [orig, resp] = self.sides;
        let (mut orig, mut resp) = (orig.finish(), resp.finish());
        [orig.mac, resp.mac] = self.macs;
        let history = self.history.into_string([&orig, &resp].map(unsummed));
        let mut conn_state = udp_state(self.conn.proto, &history);
        let mut missed_bytes = 0;
        let (mut syn, mut rtt_syn, mut midstream, mut first_flags) = (SynInfo::default(), None, false, 0);
        if let (Some(()), Body::Tcp(body)) = (tcp, &self.body) {
            let [a, b] = &body.connection.ends;
            (orig.bytes, resp.bytes) = (Some(a.size(b)), Some(b.size(a)));
            (orig.missed_bytes, resp.missed_bytes) = (body.streams[0].missed, body.streams[1].missed);
            missed_bytes = body.missed;
            conn_state = body.connection.conn_state(&history);
            (syn, rtt_syn, midstream, first_flags) = (body.syn, body.rtt_syn, body.midstream, body.first_flags);
        } else if self.conn.proto == Proto::Other {
            (orig.bytes, resp.bytes) = (Some(0), Some(0));
        } else {
            (orig.bytes, resp.bytes) = (Some(self.datagram_bytes[0]), Some(self.datagram_bytes[1]));
        }
        if duration_ns.is_none() {
            // Zeek leaves sizes unset where nothing took time; `flow_shape` has the payload of such packets.
            (orig.bytes, resp.bytes) = (None, None);
        }
        if self.frames.last() != Some(&self.last_frame) {
            self.frames.push(self.last_frame);
        }
        Flow {
            id: self.id,
            first_frame: self.id.first_frame(),
            last_frame: self.last_frame,
            capture: self.capture,
            ts_ns: self.first_ns,
            last_ns: self.last_ns,
            duration_ns,
            orig_h: self.conn.orig_h,
            orig_p: self.conn.orig_p,
            resp_h: self.conn.resp_h,
            resp_p: self.conn.resp_p,
            proto: self.conn.proto,
            ip_proto: self.ip_proto,
            vlans: self.vlans.map(|id| (id != NO_VLAN).then_some(id)),
            layer: self.layer,
            tunnel_parent: None,
            service: service.into(),
            conn_state,
            history,
            missed_bytes,
            community_id: community_id(&self.conn, self.ip_proto),
            end,
            midstream,
            first_flags,
            flipped: self.flipped,
            syn,
            rtt_syn,
            orig,
            resp,
            len: self.len,
            iat: self.iat,
            first_lens: self.first_lens,
            first_iats_us: self.first_iats_us,
            frames: self.frames,
        }
    }
}

impl TcpBody {
    fn new(conn: Conn, tcp: &Tcp, now: Ts) -> Self {
        Self {
            connection: Connection::new(now),
            streams: Default::default(),
            dissected: [0; 2],
            conversation: Conversation::new(conn),
            syn: SynInfo::default(),
            syn_ns: None,
            rtt_syn: None,
            midstream: tcp.flags & tcp_flags::SYN == 0,
            first_flags: tcp.flags,
            missed: 0,
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn packet(
        &mut self,
        dir: Dir,
        packet: &Packet,
        tcp: &Tcp,
        payload: &[u8],
        limits: &Limits,
        history: &mut History,
        sides: &mut [OpenSide; 2],
        events: &mut Vec<AppEvent>,
    ) -> super::tcp::Effect {
        let has = |flag| tcp.flags & flag != 0;
        self.note_handshake(dir, packet, tcp);
        let effect = self.connection.segment(dir, tcp, packet.payload_len, packet.ts_ns, history);
        let side = &mut sides[dir.index()].side;
        side.retrans += u64::from(effect.retransmission);
        side.ooo += u64::from(effect.ahead);
        side.zero_win += u64::from(effect.zero_window);
        side.dup_acks += u64::from(effect.duplicate_ack);
        if effect.zero_window {
            history.scaled(dir, Letter::ZeroWindow, side.zero_win);
        }
        if effect.retransmission {
            history.scaled(dir, Letter::Retransmission, side.retrans);
        }
        if has(tcp_flags::SYN) {
            self.streams[dir.index()].begin(tcp.seq.wrapping_add(1));
        }
        if packet.payload_len > 0 && !has(tcp_flags::RST) {
            let seq = tcp.seq.wrapping_add(u32::from(has(tcp_flags::SYN)));
            let segment = Segment { seq, bytes: payload, len: packet.payload_len, frame: packet.frame, ts_ns: packet.ts_ns };
            self.take(dir, segment, limits, events);
        }
        if has(tcp_flags::ACK) && !has(tcp_flags::RST) && !has(tcp_flags::SYN) {
            self.acknowledged(dir.flip(), tcp.ack, limits, history, &mut sides[dir.flip().index()].side, events);
        }
        if has(tcp_flags::FIN) && !has(tcp_flags::RST) {
            let seq = tcp.seq.wrapping_add(u32::from(has(tcp_flags::SYN))).wrapping_add(packet.payload_len);
            self.streams[dir.index()].ends_at(seq);
        }
        for dir in [Dir::Orig, Dir::Resp] {
            if self.streams[dir.index()].just_ended() {
                self.conversation.fin(dir, events);
            }
        }
        effect
    }

    fn note_handshake(&mut self, dir: Dir, packet: &Packet, tcp: &Tcp) {
        match (dir, tcp.flags & (tcp_flags::SYN | tcp_flags::ACK)) {
            (Dir::Orig, tcp_flags::SYN) if !self.syn.seen => {
                self.syn = SynInfo { mss: tcp.mss, wscale: tcp.wscale, option_kinds: tcp.option_kinds, window: tcp.window, seen: true };
                self.syn_ns = Some(packet.ts_ns);
            }
            (Dir::Resp, flags) if flags == tcp_flags::SYN | tcp_flags::ACK && self.rtt_syn.is_none() => {
                self.rtt_syn = self.syn_ns.map(|sent| packet.ts_ns.saturating_sub(sent) as f64 / SECOND as f64);
            }
            _ => {}
        }
    }

    fn take(&mut self, dir: Dir, segment: Segment<'_>, limits: &Limits, events: &mut Vec<AppEvent>) {
        let at = dir.index();
        let keep = self.dissected[at] < limits.dissect_bytes && self.conversation.wants(dir);
        let (conversation, dissected) = (&mut self.conversation, &mut self.dissected[at]);
        self.streams[at].take(segment, keep, limits.stream_bytes, |piece| {
            hand_on(conversation, dir, piece, dissected, limits.dissect_bytes, events);
        });
    }

    fn acknowledged(&mut self, dir: Dir, ack: u32, limits: &Limits, history: &mut History, side: &mut Side, events: &mut Vec<AppEvent>) {
        let clean = self.connection.clean();
        let (conversation, dissected, missed) = (&mut self.conversation, &mut self.dissected[dir.index()], &mut self.missed);
        self.streams[dir.index()].acknowledged(ack, |piece| {
            if let Piece::Gap(bytes) = piece {
                side.gaps += 1;
                if clean {
                    *missed += bytes;
                    history.scaled(dir, Letter::Gap, side.gaps);
                }
            }
            hand_on(conversation, dir, piece, dissected, limits.dissect_bytes, events);
        });
    }

    /// Hands on what is left; tells whether the buffer had been full.
    fn finish(&mut self, limits: &Limits, events: &mut Vec<AppEvent>) -> bool {
        for dir in [Dir::Orig, Dir::Resp] {
            let (conversation, dissected) = (&mut self.conversation, &mut self.dissected[dir.index()]);
            let missed_before = self.streams[dir.index()].missed;
            self.streams[dir.index()].finish(|piece| {
                hand_on(conversation, dir, piece, dissected, limits.dissect_bytes, events);
            });
            // Holes nobody acknowledged may be losses of the capture or of the network: Zeek does not count them.
            self.streams[dir.index()].missed = missed_before;
        }
        self.conversation.end(events);
        self.streams.iter().any(|stream| stream.overflowed)
    }
}

/// Whether a sender's checksums mean nothing: too many are wrong for damage, so something rewrote the packets, or fills in the sums
/// after the capture.
fn unsummed(side: &Side) -> bool {
    const FEW: u64 = 3;
    side.bad_checksums >= FEW && side.bad_checksums * 10 >= side.pkts * 9
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
        Piece::Bytes { .. } => {}
        Piece::Gap(missing) => conversation.gap(dir, missing, events),
    }
}

/// Zeek's `conn_state` for what is not TCP: who sent datagrams that can be believed.
fn udp_state(proto: Proto, history: &str) -> &'static str {
    match (proto, history.contains('D'), history.contains('d')) {
        (Proto::Udp, true, true) => "SF",
        (Proto::Udp, true, false) => "S0",
        (Proto::Udp, false, true) => "SHR",
        _ => "OTH",
    }
}

/// Community ID v1, seed 0 (<https://github.com/corelight/community-id-spec>); empty where it is not defined.
fn community_id(conn: &Conn, ip_proto: u8) -> String {
    let (sport, dport) = if conn.proto == Proto::Other { (None, None) } else { (Some(conn.orig_p), Some(conn.resp_p)) };
    let disable_base64 = false;
    community_id::calculate_community_id(0, conn.orig_h, conn.resp_h, sport, dport, ip_proto, disable_base64).unwrap_or_default()
}
