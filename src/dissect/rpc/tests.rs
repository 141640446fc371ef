use super::*;
use crate::dissect::testing::{Step, conn, cut, down, play, said, up};
use crate::model::Event;
use proptest::prelude::*;

/// Four-byte words.
pub fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

/// Bytes behind their length, filled up.
pub fn opaque(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let bytes = bytes.as_ref();
    let mut out = words(&[bytes.len() as u32]);
    out.extend_from_slice(bytes);
    out.resize(out.len().next_multiple_of(4), 0);
    out
}

/// Credential of RFC 5531, appendix A.
pub fn sys(machine: &str, uid: u32, gid: u32) -> Vec<u8> {
    let body = [words(&[77]), opaque(machine), words(&[uid, gid, 2, 4, 24])].concat();
    [words(&[1]), opaque(body)].concat()
}

/// A call with its credential, without a verifier.
pub fn call(xid: u32, (program, version, procedure): (u32, u32, u32), credential: &[u8], args: &[u8]) -> Vec<u8> {
    [&words(&[xid, 0, 2, program, version, procedure]), credential, &words(&[0, 0]), args].concat()
}

/// A call that was carried out.
pub fn reply(xid: u32, results: &[u8]) -> Vec<u8> {
    [&words(&[xid, 1, 0, 0, 0, 0]), results].concat()
}

/// A message as one fragment.
pub fn record(message: &[u8]) -> Vec<u8> {
    fragments(message, message.len())
}

/// A message in fragments of so many bytes.
pub fn fragments(message: &[u8], piece: usize) -> Vec<u8> {
    let pieces: Vec<&[u8]> = message.chunks(piece.max(1)).collect();
    let last = pieces.len().saturating_sub(1);
    let mark = |at: usize| if at == last { 0x8000_0000u32 } else { 0 };
    pieces.iter().enumerate().flat_map(|(at, piece)| [words(&[mark(at) | piece.len() as u32]), piece.to_vec()].concat()).collect()
}

fn rows(events: impl IntoIterator<Item = Event>) -> Vec<Rpc> {
    events.into_iter().filter_map(|event| if let Event::Rpc(row) = event { Some(*row) } else { None }).collect()
}

const MAPPER: u32 = programs::PORTMAPPER;

#[test]
fn a_port_is_asked_for_and_answered() {
    let steps = [
        up(call(1, (MAPPER, 2, 3), &words(&[0, 0]), &words(&[100_003, 3, 6, 0]))),
        down(reply(1, &words(&[2_049]))),
        up(call(2, (MAPPER, 4, 3), &words(&[0, 0]), &[words(&[100_005, 3]), opaque("udp6"), opaque("::1.0.111"), opaque("")].concat())),
        down(reply(2, &opaque("::.78.80"))),
        up(call(3, (MAPPER, 2, 4), &words(&[0, 0]), &[])),
        down(reply(3, &words(&[1, 100_000, 2, 17, 111, 1, 100_021, 4, 6, 4_045, 0]))),
    ];
    let (events, service) = play(conn(Proto::Udp, 111), &steps);
    let rows = rows(events.into_iter().map(|event| event.event));
    assert_eq!(service, "portmapper");
    let [port, address, dump] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!(
        (port.asked_name, port.asked_version, port.asked_proto.as_deref(), port.port),
        (Some("nfs"), Some(3), Some("tcp"), Some(2_049))
    );
    assert_eq!(
        (port.call.status, port.call.auth.as_deref(), port.call.rtt, port.call.reply_frame),
        (Some("RPC_SUCCESS"), Some("AUTH_NONE"), Some(0.001), Some(2))
    );
    assert_eq!((address.address.as_deref(), address.port, address.asked_proto.as_deref()), (Some("::.78.80"), Some(20_048), Some("udp6")));
    assert_eq!(dump.entries, ["portmapper 2 udp 111", "nlockmgr 4 tcp 4045"]);
}

