//! One frame as far as it goes: link, network, transport. Any bytes in, values out.
//!
//! Every header is a file: `link/` holds what stands before the network layer, `net/` IP and ARP, `transport/` the rest.
//! Each reads its own header from a [`reader::Reader`], moves it on and says what comes [`reader::Next`]; to add a header,
//! add the file and its line in the match of the folder's `mod.rs`.
//!
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

/// Pushes one packet per network layer found, outermost first; always at least one (layer 0), even if nothing was understood.
///
/// [`Packet::stop`] is set wherever reading did not come to a clean end. A stop does not take away what was read: a packet whose
/// IP length exceeds its frame carries `truncated_IP` and its transport header.
pub fn frame(frame: Frame<'_>, out: &mut Vec<Packet>) {
    let mut reader = Reader::new(&frame);
    read(&mut reader, Next::Link(frame.meta.link));
    out.push(reader.finish());
}

/// Reads header after header until the payload, or until one is not understood.
fn read(reader: &mut Reader<'_>, first: Next) {
    let mut next = first;
    for _ in 0..MOST_HEADERS {
        next = match next {
            Next::Link(link) => link::read(link, reader),
            Next::Ether(kind) => link::ether(kind, reader),
            Next::Ip(proto) => transport::read(proto, reader),
            Next::Payload => return,
        };
    }
    let layer = match next {
        Next::Link(_) | Next::Ether(_) => "link",
        Next::Ip(_) => "network",
        Next::Payload => return,
    };
    reader.stop(layer, "too_many_headers", MOST_HEADERS as u32);
}
