//! EtherNet/IP (ODVA volume 2) over TCP and UDP, and the CIP messages in it.

mod cip;
mod names;
#[cfg(test)]
mod tests;

use super::messages::{Fields, Framed, Length, Speaker};
use super::{Answer, Chunk, Out, Probe, Protocol, escape, hex};
use crate::model::event::{CipIdentity, Enip};
use crate::model::{Dir, Event, Proto};
use std::net::Ipv4Addr;

/// How EtherNet/IP is recognised and read.
pub const PROTOCOL: Protocol =
    Protocol { name: "enip", over: &[Proto::Tcp, Proto::Udp], probe, make: |conn| Box::new(Framed::new(conn, Session::default())) };

/// Bytes kept of a message.
const MESSAGE_MAX: usize = 4_096;
/// Bytes of the encapsulation header.
const HEADER: usize = 24;

/// Commands (volume 2, 2-3.2).
mod command {
    pub const LIST_IDENTITY: u16 = 0x63;
    pub const REGISTER: u16 = 0x65;
    pub const SEND_RR_DATA: u16 = 0x6f;
    pub const SEND_UNIT_DATA: u16 = 0x70;
}

/// A header whose command, length, status and options are possible; elsewhere only a registration, which is the same everywhere.
fn probe(probe: &Probe<'_>) -> Answer {
    let home = [probe.orig_p, probe.resp_p].contains(&44_818);
    let [low, high] = command::REGISTER.to_le_bytes();
    let registers = [low, high, 4, 0];
    match length(probe.bytes) {
        Length::More if probe.proto == Proto::Tcp && (home || registers.starts_with(&probe.bytes[..probe.bytes.len().min(4)])) => {
            Answer::Unsure
        }
        Length::Is(whole) => {
            let fits = probe.proto == Proto::Tcp || whole == probe.bytes.len();
            let certain = probe.bytes.starts_with(&registers) && probe.bytes.get(24..).is_some_and(|data| data.starts_with(&[1, 0, 0, 0]));
            if fits && (home || certain) { Answer::Certain } else { Answer::NotForUs }
        }
        _ => Answer::NotForUs,
    }
}

fn length(bytes: &[u8]) -> Length {
    let mut fields = Fields(bytes);
    let (Some(command), Some(length), Some(_session), Some(status), Some(_context), Some(options)) =
        (fields.le16(), fields.le16(), fields.le32(), fields.le32(), fields.take(8), fields.le32())
    else {
        let known = Fields(bytes).le16().is_none_or(|command| names::command(command).is_some());
        return if known { Length::More } else { Length::Wrong };
    };
    let sound = names::command(command).is_some() && options == 0 && status <= 0xffff;
    if sound { Length::Is(HEADER + usize::from(length)) } else { Length::Wrong }
}

#[derive(Default)]
struct Session {
    cip: cip::Requests,
    seen: bool,
}

impl Speaker for Session {
    const MOST: usize = MESSAGE_MAX;

    fn length(&self, _dir: Dir, bytes: &[u8]) -> Length {
        length(bytes)
    }

    fn message(&mut self, message: &[u8], chunk: &Chunk<'_>, out: &mut Out) {
        let mut fields = Fields(message);
        let (Some(command), Some(length), Some(session), Some(status)) = (fields.le16(), fields.le16(), fields.le32(), fields.le32())
        else {
            return;
        };
        let (Some(context), Some(options)) = (fields.take(8), fields.le32()) else { return };
        self.seen = true;
        let row = Enip {
            is_orig: chunk.dir == Dir::Orig,
            enip_command_code: command,
            enip_command: names::command(command).unwrap_or_default().to_owned(),
            length,
            session_handle: session,
            enip_status_code: status,
            enip_status: names::status(status),
            sender_context: hex(context),
            options,
        };
        out.say(chunk.frame, chunk.ts_ns, Event::Enip(Box::new(row)));
        match command {
            command::LIST_IDENTITY if chunk.dir == Dir::Resp => items(fields.0, |kind, item| {
                if kind == 0x0c
                    && let Some(identity) = identity(item)
                {
                    out.say(chunk.frame, chunk.ts_ns, Event::CipIdentity(Box::new(identity)));
                }
            }),
            command::SEND_RR_DATA | command::SEND_UNIT_DATA => {
                // Interface handle and timeout stand before the items.
                let packet = fields.0.get(6..).unwrap_or_default();
                items(packet, |kind, item| match kind {
                    0xb2 => self.cip.message(None, item, chunk, out),
                    0xb1 => {
                        let mut fields = Fields(item);
                        let count = fields.le16();
                        self.cip.message(count, fields.0, chunk, out);
                    }
                    _ => {}
                });
            }
            _ => {}
        }
    }

    fn confirmed(&self) -> bool {
        self.seen
    }
}

/// The items of a common packet (volume 2, 2-6): type, length, data.
fn items(packet: &[u8], mut each: impl FnMut(u16, &[u8])) {
    const ITEMS_MAX: u16 = 16;
    let mut fields = Fields(packet);
    let count = fields.le16().unwrap_or(0).min(ITEMS_MAX);
    for _ in 0..count {
        let (Some(kind), Some(length)) = (fields.le16(), fields.le16()) else { return };
        let Some(item) = fields.take(usize::from(length).min(fields.0.len())) else { return };
        each(kind, item);
    }
}

/// The identity item (volume 2, 2-4.3.3): version, socket address, then the identity object.
fn identity(item: &[u8]) -> Option<CipIdentity> {
    let mut fields = Fields(item);
    fields.take(4)?;
    let (port, address) = (fields.be16()?, Ipv4Addr::from(fields.be32()?));
    fields.take(8)?;
    let (vendor_id, device_type_id, product_code) = (fields.le16()?, fields.le16()?, fields.le16()?);
    let (major, minor) = (fields.u8()?, fields.u8()?);
    let (device_status, serial) = (fields.le16()?, fields.le32()?);
    let length = usize::from(fields.u8().unwrap_or(0));
    let name = fields.take(length.min(fields.0.len())).unwrap_or_default();
    Some(CipIdentity {
        vendor_id,
        device_type_id,
        product_code,
        revision: format!("{major}.{minor}"),
        device_status,
        serial_number: format!("{serial:08x}"),
        product_name: escape(name, 64),
        device_state: fields.u8(),
        socket_address: address.to_string(),
        socket_port: port,
    })
}
