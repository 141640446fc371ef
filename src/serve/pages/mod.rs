//! The dashboard: pages made here, with a small script on top.
//!
//! They share the report's style and parts, so that both look like one product. Whatever comes from packets goes through the report's `t`
//! and maud's escaping; lengths that depend on data are SVG attributes, since the policy of these pages knows no inline style.

mod assets;
mod cases;
mod findings;
mod flows;
mod frame;
mod hosts;
mod incidents;
mod logs;
mod login;
mod overview;
mod rules;
mod sql;
mod trend;

pub use trend::Trend;

use super::access::Visitor;
use super::problem::Problem;
use super::{Open, Shared};
use axum::Router;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use std::sync::Arc;

/// A page, or why there is none, as a page.
type Page = Result<frame::Html, Refused>;

/// A problem told to people rather than programs.
struct Refused(Problem);

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        if let Problem::Ours(why) = &self.0 {
            eprintln!("vigil: {}", crate::report::visible(why));
        }
        (self.0.status(), frame::Html(frame::refused(&self.0))).into_response()
    }
}

/// The pages.
pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/", get(overview::page))
        .route("/findings", get(findings::inbox))
        .route("/findings/{id}", get(findings::one))
        .route("/findings/{id}/triage", post(findings::triage))
        .route("/incidents", get(incidents::all))
        .route("/incidents/{id}", get(incidents::one))
        .route("/cases", get(cases::page))
        .route("/hosts", get(hosts::all))
        .route("/hosts/{ip}", get(hosts::one))
        .route("/flows", get(flows::explorer))
        .route("/flows/{id}", get(flows::one))
        .route("/sql", get(sql::console).post(sql::answer))
        .route("/rules", get(rules::page))
        .route("/logs", get(logs::page))
        .route("/login", get(login::page).post(login::log_in))
        .route("/logout", post(login::log_out))
        .route("/report", get(report))
        .route("/assets/style.css", get(assets::style))
        .route("/assets/app.js", get(assets::script))
        .route("/assets/icon.svg", get(assets::icon))
        .route("/favicon.ico", get(assets::icon))
}

/// The report itself, as `vigil report --format html` writes it, with the policy that it sets itself.
async fn report(Open(app): Open, axum::Extension(visitor): axum::Extension<Visitor>) -> Result<Response, Refused> {
    visitor.must_be(super::Role::Viewer)?;
    let page = match app.page.get() {
        Some(page) => Arc::clone(page),
        None => {
            let page = crate::report::render(crate::report::Format::Html, &app.report).map_err(|error| Problem::Ours(error.to_string()))?;
            Arc::clone(app.page.get_or_init(|| Arc::new(page)))
        }
    };
    let mut response = ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page.as_ref().clone()).into_response();
    let policy = format!("{}; frame-ancestors 'none'", crate::report::html::policy());
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    Ok(response)
}

/// Why a page is not shown, as a page.
pub fn refused(problem: Problem) -> Response {
    Refused(problem).into_response()
}

/// Text as one segment or value of an address.
pub fn segment(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'-' | b'.' | b'_' | b'~' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => written.push(byte.into()),
            _ => written.push_str(&format!("%{byte:02X}")),
        }
    }
    written
}

/// `name=value&…`, without those that say nothing.
pub fn query_string<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let pairs = pairs.into_iter().filter(|(_, value)| !value.is_empty());
    pairs.map(|(name, value)| format!("{}={}", segment(name), segment(value))).collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_carry_any_text() {
        assert_eq!(segment("a b&c=ü/?\""), "a%20b%26c%3D%C3%BC%2F%3F%22");
        assert_eq!(query_string([("q", "x y"), ("none", ""), ("ts.gte", "1")]), "q=x%20y&ts.gte=1");
    }
}
