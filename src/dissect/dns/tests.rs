use crate::dissect::testing::{conn, cut, down, play, said, up};
use crate::model::{AppEvent, Event, Proto, event::Dns};
use proptest::prelude::*;

/// A name as labels on the wire.
fn name(dotted: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for label in dotted.split('.').filter(|label| !label.is_empty()) {
        out.push(label.len() as u8);
        out.extend_from_slice(label.as_bytes());
    }
    out.push(0);
    out
}

fn header(id: u16, flags: u16, counts: [u16; 4]) -> Vec<u8> {
    [id, flags].into_iter().chain(counts).flat_map(u16::to_be_bytes).collect()
}

fn query(id: u16, dotted: &str, qtype: u16) -> Vec<u8> {
    let mut out = header(id, 0x0100, [1, 0, 0, 0]);
    out.extend(name(dotted));
    out.extend([qtype, 1].into_iter().flat_map(u16::to_be_bytes));
    out
}

/// An answer to `query(id, dotted, qtype)` with records owned by the name asked (a pointer to offset 12).
fn answer(id: u16, dotted: &str, qtype: u16, records: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let mut out = query(id, dotted, qtype);
    out[2..4].copy_from_slice(&0x8580u16.to_be_bytes());
    out[6..8].copy_from_slice(&(records.len() as u16).to_be_bytes());
    for (rtype, data) in records {
        out.extend([0xc0, 12]);
        out.extend([*rtype, 1].into_iter().flat_map(u16::to_be_bytes));
        out.extend(300u32.to_be_bytes());
        out.extend((data.len() as u16).to_be_bytes());
        out.extend(data);
    }
    out
}

fn framed(message: &[u8]) -> Vec<u8> {
    [&(message.len() as u16).to_be_bytes()[..], message].concat()
}

fn rows(events: Vec<AppEvent>) -> Vec<Dns> {
    events.into_iter().filter_map(|event| if let Event::Dns(row) = event.event { Some(*row) } else { None }).collect()
}

fn udp(steps: &[crate::dissect::testing::Step]) -> Vec<Dns> {
    rows(play(conn(Proto::Udp, 53), steps).0)
}

#[test]
fn a_query_and_its_answer_are_one_row() {
    let records = [(5, name("cdn.Example.net")), (1, vec![203, 0, 113, 7])];
    let (events, service) =
        play(conn(Proto::Udp, 53), &[up(query(7, "www.a.example.co.uk", 1)), down(answer(7, "www.a.example.co.uk", 1, &records))]);
    assert_eq!((events.len(), events[0].frame, service), (1, 1, "dns"));
    let row = &rows(events)[0];
    assert_eq!(row.answers, ["cdn.example.net", "203.0.113.7"]);
    assert_eq!((row.answer_types.join(" "), &row.ttls[..]), ("CNAME A".to_owned(), &[300, 300][..]));
    assert_eq!((row.rtt, row.rcode_name.as_deref(), row.aa, row.ra, row.rejected), (Some(0.001), Some("NOERROR"), true, true, false));
    assert_eq!((row.etld1.as_deref(), row.sub.as_deref(), row.labels), (Some("example.co.uk"), Some("www.a"), 5));
    assert_eq!((row.query_frame, row.answer_frame, row.query_bytes), (Some(1), Some(2), Some(37)));
}

#[test]
fn records_are_printed_as_zeek_prints_them() {
    let text = |rtype: u16, data: &[u8]| udp(&[down(answer(1, "x.example", 255, &[(rtype, data.to_vec())]))])[0].answers.join("|");
    assert_eq!(text(16, b"\x05hello\x03a\x00b"), "TXT 5 hello TXT 3 a\\x00b");
    assert_eq!(text(15, &[&[0, 10][..], &name("MX.example")].concat()), "mx.example");
    assert_eq!(text(33, &[&[0, 1, 0, 2, 0, 80][..], &name("srv.example")].concat()), "srv.example");
    assert_eq!(text(28, &[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]), "2001:db8::1");
    assert_eq!(text(46, &[&[0, 1][..], &[0; 16], &name(""), b"sig"].concat()), "RRSIG 1 <Root>");
    assert_eq!(text(29, &[0, 18, 21, 19, 0, 0]), "LOC:  18 21 19");
    assert_eq!(text(43, &[1, 1, 5, 2, 9]), "DS 5 2");
    assert_eq!(text(1234, b"?"), "<unknown type=1234>");
    let https = [&[0, 1][..], &name(""), &[0, 1, 0, 6, 2, b'h', b'3', 2, b'h', b'2', 0, 3, 0, 2, 1, 187]].concat();
    assert_eq!(text(65, &https), "HTTPS 1 . alpn=h3,h2 port=443");
}

