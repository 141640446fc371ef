use super::*;
use crate::dissect::testing::{Step, conn, cut, down, play, said, up};
use proptest::prelude::*;

fn message(command: u16, data: &[u8]) -> Vec<u8> {
    let mut bytes = command.to_le_bytes().to_vec();
    bytes.extend((data.len() as u16).to_le_bytes());
    bytes.extend([9, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0]);
    bytes.extend(data);
    bytes
}

fn unconnected(cip: &[u8]) -> Vec<u8> {
    let mut data = vec![0, 0, 0, 0, 5, 0, 2, 0, 0, 0, 0, 0, 0xb2, 0];
    data.extend((cip.len() as u16).to_le_bytes());
    data.extend(cip);
    message(command::SEND_RR_DATA, &data)
}

fn identity_item() -> Vec<u8> {
    let body = [
        &[1, 0, 0, 2][..],
        &44_818u16.to_be_bytes(),
        &[192, 0, 2, 7],
        &[0; 8],
        &[1, 0, 14, 0, 54, 0, 20, 11, 0x60, 0, 4, 3, 2, 1, 4],
        b"1756\x03",
    ]
    .concat();
    [&[1, 0, 0x0c, 0][..], &(body.len() as u16).to_le_bytes(), &body].concat()
}

/// A session, a read of the identity through the connection manager, two services in one, a device that names itself.
fn talk() -> Vec<Step> {
    vec![
        up(message(command::REGISTER, &[1, 0, 0, 0])),
        down(message(command::REGISTER, &[1, 0, 0, 0])),
        up(unconnected(&[&[0x52, 2, 0x20, 6, 0x24, 1, 5, 0x9d, 6, 0][..], &[0x0e, 2, 0x20, 1, 0x24, 1], &[1, 0, 1, 0]].concat())),
        down(unconnected(&[0x8e, 0, 0, 0, 1, 2])),
        up(unconnected(&[0x0a, 2, 0x20, 2, 0x24, 1, 2, 0, 6, 0, 12, 0, 0x4c, 2, 0x91, 1, b'a', 0, 0x4d, 2, 0x91, 2, b'b', b'c'])),
        down(message(command::LIST_IDENTITY, &identity_item())),
    ]
}

fn told(steps: &[Step]) -> Vec<String> {
    let events = said(conn(Proto::Tcp, 44_818), steps).into_iter();
    let lines = events.map(|event| match event {
        Event::Enip(row) => format!("enip {} {}", row.enip_command, row.session_handle),
        Event::Cip(row) => {
            format!("cip {} {} {:?} {:?} {:?} {}", row.direction, row.cip_service, row.class_name, row.tag, row.cip_status, row.write)
        }
        Event::CipIdentity(row) => format!("identity {} {} {} {}", row.product_name, row.revision, row.serial_number, row.socket_address),
        other => format!("{other:?}"),
    });
    lines.collect()
}

#[test]
fn messages_services_and_identities_are_rows() {
    assert_eq!(
        told(&talk()),
        [
            "enip Register Session 9",
            "enip Register Session 9",
            "enip Send RR Data 9",
            "cip request Unconnected Send Some(\"Connection Manager\") None None false",
            "cip request Get Attribute Single Some(\"Identity\") None None false",
            "enip Send RR Data 9",
            "cip response Get Attribute Single Some(\"Identity\") None Some(\"Success\") false",
            "enip Send RR Data 9",
            "cip request Multiple Service Packet Some(\"Message Router\") None None false",
            "cip request Read Tag None Some(\"a\") None false",
            "cip request Write Tag None Some(\"bc\") None true",
            "enip List Identity 9",
            "identity 1756 20.11 01020304 192.0.2.7",
        ]
    );
}

#[test]
fn elsewhere_a_registration_is_needed() {
    assert_eq!(play(conn(Proto::Tcp, 9_999), &talk()).1, "enip");
    assert_eq!(play(conn(Proto::Tcp, 9_999), &talk()[2..]).1, "");
}

proptest! {
    #[test]
    fn cuts_change_nothing(sizes in proptest::collection::vec(1usize..40, 1..6)) {
        prop_assert_eq!(told(&cut(&talk(), &sizes)), told(&talk()));
    }

    #[test]
    fn any_bytes_are_survived(noise in proptest::collection::vec(any::<u8>(), 0..90), at in 0usize..80, bit in 0u8..8) {
        let mut steps = talk();
        for step in &mut steps {
            if let Step::Data(_, bytes) = step && let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << bit;
            }
        }
        steps.extend([up(unconnected(&noise)), down(unconnected(&noise)), down(message(command::LIST_IDENTITY, &noise))]);
        prop_assert!(told(&steps).len() <= 200);
    }
}
