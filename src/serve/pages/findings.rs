//! The inbox of findings, and the page of one.

use super::frame;
use super::{Page, Refused, query_string, segment};
use crate::model::{Finding, Severity};
use crate::report::html::{self, class_of, findings::body, pill, t};
use crate::report::text::{label, thousands};
use crate::serve::access::Visitor;
use crate::serve::api;
use crate::serve::desk::rows;
use crate::serve::exchange::{Form, Query};
use crate::serve::problem::Problem;
use crate::serve::triage::{self, COMMENT, STATES, Triage, Verb};
use crate::serve::{App, Open, Role, Shared};
use axum::Extension;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use duckdb::types::Value;
use maud::{Markup, html};
use serde::Deserialize;
use std::sync::Arc;

/// Findings of one page of the inbox.
const ROWS: usize = 100;
/// Hosts linked from the head of a finding's page.
const PARTIES: usize = 8;
/// Flows shown on the page of a finding.
const FLOWS: u64 = 25;

/// What the inbox is narrowed to. All of it lives in the address.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    q: String,
    severity: String,
    tactic: String,
    technique: String,
    rule: String,
    state: String,
    host: String,
    page: String,
}

impl Wanted {
    fn matches(&self, finding: &Finding, state: &str) -> bool {
        let text = || {
            let lists = [&finding.actors, &finding.targets, &finding.users, &finding.attack].map(|list| list.join(" "));
            format!("{} {} {} {} {}", finding.id, finding.rule, finding.title, finding.says, lists.join(" ")).to_lowercase()
        };
        let is = |wanted: &str, own: &str| wanted.is_empty() || wanted == own;
        // What is archived is out of the way unless it is asked for.
        let state_fits = if self.state.is_empty() { state != "archived" } else { self.state == "any" || self.state == state };
        is(&self.severity, finding.severity.name())
            && is(&self.tactic, &finding.tactic)
            && is(&self.rule, &finding.rule)
            && (self.technique.is_empty() || finding.attack.contains(&self.technique))
            && (self.host.is_empty() || api::names_host(finding, &self.host))
            && state_fits
            && (self.q.is_empty() || {
                let text = text();
                self.q.to_lowercase().split_whitespace().all(|word| text.contains(word))
            })
    }

    fn query(&self, page: usize) -> String {
        let page = if page == 0 { String::new() } else { page.to_string() };
        let pairs = [
            ("q", &self.q),
            ("severity", &self.severity),
            ("tactic", &self.tactic),
            ("technique", &self.technique),
            ("rule", &self.rule),
            ("state", &self.state),
            ("host", &self.host),
            ("page", &page),
        ];
        query_string(pairs.map(|(name, value)| (name, value.as_str())))
    }
}

pub async fn inbox(Open(app): Open, Extension(visitor): Extension<Visitor>, Query(wanted): Query<Wanted>) -> Page {
    visitor.must_be(Role::Viewer)?;
    let triage = triage_of_all(&app).await?;
    let state = |finding: &Finding| triage::state(&triage, &finding.id);
    let found: Vec<&Finding> = app.report.findings.iter().filter(|finding| wanted.matches(finding, state(finding))).collect();
    let page = wanted.page.parse::<usize>().unwrap_or(0).min(found.len() / ROWS);
    let all = app.report.findings.len() as u64;
    let body = html! {
        section #findings {
            h2 { "Findings" }
            (filters(&wanted, &tactics(&app.report.findings)))
            p.lead aria-live="polite" { (frame::found(found.len() as u64, all, "finding")) ", the gravest first." @if wanted.state.is_empty() && found.len() < app.report.findings.len() { " Archived ones are not shown." } }
            @if found.is_empty() { p { "Nothing fits. " a href="/findings" { "Clear the filters" } } }
            @else {
                div.finding-list data-list { @for finding in found.iter().skip(page * ROWS).take(ROWS) { (line(finding, state(finding))) } }
                nav.pages aria-label="Pages" {
                    @if page > 0 { a href={ "/findings?" (wanted.query(page - 1)) } rel="prev" { "Before" } }
                    @if (page + 1) * ROWS < found.len() { a href={ "/findings?" (wanted.query(page + 1)) } rel="next" { "Next" } }
                }
            }
        }
    };
    Ok(frame::page(&app, &visitor, "/findings", "Findings", body))
}

