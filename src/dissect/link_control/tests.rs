use super::*;
use crate::model::{FrameMeta, LinkType};
use proptest::prelude::*;

fn packet(number: u64) -> Packet {
    let link = LinkType::ETHERNET;
    let meta = FrameMeta { number, in_file: number, offset: 0, ts_ns: 5, capture: 0, caplen: 60, wire_len: 60, start: 0, link };
    Packet { mac_src: Mac([2, 0, 0, 0, 0, 9]), ..Packet::new(&meta) }
}

fn said(kind: Control, bytes: &[u8]) -> Option<Event> {
    Devices::default().message(&packet(1), kind, bytes).map(|event| event.event)
}

/// A configuration of a root that is not the sender, as a switch sends it.
fn configuration() -> Vec<u8> {
    let mut bytes = vec![0, 0, 0, 0, 1, 0x80, 0, 2, 0, 0, 0, 0, 1, 0, 0, 0, 4, 0x80, 1, 2, 0, 0, 0, 0, 9, 0x80, 3];
    bytes.extend([1, 0, 20, 0, 2, 0, 15, 0]);
    bytes
}

#[test]
fn a_root_that_changes_is_a_row_and_a_repetition_is_none() {
    let mut devices = Devices::default();
    let first = devices.message(&packet(1), Control::Stp, &configuration()).unwrap();
    let Event::Stp(row) = &first.event else { panic!("{first:?}") };
    assert_eq!((row.version, row.kind, row.topology_change, row.port), ("STP", "configuration", true, Some(0x8003)));
    assert_eq!((row.root.as_deref(), row.bridge.as_deref()), (Some("32768.02:00:00:00:00:01"), Some("32769.02:00:00:00:00:09")));
    assert_eq!((row.root_cost, row.message_age, row.hello_time), (Some(4), Some(1.0), Some(2.0)));
    let mut older = configuration();
    older[27] = 3;
    assert_eq!(devices.message(&packet(2), Control::Stp, &older), None, "only its age differs");
    let mut stolen = configuration();
    stolen[5..7].copy_from_slice(&[0, 0]);
    assert!(devices.message(&packet(3), Control::Stp, &stolen).is_some(), "another root");
}

#[test]
fn trees_per_vlan_name_their_vlan() {
    let bytes = [configuration(), vec![0, 0, 0, 0, 2, 0, 42]].concat();
    let Some(Event::Stp(row)) = said(Control::Pvst, &bytes) else { panic!("a row") };
    assert_eq!((row.version, row.vlan), ("PVST+", Some(42)));
}

fn lldp() -> Vec<u8> {
    let value = |kind: u16, bytes: &[u8]| [&(kind << 9 | bytes.len() as u16).to_be_bytes()[..], bytes].concat();
    [
        value(1, &[4, 2, 0, 0, 0, 0, 9]),
        value(2, b"\x05Gi1/0/3"),
        value(3, &[0, 120]),
        value(5, b"sw-1"),
        value(6, b"IOS 15"),
        value(7, &[0, 0x14, 0, 0x14]),
        value(8, &[5, 1, 192, 0, 2, 7, 2, 0, 0, 0, 1, 0]),
        value(127, &[0, 0x80, 0xc2, 1, 0, 10]),
        value(127, &[0, 0x12, 0xbb, 2, 1, 0x40, 40, 0, 46]),
        value(127, b"\0\x12\xbb\x08SN123"),
        value(0, b""),
    ]
    .concat()
}

#[test]
fn lldp_tells_device_port_and_addresses() {
    let Some(Event::Lldp(row)) = said(Control::Lldp, &lldp()) else { panic!("a row") };
    assert_eq!((row.device.as_deref(), row.port.as_deref(), row.ttl), (Some("02:00:00:00:00:09"), Some("Gi1/0/3"), Some(120)));
    assert_eq!((row.system_name.as_deref(), row.capabilities.join(" ")), (Some("sw-1"), "bridge router".to_owned()));
    assert_eq!((row.addresses.join(" "), row.vlan, row.inventory.join(" ")), ("192.0.2.7".to_owned(), Some(10), "serial=SN123".to_owned()));
    assert_eq!(row.voice_vlan, Some(20));
    assert!(said(Control::Lldp, b"\x04\x02").is_none());
}

fn cdp() -> Vec<u8> {
    let value = |kind: u16, bytes: &[u8]| [&kind.to_be_bytes()[..], &(bytes.len() as u16 + 4).to_be_bytes(), bytes].concat();
    [
        vec![2, 180, 0, 0],
        value(1, b"core.example"),
        value(2, &[0, 0, 0, 1, 1, 1, 0xcc, 0, 4, 192, 0, 2, 1]),
        value(3, b"Fa0/1"),
        value(4, &[0, 0, 0, 0x29]),
        value(6, b"cisco WS-C2950"),
        value(10, &[0, 7]),
        value(11, &[1]),
    ]
    .concat()
}

#[test]
fn cdp_tells_the_same() {
    let Some(Event::Cdp(row)) = said(Control::Cdp, &cdp()) else { panic!("a row") };
    assert_eq!(
        (row.device.as_deref(), row.port.as_deref(), row.platform.as_deref()),
        (Some("core.example"), Some("Fa0/1"), Some("cisco WS-C2950"))
    );
    assert_eq!((row.addresses.join(" "), row.capabilities.join(" ")), ("192.0.2.1".to_owned(), "router switch igmp".to_owned()));
    assert_eq!((row.vlan, row.full_duplex, row.version), (Some(7), Some(true), Some(2)));
}

proptest! {
    #[test]
    fn any_bytes_are_survived(noise in proptest::collection::vec(any::<u8>(), 0..200), end in 0usize..120, at in 0usize..120, bit in 0u8..8) {
        for (kind, bytes) in [(Control::Lldp, lldp()), (Control::Cdp, cdp()), (Control::Stp, configuration()), (Control::Pvst, configuration())] {
            let mut flipped = bytes.clone();
            if let Some(byte) = flipped.get_mut(at) {
                *byte ^= 1 << bit;
            }
            for bytes in [&noise[..], &bytes[..end.min(bytes.len())], &flipped, &[&bytes[..8], &noise[..]].concat()] {
                said(kind, bytes);
            }
        }
    }
}
