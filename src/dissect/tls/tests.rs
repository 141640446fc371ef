use crate::dissect::testing::{Step, conn, cut, down, play, said, up};
use crate::model::{Dir, Event, Proto, event::Tls};
use proptest::prelude::*;

mod decrypted;

fn u16s(values: &[u16]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_be_bytes()).collect()
}

/// Bytes behind their length in `width` bytes.
fn sized(width: usize, content: &[u8]) -> Vec<u8> {
    [&(content.len() as u32).to_be_bytes()[4 - width..], content].concat()
}

fn extension(kind: u16, content: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &sized(2, content)].concat()
}

fn record(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind, 3, 3][..], &sized(2, body)].concat()
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind][..], &sized(3, body)].concat()
}

fn client_body(versions: &[u16]) -> Vec<u8> {
    let name = sized(2, &[&[0][..], &sized(2, b"www.example.com")].concat());
    let alpn = sized(2, &[sized(1, b"h2"), sized(1, b"http/1.1")].concat());
    let mut extensions = vec![
        extension(0x0a0a, b""),
        extension(0, &name),
        extension(10, &sized(2, &u16s(&[0x1a1a, 29, 23]))),
        extension(11, &sized(1, &[0])),
        extension(13, &sized(2, &u16s(&[0x0403, 0x0804]))),
        extension(16, &alpn),
    ];
    if !versions.is_empty() {
        extensions.push(extension(43, &sized(1, &u16s(versions))));
    }
    [&[3, 3][..], &[7; 32], &sized(1, &[]), &sized(2, &u16s(&[0x2a2a, 0x1301, 0xc02f])), &[1, 0], &sized(2, &extensions.concat())].concat()
}

fn server_body(cipher: u16, extensions: &[Vec<u8>]) -> Vec<u8> {
    [&[3, 3][..], &[9; 24], b"DOWNGRD\x01", &sized(1, &[]), &u16s(&[cipher]), &[0], &sized(2, &extensions.concat())].concat()
}

fn hello(kind: u8, body: &[u8]) -> Vec<u8> {
    record(22, &message(kind, body))
}

fn row(steps: &[Step]) -> Tls {
    let events = said(conn(Proto::Tcp, 443), steps);
    let rows: Vec<_> = events.iter().filter_map(|event| if let Event::Tls(row) = event { Some(&**row) } else { None }).collect();
    assert_eq!(rows.len(), 1, "one handshake, one row: {events:?}");
    rows[0].clone()
}

/// TLS 1.2 with ECDHE, whole.
fn handshake_12() -> Vec<Step> {
    let server = [hello(2, &server_body(0xc02f, &[extension(16, &sized(2, &sized(1, b"h2")))])), hello(12, &[3, 0, 29, 0]), hello(14, &[])];
    let client = [hello(16, b"key"), record(20, &[1]), record(22, &[0xee; 40])];
    vec![
        up(hello(1, &client_body(&[]))),
        down(server.concat()),
        up(client.concat()),
        down([record(20, &[1]), record(22, &[0xee; 40])].concat()),
    ]
}

/// TLS 1.3, whole.
fn handshake_13() -> Vec<Step> {
    let server = server_body(0x1301, &[extension(43, &u16s(&[0x0304])), extension(51, &[0, 29, 0, 1, 5])]);
    let answer = [hello(2, &server), record(20, &[1]), record(23, &[0; 99])].concat();
    vec![up(hello(1, &client_body(&[0x3a3a, 0x0304, 0x0303]))), down(answer), up([record(20, &[1]), record(23, &[0; 60])].concat())]
}

#[test]
fn a_whole_handshake_of_tls_1_2_is_told_as_zeek_tells_it() {
    let row = row(&handshake_12());
    assert_eq!((row.version.as_deref(), row.cipher.as_deref()), (Some("TLSv12"), Some("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256")));
    assert_eq!(
        (row.curve.as_deref(), row.next_protocol.as_deref(), row.server_name.as_deref()),
        (Some("x25519"), Some("h2"), Some("www.example.com"))
    );
    assert_eq!((row.ssl_history.as_str(), row.established, row.downgrade_sentinel, row.resumed), ("CsknGIi", true, true, false));
    assert_eq!((row.client_alpn.join(" "), row.client_ciphers.join(" ")), ("h2 http/1.1".to_owned(), "2a2a 1301 c02f".to_owned()));
}

#[test]
fn tls_1_3_is_established_by_the_clients_first_data() {
    let whole = row(&handshake_13());
    assert_eq!((whole.version.as_deref(), whole.curve.as_deref(), whole.ssl_history.as_str()), (Some("TLSv13"), Some("x25519"), "CsiI"));
    assert_eq!((whole.established, whole.client_version.as_deref()), (true, Some("TLSv13")));
    assert!(!row(&handshake_13()[..2]).established);
    // Two ciphers, six extensions (grease aside), a name, h2.
    assert!(whole.ja4.is_some_and(|ja4| ja4.starts_with("t13d0206h2_")));
}

#[test]
fn after_the_handshake_nothing_is_wanted() {
    let mut conversation = crate::dissect::Conversation::new(conn(Proto::Tcp, 443));
    let mut events = Vec::new();
    for step in handshake_13() {
        assert!(conversation.wants(Dir::Orig));
        let Step::Data(dir, bytes) = step else { continue };
        conversation.data(&crate::dissect::Chunk { dir, bytes: &bytes, cut: 0, frame: 1, ts_ns: 1 }, &mut events);
    }
    assert!(!conversation.wants(Dir::Orig) && !conversation.wants(Dir::Resp));
    assert_eq!((events.len(), conversation.service()), (1, "ssl"));
}

