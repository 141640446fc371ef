//! Incidents: findings that belong together, as a story in time and as a picture of who did what to whom.

use super::frame;
use super::{Page, segment};
use crate::model::time::{human_duration, rfc3339};
use crate::model::{Finding, Severity};
use crate::report::html::charts::{self, px};
use crate::report::html::{self, Told, class_of, pill, prose, t, tactics};
use crate::report::text::{clipped, count};
use crate::serve::access::Visitor;
use crate::serve::{Open, Role, api};
use crate::store::IncidentRow;
use axum::Extension;
use axum::extract::Path;
use maud::{Markup, html};
use std::collections::BTreeMap;

/// Incidents listed.
const LISTED: usize = 200;
/// Findings of one incident listed.
const FINDINGS: usize = 100;
/// Hosts on each side of the picture.
const SIDE: usize = 14;
const ROW: f64 = 34.0;
const LEFT: f64 = 300.0;
const RIGHT: f64 = 820.0;

pub async fn all(Open(app): Open, Extension(visitor): Extension<Visitor>) -> Page {
    visitor.must_be(Role::Viewer)?;
    let body = html! {
        section #incidents {
            h2 { "Incidents" }
            p.lead { (count(app.incidents.len() as u64, "incident")) ": findings that belong together, the gravest first." }
            @if app.incidents.is_empty() { p { "No finding, no incident. " a href="/logs" { "What this capture could not show" } } }
            @else { div.finding-list { @for incident in app.incidents.iter().take(LISTED) { (line(incident)) } } }
        }
    };
    Ok(frame::page(&app, &visitor, "/incidents", "Incidents", body))
}

