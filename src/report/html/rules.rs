//! Every rule with what became of it and the hash of its file: what did not fire is part of the answer.

use super::{Told, t, techniques};
use crate::model::Report;
use crate::model::report::RuleRun;
use crate::report::text::{clipped, label, thousands};
use maud::{Markup, html};

pub fn section(report: &Report, told: &Told) -> Markup {
    if report.rules.is_empty() {
        return html! {};
    }
    let of = |status: &str| report.rules.iter().filter(|rule| rule.status == status).count() as u64;
    html! {
        section #rules {
            h2 { "Rules and what became of them" }
            p.lead {
                (thousands(of("fired"))) " fired, " (thousands(of("silent"))) " stayed silent, " (thousands(of("not_applicable")))
                " could not apply, " (thousands(of("failed"))) " failed. The hash is the SHA-256 of the rule's file as it ran."
            }
            table.stack.rules data-sortable data-filter="Filter rules" {
                thead { tr { th { "Rule" } th { "Status" } th.num { "Findings" } th { "Tactic" } th { "ATT&CK" } } }
                tbody { @for rule in told_first(&report.rules) { (row(rule, told)) } }
            }
        }
    }
}

/// What failed and what fired before what could not apply, and what stayed silent last.
fn told_first(rules: &[RuleRun]) -> Vec<&RuleRun> {
    let mut rules: Vec<&RuleRun> = rules.iter().collect();
    rules.sort_by_key(|rule| match rule.status.as_str() {
        "fired" => 1,
        "not_applicable" => 2,
        "silent" => 3,
        _ => 0,
    });
    rules
}

fn row(rule: &RuleRun, told: &Told) -> Markup {
    html! {
        tr {
            td.rule data-label="Rule" {
                div {
                    code { (t(&rule.id)) }
                    span.name { (t(&rule.title)) }
                    span.hash { (t(&rule.sha256)) }
                }
            }
            td data-label="Status" data-sort=(t(&rule.status)) {
                div {
                    span class={ "status " (status_class(&rule.status)) } { (t(&label(&rule.status))) }
                    @if !rule.why.is_empty() { span.detail { (t(&rule.why)) } }
                }
            }
            td.num data-label="Findings" data-sort=(rule.findings) { a href=[told.rule(rule)] { (thousands(rule.findings)) } }
            td.tactic data-label="Tactic" { (clipped(&label(&rule.tactic), 32)) }
            td data-label="ATT&CK" { div { (techniques(&rule.attack)) } }
        }
    }
}

/// A class from a fixed set: a status never becomes markup.
pub(crate) fn status_class(status: &str) -> &'static str {
    match status {
        "fired" => "is-fired",
        "silent" => "is-silent",
        "not_applicable" => "is-blind",
        _ => "is-failed",
    }
}
