//! Keys of Initial packets (RFC 9001 5.2): whoever sees the first datagram can derive them.

use super::header::Version;
use ring::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey, quic};
use ring::hkdf::{self, HKDF_SHA256, Prk, Salt};

/// Length of an authentication tag.
const TAG: usize = 16;

const V1: [u8; 20] = *b"\x38\x76\x2c\xf7\xf5\x59\x34\xb3\x4d\x17\x9a\xe6\xa4\xc8\x0c\xad\xcc\xbb\x7f\x0a";
const V2: [u8; 20] = *b"\x0d\xed\xe3\xde\xf7\x00\xa6\xdb\x81\x93\x81\xbe\x6e\x26\x9d\xcb\xf9\xbd\x2e\xd9";
/// draft-ietf-quic-v2-01.
const V2_DRAFT: [u8; 20] = *b"\xa7\x07\xc2\x03\xa5\x9b\x47\x18\x4a\x1d\x62\xca\x57\x04\x06\xea\x7a\xe3\xe5\xd3";
const DRAFT_29: [u8; 20] = *b"\xaf\xbf\xec\x28\x99\x93\xd2\x4c\x9e\x97\x86\xf1\x9c\x61\x11\xe0\x43\x90\xa8\x99";
const DRAFT_23: [u8; 20] = *b"\xc3\xee\xf7\x12\xc7\x2e\xbb\x5a\x11\xa7\xd2\x43\x2b\xb4\x63\x65\xbe\xf9\xf5\x02";
const DRAFT_21: [u8; 20] = *b"\x7f\xbc\xdb\x0e\x7c\x66\xbb\xe9\x19\x3a\x96\xcd\x21\x51\x9e\xbd\x7a\x02\x64\x4a";
const Q050: [u8; 20] = *b"\x50\x45\x74\xef\xd0\x66\xfe\x2f\x9d\x94\x5c\xfc\xdb\xd3\xa7\xf0\xd3\xb5\x6b\x45";
const T050: [u8; 20] = *b"\x7f\xf5\x79\xe5\xac\xd0\x72\x91\x55\x80\x30\x4c\x43\xa2\x36\x7c\x60\x48\x83\x10";
const T051: [u8; 20] = *b"\x7a\x4e\xde\xf4\xe7\xcc\xee\x5f\xa4\x50\x6c\x19\x12\x4f\xc8\xcc\xda\x6e\x03\x3d";

/// The salts to try for a version, likeliest first.
pub fn salts(version: Version) -> &'static [[u8; 20]] {
    match version.0 {
        1 | 0xff00_0021..=0xff00_0022 => &[V1],
        0x6b33_43cf => &[V2],
        0x709a_50c4 => &[V2_DRAFT],
        0xff00_001d..=0xff00_0020 => &[DRAFT_29],
        0xff00_0017..=0xff00_001c => &[DRAFT_23],
        0xff00_0015..=0xff00_0016 => &[DRAFT_21],
        0x5130_3530..=0x5130_3539 => &[Q050],
        0x5430_3530 => &[T050],
        0x5430_3531 => &[T051],
        // Meta's own numbers stand for one draft or another; so may any number that nobody has told us of.
        _ => &[V1, DRAFT_29, DRAFT_23, DRAFT_21],
    }
}

struct Length(usize);

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// HKDF-Expand-Label (RFC 8446 7.1) without context.
fn expand<const N: usize>(secret: &Prk, label: &[u8]) -> Option<[u8; N]> {
    let length = u16::try_from(N).ok()?.to_be_bytes();
    let labelled = u8::try_from(label.len() + 6).ok()?;
    let mut out = [0; N];
    secret.expand(&[&length, &[labelled], b"tls13 ", label, &[0]], Length(N)).ok()?.fill(&mut out).ok()?;
    Some(out)
}

/// Keys of one sender.
struct Sender {
    header: quic::HeaderProtectionKey,
    packet: LessSafeKey,
    iv: [u8; 12],
    /// Highest packet number seen.
    highest: Option<u64>,
}

impl Sender {
    fn new(initial: &Prk, label: &[u8], second: bool) -> Option<Self> {
        let secret = Prk::new_less_safe(HKDF_SHA256, &expand::<32>(initial, label)?);
        let [key, iv, header]: [&[u8]; 3] =
            if second { [b"quicv2 key", b"quicv2 iv", b"quicv2 hp"] } else { [b"quic key", b"quic iv", b"quic hp"] };
        Some(Self {
            header: quic::HeaderProtectionKey::new(&quic::AES_128, &expand::<16>(&secret, header)?).ok()?,
            packet: LessSafeKey::new(UnboundKey::new(&aead::AES_128_GCM, &expand::<16>(&secret, key)?).ok()?),
            iv: expand(&secret, iv)?,
            highest: None,
        })
    }

