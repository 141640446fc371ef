//! What was read and what could not be seen: the box that keeps silence from being taken for "clean".

use super::{bar, t};
use crate::model::report::{Coverage, Share};
use crate::report::facts::{Fact, coverage};
use crate::report::text::thousands;
use maud::{Markup, html};

/// Reasons shown before the list is cut.
const REASONS: usize = 12;

pub fn section(c: &Coverage) -> Markup {
    let facts = coverage(c);
    let doubts = facts.iter().filter(|fact| fact.doubt).count();
    html! {
        section #coverage {
            h2 { "What was seen, and what was not" }
            p.lead {
                "Silence is never clean: a rule that stayed silent says only that its pattern was not among what could be seen here. "
                @match doubts {
                    0 => { "No figure below limits that." }
                    1 => { "One figure below limits that; it is marked." }
                    n => { (n) " figures below limit that; they are marked." }
                }
            }
            @if !c.blind_spots.is_empty() {
                div.blind {
                    h3 { "What this capture cannot show" }
                    ul { @for blind in c.blind_spots.iter().take(40) { li { (t(blind)) } } }
                }
            }
            div.coverage-grid { @for fact in &facts { (tile(fact)) } }
            @if !c.undecoded.is_empty() { (undecoded(&c.undecoded)) }
        }
    }
}

fn tile(fact: &Fact) -> Markup {
    html! {
        div.tile.doubt[fact.doubt] {
            p.tile-label { (fact.label) @if fact.doubt { span.flag { "limits" } } }
            p.tile-value { (t(&fact.value)) }
            @if let Some(share) = fact.share { (bar(share, "plain")) }
            p.tile-note { (t(&fact.note)) }
        }
    }
}

fn undecoded(reasons: &[Share]) -> Markup {
    html! {
        h3 { "Why frames were not decoded" }
        table.stack {
            thead { tr { th { "Reason" } th.num { "Frames" } th { "Where" } } }
            tbody {
                @for reason in reasons.iter().take(REASONS) {
                    tr {
                        td data-label="Reason" { (t(&reason.name)) }
                        td.num data-label="Frames" { (thousands(reason.count)) }
                        td data-label="Where" { (t(&reason.note)) }
                    }
                }
            }
        }
        (super::more(REASONS, reasons.len() as u64, "reason", "SELECT layer, reason, sum(frames) FROM packets_summary WHERE reason IS NOT NULL GROUP BY ALL ORDER BY 3 DESC"))
    }
}
