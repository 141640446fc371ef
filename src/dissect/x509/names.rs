//! Distinguished names and algorithms in OpenSSL's words.

use x509_parser::prelude::{AttributeTypeAndValue, X509Name};

/// Bytes of one attribute that are printed.
const VALUE_MAX: usize = 1_024;
/// Attributes read of one name.
const ATTRIBUTES_MAX: usize = 64;

/// `CN=a,O=b+OU=c,C=d`: RFC 2253, last attribute first. Backslashes are doubled, as in all text made of packets.
pub fn distinguished(name: &X509Name<'_>) -> String {
    let mut sets: Vec<String> = Vec::new();
    for set in name.iter_rdn().take(ATTRIBUTES_MAX) {
        let mut attributes: Vec<String> = set.iter().take(ATTRIBUTES_MAX).map(attribute).collect();
        // OpenSSL prints the whole name backwards, within a set too.
        attributes.reverse();
        sets.push(attributes.join("+"));
    }
    sets.reverse();
    sets.join(",").replace('\\', "\\\\")
}

fn attribute(attribute: &AttributeTypeAndValue<'_>) -> String {
    let oid = attribute.attr_type().to_id_string();
    let value = attribute.attr_value();
    let text = text(value.header.tag().0, value.data);
    match short_name(&oid) {
        Some(name) => format!("{name}={}", escaped(&text)),
        None => format!("{oid}={}", escaped(&text)),
    }
}

/// The value as UTF-8, by its ASN.1 string type.
fn text(tag: u32, data: &[u8]) -> Vec<u8> {
    let data = &data[..data.len().min(VALUE_MAX)];
    match tag {
        // BMPString, UniversalString
        30 => {
            let units: Vec<u16> = data.as_chunks::<2>().0.iter().map(|pair| u16::from_be_bytes(*pair)).collect();
            String::from_utf16_lossy(&units).into_bytes()
        }
        28 => data.as_chunks::<4>().0.iter().filter_map(|word| char::from_u32(u32::from_be_bytes(*word))).collect::<String>().into_bytes(),
        // TeletexString: Latin-1 in practice
        20 => data.iter().map(|&byte| char::from(byte)).collect::<String>().into_bytes(),
        _ => data.to_vec(),
    }
}

/// RFC 2253 2.4, and everything that is not printable ASCII in hex.
fn escaped(value: &[u8]) -> String {
    let mut out = String::with_capacity(value.len());
    for (n, &byte) in value.iter().enumerate() {
        let edge = n == 0 && matches!(byte, b'#' | b' ') || n + 1 == value.len() && byte == b' ';
        match byte {
            b',' | b'+' | b'"' | b'\\' | b'<' | b'>' | b';' => {
                out.push('\\');
                out.push(char::from(byte));
            }
            b' '..=b'~' if edge => {
                out.push('\\');
                out.push(char::from(byte));
            }
            b' '..=b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("\\{byte:02X}")),
        }
    }
    out
}

/// The common names in a printed name.
pub fn common_names(printed: &str) -> impl Iterator<Item = &str> {
    printed.split([',', '+']).filter_map(|part| part.strip_prefix("CN="))
}

fn short_name(oid: &str) -> Option<&'static str> {
    Some(match oid {
        "2.5.4.3" => "CN",
        "2.5.4.4" => "SN",
        "2.5.4.5" => "serialNumber",
        "2.5.4.6" => "C",
        "2.5.4.7" => "L",
        "2.5.4.8" => "ST",
        "2.5.4.9" => "street",
        "2.5.4.10" => "O",
        "2.5.4.11" => "OU",
        "2.5.4.12" => "title",
        "2.5.4.13" => "description",
        "2.5.4.15" => "businessCategory",
        "2.5.4.16" => "postalAddress",
        "2.5.4.17" => "postalCode",
        "2.5.4.18" => "postOfficeBox",
        "2.5.4.20" => "telephoneNumber",
        "2.5.4.41" => "name",
        "2.5.4.42" => "GN",
        "2.5.4.43" => "initials",
        "2.5.4.44" => "generationQualifier",
        "2.5.4.45" => "x500UniqueIdentifier",
        "2.5.4.46" => "dnQualifier",
        "2.5.4.65" => "pseudonym",
        "2.5.4.97" => "organizationIdentifier",
        "1.2.840.113549.1.9.1" => "emailAddress",
        "1.2.840.113549.1.9.2" => "unstructuredName",
        "1.2.840.113549.1.9.8" => "unstructuredAddress",
        "0.9.2342.19200300.100.1.1" => "UID",
        "0.9.2342.19200300.100.1.3" => "mail",
        "0.9.2342.19200300.100.1.25" => "DC",
        "1.3.6.1.4.1.311.60.2.1.1" => "jurisdictionL",
        "1.3.6.1.4.1.311.60.2.1.2" => "jurisdictionST",
        "1.3.6.1.4.1.311.60.2.1.3" => "jurisdictionC",
        _ => return None,
    })
}

