//! Any bytes of both directions, with gaps, through the protocols: nothing panics, nothing is said without end, and twice the same
//! bytes say the same twice. Input: a [`Flow`].

#![no_main]

use libfuzzer_sys::fuzz_target;
use vigil::dissect::Conversation;
use vigil::dissect::expect::Kind;
use vigil::model::AppEvent;
use vigil_fuzz::{Flow, Step, holds};

fuzz_target!(|data: &[u8]| holds(play, data));

fn play(data: &[u8]) -> Vec<AppEvent> {
    let Some(flow) = Flow::new(data) else { return Vec::new() };
    let expected = flow.announced.then_some(Kind::Rtp);
    let mut conversation = Conversation::perhaps(flow.conn, expected, flow.setting());
    let mut events = Vec::new();
    for step in flow.steps {
        match step {
            Step::Data(chunk) if conversation.wants(chunk.dir) => conversation.data(&chunk, &mut events),
            Step::Data(_) => {}
            Step::Gap(dir, missing) => conversation.gap(dir, missing, &mut events),
            Step::Fin(dir) => conversation.fin(dir, &mut events),
        }
    }
    conversation.end(&mut events);
    events
}
