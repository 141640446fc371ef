use crate::dissect::{Chunk, Conversation, Dissector, Out, Protocol};
use crate::model::event::{Credential, Imap, Pop3, Telnet};
use crate::model::{AppEvent, Conn, Dir, Event, FlowId, Proto};
use proptest::prelude::*;

use super::{rlogin, telnet};
use crate::dissect::mail::{imap, pop3, smtp};
use crate::dissect::redis;

fn conn(resp_p: u16) -> Conn {
    let host = |last| std::net::IpAddr::from([192, 0, 2, last]);
    Conn { flow: FlowId::new(1, 0), orig_h: host(1), orig_p: 40_000, resp_h: host(2), resp_p, proto: Proto::Tcp }
}

type Turns = Vec<(Dir, Vec<u8>)>;

/// Turns from `(">" or "<", bytes)`.
fn turns(said: &[(&str, &[u8])]) -> Turns {
    said.iter().map(|(dir, bytes)| (if *dir == ">" { Dir::Orig } else { Dir::Resp }, bytes.to_vec())).collect()
}

/// Turns from lines that begin with `> ` or `< `.
fn lines(text: &str) -> Turns {
    let turn = |line: &str| {
        let (dir, rest) = line.trim_start().split_at(2);
        (if dir == "> " { Dir::Orig } else { Dir::Resp }, format!("{rest}\r\n").into_bytes())
    };
    text.lines().filter(|line| !line.trim().is_empty()).map(turn).collect()
}

fn run(turns: &Turns, resp_p: u16, mut step: impl FnMut() -> usize) -> (Vec<AppEvent>, &'static str) {
    let mut events = Vec::new();
    let mut conversation = Conversation::new(conn(resp_p));
    for (dir, bytes) in turns {
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let (part, after) = rest.split_at(step().clamp(1, rest.len()));
            conversation.data(&Chunk { dir: *dir, bytes: part, cut: 0, frame: 1, ts_ns: 1 }, &mut events);
            rest = after;
        }
    }
    conversation.end(&mut events);
    (events, conversation.service())
}

fn credentials(events: &[AppEvent]) -> impl Iterator<Item = &Credential> {
    events.iter().filter_map(|event| if let Event::Credential(found) = &event.event { Some(&**found) } else { None })
}

/// The service and `user/secret/outcome` of each login.
fn logins(turns: &Turns, resp_p: u16) -> (&'static str, Vec<String>) {
    let (events, service) = run(turns, resp_p, || usize::MAX);
    let said = credentials(&events).map(|found| {
        assert_eq!(found.service, service);
        let outcome = found.success.map_or("unknown", |good| if good { "accepted" } else { "refused" });
        format!("{}/{}/{outcome}", found.user.as_deref().unwrap_or("-"), found.secret)
    });
    (service, said.collect())
}

fn telnet_session() -> Turns {
    turns(&[
        ("<", b"\xff\xfd\x18\xff\xfd\x20"),
        (">", b"\xff\xfb\x18\xff\xfc\x20"),
        ("<", b"\xff\xfa\x18\x01\xff\xf0Router\r\n\r\nlogin: "),
        (">", b"r"),
        ("<", b"r"),
        (">", b"ox\x7fot\r\n"),
        ("<", b"oot\r\nPassword: "),
        (">", b"xc3511\r\x00"),
        ("<", b"\r\nLogin incorrect\r\nlogin: "),
        (">", b"admin\r\n"),
        ("<", b"admin\r\nPassword: "),
        (">", b"admin\r\n"),
        ("<", b"\r\nLast login: Mon Jan 1 on tty1\r\nadmin@box:~$ "),
        (">", b"id\r\n"),
        ("<", b"id\r\nuid=0\r\n# "),
    ])
}

#[test]
fn telnet_logins_are_read_key_by_key() {
    assert_eq!(logins(&telnet_session(), 2_300), ("telnet", vec!["root/xc3511/refused".into(), "admin/admin/accepted".into()]));
}

