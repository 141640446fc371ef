//! What one frame says. Damage is a field of the result, never an early return.

use super::{FrameMeta, Mac, Proto, Ts};
use std::net::{IpAddr, Ipv4Addr};
use std::ops::Range;

/// One network packet found in a frame. A frame with tunnels holds several: `layer` 0 is the outermost.
#[derive(Clone, Debug)]
pub struct Packet {
    /// Frame number in the case.
    pub frame: u64,
    /// Capture time.
    pub ts_ns: Ts,
    /// Evidence file.
    pub capture: u32,
    /// Bytes captured of the whole frame.
    pub caplen: u32,
    /// Bytes of the whole frame on the wire.
    pub wire_len: u32,
    /// Nesting depth, 0 outermost.
    pub layer: u8,
    /// Link source address, zero if the link has none.
    pub mac_src: Mac,
    /// Link destination address, zero if the link has none.
    pub mac_dst: Mac,
    /// Outer and inner VLAN id, [`NO_VLAN`] where absent.
    pub vlans: [u16; 2],
    /// Ether type of what follows the link header, 0 if unknown.
    pub ethertype: u16,
    /// The network layer.
    pub net: Net,
    /// The transport layer.
    pub transport: Transport,
    /// Where the transport payload captured lies (after the transport header; after the network header if there is no transport).
    pub payload: Payload,
    /// Payload length that the headers announce; above the captured length when the frame is snapped.
    pub payload_len: u32,
    /// Where reading ended before the frame did, and why.
    pub stop: Option<Stop>,
    /// The tunnel that this packet is the outside of, whether or not what it carries could be read.
    pub carries: Option<Tunnel>,
    /// Which network this packet belongs to, among those that tunnels keep apart by a number ([`Tunnel::id`]): the numbers of all
    /// tunnels around it in one, 0 without any. Both directions of a conversation may have different ones.
    pub tenant: u64,
}

/// No VLAN tag.
pub const NO_VLAN: u16 = u16::MAX;

/// A tunnel header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tunnel {
    /// Which.
    pub kind: TunnelKind,
    /// The number that keeps the networks inside apart: VNI of VXLAN and Geneve, VSID of NVGRE, TEID of GTP.
    pub id: Option<u32>,
}

/// How packets travel in packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TunnelKind {
    /// IP in IP, all four ways.
    Ip,
    /// GRE, ERSPAN and PPTP among it, over IP or UDP.
    Gre,
    /// AYIYA.
    Ayiya,
    /// Teredo.
    Teredo,
    /// GTP version 1, user plane.
    Gtpv1,
    /// VXLAN.
    Vxlan,
    /// Geneve.
    Geneve,
    /// L2TP version 2.
    L2tp,
    /// CAPWAP, data channel.
    Capwap,
    /// A method of HTTP: CONNECT.
    Http,
    /// SOCKS.
    Socks,
    /// An authentication header (RFC 4302) before a transport: no tunnel, but a conversation inside of another one.
    Ah,
}

impl TunnelKind {
    /// As Zeek writes it in `tunnel_type`; the last three are ours.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ip => "Tunnel::IP",
            Self::Gre => "Tunnel::GRE",
            Self::Ayiya => "Tunnel::AYIYA",
            Self::Teredo => "Tunnel::TEREDO",
            Self::Gtpv1 => "Tunnel::GTPv1",
            Self::Vxlan => "Tunnel::VXLAN",
            Self::Geneve => "Tunnel::GENEVE",
            Self::Http => "Tunnel::HTTP",
            Self::Socks => "Tunnel::SOCKS",
            Self::L2tp => "Tunnel::L2TP",
            Self::Capwap => "Tunnel::CAPWAP",
            Self::Ah => "Tunnel::AH",
        }
    }

    /// The service of the flow that carries it, as Zeek names it; empty for what is no protocol of its own over UDP.
    pub fn service(self) -> &'static str {
        match self {
            Self::Ayiya => "ayiya",
            Self::Teredo => "teredo",
            Self::Gtpv1 => "gtpv1",
            Self::Vxlan => "vxlan",
            Self::Geneve => "geneve",
            Self::L2tp => "l2tp",
            Self::Capwap => "capwap",
            Self::Ip | Self::Gre | Self::Http | Self::Socks | Self::Ah => "",
        }
    }

    /// Whether it is known by its two addresses alone (Zeek's way), and not by the flow that carries it.
    pub fn between_hosts(self) -> bool {
        matches!(self, Self::Ip | Self::Gre)
    }
}

