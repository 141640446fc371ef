use super::{covers, read};
use crate::model::event::X509;
use proptest::prelude::*;

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = match content.len() {
        n @ ..=127 => vec![n as u8],
        n => vec![0x82, (n >> 8) as u8, n as u8],
    };
    [&[tag][..], &length, content].concat()
}

fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

fn attribute(oid: &[u8], text: &[u8]) -> Vec<u8> {
    sequence(&[tlv(6, oid), tlv(0x0c, text)])
}

/// A certificate built by hand: unsigned, as reading it needs no signature.
fn certificate() -> Vec<u8> {
    let rsa = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1];
    let algorithm = |last: u8| sequence(&[tlv(6, &[&rsa[..], &[last]].concat()), tlv(5, b"")]);
    let subject = sequence(&[
        tlv(0x31, &attribute(&[0x55, 4, 6], b"DE")),
        tlv(0x31, &attribute(&[0x55, 4, 10], "Fu\u{df}, Inc".as_bytes())),
        tlv(0x31, &[attribute(&[0x55, 4, 11], b"A"), attribute(&[0x55, 4, 3], b"a.example")].concat()),
    ]);
    let issuer = sequence(&[tlv(0x31, &attribute(&[0x55, 4, 3], b"CA"))]);
    let validity = sequence(&[tlv(0x17, b"200101000000Z"), tlv(0x17, b"200331000000Z")]);
    let modulus = [&[0, 0x80][..], &[1; 127]].concat();
    let key = sequence(&[tlv(2, &modulus), tlv(2, &[1, 0, 1])]);
    let key = sequence(&[algorithm(1), tlv(3, &[&[0][..], &key].concat())]);
    let names = sequence(&[
        tlv(0x82, b"*.example.com"),
        tlv(0x82, b"a.example"),
        tlv(0x87, &[192, 0, 2, 7]),
        tlv(0x86, b"https://x/"),
        tlv(0x81, b"a@b"),
    ]);
    let constraints = sequence(&[tlv(1, &[0xff]), tlv(2, &[3])]);
    let extensions =
        sequence(&[sequence(&[tlv(6, &[0x55, 0x1d, 17]), tlv(4, &names)]), sequence(&[tlv(6, &[0x55, 0x1d, 19]), tlv(4, &constraints)])]);
    let body = [tlv(0xa0, &tlv(2, &[2])), tlv(2, &[0, 0xfd, 0x62]), algorithm(11), issuer, validity, subject, key, tlv(0xa3, &extensions)];
    sequence(&[sequence(&body), algorithm(11), tlv(3, &[0; 9])])
}

#[test]
fn a_certificate_is_printed_in_openssls_words() {
    let row = read(&certificate(), 1_577_923_200_000_000_000);
    assert_eq!((row.version, row.serial.as_str()), (3, "FD62"));
    assert_eq!(row.subject, r"CN=a.example+OU=A,O=Fu\\C3\\9F\\, Inc,C=DE");
    assert_eq!((row.issuer.as_str(), row.self_signed), ("CN=CA", false));
    assert_eq!((row.key_alg.as_str(), row.sig_alg.as_str()), ("rsaEncryption", "sha256WithRSAEncryption"));
    assert_eq!((row.key_type.as_deref(), row.key_length, row.exponent.as_deref()), (Some("rsa"), Some(1_024), Some("65537")));
    assert_eq!((row.validity_days, row.age_days), (Some(90.0), Some(1.0)));
    assert_eq!((row.basic_constraints_ca, row.basic_constraints_path_len), (Some(true), Some(3)));
    let names = [row.san_dns.join(" "), row.san_ip.join(" "), row.san_uri.join(" "), row.san_email.join(" ")];
    assert_eq!(names, ["*.example.com a.example", "192.0.2.7", "https://x/", "a@b"]);
}

#[test]
fn a_star_covers_one_label_and_common_names_count_only_alone() {
    let row = read(&certificate(), 0);
    let covered = ["a.example", "A.EXAMPLE.", "www.example.com", "192.0.2.7"].map(|host| covers(&row, host));
    let bare = ["example.com", "a.b.example.com", ".example.com", "192.0.2.8", "b.example"].map(|host| covers(&row, host));
    assert_eq!((covered, bare), ([true; 4], [false; 5]));
    let old = X509 { subject: "CN=old.example,O=x".into(), ..X509::default() };
    assert!(covers(&old, "old.example") && !covers(&old, "x"));
}

#[test]
fn what_is_no_certificate_still_has_a_fingerprint() {
    let row = read(b"abc", 0);
    assert_eq!(row.fingerprint, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_eq!((row.sha1.as_str(), row.subject.as_str(), row.version), ("a9993e364706816aba3e25717850c26c9cd0d89d", "", 0));
}

#[test]
fn serials_are_printed_as_openssl_does() {
    let printed: [(&[u8], &str); 5] = [(&[0], "00"), (&[0, 0x99, 1], "9901"), (&[1], "01"), (&[0xff], "-01"), (&[], "")];
    for (raw, expected) in printed {
        assert_eq!(super::serial(raw), expected);
    }
}

proptest! {
    #[test]
    fn flipped_and_cut_certificates_are_survived(at in 0usize..600, to: u8, keep in 0usize..600) {
        let mut der = certificate();
        if let Some(byte) = der.get_mut(at) {
            *byte = to;
        }
        der.truncate(keep);
        prop_assert_eq!(read(&der, 0).fingerprint.len(), 64);
    }
}
