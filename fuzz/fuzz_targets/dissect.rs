//! Any bytes of both directions, with gaps, through the protocols: nothing panics, nothing is said without end, and twice the same
//! bytes say the same twice.
//!
//! Input: port of the responder (2 bytes), transport (1: bit 0 is UDP; bit 1, inside of TLS that was read; bit 2, media that SIP announced),
//! then steps: kind (1), length (2), bytes where the kind has some.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;
use vigil::dissect::expect::Kind;
use vigil::dissect::{Chunk, Conversation, Setting};
use vigil::model::{AppEvent, Conn, Dir, FlowId, Keys, Proto};
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

static KEYS: LazyLock<Keys> = LazyLock::new(keys);

/// Keys of every session whose client says nothing but one byte as its random number.
fn keys() -> Keys {
    let keys = Keys::default();
    let hex = |byte: u8, length: usize| format!("{byte:02x}").repeat(length);
    for random in 0..=u8::MAX {
        let random = hex(random, 32);
        keys.add(format!("CLIENT_RANDOM {random} {}", hex(5, 48)).as_bytes());
        for label in ["CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET", "CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"] {
            keys.add(format!("{label} {random} {}", hex(6, 32)).as_bytes());
        }
    }
    keys
}

fn play(data: &[u8]) -> Vec<AppEvent> {
    let mut data = Bytes(data);
    let (Some(resp_p), Some(transport)) = (data.u16(), data.u8()) else { return Vec::new() };
    let proto = if transport & 1 == 1 { Proto::Udp } else { Proto::Tcp };
    let (orig_h, resp_h) = ([192, 0, 2, 1].into(), [198, 51, 100, 2].into());
    let conn = Conn { flow: FlowId::new(1, 0), orig_h, orig_p: 40_000, resp_h, resp_p, proto };
    let flow = Setting::of_flow(&KEYS);
    let setting = if transport & 2 == 0 { flow } else { flow.decrypted().expect("a flow stands beneath nothing") };
    let expected = (transport & 5 == 5).then_some(Kind::Rtp);
    let mut conversation = Conversation::perhaps(conn, expected, setting);
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
