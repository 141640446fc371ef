//! Numbers by their names in IANA's registries "IKEv2 Parameters" and "Internet Key Exchange (IKE) Attributes".

use crate::dissect::hex;

pub(super) fn exchange(number: u8, old: bool) -> String {
    let name = match (number, old) {
        (1, true) => "base",
        (2, true) => "main mode",
        (3, true) => "authentication only",
        (4, true) => "aggressive mode",
        (5, true) => "informational",
        (6, true) => "transaction",
        (32, true) => "quick mode",
        (33, true) => "new group mode",
        (34, false) => "IKE_SA_INIT",
        (35, false) => "IKE_AUTH",
        (36, false) => "CREATE_CHILD_SA",
        (37, false) => "INFORMATIONAL",
        (38, false) => "IKE_SESSION_RESUME",
        (43, false) => "IKE_INTERMEDIATE",
        _ => return format!("unknown-{number}"),
    };
    name.to_owned()
}

pub(super) fn payload(kind: u8, old: bool) -> String {
    let name = match (kind, old) {
        (1, true) | (33, false) => "SA",
        (4, true) | (34, false) => "KE",
        (5, true) => "ID",
        (6, true) | (37, false) => "CERT",
        (7, true) | (38, false) => "CERTREQ",
        (8, true) => "HASH",
        (9, true) => "SIG",
        (10, true) | (40, false) => "NONCE",
        (11, true) | (41, false) => "NOTIFY",
        (12, true) | (42, false) => "DELETE",
        (13, true) | (43, false) => "VID",
        (20, true) => "NAT-D",
        (21, true) => "NAT-OA",
        (35, false) => "IDi",
        (36, false) => "IDr",
        (39, false) => "AUTH",
        (44, false) => "TSi",
        (45, false) => "TSr",
        (46, false) => "SK",
        (47, false) => "CP",
        (48, false) => "EAP",
        (53, false) => "SKF",
        _ => return format!("unknown-{kind}"),
    };
    name.to_owned()
}

pub(super) fn transform(kind: u8, number: u16) -> String {
    let name = match (kind, number) {
        (1, 2) => "DES",
        (1, 3) => "3DES",
        (1, 11) => "NULL",
        (1, 12) => "AES-CBC",
        (1, 13) => "AES-CTR",
        (1, 14) => "AES-CCM-8",
        (1, 18) => "AES-GCM-8",
        (1, 19) => "AES-GCM-12",
        (1, 20) => "AES-GCM-16",
        (1, 23) => "CAMELLIA-CBC",
        (1, 28) => "CHACHA20-POLY1305",
        (2, 1) => "PRF-HMAC-MD5",
        (2, 2) => "PRF-HMAC-SHA1",
        (2, 4) => "PRF-AES128-XCBC",
        (2, 5) => "PRF-HMAC-SHA2-256",
        (2, 6) => "PRF-HMAC-SHA2-384",
        (2, 7) => "PRF-HMAC-SHA2-512",
        (3, 0) => "INTEG-NONE",
        (3, 1) => "HMAC-MD5-96",
        (3, 2) => "HMAC-SHA1-96",
        (3, 5) => "AES-XCBC-96",
        (3, 12) => "HMAC-SHA2-256-128",
        (3, 13) => "HMAC-SHA2-384-192",
        (3, 14) => "HMAC-SHA2-512-256",
        (4, group) => return format!("group {group}"),
        (5, 0) => "no ESN",
        (5, 1) => "ESN",
        _ => return format!("unknown-{kind}:{number}"),
    };
    name.to_owned()
}

pub(super) fn old_cipher(number: u32) -> String {
    let name = match number {
        1 => "DES",
        2 => "IDEA",
        3 => "BLOWFISH",
        4 => "RC5",
        5 => "3DES",
        6 => "CAST",
        7 => "AES-CBC",
        8 => "CAMELLIA-CBC",
        _ => return format!("unknown-{number}"),
    };
    name.to_owned()
}

pub(super) fn old_hash(number: u32) -> String {
    let name = match number {
        1 => "MD5",
        2 => "SHA1",
        3 => "TIGER",
        4 => "SHA2-256",
        5 => "SHA2-384",
        6 => "SHA2-512",
        _ => return format!("unknown-{number}"),
    };
    name.to_owned()
}

