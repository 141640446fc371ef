//! X.509 certificates in DER (RFC 5280, X.690), with signatures of the right shape that no key ever made.

use crate::model::{Ts, time::SECOND};
use crate::synth::Rng;

/// What a certificate says.
#[derive(Clone, Debug)]
pub struct Certificate<'a> {
    pub subject: &'a str,
    pub issuer: &'a str,
    /// Names it is good for.
    pub names: &'a [&'a str],
    pub not_before: Ts,
    pub days: i64,
}

impl Certificate<'_> {
    /// The certificate as sent in a handshake.
    pub fn der(&self, rng: &mut Rng) -> Vec<u8> {
        let body = self.body(rng);
        let signature = element(0x30, &[integer(&rng.bytes(32)), integer(&rng.bytes(32))].concat());
        element(0x30, &[body, ecdsa_sha256(), bits(&signature)].concat())
    }

    fn body(&self, rng: &mut Rng) -> Vec<u8> {
        let version = element(0xa0, &integer(&[2]));
        let not_after = self.not_before + self.days * 86_400 * SECOND;
        let validity = element(0x30, &[time(self.not_before), time(not_after)].concat());
        let serial = integer(&rng.bytes(16));
        let key = public_key(rng);
        let extensions = element(0xa3, &element(0x30, &self.alternative_names()));
        element(0x30, &[version, serial, ecdsa_sha256(), name(self.issuer), validity, name(self.subject), key, extensions].concat())
    }

    fn alternative_names(&self) -> Vec<u8> {
        let names: Vec<u8> = self.names.iter().flat_map(|name| element(0x82, name.as_bytes())).collect();
        let value = element(0x04, &element(0x30, &names));
        element(0x30, &[element(0x06, &[0x55, 0x1d, 0x11]), value].concat())
    }
}

/// Tag, length, value.
pub fn element(tag: u8, value: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match value.len() {
        short @ 0..128 => out.push(short as u8),
        medium @ 128..256 => out.extend([0x81, medium as u8]),
        long => out.extend([0x82, (long >> 8) as u8, long as u8]),
    }
    out.extend_from_slice(value);
    out
}

/// A positive INTEGER of these big-endian bytes.
pub fn integer(bytes: &[u8]) -> Vec<u8> {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count().min(bytes.len().saturating_sub(1));
    let mut value = bytes[zeros..].to_vec();
    if value.first().is_some_and(|first| *first >= 0x80) {
        value.insert(0, 0);
    }
    element(0x02, &value)
}

fn bits(bytes: &[u8]) -> Vec<u8> {
    element(0x03, &[&[0], bytes].concat())
}

fn ecdsa_sha256() -> Vec<u8> {
    element(0x30, &element(0x06, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02]))
}

/// A point on P-256 in shape only.
fn public_key(rng: &mut Rng) -> Vec<u8> {
    let ec = element(0x06, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01]);
    let p256 = element(0x06, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07]);
    let point = [vec![4], rng.bytes(64)].concat();
    element(0x30, &[element(0x30, &[ec, p256].concat()), bits(&point)].concat())
}

/// `CN=…`.
fn name(common: &str) -> Vec<u8> {
    let pair = [element(0x06, &[0x55, 0x04, 0x03]), element(0x0c, common.as_bytes())].concat();
    element(0x30, &element(0x31, &element(0x30, &pair)))
}

fn time(ts: Ts) -> Vec<u8> {
    let text = chrono::DateTime::from_timestamp_nanos(ts).format("%y%m%d%H%M%SZ").to_string();
    element(0x17, text.as_bytes())
}
