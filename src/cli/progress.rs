//! Progress on long work: a bar on a terminal, nothing in pipes.

use crate::capture::Progress;
use crate::model::time::human_bytes;
use crate::pipeline::{Observer, Stage};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

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
