//! ClientHello and ServerHello (RFC 8446 4.1, RFC 6066, RFC 7301), read as far as they go.

use super::bytes::{Bytes, words};
use crate::dissect::escape;

/// Extensions read of one hello.
const EXTENSIONS_MAX: usize = 256;
/// ServerHello.random of a HelloRetryRequest (RFC 8446 4.1.3).
const RETRY_RANDOM: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb,
    0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// Extension numbers used here.
pub mod extension {
    pub const SERVER_NAME: u16 = 0;
    pub const GROUPS: u16 = 10;
    pub const POINT_FORMATS: u16 = 11;
    pub const SIGNATURES: u16 = 13;
    /// RFC 7366.
    pub const ENCRYPT_THEN_MAC: u16 = 22;
    pub const ALPN: u16 = 16;
    pub const TICKET: u16 = 35;
    pub const PRE_SHARED_KEY: u16 = 41;
    pub const VERSIONS: u16 = 43;
    pub const KEY_SHARE: u16 = 51;
    /// draft-ietf-tls-esni.
    pub const ENCRYPTED_HELLO: u16 = 0xfe0d;
    /// Its predecessor.
    pub const ENCRYPTED_NAME: u16 = 0xffce;
}

/// RFC 8701: values sent to keep servers tolerant. They say nothing.
pub fn is_grease(value: u16) -> bool {
    value & 0x0f0f == 0x0a0a && value >> 8 == value & 0xff
}

/// What a client offers.
#[derive(Clone, Debug, Default)]
pub struct ClientHello {
    /// Legacy version field.
    pub version: u16,
    /// Random number.
    pub random: [u8; 32],
    /// Session id.
    pub session: Vec<u8>,
    /// Cipher suites as sent.
    pub ciphers: Vec<u16>,
    /// Extensions as sent.
    pub extensions: Vec<u16>,
    /// First host name.
    pub server_name: Option<String>,
    /// Application protocols as sent.
    pub alpn: Vec<Vec<u8>>,
    /// `supported_versions`.
    pub versions: Vec<u16>,
    /// `supported_groups`.
    pub groups: Vec<u16>,
    /// `ec_point_formats`.
    pub point_formats: Vec<u8>,
    /// `signature_algorithms`.
    pub signatures: Vec<u16>,
    /// A session ticket came along.
    pub ticket: bool,
    /// A pre-shared key was offered.
    pub psk: bool,
    /// Encrypted ClientHello was offered, in earnest or as grease: nobody can tell.
    pub ech: bool,
    /// Read to its end without contradiction.
    pub whole: bool,
}

impl ClientHello {
    /// Newest version offered, grease aside. DTLS counts downwards.
    pub fn highest(&self) -> u16 {
        let offered = || self.versions.iter().copied().filter(|&version| !is_grease(version));
        let newest = if self.version >> 8 == 0xfe { offered().min() } else { offered().max() };
        newest.unwrap_or(self.version)
    }
}

/// Reads the body of a ClientHello; `dtls` ones carry a cookie.
pub fn client_hello(body: &[u8], dtls: bool) -> Option<ClientHello> {
    let mut bytes = Bytes(body);
    let mut hello = ClientHello { version: bytes.u16()?, ..ClientHello::default() };
    hello.random = *bytes.take(32)?.first_chunk()?;
    hello.session = bytes.vec8()?.to_vec();
    if dtls {
        bytes.vec8()?;
    }
    hello.whole = client_rest(&mut bytes, &mut hello).is_some();
    Some(hello)
}

fn client_rest(bytes: &mut Bytes<'_>, hello: &mut ClientHello) -> Option<()> {
    let ciphers = bytes.vec16()?;
    hello.ciphers = words(ciphers);
    bytes.vec8()?;
    let whole = extensions(bytes, |kind, value| {
        hello.extensions.push(kind);
        client_extension(kind, Bytes(value), hello);
    });
    (whole && ciphers.len() % 2 == 0).then_some(())
}

/// Walks over extensions; `false` if they break off.
fn extensions(bytes: &mut Bytes<'_>, mut each: impl FnMut(u16, &[u8])) -> bool {
    if bytes.0.is_empty() {
        return true;
    }
    let Some(announced) = bytes.u16() else { return false };
    let whole = usize::from(announced) <= bytes.0.len();
    let mut list = Bytes(&bytes.0[..bytes.0.len().min(usize::from(announced))]);
    for _ in 0..EXTENSIONS_MAX {
        if list.0.is_empty() {
            return whole;
        }
        let Some((kind, value)) = (|| Some((list.u16()?, list.vec16()?)))() else { return false };
        each(kind, value);
    }
    false
}

fn client_extension(kind: u16, mut value: Bytes<'_>, hello: &mut ClientHello) -> Option<()> {
    match kind {
        extension::SERVER_NAME => {
            let mut names = Bytes(value.vec16()?);
            while let (Some(name_type), Some(name)) = (names.u8(), names.vec16()) {
                if name_type == 0 && hello.server_name.is_none() {
                    hello.server_name = Some(escape(name, 1_024));
                }
            }
        }
        extension::GROUPS => hello.groups = words(value.vec16()?),
        extension::POINT_FORMATS => hello.point_formats = value.vec8()?.to_vec(),
        extension::SIGNATURES => hello.signatures = words(value.vec16()?),
        extension::ALPN => hello.alpn = protocols(value.vec16()?),
        extension::VERSIONS => hello.versions = words(value.vec8()?),
        extension::TICKET => hello.ticket = !value.0.is_empty(),
        extension::PRE_SHARED_KEY => hello.psk = true,
        extension::ENCRYPTED_HELLO | extension::ENCRYPTED_NAME => hello.ech = true,
        _ => {}
    }
    Some(())
}

