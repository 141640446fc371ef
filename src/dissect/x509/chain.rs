//! Whether a server's chain led to a root at the time of the packet: the roots are Mozilla's as bundled with this build, so a chain of years
//! ago may lead to one that is trusted no more.
//!
//! Names and revocation are not looked at: `tls.sni_matches_cert` tells of the former, and nothing offline of the latter.

use crate::model::Ts;
use crate::model::event::X509;
use ring::digest::{Context, SHA256};
use rustls_pki_types::{CertificateDer, UnixTime};
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;
use webpki::{Error, KeyUsage};
use webpki_roots::TLS_SERVER_ROOTS;

/// Answers remembered: most chains of a capture are the same few. What is remembered is what would be found again.
const REMEMBERED_MAX: usize = 16_384;

/// Answers by all that they depend on.
static REMEMBERED: LazyLock<Mutex<HashMap<[u8; 32], &'static str>>> = LazyLock::new(Mutex::default);

/// What OpenSSL, and so Zeek's `validation_status`, would say of a chain, leaf first, with the rows of its certificates. `None` for no chain.
pub fn validate(chain: &[&[u8]], rows: &[X509], ts_ns: Ts) -> Option<&'static str> {
    let (leaf, intermediates) = chain.split_first()?;
    let key = key(rows, ts_ns);
    if let Some(known) = REMEMBERED.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
        return Some(known);
    }
    let said = verify(leaf, intermediates, ts_ns).map_or_else(|error| words(&error, rows), |()| "ok");
    let mut remembered = REMEMBERED.lock().unwrap_or_else(PoisonError::into_inner);
    if remembered.len() >= REMEMBERED_MAX {
        remembered.clear();
    }
    remembered.insert(key, said);
    Some(said)
}

/// The certificates, and which of their dates are behind us: nothing else about the time matters.
fn key(rows: &[X509], ts_ns: Ts) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    for row in rows {
        context.update(row.fingerprint.as_bytes());
        let passed = |moment: Option<Ts>| u8::from(moment.is_some_and(|moment| moment / 1_000_000_000 < ts_ns / 1_000_000_000));
        let reached = |moment: Option<Ts>| u8::from(moment.is_some_and(|moment| moment / 1_000_000_000 <= ts_ns / 1_000_000_000));
        context.update(&[reached(row.not_valid_before), passed(row.not_valid_after)]);
    }
    let mut key = [0; 32];
    key.iter_mut().zip(context.finish().as_ref()).for_each(|(byte, digest)| *byte = *digest);
    key
}

fn verify(leaf: &[u8], intermediates: &[&[u8]], ts_ns: Ts) -> Result<(), Error> {
    let seconds = u64::try_from(ts_ns / 1_000_000_000).unwrap_or_default();
    let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    let leaf = CertificateDer::from(leaf);
    let intermediates: Vec<_> = intermediates.iter().map(|der| CertificateDer::from(*der)).collect();
    webpki::EndEntityCert::try_from(&leaf)?
        .verify_for_usage(webpki::ALL_VERIFICATION_ALGS, TLS_SERVER_ROOTS, &intermediates, now, KeyUsage::server_auth(), None, None)
        .map(|_| ())
}

/// The words of OpenSSL (`X509_verify_cert_error_string`).
fn words(error: &Error, rows: &[X509]) -> &'static str {
    let self_signed = |row: &X509| row.self_signed;
    match error {
        Error::CertExpired { .. } => "certificate has expired",
        Error::CertNotValidYet { .. } => "certificate is not yet valid",
        // Whoever signs for himself is nobody's to vouch for.
        _ if rows.len() == 1 && rows.iter().all(self_signed) => "self-signed certificate",
        Error::UnknownIssuer | Error::CaUsedAsEndEntity if rows.iter().skip(1).any(self_signed) => {
            "self-signed certificate in certificate chain"
        }
        Error::UnknownIssuer | Error::CaUsedAsEndEntity => "unable to get local issuer certificate",
        Error::InvalidSignatureForPublicKey => "certificate signature failure",
        Error::EndEntityUsedAsCa | Error::UnsupportedCertVersion => "invalid CA certificate",
        Error::PathLenConstraintViolated => "path length constraint exceeded",
        Error::NameConstraintViolation => "permitted subtree violation",
        Error::UnsupportedCriticalExtension => "unhandled critical extension",
        Error::InvalidCertValidity => "format error in certificate's notAfter field",
        _ => "unspecified certificate verification error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::x509;
    use proptest::prelude::*;

    /// A certificate (RFC 5280) that signs itself, with no more in it than there must be: its signature is none.
    fn own() -> Vec<u8> {
        let tlv = |tag: u8, content: &[u8]| {
            let length = content.len() as u8;
            let head: &[u8] = if length < 128 { &[tag, length] } else { &[tag, 0x81, length] };
            [head, content].concat()
        };
        let algorithm = tlv(0x30, b"\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02");
        let name = tlv(0x30, &tlv(0x31, &tlv(0x30, &[&b"\x06\x03\x55\x04\x03"[..], &tlv(0x0c, b"own")].concat())));
        let dates = tlv(0x30, &[tlv(0x17, b"200101000000Z"), tlv(0x17, b"300101000000Z")].concat());
        let curve = tlv(0x30, b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07");
        let key = tlv(0x30, &[curve, tlv(3, &[&[0, 4][..], &[7; 32]].concat())].concat());
        let signed = [&b"\xa0\x03\x02\x01\x02\x02\x01\x05"[..], &algorithm, &name, &dates, &name, &key].concat();
        tlv(0x30, &[tlv(0x30, &signed), algorithm, tlv(3, &[0, 1])].concat())
    }

    fn said(chain: &[&[u8]], year: i64) -> Option<&'static str> {
        let ts_ns = (year - 1970) * 31_557_600 * 1_000_000_000;
        let rows: Vec<_> = chain.iter().map(|der| x509::read(der, ts_ns)).collect();
        validate(chain, &rows, ts_ns)
    }

    #[test]
    fn who_signs_for_himself_is_not_vouched_for_and_dates_count_at_the_time_of_the_packet() {
        let own = own();
        assert!(x509::read(&own, 0).self_signed);
        assert_eq!(said(&[&own], 2025), Some("self-signed certificate"));
        assert_eq!(said(&[], 2025), None);
        assert_eq!(said(&[b"nonsense"], 2025), Some("unspecified certificate verification error"));
    }

    #[test]
    fn what_is_remembered_depends_on_dates_that_have_passed() {
        let row = X509 {
            fingerprint: "a".into(),
            not_valid_before: Some(10_000_000_000),
            not_valid_after: Some(20_000_000_000),
            ..X509::default()
        };
        let at = |seconds: i64| key(std::slice::from_ref(&row), seconds * 1_000_000_000);
        assert!(at(5) != at(10) && at(10) == at(20) && at(20) != at(21) && at(5) != at(21));
    }

    proptest! {
        #[test]
        fn any_damage_is_survived_and_never_trusted(at in 0usize..400, to: u8, cut in 0usize..400) {
            let mut der = own();
            der.truncate(cut);
            if let Some(byte) = der.get_mut(at) {
                *byte = to;
            }
            prop_assert_ne!(said(&[&der, &own()], 2025), Some("ok"));
        }
    }
}
