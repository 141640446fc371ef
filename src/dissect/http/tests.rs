use crate::dissect::testing::{Step, conn, cut, down, play, said, up};
use crate::model::{Dir, Event, Proto, event::Credential, event::File, event::Http};
use proptest::prelude::*;

fn web(steps: &[Step]) -> Vec<Event> {
    said(conn(Proto::Tcp, 80), steps)
}

fn rows(events: &[Event]) -> Vec<&Http> {
    events.iter().filter_map(|event| if let Event::Http(row) = event { Some(&**row) } else { None }).collect()
}

fn files(events: &[Event]) -> Vec<&File> {
    events.iter().filter_map(|event| if let Event::File(file) = event { Some(&**file) } else { None }).collect()
}

fn logins(events: &[Event]) -> Vec<&Credential> {
    events.iter().filter_map(|event| if let Event::Credential(login) = event { Some(&**login) } else { None }).collect()
}

const DOWNLOAD: &str = "HTTP/1.1 200 OK\r\nServer: s\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nabc";

#[test]
fn an_exchange_is_a_row_and_its_body_a_file() {
    let request =
        "GET /d/a%20b.txt?x=1 HTTP/1.1\r\nHost: example.com:8080\r\nUser-Agent: ua\r\nVia: p\r\nCookie: secret\r\nX-Api: ${jndi:x}\r\n\r\n";
    let (events, service) = play(conn(Proto::Tcp, 80), &[up(request), down(DOWNLOAD)]);
    let events: Vec<Event> = events.into_iter().map(|event| event.event).collect();
    let row = rows(&events)[0];
    assert_eq!((service, row.method.as_deref(), row.uri.as_deref()), ("http", Some("GET"), Some("/d/a b.txt?x=1")));
    assert_eq!((row.host.as_deref(), row.version.as_deref(), row.status_code), (Some("example.com:8080"), Some("1.1"), Some(200)));
    assert_eq!((row.proxied.join(";"), row.cookie_present, row.complete, row.latency), ("VIA -> p".to_owned(), true, true, Some(0.001)));
    assert_eq!(row.request_headers.as_deref(), Some("HOST: example.com:8080\nUSER-AGENT: ua\nVIA: p\nX-API: ${jndi:x}"));
    assert_eq!(row.client_header_names, ["HOST", "USER-AGENT", "VIA", "COOKIE", "X-API"]);
    let file = files(&events)[0];
    assert_eq!(file.md5.as_deref(), Some("900150983cd24fb0d6963f7d28e17f72"));
    assert_eq!((file.filename.as_deref(), file.url.as_deref()), (None, Some("http://example.com:8080/d/a b.txt?x=1")));
    assert_eq!((file.mime_type.as_deref(), file.total_bytes, file.complete), (Some("text/plain"), Some(3), true));
}

#[test]
fn files_in_a_form_are_files_of_their_own() {
    let part = |head: &str, content: &str| format!("--b7\r\nContent-Disposition: form-data; {head}\r\n\r\n{content}\r\n");
    let form = [
        part("name=\"page\"", "1"),
        part("name=\"up\"; filename=\"s.php\"\r\nContent-Type: image/png", "<?php eval(1); ?>"),
        part("name=\"up2\"; filename=\"b.txt\"", "abc"),
    ];
    let send = |parts: &[String]| {
        let body = parts.concat() + "--b7--\r\n";
        let head = "POST /up.php HTTP/1.1\r\nHost: h\r\nContent-Type: multipart/form-data; boundary=b7\r\n";
        format!("{head}Content-Length: {}\r\n\r\n{body}", body.len())
    };
    let whole = send(&form);
    for step in [1, 7, 4_000] {
        let cut: Vec<Step> = whole.as_bytes().chunks(step).map(up).collect();
        let events = web(&cut);
        let said: Vec<_> = files(&events)
            .iter()
            .map(|file| (file.filename.as_deref(), file.seen_bytes, file.declared_mime.as_deref(), file.complete))
            .collect();
        assert_eq!(said, [(Some("s.php"), 17, Some("image/png"), true), (Some("b.txt"), 3, None, true)]);
        let last = files(&events)[1];
        assert_eq!(
            (last.md5.as_deref(), last.url.as_deref(), last.source),
            (Some("900150983cd24fb0d6963f7d28e17f72"), Some("http://h/up.php"), "HTTP")
        );
        assert_eq!((rows(&events)[0].request_body_len, last.is_orig), (whole.split_once("\r\n\r\n").unwrap().1.len() as u64, true));
    }
    // Fields alone are no files, and what is left of a form is not a whole one.
    let events = web(&[up(send(&form[..1]))]);
    assert_eq!(files(&events).iter().map(|file| file.filename.clone()).collect::<Vec<_>>(), [None]);
    let events = web(&[up(&whole[..whole.find("eval").unwrap()]), Step::Fin(Dir::Orig)]);
    assert_eq!(
        files(&events).iter().map(|file| (file.filename.as_deref(), file.complete, file.md5.is_some())).collect::<Vec<_>>(),
        [(Some("s.php"), false, false)]
    );
}

