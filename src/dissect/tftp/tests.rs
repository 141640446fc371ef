use super::*;
use crate::dissect::Conversation;
use crate::dissect::expect::Kind;
use crate::dissect::testing::{Step, conn, down, play, up};
use crate::model::AppEvent;
use proptest::prelude::*;

fn block(number: u16, bytes: &[u8]) -> Vec<u8> {
    [&[0, 3][..], &number.to_be_bytes(), bytes].concat()
}

fn row(events: &[AppEvent]) -> &Tftp {
    events.iter().find_map(|event| if let Event::Tftp(row) = &event.event { Some(&**row) } else { None }).expect("a row")
}

fn transfer(steps: &[Step]) -> Vec<AppEvent> {
    let mut conversation = Conversation::perhaps(conn(Proto::Udp, 40_000), Some(Kind::Tftp), crate::dissect::Setting::default());
    let mut events = Vec::new();
    for (n, step) in steps.iter().enumerate() {
        let Step::Data(dir, bytes) = step else { continue };
        conversation.data(&Chunk { dir: *dir, bytes, cut: 0, frame: n as u64 + 1, ts_ns: 1 }, &mut events);
    }
    conversation.end(&mut events);
    assert_eq!(conversation.service(), "tftp");
    events
}

#[test]
fn a_request_tells_what_is_asked_and_where_the_answer_will_come() {
    let (events, service) =
        play(conn(Proto::Udp, 69), &[up(b"\0\x01boot/x.cfg\0octet\0blksize\x001024\0tsize\x000\0"), up(b"\0\x01boot/x.cfg\0OCTET\0")]);
    assert_eq!((service, events.len()), ("tftp", 1), "asked twice, told once");
    let row = row(&events);
    assert_eq!(
        (row.op, row.file.as_deref(), row.mode.as_deref(), row.block_size),
        ("read", Some("boot/x.cfg"), Some("octet"), Some(1_024))
    );
    let channel = row.channel.unwrap();
    assert_eq!((channel.orig_h, channel.resp_h.to_string(), channel.resp_p), (Some([198, 51, 100, 2].into()), "192.0.2.1".into(), 40_000));
}

#[test]
fn blocks_become_a_file() {
    let steps = [
        up(b"\0\x06blksize\x008\0tsize\x0011\0"),
        down(b"\0\x04\0\0"),
        up(block(1, b"12345678")),
        up(block(1, b"12345678")),
        up(block(2, b"90a")),
    ];
    let events = transfer(&steps);
    let row = row(&events);
    assert_eq!((row.bytes, row.blocks, row.complete, row.transfer_size), (Some(11), Some(2), true, Some(11)));
    let file = row.content.as_deref().unwrap();
    assert_eq!((file.first_bytes.as_str(), file.complete, &Some(file.fuid.clone())), ("3132333435363738393061", true, &row.fuid));
}

#[test]
fn a_missing_block_is_a_hole_and_an_error_is_told() {
    let events = transfer(&[up(block(1, &[7; 512])), up(block(3, b"end")), down(b"\0\x05\0\x03disk full\0")]);
    let row = row(&events);
    assert_eq!((row.complete, row.error_code, row.error_msg.as_deref()), (false, Some(3), Some("disk full")));
    assert_eq!(row.content.as_deref().map(|file| (file.missing_bytes, file.sha256.is_none())), Some((512, true)));
}

#[test]
fn a_server_that_answers_from_its_own_port_is_understood_too() {
    let (events, _) =
        play(conn(Proto::Udp, 69), &[up(b"\0\x02up.bin\0octet\0"), down(b"\0\x04\0\0"), up(block(1, b"xyz")), down(b"\0\x04\0\x01")]);
    let row = row(&events);
    assert_eq!((row.op, row.bytes, row.complete, row.channel), ("write", Some(3), true, None));
    assert!(
        events.iter().any(|event| matches!(&event.event, Event::File(file) if file.filename.as_deref() == Some("up.bin") && file.is_orig))
    );
}

proptest! {
    #[test]
    fn any_datagrams_in_any_order_are_survived(parts in proptest::collection::vec((any::<bool>(), 0u8..9, proptest::collection::vec(any::<u8>(), 0..40)), 0..60)) {
        let steps: Vec<Step> = parts.iter().map(|(orig, op, rest)| {
            let bytes = [&[0, *op][..], rest].concat();
            if *orig { up(bytes) } else { down(bytes) }
        }).collect();
        let mut all = vec![up(b"\0\x01a\0octet\0")];
        all.extend(steps.clone());
        let (events, _) = play(conn(Proto::Udp, 69), &all);
        prop_assert!(events.len() <= 2 * all.len());
        let total: usize = parts.iter().map(|(.., rest)| rest.len()).sum();
        let told = events.iter().filter_map(|event| if let Event::Tftp(row) = &event.event { row.bytes } else { None }).sum::<u64>();
        prop_assert!(told <= total as u64);
    }
}
