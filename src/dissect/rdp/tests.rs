use super::*;
use crate::dissect::testing::{Step, conn, cut, down, play, said, up};
use proptest::prelude::*;

fn tpkt(content: &[u8]) -> Vec<u8> {
    [&[3, 0][..], &((content.len() + 4) as u16).to_be_bytes(), content].concat()
}

/// A connection request with a cookie, asking for TLS and CredSSP.
fn request(cookie: &str) -> Vec<u8> {
    let variable = [cookie.as_bytes(), &[1, 0, 8, 0, 3, 0, 0, 0]].concat();
    tpkt(&[&[(variable.len() + 6) as u8, 0xe0, 0, 0, 0, 0, 0][..], &variable].concat())
}

fn confirm(kind: u8, number: u8) -> Vec<u8> {
    tpkt(&[14, 0xd0, 0, 0, 0x12, 0x34, 0, kind, 0, 8, 0, number, 0, 0, 0])
}

fn wide(text: &str, bytes: usize) -> Vec<u8> {
    let mut out: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    out.resize(bytes, 0);
    out
}

fn block(kind: u16, body: &[u8]) -> Vec<u8> {
    [&kind.to_le_bytes()[..], &((body.len() + 4) as u16).to_le_bytes(), body].concat()
}

fn connect_initial() -> Vec<u8> {
    let core = [
        &[4, 0, 8, 0][..],
        &1_920u16.to_le_bytes(),
        &1_080u16.to_le_bytes(),
        &[1, 0xca, 3, 0xaa],
        &1_033u32.to_le_bytes(),
        &7_601u32.to_le_bytes(),
        &wide("DESK", 32),
        &[0; 12],
        &[0; 64],
        &[1, 0xca, 1, 0, 0, 0, 0, 0],
        &[16, 0, 7, 0, 2, 0],
        &wide("product-1", 64),
    ];
    let net = [&2u32.to_le_bytes()[..], b"rdpdr\0\0\0\0\0\0\0", b"MS_T120\0\0\0\0\0"].concat();
    let blocks = [block(0xc001, &core.concat()), block(0xc003, &net)].concat();
    let length = [0x80 | (blocks.len() >> 8) as u8, blocks.len() as u8];
    tpkt(&[&[2, 0xf0, 0x80, 0x7f, 0x65, 0x82, 1, 0, 4, 1, 1][..], b"Duca", &length, &blocks].concat())
}

fn connect_response() -> Vec<u8> {
    let security = block(0x0c02, &[2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 9, 0, 0, 0, 1, 2, 3, 4, 1, 0, 0, 0, 5]);
    tpkt(&[&[2, 0xf0, 0x80, 0x7f, 0x66, 0x40, 0x0a, 1, 0, 2, 1, 0][..], b"McDn", &[security.len() as u8], &security].concat())
}

fn hello(kind: u8) -> Vec<u8> {
    let tail: &[u8] = if kind == 1 { &[0, 0, 2, 0x13, 1, 1, 0] } else { &[0, 0x13, 1, 0] };
    let body = [&[3, 3][..], &[7; 32], tail].concat();
    [&[22, 3, 3, 0, (body.len() + 4) as u8, kind, 0, 0, body.len() as u8], &body[..]].concat()
}

fn data(length: u16) -> Vec<u8> {
    [&[23, 3, 3][..], &length.to_be_bytes(), &vec![0xee; usize::from(length)]].concat()
}

/// A session over TLS with this many records each way.
fn encrypted(up_records: usize, down_records: usize) -> Vec<Step> {
    let mut steps = vec![up(request("Cookie: mstshash=jane\r\n")), down(confirm(2, 2)), up(hello(1)), down(hello(2))];
    for n in 0..up_records.max(down_records) {
        steps.extend((n < up_records).then(|| up(data(90))));
        steps.extend((n < down_records).then(|| down(data(300))));
    }
    steps.push(Step::Fin(Dir::Resp));
    steps
}

fn native() -> Vec<Step> {
    let licence = tpkt(&[2, 0xf0, 0x80, 0x68, 0, 1, 3, 0xeb, 0x70, 0x14, 0x80, 0, 0, 0, 2, 3, 9, 0]);
    let input = tpkt(&[2, 0xf0, 0x80, 0x64, 0, 1, 3, 0xeb, 0x70, 4, 1, 2, 3, 4]);
    vec![
        up(request("Cookie: mstshash=CORP\\jane\r\n")),
        down(confirm(2, 0)),
        up(connect_initial()),
        down(connect_response()),
        up(&input),
        down(licence),
        up([&input[..], &[0x44, 6, 1, 2, 3, 4]].concat()),
    ]
}

