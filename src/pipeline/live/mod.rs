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
mod judge;
mod programs;
mod register;
mod writer;

pub use register::{Change, Kind};

use super::ingest::{Ingest, Step};
use super::{Error, Options};
use crate::capture::live::{self as device, Interfaces, Listening, Opened, Paced, Rights, Speed, give_up};
use crate::capture::ring::Ring;
use crate::capture::{self, PacketSource};
use crate::detect::Rules;
use crate::enrich::Knowledge;
use crate::model::report::RuleRun;
use crate::model::time::SECOND;
use crate::model::{Block, CaptureInfo, Damage, Limits, Report, Secrets, Severity, Ts};
use crate::store::live::{FindingsFile, LiveCase, Segment, Writer};
use crate::store::{RunRow, StoreError};
use books::Bookkeeping;
use judge::{Check, Judge, Order, Verdict};
use programs::Programs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::time::{Duration, Instant};
use writer::ToWriter;

/// Steps that may wait for the writer.
const STEPS_WAITING: usize = 8;
/// Rows are committed after this time at the latest: what a crash can lose.
const COMMIT: Duration = Duration::from_secs(1);
/// What is known of a segment beside its rows is written this often.
const BOOKS: Duration = Duration::from_secs(5);
/// The screen is told this often.
const PULSE: Duration = Duration::from_millis(500);

/// Where packets come from.
#[derive(Clone, Debug)]
pub enum From {
    /// Interfaces.
    Interfaces {
        /// Their names.
        names: Vec<String>,
        /// How they are listened to.
        listening: Listening,
    },
    /// Files, replayed.
    Files {
        /// How fast.
        speed: Speed,
    },
}

/// What a live run is told, beside what an analysis is told.
#[derive(Clone, Debug)]
pub struct LiveOptions {
    /// As for an analysis; `paths` are those that are replayed.
    pub common: Options,
    /// Where packets come from.
    pub from: From,
    /// Ends after this time.
    pub duration: Option<Duration>,
    /// Capture time between two checks, nanoseconds.
    pub check_period: i64,
    /// How far back rules look that want the whole capture, nanoseconds.
    pub look_back: i64,
    /// A segment is closed after this much capture time, nanoseconds …
    pub segment_span: i64,
    /// … or when it takes so many bytes.
    pub segment_bytes: u64,
    /// Segments older than this are deleted, nanoseconds.
    pub keep: Option<i64>,
    /// Folder and size of the ring of packets.
    pub ring: Option<(PathBuf, u64)>,
    /// Programs of this machine are looked up.
    pub programs: bool,
}

impl LiveOptions {
    /// Everything by default.
    pub fn new(common: Options, from: From) -> Self {
        Self {
            common,
            from,
            duration: None,
            check_period: 10 * SECOND,
            look_back: 24 * 3_600 * SECOND,
            segment_span: 3_600 * SECOND,
            segment_bytes: 4 << 30,
            keep: None,
            ring: None,
            programs: false,
        }
    }
}

/// How it goes.
#[derive(Clone, Debug, Default)]
pub struct Pulse {
    /// Frames so far.
    pub frames: u64,
    /// Bytes on the wire so far.
    pub bytes: u64,
    /// Open flows.
    pub open_flows: u64,
    /// Packets dropped so far, by anyone.
    pub dropped: u64,
    /// Newest frame's time.
    pub now: Option<Ts>,
    /// Findings that stand, by severity, mildest first.
    pub standing: [u64; 5],
    /// How long the last check took.
    pub check: Duration,
    /// The segment that is being written.
    pub segment: u64,
    /// Bytes of the ring.
    pub ring_bytes: u64,
}

/// Watches a live run.
pub trait Watcher: Sync {
    /// Listening has begun into this case. No rights are held any more: threads may be started.
    fn begins(&self, case: &LiveCase);
    /// How it goes, several times a second.
    fn pulse(&self, pulse: &Pulse);
    /// Something became of a finding.
    fn change(&self, change: &Change);
    /// What became of the rules so far, after each check.
    fn rules(&self, rules: &[RuleRun]);
    /// Something went wrong that does not end the run.
    fn trouble(&self, what: &str);
}

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
    let input = Input::open(options, stop)?;
    let (case, left) = LiveCase::open(&common.folder, &common.store(salt(started.1)))?;
    let folder = case.folder().to_path_buf();
    let source = input.start(left.next_frame, stop)?;
    let (retire, retired) = channel();
    let resumed = !left.segments.is_empty();
    let writer = case.writer(source.is_kept())?;
    let file = FindingsFile::open(&folder)?;
    let who = (common.home_nets.clone(), common.threads);
    let judge = Judge::new(case.desk()?, rules, options.look_back, who, knowledge, left.findings, file, retired);
    watcher.begins(&case);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(common.threads)
        .thread_name(|number| format!("decode-{number}"))
        .build()
        .map_err(|error| Error::Threads { threads: common.threads, why: error.to_string() })?;
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

