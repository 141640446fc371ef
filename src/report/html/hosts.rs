//! Hosts, the riskiest first.

use super::{Told, bar, class_of, more, t, tactics};
use crate::model::Report;
use crate::model::report::Host;
use crate::model::time::human_bytes;
use crate::report::facts::host_state;
use crate::report::text::{clipped, count, thousands};
use maud::{Markup, html};

/// As many as `model::report` promises.
const HOSTS: usize = 50;
/// Findings linked from one host.
const LINKS: usize = 6;

pub fn section(report: &Report, told: &Told) -> Markup {
    if report.hosts.is_empty() {
        return html! {};
    }
    let shown = report.hosts.len().min(HOSTS);
    html! {
        section #hosts {
            h2 { "Hosts by risk" }
            p.lead { (count(shown as u64, "host")) " of " (thousands(report.hosts_total.max(shown as u64))) ", the riskiest first." }
            (table(&report.hosts[..shown], told))
            (more(shown, report.hosts_total, "host", "SELECT * FROM host_risk ORDER BY risk DESC"))
        }
    }
}

/// What is claimed of a host: value, who says so, how surely, and the frame that says it.
fn claims(host: &Host) -> Markup {
    html! {
        @if !host.claims.is_empty() {
            details.claims {
                summary { (count(host.claims.len() as u64, "claim")) }
                ul {
                    @for claim in &host.claims {
                        li title=(crate::store::meaning(&claim.ground)) {
                            (clipped(&claim.claim, 24)) ": " strong { (clipped(&claim.value, 80)) }
                            span.muted { " " (clipped(&claim.source, 24)) ", " (clipped(&claim.ground, 24)) " · frame " (claim.frame) " · " (format!("{:.0} %", claim.confidence * 100.0)) }
                        }
                    }
                }
            }
        }
    }
}

/// Hosts with their risk, as they are ranked.
pub(crate) fn table(hosts: &[Host], told: &Told) -> Markup {
    html! {
        table.stack.hosts data-sortable data-filter="Filter hosts" {
            thead {
                tr {
                    th.num { "#" } th { "Host" } th { "Risk" } th { "State" } th { "Tactics" } th { "Findings" }
                    th.num { "Sent" } th.num { "Received" }
                }
            }
            tbody { @for (index, host) in hosts.iter().enumerate() { (row(index + 1, host, told)) } }
        }
    }
}

fn row(rank: usize, host: &Host, told: &Told) -> Markup {
    html! {
        tr class=(class_of(host.severity)) {
            td.num.rank data-label="#" data-sort=(rank) { (rank) }
            td.who data-label="Host" {
                div {
                    @match told.host(&host.ip) {
                        Some(page) => { a.ip href=(page) { (t(&host.ip)) } }
                        None => { span.ip { (t(&host.ip)) } }
                    }
                    @if !host.internal { span.outside { "outside" } }
                    @for name in host.names.iter().take(5) { span.name { (t(name)) } }
                    @if !host.macs.is_empty() || !host.roles.is_empty() {
                        span.detail { (t(&host.roles.iter().map(|role| role.replace('_', " ")).chain(host.macs.iter().cloned()).collect::<Vec<_>>().join(", "))) }
                    }
                    (claims(host))
                }
            }
            td.risk data-label="Risk" data-sort=(format!("{:.3}", host.risk)) {
                div { strong { (format!("{:.0}", host.risk)) } " " span.sev-word { (host.severity.name()) } (bar(host.risk / 100.0, "risk-bar")) }
            }
            td.state data-label="State" { (clipped(host_state(&host.state), 24)) }
            td.tactics data-label="Tactics" { div { (tactics(&host.tactics)) } }
            td data-label="Findings" data-sort=(host.findings.len()) { div { (links(&host.findings, told)) } }
            td.num data-label="Sent" data-sort=(host.bytes_out) { (human_bytes(host.bytes_out)) }
            td.num data-label="Received" data-sort=(host.bytes_in) { (human_bytes(host.bytes_in)) }
        }
    }
}

fn links(ids: &[String], told: &Told) -> Markup {
    html! {
        @for id in ids.iter().take(LINKS) { a.ref href=[told.link(id)] { (t(id)) } " " }
        @if ids.len() > LINKS { span.muted { (thousands((ids.len() - LINKS) as u64)) " more" } }
    }
}
