//! One frame as far as it goes: link, network, transport. Any bytes in, values out.
//!
//! Every header is a file: `link/` holds what stands before the network layer, `net/` IP and ARP, `transport/` what stands on
//! them, `tunnel/` what carries packets of its own.
//! Each reads its own header from a [`reader::Reader`], moves it on and says what comes [`reader::Next`]; to add a header,
//! add the file and its line in the match of the folder's `mod.rs`.
//!
//! What a tunnel carries is read as a packet of its own, one layer deeper. Over IP the protocol number says that there is a tunnel;
//! over UDP the port is only a hint, and the bytes must prove it.
//! A fragment is left as it is ([`Transport::None`], its payload the bytes after the IP headers) until a
//! [`Defragmenter`] has its siblings.
//!
//! [`Transport::None`]: crate::model::packet::Transport::None

use crate::model::packet::{Net, Tunnel};
use crate::model::{Frame, Packet};
use reader::{Inside, Next, Reader};

mod checksum;
mod defrag;
mod link;
mod net;
mod reader;
#[cfg(test)]
mod tests;
mod transport;
mod tunnel;

pub use defrag::{Defragmenter, FragmentCounts, FragmentWeird};

/// Headers before the transport that are read in one frame: far more than any real frame has, so that one made of tags alone ends soon.
const MOST_HEADERS: usize = 32;

/// Tunnels within tunnels that are read: Zeek's `Tunnel::max_depth`.
const MOST_TUNNELS: u8 = 4;

/// Pushes one packet per network layer found, outermost first; always at least one (layer 0), even if nothing was understood.
///
/// [`Packet::stop`] is set wherever reading did not come to a clean end. A stop does not take away what was read: a packet whose
/// IP length exceeds its frame carries `truncated_IP` and its transport header.
///
/// A packet that is followed by one of the next layer is a tunnel ([`Packet::carries`]): what it carries is its payload, over UDP
/// together with the tunnel's header.
pub fn frame(frame: Frame<'_>, out: &mut Vec<Packet>) {
    packets(Reader::new(&frame), Next::Link(frame.meta.link), out);
}

/// Reads packet after packet, each in the one before.
fn packets(mut reader: Reader<'_>, first: Next, out: &mut Vec<Packet>) {
    let mut next = first;
    while let Some((tunnel, header, inside)) = read(&mut reader, next) {
        if reader.packet.layer == MOST_TUNNELS {
            reader.stop("transport", "exceeded_tunnel_max_depth", u32::from(MOST_TUNNELS));
            break;
        }
        let outer = reader.enter(tunnel, header);
        next = match inside {
            Inside::Ether(kind) => Next::Ether(kind),
            Inside::Link(link) => Next::Link(link),
            Inside::SwappedWireless => Next::SwappedWireless,
            Inside::Ip(proto) => {
                reader.packet.net.clone_from(&outer.net);
                // The one around it is the fragment; or the same bytes would be taken for one as often as there are headers.
                if let Net::Ip(ip) = &mut reader.packet.net {
                    ip.fragment = None;
                }
                net::follow(proto, &mut reader)
            }
        };
        out.push(outer);
    }
    out.push(reader.finish());
}

/// Reads header after header until the payload, or until one is not understood. Returns the tunnel that there is.
fn read(reader: &mut Reader<'_>, first: Next) -> Option<(Tunnel, usize, Inside)> {
    let mut next = first;
    for _ in 0..MOST_HEADERS {
        next = match next {
            Next::Link(link) => link::read(link, reader),
            Next::SwappedWireless => link::swapped_wireless(reader),
            Next::Ether(kind) => link::ether(kind, reader),
            Next::Ip(proto) => transport::read(proto, reader),
            Next::Tunnel { tunnel, header, inside } => return Some((tunnel, header, inside)),
            Next::Payload => return None,
        };
    }
    let layer = match next {
        Next::Link(_) | Next::Ether(_) | Next::SwappedWireless => "link",
        Next::Ip(_) => "network",
        Next::Tunnel { tunnel, header, inside } => return Some((tunnel, header, inside)),
        Next::Payload => return None,
    };
    reader.stop(layer, "too_many_headers", MOST_HEADERS as u32);
    None
}
