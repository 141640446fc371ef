//! The report as one page: no external asset, complete without scripts, better with them.
//!
//! The page forbids itself everything by a content security policy that names its own style and script by hash, so that even
//! a string that slipped through the escaping could neither run nor load anything. That rules out `style="…"` attributes:
//! lengths that depend on data (bars) are SVG attributes instead.
//!
//! Escaping is maud's for markup, after [`visible`](super::text::visible) for characters that deceive the eye; [`t`] does the latter and stands in
//! front of every string that comes from packets, paths or rules.

pub(crate) mod charts;
pub(crate) mod coverage;
pub(crate) mod evidence;
pub(crate) mod findings;
pub(crate) mod graph;
pub(crate) mod hosts;
pub(crate) mod incidents;
pub(crate) mod prose;
pub(crate) mod rules;
pub(crate) mod scale;
pub(crate) mod unusual;
pub(crate) mod verdict;

use super::text::{clipped, count, label, percent};
use super::{Error, Renderer, attack};
use crate::model::report::RuleRun;
use crate::model::time::{human_duration, short};
use crate::model::{Report, Severity, Ts};
use base64::Engine;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use std::borrow::Cow;
use std::collections::BTreeSet;

pub(crate) const STYLE: &str = include_str!("style.css");
pub(crate) const SCRIPT: &str = include_str!("script.js");

/// Characters of one string that the page shows. The case and `report.json` hold all.
const CHARS: usize = 600;

/// `report.html`.
pub struct Html;

impl Renderer for Html {
    fn name(&self) -> &'static str {
        "html"
    }

    fn file_name(&self) -> &'static str {
        "report.html"
    }

    fn render(&self, report: &Report) -> Result<Vec<u8>, Error> {
        Ok(page(report).into_string().into_bytes())
    }
}

fn page(report: &Report) -> Markup {
    let told = Told::new(report);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy());
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                meta name="robots" content="noindex";
                title { (t(&report.case)) " – vigil report" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#verdict" { "Skip to the verdict" }
                (masthead(report))
                main {
                    (verdict::section(report))
                    (prose::section(report, &told))
                    (incidents::section(report, &told))
                    (coverage::section(&report.coverage))
                    (hosts::section(report, &told))
                    (findings::section(report))
                    (charts::section(report, &told))
                    (unusual::sections(report, &told))
                    (rules::section(report, &told))
                    (evidence::sections(report))
                    (run(report))
                }
                footer { p { "Written by vigil from packets alone. This page loads nothing and sends nothing." } }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
}

/// Forbids everything but the style and the script of this page.
pub(crate) fn policy() -> String {
    let hash = |text: &str| base64::engine::general_purpose::STANDARD.encode(ring::digest::digest(&ring::digest::SHA256, text.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
}

fn masthead(report: &Report) -> Markup {
    let places = [
        ("verdict", "Verdict", true),
        ("story", "Story", !report.prose.is_empty()),
        ("incidents", "Incidents", !report.incidents.is_empty()),
        ("coverage", "Coverage", true),
        ("hosts", "Hosts", !report.hosts.is_empty()),
        ("findings", "Findings", true),
        ("timeline", "Timeline", !report.timeline.is_empty()),
        ("traffic", "Traffic", !report.traffic.buckets.is_empty()),
        ("changes", "Changes", report.changes_total > 0),
        ("unusual", "Unusual", !report.unusual.is_empty()),
        ("rules", "Rules", !report.rules.is_empty()),
        ("evidence", "Evidence", true),
        ("damage", "Damage", !report.damage.is_empty()),
        ("oddities", "Oddities", !report.weird.is_empty()),
        ("run", "Run", true),
    ];
    html! {
        header.masthead {
            div.brand {
                svg.mark viewBox="0 0 24 24" width="22" height="22" aria-hidden="true" {
                    path d="M1.5 12S5.5 5 12 5s10.5 7 10.5 7-4 7-10.5 7S1.5 12 1.5 12z" {}
                    circle cx="12" cy="12" r="3.2" {}
                }
                span.wordmark { "vigil" }
                span.case { (t(&report.case)) }
            }
            nav aria-label="Sections" {
                @for (id, name, _) in places.iter().filter(|(_, _, there)| *there) { a href={ "#" (id) } { (name) } }
            }
        }
    }
}

/// The only part of the page that may differ between two runs over the same evidence.
fn run(report: &Report) -> Markup {
    let run = &report.run;
    let argv: Vec<String> = run.argv.iter().map(|word| super::text::shell_word(word)).collect();
    html! {
        section #run data-volatile {
            h2 { "Run" }
            p.lead { "The only part of this page that may differ when the same evidence is analysed again." }
            dl.facts {
                div { dt { "Command" } dd { code.block { (t(&argv.join(" "))) } } }
                div { dt { "Version" } dd { "vigil " (t(&run.version)) } }
                div { dt { "Started" } dd { (t(&run.started)) } }
                div { dt { "Took" } dd { (format!("{:.1}", run.seconds)) " s on " (count(run.threads as u64, "thread")) } }
                div { dt { "Case folder" } dd { code { (t(&run.folder)) } " – written CASE in the commands of this page" } }
            }
        }
    }
}

/// `text` with what deceives the eye written out, and of bearable length. Markup is escaped by maud.
pub(crate) fn t(text: &str) -> Cow<'_, str> {
    clipped(text, CHARS)
}

