use super::stub::{strings, target, zero_credential};
use crate::dissect::ntlm::tests::{authenticate, challenge, negotiate, nt_v2, wide};
use crate::dissect::testing::{Step, conn, cut, down, play, up};
use crate::model::windows::DceRpc;
use crate::model::{AppEvent, Dir, Event, Proto};
use proptest::prelude::*;

const SVCCTL: [u8; 16] = [0x81, 0xbb, 0x7a, 0x36, 0x44, 0x98, 0xf1, 0x35, 0xad, 0x32, 0x98, 0xf0, 0x38, 0, 0x10, 3];
const NETLOGON: [u8; 16] = [0x78, 0x56, 0x34, 0x12, 0x34, 0x12, 0xcd, 0xab, 0xef, 0, 1, 0x23, 0x45, 0x67, 0xcf, 0xfb];

/// A PDU of this type, with a security token if there is one.
pub fn pdu(kind: u8, flags: u8, call: u32, body: &[u8], auth: Option<(u8, u8, &[u8])>) -> Vec<u8> {
    let trailer = auth.map_or(Vec::new(), |(service, level, token)| [&[service, level, 0, 0, 0, 0, 0, 0], token].concat());
    let auth_len = auth.map_or(0, |(.., token)| token.len()) as u16;
    let len = (16 + body.len() + trailer.len()) as u16;
    [&[5, 0, kind, flags, 0x10, 0, 0, 0], &len.to_le_bytes()[..], &auth_len.to_le_bytes(), &call.to_le_bytes(), body, &trailer].concat()
}

/// A bind of one interface as context 0.
pub fn bind(uuid: &[u8; 16]) -> Vec<u8> {
    pdu(11, 3, 1, &bind_body(uuid), None)
}

fn bind_body(uuid: &[u8; 16]) -> Vec<u8> {
    [&[0xb8, 0x10, 0xb8, 0x10, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0][..], uuid, &[2, 0, 0, 0], &[0; 20]].concat()
}

/// Its answer, from this port or pipe.
pub fn bind_ack(address: &str) -> Vec<u8> {
    let mut body = vec![0xb8, 0x10, 0xb8, 0x10, 1, 0, 0, 0];
    body.extend((address.len() as u16 + 1).to_le_bytes());
    body.extend(address.as_bytes());
    body.push(0);
    pdu(12, 3, 1, &body, None)
}

/// A call in context 0.
pub fn request(call: u32, opnum: u16, stub: &[u8]) -> Vec<u8> {
    pdu(0, 3, call, &[&[0; 6], &opnum.to_le_bytes()[..], stub].concat(), None)
}

/// Its result.
pub fn response(call: u32, stub: &[u8]) -> Vec<u8> {
    pdu(2, 3, call, &[&[0; 8], stub].concat(), None)
}

