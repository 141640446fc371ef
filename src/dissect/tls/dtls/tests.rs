use crate::dissect::testing::{Step, conn, down, play, up};
use crate::model::{Event, Proto, event::Tls};
use proptest::prelude::*;

fn sized(width: usize, content: &[u8]) -> Vec<u8> {
    [&(content.len() as u32).to_be_bytes()[4 - width..], content].concat()
}

fn record(kind: u8, epoch: u16, body: &[u8]) -> Vec<u8> {
    [&[kind, 0xfe, 0xfd][..], &epoch.to_be_bytes(), &[0; 6], &sized(2, body)].concat()
}

/// Part `offset..` of a handshake message, `bytes` long.
fn fragment(kind: u8, number: u16, message: &[u8], part: std::ops::Range<usize>) -> Vec<u8> {
    let length = &(message.len() as u32).to_be_bytes()[1..];
    let offset = &(part.start as u32).to_be_bytes()[1..];
    record(22, 0, &[&[kind][..], length, &number.to_be_bytes(), offset, &sized(3, &message[part])].concat())
}

fn whole(kind: u8, number: u16, message: &[u8]) -> Vec<u8> {
    fragment(kind, number, message, 0..message.len())
}

fn extension(kind: u16, content: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &sized(2, content)].concat()
}

fn client_hello(extra: &[u8]) -> Vec<u8> {
    let name = extension(0, &sized(2, &[&[0][..], &sized(2, b"turn.example.org")].concat()));
    let groups = extension(10, &sized(2, &[0, 29]));
    let list = [name, groups, extra.to_vec()].concat();
    [&[0xfe, 0xfd][..], &[7; 32], &sized(1, &[]), &sized(1, b"cookie"), &sized(2, &[0xc0, 0x2b, 0x13, 0x01]), &[1, 0], &sized(2, &list)]
        .concat()
}

fn server_hello(extra: &[u8]) -> Vec<u8> {
    [&[0xfe, 0xfd][..], &[9; 32], &sized(1, &[]), &[0xc0, 0x2b, 0], &sized(2, extra)].concat()
}

fn rows(steps: &[Step]) -> Vec<Tls> {
    let (events, service) = play(conn(Proto::Udp, 4_433), steps);
    assert_eq!(service, "dtls");
    events.into_iter().filter_map(|event| if let Event::Tls(row) = event.event { Some(*row) } else { None }).collect()
}

/// DTLS 1.2 with a cookie exchange; certificates are no certificates, but come in three fragments.
fn handshake() -> Vec<Step> {
    let chain = sized(3, &sized(3, &[0x30; 700]));
    vec![
        up(whole(1, 0, &client_hello(&[]))),
        down(whole(3, 0, &[0xfe, 0xfd, 1, 5])),
        up(whole(1, 1, &client_hello(&[]))),
        down(whole(2, 1, &server_hello(&[]))),
        down(fragment(11, 2, &chain, 0..300)),
        down(fragment(11, 2, &chain, 300..600)),
        down([fragment(11, 2, &chain, 600..706), whole(12, 3, &[3, 0, 29, 0]), whole(14, 4, &[])].concat()),
        up([whole(16, 2, b"key"), record(20, 0, &[1]), record(22, 1, &[0xee; 40])].concat()),
        down([record(20, 0, &[1]), record(22, 1, &[0xee; 40])].concat()),
        up(record(23, 1, &[0xdd; 40])),
    ]
}

#[test]
fn a_handshake_with_fragments_is_one_row() {
    let rows = rows(&handshake());
    let [row] = &rows[..] else { panic!("{rows:?}") };
    assert_eq!((row.version.as_deref(), row.cipher.as_deref()), (Some("DTLSv12"), Some("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256")));
    assert_eq!((row.server_name.as_deref(), row.curve.as_deref(), row.established), (Some("turn.example.org"), Some("x25519"), true));
    assert_eq!((row.ssl_history.as_str(), row.cert_chain_fps.len()), ("CvCsxknGIi", 1));
    assert!(row.ja4.as_deref().is_some_and(|ja4| ja4.starts_with("dd2d0202")), "{:?}", row.ja4);
}

#[test]
fn fragments_in_any_order_and_doubled_are_the_same_message() {
    let mut steps = handshake();
    steps.swap(4, 5);
    let doubled = steps[4].clone();
    steps.insert(6, doubled);
    assert_eq!(rows(&steps), rows(&handshake()));
}

#[test]
fn dtls_1_3_is_established_by_the_clients_first_short_header() {
    let versions = |list: &[u8]| extension(43, list);
    let steps = [
        up(whole(1, 0, &client_hello(&versions(&sized(1, &[0xfe, 0xfc, 0xfe, 0xfd]))))),
        down([whole(2, 0, &server_hello(&versions(&[0xfe, 0xfc]))), vec![0x2f; 60]].concat()),
        up([0x2f; 60]),
    ];
    let row = &rows(&steps)[0];
    assert_eq!((row.version.as_deref(), row.client_version.as_deref(), row.established), (Some("DTLSv13"), Some("DTLSv13"), true));
    assert!(row.ja4.as_deref().is_some_and(|ja4| ja4.starts_with("dd3d0203")), "{:?}", row.ja4);
    assert!(!rows(&steps[..2])[0].established);
}

#[test]
fn behind_any_number_of_stun_messages_it_is_found() {
    let stun = [&[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42][..], &[5; 12]].concat();
    for before in [1, 30] {
        let mut steps = vec![up(&stun); before];
        steps.extend(handshake());
        assert_eq!(rows(&steps).len(), 1, "after {before}");
    }
}

#[test]
fn the_responder_may_be_the_client() {
    let turned: Vec<Step> =
        handshake().into_iter().map(|step| if let Step::Data(dir, bytes) = step { Step::Data(dir.flip(), bytes) } else { step }).collect();
    assert_eq!(rows(&turned)[0].ssl_history, "^CvCsxknGIi");
}

#[test]
fn half_a_client_hello_tells_a_name_and_no_fingerprint() {
    let hello = client_hello(&extension(16, &sized(2, &[0; 200])));
    let row = &rows(&[up(fragment(1, 0, &hello, 0..120))])[0];
    assert_eq!((row.server_name.as_deref(), row.ja3.as_deref()), (Some("turn.example.org"), None));
}

proptest! {
    #[test]
    fn cut_flipped_lost_and_reordered_datagrams_are_survived(
        order in proptest::collection::vec(0usize..10, 0..30), keep in 0usize..800, at in 0usize..200, to: u8
    ) {
        let all = handshake();
        let mut steps: Vec<Step> = order.iter().filter_map(|&n| all.get(n).cloned()).collect();
        if let Some(Step::Data(_, bytes)) = steps.first_mut() {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = to;
            }
            bytes.truncate(keep);
        }
        let (events, _) = play(conn(Proto::Udp, 4_433), &steps);
        prop_assert!(events.iter().filter(|event| matches!(event.event, Event::Tls(_))).count() <= 1);
    }

    #[test]
    fn any_bytes_are_survived(datagrams in proptest::collection::vec((any::<bool>(), proptest::collection::vec(any::<u8>(), 0..200)), 0..12)) {
        let mut steps = vec![handshake().swap_remove(0)];
        steps.extend(datagrams.into_iter().map(|(orig, bytes)| if orig { up(bytes) } else { down(bytes) }));
        play(conn(Proto::Udp, 4_433), &steps);
    }
}
