//! Who may ask, and from where.

use super::api::{body, operations};
use super::{Answer, Server, copy, serve, serve_demo};
use crate::desk::{Desk, demo};
use serde_json::{Value, json};

pub const PASSWORD: &str = "correct horse battery";

/// A desk with a case and users: ann the analyst, vera the viewer, root the admin, and an API key.
pub fn with_users() -> (Desk, String) {
    let desk = Desk::new();
    copy(demo(), &desk.path("demo.vigil"));
    for (name, role) in [("ann", "analyst"), ("vera", "viewer"), ("root", "admin")] {
        let said = desk.vigil_fed(["user", "add", name, "--role", role, "--users", "users.toml"], format!("{PASSWORD}\n").as_bytes());
        assert_eq!((said.code, said.err.as_str()), (0, ""), "{said:?}");
    }
    let key = desk.vigil(["user", "key", "script", "--users", "users.toml"]);
    assert_eq!(key.code, 0);
    (desk, key.out.trim().to_string())
}

fn locked() -> (Server, String) {
    let (desk, key) = with_users();
    (serve(desk, "demo.vigil", &["--login", "--users", "users.toml"]), key)
}

fn log_in(server: &Server, name: &str, password: &str) -> Answer {
    server.post("/api/login", &json!({ "username": name, "password": password }))
}

fn cookie(answer: &Answer) -> String {
    answer.header("set-cookie").split(';').next().unwrap_or_default().to_string()
}

#[test]
fn without_a_login_nothing_answers_but_the_login() {
    let (server, key) = locked();
    let bearer = format!("Bearer {key}");
    let document = server.ask("GET", "/api/v1/openapi.json", &[("Authorization", &bearer)], "").well().json();
    for (method, path, _) in operations(&document).into_iter().filter(|(_, path, _)| path != "/api/login") {
        let answer = server.ask(&method, &path, &[("Content-Type", "application/json")], &body(&path).to_string());
        assert_eq!(answer.status, 401, "{method} {path}: {answer:?}");
        assert!(answer.body.len() < 300, "{method} {path}: {answer:?}");
    }
    for page in ["/", "/findings", "/findings/F1", "/hosts", "/flows", "/sql", "/rules", "/logs", "/report", "/no/such/page"] {
        let answer = server.get(page);
        assert_eq!((answer.status, answer.body.as_str()), (303, ""), "{page}");
        assert!(answer.header("location").starts_with("/login"), "{page}");
    }
    assert_eq!(server.ask("POST", "/findings/F1/triage", &[], "verb=archive").status, 401);
    assert!(server.get("/login").well().body.contains("current-password"));
    for wrong in ["Bearer vigil_x", "Bearer ", "Basic YW5uOng=", "Bearer AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        assert_eq!(server.ask("GET", "/api/v1/case", &[("Authorization", wrong)], "").status, 401, "{wrong}");
    }
}

#[test]
fn a_session_begins_with_the_password_and_ends_with_the_logout() {
    let (server, _) = locked();
    assert_eq!(log_in(&server, "ann", "wrong").status, 403);
    assert_eq!(log_in(&server, "nobody", PASSWORD).status, 403);
    let answer = log_in(&server, "ann", PASSWORD).well();
    let set = answer.header("set-cookie").to_string();
    assert!(set.contains("; HttpOnly") && set.contains("; SameSite=Strict") && set.contains("; Path=/"), "{set}");
    let session = cookie(&answer);
    let me = server.ask("GET", "/api/v1/me", &[("Cookie", &session)], "").well().json();
    assert_eq!(me, json!({ "name": "ann", "role": "analyst" }));
    let bearer = format!("Bearer {}", answer.json()["token"].as_str().unwrap());
    assert_eq!(server.ask("GET", "/api/v1/case", &[("Authorization", &bearer)], "").status, 200);
    server.ask("POST", "/api/logout", &[("Cookie", &session), ("Content-Type", "application/json")], "{}").well();
    assert_eq!(server.ask("GET", "/api/v1/me", &[("Cookie", &session)], "").status, 401);
}

#[test]
fn the_login_page_works_without_scripts_and_leads_back() {
    let (server, _) = locked();
    let form = format!("username=ann&password={}&then=%2Fflows%3Fservice%3Ddns", PASSWORD.replace(' ', "+"));
    let kind = ("Content-Type", "application/x-www-form-urlencoded");
    let answer = server.ask("POST", "/login", &[kind], &form);
    assert_eq!((answer.status, answer.header("location")), (303, "/flows?service=dns"));
    let page = server.ask("GET", "/flows?service=dns", &[("Cookie", &cookie(&answer))], "").well();
    assert!(page.body.contains("Log out"));
    let elsewhere = server.ask("POST", "/login", &[kind], &form.replace("%2Fflows", "%2F%2Fevil.example%2F"));
    assert_eq!(elsewhere.header("location"), "/");
}

#[test]
fn each_role_may_what_it_may() {
    let (server, key) = locked();
    let as_role = |name: &str, method: &str, path: &str, body: &Value| {
        let session = cookie(&log_in(&server, name, PASSWORD).well());
        server.ask(method, path, &[("Cookie", &session), ("Content-Type", "application/json")], &body.to_string()).status
    };
    let (sql, triage) = (json!({ "query": "SELECT 1" }), json!({ "verb": "acknowledge" }));
    let may = |name: &str| {
        [
            as_role(name, "GET", "/api/v1/findings", &json!({})),
            as_role(name, "POST", "/api/v1/sql", &sql),
            as_role(name, "POST", "/api/v1/findings/F1/triage", &triage),
            as_role(name, "GET", "/api/config", &json!({})),
        ]
    };
    assert_eq!(may("vera"), [200, 403, 403, 403]);
    assert_eq!(may("ann"), [200, 200, 200, 403]);
    assert_eq!(may("root"), [200, 200, 200, 200]);
    assert_eq!(server.ask("GET", "/api/v1/findings", &[("X-API-Key", &key)], "").status, 200);
    assert_eq!(
        server.ask("POST", "/api/v1/sql", &[("X-API-Key", &key), ("Content-Type", "application/json")], &sql.to_string()).status,
        403
    );
}

