use crate::dissect::dce_rpc::tests::{bind, bind_ack, ndr, request, response};
use crate::dissect::ntlm::tests::{authenticate, challenge, negotiate, nt_v2, wide};
use crate::dissect::testing::{Step, conn, cut, down, play, up};
use crate::model::windows::{SmbCmd, SmbFile, SmbMapping};
use crate::model::{AppEvent, Dir, Event, Proto, event};
use proptest::prelude::*;

const SESSION: u64 = 0x0000_1000_0000_0005;
const TREE: u32 = 7;
const SVCCTL: [u8; 16] = [0x81, 0xbb, 0x7a, 0x36, 0x44, 0x98, 0xf1, 0x35, 0xad, 0x32, 0x98, 0xf0, 0x38, 0, 0x10, 3];

/// A NetBIOS session message.
fn session(message: &[u8]) -> Vec<u8> {
    [&(message.len() as u32).to_be_bytes()[..], message].concat()
}

fn smb2(command: u16, mid: u64, status: u32, response: bool, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0xfe, b'S', b'M', b'B', 64, 0, 1, 0];
    bytes.extend(status.to_le_bytes());
    bytes.extend(command.to_le_bytes());
    bytes.extend([1, 0]);
    bytes.extend(u32::from(response).to_le_bytes());
    bytes.extend([0; 4]);
    bytes.extend(mid.to_le_bytes());
    bytes.extend([0xff, 0xfe, 0, 0]);
    bytes.extend(TREE.to_le_bytes());
    bytes.extend(SESSION.to_le_bytes());
    bytes.extend([0; 16]);
    bytes.extend(body);
    bytes
}

fn ask(command: u16, mid: u64, body: &[u8]) -> Step {
    up(session(&smb2(command, mid, 0, false, body)))
}

fn reply(command: u16, mid: u64, status: u32, body: &[u8]) -> Step {
    down(session(&smb2(command, mid, status, true, body)))
}

/// A body whose buffer follows it; its offset and length stand at `at`.
fn with_buffer(fixed: usize, at: usize, buffer: &[u8]) -> Vec<u8> {
    let mut body = vec![0; fixed];
    body[at..at + 2].copy_from_slice(&(64 + fixed as u16).to_le_bytes());
    body[at + 2..at + 4].copy_from_slice(&(buffer.len() as u16).to_le_bytes());
    [body, buffer.to_vec()].concat()
}

fn put32(body: &mut [u8], at: usize, number: u32) {
    body[at..at + 4].copy_from_slice(&number.to_le_bytes());
}

fn create(name: &str, options: u32) -> Vec<u8> {
    let mut body = with_buffer(56, 44, &wide(name));
    put32(&mut body, 24, 0x0012_019f);
    put32(&mut body, 36, 5);
    put32(&mut body, 40, options);
    body
}

fn created(id: u8, size: u64) -> Vec<u8> {
    let mut body = vec![0; 88];
    for (at, seconds) in [(8, 0i64), (16, 1), (24, 2), (32, 3)] {
        body[at..at + 8].copy_from_slice(&(116_444_736_000_000_000 + (1_700_000_000 + seconds) * 10_000_000).to_le_bytes());
    }
    body[48..56].copy_from_slice(&size.to_le_bytes());
    body[64..80].copy_from_slice(&[id; 16]);
    body
}

fn on_file(length: usize, at: usize, id: u8) -> Vec<u8> {
    let mut body = vec![0; length];
    body[at..at + 16].copy_from_slice(&[id; 16]);
    body
}

fn write(id: u8, offset: u64, data: &[u8]) -> Vec<u8> {
    let mut body = on_file(48, 16, id);
    body[2..4].copy_from_slice(&112u16.to_le_bytes());
    put32(&mut body, 4, data.len() as u32);
    body[8..16].copy_from_slice(&offset.to_le_bytes());
    [body, data.to_vec()].concat()
}

fn read(id: u8, offset: u64) -> Vec<u8> {
    let mut body = on_file(49, 16, id);
    put32(&mut body, 4, 1 << 20);
    body[8..16].copy_from_slice(&offset.to_le_bytes());
    body
}

fn read_reply(data: &[u8]) -> Vec<u8> {
    let mut body = vec![0; 16];
    body[2] = 80;
    put32(&mut body, 4, data.len() as u32);
    [body, data.to_vec()].concat()
}

