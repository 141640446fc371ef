use super::*;
use crate::dissect::testing::{Step, conn, cut, down, play, said, up};
use proptest::prelude::*;

fn typed(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind][..], &(body.len() as u32 + 4).to_be_bytes(), body].concat()
}

fn untyped(code: u32, body: &[u8]) -> Vec<u8> {
    [&(body.len() as u32 + 8).to_be_bytes()[..], &code.to_be_bytes(), body].concat()
}

/// Encryption refused, a login with a password in clear, a query, one that fails, goodbye.
fn talk() -> Vec<Step> {
    vec![
        up(untyped(request::TLS, b"")),
        down(b"N"),
        up(untyped(0x0003_0000, b"user\0jane\0database\0shop\0application_name\0psql\0\0")),
        down(typed(b'R', &3u32.to_be_bytes())),
        up(typed(b'p', b"secret\0")),
        down([typed(b'R', &0u32.to_be_bytes()), typed(b'S', b"a\0b\0"), typed(b'Z', b"I")].concat()),
        up(typed(b'Q', b"select 1\0")),
        down([typed(b'T', b"xx"), typed(b'D', b"\0\x01"), typed(b'D', b"\0\x01"), typed(b'C', b"SELECT 2\0"), typed(b'Z', b"I")].concat()),
        up(typed(b'Q', b"drop table x\0")),
        down([typed(b'E', b"SERROR\0C42P01\0Mno table\0\0"), typed(b'Z', b"I")].concat()),
        up(typed(b'X', b"")),
    ]
}

fn told(steps: &[Step]) -> Vec<String> {
    let events = said(conn(Proto::Tcp, 5_432), steps).into_iter();
    let lines = events.map(|event| match event {
        Event::Postgresql(row) => {
            let word = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
            format!(
                "{} {} | {} {} | {:?} {:?} | {}",
                word(row.frontend),
                word(row.frontend_arg),
                word(row.backend),
                word(row.backend_arg),
                row.success,
                row.rows,
                word(row.user)
            )
        }
        Event::Credential(login) => format!("login {:?} {} {:?} {:?}", login.user, login.secret, login.realm, login.success),
        other => format!("{other:?}"),
    });
    lines.collect()
}

#[test]
fn a_session_is_told_as_zeek_tells_it() {
    assert_eq!(
        told(&talk()),
        [
            "ssl_request - | ssl_reply N | Some(false) None | -",
            "login Some(\"jane\") secret Some(\"shop\") Some(true)",
            "startup - | auth_ok CleartextPassword | Some(true) None | jane",
            "simple_query select 1 | - - | Some(true) Some(2) | jane",
            "simple_query drop table x | error SeverityLocalized=ERROR,Code=42P01,Message=no table | Some(false) None | jane",
            "terminate - | - - | None None | jane",
        ]
    );
}

#[test]
fn encryption_hands_the_flow_over() {
    let (events, service) = play(conn(Proto::Tcp, 5_432), &[up(untyped(request::TLS, b"")), down(b"S")]);
    assert_eq!((events.len(), service), (1, "postgresql"));
}

#[test]
fn one_side_alone_still_says_what_was_asked() {
    let client: Vec<Step> = talk().into_iter().filter(|step| matches!(step, Step::Data(Dir::Orig, _))).collect();
    let told = told(&client[1..]);
    assert_eq!(told.iter().filter(|line| line.starts_with("simple_query")).count(), 2);
    let server: Vec<Step> = [typed(b'R', &0u32.to_be_bytes()), typed(b'Z', b"I")].into_iter().map(down).collect();
    assert_eq!(play(conn(Proto::Tcp, 5_432), &server).1, "postgresql");
}

proptest! {
    #[test]
    fn cuts_change_nothing(sizes in proptest::collection::vec(1usize..20, 1..6)) {
        prop_assert_eq!(told(&cut(&talk(), &sizes)), told(&talk()));
    }

    #[test]
    fn any_bytes_are_survived(noise in proptest::collection::vec(any::<u8>(), 0..90), at in 0usize..50, bit in 0u8..8, lost in 0usize..11) {
        let mut steps = talk();
        for step in &mut steps {
            if let Step::Data(_, bytes) = step && let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << bit;
            }
        }
        steps[lost] = Step::Gap(Dir::Orig, 9);
        steps.extend([up(&noise), down(&noise)]);
        prop_assert!(told(&steps).len() <= 40 + noise.len());
    }
}
