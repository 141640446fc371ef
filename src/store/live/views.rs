//! Many segments as one case: for each table a view over all of them.

use super::super::column::Kind;
use super::super::{Result, StoreError, packets, schema};
use super::{Marks, Segment};
use crate::model::Ts;
use duckdb::Connection;
use std::collections::BTreeMap;

/// The packet index of a live case: a table of each segment, where there is evidence to find frames in.
pub(super) const PACKETS: &str = "packets";

/// Tables of facts that this vigil writes.
pub(super) fn facts(packets: bool) -> Vec<&'static str> {
    let own = schema::tables().into_iter().map(|table| table.name).filter(|name| !schema::JUDGEMENTS.contains(name));
    own.chain(packets.then_some(PACKETS)).collect()
}

/// Tables of facts that there are in a catalog, sorted.
pub(super) fn facts_in(conn: &Connection, catalog: &str) -> Result<Vec<String>> {
    let failed = || StoreError::database("listing the tables of a segment");
    let sql = "SELECT table_name FROM duckdb_tables() WHERE database_name = ? AND NOT internal AND NOT temporary ORDER BY table_name";
    let mut statement = conn.prepare(sql).map_err(failed())?;
    let names = statement.query_map([catalog], |row| row.get::<_, String>(0)).map_err(failed())?;
    let names: Vec<String> = names.collect::<duckdb::Result<_>>().map_err(failed())?;
    Ok(names.into_iter().filter(|name| !schema::JUDGEMENTS.contains(&name.as_str())).collect())
}

/// Whether a catalog has this table.
pub(super) fn has(conn: &Connection, catalog: &str, table: &str) -> Result<bool> {
    let sql = "SELECT count(*) > 0 FROM duckdb_tables() WHERE database_name = ? AND table_name = ?";
    conn.query_row(sql, [catalog, table], |row| row.get(0)).map_err(StoreError::database("looking for a table of a segment"))
}

/// Rows of each of these tables in a catalog.
pub(super) fn rows(conn: &Connection, catalog: &str, tables: &[impl AsRef<str>]) -> Result<BTreeMap<String, u64>> {
    let failed = || StoreError::database("counting rows");
    let count = |table: &str| format!("SELECT '{table}', count(*) FROM {catalog}.main.{table}");
    let counts: Vec<String> = tables.iter().map(|table| count(table.as_ref())).collect();
    let mut statement = conn.prepare(&counts.join(" UNION ALL ")).map_err(failed())?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?.unsigned_abs()))).map_err(failed())?;
    rows.collect::<duckdb::Result<_>>().map_err(failed())
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

/// The statements that make one view for each table of facts, over the segments that have rows in it: sealed ones have no other tables.
pub(super) fn over(segments: &[Segment], tables: &[impl AsRef<str>], bounds: Bounds<'_>) -> String {
    over_in("memory", segments, tables, bounds)
}

/// The same, the views standing in the catalog `home`.
pub(super) fn over_in(home: &str, segments: &[Segment], tables: &[impl AsRef<str>], bounds: Bounds<'_>) -> String {
    let known = schema::tables();
    let mut sql = String::new();
    for table in tables.iter().map(AsRef::as_ref) {
        let columns = known.iter().find(|known| known.name == table).map(|known| known.columns.as_slice()).unwrap_or_default();
        let has = |name: &str| columns.iter().any(|(column, ..)| column == name);
        let time = ["last_ts_ns", "ts_ns"].into_iter().find(|name| has(name) && (*name == "ts_ns" || table == "flows"));
        // Of the segment that is being written the rows are not known; it has all tables.
        let full = |segment: &&Segment| segment.rows.is_empty() || segment.rows.get(table).is_some_and(|rows| *rows > 0);
        let mut parts: Vec<String> = segments.iter().filter(full).map(|segment| part(segment, table, time, bounds)).collect();
        if let Some(open) = bounds.open.filter(|_| OPEN.contains(&table)) {
            parts.push(format!("SELECT * FROM {open}.main.{table}"));
        }
        if parts.is_empty() {
            parts.push(nothing(table, columns));
        }
        sql += &format!("CREATE OR REPLACE VIEW {home}.main.{table} AS {};\n", parts.join(" UNION ALL BY NAME "));
    }
    sql
}

/// A table of this form without rows.
fn nothing(table: &str, columns: &[(String, Kind, String)]) -> String {
    let packets = (table == PACKETS).then(packets::columns);
    let packets = packets.iter().flat_map(|columns| columns.0.iter().map(|column| (column.name.as_ref(), column.kind.sql())));
    let columns = columns.iter().map(|(name, kind, _)| (name.as_str(), kind.sql())).chain(packets);
    let columns: Vec<String> = columns.map(|(name, kind)| format!("NULL::{kind} AS \"{name}\"")).collect();
    format!("SELECT {} WHERE false", columns.join(", "))
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
