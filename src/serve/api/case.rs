//! What the case is, what it says, and what it could not see.

use super::tables::{self, Source};
use super::{Answer, List, attack, document, finding};
use crate::model::report::{Coverage, Evidence, Host, Verdict};
use crate::model::{Finding, Report};
use crate::report::visible;
use crate::serve::access::Visitor;
use crate::serve::access::users::Role;
use crate::serve::desk::rows;
use crate::serve::exchange::Json;
use crate::serve::problem::Problem;
use crate::serve::triage::{self, Triage};
use crate::serve::{App, Open, Shared};
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
    list.get("/api/v1/tables", "tables", "All tables with their columns and numbers of rows.", get(all_tables))
        .gives(Answer::Json(json!({ "type": "array", "items": { "type": "object" } })));
    list.get("/api/v1/tables/{table}", "tables", "The columns of one table.", get(one_table))
        .with(vec![document::segment("table", "Name of the table.")]);
    list.get("/api/v1/findings/{id}", "findings", "A finding with its evidence, flows, frames, and what became of it.", get(one_finding))
        .with(vec![document::segment("id", "Id, such as F1.")]);
    list.get("/api/v1/findings/{id}/packets", "findings", "The packets of a finding as pcapng; noted in the journal.", get(packets))
        .by(Some(Role::Analyst))
        .with(vec![document::segment("id", "Id, such as F1.")])
        .gives(Answer::Other("application/vnd.tcpdump.pcap"));
    list.get("/api/v1/flows/{id}/packets", "flows", "The packets of a flow as pcapng; noted in the journal.", get(packets_of_flow))
        .by(Some(Role::Analyst))
        .with(vec![document::segment("id", "Id as it is printed, such as 1042 or 1042/1 (the slash written %2F).")])
        .gives(Answer::Other("application/vnd.tcpdump.pcap"));
    list.get("/api/v1/incidents/{id}", "findings", "An incident with its findings, in order of time.", get(one_incident))
        .with(vec![document::segment("id", "Id, such as I1.")]);
    list.get(
        "/api/v1/incidents/{id}/packets",
        "findings",
        "The packets of an incident as pcapng; noted in the journal.",
        get(packets_of_incident),
    )
    .by(Some(Role::Analyst))
    .with(vec![document::segment("id", "Id, such as I1.")])
    .gives(Answer::Other("application/vnd.tcpdump.pcap"));
    list.get("/api/v1/hosts/{ip}", "hosts", "What is known of a host: names, roles, risk, findings.", get(one_host))
        .with(vec![document::segment("ip", "Address.")]);
    list.get("/api/v1/me", "access", "Who asks, and what they may do.", get(me));
    list.get("/api/v1/openapi.json", "case", "This document.", get(openapi));
}

/// The case at a glance.
pub fn at_a_glance(app: &App) -> serde_json::Value {
    json!(Glance::new(app))
}

#[derive(Serialize)]
struct Glance<'a> {
    case: &'a str,
    live: bool,
    verdict: &'a Verdict,
    first_ts: Option<String>,
    last_ts: Option<String>,
    frames: u64,
    bytes: u64,
    flows: u64,
    hosts: u64,
    findings: usize,
    incidents: usize,
    evidence: &'a [Evidence],
    vigil: &'a str,
}

impl<'a> Glance<'a> {
    fn new(app: &'a App) -> Self {
        let report: &Report = &app.report;
        let coverage: &Coverage = &report.coverage;
        Self {
            case: &report.case,
            live: app.live,
            verdict: &report.verdict,
            first_ts: coverage.first_ts.map(crate::model::time::rfc3339),
            last_ts: coverage.last_ts.map(crate::model::time::rfc3339),
            frames: coverage.frames,
            bytes: coverage.bytes,
            flows: coverage.flows,
            hosts: report.hosts_total,
            findings: report.findings.len(),
            incidents: app.report.incidents.len(),
            evidence: &report.evidence,
            vigil: env!("CARGO_PKG_VERSION"),
        }
    }
}

async fn case(Open(app): Open) -> impl IntoResponse {
    Json(at_a_glance(&app))
}

async fn coverage(Open(app): Open) -> impl IntoResponse {
    Json(json!(app.report.coverage))
}

