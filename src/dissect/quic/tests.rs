use super::keys::Keys;
use super::*;
use crate::dissect::testing::{Step, conn, down, play, said, up};
use crate::model::event::Tls;
use proptest::prelude::*;

const DCID: [u8; 8] = [0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08];
const SERVER_ID: [u8; 4] = [9, 8, 7, 6];

fn sized(width: usize, content: &[u8]) -> Vec<u8> {
    [&(content.len() as u32).to_be_bytes()[4 - width..], content].concat()
}

fn extension(kind: u16, content: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &sized(2, content)].concat()
}

/// A ClientHello with a name, `h3` and TLS 1.3, as a handshake message.
fn client_hello() -> Vec<u8> {
    let name = sized(2, &[&[0][..], &sized(2, b"quic.example.com")].concat());
    let extensions = [extension(0, &name), extension(16, &sized(2, &sized(1, b"h3"))), extension(43, &sized(1, &[3, 4]))].concat();
    let body = [&[3, 3][..], &[7; 32], &sized(1, &[]), &sized(2, &[0x13, 1]), &[1, 0], &sized(2, &extensions)].concat();
    [&[1][..], &sized(3, &body)].concat()
}

fn server_hello() -> Vec<u8> {
    let extensions = [extension(43, &[3, 4]), extension(51, &[0, 29, 0, 1, 5])].concat();
    let body = [&[3, 3][..], &[9; 32], &sized(1, &[]), &[0x13, 1, 0], &sized(2, &extensions)].concat();
    [&[2][..], &sized(3, &body)].concat()
}

/// A CRYPTO frame.
fn crypto(offset: usize, bytes: &[u8]) -> Vec<u8> {
    [&[6, 0x40 | (offset >> 8) as u8, offset as u8, 0x40 | (bytes.len() >> 8) as u8, bytes.len() as u8], bytes].concat()
}

fn keys(version: u32) -> Keys {
    Keys::new(&keys::salts(Version(version))[0], Version(version), &DCID).unwrap()
}

/// A sealed Initial of the client or the server with these frames, padded to full size.
fn initial(version: u32, client: bool, number: u32, frames: &[u8]) -> Vec<u8> {
    let mut payload = frames.to_vec();
    payload.resize(1_100, 0);
    let first = if Version(version).is_2() { 0xd3 } else { 0xc3 };
    let (to, from): (&[u8], &[u8]) = if client { (&DCID, &[]) } else { (&[], &SERVER_ID) };
    let length = 0x4000 | (payload.len() + 4 + 16) as u16;
    let header = [&[first], &version.to_be_bytes()[..], &sized(1, to), &sized(1, from), &[0], &length.to_be_bytes(), &number.to_be_bytes()];
    keys(version).seal(client, &header.concat(), &payload)
}

fn handshake(version: u32) -> Vec<Step> {
    let (hello, answer) = (client_hello(), server_hello());
    let (a, b) = hello.split_at(40);
    vec![
        up(initial(version, true, 0, &crypto(40, b))),
        up(initial(version, true, 1, &[crypto(0, a), vec![1]].concat())),
        down([initial(version, false, 0, &[vec![2, 0, 0, 0, 0], crypto(0, &answer)].concat()), vec![0x40; 60]].concat()),
        up([0x41; 40]),
    ]
}

fn rows(events: &[Event]) -> (Vec<&Quic>, Vec<&Tls>) {
    let quic = events.iter().filter_map(|event| if let Event::Quic(row) = event { Some(&**row) } else { None });
    (quic.collect(), events.iter().filter_map(|event| if let Event::Tls(row) = event { Some(&**row) } else { None }).collect())
}

#[test]
fn hellos_are_read_out_of_order_in_every_version() {
    for (version, name) in [(1, "1"), (0x6b33_43cf, "quicv2"), (0xff00_001d, "draft-29"), (0xff00_0017, "draft-23")] {
        let (events, service) = play(conn(Proto::Udp, 443), &handshake(version));
        let events: Vec<Event> = events.into_iter().map(|event| event.event).collect();
        let (quic, tls) = rows(&events);
        let [row] = quic[..] else { panic!("one row: {events:?}") };
        assert_eq!((row.version.as_str(), row.history.as_str(), service), (name, "IISisoO", "quic,ssl"));
        assert_eq!((row.server_name.as_deref(), row.client_protocol.as_deref()), (Some("quic.example.com"), Some("h3")));
        assert_eq!((row.client_initial_dcid.as_deref(), row.server_scid.as_deref()), (Some("8394c8f03e515708"), Some("09080706")));
        assert!(row.ja4.as_deref().is_some_and(|ja4| ja4.starts_with("q13d0103h3_")), "{row:?}");
        assert_eq!((tls.len(), tls[0].cipher.as_deref(), &tls[0].ja4), (1, Some("TLS_AES_128_GCM_SHA256"), &row.ja4));
    }
}

/// The CRYPTO frame of RFC 9001 A.2.
const RFC_FRAME: &str = "060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47f06a2b69484c00000413011302010000c0\
00000010000e00000b6578616d706c652e636f6dff01000100000a00080006001d0017001800100007000504616c706e000500050100000000003300260024001d00\
209370b2c9caa47fbabaf4559fedba753de171fa71f50f1ce15d43e994ec74d748002b0003020304000d0010000e0403050306030203080408050806002d0002010100\
1c00024001003900320408ffffffffffffffff05048000ffff07048000ffff0801100104800075300901100f088394c8f03e51570806048000ffff";