/// OpenSSL's long name of an algorithm; the dotted number where it has none.
pub fn algorithm(oid: &str) -> String {
    let name = match oid {
        "1.2.840.113549.1.1.1" => "rsaEncryption",
        "1.2.840.113549.1.1.2" => "md2WithRSAEncryption",
        "1.2.840.113549.1.1.3" => "md4WithRSAEncryption",
        "1.2.840.113549.1.1.4" => "md5WithRSAEncryption",
        "1.2.840.113549.1.1.5" => "sha1WithRSAEncryption",
        "1.2.840.113549.1.1.7" => "rsaesOaep",
        "1.2.840.113549.1.1.10" => "rsassaPss",
        "1.2.840.113549.1.1.11" => "sha256WithRSAEncryption",
        "1.2.840.113549.1.1.12" => "sha384WithRSAEncryption",
        "1.2.840.113549.1.1.13" => "sha512WithRSAEncryption",
        "1.2.840.113549.1.1.14" => "sha224WithRSAEncryption",
        "1.3.14.3.2.3" => "md5WithRSA",
        "1.3.14.3.2.29" => "sha1WithRSA",
        "1.3.14.3.2.13" => "dsaWithSHA",
        "1.3.14.3.2.27" => "dsaWithSHA1-old",
        "1.2.840.10040.4.1" => "dsaEncryption",
        "1.2.840.10040.4.3" => "dsaWithSHA1",
        "2.16.840.1.101.3.4.3.1" => "dsa_with_SHA224",
        "2.16.840.1.101.3.4.3.2" => "dsa_with_SHA256",
        "1.2.840.10045.2.1" => "id-ecPublicKey",
        "1.2.840.10045.4.1" => "ecdsa-with-SHA1",
        "1.2.840.10045.4.3.1" => "ecdsa-with-SHA224",
        "1.2.840.10045.4.3.2" => "ecdsa-with-SHA256",
        "1.2.840.10045.4.3.3" => "ecdsa-with-SHA384",
        "1.2.840.10045.4.3.4" => "ecdsa-with-SHA512",
        "1.3.101.110" => "X25519",
        "1.3.101.111" => "X448",
        "1.3.101.112" => "ED25519",
        "1.3.101.113" => "ED448",
        "2.16.840.1.101.3.4.3.17" => "ML-DSA-44",
        "2.16.840.1.101.3.4.3.18" => "ML-DSA-65",
        "2.16.840.1.101.3.4.3.19" => "ML-DSA-87",
        "1.2.643.2.2.3" => "GOST R 34.11-94 with GOST R 34.10-2001",
        "1.2.643.2.2.19" => "GOST R 34.10-2001",
        "1.2.156.10197.1.501" => "SM2-with-SM3",
        _ => oid,
    };
    name.to_owned()
}

/// OpenSSL's short name of a curve and its size in bits.
pub fn curve(oid: &str) -> Option<(&'static str, u32)> {
    Some(match oid {
        "1.2.840.10045.3.1.1" => ("prime192v1", 192),
        "1.2.840.10045.3.1.7" => ("prime256v1", 256),
        "1.3.132.0.10" => ("secp256k1", 256),
        "1.3.132.0.33" => ("secp224r1", 224),
        "1.3.132.0.34" => ("secp384r1", 384),
        "1.3.132.0.35" => ("secp521r1", 521),
        "1.3.36.3.3.2.8.1.1.7" => ("brainpoolP256r1", 256),
        "1.3.36.3.3.2.8.1.1.11" => ("brainpoolP384r1", 384),
        "1.3.36.3.3.2.8.1.1.13" => ("brainpoolP512r1", 512),
        "1.2.156.10197.1.301" => ("SM2", 256),
        _ => return None,
    })
}