pub async fn triage_of_all(app: &Arc<App>) -> Result<crate::serve::triage::Inbox, Problem> {
    let app = Arc::clone(app);
    tokio::task::spawn_blocking(move || crate::serve::triage::read(&app)).await.map_err(|panic| Problem::Ours(panic.to_string()))?
}

fn tactics(findings: &[Finding]) -> Vec<&str> {
    let mut tactics: Vec<&str> = findings.iter().map(|finding| finding.tactic.as_str()).collect();
    tactics.sort_unstable();
    tactics.dedup();
    tactics
}

fn filters(wanted: &Wanted, tactics: &[&str]) -> Markup {
    html! {
        form.filters method="get" action="/findings" role="search" {
            label { span { "Words" } input type="search" name="q" value=(wanted.q) placeholder="host, rule, name …" data-search; }
            label { span { "Severity" } select name="severity" { (frame::choice("", "any", &wanted.severity)) @for severity in Severity::ALL.iter().rev() { (frame::choice(severity.name(), severity.name(), &wanted.severity)) } } }
            label { span { "Tactic" } select name="tactic" { (frame::choice("", "any", &wanted.tactic)) @for tactic in tactics { (frame::choice(tactic, &label(tactic), &wanted.tactic)) } } }
            label { span { "State" } select name="state" { (frame::choice("", "not archived", &wanted.state)) (frame::choice("any", "any", &wanted.state)) @for state in STATES { (frame::choice(state, state, &wanted.state)) } } }
            label { span { "Host" } input name="host" value=(wanted.host) placeholder="address"; }
            @if !wanted.rule.is_empty() { label { span { "Rule" } input name="rule" value=(wanted.rule); } }
            @if !wanted.technique.is_empty() { label { span { "Technique" } input name="technique" value=(wanted.technique); } }
            div.actions { button { "Filter" } a href="/findings" { "Clear" } }
        }
    }
}

/// One finding as a line that leads to its page.
pub fn line(finding: &Finding, state: &str) -> Markup {
    html! {
        article class={ "finding line " (class_of(finding.severity)) } data-item data-finding=(t(&finding.id)) {
            a.cover href={ "/findings/" (segment(&finding.id)) } {
                span.finding-grade { (pill(finding.severity)) " " span.fid { (t(&finding.id)) } @if state != "open" { " " span.chip { (state) } } }
                span.finding-says { span.finding-title { (t(&finding.title)) } span.says { (t(&finding.says)) } }
                span.finding-meta {
                    span { span.risk-number { (format!("{:.0}", finding.risk)) } " risk" }
                    span { (html::probability(finding.confidence)) " confidence" }
                    span { (html::techniques(&finding.attack[..finding.attack.len().min(1)])) }
                }
            }
        }
    }
}

