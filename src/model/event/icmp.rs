//! ICMP.

use std::net::IpAddr;

/// One ICMP or ICMPv6 message.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IcmpMessage {
    /// ICMPv6.
    pub v6: bool,
    /// Sent by the flow's originator.
    pub is_orig: bool,
    /// Type.
    pub kind: u8,
    /// Code.
    pub code: u8,
    /// Echo identifier.
    pub echo_id: Option<u16>,
    /// Echo sequence number.
    pub echo_seq: Option<u16>,
    /// Payload bytes after the eight-byte header.
    pub len: u32,
    /// Entropy of the payload, bits per byte.
    pub entropy: Option<f64>,
    /// A reply whose payload equals its request's; `None` where there is nothing to compare.
    pub reply_match: Option<bool>,
    /// Known filler: `windows` (abc…w), `increment` (ping), `zero`, `constant`; empty otherwise.
    pub pattern: &'static str,
    /// First 32 bytes of the payload, hex.
    pub first_bytes: String,
    /// Error messages: source of the packet they quote.
    pub inner_src: Option<IpAddr>,
    /// Its destination.
    pub inner_dst: Option<IpAddr>,
    /// Its protocol number.
    pub inner_proto: Option<u8>,
    /// Its source port.
    pub inner_sport: Option<u16>,
    /// Its destination port.
    pub inner_dport: Option<u16>,
    /// First eight bytes of the payload's SHA-256, hex; empty where it was not captured whole.
    pub payload_sha: String,
    /// Redirects: the router to use instead.
    pub gateway: Option<IpAddr>,
}
