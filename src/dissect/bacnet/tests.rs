use super::*;
use crate::dissect::testing::{Step, conn, down, play, said, up};
use proptest::prelude::*;

fn datagram(function: u8, npdu: &[u8]) -> Vec<u8> {
    [&[0x81, function][..], &(npdu.len() as u16 + 4).to_be_bytes(), npdu].concat()
}

/// A search, an announcement, a read with its answer, a write that is refused, a restart.
fn talk() -> Vec<Step> {
    vec![
        up(datagram(0x0b, &[1, 0x20, 0xff, 0xff, 0, 0xff, 0x10, 8])),
        down(datagram(0x0b, &[1, 0, 0x10, 0, 0xc4, 0x02, 0, 0, 5, 0x22, 1, 0xe0, 0x91, 3, 0x21, 7])),
        up(datagram(0x0a, &[1, 4, 0, 5, 1, 12, 0x0c, 0, 0, 0, 1, 0x19, 85])),
        down(datagram(0x0a, &[1, 0, 0x30, 1, 12, 0x0c, 0, 0, 0, 1, 0x19, 85, 0x3e, 0x44, 0x41, 0xa4, 0, 0, 0x3f])),
        up(datagram(0x0a, &[1, 4, 0, 5, 2, 15, 0x0c, 1, 0, 0, 3, 0x19, 85, 0x3e, 0x91, 1, 0x3f, 0x49, 8])),
        down(datagram(0x0a, &[1, 0, 0x50, 2, 15, 0x91, 2, 0x91, 40])),
        up(datagram(0x0a, &[1, 4, 0, 5, 3, 20, 0x09, 0])),
    ]
}

fn told(steps: &[Step]) -> Vec<String> {
    let events = said(conn(Proto::Udp, 47_808), steps).into_iter();
    let word = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let lines = events.filter_map(|event| match event {
        Event::Bacnet(row) => Some(format!(
            "{} {} {}{} {} {} {} {}",
            row.pdu_type,
            row.pdu_service,
            word(row.object_type),
            row.instance_number.map(|number| format!(":{number}")).unwrap_or_default(),
            word(row.property),
            word(row.value),
            word(row.result_code),
            row.write
        )),
        _ => None,
    });
    lines.collect()
}

#[test]
fn services_objects_properties_and_values_are_told() {
    assert_eq!(
        told(&talk()),
        [
            "UNCONFIRMED_REQUEST who_is - - - - false",
            "UNCONFIRMED_REQUEST i_am device:5 - - - false",
            "CONFIRMED_REQUEST read_property analog-input:1 present-value - - false",
            "COMPLEX_ACK read_property analog-input:1 present-value 20.5 - false",
            "CONFIRMED_REQUEST write_property binary-output:3 present-value 1 - true",
            "ERROR write_property - - - 2:40 false",
            "CONFIRMED_REQUEST reinitialize_device - - - - true",
        ]
    );
}

#[test]
fn the_length_must_be_the_datagrams() {
    let mut bytes = datagram(0x0b, &[1, 0, 0x10, 8]);
    assert_eq!(play(conn(Proto::Udp, 9_999), &[up(&bytes)]).1, "bacnet");
    bytes.push(0);
    assert_eq!(play(conn(Proto::Udp, 47_808), &[up(&bytes)]).1, "");
}

proptest! {
    #[test]
    fn any_bytes_are_survived(noise in proptest::collection::vec(any::<u8>(), 0..90), at in 0usize..30, bit in 0u8..8, end in 0usize..30) {
        let mut steps = talk();
        for step in &mut steps {
            if let Step::Data(_, bytes) = step {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << bit;
                }
                bytes.truncate(end.max(4));
            }
        }
        for head in [[1, 0, 0x10, 0], [1, 0, 0, 5], [1, 0, 0x30, 1], [1, 0x28, 0, 0]] {
            steps.push(up(datagram(0x0a, &[&head[..], &noise].concat())));
        }
        prop_assert!(told(&steps).len() <= 11);
    }
}
