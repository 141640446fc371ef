use super::Transactions;
use crate::dissect::testing::{Step, conn, down, play, up};
use crate::model::event::Dhcp;
use crate::model::{AppEvent, Conn, Event, FlowId, Proto, Ts, time::SECOND};
use proptest::prelude::*;
use std::net::Ipv4Addr;

const CLIENT_MAC: [u8; 6] = [2, 0, 0, 0, 0, 9];

/// A message of operation `op` with these options.
fn message(op: u8, xid: u32, yiaddr: [u8; 4], options: &[(u8, &[u8])]) -> Vec<u8> {
    let mut out = vec![op, 1, 6, 0];
    out.extend(xid.to_be_bytes());
    out.extend([0; 8]);
    out.extend(yiaddr);
    out.extend([0; 8]);
    out.extend(CLIENT_MAC);
    out.resize(236, 0);
    out.extend([0x63, 0x82, 0x53, 0x63]);
    for (code, value) in options {
        out.extend([*code, value.len() as u8]);
        out.extend(*value);
    }
    out.push(255);
    out
}

fn flow(first_frame: u64, orig: ([u8; 4], u16), resp: ([u8; 4], u16)) -> Conn {
    Conn {
        flow: FlowId::new(first_frame, 0),
        orig_h: orig.0.into(),
        orig_p: orig.1,
        resp_h: resp.0.into(),
        resp_p: resp.1,
        proto: Proto::Udp,
    }
}

/// One datagram at a time: its flow, whether the originator sent it, when, and its bytes.
type Sent = (Conn, bool, Ts, Vec<u8>);

fn gathered(sent: &[Sent]) -> Vec<AppEvent> {
    let mut transactions = Transactions::default();
    let mut out = Vec::new();
    for (n, (conn, orig, ts_ns, bytes)) in sent.iter().enumerate() {
        let step = if *orig { up(bytes) } else { down(bytes) };
        let (mut events, service) = play(*conn, &[step]);
        assert_eq!(service, "dhcp");
        for event in &mut events {
            (event.frame, event.ts_ns) = (n as u64 + 1, *ts_ns);
        }
        transactions.gather(&mut events, Some(*ts_ns));
        out.extend(events);
    }
    out.extend(transactions.finish());
    out
}

fn rows(sent: &[Sent]) -> Vec<Dhcp> {
    gathered(sent).into_iter().filter_map(|event| if let Event::Dhcp(row) = event.event { Some(*row) } else { None }).collect()
}

const NOBODY: ([u8; 4], u16) = ([0; 4], 68);
const ALL_SERVERS: ([u8; 4], u16) = ([255; 4], 67);
const ALL_CLIENTS: ([u8; 4], u16) = ([255; 4], 68);
const SERVER: ([u8; 4], u16) = ([192, 0, 2, 1], 67);
const ROGUE: ([u8; 4], u16) = ([192, 0, 2, 66], 67);

fn lease() -> Vec<Sent> {
    let discover = message(1, 7, [0; 4], &[(53, &[1]), (12, b"desk"), (50, &[192, 0, 2, 50]), (55, &[1, 3, 6, 15]), (60, b"MSFT 5.0")]);
    let answer = |kind: u8, server: ([u8; 4], u16)| {
        let options: [(u8, &[u8]); 6] = [
            (53, &[kind]),
            (54, &server.0),
            (51, &[0, 0, 14, 16]),
            (3, &server.0),
            (6, &[192, 0, 2, 53, 192, 0, 2, 54]),
            (15, b"example.org\0"),
        ];
        message(2, 7, [192, 0, 2, 50], &options)
    };
    let request = message(1, 7, [0; 4], &[(53, &[3]), (61, &[1, 2, 0, 0, 0, 0, 9])]);
    let asks = flow(1, NOBODY, ALL_SERVERS);
    vec![
        (asks, true, 0, discover),
        (flow(2, SERVER, ALL_CLIENTS), true, SECOND / 4, answer(2, SERVER)),
        (flow(3, ROGUE, ALL_CLIENTS), true, SECOND / 2, answer(2, ROGUE)),
        (asks, true, SECOND, request),
        (flow(2, SERVER, ALL_CLIENTS), true, 2 * SECOND, answer(5, SERVER)),
    ]
}

