//! What people say became of findings.

use super::case::triage_of;
use super::{List, document, finding};
use crate::serve::access::Visitor;
use crate::serve::access::users::Role;
use crate::serve::described::message;
use crate::serve::exchange::{Body, Json};
use crate::serve::problem::Problem;
use crate::serve::triage::{self, Triage, Verb};
use crate::serve::{App, Open, Shared};
use axum::Extension;
use axum::extract::{Path, State};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use serde::Deserialize;
use std::sync::Arc;

message! {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Said {
        /// What to do with the finding.
        verb: Verb,
        /// Why, in words.
        comment: Option<String>,
    }
}

pub fn list(list: &mut List) {
    list.get("/api/v1/triage", "findings", "What became of each finding that somebody has touched.", get(all));
    list.post::<Said>(
        "/api/v1/findings/{id}/triage",
        "findings",
        "Says what became of a finding; it goes to the journal of the case.",
        post(say),
    )
    .by(Some(Role::Analyst))
    .with(vec![document::segment("id", "Id, such as F1.")])
    .answers::<Triage>();
}

async fn all(Open(app): Open) -> Result<impl IntoResponse, Problem> {
    let read = tokio::task::spawn_blocking(move || triage::read(&app)).await;
    Ok(Json(read.map_err(|panic| Problem::Ours(panic.to_string()))??))
}

async fn say(
    State(server): State<Shared>,
    Open(app): Open,
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
    Body(said): Body<Said>,
) -> Result<impl IntoResponse, Problem> {
    note(&server, &app, &visitor, &id, said.verb, said.comment.unwrap_or_default()).await?;
    Ok(Json(triage_of(&app, &id).await?))
}

/// Writes an entry where it may block.
pub async fn note(server: &Shared, app: &Arc<App>, visitor: &Visitor, id: &str, verb: Verb, comment: String) -> Result<(), Problem> {
    finding(app, id)?;
    let (own, of, by) = (Arc::clone(app), id.to_string(), visitor.name.clone());
    let written = tokio::task::spawn_blocking(move || triage::write(&own, finding(&own, &of)?, &by, verb, &comment)).await;
    written.map_err(|panic| Problem::Ours(panic.to_string()))??;
    server.news.tell("triage", Some(&app.name), serde_json::json!({ "finding": id, "verb": verb, "by": visitor.name }));
    Ok(())
}
