//! The SQL console: a form that works without scripts; saved queries are kept by the browser.

use super::Page;
use super::frame;
use crate::report::html::t;
use crate::report::text::{clipped, count};
use crate::serve::access::Visitor;
use crate::serve::api::tables;
use crate::serve::exchange::{Form, Query};
use crate::serve::problem::Problem;
use crate::serve::query::{Answer, STATEMENT};
use crate::serve::{App, Open, Role, Shared};
use axum::Extension;
use axum::extract::State;
use maud::{Markup, html};
use serde::Deserialize;

/// Rows that the console shows.
const ROWS: usize = 500;
/// Characters of a cell.
const CELL: usize = 300;

/// Questions to begin with: name and statement.
const QUESTIONS: [(&str, &str); 8] = [
    ("Gravest findings", "SELECT id, severity, round(risk) AS risk, says, actors, targets\nFROM findings\nORDER BY risk DESC, id"),
    (
        "Who talks most",
        "SELECT id_orig_h AS client, id_resp_h AS server, id_resp_p AS port, min(service) AS service,\n       sum(orig_ip_bytes) AS bytes_out, sum(resp_ip_bytes) AS bytes_in, count(*) AS flows\nFROM flows\nGROUP BY client, server, port\nORDER BY bytes_out + bytes_in DESC, client, server, port\nLIMIT 50",
    ),
    (
        "Steady rhythms",
        "WITH gap AS (\n    SELECT id_orig_h, id_resp_h, id_resp_p,\n           epoch(ts) - lag(epoch(ts)) OVER (PARTITION BY id_orig_h, id_resp_h, id_resp_p ORDER BY ts_ns, flow_id) AS seconds\n    FROM flows\n)\nSELECT id_orig_h AS client, id_resp_h AS server, id_resp_p AS port, count(*) + 1 AS calls,\n       round(median(seconds), 1) AS every_s, round(mad(seconds), 1) AS spread_s\nFROM gap\nWHERE seconds IS NOT NULL\nGROUP BY client, server, port\nHAVING count(*) >= 8 AND median(seconds) >= 5 AND mad(seconds) < 0.3 * median(seconds)\nORDER BY calls DESC, client, server, port",
    ),
    (
        "Names that one host asks",
        "SELECT etld1 AS domain, min(id_orig_h) AS client, count(DISTINCT query) AS names, round(avg(length(sub)), 1) AS mean_length\nFROM dns\nWHERE kind = 'dns' AND etld1 IS NOT NULL\nGROUP BY etld1\nHAVING count(DISTINCT id_orig_h) = 1\nORDER BY names DESC, domain\nLIMIT 50",
    ),
    (
        "TLS fingerprints",
        "SELECT ja4, count(*) AS handshakes, count(DISTINCT id_orig_h) AS clients, min(server_name) AS a_name\nFROM tls\nWHERE ja4 IS NOT NULL\nGROUP BY ja4\nORDER BY clients, handshakes DESC, ja4",
    ),
    ("Logins in clear", "SELECT * FROM credentials ORDER BY ts LIMIT 200"),
    ("Files", "SELECT ts, source, mime_type, filename, seen_bytes, sha256 FROM files ORDER BY seen_bytes DESC LIMIT 100"),
    (
        "Tables and rows",
        "SELECT table_name, estimated_size AS rows, comment\nFROM duckdb_tables()\nWHERE NOT internal AND estimated_size > 0\nORDER BY table_name",
    ),
];

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    query: String,
}

pub async fn console(
    State(server): State<Shared>,
    Open(app): Open,
    Extension(visitor): Extension<Visitor>,
    Query(asked): Query<Asked>,
) -> Page {
    visitor.must_be(Role::Analyst)?;
    Ok(page(&app, server.sql_timeout(), &visitor, &asked.query, html! {}))
}

pub async fn answer(
    State(server): State<Shared>,
    Open(app): Open,
    Extension(visitor): Extension<Visitor>,
    form: Result<Form<Asked>, Problem>,
) -> Page {
    visitor.must_be(Role::Analyst)?;
    let Form(asked) = form?;
    let answered = match app.query.run(&asked.query, ROWS, server.sql_timeout()).await {
        Ok(answer) => rows(&answer),
        Err(problem @ Problem::Ours(_)) => return Err(problem.into()),
        Err(problem) => {
            html! { pre.wrong role="alert" { (problem.says().lines().map(|line| t(line).into_owned()).collect::<Vec<_>>().join("\n")) } }
        }
    };
    Ok(page(&app, server.sql_timeout(), &visitor, &asked.query, answered))
}

fn page(app: &App, timeout: std::time::Duration, visitor: &Visitor, query: &str, answer: Markup) -> frame::Html {
    let body = html! {
        section #console {
            h2 { "SQL" }
            p.lead { "One statement that reads, in DuckDB's SQL. It runs in a process of its own and ends after " (timeout.as_secs()) " s." }
            form.sql method="post" action="/sql" {
                label.hidden for="query" { "Statement" }
                // A newline after the opening tag belongs to the tag, not to the statement.
                textarea #query name="query" rows="10" spellcheck="false" autocapitalize="off" autocomplete="off" data-search maxlength=(STATEMENT) { "\n" (query) }
                div.actions { button { "Run" } span.muted { kbd { "Ctrl" } " " kbd { "Enter" } } span data-save {} }
            }
            details.saved open[query.is_empty()] {
                summary { "Questions to begin with" }
                ul data-saved { @for (name, sql) in QUESTIONS { li { a href={ "/sql?" (super::query_string([("query", sql)])) } { (name) } } } }
            }
        }
        section #answer aria-live="polite" { (answer) }
        section #schema {
            details { summary { "Tables and columns" } @for source in tables::sources() { (described(source)) } }
        }
    };
    frame::page(app, visitor, "/sql", "SQL", body)
}

fn described(source: &tables::Source) -> Markup {
    html! {
        details.table-doc {
            summary { code { (source.name) } " " span.muted { (source.doc) } }
            dl { @for (name, kind, doc) in &source.columns { div { dt { code { (name) } " " span.muted { (kind.sql()) } } dd { (doc) } } } }
        }
    }
}

fn rows(answer: &Answer) -> Markup {
    let number = |at: usize| answer.rows.iter().take(20).all(|row| row.get(at).is_none_or(|value| value.is_number() || value.is_null()));
    html! {
        h2 { (count(answer.rows.len() as u64, "row")) @if answer.truncated { ", and more" } }
        p.lead { (format!("{:.2}", answer.seconds)) " s" @if answer.truncated { ". Narrow the statement, or use " code { "vigil sql" } " for all." } }
        @if !answer.rows.is_empty() {
            div.wide tabindex="0" role="group" aria-label="Answer, scrollable" {
                table.stack.plain.sheet-table data-sortable {
                    thead { tr { @for (at, name) in answer.columns.iter().enumerate() { th.num[number(at)] { (clipped(name, 60)) } } } }
                    tbody { @for row in &answer.rows { tr { @for (at, value) in row.iter().enumerate() { td.num[number(at)] data-label=(clipped(answer.columns.get(at).map_or("", String::as_str), 60)) { div { (written(value)) } } } } } }
                }
            }
        }
    }
}

fn written(value: &serde_json::Value) -> Markup {
    match value {
        serde_json::Value::Null => html! { span.muted { "NULL" } },
        serde_json::Value::String(text) => html! { (clipped(text, CELL)) },
        other => html! { (clipped(&other.to_string(), CELL)) },
    }
}