/// Negotiation, login as EXAMPLE\jane, connection to a share.
fn begin(share: &str, share_type: u8) -> Vec<Step> {
    let mut dialect = vec![0; 64];
    dialect[2] = 3;
    dialect[4..6].copy_from_slice(&0x0210u16.to_le_bytes());
    let answer = authenticate("EXAMPLE", "jane", "PC-1", &[0; 24], &nt_v2());
    let mut token = with_buffer(8, 4, &challenge());
    token[0] = 9;
    let mut connected = vec![0; 16];
    connected[2] = share_type;
    vec![
        ask(0, 0, &[0; 40]),
        reply(0, 0, 0, &dialect),
        ask(1, 1, &with_buffer(24, 12, &negotiate())),
        reply(1, 1, 0xc000_0016, &token),
        ask(1, 2, &with_buffer(24, 12, &answer)),
        reply(1, 2, 0, &[9, 0, 0, 0, 0, 0, 0, 0]),
        ask(3, 3, &with_buffer(8, 4, &wide(share))),
        reply(3, 3, 0, &connected),
    ]
}

/// A document written to a share in pieces, renamed, read back and deleted.
fn copy() -> Vec<Step> {
    let document: Vec<u8> = [b"%PDF-1.7\n".to_vec(), (0..39_993u32).map(|n| (n * 7 % 253) as u8).collect()].concat();
    let rename = {
        let name = wide("tools\\b.exe");
        let mut info = vec![0; 20];
        put32(&mut info, 16, name.len() as u32);
        let info = [info, name].concat();
        let mut body = on_file(32, 16, 1);
        (body[2], body[3]) = (1, 10);
        put32(&mut body, 4, info.len() as u32);
        body[8..10].copy_from_slice(&96u16.to_le_bytes());
        [body, info].concat()
    };
    let delete = {
        let mut body = on_file(32, 16, 2);
        (body[2], body[3]) = (1, 13);
        put32(&mut body, 4, 1);
        body[8..10].copy_from_slice(&96u16.to_le_bytes());
        [body, vec![1]].concat()
    };
    let mut steps = begin("\\\\srv\\C$", 1);
    steps.extend([
        ask(5, 4, &create("tools\\a.exe", 0)),
        reply(5, 4, 0, &created(1, 0)),
        ask(9, 5, &write(1, 0, &document[..30_000])),
        reply(9, 5, 0, &[0; 16]),
        ask(9, 6, &write(1, 30_000, &document[30_000..])),
        reply(9, 6, 0, &[0; 16]),
        ask(17, 7, &rename),
        reply(17, 7, 0, &[0; 2]),
        ask(6, 8, &on_file(24, 8, 1)),
        reply(6, 8, 0, &[0; 60]),
        ask(5, 9, &create("tools\\b.exe", 0x1000)),
        reply(5, 9, 0, &created(2, document.len() as u64)),
        ask(8, 10, &read(2, 0)),
        reply(8, 10, 0x103, &[0; 8]),
        reply(8, 10, 0, &read_reply(&document)),
        ask(17, 11, &delete),
        reply(17, 11, 0, &[0; 2]),
        ask(6, 12, &on_file(24, 8, 2)),
        reply(6, 12, 0, &[0; 60]),
        ask(5, 13, &create("gone", 0)),
        reply(5, 13, 0xc000_0034, &[0; 8]),
    ]);
    steps
}

fn told<'a, T>(events: &'a [AppEvent], pick: impl Fn(&'a Event) -> Option<&'a T>) -> Vec<&'a T> {
    events.iter().filter_map(|event| pick(&event.event)).collect()
}

fn files(events: &[AppEvent]) -> Vec<&SmbFile> {
    told(events, |event| if let Event::SmbFile(row) = event { Some(&**row) } else { None })
}

fn commands(events: &[AppEvent]) -> Vec<&SmbCmd> {
    told(events, |event| if let Event::SmbCmd(row) = event { Some(&**row) } else { None })
}

fn mappings(events: &[AppEvent]) -> Vec<&SmbMapping> {
    told(events, |event| if let Event::SmbMapping(row) = event { Some(&**row) } else { None })
}

fn contents(events: &[AppEvent]) -> Vec<&event::File> {
    told(events, |event| if let Event::File(row) = event { Some(&**row) } else { None })
}

