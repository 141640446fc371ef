//! What can be read out of the arguments of a call without knowing all of its types: texts, and Netlogon's credentials.

use crate::dissect::le::{u16_at, u32_at, utf16};

/// Texts kept of one call.
const STRINGS_MAX: usize = 8;
/// Letters of one.
const LETTERS_MAX: usize = 1_024;
/// Shorter runs of letters are chance.
const LETTERS_MIN: usize = 4;
/// Of single bytes, likewise.
const BYTES_MIN: usize = 8;

/// Texts in UTF-16; where there is none, those in ASCII.
pub fn strings(stub: &[u8]) -> Vec<String> {
    let wide = wide_strings(stub);
    if wide.is_empty() { narrow_strings(stub) } else { wide }
}

fn wide_strings(stub: &[u8]) -> Vec<String> {
    let pairs = stub.as_chunks::<2>().0;
    let is_letter = |pair: &&[u8; 2]| matches!(u16::from_le_bytes(**pair), 0x09 | 0x0a | 0x0d | 0x20..=0x7e | 0xa0..=0x24f | 0x370..=0x5ff);
    let mut found = Vec::new();
    let mut at = 0;
    while at < pairs.len() && found.len() < STRINGS_MAX {
        let run = pairs.get(at..).unwrap_or_default().iter().take_while(is_letter).count();
        if run >= LETTERS_MIN {
            found.push(utf16(stub.get(2 * at..2 * (at + run)).unwrap_or_default(), LETTERS_MAX));
        }
        at += run + 1;
    }
    found
}

fn narrow_strings(stub: &[u8]) -> Vec<String> {
    let runs = stub.split(|byte| !matches!(byte, b' '..=b'~'));
    runs.filter(|run| run.len() >= BYTES_MIN).take(STRINGS_MAX).map(|run| crate::dissect::escape(run, LETTERS_MAX)).collect()
}

/// The first text that names another machine: `\\host`, `\\host\share\file`. Backslashes are doubled by now.
pub fn target(strings: &[String]) -> Option<String> {
    strings
        .iter()
        .find(|text| text.strip_prefix("\\\\\\\\").is_some_and(|rest| rest.starts_with(|letter: char| letter.is_alphanumeric())))
        .cloned()
}

/// Whether the challenge or credential that the client sends in a Netlogon call is all zero (CVE-2020-1472; MS-NRPC 3.5.4.4, 3.5.4.5);
/// `None` for other calls, and where it is cut off.
pub fn zero_credential(opnum: u16, stub: &[u8]) -> Option<bool> {
    let mut ndr = Ndr { stub, at: 0 };
    ndr.unique_string()?;
    match opnum {
        // NetrServerReqChallenge: computer, challenge.
        4 => ndr.string()?,
        // NetrServerAuthenticate, 2, 3, NetrServerPasswordSet2: account, type of channel, computer, credential.
        5 | 15 | 26 | 30 => {
            ndr.string()?;
            ndr.align(2);
            u16_at(ndr.stub, ndr.at)?;
            ndr.at += 2;
            ndr.string()?;
        }
        _ => return None,
    }
    // PasswordSet2 sends an authenticator, which holds a number and so begins at a multiple of four.
    if opnum == 30 {
        ndr.align(4);
    }
    let credential = ndr.stub.get(ndr.at..)?.first_chunk::<8>()?;
    Some(*credential == [0; 8])
}

/// Little-endian NDR (C706 14), as much as those calls need.
struct Ndr<'a> {
    stub: &'a [u8],
    at: usize,
}

impl Ndr<'_> {
    fn align(&mut self, to: usize) {
        self.at = self.at.next_multiple_of(to);
    }

    fn u32(&mut self) -> Option<u32> {
        self.align(4);
        let number = u32_at(self.stub, self.at)?;
        self.at += 4;
        Some(number)
    }

    /// A conformant varying string of 16-bit letters: room, offset, count, letters.
    fn string(&mut self) -> Option<()> {
        let (_room, offset, count) = (self.u32()?, self.u32()?, self.u32()?);
        let bytes = usize::try_from(count).ok()?.checked_mul(2)?;
        let end = self.at.checked_add(bytes).filter(|&end| offset == 0 && end <= self.stub.len())?;
        self.at = end;
        Some(())
    }

    /// A pointer that may be null, and its string.
    fn unique_string(&mut self) -> Option<()> {
        if self.u32()? == 0 { Some(()) } else { self.string() }
    }
}
