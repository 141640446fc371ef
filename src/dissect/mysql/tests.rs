use super::*;
use crate::dissect::testing::{Step, conn, cut, down, play, said, up};
use proptest::prelude::*;

fn packet(sequence: u8, content: &[u8]) -> Vec<u8> {
    [&(content.len() as u32).to_le_bytes()[..3], &[sequence], content].concat()
}

fn greeting() -> Vec<u8> {
    packet(0, &[&[10][..], b"8.0.36\0", &[1; 40], b"caching_sha2_password\0"].concat())
}

fn login(capabilities: u32) -> Vec<u8> {
    packet(1, &[&capabilities.to_le_bytes()[..], &[0; 28], b"root\0", &[8, 1, 2, 3, 4, 5, 6, 7, 8]].concat())
}

fn command(number: u8, argument: &[u8]) -> Vec<u8> {
    packet(0, &[&[number], argument].concat())
}

fn session() -> Vec<Step> {
    let result =
        [packet(1, &[1]), packet(2, &[b'd'; 40]), packet(3, &[0xfe, 0, 0, 2, 0]), packet(4, b"\x05value"), packet(5, &[0xfe, 0, 0, 2, 0])];
    vec![
        down(greeting()),
        up(login(capability::PROTOCOL_41)),
        down([packet(2, &[1, 3]), packet(3, &[0, 0, 0, 2, 0, 0, 0])].concat()),
        up(command(3, b"SELECT 1")),
        down(result.concat()),
        up(command(3, b"DELETE FROM t")),
        down(packet(1, &[0, 3, 0, 2, 0, 0, 0])),
        up(command(3, b"SELECT nonsense")),
        down(packet(1, &[&[0xff, 0x28, 4][..], b"#42000You have an error"].concat())),
        up(command(1, b"")),
    ]
}

fn told(steps: &[Step]) -> Vec<(String, String, Option<bool>, Option<u64>)> {
    let events = said(conn(Proto::Tcp, 3_306), steps);
    let rows = events.into_iter().filter_map(|event| if let Event::Mysql(row) = event { Some(row) } else { None });
    rows.map(|row| (row.cmd, row.arg, row.success, row.rows)).collect()
}

fn row(cmd: &str, arg: &str, success: Option<bool>, rows: Option<u64>) -> (String, String, Option<bool>, Option<u64>) {
    (cmd.to_owned(), arg.to_owned(), success, rows)
}

#[test]
fn a_session_is_a_row_per_command() {
    let expected = [
        row("login", "root", Some(true), Some(0)),
        row("query", "SELECT 1", Some(true), Some(0)),
        row("query", "DELETE FROM t", Some(true), Some(3)),
        row("query", "SELECT nonsense", Some(false), None),
        row("quit", "", None, None),
    ];
    assert_eq!(told(&session()), expected);
    let (events, service) = play(conn(Proto::Tcp, 3_306), &session());
    assert!(matches!(&events[0].event, Event::Credential(login) if login.service == "mysql" && login.success == Some(true)));
    assert!(events.iter().any(|event| matches!(&event.event, Event::Mysql(row) if row.error_code == Some(1_064) && row.response.as_deref() == Some("You have an error"))));
    assert_eq!(service, "mysql");
}

#[test]
fn a_wrong_password_is_a_failed_login_and_tls_is_handed_over() {
    let error = packet(2, &[&[0xff, 0x15, 4][..], b"#28000Access denied"].concat());
    assert_eq!(told(&[down(greeting()), up(login(capability::PROTOCOL_41)), down(error)]), [row("login", "root", Some(false), None)]);
    let ask = packet(1, &[&(capability::PROTOCOL_41 | capability::TLS).to_le_bytes()[..], &[0; 28]].concat());
    let hello = [&[22, 3, 1, 0, 49, 1, 0, 0, 45, 3, 3][..], &[7; 32], &[0, 0, 4, 0x13, 1, 0x13, 2, 1, 0]].concat();
    assert_eq!(play(conn(Proto::Tcp, 3_306), &[down(greeting()), up(ask), up(hello)]).1, "mysql,ssl");
}

#[test]
fn after_a_loss_the_next_command_is_read() {
    let mut steps = session();
    steps[4] = Step::Gap(Dir::Resp, 100);
    steps.insert(4, down(packet(1, &[1])));
    assert_eq!(told(&steps).iter().filter(|row| row.2.is_some()).count(), 4);
}

proptest! {
    #[test]
    fn any_cut_gives_the_same_and_flips_are_survived(sizes in proptest::collection::vec(1usize..40, 1..5), turn in 0usize..10, at in 0usize..60, to: u8) {
        prop_assert_eq!(told(&session()), told(&cut(&session(), &sizes)));
        let mut steps = session();
        if let Step::Data(_, bytes) = &mut steps[turn] && let Some(byte) = bytes.get_mut(at) {
            *byte = to;
        }
        prop_assert!(said(conn(Proto::Tcp, 3_306), &steps).len() <= 20);
    }
}