#[test]
fn a_lease_is_one_row_over_all_its_flows() {
    let events = gathered(&lease());
    let [AppEvent { frame: 1, ts_ns: 0, event: Event::Dhcp(row), .. }] = &events[..] else { panic!("{events:?}") };
    assert_eq!(row.msg_types, ["DISCOVER", "OFFER", "OFFER", "REQUEST", "ACK"]);
    assert_eq!(row.msg_orig, ["0.0.0.0", "192.0.2.1", "192.0.2.66", "0.0.0.0", "192.0.2.1"]);
    assert_eq!((row.uids.len(), row.duration, row.lease_time), (3, 2.0, Some(3_600.0)));
    assert_eq!((row.mac.as_deref(), row.host_name.as_deref()), (Some("02:00:00:00:00:09"), Some("desk")));
    assert_eq!((row.server_addr, row.client_addr), (Some(SERVER.0.into()), Some([192, 0, 2, 50].into())));
    assert_eq!((row.assigned_addr, row.requested_addr), (Some(Ipv4Addr::new(192, 0, 2, 50)), Some(Ipv4Addr::new(192, 0, 2, 50))));
    assert_eq!((row.domain.as_deref(), row.client_software.as_deref()), (Some("example.org"), Some("MSFT 5.0")));
    assert_eq!((&row.param_list[..], &row.dns_opt[..]), (&[1, 3, 6, 15][..], &["192.0.2.53".to_owned(), "192.0.2.54".to_owned()][..]));
    assert_eq!((&row.server_ids[..], row.race_s), (&["192.0.2.1".to_owned(), "192.0.2.66".to_owned()][..], Some(0.25)));
    assert_eq!(row.offers[1], "192.0.2.50 router=192.0.2.66 dns=192.0.2.53,192.0.2.54");
    assert_eq!(row.frames, [1, 2, 3, 4, 5]);
}

#[test]
fn an_answer_to_an_address_makes_the_server_the_responder() {
    let ack = message(2, 9, [192, 0, 2, 50], &[(53, &[5]), (56, b"welcome")]);
    let row = &rows(&[(flow(1, ([192, 0, 2, 50], 68), SERVER), false, 0, ack)])[0];
    assert_eq!((row.server_addr, row.client_addr), (Some(SERVER.0.into()), Some([192, 0, 2, 50].into())));
    assert_eq!((row.server_message.as_deref(), row.client_message.as_deref()), (Some("welcome"), None));
    assert_eq!(row.mac.as_deref(), Some("02:00:00:00:00:09"));
}

#[test]
fn an_id_used_again_later_is_another_transaction() {
    let inform = || message(1, 7, [0; 4], &[(53, &[8])]);
    let conn = flow(1, ([192, 0, 2, 50], 68), ALL_SERVERS);
    let at = |seconds: i64| (conn, true, seconds * SECOND, inform());
    assert_eq!(rows(&[at(0), at(4), at(9), at(60)]).iter().map(|row| row.msg_types.len()).collect::<Vec<_>>(), [3, 1]);
    // One that never falls silent is cut by its age.
    let endless: Vec<Sent> = (0..20).map(|n| at(n * 4)).collect();
    assert!(rows(&endless).len() > 1);
}

