//! What all pages have in common.

use crate::report::html::t;
use crate::report::text::{clipped, count, thousands};
use crate::serve::access::Visitor;
use crate::serve::problem::Problem;
use crate::serve::{App, Role};
use crate::store::Cell;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};

/// Characters of a cell that a table shows; the flow's or finding's own page has more.
const CELL: usize = 120;

/// Markup as an answer.
pub struct Html(pub Markup);

impl IntoResponse for Html {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], self.0.into_string()).into_response()
    }
}

/// Places of the dashboard, with the key that leads there after `g`.
const PLACES: [(&str, &str, &str); 10] = [
    ("/", "Overview", "o"),
    ("/findings", "Findings", "f"),
    ("/incidents", "Incidents", "i"),
    ("/hosts", "Hosts", "h"),
    ("/flows", "Flows", "l"),
    ("/sql", "SQL", "s"),
    ("/rules", "Rules", "r"),
    ("/logs", "Logs", "g"),
    ("/report", "Report", "p"),
    ("/cases", "Cases", "c"),
];

/// A page about a case. `here` is the place it belongs to.
pub fn page(app: &App, visitor: &Visitor, here: &str, title: &str, body: Markup) -> Html {
    bare(Some(&app.report.case), visitor, here, title, body)
}

/// A page, of a case if there is one.
pub fn bare(case: Option<&str>, visitor: &Visitor, here: &str, title: &str, body: Markup) -> Html {
    let may = |path: &str| match path {
        "/sql" => case.is_some() && visitor.must_be(Role::Analyst).is_ok(),
        "/cases" => true,
        _ => case.is_some(),
    };
    let places = PLACES.iter().filter(|(path, ..)| may(path));
    let body = html! {
        a.skip href="#content" { "Skip to the content" }
        header.masthead {
            a.brand href="/" aria-label="vigil, overview" { (mark()) span.wordmark { "vigil" } @if let Some(case) = case { span.case { (t(case)) } } }
            nav aria-label="Places" {
                @for (path, name, key) in places {
                    a href=(path) data-key=(key) aria-current=[(*path == here).then_some("page")] { (name) }
                }
            }
            // Filled by the script, where there is something to say.
            div.pulse data-pulse {}
            @if visitor.session.is_some() {
                form.leave method="post" action="/logout" { span.muted { (t(&visitor.name)) } " " button { "Log out" } }
            }
        }
        main #content { (body) }
        footer {
            p { "vigil " (env!("CARGO_PKG_VERSION")) ", from packets alone. Nothing here is loaded from elsewhere. " a href="/api/v1/openapi.json" { "API" } " · press " kbd { "?" } " for keys" }
        }
    };
    Html(shell(&case.map_or_else(|| title.to_string(), |case| format!("{title} – {case}")), body))
}

fn mark() -> Markup {
    html! {
        svg.mark viewBox="0 0 24 24" width="22" height="22" aria-hidden="true" {
            path d="M1.5 12S5.5 5 12 5s10.5 7 10.5 7-4 7-10.5 7S1.5 12 1.5 12z" {}
            circle cx="12" cy="12" r="3.2" {}
        }
    }
}

/// A document with its head.
pub fn shell(title: &str, body: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" data-base="" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                title { (t(title)) " – vigil" }
                link rel="icon" href="/assets/icon.svg" type="image/svg+xml";
                link rel="stylesheet" href="/assets/style.css";
                script src="/assets/app.js" defer {}
            }
            body { (body) }
        }
    }
}

/// A page that says why there is none.
pub fn refused(problem: &Problem) -> Markup {
    let body = html! {
        main #content {
            section.refused {
                h1 { (problem.status().canonical_reason().unwrap_or("No")) }
                p.lead { (t(&problem.says())) }
                p { a href="/" { "Overview" } }
            }
        }
    };
    shell("Not answered", body)
}

/// Columns of a table: name, heading, and whether it is a number.
pub struct Column {
    /// Heading.
    pub name: &'static str,
    /// To the right, and never cut.
    pub number: bool,
}

/// A column of text.
pub const fn words(name: &'static str) -> Column {
    Column { name, number: false }
}

/// A column of numbers.
pub const fn figures(name: &'static str) -> Column {
    Column { name, number: true }
}

/// A table with its headings; rows are made cell by cell.
pub fn table(columns: &[Column], rows: &[Vec<Markup>]) -> Markup {
    html! {
        div.wide tabindex="0" role="group" aria-label="Table, scrollable" {
            table.stack.plain {
                thead { tr { @for column in columns { th.num[column.number] { (column.name) } } } }
                tbody {
                    @for row in rows {
                        tr { @for (cell, column) in row.iter().zip(columns) { td.num[column.number] data-label=(column.name) { div { (cell) } } } }
                    }
                }
            }
        }
    }
}

/// A value as people read it.
pub fn cell(cell: &Cell) -> Markup {
    match cell {
        Cell::Null => html! {},
        Cell::Text(text) => html! { (clipped(text, CELL)) },
        Cell::Bool(yes) => html! { (if *yes { "yes" } else { "no" }) },
        Cell::Time(ns) => {
            html! { span.time { (clipped(&i64::try_from(*ns).map_or_else(|_| cell.to_string(), crate::model::time::short), CELL)) } }
        }
        Cell::List(items) => {
            let said: Vec<String> = items.iter().take(12).map(Cell::to_string).collect();
            html! { (clipped(&said.join(", "), CELL)) @if items.len() > 12 { span.muted { " and " (thousands(items.len() as u64 - 12)) " more" } } }
        }
        other => html! { (clipped(&other.to_string(), CELL)) },
    }
}

/// `11 findings`, or `4 of 11 findings` where some are filtered away.
pub fn found(fit: u64, all: u64, what: &str) -> String {
    if fit == all { count(all, what) } else { format!("{} of {}", thousands(fit), count(all, what)) }
}

/// A time of the journal, to the second.
pub fn moment(at: &str) -> Markup {
    let short = at.get(..19).map_or_else(|| at.to_string(), |at| at.replace('T', " "));
    html! { time datetime=(t(at)) { (t(&short)) } }
}

/// A link to a host's page.
pub fn host(ip: &str) -> Markup {
    html! { a.ip href={ "/hosts/" (super::segment(ip)) } { (clipped(ip, 60)) } }
}

/// A whole number of a cell.
pub fn whole(cell: Option<&Cell>) -> u64 {
    match cell {
        Some(Cell::Int(number)) => u64::try_from(*number).unwrap_or(0),
        _ => 0,
    }
}

/// Text of a cell, empty for none.
pub fn said(cell: Option<&Cell>) -> String {
    cell.map(Cell::to_string).unwrap_or_default()
}

/// One choice of a `select`.
pub fn choice(value: &str, name: &str, chosen: &str) -> Markup {
    html! { option value=(value) selected[value == chosen] { (name) } }
}
