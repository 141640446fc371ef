//! Pictures: findings over time by tactic, traffic over time, and services.
//!
//! Drawn here as SVG rather than with plotters, whose colours are fixed in the picture: these take theirs from the page's CSS
//! variables and so follow light, dark and print. Each picture has a title and a description for those who cannot see it, and
//! each mark a `<title>` that browsers show without any script.
//!
//! maud writes elements that end in `;` without an end, which is right for HTML but not for SVG: hence `{}` behind every shape.

use super::scale::{TimeAxis, value_ticks};
use super::{Told, class_of, pill, share_bar, t};
use crate::model::report::{Bucket, Report, Share, TimelineEntry, Traffic};
use crate::model::time::{human_bytes, human_duration, short};
use crate::report::text::{count, label, thousands};
use maud::{Markup, html};
use std::fmt::Write;

/// Width of all pictures in their own units. Narrow screens scroll them sideways rather than shrink the numbers.
pub(crate) const WIDTH: f64 = 1120.0;
/// Room for half of the last time under the axis.
pub(crate) const RIGHT: f64 = WIDTH - 28.0;
/// As many as `model::report` promises.
pub(crate) const ENTRIES: usize = 60;
pub(crate) const BUCKETS: usize = 400;
const SERVICES: usize = 20;

pub fn section(report: &Report, told: &Told) -> Markup {
    let entries = &report.timeline[..report.timeline.len().min(ENTRIES)];
    html! {
        @if !entries.is_empty() { (timeline(entries, report, told)) }
        @if !report.traffic.buckets.is_empty() { (traffic(&report.traffic, entries, told)) }
        @if !report.services.is_empty() { (services(&report.services)) }
    }
}

/// ATT&CK's tactics, enterprise and industrial, in the order of an attack. What is not among them follows, by name.
pub(crate) const TACTICS: [&str; 17] = [
    "reconnaissance",
    "resource-development",
    "initial-access",
    "execution",
    "persistence",
    "privilege-escalation",
    "defense-evasion",
    "evasion",
    "credential-access",
    "discovery",
    "lateral-movement",
    "collection",
    "command-and-control",
    "exfiltration",
    "inhibit-response-function",
    "impair-process-control",
    "impact",
];

fn place(tactic: &str) -> usize {
    let plain = tactic.replace('_', "-");
    TACTICS.iter().position(|known| *known == plain).unwrap_or(TACTICS.len())
}

// ---- findings over time -------------------------------------------------------------------------------------------------

fn timeline(entries: &[TimelineEntry], report: &Report, told: &Told) -> Markup {
    let shown = entries.len() as u64;
    html! {
        section #timeline {
            h2 { "Timeline" }
            p.lead { (count(shown, "finding")) " of " (thousands(report.findings.len().max(entries.len()) as u64)) " in order of time, all times UTC." }
            (lanes(entries, told, "lanes"))
            ol.story { @for entry in entries { (line(entry, told)) } }
        }
    }
}

/// One line of the story.
pub(crate) fn line(entry: &TimelineEntry, told: &Told) -> Markup {
    let lasted = entry.until_ns.saturating_sub(entry.ts_ns);
    html! {
        li class=(class_of(entry.severity)) {
            time { (short(entry.ts_ns)) }
            span.story-mark { (pill(entry.severity)) " " a.ref href=[told.link(&entry.finding)] { (t(&entry.finding)) } }
            span.story-says { span.tag { (t(&label(&entry.tactic))) } " " (t(&entry.says)) @if lasted > 0 { span.muted { " (" (human_duration(lasted)) ")" } } }
        }
    }
}

const LANE_LEFT: f64 = 170.0;
const ROW: f64 = 20.0;
/// Rows of bars in one lane; what does not fit is drawn over the last.
const LANE_ROWS: usize = 6;

/// A bar with its place: row in its lane and extent.
struct Placed<'a> {
    entry: &'a TimelineEntry,
    row: usize,
    x: f64,
    width: f64,
}

