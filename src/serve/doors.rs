//! Before any request is answered: whether it may be asked from there, how many are asked at once, how long and how large they are,
//! and what every answer tells browsers to refuse.
//!
//! A page on another site must not be able to read a case that is served on loopback without a login. Two ways lead there, and
//! both are closed here: a name that the attacker points at 127.0.0.1 (DNS rebinding: `Host` has to be ours), and a request that the
//! page sends across sites (`Origin` and `Sec-Fetch-Site` have to be ours wherever something is changed or asked of the API).

use super::access::{self, Visitor};
use super::exchange::OverTls;
use super::problem::Problem;
use super::shelf::Chosen;
use super::{Server, Shared};
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// Requests answered at once; a few times as many wait their turn.
const AT_ONCE: usize = 64;
/// How long a request waits its turn.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a request may take, its body included.
const TIME: Duration = Duration::from_secs(60);
/// Bytes of a body: SQL, comments, logins.
const BODY: usize = 256 << 10;

/// How often, and after how long, a question is asked again that met a segment just being sealed.
const TURNS: u32 = 40;
const TURN: Duration = Duration::from_millis(250);

/// What the pages may do: load what this server gives, send to this server, nothing else.
const POLICY: &str = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Addresses of a case are told to nobody else. Not `no-referrer`: with it browsers send forms to their own server with `Origin: null`.
static HEADERS: [(HeaderName, &str); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
];

/// The routes behind all doors, the outermost last.
pub fn guarded(routes: Router<Shared>, app: &Shared) -> Router<Shared> {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    routes
        .layer(DefaultBodyLimit::max(BODY))
        .layer(from_fn_with_state(app.clone(), patient))
        .layer(from_fn(below_its_case))
        .layer(from_fn_with_state(app.clone(), known))
        .layer(from_fn_with_state(app.clone(), ours))
        .layer(from_fn_with_state(places, in_turn))
        .layer(from_fn_with_state(app.clone(), sealed))
}

/// Asks again, a few times, where a live case turned to a new segment under the question: nobody else needs to know.
async fn patient(State(server): State<Shared>, request: Request, next: Next) -> Response {
    if request.method() != Method::GET {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let mut answer = next.clone().run(Request::from_parts(parts.clone(), body)).await;
    for _ in 0..TURNS {
        if answer.status() != axum::http::StatusCode::SERVICE_UNAVAILABLE {
            break;
        }
        server.stale.notify_one();
        tokio::time::sleep(TURN).await;
        answer = next.clone().run(Request::from_parts(parts.clone(), axum::body::Body::empty())).await;
    }
    answer
}

/// Counts, and adds the headers that every answer carries.
async fn sealed(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    app.counts.active.fetch_add(1, Relaxed);
    let _leaves = Leaves(&app);
    let asset = request.uri().path().starts_with("/assets/");
    let tls = request.extensions().get::<OverTls>().is_some_and(|tls| tls.0);
    let mut response = next.run(request).await;
    let class = usize::from(response.status().as_u16() / 100).clamp(1, 5) - 1;
    if let Some(count) = app.counts.answers.get(class) {
        count.fetch_add(1, Relaxed);
    }
    app.counts.micros.fetch_add(u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX), Relaxed);
    let headers = response.headers_mut();
    for (name, value) in &HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if tls {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(POLICY));
    let keep = if asset { "private, max-age=300" } else { "no-store" };
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static(keep));
    response
}

struct Leaves<'a>(&'a Server);

impl Drop for Leaves<'_> {
    fn drop(&mut self) {
        self.0.counts.active.fetch_sub(1, Relaxed);
    }
}

/// A bounded number at once, for a bounded time.
async fn in_turn(State(places): State<Arc<Semaphore>>, request: Request, next: Next) -> Response {
    // A capture takes as long as its sender needs, within bounds of its own, and holds nobody up.
    if is_capture(&request) {
        return next.run(request).await;
    }
    let Ok(Ok(_place)) = tokio::time::timeout(PATIENCE, places.acquire_owned()).await else {
        return Problem::Busy.into_response();
    };
    let answer = tokio::time::timeout(TIME, next.run(request)).await;
    answer.unwrap_or_else(|_| Problem::Late("the request took too long and was ended".into()).into_response())
}

fn is_capture(request: &Request) -> bool {
    request.method() == Method::POST && request.uri().path() == "/api/v1/captures"
}