#[test]
fn telnet_bots_that_type_ahead_are_understood() {
    let said = turns(&[
        ("<", b"\xff\xfb\x01"),
        (">", b"root\r\n888888\r\n"),
        ("<", b"Username:"),
        ("<", b" root\r\nPassword:"),
        ("<", b"\r\nUsername:"),
        (">", b"guest\r\n"),
        ("<", b"Password:"),
        (">", b"\r\n"),
        ("<", b"\r\nBusyBox v1.0\r\n# "),
        (">", b"enable\r\n"),
    ]);
    assert_eq!(logins(&said, 23), ("telnet", vec!["root/888888/refused".into(), "guest//accepted".into()]));
}

#[test]
fn telnet_without_negotiation_is_known_at_home_only() {
    let said = turns(&[("<", b"login: "), (">", b"a\r\n"), ("<", b"password: "), (">", b"b\r\n"), ("<", b"\r\n> "), (">", b"x")]);
    assert_eq!(logins(&said, 23), ("telnet", vec!["a/b/accepted".into()]));
    assert_eq!(logins(&said, 7_777), ("", vec![]));
}

fn lines_typed(turns: &Turns, resp_p: u16) -> Vec<Telnet> {
    let (events, _) = run(turns, resp_p, || usize::MAX);
    events.into_iter().filter_map(|event| if let Event::Telnet(row) = event.event { Some(*row) } else { None }).collect()
}

#[test]
fn what_is_typed_in_a_shell_is_told_with_how_the_answer_begins() {
    let rows = lines_typed(&telnet_session(), 23);
    assert_eq!(rows.len(), 1);
    let row = &rows[0];
    assert_eq!((row.service, row.seq, row.user.as_deref(), row.command.as_deref()), ("telnet", 1, Some("admin"), Some("id")));
    assert_eq!((row.prompt.as_deref(), row.output.as_deref(), row.output_bytes), (Some("admin@box:~$"), Some("uid=0"), 13));
}

#[test]
fn secrets_typed_in_a_shell_are_no_commands_and_corrections_are_undone() {
    let mut said = telnet_session();
    said.extend(turns(&[
        (">", b"sx\x7fu\r\0"),
        ("<", b"su\r\nPassword: "),
        (">", b"r00tpw\r\0"),
        ("<", b"\r\n# "),
        (">", b"\x1b[Als -l\r\0"),
        ("<", b"ls -l\r\ntotal 0\r\n# "),
    ]));
    let rows = lines_typed(&said, 23);
    assert_eq!(rows.iter().map(|row| row.command.as_deref().unwrap()).collect::<Vec<_>>(), ["id", "su", "ls -l"]);
    assert!(!format!("{rows:?}").contains("r00tpw"));
    assert!(logins(&said, 23).1.contains(&"admin/r00tpw/accepted".to_owned()));
}

#[test]
fn what_the_shell_completes_or_recalls_is_read_from_its_echo() {
    let mut said = telnet_session();
    said.extend(turns(&[
        (">", b"cat /et"),
        ("<", b"cat /et"),
        (">", b"\t"),
        ("<", b"c/"),
        (">", b"passwd"),
        ("<", b"passwd"),
        (">", b"\r\0"),
        ("<", b"\r\nroot:x\r\n# "),
        (">", b"\x1b[A"),
        ("<", b"cat /etc/passwd"),
        (">", b"\x7f"),
        ("<", b"\x08\x1b[K"),
        (">", b"\r\0"),
        ("<", b"\r\nno\r\n# "),
    ]));
    let told: Vec<_> = lines_typed(&said, 23).into_iter().map(|row| (row.command.unwrap(), row.output.unwrap_or_default())).collect();
    let of = |command: &str, output: &str| (command.to_owned(), output.to_owned());
    assert_eq!(told[1..], [of("cat /etc/passwd", "root:x"), of("cat /etc/passw", "no")]);
}

#[test]
fn what_bots_type_ahead_of_prompts_is_never_told() {
    let said = turns(&[("<", b"\xff\xfb\x01"), (">", b"root\r\n888888\r\nenable\r\n"), ("<", b"Welcome\r\n")]);
    assert!(lines_typed(&said, 23).is_empty());
}

