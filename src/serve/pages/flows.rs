//! The flow explorer, whose filters are those of the API and live in the address, and the page of one flow.

use super::frame::{self, Column, cell, figures, said, whole, words};
use super::{Page, Refused, query_string, segment};
use crate::model::FlowId;
use crate::model::time::{human_bytes, human_duration, short};
use crate::report::html::{self, t};
use crate::report::text::{clipped, count};
use crate::serve::access::Visitor;
use crate::serve::api::tables::{self, Source};
use crate::serve::desk::{Rows, rows};
use crate::serve::exchange::Pairs;
use crate::serve::problem::Problem;
use crate::serve::triage;
use crate::serve::{App, Open, Role};
use crate::store::Cell;
use axum::Extension;
use axum::extract::Path;
use duckdb::types::Value;
use maud::{Markup, html};

/// What the table of flows shows, in the order in which [`table`] reads it.
const FIELDS: &str = "flow_id,ts,id_orig_h,id_orig_p,id_resp_h,id_resp_p,proto,service,conn_state,duration,orig_ip_bytes,resp_ip_bytes";
/// Rows of a page.
const ROWS: &str = "100";
/// Rows of one table on the page of a flow.
const EVENTS: u64 = 20;

/// Filters with a field of their own; any other column of `flows` works in the address as well.
const FILTERS: [(&str, &str, &str); 8] = [
    ("either_end", "Either end", "address"),
    ("id_orig_h", "From", "address"),
    ("id_resp_h", "To", "address"),
    ("id_resp_p", "Port", "443"),
    ("service.has", "Service", "dns, ssl …"),
    ("conn_state", "State", "SF, S0 …"),
    ("ts.gte", "Since (UTC)", ""),
    ("ts.lt", "Before (UTC)", ""),
];
const ORDERS: [(&str, &str); 6] = [
    ("", "order of the capture"),
    ("-ts", "latest first"),
    ("-duration", "longest"),
    ("-orig_ip_bytes", "most sent"),
    ("-resp_ip_bytes", "most received"),
    ("-missed_bytes", "most missed"),
];

/// The table of flows; rows hold what [`FIELDS`] names.
pub fn table(found: &Rows) -> Markup {
    const COLUMNS: [Column; 9] = [
        figures("Flow"),
        words("Began (UTC)"),
        words("From"),
        words("To"),
        words("Service"),
        words("State"),
        figures("Lasted"),
        figures("Sent"),
        figures("Received"),
    ];
    let rows: Vec<Vec<Markup>> = found.cells.iter().map(|row| line(row)).collect();
    frame::table(&COLUMNS, &rows)
}

fn line(row: &[Cell]) -> Vec<Markup> {
    let id = shown_id(&said(row.first()));
    let end = |at: usize| html! { (frame::host(&said(row.get(at)))) span.muted { ":" (said(row.get(at + 1))) } };
    let service = match said(row.get(7)) {
        named if named.is_empty() => html! { span.muted { (clipped(&said(row.get(6)), 12)) } },
        named => html! { (clipped(&named, 40)) },
    };
    let lasted = match row.get(9) {
        Some(Cell::Float(seconds)) => human_duration((seconds * 1e9) as i64),
        _ => String::new(),
    };
    vec![
        html! { a href={ "/flows/" (segment(&id)) } data-item { (clipped(&id, 24)) } },
        cell(row.get(1).unwrap_or(&Cell::Null)),
        end(2),
        end(4),
        service,
        cell(row.get(8).unwrap_or(&Cell::Null)),
        html! { (lasted) },
        html! { (human_bytes(whole(row.get(10)))) },
        html! { (human_bytes(whole(row.get(11)))) },
    ]
}

/// The id as findings print it.
fn shown_id(id: &str) -> String {
    id.parse().map_or_else(|_| id.to_string(), |id: u64| FlowId(id).to_string())
}

