//! Who serves, guessed by port where the start of a connection was missed. A hint only; a seen SYN decides.

use super::key::Place;
use crate::model::Packet;
use crate::model::packet::{Tcp, Transport, tcp_flags};
use std::net::{IpAddr, Ipv4Addr};

/// TCP ports that Zeek's protocol scripts register as those of servers (`likely_server_ports`).
const TCP: &[u16] = &[
    21, 22, 25, 53, 79, 80, 81, 88, 102, 110, 111, 135, 139, 143, 389, 443, 445, 502, 514, 563, 585, 587, 614, 631, 636, 989, 990, 992,
    993, 995, 1080, 1433, 1434, 1883, 2811, 3128, 3268, 3306, 3389, 5060, 5061, 5222, 5223, 5269, 5432, 6379, 6666, 6667, 6668, 6669, 8000,
    8080, 8888, 20000,
];
/// The same for UDP.
const UDP: &[u16] =
    &[53, 67, 88, 111, 123, 137, 161, 162, 389, 443, 514, 784, 1812, 2123, 2152, 3478, 3544, 4789, 5060, 5072, 5353, 5355, 6081, 20000];

/// Whether the first packet seen of a flow was sent by the responder.
pub fn looks_reversed(packet: &Packet, place: &Place) -> bool {
    let (sport, dport) = (place.src.1, place.dst.1);
    // Nobody answers to a group.
    if is_group(place.dst.0) {
        return false;
    }
    match &packet.transport {
        Transport::Tcp(tcp) => tcp_reversed(tcp, sport, dport),
        Transport::Udp(_) => is_one_of(UDP, sport) && !is_one_of(UDP, dport),
        _ => false,
    }
}

fn tcp_reversed(tcp: &Tcp, sport: u16, dport: u16) -> bool {
    let (syn, ack) = (tcp.flags & tcp_flags::SYN != 0, tcp.flags & tcp_flags::ACK != 0);
    if (syn && !ack) || !is_one_of(TCP, sport) {
        return false;
    }
    // Where both ports are servers', a SYN-ACK tells, and else the lower port is the likelier.
    syn || !is_one_of(TCP, dport) || sport < dport
}

fn is_one_of(ports: &[u16], port: u16) -> bool {
    ports.binary_search(&port).is_ok()
}

/// Broadcast to everyone, or multicast.
fn is_group(addr: IpAddr) -> bool {
    addr.is_multicast() || addr == IpAddr::V4(Ipv4Addr::BROADCAST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_in_order_so_that_they_are_found() {
        assert!(TCP.is_sorted() && UDP.is_sorted());
    }

    #[test]
    fn a_server_speaks_first_where_its_port_says_so_and_no_syn_contradicts() {
        let tcp = |flags| Tcp {
            sport: 0,
            dport: 0,
            seq: 0,
            ack: 0,
            flags,
            window: 0,
            urgent: 0,
            mss: 0,
            wscale: None,
            option_kinds: [0; 12],
            checksum_ok: None,
        };
        let (syn, syn_ack, ack) = (tcp(tcp_flags::SYN), tcp(tcp_flags::SYN | tcp_flags::ACK), tcp(tcp_flags::ACK));
        assert!(!tcp_reversed(&syn, 80, 50_000), "a SYN decides");
        assert!(tcp_reversed(&syn_ack, 80, 50_000));
        assert!(!tcp_reversed(&syn_ack, 6705, 50_000), "nobody knows who serves");
        assert!(tcp_reversed(&syn_ack, 8000, 1080), "both might, but only servers answer");
        assert!(tcp_reversed(&ack, 80, 8080) && !tcp_reversed(&ack, 8080, 80));
    }
}
