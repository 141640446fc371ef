//! Reading a live case: its sealed segments, and the open one unless a live capture has it. The process that captures sees that one as well.

use super::super::case::{Case, put};
use super::super::{OpenCase, Options, Result, StoreError, schema};
use super::views::{self, Bounds};
use super::{Segment, findings, numbers, quoted, segment, together};
use crate::store::schema::judgement;
use duckdb::Connection;
use std::collections::{BTreeMap, BTreeSet};
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
        conn.execute_batch(&views::over_in(&look, &open, &facts, Bounds::default()).concat()).map_err(failed())?;
        conn.execute_batch(&schema::ddl_of(|name| ["hosts", "host_role", CLAIMS].contains(&name))).map_err(failed())?;
        let deriving = Case::segment(&self.folder, &self.options, conn);
        deriving.derive()?;
        let conn = deriving.connection();
        let rename = format!(
            "ALTER TABLE hosts RENAME TO open_hosts; ALTER TABLE host_role RENAME TO open_role; ALTER TABLE {CLAIMS} RENAME TO open_claims"
        );
        conn.execute_batch(&rename).map_err(failed())?;
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
            } else if views::tables_in(conn, &name)?.iter().any(|table| table == "flows") {
                open.push(segment);
            }
        }
        sealed.sort_by_key(|segment| segment.number);
        open.sort_by_key(|segment| segment.number);
        Ok((sealed, open))
    }
}

/// Segments that an earlier version wrote have none.
const CLAIMS: &str = "host_claims";

/// How often the segments are listed anew because one of them went while they were opened.
const TRIES: usize = 20;

/// Opens all segments that nobody writes to on `conn`, an in-memory database, and shows them as one case. Tells how many they are.
pub fn open(conn: &Connection, folder: &Path) -> Result<usize> {
    let segments = attach_all(conn, folder)?;
    show(conn, folder, "memory", &segments, &segments, None)?;
    Ok(segments.len())
}

/// Makes views over segments, in the catalog `home`, which is the one in use. `open` has the hosts of segments that are not sealed yet.
fn show(conn: &Connection, folder: &Path, home: &str, segments: &[Segment], sealed: &[Segment], open: Option<&str>) -> Result<()> {
    let failed = || StoreError::database("opening the live case");
    let own = |name: &str| schema::JUDGEMENTS.contains(&name) && !["hosts", "host_role", CLAIMS, "rules", views::ANOMALIES].contains(&name);
    if segments.is_empty() {
        let keyed: String = schema::tables()
            .iter()
            .map(|table| format!("CREATE VIEW {KEYED}.{0} AS SELECT *, rowid AS _key FROM main.{0};", table.name))
            .collect();
        return conn.execute_batch(&format!("{}\n{}\nCREATE SCHEMA {KEYED};{keyed}", schema::ddl(), schema::VIEWS)).map_err(failed());
    }
    // Those of this version, and those that another one wrote.
    let own_facts = views::facts(false).into_iter().chain([views::ANOMALIES]).map(str::to_string);
    let tables = own_facts.chain(segments.iter().flat_map(|segment| segment.rows.keys().cloned()));
    let tables: BTreeSet<String> = tables.filter(|table| views::is_fact(table)).collect();
    let tables: Vec<String> = tables.into_iter().collect();
    conn.execute_batch(&views::over_in(home, segments, &tables, Bounds::default()).concat()).map_err(failed())?;
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
    const VIEWS: [&str; 4] = ["hosts", "host_role", CLAIMS, "rules"];
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
            () if !views::is_fact(name) => format!("SELECT *, rowid AS _key FROM main.{name}"),
            () if parts.is_empty() => format!("SELECT *, 0::BIGINT AS _key FROM main.{name}"),
            () => parts.join(" UNION ALL BY NAME "),
        };
        sql += &format!("CREATE VIEW {KEYED}.{name} AS {from};\n");
    }
    sql
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
fn derived(conn: &Connection, segments: &[Segment], open: Option<&str>) -> Result<String> {
    let catalogs: Vec<String> = segments.iter().map(Segment::catalog).collect();
    let all = |table: &str, of_open: &str| {
        let parts = catalogs.iter().map(|catalog| together::of(catalog, table));
        let parts: Vec<String> = parts.chain(open.map(|open| together::of(open, of_open))).collect();
        parts.join(together::AND)
    };
    let mut rules = schema::ddl_of(|name| name == "rules");
    for catalog in catalogs.iter().rev() {
        let sql = format!("SELECT count(*) > 0 FROM {catalog}.main.rules");
        if conn.query_row(&sql, [], |row| row.get::<_, bool>(0)).map_err(StoreError::database("reading the rules"))? {
            rules = format!("CREATE VIEW rules AS FROM {catalog}.main.rules;");
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
    let mut claims = Vec::new();
    for catalog in &catalogs {
        if views::tables_in(conn, catalog)?.iter().any(|table| table == CLAIMS) {
            claims.push(together::of(catalog, CLAIMS));
        }
    }
    claims.extend(open.map(|open| together::of(open, "open_claims")));
    let claims = match claims.as_slice() {
        [] => schema::ddl_of(|name| name == CLAIMS),
        claims => format!("CREATE VIEW {CLAIMS} AS {};", together::host_claims(&claims.join(together::AND))),
    };
    Ok(format!(
        "{known}CREATE VIEW hosts AS {}; CREATE VIEW host_role AS {}; {claims} {rules}",
        together::hosts(&all("hosts", "open_hosts")),
        together::host_role(&all("host_role", "open_role")),
    ))
}