#[test]
fn one_side_alone_and_half_a_hello_are_told_as_far_as_they_go() {
    let client = row(&handshake_12()[..1]);
    assert_eq!((client.version, client.ja3.is_some(), client.established), (None, true, false));
    let server = row(&handshake_12()[1..2]);
    assert_eq!((server.cipher.is_some(), server.ja3s.is_some(), server.ja3, server.ssl_history.as_str()), (true, true, None, "skn"));
    // Broken off within its extensions, behind the name: a name, but no fingerprint of half a list.
    let bytes = hello(1, &client_body(&[0x0304]));
    let half = row(&[up(&bytes[..bytes.len() - 12])]);
    assert_eq!((half.server_name.as_deref(), half.ja3, half.ja4), (Some("www.example.com"), None, None));
}

#[test]
fn a_hello_over_several_records_is_one_hello() {
    let body = message(1, &client_body(&[0x0304]));
    let (a, b) = body.split_at(70);
    let split = row(&[up([record(22, a), record(22, b)].concat())]);
    assert_eq!(split.ja4, row(&[up(hello(1, &client_body(&[0x0304])))]).ja4);
}

#[test]
fn alerts_and_bleeding_heartbeats_are_noticed() {
    let mut steps = handshake_12();
    steps.truncate(2);
    steps.push(up(record(24, &[1, 0x40, 0, 0, 0])));
    steps.push(down(record(21, &[2, 40])));
    let row = row(&steps);
    assert_eq!((row.heartbeat_oversize, row.last_alert.as_deref(), row.ssl_history.as_str()), (true, Some("handshake_failure"), "CsknBl"));
}

#[test]
fn an_old_hello_that_offers_new_versions_is_read() {
    let body = [&[1, 3, 1][..], &u16s(&[6, 0, 16]), &[0, 0, 0x2f, 1, 0, 0x80], &[8; 16]].concat();
    let old = [&[0x80][..], &sized(1, &body)].concat();
    let row = row(&[up(old), down(hello(2, &server_body(0x2f, &[])))]);
    assert_eq!(
        (row.client_version.as_deref(), row.client_ciphers.join(" "), row.ssl_history.as_str()),
        (Some("TLSv10"), "002f".to_owned(), "Cs")
    );
}

#[test]
fn tls_is_found_behind_starttls_and_proxies() {
    let mut steps = vec![down("220 mail ESMTP\r\n"), up("EHLO me\r\n"), down("250 STARTTLS\r\n"), up("STARTTLS\r\n"), down("220 go\r\n")];
    steps.extend(handshake_12());
    let (events, service) = play(conn(Proto::Tcp, 25), &steps);
    assert!(matches!(events.last().map(|event| &event.event), Some(Event::Tls(_))), "{events:?}");
    assert_eq!(service, "smtp,ssl");
    let mut steps = vec![up("CONNECT x:443 HTTP/1.1\r\n\r\n"), down("HTTP/1.1 200 ok\r\n\r\n")];
    steps.extend(handshake_13());
    assert_eq!(play(conn(Proto::Tcp, 3_128), &steps).1, "http,ssl");
    let mut steps = vec![up([5, 1, 0]), down([5, 0]), up([5, 1, 0, 1, 1, 2, 3, 4, 1, 187]), down([5, 0, 0, 1, 0, 0, 0, 0, 0, 0])];
    steps.extend(handshake_13());
    assert!(play(conn(Proto::Tcp, 1_080), &steps).1.ends_with("ssl"));
}

#[test]
fn a_clear_answer_to_a_hello_is_read_as_what_it_is() {
    let steps = [up(hello(1, &client_body(&[]))), down("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")];
    let events = said(conn(Proto::Tcp, 80), &steps);
    assert!(matches!(&events[..], [Event::Tls(_), Event::Http(row)] if row.status_code == Some(400)), "{events:?}");
}

/// Without the frame of the ServerHello, which depends on how the stream is cut.
fn timeless(mut events: Vec<Event>) -> Vec<Event> {
    for event in &mut events {
        if let Event::Tls(row) = event {
            row.server_frame = None;
        }
    }
    events
}

proptest! {
    #[test]
    fn any_cut_of_a_stream_gives_the_same_events(sizes in proptest::collection::vec(1usize..60, 1..6)) {
        for steps in [handshake_12(), handshake_13()] {
            let whole = timeless(said(conn(Proto::Tcp, 443), &steps));
            prop_assert_eq!(whole, timeless(said(conn(Proto::Tcp, 443), &cut(&steps, &sizes))));
        }
    }

    #[test]
    fn flips_gaps_and_noise_are_survived(at in 0usize..400, to: u8, gap in 0usize..6, missing in 1u64..40_000, noise in proptest::collection::vec(any::<u8>(), 0..60)) {
        let mut steps = handshake_12();
        let mut left = at;
        for step in &mut steps {
            if let Step::Data(_, bytes) = step {
                if let Some(byte) = bytes.get_mut(left) {
                    *byte = to;
                    break;
                }
                left -= bytes.len();
            }
        }
        steps.insert(gap.min(steps.len()), Step::Gap(if to & 1 == 0 { Dir::Orig } else { Dir::Resp }, missing));
        steps.push(up(noise));
        prop_assert!(said(conn(Proto::Tcp, 443), &steps).len() <= 8);
    }
}
