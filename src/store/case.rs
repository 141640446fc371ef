//! Writing a case: facts first, then judgements, then it is closed for good.

use super::claims;
use super::fingerprint::fingerprint_by;
use super::folder::{self, OpenGuard, files};
use super::packets::PacketIndex;
use super::rows::{EventRows, FlowRows};
use super::schema::{self, judgement, record};
use super::{PacketRow, PacketsSummary, Replace, Result, RunRow, StatisticsRow, StoreError, SystemLog, journal, manifest};
use crate::capture::{Hash, hash_file};
use crate::model::report::{Host, Incident, RuleRun};
use crate::model::{AppEvent, CaptureInfo, Damage, Finding, Flow, HomeNets, Secrets};
use crate::store::column::Columns;
use duckdb::{Config, Connection};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Rows gathered before they go to DuckDB: four of its vectors, enough to make the price of a batch small and few
/// enough that waiting rows do not weigh on memory.
const BATCH: usize = 4 * 2_048;

/// How a case is written.
#[derive(Clone, Debug)]
pub struct Options {
    /// Bytes DuckDB may hold; beyond that it spills inside the case folder.
    pub memory_limit: u64,
    /// Threads DuckDB may use.
    pub threads: usize,
    /// Which networks are ours.
    pub home_nets: HomeNets,
    /// Mixed into hashes of secrets, so that they can be compared within the case and nowhere else.
    pub salt: [u8; 16],
    /// Store secrets as they were sent.
    pub reveal_secrets: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { memory_limit: 1 << 30, threads: 1, home_nets: HomeNets::default(), salt: [0; 16], reveal_secrets: false }
    }
}

/// A case that is being written. Rows are stored in the order in which they are given.
pub struct Case {
    folder: PathBuf,
    options: Options,
    flows: Vec<Flow>,
    events: Vec<AppEvent>,
    packets: Option<PacketIndex>,
    // Fields drop in order: the database closes before the guard says that it is closed.
    conn: Connection,
    /// Of a segment, the live case has it.
    _guard: Option<OpenGuard>,
}

impl Case {
    /// Makes an empty case in `folder`. What is there is replaced only if it is a case and `replace` says so; people's
    /// notes on it, the journal, stay.
    pub fn create(folder: &Path, options: &Options, replace: Replace) -> Result<Self> {
        // A broken journal could not be continued at the end: better to know now, before anything is removed.
        journal::read(folder)?;
        let folder = folder::prepare(folder, replace)?;
        manifest::begin(&folder)?;
        let guard = OpenGuard::take(&folder)?;
        let conn = open(&folder, options)?;
        // One transaction for tables and facts: full row groups go straight to the file, and nothing is written twice by way of the log.
        conn.execute_batch("BEGIN TRANSACTION").map_err(StoreError::database("beginning to write"))?;
        conn.execute_batch(&schema::ddl()).map_err(StoreError::database("creating the tables"))?;
        conn.execute_batch(schema::VIEWS).map_err(StoreError::database("creating the views"))?;
        let packets = PacketIndex::create(&folder)?;
        Ok(Self {
            folder,
            options: options.clone(),
            flows: Vec::new(),
            events: Vec::new(),
            packets: Some(packets),
            conn,
            _guard: Some(guard),
        })
    }

    /// A segment of a live case, whose tables stand in the catalog that `conn` uses.
    pub(super) fn segment(folder: &Path, options: &Options, conn: Connection) -> Self {
        Self { folder: folder.into(), options: options.clone(), flows: Vec::new(), events: Vec::new(), packets: None, conn, _guard: None }
    }

    /// Where it lies.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The database, to query it and to write what is derived from it.
    pub fn connection(&self) -> &Connection {
        &self.conn
    }

    /// Takes finished flows and events, in order, and keeps them until they are written.
    pub(super) fn hold(&mut self, flows: Vec<Flow>, events: Vec<AppEvent>) {
        gather(&mut self.flows, flows);
        gather(&mut self.events, events);
    }

    /// Lets go of what is held.
    pub(super) fn clear(&mut self) {
        self.flows.clear();
        self.events.clear();
    }

    /// Rows that are held.
    pub(super) fn held(&self) -> usize {
        self.flows.len() + self.events.len()
    }

