use super::frames::{Header, PREFACE, flag, kind};
use crate::dissect::testing::{Step, conn, cut, down, play, said, up};
use crate::model::{Conn, Event, Proto, event::Http};
use proptest::prelude::*;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    [&(payload.len() as u32).to_be_bytes()[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Fields, each a literal that is put into the table, its value in Huffman's code.
fn fields(list: &[(&str, &str)]) -> Vec<u8> {
    let one = |(name, value): &(&str, &str)| {
        let coded = super::huffman::encode(value.as_bytes());
        [&[0x40, name.len() as u8][..], name.as_bytes(), &[0x80 | coded.len() as u8], &coded].concat()
    };
    list.iter().flat_map(one).collect()
}

fn flow() -> Conn {
    conn(Proto::Tcp, 8080)
}

fn rows(steps: &[Step]) -> Vec<Http> {
    said(flow(), steps).into_iter().filter_map(|event| if let Event::Http(row) = event { Some(*row) } else { None }).collect()
}

/// Two streams whose answers cross; the second request refers to the fields of the first.
fn session() -> Vec<Step> {
    let first =
        fields(&[(":method", "GET"), (":path", "/a?x=1"), (":authority", "www.example.com"), ("user-agent", "test/2"), ("accept", "*/*")]);
    // The newest field has number 62: accept, user-agent, :authority, :path, :method.
    let second = [&[0x80 | 66, 0x80 | 64, 0x80 | 63][..], &fields(&[(":path", "/b")])].concat();
    let headers = flag::END_HEADERS | flag::END_STREAM;
    let answer = fields(&[(":status", "200"), ("content-type", "text/plain"), ("content-length", "5")]);
    vec![
        up([PREFACE, &frame(kind::SETTINGS, 0, 0, &[0, 4, 0, 1, 0, 0]), &frame(kind::HEADERS, headers, 1, &first)].concat()),
        down([frame(kind::SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 100]), frame(kind::SETTINGS, 1, 0, &[])].concat()),
        up([frame(kind::HEADERS, flag::END_STREAM, 3, &second[..4]), frame(kind::CONTINUATION, flag::END_HEADERS, 3, &second[4..])]
            .concat()),
        down(frame(kind::HEADERS, flag::END_HEADERS, 3, &answer)),
        down(
            [
                frame(kind::HEADERS, headers, 1, &fields(&[(":status", "404")])),
                frame(kind::DATA, flag::PADDED, 3, &[&[3][..], b"wor", &[0; 3]].concat()),
            ]
            .concat(),
        ),
        down([frame(6, 0, 0, &[0; 8]), frame(kind::DATA, flag::END_STREAM, 3, b"ld")].concat()),
    ]
}

#[test]
fn each_stream_is_a_row_with_the_columns_of_http_1() {
    let rows = rows(&session());
    let [first, second] = &rows[..] else { panic!("{rows:?}") };
    let line = |row: &Http| (row.trans_depth, row.method.clone(), row.uri.clone(), row.status_code, row.response_body_len, row.complete);
    assert_eq!(line(first), (1, Some("GET".into()), Some("/a?x=1".into()), Some(404), 0, true));
    assert_eq!(line(second), (2, Some("GET".into()), Some("/b".into()), Some(200), 5, true));
    for row in [first, second] {
        assert_eq!(row.host.as_deref(), Some("www.example.com"));
        assert_eq!((row.version.as_deref(), row.user_agent.as_deref(), row.decrypted), (Some("2"), Some("test/2"), false));
    }
    assert_eq!(first.client_header_names, ["USER-AGENT", "ACCEPT"]);
    assert_eq!(second.body_prefix_resp.as_deref(), Some("world"));
    assert_eq!(play(flow(), &session()).1, "http2");
}

#[test]
fn an_upgrade_from_http_1_is_answered_on_stream_1() {
    let ask = "GET /up HTTP/1.1\r\nHost: www.example.com\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n";
    let settings = frame(kind::SETTINGS, 0, 0, &[]);
    let answer = frame(kind::HEADERS, flag::END_HEADERS | flag::END_STREAM, 1, &fields(&[(":status", "204")]));
    let steps = [
        up(ask),
        down([&b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"[..], &settings, &answer].concat()),
        up([PREFACE, &settings].concat()),
    ];
    let rows = rows(&steps);
    let lines: Vec<_> = rows.iter().map(|row| (row.uri.as_deref(), row.status_code, row.version.as_deref())).collect();
    assert_eq!(lines, [(Some("/up"), Some(101), Some("1.1")), (Some("/up"), Some(204), Some("2"))]);
    assert_eq!(play(flow(), &steps).1, "http,http2");
}

#[test]
fn a_loss_in_a_body_is_a_hole_and_elsewhere_the_end_of_what_is_read() {
    let mut steps = session();
    let body = frame(kind::DATA, flag::END_STREAM, 3, &[b'x'; 1_000]);
    steps.splice(5.., [down(&body[..100]), Step::Gap(crate::model::Dir::Resp, 500), down(&body[600..])]);
    let whole = rows(&steps);
    assert_eq!((whole.len(), whole[1].complete), (2, true));
    let mut steps = session();
    steps[1] = Step::Gap(crate::model::Dir::Resp, 18);
    let torn = rows(&steps);
    assert_eq!(torn.len(), 2);
    assert!(torn.iter().all(|row| row.status_code.is_none() && !row.complete && row.uri.is_some()));
}

#[test]
fn streams_without_end_are_bounded() {
    let first = fields(&[(":method", "GET"), (":path", "/"), (":authority", "a")]);
    let mut steps = vec![up([PREFACE, &frame(kind::HEADERS, flag::END_HEADERS, 1, &first)].concat())];
    for n in 1..1_000u32 {
        steps.push(up(frame(kind::HEADERS, flag::END_HEADERS, 2 * n + 1, &[0x80 | 64, 0x80 | 63, 0x80 | 62])));
    }
    let rows = rows(&steps);
    assert_eq!(rows.len(), 1_000);
    assert!((1..).zip(&rows).all(|(n, row)| row.trans_depth == n), "the oldest goes first");
}

proptest! {
    #[test]
    fn any_cut_gives_the_same_rows(sizes in proptest::collection::vec(1usize..60, 1..6)) {
        let plain = |rows: Vec<Http>| -> Vec<Http> { rows.into_iter().map(|row| Http { resp_frame: None, latency: None, ..row }).collect() };
        prop_assert_eq!(plain(rows(&cut(&session(), &sizes))), plain(rows(&session())));
    }

    #[test]
    fn any_damage_is_survived(at in 0usize..10_000, mask in 1u8.., gap in 0u64..100) {
        let mut steps = session();
        let n = at % steps.len();
        if let Step::Data(dir, bytes) = &mut steps[n] {
            let (place, dir) = (at % bytes.len(), *dir);
            bytes[place] ^= mask;
            if gap > 0 {
                steps.insert(n, Step::Gap(dir, gap));
            }
        }
        prop_assert!(rows(&steps).len() <= 8);
    }

    #[test]
    fn any_frames_are_survived(frames in proptest::collection::vec((0u8..10, any::<u8>(), 0u32..4, proptest::collection::vec(any::<u8>(), 0..40)), 0..20)) {
        let bytes: Vec<u8> = frames.iter().flat_map(|(kind, flags, stream, payload)| frame(*kind, *flags, *stream, payload)).collect();
        prop_assert!(rows(&[up(PREFACE), up(&bytes), down(&bytes)]).len() <= 40);
    }
}

#[test]
fn headers_are_read_as_written() {
    assert_eq!(Header::read(&frame(1, 5, 0x8000_0003, b"ab")), Some(Header { length: 2, kind: 1, flags: 5, stream: 3 }));
    assert_eq!(Header::read(&[0; 8]), None);
}