fn rlogin_session() -> Turns {
    turns(&[
        (">", b"\0"),
        (">", b"joe\0root\0xterm/38400\0"),
        ("<", b"\0"),
        (">", b"\xff\xffss\0\x18\0\x50\0\0\0\0"),
        ("<", b"Last login: Mon\r\nroot@host:~# "),
        (">", b"w"),
        ("<", b"w"),
        (">", b"\r"),
        ("<", b"\r\n12:00 up\r\nroot@host:~# "),
        (">", b"exit\r"),
    ])
}

#[test]
fn rlogin_is_typed_text_behind_names() {
    let (events, service) = run(&rlogin_session(), 513, || usize::MAX);
    assert_eq!(service, "rlogin");
    let rows: Vec<_> = events.iter().filter_map(|event| if let Event::Telnet(row) = &event.event { Some(row) } else { None }).collect();
    let told: Vec<_> = rows.iter().map(|row| (row.user.as_deref(), row.command.as_deref().unwrap(), row.output.as_deref())).collect();
    assert_eq!(told, [(Some("root"), "w", Some("12:00 up")), (Some("root"), "exit", None)]);
}

const SMTP: &str = "
    < 220 mail.example ESMTP
    > EHLO pc
    < 250-mail
    < 250 AUTH PLAIN LOGIN
    > AUTH LOGIN
    < 334 VXNlcm5hbWU6
    > amFuZQ==
    < 334 UGFzc3dvcmQ6
    > YmFk
    < 535 no
    > AUTH PLAIN AGphbmUAcHc=
    < 235 yes
    > MAIL FROM:<a@b>
    < 250 ok";

const POP3: &str = "
    < +OK ready
    > CAPA
    < +OK
    < UIDL
    < .
    > USER jane
    < +OK
    > PASS bad one
    < -ERR no
    > AUTH PLAIN
    < +
    > AGphbmUAcHc=
    < +OK in";

const IMAP: &str = r#"
    < * OK IMAP4 ready
    > a1 CAPABILITY
    < * CAPABILITY IMAP4rev1
    < a1 OK
    > a2 LOGIN jane "b\"a d"
    < a2 NO wrong
    > a3 LOGIN {4}
    < + go
    > jane {3}
    < + go
    > bad
    < a3 NO wrong
    > a4 AUTHENTICATE PLAIN
    < +
    > AGphbmUAcHc=
    < a4 OK in"#;

const REDIS: &[(&str, &[u8])] = &[
    (">", b"*1\r\n$4\r\nPING\r\n*2\r\n$4\r\nAUTH\r\n$3\r\nbad\r\n"),
    ("<", b"-NOAUTH x\r\n-WRONGPASS y\r\n"),
    (">", b"*3\r\n$4\r\nAUTH\r\n$4\r\njane\r\n$4\r\np\r\nw\r\n"),
    ("<", b"+OK\r\n"),
    (">", b"*2\r\n$4\r\nKEYS\r\n$1\r\n*\r\n*2\r\n$4\r\nAUTH\r\n$1\r\nx\r\n"),
    ("<", b"*2\r\n$1\r\na\r\n*1\r\n$1\r\nb\r\n-ERR\r\n"),
];

#[test]
fn smtp_auth_is_read_with_its_outcome() {
    assert_eq!(logins(&lines(SMTP), 2_525), ("smtp", vec!["jane/bad/refused".into(), "jane/pw/accepted".into()]));
}

#[test]
fn nothing_is_read_after_starttls() {
    let said = lines("< 220 x ESMTP\n> EHLO pc\n< 250 ok\n> STARTTLS\n< 220 go\n> AUTH PLAIN AGphbmUAcHc=\n< 235 yes");
    assert_eq!(logins(&said, 25), ("smtp", vec![]));
}

#[test]
fn pop3_logins_are_read_with_their_outcome() {
    assert_eq!(logins(&lines(POP3), 1_110), ("pop3", vec!["jane/bad one/refused".into(), "jane/pw/accepted".into()]));
}

#[test]
fn imap_logins_are_read_quoted_literal_and_encoded() {
    let expected = ["jane/b\"a d/refused", "jane/bad/refused", "jane/pw/accepted"].map(str::to_owned).to_vec();
    assert_eq!(logins(&lines(IMAP), 1_143), ("imap", expected));
}