/// Bars side by side where they do not overlap, labels included, else one below the other.
fn packed<'a>(entries: &[&'a TimelineEntry], axis: &TimeAxis) -> Vec<Placed<'a>> {
    let mut ends: Vec<f64> = Vec::new();
    let mut placed = Vec::with_capacity(entries.len());
    for &entry in entries {
        let x = axis.x(entry.ts_ns).min(RIGHT - 5.0);
        let width = (axis.x(entry.until_ns) - x).max(5.0);
        let end = x + width + 10.0 + 7.5 * entry.finding.chars().count().min(8) as f64;
        let free = ends.iter().position(|taken| *taken <= x);
        let row = free.unwrap_or_else(|| ends.len().min(LANE_ROWS - 1));
        if row == ends.len() {
            ends.push(end)
        } else {
            ends[row] = ends[row].max(end)
        }
        placed.push(Placed { entry, row, x, width });
    }
    placed
}

/// Findings as bars along time, a lane for each tactic; `key` tells pictures of one page apart.
pub(crate) fn lanes(entries: &[TimelineEntry], told: &Told, key: &str) -> Markup {
    let from = entries.iter().map(|entry| entry.ts_ns).min().unwrap_or(0);
    let until = entries.iter().map(|entry| entry.until_ns.max(entry.ts_ns)).max().unwrap_or(from);
    let axis = TimeAxis::new(from, until, LANE_LEFT, RIGHT - LANE_LEFT - 28.0);
    let mut names: Vec<&str> = entries.iter().map(|entry| entry.tactic.as_str()).collect();
    names.sort_by_key(|name| (place(name), *name));
    names.dedup();
    let mut top = 8.0;
    let lanes: Vec<(&str, f64, f64, Vec<Placed<'_>>)> = names
        .into_iter()
        .map(|name| {
            let mut own: Vec<&TimelineEntry> = entries.iter().filter(|entry| entry.tactic == name).collect();
            own.sort_by_key(|entry| entry.ts_ns);
            let bars = packed(&own, &axis);
            let height = bars.iter().map(|bar| bar.row + 1).max().unwrap_or(1) as f64 * ROW + 10.0;
            top += height;
            (name, top - height, height, bars)
        })
        .collect();
    let said = format!("{} in {} from {}.", count(entries.len() as u64, "finding"), count(lanes.len() as u64, "tactic"), axis.dates());
    html! {
        figure.chart {
            div.scroll tabindex="0" role="group" aria-label="Findings over time, scrollable" {
                svg viewBox=(format!("0 0 {WIDTH} {:.0}", top + 34.0)) role="img" aria-labelledby=(format!("{key}-title {key}-desc")) {
                    title id=(format!("{key}-title")) { "Findings over time by tactic" }
                    desc id=(format!("{key}-desc")) { (said) " The list below says the same in words." }
                    (time_axis(&axis, 8.0, top))
                    @for (name, y, height, bars) in &lanes { (lane(name, *y, *height, bars, told)) }
                }
            }
            figcaption { "Findings over time by tactic, in the order of an attack. " (axis.dates()) ", UTC." }
        }
    }
}

fn lane(name: &str, y: f64, height: f64, bars: &[Placed<'_>], told: &Told) -> Markup {
    html! {
        line.grid x1="0" x2=(RIGHT) y1=(px(y)) y2=(px(y)) {}
        text.lane-name x="0" y=(px(y + height / 2.0 + 4.0)) { (super::clipped(&label(name), 24)) }
        @for bar in bars {
            @let (bar_y, entry) = (y + 5.0 + bar.row as f64 * ROW, bar.entry);
            a href=[told.link(&entry.finding)] class=(class_of(entry.severity)) {
                title { (short(entry.ts_ns)) " " (t(&entry.finding)) ": " (t(&entry.says)) }
                rect.span-bar x=(px(bar.x)) y=(px(bar_y + 3.0)) width=(px(bar.width)) height="14" rx="3" {}
                text.bar-name x=(px(bar.x + bar.width + 5.0)) y=(px(bar_y + 14.5)) { (super::clipped(&entry.finding, 8)) }
            }
        }
    }
}

pub(crate) fn time_axis(axis: &TimeAxis, top: f64, bottom: f64) -> Markup {
    html! {
        g.axis aria-hidden="true" {
            @for (x, written) in axis.ticks() {
                line.tick x1=(px(x)) x2=(px(x)) y1=(px(top)) y2=(px(bottom + 5.0)) {}
                text x=(px(x)) y=(px(bottom + 21.0)) text-anchor="middle" { (written) }
            }
            line.base x1="0" x2=(RIGHT) y1=(px(bottom)) y2=(px(bottom)) {}
        }
    }
}

/// A length with one decimal: enough for the eye, and the same bytes on every machine.
pub(crate) fn px(value: f64) -> String {
    format!("{value:.1}")
}

// ---- traffic over time --------------------------------------------------------------------------------------------------

pub(crate) const CHART_LEFT: f64 = 76.0;
const BYTES_TOP: f64 = 40.0;
const BYTES_HEIGHT: f64 = 150.0;
const FRAMES_TOP: f64 = BYTES_TOP + BYTES_HEIGHT + 34.0;
const FRAMES_HEIGHT: f64 = 80.0;

pub(crate) fn traffic(traffic: &Traffic, entries: &[TimelineEntry], told: &Told) -> Markup {
    let buckets = &traffic.buckets[..traffic.buckets.len().min(BUCKETS)];
    let width = i64::try_from(buckets.len()).unwrap_or(i64::MAX).saturating_mul(traffic.bucket_ns.max(1));
    let axis = TimeAxis::new(traffic.from_ns, traffic.from_ns.saturating_add(width), CHART_LEFT, RIGHT - CHART_LEFT);
    let bottom = FRAMES_TOP + FRAMES_HEIGHT;
    let per = human_duration(traffic.bucket_ns);
    html! {
        section #traffic {
            h2 { "Traffic over time" }
            figure.chart {
                div.scroll tabindex="0" role="group" aria-label="Traffic over time, scrollable" {
                    svg viewBox=(format!("0 0 {WIDTH} {:.0}", bottom + 34.0)) role="img" aria-labelledby="traffic-title traffic-desc" {
                        title #traffic-title { "Traffic over time: bytes and frames, with findings marked" }
                        desc #traffic-desc { (peaks(buckets, traffic)) }
                        (time_axis(&axis, BYTES_TOP, bottom))
                        (panel(&Panel { name: "Bytes", top: BYTES_TOP, height: BYTES_HEIGHT, of: |b| b.bytes, write: human_bytes }, buckets))
                        (panel(&Panel { name: "Frames", top: FRAMES_TOP, height: FRAMES_HEIGHT, of: |b| b.frames, write: thousands }, buckets))
                        (marks(entries, &axis, bottom, told))
                        (columns(buckets, traffic, bottom))
                    }
                }
                figcaption { "Bytes and frames per " (per) "; triangles are findings. " (axis.dates()) ", UTC." }
            }
        }
    }
}

/// What the picture shows, in words.
fn peaks(buckets: &[Bucket], traffic: &Traffic) -> String {
    let total = buckets.iter().fold(0_u64, |sum, bucket| sum.saturating_add(bucket.bytes));
    let peak = buckets.iter().enumerate().max_by_key(|(index, bucket)| (bucket.bytes, usize::MAX - index));
    peak.map_or(String::new(), |(index, bucket)| {
        format!(
            "{} in {} of {}. The busiest, with {} and {}, begins {} UTC.",
            human_bytes(total),
            count(buckets.len() as u64, "interval"),
            human_duration(traffic.bucket_ns),
            human_bytes(bucket.bytes),
            count(bucket.frames, "frame"),
            short(start_of(index, traffic)),
        )
    })
}

pub(crate) fn start_of(index: usize, traffic: &Traffic) -> i64 {
    traffic.from_ns.saturating_add(traffic.bucket_ns.saturating_mul(i64::try_from(index).unwrap_or(i64::MAX)))
}

/// One quantity over time.
struct Panel {
    name: &'static str,
    top: f64,
    height: f64,
    of: fn(&Bucket) -> u64,
    write: fn(u64) -> String,
}

fn panel(panel: &Panel, buckets: &[Bucket]) -> Markup {
    let (most, ticks) = value_ticks(buckets.iter().map(panel.of).max().unwrap_or(0));
    let y = |value: u64| panel.top + panel.height * (1.0 - value as f64 / most as f64);
    html! {
        text.panel-name x=(px(CHART_LEFT)) y=(px(panel.top - 8.0)) { (panel.name) }
        g.axis aria-hidden="true" {
            @for tick in &ticks {
                line.grid x1=(px(CHART_LEFT)) x2=(RIGHT) y1=(px(y(*tick))) y2=(px(y(*tick))) {}
                text x=(px(CHART_LEFT - 8.0)) y=(px(y(*tick) + 4.0)) text-anchor="end" { ((panel.write)(*tick)) }
            }
        }
        path.area d=(steps(buckets, panel, &y)) {}
    }
}

/// The outline of the buckets as steps: a line from peak to peak would show traffic that was not there.
fn steps(buckets: &[Bucket], panel: &Panel, y: &dyn Fn(u64) -> f64) -> String {
    let step = (RIGHT - CHART_LEFT) / buckets.len().max(1) as f64;
    let base = panel.top + panel.height;
    let mut path = format!("M{CHART_LEFT:.1} {base:.1}");
    for (index, bucket) in buckets.iter().enumerate() {
        let _ = write!(path, "V{:.1}H{:.1}", y((panel.of)(bucket)), CHART_LEFT + step * (index + 1) as f64);
    }
    let _ = write!(path, "V{base:.1}Z");
    path
}

pub(crate) fn marks(entries: &[TimelineEntry], axis: &TimeAxis, bottom: f64, told: &Told) -> Markup {
    html! {
        @for entry in entries {
            @let x = axis.x(entry.ts_ns);
            a href=[told.link(&entry.finding)] class={ "found " (class_of(entry.severity)) } {
                title { (short(entry.ts_ns)) " " (t(&entry.finding)) ": " (t(&entry.says)) }
                line x1=(px(x)) x2=(px(x)) y1="16" y2=(px(bottom)) {}
                path d=(format!("M{:.1} 6h12l-6 10z", x - 6.0)) {}
            }
        }
    }
}

/// Invisible columns that say, under the pointer, what their bucket holds. Empty buckets need none.
fn columns(buckets: &[Bucket], traffic: &Traffic, bottom: f64) -> Markup {
    let step = (RIGHT - CHART_LEFT) / buckets.len().max(1) as f64;
    html! {
        @for (index, bucket) in buckets.iter().enumerate().filter(|(_, bucket)| bucket.frames > 0) {
            rect.probe x=(px(CHART_LEFT + step * index as f64)) y=(px(BYTES_TOP)) width=(px(step)) height=(px(bottom - BYTES_TOP)) {
                title {
                    (short(start_of(index, traffic))) ": " (human_bytes(bucket.bytes)) ", " (count(bucket.frames, "frame")) ", "
                    (count(bucket.flows, "new flow"))
                }
            }
        }
    }
}

// ---- services -----------------------------------------------------------------------------------------------------------

pub(crate) fn services(services: &[Share]) -> Markup {
    let shown = &services[..services.len().min(SERVICES)];
    let most = shown.iter().map(|service| service.bytes).max().unwrap_or(0);
    html! {
        section #services {
            h2 { "Top services" }
            table.stack data-sortable {
                thead { tr { th { "Service" } th.num { "Bytes" } th { "Beside the largest" } th.num { "Flows" } } }
                tbody {
                    @for service in shown {
                        tr {
                            td data-label="Service" { (t(&service.name)) }
                            td.num data-label="Bytes" data-sort=(service.bytes) { (human_bytes(service.bytes)) }
                            td.share data-label="Beside the largest" data-sort=(service.bytes) { div { (share_bar(service.bytes, most, "accent")) } }
                            td.num data-label="Flows" data-sort=(service.count) { (thousands(service.count)) }
                        }
                    }
                }
            }
        }
    }
}
