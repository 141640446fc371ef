//! What vigil said about its own work, where the evidence is damaged, and what people did with the case.

use super::Page;
use super::frame::{self, cell, figures, words};
use crate::report::html::{evidence, t};
use crate::report::text::{clipped, label};
use crate::serve::access::Visitor;
use crate::serve::desk::rows;
use crate::serve::exchange::Query;
use crate::serve::problem::Problem;
use crate::serve::{Open, Role};
use crate::store::journal;
use axum::Extension;
use duckdb::types::Value;
use maud::{Markup, html};
use serde::Deserialize;

/// Rows shown; the API has all.
const ROWS: u64 = 500;
/// Entries of the journal shown, the latest.
const ENTRIES: usize = 200;
const LEVELS: [&str; 4] = ["cap", "error", "warning", "info"];

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    level: String,
}

pub async fn page(Open(app): Open, Extension(visitor): Extension<Visitor>, Query(wanted): Query<Wanted>) -> Page {
    visitor.must_be(Role::Viewer)?;
    let level = wanted.level.clone();
    let logs = app.desk.ask(move |conn| {
        let sql = "SELECT level, source, message, count FROM system_logs WHERE ? = '' OR level = ? \
            ORDER BY list_position(['error', 'warning', 'cap', 'info'], level), source, message LIMIT ?";
        rows(conn, sql, &[Value::Text(level.clone()), Value::Text(level), Value::UBigInt(ROWS)])
    });
    let logs = logs.await?;
    let folder = app.folder.clone();
    let entries = tokio::task::spawn_blocking(move || journal::read(&folder)).await.map_err(|panic| Problem::Ours(panic.to_string()))?;
    let lines: Vec<Vec<Markup>> = logs.cells.iter().map(|row| row.iter().map(cell).collect()).collect();
    let body = html! {
        section #logs {
            h2 { "Log of the analysis" }
            form.filters method="get" action="/logs" {
                label { span { "Level" } select name="level" { (frame::choice("", "any", &wanted.level)) @for level in LEVELS { (frame::choice(level, level, &wanted.level)) } } }
                div.actions { button { "Filter" } a href="/logs" { "Clear" } }
            }
            @if lines.is_empty() { p.lead { @if wanted.level.is_empty() { "Nothing was logged: no cap was reached, nothing failed." } @else { "Nothing was logged at this level." } } }
            @else { (frame::table(&[words("Level"), words("Source"), words("Message"), figures("Times")], &lines)) }
        }
        (journal_of(entries))
        (evidence::sections(&app.report))
    };
    Ok(frame::page(&app, &visitor, "/logs", "Logs", body))
}

/// Members of an entry, as a list; those within members as they are written.
fn detail(detail: &serde_json::Value) -> Markup {
    let said = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    // Of a digest the beginning is enough where it stands among others; all of it is below.
    let briefly = |value: &serde_json::Value| match said(value) {
        digest if digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            format!("{}…", digest.chars().take(12).collect::<String>())
        }
        other => other,
    };
    html! {
        @match detail {
            serde_json::Value::Object(members) if members.len() > 1 || members.values().any(|one| one.is_object() || one.is_array()) => {
                details {
                    summary { @for (at, (name, value)) in members.iter().filter(|(_, value)| !value.is_object() && !value.is_array()).take(3).enumerate() {
                        @if at > 0 { ", " } span.muted { (t(&label(name))) } " " (clipped(&briefly(value), 48))
                    } }
                    dl.facts { @for (name, value) in members { div { dt { (t(&label(name))) } dd { code { (t(&said(value))) } } } } }
                }
            }
            serde_json::Value::Object(members) => { @for (name, value) in members { span.muted { (t(&label(name))) } " " (t(&said(value))) } }
            other => { (t(&said(other))) }
        }
    }
}

fn journal_of(entries: Result<Vec<journal::Entry>, crate::store::StoreError>) -> Markup {
    html! {
        section #journal {
            h2 { "Journal" }
            @match entries {
                Err(error) => { p.wrong role="alert" { (t(&error.to_string())) } }
                Ok(entries) => {
                    p.lead { "What people and later commands did with this case. Each entry seals those before it; the chain holds." }
                    ol.story { @for entry in entries.iter().rev().take(ENTRIES) { li { (frame::moment(&entry.at)) span { (t(&label(&entry.action))) } div { (detail(&entry.detail)) } } } }
                }
            }
        }
    }
}
