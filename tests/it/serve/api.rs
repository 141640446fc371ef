//! The API answers what it promises.

use super::{Server, serve_demo};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Paths with their methods, from the document, with something real for each part of a path.
pub fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let id = if path.contains("/incidents/") { "I1" } else { "F1" };
        let real = path.replace("{id}", id).replace("{ip}", "10.20.0.80").replace("{table}", "flows").replace("{number}", "1");
        for method in ["get", "post", "put", "delete", "patch"].iter().filter(|method| item.get(**method).is_some()) {
            all.push((method.to_uppercase(), real.clone(), item[*method].clone()));
        }
    }
    all
}

/// A flow of the case, as it is printed.
fn flow(server: &Server) -> u64 {
    server.get("/api/v1/flows?layer=0&limit=1&fields=flow_id").well().json()["rows"][0]["flow_id"].as_u64().unwrap() / 16
}

/// A body that makes sense for the operation.
pub fn body(path: &str) -> Value {
    match path {
        "/api/v1/sql" => json!({ "query": "SELECT 1 AS one" }),
        "/api/check" => json!({ "ips": ["10.20.0.80", "203.0.113.77"] }),
        "/api/login" => json!({ "username": "nobody", "password": "nothing at all" }),
        path if path.ends_with("/triage") => json!({ "verb": "comment", "comment": "seen" }),
        _ => json!({}),
    }
}

#[test]
fn every_operation_of_the_document_answers_and_none_fails() {
    let server = serve_demo(&[]);
    let document = server.get("/api/v1/openapi.json").well().json();
    assert_eq!(document["openapi"].as_str().map(|version| &version[..2]), Some("3."));
    let operations = operations(&document);
    assert!(operations.len() > 70, "{}", operations.len());
    assert_eq!(server.ask("POST", "/api/v1/captures?name=x.pcap", &[], "no capture").status, 202);
    // The stream of events has no end; it has tests of its own.
    for (method, path, _) in operations.iter().filter(|(_, path, _)| path != "/api/v1/stream") {
        let path = path.replace("flows/F1", &format!("flows/{}", flow(&server)));
        let answer = if method == "GET" { server.get(&path) } else { server.post(&path, &body(&path)) };
        let expected = match path.as_str() {
            "/api/login" => 400,
            "/api/v1/captures" if method == "POST" => 202,
            _ => 200,
        };
        assert_eq!(answer.status, expected, "{method} {path}: {}", answer.body);
        if path != "/metrics" && !path.ends_with("/packets") {
            answer.json();
        }
    }
}

#[test]
fn no_parameter_of_any_operation_makes_the_server_fail() {
    let server = serve_demo(&[]);
    let document = server.get("/api/v1/openapi.json").well().json();
    let bad = [
        "",
        "-1",
        "0",
        "99999999999999999999999",
        "1e309",
        "NaN",
        "true",
        "x%27%20OR%201%3D1%20--",
        "%00",
        "%FF",
        "a%0Ab",
        "..%2F..%2Fetc%2Fpasswd",
        "2026-99-99",
        "%F0%9F%92%A5",
    ];
    let mut asked = 0;
    for (method, path, operation) in operations(&document) {
        for (index, parameter) in operation["parameters"].as_array().into_iter().flatten().enumerate() {
            let name = parameter["name"].as_str().unwrap();
            // Each parameter meets one of the values, so that over all columns each value meets each type.
            for value in [bad[index % bad.len()], bad[(index * 5 + 3) % bad.len()]] {
                let answer = match parameter["in"].as_str() {
                    Some("query") => server.ask(&method, &format!("{path}?{name}={value}"), &[], ""),
                    _ => server.ask(
                        &method,
                        &path.replace("F1", value).replace("10.20.0.80", value).replace("tables/flows", &format!("tables/{value}")),
                        &[],
                        "",
                    ),
                };
                assert!((200..500).contains(&answer.status), "{method} {path} {name}={value}: {answer:?}");
                asked += 1;
            }
        }
    }
    assert!(asked > 1_000, "{asked}");
    for path in ["/api/v1/sql", "/api/check", "/api/login", "/api/v1/findings/F1/triage", "/api/logout"] {
        for body in ["", "null", "[]", "{", "{\"query\": 7}", "{\"verb\": \"explode\"}", "\"\\ud800\"", "{\"ips\": [\"not an address\"]}"] {
            let answer = server.ask("POST", path, &[("Content-Type", "application/json")], body);
            assert!((200..500).contains(&answer.status), "{path} {body}: {answer:?}");
        }
        assert_eq!(server.ask("POST", path, &[("Content-Type", "text/plain")], "{}").status, 400, "{path} takes JSON and says so");
    }
}

