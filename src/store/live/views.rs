//! Many segments as one case: for each table a view over all of them.

use super::super::{Result, StoreError, schema};
use super::{Marks, Segment};
use crate::model::Ts;
use duckdb::Connection;

/// Tables of facts in a catalog, sorted.
pub(super) fn facts(conn: &Connection, catalog: &str) -> Result<Vec<String>> {
    let failed = || StoreError::database("listing the tables of a segment");
    let sql = "SELECT table_name FROM duckdb_tables() WHERE database_name = ? AND NOT internal AND NOT temporary ORDER BY table_name";
    let mut statement = conn.prepare(sql).map_err(failed())?;
    let names = statement.query_map([catalog], |row| row.get::<_, String>(0)).map_err(failed())?;
    let names: Vec<String> = names.collect::<duckdb::Result<_>>().map_err(failed())?;
    Ok(names.into_iter().filter(|name| !schema::JUDGEMENTS.contains(&name.as_str())).collect())
}

/// What a look at the segments is restricted to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bounds<'a> {
    /// Rows from before are left out, where they have a time.
    pub since: Option<Ts>,
    /// Rows of the open segment from after are left out.
    pub marks: Option<&'a Marks>,
    /// A catalog with flows that are still open.
    pub open: Option<&'a str>,
}

/// The statements that make one view for each table of facts.
pub(super) fn over(segments: &[Segment], tables: &[String], bounds: Bounds<'_>) -> String {
    let known = schema::tables();
    let mut sql = String::new();
    for table in tables {
        let columns = known.iter().find(|known| known.name == table).map(|known| known.columns.as_slice()).unwrap_or_default();
        let has = |name: &str| columns.iter().any(|(column, ..)| column == name);
        let time = ["last_ts_ns", "ts_ns"].into_iter().find(|name| has(name) && (*name == "ts_ns" || table == "flows"));
        let mut parts: Vec<String> = segments.iter().map(|segment| part(segment, table, time, bounds)).collect();
        if let Some(open) = bounds.open.filter(|_| OPEN.contains(&table.as_str())) {
            parts.push(format!("SELECT * FROM {open}.main.{table}"));
        }
        sql += &format!("CREATE OR REPLACE VIEW memory.main.{table} AS {};\n", parts.join(" UNION ALL BY NAME "));
    }
    sql
}

/// Tables that flows have rows in while they are open.
pub(super) const OPEN: [&str; 3] = ["flows", "flow_shape", "payloads"];

fn part(segment: &Segment, table: &str, time: Option<&str>, bounds: Bounds<'_>) -> String {
    let mut wanted = Vec::new();
    if let Some(rows) = bounds.marks.filter(|marks| marks.segment == segment.number).and_then(|marks| marks.rows.get(table)) {
        wanted.push(format!("rowid < {rows}"));
    }
    if let (Some(since), Some(time)) = (bounds.since, time) {
        wanted.push(format!("{time} >= {since}"));
    }
    let filter = if wanted.is_empty() { String::new() } else { format!(" WHERE {}", wanted.join(" AND ")) };
    format!("SELECT * FROM {}.main.{table}{filter}", segment.catalog())
}
