//! The segment that is being written: rows wait in memory for at most a second or so, then they are committed.

use super::super::case::{Case, put};
use super::super::{Options, PacketRow, PacketsSummary, Result, RunRow, StatisticsRow, StoreError, SystemLog, packets, schema};
use super::views::{self, PACKETS};
use super::{Segment, quoted};
use crate::model::report::RuleRun;
use crate::model::{AppEvent, CaptureInfo, Damage, Flow, FlowProcess, Secrets};
use crate::store::schema::record;
use duckdb::Connection;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How many rows each table of the open segment has at one moment: what came later is not looked at.
#[derive(Clone, Debug, Default)]
pub struct Marks {
    /// The segment.
    pub segment: u64,
    /// Rows by table.
    pub rows: BTreeMap<String, u64>,
}

/// What is known of a segment beside its rows. It stands in tables of its own, which are replaced as a whole.
#[derive(Clone, Debug, Default)]
pub struct Books {
    /// Interfaces, files, or files of the ring, with what was counted since the segment began.
    pub captures: Vec<CaptureInfo>,
    /// Fates of frames.
    pub fates: Vec<PacketsSummary>,
    /// Traffic over time.
    pub traffic: Vec<StatisticsRow>,
    /// What vigil has to say about its own work.
    pub logs: Vec<SystemLog>,
    /// What makes the case.
    pub run: RunRow,
}

/// Writes to the open segment.
pub struct Writer {
    folder: PathBuf,
    options: Options,
    case: Case,
    segment: Segment,
    packets: Option<Vec<PacketRow>>,
    processes: Vec<FlowProcess>,
    damage: Vec<Damage>,
    secrets: Vec<Secrets>,
}

/// What a segment is given when it is sealed.
pub struct Sealing<'a> {
    /// What became of the rules.
    pub rules: &'a [RuleRun],
    /// Adds what is known from outside.
    pub known: &'a dyn Fn(&Case) -> Result<()>,
    /// Adds judgements without which it is sealed too, in a transaction of its own.
    pub judged: &'a mut dyn FnMut(&Case),
}

/// A segment has some fifty tables, most of them small: with blocks of the usual 256 kB an hour of silence would take 7 MB.
pub(super) const SMALL_BLOCKS: &str = "(BLOCK_SIZE 16384)";
/// The table that makes a segment a sealed one: which segments were merged into it.
pub(super) const SEALED: &str = "sealed";

/// Makes the tables of a segment in the catalog in use.
fn create(conn: &Connection, packets: bool) -> Result<()> {
    let failed = || StoreError::database("creating the tables of a segment");
    let mut sql = format!("BEGIN TRANSACTION;\n{}", schema::ddl_of(|_| true));
    if packets {
        let columns: Vec<String> = packets::columns().0.iter().map(|column| format!("\"{}\" {}", column.name, column.kind.sql())).collect();
        sql += &format!("\nCREATE TABLE {PACKETS} ({});", columns.join(", "));
    }
    conn.execute_batch(&sql).and_then(|()| conn.execute_batch("COMMIT")).map_err(failed())
}

fn attach(conn: &Connection, segment: &Segment, how: &str) -> Result<()> {
    let sql = format!("ATTACH {} AS {} {how}", quoted(&segment.path), segment.catalog());
    conn.execute_batch(&sql).map_err(StoreError::database(format!("opening the segment '{}'", segment.path.display())))
}

/// Opens a sealed segment.
pub(super) fn attach_sealed(conn: &Connection, segment: &Segment) -> Result<()> {
    let sql = format!("ATTACH {} AS {} (READ_ONLY)", quoted(&segment.path), segment.catalog());
    let failed = StoreError::database(format!("opening the segment '{}'", segment.path.display()));
    patiently(|| conn.execute_batch(&sql)).map_err(failed)
}

/// Lets go of a segment.
pub(super) fn detach(conn: &Connection, segment: &Segment) -> Result<()> {
    conn.execute_batch(&format!("DETACH {}", segment.catalog())).map_err(StoreError::database("letting go of a segment"))
}

fn enter(conn: &Connection, segment: &Segment) -> Result<()> {
    conn.execute_batch(&format!("USE {}", segment.catalog())).map_err(StoreError::database("turning to a segment"))
}