#[test]
fn a_directory_is_mounted_by_a_machine_that_names_itself() {
    let caller = sys("client", 0, 0);
    let steps = [
        up(record(&call(1, (programs::MOUNT, 3, 1), &caller, &opaque("/srv/data")))),
        down(record(&reply(1, &[words(&[0]), opaque([7; 28]), words(&[1, 1])].concat()))),
        up(record(&call(2, (programs::MOUNT, 3, 1), &caller, &opaque("/srv/secret")))),
        down(record(&reply(2, &words(&[13])))),
        up(record(&call(3, (programs::MOUNT, 3, 5), &caller, &[]))),
        down(record(&reply(3, &[words(&[1]), opaque("/srv/data"), words(&[1]), opaque("192.0.2.0/24"), words(&[0, 0])].concat()))),
    ];
    let (events, service) = play(conn(Proto::Tcp, 20_048), &steps);
    let rows = rows(events.into_iter().map(|event| event.event));
    let told: Vec<_> = rows.iter().map(|row| (row.path.as_deref(), row.status.as_deref(), row.call.machine_name.as_deref())).collect();
    assert_eq!(service, "mount");
    assert_eq!(
        told,
        [
            (Some("/srv/data"), Some("MNT3_OK"), Some("client")),
            (Some("/srv/secret"), Some("MNT3ERR_ACCES"), Some("client")),
            (None, None, Some("client"))
        ]
    );
    assert_eq!((rows[2].entries.as_slice(), rows[0].file_handle.is_some()), (&["/srv/data 192.0.2.0/24".to_owned()][..], true));
}

#[test]
fn calls_of_other_programs_and_refusals_have_rows() {
    let steps = [
        up(call(1, (100_232, 10, 1), &sys("box", 0, 1), b"\0\0\0\0")),
        down(words(&[1, 1, 0, 0, 0, 1])),
        up(call(2, (0x2000_0099, 1, 5), &words(&[0, 0]), &[])),
        down(words(&[2, 1, 1, 1, 5])),
    ];
    let (events, service) = play(conn(Proto::Udp, 32_771), &steps);
    let told: Vec<_> =
        rows(events.into_iter().map(|event| event.event)).into_iter().map(|row| (row.program, row.procedure, row.call.status)).collect();
    assert_eq!(service, "rpc");
    assert_eq!(
        told,
        [(Some("sadmind"), Some("proc-1".into()), Some("RPC_PROG_UNAVAIL")), (None, Some("proc-5".into()), Some("RPC_AUTH_ERROR"))]
    );
}

#[test]
fn replies_alone_are_one_row_at_home() {
    let steps: Vec<Step> = (0..100).map(|n| down(record(&reply(n, &words(&[0]))))).collect();
    let (events, service) = play(conn(Proto::Tcp, 2_049), &steps);
    let rows = rows(events.into_iter().map(|event| event.event));
    assert_eq!((service, rows.len(), rows[0].messages, rows[0].program_number), ("rpc", 1, 100, None));
}

#[test]
fn the_middle_of_a_stream_is_recognised_at_home() {
    let steps = [
        up([&[1u8, 2, 3, 0x80][..], &record(&call(9, (programs::MOUNT, 3, 1), &sys("a", 0, 0), &opaque("/x")))].concat()),
        down(record(&reply(9, &words(&[13])))),
    ];
    assert_eq!(rows(said(conn(Proto::Tcp, 2_049), &steps)).len(), 1);
    assert_eq!(play(conn(Proto::Tcp, 8_080), &steps[..1]).1, "");
}

#[test]
fn a_call_asked_twice_is_one_row_and_many_without_a_reply_are_bounded() {
    let ask = |xid| up(call(xid, (MAPPER, 2, 0), &words(&[0, 0]), &[]));
    assert_eq!(rows(said(conn(Proto::Udp, 111), &[ask(1), ask(1), down(reply(1, &[])), down(reply(1, &[]))])).len(), 1);
    let mut session = Session::new(&conn(Proto::Udp, 111));
    let mut out = Out::new(conn(Proto::Udp, 111));
    for xid in 0..2_000 {
        session.message(Dir::Orig, &call(xid, (MAPPER, 2, 0), &words(&[0, 0]), &[]), (1, 1), &mut out);
        assert!(session.waiting.len() <= CALLS_MAX);
    }
    session.end(&mut out);
    assert_eq!(out.events.len(), 2_000);
}

proptest! {
    #[test]
    fn segments_and_fragments_change_nothing(sizes in proptest::collection::vec(1usize..90, 1..6), piece in 1usize..200) {
        let caller = sys("client", 0, 0);
        let talk = |piece: usize| vec![
            up(fragments(&call(1, (programs::MOUNT, 3, 1), &caller, &opaque("/srv/data")), piece)),
            down(fragments(&reply(1, &words(&[13])), piece)),
        ];
        let plain = |steps: &[Step]| rows(said(conn(Proto::Tcp, 2_049), steps)).into_iter().map(|row| (row.path, row.status)).collect::<Vec<_>>();
        prop_assert_eq!(plain(&cut(&talk(piece.max(30)), &sizes)), plain(&talk(1_000)));
    }
}
