//! The same as `dissect` for one protocol, that of `VIGIL_PROTOCOL`: its dissector takes every flow, whether it would be recognised or not, so
//! that all mutations reach it. Input: a [`Flow`], whose transport is set right.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;
use vigil::dissect::{Out, Protocol};
use vigil::model::AppEvent;
use vigil_fuzz::{Flow, Step, dissectors, holds};

fuzz_target!(|data: &[u8]| holds(play, data));

static PROTOCOL: LazyLock<&Protocol> = LazyLock::new(|| {
    let wanted = std::env::var("VIGIL_PROTOCOL").unwrap_or_default();
    let known = || dissectors().into_iter().map(|(name, _)| name).collect::<Vec<_>>().join(" ");
    let found = dissectors().into_iter().find(|(name, _)| *name == wanted);
    found.unwrap_or_else(|| panic!("VIGIL_PROTOCOL is {wanted:?}, and may be: {}", known())).1
});

fn play(data: &[u8]) -> Vec<AppEvent> {
    let Some(mut flow) = Flow::new(data) else { return Vec::new() };
    if !PROTOCOL.over.contains(&flow.conn.proto) {
        flow.conn.proto = PROTOCOL.over[0];
    }
    let mut dissector = (PROTOCOL.make)(&flow.conn);
    dissector.settle(&flow.setting());
    let mut out = Out::new(flow.conn);
    for step in flow.steps {
        match step {
            Step::Data(chunk) if !chunk.bytes.is_empty() && dissector.wants(chunk.dir) => dissector.data(&chunk, &mut out),
            Step::Data(_) | Step::Gap(_, 0) => {}
            Step::Gap(dir, missing) => dissector.gap(dir, missing, &mut out),
            Step::Fin(dir) => dissector.fin(dir, &mut out),
        }
    }
    dissector.end(&mut out);
    out.events
}
