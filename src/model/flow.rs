//! A flow: both directions of one conversation, as Zeek's `conn` log sees it. A row of `flows` and of `flow_shape`.

use super::{Mac, Proto, Ts};
use std::fmt;
use std::net::IpAddr;

/// `first_frame * 16 + layer`: unique with tunnels, the same on every run, searchable in Wireshark.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct FlowId(pub u64);

impl FlowId {
    /// The id of a flow that begins in `first_frame` at nesting depth `layer`.
    pub fn new(first_frame: u64, layer: u8) -> Self {
        Self(first_frame * 16 + u64::from(layer.min(15)))
    }

    /// Frame it begins in.
    pub fn first_frame(self) -> u64 {
        self.0 / 16
    }
}

impl fmt::Display for FlowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 % 16 {
            0 => write!(f, "{}", self.0 / 16),
            layer => write!(f, "{}/{layer}", self.0 / 16),
        }
    }
}

impl std::str::FromStr for FlowId {
    type Err = std::num::ParseIntError;

    /// Reads what `Display` writes: `1042` or `1042/1`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (frame, layer) = text.split_once('/').unwrap_or((text, "0"));
        Ok(Self(frame.parse::<u64>()?.saturating_mul(16) | u64::from(layer.parse::<u8>()?.min(15))))
    }
}

/// Why a flow was written out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EndReason {
    /// TCP closed or reset, and its linger passed.
    Closed,
    /// No packet for the idle timeout.
    Idle,
    /// Longer than the active timeout.
    Active,
    /// The capture ended.
    CaptureEnd,
    /// The flow table was full and this one was the idlest.
    Memory,
}

impl EndReason {
    /// As stored in `end_reason`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Idle => "idle",
            Self::Active => "active",
            Self::CaptureEnd => "capture_end",
            Self::Memory => "memory",
        }
    }
}

/// Count, mean, variance, extremes of a series, online (Welford 1962).
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Moments {
    /// Values seen.
    pub n: u64,
    /// Mean.
    pub mean: f64,
    /// Sum of squared deviations.
    pub m2: f64,
    /// Smallest; meaningless while `n` is 0.
    pub min: f64,
    /// Largest; meaningless while `n` is 0.
    pub max: f64,
}

impl Moments {
    /// Takes one value in.
    pub fn push(&mut self, value: f64) {
        self.n += 1;
        let delta = value - self.mean;
        self.mean += delta / self.n as f64;
        self.m2 += delta * (value - self.mean);
        self.min = if self.n == 1 { value } else { self.min.min(value) };
        self.max = if self.n == 1 { value } else { self.max.max(value) };
    }

    /// The mean, unless nothing was seen.
    pub fn mean(&self) -> Option<f64> {
        (self.n > 0).then_some(self.mean)
    }

    /// Sample standard deviation (n-1), from two values on.
    pub fn std(&self) -> Option<f64> {
        (self.n > 1).then(|| (self.m2 / (self.n - 1) as f64).max(0.0).sqrt())
    }
}

/// How the IP identifications of one sender follow each other: a trait of its system, and of whoever speaks in its name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IpIds {
    /// Always 0 (and always so in IPv6).
    Zero,
    /// Always the same.
    Constant,
    /// Each a little above the one before.
    Rising,
    /// Anything else.
    Mixed,
}

impl IpIds {
    /// As stored in `ipid_mode`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Zero => "zero",
            Self::Constant => "constant",
            Self::Rising => "rising",
            Self::Mixed => "mixed",
        }
    }

    /// After the first two, and after each further one.
    pub fn next(so_far: Option<Self>, before: u32, now: u32) -> Self {
        // Other conversations of the same system take numbers in between; IPv4 has 16 bits of them.
        const LITTLE: u32 = 1_024;
        let step = now.wrapping_sub(before) & 0xffff;
        let this = match (before | now, step) {
            (0, _) => Self::Zero,
            (_, 0) => Self::Constant,
            (_, 1..LITTLE) => Self::Rising,
            _ => Self::Mixed,
        };
        if so_far.is_none_or(|so_far| so_far == this) { this } else { Self::Mixed }
    }
}

