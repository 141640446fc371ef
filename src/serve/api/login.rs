//! Logging in and out.

use super::List;
use crate::serve::Shared;
use crate::serve::access::{Token, Visitor};
use crate::serve::described::message;
use crate::serve::exchange::{Body, Json, Peer};
use crate::serve::problem::Problem;
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::IntoResponse;
use axum::routing::post;
use serde::{Deserialize, Serialize};

message! {
    #[derive(Deserialize)]
    struct Login {
        /// Name of the user.
        username: String,
        /// Password.
        password: String,
    }
}

message! {
    #[derive(Serialize)]
    struct LoggedIn {
        /// To be sent as `Authorization: Bearer`, by programs; browsers get it as a cookie.
        token: String,
        /// Name of the user.
        username: String,
        /// Seconds after which the session ends, even if it is used.
        expires_in: u64,
    }
}

message! {
    #[derive(Deserialize)]
    struct Nothing {}
}

pub fn list(list: &mut List) {
    list.post::<Login>("/api/login", "access", "Begins a session.", post(log_in)).by(None).answers::<LoggedIn>();
    list.post::<Nothing>("/api/logout", "access", "Ends the session.", post(log_out));
}

async fn log_in(
    State(app): State<Shared>,
    Extension(Peer(peer)): Extension<Peer>,
    headers: HeaderMap,
    Body(login): Body<Login>,
) -> Result<impl IntoResponse, Problem> {
    if !app.access.demanded() {
        return Err(Problem::Wrong("this server asks for no login".into()));
    }
    let username = login.username.clone();
    let token = app.access.log_in(peer.ip(), login.username, login.password).await?;
    let answer = LoggedIn { token: token.reveal().into(), username, expires_in: crate::serve::access::LIFE.as_secs() };
    Ok(([(header::SET_COOKIE, token.cookie(by_tls(&headers)))], Json(answer)))
}

async fn log_out(State(app): State<Shared>, Extension(visitor): Extension<Visitor>, Body(_): Body<Nothing>) -> impl IntoResponse {
    if let Some(token) = &visitor.session {
        app.access.log_out(token);
    }
    ([(header::SET_COOKIE, Token::no_cookie())], Json(serde_json::json!({ "ended": visitor.session.is_some() })))
}

/// Whether the browser came through a proxy that adds TLS. A lie here only makes a cookie that its own browser will not send back.
pub fn by_tls(headers: &HeaderMap) -> bool {
    headers.get("x-forwarded-proto").is_some_and(|scheme| scheme == "https")
        || headers.get(header::ORIGIN).is_some_and(|origin| origin.as_bytes().starts_with(b"https://"))
}
