//! What the tests of all dissectors share.

use super::{Chunk, Conversation};
use crate::model::{AppEvent, Conn, Dir, Event, FlowId, Proto};

/// A flow between two documentation addresses (RFC 5737).
pub fn conn(proto: Proto, resp_p: u16) -> Conn {
    Conn { flow: FlowId::new(1, 0), orig_h: [192, 0, 2, 1].into(), orig_p: 40_000, resp_h: [198, 51, 100, 2].into(), resp_p, proto }
}

/// One thing that happens to a flow.
#[derive(Clone, Debug)]
pub enum Step {
    /// Bytes of a direction, in one segment or datagram.
    Data(Dir, Vec<u8>),
    /// Bytes of a direction are lost.
    Gap(Dir, u64),
    /// A direction has ended.
    Fin(Dir),
}

/// Bytes from the originator.
pub fn up(bytes: impl AsRef<[u8]>) -> Step {
    Step::Data(Dir::Orig, bytes.as_ref().to_vec())
}

/// Bytes from the responder.
pub fn down(bytes: impl AsRef<[u8]>) -> Step {
    Step::Data(Dir::Resp, bytes.as_ref().to_vec())
}

/// Plays the steps to a new conversation, a frame and a millisecond each, and ends it.
pub fn play(conn: Conn, steps: &[Step]) -> (Vec<AppEvent>, &'static str) {
    let mut conversation = Conversation::new(conn);
    let mut events = Vec::new();
    for (n, step) in steps.iter().enumerate() {
        let frame = n as u64 + 1;
        match step {
            Step::Data(dir, bytes) => {
                let ts_ns = frame as i64 * 1_000_000;
                conversation.data(&Chunk { dir: *dir, bytes, cut: 0, frame, ts_ns }, &mut events)
            }
            Step::Gap(dir, missing) => conversation.gap(*dir, *missing, &mut events),
            Step::Fin(dir) => conversation.fin(*dir, &mut events),
        }
    }
    conversation.end(&mut events);
    (events, conversation.service())
}

/// The events without their places.
pub fn said(conn: Conn, steps: &[Step]) -> Vec<Event> {
    play(conn, steps).0.into_iter().map(|event| event.event).collect()
}

/// The same bytes in segments of the given sizes (in turn; zero counts as one).
pub fn cut(steps: &[Step], sizes: &[usize]) -> Vec<Step> {
    let mut sizes = sizes.iter().copied().cycle();
    let mut out = Vec::new();
    for step in steps {
        let Step::Data(dir, bytes) = step else {
            out.push(step.clone());
            continue;
        };
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let (now, later) = rest.split_at(sizes.next().unwrap_or(1).max(1).min(rest.len()));
            out.push(Step::Data(*dir, now.to_vec()));
            rest = later;
        }
    }
    out
}
