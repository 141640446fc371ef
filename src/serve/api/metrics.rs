//! Health, and metrics as Prometheus reads them.

use super::{Answer, List};
use crate::model::Severity;
use crate::serve::Shared;
use crate::serve::desk::rows;
use crate::serve::exchange::Json;
use crate::serve::problem::Problem;
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

async fn health(State(app): State<Shared>) -> Result<impl IntoResponse, Problem> {
    app.desk.ask(|conn| rows(conn, "SELECT 1", &[])).await?;
    Ok(Json(
        json!({ "status": "ok", "case": app.report.case, "vigil": env!("CARGO_PKG_VERSION"), "seconds": app.started.elapsed().as_secs() }),
    ))
}

async fn metrics(State(app): State<Shared>) -> impl IntoResponse {
    let mut text = String::new();
    let mut metric = |name: &str, kind: &str, says: &str, rows: &[(String, f64)]| {
        let _ = writeln!(text, "# HELP vigil_{name} {says}\n# TYPE vigil_{name} {kind}");
        for (labels, value) in rows {
            let _ = writeln!(text, "vigil_{name}{labels} {value}");
        }
    };
    let one = |value: f64| vec![(String::new(), value)];
    let answers: Vec<_> =
        app.counts.answers.iter().zip(1..).map(|(count, class)| (format!("{{class=\"{class}xx\"}}"), count.load(Relaxed) as f64)).collect();
    let all: f64 = answers.iter().map(|(_, count)| count).sum();
    metric("http_answers_total", "counter", "Answers by class of status.", &answers);
    let seconds = app.counts.micros.load(Relaxed) as f64 / 1e6;
    metric("http_seconds", "summary", "Time spent on answers.", &[("_sum".into(), seconds), ("_count".into(), all)]);
    metric("http_active", "gauge", "Requests under way.", &one(app.counts.active.load(Relaxed) as f64));
    metric("uptime_seconds", "gauge", "Since the server began.", &one(app.started.elapsed().as_secs_f64().round()));
    metric("case_frames", "gauge", "Frames of the case.", &one(app.report.coverage.frames as f64));
    metric("case_bytes", "gauge", "Bytes of evidence.", &one(app.report.coverage.bytes as f64));
    metric("case_flows", "gauge", "Flows of the case.", &one(app.report.coverage.flows as f64));
    metric("case_hosts", "gauge", "Hosts of the case.", &one(app.report.hosts_total as f64));
    let findings: Vec<_> = Severity::ALL
        .into_iter()
        .map(|severity| {
            (
                format!("{{severity=\"{}\"}}", severity.name()),
                app.report.findings.iter().filter(|finding| finding.severity == severity).count() as f64,
            )
        })
        .collect();
    metric("case_findings", "gauge", "Findings by severity.", &findings);
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
}
