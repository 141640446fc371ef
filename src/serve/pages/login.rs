//! The login page.

use super::frame::{Html, shell};
use super::{Refused, segment};
use crate::serve::Shared;
use crate::serve::access::{Token, Visitor};
use crate::serve::api::{by_tls, log_in_as};
use crate::serve::exchange::{Form, OverTls, Peer, Query};
use crate::serve::problem::Problem;
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Then {
    then: String,
}

#[derive(Deserialize)]
pub struct Login {
    username: String,
    password: String,
    #[serde(default)]
    then: String,
}

/// A path of this server, or the front page: a link must not send anybody elsewhere after the login.
fn own(then: &str) -> &str {
    let safe = then.starts_with('/') && !then.starts_with("//") && !then.contains(['\\', '\r', '\n', '\t']);
    if safe { then } else { "/" }
}

pub async fn page(State(server): State<Shared>, Extension(visitor): Extension<Visitor>, Query(then): Query<Then>) -> Response {
    if visitor.role.is_some() || !server.access.demanded() {
        return Redirect::to(own(&then.then)).into_response();
    }
    Html(form(&then.then, None)).into_response()
}

fn form(then: &str, wrong: Option<&str>) -> Markup {
    let body = html! {
        main #content {
            section.login {
                h1 { "vigil" }
                @if let Some(wrong) = wrong { p.wrong role="alert" { (wrong) } }
                form method="post" action="/login" {
                    label { span { "Name" } input name="username" autocomplete="username" autofocus required; }
                    label { span { "Password" } input type="password" name="password" autocomplete="current-password" required; }
                    input type="hidden" name="then" value=(own(then));
                    button { "Log in" }
                }
            }
        }
    };
    shell("Log in", body)
}

pub async fn log_in(
    State(server): State<Shared>,
    Extension(Peer(peer)): Extension<Peer>,
    Extension(tls): Extension<OverTls>,
    headers: HeaderMap,
    Form(login): Form<Login>,
) -> Result<Response, Refused> {
    if !server.access.demanded() {
        return Ok(Redirect::to("/").into_response());
    }
    match log_in_as(&server, peer.ip(), login.username, login.password).await {
        Ok(token) => Ok(([(header::SET_COOKIE, token.cookie(by_tls(tls, &headers)))], Redirect::to(own(&login.then))).into_response()),
        Err(problem @ (Problem::Forbidden(_) | Problem::TooMany(_))) => {
            let says = problem.says();
            let wait = problem.into_response();
            let mut response = (StatusCode::FORBIDDEN, Html(form(&login.then, Some(&says)))).into_response();
            *response.status_mut() = wait.status();
            Ok(response)
        }
        Err(problem) => Err(problem.into()),
    }
}

pub async fn log_out(State(server): State<Shared>, Extension(visitor): Extension<Visitor>) -> Response {
    if let Some(token) = &visitor.session {
        server.access.log_out(token);
    }
    ([(header::SET_COOKIE, Token::no_cookie())], Redirect::to(&format!("/login?then={}", segment("/")))).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_leads_to_a_page_of_this_server_only() {
        assert_eq!(
            ["/flows?a=b", "//evil.example", "https://evil.example", "/\\evil.example", "", "/a\nb"].map(own),
            ["/flows?a=b", "/", "/", "/", "/", "/"]
        );
    }
}
