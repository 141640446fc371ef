//! All hosts, and the page of one.

use super::frame::{self, cell, figures, said, whole, words};
use super::{Page, query_string};
use crate::model::Severity;
use crate::model::time::human_bytes;
use crate::report::html::{self, class_of, pill, t, tactics};
use crate::report::text::{count, label, thousands};
use crate::serve::access::Visitor;
use crate::serve::desk::rows;
use crate::serve::exchange::Query;
use crate::serve::triage::state;
use crate::serve::{Open, Role, api};
use crate::store::Cell;
use axum::Extension;
use axum::extract::Path;
use duckdb::types::Value;
use maud::{Markup, html};
use serde::Deserialize;

/// Hosts of a page.
const ROWS: u64 = 100;
/// Rows of the lists on the page of one host.
const FEW: u64 = 15;

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    q: String,
    side: String,
    page: String,
}

pub async fn all(Open(app): Open, Extension(visitor): Extension<Visitor>, Query(wanted): Query<Wanted>) -> Page {
    visitor.must_be(Role::Viewer)?;
    let page = wanted.page.parse::<u64>().unwrap_or(0).min(1 << 32);
    let (q, side) = (wanted.q.trim().to_lowercase(), wanted.side.clone());
    let found = app.desk.ask(move |conn| {
        let condition = "(? = '' OR contains(lower(concat_ws(' ', h.ip, array_to_string(h.names, ' '), array_to_string(h.macs, ' '))), ?)) \
            AND (? = '' OR h.internal = (? = 'inside'))";
        let values = [&q, &q, &side, &side].map(|text| Value::Text(text.clone()));
        let total = rows(conn, &format!("SELECT count(*) FROM hosts h WHERE {condition}"), &values)?;
        let sql = format!(
            "SELECT h.ip, h.internal, h.names, coalesce(r.risk, 0), r.severity, r.state, h.flows, h.bytes_out, h.bytes_in, h.first_ts, h.last_ts \
             FROM hosts h LEFT JOIN host_risk r USING (ip) WHERE {condition} ORDER BY coalesce(r.risk, 0) DESC, h.bytes_out + h.bytes_in DESC, h.ip LIMIT ? OFFSET ?"
        );
        let values: Vec<Value> = values.into_iter().chain([Value::UBigInt(ROWS), Value::UBigInt(page * ROWS)]).collect();
        Ok((whole(total.cells.first().and_then(|row| row.first())), rows(conn, &sql, &values)?))
    });
    let (total, found) = found.await?;
    let at = |page: u64| {
        format!("/hosts?{}", query_string([("q", wanted.q.as_str()), ("side", wanted.side.as_str()), ("page", page.to_string().as_str())]))
    };
    let columns = [
        words("Host"),
        words("Names"),
        figures("Risk"),
        words("State"),
        figures("Flows"),
        figures("Sent"),
        figures("Received"),
        words("First seen (UTC)"),
        words("Last seen (UTC)"),
    ];
    let lines: Vec<Vec<Markup>> = found.cells.iter().map(|row| line(row)).collect();
    let body = html! {
        section #hosts {
            h2 { "Hosts" }
            form.filters method="get" action="/hosts" role="search" {
                label { span { "Address or name" } input type="search" name="q" value=(wanted.q) data-search; }
                label { span { "Side" } select name="side" { (frame::choice("", "any", &wanted.side)) (frame::choice("inside", "inside", &wanted.side)) (frame::choice("outside", "outside", &wanted.side)) } }
                div.actions { button { "Filter" } a href="/hosts" { "Clear" } }
            }
            p.lead aria-live="polite" { (count(total, "host")) ", the riskiest first." }
            @if lines.is_empty() { p { "No host fits." } } @else { (frame::table(&columns, &lines)) }
            nav.pages aria-label="Pages" {
                @if page > 0 { a rel="prev" href=(at(page - 1)) { "Before" } }
                @if (page + 1) * ROWS < total { a rel="next" href=(at(page + 1)) { "Next" } }
            }
        }
    };
    Ok(frame::page(&app, &visitor, "/hosts", "Hosts", body))
}

