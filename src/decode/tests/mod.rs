//! Frames built by hand, any bytes at all, and the real captures if they are there.

#![allow(clippy::panic)]

use super::{Defragmenter, frame};
use crate::model::packet::{Icmp, Ip, Payload, Tcp, Transport, Udp};
use crate::model::{Frame, FrameMeta, LinkType, Packet};

mod any_bytes;
mod captures;
mod fragments;
mod links;
mod networks;
mod transports;
mod tunnels;
mod tunnels_over_udp;

const MACS: ([u8; 6], [u8; 6]) = ([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]);
const V4: ([u8; 4], [u8; 4]) = ([192, 0, 2, 1], [198, 51, 100, 2]);
const V6: ([u8; 16], [u8; 16]) =
    ([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]);

fn meta(link: LinkType, caplen: usize, wire_len: usize) -> FrameMeta {
    let (caplen, wire_len) = (caplen as u32, wire_len as u32);
    FrameMeta { number: 7, in_file: 7, offset: 0, ts_ns: 1_000, capture: 0, caplen, wire_len, start: 0, link }
}

/// All packets of a frame that was captured whole.
fn packets(link: LinkType, bytes: &[u8]) -> Vec<Packet> {
    snapped(link, bytes, bytes.len())
}

/// All packets of the first `caplen` bytes.
fn snapped(link: LinkType, bytes: &[u8], caplen: usize) -> Vec<Packet> {
    let mut out = Vec::new();
    frame(Frame { meta: &meta(link, caplen, bytes.len()), bytes: &bytes[..caplen] }, &mut out);
    out
}

/// The only packet of an Ethernet frame.
fn ethernet(bytes: &[u8]) -> Packet {
    only(packets(LinkType::ETHERNET, bytes))
}

fn only(mut packets: Vec<Packet>) -> Packet {
    assert_eq!(packets.len(), 1, "{packets:?}");
    packets.remove(0)
}

fn ip(packet: &Packet) -> &Ip {
    packet.ip().expect("an IP header")
}

fn tcp(packet: &Packet) -> &Tcp {
    let Transport::Tcp(tcp) = &packet.transport else { panic!("no TCP: {packet:?}") };
    tcp
}

fn udp(packet: &Packet) -> &Udp {
    let Transport::Udp(udp) = &packet.transport else { panic!("no UDP: {packet:?}") };
    udp
}

fn icmp(packet: &Packet) -> &Icmp {
    let Transport::Icmp(icmp) = &packet.transport else { panic!("no ICMP: {packet:?}") };
    icmp
}

fn why(packet: &Packet) -> Option<(&'static str, &'static str, u32)> {
    packet.stop.map(|stop| (stop.layer, stop.why, stop.number))
}

/// A UDP datagram in IPv4 with nothing before it.
fn ipv4_udp(payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let ip = etherparse::IpHeaders::Ipv4(
        etherparse::Ipv4Header::new(8 + payload.len() as u16, 64, etherparse::ip_number::UDP, V4.0, V4.1).expect("short enough"),
        Default::default(),
    );
    etherparse::PacketBuilder::ip(ip).udp(4000, 53).write(&mut bytes, payload).expect("a vector takes all");
    bytes
}

/// A UDP datagram in IPv6 with nothing before it.
fn ipv6_udp(payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    etherparse::PacketBuilder::ipv6(V6.0, V6.1, 64).udp(4000, 53).write(&mut bytes, payload).expect("a vector takes all");
    bytes
}

/// `head` and then `tail`.
fn joined(head: &[u8], tail: &[u8]) -> Vec<u8> {
    [head, tail].concat()
}

/// An Ethernet frame.
fn framed(kind: u16, payload: &[u8]) -> Vec<u8> {
    [&MACS.1[..], &MACS.0, &kind.to_be_bytes(), payload].concat()
}
