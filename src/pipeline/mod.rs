//! Orders the floors below: evidence → blocks → packets → flows → tables → findings → report.
//!
//! ```text
//! reader thread ──blocks──▶ ingest (rayon) ──steps──▶ writer thread ──▶ case.duckdb
//!  └ hash threads                                      rules ──▶ findings ──▶ judge ──▶ report
//! ```

mod assemble;
pub mod carve;
pub mod custody;
pub mod eval;
pub mod export;
mod ingest;
mod live;
pub mod notes;
mod options;
pub mod telling;
mod tally;

pub use assemble::read_findings;
pub use live::{Change, From, Kind, LiveOptions, Lived, Pulse, Unusual, Watcher, live};
pub use options::{Options, case_name, read_keys};

use crate::capture::{self, Files, PacketSource, Progress};
use crate::detect::baseline::{self, Mode, Profile};
use crate::detect::{self, Rules};
use crate::enrich::{self, Knowledge};
use crate::incident;
use crate::model::report::{Incident, RuleRun, Run};
use crate::model::{Block, CapHit, CaptureInfo, Damage, Limits, Report, Secrets, Severity};
use crate::report::{self, Format};
use crate::store::{self, Case, Replace, RunRow, SystemLog};
use ingest::{Ingest, Step};
use notes::Notes;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Instant;
use tally::Tally;

/// Steps that may wait for the writer: enough to keep it busy, few enough to bound memory.
const STEPS_WAITING: usize = 2;

/// From this risk on a finding makes its actors suspects, of whose flows models learn nothing.
const SUSPECT_RISK: f64 = 40.0;

/// Memory for reading a finished case back.
const REOPEN_MEMORY: u64 = 512 << 20;

