//! Live: the same floors on an endless source, and the same judgement while it goes on.
//!
//! ```text
//! capture threads ─parcels▶ ingest ─steps▶ writer ─▶ segments/*.duckdb
//!  (never wait)              └ open flows ▶ judge ◀─ row marks ┘   └▶ findings.ndjson, alerts.ndjson
//! ```
//!
//! A check sees one moment: the rows that were written when it was ordered, and the flows that were open then. Ingest and writer go on
//! meanwhile; while the judge is busy no further check is ordered.

mod books;
mod drops;
mod ingesting;
mod judge;
mod options;
mod programs;
mod register;
mod source;
mod usual;
mod watch;
mod writer;

pub use options::{From, LiveOptions};
pub use register::{Change, Kind};
pub use usual::Unusual;
pub use watch::{Pulse, Watcher};

use super::Error;
use crate::detect::{self, Rules};
use crate::enrich::Knowledge;
use crate::model::{Limits, Report, Severity};
use crate::store::StoreError;
use crate::store::live::{FindingsFile, LiveCase, Segment, Writer};
use ingesting::Ingesting;
use judge::{Bench, Judge, Order, Verdict};
use source::{Input, Source};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::time::Instant;
use usual::Usual;
use writer::ToWriter;

/// Steps that may wait for the writer.
const STEPS_WAITING: usize = 8;

/// A run that ended.
pub struct Lived {
    /// The case as a report.
    pub report: Report,
    /// Its folder.
    pub folder: PathBuf,
    /// Evidence is missing: an interface went away, rows could not be written, or a replayed file is damaged.
    pub incomplete: bool,
}

impl Lived {
    /// Whether something at or above `severity` was found.
    pub fn has_findings(&self, severity: Severity) -> bool {
        self.report.findings.iter().any(|finding| finding.severity >= severity)
    }
}

/// Watches until the source ends, the time is over, or `stop` is set.
pub fn live(options: &LiveOptions, stop: &Arc<AtomicBool>, watcher: &dyn Watcher) -> Result<Lived, Error> {
    let started = (Instant::now(), chrono::Utc::now());
    let common = &options.common;
    let rules = Rules::load(&common.rules, &common.overrides)?;
    let asked: Vec<_> = rules.list().map(|rule| serde_json::json!({ "id": rule.header.id, "sha256": rule.sha256 })).collect();
    let knowledge = Knowledge::read(&common.intel, &common.geoip)?;
    knowledge.unused().iter().for_each(|unused| watcher.trouble(unused));
    let usual = Usual::new(options, &common.folder)?;
    usual.says().iter().for_each(|says| watcher.notice(says));
    let input = Input::open(options, stop)?;
    let (case, left) = LiveCase::open(&common.folder, &common.store(salt(started.1)))?;
    let folder = case.folder().to_path_buf();
    let source = input.start(left.next_frame, stop)?;
    let (retire, retired) = channel();
    let resumed = !left.segments.is_empty();
    let writer = case.writer(source.is_kept())?;
    let judge = Judge::new(Bench {
        desk: case.desk(options.room())?,
        rules,
        look_back: options.look_back,
        settings: detect::Settings { home: common.home_nets.clone(), threads: common.threads },
        knowledge,
        usual,
        findings: left.findings,
        file: FindingsFile::open(&folder)?,
        retired,
    });
    watcher.begins(&case);
    let pool = super::pool(common.threads)?;
    let run = Run { options, stop, watcher, limits: common.limits() };
    let missing = pool.install(|| run.all(source, (writer, retire), judge, resumed))?;
    let record = serde_json::json!({
        "argv": common.argv,
        "started": started.1.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "seconds": (started.0.elapsed().as_secs_f64() * 1000.0).round() / 1000.0,
        "threads": common.threads,
        "live": true,
        "options": common.facts(),
        "rules_from": common.rules,
        "rules": asked,
    });
    let ended = run.unless_full(case.finish(&record), "the record of this run is incomplete")?;
    let report = super::reopen(&folder)?;
    super::write_reports(&report, &common.formats, &folder)?;
    Ok(Lived { report, folder, incomplete: missing || !ended })
}

