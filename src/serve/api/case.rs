//! What the case is, what it says, and what it could not see.

use super::tables::{self, Source};
use super::{Answer, List, attack, document, finding};
use crate::model::report::{Coverage, Evidence, Host, Verdict};
use crate::model::{Finding, Report};
use crate::report::visible;
use crate::serve::Shared;
use crate::serve::access::Visitor;
use crate::serve::access::users::Role;
use crate::serve::desk::rows;
use crate::serve::exchange::Json;
use crate::serve::problem::Problem;
use crate::serve::triage::{self, Triage};
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use duckdb::types::Value;
use serde::Serialize;
use serde_json::json;
use std::sync::Arc;

pub fn list(list: &mut List) {
    list.get("/api/v1/case", "case", "Name, verdict and size of the case, with the hashes of its evidence.", get(case));
    list.get("/api/v1/coverage", "case", "What was seen and what was not: silence is never clean.", get(coverage));
    list.get("/api/v1/report", "case", "The whole report: what `vigil report --format json` writes.", get(report));
    list.get("/api/v1/attack", "case", "ATT&CK techniques that rules look for, with the findings that name them.", get(attack))
        .answers::<Vec<attack::Tactic>>();
    list.get("/api/v1/tables", "tables", "All tables with their columns and numbers of rows.", get(all_tables));
    list.get("/api/v1/tables/{table}", "tables", "The columns of one table.", get(one_table))
        .with(vec![document::segment("table", "Name of the table.")]);
    list.get("/api/v1/findings/{id}", "findings", "A finding with its evidence, flows, frames, and what became of it.", get(one_finding))
        .with(vec![document::segment("id", "Id, such as F1.")]);
    list.get("/api/v1/findings/{id}/packets", "findings", "The packets of a finding as pcapng; noted in the journal.", get(packets))
        .by(Some(Role::Analyst))
        .with(vec![document::segment("id", "Id, such as F1.")])
        .gives(Answer::Other("application/vnd.tcpdump.pcap"));
    list.get("/api/v1/hosts/{ip}", "hosts", "What is known of a host: names, roles, risk, findings.", get(one_host))
        .with(vec![document::segment("ip", "Address.")]);
    list.get("/api/v1/me", "access", "Who asks, and what they may do.", get(me));
    list.get("/api/v1/openapi.json", "case", "This document.", get(openapi));
}

/// The case at a glance.
#[derive(Serialize)]
struct Glance<'a> {
    case: &'a str,
    verdict: &'a Verdict,
    first_ts: Option<String>,
    last_ts: Option<String>,
    frames: u64,
    bytes: u64,
    flows: u64,
    hosts: u64,
    findings: usize,
    evidence: &'a [Evidence],
    vigil: &'a str,
}

impl<'a> Glance<'a> {
    fn new(report: &'a Report) -> Self {
        let coverage: &Coverage = &report.coverage;
        Self {
            case: &report.case,
            verdict: &report.verdict,
            first_ts: coverage.first_ts.map(crate::model::time::rfc3339),
            last_ts: coverage.last_ts.map(crate::model::time::rfc3339),
            frames: coverage.frames,
            bytes: coverage.bytes,
            flows: coverage.flows,
            hosts: report.hosts_total,
            findings: report.findings.len(),
            evidence: &report.evidence,
            vigil: env!("CARGO_PKG_VERSION"),
        }
    }
}

async fn case(State(app): State<Shared>) -> impl IntoResponse {
    Json(json!(Glance::new(&app.report)))
}

async fn coverage(State(app): State<Shared>) -> impl IntoResponse {
    Json(json!(app.report.coverage))
}

async fn report(State(app): State<Shared>) -> Result<impl IntoResponse, Problem> {
    let bytes = crate::report::render(crate::report::Format::Json, &app.report).map_err(|error| Problem::Ours(error.to_string()))?;
    Ok(([(header::CONTENT_TYPE, "application/json")], bytes))
}

async fn attack(State(app): State<Shared>) -> impl IntoResponse {
    Json(attack::matrix(&app))
}

async fn openapi(State(app): State<Shared>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], app.document.clone())
}

async fn me(Extension(visitor): Extension<Visitor>) -> impl IntoResponse {
    Json(json!({ "name": visitor.name, "role": visitor.role }))
}

fn described(source: &Source) -> serde_json::Value {
    let columns: Vec<_> = source.columns.iter().map(|(name, kind, doc)| json!({ "name": name, "type": kind.sql(), "doc": doc })).collect();
    json!({ "name": source.name, "doc": source.doc, "path": format!("/api/v1/{}", source.name), "columns": columns })
}