#[test]
fn redis_auth_is_matched_with_its_own_reply() {
    let expected = ["-/bad/refused", "jane/p\\x0d\\x0aw/accepted", "-/x/refused"].map(str::to_owned).to_vec();
    assert_eq!(logins(&turns(REDIS), 1), ("redis", expected));
}

#[test]
fn the_client_s_side_alone_gives_logins_without_outcome() {
    let client = |all: Turns| all.into_iter().filter(|(dir, _)| *dir == Dir::Orig).collect::<Turns>();
    assert_eq!(logins(&client(lines(SMTP)), 25), ("smtp", vec!["jane/bad/unknown".into(), "jane/pw/unknown".into()]));
    assert_eq!(logins(&client(lines(POP3)), 110).1.len(), 2);
    assert_eq!(logins(&client(lines(IMAP)), 143).1.len(), 3);
    assert_eq!(logins(&client(turns(REDIS)), 6_379).1.len(), 3);
}

const MAIL: &str = "Subject: hi\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\nbody\r\n";

fn files(events: &[AppEvent]) -> Vec<(Option<&str>, u64, bool, bool)> {
    let file = |event: &AppEvent| if let Event::File(file) = &event.event { Some((**file).clone()) } else { None };
    let told = events
        .iter()
        .filter_map(file)
        .map(|file| (Some("a.txt").filter(|_| file.filename.as_deref() == Some("a.txt")), file.seen_bytes, file.complete, file.is_orig));
    told.collect()
}

fn pop3_retrieval() -> Turns {
    let mut said = lines(
        "< +OK POP3 ready\n> CAPA\n< +OK list\n< UIDL\n< SASL PLAIN\n< .\n> USER jane\n< +OK\n> PASS pw\n< +OK in\n> RETR 1\n< +OK 70 octets",
    );
    said.push((Dir::Resp, format!("{MAIL}..dot\r\n.\r\n").into_bytes()));
    said.extend(lines("> DELE 9\n< -ERR no such message\n> QUIT\n< +OK bye"));
    said
}

#[test]
fn pop3_commands_are_rows_and_messages_files() {
    let (events, _) = run(&pop3_retrieval(), 110, || usize::MAX);
    let rows: Vec<&Pop3> =
        events.iter().filter_map(|event| if let Event::Pop3(row) = &event.event { Some(&**row) } else { None }).collect();
    let told: Vec<_> =
        rows.iter().map(|row| (row.command.as_deref().unwrap(), row.argument.as_deref(), row.status, row.user.as_deref())).collect();
    assert_eq!(
        told,
        [
            ("CAPA", None, Some("OK"), None),
            ("USER", Some("jane"), Some("OK"), Some("jane")),
            ("PASS", None, Some("OK"), Some("jane")),
            ("RETR", Some("1"), Some("OK"), Some("jane")),
            ("DELE", Some("9"), Some("ERR"), Some("jane")),
            ("QUIT", None, Some("OK"), Some("jane")),
        ]
    );
    assert_eq!(
        (rows[0].capabilities.as_slice(), rows[4].message.as_deref()),
        (&["UIDL".to_owned(), "SASL PLAIN".into()][..], Some("no such message"))
    );
    assert_eq!((files(&events), rows[3].fuids.len()), (vec![(Some("a.txt"), 10, true, false)], 1));
}

fn imap_retrieval() -> Turns {
    let mut said = lines(
        "< * OK [CAPABILITY IMAP4rev1 IDLE] ready\n> a1 LOGIN jane pw\n< a1 OK in\n> a2 SELECT \"In box\"\n< * 1 EXISTS\n< a2 OK [READ-WRITE] done",
    );
    said.push((Dir::Orig, b"a3 UID FETCH 1 (BODY.PEEK[])\r\n".to_vec()));
    said.push((Dir::Resp, format!("* 1 FETCH (UID 1 BODY[] {{{}}}\r\n{MAIL})\r\na3 OK done\r\n", MAIL.len()).into_bytes()));
    said.push((Dir::Orig, format!("a4 APPEND Sent {{{}}}\r\n", MAIL.len()).into_bytes()));
    said.push((Dir::Resp, b"+ go\r\n".to_vec()));
    said.push((Dir::Orig, format!("{MAIL}\r\n").into_bytes()));
    said.extend(lines("< a4 NO quota"));
    said
}

