//! Captures that are sent to a server, and the cases made of them.

use super::stream::Listener;
use super::{Server, copy, serve, serve_demo, until};
use crate::desk::{Desk, demo, scenario};
use serde_json::Value;
use std::io::Write;

fn send(server: &Server, name: &str, bytes: &[u8]) -> super::Answer {
    let mut request = format!(
        "POST /api/v1/captures?name={name} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        server.addr,
        bytes.len()
    )
    .into_bytes();
    request.extend_from_slice(bytes);
    server.raw(&request)
}

/// What became of an analysis.
fn ended(server: &Server, id: &Value) -> Value {
    until("the analysis ends", || {
        let about = server.get(&format!("/api/v1/analyses/{id}")).well().json();
        ["done", "failed"].contains(&about["state"].as_str()?).then_some(about)
    })
}

#[test]
fn a_capture_that_is_sent_becomes_a_case_beside_the_first() {
    let server = serve_demo(&[]);
    let mut heard = Listener::new(&server, "/api/v1/stream");
    let about = send(&server, "..%2Fscan.pcap", &scenario("port-scan-vertical"));
    assert_eq!(about.status, 202, "{about:?}");
    let about = ended(&server, &about.json()["id"]);
    assert_eq!((&about["state"], &about["case"], &about["name"]), (&"done".into(), &"scan".into(), &"scan.pcap".into()), "{about}");
    let mut states = Vec::new();
    while states.last().map(String::as_str) != Some("done") {
        states.push(heard.next("analysis")["state"].as_str().unwrap().to_string());
    }
    states.dedup();
    assert!(states.ends_with(&["waiting".into(), "analysing".into(), "done".into()]), "{states:?}");
    assert!(server.desk.path("scan.pcap").exists() && server.desk.path("scan.vigil/case.duckdb").exists());
    // Its paths stand below its name, and so do the links of its pages.
    assert_eq!(server.get("/cases/scan/api/v1/case").well().json()["case"], "scan");
    assert_eq!(server.get("/api/v1/case").well().json()["case"], "demo");
    let page = server.get("/cases/scan/findings").well().body;
    assert!(page.contains("href=\"/cases/scan/findings/F1\"") && page.contains("href=\"/assets/style.css\""), "{page}");
    assert!(!page.contains("href=\"/findings"), "{page}");
    assert_eq!(server.get("/cases/scan/report").status, 200);
    assert_eq!(server.get("/cases/..%2F..%2Fetc/api/v1/case").status, 404);
    let packets = server.ask("GET", "/cases/scan/api/v1/findings/F1/packets", &[], "");
    assert_eq!(packets.status, 200, "{}", packets.body);
    let journal = vigil::store::journal::read(&server.desk.path("scan.vigil")).unwrap();
    assert_eq!(journal.iter().map(|entry| entry.action.as_str()).filter(|action| *action == "received").count(), 1);
    // The same name again replaces nothing.
    let again = send(&server, "scan.pcap", &scenario("port-scan-vertical"));
    assert_eq!(ended(&server, &again.json()["id"])["case"], "scan-2");
    let names: Vec<Value> = server.get("/api/v1/cases").well().json().as_array().unwrap().iter().map(|case| case["name"].clone()).collect();
    assert_eq!(names, ["demo", "scan", "scan-2"]);
    let listed = server.get("/api/v1/cases").well().json();
    let outline = &listed[1]["outline"];
    assert!(
        outline["findings"].as_u64() > Some(0) && outline["severity"].is_string() && outline["frames"].as_u64() > Some(100),
        "{outline}"
    );
}

#[test]
fn what_is_no_capture_or_does_not_arrive_is_told_and_leaves_nothing_behind() {
    let server = serve_demo(&["--capture-size", "1M"]);
    let about = send(&server, "words.pcap", b"these are words, not packets, and quite a few of them");
    let about = ended(&server, &about.json()["id"]);
    assert!(about["state"] == "failed" && about["why"].as_str().is_some_and(|why| !why.is_empty()), "{about}");
    assert_eq!(send(&server, "empty.pcap", b"").status, 400);
    let large = server.ask("POST", "/api/v1/captures?name=large.pcap", &[], &"x".repeat(2 << 20));
    assert!(matches!(large.status, 413 | 0), "{large:?}");
    // Half a capture, and the sender goes away.
    let mut stream = server.connect();
    write!(stream, "POST /api/v1/captures?name=half.pcap HTTP/1.1\r\nHost: {}\r\nContent-Length: 5000\r\n\r\nhalf", server.addr).unwrap();
    drop(stream);
    until("the half is noticed", || {
        let all = server.get("/api/v1/analyses").well().json();
        all.as_array()?.iter().any(|about| about["name"] == "half.pcap" && about["state"] == "failed").then_some(())
    });
    // A body without a length is cut where it becomes too long.
    let mut stream = server.connect();
    write!(stream, "POST /api/v1/captures HTTP/1.1\r\nHost: {}\r\nTransfer-Encoding: chunked\r\n\r\n", server.addr).unwrap();
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    let mut sent = 0;
    while sent < 64 << 20 && stream.write_all(chunk.as_bytes()).is_ok() {
        sent += 0x10000;
    }
    assert!(sent < 64 << 20, "all of it was taken");
    let left: Vec<String> = std::fs::read_dir(server.desk.folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with('.') || ["half", "large", "words"].iter().any(|sent| name.contains(sent)))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_server_that_others_reach_takes_no_captures_unless_told_where() {
    let desk = Desk::new();
    copy(demo(), &desk.path("demo.vigil"));
    let key = desk.vigil(["user", "key", "script", "--role", "analyst", "--users", "users.toml"]).out;
    let server = serve(desk, "demo.vigil", &["--addr", "0.0.0.0:0", "--users", "users.toml"]);
    let bearer = format!("Bearer {}", key.trim());
    let refused = server.ask("POST", "/api/v1/captures?name=x.pcap", &[("Authorization", &bearer)], "x");
    assert_eq!(refused.status, 403, "{refused:?}");
    assert!(refused.body.contains("--captures"));
    assert_eq!(server.ask("POST", "/api/v1/captures?name=x.pcap", &[], "x").status, 401);
}

#[test]
fn a_folder_of_cases_is_served_as_one_shelf() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("shelf")).unwrap();
    copy(demo(), &desk.path("shelf/a b.vigil"));
    copy(demo(), &desk.path("shelf/second.vigil"));
    let server = serve(desk, "shelf", &[]);
    assert_eq!(server.get("/").header("location"), "/cases");
    let page = server.get("/cases").well().body;
    assert!(page.contains("href=\"/cases/a%20b/\"") && page.contains("href=\"/cases/second/\""), "{page}");
    assert_eq!(server.get("/cases/a%20b/api/v1/case").well().json()["case"], "a b");
    assert_eq!(server.get("/cases/second/findings/F1").status, 200);
    assert_eq!(server.get("/api/v1/findings").status, 404);
    assert_eq!(server.get("/cases/none/").status, 404);
    assert_eq!(server.get("/api/v1/health").status, 200);
    // Cases that come later are seen.
    copy(demo(), &server.desk.path("shelf/third.vigil"));
    assert_eq!(server.get("/cases/third/api/v1/case").well().json()["case"], "third");
}
