//! Events of Timesketch: one JSON object a line with `message`, `datetime` and `timestamp_desc`.
//! <https://timesketch.org/guides/user/import-from-json-csv/>

use crate::model::{Finding, Report, Ts};
use chrono::DateTime;
use serde_json::{Value, json};
use std::io::{self, Write};

/// Writes when each finding was first and last seen, in order of time.
pub(super) fn write(report: &Report, out: &mut impl Write) -> io::Result<String> {
    let mut events: Vec<(Ts, String, Value)> = Vec::new();
    for finding in &report.findings {
        events.push((finding.first_ns, finding.id.clone(), event(report, finding, finding.first_ns, "First seen")));
        if finding.last_ns != finding.first_ns {
            events.push((finding.last_ns, finding.id.clone(), event(report, finding, finding.last_ns, "Last seen")));
        }
    }
    events.sort_by(|a, b| (a.0, &a.1, a.2["timestamp_desc"].as_str()).cmp(&(b.0, &b.1, b.2["timestamp_desc"].as_str())));
    for (_, _, event) in &events {
        writeln!(out, "{event}")?;
    }
    Ok(format!("{} events", events.len()))
}

fn event(report: &Report, it: &Finding, ts: Ts, desc: &str) -> Value {
    json!({
        "message": format!("{}: {}", it.id, it.says),
        "datetime": DateTime::from_timestamp_nanos(ts).format("%Y-%m-%dT%H:%M:%S%.6f+00:00").to_string(),
        "timestamp_desc": desc,
        "timestamp": ts.div_euclid(1_000),
        "data_type": "vigil:finding",
        "parser": "vigil",
        "case": report.case,
        "finding": it.id,
        "rule": it.rule,
        "title": it.title,
        "severity": it.severity.name(),
        "risk": it.risk,
        "confidence": it.confidence,
        "outcome": it.outcome.name(),
        "attack": it.attack,
        "tactic": it.tactic,
        "src_ip": it.actors.first(),
        "dest_ip": it.targets.first(),
        "actors": it.actors,
        "targets": it.targets,
        "users": it.users,
        "frames": it.frames.iter().take(20).collect::<Vec<_>>(),
        "incident": it.incident,
        "tag": [it.severity.name(), it.tactic],
    })
}
