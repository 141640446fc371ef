use super::*;
use crate::dissect::testing::{conn, down, play, said, up};
use proptest::prelude::*;

fn header(first: u8, version: u8, exchange: u8, flags: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0, first, version, exchange, flags, 0, 0, 0, 0];
    bytes.extend((HEADER as u32 + body.len() as u32).to_be_bytes());
    bytes.extend(body);
    bytes
}

fn part(next: u8, body: &[u8]) -> Vec<u8> {
    [&[next, 0][..], &(body.len() as u16 + 4).to_be_bytes(), body].concat()
}

/// Version 1: main mode that offers 3DES, SHA1, a pre-shared key and group 2, with two vendor ids.
fn main_mode() -> Vec<u8> {
    let transform = part(0, &[0, 1, 0, 0, 0x80, 1, 0, 5, 0x80, 2, 0, 2, 0x80, 3, 0, 1, 0x80, 4, 0, 2]);
    let proposal = part(0, &[&[0, 1, 0, 1][..], &transform].concat());
    let sa = part(13, &[&[0, 0, 0, 1, 0, 0, 0, 1][..], &proposal].concat());
    let vendors = [part(13, &[0xaf, 0xca, 0xd7, 0x13, 0x68, 0xa1, 0xf1, 0xc9, 0x6b]), part(0, &[0xde, 0xad])].concat();
    header(1, 0x10, 2, 0, &[sa, vendors].concat())
}

/// Version 2: AES in CBC mode of 256 bits, group 14, and a notification.
fn sa_init() -> Vec<u8> {
    let transforms = [part(3, &[1, 0, 0, 12, 0x80, 14, 1, 0]), part(0, &[4, 0, 0, 14])].concat();
    let sa = part(34, &part(0, &[&[1, 1, 0, 2][..], &transforms].concat()));
    let rest = [part(41, &[0, 14, 0, 0, 1, 2]), part(0, &[0, 0, 0x40, 4])].concat();
    header(33, 0x20, 34, 0x08, &[sa, rest].concat())
}

fn rows(bytes: &[u8]) -> Vec<Ike> {
    let told = said(conn(Proto::Udp, 500), &[up(bytes)]).into_iter();
    told.filter_map(|event| if let Event::Ike(row) = event { Some(*row) } else { None }).collect()
}

#[test]
fn what_is_offered_is_named_in_both_versions() {
    let old = &rows(&main_mode())[0];
    assert_eq!(
        (old.version.as_str(), old.exchange.as_str(), old.transforms.join(" ")),
        ("1.0", "main mode", "3DES/SHA1/PSK/group 2".to_owned())
    );
    assert_eq!((old.vendor_ids.join(" "), old.payloads.join(" "), old.dh_group), ("DPD dead".to_owned(), "SA VID VID".to_owned(), Some(2)));
    let new = &rows(&sa_init())[0];
    assert_eq!(
        (new.version.as_str(), new.exchange.as_str(), new.transforms.join(" ")),
        ("2.0", "IKE_SA_INIT", "AES-CBC-256 group 14".to_owned())
    );
    assert_eq!((new.notifies.join(" "), new.dh_group, new.is_response), ("NAT_DETECTION_SOURCE_IP".to_owned(), Some(14), false));
}

#[test]
fn behind_the_marker_of_port_4500_it_is_the_same_and_esp_is_not() {
    assert_eq!(play(conn(Proto::Udp, 4_500), &[up([&[0; 4][..], &sa_init()].concat())]).1, "ike");
    assert_eq!(play(conn(Proto::Udp, 4_500), &[up([9; 80]), down([7; 80])]).1, "");
    assert_eq!(play(conn(Proto::Udp, 9_999), &[up(sa_init())]).1, "ike");
}

#[test]
fn encrypted_payloads_end_the_reading() {
    let row = &rows(&header(46, 0x20, 35, 0x28, &part(35, &[9; 40])))[0];
    assert_eq!((row.encrypted, row.is_response, row.payloads.join(" ")), (true, true, "SK".to_owned()));
}

proptest! {
    #[test]
    fn any_bytes_are_survived(noise in proptest::collection::vec(any::<u8>(), 0..120), at in 28usize..120, bit in 0u8..8, end in 28usize..120) {
        for whole in [main_mode(), sa_init()] {
            let mut flipped = whole.clone();
            if let Some(byte) = flipped.get_mut(at) {
                *byte ^= 1 << bit;
            }
            for bytes in [&flipped[..], &whole[..end.min(whole.len())], &[&whole[..28], &noise[..]].concat()] {
                prop_assert!(rows(bytes).len() <= 1);
            }
        }
    }
}
