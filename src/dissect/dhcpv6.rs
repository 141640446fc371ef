//! DHCPv6 (RFC 8415): every message, with who speaks and what is asked for and given.

use super::messages::Fields;
use super::{Answer, Chunk, Dissector, Out, Probe, Protocol, escape, hex, ndp};
use crate::model::{Dir, Event, Mac, Proto, event::Dhcpv6};
use std::net::{IpAddr, Ipv6Addr};

/// How DHCPv6 is recognised and read.
pub const PROTOCOL: Protocol = Protocol { name: "dhcpv6", over: &[Proto::Udp], probe, make: |_| Box::new(Session::default()) };

/// Entries of one list.
const LIST_MAX: usize = 16;
/// Options of one message, those within options included.
const OPTIONS_MAX: usize = 128;
/// Relays around relays.
const DEPTH_MAX: u8 = 8;
/// Bytes of a DUID that are shown (RFC 8415 11.1: at most 130).
const DUID_MAX: usize = 130;

/// On its ports (546, 547), a known message whose options fill it.
fn probe(probe: &Probe<'_>) -> Answer {
    let home = [probe.orig_p, probe.resp_p].contains(&547) || [probe.orig_p, probe.resp_p] == [546, 546];
    let options = match probe.bytes {
        [1..=11, _, _, _, rest @ ..] => rest,
        [12 | 13, rest @ ..] => rest.get(33..).unwrap_or_default(),
        _ => return Answer::NotForUs,
    };
    let known = |bytes: &[u8]| bytes.first_chunk().is_some_and(|kind| (1..=143).contains(&u16::from_be_bytes(*kind)));
    if home && known(options) { Answer::Certain } else { Answer::NotForUs }
}

#[derive(Default)]
struct Session {
    seen: bool,
}

impl Dissector for Session {
    fn data(&mut self, chunk: &Chunk<'_>, out: &mut Out) {
        let mut row = Dhcpv6 { is_orig: chunk.dir == Dir::Orig, ..Dhcpv6::default() };
        if message(chunk.bytes, &mut row, 0).is_some() {
            self.seen = true;
            out.say(chunk.frame, chunk.ts_ns, Event::Dhcpv6(Box::new(row)));
        }
    }

    fn confirmed(&self) -> bool {
        self.seen
    }
}

const KINDS: [&str; 13] = [
    "SOLICIT",
    "ADVERTISE",
    "REQUEST",
    "CONFIRM",
    "RENEW",
    "REBIND",
    "REPLY",
    "RELEASE",
    "DECLINE",
    "RECONFIGURE",
    "INFORMATION-REQUEST",
    "RELAY-FORW",
    "RELAY-REPL",
];

/// A message; that of a relay holds another, whose kind is the row's.
fn message(bytes: &[u8], row: &mut Dhcpv6, depth: u8) -> Option<()> {
    let mut fields = Fields(bytes);
    let kind = fields.u8()?;
    row.msg_type = KINDS.get(usize::from(kind).checked_sub(1)?)?;
    if matches!(kind, 12 | 13) {
        fields.u8()?;
        row.relay_link = fields.take(16).and_then(address);
        row.relay_peer = fields.take(16).and_then(address);
    } else {
        let id = fields.take(3)?.first_chunk::<3>()?;
        row.xid = u32::from_be_bytes([0, id[0], id[1], id[2]]);
    }
    let mut budget = OPTIONS_MAX;
    options(fields, row, depth, &mut budget);
    Some(())
}

/// Number, length, value; some hold options themselves.
fn options(mut fields: Fields<'_>, row: &mut Dhcpv6, depth: u8, budget: &mut usize) {
    while let (Some(kind), Some(length)) = (fields.be16(), fields.be16()) {
        let Some(value) = fields.take(usize::from(length).min(fields.0.len())) else { return };
        let Some(left) = budget.checked_sub(1) else { return };
        *budget = left;
        match kind {
            1 => (row.client_duid, row.client_mac) = duid(value),
            2 => (row.server_duid, row.server_mac) = duid(value),
            // Addresses and prefixes stand in their association, behind its id and times.
            3 | 25 => options(Fields(value.get(12..).unwrap_or_default()), row, depth, budget),
            4 => options(Fields(value.get(4..).unwrap_or_default()), row, depth, budget),
            5 => push(&mut row.addresses, value.get(..16).and_then(address).map(|address| address.to_string())),
            26 => {
                let prefix = value.get(9..25).and_then(address).zip(value.get(8));
                push(&mut row.prefixes, prefix.map(|(prefix, length)| format!("{prefix}/{length}")));
            }
            6 => row.option_request = value.as_chunks::<2>().0.iter().take(64).map(|pair| u16::from_be_bytes(*pair)).collect(),
            9 if depth < DEPTH_MAX => {
                message(value, row, depth + 1);
            }
            13 => {
                let code = value.first_chunk().map_or(0, |code| u16::from_be_bytes(*code));
                let words = escape(value.get(2..).unwrap_or_default(), 256);
                row.status = (code != 0).then(|| format!("{code} {words}").trim_end().to_owned());
            }
            16 => row.vendor_class = vendor_class(value),
            23 => value.as_chunks::<16>().0.iter().for_each(|server| push(&mut row.dns_servers, Some(Ipv6Addr::from(*server).to_string()))),
            24 => ndp::domains(value, &mut row.domains),
            39 => {
                let mut names = Vec::new();
                let name = value.get(1..).unwrap_or_default();
                // A name that is not qualified has no zero behind it.
                ndp::domains(&[name, &[0]].concat(), &mut names);
                row.client_fqdn = names.into_iter().next();
            }
            _ => {}
        }
    }
}

