//! What carries packets of its own. Over UDP a tunnel has to prove itself: every fixed bit of its header is as its specification
//! says, lengths agree, and the packet inside holds together. A port alone proves nothing.

use super::reader::{Inside, Next, Reader};
use crate::model::packet::Tunnel;

mod ayiya;
mod capwap;
mod geneve;
mod gre;
mod gtp;
mod inner;
mod l2tp;
mod teredo;
mod vxlan;

pub(super) use gre::read as gre;

/// A tunnel header.
struct Found {
    tunnel: Tunnel,
    /// Its length.
    header: usize,
    /// What it carries; nothing if what it carries cannot be read.
    inside: Option<Inside>,
}

/// Ports from the IANA registry, and those that are in use without.
mod port {
    pub(super) const L2TP: u16 = 1701;
    pub(super) const GTP_CONTROL: u16 = 2123;
    pub(super) const GTP_USER: u16 = 2152;
    pub(super) const TEREDO: u16 = 3544;
    pub(super) const GRE: u16 = 4754;
    pub(super) const VXLAN: u16 = 4789;
    pub(super) const AYIYA: u16 = 5072;
    pub(super) const CAPWAP_DATA: u16 = 5247;
    pub(super) const GENEVE: u16 = 6081;
    pub(super) const VXLAN_GPE: u16 = 4790;
    /// VXLAN of Linux before there was a registered port; flannel still.
    pub(super) const VXLAN_LINUX: u16 = 8472;
}

/// Looks for a tunnel in the datagram ahead. The ports say which to look for; Teredo and AYIYA are found at any.
pub(super) fn over_udp(sport: u16, dport: u16, reader: &mut Reader<'_>) -> Next {
    let (payload, announced) = (reader.rest(), reader.announced());
    let Some(found) = find(sport, dport, payload, announced) else { return Next::Payload };
    let Found { tunnel, header, inside } = found;
    match inside {
        Some(_) if announced == header => {
            reader.packet.carries = Some(tunnel);
            reader.stop("transport", empty(tunnel), 0)
        }
        Some(inside) => Next::Tunnel { tunnel, header, inside },
        None => {
            reader.packet.carries = Some(tunnel);
            Next::Payload
        }
    }
}

/// Zeek's name for a header that nothing follows.
fn empty(tunnel: Tunnel) -> &'static str {
    use crate::model::packet::TunnelKind;
    match tunnel.kind {
        TunnelKind::Vxlan => "vxlan_empty_packet",
        TunnelKind::Geneve => "geneve_empty_packet",
        _ => "empty_tunnel_packet",
    }
}

fn find(sport: u16, dport: u16, payload: &[u8], announced: usize) -> Option<Found> {
    // Tunnels whose source port is as good as random are told by where they go; replies to such a port are something else.
    let to = match dport {
        port::VXLAN | port::VXLAN_GPE | port::VXLAN_LINUX => vxlan::find(payload, announced),
        port::GENEVE => geneve::find(payload, announced),
        port::GRE => gre::in_udp(payload, announced),
        _ => None,
    };
    let either = |port: u16| sport == port || dport == port;
    to.or_else(|| either(port::GTP_USER).then(|| gtp::find(payload, announced))?)
        .or_else(|| either(port::GTP_CONTROL).then(|| gtp::find(payload, announced))?)
        .or_else(|| either(port::L2TP).then(|| l2tp::find(payload, announced))?)
        .or_else(|| either(port::CAPWAP_DATA).then(|| capwap::find(payload, announced))?)
        .or_else(|| ayiya::find(either(port::AYIYA), payload, announced))
        .or_else(|| teredo::find(either(port::TEREDO), payload, announced))
}
