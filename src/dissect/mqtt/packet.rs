//! What all MQTT packets share (MQTT 5.0, 2): type and flags, remaining length, texts, properties.

use super::{Answer, Fields, Length, TEXT_MAX, escape};

/// The remaining length (2.1.4: up to four bytes of seven bits) and how many bytes it takes; `None` if it is cut or too long.
pub(super) fn remaining(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = 0;
    for (at, &byte) in bytes.iter().take(4).enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((value, at + 1));
        }
    }
    None
}

/// A packet's length; flags that its type does not allow are no packet.
pub(super) fn length(bytes: &[u8]) -> Length {
    let Some((&head, rest)) = bytes.split_first() else { return Length::More };
    let allowed = match head >> 4 {
        0 => false,
        3 => head & 6 != 6,
        6 | 8 | 10 => head & 15 == 2,
        // Old clients flag these as PUBLISH.
        4 | 5 | 7 | 9 | 11 => true,
        _ => head & 15 == 0,
    };
    match remaining(rest) {
        _ if !allowed => Length::Wrong,
        Some((length, used)) => Length::Is(1 + used + length),
        None if rest.len() < 4 => Length::More,
        None => Length::Wrong,
    }
}

/// CONNECT: remaining length, then the protocol's name.
pub(super) fn opens(bytes: &[u8]) -> Answer {
    match bytes.split_first() {
        None => return Answer::Unsure,
        Some((0x10, _)) => {}
        Some(_) => return Answer::NotForUs,
    }
    let rest = bytes.get(1..).unwrap_or_default();
    let Some((length, used)) = remaining(rest) else { return if rest.len() < 4 { Answer::Unsure } else { Answer::NotForUs } };
    let name = rest.get(used..).unwrap_or_default();
    let known: [&[u8]; 2] = [b"\0\x04MQTT", b"\0\x06MQIsdp"];
    match known.iter().any(|known| name.starts_with(known)) {
        true => Answer::Certain,
        false if length > 10 && known.iter().any(|known| known.starts_with(name)) => Answer::Unsure,
        false => Answer::NotForUs,
    }
}

/// Packets from the middle of a session that fill their segment to the last byte: pings, acknowledgements, a message with a topic.
pub(super) fn in_session(bytes: &[u8]) -> Answer {
    let mut rest = bytes;
    let mut telling = false;
    while !rest.is_empty() {
        let Length::Is(whole) = length(rest) else { return Answer::NotForUs };
        let Some((packet, later)) = rest.split_at_checked(whole) else { break };
        telling |= match packet {
            [0x20 | 0x40 | 0x50 | 0x62 | 0x70 | 0xb0, 2, ..] | [0xc0 | 0xd0 | 0xe0, 0] => true,
            [0x82 | 0xa2 | 0x30..=0x3d, ..] => {
                let topic = if packet.first().is_some_and(|head| head >> 4 == 3) { 2 } else { 4 };
                packet.get(topic..).and_then(|at| Fields(at).counted16()).is_some_and(|text| !text.is_empty() && text.is_ascii())
            }
            _ => return Answer::NotForUs,
        };
        rest = later;
    }
    if telling { Answer::Certain } else { Answer::NotForUs }
}

/// A text behind its length.
pub(super) fn text(fields: &mut Fields<'_>) -> Option<String> {
    fields.counted16().map(|text| escape(text, TEXT_MAX))
}

/// Passes the properties of version 5.
pub(super) fn properties<'a>(fields: &mut Fields<'a>) -> &'a [u8] {
    let Some((length, used)) = remaining(fields.0) else { return &[] };
    fields.take(used);
    fields.take(length).unwrap_or_default()
}

/// `3.1`, `3.1.1`, `5.0`, as Zeek names them.
pub(super) fn version(number: u8) -> String {
    match number {
        3 => "3.1".to_owned(),
        4 => "3.1.1".to_owned(),
        5 => "5.0".to_owned(),
        other => format!("unknown-{other}"),
    }
}

/// The broker's answer in Zeek's words; of version 5 those that differ.
pub(super) fn status(code: u8, version: u8) -> String {
    let words = match (code, version) {
        (0, _) => "Connection Accepted",
        (1, _) => "Refused: unacceptable protocol version",
        (2, _) => "Refused: identifier rejected",
        (3, _) => "Refused: server unavailable",
        (4, _) => "Refused: bad user name or password",
        (5, _) => "Refused: not authorized",
        (0x84, 5..) => "Refused: unsupported protocol version",
        (0x85, 5..) => "Refused: client identifier not valid",
        (0x86, 5..) => "Refused: bad user name or password",
        (0x87, 5..) => "Refused: not authorized",
        (0x88, 5..) => "Refused: server unavailable",
        (0x8a, 5..) => "Refused: banned",
        (0x8c, 5..) => "Refused: bad authentication method",
        _ => return format!("unknown-{code}"),
    };
    words.to_owned()
}