/// Where payload bytes lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// In the frame's own bytes.
    Frame(Range<u32>),
    /// In a datagram put together from fragments: owned, since it exists nowhere else.
    Joined(Box<[u8]>),
}

impl Payload {
    /// The bytes, out of the frame's.
    pub fn of<'a>(&'a self, frame: &'a [u8]) -> &'a [u8] {
        match self {
            Self::Frame(range) => frame.get(range.start as usize..range.end as usize).unwrap_or(&[]),
            Self::Joined(bytes) => bytes,
        }
    }
}

/// The network layer of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Net {
    /// None was recognised.
    None,
    /// An address resolution message.
    Arp(Arp),
    /// IPv4 or IPv6.
    Ip(Ip),
    /// Something that devices of a link tell each other: the payload is their message.
    Control(Control),
}

/// Protocols below IP that devices of one link speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// LLDP (IEEE 802.1AB).
    Lldp,
    /// CDP.
    Cdp,
    /// Spanning tree (IEEE 802.1D).
    Stp,
    /// Cisco's spanning tree per VLAN.
    Pvst,
}

impl Control {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lldp => "lldp",
            Self::Cdp => "cdp",
            Self::Stp | Self::Pvst => "stp",
        }
    }
}

/// An ARP message for IPv4 over 48-bit hardware addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arp {
    /// 1 request, 2 reply, else as sent.
    pub op: u16,
    /// Sender hardware address.
    pub sha: Mac,
    /// Sender protocol address.
    pub spa: Ipv4Addr,
    /// Target hardware address.
    pub tha: Mac,
    /// Target protocol address.
    pub tpa: Ipv4Addr,
}

/// An IP header, both versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ip {
    /// Source.
    pub src: IpAddr,
    /// Destination.
    pub dst: IpAddr,
    /// Protocol after all extension headers, IANA number.
    pub proto: u8,
    /// Time to live or hop limit.
    pub ttl: u8,
    /// DSCP and ECN byte.
    pub tos: u8,
    /// IPv4 identification, or that of an IPv6 fragment header; 0 without.
    pub id: u32,
    /// Length of the whole IP packet as its header says (IPv4 total length; IPv6 payload length + 40); for TSO zero lengths, as captured.
    pub total_len: u32,
    /// Set on every fragment that was not put together here.
    pub fragment: Option<Fragment>,
    /// Whether the IPv4 header checksum is right; `None` for IPv6 or where it could not be judged.
    pub checksum_ok: Option<bool>,
}

/// Place of a fragment in its datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fragment {
    /// Offset of its bytes in the datagram's payload.
    pub offset: u32,
    /// Whether more follow.
    pub more: bool,
}

/// The transport layer of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transport {
    /// None, or cut off, or a later fragment.
    None,
    /// TCP.
    Tcp(Tcp),
    /// UDP.
    Udp(Udp),
    /// ICMP or ICMPv6; which one, the IP protocol says.
    Icmp(Icmp),
    /// SCTP.
    Sctp(Sctp),
}

