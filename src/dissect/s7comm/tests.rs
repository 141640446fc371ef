use super::*;
use crate::dissect::testing::{Step, conn, cut, down, play, said, up};
use proptest::prelude::*;

fn message(kind: u8, reference: u16, error: &[u8], parameters: &[u8], data: &[u8]) -> Vec<u8> {
    let mut s7 = vec![PROTOCOL_ID, kind, 0, 0];
    s7.extend(reference.to_be_bytes());
    s7.extend((parameters.len() as u16).to_be_bytes());
    s7.extend((data.len() as u16).to_be_bytes());
    s7.extend([error, parameters, data].concat());
    let length = s7.len() as u16 + 7;
    [&[3, 0][..], &length.to_be_bytes(), &[2, 0xf0, 0x80], &s7].concat()
}

/// Connection, a read of four bytes of DB1, a write of a marker that is refused, a stop, a start, a list of system states.
fn talk() -> Vec<Step> {
    let item = |kind, area, bits: u32| [&[0x12, 10, 0x10, kind, 0, 4, 0, 1, area][..], &bits.to_be_bytes()[1..]].concat();
    vec![
        up([3, 0, 0, 22, 17, 0xe0, 0, 0, 0, 1, 0, 0xc1, 2, 1, 0, 0xc2, 2, 1, 2, 0xc0, 1, 10]),
        up(message(1, 1, &[], &[&[4, 1][..], &item(2, 0x84, 80)].concat(), &[])),
        down(message(3, 1, &[0, 0], &[4, 1], &[0xff, 4, 0, 32, 1, 2, 3, 4])),
        up(message(1, 2, &[], &[&[5, 1][..], &item(1, 0x83, 83)].concat(), &[0, 3, 0, 1, 1])),
        down(message(3, 2, &[0x85, 0x04], &[5, 1], &[0x05])),
        up(message(1, 3, &[], b"\x29\0\0\0\0\0\x09P_PROGRAM", &[])),
        down(message(2, 3, &[0, 0], &[0x29], &[])),
        up(message(1, 4, &[], b"\x28\0\0\0\0\0\0\xfd\0\0\x09P_PROGRAM", &[])),
        up(message(7, 5, &[], &[0, 1, 0x12, 4, 0x11, 0x44, 1, 0], &[0xff, 9, 0, 4, 0, 0x11, 0, 0])),
    ]
}

fn rows(steps: &[Step]) -> Vec<S7comm> {
    let told = said(conn(Proto::Tcp, 102), steps).into_iter();
    told.filter_map(|event| if let Event::S7comm(row) = event { Some(*row) } else { None }).collect()
}

#[test]
fn jobs_say_what_they_touch_and_what_became_of_it() {
    let rows = rows(&talk());
    let short: Vec<_> =
        rows.iter().map(|row| (row.action, row.items.join(","), row.block.clone().unwrap_or_default(), row.error_class)).collect();
    let told = |action, items: &str, block: &str, error| (action, items.to_owned(), block.to_owned(), error);
    assert_eq!(
        short,
        [
            told("read", "DB1.DBX10.0 BYTE 4", "", Some(0)),
            told("write", "M10.3 BIT 4", "", Some(0x85)),
            told("stop", "", "P_PROGRAM", Some(0)),
            told("", "", "", None),
            told("start", "", "P_PROGRAM", None),
        ]
    );
    assert_eq!((rows[0].data.as_str(), rows[1].data.as_str(), rows[0].db, rows[0].address), ("01020304", "01", Some(1), Some(10)));
    assert_eq!((rows[3].szl_id, rows[3].subfunction_name), (Some(0x11), Some("Read SZL")));
}

#[test]
fn it_is_found_without_its_beginning_and_answers_alone_are_rows() {
    let (events, service) = play(conn(Proto::Tcp, 1_102), &talk()[2..3]);
    let Event::S7comm(row) = &events[0].event else { panic!("{events:?}") };
    assert_eq!((service, row.action, row.is_orig), ("s7comm", "read", false));
}

proptest! {
    #[test]
    fn cuts_change_nothing(sizes in proptest::collection::vec(1usize..20, 1..6)) {
        let bare = |steps: &[Step]| rows(steps).into_iter().map(|row| S7comm { reply_frame: None, ..row }).collect::<Vec<_>>();
        prop_assert_eq!(bare(&cut(&talk(), &sizes)), bare(&talk()));
    }

    #[test]
    fn any_bytes_are_survived(noise in proptest::collection::vec(any::<u8>(), 0..90), at in 0usize..50, bit in 0u8..8, lost in 1usize..9) {
        let mut steps = talk();
        for step in &mut steps {
            if let Step::Data(_, bytes) = step && let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << bit;
            }
        }
        steps[lost] = Step::Gap(Dir::Orig, 9);
        steps.extend([up(&noise), down(&noise)]);
        prop_assert!(rows(&steps).len() <= 9 + noise.len());
    }
}
