//! Logging in and out.

use super::List;
use crate::serve::access::{Token, Visitor};
use crate::serve::described::message;
use crate::serve::exchange::{Body, Json, OverTls, Peer};
use crate::serve::problem::Problem;
use crate::serve::{Shared, shelf};
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::IntoResponse;
use axum::routing::post;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

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
    State(server): State<Shared>,
    Extension(Peer(peer)): Extension<Peer>,
    Extension(tls): Extension<OverTls>,
    headers: HeaderMap,
    Body(login): Body<Login>,
) -> Result<impl IntoResponse, Problem> {
    if !server.access.demanded() {
        return Err(Problem::Wrong("this server asks for no login".into()));
    }
    let username = login.username.clone();
    let token = log_in_as(&server, peer.ip(), login.username, login.password).await?;
    let answer = LoggedIn { token: token.reveal().into(), username, expires_in: crate::serve::access::LIFE.as_secs() };
    Ok(([(header::SET_COOKIE, token.cookie(by_tls(tls, &headers)))], Json(answer)))
}

/// Checks a password, and notes in the journal of the case that was named who came in, or who did not.
pub async fn log_in_as(server: &Shared, peer: IpAddr, name: String, password: String) -> Result<Token, Problem> {
    let came = server.access.log_in(peer, name.clone(), password).await;
    // Those who have to wait were noted when they failed.
    let tried = matches!(came, Ok(_) | Err(Problem::Forbidden(_)));
    if let Some(case) = server.shelf.first().filter(|_| tried)
        && let Ok(app) = shelf::get(server, case).await
    {
        let name: String = name.chars().take(64).collect();
        let detail = serde_json::json!({ "user": name, "from": peer.to_string(), "admitted": came.is_ok() });
        super::audit(&app, "logged_in", detail).await?;
    }
    came
}

async fn log_out(State(server): State<Shared>, Extension(visitor): Extension<Visitor>, Body(_): Body<Nothing>) -> impl IntoResponse {
    if let Some(token) = &visitor.session {
        server.access.log_out(token);
    }
    ([(header::SET_COOKIE, Token::no_cookie())], Json(serde_json::json!({ "ended": visitor.session.is_some() })))
}

/// Whether the browser came by TLS, or through a proxy that adds it. A lie here only makes a cookie that its own browser will not send back.
pub fn by_tls(tls: OverTls, headers: &HeaderMap) -> bool {
    tls.0
        || headers.get("x-forwarded-proto").is_some_and(|scheme| scheme == "https")
        || headers.get(header::ORIGIN).is_some_and(|origin| origin.as_bytes().starts_with(b"https://"))
}
