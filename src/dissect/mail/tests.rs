use super::message::{Carrier, Message, Seen};
use crate::dissect::Out;
use crate::dissect::testing::conn;
use crate::model::event::File;
use crate::model::{Event, Proto};
use proptest::prelude::*;

fn read(text: &[u8], mut step: impl FnMut() -> usize) -> (Seen, Vec<File>) {
    let mut out = Out::new(conn(Proto::Tcp, 25));
    let mut message = Message::new(Carrier { source: "SMTP", is_orig: true });
    let mut rest = text;
    while !rest.is_empty() {
        let (now, later) = rest.split_at(step().clamp(1, rest.len()));
        message.data(now, (7, 7), &mut out);
        rest = later;
    }
    let seen = message.finish(true, (8, 8), &mut out);
    let files = out.events.into_iter().filter_map(|event| if let Event::File(file) = event.event { Some(*file) } else { None });
    (seen, files.collect())
}

fn crlf(text: &str) -> Vec<u8> {
    text.replace('\n', "\r\n").into_bytes()
}

const MIXED: &str = "From: a@example.com
Subject: two
 lines
Content-Type: multipart/mixed;
  boundary=\"outer\"

Preamble that nobody reads.
--outer
Content-Type: multipart/alternative; boundary=inner

--inner
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

See https://example.com/a?b=3D1, and=
 more.

--inner
Content-Type: text/html

<a href=\"HTTP://example.org/x\">x</a>
--inner--
--outer
Content-Type: application/pdf
Content-Transfer-Encoding: base64
Content-Disposition: attachment; filename=\"invoice.pdf.exe\"

TVqQAAMAAAAEAAAA
//8AAA==
--outer
Content-Type: message/rfc822

Subject: within
Content-Type: text/plain

within
--outer--
Epilogue.
";

#[test]
fn every_part_becomes_a_file_with_its_name_its_type_and_its_own_bytes() {
    let (seen, files) = read(&crlf(MIXED), || usize::MAX);
    let told: Vec<_> =
        files.iter().map(|file| (file.depth, file.declared_mime.as_deref(), file.filename.as_deref(), file.seen_bytes)).collect();
    assert_eq!(
        told,
        [
            (3, Some("text/plain"), None, 42),
            (4, Some("text/html"), None, 36),
            (5, Some("application/pdf"), Some("invoice.pdf.exe"), 16),
            (7, Some("text/plain"), None, 6),
        ]
    );
    assert_eq!(files[2].mime_type.as_deref(), Some("application/x-dosexec"));
    assert!(files.iter().all(|file| file.complete && file.sha256.is_some()));
    assert_eq!(seen.fuids, ["F16-1", "F16-2", "F16-3", "F16-4"]);
    assert_eq!(seen.names, ["invoice.pdf.exe"]);
    assert_eq!(seen.urls, ["https://example.com/a?b=1", "HTTP://example.org/x"]);
}

#[test]
fn headers_are_those_of_the_first_part_alone_unfolded() {
    let (seen, _) = read(&crlf(MIXED), || usize::MAX);
    let subjects: Vec<_> = seen.headers.iter().filter(|(name, _)| name == "SUBJECT").map(|(_, value)| value.as_slice()).collect();
    assert_eq!(subjects, [b"two lines"]);
}

/// RFC 2046 5.1.1: the line end before a boundary belongs to the boundary.
#[test]
fn the_line_end_before_a_boundary_is_no_content() {
    let text = "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nabc\n\n--b--\n";
    let (_, files) = read(&crlf(text), || usize::MAX);
    assert_eq!(files[0].first_bytes, "6162630d0a");
}

#[test]
fn a_hole_leaves_a_part_without_digest_and_the_next_one_whole() {
    let mut out = Out::new(conn(Proto::Tcp, 25));
    let mut message = Message::new(Carrier { source: "SMTP", is_orig: true });
    message.data(b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nfirst ", (1, 1), &mut out);
    message.gap(100);
    message.data(b"rest\r\n--b\r\n\r\nsecond\r\n--b--\r\n", (2, 2), &mut out);
    message.finish(true, (3, 3), &mut out);
    let files: Vec<_> =
        out.events.iter().filter_map(|event| if let Event::File(file) = &event.event { Some(file) } else { None }).collect();
    assert_eq!((files[0].complete, files[0].missing_bytes, files[0].sha256.is_none()), (false, 100, true));
    assert_eq!((files[1].complete, files[1].seen_bytes), (true, 6));
}

#[test]
fn parts_within_parts_without_end_are_given_up() {
    let mut text = String::new();
    for n in 0..3_000 {
        text.push_str(&format!("Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n"));
    }
    text.push_str("\nx\n");
    let (_, files) = read(&crlf(&text), || usize::MAX);
    assert!(files.len() <= 1);
    let many = format!("Content-Type: multipart/mixed; boundary=b\n\n{}", "--b\n\nx\n".repeat(2_000));
    assert!(read(&crlf(&many), || usize::MAX).1.len() <= 512);
}

proptest! {
    #[test]
    fn any_cut_of_a_message_gives_the_same_files(steps in proptest::collection::vec(1usize..90, 1..40)) {
        let mut steps = steps.into_iter().cycle();
        let (whole, cut) = (read(&crlf(MIXED), || usize::MAX), read(&crlf(MIXED), || steps.next().unwrap()));
        prop_assert_eq!(whole.1, cut.1);
        prop_assert_eq!(format!("{:?}", whole.0), format!("{:?}", cut.0));
    }

    #[test]
    fn flipped_bytes_and_early_ends_are_survived(flips in proptest::collection::vec((0usize..900, any::<u8>()), 0..20), end in 0usize..900) {
        let mut text = crlf(MIXED);
        for (at, byte) in flips {
            let at = at % text.len();
            text[at] = byte;
        }
        text.truncate(end);
        let (_, files) = read(&text, || 17);
        prop_assert!(files.iter().map(|file| file.seen_bytes).sum::<u64>() <= text.len() as u64);
    }
}
