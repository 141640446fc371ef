//! Opens the records of one direction under one set of keys.

use super::suite::{Mac, Seal, Suite};
use crate::dissect::tls::record::content;
use aes::cipher::{Block, BlockCipherDecrypt, KeyInit};
use aes::{Aes128, Aes256};
use ring::aead::{Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hmac;

/// Records that may be missing before the next: their number is in no header, so it is tried.
const SLACK_MAX: u64 = 64;
/// Length of an authentication tag.
const TAG: usize = 16;
/// Length of a block of AES.
const BLOCK: usize = 16;
/// The part of GCM's nonce that travels with the record (RFC 5288 3).
const EXPLICIT: usize = 8;

/// A record as it stands on the wire.
#[derive(Clone, Copy)]
pub struct Sealed<'a> {
    /// Content type in its header.
    pub kind: u8,
    /// Version in its header.
    pub version: [u8; 2],
    /// Its bytes.
    pub body: &'a [u8],
}

/// What was inside: the content type, and the bytes.
pub type Opened = (u8, Vec<u8>);

/// Keys of one direction.
pub struct Opener {
    layer: Layer,
    /// Number of the next record.
    number: u64,
    /// How many records before it may have gone by unseen or unread.
    slack: u64,
}

enum Layer {
    /// TLS 1.3.
    Modern {
        key: LessSafeKey,
        iv: [u8; 12],
    },
    /// GCM up to TLS 1.2, whose records carry the rest of their nonce.
    Gcm {
        key: LessSafeKey,
        salt: [u8; 4],
    },
    /// ChaCha20 in TLS 1.2.
    ChaCha {
        key: LessSafeKey,
        iv: [u8; 12],
    },
    Cbc(Box<Cbc>),
}

/// CBC with a message authentication code.
struct Cbc {
    key: Aes,
    mac: hmac::Key,
    mac_length: usize,
    /// TLS 1.0: the end of the record before is the beginning of the next.
    chained: Option<[u8; BLOCK]>,
    /// The code stands over what is encrypted (RFC 7366).
    encrypt_then_mac: bool,
}

enum Aes {
    Short(Aes128),
    Long(Aes256),
}

/// What the keys of one direction are made of, up to TLS 1.2.
pub struct Material<'a> {
    /// Key of the message authentication code.
    pub mac: &'a [u8],
    /// Key of the cipher.
    pub key: &'a [u8],
    /// What goes into nonces.
    pub iv: &'a [u8],
    /// TLS 1.0: records are chained.
    pub chained: bool,
    /// RFC 7366 was agreed on.
    pub encrypt_then_mac: bool,
}

impl Opener {
    /// For TLS 1.3.
    pub fn modern(suite: &Suite, key: &[u8], iv: &[u8]) -> Option<Self> {
        let layer = Layer::Modern { key: cipher(suite, key)?, iv: iv.try_into().ok()? };
        Some(Self { layer, number: 0, slack: 0 })
    }

    /// For TLS up to 1.2.
    pub fn classic(suite: &Suite, material: &Material<'_>) -> Option<Self> {
        let layer = match suite.seal {
            Seal::Gcm(_) => Layer::Gcm { key: cipher(suite, material.key)?, salt: material.iv.try_into().ok()? },
            Seal::ChaCha => Layer::ChaCha { key: cipher(suite, material.key)?, iv: material.iv.try_into().ok()? },
            Seal::Cbc(length, mac) => Layer::Cbc(Box::new(Cbc::new(length, mac, material)?)),
        };
        Some(Self { layer, number: 0, slack: 0 })
    }

    /// `bytes` of records went by unseen.
    pub fn missed(&mut self, bytes: u64) {
        // A record has at least a header, a tag, and something to say.
        self.skip(1 + bytes / 22);
    }

    fn skip(&mut self, records: u64) {
        self.slack = self.slack.saturating_add(records).min(SLACK_MAX);
    }

    /// The content of a record, if it was sealed with these keys and nothing of it is wrong.
    pub fn open(&mut self, record: &Sealed<'_>) -> Option<Opened> {
        let found =
            (self.number..=self.number.saturating_add(self.slack)).find_map(|number| Some((number, self.layer.open(number, record)?)));
        if let Layer::Cbc(cbc) = &mut self.layer {
            cbc.passed(record);
        }
        let Some((number, opened)) = found else {
            self.skip(1);
            return None;
        };
        (self.number, self.slack) = (number.saturating_add(1), 0);
        Some(opened)
    }
}

fn cipher(suite: &Suite, key: &[u8]) -> Option<LessSafeKey> {
    Some(LessSafeKey::new(UnboundKey::new(suite.aead()?, key).ok()?))
}

/// The nonce of a record in TLS 1.3, and in RFC 7905: its number over the vector.
fn nonce(iv: &[u8; 12], number: u64) -> Nonce {
    let mut nonce = *iv;
    nonce.iter_mut().rev().zip(number.to_le_bytes()).for_each(|(byte, part)| *byte ^= part);
    Nonce::assume_unique_for_key(nonce)
}

/// What is authenticated beside the content up to TLS 1.2 (RFC 5246 6.2.3.3).
fn beside(number: u64, record: &Sealed<'_>, length: usize) -> Option<[u8; 13]> {
    let mut out = [0; 13];
    let [n @ .., kind, major, minor, high, low] = &mut out;
    *n = number.to_be_bytes();
    *kind = record.kind;
    [*major, *minor] = record.version;
    [*high, *low] = u16::try_from(length).ok()?.to_be_bytes();
    Some(out)
}