fn protocols(list: &[u8]) -> Vec<Vec<u8>> {
    let mut list = Bytes(list);
    let mut out = Vec::new();
    while let Some(protocol) = list.vec8().filter(|_| out.len() < 64) {
        out.push(protocol.to_vec());
    }
    out
}

/// What a server chooses.
#[derive(Clone, Debug, Default)]
pub struct ServerHello {
    /// Legacy version field.
    pub version: u16,
    /// Random number.
    pub random: [u8; 32],
    /// Session id.
    pub session: Vec<u8>,
    /// Cipher suite.
    pub cipher: u16,
    /// Extensions as sent.
    pub extensions: Vec<u16>,
    /// `supported_versions`.
    pub selected: Option<u16>,
    /// Group of its key share.
    pub group: Option<u16>,
    /// Application protocol.
    pub alpn: Option<String>,
    /// It took the pre-shared key.
    pub psk: bool,
    /// It asks for another ClientHello.
    pub retry: bool,
    /// Its random ends in the words that warn of a downgrade.
    pub downgrade: bool,
}

/// Reads the body of a ServerHello.
pub fn server_hello(body: &[u8]) -> Option<ServerHello> {
    let mut bytes = Bytes(body);
    let mut hello = ServerHello { version: bytes.u16()?, ..ServerHello::default() };
    let random = bytes.take(32)?;
    hello.random = *random.first_chunk()?;
    hello.retry = random == RETRY_RANDOM;
    hello.downgrade = random.ends_with(b"DOWNGRD\x01") || random.ends_with(b"DOWNGRD\x00");
    // TLS 1.3 drafts up to 21 had neither session id nor compression here.
    let draft = hello.version & 0xff00 == 0x7f00;
    if !draft {
        hello.session = bytes.vec8()?.to_vec();
    }
    hello.cipher = bytes.u16()?;
    if !draft {
        bytes.u8()?;
    }
    extensions(&mut bytes, |kind, value| {
        hello.extensions.push(kind);
        server_extension(kind, Bytes(value), &mut hello);
    });
    Some(hello)
}

/// The application protocol in the body of EncryptedExtensions (RFC 8446 4.3.1).
pub fn encrypted_extensions(body: &[u8]) -> Option<String> {
    let mut hello = ServerHello::default();
    extensions(&mut Bytes(body), |kind, value| {
        server_extension(kind, Bytes(value), &mut hello);
    });
    hello.alpn
}

fn server_extension(kind: u16, mut value: Bytes<'_>, hello: &mut ServerHello) -> Option<()> {
    match kind {
        extension::VERSIONS => hello.selected = Some(value.u16()?),
        extension::KEY_SHARE => hello.group = Some(value.u16()?),
        extension::ALPN => hello.alpn = protocols(value.vec16()?).first().map(|name| escape(name, 255)),
        extension::PRE_SHARED_KEY => hello.psk = true,
        _ => {}
    }
    Some(())
}

/// An SSLv2 CLIENT-HELLO (or one that merely looks so to reach old servers, RFC 5246 E.2), without its two bytes of length.
pub fn v2_client_hello(body: &[u8]) -> Option<ClientHello> {
    let mut bytes = Bytes(body);
    if bytes.u8()? != 1 {
        return None;
    }
    let version = bytes.u16()?;
    let (ciphers, session, challenge) = (bytes.u16()?, bytes.u16()?, bytes.u16()?);
    let plausible = (version == 2 || version >> 8 == 3)
        && ciphers % 3 == 0
        && ciphers > 0
        && matches!(session, 0 | 16)
        && (16..=32).contains(&challenge);
    let fits = body.len() == 9 + usize::from(ciphers) + usize::from(session) + usize::from(challenge);
    if !plausible || !fits {
        return None;
    }
    let specs = bytes.take(usize::from(ciphers))?;
    // Three bytes each; those of SSLv3 and later begin with zero.
    let ciphers = specs.as_chunks::<3>().0.iter().filter(|spec| spec[0] == 0).map(|spec| u16::from_be_bytes([spec[1], spec[2]])).collect();
    let session = bytes.take(usize::from(session))?.to_vec();
    let mut random = [0; 32];
    // The challenge, with zeroes before it (RFC 5246 E.2).
    random.iter_mut().rev().zip(bytes.take(usize::from(challenge))?.iter().rev()).for_each(|(byte, given)| *byte = *given);
    Some(ClientHello { version, random, session, ciphers, ..ClientHello::default() })
}

/// An SSLv2 SERVER-HELLO: its version and the first cipher kind.
pub fn v2_server_hello(body: &[u8]) -> Option<(u16, u32)> {
    let mut bytes = Bytes(body);
    if bytes.u8()? != 4 {
        return None;
    }
    bytes.take(2)?;
    let version = bytes.u16()?;
    let (certificate, ciphers, _connection) = (bytes.u16()?, bytes.u16()?, bytes.u16()?);
    bytes.take(usize::from(certificate))?;
    let mut specs = Bytes(bytes.take(usize::from(ciphers))?);
    Some((version, specs.u24().and_then(|kind| u32::try_from(kind).ok())?))
}
