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
    Ok(tables_in(conn, catalog)?.into_iter().filter(|name| is_fact(name)).collect())
}

/// What is unusual is said of each segment when it is sealed, and stands there like facts.
pub(super) const ANOMALIES: &str = "anomalies";

/// Whether the rows of a table of segments stand one after the other.
pub(super) fn is_fact(table: &str) -> bool {
    table == ANOMALIES || (table != super::segment::SEALED && !schema::JUDGEMENTS.contains(&table))
}

/// All tables that there are in a catalog, sorted.
pub fn tables_in(conn: &Connection, catalog: &str) -> Result<Vec<String>> {
    let failed = || StoreError::database("listing the tables of a segment");
    let sql = "SELECT table_name FROM duckdb_tables() WHERE database_name = ? AND NOT internal AND NOT temporary ORDER BY table_name";
    let mut statement = conn.prepare(sql).map_err(failed())?;
    let names = statement.query_map([catalog], |row| row.get::<_, String>(0)).map_err(failed())?;
    names.collect::<duckdb::Result<_>>().map_err(failed())
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
    /// Rows that begin then or later are left out, where they have a time.
    pub until: Option<Ts>,
    /// Rows of the open segment from after are left out.
    pub marks: Option<&'a Marks>,
    /// A catalog with flows that are still open.
    pub open: Option<&'a str>,
}

/// For each table of facts the statement that makes a view over the segments that have rows in it: sealed ones have no other tables.
pub(super) fn over(segments: &[Segment], tables: &[impl AsRef<str>], bounds: Bounds<'_>) -> Vec<String> {
    over_in("memory", segments, tables, bounds)
}

/// The same, the views standing in the catalog `home`.
pub(super) fn over_in(home: &str, segments: &[Segment], tables: &[impl AsRef<str>], bounds: Bounds<'_>) -> Vec<String> {
    let known = schema::tables();
    let mut views = Vec::new();
    for table in tables.iter().map(AsRef::as_ref) {
        let columns = known.iter().find(|known| known.name == table).map(|known| known.columns.as_slice()).unwrap_or_default();
        let has = |name: &str| columns.iter().any(|(column, ..)| column == name);
        // A flow is seen until it ends; what is known of a host stays known.
        let times = match table {
            "flows" => Times { ends: Some("last_ts_ns"), begins: Some("ts_ns") },
            "host_claims" => Times { ends: None, begins: Some("first_ts_ns") },
            _ if has("ts_ns") => Times { ends: Some("ts_ns"), begins: Some("ts_ns") },
            _ => Times::default(),
        };
        // Of the segment that is being written the rows are not known; it has all tables.
        let full = |segment: &&Segment| segment.rows.is_empty() || segment.rows.get(table).is_some_and(|rows| *rows > 0);
        let mut parts: Vec<String> = segments.iter().filter(full).map(|segment| part(segment, table, times, bounds)).collect();
        if let Some(open) = bounds.open.filter(|_| OPEN.contains(&table)) {
            let filter = where_all(times.until(bounds).into_iter().collect());
            parts.push(format!("SELECT * FROM {open}.main.{table}{filter}"));
        }
        if parts.is_empty() {
            parts.push(nothing(table, columns));
        }
        views.push(format!("CREATE OR REPLACE VIEW {home}.main.{table} AS {};\n", parts.join(" UNION ALL BY NAME ")));
    }
    views
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

/// Columns of a table that say when what a row tells of ended, and when it began.
#[derive(Clone, Copy, Default)]
struct Times {
    ends: Option<&'static str>,
    begins: Option<&'static str>,
}

impl Times {
    fn since(self, bounds: Bounds<'_>) -> Option<String> {
        self.ends.zip(bounds.since).map(|(ends, since)| format!("{ends} >= {since}"))
    }

    fn until(self, bounds: Bounds<'_>) -> Option<String> {
        self.begins.zip(bounds.until).map(|(begins, until)| format!("{begins} < {until}"))
    }
}

fn part(segment: &Segment, table: &str, times: Times, bounds: Bounds<'_>) -> String {
    let mut wanted = Vec::new();
    if let Some(rows) = bounds.marks.filter(|marks| marks.segment == segment.number).and_then(|marks| marks.rows.get(table)) {
        wanted.push(format!("rowid < {rows}"));
    }
    wanted.extend(times.since(bounds));
    wanted.extend(times.until(bounds));
    format!("SELECT * FROM {}.main.{table}{}", segment.catalog(), where_all(wanted))
}

fn where_all(wanted: Vec<String>) -> String {
    if wanted.is_empty() { String::new() } else { format!(" WHERE {}", wanted.join(" AND ")) }
}