async fn all_tables(State(app): State<Shared>) -> Result<impl IntoResponse, Problem> {
    let counts = app.desk.ask(|conn| rows(conn, "SELECT table_name, estimated_size FROM duckdb_tables() WHERE NOT internal", &[])).await?;
    let count = |name: &str| {
        counts.cells.iter().find(|row| row.first().is_some_and(|cell| cell.to_string() == name)).and_then(|row| Some(row.get(1)?.to_json()))
    };
    let all: Vec<_> = tables::sources()
        .iter()
        .map(|source| {
            let mut table = described(source);
            table["rows"] = count(source.name).unwrap_or(serde_json::Value::Null);
            table
        })
        .collect();
    Ok(Json(all))
}

async fn one_table(Path(name): Path<String>) -> Result<impl IntoResponse, Problem> {
    let source = tables::source(&name)
        .ok_or_else(|| Problem::Nowhere(format!("there is no table {:?}; /api/v1/tables lists them", visible(&name))))?;
    Ok(Json(described(source)))
}

#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    finding: &'a Finding,
    triage: Triage,
}

async fn one_finding(State(app): State<Shared>, Path(id): Path<String>) -> Result<impl IntoResponse, Problem> {
    let finding = finding(&app, &id)?;
    let triage = triage_of(&app, &id).await?;
    Ok(Json(json!(Told { finding, triage })))
}

async fn packets(State(app): State<Shared>, Path(id): Path<String>) -> Result<impl IntoResponse, Problem> {
    let id = finding(&app, &id)?.id.clone();
    let bytes = app.carver.carve(&id).await?;
    let name = format!("attachment; filename=\"{}-{}.pcapng\"", plain(&app.report.case), plain(&id));
    Ok(([(header::CONTENT_TYPE, "application/vnd.tcpdump.pcap".to_string()), (header::CONTENT_DISPOSITION, name)], bytes))
}

/// A part of a file's name that needs no quoting anywhere.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '_' }).take(60).collect()
}

/// What became of a finding. The journal is a file under a lock: read where it may block.
pub async fn triage_of(app: &Shared, id: &str) -> Result<Triage, Problem> {
    let app = Arc::clone(app);
    let read = tokio::task::spawn_blocking(move || triage::read(&app)).await;
    Ok(read.map_err(|panic| Problem::Ours(panic.to_string()))??.remove(id).unwrap_or_default())
}

async fn one_host(State(app): State<Shared>, Path(ip): Path<String>) -> Result<impl IntoResponse, Problem> {
    Ok(Json(json!(host(&app, &ip).await?)))
}

/// What is known of the host: from the report if it is among the gravest, else from the tables.
pub async fn host(app: &Shared, ip: &str) -> Result<Host, Problem> {
    if let Some(host) = app.report.hosts.iter().find(|host| host.ip == ip) {
        return Ok(host.clone());
    }
    let asked = ip.to_string();
    let found = app.desk.ask(move |conn| {
        let sql = "SELECT internal, array_to_string(names, chr(31)), array_to_string(macs, chr(31)), flows, bytes_out, bytes_in, \
            (SELECT string_agg(role, chr(31) ORDER BY role) FROM host_role r WHERE r.ip = h.ip) FROM hosts h WHERE ip = ?";
        rows(conn, sql, &[Value::Text(asked)])
    });
    let found = found.await?;
    let [internal, names, macs, flows, out, into, roles] = found
        .cells
        .first()
        .and_then(|row| <&[crate::store::Cell; 7]>::try_from(row.as_slice()).ok())
        .ok_or_else(|| Problem::Nowhere(format!("no host {:?} was seen", visible(ip))))?;
    let number = |cell: &crate::store::Cell| cell.to_string().parse().unwrap_or(0);
    let list = |cell: &crate::store::Cell| cell.to_string().split('\u{1f}').filter(|part| !part.is_empty()).map(str::to_string).collect();
    Ok(Host {
        ip: ip.into(),
        internal: *internal == crate::store::Cell::Bool(true),
        names: list(names),
        macs: list(macs),
        roles: list(roles),
        flows: number(flows),
        bytes_out: number(out),
        bytes_in: number(into),
        state: "clean".into(),
        findings: app.report.findings.iter().filter(|finding| names_host(finding, ip)).map(|finding| finding.id.clone()).collect(),
        ..Host::default()
    })
}

/// Whether a finding names the host.
pub fn names_host(finding: &Finding, ip: &str) -> bool {
    finding.actors.iter().chain(&finding.targets).any(|named| named == ip)
}
