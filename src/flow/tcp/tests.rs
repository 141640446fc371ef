//! What single segments say, without reassembly around.

use super::*;
use proptest::prelude::*;

fn segment(flags: u16, seq: u32, ack: u32) -> Tcp {
    let window = 1_000;
    Tcp { sport: 1, dport: 2, seq, ack, flags, window, urgent: 0, mss: 0, wscale: None, option_kinds: [0; 12], checksum_ok: Some(true) }
}

/// Plays segments; returns the connection, its history and the names of all oddities in order.
fn play(steps: &[(Dir, u16, u32, u32, u32)]) -> (Connection, String, Vec<&'static str>) {
    let (mut connection, mut history, mut odd) = (Connection::new(0), History::default(), Vec::new());
    for (now, (dir, flags, seq, ack, len)) in steps.iter().enumerate() {
        let effect = connection.segment(*dir, &segment(*flags, *seq, *ack), *len, now as i64, &mut history);
        odd.extend(effect.odd.iter().map(Oddity::name));
        if effect.flip {
            connection.flip();
            history.flipped();
        }
    }
    (connection, history.into_string([false; 2]), odd)
}

use Dir::{Orig, Resp};
use tcp_flags::{ACK, FIN, PSH, RST, SYN};

#[test]
fn a_syn_captured_behind_its_answer_turns_the_connection_round() {
    let (connection, history, odd) = play(&[(Orig, SYN | ACK, 500, 101, 0), (Resp, SYN, 100, 0, 0), (Orig, ACK, 101, 501, 0)]);
    assert_eq!((connection.conn_state(&history), history.as_str()), ("S1", "Hs^A"));
    assert_eq!(odd, ["connection_originator_SYN_ack"]);
}

#[test]
fn scans_without_a_syn_are_odd_in_zeeks_words() {
    let odd = |flags| play(&[(Orig, flags, 1, 0, 0)]).2;
    assert_eq!(odd(0), ["TCP_null"]);
    assert_eq!(odd(FIN), ["spontaneous_FIN"]);
    assert_eq!(odd(SYN | RST), ["TCP_christmas", "spontaneous_RST"]);
    assert_eq!(odd(RST), ["spontaneous_RST"]);
    assert_eq!(odd(SYN | FIN), ["SYN_with_FIN"]);
}

#[test]
fn numbers_that_wrap_round_are_counted_on() {
    let near = u32::MAX - 10;
    let (connection, ..) = play(&[
        (Orig, SYN, near, 0, 0),
        (Resp, SYN | ACK, 9, near.wrapping_add(1), 0),
        (Orig, ACK | PSH, near.wrapping_add(1), 10, 1_000),
        (Resp, ACK, 10, near.wrapping_add(1_001), 0),
        (Orig, FIN | ACK, near.wrapping_add(1_001), 10, 0),
    ]);
    let [orig, resp] = &connection.ends;
    assert_eq!((orig.size(resp), resp.size(orig)), (1_000, 0));
}

#[test]
fn a_connection_of_which_only_syn_and_fin_were_captured_has_the_size_between_them() {
    let (connection, history, _) = play(&[(Orig, SYN, 100, 0, 0), (Resp, SYN | ACK, 7, 101, 0), (Orig, FIN | ACK, 3_000_000_101, 8, 0)]);
    assert_eq!((connection.ends[0].size(&connection.ends[1]), connection.conn_state(&history)), (3_000_000_000, "S2"));
}

#[test]
fn room_taken_back_is_odd() {
    let mut shrunk = segment(ACK, 1, 100);
    let (mut connection, mut history) = (Connection::new(0), History::default());
    connection.segment(Orig, &shrunk, 0, 0, &mut history);
    shrunk.window = 10;
    let effect = connection.segment(Orig, &shrunk, 0, 1, &mut history);
    assert_eq!(effect.odd.iter().map(Oddity::name).collect::<Vec<_>>(), ["window_recision"]);
}

proptest! {
    #[test]
    fn any_segments_leave_a_state_and_a_bounded_history(
        steps in proptest::collection::vec((any::<bool>(), 0u16..64, any::<u32>(), any::<u32>(), 0u32..3_000), 0..400)
    ) {
        let steps: Vec<_> = steps.into_iter().map(|(orig, flags, seq, ack, len)| (if orig { Orig } else { Resp }, flags, seq, ack, len)).collect();
        let (connection, history, _) = play(&steps);
        prop_assert!(history.len() <= 400 && !connection.conn_state(&history).is_empty());
    }
}
