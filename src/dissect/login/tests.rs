use crate::dissect::{Chunk, Conversation, Dissector, Out, Protocol};
use crate::model::event::Credential;
use crate::model::{AppEvent, Conn, Dir, Event, FlowId, Proto};
use proptest::prelude::*;

use super::{imap, pop3, smtp, telnet};
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
fn mail_ends_the_reading_of_smtp() {
    let mut session = (smtp::SMTP.make)(&conn(25));
    let mut out = Out::new(conn(25));
    for (dir, bytes) in lines("< 220 x ESMTP\n> EHLO pc\n< 250 ok\n> MAIL FROM:<a@b>") {
        assert!(session.wants(Dir::Orig));
        session.data(&Chunk { dir, bytes: &bytes, cut: 0, frame: 1, ts_ns: 1 }, &mut out);
    }
    assert!(!session.wants(Dir::Orig) && out.events.is_empty() && session.confirmed());
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

fn sessions() -> Vec<(&'static Protocol, u16, Turns)> {
    vec![
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
            prop_assert!(out.events.len() <= total);
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