/// What is open before rights are given up.
struct Input {
    opened: Option<Opened>,
    files: Option<Paced>,
    ring: Option<(PathBuf, u64)>,
    programs: Option<Programs>,
    filter: Option<capture::filter::Filter>,
}

impl Input {
    /// Opens what needs rights, and gives them up.
    fn open(options: &LiveOptions, stop: &Arc<AtomicBool>) -> Result<Self, Error> {
        let mut input = Self { opened: None, files: None, ring: options.ring.clone(), programs: None, filter: None };
        match &options.from {
            From::Interfaces { names, listening } => {
                input.opened = Some(device::open(names, listening)?);
                if options.programs {
                    let programs = Programs::start(device::addresses(), stop).map_err(capture::Error::Thread)?;
                    input.programs = Some(programs);
                }
                // Root without its rights may not write into the folder of whoever called it with sudo, but into its own.
                make(&options.common.folder)?;
                options.ring.iter().try_for_each(|(folder, _)| make(folder))?;
                give_up(Rights::None).map_err(Error::Rights)?;
            }
            From::Files { speed } => {
                input.filter = options.common.filter.as_deref().map(capture::filter::Filter::new).transpose()?;
                let files = capture::open(&options.common.paths, &capture::Options { hash: options.common.hash })?;
                input.files = Some(Paced::new(files, *speed, stop.clone()));
            }
        }
        Ok(input)
    }

    /// Starts to listen, frames being numbered from `first` on.
    fn start(self, first: u64, stop: &Arc<AtomicBool>) -> Result<Source, Error> {
        let interfaces = self.opened.map(|opened| opened.start(first, stop)).transpose()?;
        let ring = match (self.ring, &interfaces) {
            (Some((folder, most)), Some(interfaces)) => Some(Ring::open(&folder, most, interfaces.links())?),
            _ => None,
        };
        Ok(Source { interfaces, files: self.files, ring, programs: self.programs, filter: self.filter, first, base: None })
    }
}

fn make(folder: &std::path::Path) -> Result<(), Error> {
    std::fs::create_dir_all(folder).map_err(|error| Error::Write { what: folder.display().to_string(), error })
}

/// Where blocks come from, and where their packets are kept.
struct Source {
    interfaces: Option<Interfaces>,
    files: Option<Paced>,
    ring: Option<Ring>,
    programs: Option<Programs>,
    filter: Option<capture::filter::Filter>,
    first: u64,
    /// Added to the numbers of a file's frames, so that a case that goes on never uses one twice.
    base: Option<u64>,
}

impl Source {
    fn next_block(&mut self) -> Result<Option<Block>, capture::Error> {
        let block = match (&mut self.interfaces, &mut self.files) {
            (Some(interfaces), _) => interfaces.next_block()?,
            (None, Some(files)) => files.next_block()?,
            (None, None) => None,
        };
        let Some(mut block) = block else { return Ok(None) };
        if self.interfaces.is_none() && self.first > 1 {
            let base = *self.base.get_or_insert(self.first - 1);
            block.frames.iter_mut().for_each(|frame| frame.number += base);
        }
        Ok(Some(block))
    }

    /// Whether packets can be found again later.
    fn is_kept(&self) -> bool {
        self.ring.is_some() || self.files.is_some()
    }

    /// What captures are, beside what is counted of them.
    fn described(&mut self) -> Vec<CaptureInfo> {
        match (&mut self.ring, &self.interfaces) {
            (Some(ring), _) => ring.captures(),
            (None, Some(interfaces)) => interfaces.described(),
            (None, None) => Vec::new(),
        }
    }
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
            let sealed =
                self.unless_full(judge.finish(last?), "the last segment is not sealed yet: `vigil live` on this case will do it")?;
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
                Order::Check(check) => {
                    let verdict = judge.check(&check);
                    self.watcher.rules(&judge.rules());
                    verdict.changes.iter().for_each(|change| self.watcher.change(change));
                    verdict.troubles.iter().for_each(|trouble| self.watcher.trouble(trouble));
                    *shared.verdict.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = verdict;
                    shared.busy.store(false, Relaxed);
                }
            }
        }
        judge
    }
}

