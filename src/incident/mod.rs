//! stub
#![allow(missing_docs)]
use crate::model::Finding;
use crate::model::report::{Host, TimelineEntry, Verdict};
use crate::store::IncidentRow;
pub struct HostFacts {
    pub ip: String,
    pub internal: bool,
    pub names: Vec<String>,
    pub macs: Vec<String>,
    pub flows: u64,
    pub bytes_out: u64,
    pub bytes_in: u64,
    pub roles: Vec<String>,
}
#[derive(Default)]
pub struct Judged {
    pub hosts: Vec<Host>,
    pub incidents: Vec<IncidentRow>,
    pub timeline: Vec<TimelineEntry>,
    pub verdict: Verdict,
}
pub fn judge(_f: &mut [Finding], _h: &[HostFacts]) -> Judged {
    Judged::default()
}