impl Writer {
    pub(super) fn begin(conn: Connection, folder: &Path, options: &Options, number: u64, packets: bool) -> Result<Self> {
        let segment = Segment::at(folder, number);
        attach(&conn, &segment, SMALL_BLOCKS)?;
        enter(&conn, &segment)?;
        create(&conn, packets)?;
        let case = Case::segment(folder, options, conn);
        let packets = packets.then(Vec::new);
        Ok(Self {
            folder: folder.into(),
            options: options.clone(),
            case,
            segment,
            packets,
            processes: Vec::new(),
            damage: Vec::new(),
            secrets: Vec::new(),
        })
    }

    /// The segment that is being written.
    pub fn segment(&self) -> &Segment {
        &self.segment
    }

    /// Takes finished flows and events, in order.
    pub fn append(&mut self, flows: Vec<Flow>, events: Vec<AppEvent>) {
        self.case.hold(flows, events);
    }

    /// Takes the next frames of the packet index, if there is one.
    pub fn append_packets(&mut self, rows: Vec<PacketRow>) {
        if let Some(packets) = &mut self.packets {
            packets.extend(rows);
        }
    }

    /// Takes programs of flows.
    pub fn append_processes(&mut self, rows: Vec<FlowProcess>) {
        self.processes.extend(rows);
    }

    /// Takes places of damage.
    pub fn append_damage(&mut self, rows: Vec<Damage>) {
        self.damage.extend(rows);
    }

    /// Takes secrets for decryption.
    pub fn append_secrets(&mut self, secrets: Vec<Secrets>) {
        self.secrets.extend(secrets);
    }

    /// Rows that wait.
    pub fn waiting(&self) -> usize {
        self.case.held() + self.packets.as_ref().map_or(0, Vec::len) + self.processes.len()
    }

    /// Writes what waits, and the books where given, in one transaction. When that fails the rows are gone: returns how many.
    pub fn commit(&mut self, books: Option<&Books>) -> std::result::Result<(), (u64, StoreError)> {
        let lost = self.waiting() as u64;
        let written = self.in_transaction(|writer| writer.write(books));
        written.map_err(|error| (lost, error))
    }

    fn in_transaction(&mut self, work: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        let failed = || StoreError::database("writing to a segment");
        self.case.connection().execute_batch("BEGIN TRANSACTION").map_err(failed())?;
        match work(self).and_then(|()| self.case.connection().execute_batch("COMMIT").map_err(failed())) {
            Ok(()) => Ok(()),
            Err(error) => {
                // What failed may have ended the transaction already.
                let _ = self.case.connection().execute_batch("ROLLBACK");
                self.forget();
                Err(error)
            }
        }
    }

    /// Lets go of rows that could not be written: kept, they would only fill the memory as well.
    fn forget(&mut self) {
        self.case.clear();
        self.packets.iter_mut().for_each(Vec::clear);
        self.processes.clear();
        self.damage.clear();
        self.secrets.clear();
    }

    fn write(&mut self, books: Option<&Books>) -> Result<()> {
        self.case.write_held()?;
        if let Some(rows) = self.packets.as_mut().map(std::mem::take) {
            put(self.case.connection(), PACKETS, &packets::columns(), &rows)?;
        }
        put(self.case.connection(), "flow_process", &record::flow_process(), &std::mem::take(&mut self.processes))?;
        self.case.append_damage(&std::mem::take(&mut self.damage))?;
        self.case.append_decryption_secrets(&std::mem::take(&mut self.secrets))?;
        books.map_or(Ok(()), |books| self.keep(books))
    }

    fn keep(&mut self, books: &Books) -> Result<()> {
        const REPLACED: [&str; 6] = ["captures", "capture_interfaces", "packets_summary", "statistics", "system_logs", "runs"];
        let sql: Vec<String> = REPLACED.iter().map(|table| format!("DELETE FROM {table}")).collect();
        self.case.connection().execute_batch(&sql.join(";")).map_err(StoreError::database("replacing what is known of a segment"))?;
        self.segment.first_ns = books.captures.iter().filter_map(|info| info.first_ts).min();
        self.segment.last_ns = books.captures.iter().filter_map(|info| info.last_ts).max();
        self.case.append_captures(&books.captures)?;
        self.case.append_packets_summary(&books.fates)?;
        self.case.append_statistics(&books.traffic)?;
        self.case.append_system_logs(&books.logs)?;
        self.case.append_run(books.run.clone())
    }

