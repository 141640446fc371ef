//! The story in words: the case, then its incidents, each sentence with the findings that say it.

use super::{Told, t};
use crate::model::Report;
use crate::model::report::{Part, Prose, Sentence};
use crate::report::text::count;
use maud::{Markup, html};

/// Incidents told; the case has the others.
const TOLD: usize = 12;

pub fn section(report: &Report, told: &Told) -> Markup {
    html! {
        @if !report.prose.is_empty() {
            section #story {
                h2 { "Story" }
                @for (index, prose) in report.prose.iter().take(TOLD).enumerate() { (one(prose, index < 2, told)) }
            }
        }
    }
}

pub(crate) fn one(prose: &Prose, open: bool, told: &Told) -> Markup {
    let about = if prose.about == "case" { "The case" } else { &prose.about };
    html! {
        details.story open[open] {
            summary { (t(about)) span.muted { " told by " (t(&prose.narrator)) } }
            @for part in Part::ALL {
                @if prose.part(part).next().is_some() {
                    h4 { (part.heading()) }
                    @for sentence in prose.part(part) { p { (spoken(&sentence.text)) (cites(sentence, told)) } }
                }
            }
            @if !prose.note.is_empty() { p.muted { "The model could not be used: " (t(&prose.note)) } }
            @if prose.dropped > 0 { p.muted { (count(prose.dropped, "sentence")) " of the model dropped: the findings do not say so." } }
        }
    }
}

/// A sentence; what stands between backticks is to be typed.
fn spoken(text: &str) -> Markup {
    let text = t(text);
    let whole = text.matches('`').count().is_multiple_of(2);
    html! {
        @for (at, piece) in text.split('`').enumerate() {
            @if !whole && at > 0 { "`" }
            @if whole && at % 2 == 1 { code { (piece) } } @else { (piece) }
        }
    }
}

fn cites(sentence: &Sentence, told: &Told) -> Markup {
    html! {
        @for id in sentence.cites.iter().take(8) {
            " "
            @match told.link(id) {
                Some(place) => a href=(place) { (t(id)) },
                None => span.muted { (t(id)) },
            }
        }
    }
}