fn push(list: &mut Vec<String>, entry: Option<String>) {
    list.extend(entry.filter(|_| list.len() < LIST_MAX));
}

/// A DUID and the hardware address in it (RFC 8415 11): with a time before it, or without.
fn duid(value: &[u8]) -> (Option<String>, Option<String>) {
    let mac = match value {
        [0, 1, 0, 1, _, _, _, _, mac @ ..] if mac.len() == 6 => mac.first_chunk::<6>(),
        [0, 3, 0, 1, mac @ ..] if mac.len() == 6 => mac.first_chunk::<6>(),
        _ => None,
    };
    (Some(hex(value.get(..DUID_MAX).unwrap_or(value))), mac.map(|mac| Mac(*mac).to_string()))
}

/// Enterprise number, then a class behind its length.
fn vendor_class(value: &[u8]) -> Option<String> {
    let mut fields = Fields(value);
    let number = fields.be32()?;
    Some(format!("{number} {}", escape(fields.counted16().unwrap_or_default(), 128)).trim_end().to_owned())
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    bytes.first_chunk::<16>().map(|address| IpAddr::from(*address))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::testing::{conn, down, play, said, up};
    use proptest::prelude::*;

    fn option(kind: u16, value: &[u8]) -> Vec<u8> {
        [&kind.to_be_bytes()[..], &(value.len() as u16).to_be_bytes(), value].concat()
    }

    fn solicit() -> Vec<u8> {
        [
            vec![1, 0xaa, 0xbb, 0xcc],
            option(1, &[0, 1, 0, 1, 1, 2, 3, 4, 2, 0, 0, 0, 0, 9]),
            option(6, &[0, 23, 0, 24]),
            option(39, b"\0\x02pc\x07example"),
            option(16, b"\0\0\x01\x37\0\x04MSFT"),
        ]
        .concat()
    }

    fn reply() -> Vec<u8> {
        let host = [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5];
        let given = [&[0, 0, 0, 1][..], &[0; 8], &option(5, &[&host[..], &[0; 8]].concat())].concat();
        [
            vec![7, 0xaa, 0xbb, 0xcc],
            option(2, &[0, 3, 0, 1, 2, 0, 0, 0, 0, 7]),
            option(3, &given),
            option(23, &host),
            option(24, b"\x03lab\0"),
        ]
        .concat()
    }

    #[test]
    fn messages_say_who_and_what() {
        let events = said(conn(Proto::Udp, 547), &[up(solicit()), down(reply())]);
        let rows: Vec<_> = events.iter().filter_map(|event| if let Event::Dhcpv6(row) = event { Some(row) } else { None }).collect();
        assert_eq!((rows[0].msg_type, rows[0].xid, rows[0].client_mac.as_deref()), ("SOLICIT", 0x00aa_bbcc, Some("02:00:00:00:00:09")));
        assert_eq!((rows[0].client_fqdn.as_deref(), rows[0].vendor_class.as_deref()), (Some("pc.example"), Some("311 MSFT")));
        assert_eq!(rows[0].option_request, [23, 24]);
        assert_eq!((rows[1].msg_type, rows[1].server_mac.as_deref()), ("REPLY", Some("02:00:00:00:00:07")));
        assert_eq!((rows[1].addresses.join(" "), rows[1].domains.join(" ")), ("2001:db8::5".to_owned(), "lab".to_owned()));
    }

    #[test]
    fn what_a_relay_carries_is_read_and_other_ports_are_not() {
        let relayed = [&[12, 0][..], &[0; 15], &[1], &[0; 15], &[2], &option(9, &solicit())].concat();
        let (events, service) = play(conn(Proto::Udp, 547), &[up(relayed)]);
        assert!(matches!(&events[0].event, Event::Dhcpv6(row) if row.msg_type == "SOLICIT" && row.relay_peer.is_some()), "{events:?}");
        assert_eq!((service, play(conn(Proto::Udp, 9_999), &[up(solicit())]).1), ("dhcpv6", ""));
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(noise in proptest::collection::vec(any::<u8>(), 0..200), kind in 0u8..15, end in 0usize..90, at in 0usize..90, bit in 0u8..8) {
            let mut flipped = reply();
            if let Some(byte) = flipped.get_mut(at) {
                *byte ^= 1 << bit;
            }
            let steps = [up(solicit()), up([&[kind, 1, 2, 3], &noise[..]].concat()), down(&flipped), down(&reply()[..end.min(80)])];
            prop_assert!(said(conn(Proto::Udp, 547), &steps).len() <= 4);
        }
    }
}
