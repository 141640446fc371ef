//! The blocks in which client and server introduce themselves (MS-RDPBCGR 2.2.1.3, 2.2.1.4).

use super::names;
use crate::dissect::{escape, x509};
use crate::model::Ts;
use crate::model::event::{Rdp, X509};

/// Blocks read of one message.
const BLOCKS_MAX: usize = 32;
/// Channels told; the protocol allows 31.
const CHANNELS_MAX: usize = 64;
/// Certificates read of a chain.
const CHAIN_MAX: usize = 16;

/// Little-endian fields.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (now, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(now)
    }

    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes(self.take(2)?.first_chunk().copied()?))
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.first_chunk().copied()?))
    }

    fn wide(&mut self, bytes: usize) -> Option<String> {
        Some(wide(self.take(bytes)?))
    }
}

/// UTF-16 up to its first zero.
fn wide(bytes: &[u8]) -> String {
    let units = bytes.as_chunks::<2>().0.iter().map(|unit| u16::from_le_bytes(*unit)).take_while(|&unit| unit != 0);
    let text: String = char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    if text.is_ascii() { escape(text.as_bytes(), 512) } else { text.chars().filter(|letter| !letter.is_control()).collect() }
}

/// Reads the blocks behind a conference request (`Duca`) or its response (`McDn`). True if there were any.
pub fn read(message: &[u8], row: &mut Rdp, certificates: &mut Vec<X509>, ts_ns: Ts) -> bool {
    let Some(at) = [b"Duca", b"McDn"].iter().filter_map(|key| memchr::memmem::find(message, *key)).min() else { return false };
    let behind = message.get(at + 4..).unwrap_or_default();
    // A PER length of one byte or two.
    let mut blocks = Fields(match behind {
        [high, _, rest @ ..] if high & 0x80 != 0 => rest,
        [_, rest @ ..] => rest,
        [] => return false,
    });
    for _ in 0..BLOCKS_MAX {
        let (Some(kind), Some(length)) = (blocks.u16(), blocks.u16()) else { break };
        let length = usize::from(length).saturating_sub(4);
        // A cut block is read as far as it goes.
        let Some(body) = blocks.take(length.min(blocks.0.len())) else { break };
        let _: Option<()> = match kind {
            0xc001 => core(Fields(body), row),
            0xc003 => network(Fields(body), row),
            0x0c02 => security(Fields(body), row, certificates, ts_ns),
            _ => None,
        };
    }
    true
}

/// Client core data.
fn core(mut block: Fields<'_>, row: &mut Rdp) -> Option<()> {
    block.u32()?;
    (row.desktop_width, row.desktop_height) = (Some(block.u16()?), Some(block.u16()?));
    block.take(4)?;
    row.keyboard_layout = Some(names::keyboard(block.u32()?));
    row.client_build = Some(names::build(block.u32()?));
    row.client_name = Some(block.wide(32)?);
    // Keyboard type, subtype, function keys, input method, colour depth again, product id, serial number.
    block.take(4 + 4 + 4 + 64 + 2 + 2 + 4)?;
    let depth = block.u16()?;
    row.requested_color_depth = Some(names::depth(depth));
    block.u16()?;
    if block.u16()? & 2 != 0 {
        row.requested_color_depth = Some("32bit".to_owned());
    }
    row.client_dig_product_id = Some(block.wide(64)?);
    Some(())
}

/// Client network data: channels.
fn network(mut block: Fields<'_>, row: &mut Rdp) -> Option<()> {
    let count = usize::try_from(block.u32()?).ok()?.min(CHANNELS_MAX);
    for _ in 0..count {
        let name = block.take(12)?.get(..8)?;
        row.client_channels.push(escape(name.split(|&byte| byte == 0).next()?, 8));
    }
    Some(())
}

/// Server security data: how to encrypt, and with whose key.
fn security(mut block: Fields<'_>, row: &mut Rdp, certificates: &mut Vec<X509>, ts_ns: Ts) -> Option<()> {
    row.encryption_method = Some(names::method(block.u32()?));
    row.encryption_level = Some(names::level(block.u32()?));
    let (random, _length) = (block.u32()?, block.u32()?);
    block.take(usize::try_from(random).ok()?)?;
    let version = block.u32()?;
    row.cert_permanent = Some(version >> 31 == 0);
    match version & 0x7fff_ffff {
        1 => (row.cert_type, row.cert_count) = (Some("RSA"), 1),
        2 => {
            row.cert_type = Some("X.509");
            let count = usize::try_from(block.u32()?).ok()?.min(CHAIN_MAX);
            for n in 0..count {
                let length = usize::try_from(block.u32()?).ok()?;
                let mut certificate = x509::read(block.take(length)?, ts_ns);
                // The chain begins with the licence server's; the host's own stands last.
                certificate.host_cert = n + 1 == count;
                row.cert_count += 1;
                certificates.push(certificate);
            }
        }
        _ => {}
    }
    Some(())
}
