//! Calls that differ in nothing but time and offset are one row: a large file is read in thousands of calls.

use crate::dissect::Out;
use crate::model::event::Nfs;
use crate::model::{Event, Ts, time::SECOND};
use std::collections::VecDeque;

/// Rows that may grow at the same time, in one flow.
const OPEN_MAX: usize = 32;
/// A row is said after this silence,
const SILENCE: i64 = 10 * SECOND;
/// or when it covers this much time.
const LONGEST: i64 = 60 * SECOND;

/// Rows that may still grow, as they began.
#[derive(Default)]
pub struct Runs {
    open: VecDeque<Run>,
}

struct Run {
    row: Box<Nfs>,
    place: (u64, Ts),
    last: Ts,
}

impl Runs {
    /// Takes a call that changes nothing but the content of a file.
    pub fn add(&mut self, row: Box<Nfs>, place: (u64, Ts), out: &mut Out) {
        self.tidy(place.1, out);
        if let Some(run) = self.open.iter_mut().find(|run| alike(&run.row, &row)) {
            return run.grow(&row, place);
        }
        if self.open.len() >= OPEN_MAX {
            self.say_first(out);
        }
        self.open.push_back(Run { row, place, last: place.1 });
    }

    /// Says the rows that are over by `now`.
    pub fn tidy(&mut self, now: Ts, out: &mut Out) {
        let over = |run: &Run| now.saturating_sub(run.last) > SILENCE || now.saturating_sub(run.place.1) > LONGEST;
        while let Some(at) = self.open.iter().position(over) {
            if let Some(run) = self.open.remove(at) {
                run.say(out);
            }
        }
    }

    /// Says all of them.
    pub fn end(&mut self, out: &mut Out) {
        while !self.open.is_empty() {
            self.say_first(out);
        }
    }

    fn say_first(&mut self, out: &mut Out) {
        if let Some(run) = self.open.pop_front() {
            run.say(out);
        }
    }
}

impl Run {
    fn grow(&mut self, row: &Nfs, place: (u64, Ts)) {
        self.last = self.last.max(place.1);
        self.row.calls += row.calls;
        self.row.offset = self.row.offset.min(row.offset);
        self.row.bytes = match (self.row.bytes, row.bytes) {
            (Some(sum), Some(more)) => Some(sum.saturating_add(more)),
            (sum, more) => sum.or(more),
        };
        self.row.call.reply_frame = row.call.reply_frame.max(self.row.call.reply_frame);
    }

    fn say(mut self, out: &mut Out) {
        self.row.duration = self.last.saturating_sub(self.place.1) as f64 / 1e9;
        out.say(self.place.0, self.place.1, Event::Nfs(self.row));
    }
}

fn alike(a: &Nfs, b: &Nfs) -> bool {
    let (one, two) = (&a.call, &b.call);
    (one.is_orig, one.uid, one.gid, one.status) == (two.is_orig, two.uid, two.gid, two.status)
        && (&one.auth, &one.machine_name) == (&two.auth, &two.machine_name)
        && (a.version, a.minor_version, &a.tag) == (b.version, b.minor_version, &b.tag)
        && (&a.procedure, &a.file_handle, &a.status) == (&b.procedure, &b.file_handle, &b.status)
        && (&a.file_name, &a.file_to, &a.path, &a.operations) == (&b.file_name, &b.file_to, &b.path, &b.operations)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::testing::conn;
    use crate::model::Proto;

    fn read(offset: u64, handle: &str) -> Box<Nfs> {
        let file_handle = Some(handle.to_owned());
        Box::new(Nfs { procedure: "READ".into(), file_handle, offset: Some(offset), bytes: Some(8), calls: 1, ..Nfs::default() })
    }

    #[test]
    fn two_files_read_in_turns_are_two_rows_until_one_falls_silent() {
        let (mut runs, mut out) = (Runs::default(), Out::new(conn(Proto::Udp, 2_049)));
        for n in 0..100u64 {
            runs.add(read(n * 8, if n % 2 == 0 { "a" } else { "b" }), (n, n as i64 * SECOND / 10), &mut out);
        }
        assert!(out.events.is_empty());
        runs.add(read(0, "c"), (200, 30 * SECOND), &mut out);
        runs.end(&mut out);
        let rows: Vec<_> = out
            .events
            .iter()
            .map(|event| if let Event::Nfs(row) = &event.event { (row.calls, row.bytes, row.offset, row.duration) } else { panic!() })
            .collect();
        assert_eq!(rows, [(50, Some(400), Some(0), 9.8), (50, Some(400), Some(8), 9.8), (1, Some(8), Some(0), 0.0)]);
    }
}
