//! A case in the formats of others, opened by something that is not vigil.

use crate::desk::{Desk, Said, demo};
use crate::python::{DUCKDB, python};
use serde_json::Value;
use std::collections::BTreeSet;
use std::process::Command;

fn export(desk: &Desk, format: &str, out: &str) -> Said {
    desk.vigil(["export", &demo().to_string_lossy(), "--format", format, "-o", out, "--json"]).well()
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

#[test]
fn the_same_case_gives_the_same_bytes_and_nothing_is_written_over() {
    let desk = Desk::new();
    for format in ["stix", "navigator", "timesketch", "eve"] {
        export(&desk, format, &format!("{format}.1"));
        export(&desk, format, &format!("{format}.2"));
        assert_eq!(desk.read(&format!("{format}.1")), desk.read(&format!("{format}.2")), "{format}");
        let said = desk.vigil(["export", &demo().to_string_lossy(), "--format", format, "-o", &format!("{format}.1")]);
        assert_eq!((said.code, said.err.contains("stays as it is")), (2, true), "{said:?}");
    }
    let said = desk.vigil(["export", &demo().to_string_lossy(), "--format", "navigator", "-o", "-"]).well();
    assert_eq!(said.out, desk.read("navigator.1"));
    let said = desk.vigil(["export", &demo().to_string_lossy(), "--format", "parquet", "-o", "-"]);
    assert_eq!(said.code, 2, "{said:?}");
}

#[test]
fn a_stix_bundle_refers_to_nothing_that_is_not_in_it() {
    let desk = Desk::new();
    export(&desk, "stix", "case.json");
    let bundle: Value = serde_json::from_str(&desk.read("case.json")).unwrap();
    let objects = bundle["objects"].as_array().unwrap();
    let ids: BTreeSet<&str> = objects.iter().filter_map(|object| object["id"].as_str()).collect();
    assert_eq!(ids.len(), objects.len(), "ids are unique");
    for object in objects {
        assert_eq!(object["spec_version"], "2.1", "{object}");
        for (name, value) in object.as_object().unwrap() {
            let refs: Vec<&str> = match value {
                Value::String(one) if name.ends_with("_ref") => vec![one],
                Value::Array(many) if name.ends_with("_refs") => many.iter().filter_map(Value::as_str).collect(),
                _ => continue,
            };
            assert!(refs.iter().all(|one| ids.contains(one)), "{name} of {object}");
        }
    }
    for kind in
        ["identity", "attack-pattern", "observed-data", "sighting", "indicator", "relationship", "network-traffic", "ipv4-addr", "report"]
    {
        assert!(objects.iter().any(|object| object["type"] == kind), "no {kind}");
    }
}

/// Parses with the reference library, whose ids of observables must be ours, then validates against the schemas.
const STIX: &str = r#"
import json, sys, stix2, stix2validator
text = open(sys.argv[1]).read()
wrong = []
for given in json.loads(text)["objects"]:
    if given["type"] in ("ipv4-addr", "ipv6-addr", "mac-addr", "domain-name", "user-account", "file", "network-traffic"):
        bare = {name: value for name, value in given.items() if name != "id"}
        made = stix2.parse(bare, version="2.1", allow_custom=False)
        if made.id != given["id"]:
            wrong.append([given["type"], given["id"], made.id])
stix2.parse(text, allow_custom=False)
result = stix2validator.validate_string(text, stix2validator.ValidationOptions(version="2.1", strict=False))
print(json.dumps({"valid": result.is_valid, "errors": [str(e) for e in getattr(result, "errors", [])][:5], "ids": wrong[:5]}))
"#;

#[test]
fn the_reference_library_and_the_validator_accept_the_bundle() {
    // Of this release the package carries its schemas; the next one leaves them out.
    let Some(python) = python("stix", &["stix2==3.0.2", "stix2-validator==3.2.0"]) else { return };
    let desk = Desk::new();
    export(&desk, "stix", "case.json");
    let mut command = Command::new(python);
    command.args(["-c", STIX]).arg(desk.path("case.json"));
    let said = Said::of(command);
    assert_eq!(said.code, 0, "{said:?}");
    let seen = said.json();
    assert_eq!((seen["valid"].as_bool(), &seen["ids"]), (Some(true), &serde_json::json!([])), "{seen:#}");
}

#[test]
fn the_layer_follows_the_rules_of_the_navigator() {
    let desk = Desk::new();
    export(&desk, "navigator", "layer.json");
    let layer: Value = serde_json::from_str(&desk.read("layer.json")).unwrap();
    assert_eq!((layer["domain"].as_str(), layer["versions"]["layer"].as_str()), (Some("enterprise-attack"), Some("4.5")));
    let techniques = layer["techniques"].as_array().unwrap();
    let rows = desk.sql(&demo().to_string_lossy(), "SELECT DISTINCT unnest(attack) AS id FROM findings");
    assert_eq!(techniques.len(), rows.len());
    for technique in techniques {
        assert!(technique["techniqueID"].as_str().is_some_and(|id| id.starts_with('T')), "{technique}");
        assert!(technique["score"].as_i64().is_some_and(|score| (0..=100).contains(&score)), "{technique}");
        assert!(technique["enabled"].as_bool() == Some(true) && technique["comment"].is_string(), "{technique}");
    }
}

#[test]
fn timesketch_gets_its_three_fields_in_order_of_time() {
    let desk = Desk::new();
    export(&desk, "timesketch", "case.jsonl");
    let events = lines(&desk.read("case.jsonl"));
    assert!(events.len() > 5);
    for event in &events {
        assert!(event["message"].is_string() && event["timestamp_desc"].is_string(), "{event}");
        let time = chrono::DateTime::parse_from_rfc3339(event["datetime"].as_str().unwrap()).unwrap();
        assert_eq!(time.timestamp_micros(), event["timestamp"].as_i64().unwrap());
    }
    assert!(events.is_sorted_by_key(|event| event["timestamp"].as_i64()));
}

#[test]
fn eve_has_every_flow_and_every_finding_in_order_of_time() {
    let desk = Desk::new();
    export(&desk, "eve", "eve.json");
    let events = lines(&desk.read("eve.json"));
    let case = demo().to_string_lossy();
    let count = |kind: &str| events.iter().filter(|event| event["event_type"] == kind).count() as u64;
    let rows = |table: &str| desk.sql(&case, &format!("SELECT count(*) AS n FROM {table}"))[0]["n"].as_u64().unwrap();
    assert_eq!((count("flow"), count("alert")), (rows("flows"), rows("findings")));
    assert!(events.is_sorted_by_key(|event| event["timestamp"].as_str().map(str::to_owned)));
    for event in &events {
        let time = event["timestamp"].as_str().unwrap();
        assert!(chrono::DateTime::parse_from_str(time, "%Y-%m-%dT%H:%M:%S%.6f%z").is_ok(), "{time}");
        if event["event_type"] == "flow" {
            for field in ["flow_id", "src_ip", "dest_ip", "proto", "community_id"] {
                assert!(!event[field].is_null(), "{field} of {event}");
            }
            assert!(event["flow"]["pkts_toserver"].is_u64() && event["flow"]["state"].is_string(), "{event}");
        } else {
            let alert = &event["alert"];
            assert!(
                alert["signature_id"].is_u64() && alert["signature"].is_string() && (1..=4).contains(&alert["severity"].as_u64().unwrap()),
                "{event}"
            );
        }
    }
    assert!(events.iter().any(|event| event["flow"]["alerted"] == true));
}

const PARQUET: &str = r#"
import json, sys, glob, os, duckdb
rows = {}
for path in sorted(glob.glob(sys.argv[1] + "/*.parquet")):
    rows[os.path.basename(path)[:-8]] = duckdb.sql(f"SELECT count(*) FROM '{path}'").fetchone()[0]
print(json.dumps(rows))
"#;

#[test]
fn parquet_files_hold_the_rows_of_every_table() {
    let desk = Desk::new();
    export(&desk, "parquet", "tables");
    let case = demo().to_string_lossy();
    let tables = desk.sql(&case, "SELECT table_name AS name FROM duckdb_tables() WHERE NOT internal");
    for table in &tables {
        assert!(desk.path(&format!("tables/{}.parquet", table["name"].as_str().unwrap())).exists(), "{table}");
    }
    let Some(python) = python("duckdb", &[DUCKDB]) else { return };
    let mut command = Command::new(python);
    command.args(["-c", PARQUET]).arg(desk.path("tables"));
    let said = Said::of(command);
    assert_eq!(said.code, 0, "{said:?}");
    for (table, rows) in said.json().as_object().unwrap() {
        let from = if table == "findings" || table == "alerts" { format!("main.{table}") } else { table.clone() };
        assert_eq!(&desk.sql(&case, &format!("SELECT count(*) AS n FROM {from}"))[0]["n"], rows, "{table}");
    }
}
