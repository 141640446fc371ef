use crate::dissect::testing::{Step, conn, cut, down, play, said, up};
use crate::model::event::{File, Smtp};
use crate::model::{Dir, Event, Proto};
use proptest::prelude::*;

/// Lines of the client begin with `> `, of the server with `< `; a line without either belongs to the one before.
fn dialogue(text: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    for line in text.lines().map(str::trim_start).filter(|line| !line.is_empty()) {
        let (mark, rest) = line.split_at(line.len().min(2));
        match mark {
            "> " | ">" => steps.push(up(format!("{rest}\r\n"))),
            _ => steps.push(down(format!("{rest}\r\n"))),
        }
    }
    steps
}

fn rows(events: &[Event]) -> Vec<&Smtp> {
    events.iter().filter_map(|event| if let Event::Smtp(row) = event { Some(&**row) } else { None }).collect()
}

fn files(events: &[Event]) -> Vec<&File> {
    events.iter().filter_map(|event| if let Event::File(file) = event { Some(&**file) } else { None }).collect()
}

const SESSION: &str = "
    < 220 mail.example ESMTP
    > EHLO pc.example
    < 250-mail.example
    < 250 PIPELINING
    > MAIL FROM:<joe@example.com> SIZE=99
    < 250 ok
    > RCPT TO:<ann@example.org>
    < 250 ok
    > RCPT TO:<bob@example.org>
    < 550 no such user
    > DATA
    < 354 go on
    > Received: from relay.example (relay.example [192.0.2.77]) by mx
    > Received: from first.example ([198.51.100.9]) by relay.example
    > From: Joe <joe@example.com>
    > To: Ann <ann@example.org>, \"B, C\" <bc@example.org>
    > Subject: =?utf-8?B?w6k=?=
    > X-Mailer: SquirrelMail 1.4
    > X-Originating-IP: [203.0.113.5]
    >
    > Hello, see http://evil.example/x
    > ..dots
    > .
    < 250 queued
    > MAIL FROM:<>
    < 250 ok
    > RCPT TO:<postmaster@example.org>
    < 250 ok
    > QUIT
    < 221 bye";

#[test]
fn a_message_and_what_was_tried_of_another_are_two_rows() {
    let (events, service) = play(conn(Proto::Tcp, 2_525), &dialogue(SESSION));
    let events: Vec<Event> = events.into_iter().map(|event| event.event).collect();
    assert_eq!(service, "smtp");
    let rows = rows(&events);
    assert_eq!(rows.len(), 2);
    let first = rows[0];
    assert_eq!((first.trans_depth, first.helo.as_deref(), first.mailfrom.as_deref()), (1, Some("pc.example"), Some("joe@example.com")));
    assert_eq!(first.rcptto, ["ann@example.org", "bob@example.org"]);
    assert_eq!(first.to, ["Ann <ann@example.org>", "\"B, C\" <bc@example.org>"]);
    assert_eq!((first.subject.as_deref(), first.subject_text.as_deref()), (Some("=?utf-8?B?w6k=?="), Some("é")));
    assert_eq!(first.path.iter().map(ToString::to_string).collect::<Vec<_>>(), ["198.51.100.2", "192.0.2.1", "192.0.2.77", "198.51.100.9"]);
    assert!(first.first_received.as_deref().unwrap().starts_with("from first.example"));
    assert!(first.second_received.as_deref().unwrap().starts_with("from relay.example"));
    assert_eq!(first.x_originating_ip.map(|host| host.to_string()).as_deref(), Some("203.0.113.5"));
    assert_eq!((first.last_reply.as_deref(), first.accepted, first.refused, first.is_webmail), (Some("250 queued"), Some(true), 1, true));
    assert_eq!((first.banner.as_deref(), first.urls.as_slice()), (Some("mail.example ESMTP"), &["http://evil.example/x".to_owned()][..]));
    assert_eq!((rows[1].trans_depth, rows[1].mailfrom.as_deref(), rows[1].accepted), (2, None, None));
    let files = files(&events);
    assert_eq!((files.len(), files[0].seen_bytes, files[0].complete), (1, 39, true), "one dot of two is taken away");
    assert_eq!(first.fuids, [files[0].fuid.clone()]);
}

