//! RADIUS (RFC 2865): a login from its first request to the verdict is one row.

use super::{Answer, Chunk, Dissector, Out, Probe, Protocol, escape};
use crate::model::{Dir, Event, Proto, Ts, event::Radius};
use std::net::{IpAddr, Ipv4Addr};

/// Weak shape, so at home only.
pub const PROTOCOL: Protocol = Protocol { name: "radius", over: &[Proto::Udp], probe, make: |_| Box::new(Login::default()) };

/// Attributes read of one message.
const ATTRIBUTES_MAX: usize = 128;
/// Code, identifier, length, authenticator.
const HEADER: usize = 20;

/// Codes of a login.
mod code {
    pub const REQUEST: u8 = 1;
    pub const ACCEPT: u8 = 2;
    pub const REJECT: u8 = 3;
    pub const CHALLENGE: u8 = 11;
}

fn probe(probe: &Probe<'_>) -> Answer {
    let home = [1_812, 1_813, 1_645, 1_646, 3_799].iter().any(|port| [probe.orig_p, probe.resp_p].contains(port));
    let shape = match probe.bytes {
        [1..=5 | 11..=13 | 40..=45, _, high, low, ..] => {
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            (HEADER..=4_096).contains(&length) && length <= probe.bytes.len()
        }
        _ => false,
    };
    if home && shape { Answer::Certain } else { Answer::NotForUs }
}

/// Attributes: type and value.
fn attributes(message: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut rest = message.get(HEADER..).unwrap_or_default();
    std::iter::from_fn(move || {
        let &[kind, length, ..] = rest else { return None };
        let (now, later) = rest.split_at_checked(usize::from(length).max(2))?;
        rest = later;
        Some((kind, now.get(2..)?))
    })
    .take(ATTRIBUTES_MAX)
}

fn text(value: &[u8]) -> Option<String> {
    (!value.is_empty()).then(|| escape(value, 256))
}

fn address(value: &[u8]) -> Option<IpAddr> {
    Some(IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(value).ok()?)))
}

/// Twelve hex digits, however they are separated, as an address; anything else as it is.
fn station(value: &[u8]) -> Option<String> {
    let digits: Vec<char> =
        value.iter().filter(|byte| byte.is_ascii_hexdigit()).map(|&byte| char::from(byte.to_ascii_lowercase())).collect();
    let plain = value.iter().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'-' | b'.'));
    if digits.len() == 12 && plain {
        return Some(digits.chunks(2).map(|pair| pair.iter().collect::<String>()).collect::<Vec<_>>().join(":"));
    }
    text(value)
}

/// Sets what is not set yet.
fn first<T>(field: &mut Option<T>, value: Option<T>) {
    if field.is_none() {
        *field = value;
    }
}

#[derive(Default)]
struct Login {
    row: Box<Radius>,
    place: Option<(u64, Ts)>,
    seen: bool,
}

impl Login {
    fn request(&mut self, message: &[u8]) {
        let row = &mut self.row;
        for (kind, value) in attributes(message) {
            match kind {
                1 => first(&mut row.username, text(value)),
                2 => first(&mut row.method, Some("pap")),
                3 => first(&mut row.method, Some("chap")),
                4 => first(&mut row.nas_addr, address(value)),
                8 => first(&mut row.framed_addr, address(value)),
                // Microsoft's own attributes carry MS-CHAP (RFC 2548).
                26 if value.starts_with(&[0, 0, 1, 0x37]) => first(&mut row.method, Some("mschap")),
                30 => first(&mut row.called_station, text(value)),
                31 => first(&mut row.mac, station(value)),
                32 => first(&mut row.nas_id, text(value)),
                66 => first(&mut row.tunnel_client, text(value)),
                77 => first(&mut row.connect_info, text(value)),
                79 => first(&mut row.method, Some("eap")),
                _ => {}
            }
        }
    }

    fn answer(&mut self, message: &[u8]) {
        for (kind, value) in attributes(message) {
            match kind {
                8 => first(&mut self.row.framed_addr, address(value)),
                18 => first(&mut self.row.reply_msg, text(value)),
                _ => {}
            }
        }
    }