/// Mixed into hashes of secrets: nobody outside of the case should be able to compare them.
fn salt(started: chrono::DateTime<chrono::Utc>) -> [u8; 16] {
    let seed = format!("{} {}", started.timestamp_nanos_opt().unwrap_or_default(), std::process::id());
    let digest = blake3::derive_key("vigil live salt for secrets, version 1", seed.as_bytes());
    let mut salt = [0; 16];
    salt.copy_from_slice(&digest[..16]);
    salt
}

/// A run: what does not change while it lasts.
struct Run<'a> {
    options: &'a LiveOptions,
    stop: &'a Arc<AtomicBool>,
    watcher: &'a dyn Watcher,
    limits: Limits,
}

/// What the judge and the writer tell the ingest.
#[derive(Default)]
struct Shared {
    busy: AtomicBool,
    segment_bytes: AtomicU64,
    rows_lost: AtomicU64,
    /// Checks since the segment began, and milliseconds that the longest of them took.
    checks: AtomicU64,
    slowest: AtomicU64,
    writer_died: AtomicBool,
    verdict: std::sync::Mutex<Verdict>,
}

impl Run<'_> {
    /// Ingests on this thread; writes and judges on others. Tells whether something is missing.
    fn all(&self, mut source: Source, (writer, retire): (Writer, Sender<Segment>), judge: Judge, resumed: bool) -> Result<bool, Error> {
        let shared = Shared::default();
        let (to_writer, steps) = sync_channel::<ToWriter>(STEPS_WAITING);
        let (to_judge, orders) = sync_channel::<Order>(1);
        std::thread::scope(|scope| {
            let spawn = |name: &str| std::thread::Builder::new().name(name.into());
            let threads = |error: std::io::Error| Error::Threads { threads: 1, why: error.to_string() };
            let (shared, watcher) = (&shared, self.watcher);
            let writing =
                spawn("writer").spawn_scoped(scope, move || writer::write(writer, steps, &retire, shared, watcher)).map_err(threads)?;
            let judging = spawn("judge").spawn_scoped(scope, move || self.judge(judge, orders, shared)).map_err(threads)?;
            let mut desk = Ingesting::new(self, &mut source, shared, to_writer, to_judge, resumed);
            let read = desk.until_the_end();
            let missing = desk.finish(read.is_ok());
            drop(desk);
            let last = writing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            let mut judge = judging.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            read?;
            let done = judge.finish(last?).map(|unusual| {
                if !unusual.is_empty() {
                    watcher.unusual(&unusual);
                }
            });
            judge.take_notices().iter().for_each(|notice| watcher.notice(notice));
            let sealed = self.unless_full(done, "the last segment is not sealed yet: `vigil live` on this case will do it")?;
            Ok(missing? || !sealed || shared.rows_lost.load(Relaxed) > 0)
        })
    }

    /// A full disk is no reason to end in disorder: it is told, with what follows. Says whether it went well.
    fn unless_full(&self, done: Result<(), StoreError>, follows: &str) -> Result<bool, StoreError> {
        match done {
            Err(error) if error.is_disk_full() => {
                self.watcher.trouble(&format!("{error}; {follows}"));
                Ok(false)
            }
            done => done.map(|()| true),
        }
    }

    /// The judge's thread.
    fn judge(&self, mut judge: Judge, orders: Receiver<Order>, shared: &Shared) -> Judge {
        for order in orders {
            match order {
                Order::Open(flows) => {
                    if let Err(error) = judge.open(&flows) {
                        self.watcher.trouble(&error.to_string());
                    }
                }
                Order::Seal => judge.seal_closed(),
                Order::Check(check) => {
                    let verdict = judge.check(&check);
                    shared.checks.fetch_add(1, Relaxed);
                    shared.slowest.fetch_max(verdict.took.as_millis() as u64, Relaxed);
                    self.watcher.rules(&judge.rules());
                    verdict.changes.iter().for_each(|change| self.watcher.change(change));
                    verdict.notices.iter().for_each(|notice| self.watcher.notice(notice));
                    if !verdict.unusual.is_empty() {
                        self.watcher.unusual(&verdict.unusual);
                    }
                    verdict.troubles.iter().for_each(|trouble| self.watcher.trouble(trouble));
                    *shared.verdict.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = verdict;
                    shared.busy.store(false, Relaxed);
                }
            }
        }
        judge
    }
}
