//! One BOOTP or DHCP message: fixed fields (RFC 2131 section 2) and options (RFC 2132), read as far as they go.

use crate::dissect::{escape, hex};
use crate::model::event::DhcpMessage;
use std::net::Ipv4Addr;

/// Length of the fixed fields, before the cookie.
const FIXED: usize = 236;
/// What tells DHCP from plain BOOTP.
const COOKIE: [u8; 4] = [0x63, 0x82, 0x53, 0x63];
/// Bytes of one text that are kept.
const TEXT_MAX: usize = 1_024;
/// Where the fixed fields hold options too, if option 52 says so: `file` is 1, `sname` is 2.
const FILE: std::ops::Range<usize> = 108..236;
const SNAME: std::ops::Range<usize> = 44..108;

/// Whether these bytes begin like a message: operation, hardware type and length, and the cookie in its place.
pub fn is_dhcp(bytes: &[u8]) -> bool {
    matches!(bytes, [1 | 2, _, 0..=16, ..]) && bytes.get(FIXED..FIXED + COOKIE.len()) == Some(&COOKIE[..])
}

/// Reads one message.
pub fn parse(bytes: &[u8]) -> Option<DhcpMessage> {
    if !is_dhcp(bytes) {
        return None;
    }
    let mut message = DhcpMessage {
        op: *bytes.first()?,
        xid: be32(bytes.get(4..)?)?,
        yiaddr: address(bytes.get(16..)?),
        siaddr: address(bytes.get(20..)?),
        giaddr: address(bytes.get(24..)?),
        chaddr: mac(bytes.get(28..44)?),
        ..DhcpMessage::default()
    };
    let options = bytes.get(FIXED + COOKIE.len()..)?;
    let mut overload = 0;
    each(options, |code, value| match (code, value.first()) {
        (52, Some(&which)) => overload = which,
        _ => option(&mut message, code, value),
    });
    if overload & 1 != 0 {
        each(bytes.get(FILE)?, |code, value| option(&mut message, code, value));
    } else {
        message.boot_file = message.boot_file.or(text(until_zero(bytes.get(FILE)?)));
    }
    if overload & 2 != 0 {
        each(bytes.get(SNAME)?, |code, value| option(&mut message, code, value));
    }
    Some(message)
}

/// Walks over options up to the end mark, or to the first that is not whole.
fn each<'a>(mut rest: &'a [u8], mut take: impl FnMut(u8, &'a [u8])) {
    while let Some((&code, after)) = rest.split_first() {
        match code {
            0 => rest = after,
            255 => return,
            _ => {
                let Some((&length, after)) = after.split_first() else { return };
                let Some((value, after)) = after.split_at_checked(usize::from(length)) else { return };
                take(code, value);
                rest = after;
            }
        }
    }
}

fn option(message: &mut DhcpMessage, code: u8, value: &[u8]) {
    match code {
        1 => message.subnet_mask = be32(value).map(Ipv4Addr::from),
        3 => message.routers = addresses(value),
        6 => message.dns_servers = addresses(value),
        12 => message.host_name = text(value),
        15 => message.domain = text(trimmed(value)),
        42 => message.ntp_servers = addresses(value),
        50 => message.requested = be32(value).map(Ipv4Addr::from),
        51 => message.lease = be32(value),
        53 if message.kind == 0 => message.kind = value.first().copied().unwrap_or(0),
        54 => message.server_id = be32(value).map(Ipv4Addr::from),
        55 => message.param_list = value.to_vec(),
        56 => message.message = text(value),
        60 => message.vendor_class = text(value),
        61 => {
            message.client_id = Some(hex(value));
            // Type 1 is Ethernet (RFC 2132 9.14).
            message.client_id_mac = value.split_first().filter(|(kind, _)| **kind == 1).and_then(|(_, address)| mac(address));
        }
        67 => message.boot_file = text(trimmed(value)),
        77 => message.user_class = text(value),
        81 => message.client_fqdn = value.get(3..).and_then(text),
        82 => relay_agent(message, value),
        252 => message.wpad = text(trimmed(value.strip_suffix(b"\n").unwrap_or(value))),
        _ => {}
    }
}

/// RFC 3046: sub-options of one byte of code and one of length.
fn relay_agent(message: &mut DhcpMessage, mut rest: &[u8]) {
    while let [code, length, after @ ..] = rest {
        let Some((value, after)) = after.split_at_checked(usize::from(*length)) else { return };
        match code {
            1 => message.circuit_id = text(value),
            2 => message.remote_id = text(value),
            6 => message.subscriber_id = text(value),
            _ => {}
        }
        rest = after;
    }
}

fn be32(bytes: &[u8]) -> Option<u32> {
    bytes.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}

/// An address that is one: not `0.0.0.0`.
fn address(bytes: &[u8]) -> Option<Ipv4Addr> {
    be32(bytes).filter(|&number| number != 0).map(Ipv4Addr::from)
}

fn addresses(value: &[u8]) -> Vec<Ipv4Addr> {
    value.as_chunks::<4>().0.iter().map(|bytes| Ipv4Addr::from(*bytes)).collect()
}

/// Six bytes, or eight where the next two are used (as Zeek prints hardware addresses); nothing where there are fewer.
fn mac(bytes: &[u8]) -> Option<String> {
    let long = bytes.get(6..8).is_some_and(|more| more != [0, 0]);
    let digits = bytes.get(..if long { 8 } else { 6 })?;
    Some(digits.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":"))
}

fn text(bytes: &[u8]) -> Option<String> {
    (!bytes.is_empty()).then(|| escape(bytes, TEXT_MAX))
}

/// Without the zeros that some senders end texts with.
fn trimmed(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    &bytes[..end]
}

fn until_zero(bytes: &[u8]) -> &[u8] {
    bytes.split(|&byte| byte == 0).next().unwrap_or_default()
}
