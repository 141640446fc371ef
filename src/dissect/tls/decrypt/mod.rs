//! Reading what is encrypted, where the keys are known: a key log beside the capture or in it. Nothing is broken here, and nothing is
//! believed that is not authenticated.
//!
//! Read are TLS 1.0 to 1.3 with AES-GCM, ChaCha20-Poly1305 and AES-CBC. Not read are other ciphers, compressed records, DTLS and QUIC beyond
//! its first packets.

pub(super) mod derive;
mod opener;
pub(super) mod suite;

use crate::model::keys::SessionKeys;
use crate::model::{Dir, Keys};
use opener::{Material, Opener};
pub use opener::{Opened, Sealed};
use suite::Suite;

/// Records in a row that do not open, after which the keys are taken for wrong.
const FAILURES_MAX: u32 = 64;
/// Changes of keys within TLS 1.3 that are followed (RFC 8446 4.6.3).
const UPDATES_MAX: u32 = 10_000;

/// Handshake message that ends a side's handshake.
const FINISHED: u8 = 20;
/// Handshake message that announces new keys.
const KEY_UPDATE: u8 = 24;

/// What both sides agreed on, as far as keys depend on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Random number of the client.
    pub client_random: [u8; 32],
    /// Random number of the server.
    pub server_random: [u8; 32],
    /// Negotiated version.
    pub version: u16,
    /// Cipher suite.
    pub cipher: u16,
    /// RFC 7366.
    pub encrypt_then_mac: bool,
    /// What the client encrypted to the server begins with this (RSA).
    pub premaster: Option<[u8; 8]>,
}

/// The keys of one session.
pub struct Decryption {
    suite: Suite,
    modern: bool,
    sides: [Side; 2],
    opened: bool,
}

#[derive(Default)]
struct Side {
    /// In use, then those to come.
    keys: Vec<Opener>,
    /// Up to TLS 1.2 keys are in use once the side has said so.
    begun: bool,
    /// What the next keys of TLS 1.3 are derived from.
    secret: Vec<u8>,
    updates: u32,
    failures: u32,
}

impl Decryption {
    /// With what is known of the session, if that is enough to read either side.
    pub fn new(keys: &Keys, terms: &Terms, client: Dir) -> Option<Self> {
        let suite = Suite::of(terms.cipher)?;
        let modern = terms.version == 0x0304;
        if !modern && !(0x0301..=0x0303).contains(&terms.version) {
            return None;
        }
        let known = keys.session(&terms.client_random).unwrap_or_default();
        let sides = if modern { modern_sides(&suite, &known, client) } else { classic_sides(&suite, terms, &known, keys, client)? };
        let some = sides.iter().any(|side| !side.keys.is_empty());
        some.then_some(Self { suite, modern, sides, opened: false })
    }

    /// Some record has opened: the keys are right.
    pub fn is_proven(&self) -> bool {
        self.opened
    }

    /// Whether records of `dir` are still worth the trouble.
    pub fn reads(&self, dir: Dir) -> bool {
        let side = &self.sides[dir.index()];
        !side.keys.is_empty() && side.failures < FAILURES_MAX
    }

    /// Whether a record of this kind is sealed with keys.
    pub fn seals(&self, dir: Dir, kind: u8) -> bool {
        use super::record::content;
        if self.modern { kind == content::DATA } else { self.sides[dir.index()].begun }
    }

    /// Up to TLS 1.2: from the next record on `dir` uses its keys.
    pub fn change_cipher_spec(&mut self, dir: Dir) {
        self.sides[dir.index()].begun |= !self.modern;
    }

    /// Bytes of `dir` are lost.
    pub fn missed(&mut self, dir: Dir, bytes: u64) {
        for keys in &mut self.sides[dir.index()].keys {
            keys.missed(bytes);
        }
    }

    /// The content of a record.
    pub fn open(&mut self, dir: Dir, record: &Sealed<'_>) -> Option<Opened> {
        let side = &mut self.sides[dir.index()];
        if side.failures >= FAILURES_MAX {
            return None;
        }
        let found = side.keys.iter_mut().enumerate().find_map(|(n, keys)| Some((n, keys.open(record)?)));
        let Some((n, opened)) = found else {
            side.failures += 1;
            return None;
        };
        // Keys are never gone back to.
        side.keys.drain(..n);
        side.failures = 0;
        self.opened = true;
        Some(opened)
    }