#[test]
fn pipelined_requests_get_their_responses_in_order() {
    let requests = "GET /1 HTTP/1.1\r\n\r\nHEAD /2 HTTP/1.1\r\n\r\nGET /3 HTTP/1.1\r\n\r\n";
    let responses = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\n1\r\nc\r\n0\r\nT: 1\r\n\r\n\
                     HTTP/1.1 304 Not Modified\r\nContent-Length: 999\r\n\r\nHTTP/1.0 404 Gone\r\n\r\nend";
    let events = web(&[up(requests), down(responses), Step::Fin(Dir::Resp)]);
    let said: Vec<_> = rows(&events).iter().map(|r| (r.trans_depth, r.status_code, r.info_code, r.response_body_len, r.complete)).collect();
    assert_eq!(said, [(1, Some(200), Some(100), 3, true), (2, Some(304), None, 0, true), (3, Some(404), None, 3, true)]);
}

#[test]
fn a_gap_in_a_body_is_counted_and_the_next_message_still_found() {
    let start = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc";
    let rest = "xyzHTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
    let asked = up("GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n");
    let events = web(&[asked.clone(), down(start), Step::Gap(Dir::Resp, 4), down(rest)]);
    let said: Vec<_> = rows(&events).iter().map(|row| (row.status_code, row.response_body_len)).collect();
    assert_eq!(said, [(Some(200), 6), (Some(404), 0)]);
    assert_eq!((files(&events)[0].missing_bytes, files(&events)[0].md5.as_deref(), files(&events)[0].complete), (4, None, false));
    // In a head nothing tells where the stream is: the next line that begins a message does.
    let events = web(&[
        asked,
        down("HTTP/1.1 200 OK\r\nContent-Le"),
        Step::Gap(Dir::Resp, 50),
        down("junk\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
    ]);
    let said: Vec<_> = rows(&events).iter().map(|row| (row.uri.as_deref(), row.status_code)).collect();
    assert_eq!(said, [(Some("/1"), Some(200)), (Some("/2"), Some(404))]);
}

#[test]
fn one_side_alone_is_told_as_far_as_it_goes() {
    let requests = web(&[up("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: b")]);
    let hosts: Vec<_> = rows(&requests).iter().map(|row| row.host.as_deref().unwrap_or_default()).collect();
    assert_eq!(hosts, ["a", "b"]);
    let responses = web(&[down(DOWNLOAD), down(DOWNLOAD)]);
    let said: Vec<_> = rows(&responses).iter().map(|row| (row.trans_depth, row.method.clone(), row.response_body_len)).collect();
    assert_eq!(said, [(1, None, 3), (2, None, 3)]);
}

#[test]
fn after_an_upgrade_to_something_unknown_nothing_more_is_wanted() {
    let socket = [up("GET /ws HTTP/1.1\r\n\r\n"), down("HTTP/1.1 101 Switching\r\n\r\n\x01\x02"), down(DOWNLOAD)];
    let events = web(&socket);
    assert_eq!((rows(&events).len(), rows(&events)[0].info_code, rows(&events)[0].status_code), (1, Some(101), Some(101)));
}

#[test]
fn compressed_bodies_are_measured_and_typed_decoded_but_hashed_as_sent() {
    use std::io::Write;
    let mut zip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    zip.write_all(&b"<html>".repeat(500)).unwrap();
    let zipped = zip.finish().unwrap();
    let mut response = format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", zipped.len()).into_bytes();
    response.extend_from_slice(&zipped);
    let events = web(&[up("GET / HTTP/1.1\r\n\r\n"), down(response)]);
    let (row, file) = (rows(&events)[0], files(&events)[0]);
    assert_eq!((row.response_body_len, row.resp_mime.as_deref(), file.seen_bytes), (3_000, Some("text/html"), zipped.len() as u64));
    let sha256 = crate::dissect::hex(ring::digest::digest(&ring::digest::SHA256, &zipped).as_ref());
    assert_eq!(file.sha256, Some(sha256));
}

#[test]
fn logins_are_told_with_their_outcome_and_passwords_masked() {
    let basic = |code: &str| {
        [
            up("GET / HTTP/1.1\r\nHost: h\r\nAuthorization: Basic YW5uOmh1bnRlcjI=\r\n\r\n"),
            down(format!("HTTP/1.1 {code} x\r\nContent-Length: 0\r\n\r\n")),
        ]
    };
    let (refused, accepted) = (web(&basic("401")), web(&basic("200")));
    let login = logins(&refused)[0];
    assert_eq!(
        (login.service, login.user.as_deref(), login.secret.as_str(), login.success),
        ("http-basic", Some("ann"), "hunter2", Some(false))
    );
    assert_eq!((logins(&accepted)[0].success, logins(&accepted)[0].secret_masked.as_str()), (Some(true), "h*****"));
    assert_eq!((rows(&refused)[0].username.as_deref(), rows(&refused)[0].request_headers.as_deref()), (Some("ann"), Some("HOST: h")));
    let form = "POST /login HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 20\r\n\r\nuser=bob&passwd=s3cr";
    let events = web(&[up(form), down(DOWNLOAD)]);
    assert_eq!((logins(&events)[0].service, logins(&events)[0].secret.as_str(), logins(&events)[0].success), ("http-form", "s3cr", None));
    assert_eq!(rows(&events)[0].body_prefix_req.as_deref(), Some("user=bob&passwd=***"));
}

#[test]
fn smuggled_requests_are_found_behind_impossible_lengths() {
    for head in [
        "Content-Length: -1\r\n\r\n",
        "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n\r\n",
    ] {
        let events = web(&[up(format!("POST / HTTP/1.1\r\n{head}GET /smuggled HTTP/1.1\r\nHost: t\r\n\r\n"))]);
        assert_eq!(
            rows(&events).iter().map(|row| row.uri.as_deref().unwrap_or_default()).collect::<Vec<_>>(),
            ["/", "/smuggled"],
            "{head}"
        );
    }
}

#[test]
fn a_headless_answer_to_a_request_without_version_is_all_body() {
    let events = web(&[up("GET /old\r\n\r\n"), down("<html>x"), Step::Fin(Dir::Resp)]);
    let row = rows(&events)[0];
    assert_eq!(
        (row.version.as_deref(), row.status_code, row.status_msg.as_deref(), row.response_body_len),
        (Some("0.9"), Some(0), Some("<empty>"), 7)
    );
}

/// Rows and files without what depends on when their bytes came.
fn timeless(mut events: Vec<Event>) -> Vec<Event> {
    for event in &mut events {
        if let Event::Http(row) = event {
            (row.latency, row.resp_frame) = (None, None);
        }
    }
    events
}

fn conversation() -> Vec<Step> {
    let requests =
        "POST /1?user=a&pass=b HTTP/1.1\r\nContent-Length: 4\r\n\r\nbodyGET /2 HTTP/1.1\r\nHost: a\r\n b\r\n\r\nGET /3 HTTP/1.1\r\n\r\n";
    let responses =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nHTTP/1.1 204 No\r\n\r\nHTTP/1.1 500 E\r\n\r\ntail";
    vec![up(requests), down(responses), Step::Fin(Dir::Resp)]
}

proptest! {
    #[test]
    fn any_cut_of_a_stream_gives_the_same_events(sizes in proptest::collection::vec(1usize..30, 1..8)) {
        prop_assert_eq!(timeless(web(&conversation())), timeless(web(&cut(&conversation(), &sizes))));
    }

    #[test]
    fn any_bytes_and_gaps_are_survived(
        steps in proptest::collection::vec((any::<bool>(), "[\\x00-\\xff]{0,80}", 0u8..8), 0..20),
    ) {
        let mut play = conversation();
        for (orig, text, what) in steps {
            let dir = if orig { Dir::Orig } else { Dir::Resp };
            play.push(match what {
                0 => Step::Gap(dir, u64::from(text.len() as u32) * 1_000),
                1 => Step::Data(dir, DOWNLOAD.as_bytes().to_vec()),
                2 => Step::Data(dir, b"GET / HTTP/1.1\r\nContent-Length: 5\r\nContent-Encoding: deflate\r\n\r\nx\x9c".to_vec()),
                3 => Step::Data(dir, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\nff\r\n".to_vec()),
                _ => Step::Data(dir, text.into_bytes()),
            });
        }
        prop_assert!(web(&play).len() <= 4 * play.len() + 16);
    }
}

#[test]
fn an_ntlm_login_over_several_requests_is_one_row_with_the_servers_verdict() {
    use crate::dissect::ntlm::tests::{authenticate, challenge, negotiate, nt_v2};
    use base64::Engine;
    let text = |token: Vec<u8>| base64::engine::general_purpose::STANDARD.encode(token);
    let answer = authenticate("EXAMPLE", "jane", "PC-1", &[0; 24], &nt_v2());
    let steps = [
        up(format!("GET / HTTP/1.1\r\nAuthorization: NTLM {}\r\n\r\n", text(negotiate()))),
        down(format!("HTTP/1.1 401 No\r\nWWW-Authenticate: NTLM {}\r\nContent-Length: 0\r\n\r\n", text(challenge()))),
        up(format!("GET / HTTP/1.1\r\nAuthorization: NTLM {}\r\n\r\n", text(answer))),
        down("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    ];
    let events = web(&steps);
    let rows: Vec<_> = events.iter().filter_map(|event| if let Event::Ntlm(row) = event { Some(row) } else { None }).collect();
    let [row] = rows.as_slice() else { panic!("{events:?}") };
    assert_eq!((row.username.as_deref(), row.server_nb_computer_name.as_deref(), row.over), (Some("jane"), Some("SRV"), "http"));
    assert_eq!((row.success, row.status.as_deref()), (Some(true), Some("200")));
}

/// A WebSocket frame of binary data, masked as clients do.
fn masked(payload: &[u8]) -> Vec<u8> {
    let mask = [0x11, 0x22, 0x33, 0x44];
    let body = payload.iter().enumerate().map(|(n, byte)| byte ^ mask[n % 4]);
    [0x82, 0x80 | payload.len() as u8].into_iter().chain(mask).chain(body).collect()
}

fn plain(payload: &[u8]) -> Vec<u8> {
    [&[0x82, payload.len() as u8][..], payload].concat()
}

const UPGRADE: &str = "GET /chat HTTP/1.1\r\nHost: example.com\r\nSec-WebSocket-Protocol: v2, v1\r\nUpgrade: websocket\r\n\r\n";
const SWITCH: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: v1\r\n\r\n";

#[test]
fn what_a_websocket_carries_is_read_as_what_it_is() {
    let steps = [up(UPGRADE), down(SWITCH), down(plain(b"SSH-2.0-server\r\n")), up(masked(b"SSH-2.0-client\r\n"))];
    let (events, service) = play(conn(Proto::Tcp, 80), &steps);
    assert_eq!(service, "http,websocket,ssh");
    let socket = events.iter().find_map(|event| if let Event::Websocket(row) = &event.event { Some(row) } else { None }).unwrap();
    assert_eq!(
        (socket.host.as_deref(), socket.uri.as_deref(), socket.subprotocol.as_deref()),
        (Some("example.com"), Some("/chat"), Some("v1"))
    );
    assert_eq!(socket.client_protocols, ["v2", "v1"]);
    let ssh = events.iter().find_map(|event| if let Event::Ssh(row) = &event.event { Some(row) } else { None }).unwrap();
    assert_eq!((ssh.client.as_deref(), ssh.server.as_deref()), (Some("SSH-2.0-client"), Some("SSH-2.0-server")));
    // However it is cut.
    for size in 1..40 {
        assert_eq!(play(conn(Proto::Tcp, 80), &cut(&steps, &[size])).1, service, "{size}");
    }
}

#[test]
fn what_goes_through_a_proxy_is_read_as_what_it_is() {
    let steps = [
        up("CONNECT example.com:22 HTTP/1.1\r\nHost: example.com:22\r\n\r\n"),
        down("HTTP/1.1 200 Connection established\r\n\r\n"),
        down("SSH-2.0-server\r\n"),
        up("SSH-2.0-client\r\n"),
    ];
    let (events, service) = play(conn(Proto::Tcp, 3_128), &steps);
    assert_eq!(service, "http,ssh");
    assert!(events.iter().any(|event| matches!(event.event, Event::Ssh(_))));
}

#[test]
fn tunnels_do_not_nest_without_end() {
    let steps =
        [up(UPGRADE), down(SWITCH), up(masked(UPGRADE.as_bytes())), down(plain(SWITCH.as_bytes())), down(plain(&plain(b"SSH-2.0-x\r\n")))];
    let (events, service) = play(conn(Proto::Tcp, 80), &steps);
    let count = |wanted: fn(&Event) -> bool| events.iter().filter(|event| wanted(&event.event)).count();
    assert_eq!(
        (service, count(|event| matches!(event, Event::Websocket(_))), count(|event| matches!(event, Event::Ssh(_)))),
        ("http,websocket", 2, 0)
    );
}
