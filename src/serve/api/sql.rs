//! Read-only SQL.

use super::{Answer, Body, List};
use crate::serve::Shared;
use crate::serve::access::users::Role;
use crate::serve::problem::Problem;
use crate::serve::query;
use axum::Json;
use axum::extract::State;
use axum::routing::post;
use serde::Deserialize;

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Statement {
    /// One statement of DuckDB's SQL that reads.
    query: String,
    /// Rows to return, at most 10000; 1000 unless told.
    #[serde(default = "usual")]
    #[schema(minimum = 1, maximum = 10000)]
    limit: usize,
}

fn usual() -> usize {
    1_000
}

pub fn list(list: &mut List) {
    let schema = list.schema::<query::Answer>();
    let says = "Runs one statement that reads, in a process of its own: bounded in time, memory and rows, without files or network.";
    list.post::<Statement>("/api/v1/sql", "sql", says, post(run)).by(Some(Role::Analyst)).answers(Answer::Json(schema));
}

async fn run(State(app): State<Shared>, Body(statement): Body<Statement>) -> Result<Json<query::Answer>, Problem> {
    if !(1..=query::ROWS).contains(&statement.limit) {
        return Err(Problem::Wrong(format!("limit is a number from 1 to {}", query::ROWS)));
    }
    Ok(Json(app.query.run(&statement.query, statement.limit).await?))
}
