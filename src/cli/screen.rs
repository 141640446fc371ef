//! What a live run shows: on a terminal one line that moves, with findings above it; elsewhere plain lines.

use crate::model::report::RuleRun;
use crate::model::time::{human_bytes, rfc3339};
use crate::model::{Finding, Severity};
use crate::pipeline::{Change, Kind, Pulse, Watcher};
use crate::report::visible;
use crate::store::live::LiveCase;
use console::Style;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Without a terminal, a line tells how it goes this often.
const PLAIN_PAUSE: Duration = Duration::from_secs(60);

/// The screen of a live run.
pub struct Screen {
    bar: ProgressBar,
    quiet: bool,
    json: bool,
    terminal: bool,
    colour: bool,
    last: Mutex<Option<(Instant, Pulse)>>,
    told: Mutex<Instant>,
}

impl Screen {
    /// Quiet, for programs (`json`), or for people.
    pub fn new(quiet: bool, json: bool) -> Self {
        let terminal = !quiet && std::io::stderr().is_terminal();
        let bar = if terminal { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(250));
        let colour = terminal && std::env::var_os("NO_COLOR").is_none();
        Self { bar, quiet, json, terminal, colour, last: Mutex::default(), told: Mutex::new(Instant::now()) }
    }

    /// Takes the moving line away.
    pub fn ends(&self) {
        self.bar.finish_and_clear();
    }

    /// A line for people. What is said is escaped already.
    fn say(&self, line: &str) {
        if self.terminal {
            self.bar.println(line);
        } else {
            // Nobody reads any more: that is no reason to stop watching.
            let _ = writeln!(std::io::stderr(), "{line}");
        }
    }

    fn painted(&self, severity: Severity) -> String {
        let style = match severity {
            Severity::Critical => Style::new().red().bold(),
            Severity::High => Style::new().red(),
            Severity::Medium => Style::new().yellow(),
            Severity::Low | Severity::Info => Style::new().dim(),
        };
        let name = format!("{:<8}", severity.name());
        if self.colour { style.force_styling(true).apply_to(name).to_string() } else { name }
    }

    fn finding(&self, change: &Change) -> String {
        let Finding { id, title, says, severity, last_seen, .. } = &change.finding;
        let what = match change.change {
            Kind::New => "",
            Kind::Update => "again: ",
            Kind::Withdrawn => "withdrawn: ",
        };
        let when = last_seen.get(..19).unwrap_or(last_seen);
        format!("{} {} {id:<4} {what}{}: {}", when, self.painted(*severity), visible(title), visible(says))
    }
}

impl Watcher for Screen {
    fn begins(&self, case: &LiveCase) {
        if !self.quiet && !self.json {
            self.say(&format!("watching; the case is {}, Ctrl-C ends it in order", visible(&case.folder().display().to_string())));
        }
    }

    fn pulse(&self, pulse: &Pulse) {
        if self.quiet || self.json {
            return;
        }
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let line = line(pulse, last.as_ref().map(|(at, before)| (at.elapsed(), before)));
        if self.terminal {
            self.bar.set_message(line);
            *last = Some((Instant::now(), pulse.clone()));
            return;
        }
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.elapsed() >= PLAIN_PAUSE {
            *told = Instant::now();
            *last = Some((Instant::now(), pulse.clone()));
            self.say(&line);
        }
    }

    fn change(&self, change: &Change) {
        if self.json {
            if let Ok(line) = serde_json::to_string(change) {
                let _ = writeln!(std::io::stdout(), "{line}");
            }
        } else if !self.quiet && (change.change != Kind::Withdrawn || change.finding.severity > Severity::Info) {
            self.say(&self.finding(change));
        }
    }

    fn rules(&self, _: &[RuleRun]) {}

    fn trouble(&self, what: &str) {
        self.say(&format!("vigil: {}", visible(what)));
    }
}

/// `14:03:07  12.4 MB/s  9,812 pkt/s  1,204 flows  0 dropped  findings: 1 high, 3 low  check 0.4 s`.
fn line(pulse: &Pulse, before: Option<(Duration, &Pulse)>) -> String {
    let rate = |now: u64, then: fn(&Pulse) -> u64| {
        before.map_or(0, |(since, before)| (now.saturating_sub(then(before)) as f64 / since.as_secs_f64().max(0.001)).round() as u64)
    };
    let time = pulse.now.map(rfc3339).unwrap_or_default();
    let mut parts = vec![
        time.get(11..19).unwrap_or("no packet yet").to_string(),
        format!("{}/s", human_bytes(rate(pulse.bytes, |pulse| pulse.bytes))),
        format!("{} pkt/s", rate(pulse.frames, |pulse| pulse.frames)),
        format!("{} packets", pulse.frames),
        format!("{} flows open", pulse.open_flows),
        format!("{} dropped", pulse.dropped),
        format!("findings: {}", standing(&pulse.standing)),
    ];
    if pulse.check > Duration::ZERO {
        parts.push(format!("check {:.1} s", pulse.check.as_secs_f64()));
    }
    if pulse.ring_bytes > 0 {
        parts.push(format!("ring {}", human_bytes(pulse.ring_bytes)));
    }
    parts.join("  ")
}

/// `1 high, 3 low`, gravest first.
fn standing(counts: &[u64; 5]) -> String {
    let told = Severity::ALL.iter().zip(counts).rev().filter(|(_, count)| **count > 0);
    let told: Vec<String> = told.map(|(severity, count)| format!("{count} {}", severity.name())).collect();
    if told.is_empty() { "none".into() } else { told.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_tells_rates_drops_and_findings() {
        let before = Pulse { frames: 100, bytes: 1_000, ..Pulse::default() };
        let now = Pulse { frames: 300, bytes: 5_000, dropped: 7, standing: [0, 3, 0, 1, 0], ..Pulse::default() };
        let line = line(&now, Some((Duration::from_secs(2), &before)));
        assert!(line.contains("100 pkt/s") && line.contains("7 dropped") && line.contains("findings: 1 high, 3 low"), "{line}");
    }
}