fn unhex(text: &str) -> Vec<u8> {
    text.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

#[test]
fn the_client_initial_of_rfc_9001_a_2_is_opened() {
    let mut payload = unhex(RFC_FRAME);
    payload.resize(1_162, 0);
    let header = unhex("c300000001088394c8f03e5157080000449e00000002");
    let packet = keys(1).seal(true, &header, &payload);
    assert_eq!(hex(&packet[..36]), "c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11d242b123", "as the RFC prints it");
    let events = said(conn(Proto::Udp, 443), &[up(&packet)]);
    let (quic, tls) = rows(&events);
    assert_eq!((quic[0].server_name.as_deref(), quic[0].client_protocol.as_deref(), tls.len()), (Some("example.com"), Some("alpn"), 1));
}

#[test]
fn a_retry_ends_a_row_and_another_begins() {
    let retry = [&[0xf0, 0, 0, 0, 1, 0][..], &sized(1, &SERVER_ID), &[5; 30]].concat();
    let events = said(conn(Proto::Udp, 443), &[&handshake(1)[..2], &[down(&retry)], &handshake(1)].concat());
    let (quic, tls) = rows(&events);
    assert_eq!(quic.iter().map(|row| row.history.as_str()).collect::<Vec<_>>(), ["IISr", "IISisoO"]);
    assert_eq!((quic[0].server_scid.as_deref(), tls.len()), (None, 1));
}

#[test]
fn a_close_ends_the_row_and_its_echo_opens_none() {
    let close = initial(1, false, 0, &[0x1c, 0x41, 0x28, 6, 0]);
    let events = said(conn(Proto::Udp, 443), &[&handshake(1)[..2], &[down(&close), up(initial(1, true, 3, &[0x1c, 0, 6, 0]))]].concat());
    let (quic, _) = rows(&events);
    assert_eq!(quic.iter().map(|row| row.history.as_str()).collect::<Vec<_>>(), ["IISic"]);
}

#[test]
fn one_side_alone_and_a_missing_first_packet_leave_what_headers_tell() {
    let server = said(conn(Proto::Udp, 443), &handshake(1)[2..3]);
    assert!(matches!(&rows(&server).0[..], [row] if row.server_scid.is_some() && !row.decrypted && row.history == "io"), "{server:?}");
    let client = said(conn(Proto::Udp, 443), &handshake(1)[..2]);
    assert!(matches!(&rows(&client).1[..], [row] if row.cipher.is_none() && row.ja4.is_some()));
}

#[test]
fn a_snapped_hello_is_decrypted_as_far_as_it_goes() {
    let packet = initial(1, true, 0, &crypto(0, &client_hello()));
    let mut conversation = crate::dissect::Conversation::new(conn(Proto::Udp, 443));
    let mut events = Vec::new();
    conversation.data(&Chunk { dir: Dir::Orig, bytes: &packet[..180], cut: 1_000, frame: 1, ts_ns: 1 }, &mut events);
    conversation.end(&mut events);
    let row = events.iter().find_map(|event| if let Event::Quic(row) = &event.event { Some(row) } else { None });
    assert_eq!(row.unwrap().server_name.as_deref(), Some("quic.example.com"));
}

#[test]
fn version_negotiation_names_what_the_server_offers() {
    let negotiation = [&[0x80, 0, 0, 0, 0][..], &sized(1, &[]), &sized(1, &DCID), &[0, 0, 0, 1, 0xff, 0, 0, 29]].concat();
    let events = said(conn(Proto::Udp, 443), &[up(initial(0x1a2a_3a4a, true, 0, &[1])), down(&negotiation)]);
    assert_eq!(rows(&events).0[0].server_versions, ["1", "draft-29"]);
}

#[test]
fn googles_old_hello_is_in_clear() {
    let tags = [&b"SNI\0"[..], &15u32.to_le_bytes(), b"www.example.com"].concat();
    let hello = [&b"CHLO\x01\0\0\0"[..], &tags].concat();
    let q43 = [&[0x09][..], &DCID, b"Q043\x01", &[0; 12], &[0xa0; 4], &hello].concat();
    let q46 = [&[0xc3][..], b"Q046\x50", &DCID, &[0, 0, 0, 1], &[0; 12], &[0xa0; 4], &hello].concat();
    for (packet, version) in [(q43, "Q043"), (q46, "Q046")] {
        let (events, service) = play(conn(Proto::Udp, 443), &[up(&packet), down([0; 40])]);
        let Event::Quic(row) = &events[0].event else { panic!("{events:?}") };
        assert_eq!((row.version.as_str(), row.server_name.as_deref(), service), (version, Some("www.example.com"), "quic"));
        assert_eq!((row.history.as_str(), row.client_initial_dcid.as_deref()), ("ISo", Some("8394c8f03e515708")));
    }
}

#[test]
fn media_and_noise_are_no_quic() {
    for bytes in [&[0x80; 60][..], &[0xff; 60], b"\xc0\0\0\0\x02\x08aaaaaaaaaaaaaaaaaaaaaaaa", b"\x09aaaaaaaaQ0xxaaaaaaaaaaaaaaaa"] {
        assert_eq!(play(conn(Proto::Udp, 443), &[up(bytes)]).1, "");
    }
}

proptest! {
    #[test]
    fn cuts_flips_loss_and_any_order_are_survived(order in proptest::collection::vec(0usize..4, 0..8), at in 0usize..1_300, to: u8, keep in 0usize..1_300) {
        let steps = handshake(1);
        let mut played: Vec<Step> = order.iter().map(|&n| steps[n].clone()).collect();
        if let Some(Step::Data(_, bytes)) = played.first_mut() {
            bytes.truncate(keep);
            if let Some(byte) = bytes.get_mut(at) {
                *byte = to;
            }
        }
        prop_assert!(said(conn(Proto::Udp, 443), &played).len() <= 9);
    }
}
