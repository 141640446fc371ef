//! Connections as this machine opens them: their first packets, told by the kernel at once and not in parcels, for who must look before all is over.

use super::interface::take;
use super::{Error, refused, said};
use crate::model::{Block, LinkType};
use pcap::{Active, Capture, Direction};

/// What opens a connection of TCP, over IPv4 and IPv6, and what asks a resolver. The sixth byte of an IPv6 header names what follows it, and the
/// flags of TCP stand in byte 13 of its header, 40 bytes on.
const FIRST: &str =
    "(ip and tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn) or (ip6 and ip6[6] == 6 and ip6[53] & 0x12 == 2) or (udp and dst port 53)";
/// Headers only: link, tags, IPv6 and TCP with options fit.
const SNAPLEN: i32 = 160;
/// The kernel's buffer, bytes: what does not fit is not needed.
const BUFFER: i32 = 1 << 18;
/// Without a packet for so long, [`Beginnings::hear`] returns, milliseconds.
const PATIENCE_MS: i32 = 100;

/// Connections that this machine opens over one interface.
pub struct Beginnings {
    capture: Capture<Active>,
    link: LinkType,
}

impl Beginnings {
    /// Opens an interface by name; `any` is all of them.
    pub fn open(name: &str) -> Result<Self, Error> {
        let failed = |error: pcap::Error| refused(name, &error);
        let inactive = Capture::from_device(name).map_err(failed)?;
        let wanted = inactive.promisc(false).snaplen(SNAPLEN).buffer_size(BUFFER).immediate_mode(true).timeout(PATIENCE_MS);
        let mut capture = wanted.open().map_err(failed)?;
        let wrong = |error: pcap::Error| Error::Filter { expression: FIRST.into(), why: said(&error) };
        capture.filter(FIRST, true).map_err(wrong)?;
        // Where directions are not told apart, more is heard than is needed.
        let _ = capture.direction(Direction::Out);
        let link = LinkType(u16::try_from(capture.get_datalink().0).unwrap_or(u16::MAX));
        Ok(Self { capture, link })
    }

    /// The first packet of the next one, alone in its block; an empty block when none came for a tenth of a second. `None` when the interface is gone.
    pub fn hear(&mut self) -> Option<Block> {
        let mut block = Block::default();
        match self.capture.next_packet() {
            Ok(packet) => take(&mut block, &packet, self.link, 0, &mut 0),
            Err(pcap::Error::TimeoutExpired) => {}
            Err(_) => return None,
        }
        Some(block)
    }
}