/// One incident as a line that leads to its page.
pub fn line(incident: &IncidentRow) -> Markup {
    html! {
        article class={ "finding line " (class_of(incident.severity)) } data-item {
            a.cover href={ "/incidents/" (segment(&incident.id)) } {
                span.finding-grade { (pill(incident.severity)) " " span.fid { (t(&incident.id)) } }
                span.finding-says {
                    span.finding-title { (t(&incident.title)) }
                    span.says { (rfc3339(incident.first_ns)) ", " (human_duration(incident.last_ns.saturating_sub(incident.first_ns))) ". " (tactics(&incident.tactics)) }
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
    let entries: Vec<_> = app.report.timeline.iter().filter(|entry| incident.findings.contains(&entry.finding)).cloned().collect();
    let story = app.report.prose.iter().find(|prose| prose.about == incident.id);
    let body = html! {
        nav.crumbs aria-label="Incidents" { a href="/incidents" { "Incidents" } }
        section class={ "finding-page " (class_of(incident.severity)) } {
            div.finding-head {
                p.finding-grade { (pill(incident.severity)) " " span.fid { (t(&incident.id)) } }
                h1 { (t(&incident.title)) }
                p.muted {
                    (format!("{:.0}", incident.risk)) " risk, " (html::probability(incident.confidence)) " confidence. "
                    (rfc3339(incident.first_ns)) ", " (human_duration(incident.last_ns.saturating_sub(incident.first_ns)))
                }
                p.tactics { (tactics(&incident.tactics)) }
                p.parties { @for ip in incident.hosts.iter().take(24) { (frame::host(ip)) " " } @if incident.hosts.len() > 24 { span.muted { "and " (incident.hosts.len() - 24) " more" } } }
            }
        }
        @if let Some(story) = story { section #story { h2 { "Story" } (prose::one(story, true, &told)) } }
        section #timeline {
            h2 { "Timeline" }
            @if entries.is_empty() { p.lead { "Its findings are not among the " (charts::ENTRIES) " that the case tells in order of time; they follow below." } }
            @else { (charts::lanes(&entries, &told)) ol.story { @for entry in &entries { (charts::line(entry, &told)) } } }
        }
        (graph(&findings))
        section #findings {
            h2 { "Findings, in order of time" }
            div.finding-list { @for finding in findings.iter().take(FINDINGS) { (super::findings::line(finding, "open")) } }
            @if findings.len() > FINDINGS { p.more { a href={ "/api/v1/incidents/" (segment(&id)) } { "All " (findings.len()) " as JSON" } } }
        }
    };
    Ok(frame::page(&app, &visitor, "/incidents", &format!("{} {}", incident.id, incident.title), body))
}

/// What one host did to another.
#[derive(Default)]
struct Edge<'a> {
    severity: Severity,
    findings: Vec<&'a Finding>,
}

/// Those who act on the left, those whom it is done to on the right. Hosts that do both stand on both sides.
fn graph(findings: &[&Finding]) -> Markup {
    let mut edges: BTreeMap<(&str, &str), Edge<'_>> = BTreeMap::new();
    for finding in findings {
        for (actor, target) in finding.actors.iter().flat_map(|actor| finding.targets.iter().map(move |target| (actor, target))) {
            let edge = edges.entry((actor, target)).or_default();
            edge.severity = edge.severity.max(finding.severity);
            edge.findings.push(finding);
        }
    }
    let side = |acts: bool| -> Vec<String> {
        let mut weights: BTreeMap<&str, (Severity, usize)> = BTreeMap::new();
        for ((actor, target), edge) in &edges {
            let weight = weights.entry(if acts { *actor } else { *target }).or_default();
            *weight = (weight.0.max(edge.severity), weight.1 + edge.findings.len());
        }
        let mut hosts: Vec<_> = weights.into_iter().collect();
        hosts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        hosts.into_iter().map(|(host, _)| host.to_string()).collect()
    };
    let (actors, targets) = (side(true), side(false));
    if edges.is_empty() {
        return html! {};
    }
    let shown = |hosts: &[String]| hosts.len().min(SIDE);
    let height = shown(&actors).max(shown(&targets)) as f64 * ROW + 20.0;
    let y = |hosts: &[String], host: &str| {
        let at = hosts.iter().take(SIDE).position(|other| other == host)?;
        Some(10.0 + (height - 20.0) * (at as f64 + 0.5) / shown(hosts) as f64)
    };
    let left_out = actors.len().saturating_sub(SIDE) + targets.len().saturating_sub(SIDE);
    html! {
        section #graph {
            h2 { "Who did it, and to whom" }
            figure.chart {
                div.scroll tabindex="0" role="group" aria-label="Who did what to whom, scrollable" {
                    svg viewBox=(format!("0 0 {} {height:.0}", charts::WIDTH)) role="img" aria-labelledby="graph-title graph-desc" {
                        title #graph-title { "Hosts that act, on the left, and hosts that it is done to, on the right" }
                        desc #graph-desc { (count(edges.len() as u64, "pair")) " of hosts. The findings below name them." }
                        @for ((actor, target), edge) in &edges {
                            @if let (Some(from), Some(to)) = (y(&actors, actor), y(&targets, target)) { (drawn(edge, from, to)) }
                        }
                        @for host in actors.iter().take(SIDE) { (node(host, LEFT - 12.0, y(&actors, host).unwrap_or(0.0), "end")) }
                        @for host in targets.iter().take(SIDE) { (node(host, RIGHT + 12.0, y(&targets, host).unwrap_or(0.0), "start")) }
                    }
                }
                figcaption { "Lines lead from those who act to those whom it is done to, thicker with more findings." @if left_out > 0 { " " (count(left_out as u64, "host")) " not drawn." } }
            }
        }
    }
}

fn drawn(edge: &Edge<'_>, from: f64, to: f64) -> Markup {
    let middle = (LEFT + RIGHT) / 2.0;
    let width = 1.5 + (edge.findings.len() as f64).ln().min(3.0);
    // A link leads to the gravest of its findings.
    let gravest = edge.findings.iter().max_by(|a, b| a.risk.total_cmp(&b.risk));
    html! {
        a href=[gravest.map(|finding| format!("/findings/{}", segment(&finding.id)))] class=(class_of(edge.severity)) {
            title { @for finding in edge.findings.iter().take(8) { (t(&finding.id)) ": " (t(&finding.title)) "\n" } }
            path.edge d=(format!("M{LEFT} {from:.1}C{middle} {from:.1} {middle} {to:.1} {RIGHT} {to:.1}")) stroke-width=(px(width)) {}
        }
    }
}

fn node(host: &str, x: f64, y: f64, anchor: &str) -> Markup {
    let dot = if anchor == "end" { LEFT } else { RIGHT };
    html! {
        circle.node cx=(px(dot)) cy=(px(y)) r="4.5" {}
        a href={ "/hosts/" (segment(host)) } { text.node-name x=(px(x)) y=(px(y + 4.5)) text-anchor=(anchor) { (clipped(host, 39)) } }
    }
}