/// The ingest thread at work.
struct Ingesting<'a> {
    run: &'a Run<'a>,
    source: &'a mut Source,
    shared: &'a Shared,
    ingest: Ingest,
    books: Bookkeeping,
    to_writer: Option<SyncSender<ToWriter>>,
    to_judge: Option<SyncSender<Order>>,
    resumed: bool,
    checked: Option<Ts>,
    committed: Instant,
    booked: Instant,
    pulsed: Instant,
    segment: u64,
    damaged: bool,
    ring_failed: bool,
}

impl<'a> Ingesting<'a> {
    fn new(
        run: &'a Run<'a>,
        source: &'a mut Source,
        shared: &'a Shared,
        to_writer: SyncSender<ToWriter>,
        to_judge: SyncSender<Order>,
        resumed: bool,
    ) -> Self {
        let now = Instant::now();
        let row = RunRow { options: run.options.common.facts(), limits: serde_json::json!(run.limits) };
        let ingest = Ingest::new(&run.limits, source.filter.take());
        let mut books = Bookkeeping::new(row);
        if let (Some(_), [path]) = (&source.files, &run.options.common.paths[..]) {
            books.describe(vec![CaptureInfo { path: path.display().to_string(), ..CaptureInfo::default() }]);
        }
        Self {
            run,
            source,
            shared,
            ingest,
            books,
            to_writer: Some(to_writer),
            to_judge: Some(to_judge),
            resumed,
            checked: None,
            committed: now,
            booked: now,
            pulsed: now,
            segment: 1,
            damaged: false,
            ring_failed: false,
        }
    }

    fn until_the_end(&mut self) -> Result<(), Error> {
        let began = Instant::now();
        loop {
            if self.run.options.duration.is_some_and(|most| began.elapsed() >= most) {
                self.run.stop.store(true, Relaxed);
            }
            let Some(mut block) = self.source.next_block()? else { return Ok(()) };
            if self.shared.writer_died.load(Relaxed) {
                return Ok(());
            }
            self.keep(&mut block);
            self.books.block(&block);
            self.damaged |= block.damage.iter().any(|damage| damage.kind.loses_evidence());
            let beside = (std::mem::take(&mut block.damage), block.secrets.clone());
            let (step, used) = self.ingest.block(Some(block));
            if let (Some(used), Some(files)) = (used, &mut self.source.files) {
                files.recycle(used);
            }
            self.hand_over(step, beside);
            self.by_the_clock();
            self.by_capture_time();
        }
    }

    /// Writes frames to the ring. A ring that fails is given up: what was seen is judged all the same.
    fn keep(&mut self, block: &mut Block) {
        let Some(ring) = &mut self.source.ring else { return };
        if let Err(error) = ring.keep(block) {
            self.run.watcher.trouble(&format!("{error}; packets are no longer kept"));
            self.source.ring = None;
            self.ring_failed = true;
            block.frames.iter_mut().for_each(|frame| frame.capture = 0);
        }
    }

    fn hand_over(&mut self, step: Step, (damage, secrets): (Vec<Damage>, Vec<Secrets>)) {
        if step.flows.is_empty() && step.events.is_empty() && step.packets.is_empty() && damage.is_empty() && secrets.is_empty() {
            return;
        }
        let programs = self.source.programs.as_ref().map(|programs| programs.of(&step.flows)).unwrap_or_default();
        self.tell_writer(ToWriter::Step { step, programs, damage, secrets });
    }

    /// A writer that is gone says why when it is joined.
    fn tell_writer(&self, message: ToWriter) {
        if let Some(writer) = &self.to_writer {
            let _ = writer.send(message);
        }
    }

    fn page(&mut self) -> crate::store::live::Books {
        let described = self.source.described();
        self.books.describe(described);
        if let Some(interfaces) = &self.source.interfaces {
            self.books.ask(interfaces);
        }
        self.books.rows_lost = self.shared.rows_lost.load(Relaxed);
        self.books.page(&self.ingest.tally, &self.ingest.caps(), self.source.interfaces.as_ref())
    }

    /// What is due by the clock on the wall: commits, counts, the screen.
    fn by_the_clock(&mut self) {
        if self.committed.elapsed() >= COMMIT {
            self.committed = Instant::now();
            if let Some(interfaces) = &self.source.interfaces {
                self.books.ask(interfaces);
            }
            if let Some(Err(error)) = self.source.ring.as_mut().map(Ring::flush) {
                self.run.watcher.trouble(&error.to_string());
            }
            let books = (self.booked.elapsed() >= BOOKS).then(|| {
                self.booked = Instant::now();
                Box::new(self.page())
            });
            self.tell_writer(ToWriter::Commit(books));
        }
        if self.pulsed.elapsed() >= PULSE {
            self.pulsed = Instant::now();
            self.run.watcher.pulse(&self.pulse());
        }
    }