#[test]
fn a_flood_under_one_id_is_cut_after_ten_flows_or_fifty_messages() {
    let inform = || message(1, 7, [0; 4], &[(53, &[8])]);
    let many_flows: Vec<Sent> = (0..20).map(|n| (flow(n + 1, ([192, 0, 2, n as u8], 68), SERVER), true, n as i64, inform())).collect();
    assert_eq!(rows(&many_flows).iter().map(|row| row.uids.len()).collect::<Vec<_>>(), [10, 10]);
    let one_flow: Vec<Sent> = (0..120).map(|n| (flow(1, NOBODY, ALL_SERVERS), true, n, inform())).collect();
    assert_eq!(rows(&one_flow).iter().map(|row| row.msg_types.len()).collect::<Vec<_>>(), [50, 50, 20]);
}

#[test]
fn relay_agents_and_overloaded_fields_are_read() {
    let relay: &[u8] = &[1, 3, b'v', b'1', b'0', 2, 2, b'r', b'1', 6, 3, b's', b'u', b'b'];
    let mut bytes = message(1, 3, [0; 4], &[(53, &[1]), (52, &[1]), (82, relay), (81, &[0, 0, 0, b'p', b'c'])]);
    bytes[108..114].copy_from_slice(&[12, 3, b'o', b'l', b'd', 255]);
    let row = &rows(&[(flow(1, NOBODY, ALL_SERVERS), true, 0, bytes)])[0];
    assert_eq!(
        (row.circuit_id.as_deref(), row.agent_remote_id.as_deref(), row.subscriber_id.as_deref()),
        (Some("v10"), Some("r1"), Some("sub"))
    );
    assert_eq!((row.host_name.as_deref(), row.client_fqdn.as_deref()), (Some("old"), Some("pc")));
}

#[test]
fn without_the_cookie_it_is_not_dhcp() {
    let mut bytes = message(1, 3, [0; 4], &[(53, &[1])]);
    bytes[236] = 0;
    assert_eq!(play(conn(Proto::Udp, 67), &[up(bytes)]).1, "");
}

#[test]
fn one_cut_before_the_cookie_is_named_by_its_ports() {
    let bytes = &message(1, 3, [0; 4], &[(53, &[1])])[..100];
    assert_eq!(play(flow(1, NOBODY, ALL_SERVERS), &[up(bytes)]).1, "dhcp");
    assert_eq!(play(conn(Proto::Udp, 9_999), &[up(bytes)]).1, "");
}

proptest! {
    #[test]
    fn cut_and_flipped_messages_are_survived(which in 0usize..5, keep in 0usize..400, at in 0usize..400, to: u8) {
        let mut bytes = lease().swap_remove(which).3;
        if let Some(byte) = bytes.get_mut(at) {
            *byte = to;
        }
        bytes.truncate(keep);
        let steps: Vec<Step> = vec![up(&bytes), down(&bytes)];
        let (mut events, _) = play(conn(Proto::Udp, 67), &steps);
        let mut transactions = Transactions::default();
        transactions.gather(&mut events, Some(0));
        prop_assert!(events.len() + transactions.finish().len() <= 4);
    }

    #[test]
    fn however_blocks_are_cut_the_rows_are_the_same(cuts in proptest::collection::vec(1usize..4, 1..6)) {
        let sent = lease();
        let whole = rows(&sent);
        let mut transactions = Transactions::default();
        let (mut out, mut rest) = (Vec::new(), &sent[..]);
        let mut cuts = cuts.iter().copied().cycle();
        let mut frame = 0;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(cuts.next().unwrap_or(1).min(rest.len()));
            let mut events = Vec::new();
            for (conn, orig, ts_ns, bytes) in now {
                frame += 1;
                let mut said = play(*conn, &[if *orig { up(bytes) } else { down(bytes) }]).0;
                said.iter_mut().for_each(|event| (event.frame, event.ts_ns) = (frame, *ts_ns));
                events.extend(said);
            }
            transactions.gather(&mut events, now.last().map(|sent| sent.2));
            out.extend(events);
            rest = later;
        }
        out.extend(transactions.finish());
        let rows: Vec<Dhcp> = out.into_iter().filter_map(|event| if let Event::Dhcp(row) = event.event { Some(*row) } else { None }).collect();
        prop_assert_eq!(rows, whole);
    }
}