    /// Writes what is held.
    pub(super) fn write_held(&mut self) -> Result<()> {
        self.write_flows()?;
        self.write_events()
    }

    /// Takes finished flows and events, in order.
    pub fn append(&mut self, flows: Vec<Flow>, events: Vec<AppEvent>) -> Result<()> {
        gather(&mut self.flows, flows);
        gather(&mut self.events, events);
        if self.flows.len() >= BATCH {
            self.write_flows()?;
        }
        if self.events.len() >= BATCH {
            self.write_events()?;
        }
        Ok(())
    }

    /// Takes the next frames of the packet index, in order of frame number.
    pub fn append_packets(&mut self, rows: Vec<PacketRow>) -> Result<()> {
        match &mut self.packets {
            Some(index) => index.append(rows),
            None => Ok(()),
        }
    }

    fn write_flows(&mut self) -> Result<()> {
        let flows = std::mem::take(&mut self.flows);
        for part in flows.chunks(BATCH) {
            let rows = FlowRows::new(part, &self.options.home_nets);
            put(&self.conn, "flows", &schema::flows::flows(), &rows.all)?;
            put(&self.conn, "flow_shape", &schema::flows::flow_shape(), &rows.all)?;
            put(&self.conn, "payloads", &schema::flows::payloads(), &rows.with_payload())?;
        }
        Ok(())
    }

    fn write_events(&mut self) -> Result<()> {
        let events = std::mem::take(&mut self.events);
        for part in events.chunks(BATCH) {
            EventRows::new(part, &self.options.salt, self.options.reveal_secrets).put(&self.conn)?;
        }
        Ok(())
    }

    /// Stores what is known of the evidence files, and what they say beside their packets.
    pub fn append_captures(&self, infos: &[CaptureInfo]) -> Result<()> {
        let rows: Vec<record::CaptureRow<'_>> = infos.iter().map(record::CaptureRow::new).collect();
        put(&self.conn, "captures", &record::captures(), &rows)?;
        let interfaces = record::Said::by(infos, |info| &info.beside.interfaces);
        put(&self.conn, "capture_interfaces", &record::capture_interfaces(), &interfaces)?;
        put(&self.conn, "comments", &record::comments(), &record::Said::by(infos, |info| &info.beside.comments))?;
        put(&self.conn, "resolved_names", &record::resolved_names(), &record::Said::by(infos, |info| &info.beside.names))?;
        put(&self.conn, "capture_blocks", &record::capture_blocks(), &record::Said::by(infos, |info| &info.beside.blocks))
    }

    /// Stores that there are secrets; themselves only where they are to be revealed.
    pub fn append_decryption_secrets(&self, secrets: &[Secrets]) -> Result<()> {
        let rows: Vec<_> = secrets.iter().map(|secrets| record::SecretsRow::new(secrets, self.options.reveal_secrets)).collect();
        put(&self.conn, "decryption_secrets", &record::decryption_secrets(), &rows)
    }

    /// Stores places of damage.
    pub fn append_damage(&self, rows: &[Damage]) -> Result<()> {
        put(&self.conn, "damage", &record::damage(), rows)
    }

    /// Stores how far frames could be read.
    pub fn append_packets_summary(&self, rows: &[PacketsSummary]) -> Result<()> {
        put(&self.conn, "packets_summary", &record::packets_summary(), rows)
    }

    /// Stores traffic over time.
    pub fn append_statistics(&self, rows: &[StatisticsRow]) -> Result<()> {
        put(&self.conn, "statistics", &record::statistics(), rows)
    }

    /// Stores what made the case.
    pub fn append_run(&self, row: RunRow) -> Result<()> {
        put(&self.conn, "runs", &record::runs(), &[row])
    }

    /// Stores what vigil has to say about its own work.
    pub fn append_system_logs(&self, rows: &[SystemLog]) -> Result<()> {
        put(&self.conn, "system_logs", &record::system_logs(), rows)
    }

    /// Ends the facts: writes what waits and the packet index, derives hosts and their roles. Judgements come after.
    pub fn seal(&mut self) -> Result<()> {
        self.write_held()?;
        self.derive()?;
        self.conn.execute_batch("COMMIT").map_err(StoreError::database("committing the facts"))?;
        match self.packets.take() {
            Some(index) => index.finish(),
            None => Ok(()),
        }
    }

