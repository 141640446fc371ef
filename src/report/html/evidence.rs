//! The evidence with its hashes, where it is damaged, and what was odd about it.

use super::{more, share_bar, t};
use crate::model::report::{DamageLine, Evidence, Report, Share};
use crate::model::time::{human_bytes, rfc3339};
use crate::report::text::{count, label, thousands};
use maud::{Markup, html};

/// Files told in full; a ring buffer has thousands.
const FILES: usize = 100;
/// Files that are not folded away.
const OPEN: usize = 8;
/// As many as `model::report` promises.
const DAMAGE: usize = 200;
const ODDITIES: usize = 50;

pub fn sections(report: &Report) -> Markup {
    let shown = report.evidence.len().min(FILES);
    html! {
        section #evidence {
            h2 { "Evidence" }
            p.lead { (count(report.evidence.len() as u64, "file")) ", read only. Compare the hashes before you rely on anything above." }
            @for file in report.evidence.iter().take(OPEN) { (one_file(file)) }
            @if shown > OPEN {
                details.files {
                    summary { (count((shown - OPEN) as u64, "more file")) }
                    @for file in report.evidence.iter().take(FILES).skip(OPEN) { (one_file(file)) }
                }
            }
            (more(shown, report.evidence.len() as u64, "file", "SELECT * FROM captures"))
        }
        @if !report.damage.is_empty() { (damage(&report.damage, report.coverage.damaged)) }
        @if !report.weird.is_empty() { (oddities(&report.weird)) }
    }
}

fn one_file(file: &Evidence) -> Markup {
    html! {
        article.file {
            h3 { code { (t(&file.path)) } }
            @for path in file.also_at.iter().take(20) { p.muted { "same content at " code { (t(path)) } } }
            dl.facts {
                div { dt { "Size" } dd { (human_bytes(file.bytes)) @if file.bytes >= 1_000 { span.muted { " " (thousands(file.bytes)) " bytes" } } } }
                div { dt { "Format" } dd { (t(&file.format)) @if !file.links.is_empty() { ", " (t(&file.links.join(", "))) } } }
                div { dt { "Frames" } dd { (thousands(file.frames)) } }
                @if let (Some(first), Some(last)) = (file.first_ts, file.last_ts) {
                    div { dt { "Time" } dd.time { (rfc3339(first)) " to " (rfc3339(last)) } }
                }
                @if !file.sha256.is_empty() { div { dt { "SHA-256" } dd.hash { (t(&file.sha256)) } } }
                @if !file.blake3.is_empty() { div { dt { "BLAKE3" } dd.hash { (t(&file.blake3)) } } }
            }
        }
    }
}

fn damage(lines: &[DamageLine], all: u64) -> Markup {
    html! {
        section #damage {
            h2 { "Damage" }
            p.lead { "Where the evidence could not be read as it should be. Everything before and behind was." }
            table.stack data-sortable data-filter="Filter damage" {
                thead { tr { th { "File" } th.num { "After frame" } th.num { "Offset" } th { "Kind" } th { "What happened" } } }
                tbody {
                    @for line in lines.iter().take(DAMAGE) {
                        tr {
                            td data-label="File" { code { (t(&line.path)) } }
                            td.num data-label="After frame" data-sort=(line.after_frame) { (thousands(line.after_frame)) }
                            td.num data-label="Offset" data-sort=(line.offset) { (thousands(line.offset)) }
                            td data-label="Kind" { (t(&label(&line.kind))) }
                            td data-label="What happened" { (t(&line.detail)) }
                        }
                    }
                }
            }
            (more(lines.len().min(DAMAGE), all, "place", "SELECT * FROM damage"))
        }
    }
}

fn oddities(items: &[Share]) -> Markup {
    let total = items.iter().fold(0_u64, |sum, item| sum.saturating_add(item.count));
    html! {
        section #oddities {
            h2 { "Oddities" }
            p.lead { "What no standard asks for. Most of it is harmless; it is counted, never a reason to drop a packet." }
            table.stack data-sortable {
                thead { tr { th { "What" } th.num { "Times" } th { "Share" } th { "Where" } } }
                tbody {
                    @for item in items.iter().take(ODDITIES) {
                        tr {
                            td data-label="What" { code { (t(&item.name)) } }
                            td.num data-label="Times" data-sort=(item.count) { (thousands(item.count)) }
                            td.share data-label="Share" data-sort=(item.count) { div { (share_bar(item.count, total, "plain")) } }
                            td data-label="Where" { (t(&item.note)) }
                        }
                    }
                }
            }
        }
    }
}
