//! Every frame read is counted once: understood, put aside as a fragment, left out by the filter, or not understood and why.

use crate::desk::Desk;
use vigil::capture::write::PcapWriter;
use vigil::model::LinkType;

/// 1 March 2026, 00:00 UTC.
const START: i64 = 1_772_323_200_000_000_000;
const MILLI: i64 = 1_000_000;

/// Ethernet and IPv4 (RFC 791) around `payload`; `fragment` is the field of flags and offset.
fn ipv4(id: u16, fragment: u16, protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut header = vec![0x45, 0];
    header.extend((20 + payload.len() as u16).to_be_bytes());
    header.extend(id.to_be_bytes());
    header.extend(fragment.to_be_bytes());
    header.extend([64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
    let sum: u32 = header.chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
    let sum = !((sum & 0xffff) + (sum >> 16)) as u16;
    header[10..12].copy_from_slice(&sum.to_be_bytes());
    [&[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0][..], &header, payload].concat()
}

fn udp(port: u16, bytes: usize) -> Vec<u8> {
    let head = [port.to_be_bytes(), 9_999_u16.to_be_bytes(), (8 + bytes as u16).to_be_bytes(), [0, 0]].concat();
    [head, vec![7; bytes]].concat()
}

/// Forty datagrams; among them one in three fragments, one fragment without siblings, and an ether type that nobody decodes (802 9.2.3: for
/// local experiments).
fn frames() -> Vec<Vec<u8>> {
    const MORE: u16 = 0x2000;
    let datagram = udp(5_000, 1_600);
    let mut frames: Vec<Vec<u8>> = (0..40).map(|number| ipv4(number, 0, 17, &udp(4_000 + number, 30))).collect();
    frames.insert(5, ipv4(777, MORE, 17, &datagram[..800]));
    frames.insert(20, ipv4(777, MORE | 100, 17, &datagram[800..1_600]));
    frames.insert(30, ipv4(777, 200, 17, &datagram[1_600..]));
    frames.insert(35, ipv4(778, MORE, 17, &datagram[..800]));
    frames.insert(38, [&[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0xb5][..], &[1; 40]].concat());
    frames
}

fn capture() -> Vec<u8> {
    let mut writer = PcapWriter::new(Vec::new(), LinkType::ETHERNET, false).unwrap();
    for (number, frame) in frames().iter().enumerate() {
        writer.frame(START + number as i64 * MILLI, frame.len() as u32, frame).unwrap();
    }
    writer.finish().unwrap()
}

#[test]
fn a_fragment_takes_no_other_frame_out_of_the_count() {
    let desk = Desk::new();
    desk.write("fragments.pcap", capture());
    let report = desk.vigil(["analyze", "fragments.pcap", "--json"]).well().json();
    let rows = desk.sql("fragments.vigil", "SELECT layer, reason, frames FROM packets_summary ORDER BY layer, reason");
    let counted = |layer: &str| rows.iter().filter(|row| row["layer"] == layer).map(|row| row["frames"].as_u64().unwrap()).sum::<u64>();
    assert_eq!((counted("udp"), counted("fragment")), (40, 4), "{rows:?}");
    let all: u64 = rows.iter().map(|row| row["frames"].as_u64().unwrap()).sum();
    assert_eq!(Some(all), report["coverage"]["frames"].as_u64(), "{rows:?}");
    assert_eq!(all, 45);
    let strange = report["coverage"]["undecoded"].as_array().unwrap();
    assert!(strange.len() == 1 && strange[0]["count"] == 1, "{strange:?}");
    let whole = desk.sql(
        "fragments.vigil",
        "SELECT max(orig_payload_bytes) AS bytes FROM flows JOIN flow_shape USING (flow_id) WHERE id_orig_p = 5000",
    );
    assert_eq!(whole[0]["bytes"], 1_600, "the datagram was put together");
}

#[test]
fn a_filter_takes_no_frame_out_of_the_count() {
    let desk = Desk::new();
    desk.write("fragments.pcap", capture());
    desk.vigil(["analyze", "fragments.pcap", "--filter", "udp src port 4007"]).well();
    let rows =
        desk.sql("fragments.vigil", "SELECT layer, sum(frames)::BIGINT AS frames FROM packets_summary GROUP BY layer ORDER BY layer");
    assert_eq!(rows, [serde_json::json!({ "layer": "filter", "frames": 44 }), serde_json::json!({ "layer": "udp", "frames": 1 })]);
}
