use super::*;
use crate::dissect::testing::{Step, conn, cut, down, play, said, up};
use proptest::prelude::*;

/// A link frame with right checksums.
fn frame(master: bool, to: u16, from: u16, data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x05, 0x64, 5 + data.len() as u8, if master { 0xc4 } else { 0x44 }];
    bytes.extend(to.to_le_bytes());
    bytes.extend(from.to_le_bytes());
    bytes.extend((!link::crc(&bytes)).to_le_bytes());
    for block in data.chunks(16) {
        bytes.extend_from_slice(block);
        bytes.extend((!link::crc(block)).to_le_bytes());
    }
    bytes
}

/// A read of class data with a response in two fragments, and an operation without one.
fn talk() -> Vec<Step> {
    let long: Vec<u8> = [&[0x40, 0xc0, 0x81, 0x90, 0x00, 30, 1, 0, 0, 9][..], &[7; 60]].concat();
    vec![
        up(frame(true, 4, 3, &[0xc0, 0xc0, 0x01, 60, 2, 6, 60, 3, 6])),
        down(frame(false, 3, 4, &long)),
        down(frame(false, 3, 4, &[0x81, 1, 2, 3])),
        up(frame(true, 4, 3, &[0xc1, 0xc1, 0x00])),
        up(frame(true, 4, 3, &[0xc2, 0xc2, 0x05, 12, 1, 0x28, 1, 0, 0, 0])),
    ]
}

fn rows(steps: &[Step]) -> Vec<Dnp3> {
    let told = said(conn(Proto::Tcp, 20_000), steps).into_iter();
    told.filter_map(|event| if let Event::Dnp3(row) = event { Some(*row) } else { None }).collect()
}

#[test]
fn requests_meet_their_responses_and_confirmations_are_no_rows() {
    let rows = rows(&talk());
    let short: Vec<_> = rows.iter().map(|row| (row.fc_request.as_deref(), row.fc_reply.as_deref(), row.iin, row.reply_frame)).collect();
    assert_eq!(short, [(Some("READ"), Some("RESPONSE"), Some(0x9000), Some(3)), (Some("DIRECT_OPERATE"), None, None, None)]);
    assert_eq!((rows[0].master, rows[0].outstation), (Some(3), Some(4)));
    assert_eq!(
        (rows[0].objects.join(" "), rows[0].reply_objects.join(" "), rows[1].objects.join(" ")),
        ("60:2 60:3".into(), "30:1".into(), "12:1".into())
    );
}

#[test]
fn only_right_checksums_make_it_dnp3() {
    let mut bytes = frame(true, 4, 3, &[0xc0, 0xc0, 0x01]);
    assert_eq!(play(conn(Proto::Udp, 9_999), &[up(&bytes)]).1, "dnp3_udp");
    bytes[8] ^= 1;
    assert_eq!(play(conn(Proto::Tcp, 20_000), &[up(&bytes)]).1, "");
    assert_eq!(!link::crc(b"123456789"), 0xea82, "the reference value of CRC-16/DNP");
}

#[test]
fn a_lost_fragment_loses_its_message_only() {
    let mut steps = talk();
    steps[1] = Step::Gap(Dir::Resp, 90);
    let rows = rows(&steps);
    assert_eq!(rows.iter().map(|row| row.fc_request.as_deref()).collect::<Vec<_>>(), [Some("READ"), Some("DIRECT_OPERATE")]);
    assert!(rows.iter().all(|row| row.fc_reply.is_none()));
}

proptest! {
    #[test]
    fn cuts_change_nothing(sizes in proptest::collection::vec(1usize..30, 1..6)) {
        let without_frames = |steps: &[Step]| rows(steps).into_iter().map(|row| Dnp3 { reply_frame: None, ..row }).collect::<Vec<_>>();
        prop_assert_eq!(without_frames(&cut(&talk(), &sizes)), without_frames(&talk()));
    }

    #[test]
    fn any_bytes_are_survived(noise in proptest::collection::vec(any::<u8>(), 0..90), at in 0usize..90, bit in 0u8..8) {
        let mut steps = talk();
        for step in &mut steps {
            if let Step::Data(_, bytes) = step && let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << bit;
            }
        }
        steps.insert(1, up(&noise));
        prop_assert!(rows(&steps).len() <= 6);
    }
}
