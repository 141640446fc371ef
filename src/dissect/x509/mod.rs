//! X.509 certificates (RFC 5280) as Zeek's `x509.log` prints them, that is: with OpenSSL's words.

mod chain;
mod names;
#[cfg(test)]
mod tests;

pub use chain::validate;

use super::{escape, hex};
use crate::model::Ts;
use crate::model::event::X509;
use sha1::{Digest, Sha1};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

/// Names read of one certificate.
const NAMES_MAX: usize = 512;
const DAY_NS: f64 = 86_400e9;

/// The row of a certificate seen at `ts_ns`. One that cannot be read has its fingerprints, and empty fields.
pub fn read(der: &[u8], ts_ns: Ts) -> X509 {
    let mut row = X509 {
        fingerprint: hex(ring::digest::digest(&ring::digest::SHA256, der).as_ref()),
        sha1: hex(&Sha1::digest(der)),
        ..X509::default()
    };
    if let Ok((_, certificate)) = X509Certificate::from_der(der) {
        fill(&mut row, &certificate, ts_ns);
    }
    row
}

fn fill(row: &mut X509, certificate: &X509Certificate<'_>, ts_ns: Ts) {
    row.version = certificate.version().0.saturating_add(1);
    row.serial = serial(certificate.tbs_certificate.raw_serial());
    row.subject = names::distinguished(certificate.subject());
    row.issuer = names::distinguished(certificate.issuer());
    row.self_signed = certificate.subject().as_raw() == certificate.issuer().as_raw();
    let moment = |seconds: i64| seconds.checked_mul(1_000_000_000);
    let validity = certificate.validity();
    row.not_valid_before = moment(validity.not_before.timestamp());
    row.not_valid_after = moment(validity.not_after.timestamp());
    let days = |from: Option<Ts>, to: Option<Ts>| Some((to? as f64 - from? as f64) / DAY_NS);
    row.validity_days = days(row.not_valid_before, row.not_valid_after);
    row.age_days = days(row.not_valid_before, Some(ts_ns));
    row.sig_alg = names::algorithm(&certificate.signature_algorithm.algorithm.to_id_string());
    key(row, certificate);
    alternatives(row, certificate);
    if let Ok(Some(constraints)) = certificate.basic_constraints() {
        row.basic_constraints_ca = Some(constraints.value.ca);
        row.basic_constraints_path_len = constraints.value.path_len_constraint;
    }
}

fn key(row: &mut X509, certificate: &X509Certificate<'_>) {
    let info = certificate.public_key();
    let oid = info.algorithm.algorithm.to_id_string();
    let bits = info.subject_public_key.data.as_ref();
    row.key_alg = names::algorithm(&oid);
    match oid.as_str() {
        "1.2.840.10045.2.1" => {
            row.key_type = Some("ecdsa".to_owned());
            let curve = info.algorithm.parameters.as_ref().and_then(|any| any.as_oid().ok()).map(|oid| oid.to_id_string());
            if let Some((name, length)) = curve.as_deref().and_then(names::curve) {
                row.curve = Some(name.to_owned());
                row.key_length = Some(length);
            }
        }
        "1.2.840.10040.4.1" => {
            row.key_type = Some("dsa".to_owned());
            let prime = info.algorithm.parameters.as_ref().and_then(|any| integers(any.data).first().map(|prime| bit_length(prime)));
            row.key_length = prime;
        }
        // One-size keys: the number of bits is that of the encoding.
        "1.3.101.112" | "1.3.101.113" | "2.16.840.1.101.3.4.3.17" | "2.16.840.1.101.3.4.3.18" | "2.16.840.1.101.3.4.3.19" => {
            row.key_type = Some(row.key_alg.clone());
            row.key_length = u32::try_from(bits.len()).ok().and_then(|bytes| bytes.checked_mul(8));
        }
        // RSA, also under the names of signatures that some old servers put here.
        _ if oid.starts_with("1.2.840.113549.1.1.") => {
            row.key_type = Some("rsa".to_owned());
            let sequence = sequence(bits).unwrap_or_default();
            if let [modulus, exponent, ..] = integers(sequence).as_slice() {
                row.key_length = Some(bit_length(modulus));
                row.exponent = Some(decimal(exponent));
            }
        }
        _ => {}
    }
}

