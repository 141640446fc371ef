use super::*;
use crate::dissect::testing::{Step, conn, cut, down, play, said, up};
use proptest::prelude::*;

fn packet(head: u8, parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    assert!(body.len() < 128, "one byte of length");
    [&[head, body.len() as u8][..], &body].concat()
}

/// A login with a will, a subscription, a message of each quality.
fn talk() -> Vec<Step> {
    vec![
        up(packet(0x10, &[b"\0\x04MQTT\x04\xc6\0\x3c", b"\0\x03dev", b"\0\x04gone", b"\0\x03bye", b"\0\x04jane", b"\0\x06secret"])),
        down(packet(0x20, &[b"\0\0"])),
        up(packet(0x82, &[b"\0\x01", b"\0\x03a/#", b"\x01", b"\0\x01b", b"\0"])),
        down(packet(0x90, &[b"\0\x01\x01\0"])),
        up(packet(0x31, &[b"\0\x03a/b", b"hello"])),
        down(packet(0x32, &[b"\0\x03a/c", b"\0\x07", b"one"])),
        up(packet(0x40, &[b"\0\x07"])),
        up(packet(0x34, &[b"\0\x03a/d", b"\0\x08", b"two"])),
        down(packet(0x50, &[b"\0\x08"])),
        up(packet(0x62, &[b"\0\x08"])),
        down(packet(0x70, &[b"\0\x08"])),
        up(packet(0x34, &[b"\0\x03a/e", b"\0\x09", b"lost"])),
        up(packet(0xe0, &[])),
    ]
}

fn told(steps: &[Step]) -> Vec<String> {
    let events = said(conn(Proto::Tcp, 1_883), steps).into_iter();
    let lines = events.map(|event| match event {
        Event::MqttConnect(row) => format!(
            "connect {:?} {:?} {:?} {:?} {:?}",
            row.client_id, row.proto_version, row.connect_status, row.will_topic, row.will_payload
        ),
        Event::MqttPublish(row) => {
            format!("publish {} {} {} {} {} {}", row.from_client, row.retain, row.qos, row.status, row.topic, row.payload)
        }
        Event::MqttSubscribe(row) => {
            format!("{} {:?} {:?} {:?} {}", row.action, row.topics, row.qos_levels, row.granted_qos_level, row.ack)
        }
        Event::Credential(login) => format!("login {:?} {} {:?}", login.user, login.secret, login.success),
        other => format!("{other:?}"),
    });
    lines.collect()
}

#[test]
fn a_session_is_told_as_zeek_tells_it() {
    assert_eq!(
        told(&talk()),
        [
            "login Some(\"jane\") secret Some(true)",
            "connect Some(\"dev\") Some(\"3.1.1\") Some(\"Connection Accepted\") Some(\"gone\") Some(\"bye\")",
            "MQTT::SUBSCRIBE [\"a/#\", \"b\"] [1, 0] Some(0) true",
            "publish true true at most once ok a/b hello",
            "publish false false at least once ok a/c one",
            "publish true false exactly once ok a/d two",
            "publish true false exactly once incomplete_qos a/e lost",
        ]
    );
}

#[test]
fn the_middle_of_a_session_is_recognised_at_home_only() {
    let ping = [up(packet(0xc0, &[])), down(packet(0xd0, &[]))];
    assert_eq!((play(conn(Proto::Tcp, 1_883), &ping).1, play(conn(Proto::Tcp, 8_000), &ping).1), ("mqtt", ""));
    assert_eq!(play(conn(Proto::Tcp, 8_000), &talk()).1, "mqtt");
}

#[test]
fn properties_of_version_five_are_passed() {
    let steps = [
        up(packet(0x10, &[b"\0\x04MQTT\x05\x02\0\x3c", b"\x05\x11\0\0\0\x01", b"\0\x03dev"])),
        down(packet(0x20, &[b"\0\x87\0"])),
        up(packet(0x30, &[b"\0\x01t", b"\x02\x01\x01", b"hi"])),
    ];
    assert_eq!(
        told(&steps),
        ["connect Some(\"dev\") Some(\"5.0\") Some(\"Refused: not authorized\") None None", "publish true false at most once ok t hi"]
    );
}

proptest! {
    #[test]
    fn cuts_change_nothing(sizes in proptest::collection::vec(1usize..20, 1..6)) {
        prop_assert_eq!(told(&cut(&talk(), &sizes)), told(&talk()));
    }

    #[test]
    fn any_bytes_are_survived(noise in proptest::collection::vec(any::<u8>(), 0..90), at in 0usize..50, bit in 0u8..8, lost in 0usize..13) {
        let mut steps = talk();
        for step in &mut steps {
            if let Step::Data(_, bytes) = step && let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << bit;
            }
        }
        steps[lost] = Step::Gap(Dir::Orig, 9);
        steps.extend([up(&noise), down(&noise)]);
        prop_assert!(told(&steps).len() <= 16 + noise.len());
    }
}
