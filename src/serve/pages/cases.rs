//! The cases that are served, and captures that are analysed here.

use super::frame::{self, Column, figures, words};
use super::{Page, segment};
use crate::model::time::human_bytes;
use crate::report::html::{pill, t};
use crate::report::text::{count, label, thousands};
use crate::serve::access::Visitor;
use crate::serve::analyses::Analysis;
use crate::serve::{Role, Shared, api};
use axum::Extension;
use axum::extract::State;
use maud::{Markup, html};

const COLUMNS: [Column; 6] =
    [words("Case"), words("Gravest finding"), figures("Findings"), figures("Packets"), figures("Evidence"), words("Captured from (UTC)")];

pub async fn page(State(server): State<Shared>, Extension(visitor): Extension<Visitor>) -> Page {
    visitor.must_be(Role::Viewer)?;
    let cases = api::listed(&server).await?;
    let analyses = server.analyses.all();
    let takes = server.analyses.taken() && visitor.must_be(Role::Analyst).is_ok();
    let lines: Vec<Vec<Markup>> = cases
        .iter()
        .map(|case| {
            let path = if case.first { "/" } else { &case.path };
            vec![
                html! { a href=(path) data-item { (t(&case.name)) } },
                match case.outline.severity {
                    Some(severity) => pill(severity),
                    None => html! { span.muted { "none" } },
                },
                html! { (thousands(case.outline.findings)) },
                html! { @if let Some(frames) = case.outline.frames { (thousands(frames)) } },
                html! { @if let Some(bytes) = case.outline.bytes { (human_bytes(bytes)) } },
                html! { @if let Some(at) = &case.outline.first_ts { span.time { (frame::moment(at)) } } },
            ]
        })
        .collect();
    let body = html! {
        section #cases {
            h2 { "Cases" }
            @if lines.is_empty() { p.lead { "There is no case here yet." } }
            @else { p.lead { (count(lines.len() as u64, "case")) "." } (frame::table(&COLUMNS, &lines)) }
        }
        @if takes {
            section #captures {
                h2 { "Analyse a capture" }
                p.lead { "pcap and pcapng, compressed or not, up to " (human_bytes(server.options.capture_bytes)) ". It stays on this machine. Dropping it anywhere on any page does the same." }
                form.capture data-capture { label { span { "Capture" } input type="file" name="capture"; } div.actions { button { "Analyse" } } }
                noscript { p.wrong { "Sending a file takes scripts. Without: " code { "vigil analyze CAPTURE" } } }
            }
        }
        @if !analyses.is_empty() {
            section #analyses {
                h2 { "Analyses" }
                (frame::table(&[words("Capture"), words("Sent by"), words("State"), words("Case")], &analyses.iter().map(row).collect::<Vec<_>>()))
            }
        }
    };
    Ok(frame::bare(server.shelf.first(), &visitor, "/cases", "Cases", body))
}

fn row(analysis: &Analysis) -> Vec<Markup> {
    vec![
        html! { (t(&analysis.name)) },
        html! { (t(&analysis.by)) },
        html! { (label(analysis.state)) @if let Some(why) = &analysis.why { span.detail { (t(why)) } } @else if analysis.state == "analysing" { span.detail { (label(&analysis.stage)) } } },
        html! { @if let Some(case) = &analysis.case { a href={ "/cases/" (segment(case)) "/" } { (t(case)) } } },
    ]
}