/// A string as NDR sends it: room, offset, count, letters, padding.
pub fn ndr(text: &str) -> Vec<u8> {
    let letters = wide(&format!("{text}\0"));
    let count = (letters.len() as u32 / 2).to_le_bytes();
    let mut bytes = [&count[..], &[0; 4], &count, &letters].concat();
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// NetrServerAuthenticate3's arguments.
fn authenticate3(credential: [u8; 8]) -> Vec<u8> {
    let unpadded = |text: &str| {
        let letters = wide(&format!("{text}\0"));
        let count = (letters.len() as u32 / 2).to_le_bytes();
        [&count[..], &[0; 4], &count, &letters].concat()
    };
    let mut stub = [&[0, 0, 2, 0][..], &ndr("\\\\DC"), &unpadded("DC$")].concat();
    stub.extend(6u16.to_le_bytes());
    stub.resize(stub.len().next_multiple_of(4), 0);
    stub.extend(unpadded("ATTACKER"));
    stub.extend(credential);
    stub
}

fn rows(events: &[AppEvent]) -> Vec<&DceRpc> {
    events.iter().filter_map(|event| if let Event::DceRpc(row) = &event.event { Some(&**row) } else { None }).collect()
}

fn service_creation() -> Vec<Step> {
    let stub = [&[0; 20][..], &ndr("EvilSvc"), &ndr("%COMSPEC% /Q /c echo hi"), &[0; 8]].concat();
    vec![
        up(bind(&SVCCTL)),
        down(bind_ack("\\PIPE\\svcctl")),
        up(request(2, 12, &stub)),
        down(response(2, &[&[1; 24][..], &[0; 4]].concat())),
    ]
}

#[test]
fn a_call_has_its_names_its_sizes_its_status_and_its_texts() {
    let (events, service) = play(conn(Proto::Tcp, 49_700), &service_creation());
    let rows = rows(&events);
    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!((row.endpoint.as_deref(), row.operation.as_deref()), (Some("svcctl"), Some("CreateServiceW")));
    assert_eq!(row.named_pipe.as_deref(), Some("\\\\PIPE\\\\svcctl"));
    assert_eq!(row.iface_uuid.as_deref(), Some("367abb81-9844-35f1-ad32-98f038001003"));
    assert_eq!((row.opnum, row.resp_stub_len, row.resp_status, row.rtt), (Some(12), Some(28), Some(0), Some(0.001)));
    assert_eq!(row.req_strings, ["EvilSvc", "%COMSPEC% /Q /c echo hi"]);
    assert_eq!((row.zero_credential, row.over, service), (None, "tcp", "dce_rpc"));
}

#[test]
fn an_all_zero_credential_is_seen_and_another_is_not() {
    assert_eq!(zero_credential(26, &authenticate3([0; 8])), Some(true));
    assert_eq!(zero_credential(26, &authenticate3([0, 0, 0, 0, 0, 0, 0, 1])), Some(false));
    let whole = authenticate3([0; 8]);
    assert_eq!(zero_credential(26, &whole[..whole.len() - 1]), None, "cut off");
    assert_eq!(zero_credential(45, &whole), None, "another call");
    let challenge = [&[0, 0, 2, 0][..], &ndr("\\\\DC"), &ndr("ATTACK"), &[0; 8]].concat();
    // The computer's name is padded only by what follows: "ATTACK" with its zero ends at a multiple of two.
    let unpadded: Vec<u8> = [&challenge[..challenge.len() - 10], &[0; 8]].concat();
    assert_eq!(zero_credential(4, &unpadded), Some(true));
    let steps =
        [up(bind(&NETLOGON)), down(bind_ack("49670")), up(request(2, 26, &authenticate3([0; 8]))), down(response(2, &[0x22, 0, 0, 0xc0]))];
    let (events, _) = play(conn(Proto::Tcp, 49_670), &steps);
    let row = rows(&events)[0];
    assert_eq!(
        (row.operation.as_deref(), row.zero_credential, row.resp_status),
        (Some("NetrServerAuthenticate3"), Some(true), Some(0xc000_0022))
    );
    assert_eq!(row.target_name_in_stub.as_deref(), Some("\\\\\\\\DC"));
}

#[test]
fn sealed_calls_keep_their_numbers_and_nothing_is_read_into_them() {
    let token = [7; 16];
    let steps = [
        up(pdu(11, 3, 1, &bind_body(&SVCCTL), Some((10, 6, &negotiate())))),
        down(pdu(12, 3, 1, &[0xb8, 0x10, 0xb8, 0x10, 1, 0, 0, 0, 0, 0], Some((10, 6, &challenge())))),
        up(pdu(16, 3, 1, &[0; 4], Some((10, 6, &authenticate("D", "u", "h", &[0; 24], &nt_v2()))))),
        up(pdu(0, 3, 2, &[&[0; 6], &12u16.to_le_bytes()[..], &wide("letters that are not there")].concat(), Some((10, 6, &token)))),
        down(pdu(2, 3, 2, &[0; 40], Some((10, 6, &token)))),
    ];
    let (events, service) = play(conn(Proto::Tcp, 49_700), &steps);
    let row = rows(&events)[0];
    assert_eq!((row.operation.as_deref(), row.auth_type, row.auth_level), (Some("CreateServiceW"), Some(10), Some(6)));
    assert_eq!((row.resp_status, row.req_strings.len(), row.req_stub_len), (None, 0, Some(52)));
    assert_eq!(service, "dce_rpc,ntlm");
    let logins: Vec<_> = events.iter().filter_map(|event| if let Event::Ntlm(row) = &event.event { Some(row) } else { None }).collect();
    assert_eq!((logins.len(), logins[0].over, logins[0].username.as_deref()), (1, "dce_rpc", Some("u")));
}

#[test]
fn fragments_make_one_call() {
    let part = |flags, stub: &[u8]| pdu(0, flags, 5, &[&[0; 6], &1u16.to_le_bytes()[..], stub].concat(), None);
    let steps = [
        up(bind(&SVCCTL)),
        up([part(1, &wide("\\\\ho")), part(0, &wide("st\\")), part(2, &wide("share"))].concat()),
        down([pdu(2, 1, 5, &[0; 108], None), pdu(2, 2, 5, &[&[0; 8][..], &[5, 0, 0, 0]].concat(), None)].concat()),
    ];
    let (events, _) = play(conn(Proto::Tcp, 49_700), &steps);
    let rows = rows(&events);
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].req_stub_len, rows[0].resp_stub_len, rows[0].resp_status), (Some(24), Some(104), Some(5)));
    assert_eq!(rows[0].target_name_in_stub.as_deref(), Some("\\\\\\\\host\\\\share"));
}

