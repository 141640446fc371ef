//! Tunnels through the flow table: frames in, flows, parents and rows of `tunnel` out.

#![allow(clippy::panic)]

use super::*;
use crate::decode;
use crate::flow::Table;
use crate::model::{Block, FrameMeta, Limits, LinkType};
use etherparse::PacketBuilder;
use proptest::prelude::*;

const CLIENT: [u8; 4] = [10, 0, 0, 1];
const SERVER: [u8; 4] = [10, 0, 0, 2];
const LEFT: [u8; 4] = [192, 0, 2, 1];
const RIGHT: [u8; 4] = [198, 51, 100, 2];

/// A datagram between client and server, either way.
fn inner(from_client: bool) -> Vec<u8> {
    let (src, dst, sport, dport) = if from_client { (CLIENT, SERVER, 40_000, 9_999) } else { (SERVER, CLIENT, 9_999, 40_000) };
    datagram(src, dst, sport, dport, b"something said")
}

fn datagram(src: [u8; 4], dst: [u8; 4], sport: u16, dport: u16, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    PacketBuilder::ipv4(src, dst, 64).udp(sport, dport).write(&mut bytes, payload).expect("a vector takes all");
    bytes
}

fn ends(forth: bool) -> ([u8; 4], [u8; 4]) {
    if forth { (LEFT, RIGHT) } else { (RIGHT, LEFT) }
}

fn vxlan(forth: bool, vni: u8) -> Vec<u8> {
    let (src, dst) = ends(forth);
    let payload = [&[8, 0, 0, 0, 0, 0, vni, 0][..], &[2; 12], &[8, 0], &inner(forth)].concat();
    datagram(src, dst, if forth { 50_000 } else { 50_001 }, 4789, &payload)
}

fn gtp(forth: bool, teid: u8) -> Vec<u8> {
    let (src, dst) = ends(forth);
    let inner = inner(forth);
    datagram(src, dst, 2152, 2152, &[&[0x30, 255, 0, inner.len() as u8, 0, 0, 0, teid], &inner[..]].concat())
}

/// An IPv4 packet of any protocol.
fn over_ip(forth: bool, proto: u8, payload: &[u8]) -> Vec<u8> {
    let (src, dst) = ends(forth);
    let mut bytes = datagram(src, dst, 0, 0, &[]);
    bytes.truncate(20);
    bytes[2..4].copy_from_slice(&(20 + payload.len() as u16).to_be_bytes());
    bytes[9] = proto;
    bytes.extend_from_slice(payload);
    bytes
}

fn gre(forth: bool) -> Vec<u8> {
    over_ip(forth, 47, &[&[0, 0, 8, 0], &inner(forth)[..]].concat())
}

/// Type and action of a tunnel, the responder's port, and its flow.
type Told = (&'static str, &'static str, u16, FlowId);

/// Flows by id, and rows of `tunnel` as tunnel type, action, ports and flow.
fn run(frames: &[(i64, Vec<u8>)]) -> (Vec<Flow>, Vec<Told>) {
    let mut block = Block::default();
    for (index, (seconds, bytes)) in frames.iter().enumerate() {
        let (number, len) = (index as u64 + 1, bytes.len() as u32);
        let start = block.bytes.len() as u32;
        let (ts_ns, link) = (seconds * SECOND, LinkType::RAW);
        block.frames.push(FrameMeta { number, in_file: number, offset: 0, ts_ns, capture: 0, caplen: len, wire_len: len, start, link });
        block.bytes.extend_from_slice(bytes);
    }
    let mut packets = Vec::new();
    block.iter().for_each(|frame| decode::frame(frame, &mut packets));
    let mut table = Table::new(Limits::default());
    let batch = table.packets(&packets, &block, block.frames.last().map(|frame| frame.ts_ns));
    let (mut flows, mut events) = (batch.flows, batch.events);
    table.finish(|batch| {
        flows.extend(batch.flows);
        events.extend(batch.events);
    });
    flows.sort_by_key(|flow| flow.id);
    let rows = events.iter().filter_map(|at| match (&at.event, at.conn) {
        (Event::Tunnel(seen), Some(conn)) => Some((seen.tunnel_type, seen.action.name(), conn.resp_p, conn.flow)),
        _ => None,
    });
    (flows, rows.collect())
}

