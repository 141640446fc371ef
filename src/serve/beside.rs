//! A server beside a live capture: it is told what the capture does, and passes it on.

use super::Shared;
use crate::model::report::RuleRun;
use crate::pipeline::{Change, Pulse};
use serde_json::{Value, json};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Listeners hear of the pulse this often.
const PULSE: Duration = Duration::from_millis(950);

/// The server. It ends with the value.
pub struct Beside {
    server: Shared,
    stop: Option<watch::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    last: Mutex<Option<(Instant, Pulse)>>,
}

impl Beside {
    pub(super) fn new(server: Shared, stop: watch::Sender<()>, thread: JoinHandle<()>) -> Self {
        Self { server, stop: Some(stop), thread: Some(thread), last: Mutex::default() }
    }

    fn tell(&self, kind: &'static str, data: Value) {
        self.server.news.tell(kind, self.server.shelf.first(), data);
    }

    /// How the capture goes.
    pub fn pulse(&self, pulse: &Pulse) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.as_ref().is_some_and(|(at, _)| at.elapsed() < PULSE) {
            return;
        }
        let said = said(pulse, last.as_ref().map(|(at, before)| (at.elapsed(), before)));
        *last = Some((Instant::now(), pulse.clone()));
        drop(last);
        self.server.shelf.pulse(said.clone());
        self.tell("statistics", said);
    }

    /// Something became of a finding.
    pub fn change(&self, change: &Change) {
        self.tell("finding", json!({ "at": change.at, "change": change.change, "finding": change.finding }));
    }

    /// What became of the rules so far.
    pub fn rules(&self, rules: &[RuleRun]) {
        self.server.shelf.rules(rules);
    }

    /// Something went wrong.
    pub fn trouble(&self, what: &str) {
        self.tell("trouble", json!({ "says": what }));
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            // A panic in there was told by itself, and is no reason to lose the case.
            let _ = thread.join();
        }
        // Connections to the case close before the case does.
        self.server.shelf.close();
    }
}

/// The pulse as it is sent: counts, and rates since the one before.
fn said(pulse: &Pulse, before: Option<(Duration, &Pulse)>) -> Value {
    let rate = |now: u64, then: fn(&Pulse) -> u64| {
        before.map(|(since, before)| (now.saturating_sub(then(before)) as f64 / since.as_secs_f64().max(0.001)).round())
    };
    let names = crate::model::Severity::ALL.map(crate::model::Severity::name);
    let standing: serde_json::Map<String, Value> =
        names.iter().zip(pulse.standing).map(|(name, count)| (name.to_string(), count.into())).collect();
    json!({
        "frames": pulse.frames,
        "bytes": pulse.bytes,
        "frames_per_second": rate(pulse.frames, |pulse| pulse.frames),
        "bytes_per_second": rate(pulse.bytes, |pulse| pulse.bytes),
        "open_flows": pulse.open_flows,
        "dropped": pulse.dropped,
        "now": pulse.now.map(crate::model::time::rfc3339),
        "findings": standing,
        "check_seconds": (pulse.check.as_secs_f64() * 1e3).round() / 1e3,
        "segment": pulse.segment,
        "ring_bytes": pulse.ring_bytes,
    })
}