pub async fn explorer(Open(app): Open, Extension(visitor): Extension<Visitor>, Pairs(pairs): Pairs) -> Page {
    visitor.must_be(Role::Viewer)?;
    // Fields of the form that were left empty ask for nothing.
    let mut filters: Vec<(String, String)> =
        pairs.into_iter().filter(|(name, value)| !value.trim().is_empty() && name != "fields" && name != "limit").collect();
    let asked = filters.clone();
    filters.extend([("fields".into(), FIELDS.into()), ("limit".into(), ROWS.into())]);
    let source = tables::source("flows").ok_or_else(|| Problem::Ours("no table of flows".into()))?;
    let body = match source.question(&filters) {
        Err(problem) => html! { (form(&app, &asked)) p.wrong role="alert" { (t(&problem.says())) } },
        Ok(question) => {
            let question = question.of(&app);
            let (page, total) = app.desk.ask(move |conn| Ok((question.ask(conn)?, question.count(conn)?))).await?;
            let found = Rows { names: page.names, cells: page.rows };
            let without = |name: &str| {
                query_string(asked.iter().filter(|(other, _)| other != name).map(|(name, value)| (name.as_str(), value.as_str())))
            };
            html! {
                (form(&app, &asked))
                p.lead aria-live="polite" {
                    (frame::found(total, app.report.coverage.flows.max(total), "flow")) ". "
                    a href={ "/api/v1/flows?" (without("cursor")) } { "As JSON" }
                }
                @if found.cells.is_empty() { p { "No flow fits." } } @else { (table(&found)) }
                nav.pages aria-label="Pages" {
                    @if asked.iter().any(|(name, _)| name == "cursor") { a href={ "/flows?" (without("cursor")) } { "From the start" } }
                    @if let Some(next) = &page.next { a rel="next" href={ "/flows?" (query_string(asked.iter().filter(|(name, _)| name != "cursor").map(|(name, value)| (name.as_str(), value.as_str())).chain([("cursor", next.as_str())]))) } { "Next" } }
                }
            }
        }
    };
    Ok(frame::page(&app, &visitor, "/flows", "Flows", html! { section #explorer { h2 { "Flows" } (body) } }))
}

fn form(app: &App, asked: &[(String, String)]) -> Markup {
    let value = |name: &str| asked.iter().find(|(other, _)| other == name).map_or("", |(_, value)| value.as_str());
    let coverage = &app.report.coverage;
    // An example of a time is one that this capture has.
    let example = |name: &str, example: &'static str| match (name, coverage.first_ts, coverage.last_ts) {
        ("ts.gte", Some(first), _) => short(first),
        ("ts.lt", _, Some(last)) => short(last),
        _ => example.to_string(),
    };
    let own = |name: &str| FILTERS.iter().any(|(filter, ..)| *filter == name) || matches!(name, "sort" | "cursor");
    html! {
        form.filters method="get" action="/flows" role="search" {
            @for (name, says, says_of) in FILTERS {
                label { span { (says) } input name=(name) value=(value(name)) placeholder=(example(name, says_of)) autocomplete="off" spellcheck="false" data-search[name == "either_end"]; }
            }
            @for (name, value) in asked.iter().filter(|(name, _)| !own(name)) {
                label { span { (clipped(name, 40)) } input name=(name) value=(value); }
            }
            label { span { "Order" } select name="sort" { @for (order, says) in ORDERS { (frame::choice(order, says, value("sort"))) } } }
            div.actions { button { "Filter" } a href="/flows" { "Clear" } }
        }
    }
}

pub async fn one(Open(app): Open, Extension(visitor): Extension<Visitor>, Path(id): Path<String>) -> Page {
    visitor.must_be(Role::Viewer)?;
    let flow = read_id(&id)?;
    let source = tables::source("flows").ok_or_else(|| Problem::Ours("no table of flows".into()))?;
    let own = app.clone();
    let about = app.desk.ask(move |conn| about(conn, &own, source, flow)).await?;
    let Some(row) = about.flow.rows.first() else {
        return Err(Problem::Nowhere(no_flow(&id)).into());
    };
    let printed = FlowId(flow).to_string();
    let inbox = super::findings::triage_of_all(&app).await?;
    let findings: Vec<_> = app.report.findings.iter().filter(|finding| finding.flows.contains(&printed)).collect();
    let body = html! {
        nav.crumbs aria-label="Flows" { a href="/flows" { "Flows" } }
        section #flow {
            h1 { "Flow " (printed) }
            (outline(&about.flow.names, row))
            @if visitor.must_be(Role::Analyst).is_ok() { p.more { a href={ "/api/v1/flows/" (segment(&printed)) "/packets" } download { "Packets as pcapng" } } }
            @if !findings.is_empty() { div.finding-list { @for finding in findings { (super::findings::line(finding, triage::state(&inbox, &finding.id))) } } }
        }
        @for (table, page) in &about.events {
            section {
                h2 { code { (table) } }
                (events(page))
                @if page.next.is_some() { p.more { a href={ "/api/v1/" (table) "?flow_id=" (flow) } { "All as JSON" } } }
            }
        }
        section #columns { h2 { "All columns" } (facts(source, &about.flow.names, row)) }
    };
    Ok(frame::page(&app, &visitor, "/flows", &format!("Flow {printed}"), body))
}

/// Why a flow is not there. Whoever copies a `flow_id` out of a table has the number under which tables hold it.
fn no_flow(id: &str) -> String {
    let held = id
        .parse()
        .ok()
        .filter(|number| *number >= 16)
        .map(|number: u64| format!(". The row with flow_id {number} would be flow {}", FlowId(number)));
    format!("there is no flow {:?}{}", crate::report::visible(id), held.unwrap_or_default())
}

/// What the flow was, in one box: ends, protocol, outcome, time, amount.
fn outline(names: &[String], row: &[Cell]) -> Markup {
    let at = |name: &str| names.iter().position(|own| own == name).and_then(|at| row.get(at));
    let text = |name: &str| at(name).filter(|cell| **cell != Cell::Null).map(Cell::to_string).unwrap_or_default();
    let end = |host: &str, port: &str| html! { (frame::host(&text(host))) @if !text(port).is_empty() { span.muted { ":" (text(port)) } } };
    let nanos = |name: &str| match at(name) {
        Some(Cell::Int(ns)) => i64::try_from(*ns).unwrap_or(0),
        _ => 0,
    };
    let way =
        |bytes: &str, packets: &str| html! { (human_bytes(whole(at(bytes)))) span.muted { " in " (count(whole(at(packets)), "packet")) } };
    let (state, service) = (text("conn_state"), text("service"));
    html! {
        p.ends { (end("id_orig_h", "id_orig_p")) span.muted { " → " } (end("id_resp_h", "id_resp_p")) }
        dl.facts.sheet {
            div { dt { "Protocol" } dd { (t(&text("proto"))) @if !service.is_empty() { ", " (t(&service)) } @else { span.muted { ", service not recognised" } } } }
            div { dt { "Outcome" } dd { @if !state.is_empty() { code { (t(&state)) } " " (outcome(&state)) } @if !text("history").is_empty() { span.muted { " history " } code { (t(&text("history"))) } } } }
            div { dt { "Time" } dd { (html::spanned(nanos("ts_ns"), nanos("last_ts_ns"))) } }
            div { dt { "Sent" } dd { (way("orig_ip_bytes", "orig_pkts")) } }
            div { dt { "Received" } dd { (way("resp_ip_bytes", "resp_pkts")) } }
            @if whole(at("missed_bytes")) > 0 { div { dt { "Missed" } dd { (human_bytes(whole(at("missed_bytes")))) " that the capture lacks" } } }
            div { dt { "Frames" } dd { (t(&text("first_frame"))) " to " (t(&text("last_frame"))) } }
            @if !text("community_id").is_empty() { div { dt { "Community ID" } dd { code { (t(&text("community_id"))) } } } }
        }
    }
}

/// Zeek's states of connections, in words.
fn outcome(state: &str) -> &'static str {
    match state {
        "S0" => "asked, never answered",
        "S1" => "set up, not ended in this capture",
        "SF" => "set up and ended in order, or both sides spoke",
        "REJ" => "refused",
        "S2" => "set up; the client closed, the server did not answer that",
        "S3" => "set up; the server closed, the client did not answer that",
        "RSTO" => "set up, broken off by the client",
        "RSTR" => "broken off by the server",
        "RSTOS0" => "asked and broken off by the client, no answer seen",
        "RSTRH" => "the server answered and broke off, no request seen",
        "SH" => "asked and closed by the client, no answer seen",
        "SHR" => "answered and closed by the server, no request seen",
        "OTH" => "neither beginning nor end seen",
        _ => "",
    }
}

