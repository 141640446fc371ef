//! SQL that people send does what it may, and nothing else.

use super::serve_demo;
use serde_json::json;
use std::time::{Duration, Instant};

/// Ways out of the case, or into it.
const ESCAPES: &[&str] = &[
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM read_blob('manifest.json')",
    "SELECT * FROM glob('/*')",
    "SELECT * FROM sniff_csv('/etc/passwd')",
    "SELECT * FROM parquet_metadata('/etc/passwd')",
    "SELECT * FROM read_parquet('http://127.0.0.1:1/x.parquet')",
    "SELECT getenv('HOME')",
    "COPY (SELECT 1) TO '/tmp/out.csv'",
    "COPY (SELECT 1) TO 'packets.parquet' (FORMAT parquet, USE_TMP_FILE false)",
    "COPY flows TO 'x'",
    "EXPORT DATABASE '/tmp/out'",
    "ATTACH '/tmp/other.duckdb' AS other",
    "ATTACH ':memory:' AS other",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET enable_external_access = true",
    "SET lock_configuration = false",
    "SET memory_limit = '100GB'",
    "RESET ALL",
    "PRAGMA enable_profiling",
    "CREATE TABLE x (a INT)",
    "CREATE TEMP TABLE x AS SELECT 1",
    "INSERT INTO findings SELECT * FROM findings",
    "UPDATE findings SET severity = 'info'",
    "DELETE FROM findings",
    "DROP TABLE findings",
    "CHECKPOINT",
    "VACUUM",
    "CALL pragma_version()",
    "BEGIN TRANSACTION",
    "SELECT 1; SELECT 2",
    "SELECT 1; DROP TABLE findings",
    "SELECT 1) LIMIT 1; COPY (SELECT 1) TO '/tmp/out.csv'; SELECT * FROM (SELECT 1",
    "SELECT 1 UNION SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM query('COPY (SELECT 1) TO ''/tmp/out.csv''')",
    "WITH x AS (DELETE FROM findings RETURNING *) SELECT * FROM x",
    "EXPLAIN ANALYZE DELETE FROM findings",
    "SELECT * FROM which_secret('s3://x', 's3')",
    "",
    ";",
    "-- nothing",
    "SELECT * FROM no_such_table",
    "SELEKT 1",
    "SELECT ?",
    "SELECT $1",
    "\u{0}",
];

#[test]
fn no_statement_leaves_the_case_or_changes_it() {
    let server = serve_demo(&[]);
    let files =
        ["case.duckdb", "packets.parquet", "findings.ndjson", "manifest.json"].map(|name| server.desk.path("demo.vigil").join(name));
    let before = files.each_ref().map(|path| std::fs::read(path).unwrap());
    let listing = || {
        let mut names: Vec<_> =
            std::fs::read_dir(server.desk.path("demo.vigil")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let names = listing();
    for statement in ESCAPES {
        let answer = server.sql(statement);
        assert_eq!(answer.status, 400, "{statement:?}: {answer:?}");
        assert!(!answer.body.contains("root:"), "{statement:?}: {answer:?}");
    }
    assert!(files.each_ref().map(|path| std::fs::read(path).unwrap()) == before, "the case is as it was");
    assert_eq!(names, listing(), "nothing was written beside it");
    assert!(!std::path::Path::new("/tmp/out.csv").exists());
}

#[test]
fn statements_that_read_are_answered_with_names_and_values() {
    let server = serve_demo(&[]);
    let ask = |query: &str| server.sql(query).well().json();
    let answer = ask("-- the worst\nSELECT id, severity FROM findings ORDER BY risk DESC, id LIMIT 1; -- done");
    assert_eq!(
        (&answer["columns"], &answer["rows"], &answer["truncated"]),
        (&json!(["id", "severity"]), &json!([["F1", "critical"]]), &json!(false))
    );
    assert_eq!(ask("FROM range(3)")["rows"], json!([[0], [1], [2]]));
    assert_eq!(
        ask("WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT sum(n)::BIGINT AS s FROM t")["rows"],
        json!([[15]])
    );
    assert_eq!(ask("SELECT count(*) AS n FROM packets")["rows"][0][0], server.get("/api/v1/case").json()["frames"]);
    assert!(ask("DESCRIBE flows")["rows"].as_array().map(Vec::len) > Some(40));
    assert!(ask("SELECT 1 AS a WHERE false")["columns"] == json!(["a"]));
    let many = server.post("/api/v1/sql", &json!({ "query": "FROM range(100000)", "limit": 10 })).well().json();
    assert_eq!((many["rows"].as_array().map(Vec::len), &many["truncated"]), (Some(10), &json!(true)));
}

#[test]
fn statements_without_end_or_measure_are_ended_and_the_server_lives() {
    let server = serve_demo(&["--sql-timeout", "4"]);
    let greedy = [
        "SELECT count(*) FROM range(1000000000000)",
        "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t",
        "SELECT repeat('x', 3000000000)",
        "SELECT sum(length(repeat('x', 100000000))) FROM range(1000)",
        "SELECT * FROM flows a, flows b, flows c, flows d ORDER BY random()",
        "SELECT list(x) FROM range(1000000000) t(x)",
        "SELECT repeat('x', 1000000) FROM range(10000)",
    ];
    for statement in greedy {
        let began = Instant::now();
        let answer = server.sql(statement);
        assert!(
            matches!(answer.status, 200 | 400 | 408),
            "{statement}: {} {}",
            answer.status,
            answer.body.chars().take(300).collect::<String>()
        );
        assert!(answer.body.len() < 80 << 20, "{statement}: {} bytes", answer.body.len());
        assert!(began.elapsed() < Duration::from_secs(30), "{statement}");
        assert_eq!(server.sql("SELECT 1").status, 200, "after {statement}");
    }
    let long = format!("SELECT {}1", "1 + ".repeat(40_000));
    assert!(matches!(server.sql(&long).status, 400 | 413));
    let deep = format!("SELECT {}1{}", "(".repeat(20_000), ")".repeat(20_000));
    assert!(matches!(server.sql(&deep).status, 400 | 413));
    assert_eq!(server.sql("SELECT 1").status, 200);
}
