//! What one direction of a flow adds up to: counts, lengths, gaps in time, first bytes.

use crate::dissect::entropy;
use crate::model::flow::Side;
use crate::model::packet::{Ip, Tcp, Transport};
use crate::model::{Packet, Ts, time::SECOND};

/// Bytes of payload kept as they came, for signatures and for the analyst.
const FIRST_BYTES: usize = 64;
/// Bytes of payload over which entropy and printable share are taken.
const SAMPLE_BYTES: usize = 256;
/// Copies of a packet arrive this close together (DETECTIONS 2.1).
const DUPLICATE_NS: i64 = SECOND / 1_000;

/// One direction while the flow is open.
#[derive(Debug, Default)]
pub struct OpenSide {
    /// The sums.
    pub side: Side,
    sample: Vec<u8>,
    last_ns: Option<Ts>,
    last_data_ns: Option<Ts>,
    recent: [Fingerprint; 4],
    recent_at: usize,
}

/// What two copies of one packet share.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Fingerprint {
    ip_id: u32,
    seq: u32,
    ack: u32,
    len: u32,
    flags: u16,
    ts_ns: Ts,
    set: bool,
}

impl Fingerprint {
    fn of(packet: &Packet, ip: &Ip) -> Self {
        let (seq, ack, flags) = match &packet.transport {
            Transport::Tcp(tcp) => (tcp.seq, tcp.ack, tcp.flags),
            Transport::Icmp(icmp) => (u32::from(icmp.id) << 16 | u32::from(icmp.seq), 0, 0),
            _ => (0, 0, 0),
        };
        Self { ip_id: ip.id, seq, ack, len: packet.payload_len, flags, ts_ns: packet.ts_ns, set: true }
    }

    fn is_copy_of(&self, other: &Self) -> bool {
        other.set && Self { ts_ns: other.ts_ns, ..*self } == *other && (self.ts_ns - other.ts_ns).abs() < DUPLICATE_NS
    }
}

impl OpenSide {
    /// Takes a packet of this direction; tells whether it is a copy of one just seen.
    pub fn packet(&mut self, packet: &Packet, ip: &Ip, payload: &[u8]) -> bool {
        let side = &mut self.side;
        side.pkts += 1;
        side.ip_bytes += u64::from(ip.total_len);
        side.ttl_min = if side.pkts == 1 { ip.ttl } else { side.ttl_min.min(ip.ttl) };
        side.ttl_max = side.ttl_max.max(ip.ttl);
        let print = Fingerprint::of(packet, ip);
        // Without an IP id, equal pure acknowledgements and equal datagrams are ordinary traffic.
        let telling = ip.id != 0 || (packet.payload_len > 0 && matches!(packet.transport, Transport::Tcp(_)));
        let copy = telling && self.recent.iter().any(|old| print.is_copy_of(old));
        self.recent[self.recent_at % self.recent.len()] = print;
        self.recent_at = (self.recent_at + 1) % self.recent.len();
        if copy {
            side.dup_pkts += 1;
            return true;
        }
        side.len.push(f64::from(ip.total_len));
        side.len_hist[bin(u64::from(ip.total_len), 1)] += 1;
        side.payload_len.push(f64::from(packet.payload_len));
        side.payload_bytes += u64::from(packet.payload_len);
        if let Some(before) = self.last_ns {
            let gap = packet.ts_ns.saturating_sub(before);
            side.iat.push(gap as f64 / SECOND as f64);
            side.iat_hist[bin(gap.max(0) as u64 / 1_000, 2)] += 1;
        }
        self.last_ns = Some(packet.ts_ns);
        if packet.payload_len > 0 {
            self.data(packet.ts_ns, payload);
        }
        if let Transport::Tcp(tcp) = &packet.transport {
            count_flags(&mut self.side, tcp);
        }
        false
    }

    fn data(&mut self, ts_ns: Ts, payload: &[u8]) {
        self.side.data_pkts += 1;
        if let Some(before) = self.last_data_ns {
            self.side.max_gap = self.side.max_gap.max(ts_ns.saturating_sub(before) as f64 / SECOND as f64);
        }
        self.last_data_ns = Some(ts_ns);
        let room = SAMPLE_BYTES.saturating_sub(self.sample.len());
        if room > 0 {
            self.sample.extend_from_slice(&payload[..payload.len().min(room)]);
        }
    }

    /// The finished side.
    pub fn finish(mut self) -> Side {
        self.side.entropy = entropy(&self.sample);
        self.side.printable = (!self.sample.is_empty()).then(|| {
            let printable = self.sample.iter().filter(|byte| matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n')).count();
            printable as f64 / self.sample.len() as f64
        });
        self.sample.truncate(FIRST_BYTES);
        self.side.first_bytes = self.sample;
        self.side
    }
}

fn count_flags(side: &mut Side, tcp: &Tcp) {
    for (bit, count) in side.flags.iter_mut().enumerate() {
        *count += u32::from(tcp.flags >> bit & 1);
    }
    side.init_win.get_or_insert(tcp.window);
}

/// Which of 16 bins: floor(log2(value)) / step.
fn bin(value: u64, step: usize) -> usize {
    (value.checked_ilog2().unwrap_or(0) as usize / step).min(15)
}
