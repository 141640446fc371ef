//! The ingest thread: blocks become steps for the writer, and what is due by the clock or by capture time is ordered.

use super::super::Error;
use super::super::ingest::{Ingest, Step};
use super::books::Bookkeeping;
use super::judge::{Check, Order};
use super::source::Source;
use super::writer::ToWriter;
use super::{Pulse, Run, Shared};
use crate::capture::PacketSource;
use crate::capture::live::Interfaces;
use crate::capture::ring::Ring;
use crate::model::{Block, CaptureInfo, Damage, Secrets, Ts};
use crate::store::RunRow;
use crate::store::live::Books;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::{Duration, Instant};

/// Rows are committed after this time at the latest: what a crash can lose.
const COMMIT: Duration = Duration::from_secs(1);
/// What is known of a segment beside its rows is written this often.
const BOOKS: Duration = Duration::from_secs(5);
/// The screen is told this often.
const PULSE: Duration = Duration::from_millis(500);

/// The ingest thread at work.
pub(super) struct Ingesting<'a> {
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
    /// At the beginning; `resumed` where an earlier run saw the beginning of the case.
    pub fn new(
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

    /// Takes block after block until there are no more, or the run is to stop.
    pub fn until_the_end(&mut self) -> Result<(), Error> {
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

    fn page(&mut self) -> Books {
        let described = self.source.described();
        self.books.describe(described);
        if let Some(interfaces) = &self.source.interfaces {
            self.books.ask(interfaces);
        }
        self.books.rows_lost = self.shared.rows_lost.load(Relaxed);
        self.books.checks = (self.shared.checks.load(Relaxed), self.shared.slowest.load(Relaxed));
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
            first: self.books.span.map_or(now, |(first, _)| first),
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
        match &self.to_judge {
            // A file can wait until the judge has come so far, an interface cannot: it is sealed at the next check then.
            Some(judge) if self.source.interfaces.is_none() => drop(judge.send(Order::Seal)),
            Some(judge) => drop(judge.try_send(Order::Seal)),
            None => {}
        }
        self.books.turn(&self.ingest.caps());
        for counter in [&self.shared.segment_bytes, &self.shared.checks, &self.shared.slowest] {
            counter.store(0, Relaxed);
        }
        self.segment += 1;
    }

    /// Ends everything that is open, and has the whole judged. Tells whether evidence is missing.
    pub fn finish(&mut self, whole: bool) -> Result<bool, Error> {
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
            let books = Books { captures: only_counted(&books, infos), ..books };
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
fn only_counted(books: &Books, infos: Vec<CaptureInfo>) -> Vec<CaptureInfo> {
    let counted = |info: CaptureInfo| {
        let here = books.captures.iter().find(|known| known.id == info.id).cloned().unwrap_or_default();
        let CaptureInfo { frames, frame_bytes, wire_bytes, truncated_frames, first_ts, last_ts, .. } = here;
        CaptureInfo { frames, frame_bytes, wire_bytes, truncated_frames, first_ts, last_ts, ..info }
    };
    infos.into_iter().map(counted).collect()
}