/// The findings that can be linked to: on the page those told in full, since links to others would lead nowhere; in the dashboard,
/// where findings and hosts have pages of their own, all.
pub(crate) struct Told<'a> {
    findings: BTreeSet<&'a str>,
    pages: bool,
}

impl<'a> Told<'a> {
    fn new(report: &'a Report) -> Self {
        Self { findings: report.findings.iter().take(findings::FINDINGS).map(|finding| finding.id.as_str()).collect(), pages: false }
    }

    /// For pages that are served: each finding and each host has its own.
    pub(crate) fn in_pages(report: &'a Report) -> Self {
        Self { findings: report.findings.iter().map(|finding| finding.id.as_str()).collect(), pages: true }
    }

    /// Where a link to the finding goes. An anchor without a target is plain text.
    pub(crate) fn link(&self, id: &str) -> Option<String> {
        let place = if self.pages { "/findings/" } else { "#" };
        self.findings.contains(id).then(|| format!("{place}{}", t(id)))
    }

    /// Where a link to the flow goes.
    fn flow(&self, id: &str) -> Option<String> {
        (self.pages && id.bytes().all(|byte| byte.is_ascii_digit() || byte == b'/')).then(|| format!("/flows/{}", id.replace('/', "%2F")))
    }

    /// Where a link to the findings of a rule goes.
    fn rule(&self, rule: &RuleRun) -> Option<String> {
        let plain = rule.id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        (self.pages && plain && rule.findings > 0).then(|| format!("/findings?rule={}&state=any", rule.id))
    }

    /// Where a link to the host goes.
    fn host(&self, ip: &str) -> Option<String> {
        self.pages.then(|| format!("/hosts/{}", t(ip)))
    }
}

/// Class that sets the colours of a severity.
pub(crate) fn class_of(severity: Severity) -> String {
    format!("sev-{}", severity.name())
}

pub(crate) fn pill(severity: Severity) -> Markup {
    html! { span class={ "pill " (class_of(severity)) } { (severity.name()) } }
}

/// ATT&CK ids as plain text, with their names under the pointer.
pub(crate) fn techniques(ids: &[String]) -> Markup {
    html! { @for id in ids.iter().take(8) { span.chip title=[attack::technique(id).map(|known| known.name)] { (t(id)) } " " } }
}

pub(crate) fn tactics(names: &[String]) -> Markup {
    html! { @for name in names.iter().take(14) { span.tag { (clipped(&label(name), 32)) } " " } }
}

/// A command to copy. The text is ours or passed through `shell_word`.
pub(crate) fn command(text: &str) -> Markup {
    html! { div.command { code { (t(text)) } } }
}

/// What a list leaves out, and how to get it.
fn more(shown: usize, all: u64, what: &str, query: &str) -> Markup {
    let left = all.saturating_sub(shown as u64);
    html! {
        @if left > 0 {
            div.more { p { (count(left, what)) " more in the case:" } (command(&format!("vigil sql CASE \"{query}\""))) }
        }
    }
}

/// A horizontal bar, 0 to 1 of its width.
pub(crate) fn bar(share: f64, class: &str) -> Markup {
    let width = if share.is_finite() { (share * 100.0).clamp(0.0, 100.0) } else { 0.0 };
    html! {
        svg class={ "bar " (class) } viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true" {
            rect.track width="100" height="6" rx="0" {}
            rect.fill width=(format!("{width:.1}")) height="6" {}
        }
    }
}

/// `2026-03-03 09:08:00 UTC, for 33 s`.
pub(crate) fn spanned(first: Ts, last: Ts) -> String {
    let lasted = last.saturating_sub(first);
    let lasted = if lasted > 0 { format!(", for {}", human_duration(lasted)) } else { String::new() };
    format!("{} UTC{lasted}", short(first))
}

/// `97 %` of a probability.
pub(crate) fn probability(p: f64) -> String {
    format!("{:.0} %", p * 100.0)
}

/// `63.1 %`, with a bar.
pub(crate) fn share_bar(part: u64, whole: u64, class: &str) -> Markup {
    html! { span.num { (percent(part, whole)) } (bar(super::text::share(part, whole).unwrap_or(0.0), class)) }
}
