//! ARP (RFC 826): every message is a row.

use crate::model::event::ArpMessage;
use crate::model::packet::Arp;
use crate::model::{AppEvent, Event, Packet};

/// The row of one message, with the addresses of the frame that carried it.
pub fn message(packet: &Packet, arp: &Arp) -> AppEvent {
    let message = ArpMessage {
        op: arp.op,
        spa: arp.spa.to_string(),
        sha: arp.sha.to_string(),
        tpa: arp.tpa.to_string(),
        tha: arp.tha.to_string(),
        eth_src: packet.mac_src.to_string(),
        eth_dst: packet.mac_dst.to_string(),
        // A probe (RFC 5227) asks from 0.0.0.0: it announces nothing yet.
        gratuitous: arp.spa == arp.tpa && !arp.spa.is_unspecified(),
    };
    AppEvent { conn: None, frame: packet.frame, ts_ns: packet.ts_ns, event: Event::Arp(Box::new(message)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{FrameMeta, LinkType, Mac};
    use std::net::Ipv4Addr;

    fn said(spa: [u8; 4], tpa: [u8; 4]) -> ArpMessage {
        let meta = FrameMeta {
            number: 3,
            in_file: 3,
            offset: 0,
            ts_ns: 9,
            capture: 0,
            caplen: 42,
            wire_len: 42,
            start: 0,
            link: LinkType::ETHERNET,
        };
        let packet = Packet { mac_src: Mac([2, 0, 0, 0, 0, 9]), mac_dst: Mac([0xff; 6]), ..Packet::new(&meta) };
        let (spa, tpa) = (Ipv4Addr::from(spa), Ipv4Addr::from(tpa));
        let arp = Arp { op: 1, sha: Mac([2, 0, 0, 0, 0, 1]), spa, tha: Mac::default(), tpa };
        let event = message(&packet, &arp);
        assert_eq!((event.conn, event.frame, event.ts_ns), (None, 3, 9));
        let Event::Arp(row) = event.event else { unreachable!("an ARP row") };
        *row
    }

    #[test]
    fn a_request_keeps_the_addresses_of_message_and_frame() {
        let row = said([192, 0, 2, 1], [192, 0, 2, 7]);
        assert_eq!((row.spa.as_str(), row.tpa.as_str(), row.op), ("192.0.2.1", "192.0.2.7", 1));
        assert_eq!((row.sha.as_str(), row.tha.as_str()), ("02:00:00:00:00:01", "00:00:00:00:00:00"));
        assert_eq!((row.eth_src.as_str(), row.eth_dst.as_str()), ("02:00:00:00:00:09", "ff:ff:ff:ff:ff:ff"));
        assert!(!row.gratuitous);
    }

    #[test]
    fn announcing_oneself_is_gratuitous_and_probing_is_not() {
        assert!(said([192, 0, 2, 1], [192, 0, 2, 1]).gratuitous);
        assert!(!said([0; 4], [192, 0, 2, 1]).gratuitous);
        assert!(!said([0; 4], [0; 4]).gratuitous);
    }
}
