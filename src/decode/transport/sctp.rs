//! SCTP (RFC 9260).

use super::super::reader::{Next, Reader};
use crate::model::packet::{Sctp, Transport};

/// Length of the header of a chunk, which every packet has at least one of.
const CHUNK: usize = 4;
/// Length of the common header.
const COMMON: usize = 12;

/// Reads the common header. Without a chunk whose length is possible it is something else under SCTP's number, and has no ports.
pub(super) fn read(reader: &mut Reader<'_>) -> Next {
    let Some(&head) = reader.rest().first_chunk::<{ COMMON + CHUNK }>() else {
        return if reader.whole() { Next::Payload } else { reader.cut_off("transport") };
    };
    let [s1, s2, d1, d2, t1, t2, t3, t4, _, _, _, _, chunk, _, len1, len2] = head;
    let len = usize::from(u16::from_be_bytes([len1, len2]));
    if len < CHUNK || COMMON + len > reader.announced() {
        return reader.stop("transport", "bad_SCTP_chunk_len", len as u32);
    }
    let (sport, dport) = (u16::from_be_bytes([s1, s2]), u16::from_be_bytes([d1, d2]));
    reader.packet.transport = Transport::Sctp(Sctp { sport, dport, tag: u32::from_be_bytes([t1, t2, t3, t4]), chunk });
    reader.skip(COMMON);
    Next::Payload
}