async fn report(Open(app): Open) -> Result<impl IntoResponse, Problem> {
    let bytes = crate::report::render(crate::report::Format::Json, &app.report).map_err(|error| Problem::Ours(error.to_string()))?;
    Ok(([(header::CONTENT_TYPE, "application/json")], bytes))
}

async fn attack(Open(app): Open) -> impl IntoResponse {
    Json(attack::matrix(&app))
}

async fn openapi(State(server): State<Shared>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], server.document.clone())
}

async fn me(Extension(visitor): Extension<Visitor>) -> impl IntoResponse {
    Json(json!({ "name": visitor.name, "role": visitor.role }))
}

fn described(source: &Source) -> serde_json::Value {
    let columns: Vec<_> = source.columns.iter().map(|(name, kind, doc)| json!({ "name": name, "type": kind.sql(), "doc": doc })).collect();
    json!({ "name": source.name, "doc": source.doc, "path": format!("/api/v1/{}", source.name), "columns": columns })
}

async fn all_tables(Open(app): Open) -> Result<impl IntoResponse, Problem> {
    let counts = app
        .desk
        .ask(|conn| {
            rows(
                conn,
                "SELECT table_name, estimated_size FROM duckdb_tables() WHERE NOT internal AND database_name = current_database()",
                &[],
            )
        })
        .await?;
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

async fn one_finding(Open(app): Open, Path(id): Path<String>) -> Result<impl IntoResponse, Problem> {
    let finding = finding(&app, &id)?;
    let triage = triage_of(&app, &id).await?;
    Ok(Json(json!(Told { finding, triage })))
}

async fn packets(Open(app): Open, Extension(visitor): Extension<Visitor>, Path(id): Path<String>) -> Result<impl IntoResponse, Problem> {
    let id = finding(&app, &id)?.id.clone();
    carved(&app, &visitor, &id, &id).await
}

async fn packets_of_incident(
    Open(app): Open,
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Problem> {
    super::incident(&app, &id)?;
    carved(&app, &visitor, &id, &id).await
}

async fn packets_of_flow(
    Open(app): Open,
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Problem> {
    let flow: crate::model::FlowId = id.parse().map_err(|_| Problem::Nowhere(format!("{:?} is no flow", visible(&id))))?;
    carved(&app, &visitor, &format!("flow:{flow}"), &format!("flow-{flow}")).await
}

async fn carved(app: &Arc<App>, visitor: &Visitor, what: &str, name: &str) -> Result<impl IntoResponse + use<>, Problem> {
    let bytes = app.carver.carve(what).await?;
    super::audit(app, "handed_over", json!({ "packets": what, "by": visitor.name, "bytes": bytes.len() })).await?;
    let name = format!("attachment; filename=\"{}-{}.pcapng\"", plain(&app.report.case), plain(name));
    Ok(([(header::CONTENT_TYPE, "application/vnd.tcpdump.pcap".to_string()), (header::CONTENT_DISPOSITION, name)], bytes))
}

/// A part of a file's name that needs no quoting anywhere.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '_' }).take(60).collect()
}

/// What became of a finding. The journal is a file under a lock: read where it may block.
pub async fn triage_of(app: &Arc<App>, id: &str) -> Result<Triage, Problem> {
    let app = Arc::clone(app);
    let read = tokio::task::spawn_blocking(move || triage::read(&app)).await;
    Ok(read.map_err(|panic| Problem::Ours(panic.to_string()))??.remove(id).unwrap_or_default())
}

async fn one_incident(Open(app): Open, Path(id): Path<String>) -> Result<impl IntoResponse, Problem> {
    let incident = super::incident(&app, &id)?;
    let findings: Vec<&Finding> = incident.findings.iter().filter_map(|id| finding(&app, id).ok()).collect();
    Ok(Json(json!({
        "id": incident.id, "title": incident.title, "severity": incident.severity, "risk": incident.risk, "confidence": incident.confidence,
        "first_ts": crate::model::time::rfc3339(incident.first_ns), "last_ts": crate::model::time::rfc3339(incident.last_ns),
        "hosts": incident.hosts, "tactics": incident.tactics, "findings": findings,
    })))
}

async fn one_host(Open(app): Open, Path(ip): Path<String>) -> Result<impl IntoResponse, Problem> {
    Ok(Json(json!(host(&app, &ip).await?)))
}

/// What is known of the host: from the report if it is among the gravest, else from the tables.
pub async fn host(app: &App, ip: &str) -> Result<Host, Problem> {
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
