//! Protocols below IP that devices of a link speak: spanning tree, LLDP, CDP. They repeat themselves every few seconds: a row is the first
//! message of a sender, and each that differs from its last.

mod cdp;
mod lldp;
mod stp;
#[cfg(test)]
mod tests;

use crate::model::packet::Control;
use crate::model::{AppEvent, Event, Mac, Packet};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Senders remembered; beyond it every message is a row.
const SENDERS_MAX: usize = 16_384;
/// Bytes of a text.
const TEXT_MAX: usize = 512;
/// Addresses and the like of one message.
const LIST_MAX: usize = 16;

/// What each sender said last.
#[derive(Default)]
pub struct Devices {
    /// Looked up, never iterated.
    last: HashMap<(Mac, &'static str, u16, u16), u64, ahash::RandomState>,
}

impl Devices {
    /// The row of one message, if it says something new. Messages come in order of frames.
    pub fn message(&mut self, packet: &Packet, kind: Control, bytes: &[u8]) -> Option<AppEvent> {
        let eth_src = packet.mac_src.to_string();
        let (event, port) = match kind {
            Control::Lldp => (Event::Lldp(Box::new(lldp::read(bytes, eth_src)?)), 0),
            Control::Cdp => (Event::Cdp(Box::new(cdp::read(bytes, eth_src)?)), 0),
            Control::Stp | Control::Pvst => {
                let row = stp::read(bytes, eth_src, kind == Control::Pvst)?;
                let port = row.port.unwrap_or(0);
                (Event::Stp(Box::new(row)), port)
            }
        };
        let [vlan, _] = packet.vlans;
        let said = content(&event);
        let key = (packet.mac_src, kind.name(), vlan, port);
        let known = self.last.contains_key(&key) || self.last.len() < SENDERS_MAX;
        let before = if known { self.last.insert(key, said) } else { None };
        (before != Some(said)).then_some(AppEvent { conn: None, frame: packet.frame, ts_ns: packet.ts_ns, event })
    }
}

/// The same for equal messages, on every run: the standard hasher without random keys. Ages change with every message and say nothing.
fn content(event: &Event) -> u64 {
    let mut hasher = DefaultHasher::new();
    match event {
        Event::Stp(row) => {
            let mut row = row.clone();
            row.message_age = None;
            format!("{row:?}").hash(&mut hasher);
        }
        other => format!("{other:?}").hash(&mut hasher),
    }
    hasher.finish()
}

/// Six bytes as a hardware address.
fn mac(bytes: &[u8]) -> Option<String> {
    bytes.first_chunk::<6>().map(|mac| Mac(*mac).to_string())
}