    /// The payload of a packet whose packet number stands at `at`. A packet that the capture cut off is decrypted as far as it
    /// goes, unauthenticated: nothing of it is believed that the frames inside do not bear out.
    fn open(&mut self, packet: &[u8], at: usize, cut: bool) -> Option<Vec<u8>> {
        let mask = self.header.new_mask(packet.get(at + 4..at + 20)?).ok()?;
        let mut header = packet.get(..at + 4)?.to_vec();
        let first = header.first_mut()?;
        *first ^= mask[0] & 0x0f;
        let length = usize::from(*first & 3) + 1;
        header.truncate(at + length);
        let mut number = 0;
        for (byte, mask) in header.get_mut(at..)?.iter_mut().zip(&mask[1..]) {
            *byte ^= mask;
            number = number << 8 | u64::from(*byte);
        }
        let number = whole_number(self.highest, number, length);
        let mut nonce = self.iv;
        for (byte, part) in nonce.iter_mut().rev().zip(number.to_le_bytes()) {
            *byte ^= part;
        }
        let nonce = Nonce::assume_unique_for_key(nonce);
        let mut payload = packet.get(at + length..)?.to_vec();
        if cut {
            let mut stream = vec![0; payload.len()];
            // Counter mode: what zeroes become is the key stream.
            let _tag = self.packet.seal_in_place_separate_tag(nonce, Aad::empty(), &mut stream).ok()?;
            payload.iter_mut().zip(stream).for_each(|(byte, key)| *byte ^= key);
        } else {
            self.packet.open_in_place(nonce, Aad::from(header), &mut payload).ok()?;
            payload.truncate(payload.len().saturating_sub(TAG));
        }
        self.highest = self.highest.max(Some(number));
        Some(payload)
    }
}

/// A packet number from its low bytes: the one next to what is expected (RFC 9000 A.3).
fn whole_number(highest: Option<u64>, low: u64, length: usize) -> u64 {
    let window = 1u64 << (8 * length);
    let expected = highest.map_or(0, |highest| highest + 1);
    let candidate = expected & !(window - 1) | low;
    if candidate + window / 2 <= expected {
        candidate + window
    } else if candidate > expected + window / 2 && candidate >= window {
        candidate - window
    } else {
        candidate
    }
}

/// Keys of both sides.
pub struct Keys {
    senders: [Sender; 2],
}

impl Keys {
    /// From the destination connection id of the client's first packet.
    pub fn new(salt: &[u8; 20], version: Version, dcid: &[u8]) -> Option<Self> {
        let initial = Salt::new(HKDF_SHA256, salt).extract(dcid);
        let sender = |label| Sender::new(&initial, label, version.is_2());
        Some(Self { senders: [sender(b"client in")?, sender(b"server in")?] })
    }

    /// The payload of a packet from the client or the server.
    pub fn open(&mut self, client: bool, packet: &[u8], number_at: usize, cut: bool) -> Option<Vec<u8>> {
        let [ours, theirs] = &mut self.senders;
        if client { ours } else { theirs }.open(packet, number_at, cut)
    }
}

#[cfg(test)]
impl Keys {
    /// Protects what a test wants to send: header with a packet number of four bytes, payload.
    pub fn seal(&self, client: bool, header: &[u8], payload: &[u8]) -> Vec<u8> {
        let sender = &self.senders[usize::from(!client)];
        let mut nonce = sender.iv;
        nonce.iter_mut().rev().zip(header.iter().rev().take(4)).for_each(|(byte, part)| *byte ^= part);
        let mut sealed = payload.to_vec();
        sender.packet.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(header), &mut sealed).unwrap();
        let mask = sender.header.new_mask(&sealed[..16]).unwrap();
        let mut packet = header.to_vec();
        packet[0] ^= mask[0] & 0x0f;
        let at = packet.len() - 4;
        packet[at..].iter_mut().zip(&mask[1..]).for_each(|(byte, mask)| *byte ^= mask);
        packet.extend(sealed);
        packet
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::hex;

    #[test]
    fn keys_are_those_of_rfc_9001_a_1_and_rfc_9369_a_1() {
        let dcid = *b"\x83\x94\xc8\xf0\x3e\x51\x57\x08";
        let secret = |salt: &[u8; 20], label: &[u8]| {
            let initial = Salt::new(HKDF_SHA256, salt).extract(&dcid);
            Prk::new_less_safe(HKDF_SHA256, &expand::<32>(&initial, label).unwrap())
        };
        let client = secret(&V1, b"client in");
        assert_eq!(hex(&expand::<16>(&client, b"quic key").unwrap()), "1f369613dd76d5467730efcbe3b1a22d");
        assert_eq!(hex(&expand::<12>(&client, b"quic iv").unwrap()), "fa044b2f42a3fd3b46fb255c");
        assert_eq!(hex(&expand::<16>(&client, b"quic hp").unwrap()), "9f50449e04a0e810283a1e9933adedd2");
        assert_eq!(hex(&expand::<16>(&secret(&V2, b"client in"), b"quicv2 key").unwrap()), "8b1a0bc121284290a29e0971b5cd045d");
    }

    #[test]
    fn packet_numbers_are_completed_as_in_rfc_9000_a_3() {
        assert_eq!(whole_number(Some(0xa82f_30ea), 0x9b32, 2), 0xa82f_9b32);
        assert_eq!(whole_number(None, 2, 1), 2);
        assert_eq!(whole_number(Some(255), 0, 1), 256);
        assert_eq!(whole_number(Some(256), 255, 1), 255);
    }
}