#[test]
fn guessing_passwords_is_slowed_down() {
    let (server, _) = locked();
    let statuses: Vec<u16> = (0..8).map(|_| log_in(&server, "ann", "guess").status).collect();
    assert_eq!(statuses[..5], [403; 5]);
    assert_eq!(statuses[7], 429, "{statuses:?}");
    let right = log_in(&server, "ann", PASSWORD);
    assert_eq!(right.status, 429, "the right password has to wait as well");
    assert!(right.header("retry-after").parse::<u64>().is_ok_and(|seconds| seconds > 0));
}

#[test]
fn an_address_that_others_reach_demands_users() {
    let desk = Desk::new();
    copy(demo(), &desk.path("demo.vigil"));
    let said = desk.vigil(["serve", "demo.vigil", "--addr", "0.0.0.0:0", "--users", "none.toml"]);
    assert_eq!((said.code, said.out.as_str()), (2, ""), "{said:?}");
    assert!(said.err.contains("vigil user add"), "{}", said.err);
    let (desk, _) = with_users();
    let server = serve(desk, "demo.vigil", &["--addr", "0.0.0.0:0", "--users", "users.toml", "--host", "vigil.example"]);
    assert_eq!(server.get("/api/v1/case").status, 401);
    assert_eq!(server.ask("GET", "/api/v1/case", &[("Host", "vigil.example")], "").status, 401);
    assert_eq!(server.ask("GET", "/api/v1/case", &[("Host", "evil.example")], "").status, 403);
}

#[test]
fn users_that_others_can_read_are_refused() {
    let (desk, _) = with_users();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(desk.path("users.toml")).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::set_permissions(desk.path("users.toml"), std::fs::Permissions::from_mode(0o644)).unwrap();
        let said = desk.vigil(["serve", "demo.vigil", "--login", "--addr", "127.0.0.1:0", "--users", "users.toml"]);
        assert_eq!(said.code, 2);
        assert!(said.err.contains("chmod 600"), "{}", said.err);
    }
}

#[test]
fn a_page_of_another_site_reads_and_changes_nothing() {
    let server = serve_demo(&[]);
    let own = server.addr.to_string();
    let status = |headers: &[(&str, &str)]| server.ask("GET", "/api/v1/case", headers, "").status;
    for host in ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "8.8.8.8", "localhost.evil.example", ""] {
        assert_eq!(status(&[("Host", host)]), 403, "{host}: a name that is pointed here is not ours");
    }
    for host in ["localhost", "localhost:3000", "127.0.0.1", "[::1]:3000"] {
        assert_eq!(status(&[("Host", host)]), 200, "{host}");
    }
    assert_eq!(status(&[("Origin", "http://evil.example")]), 403);
    assert_eq!(status(&[("Origin", "null")]), 403);
    assert_eq!(status(&[("Sec-Fetch-Site", "cross-site")]), 403);
    assert_eq!(status(&[("Sec-Fetch-Site", "same-site")]), 403);
    assert_eq!(status(&[("Sec-Fetch-Site", "same-origin"), ("Origin", &format!("http://{own}"))]), 200);
    assert_eq!(server.ask("GET", "/", &[("Sec-Fetch-Site", "cross-site")], "").status, 200, "a link to a page is followed");
    let triage = |headers: &[(&str, &str)]| {
        let form = [("Content-Type", "application/x-www-form-urlencoded")];
        server.ask("POST", "/findings/F1/triage", &[&form, headers].concat(), "verb=archive").status
    };
    assert_eq!(triage(&[("Origin", "http://evil.example")]), 403);
    assert_eq!(triage(&[("Sec-Fetch-Site", "cross-site")]), 403);
    assert_eq!(triage(&[("Origin", &format!("http://{own}"))]), 303);
    assert_eq!(server.raw(b"GET /api/v1/case HTTP/1.0\r\n\r\n").status, 400, "no Host at all");
    let two = format!("GET http://evil.example/api/v1/case HTTP/1.1\r\nHost: {own}\r\nConnection: close\r\n\r\n");
    assert_eq!(server.raw(two.as_bytes()).status, 400);
}

#[test]
fn every_answer_tells_browsers_what_to_refuse() {
    let (server, key) = locked();
    let bearer = format!("Bearer {key}");
    for path in ["/", "/login", "/report", "/assets/app.js", "/api/v1/case", "/no/such/page", "/flows?nonsense=1"] {
        let answer = server.ask("GET", path, &[("Authorization", &bearer)], "");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{path}");
        assert_eq!(answer.header("referrer-policy"), "same-origin", "{path}");
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src 'self'") || (path == "/report" && policy.contains("default-src 'none'")), "{path}: {policy}");
        assert!(!policy.contains("unsafe") && policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        let keep = if path.starts_with("/assets/") { "private, max-age=300" } else { "no-store" };
        assert_eq!(answer.header("cache-control"), keep, "{path}");
    }
}
