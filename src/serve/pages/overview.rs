//! The first view: what it comes to, and where to look.

use super::Page;
use super::frame::{self, said, whole};
use crate::model::Severity;
use crate::model::report::{Report, Share};
use crate::model::time::{human_bytes, human_duration, short};
use crate::report::html::{Told, charts, class_of, coverage, hosts, pill, share_bar, t, unusual, verdict};
use crate::report::text::{clipped, count, label, thousands};
use crate::serve::access::Visitor;
use crate::serve::api::{AttackCell, matrix};
use crate::serve::desk::rows;
use crate::serve::problem::Problem;
use crate::serve::triage::{Inbox, state};
use crate::serve::{App, Open};
use axum::Extension;
use duckdb::types::Value;
use maud::{Markup, html};

/// Hosts and findings before "all of them".
const FIRST: usize = 8;
/// Incidents before "all of them".
const FEW: usize = 4;
/// Countries listed.
const PLACES: u64 = 20;

pub async fn page(Open(app): Open, Extension(visitor): Extension<Visitor>) -> Page {
    let report = &app.report;
    let told = Told::in_pages(report);
    let (trend, places, inbox) = (super::trend::of(&app).await?, places_of(&app).await?, super::findings::triage_of_all(&app).await?);
    let body = html! {
        (verdict::section(report))
        (tiles(report))
        (super::trend::chart(&app, &trend, &told))
        (findings(report, &inbox))
        @if !app.report.incidents.is_empty() { (incidents(&app)) }
        @if !report.hosts.is_empty() { (top_hosts(report, &told)) }
        (attack(&app, &told))
        (unusual::sections(report, &told))
        @if !report.services.is_empty() { (charts::services(&report.services)) }
        (places_section(&places))
        (coverage::section(&report.coverage))
    };
    Ok(frame::page(&app, &visitor, "/", "Overview", body))
}

fn tiles(report: &Report) -> Markup {
    let c = &report.coverage;
    let span = c.first_ts.map_or("no packet with a time".into(), |first| format!("from {} UTC", short(first)));
    let threat = report.verdict.severity.map_or("none seen", Severity::name);
    let risky = report.hosts.iter().filter(|host| host.risk >= 40.0).count() as u64;
    let tiles = [
        ("Threat level", label(threat), "the gravest finding".to_string(), "/findings"),
        ("Findings", thousands(report.findings.len() as u64), format!("by {} that fired", count(c.rules_fired, "rule")), "/findings"),
        ("Packets", thousands(c.frames), size(report), "/logs"),
        ("Flows", thousands(c.flows), "open the explorer".into(), "/flows"),
        ("Hosts", thousands(report.hosts_total), format!("{} of medium risk or above", thousands(risky)), "/hosts"),
        ("Time", human_duration(c.span_ns()), span, "/flows"),
    ];
    html! {
        section aria-label="At a glance" {
            div.coverage-grid.glance {
                @for (name, value, note, path) in &tiles {
                    a.tile href=(path) { span.tile-label { (name) } span.tile-value { (value) } span.tile-note { (note) } }
                }
            }
        }
    }
}

/// Bytes of the evidence; of a capture that goes on those on the wire, since no file is whole yet.
fn size(report: &Report) -> String {
    let wire = report.traffic.buckets.iter().fold(0_u64, |sum, bucket| sum.saturating_add(bucket.bytes));
    if report.coverage.bytes == 0 && wire > 0 { format!("{} on the wire", human_bytes(wire)) } else { human_bytes(report.coverage.bytes) }
}

fn findings(report: &Report, inbox: &Inbox) -> Markup {
    html! {
        section #findings {
            h2 { "Gravest findings" }
            @if report.findings.is_empty() { p.lead { "No rule fired. Read the coverage below before calling this clean." } }
            @else {
                div.finding-list { @for finding in report.findings.iter().take(FIRST) { (super::findings::line(finding, state(inbox, &finding.id))) } }
                @if report.findings.len() > FIRST { p.more { a href="/findings" { "All " (count(report.findings.len() as u64, "finding")) } } }
            }
        }
    }
}

fn incidents(app: &App) -> Markup {
    html! {
        section #incidents {
            h2 { "Incidents" }
            div.finding-list { @for incident in app.report.incidents.iter().take(FEW) { (super::incidents::line(incident)) } }
            @if app.report.incidents.len() > FEW { p.more { a href="/incidents" { "All " (count(app.report.incidents.len() as u64, "incident")) } } }
        }
    }
}