    /// Derives hosts, their roles and what is claimed of them from the other tables.
    pub(super) fn derive(&self) -> Result<()> {
        self.mark_arp_home()?;
        claims::derive(&self.conn)?;
        self.conn.execute_batch("DROP TABLE arp_home").map_err(StoreError::database("deriving hosts and their roles"))
    }

    /// Which ARP addresses are ours: DuckDB cannot tell without its INET extension.
    fn mark_arp_home(&self) -> Result<()> {
        let failed = || StoreError::database("sorting ARP addresses");
        let mut found = self.conn.prepare("SELECT DISTINCT spa FROM arp WHERE spa IS NOT NULL ORDER BY spa").map_err(failed())?;
        let addresses = found.query_map([], |row| row.get::<_, String>(0)).map_err(failed())?;
        let addresses: Vec<String> = addresses.collect::<duckdb::Result<_>>().map_err(failed())?;
        let ours = |text: &String| text.parse().is_ok_and(|address| self.options.home_nets.contains(address));
        let home: Vec<String> = addresses.into_iter().filter(ours).collect();
        // One that failed may have left its own: live, hosts are derived again and again.
        self.conn.execute_batch("CREATE OR REPLACE TEMP TABLE arp_home (ip VARCHAR)").map_err(failed())?;
        put(&self.conn, "arp_home", &Columns::new().text("ip", "", |ip: &String| Some(ip)), &home)
    }

    /// Stores rules and what became of them.
    pub fn append_rules(&self, rows: &[RuleRun]) -> Result<()> {
        put(&self.conn, "rules", &judgement::rules(), rows)
    }

    /// Stores findings, with their flows, in `findings`, `finding_flows` and `findings.ndjson`.
    pub fn append_findings(&self, rows: &[Finding]) -> Result<()> {
        put(&self.conn, "findings", &judgement::findings(), rows)?;
        let flows: Vec<judgement::FindingFlow<'_>> = rows.iter().flat_map(judgement::FindingFlow::of).collect();
        put(&self.conn, "finding_flows", &judgement::finding_flows(), &flows)?;
        folder::append_lines(&self.folder.join(files::FINDINGS), rows)
    }

    /// Stores incidents, with their graphs in `incident_hosts` and `incident_edges`.
    pub fn append_incidents(&self, rows: &[Incident]) -> Result<()> {
        put_incidents(&self.conn, rows)
    }

    /// Stores the risk of hosts.
    pub fn append_host_risk(&self, rows: &[Host]) -> Result<()> {
        put(&self.conn, "host_risk", &judgement::host_risk(), rows)
    }

    /// Stores anomalies.
    pub fn append_anomalies(&self, rows: &[judgement::Anomaly]) -> Result<()> {
        put(&self.conn, "anomalies", &judgement::anomalies(), rows)
    }

    /// Stores what models say of flows.
    pub fn append_scores(&self, rows: &[judgement::FlowScore]) -> Result<()> {
        put(&self.conn, "scores", &judgement::scores(), rows)
    }

    /// Stores indicators from outside.
    pub fn append_indicators(&self, rows: &[judgement::Indicator]) -> Result<()> {
        put(&self.conn, "indicators", &judgement::indicators(), rows)
    }

    /// Stores places of addresses.
    pub fn append_places(&self, rows: &[judgement::Place]) -> Result<()> {
        put(&self.conn, "places", &judgement::places(), rows)
    }

    /// Stores lists that rules join with.
    pub fn append_lists(&self, rows: &[judgement::ListEntry]) -> Result<()> {
        put(&self.conn, "lists", &judgement::lists(), rows)
    }

    /// Stores prose.
    pub fn append_summaries(&self, rows: &[judgement::Summary]) -> Result<()> {
        put(&self.conn, "summaries", &judgement::summaries(), rows)
    }

