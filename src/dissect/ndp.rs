//! Neighbour discovery (RFC 4861, RFC 8106): who claims which address with which hardware, and who says to be a router.

use super::Out;
use crate::model::event::Ndp;
use crate::model::{Event, Mac, Packet};
use std::net::{IpAddr, Ipv6Addr};

/// Prefixes, resolvers and domains of one message.
const LIST_MAX: usize = 16;
/// Options of one message.
const OPTIONS_MAX: usize = 64;

/// The row of one message, if it is one: `kind` is its ICMPv6 type, `rest` bytes four to seven, `payload` what follows.
pub fn message(packet: &Packet, kind: u8, rest: [u8; 4], payload: &[u8], out: &mut Out) {
    let Some(row) = read(packet, kind, rest, payload) else { return };
    out.say(packet.frame, packet.ts_ns, Event::Ndp(Box::new(row)));
}

fn read(packet: &Packet, kind: u8, rest: [u8; 4], payload: &[u8]) -> Option<Ndp> {
    let ip = packet.ip()?;
    let mut row = Ndp { src: Some(ip.src), dst: Some(ip.dst), eth_src: packet.mac_src.to_string(), hop_limit: ip.ttl, ..Ndp::default() };
    let [first, second, third, fourth] = rest;
    let options = match kind {
        133 => {
            row.kind = "router_solicitation";
            payload
        }
        134 => {
            row.kind = "router_advertisement";
            row.router = true;
            row.cur_hop_limit = Some(first);
            (row.managed, row.other) = (second & 0x80 != 0, second & 0x40 != 0);
            // RFC 4191 2.2.
            row.preference = Some(["medium", "high", "medium", "low"].get(usize::from(second >> 3 & 3)).copied().unwrap_or("medium"));
            row.router_lifetime = Some(u16::from_be_bytes([third, fourth]));
            payload.get(8..).unwrap_or_default()
        }
        135 | 136 => {
            row.kind = if kind == 135 { "neighbor_solicitation" } else { "neighbor_advertisement" };
            if kind == 136 {
                (row.router, row.solicited, row.override_known) = (first & 0x80 != 0, first & 0x40 != 0, first & 0x20 != 0);
            }
            row.target = address(payload);
            payload.get(16..).unwrap_or_default()
        }
        137 => {
            row.kind = "redirect";
            row.target = address(payload);
            row.destination = payload.get(16..).and_then(address);
            payload.get(32..).unwrap_or_default()
        }
        _ => return None,
    };
    read_options(options, &mut row);
    Some(row)
}

/// Type, length in units of eight bytes, value.
fn read_options(mut bytes: &[u8], row: &mut Ndp) {
    for _ in 0..OPTIONS_MAX {
        let [kind, units @ 1..=u8::MAX, ..] = bytes else { return };
        let length = usize::from(*units) * 8;
        let Some((option, later)) = bytes.split_at_checked(length) else { return };
        bytes = later;
        let value = option.get(2..).unwrap_or_default();
        match *kind {
            1 => row.source_mac = value.first_chunk::<6>().map(|mac| Mac(*mac).to_string()),
            2 => row.target_mac = value.first_chunk::<6>().map(|mac| Mac(*mac).to_string()),
            3 if row.prefixes.len() < LIST_MAX => row.prefixes.extend(prefix(value)),
            5 => row.mtu = value.get(2..).and_then(|mtu| mtu.first_chunk()).map(|mtu| u32::from_be_bytes(*mtu)),
            25 => {
                let servers = value.get(6..).unwrap_or_default().as_chunks::<16>().0;
                let room = LIST_MAX - row.dns_servers.len();
                row.dns_servers.extend(servers.iter().take(room).map(|server| Ipv6Addr::from(*server).to_string()));
            }
            31 => domains(value.get(6..).unwrap_or_default(), &mut row.domains),
            _ => {}
        }
    }
}

/// Length, flags, valid and preferred seconds, reserved, prefix: `2001:db8::/64 LA 2592000`.
fn prefix(value: &[u8]) -> Option<String> {
    let (&[length, flags, a, b, c, d], rest) = value.split_first_chunk::<6>()?;
    let prefix = rest.get(8..)?.first_chunk::<16>()?;
    let mut text = format!("{}/{length} ", Ipv6Addr::from(*prefix));
    text.extend([(0x80, 'L'), (0x40, 'A')].iter().filter(|(bit, _)| flags & bit != 0).map(|(_, letter)| *letter));
    text.push_str(&format!(" {}", u32::from_be_bytes([a, b, c, d])));
    Some(text)
}