#[test]
fn a_copied_document_is_seen_opened_renamed_read_and_deleted_by_whom() {
    let (events, service) = play(conn(Proto::Tcp, 445), &copy());
    assert_eq!(service, "smb,ntlm");
    let mapping = mappings(&events)[0];
    assert_eq!((mapping.path.as_deref(), mapping.share_type.as_deref()), (Some("\\\\\\\\srv\\\\C$"), Some("DISK")));
    assert_eq!((mapping.dialect.as_deref(), mapping.user.as_deref()), (Some("2.1"), Some("EXAMPLE\\\\jane")));
    assert_eq!((mapping.status.as_deref(), mapping.signing_required), (Some("SUCCESS"), Some(true)));
    let files = files(&events);
    let brief: Vec<_> = files.iter().map(|row| (row.action, row.name.as_deref().unwrap_or(""), row.read_bytes, row.write_bytes)).collect();
    assert_eq!(
        brief,
        [
            ("SMB::FILE_RENAME", "tools\\\\b.exe", 0, 0),
            ("SMB::FILE_OPEN", "tools\\\\b.exe", 0, 40_002),
            ("SMB::FILE_DELETE", "tools\\\\b.exe", 0, 0),
            ("SMB::FILE_OPEN", "tools\\\\b.exe", 40_002, 0),
        ]
    );
    assert_eq!(files[0].prev_name.as_deref(), Some("tools\\\\a.exe"));
    assert_eq!(files[1].mime_type.as_deref(), Some("application/pdf"));
    assert!(files[1].entropy_write.is_some_and(|entropy| entropy > 7.0) && files[1].entropy_read.is_none());
    assert_eq!((files[3].delete_on_close, files[3].size, files[3].disposition), (true, 40_002, Some("OVERWRITE_IF")));
    assert_eq!(files[3].modified, Some(1_700_000_002_000_000_000));
    let contents = contents(&events);
    assert_eq!(contents.len(), 2);
    assert!(contents[0].is_orig && !contents[1].is_orig && contents[1].complete);
    assert!(contents[0].sha256.is_some() && contents[0].sha256 == contents[1].sha256, "written and read back");
    assert_eq!((contents[1].source, contents[1].total_bytes, contents[1].seen_bytes), ("SMB", Some(40_002), 40_002));
}

#[test]
fn commands_have_their_answers_and_refusals_their_names() {
    let (events, _) = play(conn(Proto::Tcp, 445), &copy());
    let rows = commands(&events);
    let names: Vec<_> = rows.iter().map(|row| row.command.as_str()).collect();
    assert_eq!(names[..5], ["NEGOTIATE_PROTOCOL", "SESSION_SETUP", "TREE_CONNECT", "CREATE", "WRITE"]);
    let last = rows[rows.len() - 1];
    assert_eq!((last.status.as_deref(), last.file_name.as_deref(), last.rtt), (Some("OBJECT_NAME_NOT_FOUND"), Some("gone"), Some(0.001)));
    assert!(rows.iter().skip(2).all(|row| row.username.as_deref() == Some("EXAMPLE\\\\jane")));
    let read = rows.iter().find(|row| row.command == "READ").expect("a read");
    assert_eq!((read.bytes, read.rtt), (Some(40_002), Some(0.002)));
}

#[test]
fn a_pipe_hands_its_bytes_to_the_calls_on_it() {
    let stub = [&[0; 20][..], &ndr("PSEXESVC"), &ndr("%SystemRoot%\\PSEXESVC.exe"), &[0; 8]].concat();
    let mut steps = begin("\\\\srv\\IPC$", 2);
    let transceive = |input: &[u8]| {
        let mut body = on_file(56, 8, 3);
        put32(&mut body, 4, 0x0011_c017);
        put32(&mut body, 24, 120);
        put32(&mut body, 28, input.len() as u32);
        [body, input.to_vec()].concat()
    };
    let transceived = |output: &[u8]| {
        let mut body = on_file(48, 8, 3);
        put32(&mut body, 4, 0x0011_c017);
        put32(&mut body, 32, 112);
        put32(&mut body, 36, output.len() as u32);
        [body, output.to_vec()].concat()
    };
    steps.extend([
        ask(5, 4, &create("svcctl", 0)),
        reply(5, 4, 0, &created(3, 0)),
        ask(9, 5, &write(3, 0, &bind(&SVCCTL))),
        reply(9, 5, 0, &[0; 16]),
        ask(8, 6, &read(3, 0)),
        reply(8, 6, 0, &read_reply(&bind_ack("\\PIPE\\svcctl"))),
        ask(11, 7, &transceive(&request(2, 12, &stub))),
        reply(11, 7, 0, &transceived(&response(2, &[0; 28]))),
        ask(6, 8, &on_file(24, 8, 3)),
        reply(6, 8, 0, &[0; 60]),
    ]);
    let (events, service) = play(conn(Proto::Tcp, 445), &steps);
    let calls = told(&events, |event| if let Event::DceRpc(row) = event { Some(&**row) } else { None });
    assert_eq!(calls.len(), 1);
    assert_eq!((calls[0].operation.as_deref(), calls[0].over, calls[0].resp_status), (Some("CreateServiceW"), "smb", Some(0)));
    assert_eq!(calls[0].req_strings, ["PSEXESVC", "%SystemRoot%\\\\PSEXESVC.exe"]);
    let pipe = files(&events)[0];
    assert_eq!((pipe.action, pipe.is_pipe, pipe.reads, pipe.writes), ("SMB::PIPE_OPEN", true, 2, 2));
    assert_eq!((service, contents(&events).len()), ("smb,ntlm,dce_rpc", 0));
}

