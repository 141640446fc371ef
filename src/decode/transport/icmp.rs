//! ICMP (RFC 792) and ICMPv6 (RFC 4443): both begin with the same eight bytes.

use super::super::reader::{Next, Reader};
use crate::model::packet::{Icmp, Transport};

/// Reads these eight bytes.
pub(super) fn read(reader: &mut Reader<'_>) -> Next {
    let Some([kind, code, _, _, id1, id2, seq1, seq2]) = reader.take() else {
        return reader.cut_off("transport");
    };
    let (id, seq) = (u16::from_be_bytes([id1, id2]), u16::from_be_bytes([seq1, seq2]));
    reader.packet.transport = Transport::Icmp(Icmp { kind, code, id, seq });
    Next::Payload
}