/// Names of labels, each ended by a zero, padded with zeros.
pub(super) fn domains(mut bytes: &[u8], list: &mut Vec<String>) {
    while list.len() < LIST_MAX && !bytes.is_empty() {
        let mut labels = Vec::new();
        while let Some((&length @ 1..=63, rest)) = bytes.split_first() {
            let Some((label, later)) = rest.split_at_checked(usize::from(length)) else { return };
            labels.push(super::escape(label, 63));
            bytes = later;
            if labels.len() > 32 {
                return;
            }
        }
        if labels.is_empty() {
            return;
        }
        list.push(labels.join("."));
        bytes = bytes.get(1..).unwrap_or_default();
    }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    bytes.first_chunk::<16>().map(|address| IpAddr::from(*address))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::packet::{Ip, Net};
    use crate::model::{FrameMeta, LinkType};
    use proptest::prelude::*;

    fn packet() -> Packet {
        let link = LinkType::ETHERNET;
        let meta = FrameMeta { number: 1, in_file: 1, offset: 0, ts_ns: 5, capture: 0, caplen: 60, wire_len: 60, start: 0, link };
        let [src, dst] = [1, 2].map(|last| IpAddr::from([0xfe80, 0, 0, 0, 0, 0, 0, last]));
        let ip = Ip { src, dst, proto: 58, ttl: 255, tos: 0, id: 0, total_len: 80, fragment: None, checksum_ok: None };
        Packet { mac_src: Mac([2, 0, 0, 0, 0, 9]), net: Net::Ip(ip), ..Packet::new(&meta) }
    }

    fn advertisement() -> Vec<u8> {
        let prefix = [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        [
            &[0; 8][..],
            &[1, 1, 2, 0, 0, 0, 0, 9],
            &[3, 4, 64, 0xc0, 0, 0, 0, 10, 0, 0, 0, 5, 0, 0, 0, 0],
            &prefix,
            &[5, 1, 0, 0, 0, 0, 5, 0xdc],
            &[25, 3, 0, 0, 0, 0, 0, 60],
            &prefix,
            &[31, 3, 0, 0, 0, 0, 0, 60, 3, b'l', b'a', b'b', 7, b'e', b'x', b'a', b'm', b'p', b'l', b'e', 0, 0, 0, 0],
        ]
        .concat()
    }

    #[test]
    fn a_router_advertisement_says_all_that_a_rogue_one_would_change() {
        let row = read(&packet(), 134, [64, 0x48, 7, 8], &advertisement()).unwrap();
        assert_eq!((row.kind, row.router_lifetime, row.preference, row.other), ("router_advertisement", Some(1_800), Some("high"), true));
        assert_eq!((row.eth_src.as_str(), row.source_mac.as_deref()), ("02:00:00:00:00:09", Some("02:00:00:00:00:09")));
        assert_eq!((row.prefixes.join(" "), row.mtu), ("2001:db8::/64 LA 10".to_owned(), Some(1_500)));
        assert_eq!((row.dns_servers.join(" "), row.domains.join(" ")), ("2001:db8::".to_owned(), "lab.example".to_owned()));
    }

    #[test]
    fn an_advertisement_claims_an_address() {
        let target = [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7];
        let row = read(&packet(), 136, [0xa0, 0, 0, 0], &[&target[..], &[2, 1, 2, 0, 0, 0, 0, 6]].concat()).unwrap();
        assert_eq!(
            (row.target.map(|ip| ip.to_string()).as_deref(), row.target_mac.as_deref()),
            (Some("fe80::7"), Some("02:00:00:00:00:06"))
        );
        assert_eq!((row.router, row.solicited, row.override_known, row.hop_limit), (true, false, true, 255));
        assert!(read(&packet(), 128, [0; 4], &[]).is_none());
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(noise in proptest::collection::vec(any::<u8>(), 0..200), kind in 133u8..138, end in 0usize..140) {
            let whole = advertisement();
            for payload in [&noise[..], &whole[..end.min(whole.len())]] {
                let row = read(&packet(), kind, [1, 2, 3, 4], payload).unwrap();
                prop_assert!(row.prefixes.len() <= LIST_MAX && row.dns_servers.len() <= LIST_MAX && row.domains.len() <= LIST_MAX);
            }
        }
    }
}