fn unseal(key: &LessSafeKey, nonce: Nonce, aad: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = sealed.to_vec();
    key.open_in_place(nonce, Aad::from(aad), &mut bytes).ok()?;
    bytes.truncate(bytes.len().saturating_sub(TAG));
    Some(bytes)
}

impl Layer {
    fn open(&self, number: u64, record: &Sealed<'_>) -> Option<Opened> {
        match self {
            Self::Modern { key, iv } => {
                let [high, low] = u16::try_from(record.body.len()).ok()?.to_be_bytes();
                let [major, minor] = record.version;
                let bytes = unseal(key, nonce(iv, number), &[record.kind, major, minor, high, low], record.body)?;
                unpadded(bytes)
            }
            Self::Gcm { key, salt } => {
                let (explicit, sealed) = record.body.split_first_chunk::<EXPLICIT>()?;
                let mut whole = [0; 12];
                whole.iter_mut().zip(salt.iter().chain(explicit)).for_each(|(byte, part)| *byte = *part);
                let aad = beside(number, record, sealed.len().checked_sub(TAG)?)?;
                Some((record.kind, unseal(key, Nonce::assume_unique_for_key(whole), &aad, sealed)?))
            }
            Self::ChaCha { key, iv } => {
                let aad = beside(number, record, record.body.len().checked_sub(TAG)?)?;
                Some((record.kind, unseal(key, nonce(iv, number), &aad, record.body)?))
            }
            Self::Cbc(cbc) => Some((record.kind, cbc.open(number, record)?)),
        }
    }
}

/// TLS 1.3 puts the content type behind the content, and zeroes behind both (RFC 8446 5.2).
fn unpadded(mut bytes: Vec<u8>) -> Option<Opened> {
    let at = bytes.iter().rposition(|&byte| byte != 0)?;
    let kind = *bytes.get(at)?;
    bytes.truncate(at);
    (content::CHANGE_CIPHER_SPEC..=content::HEARTBEAT).contains(&kind).then_some((kind, bytes))
}

impl Cbc {
    fn new(length: usize, mac: Mac, material: &Material<'_>) -> Option<Self> {
        let key = if length == 16 {
            Aes::Short(Aes128::new_from_slice(material.key).ok()?)
        } else {
            Aes::Long(Aes256::new_from_slice(material.key).ok()?)
        };
        Some(Self {
            key,
            mac: hmac::Key::new(mac.algorithm(), material.mac),
            mac_length: mac.algorithm().digest_algorithm().output_len(),
            chained: if material.chained { Some(material.iv.try_into().ok()?) } else { None },
            encrypt_then_mac: material.encrypt_then_mac,
        })
    }

    fn open(&self, number: u64, record: &Sealed<'_>) -> Option<Vec<u8>> {
        let mut sealed = record.body;
        if self.encrypt_then_mac {
            let (content, mac) = sealed.split_at_checked(sealed.len().checked_sub(self.mac_length)?)?;
            self.verify(number, record, content, mac)?;
            sealed = content;
        }
        let bytes = self.decrypt(sealed)?;
        let padding = usize::from(*bytes.last()?) + 1;
        let (content, pad) = bytes.split_at_checked(bytes.len().checked_sub(padding)?)?;
        // SSLv3 leaves the padding to chance; all others repeat its length.
        if record.version != [3, 0] && pad.iter().any(|byte| usize::from(*byte) + 1 != padding) {
            return None;
        }
        if self.encrypt_then_mac {
            return Some(content.to_vec());
        }
        let (content, mac) = content.split_at_checked(content.len().checked_sub(self.mac_length)?)?;
        self.verify(number, record, content, mac)?;
        Some(content.to_vec())
    }

    fn verify(&self, number: u64, record: &Sealed<'_>, content: &[u8], mac: &[u8]) -> Option<()> {
        let aad = beside(number, record, content.len())?;
        hmac::verify(&self.mac, &[&aad, content].concat(), mac).ok()
    }

    fn decrypt(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        let (mut before, blocks) = match &self.chained {
            Some(iv) => (*iv, sealed),
            None => sealed.split_first_chunk::<BLOCK>().map(|(iv, rest)| (*iv, rest))?,
        };
        let (blocks, rest) = blocks.as_chunks::<BLOCK>();
        if !rest.is_empty() {
            return None;
        }
        let mut out = Vec::with_capacity(blocks.len() * BLOCK);
        for block in blocks {
            let mut plain = Block::<Aes128>::from(*block);
            match &self.key {
                Aes::Short(key) => key.decrypt_block(&mut plain),
                Aes::Long(key) => key.decrypt_block(&mut plain),
            }
            out.extend(plain.iter().zip(before).map(|(byte, before)| byte ^ before));
            before = *block;
        }
        Some(out)
    }

    /// A record went by, read or not: what is chained goes on from its last block.
    fn passed(&mut self, record: &Sealed<'_>) {
        let sealed = if self.encrypt_then_mac { record.body.len().saturating_sub(self.mac_length) } else { record.body.len() };
        if let (Some(chained), Some(last)) = (&mut self.chained, record.body.get(..sealed).and_then(|sealed| sealed.last_chunk::<BLOCK>()))
        {
            *chained = *last;
        }
    }
}
