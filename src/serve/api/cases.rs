//! The cases that are served, captures that are sent here, and what happens meanwhile.

use super::{Answer, List, document};
use crate::serve::access::Visitor;
use crate::serve::access::users::Role;
use crate::serve::analyses::{self, Analysis};
use crate::serve::described::message;
use crate::serve::exchange::{Json, Query};
use crate::serve::news::Item;
use crate::serve::outline::{self, Outline};
use crate::serve::problem::Problem;
use crate::serve::shelf::Chosen;
use crate::serve::{Shared, shelf};
use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::path::PathBuf;

message! {
    /// A case that is served.
    #[derive(Serialize)]
    pub struct Case {
        /// Its name; all paths of this API stand below `/cases/NAME/` as well.
        pub name: String,
        /// Where it is asked for.
        pub path: String,
        /// It is the one that paths without a name are about.
        pub first: bool,
        /// It stands in memory.
        pub open: bool,
        /// What it is about.
        pub outline: Outline,
    }
}

pub fn list(list: &mut List) {
    list.get("/api/v1/cases", "case", "The cases that are served here.", get(cases)).answers::<Vec<Case>>();
    list.get("/api/v1/analyses", "analyses", "Captures that were sent here and what became of them, the latest first.", get(all))
        .answers::<Vec<Analysis>>();
    list.get("/api/v1/analyses/{number}", "analyses", "One of them.", get(one))
        .with(vec![document::segment("number", "Its number.")])
        .answers::<Analysis>();
    list.post_bytes(
        "/api/v1/captures",
        "analyses",
        "Sends a capture, the bytes of the file as the body; it is analysed when those before it are done.",
        post(receive),
    )
    .by(Some(Role::Analyst))
    .with(vec![document::query("name", json!({ "type": "string" }), "What the capture is called.")])
    .status("202")
    .answers::<Analysis>();
    let says =
        "What happens, as server-sent events: `statistics`, `finding`, `case` (there is more to see), `triage`, `analysis`, `trouble`.";
    list.get("/api/v1/stream", "case", says, get(stream)).gives(Answer::Other("text/event-stream"));
}

async fn cases(State(server): State<Shared>) -> Result<Json<Vec<Case>>, Problem> {
    listed(&server).await.map(Json)
}

/// All cases, by name.
pub async fn listed(server: &Shared) -> Result<Vec<Case>, Problem> {
    let server = server.clone();
    let read = tokio::task::spawn_blocking(move || {
        let first = server.shelf.first();
        let one = |(name, folder, open): (String, PathBuf, bool)| Case {
            path: format!("/cases/{}/", crate::serve::pages::segment(&name)),
            first: first == Some(&name),
            open,
            name,
            outline: outline::read(&folder),
        };
        server.shelf.all().into_iter().map(one).collect()
    });
    read.await.map_err(|panic| Problem::Ours(panic.to_string()))
}

async fn all(State(server): State<Shared>) -> Json<Vec<Analysis>> {
    Json(server.analyses.all())
}

async fn one(State(server): State<Shared>, Path(number): Path<String>) -> Result<Json<Analysis>, Problem> {
    let found = number.parse().ok().and_then(|number| server.analyses.one(number));
    found.map(Json).ok_or_else(|| Problem::Nowhere(format!("there is no analysis {:?}", crate::report::visible(&number))))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Called {
    name: String,
}

async fn receive(
    State(server): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Query(called): Query<Called>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let total = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let about = analyses::receive(&server, &called.name, &visitor.name, total, body).await?;
    Ok((StatusCode::ACCEPTED, Json(about)).into_response())
}

async fn stream(State(server): State<Shared>, chosen: Option<Extension<Chosen>>) -> Result<Response, Problem> {
    let name = chosen.map(|Extension(chosen)| chosen.0.to_string()).or_else(|| server.shelf.first().map(str::to_string));
    let mut first = Vec::new();
    if let Some(name) = &name {
        let app = shelf::get(&server, name).await?;
        first.push(Item { kind: "case", case: None, data: super::at_a_glance(&app) });
        let own = server.shelf.first() == Some(name);
        let pulse = server.shelf.last_pulse().filter(|_| own);
        first.push(Item { kind: "statistics", case: None, data: pulse.unwrap_or_else(|| still(&app)) });
    }
    server.news.listen(name, first)
}

/// The statistics of a case that nothing is added to at the moment, in the form of those of a capture.
fn still(app: &crate::serve::App) -> serde_json::Value {
    let coverage = &app.report.coverage;
    let of = |severity: crate::model::Severity| app.report.findings.iter().filter(|finding| finding.severity == severity).count();
    let findings: serde_json::Map<String, serde_json::Value> =
        crate::model::Severity::ALL.into_iter().map(|severity| (severity.name().to_string(), of(severity).into())).collect();
    json!({
        "frames": coverage.frames,
        "bytes": coverage.bytes,
        "flows": coverage.flows,
        "now": coverage.last_ts.map(crate::model::time::rfc3339),
        "findings": findings,
    })
}
