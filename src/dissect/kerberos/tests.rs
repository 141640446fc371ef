use super::*;
use crate::dissect::testing::{Step, conn, cut, down, play, said, up};
use proptest::prelude::*;

/// An element.
fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let head = if length < 128 { vec![tag, length as u8] } else { vec![tag, 0x82, (length >> 8) as u8, length as u8] };
    [head, content.to_vec()].concat()
}

fn seq(parts: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

/// An element behind explicit tag `n`.
fn field(n: u8, element: &[u8]) -> Vec<u8> {
    tlv(0xa0 | n, element)
}

fn int(value: i32) -> Vec<u8> {
    tlv(2, &value.to_be_bytes())
}

fn small(value: u8) -> Vec<u8> {
    tlv(2, &[value])
}

fn name(kind: u8, parts: &[&str]) -> Vec<u8> {
    let parts: Vec<_> = parts.iter().map(|part| tlv(27, part.as_bytes())).collect();
    seq(&[field(0, &small(kind)), field(1, &seq(&parts))])
}

fn sealed(etype: u8, bytes: &[u8]) -> Vec<u8> {
    seq(&[field(0, &small(etype)), field(1, &small(2)), field(2, &tlv(4, bytes))])
}

fn ticket(service: &[&str], etype: u8) -> Vec<u8> {
    let fields =
        [field(0, &small(5)), field(1, &tlv(27, b"EXAMPLE.ORG")), field(2, &name(2, service)), field(3, &sealed(etype, &[7; 200]))];
    tlv(0x61, &seq(&fields))
}

fn padata(kind: u8, value: &[u8]) -> Vec<u8> {
    seq(&[field(1, &small(kind)), field(2, &tlv(4, value))])
}

fn request(kind: u8, user: Option<&str>, service: &[&str], etypes: &[u8], padata: &[Vec<u8>]) -> Vec<u8> {
    let etypes: Vec<_> = etypes.iter().map(|&etype| small(etype)).collect();
    let mut body = vec![field(0, &tlv(3, &[0, 0x40, 0x81, 0, 0x10]))];
    body.extend(user.map(|user| field(1, &name(1, &[user]))));
    body.extend([
        field(2, &tlv(27, b"EXAMPLE.ORG")),
        field(3, &name(2, service)),
        field(5, &tlv(24, b"20370913024805Z")),
        field(7, &int(77 + padata.concat().len() as i32)),
        field(8, &seq(&etypes)),
        field(9, &seq(&[seq(&[field(0, &small(20)), field(1, &tlv(4, b"DESK            "))])])),
    ]);
    tlv(kind, &seq(&[field(1, &small(5)), field(2, &small(kind & 0x1f)), field(3, &seq(padata)), field(4, &seq(&body))]))
}

fn grant(kind: u8, service: &[&str], etype: u8) -> Vec<u8> {
    let fields = [
        field(0, &small(5)),
        field(1, &small(kind & 0x1f)),
        field(3, &tlv(27, b"EXAMPLE.ORG")),
        field(4, &name(1, &["jane"])),
        field(5, &ticket(service, etype)),
        field(6, &sealed(18, &[9; 99])),
    ];
    tlv(kind, &seq(&fields))
}

fn refusal(code: u8) -> Vec<u8> {
    let fields = [
        field(0, &small(5)),
        field(1, &small(30)),
        field(4, &tlv(24, b"20260101000000Z")),
        field(5, &int(1)),
        field(6, &small(code)),
        field(9, &tlv(27, b"EXAMPLE.ORG")),
        field(10, &name(2, &["krbtgt", "EXAMPLE.ORG"])),
    ];
    tlv(0x7e, &seq(&fields))
}

fn framed(message: &[u8]) -> Vec<u8> {
    [&(message.len() as u32).to_be_bytes()[..], message].concat()
}

fn ap_request() -> Vec<u8> {
    let fields = [
        field(0, &small(5)),
        field(1, &small(14)),
        field(2, &tlv(3, &[0, 0x20, 0, 0, 0])),
        field(3, &ticket(&["cifs", "files.example.org"], 23)),
        field(4, &sealed(23, &[1; 50])),
    ];
    tlv(0x6e, &seq(&fields))
}

fn rows(events: &[Event]) -> Vec<Kerberos> {
    events.iter().filter_map(|event| if let Event::Kerberos(row) = event { Some((**row).clone()) } else { None }).collect()
}

const TGT: [&str; 2] = ["krbtgt", "EXAMPLE.ORG"];

/// Asked without proof, refused; asked with it, granted; a service ticket in RC4.
fn logon() -> Vec<Step> {
    vec![
        up(framed(&request(0x6a, Some("jane"), &TGT, &[18, 23], &[padata(128, &[1])]))),
        down(framed(&refusal(25))),
        up(framed(&request(0x6a, Some("jane"), &TGT, &[18, 23], &[padata(2, &[1; 60])]))),
        down(framed(&grant(0x6b, &TGT, 18))),
        up(framed(&request(0x6c, None, &["MSSQLSvc", "db.example.org:1433"], &[23], &[padata(1, &ap_request())]))),
        down(framed(&grant(0x6d, &["MSSQLSvc", "db.example.org:1433"], 23))),
    ]
}

#[test]
fn a_logon_is_a_row_per_exchange() {
    let (events, service) = play(conn(Proto::Tcp, 88), &logon());
    let rows = rows(&events.into_iter().map(|event| event.event).collect::<Vec<_>>());
    let told: Vec<_> = rows.iter().map(|row| (row.request_type, row.client.as_deref(), row.success, row.error_msg.as_deref())).collect();
    let jane = Some("jane/EXAMPLE.ORG");
    assert_eq!(
        told,
        [("AS", jane, Some(false), Some("KDC_ERR_PREAUTH_REQUIRED")), ("AS", jane, Some(true), None), ("TGS", jane, Some(true), None)]
    );
    assert_eq!((service, rows[0].preauth, rows[1].preauth, rows[2].preauth), ("krb_tcp", Some(false), Some(true), None));
    let roast = &rows[2];
    assert_eq!((roast.service.as_deref(), roast.cipher.as_deref()), (Some("MSSQLSvc/db.example.org:1433"), Some("rc4-hmac")));
    assert_eq!((roast.ticket_etype, roast.reply_etype, roast.auth_ticket_etype, roast.kvno), (Some(23), Some(18), Some(23), Some(2)));
    assert_eq!((roast.etypes_offered.as_slice(), roast.pa_types.as_slice()), (&[23][..], &[1][..]));
    assert_eq!((roast.forwardable, roast.renewable, roast.till), (Some(true), Some(true), Some(2_136_422_885_000_000_000)));
    assert_eq!((roast.client_addrs.join(" "), roast.auth_ticket.is_some(), roast.sname_type), ("DESK".to_owned(), true, Some(2)));
    assert_eq!((rows[0].kdc_options, rows[0].error_code), (Some(0x4081_0010), Some(25)));
}

#[test]
fn datagrams_repeat_themselves_without_another_row() {
    let ask = request(0x6a, Some("jane"), &TGT, &[18], &[]);
    let (events, service) = play(conn(Proto::Udp, 88), &[up(&ask), up(&ask), down(refusal(6))]);
    let [event] = &events[..] else { panic!("one row: {events:?}") };
    assert!(matches!(&event.event, Event::Kerberos(row) if row.error_code == Some(6) && row.reply_frame == Some(3)), "{event:?}");
    assert_eq!((event.frame, service), (1, "krb"));
}

#[test]
fn one_side_alone_is_told_as_far_as_it_goes() {
    let asks: Vec<Step> = logon().into_iter().step_by(2).collect();
    assert_eq!(rows(&said(conn(Proto::Tcp, 88), &asks)).iter().filter(|row| row.success.is_none()).count(), 3);
    let answers: Vec<Step> = logon().into_iter().skip(1).step_by(2).collect();
    let told = rows(&said(conn(Proto::Tcp, 88), &answers));
    assert_eq!(told.iter().map(|row| row.request_type).collect::<Vec<_>>(), ["", "AS", "TGS"]);
    assert_eq!(told[1].client.as_deref(), Some("jane/EXAMPLE.ORG"));
}

#[test]
fn after_a_loss_the_next_whole_message_is_read() {
    let mut steps = logon();
    let Step::Data(_, bytes) = &mut steps[2] else { unreachable!() };
    bytes.truncate(60);
    steps.insert(3, Step::Gap(Dir::Orig, 100));
    let told = rows(&said(conn(Proto::Tcp, 88), &steps));
    assert_eq!(told.iter().map(|row| row.success).collect::<Vec<_>>(), [Some(false), Some(true), Some(true)]);
}

#[test]
fn tokens_of_other_protocols_show_their_ticket() {
    let oid = tlv(6, MECHANISMS[0]);
    let framed = tlv(0x60, &[&oid[..], &[1, 0], &ap_request()].concat());
    for bytes in [framed, ap_request()] {
        let Some(Token::Request(mut row)) = token(&bytes) else { panic!("a request") };
        assert_eq!((row.request_type, row.client.as_deref()), ("AP", Some("/EXAMPLE.ORG")));
        assert_eq!((row.service.as_deref(), row.cipher.as_deref()), (Some("cifs/files.example.org"), Some("rc4-hmac")));
        let reply = token(&tlv(0x6f, &seq(&[field(0, &small(5)), field(1, &small(15)), field(2, &sealed(23, &[1]))]))).unwrap();
        answered(&mut row, &reply, 9);
        assert_eq!((row.success, row.reply_frame), (Some(true), Some(9)));
    }
    assert!(matches!(token(&refusal(41)), Some(Token::Error(row)) if row.error_code == Some(41)));
    assert!(token(b"NTLMSSP\0").is_none());
}

#[test]
fn certificates_of_pkinit_name_their_owner() {
    let signed = seq(&[small(3), tlv(0x31, b""), seq(&[]), tlv(0xa0, &seq(&[seq(&[]), seq(&[]), tlv(3, &[0])]))]);
    let content = seq(&[tlv(6, &[42]), field(0, &signed)]);
    let value = seq(&[tlv(0x80, &content)]);
    let events = said(conn(Proto::Udp, 88), &[up(request(0x6a, Some("jane"), &TGT, &[18], &[padata(16, &value)]))]);
    let [Event::X509(certificate), Event::Kerberos(row)] = &events[..] else { panic!("{events:?}") };
    assert!(certificate.client_cert && row.client_cert_fuid.as_deref() == Some(certificate.fingerprint.as_str()));
}

#[test]
fn an_error_of_a_number_alone_is_one() {
    let bytes = tlv(0x7e, &seq(&[field(6, &small(25))]));
    let told = rows(&said(conn(Proto::Udp, 88), &[down(bytes)]));
    assert!(matches!(&told[..], [row] if row.error_msg.as_deref() == Some("KDC_ERR_PREAUTH_REQUIRED") && row.client.is_none()), "{told:?}");
}

proptest! {
    #[test]
    fn any_cut_of_a_stream_gives_the_same_rows(sizes in proptest::collection::vec(1usize..90, 1..6)) {
        let untimed = |steps: &[Step]| {
            let mut rows = rows(&said(conn(Proto::Tcp, 88), steps));
            rows.iter_mut().for_each(|row| row.reply_frame = None);
            rows
        };
        prop_assert_eq!(untimed(&logon()), untimed(&cut(&logon(), &sizes)));
    }

    #[test]
    fn flips_cuts_and_gaps_are_survived(turn in 0usize..6, at in 0usize..500, to: u8, keep in 0usize..500, gap in 0usize..6, missing in 1u64..9_000) {
        let mut steps = logon();
        let Step::Data(_, bytes) = &mut steps[turn] else { unreachable!() };
        bytes.truncate(keep);
        if let Some(byte) = bytes.get_mut(at) {
            *byte = to;
        }
        steps.insert(gap, Step::Gap(if to & 1 == 0 { Dir::Orig } else { Dir::Resp }, missing));
        prop_assert!(said(conn(Proto::Tcp, 88), &steps).len() <= 8);
        let udp: Vec<Step> = logon().into_iter().map(|step| if let Step::Data(dir, bytes) = step { Step::Data(dir, bytes[4..bytes.len().min(4 + keep)].to_vec()) } else { step }).collect();
        prop_assert!(said(conn(Proto::Udp, 88), &udp).len() <= 6);
    }
}