#[test]
fn one_side_alone_and_a_start_in_the_middle_still_tell_calls() {
    let mut steps = service_creation();
    steps.retain(|step| matches!(step, Step::Data(Dir::Orig, _)));
    let (events, _) = play(conn(Proto::Tcp, 49_700), &steps);
    assert_eq!(rows(&events)[0].operation.as_deref(), Some("CreateServiceW"));
    let (events, service) = play(conn(Proto::Tcp, 49_700), &service_creation()[2..]);
    let row = rows(&events)[0];
    assert_eq!((row.opnum, row.endpoint.as_deref(), row.resp_status, service), (Some(12), None, Some(0), "dce_rpc"));
}

#[test]
fn a_fault_is_told_with_its_code() {
    let mut steps = service_creation();
    steps[3] = down(pdu(3, 3, 2, &[0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0], None));
    let (events, _) = play(conn(Proto::Tcp, 49_700), &steps);
    assert_eq!((rows(&events)[0].fault, rows(&events)[0].resp_stub_len), (Some(5), None));
}

#[test]
fn texts_are_runs_of_letters_and_a_target_begins_with_two_backslashes() {
    let stub = [&[1, 0, 2, 0][..], &wide("abc"), &[0, 0], &wide("ab\\c d"), &[0, 0], &wide("\\\\10.0.0.1\\x")].concat();
    let found = strings(&stub);
    assert_eq!(found, ["ab\\\\c d", "\\\\\\\\10.0.0.1\\\\x"]);
    assert_eq!(target(&found).as_deref(), Some("\\\\\\\\10.0.0.1\\\\x"));
    assert_eq!(strings(b"\x01\x02cmd.exe /c whoami\x00"), ["cmd.exe /c whoami"]);
}

#[test]
fn after_a_loss_calls_are_told_again() {
    let mut steps = service_creation();
    steps.insert(2, Step::Gap(Dir::Orig, 5_000));
    steps.insert(2, up(&request(9, 1, &[0; 50])[..30]));
    let (events, _) = play(conn(Proto::Tcp, 49_700), &steps);
    assert!(rows(&events).iter().any(|row| row.operation.as_deref() == Some("CreateServiceW") && row.resp_status == Some(0)));
}

proptest! {
    #[test]
    fn segments_make_no_difference(sizes in proptest::collection::vec(1usize..50, 1..6)) {
        let whole = play(conn(Proto::Tcp, 49_700), &service_creation());
        let pieces = play(conn(Proto::Tcp, 49_700), &cut(&service_creation(), &sizes));
        let told = |events: &[AppEvent]| rows(events).into_iter().map(|row| (row.operation.clone(), row.req_strings.clone(), row.resp_status)).collect::<Vec<_>>();
        prop_assert_eq!(told(&whole.0), told(&pieces.0));
        prop_assert_eq!(whole.1, pieces.1);
    }

    #[test]
    fn flips_losses_and_any_order_are_survived(
        sizes in proptest::collection::vec(1usize..60, 1..6),
        flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>()), 0..6),
        gaps in proptest::collection::vec((any::<prop::sample::Index>(), 1u64..200, any::<bool>()), 0..4),
    ) {
        let mut steps = cut(&service_creation(), &sizes);
        for (step, at, flip) in flips {
            let step = step.index(steps.len());
            if let Step::Data(_, bytes) = &mut steps[step] {
                let at = at.index(bytes.len());
                bytes[at] ^= flip;
            }
        }
        for (at, missing, orig) in gaps {
            steps.insert(at.index(steps.len()), Step::Gap(if orig { Dir::Orig } else { Dir::Resp }, missing));
        }
        let (events, _) = play(conn(Proto::Tcp, 49_700), &steps);
        prop_assert!(rows(&events).len() <= 10);
    }
}
