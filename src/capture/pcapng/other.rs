//! Blocks without packets: names, secrets, journal entries, custom blocks, types that nobody knows.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::super::ledger::{Ledger, Sink};
use super::options::Options;
use super::{Pcapng, half, interface, word};
use crate::model::beside::{About, OtherBlock, ResolvedName, Secrets};
use crate::model::{DamageKind, Mac};

/// Systemd Journal Export Block.
pub(super) const JOURNAL: u32 = 9;
/// Custom Block, to be copied and not to be copied.
pub(super) const CUSTOM: [u32; 2] = [0x0bad, 0x4000_0bad];
/// Characters kept of a block's text, and bytes shown of what is no text.
const CONTENT_CHARS_MAX: usize = 4_000;
const CONTENT_BYTES_SHOWN: usize = 128;

/// Kinds of records in a name resolution block.
mod record {
    pub(super) const END: u16 = 0;
    pub(super) const IPV4: u16 = 1;
    pub(super) const IPV6: u16 = 2;
    pub(super) const EUI48: u16 = 3;
    pub(super) const EUI64: u16 = 4;
}

/// Options of that block: the server that was asked.
const SERVER_NAME: u16 = 2;
const SERVER_IPV4: u16 = 3;
const SERVER_IPV6: u16 = 4;

impl Pcapng {
    /// Keeps the names of a name resolution block. None if its records make no sense from somewhere on.
    pub(super) fn names(&self, body: &[u8], ledger: &mut Ledger) -> Option<()> {
        let (mut rest, mut found) = (body, Vec::new());
        let whole = loop {
            let Some((kind, value, after)) = self.name_record(rest) else { break None };
            rest = after;
            if kind == record::END {
                break Some(());
            }
            let Some((address, names)) = address(kind, value) else { continue };
            found.extend(names.split(|byte| *byte == 0).filter(|name| !name.is_empty()).map(|name| (address.clone(), name)));
        };
        let options = Options::new(if whole.is_some() { rest } else { &[] }, self.big_endian);
        let server = server(options);
        for (address, name) in found {
            ledger.gathered.name(ResolvedName { address, name: String::from_utf8_lossy(name).into_owned(), server: server.clone() });
        }
        interface::comments(options, About::Names, None, ledger);
        whole
    }

    fn name_record<'a>(&self, rest: &'a [u8]) -> Option<(u16, &'a [u8], &'a [u8])> {
        let (kind, length) = (half(self.big_endian, rest, 0)?, usize::from(half(self.big_endian, rest, 2)?));
        Some((kind, rest.get(4..4 + length)?, rest.get(4 + length.next_multiple_of(4)..)?))
    }

    /// Keeps the secrets of a decryption secrets block. None if it is shorter than it says.
    pub(super) fn secrets(&self, body: &[u8], offset: u64, ledger: &mut Ledger, out: &mut Sink) -> Option<()> {
        let (kind, length) = (word(self.big_endian, body, 0)?, word(self.big_endian, body, 4)? as usize);
        let bytes = body.get(8..)?.get(..length)?;
        let rest = body.get(8 + length.next_multiple_of(4)..).unwrap_or(&[]);
        interface::comments(Options::new(rest, self.big_endian), About::Secrets, None, ledger);
        if ledger.gathered.takes_secrets(bytes.len()) {
            let (capture, after_frame) = (ledger.info.id, ledger.info.frames);
            out.block.secrets.push(Secrets { capture, section: self.section, offset, after_frame, kind, bytes: bytes.into() });
        }
        Some(())
    }

    /// Keeps what a block of another type says, or that it is there.
    pub(super) fn other(&self, kind: u32, body: &[u8], offset: u64, ledger: &mut Ledger) {
        let custom = CUSTOM.contains(&kind);
        let pen = if custom { word(self.big_endian, body, 0) } else { None };
        let content = content(if custom { body.get(4..).unwrap_or(&[]) } else { body });
        let (section, after_frame, bytes) = (self.section, ledger.info.frames, body.len() as u64);
        ledger.gathered.block(OtherBlock { section, offset, after_frame, kind, pen, count: 1, bytes, content });
    }

    /// Notes options that make no sense.
    pub(super) fn judge(&self, options: Options<'_>, offset: u64, ledger: &mut Ledger, out: &mut Sink) {
        if !options.are_sound() {
            let detail = "options of a block make no sense; the block itself was kept".to_string();
            ledger.damage(out, DamageKind::BadOption, offset, 0, detail);
        }
    }
}

/// The address of a record, and the names behind it.
fn address(kind: u16, value: &[u8]) -> Option<(String, &[u8])> {
    Some(match kind {
        record::IPV4 => (Ipv4Addr::from(*value.first_chunk::<4>()?).to_string(), value.get(4..)?),
        record::IPV6 => (Ipv6Addr::from(*value.first_chunk::<16>()?).to_string(), value.get(16..)?),
        record::EUI48 => (Mac(*value.first_chunk()?).to_string(), value.get(6..)?),
        record::EUI64 => {
            let bytes = value.first_chunk::<8>()?;
            (bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":"), value.get(8..)?)
        }
        _ => return None,
    })
}

/// Who was asked for names.
fn server(options: Options<'_>) -> String {
    let ipv4 = || options.get(SERVER_IPV4).and_then(|value| value.first_chunk::<4>()).map(|bytes| Ipv4Addr::from(*bytes).to_string());
    let ipv6 = || options.get(SERVER_IPV6).and_then(|value| value.first_chunk::<16>()).map(|bytes| Ipv6Addr::from(*bytes).to_string());
    let name = Some(options.text(SERVER_NAME)).filter(|name| !name.is_empty());
    name.or_else(ipv4).or_else(ipv6).unwrap_or_default()
}

/// Text where it is text, else the first bytes in hex.
fn content(bytes: &[u8]) -> String {
    let bytes = bytes[..bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)].trim_ascii_end();
    let head = &bytes[..bytes.len().min(4 * CONTENT_CHARS_MAX)];
    let text = match std::str::from_utf8(head) {
        Ok(text) => Some(text),
        // The head may end inside a character.
        Err(error) if error.error_len().is_none() => std::str::from_utf8(&head[..error.valid_up_to()]).ok(),
        Err(_) => None,
    };
    match text {
        Some(text) if !text.chars().any(|letter| letter.is_control() && !matches!(letter, '\n' | '\r' | '\t')) => {
            text.chars().take(CONTENT_CHARS_MAX).collect()
        }
        _ => head.iter().take(CONTENT_BYTES_SHOWN).map(|byte| format!("{byte:02x}")).collect(),
    }
}
