//! The case belongs to whoever has it: stock DuckDB opens it, and the questions of `queries/README.md` all run.

use crate::desk::{Desk, Said, demo};
use crate::python::{DUCKDB, python};
use crate::root;
use std::process::Command;

/// Opens the case as any client would, read-only and without extensions; prints rows per table, what the views give, and one comment.
const STOCK: &str = r#"
import json, sys, duckdb
folder = sys.argv[1]
db = duckdb.connect(f"{folder}/case.duckdb", read_only=True, config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"})
names = [name for (name,) in db.execute("SELECT table_name FROM duckdb_tables() WHERE NOT internal ORDER BY 1").fetchall()]
views = [name for (name,) in db.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal ORDER BY 1").fetchall()]
count = lambda name: db.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]
print(json.dumps({
    "version": duckdb.__version__,
    "tables": {name: count(name) for name in names},
    "views": {name: count(name) for name in views},
    "packets": db.execute(f"SELECT count(*), max(frame) FROM read_parquet('{folder}/packets.parquet')").fetchone(),
    "uncommented": db.execute("SELECT count(*) FROM duckdb_columns() c JOIN duckdb_tables() t USING (table_oid) WHERE NOT c.internal AND c.comment IS NULL").fetchone()[0],
    "odd_types": db.execute("SELECT DISTINCT data_type FROM duckdb_columns() WHERE NOT internal AND regexp_matches(data_type, 'TIME ZONE|INET|GEOMETRY')").fetchall(),
}))
"#;

#[test]
fn a_stock_client_of_the_same_release_opens_the_case() {
    let Some(python) = python("duckdb", &[DUCKDB]) else { return };
    let case = demo();
    let said = Said::of({
        let mut command = Command::new(python);
        command.args(["-c", STOCK]).arg(case);
        command
    });
    assert!(said.code == 0, "{said:?}");
    let seen = said.json();
    assert!(DUCKDB.ends_with(seen["version"].as_str().unwrap()) || std::env::var_os("VIGIL_TEST_PYTHON").is_some(), "{seen}");
    let desk = Desk::new();
    let case = case.to_string_lossy();
    for (table, rows) in seen["tables"].as_object().unwrap() {
        let ours = desk.sql(&case, &format!("SELECT count(*) AS n FROM \"{table}\""));
        assert_eq!(&ours[0]["n"], rows, "{table}");
    }
    assert!(seen["tables"]["flows"].as_u64() > Some(100) && seen["tables"]["findings"].as_u64() > Some(3), "{seen}");
    assert!(seen["views"]["conn"] == seen["tables"]["flows"] && seen["views"]["alerts"] == seen["tables"]["findings"], "{seen}");
    let frames = &desk.sql(&case, "SELECT sum(frames)::BIGINT AS n FROM captures")[0]["n"];
    assert_eq!((&seen["packets"][0], &seen["packets"][1]), (frames, frames), "the packet index holds every frame");
    assert_eq!(seen["uncommented"], 0, "every column says what it means");
    assert_eq!(seen["odd_types"], serde_json::json!([]), "types that need an extension");
}

/// Statements in fenced `sql` blocks.
fn examples(markdown: &str) -> Vec<String> {
    markdown.split("```sql\n").skip(1).map(|block| block.split("```").next().unwrap_or_default().to_string()).collect()
}

#[test]
fn every_example_query_runs_and_most_have_an_answer() {
    let readme = std::fs::read_to_string(root().join("queries/README.md")).expect("queries/README.md is there");
    let examples = examples(&readme);
    assert!(examples.len() >= 10, "{} examples", examples.len());
    let desk = Desk::new();
    let case = demo().to_string_lossy();
    let answers: Vec<usize> = examples.iter().map(|query| desk.sql(&case, query).len()).collect();
    let silent = answers.iter().filter(|rows| **rows == 0).count();
    assert!(silent <= 1, "an attack in an office should answer nearly all of them; rows: {answers:?}");
}

#[test]
fn tables_named_in_the_documentation_are_the_tables_of_a_case() {
    let documented = std::fs::read_to_string(root().join("docs/schema.md")).expect("docs/schema.md is there");
    let mut documented: Vec<&str> = documented.lines().filter_map(|line| line.strip_prefix("## `")?.strip_suffix('`')).collect();
    let desk = Desk::new();
    let rows = desk.sql(&demo().to_string_lossy(), "SELECT table_name AS name FROM duckdb_tables() WHERE NOT internal ORDER BY 1");
    documented.sort_unstable();
    let there: Vec<&str> = rows.iter().filter_map(|row| row["name"].as_str()).collect();
    assert_eq!(there, documented);
}