#[test]
fn answers_find_their_query_by_id_and_name_and_the_unanswered_are_said_at_the_end() {
    let steps = [
        up(query(1, "a.example", 1)),
        up(query(1, "b.example", 1)),
        up(query(2, "c.example", 1)),
        down(answer(1, "B.eXample", 1, &[(1, vec![192, 0, 2, 9])])),
        down(answer(9, "d.example", 1, &[])),
    ];
    let said: Vec<_> = udp(&steps).into_iter().map(|row| (row.query.unwrap_or_default(), row.rcode, row.rejected)).collect();
    let expected = [("b.example", Some(0), false), ("d.example", Some(0), true), ("a.example", None, false), ("c.example", None, false)];
    assert_eq!(said, expected.map(|(query, rcode, rejected)| (query.to_owned(), rcode, rejected)));
}

#[test]
fn a_flood_of_questions_is_said_and_not_kept() {
    let steps: Vec<_> = (0..500).map(|n| up(query(n, "x.example", 1))).collect();
    let ids: Vec<u16> = udp(&steps).iter().map(|row| row.trans_id).collect();
    assert_eq!(ids, (0..500).collect::<Vec<u16>>());
}

#[test]
fn pointers_that_lead_nowhere_end_the_name_not_the_program() {
    let mut looped = header(1, 0x0100, [1, 0, 0, 0]);
    looped.extend([3, b'a', b'b', b'c', 0xc0, 12, 0, 1, 0, 1]);
    let events = said(conn(Proto::Udp, 53), &[up(&looped)]);
    let [Event::Weird(weird), Event::Dns(row)] = &events[..] else { panic!("{events:?}") };
    assert_eq!((weird.name.as_str(), row.query.as_deref(), row.malformed), ("DNS_label_forward_compress_offset", Some("abc"), true));
}

#[test]
fn unprintable_bytes_and_dots_in_labels_are_escaped() {
    let mut odd = header(1, 0x0100, [1, 0, 0, 0]);
    odd.extend(b"\x04a.b\xff\x03com\0\0\x01\0\x01");
    assert_eq!(udp(&[up(&odd)])[0].query.as_deref(), Some("a\\x2eb\\xff.com"));
}

#[test]
fn netbios_names_are_decoded_and_registrations_name_their_host() {
    // "FRED" padded to fifteen, suffix 0x20, in letters A to P.
    let encoded: String =
        b"FRED           \x20".iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|half| char::from(b'A' + half)).collect();
    let mut registration = header(3, 0x2910, [1, 0, 0, 1]);
    registration.extend(name(&encoded));
    registration.extend([0, 32, 0, 1, 0xc0, 12, 0, 32, 0, 1, 0, 0, 1, 0, 0, 6, 0, 0, 192, 0, 2, 1]);
    let row = &rows(play(conn(Proto::Udp, 137), &[up(&registration)]).0)[0];
    assert_eq!((row.query.as_deref(), row.qtype_name.as_deref(), row.kind), (Some("FRED"), Some("NB"), "nbns"));
    assert_eq!(row.opcode_name, "netbios-registration");
    assert_eq!((row.nb_suffix, row.nb_group), (Some(0x20), Some(false)));
    assert_eq!(row.etld1, None);
}

#[test]
fn a_netbios_name_of_a_group_is_told_from_that_of_a_machine() {
    let encoded: String =
        b"CORP           \x1c".iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|half| char::from(b'A' + half)).collect();
    let mut response = header(4, 0x8580, [0, 1, 0, 0]);
    response.extend(name(&encoded));
    response.extend([0, 32, 0, 1, 0, 0, 1, 0, 0, 6, 0xe0, 0, 192, 0, 2, 9]);
    let row = &rows(play(conn(Proto::Udp, 137), &[down(&response)]).0)[0];
    assert_eq!((row.query.as_deref(), row.nb_suffix, row.nb_group), (Some("CORP"), Some(0x1c), Some(true)));
    assert_eq!(row.answers, ["192.0.2.9"]);
}