/// Frames, a second apart.
fn run_all(frames: Vec<Vec<u8>>) -> (Vec<Flow>, Vec<Told>) {
    run(&frames.into_iter().enumerate().map(|(at, bytes)| (at as i64, bytes)).collect::<Vec<_>>())
}

fn shape(flows: &[Flow]) -> Vec<(u8, u64, u64)> {
    flows.iter().map(|flow| (flow.layer, flow.orig.pkts, flow.resp.pkts)).collect()
}

#[test]
fn outer_and_inner_are_both_flows_and_the_inner_one_names_its_parents() {
    let (flows, rows) = run_all(vec![vxlan(true, 5), vxlan(false, 5), vxlan(true, 5)]);
    assert_eq!(shape(&flows), [(0, 2, 0), (1, 2, 1), (0, 1, 0)]);
    assert_eq!(flows.iter().map(|flow| flow.service.as_str()).collect::<Vec<_>>(), ["vxlan", "", "vxlan"]);
    assert_eq!(flows[1].tunnel_parents, [flows[0].id, flows[2].id]);
    let told = |flow: &Flow| [("Tunnel::VXLAN", "Tunnel::DISCOVER", 4789, flow.id), ("Tunnel::VXLAN", "Tunnel::CLOSE", 4789, flow.id)];
    let mut rows = rows;
    rows.sort_by_key(|row| row.3);
    assert_eq!(rows, [told(&flows[0]), told(&flows[2])].concat());
}

#[test]
fn two_tenants_with_the_same_addresses_and_ports_are_two_flows() {
    let (flows, _) = run_all(vec![vxlan(true, 5), vxlan(true, 6), vxlan(false, 6), vxlan(false, 5), vxlan(true, 6)]);
    let inside: Vec<_> = flows.iter().filter(|flow| flow.layer == 1).map(|flow| (flow.orig.pkts, flow.resp.pkts)).collect();
    assert_eq!(inside, [(1, 1), (2, 1)]);
}

#[test]
fn a_teid_of_each_direction_makes_one_flow_and_two_subscribers_two() {
    let (flows, rows) = run_all(vec![gtp(true, 1), gtp(false, 2), gtp(true, 1)]);
    assert_eq!(shape(&flows), [(0, 2, 1), (1, 2, 1)]);
    assert_eq!((flows[0].service.as_str(), rows.len()), ("gtpv1", 2));
    let (flows, _) = run_all(vec![gtp(true, 1), gtp(false, 2), gtp(true, 3), gtp(false, 4), gtp(false, 2)]);
    assert_eq!(shape(&flows), [(0, 2, 3), (1, 1, 2), (1, 1, 1)]);
}

#[test]
fn gre_is_known_by_its_hosts_and_no_flow_is_made_of_it() {
    let (flows, rows) = run_all(vec![gre(true), gre(false)]);
    assert_eq!(shape(&flows), [(1, 1, 1)]);
    assert_eq!(rows, [("Tunnel::GRE", "Tunnel::DISCOVER", 0, FlowId::new(1, 0))]);
    assert_eq!(flows[0].tunnel_parents, [FlowId::new(1, 0)]);
}

#[test]
fn gre_that_is_silent_for_a_day_expires_and_is_discovered_again() {
    let day = 24 * 3_600;
    let (_, rows) = run(&[(0, gre(true)), (day, gre(false)), (3 * day, gre(true))]);
    let words: Vec<_> = rows.iter().map(|row| (row.1, row.3.first_frame())).collect();
    assert_eq!(words, [("Tunnel::DISCOVER", 1), ("Tunnel::EXPIRE", 1), ("Tunnel::DISCOVER", 3)]);
}

#[test]
fn a_flow_of_which_one_direction_is_tunnelled_is_one_flow() {
    let (flows, _) = run_all(vec![gre(true), inner(false)]);
    assert_eq!(shape(&flows), [(1, 1, 1)]);
}

#[test]
fn a_flow_that_changes_its_tunnel_often_is_marked() {
    let frames = |n: usize| (0..n).map(|at| if at % 2 == 0 { inner(true) } else { gre(true) }).collect();
    assert_eq!(run_all(frames(6)).0[0].history, "D");
    assert_eq!(run_all(frames(7)).0[0].history, "DX");
}

