//! The writer's thread: steps become rows, rows are committed, segments follow each other.

use super::{Shared, Watcher};
use crate::model::{Damage, FlowProcess, Secrets};
use crate::pipeline::ingest::Step;
use crate::store::StoreError;
use crate::store::live::{Books, Marks, Segment, Writer};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver, Sender, SyncSender};

/// Rows that may wait for a commit.
const ROWS_WAITING: usize = 64 * 1_024;
/// Failed commits in a row after which writing is given up: the disk is not merely full.
const PATIENCE: u32 = 60;

/// What the writer is told.
pub enum ToWriter {
    /// Rows.
    Step {
        /// Flows, events, frames.
        step: Step,
        /// Programs of its flows.
        programs: Vec<FlowProcess>,
        /// Places of damage.
        damage: Vec<Damage>,
        /// Secrets met among its frames.
        secrets: Vec<Secrets>,
    },
    /// Make it last; with the books now and then.
    Commit(Option<Box<Books>>),
    /// Make it last, and say how many rows there are.
    Mark(SyncSender<(Marks, Segment)>),
    /// Begin the next segment.
    Rotate(Box<Books>),
}

/// Writes until nobody sends any more; returns the last segment.
pub fn write(
    mut writer: Writer,
    steps: Receiver<ToWriter>,
    retire: &Sender<Segment>,
    shared: &Shared,
    watcher: &dyn Watcher,
) -> Result<Segment, StoreError> {
    let mut desk = Desk { shared, watcher, failures: 0 };
    let done = steps.into_iter().try_for_each(|message| desk.take(&mut writer, message, retire));
    if done.is_err() {
        shared.writer_died.store(true, Relaxed);
    }
    done?;
    desk.commit(&mut writer, None)?;
    writer.finish()
}

struct Desk<'a> {
    shared: &'a Shared,
    watcher: &'a dyn Watcher,
    failures: u32,
}

impl Desk<'_> {
    fn take(&mut self, writer: &mut Writer, message: ToWriter, retire: &Sender<Segment>) -> Result<(), StoreError> {
        match message {
            ToWriter::Step { step, programs, damage, secrets } => {
                writer.append(step.flows, step.events);
                writer.append_packets(step.packets);
                writer.append_processes(programs);
                writer.append_damage(damage);
                writer.append_secrets(secrets);
                if writer.waiting() >= ROWS_WAITING {
                    self.commit(writer, None)?;
                }
            }
            ToWriter::Commit(books) => self.commit(writer, books.as_deref())?,
            ToWriter::Mark(reply) => {
                self.commit(writer, None)?;
                // A judge that no longer listens needs no answer.
                let _ = reply.send((writer.marks()?, writer.segment().clone()));
            }
            ToWriter::Rotate(books) => {
                self.commit(writer, Some(&books))?;
                match writer.rotate() {
                    Ok(segment) => drop(retire.send(segment)),
                    // There is no room for another: the one that is written goes on.
                    Err(error) => self.unless_full(error, 0)?,
                }
            }
        }
        Ok(())
    }

    /// A full disk is told, and survived: rows are lost and counted until there is room again.
    fn commit(&mut self, writer: &mut Writer, books: Option<&Books>) -> Result<(), StoreError> {
        match writer.commit(books) {
            Ok(()) => self.failures = 0,
            Err((lost, error)) => self.unless_full(error, lost)?,
        }
        self.shared.segment_bytes.store(writer.bytes(), Relaxed);
        Ok(())
    }

    /// Counts a failure, and tells the first.
    fn unless_full(&mut self, error: StoreError, lost: u64) -> Result<(), StoreError> {
        self.failures += 1;
        self.shared.rows_lost.fetch_add(lost, Relaxed);
        if !error.is_disk_full() || self.failures >= PATIENCE {
            return Err(error);
        }
        if self.failures == 1 {
            self.watcher.trouble(&format!("{error}: rows are lost until there is room; findings go on"));
        }
        Ok(())
    }
}