    /// How many rows each table has now.
    pub fn marks(&self) -> Result<Marks> {
        Ok(Marks { segment: self.segment.number, rows: self.rows()? })
    }

    fn rows(&self) -> Result<BTreeMap<String, u64>> {
        views::rows(self.case.connection(), &self.segment.catalog(), &views::facts(self.packets.is_some()))
    }

    /// Begins the next segment and returns the one before, which is left for [`super::Desk::seal`]. Where the next cannot be made, as on a
    /// full disk, this one goes on.
    pub fn rotate(&mut self) -> Result<Segment> {
        let next = Segment::at(&self.folder, self.segment.number + 1);
        let rows = self.rows()?;
        if let Err(error) = self.begin_next(&next) {
            let conn = self.case.connection();
            // Part of it may be done, and none of it has to be.
            let _ = conn.execute_batch("ROLLBACK");
            enter(conn, &self.segment)?;
            let _ = detach(conn, &next);
            super::remove(&next.path)?;
            return Err(error);
        }
        self.segment.rows = rows;
        Ok(std::mem::replace(&mut self.segment, next))
    }

    fn begin_next(&self, next: &Segment) -> Result<()> {
        let conn = self.case.connection();
        attach(conn, next, SMALL_BLOCKS)?;
        enter(conn, next)?;
        create(conn, self.packets.is_some())
    }

    /// Ends writing and returns the last segment.
    pub fn finish(mut self) -> Result<Segment> {
        self.segment.rows = self.rows()?;
        Ok(self.segment)
    }

    /// Size of the segment on disk, with what is not yet folded into it.
    pub fn bytes(&self) -> u64 {
        let size = |path: &Path| std::fs::metadata(path).map_or(0, |meta| meta.len());
        size(&self.segment.path) + size(&self.segment.path.with_extension("duckdb.wal"))
    }

    /// Bytes that rows may take on their way.
    pub fn options(&self) -> &Options {
        &self.options
    }
}

/// What every sealed segment has, rows or not: what makes it one.
const ALWAYS: [&str; 6] = ["flows", "captures", "hosts", "host_role", "host_claims", "rules"];

/// The statements that take away tables without rows. Most are, and a month has hundreds of segments: each table of each open file takes
/// memory, whoever looks.
fn without_empty(conn: &Connection, catalog: &str) -> Result<String> {
    let rows = views::rows(conn, catalog, &views::tables_in(conn, catalog)?)?;
    let empty = rows.iter().filter(|(name, rows)| **rows == 0 && !ALWAYS.contains(&name.as_str()));
    Ok(empty.map(|(name, _)| format!("DROP TABLE {catalog}.main.\"{name}\";")).collect())
}

/// The statement that makes the segment in a catalog a sealed one.
pub(super) fn seal_of(catalog: &str, segment: &Segment) -> String {
    let Segment { first, covers, .. } = segment;
    format!("CREATE TABLE {catalog}.main.{SEALED} AS SELECT {first}::BIGINT AS first_number, {covers}::BIGINT AS segments")
}

/// Reads from a sealed segment what was merged into it; `false` where it is not sealed.
pub(super) fn read_seal(conn: &Connection, segment: &mut Segment) -> Result<bool> {
    let catalog = segment.catalog();
    if !views::tables_in(conn, &catalog)?.iter().any(|table| table == SEALED) {
        return Ok(false);
    }
    let ask = format!("SELECT first_number, segments FROM {catalog}.main.{SEALED}");
    let number = |row: &duckdb::Row<'_>, at| row.get::<_, i64>(at).map(i64::unsigned_abs);
    let seal = conn.query_row(&ask, [], |row| Ok((number(row, 0)?, number(row, 1)?)));
    (segment.first, segment.covers) = seal.map_err(StoreError::database("reading what a segment covers"))?;
    Ok(true)
}

/// Derives hosts, notes the rules, drops tables without rows, folds the log into the file and lets others read it. The segment must no
/// longer be written to. What was broken off can be done again.
pub(super) fn seal(conn: Connection, folder: &Path, options: &Options, segment: &Segment, sealing: &mut Sealing<'_>) -> Result<()> {
    let failed = || StoreError::database(format!("sealing the segment '{}'", segment.path.display()));
    enter(&conn, segment)?;
    let case = Case::segment(folder, options, conn);
    let conn = case.connection();
    let catalog = segment.catalog();
    let judged = if read_seal(conn, &mut segment.clone())? { Ok(()) } else { judge(&case, segment, sealing) };
    if let Err(error) = judged {
        let _ = conn.execute_batch("ROLLBACK; USE memory");
        return Err(error);
    }
    patiently(|| conn.execute_batch(&format!("CHECKPOINT {catalog}"))).map_err(failed())?;
    conn.execute_batch(&format!("USE memory; DETACH {catalog}")).map_err(failed())?;
    attach_sealed(conn, segment)
}