fn line(row: &[Cell]) -> Vec<Markup> {
    let at = |at: usize| row.get(at).unwrap_or(&Cell::Null);
    let outside = *at(1) == Cell::Bool(false);
    let risk = said(row.get(3)).parse::<f64>().unwrap_or(0.0);
    vec![
        html! { span data-item { (frame::host(&said(row.first()))) } @if outside { span.outside { "outside" } } },
        cell(at(2)),
        html! { @if risk > 0.0 { span class={ "risk-number " (class_of(Severity::of_risk(risk))) } { (format!("{risk:.0}")) } } @else { span.muted { "–" } } },
        html! { (t(crate::report::facts::host_state(&said(row.get(5))))) },
        html! { (thousands(whole(row.get(6)))) },
        html! { (human_bytes(whole(row.get(7)))) },
        html! { (human_bytes(whole(row.get(8)))) },
        cell(at(9)),
        cell(at(10)),
    ]
}

pub async fn one(Open(app): Open, Extension(visitor): Extension<Visitor>, Path(ip): Path<String>) -> Page {
    visitor.must_be(Role::Viewer)?;
    let host = api::host(&app, &ip).await?;
    let asked = ip.clone();
    let lists = app.desk.ask(move |conn| {
        let ip = || Value::Text(asked.clone());
        let peers = "SELECT CASE WHEN id_orig_h = ? THEN id_resp_h ELSE id_orig_h END AS peer, count(*) AS flows, \
            sum(CASE WHEN id_orig_h = ? THEN orig_ip_bytes ELSE resp_ip_bytes END)::BIGINT AS sent, sum(CASE WHEN id_orig_h = ? THEN resp_ip_bytes ELSE orig_ip_bytes END)::BIGINT AS got, \
            list_sort(list_distinct(list(coalesce(service, proto))))[:6] AS services FROM flows WHERE id_orig_h = ? OR id_resp_h = ? GROUP BY peer ORDER BY sent + got DESC, peer LIMIT ?";
        let peers = rows(conn, peers, &[ip(), ip(), ip(), ip(), ip(), Value::UBigInt(FEW)])?;
        let offers = "SELECT id_resp_p, proto, min(service), count(*), count(DISTINCT id_orig_h) FROM flows WHERE id_resp_h = ? AND resp_pkts > 0 GROUP BY id_resp_p, proto ORDER BY 4 DESC, 1, 2 LIMIT ?";
        let known = "SELECT count(*) FROM duckdb_columns() WHERE table_name = 'host_claims' AND column_name = 'ground'";
        // Cases of earlier versions have none.
        let claims = match whole(rows(conn, known, &[])?.cells.first().and_then(|row| row.first())) {
            0 => Default::default(),
            _ => rows(conn, CLAIMS, &[ip()])?,
        };
        Ok((peers, rows(conn, offers, &[ip(), Value::UBigInt(FEW)])?, claims))
    });
    let (peers, offers, claims) = lists.await?;
    let inbox = super::findings::triage_of_all(&app).await?;
    let flows = super::flows::of_host(&app, &ip, FEW).await?;
    let findings: Vec<_> = app.report.findings.iter().filter(|finding| api::names_host(finding, &ip)).collect();
    let body = html! {
        nav.crumbs aria-label="Hosts" { a href="/hosts" { "Hosts" } }
        section class={ "host-page " (class_of(host.severity)) } {
            h1 { (t(&host.ip)) @if !host.internal { span.outside { "outside" } } }
            dl.facts.sheet {
                @if !host.names.is_empty() { div { dt { "Names" } dd { @for name in &host.names { (t(name)) " " } } } }
                @if !host.roles.is_empty() { div { dt { "Roles" } dd { @for role in &host.roles { span.chip { (t(&label(role))) } " " } } } }
                @if !host.macs.is_empty() { div { dt { "Hardware" } dd { @for mac in &host.macs { code { (t(mac)) } " " } } } }
                div { dt { "Risk" } dd { (format!("{:.0} ", host.risk)) (pill(host.severity)) " " (t(crate::report::facts::host_state(&host.state))) (html::bar(host.risk / 100.0, "risk-bar")) } }
                @if !host.tactics.is_empty() { div { dt { "Tactics" } dd.tactics { (tactics(&host.tactics)) } } }
                div { dt { "Traffic" } dd { (human_bytes(host.bytes_out)) " sent, " (human_bytes(host.bytes_in)) " received in " (count(host.flows, "flow")) } }
            }
        }
        section #findings {
            h2 { "Findings that name it" }
            @if findings.is_empty() { p.lead { "None. That is not the same as clean: see the coverage." } }
            @else { div.finding-list { @for finding in findings.iter().take(50) { (super::findings::line(finding, state(&inbox, &finding.id))) } } }
        }
        @if !claims.cells.is_empty() {
            section #claims {
                h2 { "What is claimed of it" }
                (frame::table(&[words("What"), words("Value"), words("Says who"), words("Ground"), figures("Belief"), figures("Times"), figures("First frame"), words("First said (UTC)")], &claims.cells.iter().map(|row| claim(row)).collect::<Vec<_>>()))
            }
        }
        @if !peers.cells.is_empty() {
            section #peers {
                h2 { "Talks with" }
                (frame::table(&[words("Host"), figures("Flows"), figures("Sent"), figures("Received"), words("Services")], &peers.cells.iter().map(|row| peer(row)).collect::<Vec<_>>()))
            }
        }
        @if !offers.cells.is_empty() {
            section #offers {
                h2 { "Answers on" }
                (frame::table(&[figures("Port"), words("Transport"), words("Service"), figures("Flows"), figures("Clients")], &offers.cells.iter().map(|row| row.iter().map(cell).collect()).collect::<Vec<_>>()))
            }
        }
        section #flows {
            h2 { "Heaviest flows" }
            @if flows.cells.is_empty() { p.lead { "It took part in no flow." } }
            @else { (super::flows::table(&flows)) p.more { a href={ "/flows?" (query_string([("either_end", ip.as_str())])) } { "All flows of this host" } } }
        }
    };
    Ok(frame::page(&app, &visitor, "/hosts", &ip, body))
}

