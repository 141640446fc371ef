//! What a cipher suite means for reading: how records are sealed, and which digest keys are derived with.

use crate::dissect::tls::names;
use ring::{aead, digest, hkdf, hmac};

/// How records are sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seal {
    /// AES in Galois counter mode (RFC 5288), with keys of 16 or 32 bytes.
    Gcm(usize),
    /// ChaCha20 and Poly1305 (RFC 7905).
    ChaCha,
    /// AES in cipher block chaining (RFC 5246 6.2.3.2), with keys of 16 or 32 bytes.
    Cbc(usize, Mac),
}

/// Digest of the message authentication code beside CBC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mac {
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
}

/// A suite that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suite {
    /// How records are sealed.
    pub seal: Seal,
    /// SHA-384 instead of SHA-256 derives keys.
    pub sha384: bool,
}

impl Suite {
    /// By its number: its IANA name says it all. `None` for suites that are not read: CCM, RC4, 3DES, Camellia, ARIA …
    pub fn of(number: u16) -> Option<Self> {
        let name = names::cipher(number);
        let aes = |mode: &str| {
            let size = |bits: &str| name.contains(&format!("_AES_{bits}_{mode}"));
            if size("128") { Some(16) } else { size("256").then_some(32) }
        };
        let seal = if name.contains("_CHACHA20_POLY1305") {
            Seal::ChaCha
        } else if let Some(key) = aes("GCM") {
            Seal::Gcm(key)
        } else {
            let mac = match name.rsplit('_').next()? {
                "SHA" => Mac::Sha1,
                "SHA256" => Mac::Sha256,
                "SHA384" => Mac::Sha384,
                _ => return None,
            };
            Seal::Cbc(aes("CBC")?, mac)
        };
        Some(Self { seal, sha384: name.ends_with("SHA384") })
    }

    /// Length of the key of one direction.
    pub fn key_length(&self) -> usize {
        match self.seal {
            Seal::Gcm(length) | Seal::Cbc(length, _) => length,
            Seal::ChaCha => 32,
        }
    }

    /// Length of the part of the nonce, or of the first initialisation vector, that comes out of the key block (RFC 5246 6.3).
    pub fn iv_length(&self) -> usize {
        match self.seal {
            Seal::Gcm(_) => 4,
            Seal::ChaCha => 12,
            Seal::Cbc(..) => 16,
        }
    }

    /// Length of the key of the message authentication code.
    pub fn mac_length(&self) -> usize {
        match self.seal {
            Seal::Cbc(_, mac) => mac.algorithm().digest_algorithm().output_len(),
            _ => 0,
        }
    }

    /// The cipher, where it authenticates too.
    pub fn aead(&self) -> Option<&'static aead::Algorithm> {
        match self.seal {
            Seal::Gcm(16) => Some(&aead::AES_128_GCM),
            Seal::Gcm(_) => Some(&aead::AES_256_GCM),
            Seal::ChaCha => Some(&aead::CHACHA20_POLY1305),
            Seal::Cbc(..) => None,
        }
    }

    /// Digest of TLS 1.3's key schedule.
    pub fn hkdf(&self) -> hkdf::Algorithm {
        if self.sha384 { hkdf::HKDF_SHA384 } else { hkdf::HKDF_SHA256 }
    }

    /// Digest of TLS 1.2's pseudorandom function.
    pub fn prf(&self) -> hmac::Algorithm {
        if self.sha384 { hmac::HMAC_SHA384 } else { hmac::HMAC_SHA256 }
    }

    /// Length of secrets in TLS 1.3.
    pub fn secret_length(&self) -> usize {
        if self.sha384 { digest::SHA384_OUTPUT_LEN } else { digest::SHA256_OUTPUT_LEN }
    }
}

impl Mac {
    /// For keys.
    pub fn algorithm(self) -> hmac::Algorithm {
        match self {
            Self::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => hmac::HMAC_SHA256,
            Self::Sha384 => hmac::HMAC_SHA384,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_suites_say_how_they_seal() {
        let of = |number| Suite::of(number).map(|suite| (suite.seal, suite.sha384));
        assert_eq!(of(0x1301), Some((Seal::Gcm(16), false)));
        assert_eq!(of(0x1302), Some((Seal::Gcm(32), true)));
        assert_eq!(of(0x1303), Some((Seal::ChaCha, false)));
        assert_eq!(of(0xc02f), Some((Seal::Gcm(16), false)));
        assert_eq!(of(0xcca8), Some((Seal::ChaCha, false)));
        assert_eq!(of(0x002f), Some((Seal::Cbc(16, Mac::Sha1), false)));
        assert_eq!(of(0xc028), Some((Seal::Cbc(32, Mac::Sha384), true)));
        assert_eq!(of(0x1304), None, "CCM");
        assert_eq!(of(0x0005), None, "RC4");
        assert_eq!(of(0xfefe), None);
    }
}