#[test]
fn chunks_carry_a_message_wherever_they_are_cut() {
    let body = "Subject: x\r\nContent-Disposition: attachment; filename=a.bin\r\n\r\n.\r\nMAIL FROM:<no@command>\r\n";
    let (one, two) = body.split_at(30);
    let steps = [
        down("220 x ESMTP\r\n"),
        up(format!(
            "EHLO a\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT {}\r\n{one}BDAT {} LAST\r\n{two}MAIL FROM:<e@f>\r\n",
            one.len(),
            two.len()
        )),
        down("250 ok\r\n250 ok\r\n250 ok\r\n250 more\r\n250 done\r\n250 ok\r\n"),
    ];
    let events = said(conn(Proto::Tcp, 25), &steps);
    let rows = rows(&events);
    assert_eq!((rows.len(), rows[0].subject.as_deref(), rows[0].last_reply.as_deref()), (2, Some("x"), Some("250 done")));
    assert_eq!((rows[1].trans_depth, rows[1].mailfrom.as_deref()), (2, Some("e@f")));
    assert_eq!(files(&events)[0].filename.as_deref(), Some("a.bin"));
}

#[test]
fn a_chunk_that_is_refused_for_its_words_takes_no_bytes_and_an_empty_greeting_no_name() {
    let text = "< 220 x ESMTP\n> EHLO pc\n< 250 ok\n> EHLO\n< 501 name?\n> BDAT 5 X\n< 501 what\n> MAIL FROM:<a@b>\n< 250 ok";
    let events = said(conn(Proto::Tcp, 25), &dialogue(text));
    assert_eq!((rows(&events).len(), rows(&events)[0].mailfrom.as_deref(), rows(&events)[0].helo.as_deref()), (1, Some("a@b"), Some("pc")));
}

#[test]
fn starttls_hands_the_flow_over_and_is_told() {
    let steps = dialogue("< 220 x ESMTP\n> EHLO a\n< 250 STARTTLS\n> STARTTLS\n< 220 go\n> MAIL FROM:<a@b>");
    let (events, _) = play(conn(Proto::Tcp, 587), &steps);
    let events: Vec<Event> = events.into_iter().map(|event| event.event).collect();
    let rows = rows(&events);
    assert_eq!((rows.len(), rows[0].tls, rows[0].last_reply.as_deref(), rows[0].mailfrom.is_none()), (1, true, Some("220 go"), true));
}

#[test]
fn a_refused_data_is_no_message() {
    let text = "< 220 x ESMTP\n> EHLO a\n< 250 ok\n> MAIL FROM:<a@b>\n< 250 ok\n> DATA\n< 503 no\n> Hello\n< 500 what\n> .\n< 500 what";
    let events = said(conn(Proto::Tcp, 25), &dialogue(text));
    assert_eq!((rows(&events).len(), files(&events).len(), rows(&events)[0].accepted), (1, 0, None));
}

#[test]
fn the_client_s_side_alone_tells_what_it_sent() {
    let client: Vec<Step> = dialogue(SESSION).into_iter().filter(|step| matches!(step, Step::Data(Dir::Orig, _))).collect();
    let events = said(conn(Proto::Tcp, 25), &client);
    let rows = rows(&events);
    assert_eq!((rows.len(), rows[0].trans_depth, rows[1].trans_depth, rows[0].last_reply.is_none()), (2, 1, 1, true));
    assert_eq!(files(&events).len(), 1);
}