#[test]
fn filters_narrow_orders_sort_and_pages_add_up() {
    let server = serve_demo(&[]);
    let get = |path: &str| server.get(path).well().json();
    let all = get("/api/v1/flows?total=true&limit=1")["total"].as_u64().unwrap();
    assert_eq!(Some(all), get("/api/v1/case")["flows"].as_u64());
    let dns = get("/api/v1/flows?service=dns&total=true&limit=1000&fields=flow_id,service,id_resp_p");
    assert!(dns["rows"].as_array().unwrap().iter().all(|row| row["service"] == "dns") && dns["total"].as_u64() < Some(all));
    assert_eq!(dns["rows"][0].as_object().map(|row| row.len()), Some(3));
    let longest = get("/api/v1/flows?sort=-duration&limit=50&fields=duration");
    let durations: Vec<f64> = longest["rows"].as_array().unwrap().iter().filter_map(|row| row["duration"].as_f64()).collect();
    assert!(durations.len() == 50 && durations.is_sorted_by(|a, b| a >= b), "{durations:?}");
    let (mut seen, mut path) = (BTreeSet::new(), "/api/v1/flows?sort=-resp_bytes&limit=311&fields=flow_id".to_string());
    loop {
        let page = get(&path);
        for row in page["rows"].as_array().unwrap() {
            assert!(seen.insert(row["flow_id"].as_u64().unwrap()), "a row came twice");
        }
        match page["next"].as_str() {
            Some(next) => path = format!("/api/v1/flows?sort=-resp_bytes&limit=311&fields=flow_id&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen.len() as u64, all);
}

#[test]
fn the_lan_monitors_clients_find_their_fields() {
    let server = serve_demo(&[]);
    let stats = server.get("/api/netstats?limit=7&page=2").well().json();
    assert_eq!((stats["connections"].as_array().map(Vec::len), &stats["page"], &stats["limit"]), (Some(7), &json!(2), &json!(7)));
    for field in ["local_address", "local_port", "remote_address", "remote_port", "executable", "location"] {
        assert!(stats["connections"][0].get(field).is_some(), "{field}");
    }
    let threats = server.get("/api/threats").well().json();
    let worst = &threats["threats"][0];
    assert!(worst["risk"].as_f64() >= Some(80.0), "{threats}");
    for field in ["ip", "source", "reason", "risk", "credibility"] {
        assert!(worst.get(field).is_some(), "{field}");
    }
    let ip = worst["ip"].as_str().unwrap();
    let checked = server.post("/api/check", &json!({ "ips": [ip, "192.0.2.250"] })).well().json();
    assert_eq!((&checked["results"][0]["verdict"], &checked["results"][1]["verdict"]), (&json!("malicious"), &json!("unknown")));
    assert_eq!(server.get("/api/netstats?limit=0").status, 400);
    let config = server.get("/api/config").well().json();
    assert_eq!((&config["cases"], &config["sql_timeout"]), (&json!(["demo"]), &json!(10)));
    assert_eq!(server.post("/api/config", &json!({ "sql_timeout": 20 })).well().json()["sql_timeout"], 20);
    assert_eq!(server.post("/api/config", &json!({ "sql_timeout": 0 })).status, 400);
}

#[test]
fn what_people_say_of_a_finding_is_kept_in_the_journal() {
    let server = serve_demo(&[]);
    let said = server.post("/api/v1/findings/F2/triage", &json!({ "verb": "escalate", "comment": "isolated <b>now</b>" })).well().json();
    assert_eq!((&said["state"], &said["notes"][0]["by"]), (&json!("escalated"), &json!("local")));
    assert_eq!(server.get("/api/v1/findings/F2").well().json()["triage"]["state"], "escalated");
    assert_eq!(server.get("/api/v1/triage").well().json()["F2"]["notes"][0]["comment"], "isolated <b>now</b>");
    assert_eq!(server.post("/api/v1/findings/F999/triage", &json!({ "verb": "archive" })).status, 404);
    let journal = vigil::store::journal::read(&server.desk.path("demo.vigil")).expect("the chain holds");
    assert_eq!(journal.last().map(|entry| entry.action.as_str()), Some("triage"));
}

#[test]
fn health_and_metrics_are_there() {
    let server: Server = serve_demo(&[]);
    assert_eq!(server.get("/api/v1/health").well().json()["status"], "ok");
    let metrics = server.get("/metrics").well();
    assert!(metrics.header("content-type").starts_with("text/plain; version=0.0.4"));
    assert!(metrics.body.contains("vigil_case_findings{severity=\"critical\"} 2"), "{}", metrics.body);
    assert!(metrics.body.contains("vigil_http_answers_total{class=\"2xx\"} 1"), "{}", metrics.body);
}
