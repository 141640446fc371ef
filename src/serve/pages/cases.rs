//! The cases that are served, and captures that are analysed here.

use super::frame::{self, words};
use super::{Page, segment};
use crate::model::time::human_bytes;
use crate::report::html::t;
use crate::report::text::{count, label};
use crate::serve::access::Visitor;
use crate::serve::analyses::Analysis;
use crate::serve::{Role, Shared, api};
use axum::Extension;
use axum::extract::State;
use maud::{Markup, html};

pub async fn page(State(server): State<Shared>, Extension(visitor): Extension<Visitor>) -> Page {
    visitor.must_be(Role::Viewer)?;
    let cases = api::listed(&server);
    let analyses = server.analyses.all();
    let takes = server.analyses.taken() && visitor.must_be(Role::Analyst).is_ok();
    let lines: Vec<Vec<Markup>> = cases
        .iter()
        .map(|case| {
            let path = if case.first { "/" } else { &case.path };
            vec![
                html! { a href=(path) data-item { (t(&case.name)) } },
                html! { @if case.first { "named on the command line" } @else if case.open { "open" } @else { span.muted { "opens when it is asked for" } } },
            ]
        })
        .collect();
    let body = html! {
        section #cases {
            h2 { "Cases" }
            @if lines.is_empty() { p.lead { "There is no case here yet." } }
            @else { p.lead { (count(lines.len() as u64, "case")) "." } (frame::table(&[words("Case"), words("")], &lines)) }
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
