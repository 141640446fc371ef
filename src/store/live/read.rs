//! Reading a live case: its sealed segments, and the open one unless a live capture has it. The process that captures sees that one as well.

use super::super::case::{Case, put};
use super::super::{OpenCase, Options, Result, StoreError, schema};
use super::views::{self, Bounds};
use super::{Segment, findings, numbers, quoted};
use crate::store::schema::judgement;
use duckdb::Connection;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

/// Shows a case to others while its own process writes it.
pub struct Reader {
    // A connection belongs to one thread at a time.
    hub: Mutex<Connection>,
    folder: PathBuf,
    options: Options,
    looks: AtomicU64,
}

impl Reader {
    pub(super) fn new(hub: Connection, folder: &Path, options: &Options) -> Self {
        Self { hub: Mutex::new(hub), folder: folder.into(), options: options.clone(), looks: AtomicU64::new(0) }
    }

    /// Where the case lies.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The case as it stands: what is committed in the segments at hand, and the findings. Flows that are open are not in it.
    pub fn look(&self) -> Result<OpenCase> {
        let failed = || StoreError::database("looking at the live case");
        let look = format!("look_{}", self.looks.fetch_add(1, Relaxed));
        let conn = super::another(&self.hub.lock().unwrap_or_else(PoisonError::into_inner))?;
        conn.execute_batch(&format!("ATTACH ':memory:' AS {look}; USE {look}")).map_err(failed())?;
        let case = OpenCase::looking(&self.folder, super::another(&conn)?, look.clone())?;
        let (sealed, open) = self.at_hand(&conn)?;
        // Hosts of what is not sealed yet are derived here; sealed segments have theirs.
        let facts = views::facts(false);
        conn.execute_batch(&format!("USE {look}")).map_err(failed())?;
        conn.execute_batch(&views::over_in(&look, &open, &facts, Bounds::default())).map_err(failed())?;
        conn.execute_batch(&schema::ddl_of(|name| ["hosts", "host_role"].contains(&name))).map_err(failed())?;
        let deriving = Case::segment(&self.folder, &self.options, conn);
        deriving.derive()?;
        let conn = deriving.connection();
        conn.execute_batch("ALTER TABLE hosts RENAME TO open_hosts; ALTER TABLE host_role RENAME TO open_role").map_err(failed())?;
        let segments: Vec<Segment> = sealed.iter().chain(&open).cloned().collect();
        show(conn, &self.folder, &look, &segments, &sealed, Some(&look))?;
        case.connection().execute_batch(&format!("USE {look}")).map_err(failed())?;
        Ok(case)
    }

    /// Segments that are open in this process, sealed ones apart.
    fn at_hand(&self, conn: &Connection) -> Result<(Vec<Segment>, Vec<Segment>)> {
        let failed = || StoreError::database("listing the segments");
        let sql = "SELECT database_name, readonly FROM duckdb_databases() WHERE database_name LIKE 'seg\\_%' ESCAPE '\\'";
        let mut statement = conn.prepare(sql).map_err(failed())?;
        let found = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?))).map_err(failed())?;
        let (mut sealed, mut open) = (Vec::new(), Vec::new());
        for (name, readonly) in found.collect::<duckdb::Result<Vec<_>>>().map_err(failed())? {
            let Some(number) = name.strip_prefix("seg_").and_then(|number| number.parse().ok()) else { continue };
            let mut segment = Segment::at(&self.folder, number);
            if readonly {
                segment.rows = views::rows(conn, &name, &views::facts_in(conn, &name)?)?;
                sealed.push(segment);
            } else if views::has(conn, &name, "flows")? {
                open.push(segment);
            }
        }
        sealed.sort_by_key(|segment| segment.number);
        open.sort_by_key(|segment| segment.number);
        Ok((sealed, open))
    }
}

/// Opens all segments that nobody writes to on `conn`, an in-memory database, and shows them as one case. Tells how many they are.
pub fn open(conn: &Connection, folder: &Path) -> Result<usize> {
    let mut segments = Vec::new();
    for number in numbers(folder)? {
        let mut segment = Segment::at(folder, number);
        if attach(conn, &mut segment)? {
            segments.push(segment);
        }
    }
    show(conn, folder, "memory", &segments, &segments, None)?;
    Ok(segments.len())
}