    fn pulse(&self) -> Pulse {
        let verdict = self.shared.verdict.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Pulse {
            frames: self.books.frames,
            bytes: self.books.bytes,
            open_flows: self.ingest.open_flows(),
            dropped: self.books.drops.total,
            now: self.books.span.map(|(_, last)| last),
            standing: verdict.standing,
            check: verdict.took,
            segment: self.segment,
            ring_bytes: self.source.ring.as_ref().map_or(0, Ring::bytes),
        }
    }

    /// What is due by the time of the packets: checks, segments.
    fn by_capture_time(&mut self) {
        let Some((first, now)) = self.books.span else { return };
        let options = self.run.options;
        let last = *self.checked.get_or_insert(first);
        if now.saturating_sub(last) >= options.check_period && !self.shared.busy.load(Relaxed) {
            self.checked = Some(now);
            self.check(now, false);
        }
        let old = self.books.page_begins.is_some_and(|begins| now.saturating_sub(begins) >= options.segment_span);
        if old || self.shared.segment_bytes.load(Relaxed) >= options.segment_bytes {
            self.rotate();
        }
    }

    /// Orders a check of this moment.
    fn check(&mut self, now: Ts, last: bool) {
        let Some(judge) = &self.to_judge else { return };
        self.shared.busy.store(true, Relaxed);
        if !last {
            self.ingest.so_far(|flows| judge.send(Order::Open(flows)).is_ok());
        }
        let (reply, marks) = sync_channel(1);
        self.tell_writer(ToWriter::Mark(reply));
        let check = Check {
            now,
            begins: self.books.span.map(|(first, _)| first).filter(|_| !self.resumed),
            marks,
            drops: self.books.drops.clone(),
            keep_since: self.run.options.keep.map(|keep| now.saturating_sub(keep)),
            last,
        };
        let _ = judge.send(Order::Check(check));
    }

    /// Closes the segment and begins the next.
    fn rotate(&mut self) {
        let books = self.page();
        let (_, events) = self.ingest.turn_page();
        self.hand_over(Step { events, ..Step::default() }, Default::default());
        self.tell_writer(ToWriter::Rotate(Box::new(books)));
        self.books.turn(&self.ingest.caps());
        self.shared.segment_bytes.store(0, Relaxed);
        self.segment += 1;
    }

    /// Ends everything that is open, and has the whole judged. Tells whether evidence is missing.
    fn finish(&mut self, whole: bool) -> Result<bool, Error> {
        let (step, _) = self.ingest.block(None);
        self.hand_over(step, Default::default());
        let mut steps = Vec::new();
        self.ingest.finish(|step| steps.push(step));
        steps.into_iter().for_each(|step| self.hand_over(step, Default::default()));
        let mut missing = self.damaged || self.ring_failed || !whole;
        if let Some(Err(error)) = self.source.ring.as_mut().map(Ring::finish) {
            self.run.watcher.trouble(&error.to_string());
            missing = true;
        }
        for (name, why) in self.source.interfaces.iter().flat_map(Interfaces::lost) {
            self.run.watcher.trouble(&format!("{name} was lost: {why}"));
            missing = true;
        }
        let books = self.page();
        if let Some(files) = self.source.files.take().filter(|_| whole) {
            let infos = Box::new(files).captures()?;
            let books = crate::store::live::Books { captures: only_counted(&books, infos), ..books };
            self.tell_writer(ToWriter::Commit(Some(Box::new(books))));
        } else {
            self.tell_writer(ToWriter::Commit(Some(Box::new(books))));
        }
        if let Some((_, now)) = self.books.span {
            self.check(now, true);
        }
        self.run.watcher.pulse(&self.pulse());
        // Both threads end when nobody can send to them any more.
        (self.to_judge, self.to_writer) = (None, None);
        Ok(missing)
    }
}

/// What files say of themselves, with the counts of this segment alone: those before have theirs.
fn only_counted(books: &crate::store::live::Books, infos: Vec<CaptureInfo>) -> Vec<CaptureInfo> {
    let counted = |info: CaptureInfo| {
        let here = books.captures.iter().find(|known| known.id == info.id).cloned().unwrap_or_default();
        let CaptureInfo { frames, frame_bytes, wire_bytes, truncated_frames, first_ts, last_ts, .. } = here;
        CaptureInfo { frames, frame_bytes, wire_bytes, truncated_frames, first_ts, last_ts, ..info }
    };
    infos.into_iter().map(counted).collect()
}
