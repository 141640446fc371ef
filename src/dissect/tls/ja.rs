//! Fingerprints of hellos: JA3, JA3S (Salesforce, 2017) and JA4 (FoxIO, BSD-3-Clause part, 2023).

use super::hello::{ClientHello, ServerHello, extension, is_grease};
use crate::dissect::hex;
use md5::{Digest, Md5};

fn decimals<T: Copy + Into<u32>>(values: impl IntoIterator<Item = T>) -> String {
    values.into_iter().map(|value| value.into().to_string()).collect::<Vec<_>>().join("-")
}

fn meant(values: &[u16]) -> impl Iterator<Item = u16> {
    values.iter().copied().filter(|&value| !is_grease(value))
}

/// MD5 of `version,ciphers,extensions,groups,formats`.
pub fn ja3(hello: &ClientHello) -> String {
    let parts = [
        hello.version.to_string(),
        decimals(meant(&hello.ciphers)),
        decimals(meant(&hello.extensions)),
        decimals(meant(&hello.groups)),
        decimals(hello.point_formats.iter().copied()),
    ];
    hex(&Md5::digest(parts.join(",")))
}

/// MD5 of `version,cipher,extensions`.
pub fn ja3s(hello: &ServerHello) -> String {
    hex(&Md5::digest(format!("{},{},{}", hello.version, hello.cipher, decimals(hello.extensions.iter().copied()))))
}

/// JA4 of a hello over TCP (`t`), QUIC (`q`) or DTLS (`d`).
pub fn ja4(hello: &ClientHello, transport: char) -> String {
    let version = match hello.highest() {
        0x0304 => "13",
        0x0303 => "12",
        0x0302 => "11",
        0x0301 => "10",
        0x0300 => "s3",
        0x0002 => "s2",
        0xfeff => "d1",
        0xfefd => "d2",
        0xfefc => "d3",
        _ => "00",
    };
    let named = if hello.extensions.contains(&extension::SERVER_NAME) { 'd' } else { 'i' };
    let mut ciphers: Vec<u16> = meant(&hello.ciphers).collect();
    let mut extensions: Vec<u16> = meant(&hello.extensions).collect();
    let counts = format!("{:02}{:02}", ciphers.len().min(99), extensions.len().min(99));
    ciphers.sort_unstable();
    extensions.retain(|&kind| kind != extension::SERVER_NAME && kind != extension::ALPN);
    extensions.sort_unstable();
    let mut listed = hexes(&extensions);
    let signatures: Vec<u16> = meant(&hello.signatures).collect();
    if !signatures.is_empty() {
        listed = format!("{listed}_{}", hexes(&signatures));
    }
    let extensions_hash = if extensions.is_empty() { ZERO.to_owned() } else { hash12(&listed) };
    let ciphers_hash = if ciphers.is_empty() { ZERO.to_owned() } else { hash12(&hexes(&ciphers)) };
    format!(
        "{transport}{version}{named}{counts}{}_{ciphers_hash}_{extensions_hash}",
        alpn_ends(hello.alpn.first().map_or(&[], Vec::as_slice))
    )
}

const ZERO: &str = "000000000000";

fn hexes(values: &[u16]) -> String {
    values.iter().map(|value| format!("{value:04x}")).collect::<Vec<_>>().join(",")
}

fn hash12(text: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    hex(digest.as_ref().get(..6).unwrap_or_default())
}

/// First and last character of the first protocol; `00` without. For bytes beyond ASCII FoxIO's programs write 9, and theirs are the
/// fingerprints in circulation; for other odd characters its text asks for the ends of their hex.
fn alpn_ends(protocol: &[u8]) -> String {
    let (Some(&first), Some(&last)) = (protocol.first(), protocol.last()) else { return "00".to_owned() };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || !byte.is_ascii();
    if plain(first) && plain(last) {
        return [first, last].map(|byte| if byte.is_ascii() { char::from(byte) } else { '9' }).iter().collect();
    }
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    [digit(first >> 4), digit(last & 15)].iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grease_is_left_out_and_counts_are_capped() {
        let hello = ClientHello {
            version: 0x0303,
            ciphers: [0x1a1a].into_iter().chain(0..120).collect(),
            extensions: vec![0x3a3a, 0, 16, 10],
            groups: vec![0xfafa, 29],
            alpn: vec![b"h2".to_vec()],
            versions: vec![0x7a7a, 0x0304],
            ..ClientHello::default()
        };
        assert!(ja4(&hello, 't').starts_with("t13d9903h2_"), "{}", ja4(&hello, 't'));
    }

    #[test]
    fn an_empty_hello_has_a_fingerprint_of_zeroes() {
        assert_eq!(ja4(&ClientHello::default(), 't'), "t00i000000_000000000000_000000000000");
    }

    #[test]
    fn alpn_ends_are_characters_or_hex() {
        let cases: [(&[u8], &str); 6] =
            [(b"http/1.1", "h1"), (b"h", "hh"), (b"\xab\xcd", "99"), (b"", "00"), (b"\x30\xab", "09"), (b"\x20h", "28")];
        for (protocol, expected) in cases {
            assert_eq!(alpn_ends(protocol), expected);
        }
    }

    #[test]
    fn ja3_is_the_digest_of_five_lists() {
        // The example of the method's own documentation: 769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0
        let hello = ClientHello {
            version: 769,
            ciphers: vec![47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4],
            extensions: vec![0, 10, 11],
            groups: vec![23, 24, 25],
            point_formats: vec![0],
            ..ClientHello::default()
        };
        assert_eq!(ja3(&hello), "ada70206e40642a3e4461f35503241d5");
    }
}