    /// Closes the case for good and notes it in the journal. `manifest` is what the caller wants on record about the run; it may hold times.
    pub fn finish(self, manifest: &impl Serialize) -> Result<()> {
        let Self { folder, options, conn, packets, _guard, .. } = self;
        if let Some(index) = packets {
            index.finish()?;
        }
        folder::touch(&folder.join(files::FINDINGS))?;
        conn.execute_batch("CHECKPOINT").map_err(StoreError::database("writing the case to disk"))?;
        let mut seals = manifest::Seals { tables: fingerprint_by(&conn, options.threads)?, ..manifest::Seals::default() };
        conn.close().map_err(|(_, source)| StoreError::Database { doing: "closing the case".into(), source })?;
        folder::remove(&folder.join(files::TEMPORARY))?;
        for name in [files::DATABASE, files::PACKETS, files::FINDINGS] {
            seals.files.insert(name.into(), sha256(&folder.join(name))?);
        }
        manifest::complete(&folder, manifest, &seals)?;
        note(&folder, "analysed", manifest)
    }
}

/// Notes in the journal that a manifest was written: with its hash, that of all rules, and the options.
pub(super) fn note(folder: &Path, action: &str, run: &impl Serialize) -> Result<()> {
    let run = serde_json::to_value(run).unwrap_or_default();
    let by = serde_json::json!({
        "vigil": env!("CARGO_PKG_VERSION"),
        "schema": schema::VERSION,
        "manifest": sha256(&folder.join(files::MANIFEST))?,
        "rules": rules_hash(&run["rules"]),
        "options": run["options"],
    });
    journal::append(folder, action, by).map(drop)
}

pub(super) fn sha256(path: &Path) -> Result<String> {
    hash_file(path, Hash::Sha256).map(|digests| digests.sha256).map_err(StoreError::file("hash", path))
}

/// One hash over ids and hashes of all rules, for the journal; null where the run names none.
fn rules_hash(rules: &serde_json::Value) -> Option<String> {
    let lines = rules.as_array()?.iter().map(|rule| format!("{} {}\n", rule["id"], rule["sha256"]));
    let text: String = lines.collect();
    Some(schema::flows::Hex(ring::digest::digest(&ring::digest::SHA256, text.as_bytes())).to_string())
}

fn gather<T>(waiting: &mut Vec<T>, more: Vec<T>) {
    if waiting.is_empty() {
        *waiting = more;
    } else {
        waiting.extend(more);
    }
}

/// Appends rows to a table in bulk.
pub(super) fn put<R: Sync>(conn: &Connection, table: &'static str, columns: &Columns<R>, rows: &[R]) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let batch = columns.batch(rows).map_err(|source| StoreError::Columns { table, source })?;
    let failed = || StoreError::database(format!("appending to '{table}'"));
    let mut appender = conn.appender(table).map_err(failed())?;
    appender.append_record_batch(batch).map_err(failed())?;
    appender.flush().map_err(failed())
}

fn open(folder: &Path, options: &Options) -> Result<Connection> {
    let failed = || StoreError::database("opening the case");
    let temporary = folder.join(files::TEMPORARY);
    let config = settings(options.memory_limit, options.threads)
        .and_then(|config| config.with("temp_directory", temporary.to_string_lossy()))
        .map_err(failed())?;
    let conn = Connection::open_with_flags(folder.join(files::DATABASE), config).map_err(failed())?;
    // Trying these on every column takes longer than the last sixth of the file's size is worth.
    conn.execute_batch("SET disabled_compression_methods = 'fsst,dict_fsst,alp,alprd'").map_err(failed())?;
    Ok(conn)
}

/// Incidents with their graphs.
pub(super) fn put_incidents(conn: &Connection, rows: &[Incident]) -> Result<()> {
    put(conn, "incidents", &judgement::incidents(), rows)?;
    let (mut nodes, mut edges) = (Vec::new(), Vec::new());
    for row in rows {
        nodes.extend(row.roles.iter().map(|role| judgement::IncidentHost { incident: &row.id, role }));
        edges.extend(row.deeds.iter().map(|deed| judgement::IncidentEdge { incident: &row.id, deed }));
    }
    put(conn, "incident_hosts", &judgement::incident_hosts(), &nodes)?;
    put(conn, "incident_edges", &judgement::incident_edges(), &edges)
}

/// What every connection has in common: it stays offline, inside its memory, and keeps rows in order.
pub(super) fn settings(memory_limit: u64, threads: usize) -> duckdb::Result<Config> {
    Config::default()
        .enable_autoload_extension(false)?
        .max_memory(&format!("{memory_limit}B"))?
        .threads(i64::try_from(threads.max(1)).unwrap_or(1))?
        .with("preserve_insertion_order", "true")
}
