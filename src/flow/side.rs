//! What one direction of a flow adds up to: counts, lengths, gaps in time, first bytes.
//!
//! Most flows of a scan or a flood have one packet per direction, and a million of them may be open: what only further packets need
//! is made when the second one comes.

use crate::dissect::entropy;
use crate::model::flow::{IpIds, Moments, Side};
use crate::model::packet::{Ip, Tcp, Transport};
use crate::model::{Packet, Ts, time::SECOND};

/// Bytes of payload kept as they came, for signatures and for the analyst.
const FIRST_BYTES: usize = 64;
/// Bytes of payload over which entropy and printable share are taken.
const SAMPLE_BYTES: usize = 256;
/// Copies of a packet arrive this close together (DETECTIONS 2.1).
const DUPLICATE_NS: u64 = SECOND as u64 / 1_000;

/// One direction while the flow is open.
#[derive(Clone, Debug, Default)]
pub struct OpenSide {
    /// Every packet.
    pub pkts: u64,
    ip_bytes: u64,
    payload_bytes: u64,
    /// Payload of all packets, copies included: what Zeek counts of datagrams.
    pub datagram_bytes: u64,
    first: First,
    more: Option<Box<More>>,
    sample: Vec<u8>,
    /// Packets with a wrong checksum.
    pub bad_checksums: u32,
    dup_pkts: u32,
    /// Least TTL; meaningless before the first packet.
    pub ttl_min: u8,
    /// Greatest TTL.
    pub ttl_max: u8,
}

/// The first packet.
#[derive(Clone, Copy, Debug, Default)]
struct First {
    ts_ns: Ts,
    print: u64,
    len: u32,
    payload_len: u32,
    ip_id: u32,
    flags: u16,
    window: Option<u16>,
    tos: u8,
}

/// What a second packet adds.
#[derive(Clone, Debug, Default)]
struct More {
    last_ns: Ts,
    last_data_ns: Option<Ts>,
    data_pkts: u64,
    flags: [u32; 8],
    len: Moments,
    payload_len: Moments,
    iat: Moments,
    len_hist: [u32; 16],
    iat_hist: [u32; 16],
    max_gap: f64,
    recent: [(u64, Ts); 4],
    recent_at: u8,
    ip_id: u32,
    ip_ids: Option<IpIds>,
}

/// What two copies of one packet share, in one number; 0 for a packet that has nothing of its own: without an IP id, equal pure
/// acknowledgements and equal datagrams are ordinary traffic.
fn fingerprint(packet: &Packet, ip: &Ip) -> u64 {
    let (seq, ack, flags) = match &packet.transport {
        Transport::Tcp(tcp) => (tcp.seq, tcp.ack, tcp.flags),
        Transport::Icmp(icmp) => (u32::from(icmp.id) << 16 | u32::from(icmp.seq), 0, 0),
        _ => (0, 0, 0),
    };
    if ip.id == 0 && !(packet.payload_len > 0 && matches!(packet.transport, Transport::Tcp(_))) {
        return 0;
    }
    let mut mix = 0x9e37_79b9_7f4a_7c15u64;
    for part in [u64::from(seq) << 32 | u64::from(ack), u64::from(ip.id) << 32 | u64::from(packet.payload_len), u64::from(flags)] {
        mix = (mix ^ part).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mix ^= mix >> 31;
    }
    mix | 1
}

impl OpenSide {
    /// Takes a packet of this direction; tells whether it is a copy of one just seen.
    pub fn packet(&mut self, packet: &Packet, ip: &Ip, payload: &[u8]) -> bool {
        self.pkts += 1;
        self.ip_bytes += u64::from(ip.total_len);
        self.datagram_bytes += u64::from(packet.payload_len);
        let print = fingerprint(packet, ip);
        if self.pkts == 1 {
            self.begin(packet, ip, print);
        } else {
            self.ttl_min = self.ttl_min.min(ip.ttl);
            self.ttl_max = self.ttl_max.max(ip.ttl);
            let first = self.first;
            let more = self.more.get_or_insert_with(|| Box::new(More::after(&first)));
            if more.is_copy(print, packet.ts_ns) {
                self.dup_pkts = self.dup_pkts.saturating_add(1);
                return true;
            }
            more.packet(packet, ip);
        }
        if packet.payload_len > 0 {
            self.payload_bytes += u64::from(packet.payload_len);
            let room = SAMPLE_BYTES.saturating_sub(self.sample.len());
            self.sample.extend_from_slice(&payload[..payload.len().min(room)]);
        }
        false
    }

