//! ARP (RFC 826): every message is a row, and a reply knows the request that it answers.

use crate::model::event::ArpMessage;
use crate::model::packet::Arp;
use crate::model::{AppEvent, Event, Packet, Ts, time::SECOND};
use std::collections::{HashMap, VecDeque};
use std::net::Ipv4Addr;

/// A reply later than this after its request was asked for by nobody.
const ANSWER_WAIT: i64 = 10 * SECOND;
/// Requests remembered; beyond it the oldest is forgotten. A sweep of a /16 fits.
const OPEN_MAX: usize = 65_536;

/// Requests that wait for their reply.
#[derive(Default)]
pub struct Exchanges {
    /// Who asks for whom → the last request's frame and time. Looked up, never iterated.
    open: HashMap<(Ipv4Addr, Ipv4Addr), (u64, Ts), ahash::RandomState>,
    order: VecDeque<((Ipv4Addr, Ipv4Addr), u64)>,
}

impl Exchanges {
    /// The row of one message. Messages come in order of frames.
    pub fn message(&mut self, packet: &Packet, arp: &Arp) -> AppEvent {
        let mut row = row(packet, arp);
        match arp.op {
            1 => self.ask((arp.spa, arp.tpa), packet),
            2 => {
                let asked = self.open.get(&(arp.tpa, arp.spa)).filter(|(_, ts)| packet.ts_ns.saturating_sub(*ts) <= ANSWER_WAIT);
                row.answers_frame = asked.map(|(frame, _)| *frame);
                row.answered_ms = asked.map(|(_, ts)| packet.ts_ns.saturating_sub(*ts) as f64 / 1e6);
            }
            _ => {}
        }
        AppEvent { conn: None, frame: packet.frame, ts_ns: packet.ts_ns, event: Event::Arp(Box::new(row)) }
    }

    fn ask(&mut self, who: (Ipv4Addr, Ipv4Addr), packet: &Packet) {
        self.open.insert(who, (packet.frame, packet.ts_ns));
        self.order.push_back((who, packet.frame));
        while self.order.len() > OPEN_MAX {
            let Some((oldest, frame)) = self.order.pop_front() else { break };
            // Asked again since: that request is younger.
            if self.open.get(&oldest).is_some_and(|(latest, _)| *latest == frame) {
                self.open.remove(&oldest);
            }
        }
    }
}

/// The message with the addresses of the frame that carried it.
fn row(packet: &Packet, arp: &Arp) -> ArpMessage {
    ArpMessage {
        op: arp.op,
        spa: arp.spa.to_string(),
        sha: arp.sha.to_string(),
        tpa: arp.tpa.to_string(),
        tha: arp.tha.to_string(),
        eth_src: packet.mac_src.to_string(),
        eth_dst: packet.mac_dst.to_string(),
        // A probe (RFC 5227) asks from 0.0.0.0: it announces nothing yet.
        gratuitous: arp.spa == arp.tpa && !arp.spa.is_unspecified(),
        answers_frame: None,
        answered_ms: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{FrameMeta, LinkType, Mac};

    fn packet(number: u64, ts_ns: Ts) -> Packet {
        let link = LinkType::ETHERNET;
        let meta = FrameMeta { number, in_file: number, offset: 0, ts_ns, capture: 0, caplen: 42, wire_len: 42, start: 0, link };
        Packet { mac_src: Mac([2, 0, 0, 0, 0, 9]), mac_dst: Mac([0xff; 6]), ..Packet::new(&meta) }
    }

    fn arp(op: u16, spa: [u8; 4], tpa: [u8; 4]) -> Arp {
        Arp { op, sha: Mac([2, 0, 0, 0, 0, 1]), spa: spa.into(), tha: Mac::default(), tpa: tpa.into() }
    }

    fn said(exchanges: &mut Exchanges, number: u64, ts_ns: Ts, arp: Arp) -> ArpMessage {
        let event = exchanges.message(&packet(number, ts_ns), &arp);
        assert_eq!((event.conn, event.frame, event.ts_ns), (None, number, ts_ns));
        let Event::Arp(row) = event.event else { unreachable!("an ARP row") };
        *row
    }

    #[test]
    fn a_request_keeps_the_addresses_of_message_and_frame() {
        let row = said(&mut Exchanges::default(), 3, 9, arp(1, [192, 0, 2, 1], [192, 0, 2, 7]));
        assert_eq!((row.spa.as_str(), row.tpa.as_str(), row.op), ("192.0.2.1", "192.0.2.7", 1));
        assert_eq!((row.sha.as_str(), row.tha.as_str()), ("02:00:00:00:00:01", "00:00:00:00:00:00"));
        assert_eq!((row.eth_src.as_str(), row.eth_dst.as_str()), ("02:00:00:00:00:09", "ff:ff:ff:ff:ff:ff"));
        assert!(!row.gratuitous);
    }

    #[test]
    fn announcing_oneself_is_gratuitous_and_probing_is_not() {
        let gratuitous = |spa, tpa| said(&mut Exchanges::default(), 1, 0, arp(1, spa, tpa)).gratuitous;
        assert!(gratuitous([192, 0, 2, 1], [192, 0, 2, 1]));
        assert!(!gratuitous([0; 4], [192, 0, 2, 1]));
        assert!(!gratuitous([0; 4], [0; 4]));
    }

    #[test]
    fn a_reply_names_the_request_it_answers_and_one_nobody_asked_for_names_none() {
        let (host, router) = ([192, 0, 2, 7], [192, 0, 2, 1]);
        let mut exchanges = Exchanges::default();
        let early = said(&mut exchanges, 1, 0, arp(2, router, host));
        assert_eq!(early.answers_frame, None);
        said(&mut exchanges, 2, 1_000_000, arp(1, host, router));
        let answer = said(&mut exchanges, 3, 3_500_000, arp(2, router, host));
        assert_eq!((answer.answers_frame, answer.answered_ms), (Some(2), Some(2.5)));
        let late = said(&mut exchanges, 4, 60 * SECOND, arp(2, router, host));
        assert_eq!(late.answers_frame, None);
    }

    #[test]
    fn memory_is_bounded_and_the_youngest_requests_stay() {
        let mut exchanges = Exchanges::default();
        for n in 0..OPEN_MAX as u32 + 10 {
            said(&mut exchanges, u64::from(n) + 1, 0, arp(1, [192, 0, 2, 7], (0x0a00_0000 + n).to_be_bytes()));
        }
        assert_eq!((exchanges.open.len(), exchanges.order.len()), (OPEN_MAX, OPEN_MAX));
        assert_eq!(said(&mut exchanges, 1 << 20, 1, arp(2, [10, 0, 0, 5], [192, 0, 2, 7])).answers_frame, None);
        assert!(said(&mut exchanges, 1 << 20, 1, arp(2, [10, 0, 0, 50], [192, 0, 2, 7])).answers_frame.is_some());
    }
}