#[test]
fn mdns_questions_are_a_row_each_and_wait_for_nobody() {
    let mut message = header(0, 0, [2, 0, 0, 0]);
    for service in ["_http._tcp.local", "_ipp._tcp.local"] {
        message.extend(name(service));
        message.extend([0, 12, 0x80, 1]);
    }
    let rows = rows(play(conn(Proto::Udp, 5353), &[up(&message)]).0);
    let said: Vec<_> = rows.iter().map(|row| (row.query.as_deref().unwrap_or_default(), row.qclass, row.kind)).collect();
    assert_eq!(said, [("_http._tcp.local", Some(1), "mdns"), ("_ipp._tcp.local", Some(1), "mdns")]);
}

#[test]
fn dns_is_known_by_content_on_any_port_and_noise_on_port_53_is_not_dns() {
    let service = |port, bytes: &[u8]| play(conn(Proto::Udp, port), &[up(bytes)]).1;
    assert_eq!(service(9_999, &query(1, "x.example", 1)), "dns");
    assert_eq!(service(53, b"SSH-2.0-OpenSSH_9.6 over a port that firewalls leave open\r\n"), "");
    assert_eq!(service(9_999, &[0; 64]), "");
    assert_eq!(play(conn(Proto::Tcp, 53), &[up(b"\0\x40anything but a header and a question, in forty bytes and more of it")]).1, "");
}

#[test]
fn over_tcp_a_gap_costs_the_message_it_hits_and_no_more() {
    let steps = [
        up(framed(&query(1, "a.example", 1))),
        up(&framed(&query(2, "b.example", 1))[..10]),
        crate::dissect::testing::Step::Gap(crate::model::Dir::Orig, 19),
        up(framed(&query(3, "c.example", 1))),
    ];
    let ids: Vec<u16> = rows(play(conn(Proto::Tcp, 53), &steps).0).iter().map(|row| row.trans_id).collect();
    assert_eq!(ids, [1, 3]);
}

fn exchange() -> Vec<crate::dissect::testing::Step> {
    let one = [framed(&query(1, "a.example", 1)), framed(&query(2, "longer.name.example.org", 16))].concat();
    let two = [
        framed(&answer(2, "longer.name.example.org", 16, &[(16, b"\x03abc".to_vec())])),
        framed(&answer(1, "a.example", 1, &[(1, vec![1, 2, 3, 4])])),
    ];
    vec![up(one), down(two.concat())]
}

/// Rows without what depends on when their bytes came.
fn timeless(mut rows: Vec<Dns>) -> Vec<Dns> {
    for row in &mut rows {
        (row.rtt, row.query_frame, row.answer_frame) = (None, None, None);
    }
    rows
}

proptest! {
    #[test]
    fn any_cut_of_a_stream_gives_the_same_rows(sizes in proptest::collection::vec(1usize..40, 1..8)) {
        let whole = timeless(rows(play(conn(Proto::Tcp, 53), &exchange()).0));
        let pieces = timeless(rows(play(conn(Proto::Tcp, 53), &cut(&exchange(), &sizes)).0));
        prop_assert_eq!(whole, pieces);
    }

    #[test]
    fn any_bytes_are_survived(steps in proptest::collection::vec((any::<bool>(), proptest::collection::vec(any::<u8>(), 0..200)), 0..12), stream: bool) {
        let steps: Vec<_> = steps.into_iter().map(|(orig, bytes)| if orig { up(bytes) } else { down(bytes) }).collect();
        let proto = if stream { Proto::Tcp } else { Proto::Udp };
        let (events, _) = play(conn(proto, 53), &steps);
        prop_assert!(events.len() <= steps.len() * 16 + 8);
    }

    #[test]
    fn flipped_bytes_and_cut_off_ends_are_survived(at in 0usize..90, to: u8, keep in 0usize..90) {
        let records = [(16, b"\x05hello".to_vec()), (5, name("c.example")), (65, vec![0, 1, 0]), (6, vec![1, b'x', 0, 0])];
        let mut message = answer(1, "a.example", 255, &records);
        if let Some(byte) = message.get_mut(at) {
            *byte = to;
        }
        message.truncate(keep);
        let events = said(conn(Proto::Udp, 53), &[up(query(1, "a.example", 255)), down(message)]);
        prop_assert!(events.len() <= 4);
    }
}