pub async fn one(Open(app): Open, Extension(visitor): Extension<Visitor>, Path(id): Path<String>) -> Page {
    visitor.must_be(Role::Viewer)?;
    let finding = api::finding(&app, &id)?;
    let triage = api::triage_of(&app, &id).await?;
    let asked = id.clone();
    let flows = app.desk.ask(move |conn| {
        let sql = "SELECT flows.flow_id, ts, id_orig_h, id_orig_p, id_resp_h, id_resp_p, proto, service, conn_state, duration, orig_ip_bytes, resp_ip_bytes \
            FROM flows JOIN finding_flows USING (flow_id) WHERE finding_id = ? ORDER BY ts_ns, flow_id LIMIT ?";
        rows(conn, sql, &[Value::Text(asked), Value::UBigInt(FLOWS)])
    });
    let flows = flows.await?;
    let at = app.report.findings.iter().position(|other| other.id == id).unwrap_or(0);
    let beside =
        |at: Option<usize>| at.and_then(|at| app.report.findings.get(at)).map(|finding| format!("/findings/{}", segment(&finding.id)));
    let body = html! {
        nav.crumbs aria-label="Findings" {
            a href="/findings" { "Findings" }
            span.beside {
                @if let Some(before) = beside(at.checked_sub(1)) { a href=(before) rel="prev" data-key="k" { "Before" } }
                @if let Some(next) = beside(Some(at + 1)) { a href=(next) rel="next" data-key="j" { "Next" } }
            }
        }
        section class={ "finding-page " (class_of(finding.severity)) } {
            div.finding-head {
                p.finding-grade { (pill(finding.severity)) " " span.fid { (t(&finding.id)) } " " span.chip { (triage.state) } }
                h1 { (t(&finding.title)) }
                p.says { (t(&finding.says)) }
                p.muted { (format!("{:.0}", finding.risk)) " risk, " (html::probability(finding.confidence)) " confidence. " (html::spanned(finding.first_ns, finding.last_ns)) }
                @if !finding.frames.is_empty() && visitor.must_be(Role::Analyst).is_ok() {
                    p { a href={ "/api/v1/findings/" (segment(&finding.id)) "/packets" } download { "Packets as pcapng" } }
                }
                @if let Some(incident) = &finding.incident { p { "Part of " a href={ "/incidents/" (segment(incident)) } { "incident " (t(incident)) } } }
                (parties("By", &finding.actors))
                (parties("On", &finding.targets))
            }
            (body(finding, &[]))
        }
        section #triage { h2 { "What became of it" } (notes(&triage)) @if visitor.must_be(Role::Analyst).is_ok() { (form(&finding.id)) } }
        section #flows {
            h2 { "Flows" }
            @if flows.cells.is_empty() { p.lead { "The rule names no flow." } }
            @else {
                (super::flows::table(&flows))
                @if finding.flows.len() as u64 > FLOWS { p.more { (finding.flows.len()) " in all: " a href={ "/api/v1/finding_flows?finding_id=" (segment(&finding.id)) } { "as JSON" } } }
            }
        }
    };
    Ok(frame::page(&app, &visitor, "/findings", &format!("{} {}", finding.id, finding.title), body))
}

fn parties(part: &str, hosts: &[String]) -> Markup {
    html! {
        @if !hosts.is_empty() {
            p.parties {
                span.muted { (part) " " }
                @for ip in hosts.iter().take(PARTIES) { (frame::host(ip)) " " }
                @if hosts.len() > PARTIES { span.muted { "and " (thousands((hosts.len() - PARTIES) as u64)) " more" } }
            }
        }
    }
}

fn notes(triage: &Triage) -> Markup {
    html! {
        @if triage.notes.is_empty() { p.lead { "Nobody has said anything yet." } }
        @else { ol.story { @for note in &triage.notes { li { (frame::moment(&note.at)) span { (t(&note.by)) ", " (note.verb.name()) } span { (t(&note.comment)) } } } } }
    }
}

fn form(id: &str) -> Markup {
    html! {
        form.triage method="post" action={ "/findings/" (segment(id)) "/triage" } {
            label { span { "Comment" } textarea name="comment" rows="2" maxlength=(COMMENT) {} }
            div.actions { @for verb in Verb::ALL { button name="verb" value=(verb.name()) data-key=[key_of(verb)] { (label(verb.name())) } } }
        }
    }
}

fn key_of(verb: Verb) -> Option<&'static str> {
    match verb {
        Verb::Acknowledge => Some("a"),
        Verb::Escalate => Some("e"),
        Verb::Archive => Some("x"),
        Verb::Reopen | Verb::Comment => None,
    }
}

#[derive(Deserialize)]
pub struct Said {
    verb: Verb,
    #[serde(default)]
    comment: String,
}

pub async fn triage(
    State(server): State<Shared>,
    Open(app): Open,
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
    form: Result<Form<Said>, Problem>,
) -> Result<Response, Refused> {
    visitor.must_be(Role::Analyst)?;
    let Form(said) = form?;
    api::note(&server, &app, &visitor, &id, said.verb, said.comment).await?;
    Ok(Redirect::to(&format!("/findings/{}", segment(&id))).into_response())
}

#[cfg(test)]
mod tests {
    use crate::serve::api::tables;

    #[test]
    fn the_link_to_all_flows_of_a_finding_is_a_filter_that_exists() {
        let source = tables::source("finding_flows").unwrap();
        assert!(source.question(&[("finding_id".into(), "F1".into())]).is_ok());
    }
}