/// Whoever reads the segment at this moment, which a server beside a capture does, holds it for as long as its question takes.
fn patiently(mut work: impl FnMut() -> duckdb::Result<()>) -> duckdb::Result<()> {
    const PATIENCE: Duration = Duration::from_secs(20);
    let began = Instant::now();
    loop {
        match work() {
            Err(error) if began.elapsed() < PATIENCE && is_held(&error) => std::thread::sleep(Duration::from_millis(20)),
            done => return done,
        }
    }
}

fn is_held(error: &duckdb::Error) -> bool {
    let said = error.to_string();
    ["Cannot CHECKPOINT", "already attached", "already exists"].iter().any(|held| said.contains(held))
}

/// All that makes a segment a sealed one. Broken off, it is not one, and all of it can be done again.
fn judge(case: &Case, segment: &Segment, sealing: &mut Sealing<'_>) -> Result<()> {
    const ANEW: [&str; 8] = ["hosts", "host_role", "host_claims", "rules", "indicators", "places", "anomalies", "scores"];
    let failed = || StoreError::database(format!("sealing the segment '{}'", segment.path.display()));
    let (conn, catalog) = (case.connection(), segment.catalog());
    let clear: Vec<String> = ANEW.iter().map(|table| format!("DELETE FROM {table};")).collect();
    conn.execute_batch(&format!("BEGIN TRANSACTION; {}", clear.concat())).map_err(failed())?;
    case.derive()?;
    (sealing.known)(case)?;
    case.append_rules(sealing.rules)?;
    conn.execute_batch("COMMIT").map_err(failed())?;
    (sealing.judged)(case);
    let drop = without_empty(conn, &catalog)?;
    conn.execute_batch(&format!("BEGIN TRANSACTION; {drop} {}; COMMIT", seal_of(&catalog, segment))).map_err(failed())
}

/// Seals what a crash left open; a segment that is sealed already is only opened.
pub(super) fn recover(conn: &Connection, folder: &Path, options: &Options, segment: &mut Segment) -> Result<()> {
    attach(conn, segment, "")?;
    match look_into(conn, segment) {
        Ok(true) => Ok(()),
        Ok(false) => {
            let mut sealing = Sealing { rules: &[], known: &|_| Ok(()), judged: &mut |_| {} };
            seal(super::another(conn)?, folder, options, segment, &mut sealing)
        }
        Err(error) => {
            let _ = conn.execute_batch(&format!("DETACH {}", segment.catalog()));
            Err(error)
        }
    }
}

/// Finds out what there is in a segment, and whether it is sealed.
fn look_into(conn: &Connection, segment: &mut Segment) -> Result<bool> {
    let failed = || StoreError::database(format!("looking into the segment '{}'", segment.path.display()));
    let catalog = segment.catalog();
    let ask = format!("SELECT min(first_ts_ns), max(last_ts_ns) FROM {catalog}.main.captures");
    (segment.first_ns, segment.last_ns) = conn.query_row(&ask, [], |row| Ok((row.get(0)?, row.get(1)?))).map_err(failed())?;
    segment.rows = views::rows(conn, &catalog, &views::facts_in(conn, &catalog)?)?;
    read_seal(conn, segment)
}

/// Number from which frames can go on after a sealed segment. Frames whose rows a crash lost keep their numbers: there is room for them.
pub(super) fn next_frame(conn: &Connection, segment: &Segment) -> Result<u64> {
    const ROOM: u64 = 1_000_000;
    let sql = format!("SELECT coalesce(max(last_frame), 0) FROM {}.main.flows", segment.catalog());
    let last = conn.query_row(&sql, [], |row| row.get::<_, i64>(0)).map_err(StoreError::database("finding the last frame"))?;
    Ok((last.unsigned_abs() / ROOM + 1) * ROOM + 1)
}

/// Whether a file holds nothing: its process died before the first commit reached it.
pub(super) fn is_empty(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|meta| meta.len() <= 12_288)
}
