//! LLDP (IEEE 802.1AB 8): types of seven bits, lengths of nine, then values; those of 802.1, 802.3 and LLDP-MED that name something.

use super::{LIST_MAX, TEXT_MAX, mac};
use crate::dissect::messages::Fields;
use crate::dissect::{escape, hex};
use crate::model::event::Neighbor;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Reads a message; `None` if it does not begin with who speaks.
pub(super) fn read(bytes: &[u8], eth_src: String) -> Option<Neighbor> {
    let mut fields = Fields(bytes);
    let mut row = Neighbor { eth_src, ..Neighbor::default() };
    let mut first = true;
    while let Some(head) = fields.be16() {
        let (kind, length) = (head >> 9, usize::from(head & 0x1ff));
        // The last value may be cut off.
        let value = fields.take(length.min(fields.0.len()))?;
        if std::mem::take(&mut first) && kind != 1 {
            return None;
        }
        match kind {
            0 => break,
            1 => row.device = identity(value, 4, 5),
            2 => row.port = identity(value, 3, 4),
            3 => row.ttl = value.first_chunk().map(|ttl| u16::from_be_bytes(*ttl)),
            4 => row.port_description = Some(escape(value, TEXT_MAX)),
            5 => row.system_name = Some(escape(value, TEXT_MAX)),
            6 => row.system_description = Some(escape(value, TEXT_MAX)),
            7 => row.capabilities = capabilities(value),
            8 if row.addresses.len() < LIST_MAX => row.addresses.extend(management(value)),
            127 => organisation(value, &mut row),
            _ => {}
        }
    }
    row.device.is_some().then_some(row)
}

/// A sub-type, then an identity: a hardware address, a network address, or words. The numbers of the first two differ.
fn identity(value: &[u8], mac_kind: u8, address_kind: u8) -> Option<String> {
    let (&kind, rest) = value.split_first()?;
    if kind == mac_kind
        && rest.len() == 6
        && let Some(mac) = mac(rest)
    {
        return Some(mac);
    }
    if kind == address_kind
        && let Some((family, address)) = rest.split_first()
        && let Some(address) = network(*family, address)
    {
        return Some(address);
    }
    Some(escape(rest, TEXT_MAX))
}

/// An address of IANA's family 1 or 2.
fn network(family: u8, bytes: &[u8]) -> Option<String> {
    match family {
        1 => bytes.first_chunk::<4>().map(|address| Ipv4Addr::from(*address).to_string()),
        2 => bytes.first_chunk::<16>().map(|address| Ipv6Addr::from(*address).to_string()),
        _ => None,
    }
}

/// Length, family, address.
fn management(value: &[u8]) -> Option<String> {
    let (&length, rest) = value.split_first()?;
    let (&family, address) = rest.get(..usize::from(length))?.split_first()?;
    Some(
        network(family, address)
            .or_else(|| mac(address).filter(|_| family == 6))
            .unwrap_or_else(|| hex(address.get(..32).unwrap_or(address))),
    )
}

/// What the device can do and does: the second word of bits.
fn capabilities(value: &[u8]) -> Vec<String> {
    const NAMES: [&str; 11] = [
        "other",
        "repeater",
        "bridge",
        "wlan_access_point",
        "router",
        "telephone",
        "docsis_cable_device",
        "station",
        "customer_vlan",
        "service_vlan",
        "two_port_relay",
    ];
    let enabled = value.get(2..4).and_then(|bits| bits.first_chunk()).map_or(0, |bits| u16::from_be_bytes(*bits));
    NAMES.iter().enumerate().filter(|(bit, _)| enabled >> bit & 1 == 1).map(|(_, name)| (*name).to_owned()).collect()
}

/// Values of organisations: 802.1's VLAN, LLDP-MED's policy and inventory.
fn organisation(value: &[u8], row: &mut Neighbor) {
    let [a, b, c, kind, rest @ ..] = value else { return };
    match ([*a, *b, *c], *kind) {
        ([0x00, 0x80, 0xc2], 1) => row.vlan = rest.first_chunk().map(|vlan| u16::from_be_bytes(*vlan)),
        // Application, then flags, VLAN of twelve bits, priority, class.
        ([0x00, 0x12, 0xbb], 2) => {
            if let [1, high, middle, ..] = rest {
                row.voice_vlan = Some((u16::from_be_bytes([*high, *middle]) >> 1) & 0xfff);
            }
        }
        ([0x00, 0x12, 0xbb], 10) => row.platform = Some(escape(rest, TEXT_MAX)),
        ([0x00, 0x12, 0xbb], number @ 5..=11) if row.inventory.len() < LIST_MAX => {
            const NAMES: [&str; 7] = ["hardware", "firmware", "software", "serial", "manufacturer", "model", "asset"];
            if let Some(name) = NAMES.get(usize::from(number - 5)) {
                row.inventory.push(format!("{name}={}", escape(rest, 64)));
            }
        }
        _ => {}
    }
}
