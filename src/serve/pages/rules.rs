//! Rules: what ran, what fired, and why others could not.

use super::Page;
use super::frame;
use crate::report::html::rules;
use crate::serve::access::Visitor;
use crate::serve::{Role, Shared};
use axum::Extension;
use axum::extract::State;
use maud::html;

pub async fn page(State(app): State<Shared>, Extension(visitor): Extension<Visitor>) -> Page {
    visitor.must_be(Role::Viewer)?;
    let body = html! {
        (rules::section(&app.report))
        @if app.report.rules.is_empty() { section { h2 { "Rules" } p.lead { "No rule was run on this case." } } }
    };
    Ok(frame::page(&app, &visitor, "/rules", "Rules", body))
}