#[test]
fn a_lost_dot_ends_with_the_server_s_answer() {
    let mut steps = dialogue("< 220 x ESMTP\n> EHLO a\n< 250 ok\n> MAIL FROM:<a@b>\n< 250 ok\n> DATA\n< 354 go\n> Subject: s\n>\n> text");
    steps.push(Step::Gap(Dir::Orig, 50));
    steps.extend(dialogue("< 250 queued\n> MAIL FROM:<c@d>\n< 250 ok"));
    let events = said(conn(Proto::Tcp, 25), &steps);
    let rows = rows(&events);
    assert_eq!((rows.len(), rows[0].accepted, rows[1].mailfrom.as_deref()), (2, Some(true), Some("c@d")));
    assert!(!files(&events)[0].complete);
}

/// Zeek's baselines: each of its rows is among ours.
#[test]
fn real_captures_agree_with_zeek_s_baseline() {
    let Some(golden) = crate::dissect::replay::shared("golden") else { return };
    let (mut expected_rows, mut missing) = (0, Vec::new());
    for entry in std::fs::read_dir(golden.join("expect/zeek")).unwrap() {
        let path = entry.unwrap().path();
        let expected: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let Some(theirs) = expected["logs"]["smtp"]["rows"].as_array() else { continue };
        let flows = crate::dissect::replay::replay(&golden.join(expected["capture"].as_str().unwrap()));
        let events: Vec<Event> = flows.into_iter().flat_map(|flow| flow.events.into_iter().map(|event| event.event)).collect();
        let mut ours = rows(&events);
        for row in theirs {
            expected_rows += 1;
            let same = |smtp: &&Smtp| {
                let text = |name: &str, ours: &Option<String>| row[name].as_str() == ours.as_deref();
                let list = |name: &str, ours: &[String]| {
                    let theirs: Vec<_> = row[name].as_array().into_iter().flatten().filter_map(|entry| entry.as_str()).collect();
                    theirs.len() == ours.len() && theirs.iter().all(|entry| ours.iter().any(|known| known == entry))
                };
                row["trans_depth"].as_u64() == Some(u64::from(smtp.trans_depth))
                    && row["tls"].as_bool() == Some(smtp.tls)
                    && text("helo", &smtp.helo)
                    && text("mailfrom", &smtp.mailfrom)
                    && text("subject", &smtp.subject)
                    && text("from", &smtp.from)
                    && text("date", &smtp.date)
                    && text("msg_id", &smtp.msg_id)
                    && text("last_reply", &smtp.last_reply)
                    && text("first_received", &smtp.first_received)
                    && text("user_agent", &smtp.user_agent)
                    && list("rcptto", &smtp.rcptto)
                    && list("to", &smtp.to)
            };
            match ours.iter().position(same) {
                Some(at) => drop(ours.remove(at)),
                None => missing.push(format!("{}: {row}\n{ours:#?}", path.display())),
            }
        }
    }
    assert!(missing.is_empty(), "{} of {expected_rows} rows differ\n{}", missing.len(), missing.join("\n"));
}

proptest! {
    #[test]
    fn any_chunking_gives_the_same_rows(sizes in proptest::collection::vec(1usize..60, 1..40)) {
        let steps = dialogue(SESSION);
        prop_assert_eq!(said(conn(Proto::Tcp, 25), &steps), said(conn(Proto::Tcp, 25), &cut(&steps, &sizes)));
    }

    #[test]
    fn any_bytes_losses_and_order_are_survived_with_bounded_rows(
        parts in proptest::collection::vec((0usize..40, any::<bool>(), proptest::collection::vec(any::<u8>(), 0..40), 0u64..4), 0..60),
    ) {
        let good = dialogue(SESSION);
        let mut steps = vec![down("220 x ESMTP\r\n"), up("EHLO a\r\n")];
        for (pick, orig, noise, gap) in parts {
            steps.push(good.get(pick).cloned().unwrap_or(if orig { up(&noise) } else { down(&noise) }));
            if gap == 0 {
                steps.push(Step::Gap(if orig { Dir::Orig } else { Dir::Resp }, 30));
            }
        }
        let events = said(conn(Proto::Tcp, 25), &steps);
        prop_assert!(rows(&events).len() <= steps.len());
    }
}
