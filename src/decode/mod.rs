//! One frame as far as it goes: link, network, transport. Any bytes in, values out.
//!
//! Every header is a file: `link/` holds what stands before the network layer, `net/` IP and ARP, `transport/` the rest.
//! Each reads its own header from a [`reader::Reader`], moves it on and says what comes [`reader::Next`]; to add a header,
//! add the file and its line in the match of the folder's `mod.rs`.
//!
//! Tunnels are transports that name an ether type: what they carry is read as a packet of its own, one layer deeper.
//! A fragment is left as it is ([`Transport::None`], its payload the bytes after the IP headers) until a
//! [`Defragmenter`] has its siblings.
//!
//! [`Transport::None`]: crate::model::packet::Transport::None

use crate::model::{Frame, Packet};
use reader::{Next, Reader};

mod checksum;
mod defrag;
mod link;
mod net;
mod reader;
#[cfg(test)]
mod tests;
mod transport;

pub use defrag::{Defragmenter, FragmentCounts, FragmentWeird};

/// Headers before the transport that are read in one frame: far more than any real frame has, so that one made of tags alone ends soon.
const MOST_HEADERS: usize = 32;

/// Tunnels within tunnels that are read.
const MOST_TUNNELS: u8 = 4;

/// Pushes one packet per network layer found, outermost first; always at least one (layer 0), even if nothing was understood.
///
/// [`Packet::stop`] is set wherever reading did not come to a clean end. A stop does not take away what was read: a packet whose
/// IP length exceeds its frame carries `truncated_IP` and its transport header.
///
/// A packet that is followed by one of the next layer is a tunnel: it has no transport, and what it carries is its payload.
pub fn frame(frame: Frame<'_>, out: &mut Vec<Packet>) {
    let mut reader = Reader::new(&frame);
    let mut next = Next::Link(frame.meta.link);
    while let Some(inner) = read(&mut reader, next) {
        if reader.packet.layer == MOST_TUNNELS {
            reader.stop("transport", "exceeded_tunnel_max_depth", u32::from(inner));
            break;
        }
        out.push(reader.enter());
        next = Next::Ether(inner);
    }
    out.push(reader.finish());
}

/// Reads header after header until the payload, or until one is not understood. Returns the ether type of what a tunnel carries.
fn read(reader: &mut Reader<'_>, first: Next) -> Option<u16> {
    let mut next = first;
    for _ in 0..MOST_HEADERS {
        next = match next {
            Next::Link(link) => link::read(link, reader),
            Next::Ether(kind) => link::ether(kind, reader),
            Next::Ip(proto) => transport::read(proto, reader),
            Next::Tunnel(inner) => return Some(inner),
            Next::Payload => return None,
        };
    }
    let layer = match next {
        Next::Link(_) | Next::Ether(_) => "link",
        Next::Ip(_) => "network",
        Next::Tunnel(inner) => return Some(inner),
        Next::Payload => return None,
    };
    reader.stop(layer, "too_many_headers", MOST_HEADERS as u32);
    None
}