pub(super) fn old_authentication(number: u32) -> String {
    let name = match number {
        1 => "PSK",
        2 => "DSS-SIG",
        3 => "RSA-SIG",
        4 | 5 => "RSA-ENC",
        64221 => "HYBRID-RSA",
        65001 => "XAUTH-PSK",
        65005 => "XAUTH-RSA",
        _ => return format!("unknown-{number}"),
    };
    name.to_owned()
}

pub(super) fn notify(number: u16, old: bool) -> String {
    let name = match (number, old) {
        (14, _) => "NO_PROPOSAL_CHOSEN",
        (7, false) => "INVALID_SYNTAX",
        (17, false) => "INVALID_KE_PAYLOAD",
        (18, true) => "INVALID_ID_INFORMATION",
        (24, _) => "AUTHENTICATION_FAILED",
        (38, false) => "TS_UNACCEPTABLE",
        (16384, false) => "INITIAL_CONTACT",
        (24578, true) => "INITIAL_CONTACT",
        (36136, true) => "DPD_R_U_THERE",
        (36137, true) => "DPD_R_U_THERE_ACK",
        (16388, false) => "NAT_DETECTION_SOURCE_IP",
        (16389, false) => "NAT_DETECTION_DESTINATION_IP",
        (16390, false) => "COOKIE",
        (16404, false) => "MULTIPLE_AUTH_SUPPORTED",
        (16406, false) => "REDIRECT_SUPPORTED",
        (16430, false) => "FRAGMENTATION_SUPPORTED",
        (16431, false) => "SIGNATURE_HASH_ALGORITHMS",
        _ => return format!("{number}"),
    };
    name.to_owned()
}

/// Vendor ids that are digests of words, by their first bytes; others as they are.
pub(super) fn vendor(bytes: &[u8]) -> String {
    const KNOWN: [(&[u8], &str); 13] = [
        (&[0x4a, 0x13, 0x1c, 0x81, 0x07, 0x03, 0x58, 0x45], "RFC 3947 NAT-T"),
        (&[0xaf, 0xca, 0xd7, 0x13, 0x68, 0xa1, 0xf1, 0xc9], "DPD"),
        (&[0x09, 0x00, 0x26, 0x89, 0xdf, 0xd6, 0xb7, 0x12], "XAUTH"),
        (&[0x12, 0xf5, 0xf2, 0x8c, 0x45, 0x71, 0x68, 0xa9], "Cisco Unity"),
        (&[0x1e, 0x2b, 0x51, 0x69, 0x05, 0x99, 0x1c, 0x7d], "Microsoft Windows"),
        (&[0x40, 0x48, 0xb7, 0xd5, 0x6e, 0xbc, 0xe8, 0x85], "FRAGMENTATION"),
        (&[0x90, 0xcb, 0x80, 0x91, 0x3e, 0xbb, 0x69, 0x6e], "draft-ietf-ipsec-nat-t-ike-02\\n"),
        (&[0xcd, 0x60, 0x46, 0x43, 0x35, 0xdf, 0x21, 0xf8], "draft-ietf-ipsec-nat-t-ike-02"),
        (&[0x7d, 0x94, 0x19, 0xa6, 0x53, 0x10, 0xca, 0x6f], "draft-ietf-ipsec-nat-t-ike-03"),
        (&[0x44, 0x85, 0x15, 0x2d, 0x18, 0xb6, 0xbb, 0xcd], "draft-ietf-ipsec-nat-t-ike-00"),
        (&[0x88, 0x2f, 0xe5, 0x6d, 0x6f, 0xd2, 0x0d, 0xbc], "strongSwan"),
        (&[0x82, 0x99, 0x03, 0x17, 0x57, 0xa3, 0x60, 0x82], "Fortinet FortiGate"),
        (&[0x43, 0x49, 0x53, 0x43, 0x4f], "Cisco"),
    ];
    let known = KNOWN.iter().find(|(start, _)| bytes.starts_with(start)).map(|(_, name)| (*name).to_owned());
    known.unwrap_or_else(|| hex(bytes.get(..32).unwrap_or(bytes)))
}
