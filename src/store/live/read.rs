//! Reading a live case: its sealed segments, and the open one unless a live capture has it.

use super::super::case::put;
use super::super::{Result, StoreError, schema};
use super::views::{self, Bounds};
use super::{Segment, findings, numbers, quoted};
use crate::store::schema::judgement;
use duckdb::Connection;
use std::collections::BTreeSet;
use std::path::Path;

/// Opens all segments that nobody writes to on `conn`, an in-memory database, and shows them as one case.
pub fn open(conn: &Connection, folder: &Path) -> Result<()> {
    let failed = || StoreError::database("opening the live case");
    let mut segments = Vec::new();
    for number in numbers(folder)? {
        let mut segment = Segment::at(folder, number);
        if attach(conn, &mut segment)? {
            segments.push(segment);
        }
    }
    let own = |name: &str| schema::JUDGEMENTS.contains(&name) && !["hosts", "host_role", "rules"].contains(&name);
    if segments.is_empty() {
        return conn.execute_batch(&format!("{}\n{}", schema::ddl(), schema::VIEWS)).map_err(failed());
    }
    // Those of this version, and those that another one wrote.
    let own_facts = views::facts(false).into_iter().map(str::to_string);
    let tables: BTreeSet<String> = own_facts.chain(segments.iter().flat_map(|segment| segment.rows.keys().cloned())).collect();
    let tables: Vec<String> = tables.into_iter().collect();
    conn.execute_batch(&views::over(&segments, &tables, Bounds::default())).map_err(failed())?;
    conn.execute_batch(&schema::ddl_of(own)).map_err(failed())?;
    conn.execute_batch(&derived(conn, &segments)?).map_err(failed())?;
    conn.execute_batch(schema::VIEWS).map_err(failed())?;
    let findings = findings::read(folder)?;
    put(conn, "findings", &judgement::findings(), &findings)?;
    let flows: Vec<judgement::FindingFlow<'_>> = findings.iter().flat_map(judgement::FindingFlow::of).collect();
    put(conn, "finding_flows", &judgement::finding_flows(), &flows)
}

/// Opens a segment; `false` where it is not sealed, being written to or left behind half made.
fn attach(conn: &Connection, segment: &mut Segment) -> Result<bool> {
    let catalog = segment.catalog();
    let attached = conn.execute_batch(&format!("ATTACH {} AS {catalog} (READ_ONLY)", quoted(&segment.path)));
    match attached {
        Ok(()) => {}
        Err(error) if error.to_string().contains("lock") || super::segment::is_empty(&segment.path) => return Ok(false),
        Err(source) => return Err(StoreError::Database { doing: format!("opening '{}'", segment.path.display()), source }),
    }
    let tables = views::facts_in(conn, &catalog)?;
    if !tables.iter().any(|table| table == "flows") {
        return Ok(false);
    }
    segment.rows = views::rows(conn, &catalog, &tables)?;
    Ok(true)
}

/// Hosts and roles of all segments together, what was known from outside, and the rules as they were last.
fn derived(conn: &Connection, segments: &[Segment]) -> Result<String> {
    let all = |table: &str| {
        let parts: Vec<String> = segments.iter().map(|segment| format!("SELECT * FROM {}.main.{table}", segment.catalog())).collect();
        parts.join(" UNION ALL BY NAME ")
    };
    let mut ruled = segments.last();
    for segment in segments.iter().rev() {
        let sql = format!("SELECT count(*) > 0 FROM {}.main.rules", segment.catalog());
        if conn.query_row(&sql, [], |row| row.get::<_, bool>(0)).map_err(StoreError::database("reading the rules"))? {
            ruled = Some(segment);
            break;
        }
    }
    let rules = ruled.map(Segment::catalog).unwrap_or_default();
    let mut known = String::new();
    for table in ["indicators", "places"] {
        let holders =
            segments.iter().map(|segment| Ok((segment, views::has(conn, &segment.catalog(), table)?))).collect::<Result<Vec<_>>>()?;
        let parts: Vec<String> = holders
            .iter()
            .filter(|(_, has)| *has)
            .map(|(segment, _)| format!("SELECT * FROM {}.main.{table}", segment.catalog()))
            .collect();
        if !parts.is_empty() {
            known += &format!("INSERT INTO {table} BY NAME SELECT DISTINCT * FROM ({}) ORDER BY ALL;\n", parts.join(" UNION ALL BY NAME "));
        }
    }
    Ok(format!(
        "{known}CREATE VIEW hosts AS
            SELECT ip, bool_or(internal) AS internal, min(first_ts) AS first_ts, min(first_ts_ns) AS first_ts_ns, max(last_ts) AS last_ts,
                max(last_ts_ns) AS last_ts_ns, sum(flows)::BIGINT AS flows, sum(bytes_out)::BIGINT AS bytes_out,
                sum(bytes_in)::BIGINT AS bytes_in, list_sort(list_distinct(flatten(list(macs)))) AS macs,
                list_sort(list_distinct(flatten(list(names))))[:5] AS names
            FROM ({}) GROUP BY ip ORDER BY ip;
         CREATE VIEW host_role AS SELECT ip, role, min(why) AS why FROM ({}) GROUP BY ip, role ORDER BY ip, role;
         CREATE VIEW rules AS FROM {rules}.main.rules;",
        all("hosts"),
        all("host_role"),
    ))
}
