use super::*;
use crate::dissect::testing::{Step, conn, cut, down, play, said, up};
use crate::model::Event;
use crate::model::event::{Ldap, LdapSearch};
use proptest::prelude::*;

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let head = if length < 128 { vec![tag, length as u8] } else { vec![tag, 0x84, 0, 0, (length >> 8) as u8, length as u8] };
    [head, content.to_vec()].concat()
}

fn ldap(id: u8, tag: u8, parts: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x30, &[tlv(2, &[id]), tlv(tag, &parts.concat())].concat())
}

fn text(value: &str) -> Vec<u8> {
    tlv(4, value.as_bytes())
}

fn outcome(id: u8, tag: u8, code: u8, message: &str) -> Vec<u8> {
    ldap(id, tag, &[tlv(10, &[code]), text(""), text(message)])
}

fn bind(id: u8, name: &str, password: &str) -> Vec<u8> {
    ldap(id, op::BIND, &[tlv(2, &[3]), text(name), tlv(0x80, password.as_bytes())])
}

fn search(id: u8) -> Vec<u8> {
    let filter = tlv(0x87, b"servicePrincipalName");
    let numbers = [tlv(10, &[2]), tlv(10, &[0]), tlv(2, &[0]), tlv(2, &[0]), tlv(1, &[0])].concat();
    ldap(id, op::SEARCH, &[text("DC=example,DC=org"), numbers, filter, tlv(0x30, &[text("cn"), text("servicePrincipalName")].concat())])
}

fn entry(id: u8) -> Vec<u8> {
    ldap(id, op::ENTRY, &[text("CN=db,DC=example,DC=org"), tlv(0x30, &[])])
}

fn session() -> Vec<Step> {
    vec![
        up(bind(1, "cn=jane", "hunter2")),
        down(outcome(1, op::BIND_RESULT, 49, "80090308: data 52e")),
        up(bind(2, "cn=jane", "hunter3")),
        down(outcome(2, op::BIND_RESULT, 0, "")),
        up(search(3)),
        down([entry(3), entry(3)].concat()),
        down([entry(3), outcome(3, op::SEARCH_DONE, 0, "")].concat()),
        up(ldap(4, 0x66, &[text("cn=jane"), tlv(0x30, &tlv(0x30, &[tlv(10, &[0]), tlv(0x30, &text("member"))].concat()))])),
        down(outcome(4, 0x67, 50, "no")),
        up(ldap(5, op::UNBIND, &[])),
    ]
}

#[test]
fn a_session_is_recognised_by_any_of_its_messages() {
    let change = tlv(0x30, &tlv(0x30, &[tlv(10, &[0]), tlv(0x30, &text("member"))].concat()));
    let messages = [
        ldap(7, op::MODIFY, &[text("cn=jane"), change]),
        ldap(7, op::ADD, &[text("cn=jane,dc=example"), tlv(0x30, &[])]),
        tlv(0x30, &[tlv(2, &[7]), tlv(op::DELETE, b"cn=jane,dc=example")].concat()),
        ldap(7, op::RENAME, &[text("cn=jane"), text("cn=joan"), tlv(1, &[0xff])]),
        ldap(7, op::COMPARE, &[text("cn=jane"), tlv(0x30, &[text("sn"), text("doe")].concat())]),
        tlv(0x30, &[tlv(2, &[7]), tlv(op::ABANDON, &[6])].concat()),
        ldap(7, op::UNBIND, &[]),
        outcome(7, op::ADD_RESULT, 0, ""),
        outcome(7, op::COMPARE_RESULT, 6, ""),
    ];
    for message in messages {
        assert!(judge(&message, true) == Answer::Certain, "{message:02x?}");
    }
    // SNMP begins alike: a version, then a community.
    assert!(judge(&tlv(0x30, &[tlv(2, &[1]), text("public")].concat()), true) == Answer::NotForUs);
    assert!(judge(&tlv(0x30, &[tlv(2, &[7]), tlv(op::DELETE, b"\x00\x01")].concat()), true) == Answer::NotForUs);
}

fn operations(events: &[Event]) -> Vec<Ldap> {
    events.iter().filter_map(|event| if let Event::Ldap(row) = event { Some((**row).clone()) } else { None }).collect()
}

fn searches(events: &[Event]) -> Vec<LdapSearch> {
    events.iter().filter_map(|event| if let Event::LdapSearch(row) = event { Some((**row).clone()) } else { None }).collect()
}

#[test]
fn a_session_is_a_row_per_operation() {
    let (events, service) = play(conn(Proto::Tcp, 389), &session());
    let events: Vec<Event> = events.into_iter().map(|event| event.event).collect();
    let rows = operations(&events);
    let told: Vec<_> = rows.iter().map(|row| (row.opcode.as_deref().unwrap(), row.result.as_deref(), row.argument.as_deref())).collect();
    let expected = [
        ("bind simple", Some("invalid credentials"), Some("REDACTED")),
        ("bind simple", Some("success"), Some("REDACTED")),
        ("modify", Some("insufficient access rights"), Some("add member")),
        ("unbind", None, None),
    ];
    assert_eq!((told.as_slice(), service), (&expected[..], "ldap_tcp"));
    assert_eq!((rows[0].diagnostic_message.as_deref(), rows[0].bind_type), (Some("80090308: data 52e"), Some("simple")));
    let [search] = &searches(&events)[..] else { panic!("one search: {events:?}") };
    assert_eq!((search.filter.as_deref(), search.result_count, search.scope), (Some("(servicePrincipalName=*)"), 3, Some("tree")));
    assert_eq!(search.attributes, ["cn", "servicePrincipalName"]);
    let logins: Vec<_> = events.iter().filter_map(|event| if let Event::Credential(login) = event { Some(login) } else { None }).collect();
    assert_eq!(logins.iter().map(|login| login.success).collect::<Vec<_>>(), [Some(false), Some(true)]);
    assert_eq!((logins[0].secret_masked.as_str(), logins[0].user.as_deref(), logins[0].service), ("h*****", Some("cn=jane"), "ldap"));
}