#[test]
fn imap_commands_are_rows_and_messages_files() {
    let (events, _) = run(&imap_retrieval(), 143, || usize::MAX);
    let rows: Vec<&Imap> =
        events.iter().filter_map(|event| if let Event::Imap(row) = &event.event { Some(&**row) } else { None }).collect();
    let told: Vec<_> =
        rows.iter().map(|row| (row.command.as_deref().unwrap(), row.status, row.mailbox.as_deref(), row.fuids.len())).collect();
    assert_eq!(
        told,
        [
            ("LOGIN", Some("OK"), None, 0),
            ("SELECT", Some("OK"), Some("In box"), 0),
            ("UID FETCH", Some("OK"), Some("In box"), 1),
            ("APPEND", Some("NO"), Some("In box"), 1),
        ]
    );
    assert_eq!(
        (rows[0].capabilities.as_slice(), rows[0].argument.as_deref()),
        (&["IMAP4rev1".to_owned(), "IDLE".into()][..], Some("jane"))
    );
    assert_eq!(files(&events), [(Some("a.txt"), 4, true, false), (Some("a.txt"), 4, true, true)]);
    assert!(!format!("{rows:?}").contains("pw"));
}

fn sessions() -> Vec<(&'static Protocol, u16, Turns)> {
    vec![
        (&rlogin::RLOGIN, 513, rlogin_session()),
        (&pop3::POP3, 110, pop3_retrieval()),
        (&imap::IMAP, 143, imap_retrieval()),
        (&telnet::TELNET, 23, telnet_session()),
        (&smtp::SMTP, 25, lines(SMTP)),
        (&pop3::POP3, 110, lines(POP3)),
        (&imap::IMAP, 143, lines(IMAP)),
        (&redis::PROTOCOL, 6_379, turns(REDIS)),
    ]
}

proptest! {
    #[test]
    fn any_chunking_gives_the_same_logins(steps in proptest::collection::vec(1usize..40, 1..64)) {
        for (_, port, turns) in sessions() {
            let mut steps = steps.iter().copied().cycle();
            let cut = run(&turns, port, || steps.next().unwrap());
            prop_assert_eq!(cut, run(&turns, port, || usize::MAX));
        }
    }

    #[test]
    fn any_bytes_any_losses_never_panic_and_stay_bounded(
        parts in proptest::collection::vec((any::<bool>(), proptest::collection::vec(any::<u8>(), 0..60), 0u32..3, 0usize..24), 0..80),
    ) {
        for (protocol, port, turns) in sessions() {
            let mut dissector: Box<dyn Dissector> = (protocol.make)(&conn(port));
            let mut out = Out::new(conn(port));
            let mut total = 0;
            for (orig, noise, cut, pick) in &parts {
                let (dir, bytes) = turns.get(*pick).cloned().unwrap_or((if *orig { Dir::Orig } else { Dir::Resp }, noise.clone()));
                total += bytes.len();
                dissector.data(&Chunk { dir, bytes: &bytes, cut: *cut, frame: 1, ts_ns: 1 }, &mut out);
                if *pick == 23 {
                    dissector.gap(dir, 9, &mut out);
                }
            }
            dissector.end(&mut out);
            prop_assert!(out.events.len() <= 2 * total);
        }
    }
}

/// A look at the logins of every capture at hand: `cargo test logins_at_a_glance -- --ignored --nocapture`.
#[test]
#[ignore = "prints, for people"]
fn logins_at_a_glance() {
    for folder in ["corpus/captures", "golden/captures"] {
        let Some(folder) = crate::dissect::replay::shared(folder) else { continue };
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            for flow in crate::dissect::replay::replay(&path) {
                for found in credentials(&flow.events) {
                    println!(
                        "{} {} {:?} {} {:?}",
                        path.file_name().unwrap().display(),
                        found.service,
                        found.user,
                        found.secret,
                        found.success
                    );
                }
            }
        }
    }
}
