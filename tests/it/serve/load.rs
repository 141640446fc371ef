//! Many at once, slow ones, and bodies without end.

use super::serve_demo;
use std::io::{Read, Write};
use std::time::{Duration, Instant};

#[test]
fn two_hundred_at_once_are_answered_and_none_fails() {
    let server = serve_demo(&[]);
    let statuses: Vec<(u16, u16)> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..200)
            .map(|n| {
                let server = &server;
                scope.spawn(move || {
                    let page = server.get(["/", "/flows", "/api/v1/flows?sort=-ts", "/api/v1/findings", "/hosts"][n % 5]);
                    (page.status, server.sql("SELECT count(*) FROM flows").status)
                })
            })
            .collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert!(statuses.iter().all(|(page, _)| matches!(page, 200 | 429)), "{statuses:?}");
    assert!(statuses.iter().all(|(_, sql)| matches!(sql, 200 | 408 | 429)), "{statuses:?}");
    let answered = statuses.iter().filter(|(page, _)| *page == 200).count();
    assert!(answered >= 150, "{answered} of 200");
    assert!(statuses.iter().any(|(_, sql)| *sql == 200));
    assert_eq!(server.get("/api/v1/health").status, 200);
}

#[test]
fn clients_that_dawdle_hinder_nobody() {
    let server = serve_demo(&[]);
    let mut slow: Vec<_> = (0..100)
        .map(|n| {
            let mut stream = server.connect();
            // A third each: nothing, half a head, half a body.
            let parts = [
                "",
                "GET /api/v1/case HTTP/1.1\r\nHost:",
                "POST /api/v1/sql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{",
            ];
            stream.write_all(parts[n % 3].as_bytes()).unwrap();
            stream
        })
        .collect();
    let began = Instant::now();
    assert_eq!(server.get("/api/v1/health").status, 200);
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    // Half a head is not waited for: the server closes, with or without a word.
    let mut half = slow.swap_remove(1);
    half.set_read_timeout(Some(Duration::from_secs(40))).unwrap();
    let mut said = Vec::new();
    assert!(half.read_to_end(&mut said).is_ok(), "the connection was closed in time");
}

#[test]
fn a_body_without_end_is_refused() {
    let server = serve_demo(&[]);
    let mut stream = server.connect();
    stream
        .write_all(b"POST /api/v1/sql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
        .unwrap();
    let chunk = format!("1000\r\n{}\r\n", " ".repeat(4096));
    let mut sent = 0;
    while sent < 64 << 20 && stream.write_all(chunk.as_bytes()).is_ok() {
        sent += 4096;
    }
    assert!(sent < 64 << 20, "all of it was taken");
    assert_eq!(server.get("/api/v1/health").status, 200);
    let long =
        server.ask("POST", "/api/v1/sql", &[("Content-Type", "application/json")], &format!("{{\"query\": \"{}\"}}", "x".repeat(1 << 20)));
    assert!(matches!(long.status, 413 | 0), "{long:?}");
    let head = format!("GET / HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n", "x".repeat(1 << 20));
    assert!(matches!(server.raw(head.as_bytes()).status, 431 | 400 | 0));
    assert_eq!(server.get("/api/v1/health").status, 200);
}