/// One direction of a flow.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Side {
    /// Address.
    pub mac: Mac,
    /// Every packet.
    pub pkts: u64,
    /// Sum of IP lengths.
    pub ip_bytes: u64,
    /// Payload bytes; for TCP by sequence numbers, as Zeek counts. `None`: nothing to count (Zeek's unset).
    pub bytes: Option<u64>,
    /// Payload bytes of the packets themselves, retransmissions included.
    pub payload_bytes: u64,
    /// Packets recognised as capture duplicates, included in `pkts`, left out of features.
    pub dup_pkts: u64,
    /// Payload bytes that were never seen though acknowledged or jumped over.
    pub missed_bytes: u64,
    /// Packets with payload.
    pub data_pkts: u64,
    /// Retransmitted segments.
    pub retrans: u64,
    /// Segments that arrived out of order.
    pub ooo: u64,
    /// Segments that announced a zero window.
    pub zero_win: u64,
    /// Duplicate acknowledgements.
    pub dup_acks: u64,
    /// Times that bytes were missing (Zeek's `g`).
    pub gaps: u64,
    /// Packets whose TCP or UDP checksum is wrong, unless the sender plainly left it to its network card.
    pub bad_checksums: u64,
    /// How many packets had FIN, SYN, RST, PSH, ACK, URG, ECE, CWR.
    pub flags: [u32; 8],
    /// Least TTL, 0 if no packet.
    pub ttl_min: u8,
    /// Greatest TTL.
    pub ttl_max: u8,
    /// First window seen.
    pub init_win: Option<u16>,
    /// DSCP and ECN byte of the first packet.
    pub tos: u8,
    /// How the IP identification goes on from packet to packet; `None` below two packets.
    pub ip_ids: Option<IpIds>,
    /// IP lengths without duplicates, bytes.
    pub len: Moments,
    /// Transport payload lengths without duplicates, bytes.
    pub payload_len: Moments,
    /// Gaps between consecutive packets of this direction, seconds.
    pub iat: Moments,
    /// Packets by floor(log2(IP length)), 16 bins.
    pub len_hist: [u32; 16],
    /// Gaps by floor(log2(microseconds))/2, 16 bins.
    pub iat_hist: [u32; 16],
    /// First payload bytes, at most 64.
    pub first_bytes: Vec<u8>,
    /// Shannon entropy of the first 256 payload bytes, bits per byte.
    pub entropy: Option<f64>,
    /// Share of printable ASCII in the first 256 payload bytes.
    pub printable: Option<f64>,
    /// Longest pause between two data packets of this direction, seconds.
    pub max_gap: f64,
}

/// Options and numbers of the first SYN.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SynInfo {
    /// Maximum segment size, 0 if absent.
    pub mss: u16,
    /// Window scale.
    pub wscale: Option<u8>,
    /// Option kinds in order, zero-padded.
    pub option_kinds: [u8; 12],
    /// Window.
    pub window: u16,
    /// Whether a SYN was seen at all.
    pub seen: bool,
}

/// A finished flow.
#[derive(Clone, Debug, PartialEq)]
pub struct Flow {
    /// Its id.
    pub id: FlowId,
    /// First frame (case number).
    pub first_frame: u64,
    /// Last frame (case number).
    pub last_frame: u64,
    /// Evidence file of the first frame.
    pub capture: u32,
    /// First packet.
    pub ts_ns: Ts,
    /// Last packet.
    pub last_ns: Ts,
    /// Zeek's `duration`, nanoseconds: `None` for a single packet.
    pub duration_ns: Option<i64>,
    /// Originator.
    pub orig_h: IpAddr,
    /// Originator's port; ICMP type.
    pub orig_p: u16,
    /// Responder.
    pub resp_h: IpAddr,
    /// Responder's port; ICMP code or counterpart type.
    pub resp_p: u16,
    /// Transport.
    pub proto: Proto,
    /// IANA protocol number.
    pub ip_proto: u8,
    /// Outer and inner VLAN id.
    pub vlans: [Option<u16>; 2],
    /// Nesting depth, 0 outermost.
    pub layer: u8,
    /// The tunnels it travelled in, innermost only, in order of appearance: flows, or rows of `tunnel` where no flow carries them.
    pub tunnel_parents: Vec<FlowId>,
    /// Services confirmed by content, joined by commas, in the order confirmed: `dns`, `http`, `tls`, `ssh`.
    pub service: String,
    /// `SF`, `S0`, `REJ` …; `OTH` where there is nothing to say.
    pub conn_state: &'static str,
    /// Zeek's letters.
    pub history: String,
    /// Zeek's `missed_bytes`: what is missing between two sides that had established, both directions.
    pub missed_bytes: u64,
    /// Community ID v1, seed 0.
    pub community_id: String,
    /// Why it was written out.
    pub end: EndReason,
    /// No SYN seen: it began before the capture, or on another path.
    pub midstream: bool,
    /// Flags of the first packet (TCP).
    pub first_flags: u16,
    /// The originator was changed after the first packet (Zeek's `^`).
    pub flipped: bool,
    /// First SYN of the originator.
    pub syn: SynInfo,
    /// Seconds from SYN to SYN-ACK.
    pub rtt_syn: Option<f64>,
    /// Originator's side: "forward".
    pub orig: Side,
    /// Responder's side: "backward".
    pub resp: Side,
    /// IP lengths of both directions without duplicates.
    pub len: Moments,
    /// Gaps between consecutive packets of both directions, seconds.
    pub iat: Moments,
    /// First eight payload-carrying packets: length, negative from the responder.
    pub first_lens: Vec<i32>,
    /// Their distances in time, microseconds, from the packet before.
    pub first_iats_us: Vec<i64>,
    /// Frames worth showing: the first eight and the last, ascending.
    pub frames: Vec<u64>,
}
