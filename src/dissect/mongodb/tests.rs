use super::*;
use crate::dissect::testing::{Step, conn, cut, down, play, said, up};
use proptest::prelude::*;

fn text(name: &str, value: &str) -> Vec<u8> {
    [b"\x02", name.as_bytes(), b"\0", &(value.len() as u32 + 1).to_le_bytes()[..], value.as_bytes(), b"\0"].concat()
}

fn document(elements: &[Vec<u8>]) -> Vec<u8> {
    let body = elements.concat();
    [&(body.len() as u32 + 5).to_le_bytes()[..], &body, &[0]].concat()
}

fn number(name: &str, number: i32) -> Vec<u8> {
    [b"\x10", name.as_bytes(), b"\0", &number.to_le_bytes()[..]].concat()
}

fn binary(name: &str, value: &[u8]) -> Vec<u8> {
    [b"\x05", name.as_bytes(), b"\0", &(value.len() as u32).to_le_bytes()[..], b"\0", value].concat()
}

fn message(id: u32, answers: u32, document: &[u8]) -> Vec<u8> {
    let body = [&[0, 0, 0, 0, 0][..], document].concat();
    [&(body.len() as u32 + 16).to_le_bytes()[..], &id.to_le_bytes(), &answers.to_le_bytes(), &op::MSG.to_le_bytes(), &body].concat()
}

/// A login by SCRAM, a search, a command that fails.
fn talk() -> Vec<Step> {
    let payload = binary("payload", b"n,,n=jane,r=abc");
    vec![
        up(message(1, 0, &document(&[number("saslStart", 1), text("mechanism", "SCRAM-SHA-256"), payload, text("$db", "admin")]))),
        down(message(9, 1, &document(&[number("ok", 1)]))),
        up(message(2, 0, &document(&[text("find", "cards"), text("$db", "shop")]))),
        down(message(10, 2, &document(&[number("ok", 1)]))),
        up(message(3, 0, &document(&[text("drop", "cards"), text("$db", "shop")]))),
        down(message(11, 3, &document(&[number("ok", 0), text("errmsg", "not authorized")]))),
    ]
}

fn told(steps: &[Step]) -> Vec<String> {
    let events = said(conn(Proto::Tcp, 27_017), steps).into_iter();
    let word = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let lines = events.filter_map(|event| match event {
        Event::Mongodb(row) => Some(format!(
            "{} {}.{} {} {} {:?} {}",
            word(row.command),
            word(row.database),
            word(row.collection),
            word(row.mechanism),
            word(row.user),
            row.success,
            word(row.response)
        )),
        _ => None,
    });
    lines.collect()
}

#[test]
fn commands_meet_their_answers() {
    assert_eq!(
        told(&talk()),
        [
            "saslStart admin.- SCRAM-SHA-256 jane Some(true) -",
            "find shop.cards - - Some(true) -",
            "drop shop.cards - - Some(false) not authorized",
        ]
    );
    assert_eq!(play(conn(Proto::Tcp, 9_999), &talk()).1, "mongodb");
}

#[test]
fn the_old_query_names_its_collection() {
    let body = [&0u32.to_le_bytes()[..], b"shop.cards\0", &[0; 8], &document(&[])].concat();
    let query = [&(body.len() as u32 + 16).to_le_bytes()[..], &[1, 0, 0, 0, 0, 0, 0, 0], &op::QUERY.to_le_bytes(), &body].concat();
    assert_eq!(told(&[up(query)]), ["find shop.cards - - None -"]);
}

proptest! {
    #[test]
    fn cuts_change_nothing(sizes in proptest::collection::vec(1usize..40, 1..6)) {
        prop_assert_eq!(told(&cut(&talk(), &sizes)), told(&talk()));
    }

    #[test]
    fn any_bytes_are_survived(noise in proptest::collection::vec(any::<u8>(), 0..90), at in 16usize..90, bit in 0u8..8) {
        let mut steps = talk();
        for step in &mut steps {
            if let Step::Data(_, bytes) = step && let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << bit;
            }
        }
        steps.extend([up(message(4, 0, &noise)), down(message(5, 4, &noise))]);
        prop_assert!(told(&steps).len() <= 4);
    }
}
