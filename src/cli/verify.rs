//! `vigil verify`, and `vigil analyze --reproduce`: is it still what it was, and does it come out again?

use super::analyze::shown;
use super::args::{AnalyzeArgs, VerifyArgs};
use super::progress::Bar;
use super::{Exit, Failure};
use crate::pipeline::Options;
use crate::pipeline::custody::{self, Check, State, Verified};
use crate::report::visible;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Runs `vigil verify`.
pub fn run(args: VerifyArgs) -> Result<Exit, Failure> {
    let seen = custody::verify(&args.case, args.evidence.as_deref())?;
    let mut out = std::io::stdout().lock();
    if args.json {
        let mut json = serde_json::to_value(&seen).unwrap_or_default();
        json["holds"] = seen.holds().into();
        writeln!(out, "{json:#}").map_err(Failure::stdout)?;
    } else {
        say(&mut out, &seen).map_err(Failure::stdout)?;
    }
    Ok(if seen.holds() { Exit::Quiet } else { Exit::Incomplete })
}

fn say(out: &mut impl Write, seen: &Verified) -> std::io::Result<()> {
    for Check { kind, name, state, says } in &seen.checks {
        let word = match state {
            State::Same => "same",
            State::Note => "note",
            State::Missing => "MISSING",
            State::Differs => "DIFFERS",
        };
        writeln!(out, "{word:<8} {kind:<9} {}: {}", visible(name), visible(says))?;
    }
    if seen.entries > 0 {
        writeln!(out, "journal head, entry {}: {}", seen.entries, seen.head)?;
    }
    let count = |state| seen.checks.iter().filter(|check| check.state == state).count();
    match (count(State::Differs), count(State::Missing)) {
        (0, 0) => writeln!(out, "the case is what it was"),
        (differs, missing) => writeln!(out, "{differs} differ, {missing} missing: this is not the whole case as it was"),
    }
}

/// Runs `vigil analyze --reproduce`. The second case goes away afterwards unless `--out` names a place for it.
pub fn reproduce(case: &Path, args: &AnalyzeArgs, now: &Options) -> Result<Exit, Failure> {
    let scratch = Scratch(std::env::temp_dir().join(format!("vigil-reproduce-{}", std::process::id())));
    let folder = args.common.out.clone().unwrap_or_else(|| scratch.0.join("again.vigil"));
    std::fs::create_dir_all(&scratch.0).map_err(|error| Failure::Write { what: scratch.0.display().to_string(), error })?;
    let compared = custody::reproduce(case, args.evidence.as_deref(), &folder, now, &Bar::new(args.common.quiet))?;
    let mut out = std::io::stdout().lock();
    if args.common.json {
        let json = serde_json::to_string_pretty(&compared).unwrap_or_default();
        writeln!(out, "{json}").map_err(Failure::stdout)?;
    } else if !args.common.quiet {
        for difference in &compared.differences {
            writeln!(out, "DIFFERS  {}", visible(difference)).map_err(Failure::stdout)?;
        }
        if let Some(version) = &compared.version {
            writeln!(out, "the case was made by vigil {version}, this is {}", env!("CARGO_PKG_VERSION")).map_err(Failure::stdout)?;
        }
        let verdict = match compared.differences.len() {
            0 => format!("the same case: {} tables, the findings and the packet index are equal", compared.tables),
            n => format!("not the same case: {n} differences"),
        };
        writeln!(out, "{verdict}").map_err(Failure::stdout)?;
        if args.common.out.is_some() {
            writeln!(out, "  {}", shown(&folder)).map_err(Failure::stdout)?;
        }
    }
    Ok(if compared.differences.is_empty() { Exit::Quiet } else { Exit::Incomplete })
}

/// A folder that goes away.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