#[test]
fn a_flow_that_carries_more_tunnels_than_are_entered_is_marked() {
    let nested = (0..4).fold(vxlan(true, 5), |inside, _| {
        let payload = [&[8, 0, 0, 0, 0, 0, 5, 0][..], &[2; 12], &[8, 0], &inside].concat();
        datagram(LEFT, RIGHT, 50_000, 4789, &payload)
    });
    let (flows, _) = run_all(vec![nested]);
    assert_eq!(
        flows.iter().map(|flow| (flow.layer, flow.history.as_str())).collect::<Vec<_>>(),
        [(0, "D"), (1, "D"), (2, "D"), (3, "D"), (4, "XD")]
    );
    assert_eq!(flows[4].tunnel_parents, [flows[3].id]);
}

#[test]
fn an_authentication_header_is_a_flow_with_another_inside() {
    let datagram = inner(true);
    let header = [&[17, 4][..], &[0; 22]].concat();
    let (flows, rows) = run_all(vec![over_ip(true, 51, &[&header, &datagram[20..]].concat())]);
    assert_eq!(flows.iter().map(|flow| (flow.ip_proto, flow.layer, flow.resp_p)).collect::<Vec<_>>(), [(51, 0, 0), (17, 1, 9_999)]);
    assert_eq!((flows[1].tunnel_parents.as_slice(), rows.len()), (&[flows[0].id][..], 0));
}

#[test]
fn sctp_has_ports_and_other_protocols_have_none() {
    let mut sctp = vec![0x0b, 0x59, 0x0b, 0x5a];
    sctp.extend([0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 4]);
    let frames =
        vec![over_ip(true, 132, &sctp), over_ip(true, 132, &sctp[..12]), over_ip(true, 50, &[7; 32]), over_ip(true, 2, &[0x16; 8])];
    let (flows, _) = run_all(frames);
    let said: Vec<_> = flows.iter().map(|flow| (flow.proto.name(), flow.ip_proto, flow.orig_p, flow.resp_p, flow.conn_state)).collect();
    assert_eq!(
        said,
        [
            ("sctp", 132, 2_905, 2_906, "OTH"),
            ("unknown_transport", 132, 0, 0, "OTH"),
            ("unknown_transport", 50, 0, 0, "OTH"),
            ("unknown_transport", 2, 0, 0, "OTH"),
        ]
    );
}

#[test]
fn a_proxy_that_grants_connect_is_a_tunnel() {
    let conn =
        Conn { flow: FlowId::new(1, 0), orig_h: LEFT.into(), orig_p: 40_000, resp_h: RIGHT.into(), resp_p: 3_128, proto: Proto::Tcp };
    let said = |status| {
        let http = crate::model::event::Http { method: Some("CONNECT".into()), status_code: Some(status), ..Default::default() };
        AppEvent { conn: Some(conn), frame: 1, ts_ns: 1, event: Event::Http(Box::new(http)) }
    };
    let mut events = vec![said(200), said(407)];
    granted(&mut events);
    let [_, _, row] = &events[..] else { panic!("{events:?}") };
    assert_eq!(row.conn.map(|conn| (conn.orig_p, conn.resp_p)), Some((0, 3_128)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_packet_of_every_tenant_is_counted_once_in_any_order(order in prop::collection::vec((any::<bool>(), 1u8..90, any::<bool>()), 1..200)) {
        let frames: Vec<_> = order.iter().map(|&(forth, id, over)| if over { vxlan(forth, id) } else { gtp(forth, id) }).collect();
        let (flows, _) = run(&frames.into_iter().map(|bytes| (0, bytes)).collect::<Vec<_>>());
        let count = |layer| flows.iter().filter(|flow| flow.layer == layer).map(|flow| flow.orig.pkts + flow.resp.pkts).sum::<u64>();
        prop_assert_eq!((count(0), count(1)), (order.len() as u64, order.len() as u64));
        for flow in flows.iter().filter(|flow| flow.layer == 1) {
            prop_assert!(!flow.tunnel_parents.is_empty());
            prop_assert!(flow.tunnel_parents.iter().all(|parent| flows.iter().any(|outer| outer.id == *parent && outer.layer == 0)));
        }
    }
}