#[test]
fn a_refused_login_is_told_with_its_reason() {
    let mut steps = begin("\\\\srv\\C$", 1);
    steps.truncate(5);
    steps.push(reply(1, 2, 0xc000_006d, &[9, 0, 0, 0, 0, 0, 0, 0]));
    let (events, _) = play(conn(Proto::Tcp, 445), &steps);
    let logins = told(&events, |event| if let Event::Ntlm(row) = event { Some(&**row) } else { None });
    assert_eq!((logins.len(), logins[0].success, logins[0].status.as_deref()), (1, Some(false), Some("LOGON_FAILURE")));
}

#[test]
fn one_side_alone_tells_what_it_can() {
    let only = |dir| copy().into_iter().filter(|step| matches!(step, Step::Data(of, _) if *of == dir)).collect::<Vec<_>>();
    let (events, service) = play(conn(Proto::Tcp, 445), &only(Dir::Orig));
    assert_eq!((service, mappings(&events)[0].path.as_deref()), ("smb,ntlm", Some("\\\\\\\\srv\\\\C$")));
    assert!(files(&events).iter().any(|row| row.name.as_deref() == Some("tools\\\\a.exe")));
    assert!(contents(&events).iter().any(|file| file.is_orig && file.sha256.is_some()), "what was written is there");
    let (events, service) = play(conn(Proto::Tcp, 445), &only(Dir::Resp));
    assert_eq!(service, "smb,ntlm");
    assert!(commands(&events).iter().any(|row| row.command == "CREATE" && row.status.as_deref() == Some("OBJECT_NAME_NOT_FOUND")));
}

#[test]
fn encryption_is_summed_up_and_compression_shows_its_claims() {
    let transform = |session_id: u64, len: usize| {
        let mut header = vec![0xfd, b'S', b'M', b'B'];
        header.resize(44, 0);
        header.extend(session_id.to_le_bytes());
        header.resize(52 + len, 0xaa);
        up(session(&header))
    };
    let mut compressed = vec![0xfc, b'S', b'M', b'B'];
    for number in [0xffff_ffffu32, 1, 0x10] {
        compressed.extend(number.to_le_bytes());
    }
    compressed.resize(40, 0);
    let (events, service) = play(conn(Proto::Tcp, 445), &[transform(5, 1_000), transform(5, 20_000), up(session(&compressed))]);
    let rows = commands(&events);
    let bomb = rows.iter().find(|row| row.command == "COMPRESSED").expect("a compression header");
    assert_eq!((bomb.comp_original_size, bomb.comp_algorithm, bomb.comp_offset), (Some(u32::MAX), Some(1), Some(16)));
    let sum = rows.iter().find(|row| row.command == "TRANSFORM").expect("a sum");
    assert_eq!((sum.messages, sum.bytes, sum.session_id, sum.encrypted, service), (Some(2), Some(21_000), Some(5), true, "smb"));
}

fn smb1(command: u8, mid: u16, status: u32, response: bool, words: &[u8], bytes: &[u8]) -> Vec<u8> {
    let mut message = vec![0xff, b'S', b'M', b'B', command];
    message.extend(status.to_le_bytes());
    message.push(if response { 0x88 } else { 0x08 });
    message.extend(0x4001u16.to_le_bytes());
    message.extend([0; 12]);
    for number in [8u16, 100, 2_048, mid] {
        message.extend(number.to_le_bytes());
    }
    message.push((words.len() / 2) as u8);
    message.extend(words);
    message.extend((bytes.len() as u16).to_le_bytes());
    message.extend(bytes);
    session(&message)
}

fn trans2(function: u16, total: u16) -> Vec<u8> {
    let mut words = vec![0; 30];
    words[2..4].copy_from_slice(&total.to_le_bytes());
    words[26] = 1;
    words[28..30].copy_from_slice(&function.to_le_bytes());
    words
}

