//! Health, and metrics as Prometheus reads them.

use super::{Answer, List};
use crate::model::Severity;
use crate::serve::desk::rows;
use crate::serve::exchange::Json;
use crate::serve::problem::Problem;
use crate::serve::{Shared, shelf};
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use serde_json::json;
use std::fmt::Write;
use std::sync::atomic::Ordering::Relaxed;

pub fn list(list: &mut List) {
    list.get("/api/v1/health", "case", "Whether the case can be asked.", get(health));
    list.get("/metrics", "case", "Metrics for Prometheus.", get(metrics)).gives(Answer::Other("text/plain"));
}

async fn health(State(server): State<Shared>) -> Result<impl IntoResponse, Problem> {
    let case = server.shelf.first();
    if let Some(name) = case {
        shelf::get(&server, name).await?.desk.ask(|conn| rows(conn, "SELECT 1", &[])).await?;
    }
    Ok(Json(json!({ "status": "ok", "case": case, "vigil": env!("CARGO_PKG_VERSION"), "seconds": server.started.elapsed().as_secs() })))
}

async fn metrics(State(server): State<Shared>) -> impl IntoResponse {
    let mut text = String::new();
    let mut metric = |name: &str, kind: &str, says: &str, rows: &[(String, f64)]| {
        let _ = writeln!(text, "# HELP vigil_{name} {says}\n# TYPE vigil_{name} {kind}");
        for (labels, value) in rows {
            let _ = writeln!(text, "vigil_{name}{labels} {value}");
        }
    };
    let one = |value: f64| vec![(String::new(), value)];
    let answers: Vec<_> = server
        .counts
        .answers
        .iter()
        .zip(1..)
        .map(|(count, class)| (format!("{{class=\"{class}xx\"}}"), count.load(Relaxed) as f64))
        .collect();
    let all: f64 = answers.iter().map(|(_, count)| count).sum();
    metric("http_answers_total", "counter", "Answers by class of status.", &answers);
    let seconds = server.counts.micros.load(Relaxed) as f64 / 1e6;
    metric("http_seconds", "summary", "Time spent on answers.", &[("_sum".into(), seconds), ("_count".into(), all)]);
    metric("http_active", "gauge", "Requests under way.", &one(server.counts.active.load(Relaxed) as f64));
    metric("uptime_seconds", "gauge", "Since the server began.", &one(server.started.elapsed().as_secs_f64().round()));
    // Of the case that was named: names of cases as labels would never end.
    if let Some(name) = server.shelf.first()
        && let Ok(app) = shelf::get(&server, name).await
    {
        let coverage = &app.report.coverage;
        metric("case_frames", "gauge", "Frames of the case.", &one(coverage.frames as f64));
        metric("case_bytes", "gauge", "Bytes of evidence.", &one(coverage.bytes as f64));
        metric("case_flows", "gauge", "Flows of the case.", &one(coverage.flows as f64));
        metric("case_hosts", "gauge", "Hosts of the case.", &one(app.report.hosts_total as f64));
        let of = |severity| app.report.findings.iter().filter(|finding| finding.severity == severity).count() as f64;
        let findings = Severity::ALL.map(|severity| (format!("{{severity=\"{}\"}}", severity.name()), of(severity)));
        metric("case_findings", "gauge", "Findings by severity.", &findings);
    }
    if let Some(pulse) = server.shelf.last_pulse() {
        for (name, kind, says) in [
            ("frames", "counter", "Frames captured."),
            ("bytes", "counter", "Bytes captured, on the wire."),
            ("dropped", "counter", "Packets dropped, by anyone."),
            ("open_flows", "gauge", "Flows under way."),
            ("ring_bytes", "gauge", "Bytes of the ring of packets."),
            ("check_seconds", "gauge", "How long the last check took."),
        ] {
            let total = if kind == "counter" { "_total" } else { "" };
            metric(&format!("live_{name}{total}"), kind, says, &one(pulse[name].as_f64().unwrap_or(0.0)));
        }
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
}
