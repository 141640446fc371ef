use super::*;
use crate::dissect::testing::{Step, conn, cut, down, play, said, up};
use proptest::prelude::*;

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn packet(kind: u8, data: &[u8]) -> Vec<u8> {
    [&[kind, 1][..], &(data.len() as u16 + 8).to_be_bytes(), &[0, 0, 1, 0], data].concat()
}

fn login() -> Vec<u8> {
    let mut fixed = vec![0; 94];
    fixed[4..8].copy_from_slice(&0x7400_0004u32.to_le_bytes());
    let mut texts = Vec::new();
    for (number, text) in [(0, "PC1"), (1, "sa"), (2, "secret"), (3, "sqlcmd"), (4, "db1"), (6, "ODBC"), (8, "shop")] {
        let at = 36 + 4 * number;
        fixed[at..at + 2].copy_from_slice(&(94 + texts.len() as u16).to_le_bytes());
        fixed[at + 2..at + 4].copy_from_slice(&(text.len() as u16).to_le_bytes());
        let disguise = |byte: u8| if number == 2 { byte.rotate_left(4) ^ 0xa5 } else { byte };
        texts.extend(wide(text).into_iter().map(disguise));
    }
    let mut message = [fixed, texts].concat();
    let length = message.len() as u32;
    message[..4].copy_from_slice(&length.to_le_bytes());
    message
}

fn error(number: u32, words: &str) -> Vec<u8> {
    let body = [&number.to_le_bytes()[..], &[1, 14], &(words.len() as u16).to_le_bytes(), &wide(words), &[0, 0, 0, 0, 0, 0]].concat();
    [&[0xaa][..], &(body.len() as u16).to_le_bytes(), &body, &[0xfd, 2, 0, 0, 0, 0, 0]].concat()
}

/// Prelogin, a refused login, an accepted one, a batch, a procedure by its number.
fn talk() -> Vec<Step> {
    let done = [0xfd, 0, 0, 0, 0, 0, 0, 0, 0];
    let headers = [&22u32.to_le_bytes()[..], &[0; 18]].concat();
    vec![
        up(packet(0x12, &[0, 0, 11, 0, 6, 1, 0, 17, 0, 1, 0xff, 9, 0, 0, 0, 0, 0, 2])),
        down(packet(4, &[0, 0, 11, 0, 6, 1, 0, 17, 0, 1, 0xff, 9, 0, 0, 0, 0, 0, 2])),
        up(packet(0x10, &login())),
        down(packet(4, &error(18_456, "Login failed"))),
        up(packet(0x10, &login())),
        down(packet(4, &[&[0xad, 2, 0, 1, 7][..], &done].concat())),
        up(packet(1, &[&headers[..], &wide("select 1")].concat())),
        down(packet(4, &[0x81, 1, 0])),
        up(packet(3, &[&headers[..], &[0xff, 0xff, 10, 0, 0, 0]].concat())),
        down(packet(4, &done)),
    ]
}

fn told(steps: &[Step]) -> Vec<String> {
    let events = said(conn(Proto::Tcp, 1_433), steps).into_iter();
    let word = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let lines = events.map(|event| match event {
        Event::Tds(row) => {
            format!("{} {} {} {:?} {}", row.command, word(row.arg), word(row.user), row.success, word(row.response))
        }
        Event::Credential(login) => format!("login {} {} {:?}", word(login.user), login.secret, login.success),
        other => format!("{other:?}"),
    });
    lines.collect()
}

#[test]
fn logins_batches_and_procedures_meet_their_answers() {
    assert_eq!(
        told(&talk()),
        [
            "prelogin - - Some(true) -",
            "login sa secret Some(false)",
            "login - sa Some(false) Login failed",
            "login sa secret Some(true)",
            "login - sa Some(true) -",
            "sql_batch select 1 sa Some(true) -",
            "rpc sp_executesql sa Some(true) -",
        ]
    );
}

#[test]
fn the_login_says_who_from_where_with_what() {
    let events = said(conn(Proto::Tcp, 9_999), &[up(packet(0x10, &login()))]);
    let Some(Event::Tds(row)) = events.last() else { panic!("{events:?}") };
    let word = |text: &Option<String>| text.clone().unwrap_or_default();
    let all = [&row.host, &row.user, &row.application, &row.server, &row.library, &row.database].map(word).join(" ");
    assert_eq!((all.as_str(), row.version.as_deref(), row.integrated), ("PC1 sa sqlcmd db1 ODBC shop", Some("74000004"), false));
}

#[test]
fn tls_within_ends_the_reading() {
    let steps = [
        up(packet(0x12, &[0, 0, 11, 0, 6, 1, 0, 17, 0, 1, 0xff, 9, 0, 0, 0, 0, 0, 1])),
        down(packet(4, &[0xff])),
        up(packet(0x12, &[0x16, 3, 1])),
    ];
    let (events, service) = play(conn(Proto::Tcp, 1_433), &steps);
    assert!(matches!(&events[..], [one] if matches!(&one.event, Event::Tds(row) if row.encryption == Some("on"))), "{events:?}");
    assert_eq!(service, "tds");
}

proptest! {
    #[test]
    fn cuts_change_nothing(sizes in proptest::collection::vec(1usize..60, 1..6)) {
        prop_assert_eq!(told(&cut(&talk(), &sizes)), told(&talk()));
    }

    #[test]
    fn any_bytes_are_survived(noise in proptest::collection::vec(any::<u8>(), 0..90), at in 0usize..180, bit in 0u8..8) {
        let mut steps = talk();
        for step in &mut steps {
            if let Step::Data(_, bytes) = step && let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << bit;
            }
        }
        steps.extend([up(packet(0x10, &noise)), down(packet(4, &noise)), up(packet(3, &noise)), up(packet(0x12, &noise))]);
        prop_assert!(told(&steps).len() <= 20);
    }
}