#[test]
fn an_implant_that_answers_under_another_number_is_seen() {
    let steps = [up(smb1(0x32, 65, 0, false, &trans2(0x0e, 4_096), &[0; 12])), down(smb1(0x32, 81, 0xc000_0002, true, &[], &[]))];
    let (events, _) = play(conn(Proto::Tcp, 445), &steps);
    let rows = commands(&events);
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].sub_command.as_deref(), rows[0].mid, rows[0].resp_mid), (Some("SESSION_SETUP"), Some(65), Some(81)));
    assert_eq!((rows[0].status.as_deref(), rows[0].trans_total), (Some("NOT_IMPLEMENTED"), Some(4_096)));
}

#[test]
fn a_login_of_old_shows_its_user_and_what_was_said_to_it() {
    let mut words = vec![0; 26];
    words[0] = 0xff;
    words[14] = 24;
    words[16] = 24;
    let bytes = [&[1; 24][..], &[2; 24], b"guest\0WORKGROUP\0Unix\0Samba\0"].concat();
    let mut dialect = [0; 34];
    dialect[2] = 3;
    let steps = [
        up(smb1(0x72, 1, 0, false, &[], b"\x02PC NETWORK PROGRAM 1.0\0\x02NT LM 0.12\0")),
        down(smb1(0x72, 1, 0, true, &[&[1, 0][..], &dialect[2..]].concat(), &[0xa1; 8])),
        up(smb1(0x73, 2, 0, false, &words, &bytes)),
        down(smb1(0x73, 2, 0xc000_006d, true, &[], &[])),
    ];
    let (events, service) = play(conn(Proto::Tcp, 139), &steps);
    let logins = told(&events, |event| if let Event::Ntlm(row) = event { Some(&**row) } else { None });
    let [row] = logins.as_slice() else { panic!("{events:?}") };
    assert_eq!((row.username.as_deref(), row.domainname.as_deref(), row.ntlm_version), (Some("guest"), Some("WORKGROUP"), Some(1)));
    assert_eq!((row.lm_response, row.server_challenge.as_deref(), row.success), (true, Some("a1a1a1a1a1a1a1a1"), Some(false)));
    assert_eq!((commands(&events)[0].argument.as_deref(), service), (Some("NT LM 0.12"), "smb,ntlm"));
}

#[test]
fn an_oversized_transaction_shows_the_size_it_claims() {
    let mut words = vec![0; 38];
    words[7..11].copy_from_slice(&66_512u32.to_le_bytes());
    words[27..31].copy_from_slice(&4u32.to_le_bytes());
    words[31..35].copy_from_slice(&(32 + 1 + 38 + 2u32).to_le_bytes());
    let (events, _) = play(conn(Proto::Tcp, 445), &[up(smb1(0xa0, 64, 0, false, &words, &0x0001_0000u32.to_le_bytes()))]);
    assert_eq!((commands(&events)[0].trans_total, commands(&events)[0].fea_size), (Some(66_512), Some(65_536)));
}

#[test]
fn a_flow_joined_in_the_middle_of_a_write_is_read_from_the_next_message() {
    let steps = copy();
    let (events, service) = play(conn(Proto::Tcp, 445), &[&[up(vec![0xab; 700])], &steps[8..]].concat());
    assert_eq!(service, "smb");
    assert!(files(&events).iter().any(|row| row.name.as_deref() == Some("tools\\\\b.exe") && row.path.is_none()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn segments_make_no_difference(sizes in proptest::collection::vec(1usize..3_000, 1..6)) {
        let whole = play(conn(Proto::Tcp, 445), &copy());
        let pieces = play(conn(Proto::Tcp, 445), &cut(&copy(), &sizes));
        let brief = |events: &[AppEvent]| {
            let files = files(events).into_iter().map(|row| (row.action, row.name.clone(), row.write_bytes)).collect::<Vec<_>>();
            let sums = contents(events).into_iter().map(|file| file.sha256.clone()).collect::<Vec<_>>();
            (files, sums, commands(events).len())
        };
        prop_assert_eq!(brief(&whole.0), brief(&pieces.0));
    }

    #[test]
    fn flips_losses_and_any_order_are_survived(
        sizes in proptest::collection::vec(1usize..3_000, 1..6),
        flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>()), 0..8),
        gaps in proptest::collection::vec((any::<prop::sample::Index>(), 1u64..5_000, any::<bool>()), 0..4),
        swap: Option<(prop::sample::Index, prop::sample::Index)>,
    ) {
        let mut steps = cut(&copy(), &sizes);
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
        if let Some((a, b)) = swap {
            let (a, b) = (a.index(steps.len()), b.index(steps.len()));
            steps.swap(a, b);
        }
        let (events, _) = play(conn(Proto::Tcp, 445), &steps);
        prop_assert!(events.len() < 100);
    }
}
