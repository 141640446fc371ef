use super::*;
use crate::dissect::testing::{Step, conn, cut, down, play, said, up};
use proptest::prelude::*;

/// Start, an interrogation with its confirmation, a measured value, a single command, an acknowledgement.
fn talk() -> Vec<Step> {
    vec![
        up([0x68, 4, 7, 0, 0, 0]),
        down([0x68, 4, 0x0b, 0, 0, 0]),
        up([0x68, 14, 0, 0, 0, 0, 100, 1, 6, 0, 10, 0, 0, 0, 0, 20]),
        down(
            [
                &[0x68, 14, 0, 0, 2, 0, 100, 1, 7, 0, 10, 0, 0, 0, 0, 20][..],
                &[0x68, 18, 2, 0, 2, 0, 13, 1, 3, 0, 10, 0, 1, 2, 0, 0, 0, 0xc0, 0x3f, 0],
            ]
            .concat(),
        ),
        up([0x68, 14, 2, 0, 4, 0, 45, 1, 6, 0, 10, 0, 5, 0, 0, 0x81]),
        up([0x68, 4, 1, 0, 4, 0]),
    ]
}

fn rows(steps: &[Step]) -> Vec<Iec104> {
    let told = said(conn(Proto::Tcp, 2_404), steps).into_iter();
    told.filter_map(|event| if let Event::Iec104(row) = event { Some(*row) } else { None }).collect()
}

#[test]
fn messages_say_type_cause_object_and_value() {
    let rows = rows(&talk());
    let short: Vec<_> = rows
        .iter()
        .map(|row| {
            let name = row.type_name.clone().or_else(|| row.u_function.map(str::to_owned)).unwrap_or_default();
            (
                row.apci_type,
                name,
                row.cause_name.clone().unwrap_or_default(),
                row.object_address,
                row.value.clone().unwrap_or_default(),
                row.direction,
            )
        })
        .collect();
    let told = |kind, name: &str, cause: &str, address, value: &str, direction| {
        (kind, name.to_owned(), cause.to_owned(), address, value.to_owned(), direction)
    };
    assert_eq!(
        short,
        [
            told("U", "STARTDT act", "", None, "", ""),
            told("U", "STARTDT con", "", None, "", ""),
            told("I", "C_IC_NA_1", "activation", Some(0), "20", "system"),
            told("I", "C_IC_NA_1", "activation confirmation", Some(0), "20", "system"),
            told("I", "M_ME_NC_1", "spontaneous", Some(513), "1.5", "monitor"),
            told("I", "C_SC_NA_1", "activation", Some(5), "1 select", "control"),
            told("S", "", "", None, "", ""),
        ]
    );
}

#[test]
fn elsewhere_whole_messages_that_make_sense_are_enough() {
    assert_eq!(play(conn(Proto::Tcp, 9_999), &talk()[4..5]).1, "iec104");
    assert_eq!(play(conn(Proto::Tcp, 9_999), &[up([0x68, 14, 2, 0, 4, 0, 99, 1, 6, 0, 10, 0, 5, 0, 0, 1])]).1, "", "no such type");
}

proptest! {
    #[test]
    fn cuts_change_nothing(sizes in proptest::collection::vec(1usize..20, 1..6)) {
        prop_assert_eq!(rows(&cut(&talk(), &sizes)), rows(&talk()));
    }

    #[test]
    fn any_bytes_are_survived(noise in proptest::collection::vec(any::<u8>(), 0..90), at in 0usize..30, bit in 0u8..8) {
        let mut steps = talk();
        for step in &mut steps {
            if let Step::Data(_, bytes) = step && let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << bit;
            }
        }
        steps.extend([up(&noise), down(&noise)]);
        prop_assert!(rows(&steps).len() <= 20 + noise.len());
    }
}
