//! Read-only SQL.

use super::List;
use crate::serve::access::users::Role;
use crate::serve::described::message;
use crate::serve::exchange::{Body, Json};
use crate::serve::problem::Problem;
use crate::serve::query;
use crate::serve::{Open, Shared};
use axum::extract::State;
use axum::routing::post;
use serde::Deserialize;

/// Rows of an answer unless told otherwise.
const ROWS: usize = 1_000;

message! {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Statement {
        /// One statement of DuckDB's SQL that reads.
        query: String,
        /// Rows to return, at most 10000; 1000 unless told.
        limit: Option<usize>,
    }
}

pub fn list(list: &mut List) {
    let says = "Runs one statement that reads, in a process of its own: bounded in time, memory and rows, without files or network.";
    list.post::<Statement>("/api/v1/sql", "sql", says, post(run)).by(Some(Role::Analyst)).answers::<query::Answer>();
}

async fn run(State(server): State<Shared>, Open(app): Open, Body(statement): Body<Statement>) -> Result<Json<query::Answer>, Problem> {
    let limit = statement.limit.unwrap_or(ROWS);
    if !(1..=query::ROWS).contains(&limit) {
        return Err(Problem::Wrong(format!("limit is a number from 1 to {}", query::ROWS)));
    }
    Ok(Json(app.query.run(&statement.query, limit, server.sql_timeout()).await?))
}
