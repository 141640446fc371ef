//! CDP: version, time to live, checksum, then types and lengths of two bytes each, which count themselves.

use super::{LIST_MAX, TEXT_MAX};
use crate::dissect::escape;
use crate::dissect::messages::Fields;
use crate::model::event::Neighbor;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Reads a message; `None` if no device is named.
pub(super) fn read(bytes: &[u8], eth_src: String) -> Option<Neighbor> {
    let mut fields = Fields(bytes);
    let version = fields.u8().filter(|version| (1..=2).contains(version))?;
    let mut row = Neighbor { eth_src, version: Some(version), ttl: fields.u8().map(u16::from), ..Neighbor::default() };
    fields.take(2)?;
    while let (Some(kind), Some(length)) = (fields.be16(), fields.be16()) {
        let Some(length) = usize::from(length).checked_sub(4) else { break };
        let Some(value) = fields.take(length.min(fields.0.len())) else { break };
        let text = || Some(escape(value, TEXT_MAX));
        let number = || value.first_chunk().map(|number| u16::from_be_bytes(*number));
        match kind {
            0x01 => row.device = text(),
            0x02 | 0x16 => addresses(value, &mut row.addresses),
            0x03 => row.port = text(),
            0x04 => row.capabilities = capabilities(value),
            0x05 => row.system_description = text(),
            0x06 => row.platform = text(),
            0x09 => row.vtp_domain = text(),
            0x0a => row.vlan = number(),
            0x0b => row.full_duplex = value.first().map(|&duplex| duplex != 0),
            // A telephone's VLAN stands behind a byte.
            0x0e => row.voice_vlan = value.get(1..).and_then(|vlan| vlan.first_chunk()).map(|vlan| u16::from_be_bytes(*vlan)),
            0x14 => row.system_name = text(),
            0x17 => row.port_description = text(),
            _ => {}
        }
    }
    row.device.is_some().then_some(row)
}

/// A number of addresses: kind and length of a protocol, the protocol, length of an address, the address.
fn addresses(value: &[u8], list: &mut Vec<String>) {
    let mut fields = Fields(value);
    let count = fields.be32().unwrap_or(0);
    for _ in 0..count.min(LIST_MAX as u32) {
        let (Some(_), Some(length)) = (fields.u8(), fields.u8()) else { return };
        if fields.take(usize::from(length)).is_none() {
            return;
        }
        let Some(address) = fields.be16().and_then(|length| fields.take(usize::from(length))) else { return };
        let shown = match address.len() {
            4 => address.first_chunk::<4>().map(|address| Ipv4Addr::from(*address).to_string()),
            16 => address.first_chunk::<16>().map(|address| Ipv6Addr::from(*address).to_string()),
            _ => None,
        };
        // Reachable and managing addresses are often the same.
        if let Some(shown) = shown.filter(|shown| list.len() < LIST_MAX && !list.contains(shown)) {
            list.push(shown);
        }
    }
}

fn capabilities(value: &[u8]) -> Vec<String> {
    const NAMES: [&str; 10] = [
        "router",
        "transparent_bridge",
        "source_route_bridge",
        "switch",
        "host",
        "igmp",
        "repeater",
        "telephone",
        "remotely_managed",
        "cvta",
    ];
    let bits = value.first_chunk().map_or(0, |bits| u32::from_be_bytes(*bits));
    NAMES.iter().enumerate().filter(|(bit, _)| bits >> bit & 1 == 1).map(|(_, name)| (*name).to_owned()).collect()
}
