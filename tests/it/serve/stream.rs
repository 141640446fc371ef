//! What happens while somebody listens.

use super::{PATIENCE, Server, serve_demo};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

/// Somebody who listens to the events of a server.
pub struct Listener(BufReader<TcpStream>);

impl Listener {
    pub fn new(server: &Server, path: &str) -> Self {
        let mut stream = server.connect();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", server.addr).unwrap();
        let mut reader = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(reader.read_line(&mut head).unwrap() > 0, "{head}");
        }
        assert!(head.starts_with("HTTP/1.1 200") && head.contains("text/event-stream") && head.contains("no-store"), "{head}");
        Self(reader)
    }

    /// The next event of that kind.
    pub fn next(&mut self, kind: &str) -> Value {
        let wanted = format!("event: {kind}\n");
        let mut line = String::new();
        while line != wanted {
            line.clear();
            assert!(self.0.read_line(&mut line).expect("something happens") > 0, "the stream ended before {kind}");
        }
        line.clear();
        self.0.read_line(&mut line).unwrap();
        serde_json::from_str(line.trim_start_matches("data: ")).unwrap_or_else(|error| panic!("{error}: {line}"))
    }
}

#[test]
fn whoever_listens_hears_how_it_stands_and_what_others_do() {
    let server = serve_demo(&[]);
    let mut heard = Listener::new(&server, "/api/v1/stream");
    assert_eq!(heard.next("case")["case"], "demo");
    let standing = heard.next("statistics");
    assert!(standing["frames"].as_u64() > Some(1_000) && standing["findings"]["critical"] == 2, "{standing}");
    server.post("/api/v1/findings/F2/triage", &json!({ "verb": "escalate", "comment": "a\nevent: forged" })).well();
    assert_eq!(heard.next("triage"), json!({ "finding": "F2", "verb": "escalate", "by": "local" }));
}

#[test]
fn there_are_only_so_many_listeners_and_they_hold_nobody_up() {
    let server = serve_demo(&[]);
    let listeners: Vec<Listener> = (0..64).map(|_| Listener::new(&server, "/api/v1/stream")).collect();
    assert_eq!(server.ask("GET", "/api/v1/stream", &[], "").status, 429);
    assert_eq!(server.get("/api/v1/health").status, 200);
    drop(listeners);
    server.post("/api/v1/findings/F2/triage", &json!({ "verb": "acknowledge" })).well();
    super::until("a place is free again", || {
        let mut stream = server.connect();
        write!(stream, "GET /api/v1/stream HTTP/1.1\r\nHost: {}\r\n\r\n", server.addr).unwrap();
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).unwrap();
        line.contains("200").then_some(())
    });
}