    /// A message of the handshake that keys depend on.
    pub fn said(&mut self, dir: Dir, kind: u8) {
        match kind {
            FINISHED => self.finished(dir),
            KEY_UPDATE => self.key_update(dir),
            _ => {}
        }
    }

    /// Up to TLS 1.2: `dir` uses new keys from here on.
    pub fn renew(&mut self, keys: &Keys, terms: &Terms, client: Dir, dir: Dir) {
        let fresh = Self::new(keys, terms, client).map(|mut fresh| std::mem::take(&mut fresh.sides[dir.index()]));
        self.sides[dir.index()] = Side { begun: true, ..fresh.unwrap_or_default() };
    }

    /// TLS 1.3: what `dir` sends from here on is application data.
    fn finished(&mut self, dir: Dir) {
        let keys = &mut self.sides[dir.index()].keys;
        if self.modern && keys.len() > 1 {
            keys.drain(..keys.len() - 1);
        }
    }

    /// TLS 1.3: `dir` changes its keys.
    fn key_update(&mut self, dir: Dir) {
        let side = &mut self.sides[dir.index()];
        if !self.modern || side.secret.is_empty() || side.updates >= UPDATES_MAX {
            return;
        }
        side.updates += 1;
        side.secret = derive::expand(&self.suite, &side.secret, b"traffic upd", self.suite.secret_length()).unwrap_or_default();
        side.keys = modern_keys(&self.suite, &side.secret).into_iter().collect();
    }

    /// Nothing will ever open.
    pub fn is_hopeless(&self) -> bool {
        ![Dir::Orig, Dir::Resp].iter().any(|dir| self.reads(*dir))
    }
}

/// Keys out of a secret of TLS 1.3.
fn modern_keys(suite: &Suite, secret: &[u8]) -> Option<Opener> {
    if secret.len() != suite.secret_length() {
        return None;
    }
    let key = derive::expand(suite, secret, b"key", suite.key_length())?;
    Opener::modern(suite, &key, &derive::expand(suite, secret, b"iv", 12)?)
}

fn modern_sides(suite: &Suite, known: &SessionKeys, client: Dir) -> [Side; 2] {
    let mut sides = [Dir::Orig, Dir::Resp].map(|dir| {
        let is_client = dir == client;
        let n = usize::from(!is_client);
        let early = known.early.as_deref().filter(|_| is_client);
        let [handshake, traffic] = [&known.handshake, &known.traffic].map(|pair| pair.get(n).and_then(Option::as_deref));
        let keys = [early, handshake, traffic].into_iter().flatten().filter_map(|secret| modern_keys(suite, secret)).collect();
        Side { keys, secret: traffic.unwrap_or_default().to_vec(), ..Side::default() }
    });
    // Early data were sent before anybody could know: some of it may be behind us.
    if let Some(first) = sides[client.index()].keys.first_mut().filter(|_| known.early.is_some()) {
        first.missed(u64::from(u16::MAX));
    }
    sides
}

fn classic_sides(suite: &Suite, terms: &Terms, known: &SessionKeys, keys: &Keys, client: Dir) -> Option<[Side; 2]> {
    let legacy = terms.version < 0x0303;
    let randoms = |first: &[u8; 32], second: &[u8; 32]| [first.as_slice(), second].concat();
    let master = known.master.clone().or_else(|| {
        let premaster = keys.premaster(&terms.premaster?)?;
        let seed = randoms(&terms.client_random, &terms.server_random);
        Some(derive::prf(suite, legacy, &premaster, b"master secret", &seed, 48).into())
    })?;
    let (mac, key, iv) = (suite.mac_length(), suite.key_length(), suite.iv_length());
    let seed = randoms(&terms.server_random, &terms.client_random);
    let block = derive::prf(suite, legacy, &master, b"key expansion", &seed, 2 * (mac + key + iv));
    let part = |at: usize, length: usize, n: usize| block.get(at + n * length..at + (n + 1) * length);
    let side = |n: usize| {
        let material = Material {
            mac: part(0, mac, n)?,
            key: part(2 * mac, key, n)?,
            iv: part(2 * (mac + key), iv, n)?,
            chained: terms.version == 0x0301,
            encrypt_then_mac: terms.encrypt_then_mac,
        };
        Some(Side { keys: vec![Opener::classic(suite, &material)?], ..Side::default() })
    };
    let (of_client, of_server) = (side(0)?, side(1)?);
    Some(if client == Dir::Orig { [of_client, of_server] } else { [of_server, of_client] })
}
