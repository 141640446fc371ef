//! A flow while it is open: takes packets, feeds the application layer, and becomes a [`Flow`].

use super::body::{Arrival, TcpBody};
use super::history::{History, Letter};
use super::key::Place;
use super::oddity::Oddity;
use super::shape::{Look, Shape};
use super::side::OpenSide;
use super::tcp::Reuse;
use crate::dissect::expect::Kind;
use crate::dissect::{Chunk, Conversation, Out, Setting, icmp, igmp, ndp};
use crate::model::event::Weird;
use crate::model::flow::{EndReason, Side, SynInfo};
use crate::model::packet::{Ip, NO_VLAN, Transport, TunnelKind};
use crate::model::{AppEvent, Conn, Dir, Event, Flow, FlowId, Limits, Mac, Packet, Proto, Ts};

/// Protocol number of IGMP.
const IGMP: u8 = 2;
/// Names of oddities kept per flow.
const WEIRD_NAMES: usize = 16;
/// A flow that changes its tunnel more often is marked `X` (Zeek's `Tunnel::max_changes_per_connection`).
const TUNNEL_CHANGES: u8 = 5;

/// An open flow. A million of them may be open: what most flows lack stands in a box of its own.
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
    first: Look,
    productive_ns: Ts,
    last_frame: u64,
    capture: u32,
    ip_proto: u8,
    vlans: [u16; 2],
    layer: u8,
    flipped: bool,
    /// Hardware addresses of the originator and the responder, as the first packet told both.
    macs: [Mac; 2],
    sides: [OpenSide; 2],
    shape: Option<Box<Shape>>,
    history: History,
    body: Body,
    weirds: Vec<Odd>,
    /// What it carries, if it is a tunnel.
    carries: Option<TunnelKind>,
    /// The tunnel around its last packet, as in [`Place::tunnel`].
    tunnel: Option<u64>,
    tunnel_changes: u8,
}

/// An oddity with the place of the first, and how often it came.
struct Odd {
    what: Oddity,
    frame: u64,
    ts_ns: Ts,
    count: u64,
}

enum Body {
    Tcp(Box<TcpBody>),
    /// Made when the first payload comes.
    Udp(Option<Box<Conversation>>, Option<Kind>),
    Icmp(Box<icmp::Messages>),
    Other,
}