/// A TCP header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tcp {
    /// Source port.
    pub sport: u16,
    /// Destination port.
    pub dport: u16,
    /// Sequence number.
    pub seq: u32,
    /// Acknowledgement number.
    pub ack: u32,
    /// [`tcp_flags`] bits.
    pub flags: u16,
    /// Window as sent, unscaled.
    pub window: u16,
    /// Urgent pointer.
    pub urgent: u16,
    /// Maximum segment size option, 0 if absent.
    pub mss: u16,
    /// Window scale option.
    pub wscale: Option<u8>,
    /// Kinds of the options in order, up to 12, zero-padded: a fingerprint of the stack on SYN packets.
    pub option_kinds: [u8; 12],
    /// Whether the checksum is right; `None` when the segment was not captured whole, or the sender left it to the network card.
    pub checksum_ok: Option<bool>,
}

/// TCP flag bits as in the header.
pub mod tcp_flags {
    /// No more data.
    pub const FIN: u16 = 0x01;
    /// Synchronise.
    pub const SYN: u16 = 0x02;
    /// Reset.
    pub const RST: u16 = 0x04;
    /// Push.
    pub const PSH: u16 = 0x08;
    /// Acknowledgement.
    pub const ACK: u16 = 0x10;
    /// Urgent.
    pub const URG: u16 = 0x20;
    /// ECN echo.
    pub const ECE: u16 = 0x40;
    /// Congestion window reduced.
    pub const CWR: u16 = 0x80;
    /// Accurate ECN (formerly nonce sum).
    pub const AE: u16 = 0x100;
}

/// A UDP header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Udp {
    /// Source port.
    pub sport: u16,
    /// Destination port.
    pub dport: u16,
    /// Whether the checksum is right; `None` when absent, not judged, or left to the network card.
    pub checksum_ok: Option<bool>,
}

/// An SCTP common header (RFC 9260 3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sctp {
    /// Source port.
    pub sport: u16,
    /// Destination port.
    pub dport: u16,
    /// Verification tag.
    pub tag: u32,
    /// Type of the first chunk.
    pub chunk: u8,
}

/// An ICMP or ICMPv6 header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Icmp {
    /// Type.
    pub kind: u8,
    /// Code.
    pub code: u8,
    /// Identifier of echo messages, else bytes 4-5.
    pub id: u16,
    /// Sequence number of echo messages, else bytes 6-7.
    pub seq: u16,
}

/// Where and why reading a frame ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Stop {
    /// Layer at which it ended: `link`, `network`, `transport`.
    pub layer: &'static str,
    /// Zeek's weird name where it has one: `truncated_header`, `unknown_link_type`, `unknown_ethertype`, `bad_ip_length` …
    pub why: &'static str,
    /// Byte offset in the frame.
    pub offset: u32,
    /// The number that was not understood (link type, ether type, protocol), or the length announced.
    pub number: u32,
}

impl Packet {
    /// An empty packet for `frame`: nothing recognised yet.
    pub fn new(meta: &FrameMeta) -> Self {
        Self {
            frame: meta.number,
            ts_ns: meta.ts_ns,
            capture: meta.capture,
            caplen: meta.caplen,
            wire_len: meta.wire_len,
            layer: 0,
            mac_src: Mac::default(),
            mac_dst: Mac::default(),
            vlans: [NO_VLAN; 2],
            ethertype: 0,
            net: Net::None,
            transport: Transport::None,
            payload: Payload::Frame(0..0),
            payload_len: 0,
            stop: None,
            carries: None,
            tenant: 0,
        }
    }

    /// The IP header, if there is one.
    pub fn ip(&self) -> Option<&Ip> {
        match &self.net {
            Net::Ip(ip) => Some(ip),
            _ => None,
        }
    }

    /// Transport as Zeek names it.
    pub fn proto(&self) -> Proto {
        match self.transport {
            Transport::Tcp(_) => Proto::Tcp,
            Transport::Udp(_) => Proto::Udp,
            Transport::Icmp(_) => Proto::Icmp,
            Transport::Sctp(_) => Proto::Sctp,
            Transport::None => Proto::Other,
        }
    }
}