/// Makes views over segments, in the catalog `home`, which is the one in use. `open` has the hosts of segments that are not sealed yet.
fn show(conn: &Connection, folder: &Path, home: &str, segments: &[Segment], sealed: &[Segment], open: Option<&str>) -> Result<()> {
    let failed = || StoreError::database("opening the live case");
    let own = |name: &str| schema::JUDGEMENTS.contains(&name) && !["hosts", "host_role", "rules"].contains(&name);
    if segments.is_empty() {
        let keyed: String = schema::tables()
            .iter()
            .map(|table| format!("CREATE VIEW {KEYED}.{0} AS SELECT *, rowid AS _key FROM main.{0};", table.name))
            .collect();
        return conn.execute_batch(&format!("{}\n{}\nCREATE SCHEMA {KEYED};{keyed}", schema::ddl(), schema::VIEWS)).map_err(failed());
    }
    // Those of this version, and those that another one wrote.
    let own_facts = views::facts(false).into_iter().map(str::to_string);
    let tables: BTreeSet<String> = own_facts.chain(segments.iter().flat_map(|segment| segment.rows.keys().cloned())).collect();
    let tables: Vec<String> = tables.into_iter().collect();
    conn.execute_batch(&views::over_in(home, segments, &tables, Bounds::default())).map_err(failed())?;
    conn.execute_batch(&schema::ddl_of(own)).map_err(failed())?;
    conn.execute_batch(&derived(conn, sealed, open)?).map_err(failed())?;
    conn.execute_batch(schema::VIEWS).map_err(failed())?;
    let findings = findings::read(folder)?;
    put(conn, "findings", &judgement::findings(), &findings)?;
    let flows: Vec<judgement::FindingFlow<'_>> = findings.iter().flat_map(judgement::FindingFlow::of).collect();
    put(conn, "finding_flows", &judgement::finding_flows(), &flows)?;
    conn.execute_batch(&keyed(segments)).map_err(failed())
}

/// Schema in which each table of a live case has a further column, `_key`: the place of a row among all rows. Views have no `rowid`.
pub const KEYED: &str = "keyed";

fn keyed(segments: &[Segment]) -> String {
    const VIEWS: [&str; 3] = ["hosts", "host_role", "rules"];
    let mut sql = format!("CREATE SCHEMA {KEYED};\n");
    for table in schema::tables() {
        let name = table.name;
        let full = |segment: &&Segment| segment.rows.is_empty() || segment.rows.get(name).is_some_and(|rows| *rows > 0);
        let of = |segment: &Segment| {
            format!("SELECT *, {}::BIGINT * (1::BIGINT << 36) + rowid AS _key FROM {}.main.{name}", segment.number, segment.catalog())
        };
        let parts: Vec<String> = segments.iter().filter(full).map(of).collect();
        let from = match () {
            () if VIEWS.contains(&name) => format!("SELECT *, row_number() OVER () AS _key FROM main.{name}"),
            () if schema::JUDGEMENTS.contains(&name) => format!("SELECT *, rowid AS _key FROM main.{name}"),
            () if parts.is_empty() => format!("SELECT *, 0::BIGINT AS _key FROM main.{name}"),
            () => parts.join(" UNION ALL BY NAME "),
        };
        sql += &format!("CREATE VIEW {KEYED}.{name} AS {from};\n");
    }
    sql
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
fn derived(conn: &Connection, segments: &[Segment], open: Option<&str>) -> Result<String> {
    let all = |table: &str, of_open: &str| {
        let parts = segments.iter().map(|segment| format!("SELECT * FROM {}.main.{table}", segment.catalog()));
        let parts: Vec<String> = parts.chain(open.map(|open| format!("SELECT * FROM {open}.main.{of_open}"))).collect();
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
    let rules = match ruled {
        Some(segment) => format!("CREATE VIEW rules AS FROM {}.main.rules;", segment.catalog()),
        None => schema::ddl_of(|name| name == "rules"),
    };
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
         {rules}",
        all("hosts", "open_hosts"),
        all("host_role", "open_role"),
    ))
}
