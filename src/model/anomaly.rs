//! What looks like a third hand in a conversation: rows of `tcp_anomaly`, and of `frag`.

use std::net::IpAddr;

/// Two segments of one side that one sender would hardly have sent.
#[derive(Clone, Debug, PartialEq)]
pub struct TcpAnomaly {
    /// `overlap_diff`, `rst_race`, `synack_diff_isn`, `ttl_outlier`.
    pub kind: &'static str,
    /// Both are said to come from the originator.
    pub is_orig: bool,
    /// Sequence number of the later one.
    pub seq: u32,
    /// Its payload bytes.
    pub len: u32,
    /// The earlier segment.
    pub a: Witness,
    /// The later one.
    pub b: Witness,
}

/// What a segment tells of its sender.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Witness {
    /// Its frame.
    pub frame: u64,
    /// Time to live or hop limit.
    pub ttl: u8,
    /// IP identification.
    pub ip_id: u32,
    /// First bytes where both overlap, at most 16.
    pub bytes: Vec<u8>,
}

/// The fragments of one datagram.
#[derive(Clone, Debug, PartialEq)]
pub struct Frag {
    /// Source.
    pub src: IpAddr,
    /// Destination.
    pub dst: IpAddr,
    /// IP identification.
    pub id: u32,
    /// IANA protocol number.
    pub proto: u8,
    /// Fragments seen.
    pub fragments: u32,
    /// Their frames, at most 256; the last is the one that completed the datagram.
    pub frames: Vec<u64>,
    /// Some repeat bytes of others.
    pub overlap: bool,
    /// Some contradict bytes of others.
    pub differs: bool,
    /// Payload bytes of the shortest but the last.
    pub shortest: u32,
    /// Where the farthest ends.
    pub end: u32,
    /// The datagram was put together.
    pub complete: bool,
    /// Why it was given up, if it was: the oddity's name.
    pub dropped: Option<&'static str>,
}