/// The number that the tables hold, of an id as findings print it.
fn read_id(id: &str) -> Result<u64, Refused> {
    let read = id.parse::<FlowId>().ok().map(|id| id.0).filter(|number| i64::try_from(*number).is_ok());
    read.ok_or_else(|| Problem::Nowhere(format!("{:?} is no flow", crate::report::visible(id))).into())
}

/// A flow, and what its protocols said.
struct About {
    flow: tables::Page,
    events: Vec<(&'static str, tables::Page)>,
}

fn about(conn: &duckdb::Connection, app: &App, source: &'static Source, flow: u64) -> Result<About, Problem> {
    let of = |source: &'static Source| {
        source.question(&[("flow_id".into(), flow.to_string()), ("limit".into(), EVENTS.to_string())])?.of(app).ask(conn)
    };
    let mut events = Vec::new();
    let own = |source: &&Source| source.name != "flows" && source.columns.iter().any(|(name, ..)| name == "flow_id");
    for table in tables::sources().iter().filter(own) {
        // A case of an older vigil lacks tables.
        match of(table) {
            Ok(page) if !page.rows.is_empty() => events.push((table.name, page)),
            Ok(_) | Err(Problem::Nowhere(_)) => {}
            Err(problem) => return Err(problem),
        }
    }
    Ok(About { flow: of(source)?, events })
}