impl Open {
    /// A flow that begins with this packet, as another one announced it or not.
    pub fn new(packet: &Packet, ip: &Ip, place: &Place, flipped: bool, expected: Option<Kind>, limits: &Limits) -> Self {
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
            Transport::Tcp(tcp) => Body::Tcp(Box::new(TcpBody::new(tcp, packet.ts_ns, expected))),
            Transport::Udp(_) => Body::Udp(None, expected),
            Transport::Icmp(_) => Body::Icmp(Box::new(icmp::Messages::new(limits.icmp_rows))),
            Transport::Sctp(_) | Transport::None => Body::Other,
        };
        let dir = if flipped { Dir::Resp } else { Dir::Orig };
        Self {
            id,
            last_ns: packet.ts_ns,
            orig_is_low: place.from_low != flipped,
            due: Ts::MAX,
            conn,
            first: Look::new(dir, packet.frame, packet.ts_ns, ip.total_len, packet.payload_len),
            productive_ns: packet.ts_ns,
            last_frame: packet.frame,
            capture: packet.capture,
            ip_proto: ip.proto,
            vlans: packet.vlans,
            layer: packet.layer,
            flipped,
            macs,
            sides: Default::default(),
            shape: None,
            history,
            body,
            weirds: Vec::new(),
            carries: None,
            tunnel: place.tunnel,
            tunnel_changes: 0,
        }
    }

    /// Takes note of the tunnel that the next packet travels in.
    pub fn travels(&mut self, tunnel: Option<u64>) {
        if tunnel == self.tunnel {
            return;
        }
        self.tunnel = tunnel;
        self.tunnel_changes = self.tunnel_changes.saturating_add(1);
        if self.tunnel_changes > TUNNEL_CHANGES {
            self.history.limited();
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
            Body::Udp(..) | Body::Other => (self.last_ns, limits.udp_idle),
        };
        let (mut at, mut why) = (since.saturating_add(wait), EndReason::Idle);
        if let Body::Tcp(body) = &self.body
            && let Some((due, closed)) = body.connection.due(limits)
            && due < at
        {
            (at, why) = (due, if closed { EndReason::Closed } else { EndReason::Idle });
        }
        if limits.active > 0 && self.first.ts_ns.saturating_add(limits.active) < at {
            (at, why) = (self.first.ts_ns.saturating_add(limits.active), EndReason::Active);
        }
        (at, why)
    }

    /// Bytes held for reordering.
    pub fn held_bytes(&self) -> usize {
        match &self.body {
            Body::Tcp(body) => body.held_bytes(),
            _ => 0,
        }
    }

    /// Takes a packet.
    pub fn packet(&mut self, dir: Dir, packet: &Packet, ip: &Ip, payload: &[u8], limits: &Limits, events: &mut Vec<AppEvent>) {
        let copy = self.sides[dir.index()].packet(packet, ip, payload);
        self.judge_checksum(dir, packet);
        self.last_ns = self.last_ns.max(packet.ts_ns);
        self.last_frame = packet.frame;
        if self.sides[0].pkts + self.sides[1].pkts > 1 {
            self.note_shape(dir, packet, ip, copy);
        }
        let mut after_close = false;
        let few = self.sides[0].pkts + self.sides[1].pkts <= u64::from(limits.icmp_rows);
        match (&mut self.body, &packet.transport) {
            (Body::Tcp(body), Transport::Tcp(tcp)) => {
                let seen = Arrival { dir, packet, ip, tcp, payload, conn: self.conn };
                let said = body.segment(&seen, limits, &mut self.history, events);
                after_close = said.after_close;
                said.odd.iter().for_each(|odd| self.weird(odd, packet));
                if said.flip {
                    self.flip();
                }
            }
            (Body::Udp(..), _) if packet.carries.is_some() => {
                self.history.once(dir, Letter::Data);
                self.carries = self.carries.or(packet.carries.map(|tunnel| tunnel.kind));
            }
            (Body::Udp(conversation, expected), _) => {
                if packet.stop.is_some_and(|stop| stop.why == "exceeded_tunnel_max_depth") {
                    self.history.limited();
                }
                self.history.once(dir, Letter::Data);
                if !payload.is_empty() {
                    let cut = packet.payload_len.saturating_sub(payload.len() as u32);
                    let (conn, expected) = (self.conn, *expected);
                    let conversation =
                        conversation.get_or_insert_with(|| Box::new(Conversation::perhaps(conn, expected, Setting::default())));
                    conversation.data(&Chunk { dir, bytes: payload, cut, frame: packet.frame, ts_ns: packet.ts_ns }, events);
                }
            }
            (Body::Icmp(messages), Transport::Icmp(icmp)) => {
                let mut out = Out { events: std::mem::take(events), ..Out::new(self.conn) };
                let v6 = ip.proto == 58;
                messages.message(dir, v6, icmp, payload, packet.payload_len, packet.frame, packet.ts_ns, &mut out);
                if v6 && few {
                    let ([a, b], [c, d]) = (icmp.id.to_be_bytes(), icmp.seq.to_be_bytes());
                    ndp::message(packet, icmp.kind, [a, b, c, d], payload, &mut out);
                }
                *events = out.events;
            }
            (Body::Other, _) if ip.proto == IGMP && few => events.extend(igmp::message(self.conn, packet, payload)),
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
            let side = &mut self.sides[dir.index()];
            side.bad_checksums = side.bad_checksums.saturating_add(1);
            self.history.scaled(dir, Letter::BadChecksum, u64::from(side.bad_checksums));
            self.weird(odd, packet);
        }
        if let Some(stop) = &packet.stop {
            match stop.why {
                "UDP_datagram_length_mismatch" => self.weird(Oddity::UdpLengthMismatch, packet),
                "bad_TCP_header_len" => self.weird(Oddity::BadTcpHeaderLen, packet),
                _ => {}
            }
        }
    }

    fn note_shape(&mut self, dir: Dir, packet: &Packet, ip: &Ip, copy: bool) {
        let first = &self.first;
        let shape = self.shape.get_or_insert_with(|| Box::new(Shape::after(first)));
        shape.frame(packet.frame);
        if !copy {
            shape.packet(&Look::new(dir, packet.frame, packet.ts_ns, ip.total_len, packet.payload_len));
        }
    }

    /// Notes an oddity: the first of a kind with its place, all others by number.
    pub fn weird(&mut self, what: Oddity, packet: &Packet) {
        if let Some(known) = self.weirds.iter_mut().find(|known| known.what == what) {
            known.count += 1;
        } else if self.weirds.len() < WEIRD_NAMES {
            self.weirds.push(Odd { what, frame: packet.frame, ts_ns: packet.ts_ns, count: 1 });
        }
    }

    fn flip(&mut self) {
        let Conn { orig_h, orig_p, resp_h, resp_p, .. } = self.conn;
        self.conn = Conn { orig_h: resp_h, orig_p: resp_p, resp_h: orig_h, resp_p: orig_p, ..self.conn };
        self.orig_is_low = !self.orig_is_low;
        self.sides.swap(0, 1);
        self.macs.swap(0, 1);
        self.history.flipped();
        self.flipped = !self.flipped;
        self.first.data = -self.first.data;
        if let Some(shape) = &mut self.shape {
            shape.flip();
        }
        if let Body::Tcp(body) = &mut self.body {
            body.flip(self.conn);
        }
    }

    /// Ends the flow.
    pub fn finish(mut self, end: EndReason, limits: &Limits, events: &mut Vec<AppEvent>) -> Flow {
        // Holes that are given up only now are no losses: sizes are taken before.
        let sides = self.take_sides();
        let limited = match &mut self.body {
            Body::Tcp(body) => body.finish(limits, events),
            Body::Udp(Some(conversation), _) => {
                conversation.end(events);
                false
            }
            _ => false,
        };
        if limited {
            self.history.limited();
        }
        for Odd { what, frame, ts_ns, count } in std::mem::take(&mut self.weirds) {
            let weird = Weird { name: what.name().into(), addl: String::new(), source: "flow", count };
            events.push(AppEvent { conn: Some(self.conn), frame, ts_ns, event: Event::Weird(Box::new(weird)) });
        }
        let history = std::mem::take(&mut self.history);
        self.sum_up(sides, history, end)
    }

    /// The flow as far as it has come, as if the capture ended now. It stays open, and what its dissector still holds back stays unsaid.
    pub fn so_far(&self) -> Flow {
        let sides = self.measured(self.sides.clone());
        self.sum_up(sides, self.history.clone(), EndReason::CaptureEnd)
    }

    fn take_sides(&mut self) -> [Side; 2] {
        let sides = std::mem::take(&mut self.sides);
        self.measured(sides)
    }

    /// Both sides with all that was counted of them.
    fn measured(&self, open: [OpenSide; 2]) -> [Side; 2] {
        let datagram_bytes = open.each_ref().map(|side| side.datagram_bytes);
        let [mut orig, mut resp] = open.map(OpenSide::finish);
        [orig.mac, resp.mac] = self.macs;
        match &self.body {
            Body::Tcp(body) => body.measure(&mut orig, &mut resp),
            // What is not read has no payload to speak of.
            Body::Other => (orig.bytes, resp.bytes) = (Some(0), Some(0)),
            Body::Udp(..) | Body::Icmp(_) => [orig.bytes, resp.bytes] = datagram_bytes.map(Some),
        }
        [orig, resp]
    }

    fn service(&self) -> &'static str {
        match &self.body {
            Body::Tcp(body) => body.service(),
            Body::Udp(Some(conversation), _) => conversation.service(),
            _ => "",
        }
    }

    fn sum_up(&self, [mut orig, mut resp]: [Side; 2], history: History, end: EndReason) -> Flow {
        let service = self.service();
        let unsummed = [&orig, &resp].map(|side| unsummed(side, self.conn.proto));
        let history = history.into_string(unsummed);
        let (mut missed_bytes, mut syn, mut rtt_syn, mut midstream, mut first_flags) = (0, SynInfo::default(), None, false, 0);
        let mut conn_state = udp_state(self.conn.proto, &history);
        if let Body::Tcp(body) = &self.body {
            conn_state = body.connection.conn_state(&history);
            (missed_bytes, syn, rtt_syn) = (body.missed, body.syn, body.rtt_syn);
            (midstream, first_flags) = (body.midstream, body.first_flags);
        }
        let duration = self.productive_ns.saturating_sub(self.first.ts_ns);
        let duration_ns = (duration > 0).then_some(duration);
        if duration_ns.is_none() {
            // Zeek leaves sizes unset where nothing took time; `flow_shape` has the payload of such packets.
            (orig.bytes, resp.bytes) = (None, None);
        }
        let shape = self.shape.as_deref().cloned().unwrap_or_else(|| Shape::after(&self.first));
        let (first_lens, first_iats_us) = shape.firsts();
        Flow {
            id: self.id,
            first_frame: self.id.first_frame(),
            last_frame: self.last_frame,
            capture: self.capture,
            ts_ns: self.first.ts_ns,
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
            tunnel_parents: Vec::new(),
            service: both_services(self.carries.map_or("", TunnelKind::service), service),
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
            len: shape.len,
            iat: shape.iat,
            first_lens,
            first_iats_us,
            frames: shape.frames(self.last_frame),
        }
    }
}

/// Whether a sender's checksums mean nothing: too many are wrong for damage, so something rewrote the packets, or fills in the sums
/// after the capture.
fn unsummed(side: &Side, proto: Proto) -> bool {
    const FEW: u64 = 3;
    // Of a scan in a rewritten capture a segment or two is all there is: without their letters nobody would see it.
    let all = proto == Proto::Tcp && side.bad_checksums == side.pkts;
    all || (side.bad_checksums >= FEW && side.bad_checksums * 10 >= side.pkts * 9)
}

/// What a flow carries, and what else was said in it.
fn both_services(carried: &str, said: &str) -> String {
    match (carried, said) {
        (one, "") | ("", one) => one.into(),
        (carried, said) if carried == said => said.into(),
        (carried, said) => format!("{carried},{said}"),
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
