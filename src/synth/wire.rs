//! Headers and checksums as a network card would send them. Written by hand rather than with the crate that decodes
//! them, so that reading them back is a check.

use std::net::IpAddr;

/// TCP flag bits (RFC 9293, 3.1).
pub const FIN: u8 = 0x01;
pub const SYN: u8 = 0x02;
pub const RST: u8 = 0x04;
pub const PSH: u8 = 0x08;
pub const ACK: u8 = 0x10;
pub const URG: u8 = 0x20;

/// IP protocol numbers.
pub const ICMP: u8 = 1;
pub const TCP: u8 = 6;
pub const UDP: u8 = 17;
pub const ICMP6: u8 = 58;

/// To everybody on the segment.
pub const BROADCAST: [u8; 6] = [0xff; 6];

/// Ethernet frames are at least this long without their check sequence; a card pads shorter ones with zeros.
const MINIMUM: usize = 60;

/// What an IP header says beyond the lengths and checksums.
#[derive(Clone, Copy, Debug)]
pub struct Ip {
    pub src: IpAddr,
    pub dst: IpAddr,
    pub ttl: u8,
    pub id: u16,
    pub protocol: u8,
}

/// Sender's and receiver's hardware address.
#[derive(Clone, Copy, Debug)]
pub struct Macs {
    pub src: [u8; 6],
    pub dst: [u8; 6],
}

/// What a TCP header says.
#[derive(Clone, Debug, Default)]
pub struct Segment {
    pub src_port: u16,
    pub dst_port: u16,
    pub seq: u32,
    pub ack: u32,
    pub flags: u8,
    pub window: u16,
    /// Already padded to a multiple of four.
    pub options: Vec<u8>,
}

/// The one's complement sum of RFC 1071, not yet folded.
fn sum(bytes: &[u8]) -> u64 {
    let pairs = bytes.chunks_exact(2);
    let odd = pairs.remainder().first().map_or(0, |last| u64::from(*last) << 8);
    pairs.map(|pair| u64::from(u16::from_be_bytes([pair[0], pair[1]]))).sum::<u64>() + odd
}

/// Folds a sum to the checksum that stands in a header.
fn fold(mut sum: u64) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// What TCP, UDP and ICMPv6 add to their checksum from the IP header.
fn pseudo(ip: &Ip, length: usize) -> u64 {
    let addresses = match (ip.src, ip.dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => sum(&src.octets()) + sum(&dst.octets()),
        (IpAddr::V6(src), IpAddr::V6(dst)) => sum(&src.octets()) + sum(&dst.octets()),
        _ => 0,
    };
    addresses + u64::from(ip.protocol) + length as u64
}

fn ip_header(ip: &Ip, payload: usize) -> Vec<u8> {
    match (ip.src, ip.dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            let mut header = vec![0x45, 0];
            header.extend(((payload + 20) as u16).to_be_bytes());
            header.extend(ip.id.to_be_bytes());
            header.extend([0x40, 0, ip.ttl, ip.protocol, 0, 0]);
            header.extend(src.octets());
            header.extend(dst.octets());
            let checksum = fold(sum(&header));
            header[10..12].copy_from_slice(&checksum.to_be_bytes());
            header
        }
        (src, dst) => {
            let mut header = vec![0x60, 0, 0, 0];
            header.extend((payload as u16).to_be_bytes());
            header.extend([ip.protocol, ip.ttl]);
            header.extend(sixteen(src));
            header.extend(sixteen(dst));
            header
        }
    }
}

fn sixteen(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => v6.octets(),
    }
}

/// The IP packet around `transport`, whose checksum field stands at `checksum_at`.
pub fn packet(ip: &Ip, mut transport: Vec<u8>, checksum_at: usize) -> Vec<u8> {
    let cover = if ip.protocol == ICMP { 0 } else { pseudo(ip, transport.len()) };
    let mut checksum = fold(cover + sum(&transport));
    if ip.protocol == UDP && checksum == 0 {
        checksum = 0xffff;
    }
    transport[checksum_at..checksum_at + 2].copy_from_slice(&checksum.to_be_bytes());
    let mut out = ip_header(ip, transport.len());
    out.append(&mut transport);
    out
}

/// A piece of an IPv4 packet: `bytes` of its payload that begin at `offset` (a multiple of eight), and whether `more` follow.
pub fn fragment(ip: &Ip, offset: usize, more: bool, bytes: &[u8]) -> Vec<u8> {
    let mut out = ip_header(ip, bytes.len());
    let field = (offset / 8) as u16 | if more { 0x2000 } else { 0 };
    out[6..8].copy_from_slice(&field.to_be_bytes());
    out[10..12].copy_from_slice(&[0; 2]);
    let checksum = fold(sum(&out));
    out[10..12].copy_from_slice(&checksum.to_be_bytes());
    out.extend_from_slice(bytes);
    out
}

/// An Ethernet II frame, padded as a card pads it.
pub fn ethernet(macs: Macs, ether_type: u16, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(14 + payload.len().max(MINIMUM));
    out.extend(macs.dst);
    out.extend(macs.src);
    out.extend(ether_type.to_be_bytes());
    out.extend_from_slice(payload);
    if out.len() < MINIMUM {
        out.resize(MINIMUM, 0);
    }
    out
}

/// The frame that carries an IP packet.
pub fn ip_frame(macs: Macs, ip: &Ip, transport: Vec<u8>, checksum_at: usize) -> Vec<u8> {
    let ether_type = if ip.src.is_ipv4() { 0x0800 } else { 0x86dd };
    ethernet(macs, ether_type, &packet(ip, transport, checksum_at))
}

/// A TCP segment; its checksum stands at 16.
pub fn tcp(head: &Segment, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(20 + head.options.len() + payload.len());
    out.extend(head.src_port.to_be_bytes());
    out.extend(head.dst_port.to_be_bytes());
    out.extend(head.seq.to_be_bytes());
    out.extend(head.ack.to_be_bytes());
    out.push(((20 + head.options.len()) as u8 / 4) << 4);
    out.push(head.flags);
    out.extend(head.window.to_be_bytes());
    out.extend([0; 4]);
    out.extend_from_slice(&head.options);
    out.extend_from_slice(payload);
    out
}

/// A UDP datagram; its checksum stands at 6.
pub fn udp(src_port: u16, dst_port: u16, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(8 + payload.len());
    out.extend(src_port.to_be_bytes());
    out.extend(dst_port.to_be_bytes());
    out.extend(((8 + payload.len()) as u16).to_be_bytes());
    out.extend([0; 2]);
    out.extend_from_slice(payload);
    out
}

/// An ICMP message; its checksum stands at 2. `rest` is the second word of the header.
pub fn icmp(kind: u8, code: u8, rest: u32, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![kind, code, 0, 0];
    out.extend(rest.to_be_bytes());
    out.extend_from_slice(payload);
    out
}

/// One side of an ARP packet (RFC 826).
#[derive(Clone, Copy, Debug)]
pub struct ArpSide {
    pub mac: [u8; 6],
    pub ip: [u8; 4],
}

/// An ARP packet: `operation` 1 asks, 2 answers.
pub fn arp(operation: u16, sender: ArpSide, target: ArpSide) -> Vec<u8> {
    let mut out = vec![0, 1, 8, 0, 6, 4];
    out.extend(operation.to_be_bytes());
    for side in [sender, target] {
        out.extend(side.mac);
        out.extend(side.ip);
    }
    out
}
