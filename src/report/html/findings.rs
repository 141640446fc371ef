//! Findings: one sentence each, and behind it all that supports it, down to the frames.

use super::{class_of, command, more, pill, probability, t, techniques};
use crate::model::finding::Term;
use crate::model::report::Remark;
use crate::model::time::{human_duration, rfc3339};
use crate::model::{Finding, Report};
use crate::report::facts::{Measure, measures, start_log_odds};
use crate::report::text::{count, label, shell_word, thousands};
use maud::{Markup, html};

/// Findings told in full. A page of 250 opens at once and prints on a bearable stack; nobody reads the 251st in a browser.
pub(super) const FINDINGS: usize = 250;
/// Of the gravest, as many are open from the start.
const OPEN: usize = 3;
/// Rows of evidence, addresses and flows of one finding.
const ROWS: usize = 40;
const ADDRESSES: usize = 12;
const FLOWS: usize = 16;
/// Frames before the list is folded.
const FRAMES: usize = 24;

pub fn section(report: &Report) -> Markup {
    let all = &report.findings;
    html! {
        section #findings {
            h2 { "Findings" }
            @if all.is_empty() {
                p.lead { "No rule fired. Read the coverage above before calling this clean." }
            } @else {
                p.lead { (count(all.len() as u64, "finding")) ", the gravest first. Each ends in frames that Wireshark shows." }
                div.finding-list data-findings {
                    @for (index, finding) in all.iter().take(FINDINGS).enumerate() { (one(finding, index < OPEN, &report.remarks)) }
                }
                (more(all.len().min(FINDINGS), all.len() as u64, "finding", "SELECT id, severity, says FROM findings ORDER BY risk DESC"))
            }
            (set_aside(report))
        }
    }
}

/// What people noted on a finding.
fn remarks(finding: &Finding, said: &[Remark]) -> Markup {
    let mine: Vec<&Remark> = said.iter().filter(|remark| remark.finding == finding.id).collect();
    html! {
        @if !mine.is_empty() {
            h4 { "Notes" }
            ul { @for remark in mine.iter().take(ROWS) { li { (t(&remark.text)) span.muted { " " (t(&remark.author)) ", " (t(&remark.at)) } } } }
        }
    }
}

/// Findings that people put aside: counted, named, and why.
fn set_aside(report: &Report) -> Markup {
    let aside = &report.set_aside;
    html! {
        @if !aside.is_empty() {
            h4 { "Put aside" }
            p.lead { (count(aside.len() as u64, "finding")) " people put aside; in none of the figures above." }
            table.measures {
                thead { tr { th { "Finding" } th { "Severity" } th { "What" } th { "Why" } th { "Who, and until when" } } }
                tbody {
                    @for one in aside.iter().take(FINDINGS) {
                        tr {
                            th scope="row" { (t(&one.finding)) }
                            td { (pill(one.severity)) }
                            td { (t(&one.title)) }
                            td { (t(&one.reason)) span.muted { " " (t(&one.suppression)) ", scope " (t(&one.scope)) } }
                            td { (t(&one.author)) span.muted { " " (t(&one.at)) @if let Some(until) = &one.expires { " until " (t(until)) } } }
                        }
                    }
                }
            }
            (more(aside.len().min(FINDINGS), aside.len() as u64, "finding", "SELECT id, says, suppressed_by FROM findings WHERE suppressed"))
        }
    }
}

fn one(finding: &Finding, open: bool, said: &[Remark]) -> Markup {
    html! {
        details id=(t(&finding.id)) class={ "finding " (class_of(finding.severity)) } data-severity=(finding.severity.name()) open[open] {
            summary {
                span.finding-grade { (pill(finding.severity)) span.fid { (t(&finding.id)) } }
                span.finding-says {
                    span.finding-title { (t(&finding.title)) }
                    span.says { (t(&finding.says)) }
                }
                span.finding-meta {
                    span { span.risk-number { (format!("{:.0}", finding.risk)) } " risk" }
                    span { (probability(finding.confidence)) " confidence" }
                    span { (techniques(&finding.attack[..finding.attack.len().min(1)])) }
                }
            }
            (body(finding, said))
        }
    }
}

/// All that supports a finding.
pub(crate) fn body(finding: &Finding, said: &[Remark]) -> Markup {
    html! {
        div.finding-body {
            div.columns {
                div { (facts(finding)) }
                div { (evidence(&measures(&finding.evidence))) (confidence(finding)) }
            }
            @if !finding.benign.is_empty() {
                aside.harmless { h4 { "What harmless thing looks like this" } p { (t(&finding.benign)) } }
            }
            (remarks(finding, said))
            (next(finding))
        }
    }
}

