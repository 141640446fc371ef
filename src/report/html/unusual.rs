//! What has changed since the baseline, and what is unlike the rest of the capture.

use super::{Told, more, t};
use crate::model::report::{Report, Unusual};
use crate::model::time::short;
use crate::report::facts::changes_by_kind;
use maud::{Markup, html};

/// Changes shown; the case has all.
const CHANGES: usize = 60;
/// Unusual things shown.
const UNUSUAL: usize = 20;
/// Notes shown.
const NOTES: usize = 40;

pub fn sections(report: &Report, told: &Told) -> Markup {
    let shown = report.changes.len().min(CHANGES);
    html! {
        @if report.changes_total > 0 {
            section #changes {
                h2 { "What has changed" }
                p.lead { (t(&changes_by_kind(report))) "." }
                (table(report.changes.iter().take(CHANGES), told))
                (more(shown, report.changes_total, "change", "SELECT * FROM anomalies WHERE model IN ('novelty', 'baseline', 'gone')"))
            }
        }
        @if !report.unusual.is_empty() {
            section #unusual {
                h2 { "Unlike the rest" }
                p.lead { "No findings: what models rank first among what the rules left over." }
                (table(report.unusual.iter().take(UNUSUAL), told))
            }
        }
        @if !report.notes.is_empty() {
            section #notes {
                h2 { "Knowledge from outside" }
                ul { @for note in report.notes.iter().take(NOTES) { li { (t(note)) } } }
            }
        }
    }
}

fn table<'a>(rows: impl Iterator<Item = &'a Unusual>, told: &Told) -> Markup {
    html! {
        table.stack {
            thead { tr { th { "Time (UTC)" } th { "What" } th { "Flow" } } }
            tbody {
                @for row in rows {
                    tr {
                        td data-label="Time (UTC)" { @if let Some(ts) = row.ts_ns { span.time { (short(ts)) } } }
                        td data-label="What" { (t(&row.says)) }
                        td.ref data-label="Flow" { @if let Some(flow) = &row.flow { a href=[told.flow(flow)] { (t(flow)) } } }
                    }
                }
            }
        }
    }
}