    fn verdict(&mut self, result: &'static str, chunk: &Chunk<'_>, out: &mut Out) {
        let Some((frame, ts_ns)) = self.place.take() else { return };
        let mut row = std::mem::take(&mut self.row);
        row.result = Some(result);
        row.reply_frame = Some(chunk.frame);
        row.ttl = Some(chunk.ts_ns.saturating_sub(ts_ns) as f64 / 1e9).filter(|&seconds| seconds > 0.0);
        out.say(frame, ts_ns, Event::Radius(row));
    }
}

impl Dissector for Login {
    fn data(&mut self, chunk: &Chunk<'_>, out: &mut Out) {
        let &[code, ..] = chunk.bytes else { return };
        if chunk.bytes.len() < HEADER {
            return;
        }
        self.seen = true;
        if matches!(code, code::REQUEST | code::ACCEPT | code::REJECT | code::CHALLENGE) {
            self.place.get_or_insert((chunk.frame, chunk.ts_ns));
        }
        match code {
            code::REQUEST => self.request(chunk.bytes),
            code::CHALLENGE => self.answer(chunk.bytes),
            code::ACCEPT => {
                self.answer(chunk.bytes);
                self.verdict("success", chunk, out);
            }
            code::REJECT => {
                self.answer(chunk.bytes);
                self.verdict("failed", chunk, out);
            }
            _ => {}
        }
    }

    fn end(&mut self, out: &mut Out) {
        if let Some((frame, ts_ns)) = self.place.take() {
            self.row.result = Some("unknown");
            out.say(frame, ts_ns, Event::Radius(std::mem::take(&mut self.row)));
        }
    }

    fn confirmed(&self) -> bool {
        self.seen
    }

    fn wants(&self, _dir: Dir) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::testing::{conn, down, play, said, up};
    use proptest::prelude::*;

    fn message(code: u8, attributes: &[(u8, &[u8])]) -> Vec<u8> {
        let list: Vec<u8> = attributes.iter().flat_map(|(kind, value)| [&[*kind, value.len() as u8 + 2], *value].concat()).collect();
        [&[code, 7][..], &((list.len() + HEADER) as u16).to_be_bytes(), &[5; 16], &list].concat()
    }

    #[test]
    fn a_login_is_one_row_up_to_its_verdict() {
        let ask = message(1, &[(1, b"jane"), (2, &[0; 16]), (31, b"00-11-22-AA-bb-CC"), (30, b"office-wifi"), (4, &[192, 0, 2, 9])]);
        let steps = [
            up(&ask),
            down(message(11, &[(18, b"code?")])),
            up(&ask),
            down(message(3, &[])),
            up(&ask),
            down(message(2, &[(8, &[10, 0, 0, 7])])),
            up(&ask),
        ];
        let (events, service) = play(conn(Proto::Udp, 1_812), &steps);
        let rows: Vec<_> = events.iter().filter_map(|event| if let Event::Radius(row) = &event.event { Some(row) } else { None }).collect();
        assert_eq!(rows.iter().map(|row| row.result).collect::<Vec<_>>(), [Some("failed"), Some("success"), Some("unknown")]);
        assert_eq!(
            (rows[0].username.as_deref(), rows[0].mac.as_deref(), rows[0].ttl),
            (Some("jane"), Some("00:11:22:aa:bb:cc"), Some(0.003))
        );
        assert_eq!(
            (rows[0].reply_msg.as_deref(), rows[0].method, rows[1].framed_addr),
            (Some("code?"), Some("pap"), Some([10, 0, 0, 7].into()))
        );
        assert_eq!((service, rows[0].called_station.as_deref()), ("radius", Some("office-wifi")));
    }

    proptest! {
        #[test]
        fn cuts_and_flips_are_survived(at in 0usize..60, to: u8, keep in 0usize..60) {
            let mut bytes = message(1, &[(1, b"jane"), (26, &[0, 0, 1, 0x37, 11, 2]), (79, &[1])]);
            bytes.truncate(keep);
            if let Some(byte) = bytes.get_mut(at) {
                *byte = to;
            }
            prop_assert!(said(conn(Proto::Udp, 1_812), &[up(&bytes), down(message(2, &[])), down(&bytes)]).len() <= 3);
        }
    }
}
