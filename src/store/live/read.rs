//! Reading a live case: its sealed segments, and the open one unless a live capture has it.

use super::super::case::put;
use super::super::{Result, StoreError, schema};
use super::views::{self, Bounds};
use super::{Segment, findings, numbers, quoted, segment, together};
use crate::store::schema::judgement;
use duckdb::Connection;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What is unusual is said of each segment when it is sealed, and stands there.
const ANOMALIES: &str = "anomalies";
/// How often the segments are listed anew because one of them went while they were opened.
const TRIES: usize = 20;

/// Opens all segments that nobody writes to on `conn`, an in-memory database, and shows them as one case.
pub fn open(conn: &Connection, folder: &Path) -> Result<()> {
    let failed = || StoreError::database("opening the live case");
    let segments = attach_all(conn, folder)?;
    let own = |name: &str| schema::JUDGEMENTS.contains(&name) && !["hosts", "host_role", "rules", ANOMALIES].contains(&name);
    if segments.is_empty() {
        return conn.execute_batch(&format!("{}\n{}", schema::ddl(), schema::VIEWS)).map_err(failed());
    }
    // Those of this version, and those that another one wrote.
    let own_facts = views::facts(false).into_iter().chain([ANOMALIES]).map(str::to_string);
    let tables = own_facts.chain(segments.iter().flat_map(|segment| segment.rows.keys().cloned()));
    let tables: BTreeSet<String> = tables.filter(|table| table == ANOMALIES || views::is_fact(table)).collect();
    let tables: Vec<String> = tables.into_iter().collect();
    conn.execute_batch(&views::over(&segments, &tables, Bounds::default()).concat()).map_err(failed())?;
    conn.execute_batch(&schema::ddl_of(own)).map_err(failed())?;
    conn.execute_batch(&derived(conn, &segments)?).map_err(failed())?;
    conn.execute_batch(schema::VIEWS).map_err(failed())?;
    let findings = findings::read(folder)?;
    put(conn, "findings", &judgement::findings(), &findings)?;
    let flows: Vec<judgement::FindingFlow<'_>> = findings.iter().flat_map(judgement::FindingFlow::of).collect();
    put(conn, "finding_flows", &judgement::finding_flows(), &flows)
}

/// Opens the segments, in order of time. The live capture merges segments and deletes old ones: where one goes meanwhile, its rows may be in
/// one that was not there when the list was made.
fn attach_all(conn: &Connection, folder: &Path) -> Result<Vec<Segment>> {
    for last_try in (0..TRIES).map(|number| number + 1 == TRIES) {
        let (mut segments, mut gone) = (Vec::new(), false);
        for number in numbers(folder)? {
            let mut segment = Segment::at(folder, number);
            match attach(conn, &segment)? {
                Found::Open => {
                    segment::read_seal(conn, &mut segment)?;
                    segments.push(segment);
                }
                Found::Busy => {}
                Found::Gone => gone = true,
            }
        }
        if !gone || last_try {
            return only_needed(conn, segments);
        }
        segments.iter().try_for_each(|segment| segment::detach(conn, segment))?;
    }
    Ok(Vec::new())
}

/// Leaves out segments whose rows are in another, and those without tables; notes how many rows the others have.
fn only_needed(conn: &Connection, segments: Vec<Segment>) -> Result<Vec<Segment>> {
    let failed = || StoreError::database("listing the tables of the segments");
    // Of a file that nobody writes to these numbers are exact enough to know which tables are empty.
    let sql = "SELECT database_name, table_name, estimated_size FROM duckdb_tables() WHERE NOT internal AND NOT temporary";
    let mut statement = conn.prepare(sql).map_err(failed())?;
    let found = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, i64>(2)?.unsigned_abs()))).map_err(failed())?;
    let mut tables: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    for found in found {
        let (catalog, table, rows): (String, String, u64) = found.map_err(failed())?;
        tables.entry(catalog).or_default().insert(table, rows);
    }
    let whole = segments.clone();
    let mut needed = Vec::new();
    for mut segment in segments {
        segment.rows = tables.remove(&segment.catalog()).unwrap_or_default();
        if segment.rows.contains_key("flows") && !whole.iter().any(|other| other.replaces(&segment)) {
            needed.push(segment);
        } else {
            segment::detach(conn, &segment)?;
        }
    }
    Ok(needed)
}

/// What became of an attempt to open a segment.
enum Found {
    Open,
    /// It is being written to, or was left behind half made.
    Busy,
    /// It is no longer there.
    Gone,
}

fn attach(conn: &Connection, segment: &Segment) -> Result<Found> {
    let attached = conn.execute_batch(&format!("ATTACH {} AS {} (READ_ONLY)", quoted(&segment.path), segment.catalog()));
    match attached {
        Ok(()) => Ok(Found::Open),
        Err(_) if !segment.path.exists() => Ok(Found::Gone),
        Err(error) if error.to_string().contains("lock") || segment::is_empty(&segment.path) => Ok(Found::Busy),
        Err(source) => Err(StoreError::Database { doing: format!("opening '{}'", segment.path.display()), source }),
    }
}

/// Hosts and roles of all segments together, what was known from outside, and the rules as they were last.
fn derived(conn: &Connection, segments: &[Segment]) -> Result<String> {
    let catalogs: Vec<String> = segments.iter().map(Segment::catalog).collect();
    let all = |table: &str| together::all(catalogs.iter().map(String::as_str), table);
    let mut rules = catalogs.last().cloned().unwrap_or_default();
    for catalog in catalogs.iter().rev() {
        let sql = format!("SELECT count(*) > 0 FROM {catalog}.main.rules");
        if conn.query_row(&sql, [], |row| row.get::<_, bool>(0)).map_err(StoreError::database("reading the rules"))? {
            rules.clone_from(catalog);
            break;
        }
    }
    let mut known = String::new();
    for table in ["indicators", "places"] {
        let holders = segments.iter().filter(|segment| segment.rows.contains_key(table)).map(Segment::catalog);
        let holders: Vec<String> = holders.collect();
        if !holders.is_empty() {
            let all = together::all(holders.iter().map(String::as_str), table);
            known += &format!("INSERT INTO {table} BY NAME {};\n", together::known(&all));
        }
    }
    Ok(format!(
        "{known}CREATE VIEW hosts AS {}; CREATE VIEW host_role AS {}; CREATE VIEW rules AS FROM {rules}.main.rules;",
        together::hosts(&all("hosts")),
        together::host_role(&all("host_role")),
    ))
}
