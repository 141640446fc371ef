//! From secrets to keys: the pseudorandom functions of TLS up to 1.2 (RFC 2246 5, RFC 5246 5) and the key schedule of 1.3 (RFC 8446 7).

use super::suite::Suite;
use md5::{Digest, Md5};
use ring::hkdf::{self, Prk};
use ring::hmac;

/// Length of a block of MD5 (RFC 1321).
const MD5_BLOCK: usize = 64;

struct Length(usize);

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// HKDF-Expand-Label without context (RFC 8446 7.1).
pub fn expand(suite: &Suite, secret: &[u8], label: &[u8], length: usize) -> Option<Vec<u8>> {
    let labelled = u8::try_from(label.len() + 6).ok()?;
    let size = u16::try_from(length).ok()?.to_be_bytes();
    let mut out = vec![0; length];
    let secret = Prk::new_less_safe(suite.hkdf(), secret);
    secret.expand(&[&size, &[labelled], b"tls13 ", label, &[0]], Length(length)).ok()?.fill(&mut out).ok()?;
    Some(out)
}

/// `length` bytes out of a secret; `legacy` is the function of TLS 1.0 and 1.1.
pub fn prf(suite: &Suite, legacy: bool, secret: &[u8], label: &[u8], seed: &[u8], length: usize) -> Vec<u8> {
    let seed = [label, seed].concat();
    if !legacy {
        return expanded(|message| sign(suite.prf(), secret, message), &seed, length);
    }
    // Two halves that share the middle byte of an odd secret.
    let half = secret.len().div_ceil(2);
    let (first, second) = (&secret[..half], &secret[secret.len() - half..]);
    let mut out = expanded(|message| hmac_md5(first, message), &seed, length);
    let other = expanded(|message| sign(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, second, message), &seed, length);
    out.iter_mut().zip(other).for_each(|(byte, other)| *byte ^= other);
    out
}

/// `P_hash` (RFC 5246 5).
fn expanded(sign: impl Fn(&[u8]) -> Vec<u8>, seed: &[u8], length: usize) -> Vec<u8> {
    let (mut out, mut a) = (Vec::new(), seed.to_vec());
    while out.len() < length {
        a = sign(&a);
        out.extend(sign(&[&a, seed].concat()));
    }
    out.truncate(length);
    out
}

fn sign(algorithm: hmac::Algorithm, key: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(algorithm, key), message).as_ref().to_vec()
}

/// HMAC (RFC 2104) of MD5, which ring has no more; keys are never longer than a block here.
fn hmac_md5(key: &[u8], message: &[u8]) -> Vec<u8> {
    let padded = |pad: u8| {
        let mut block = [pad; MD5_BLOCK];
        block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
        block
    };
    let inner = Md5::new().chain_update(padded(0x36)).chain_update(message).finalize();
    Md5::new().chain_update(padded(0x5c)).chain_update(inner).finalize().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::hex;

    #[test]
    fn hmac_of_md5_is_that_of_rfc_2202() {
        assert_eq!(hex(&hmac_md5(&[0x0b; 16], b"Hi There")), "9294727a3638bb1c13f48ef8158bfc9d");
        assert_eq!(hex(&hmac_md5(b"Jefe", b"what do ya want for nothing?")), "750c783e6ab0b503eaa86e310a5db738");
    }

    #[test]
    fn keys_of_tls_1_3_are_those_of_rfc_8448() {
        let suite = Suite::of(0x1301).unwrap();
        // Section 3, server_handshake_traffic_secret, and what is derived from it.
        let secret = b"\xb6\x7b\x7d\x69\x0c\xc1\x6c\x4e\x75\xe5\x42\x13\xcb\x2d\x37\xb4\xe9\xc9\x12\xbc\xde\xd9\x10\x5d\x42\xbe\xfd\x59\xd3\x91\xad\x38";
        assert_eq!(hex(&expand(&suite, secret, b"key", 16).unwrap()), "3fce516009c21727d0f2e4e86ee403bc");
        assert_eq!(hex(&expand(&suite, secret, b"iv", 12).unwrap()), "5d313eb2671276ee13000b30");
    }
}
