use super::*;
use crate::dissect::testing::{Step, conn, cut, down, play, said, up};
use proptest::prelude::*;

fn rows(steps: &[Step]) -> Vec<Modbus> {
    let told = said(conn(Proto::Tcp, 502), steps).into_iter();
    told.filter_map(|event| if let Event::Modbus(row) = event { Some(*row) } else { None }).collect()
}

/// A read of three registers with its answer, a write of one coil that is refused.
fn talk() -> Vec<Step> {
    vec![
        up(b"\0\x01\0\0\0\x06\x11\x03\0\x6b\0\x03"),
        down(b"\0\x01\0\0\0\x09\x11\x03\x06\x02\x2b\0\0\0\x64"),
        up(b"\0\x02\0\0\0\x06\x11\x05\0\xac\xff\0"),
        down(b"\0\x02\0\0\0\x03\x11\x85\x02"),
    ]
}

#[test]
fn a_response_knows_what_its_request_asked_for() {
    let rows = rows(&talk());
    let short: Vec<_> = rows.iter().map(|row| (row.func.as_str(), row.pdu_type, row.address, row.quantity, row.values.clone())).collect();
    assert_eq!(
        short,
        [
            ("READ_HOLDING_REGISTERS", "REQ", Some(107), Some(3), vec![]),
            ("READ_HOLDING_REGISTERS", "RESP", Some(107), Some(3), vec![555, 0, 100]),
            ("WRITE_SINGLE_COIL", "REQ", Some(172), Some(1), vec![1]),
            ("WRITE_SINGLE_COIL_EXCEPTION", "RESP", Some(172), Some(1), vec![]),
        ]
    );
    assert_eq!(
        (rows[3].exception.as_deref(), rows[2].access, rows[0].access, rows[0].unit),
        (Some("ILLEGAL_DATA_ADDRESS"), "write", "read", 17)
    );
}

#[test]
fn coils_are_bits_and_only_as_many_as_were_asked_for() {
    let rows = rows(&[up(b"\0\x01\0\0\0\x06\x01\x01\0\0\0\x0a"), down(b"\0\x01\0\0\0\x05\x01\x01\x02\xcd\x01")]);
    assert_eq!(rows[1].values, [1, 0, 1, 1, 0, 0, 1, 1, 1, 0]);
}

#[test]
fn elsewhere_only_exact_requests_count() {
    let service = |bytes: &[u8]| play(conn(Proto::Tcp, 5_502), &[up(bytes)]).1;
    assert_eq!(service(b"\0\x01\0\0\0\x06\x11\x03\0\x6b\0\x03"), "modbus");
    assert_eq!(service(b"\0\x01\0\0\0\x06\x11\x03\0\x6b\0\xff"), "", "more registers than fit");
    assert_eq!(service(b"\0\x01\0\0\0\x06\x11\x06\0\x6b\0\x03"), "", "too little to go by");
}

#[test]
fn after_a_loss_the_next_message_is_read() {
    let rows = rows(&[up(b"\0\x01\0\0\0\x06\x11\x03\0"), Step::Gap(Dir::Orig, 3), up(b"\0\x02\0\0\0\x06\x11\x04\0\x01\0\x02")]);
    assert_eq!(rows.iter().map(|row| row.tid).collect::<Vec<_>>(), [2]);
}

proptest! {
    #[test]
    fn cuts_change_nothing(sizes in proptest::collection::vec(1usize..9, 1..6)) {
        prop_assert_eq!(rows(&cut(&talk(), &sizes)), rows(&talk()));
    }

    #[test]
    fn any_bytes_are_survived(noise in proptest::collection::vec(any::<u8>(), 0..80), at in 0usize..40, bit in 0u8..8) {
        let mut steps = talk();
        for step in &mut steps {
            if let Step::Data(_, bytes) = step && let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << bit;
            }
        }
        steps.extend([up(&noise), down(&noise)]);
        prop_assert!(rows(&steps).len() <= 4 + 2 * noise.len() / 8);
        prop_assert!(rows(&steps[1..]).iter().all(|row| row.values.len() <= VALUES_MAX));
    }
}
