//! Incidents: findings that belong together, with who acted on whom as a picture, and the story in order of time.

use super::{Told, charts, class_of, command, graph, more, pill, probability, spanned, t};
use crate::model::Report;
use crate::model::report::{Incident, Role};
use crate::report::facts::{host_state, part_played};
use crate::report::text::{clipped, count, label};
use maud::{Markup, html};

/// What a reader takes in within half an hour, at two minutes each.
const INCIDENTS: usize = 15;
/// Of the gravest, as many are open from the start.
const OPEN: usize = 2;
/// Hosts in the table of one incident.
const HOSTS: usize = 12;
/// Lines of the story of one incident: as many as `model::report` promises.
const LINES: usize = 30;
/// Findings linked from one host.
const LINKS: usize = 8;

pub fn section(report: &Report, told: &Told) -> Markup {
    let all = report.incidents.as_slice();
    if all.is_empty() {
        return html! {};
    }
    html! {
        section #incidents {
            h2 { "Incidents" }
            p.lead { (count(all.len() as u64, "incident")) ": findings that belong together by hosts, time and the order of an attack, the gravest first." }
            div.finding-list {
                @for (index, incident) in all.iter().take(INCIDENTS).enumerate() { (one(incident, index, told)) }
            }
            (more(all.len().min(INCIDENTS), all.len() as u64, "incident", "SELECT id, severity, title FROM incidents ORDER BY risk DESC"))
        }
    }
}

fn one(incident: &Incident, index: usize, told: &Told) -> Markup {
    html! {
        details id=(t(&incident.id)) class={ "finding incident " (class_of(incident.severity)) } open[index < OPEN && !incident.background] {
            summary {
                span.finding-grade { (pill(incident.severity)) " " span.fid { (t(&incident.id)) } }
                span {
                    span.finding-title { (t(&incident.title)) }
                    span.says { @if incident.background { "Background of the Internet: strangers tried, and nothing came of it. " } (t(&incident.entry)) }
                }
                span.finding-meta {
                    span { "risk " span.risk-number { (format!("{:.0}", incident.risk)) } }
                    span { (probability(incident.confidence)) " sure" }
                    span { (count(incident.findings.len() as u64, "finding")) }
                }
            }
            div.finding-body {
                p.path {
                    (spanned(incident.first_ns, incident.last_ns)) ". "
                    @for (step, tactic) in incident.tactics.iter().take(14).enumerate() {
                        @if step > 0 { " → " }
                        span.tag { (clipped(&label(tactic), 32)) }
                    }
                }
                (graph::picture(incident, index, told))
                (hosts(incident, told))
                @if incident.timeline.len() > 1 {
                    h4 { "In order of time" }
                    @let lines = &incident.timeline[..incident.timeline.len().min(LINES)];
                    (charts::lanes(lines, told, &format!("lanes-{index}")))
                    ol.story { @for line in lines { (charts::line(line, told)) } }
                }
                @if !incident.id.is_empty() && incident.id.bytes().all(|b| b.is_ascii_alphanumeric()) {
                    h4 { "Its packets" }
                    (command(&format!("vigil carve CASE {id} -o {id}.pcapng", id = incident.id)))
                }
            }
        }
    }
}

/// Hosts of an incident with the parts that they play.
pub fn hosts(incident: &Incident, told: &Told) -> Markup {
    let left = incident.roles.len().saturating_sub(HOSTS);
    html! {
        h4 { "Who was concerned" }
        div.scroll tabindex="0" role="group" aria-label="Who was concerned, scrollable" {
            table.measures.roles {
                thead { tr { th { "Host" } th { "Part" } th { "State" } th { "Risk" } th { "Findings" } } }
                tbody { @for role in incident.roles.iter().take(HOSTS) { (host(role, told)) } }
            }
        }
        @if left > 0 { p.muted { (count(left as u64, "more host")) " in the table " code { "incident_hosts" } "." } }
    }
}

fn host(role: &Role, told: &Told) -> Markup {
    html! {
        tr class=(class_of(role.severity)) {
            th scope="row" {
                @match told.host(&role.ip) {
                    Some(page) => { a.ip href=(page) { (t(&role.ip)) } }
                    None => { span.ip { (t(&role.ip)) } }
                }
                " " span.name { (t(&role.name)) }
                @if !role.internal { span.outside { "outside" } }
            }
            td { (part_played(&role.part)) }
            td { (clipped(host_state(&role.state), 24)) }
            td { strong { (format!("{:.0}", role.risk)) } }
            td {
                @for id in role.findings.iter().take(LINKS) { a.ref href=[told.link(id)] { (t(id)) } " " }
                @if role.findings.len() > LINKS { span.muted { (role.findings.len() - LINKS) " more" } }
            }
        }
    }
}
