//! Progress on long work: a bar on a terminal, nothing in pipes; lines of JSON for a program that asked.

use crate::capture::Progress;
use crate::model::time::human_bytes;
use crate::pipeline::{Observer, Stage};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Shows what the pipeline is doing.
pub struct Bar {
    bar: ProgressBar,
}

impl Bar {
    /// On a terminal; hidden where standard error is none, or when asked to be quiet.
    pub fn new(quiet: bool) -> Self {
        let bar = if quiet || !std::io::stderr().is_terminal() { ProgressBar::hidden() } else { ProgressBar::no_length() };
        bar.enable_steady_tick(Duration::from_millis(120));
        Self { bar }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

impl Observer for Bar {
    fn stage(&self, stage: Stage) {
        let style = match stage {
            Stage::Reading => "{spinner} {msg} {bytes}/{total_bytes} {wide_bar} {bytes_per_sec} {eta}",
            _ => "{spinner} {msg}",
        };
        if let Ok(style) = ProgressStyle::with_template(style) {
            self.bar.set_style(style);
        }
        self.bar.set_message(match stage {
            Stage::Reading => "reading",
            Stage::Storing => "writing the case",
            Stage::Detecting => "running the rules",
            Stage::Reporting => "writing the report",
        });
    }

    fn read(&self, progress: &Arc<Progress>, flows: u64) {
        let read = progress.bytes_read();
        match progress.bytes_total() {
            Some(total) => self.bar.set_length(total),
            None => self.bar.unset_length(),
        }
        self.bar.set_position(read);
        let frames = progress.frames();
        self.bar.set_message(format!("{frames} frames, {flows} flows, {}", human_bytes(read)));
    }
}

/// A line is told this often.
const PAUSE: Duration = Duration::from_millis(200);

/// Tells how far the pipeline is on standard output, one object a line.
#[derive(Default)]
pub struct Lines {
    last: Mutex<Option<(Instant, Far)>>,
}

/// Bytes read, bytes there are, frames.
type Far = (u64, Option<u64>, u64);

impl Lines {
    fn say(&self, stage: &str, (bytes, total, frames): Far, flows: u64) {
        let line = serde_json::json!({ "stage": stage, "bytes": bytes, "bytes_total": total, "frames": frames, "flows": flows });
        // Nobody listening any more is no reason to stop.
        let _ = writeln!(std::io::stdout(), "{line}");
    }
}

impl Observer for Lines {
    fn stage(&self, stage: Stage) {
        let name = match stage {
            Stage::Reading => "reading",
            Stage::Storing => "storing",
            Stage::Detecting => "detecting",
            Stage::Reporting => "reporting",
        };
        let far = self.last.lock().unwrap_or_else(PoisonError::into_inner).map_or((0, None, 0), |(_, far)| far);
        self.say(name, far, 0);
    }

    fn read(&self, progress: &Arc<Progress>, flows: u64) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let told = last.map(|(at, _)| at).filter(|at| at.elapsed() < PAUSE);
        let far = (progress.bytes_read(), progress.bytes_total(), progress.frames());
        *last = Some((told.unwrap_or_else(Instant::now), far));
        drop(last);
        if told.is_none() {
            self.say("reading", far, flows);
        }
    }
}