/// Why an analysis could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The evidence cannot be opened.
    #[error(transparent)]
    Capture(#[from] capture::Error),
    /// The case cannot be written or read.
    #[error(transparent)]
    Store(#[from] store::StoreError),
    /// The rules cannot be loaded.
    #[error(transparent)]
    Detect(#[from] detect::Error),
    /// Knowledge from outside cannot be read.
    #[error(transparent)]
    Enrich(#[from] enrich::Error),
    /// A baseline cannot be read or written.
    #[error(transparent)]
    Baseline(#[from] baseline::ProfileError),
    /// A report cannot be rendered.
    #[error(transparent)]
    Report(#[from] report::Error),
    /// The database refused a query of vigil's own.
    #[error("the case could not be read back: {0}")]
    Database(#[from] duckdb::Error),
    /// A file of the case is missing or not understood.
    #[error("cannot read {what}: {why}")]
    Read {
        /// Which.
        what: String,
        /// Why.
        why: String,
    },
    /// A file that was named on the command line cannot be used.
    #[error("cannot read {what}: {why}")]
    Given {
        /// Which.
        what: String,
        /// Why.
        why: String,
    },
    /// A file cannot be written.
    #[error("cannot write {what}: {error}")]
    Write {
        /// Which.
        what: String,
        /// Why.
        error: std::io::Error,
    },
    /// A model cannot be asked at all.
    #[cfg(feature = "llm")]
    #[error(transparent)]
    Model(#[from] crate::narrate::llm::NoAnswer),
    /// What was to be carved is not there, or cannot be understood.
    #[error("{0}")]
    Selection(String),
    /// Something is there already that must not be lost.
    #[error("{path} is there already and stays as it is; name another file")]
    Occupied {
        /// What is there.
        path: String,
    },
    /// Evidence that is needed is not to be found.
    #[error("the evidence {path:?} ({hash}) is needed, but {whereabouts}")]
    EvidenceMissing {
        /// Path as given when it was analysed.
        path: String,
        /// Its hash.
        hash: String,
        /// Where it was looked for, and the cure.
        whereabouts: String,
    },
    /// A file is no longer the evidence that was analysed.
    #[error(
        "the evidence {path:?} was changed since it was analysed: {recorded} was recorded, {now} is there now. Nothing was written; \
         find the original and name its folder with --evidence DIR"
    )]
    EvidenceChanged {
        /// The file.
        path: String,
        /// Hash on record.
        recorded: String,
        /// Hash now.
        now: String,
    },
    /// Capabilities cannot be given up.
    #[error(
        "cannot give up the rights that opening the interface needed: {0}; run vigil as a user without them, after `sudo setcap cap_net_raw+ep`"
    )]
    Rights(String),
    /// No thread can be started.
    #[error("cannot start {threads} threads: {why}; try --threads 1")]
    Threads {
        /// How many were wanted.
        threads: usize,
        /// Why not.
        why: String,
    },
}

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Evidence is read and stored.
    Reading,
    /// Hosts are derived and the packet index is written.
    Storing,
    /// Rules run.
    Detecting,
    /// Reports are rendered.
    Reporting,
}

/// Watches the pipeline.
pub trait Observer: Sync {
    /// A stage begins.
    fn stage(&self, stage: Stage);
    /// A block was read; so many flows are open.
    fn read(&self, progress: &Arc<Progress>, open_flows: u64);
}

/// Watches nothing.
pub struct Silent;

impl Observer for Silent {
    fn stage(&self, _: Stage) {}
    fn read(&self, _: &Arc<Progress>, _: u64) {}
}

/// A finished analysis.
pub struct Analyzed {
    /// The report.
    pub report: Report,
    /// Folder of the case.
    pub folder: PathBuf,
    /// Evidence is missing: damaged, cut short, or unreadable.
    pub incomplete: bool,
}

impl Analyzed {
    /// Whether something at or above `severity` was found.
    pub fn has_findings(&self, severity: Severity) -> bool {
        self.report.findings.iter().any(|finding| finding.severity >= severity)
    }
}

/// Evidence in, case and report out.
pub fn analyze(options: &Options, observer: &dyn Observer) -> Result<Analyzed, Error> {
    let started = (Instant::now(), chrono::Utc::now());
    let rules = Rules::load(&options.rules, &options.overrides)?;
    let knowledge = Knowledge::read(&options.intel, &options.geoip)?;
    let before = options.baseline.as_deref().map(profile_of).transpose()?;
    let filter = options.filter.as_deref().map(capture::filter::Filter::new).transpose()?;
    let mut source = capture::open(&options.paths, &capture::Options { hash: options.hash })?;
    let pool = pool(options.threads)?;
    observer.stage(Stage::Reading);
    let first = source.next_block()?;
    let salt = salt(first.as_ref());
    // Made on the writer's thread: reading need not wait for the database.
    let create = || Case::create(&options.folder, &options.store(salt), Replace::Yes);
    let limits = options.limits();
    let (mut case, facts) = pool.install(|| read(source, first, create, Ingest::new(&limits, filter), observer))?;
    // Its threads give back the memory that they kept at hand.
    drop(pool);
    observer.stage(Stage::Storing);
    store_facts(&case, &facts, options, &limits)?;
    case.seal()?;
    case.append_system_logs(&knowledge.store(&case, &options.home_nets)?)?;
    observer.stage(Stage::Detecting);
    let (mut detected, judged) = judge(&case, &rules, before.as_ref(), options)?;
    observer.stage(Stage::Reporting);
    let run = Run {
        version: env!("CARGO_PKG_VERSION").into(),
        argv: options.argv.clone(),
        started: started.1.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
        seconds: (started.0.elapsed().as_secs_f64() * 1000.0).round() / 1000.0,
        threads: options.threads,
        folder: options.folder.display().to_string(),
    };
    let folder = case.folder().to_path_buf();
    // What the rules say is stored whole; what people said of an earlier analysis holds for this one.
    let notes = Notes::read(&folder)?;
    let (incidents, judged, said) = heed(&notes, &mut detected, judged, &assemble::host_facts(case.connection())?);
    let mut report = assemble::assemble(case.connection(), detected, judged, said, run, &case_title(&options.folder))?;
    report.prose = telling::by_template(&report, &incidents);
    report.incidents = incidents;
    case.append_summaries(&telling::rows(&report.prose))?;
    case.finish(&options.manifest(&report))?;
    write_reports(&report, &options.formats, &folder)?;
    let incomplete = facts.damage.iter().any(|damage| damage.kind.loses_evidence());
    Ok(Analyzed { report, folder, incomplete })
}

/// The report of a finished case, from its tables and its journal.
pub fn reopen(folder: &Path) -> Result<Report, Error> {
    reopen_with_incidents(folder).map(|(report, _)| report)
}

/// The same, with its incidents.
fn reopen_with_incidents(folder: &Path) -> Result<(Report, Vec<Incident>), Error> {
    told(&store::open_read_only(folder, REOPEN_MEMORY, 1)?, folder, None)
}

/// The report of a case that is open already. `rules` is what became of the rules so far, where the case is written by
/// this process: its segments say so only when they are sealed.
pub fn report_of(case: &store::OpenCase, rules: Option<Vec<RuleRun>>) -> Result<Report, Error> {
    told(case, case.folder(), rules).map(|(report, _)| report)
}

fn told(case: &store::OpenCase, folder: &Path, rules: Option<Vec<RuleRun>>) -> Result<(Report, Vec<Incident>), Error> {
    let db = case.connection();
    let manifest = store::manifest::read_all(folder)?;
    let mut findings = read_findings(folder)?;
    let runs = rules.map_or_else(|| assemble::read_rules(db), Ok)?;
    let facts = assemble::host_facts(db)?;
    let judged = incident::judge(&mut findings, &runs, &facts);
    case.keep_judged(&judged.hosts, &judged.incidents)?;
    // The commands that a report names are typed where the case lies now.
    let run = Run { folder: folder.display().to_string(), ..options::run_of(&manifest) };
    let mut detected = detect::Detected { findings, runs, ..detect::Detected::default() };
    let (incidents, judged, said) = heed(&Notes::read(case.folder())?, &mut detected, judged, &facts);
    let mut report = assemble::assemble(db, detected, judged, said, run, &case_title(folder))?;
    report.prose = telling::as_told(case.folder(), &report, &incidents)?;
    report.incidents.clone_from(&incidents);
    Ok((report, incidents))
}

/// Takes out what people put aside, and judges the rest again. Incidents keep the names that they have in the case.
fn heed(
    notes: &Notes,
    detected: &mut detect::Detected,
    judged: incident::Judged,
    facts: &incident::Facts,
) -> (Vec<Incident>, incident::Judged, assemble::Said) {
    let set_aside = notes.set_aside(&mut detected.findings);
    let gone = |id: &str| set_aside.iter().any(|aside| aside.finding == id);
    let incidents = judged.incidents.iter().filter_map(|incident| incident.clone().without(gone)).collect();
    let judged = if set_aside.is_empty() {
        judged
    } else {
        let mut kept = detected.findings.clone();
        incident::judge(&mut kept, &detected.runs, facts)
    };
    let remarks = notes.remarks_on(&detected.findings);
    (incidents, judged, assemble::Said { set_aside, remarks })
}

/// Renders reports into a case folder; returns their paths.
pub fn write_reports(report: &Report, formats: &[Format], folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let (mut written, mut hashes) = (Vec::new(), std::collections::BTreeMap::new());
    for format in formats {
        let path = folder.join(format.file_name());
        let bytes = report::render(*format, report)?;
        hashes.insert(format.file_name(), custody::sha256(&bytes));
        std::fs::write(&path, bytes).map_err(|error| Error::Write { what: path.display().to_string(), error })?;
        written.push(path);
    }
    if !hashes.is_empty() {
        custody::record(folder, "reported", serde_json::json!({ "files": hashes }))?;
    }
    Ok(written)
}

/// What was read, beside the tables.
struct Facts {
    captures: Vec<CaptureInfo>,
    damage: Vec<Damage>,
    secrets: Vec<Secrets>,
    tally: Tally,
    logs: Vec<SystemLog>,
}

/// Reads all evidence: decoding here, storing on a thread beside.
fn read(
    mut source: Files,
    first: Option<Block>,
    create: impl FnOnce() -> Result<Case, store::StoreError> + Send,
    mut ingest: Ingest,
    observer: &dyn Observer,
) -> Result<(Case, Facts), Error> {
    let progress = source.progress();
    let (send, receive) = sync_channel::<Step>(STEPS_WAITING);
    std::thread::scope(|scope| {
        let writer = std::thread::Builder::new()
            .name("writer".into())
            .spawn_scoped(scope, move || write(create()?, receive))
            .map_err(|error| Error::Threads { threads: 1, why: error.to_string() })?;
        let (mut damage, mut secrets) = (Vec::new(), Vec::new());
        let mut next = first;
        loop {
            let ended = next.is_none();
            if let Some(block) = &mut next {
                damage.append(&mut block.damage);
                // The flow table reads with them: these are copies of their places, not of their bytes.
                secrets.extend(block.secrets.iter().cloned());
            }
            let (step, used) = ingest.block(next);
            observer.read(&progress, ingest.open_flows());
            let taken = hand_over(&send, step);
            if let Some(used) = used {
                source.recycle(used);
            }
            if ended || !taken {
                break;
            }
            next = source.next_block()?;
        }
        // A writer that has given up says why when it is joined.
        ingest.finish(|step| {
            hand_over(&send, step);
        });
        drop(send);
        let case = writer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        let captures = Box::new(source).captures()?;
        let logs = ingest.caps().into_iter().chain(caps_of(&captures)).map(log_of).collect();
        Ok((case, Facts { captures, damage, secrets, tally: ingest.tally, logs }))
    })
}

/// Caps that were reached while the captures were read, each once.
fn caps_of(captures: &[CaptureInfo]) -> Vec<CapHit> {
    let mut caps: Vec<CapHit> = Vec::new();
    for hit in captures.iter().flat_map(|info| &info.beside.caps) {
        match caps.iter_mut().find(|cap| cap.cap == hit.cap) {
            Some(cap) => cap.hits += hit.hits,
            None => caps.push(hit.clone()),
        }
    }
    caps
}

/// The line of a cap that was reached.
fn log_of(cap: CapHit) -> SystemLog {
    SystemLog { level: "cap".into(), source: cap.cap, message: cap.limit.to_string(), count: cap.hits }
}

/// `false` when the writer has given up: its error is what counts then.
fn hand_over(send: &SyncSender<Step>, step: Step) -> bool {
    send.send(step).is_ok()
}

fn write(mut case: Case, steps: Receiver<Step>) -> Result<Case, store::StoreError> {
    for step in steps {
        case.append(step.flows, step.events)?;
        case.append_packets(step.packets)?;
    }
    Ok(case)
}

fn store_facts(case: &Case, facts: &Facts, options: &Options, limits: &Limits) -> Result<(), Error> {
    case.append_captures(&facts.captures)?;
    case.append_damage(&facts.damage)?;
    case.append_decryption_secrets(&facts.secrets)?;
    case.append_packets_summary(&facts.tally.summary())?;
    case.append_statistics(&facts.tally.statistics())?;
    case.append_system_logs(&facts.logs)?;
    case.append_run(RunRow { options: options.facts(), limits: serde_json::json!(limits) })?;
    Ok(())
}

fn judge(case: &Case, rules: &Rules, before: Option<&Profile>, options: &Options) -> Result<(detect::Detected, incident::Judged), Error> {
    let mut detected = rules.run(case.connection(), &detect::Settings { home: options.home_nets.clone(), threads: options.threads })?;
    let facts = assemble::host_facts(case.connection())?;
    let judged = incident::judge(&mut detected.findings, &detected.runs, &facts);
    unusual(case, &detected, before, options)?;
    case.append_rules(&detected.runs)?;
    case.append_findings(&detected.findings)?;
    case.append_host_risk(&judged.hosts)?;
    case.append_incidents(&judged.incidents)?;
    Ok((detected, judged))
}

/// Lets the models score every flow, and holds hosts and flows against what is usual: here, and in the baseline if there is one. Nothing is
/// learnt from hosts that rules found at something.
fn unusual(case: &Case, detected: &detect::Detected, before: Option<&Profile>, options: &Options) -> Result<(), Error> {
    let grave = detected.findings.iter().filter(|finding| finding.risk >= SUSPECT_RISK);
    let suspects: std::collections::BTreeSet<String> = grave.flat_map(|finding| finding.actors.iter().cloned()).collect();
    let suspects: Vec<String> = suspects.into_iter().collect();
    let pool = pool(options.threads)?;
    let db = case.connection();
    db.execute_batch("BEGIN TRANSACTION")?;
    let take = |rows: &[store::FlowScore]| case.append_scores(rows).map_err(Error::from);
    let (anomalies, logs) = detect::models::run(db, &pool, &options.models, &suspects, take)?;
    case.append_anomalies(&anomalies)?;
    case.append_system_logs(&logs)?;
    if options.models.which == detect::models::Which::All {
        let own = baseline::measures(db, &suspects)?;
        // What is said of its own baseline would be said of every capture: only what is unusual counts.
        case.append_anomalies(&baseline::judge(db, &own, Mode::Itself, options.sigma)?.0)?;
    }
    if let Some(before) = before {
        let (changes, logs) = baseline::judge(db, before, Mode::Trained, options.sigma)?;
        case.append_anomalies(&changes)?;
        let message = format!("compared with {}", before.says());
        case.append_system_logs(&[SystemLog { level: "info".into(), source: "baseline".into(), message, count: 1 }])?;
        case.append_system_logs(&logs)?;
    }
    db.execute_batch("COMMIT")?;
    Ok(())
}

/// The profile that lies at `path`: written by `vigil train`, or learnt from the case that is there.
pub fn profile_of(path: &Path) -> Result<Profile, Error> {
    let is_case = path.is_dir() || path.extension().is_some_and(|ending| ending == "duckdb");
    if !is_case {
        return Ok(Profile::load(path)?);
    }
    let case = store::open_read_only(path, REOPEN_MEMORY, 1)?;
    let db = case.connection();
    let suspects = "SELECT DISTINCT unnest(actors) AS actor FROM findings WHERE risk >= ? ORDER BY actor";
    let mut statement = db.prepare(suspects)?;
    let suspects = statement.query_map([SUSPECT_RISK], |row| row.get(0))?.collect::<duckdb::Result<Vec<String>>>()?;
    Ok(baseline::observe(db, &suspects)?)
}

fn pool(threads: usize) -> Result<rayon::ThreadPool, Error> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).thread_name(|number| format!("decode-{number}"));
    pool.build().map_err(|error| Error::Threads { threads, why: error.to_string() })
}

/// What secrets are hashed with: follows from the evidence, so that the same evidence gives the same case.
fn salt(first: Option<&Block>) -> [u8; 16] {
    let digest = blake3::derive_key("vigil case salt for secrets, version 1", first.map_or(&[], |block| &block.bytes));
    let mut salt = [0; 16];
    salt.copy_from_slice(&digest[..16]);
    salt
}

fn case_title(folder: &Path) -> String {
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    name.strip_suffix(".vigil").map(str::to_string).unwrap_or(name)
}
