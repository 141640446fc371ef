//! Where the data connection will be.

use crate::model::Conn;
use std::net::{IpAddr, Ipv4Addr};

/// A data connection agreed on.
#[derive(Debug, PartialEq)]
pub(in crate::dissect) struct Channel {
    pub passive: bool,
    pub orig_h: IpAddr,
    pub resp_h: IpAddr,
    pub resp_p: u16,
}

impl Channel {
    /// What this command and its reply agree on, if anything.
    pub fn of(conn: &Conn, command: &str, arg: Option<&str>, reply: Option<(u16, &str)>) -> Option<Self> {
        let passive = |(resp_h, resp_p)| Self { passive: true, orig_h: conn.orig_h, resp_h, resp_p };
        let active = |(resp_h, resp_p)| Self { passive: false, orig_h: conn.resp_h, resp_h, resp_p };
        match (command, reply) {
            (_, Some((227, text))) => six_numbers(text).map(passive),
            (_, Some((229, text))) => extended_port(text).map(|port| passive((conn.resp_h, port))),
            (_, Some((400.., _))) => None,
            ("PORT", _) => six_numbers(arg?).map(active),
            ("EPRT", _) => extended_address(arg?).map(active),
            _ => None,
        }
    }
}

/// `h1,h2,h3,h4,p1,p2` somewhere in a text (RFC 959 5.1; RFC 1123 4.1.2.6 asks to look for it anywhere).
fn six_numbers(text: &str) -> Option<(IpAddr, u16)> {
    let inside = |c: char| c.is_ascii_digit() || c == ',';
    text.split(|c| !inside(c)).find_map(|list| {
        let numbers: Vec<u8> = list.split(',').map(|number| number.parse().ok()).collect::<Option<_>>()?;
        let [a, b, c, d, high, low] = numbers.try_into().ok()?;
        Some((Ipv4Addr::new(a, b, c, d).into(), u16::from_be_bytes([high, low])))
    })
}

/// `(|||port|)` (RFC 2428 3), any delimiter.
fn extended_port(text: &str) -> Option<u16> {
    let (_, inner) = text.split_once('(')?;
    let delimiter = inner.chars().next()?;
    inner.split(delimiter).nth(3)?.parse().ok()
}

/// `|family|address|port|` (RFC 2428 2).
fn extended_address(arg: &str) -> Option<(IpAddr, u16)> {
    let delimiter = arg.chars().next()?;
    let mut fields = arg.split(delimiter).skip(2);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_wherever_servers_put_them() {
        let expected = Some((IpAddr::from([192, 0, 2, 1]), 0x1234));
        for text in ["Entering Passive Mode (192,0,2,1,18,52).", "192,0,2,1,18,52", "= 192,0,2,1,18,52 ok 1,2"] {
            assert_eq!(six_numbers(text), expected, "{text}");
        }
        for text in ["", "(192,0,2,1,18)", "(192,0,2,1,18,300)", "(192,0,2,1,18,52,1)"] {
            assert_eq!(six_numbers(text), None, "{text}");
        }
        assert_eq!(extended_port("Entering Extended Passive Mode (|||60931|)"), Some(60_931));
        assert_eq!(extended_port("(|||99999|)"), None);
        assert_eq!(extended_address("|2|2001:db8::1|49189|"), Some(("2001:db8::1".parse().unwrap(), 49_189)));
        assert_eq!(extended_address("|"), None);
    }
}