fn facts(finding: &Finding) -> Markup {
    html! {
        dl.facts {
            div { dt { "Outcome" } dd { (label(finding.outcome.name())) } }
            div { dt { "ATT&CK" } dd { (techniques(&finding.attack)) span.muted { (t(&label(&finding.tactic))) } } }
            @if !finding.actors.is_empty() { div { dt { "Actor" } dd { (addresses(&finding.actors)) } } }
            @if !finding.targets.is_empty() { div { dt { "Target" } dd { (addresses(&finding.targets)) } } }
            @if !finding.users.is_empty() { div { dt { "Account" } dd { (addresses(&finding.users)) } } }
            div { dt { "First seen" } dd.time { (rfc3339(finding.first_ns)) } }
            div { dt { "Last seen" } dd.time { (rfc3339(finding.last_ns)) span.muted { " " (human_duration(finding.last_ns.saturating_sub(finding.first_ns))) } } }
            @if finding.folded > 1 { div { dt { "Folded" } dd { (thousands(finding.folded)) " rows of the rule" } } }
            @if let Some(incident) = &finding.incident { div { dt { "Incident" } dd { (t(incident)) } } }
            @if !finding.flows.is_empty() { div { dt { "Flows" } dd.numbers { (flows(&finding.flows)) } } }
            @if !finding.frames.is_empty() { div { dt { "Frames" } dd.numbers { (frames(&finding.frames)) } } }
        }
    }
}

fn addresses(items: &[String]) -> Markup {
    html! {
        @for item in items.iter().take(ADDRESSES) { code { (t(item)) } " " }
        @if items.len() > ADDRESSES { span.muted { (thousands((items.len() - ADDRESSES) as u64)) " more" } }
    }
}

fn flows(ids: &[String]) -> Markup {
    html! {
        @for (index, id) in ids.iter().take(FLOWS).enumerate() { @if index > 0 { ", " } (t(id)) }
        @if ids.len() > FLOWS { span.muted { " and " (thousands((ids.len() - FLOWS) as u64)) " more" } }
    }
}

fn frames(frames: &[u64]) -> Markup {
    let said = |some: &[u64]| some.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    let (first, rest) = frames.split_at(frames.len().min(FRAMES));
    html! {
        (said(first))
        @if !rest.is_empty() {
            details.rest { summary { (rest.len()) " more" } (said(rest)) }
        }
    }
}

fn evidence(rows: &[Measure]) -> Markup {
    html! {
        @if !rows.is_empty() {
            h4 { "Evidence" }
            table.measures {
                thead { tr { th { "Measure" } th { "Observed" } th { "Threshold" } } }
                tbody {
                    @for row in rows.iter().take(ROWS) {
                        tr { th scope="row" { (t(&row.name)) } td.seen { (t(&row.observed)) } td.muted { (t(&row.threshold)) } }
                    }
                }
            }
            @if rows.len() > ROWS { p.muted { (rows.len() - ROWS) " more in the case" } }
        }
    }
}

/// The terms with what each adds to the log-odds, to the left of the middle line or to the right.
fn confidence(finding: &Finding) -> Markup {
    if finding.terms.is_empty() {
        return html! {};
    }
    let start = start_log_odds(finding);
    let contributions = finding.terms.iter().map(|term| term.weight * term.value);
    let widest = contributions.chain(start).filter(|c| c.is_finite()).fold(1.0, |widest: f64, c| widest.max(c.abs()));
    html! {
        h4 { "Why " (probability(finding.confidence)) " confidence" }
        table.terms {
            thead { tr { th { "Term" } th.num { "Weight × value" } th.num { "Log-odds" } th { span.hidden { "Direction" } } } }
            tbody {
                @if let Some(start) = start {
                    tr.start { th scope="row" { "Where the rule starts" } td {} td.num { (signed(start)) } td { (contribution(start, widest)) } }
                }
                @for term in finding.terms.iter().take(ROWS) { (term_row(term, widest)) }
            }
        }
    }
}

fn term_row(term: &Term, widest: f64) -> Markup {
    let adds = term.weight * term.value;
    html! {
        tr {
            th scope="row" { (t(&term.name)) }
            td.num.muted { (format!("{:.2} × {:.2}", term.weight, term.value).replace('-', "−")) }
            td.num { (signed(adds)) }
            td { (contribution(adds, widest)) }
        }
    }
}

/// `+1.35`, `−0.20` with a real minus sign, so that columns of both align.
fn signed(value: f64) -> String {
    format!("{}{:.2}", if value < 0.0 { '−' } else { '+' }, value.abs())
}

fn contribution(adds: f64, widest: f64) -> Markup {
    let length = if adds.is_finite() { (adds.abs() / widest * 48.0).min(48.0) } else { 0.0 };
    let (x, class) = if adds < 0.0 { (50.0 - length, "against") } else { (50.0, "for") };
    html! {
        svg.contribution viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true" {
            rect.axis x="49.6" width="0.8" height="10" {}
            rect class=(class) x=(format!("{x:.1}")) y="2" width=(format!("{length:.1}")) height="6" {}
        }
    }
}

fn next(finding: &Finding) -> Markup {
    // An id goes between quotes of SQL and of the shell: only what needs no quoting is printed as a command.
    let plain_id = !finding.id.is_empty() && finding.id.bytes().all(|b| b.is_ascii_alphanumeric());
    html! {
        @if !finding.wireshark.is_empty() {
            h4 { "Wireshark filter" }
            (command(&finding.wireshark))
        }
        @if plain_id {
            h4 { "Its packets" }
            (command(&format!("vigil carve CASE {id} -o {id}.pcapng", id = finding.id)))
        }
        h4 { "Look closer" }
        @if plain_id { (command(&format!("vigil sql CASE \"SELECT * FROM findings WHERE id = '{}'\"", finding.id))) }
        (command(&format!("vigil rules show {}", shell_word(&finding.rule))))
    }
}
