//! TCP (RFC 9293).

use super::super::checksum;
use super::super::reader::{Next, Reader};
use crate::model::packet::{Tcp, Transport};
use etherparse::{TcpHeader, TcpHeaderSlice};

/// Reads the header and its options.
pub(super) fn read(reader: &mut Reader<'_>) -> Next {
    let bytes = reader.rest();
    let mut patched = [0; TcpHeader::MIN_LEN];
    let Some(header) = header(bytes, &mut patched) else { return reader.cut_off("transport") };
    let header_len = bytes.get(12).map_or(0, |offset| usize::from(offset >> 4) * 4);
    let judged = reader.whole() && reader.final_destination;
    let mut tcp = Tcp {
        sport: header.source_port(),
        dport: header.destination_port(),
        seq: header.sequence_number(),
        ack: header.acknowledgment_number(),
        flags: u16::from_be_bytes([header.slice()[12] & 1, header.slice()[13]]),
        window: header.window_size(),
        urgent: header.urgent_pointer(),
        mss: 0,
        wscale: None,
        option_kinds: [0; 12],
        checksum_ok: reader.packet.ip().filter(|_| judged).and_then(|ip| checksum::segment_ok(ip, bytes, 16)),
    };
    options(bytes.get(TcpHeader::MIN_LEN..header_len.min(bytes.len())).unwrap_or(&[]), &mut tcp);
    reader.packet.transport = Transport::Tcp(tcp);
    if header_len < TcpHeader::MIN_LEN || header_len > reader.announced() {
        reader.stop("transport", "bad_TCP_header_len", header_len as u32);
        reader.skip(TcpHeader::MIN_LEN);
        reader.limit(0);
    } else if header_len > bytes.len() {
        reader.cut_off("transport");
    }
    reader.skip(header_len);
    Next::Payload
}

/// The header as far as it is usable: one whose options are cut off, or whose length cannot be, is read without options.
fn header<'a>(bytes: &'a [u8], patched: &'a mut [u8; TcpHeader::MIN_LEN]) -> Option<TcpHeaderSlice<'a>> {
    if let Ok(header) = TcpHeaderSlice::from_slice(bytes) {
        return Some(header);
    }
    *patched = *bytes.first_chunk()?;
    patched[12] = 0x50 | patched[12] & 15;
    TcpHeaderSlice::from_slice(patched).ok()
}

/// Notes which options there are, and those that flows need. An option that breaks off ends the list.
fn options(mut bytes: &[u8], tcp: &mut Tcp) {
    const END: u8 = 0;
    const NOP: u8 = 1;
    const MSS: u8 = 2;
    const WINDOW_SCALE: u8 = 3;
    let mut kinds = tcp.option_kinds.iter_mut();
    while let Some((&kind, after)) = bytes.split_first() {
        if kind == END {
            return;
        }
        if let Some(free) = kinds.next() {
            *free = kind;
        }
        if kind == NOP {
            bytes = after;
            continue;
        }
        let Some((value, rest)) = after.split_first().and_then(|(&len, rest)| rest.split_at_checked(usize::from(len).checked_sub(2)?))
        else {
            return;
        };
        match (kind, value) {
            (MSS, &[high, low]) => tcp.mss = u16::from_be_bytes([high, low]),
            (WINDOW_SCALE, &[shift]) => tcp.wscale = Some(shift),
            _ => {}
        }
        bytes = rest;
    }
}
