//! Incidents: findings that belong together, as a story in time and as a picture of who did what to whom.

use super::frame;
use super::{Page, segment};
use crate::model::Finding;
use crate::model::report::Incident;
use crate::report::html::incidents::hosts;
use crate::report::html::{self, Told, charts, class_of, graph, pill, prose, t, tactics};
use crate::report::text::count;
use crate::serve::access::Visitor;
use crate::serve::triage::state;
use crate::serve::{Open, Role, api};
use axum::Extension;
use axum::extract::Path;
use maud::{Markup, html};

/// Incidents listed.
const LISTED: usize = 200;
/// Findings of one incident listed.
const FINDINGS: usize = 100;

pub async fn all(Open(app): Open, Extension(visitor): Extension<Visitor>) -> Page {
    visitor.must_be(Role::Viewer)?;
    let body = html! {
        section #incidents {
            h2 { "Incidents" }
            p.lead { (count(app.report.incidents.len() as u64, "incident")) ": findings that belong together, the gravest first." }
            @if app.report.incidents.is_empty() { p { "No finding, no incident. " a href="/logs" { "What this capture could not show" } } }
            @else { div.finding-list { @for incident in app.report.incidents.iter().take(LISTED) { (line(incident)) } } }
        }
    };
    Ok(frame::page(&app, &visitor, "/incidents", "Incidents", body))
}

/// One incident as a line that leads to its page.
pub fn line(incident: &Incident) -> Markup {
    html! {
        article class={ "finding line " (class_of(incident.severity)) } data-item {
            a.cover href={ "/incidents/" (segment(&incident.id)) } {
                span.finding-grade { (pill(incident.severity)) " " span.fid { (t(&incident.id)) } }
                span.finding-says {
                    span.finding-title { (t(&incident.title)) }
                    span.says { (html::spanned(incident.first_ns, incident.last_ns)) ". " (tactics(&incident.tactics)) }
                }
                span.finding-meta {
                    span { span.risk-number { (format!("{:.0}", incident.risk)) } " risk" }
                    span { (count(incident.findings.len() as u64, "finding")) }
                    span { (count(incident.hosts.len() as u64, "host")) }
                }
            }
        }
    }
}

pub async fn one(Open(app): Open, Extension(visitor): Extension<Visitor>, Path(id): Path<String>) -> Page {
    visitor.must_be(Role::Viewer)?;
    let incident = api::incident(&app, &id)?;
    let findings: Vec<&Finding> = incident.findings.iter().filter_map(|id| api::finding(&app, id).ok()).collect();
    let told = Told::in_pages(&app.report);
    let inbox = super::findings::triage_of_all(&app).await?;
    let story = app.report.prose.iter().find(|prose| prose.about == incident.id);
    let body = html! {
        nav.crumbs aria-label="Incidents" { a href="/incidents" { "Incidents" } }
        section class={ "finding-page " (class_of(incident.severity)) } {
            div.finding-head {
                p.finding-grade { (pill(incident.severity)) " " span.fid { (t(&incident.id)) } }
                h1 { (t(&incident.title)) }
                @if incident.background { p.says { "Background of the Internet: strangers tried, and nothing came of it." } }
                @if !incident.entry.is_empty() { p.says { (t(&incident.entry)) } }
                p.muted {
                    (format!("{:.0}", incident.risk)) " risk, " (html::probability(incident.confidence)) " confidence. "
                    (html::spanned(incident.first_ns, incident.last_ns)) ". "
                    (count(incident.findings.len() as u64, "finding")) ", " (count(incident.hosts.len() as u64, "host")) "."
                }
                p.tactics { (tactics(&incident.tactics)) }
                @if visitor.must_be(Role::Analyst).is_ok() { p { a href={ "/api/v1/incidents/" (segment(&incident.id)) "/packets" } download { "Packets as pcapng" } } }
            }
        }
        @if let Some(story) = story { section #story { h2 { "Story" } (prose::one(story, true, &told)) } }
        section #timeline {
            h2 { "Timeline" }
            (charts::lanes(&incident.timeline, &told, "lanes")) ol.story { @for entry in &incident.timeline { (charts::line(entry, &told)) } }
        }
        section #graph { h2 { "Who did it, and to whom" } (graph::picture(incident, 0, &told)) (hosts(incident, &told)) }
        section #findings {
            h2 { "Findings, in order of time" }
            div.finding-list { @for finding in findings.iter().take(FINDINGS) { (super::findings::line(finding, state(&inbox, &finding.id))) } }
            @if findings.len() > FINDINGS { p.more { a href={ "/api/v1/incidents/" (segment(&id)) } { "All " (findings.len()) " as JSON" } } }
        }
    };
    Ok(frame::page(&app, &visitor, "/incidents", &format!("{} {}", incident.id, incident.title), body))
}