#[test]
fn what_is_only_signed_is_read() {
    let wrap = |content: &[u8]| {
        let token = [&[5, 4, 4, 0xff, 0, 12, 0, 12, 0, 0, 0, 0, 0, 0, 0, 1][..], &[9; 12], content].concat();
        [&(token.len() as u32).to_be_bytes()[..], &token].concat()
    };
    let sasl = ldap(1, op::BIND, &[tlv(2, &[3]), text(""), tlv(0xa3, &text("GSS-SPNEGO"))]);
    let answer = wrap(&[entry(3), outcome(3, op::SEARCH_DONE, 0, "")].concat());
    let events = said(conn(Proto::Tcp, 389), &[up(sasl), down(outcome(1, op::BIND_RESULT, 0, "")), up(wrap(&search(3))), down(&answer)]);
    assert_eq!(operations(&events)[0].sasl_mech.as_deref(), Some("GSS-SPNEGO"));
    assert!(matches!(&searches(&events)[..], [row] if row.result_count == 1 && row.result_code == Some(0)), "{events:?}");
    // Begun before the capture, at home.
    assert_eq!(searches(&said(conn(Proto::Tcp, 389), &[down(&answer)])).len(), 1);
    let mut sealed = wrap(&search(3));
    sealed[6] |= 2;
    assert!(said(conn(Proto::Tcp, 389), &[up(&sealed)]).is_empty());
}

#[test]
fn datagrams_hold_entries_and_their_end() {
    let ask = ldap(
        1,
        op::SEARCH,
        &[text(""), [tlv(10, &[0]), tlv(10, &[0]), tlv(2, &[0]), tlv(2, &[0]), tlv(1, &[0])].concat(), tlv(0x87, b"x")],
    );
    let (events, service) = play(conn(Proto::Udp, 389), &[up(ask), down([entry(1), outcome(1, op::SEARCH_DONE, 0, "")].concat())]);
    assert!(matches!(&events[..], [event] if matches!(&event.event, Event::LdapSearch(row) if row.result_count == 1)), "{events:?}");
    assert_eq!(service, "ldap_udp");
}

#[test]
fn binds_without_a_password_are_told_apart() {
    let kinds: Vec<_> = [bind(1, "", ""), bind(1, "cn=jane", "")]
        .map(|bytes| operations(&said(conn(Proto::Tcp, 389), &[up(bytes)]))[0].bind_type)
        .into_iter()
        .collect();
    assert_eq!(kinds, [Some("anonymous"), Some("unauthenticated")]);
}

#[test]
fn start_tls_hands_the_flow_over() {
    let ask = ldap(1, op::EXTENDED, &[tlv(0x80, b"1.3.6.1.4.1.1466.20037")]);
    let hello = [&[22, 3, 1, 0, 49, 1, 0, 0, 45, 3, 3][..], &[7; 32], &[0, 0, 4, 0x13, 1, 0x13, 2, 1, 0]].concat();
    let (events, service) = play(conn(Proto::Tcp, 389), &[up(ask), down(outcome(1, op::EXTENDED_RESULT, 0, "")), up(hello)]);
    assert_eq!(service, "ldap_tcp,ssl");
    assert!(
        matches!(&events[0].event, Event::Ldap(row) if row.starttls && row.object.as_deref() == Some("1.3.6.1.4.1.1466.20037 (StartTLS)"))
    );
}

#[test]
fn answers_alone_and_a_loss_are_told_as_far_as_they_go() {
    let answers: Vec<Step> = session().into_iter().filter(|step| matches!(step, Step::Data(Dir::Resp, _))).collect();
    let events = said(conn(Proto::Tcp, 389), &answers);
    assert_eq!((operations(&events).len(), searches(&events)[0].result_count), (3, 3));
    let mut lossy = session();
    lossy[4] = Step::Gap(Dir::Orig, 100);
    let events = said(conn(Proto::Tcp, 389), &lossy);
    assert_eq!((operations(&events).len(), searches(&events)[0].filter.clone()), (4, None));
}

fn untimed(events: Vec<Event>) -> Vec<Event> {
    let strip = |mut event: Event| {
        match &mut event {
            Event::Ldap(row) => row.reply_frame = None,
            Event::LdapSearch(row) => row.reply_frame = None,
            _ => {}
        }
        event
    };
    events.into_iter().map(strip).collect()
}

proptest! {
    #[test]
    fn any_cut_of_a_stream_gives_the_same_rows(sizes in proptest::collection::vec(1usize..60, 1..6)) {
        prop_assert_eq!(untimed(said(conn(Proto::Tcp, 389), &session())), untimed(said(conn(Proto::Tcp, 389), &cut(&session(), &sizes))));
    }

    #[test]
    fn flips_cuts_and_gaps_are_survived(turn in 0usize..10, at in 0usize..90, to: u8, keep in 0usize..90, gap in 0usize..10, missing in 1u64..9_000) {
        let mut steps = session();
        let Step::Data(_, bytes) = &mut steps[turn] else { unreachable!() };
        bytes.truncate(keep);
        if let Some(byte) = bytes.get_mut(at) {
            *byte = to;
        }
        steps.insert(gap, Step::Gap(if to & 1 == 0 { Dir::Orig } else { Dir::Resp }, missing));
        prop_assert!(said(conn(Proto::Tcp, 389), &steps).len() <= 20);
        prop_assert!(said(conn(Proto::Udp, 389), &steps).len() <= 20);
    }
}