/// Refuses what another site's page could have sent.
async fn ours(State(app): State<Shared>, request: Request, next: Next) -> Response {
    match from_here(&app, &request) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

fn from_here(app: &Server, request: &Request) -> Result<(), Problem> {
    let headers = request.headers();
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = hosts.next().and_then(|host| host.to_str().ok()).ok_or_else(|| Problem::Wrong("a Host header is needed".into()))?;
    let also = request.uri().authority().map(axum::http::uri::Authority::as_str);
    if hosts.next().is_some() || also.is_some_and(|also| also != host) {
        return Err(Problem::Wrong("the request names more than one host".into()));
    }
    if !is_ours(app, host) {
        let why = "this server does not go by that name; ask for it by its address, or name it with --host NAME";
        return Err(Problem::Forbidden(why.into()));
    }
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let across = || Problem::Forbidden("the request comes from a page of another site".into());
    let api = request.uri().path().starts_with("/api/");
    if let Some(site) = text(headers, &HeaderName::from_static("sec-fetch-site"))
        && (!reads || api)
        && !matches!(site, "same-origin" | "none")
    {
        return Err(across());
    }
    // Reads carry an Origin only if a script asks from elsewhere.
    match text(headers, &header::ORIGIN) {
        Some(origin) if !same_origin(origin, host) => Err(across()),
        _ => Ok(()),
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    // What is no text is nothing that a browser sends: it equals no name of ours.
    headers.get(name).map(|value| value.to_str().unwrap_or("\u{0}"))
}

/// Whether the origin is this server, reached directly or through a proxy that adds TLS.
fn same_origin(origin: &str, host: &str) -> bool {
    ["http://", "https://"].iter().any(|scheme| origin.strip_prefix(scheme).is_some_and(|rest| rest.eq_ignore_ascii_case(host)))
}

/// Whether `host` can only lead here. An address cannot be rebound, a name can.
fn is_ours(app: &Server, host: &str) -> bool {
    let bare = without_port(host);
    let loopback = app.options.addr.ip().is_loopback();
    match bare.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
        Ok(address) => !loopback || address.is_loopback(),
        Err(_) => {
            bare.eq_ignore_ascii_case("localhost") || app.options.hosts.iter().any(|name| bare.eq_ignore_ascii_case(without_port(name)))
        }
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port))
            if !port.is_empty() && port.bytes().all(|digit| digit.is_ascii_digit()) && (!name.contains(':') || name.ends_with(']')) =>
        {
            name
        }
        _ => host,
    }
}

/// Finds out who asks. Where a login is demanded, the unknown get the login page and its assets, and nothing else.
async fn known(State(app): State<Shared>, mut request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let open = matches!(path, "/login" | "/api/login") || path.starts_with("/assets/");
    let visitor = app.access.visitor(request.headers());
    match visitor {
        Some(visitor) => {
            request.extensions_mut().insert(visitor);
            next.run(request).await
        }
        None if open => {
            request.extensions_mut().insert(Visitor::nobody());
            next.run(request).await
        }
        None if !path.starts_with("/api/") && path != "/metrics" && request.method() == Method::GET => {
            let case = request.extensions().get::<Chosen>();
            Redirect::to(&access::login_then(case.map(|case| &*case.0), request.uri())).into_response()
        }
        None => Problem::Anonymous.into_response(),
    }
}

/// Links of a page below `/cases/NAME/` stay below it. Only markup of ours has a bare quote: in what packets say it is written `&quot;`.
async fn below_its_case(request: Request, next: Next) -> Response {
    let Some(case) = request.extensions().get::<Chosen>().cloned() else { return next.run(request).await };
    let prefix = format!("/cases/{}", super::pages::segment(&case.0));
    let mut response = next.run(request).await;
    if let Some(place) = response.headers().get(header::LOCATION).and_then(|place| place.to_str().ok())
        && let Some(place) = below(&prefix, place)
        && let Ok(place) = HeaderValue::from_str(&place)
    {
        response.headers_mut().insert(header::LOCATION, place);
    }
    let page = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if !page {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = axum::body::to_bytes(body, usize::MAX).await else { return Problem::Busy.into_response() };
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, moved(&prefix, &String::from_utf8_lossy(&bytes)).into())
}

/// Paths that are the server's, whichever case is looked at.
const SHARED: [&str; 5] = ["/assets/", "/cases", "/login", "/logout", "/favicon.ico"];

fn below(prefix: &str, path: &str) -> Option<String> {
    let own = path.starts_with('/') && !SHARED.iter().any(|shared| path.starts_with(shared));
    own.then(|| format!("{prefix}{path}"))
}

fn moved(prefix: &str, page: &str) -> String {
    let page = page.replacen(" data-base=\"\"", &format!(" data-base=\"{prefix}\""), 1);
    let mut whole = String::with_capacity(page.len() + page.len() / 8);
    let mut rest = page.as_str();
    while let Some(at) = rest.find("=\"/") {
        let (before, after) = rest.split_at(at + 2);
        whole.push_str(before);
        let place = after.split('"').next().unwrap_or_default();
        let link = before.ends_with(" href=\"") || before.ends_with(" action=\"");
        let here = if link { below(prefix, place) } else { None };
        whole.push_str(here.as_deref().unwrap_or(place));
        rest = after.get(place.len()..).unwrap_or_default();
    }
    whole.push_str(rest);
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_taken_off_a_name_and_off_both_kinds_of_address() {
        let bare = ["localhost:3000", "localhost", "127.0.0.1:80", "[::1]:3000", "[::1]", "::1", "a:b"].map(without_port);
        assert_eq!(bare, ["localhost", "localhost", "127.0.0.1", "[::1]", "[::1]", "::1", "a:b"]);
    }

    #[test]
    fn links_of_a_page_stay_below_its_case_and_text_stays_text() {
        let page = "<html data-base=\"\"><a class=\"x\" href=\"/flows?a=1\">href=&quot;/x</a><form action=\"/sql\"><a href=\"#top\"><link href=\"/assets/a.css\">";
        let wanted = "<html data-base=\"/cases/a\"><a class=\"x\" href=\"/cases/a/flows?a=1\">href=&quot;/x</a><form action=\"/cases/a/sql\"><a href=\"#top\"><link href=\"/assets/a.css\">";
        assert_eq!(moved("/cases/a", page), wanted);
    }

    #[test]
    fn an_origin_is_the_same_only_with_the_same_port() {
        assert!(same_origin("http://127.0.0.1:3000", "127.0.0.1:3000"));
        assert!(!same_origin("http://127.0.0.1:3001", "127.0.0.1:3000"));
        assert!(!same_origin("null", "127.0.0.1:3000"));
        assert!(!same_origin("http://evil.example", "127.0.0.1:3000"));
    }
}