fn row(steps: &[Step]) -> Rdp {
    let events = said(conn(Proto::Tcp, 3_389), steps);
    let rows: Vec<_> = events.iter().filter_map(|event| if let Event::Rdp(row) = event { Some(row) } else { None }).collect();
    assert_eq!(rows.len(), 1, "one connection, one row: {events:?}");
    (**rows[0]).clone()
}

#[test]
fn a_native_session_introduces_itself() {
    let row = row(&native());
    assert_eq!((row.cookie.as_deref(), row.result.as_deref()), (Some("CORP\\\\jane"), Some("Success")));
    assert_eq!((row.security_protocol.as_deref(), row.client_channels.join(" ")), (Some("RDP"), "rdpdr MS_T120".to_owned()));
    assert_eq!((row.client_name.as_deref(), row.client_build.as_deref()), (Some("DESK"), Some("RDP 7.1")));
    assert_eq!((row.keyboard_layout.as_deref(), row.requested_color_depth.as_deref()), (Some("English - United States"), Some("32bit")));
    assert_eq!(
        (row.desktop_width, row.desktop_height, row.client_dig_product_id.as_deref()),
        (Some(1_920), Some(1_080), Some("product-1"))
    );
    assert_eq!((row.encryption_level.as_deref(), row.encryption_method.as_deref()), (Some("High"), Some("128bit")));
    assert_eq!((row.cert_type, row.cert_count, row.cert_permanent), (Some("RSA"), 1, Some(true)));
    assert_eq!((row.licence_seen, row.input_pkts, row.requested_protocols), (true, 3, Some(3)));
}

#[test]
fn the_shape_of_a_session_tells_the_outcome_of_credssp() {
    for (client, server, outcome) in [(3, 2, Some(false)), (30, 40, Some(true)), (8, 8, None), (0, 0, None)] {
        let row = row(&encrypted(client, server));
        assert_eq!((row.auth_success, row.result.as_deref()), (outcome, Some("encrypted")), "{client} {server}: {}", row.auth_evidence);
        assert_eq!((row.security_protocol.as_deref(), row.cookie.as_deref()), (Some("HYBRID"), Some("jane")));
    }
    let mut open = encrypted(3, 2);
    open.pop();
    assert_eq!(row(&open).auth_success, None, "its end was not seen");
}

#[test]
fn tls_inside_is_told_too() {
    let (events, service) = play(conn(Proto::Tcp, 3_389), &encrypted(5, 5));
    assert_eq!(service, "rdp,ssl");
    assert!(events.iter().any(|event| matches!(&event.event, Event::Tls(row) if row.cipher.is_some())), "{events:?}");
}

#[test]
fn a_refusal_a_token_and_one_side_are_told_as_they_are() {
    assert_eq!(row(&[up(request("")), down(confirm(3, 5))]).result.as_deref(), Some("HYBRID_REQUIRED_BY_SERVER"));
    let routed = row(&[up(request("Cookie: msts=3640205228.15629.0000\r\n"))]);
    assert_eq!((routed.routing_token.as_deref(), routed.cookie.as_deref()), (Some("Cookie: msts=3640205228.15629.0000"), Some("")));
    assert_eq!(row(&[down(confirm(2, 1))]).security_protocol.as_deref(), Some("SSL"));
}

proptest! {
    #[test]
    fn any_cut_of_a_stream_gives_the_same_row(sizes in proptest::collection::vec(1usize..90, 1..6)) {
        for steps in [native(), encrypted(20, 20)] {
            prop_assert_eq!(row(&steps), row(&cut(&steps, &sizes)));
        }
    }

    #[test]
    fn flips_cuts_and_gaps_are_survived(native_one: bool, turn in 0usize..7, at in 0usize..300, to: u8, keep in 0usize..300, gap in 0usize..7, missing in 1u64..9_000) {
        let mut steps = if native_one { native() } else { encrypted(9, 9) };
        let Step::Data(_, bytes) = &mut steps[turn] else { unreachable!() };
        bytes.truncate(keep);
        if let Some(byte) = bytes.get_mut(at) {
            *byte = to;
        }
        steps.insert(gap, Step::Gap(if to & 1 == 0 { Dir::Orig } else { Dir::Resp }, missing));
        prop_assert!(said(conn(Proto::Tcp, 3_389), &steps).len() <= 20);
    }
}
