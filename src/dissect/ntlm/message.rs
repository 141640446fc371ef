//! The three NTLM messages (MS-NLMP 2.2.1), as far as they are there.

use crate::dissect::le::{part, u8_at, u16_at, u32_at, utf16};
use crate::dissect::{escape, gssapi::NTLM_SIGNATURE};

/// Letters of a name.
const NAME_MAX: usize = 256;
/// Attributes of a target description that are looked at.
const PAIRS_MAX: usize = 32;
/// NTLMSSP_NEGOTIATE_UNICODE.
const UNICODE: u32 = 1;
/// NTLMSSP_NEGOTIATE_VERSION.
const VERSION: u32 = 0x0200_0000;

/// One message.
#[derive(Debug, PartialEq)]
pub enum Message<'a> {
    /// The client's offer.
    Negotiate(Negotiate),
    /// The server's challenge.
    Challenge(Challenge),
    /// The client's answer.
    Authenticate(Authenticate<'a>),
}

/// The client's offer.
#[derive(Debug, Default, PartialEq)]
pub struct Negotiate {
    /// Flags.
    pub flags: Option<u32>,
    /// Version.
    pub version: Option<String>,
}

/// The server's challenge.
#[derive(Debug, Default, PartialEq)]
pub struct Challenge {
    /// Flags.
    pub flags: Option<u32>,
    /// Challenge.
    pub challenge: Option<[u8; 8]>,
    /// Version.
    pub version: Option<String>,
    /// What the server says about itself.
    pub target: Target,
}

/// The client's answer.
#[derive(Debug, Default, PartialEq)]
pub struct Authenticate<'a> {
    /// Flags.
    pub flags: Option<u32>,
    /// Version.
    pub version: Option<String>,
    /// User's domain.
    pub domain: Option<String>,
    /// User.
    pub user: Option<String>,
    /// Workstation.
    pub workstation: Option<String>,
    /// LM response.
    pub lm: &'a [u8],
    /// NT response.
    pub nt: &'a [u8],
    /// Length of the NT response as announced, bytes.
    pub nt_len: usize,
    /// A message integrity code follows the header; `None` where that part is cut off.
    pub mic: Option<bool>,
    /// Service that the client meant (NTLMv2 only).
    pub target_name: Option<String>,
}

/// Attribute-value pairs (MS-NLMP 2.2.2.1).
#[derive(Debug, Default, PartialEq)]
pub struct Target {
    /// Server's NetBIOS name.
    pub nb_computer: Option<String>,
    /// Its NetBIOS domain.
    pub nb_domain: Option<String>,
    /// Its DNS name.
    pub dns_computer: Option<String>,
    /// Its DNS domain.
    pub dns_domain: Option<String>,
    /// Its forest.
    pub dns_tree: Option<String>,
    /// Flags: bit 1 announces a message integrity code.
    pub flags: Option<u32>,
    /// Service meant.
    pub target_name: Option<String>,
}

/// Reads a message.
pub fn parse(bytes: &[u8]) -> Option<Message<'_>> {
    if !bytes.starts_with(NTLM_SIGNATURE) {
        return None;
    }
    match u32_at(bytes, 8)? {
        1 => {
            let flags = u32_at(bytes, 12);
            Some(Message::Negotiate(Negotiate { flags, version: version(bytes, 32, flags) }))
        }
        2 => {
            let flags = u32_at(bytes, 20);
            let challenge = bytes.get(24..).and_then(<[u8]>::first_chunk).copied();
            let target = field(bytes, 40).map(target).unwrap_or_default();
            Some(Message::Challenge(Challenge { flags, challenge, version: version(bytes, 48, flags), target }))
        }
        3 => Some(Message::Authenticate(authenticate(bytes))),
        _ => None,
    }
}

fn authenticate(bytes: &[u8]) -> Authenticate<'_> {
    // The flags stand before the payload only if the message has them: the oldest clients leave them out.
    let payload = [12, 20, 28, 36, 44].iter().filter(|&&at| u16_at(bytes, at) != Some(0)).filter_map(|&at| u32_at(bytes, at + 4)).min();
    let has = |end: u32| payload.is_none_or(|payload| payload >= end);
    let flags = u32_at(bytes, 60).filter(|_| has(64));
    let wide = flags.is_none_or(|flags| flags & UNICODE != 0);
    let name = |at| field(bytes, at).map(|name| if wide { utf16(name, NAME_MAX) } else { escape(name, NAME_MAX) });
    let nt = field(bytes, 20).unwrap_or_default();
    // NTLMv2_CLIENT_CHALLENGE behind sixteen bytes of proof: its attributes begin at 28 (MS-NLMP 2.2.2.7).
    let described = nt.get(44..).filter(|_| nt.len() > 24).map(target).unwrap_or_default();
    let announced = described.flags.map(|flags| flags & 2 != 0);
    Authenticate {
        flags,
        version: version(bytes, 64, flags).filter(|_| has(72)),
        domain: name(28),
        user: name(36),
        workstation: name(44),
        lm: field(bytes, 12).unwrap_or_default(),
        nt,
        nt_len: usize::from(u16_at(bytes, 20).unwrap_or(0)),
        mic: announced.or_else(|| (!nt.is_empty()).then_some(false)),
        target_name: described.target_name.filter(|name| !name.is_empty()),
    }
}

/// A payload field by its length, room and offset; as far as it is there. `None` where nothing of it is.
fn field(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let length = usize::from(u16_at(bytes, at)?);
    let offset = usize::try_from(u32_at(bytes, at + 4)?).ok()?;
    if length == 0 {
        return None;
    }
    part(bytes, offset, length).filter(|field| !field.is_empty())
}

/// `major.minor.build` (MS-NLMP 2.2.2.10).
fn version(bytes: &[u8], at: usize, flags: Option<u32>) -> Option<String> {
    if flags? & VERSION == 0 {
        return None;
    }
    let (major, minor, build) = (u8_at(bytes, at)?, u8_at(bytes, at + 1)?, u16_at(bytes, at + 2)?);
    (major > 0).then(|| format!("{major}.{minor}.{build}"))
}

fn target(mut bytes: &[u8]) -> Target {
    let mut found = Target::default();
    for _ in 0..PAIRS_MAX {
        let (Some(id), Some(length)) = (u16_at(bytes, 0), u16_at(bytes, 2)) else { break };
        let value = part(bytes, 4, usize::from(length)).unwrap_or_default();
        let text = || Some(utf16(value, NAME_MAX));
        match id {
            0 => break,
            1 => found.nb_computer = text(),
            2 => found.nb_domain = text(),
            3 => found.dns_computer = text(),
            4 => found.dns_domain = text(),
            5 => found.dns_tree = text(),
            6 => found.flags = u32_at(value, 0),
            9 => found.target_name = text(),
            _ => {}
        }
        bytes = bytes.get(4 + usize::from(length)..).unwrap_or_default();
    }
    found
}
