//! Who watches a live run, and what is told.

use super::register::Change;
use super::usual::Unusual;
use crate::model::Ts;
use crate::model::report::RuleRun;
use crate::store::live::LiveCase;
use std::time::Duration;

/// How it goes.
#[derive(Clone, Debug, Default)]
pub struct Pulse {
    /// Frames so far.
    pub frames: u64,
    /// Bytes on the wire so far.
    pub bytes: u64,
    /// Open flows.
    pub open_flows: u64,
    /// Packets dropped so far, by anyone.
    pub dropped: u64,
    /// Newest frame's time.
    pub now: Option<Ts>,
    /// Findings that stand, by severity, mildest first.
    pub standing: [u64; 5],
    /// How long the last check took.
    pub check: Duration,
    /// The segment that is being written.
    pub segment: u64,
    /// Bytes of the ring.
    pub ring_bytes: u64,
}

/// Watches a live run.
pub trait Watcher: Sync {
    /// Listening has begun into this case. No rights are held any more: threads may be started.
    fn begins(&self, case: &LiveCase);
    /// How it goes, several times a second.
    fn pulse(&self, pulse: &Pulse);
    /// Something became of a finding.
    fn change(&self, change: &Change);
    /// What became of the rules so far, after each check.
    fn rules(&self, rules: &[RuleRun]);
    /// Something is not as usual.
    fn unusual(&self, unusual: &[Unusual]);
    /// Something is worth knowing that is neither.
    fn notice(&self, what: &str);
    /// Something went wrong that does not end the run.
    fn trouble(&self, what: &str);
}
