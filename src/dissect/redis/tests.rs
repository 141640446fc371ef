use super::*;
use crate::dissect::testing::{Step, conn, cut, down, said, up};
use proptest::prelude::*;

fn told(steps: &[Step]) -> Vec<String> {
    let events = said(conn(Proto::Tcp, 6_379), steps).into_iter();
    let lines = events.filter_map(|event| match event {
        Event::Redis(row) => {
            let word = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
            Some(format!("{} {} {} {:?} {}", row.cmd_name, word(row.cmd_key), word(row.cmd_value), row.success, word(row.reply_value)))
        }
        _ => None,
    });
    lines.collect()
}

/// A pipeline, an answer of lists in a list with facts before it, a text with line ends in it, an error.
fn talk() -> Vec<Step> {
    vec![
        up("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$4\r\na\r\nb\r\n*1\r\n$4\r\nPING\r\nGET nope \"x y\"\r\n"),
        down("+OK\r\n+PONG\r\n"),
        down("|1\r\n+ttl\r\n:1\r\n*3\r\n:1\r\n*1\r\n$2\r\nab\r\n$-1\r\n"),
        up("*2\r\n$4\r\nEVIL\r\n$1\r\nx\r\n"),
        down("-ERR unknown\r\n"),
    ]
}

#[test]
fn every_command_meets_its_own_answer() {
    assert_eq!(
        told(&talk()),
        [
            "SET k a\\x0d\\x0ab Some(true) OK",
            "PING - - Some(true) PONG",
            "GET nope - Some(true) [1, [ab], null]",
            "EVIL - - Some(false) ERR unknown"
        ]
    );
}

#[test]
fn an_unknown_word_typed_at_the_port_is_a_command() {
    let typed = [up("FAKE2 COMMAND2\r\n"), down("|1\r\n+ttl\r\n:1\r\n*2\r\n:1\r\n:2\r\n")];
    assert_eq!(told(&typed), ["FAKE2 - - Some(true) [1, 2]"]);
    assert_eq!(told(&[up("2FAKE COMMAND\r\n"), down("hello\r\n")]), Vec::<String>::new());
}

#[test]
fn a_long_list_is_shown_as_far_as_there_is_room() {
    let answer = format!("*5000\r\n{}", "$-1\r\n".repeat(5_000));
    let rows = told(&[up("KEYS *\r\n"), down(&answer)]);
    assert!(rows.len() == 1 && rows[0].len() < TEXT_MAX + 64 && rows[0].ends_with("null]"), "{rows:?}");
}

#[test]
fn who_asks_for_silence_gets_no_answer() {
    let steps = [
        up("CLIENT REPLY OFF\r\nPING\r\nCLIENT REPLY ON\r\nPING\r\nCLIENT REPLY SKIP\r\nSET a b\r\nPING\r\n"),
        down("+OK\r\n+PONG\r\n+PONG\r\n"),
    ];
    assert_eq!(
        told(&steps),
        [
            "CLIENT - - None -",
            "PING - - None -",
            "CLIENT - - Some(true) OK",
            "PING - - Some(true) PONG",
            "CLIENT - - None -",
            "SET a b None -",
            "PING - - Some(true) PONG"
        ]
    );
}

#[test]
fn after_a_loss_commands_are_still_told_but_no_answers() {
    let steps = [up("*1\r\n$4\r\nPING\r\n"), Step::Gap(Dir::Orig, 20), up("lost\r\n"), up("*1\r\n$4\r\nINFO\r\n"), down("+PONG\r\n")];
    assert_eq!(told(&steps), ["PING - - None -", "INFO - - None -"]);
}

proptest! {
    #[test]
    fn cuts_change_nothing(sizes in proptest::collection::vec(1usize..20, 1..6)) {
        prop_assert_eq!(told(&cut(&talk(), &sizes)), told(&talk()));
    }

    #[test]
    fn any_bytes_are_survived(noise in "[*$+:~%|>_,#(!=\\-0-9\r\na-c]{0,120}", at in 0usize..60, bit in 0u8..8) {
        let mut steps = talk();
        for step in &mut steps {
            if let Step::Data(_, bytes) = step && let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << bit;
            }
        }
        steps.extend([up(&noise), down(&noise), up("*99999999\r\n*99999999\r\n"), down("*99999999\r\n$999999999\r\n")]);
        prop_assert!(told(&steps).len() <= 200);
    }
}
