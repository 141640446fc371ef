//! NTLM (MS-NLMP): the three messages of a login, with answers of the right shape that no password ever made.

use crate::synth::Rng;

const VERSION: [u8; 8] = [10, 0, 0x61, 0x4a, 0, 0, 0, 15];

/// Text as UTF-16, least byte first.
pub fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// What the client offers.
pub fn negotiate() -> Vec<u8> {
    [&b"NTLMSSP\0"[..], &1u32.to_le_bytes(), &0xe208_8297u32.to_le_bytes(), &[0; 16], &VERSION].concat()
}

/// The server's challenge, as of `server` in OFFICE.
pub fn challenge(rng: &mut Rng, server: &str) -> Vec<u8> {
    let (domain, list) = (wide("OFFICE"), attributes(&[(2, wide("OFFICE")), (1, wide(server)), (4, wide("office.example"))]));
    let mut bytes = [&b"NTLMSSP\0"[..], &2u32.to_le_bytes()].concat();
    bytes.extend(place(56, domain.len()));
    bytes.extend(0xe289_8215u32.to_le_bytes());
    bytes.extend(rng.bytes(8));
    bytes.extend([0; 8]);
    bytes.extend(place(56 + domain.len(), list.len()));
    bytes.extend(VERSION);
    [bytes, domain, list].concat()
}

/// The client's answer as NTLMv2 gives it.
pub fn authenticate(rng: &mut Rng, user: &str, host: &str) -> Vec<u8> {
    let list = attributes(&[(2, wide("OFFICE")), (6, 2u32.to_le_bytes().to_vec())]);
    let answer = [&rng.bytes(16)[..], &[1, 1, 0, 0, 0, 0, 0, 0], &[0; 8], &rng.bytes(8), &[0; 4], &list, &[0; 4]].concat();
    let values = [vec![0; 24], answer, wide("OFFICE"), wide(user), wide(host), Vec::new()];
    let mut bytes = [&b"NTLMSSP\0"[..], &3u32.to_le_bytes()].concat();
    let mut at = 88;
    for value in &values {
        bytes.extend(place(at, value.len()));
        at += value.len();
    }
    bytes.extend(0xe288_8215u32.to_le_bytes());
    bytes.extend(VERSION);
    bytes.extend(rng.bytes(16));
    [bytes, values.concat()].concat()
}

/// Length, room, offset.
fn place(at: usize, length: usize) -> Vec<u8> {
    let length = (length as u16).to_le_bytes();
    [&length[..], &length, &(at as u32).to_le_bytes()].concat()
}

fn attributes(pairs: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let mut list: Vec<u8> =
        pairs.iter().flat_map(|(id, value)| [&id.to_le_bytes()[..], &(value.len() as u16).to_le_bytes(), value].concat()).collect();
    list.extend([0; 4]);
    list
}
