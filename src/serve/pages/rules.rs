//! Rules: what ran, what fired, and why others could not.

use super::Page;
use super::frame;
use crate::report::html::{Told, rules};
use crate::serve::access::Visitor;
use crate::serve::{Open, Role};
use axum::Extension;
use maud::html;

pub async fn page(Open(app): Open, Extension(visitor): Extension<Visitor>) -> Page {
    visitor.must_be(Role::Viewer)?;
    let body = html! {
        (rules::section(&app.report, &Told::in_pages(&app.report)))
        @if app.report.rules.is_empty() { section { h2 { "Rules" } p.lead { "No rule was run on this case." } } }
    };
    Ok(frame::page(&app, &visitor, "/rules", "Rules", body))
}
