//! IGMP (RFC 1112, RFC 2236, RFC 3376): who asks and who listens to which group.

use super::messages::Fields;
use crate::model::event::Igmp;
use crate::model::{AppEvent, Conn, Event, Packet};
use std::net::Ipv4Addr;

/// Groups of one report.
const GROUPS_MAX: usize = 32;
/// Sources of one group.
const SOURCES_MAX: u16 = 16;

/// The row of one message.
pub fn message(conn: Conn, packet: &Packet, payload: &[u8]) -> Option<AppEvent> {
    let mut row = read(payload)?;
    row.eth_src = packet.mac_src.to_string();
    Some(AppEvent { conn: Some(conn), frame: packet.frame, ts_ns: packet.ts_ns, event: Event::Igmp(Box::new(row)) })
}

fn read(payload: &[u8]) -> Option<Igmp> {
    let mut fields = Fields(payload);
    let (kind, wait) = (fields.u8()?, fields.u8()?);
    fields.be16()?;
    let mut row = Igmp { kind_code: kind, ..Igmp::default() };
    (row.version, row.kind) = match kind {
        // A query tells its version by its length, and version 1 by asking for no hurry.
        0x11 if payload.len() >= 12 => (3, "query"),
        0x11 => (if wait == 0 { 1 } else { 2 }, "query"),
        0x12 => (1, "report"),
        0x16 => (2, "report"),
        0x17 => (2, "leave"),
        0x22 => (3, "report"),
        _ => return None,
    };
    if kind == 0x22 {
        fields.be16()?;
        let count = fields.be16()?;
        row.groups = (0..count).map_while(|_| record(&mut fields)).take(GROUPS_MAX).collect();
        return Some(row);
    }
    row.max_response = (kind == 0x11).then_some(wait);
    let group = Ipv4Addr::from(fields.be32()?);
    row.groups.extend((!group.is_unspecified()).then(|| group.to_string()));
    Some(row)
}

/// A group record: `224.0.0.251 to_exclude`, `232.1.1.1/192.0.2.1 allow`.
fn record(fields: &mut Fields<'_>) -> Option<String> {
    let kind = match fields.u8()? {
        1 => "is_include",
        2 => "is_exclude",
        3 => "to_include",
        4 => "to_exclude",
        5 => "allow",
        6 => "block",
        _ => "unknown",
    };
    let (more, count, group) = (fields.u8()?, fields.be16()?, fields.be32()?);
    let mut text = Ipv4Addr::from(group).to_string();
    for at in 0..count {
        let source = fields.be32()?;
        if at < SOURCES_MAX {
            text.push(if at == 0 { '/' } else { ',' });
            text.push_str(&Ipv4Addr::from(source).to_string());
        }
    }
    fields.take(usize::from(more) * 4)?;
    Some(format!("{text} {kind}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_version_says_its_groups() {
        let told = |bytes: &[u8]| read(bytes).map(|row| (row.version, row.kind, row.groups.join(" ")));
        assert_eq!(told(&[0x11, 100, 0, 0, 0, 0, 0, 0]), Some((2, "query", String::new())));
        assert_eq!(told(&[0x16, 0, 0, 0, 239, 1, 2, 3]), Some((2, "report", "239.1.2.3".to_owned())));
        assert_eq!(told(&[0x17, 0, 0, 0, 239, 1, 2, 3]), Some((2, "leave", "239.1.2.3".to_owned())));
        let report = [0x22, 0, 0, 0, 0, 0, 0, 2, 4, 0, 0, 0, 224, 0, 0, 251, 5, 0, 0, 1, 232, 1, 1, 1, 192, 0, 2, 1];
        assert_eq!(told(&report), Some((3, "report", "224.0.0.251 to_exclude 232.1.1.1/192.0.2.1 allow".to_owned())));
        assert_eq!(told(&[0x99, 0, 0, 0, 0, 0, 0, 0]), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(kind in 0x10u8..0x24, noise in proptest::collection::vec(any::<u8>(), 0..200)) {
            let row = read(&[&[kind], &noise[..]].concat());
            prop_assert!(row.is_none_or(|row| row.groups.len() <= GROUPS_MAX));
        }
    }
}
