//! Any bytes of both directions, with gaps, through the protocols: nothing panics, nothing is said without end, and twice the same
//! bytes say the same twice.
//!
//! Input: port of the responder (2 bytes), transport (1: odd is UDP), then steps: kind (1), length (2), bytes where the kind has some.

#![no_main]

use libfuzzer_sys::fuzz_target;
use vigil::dissect::{Chunk, Conversation};
use vigil::model::{AppEvent, Conn, Dir, FlowId, Proto};
use vigil_fuzz::Bytes;

/// Events that a byte may cause at most, and those that a flow may cause by being there.
const EVENTS_PER_BYTE: usize = 2;
const EVENTS_ANYWAY: usize = 64;
/// The longest event, printed.
const EVENT_CHARS: usize = 4 << 20;

fuzz_target!(|data: &[u8]| {
    let said = play(data);
    for event in &said {
        let printed = format!("{event:?}").len();
        assert!(printed <= EVENT_CHARS, "an event of {printed} characters");
    }
    assert!(said.len() <= EVENTS_ANYWAY + EVENTS_PER_BYTE * data.len(), "{} events of {} bytes", said.len(), data.len());
    assert_eq!(said, play(data), "the same bytes say the same");
});

fn play(data: &[u8]) -> Vec<AppEvent> {
    let mut data = Bytes(data);
    let (Some(resp_p), Some(transport)) = (data.u16(), data.u8()) else { return Vec::new() };
    let proto = if transport & 1 == 1 { Proto::Udp } else { Proto::Tcp };
    let (orig_h, resp_h) = ([192, 0, 2, 1].into(), [198, 51, 100, 2].into());
    let mut conversation = Conversation::new(Conn { flow: FlowId::new(1, 0), orig_h, orig_p: 40_000, resp_h, resp_p, proto });
    let (mut events, mut frame) = (Vec::new(), 0);
    while let (Some(kind), Some(len)) = (data.u8(), data.u16()) {
        frame += 1;
        let dir = if kind & 1 == 0 { Dir::Orig } else { Dir::Resp };
        match kind >> 1 & 7 {
            0..=4 => {
                let cut = if kind >> 1 & 7 == 4 { 100 } else { 0 };
                let chunk = Chunk { dir, bytes: data.take(usize::from(len)), cut, frame, ts_ns: frame as i64 * 1_000_000 };
                if conversation.wants(dir) {
                    conversation.data(&chunk, &mut events);
                }
            }
            5 | 6 => conversation.gap(dir, u64::from(len), &mut events),
            _ => conversation.fin(dir, &mut events),
        }
    }
    conversation.end(&mut events);
    events
}
