//! Style, script and icon, carried in the binary.

use crate::report::html::{SCRIPT, STYLE};
use axum::http::header;
use axum::response::IntoResponse;

const ICON: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><path d="M1.5 12S5.5 5 12 5s10.5 7 10.5 7-4 7-10.5 7S1.5 12 1.5 12z" fill="none" stroke="#3d7cab" stroke-width="2"/><circle cx="12" cy="12" r="3.4" fill="#3d7cab"/></svg>"##;

/// The report's style, and what the dashboard adds.
pub async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], [STYLE, include_str!("dashboard.css")].concat())
}

/// The report's script, and what the dashboard adds.
pub async fn script() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], [SCRIPT, include_str!("dashboard.js")].concat())
}

/// The eye.
pub async fn icon() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "image/svg+xml")], ICON)
}
