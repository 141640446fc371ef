//! The first thing that is read: one sentence, what to do, and how much was found.

use super::{class_of, t};
use crate::model::Report;
use crate::report::facts::tally;
use crate::report::text::thousands;
use maud::{Markup, html};

pub fn section(report: &Report) -> Markup {
    let verdict = &report.verdict;
    let class = verdict.severity.map_or("sev-none".to_owned(), class_of);
    html! {
        section #verdict class=(class) aria-labelledby="verdict-line" {
            div.verdict-head {
                p.verdict-grade { (verdict.severity.map_or("no alarm", |severity| severity.name())) }
                h1 #verdict-line { (t(&verdict.line)) }
            }
            @if !verdict.actions.is_empty() {
                div.verdict-actions {
                    h2 { "Do first" }
                    ol { @for action in verdict.actions.iter().take(3) { li { (t(action)) } } }
                }
            }
            (counts(report))
        }
    }
}

/// Findings by severity. Zeros are shown: an absent figure would leave open whether anybody counted.
fn counts(report: &Report) -> Markup {
    html! {
        ul.counts aria-label="Findings by severity" {
            @for (severity, n) in tally(&report.findings) {
                li class=[(n > 0).then(|| class_of(severity))] { strong { (thousands(n as u64)) } span { (severity.name()) } }
            }
        }
    }
}