fn facts(source: &Source, names: &[String], row: &[Cell]) -> Markup {
    html! {
        dl.facts.sheet {
            @for (name, value) in names.iter().zip(row).filter(|(_, value)| **value != Cell::Null && !value.to_string().is_empty()) {
                @let doc = source.columns.iter().find(|(column, ..)| column == name).map_or("", |(.., doc)| doc.as_str());
                div { dt title=(doc) { code { (name) } } dd { @if name.ends_with("_h") { (frame::host(&value.to_string())) } @else { (t(&value.to_string())) } } }
            }
        }
    }
}

/// Rows of a protocol, without the columns in which none of them has anything.
fn events(page: &tables::Page) -> Markup {
    const DULL: [&str; 7] = ["flow_id", "ts_ns", "id_orig_h", "id_orig_p", "id_resp_h", "id_resp_p", "is_orig"];
    let telling =
        |at: usize| page.rows.iter().any(|row| row.get(at).is_some_and(|cell| *cell != Cell::Null && *cell != Cell::List(Vec::new())));
    let columns: Vec<usize> =
        (0..page.names.len()).filter(|at| page.names.get(*at).is_some_and(|name| !DULL.contains(&name.as_str())) && telling(*at)).collect();
    html! {
        div.wide tabindex="0" role="group" aria-label="Rows, scrollable" {
            table.stack.plain {
                thead { tr { @for at in &columns { th { code { (page.names[*at]) } } } } }
                tbody { @for row in &page.rows { tr { @for at in &columns { td data-label=(page.names[*at]) { div { (cell(row.get(*at).unwrap_or(&Cell::Null))) } } } } } }
            }
        }
    }
}

/// Flows of a host, the heaviest first.
pub async fn of_host(app: &App, ip: &str, most: u64) -> Result<Rows, Problem> {
    let ip = ip.to_string();
    let sql = format!(
        "SELECT {FIELDS} FROM flows WHERE id_orig_h = ? OR id_resp_h = ? ORDER BY orig_ip_bytes + resp_ip_bytes DESC, flow_id LIMIT ?"
    );
    app.desk.ask(move |conn| rows(conn, &sql, &[Value::Text(ip.clone()), Value::Text(ip), Value::UBigInt(most)])).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_fields_filters_and_orders_are_columns_of_the_table() {
        let source = tables::source("flows").unwrap();
        let ask = |name: &str, value: &str| source.question(&[(name.into(), value.into())]).map(drop);
        ask("fields", FIELDS).unwrap();
        for (name, _, example) in FILTERS {
            ask(name, if example.is_empty() { "2026-03-03 09:30:00" } else { example }).unwrap();
        }
        for (order, _) in ORDERS.iter().filter(|(order, _)| !order.is_empty()) {
            ask("sort", order).unwrap();
        }
    }

    #[test]
    fn a_flow_is_found_as_it_is_printed() {
        assert!(read_id("1042").is_ok_and(|id| id == 1_042 * 16));
        assert!(read_id("1042/1").is_ok_and(|id| id == 1_042 * 16 + 1));
        assert!(["", "x", "-1", "99999999999999999999"].iter().all(|id| read_id(id).is_err()));
    }
}