/// Of each kind the best values, each by its best ground.
const CLAIMS: &str = "WITH best AS (\
        SELECT *, row_number() OVER (PARTITION BY claim, value ORDER BY confidence DESC, times DESC, source, ground) AS place FROM host_claims WHERE ip = ?\
    ), few AS (SELECT *, row_number() OVER (PARTITION BY claim ORDER BY confidence DESC, times DESC, value) AS rank FROM best WHERE place = 1) \
    SELECT claim, value, said_by, source, ground, confidence, times, frame, first_ts FROM few WHERE rank <= 4 \
    ORDER BY coalesce(list_position(['name', 'user', 'os', 'model', 'vendor', 'mac', 'domain', 'role', 'service'], claim), 99), claim, rank LIMIT 40";

fn claim(row: &[Cell]) -> Vec<Markup> {
    let at = |at: usize| row.get(at).unwrap_or(&Cell::Null);
    let ground = said(row.get(4));
    vec![
        cell(at(0)),
        cell(at(1)),
        html! { (match said(row.get(2)).as_str() { "host" => "the host", "others" => "others", _ => "inferred" }) },
        html! { span title=(crate::store::meaning(&ground)) { (cell(at(3))) ", " (t(&ground)) } },
        html! { (format!("{:.0} %", said(row.get(5)).parse::<f64>().unwrap_or(0.0) * 100.0)) },
        html! { (thousands(whole(row.get(6)))) },
        html! { (whole(row.get(7))) },
        cell(at(8)),
    ]
}

fn peer(row: &[Cell]) -> Vec<Markup> {
    vec![
        frame::host(&said(row.first())),
        html! { (thousands(whole(row.get(1)))) },
        html! { (human_bytes(whole(row.get(2)))) },
        html! { (human_bytes(whole(row.get(3)))) },
        cell(row.get(4).unwrap_or(&Cell::Null)),
    ]
}