    fn begin(&mut self, packet: &Packet, ip: &Ip, print: u64) {
        (self.ttl_min, self.ttl_max) = (ip.ttl, ip.ttl);
        self.first = First {
            ts_ns: packet.ts_ns,
            print,
            len: ip.total_len,
            payload_len: packet.payload_len,
            ip_id: ip.id,
            tos: ip.tos,
            ..First::default()
        };
        if let Transport::Tcp(Tcp { flags, window, .. }) = &packet.transport {
            (self.first.flags, self.first.window) = (*flags, Some(*window));
        }
    }

    /// The finished side.
    pub fn finish(mut self) -> Side {
        let more = match self.more.take() {
            Some(more) => *more,
            None if self.pkts > 0 => More::after(&self.first),
            None => More::default(),
        };
        let printable = |byte: &&u8| matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n');
        let mut side = Side {
            pkts: self.pkts,
            ip_bytes: self.ip_bytes,
            payload_bytes: self.payload_bytes,
            dup_pkts: u64::from(self.dup_pkts),
            data_pkts: more.data_pkts,
            bad_checksums: u64::from(self.bad_checksums),
            flags: more.flags,
            ttl_min: self.ttl_min,
            ttl_max: self.ttl_max,
            init_win: self.first.window,
            tos: self.first.tos,
            ip_ids: more.ip_ids,
            len: more.len,
            payload_len: more.payload_len,
            iat: more.iat,
            len_hist: more.len_hist,
            iat_hist: more.iat_hist,
            max_gap: more.max_gap,
            entropy: entropy(&self.sample),
            printable: (!self.sample.is_empty()).then(|| self.sample.iter().filter(printable).count() as f64 / self.sample.len() as f64),
            ..Side::default()
        };
        self.sample.truncate(FIRST_BYTES);
        side.first_bytes = self.sample;
        side
    }
}

impl More {
    /// After one packet.
    fn after(first: &First) -> Self {
        let mut more = Self { last_ns: first.ts_ns, recent_at: 1, ip_id: first.ip_id, ..Self::default() };
        more.recent[0] = (first.print, first.ts_ns);
        more.measure(first.len, first.payload_len, first.flags);
        if first.payload_len > 0 {
            more.data(first.ts_ns);
        }
        more
    }

    fn is_copy(&mut self, print: u64, ts_ns: Ts) -> bool {
        let copy = print != 0 && self.recent.iter().any(|(old, at)| *old == print && ts_ns.abs_diff(*at) < DUPLICATE_NS);
        self.recent[usize::from(self.recent_at) % self.recent.len()] = (print, ts_ns);
        self.recent_at = (self.recent_at + 1) % self.recent.len() as u8;
        copy
    }

    fn packet(&mut self, packet: &Packet, ip: &Ip) {
        let flags = if let Transport::Tcp(tcp) = &packet.transport { tcp.flags } else { 0 };
        self.measure(ip.total_len, packet.payload_len, flags);
        self.ip_ids = Some(IpIds::next(self.ip_ids, self.ip_id, ip.id));
        self.ip_id = ip.id;
        let gap = packet.ts_ns.saturating_sub(self.last_ns);
        self.iat.push(gap as f64 / SECOND as f64);
        self.iat_hist[bin(gap.max(0) as u64 / 1_000, 2)] += 1;
        self.last_ns = packet.ts_ns;
        if packet.payload_len > 0 {
            self.data(packet.ts_ns);
        }
    }

    fn measure(&mut self, len: u32, payload_len: u32, flags: u16) {
        self.len.push(f64::from(len));
        self.len_hist[bin(u64::from(len), 1)] += 1;
        self.payload_len.push(f64::from(payload_len));
        for (bit, count) in self.flags.iter_mut().enumerate() {
            *count += u32::from(flags >> bit & 1);
        }
    }

    fn data(&mut self, ts_ns: Ts) {
        self.data_pkts += 1;
        if let Some(before) = self.last_data_ns {
            self.max_gap = self.max_gap.max(ts_ns.saturating_sub(before) as f64 / SECOND as f64);
        }
        self.last_data_ns = Some(ts_ns);
    }
}

/// Which of 16 bins: floor(log2(value)) / step.
fn bin(value: u64, step: usize) -> usize {
    (value.checked_ilog2().unwrap_or(0) as usize / step).min(15)
}