/// Countries of the other ends, by bytes, where a map of addresses was given.
async fn places_of(app: &App) -> Result<Vec<Share>, Problem> {
    let found = app.desk.ask(|conn| {
        let sql = "SELECT coalesce(country, '?'), count(DISTINCT ip), sum(bytes_out + bytes_in)::BIGINT AS bytes \
            FROM (SELECT DISTINCT ip, country FROM places) JOIN hosts USING (ip) WHERE NOT internal GROUP BY country ORDER BY bytes DESC, 1 LIMIT ?";
        rows(conn, sql, &[Value::UBigInt(PLACES)])
    });
    let found = found.await?.cells;
    Ok(found
        .iter()
        .map(|row| Share { name: said(row.first()), count: whole(row.get(1)), bytes: whole(row.get(2)), note: String::new() })
        .collect())
}

fn places_section(places: &[Share]) -> Markup {
    let most = places.first().map_or(0, |place| place.bytes);
    html! {
        @if !places.is_empty() {
            section #places {
                h2 { "Places" }
                p.lead { "Where addresses outside are said to be, by the bytes exchanged with them." }
                table.stack data-sortable {
                    thead { tr { th { "Country" } th.num { "Hosts" } th.num { "Bytes" } th { "Beside the largest" } } }
                    tbody { @for place in places { tr {
                        td data-label="Country" { (t(&place.name)) }
                        td.num data-label="Hosts" data-sort=(place.count) { (thousands(place.count)) }
                        td.num data-label="Bytes" data-sort=(place.bytes) { (human_bytes(place.bytes)) }
                        td.share data-label="Beside the largest" data-sort=(place.bytes) { div { (share_bar(place.bytes, most, "accent")) } }
                    } } }
                }
            }
        }
    }
}

fn top_hosts(report: &Report, told: &Told) -> Markup {
    html! {
        section #hosts {
            h2 { "Hosts by risk" }
            (hosts::table(&report.hosts[..report.hosts.len().min(FIRST)], told))
            p.more { a href="/hosts" { "All " (count(report.hosts_total, "host")) } }
        }
    }
}

fn attack(app: &App, told: &Told) -> Markup {
    let matrix = matrix(app);
    html! {
        @if !matrix.is_empty() {
            section #attack {
                h2 { "ATT&CK" }
                p.lead { "Techniques that rules look for, by tactic. Coloured: found. Plain: looked for and not found. Struck out: this capture could not show it." }
                div.matrix {
                    @for column in &matrix {
                        div.tactic-column {
                            h3 { (clipped(&label(&column.tactic), 32)) }
                            ul { @for cell in found_first(&column.techniques) { (technique(cell, told)) } }
                        }
                    }
                }
            }
        }
    }
}

fn technique(cell: &AttackCell, told: &Told) -> Markup {
    let class = match (cell.severity, cell.looked) {
        (Some(severity), _) => format!("found-cell {}", class_of(severity)),
        (None, true) => "quiet-cell".into(),
        (None, false) => "blind-cell".into(),
    };
    let says = match (cell.findings.len(), cell.looked) {
        (0, true) => format!("looked for by {}", cell.rules.join(", ")),
        (0, false) => format!("could not be looked for ({})", cell.rules.join(", ")),
        (n, _) => count(n as u64, "finding"),
    };
    let name = cell.name.as_deref().unwrap_or_default();
    html! {
        li class=(class) title={ (t(&cell.technique)) " " (name) ": " (t(&says)) } {
            @match cell.findings.as_slice() {
                [] => { span.technique { (t(&cell.technique)) } " " span.technique-name { (name) } span.hidden { ", " (t(&says)) } }
                [one] => { a href=[told.link(one)] { span.technique { (t(&cell.technique)) } " " span.technique-name { (name) } } (grade(cell, 1)) }
                many => { a href={ "/findings?technique=" (super::segment(&cell.technique)) } { span.technique { (t(&cell.technique)) } " " span.technique-name { (name) } } (grade(cell, many.len())) }
            }
        }
    }
}

fn grade(cell: &AttackCell, findings: usize) -> Markup {
    html! { span.technique-grade { @if let Some(severity) = cell.severity { (pill(severity)) } @if findings > 1 { span.muted { " ×" (findings) } } } }
}

fn found_first(cells: &[AttackCell]) -> Vec<&AttackCell> {
    let mut cells: Vec<&AttackCell> = cells.iter().collect();
    cells.sort_by_key(|cell| (std::cmp::Reverse(cell.severity), !cell.looked));
    cells
}