fn alternatives(row: &mut X509, certificate: &X509Certificate<'_>) {
    let Ok(Some(alternatives)) = certificate.subject_alternative_name() else { return };
    for name in alternatives.value.general_names.iter().take(NAMES_MAX) {
        match name {
            GeneralName::DNSName(text) => row.san_dns.push(escape(text.as_bytes(), 512)),
            GeneralName::URI(text) => row.san_uri.push(escape(text.as_bytes(), 1_024)),
            GeneralName::RFC822Name(text) => row.san_email.push(escape(text.as_bytes(), 512)),
            GeneralName::IPAddress(bytes) => row.san_ip.extend(address(bytes)),
            _ => {}
        }
    }
}

fn address(bytes: &[u8]) -> Option<String> {
    match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(|bytes| std::net::Ipv4Addr::from(bytes).to_string()),
        16 => <[u8; 16]>::try_from(bytes).ok().map(|bytes| std::net::Ipv6Addr::from(bytes).to_string()),
        _ => None,
    }
}

/// Upper-case hex without the zeros that only keep it positive; a minus where a careless issuer made it negative.
fn serial(raw: &[u8]) -> String {
    let negative = raw.first().is_some_and(|first| first & 0x80 != 0);
    let mut magnitude = raw.to_vec();
    if negative {
        let mut carry = true;
        for byte in magnitude.iter_mut().rev() {
            let (value, overflow) = (!*byte).overflowing_add(u8::from(carry));
            (*byte, carry) = (value, overflow);
        }
    }
    let from = magnitude.iter().position(|&byte| byte != 0).unwrap_or(magnitude.len().saturating_sub(1));
    let digits = hex(magnitude.get(from..).unwrap_or_default()).to_uppercase();
    if negative { format!("-{digits}") } else { digits }
}

/// Content of the DER element at the start, and its tag and length in bytes.
fn element(der: &[u8]) -> Option<(u8, &[u8], usize)> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, head) = match first {
        ..=0x7f => (usize::from(first), 2),
        0x81..=0x83 => {
            let digits = rest.get(..usize::from(first & 0x7f))?;
            (digits.iter().fold(0, |length, &byte| length << 8 | usize::from(byte)), 2 + digits.len())
        }
        _ => return None,
    };
    der.get(head..head + length).map(|content| (tag, content, head + length))
}

fn sequence(der: &[u8]) -> Option<&[u8]> {
    element(der).filter(|(tag, ..)| *tag == 0x30).map(|(_, content, _)| content)
}

/// The first integers of a sequence's content, without leading zeros.
fn integers(mut content: &[u8]) -> Vec<&[u8]> {
    let mut out = Vec::new();
    while let Some((0x02, value, length)) = element(content).filter(|_| out.len() < 4) {
        let zeros = value.iter().take_while(|&&byte| byte == 0).count();
        out.push(&value[zeros..]);
        content = content.get(length..).unwrap_or_default();
    }
    out
}

fn bit_length(number: &[u8]) -> u32 {
    let Some(first) = number.first() else { return 0 };
    (u32::try_from(number.len()).unwrap_or(u32::MAX / 8) * 8).saturating_sub(first.leading_zeros())
}

/// An exponent in decimal; what exceeds 64 bits is no exponent that anyone uses, and is given in hex.
fn decimal(number: &[u8]) -> String {
    if number.len() > 8 {
        return format!("0x{}", hex(&number[..number.len().min(64)]));
    }
    number.iter().fold(0u64, |value, &byte| value << 8 | u64::from(byte)).to_string()
}

/// Whether the certificate is for `host`: RFC 6125 6.4, and the common name where there are no alternatives.
pub fn covers(row: &X509, host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    if row.san_ip.contains(&host) {
        return true;
    }
    if !row.san_dns.is_empty() {
        return row.san_dns.iter().any(|pattern| matches_host(pattern, &host));
    }
    names::common_names(&row.subject).any(|name| matches_host(name, &host))
}

/// A star stands for exactly one whole label, the leftmost.
fn matches_host(pattern: &str, host: &str) -> bool {
    let pattern = pattern.trim_end_matches('.').to_ascii_lowercase();
    match pattern.strip_prefix("*.") {
        Some(parent) => host.split_once('.').is_some_and(|(label, rest)| !label.is_empty() && rest == parent && parent.contains('.')),
        None => pattern == host,
    }
}
