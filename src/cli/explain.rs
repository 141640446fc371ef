//! `vigil explain`: the case in words.

#[cfg(feature = "llm")]
mod model;

use super::args::ExplainArgs;
#[cfg(not(feature = "llm"))]
use super::args::ModelArgs;
use super::{Exit, Failure};
use crate::model::Report;
use crate::model::report::{Part, Prose};
use crate::narrate::About;
use crate::pipeline::telling::{self, Explained};
use crate::report::{Format, visible};
use serde_json::json;
use std::io::Write;
use std::path::Path;

/// Runs it.
pub fn run(args: ExplainArgs) -> Result<Exit, Failure> {
    let parts = args.what.iter().map(|typed| typed.parse::<About>().map_err(Failure::Usage)).collect::<Result<Vec<_>, _>>()?;
    let explained = match Narrator::wanted(&args.asked, args.dry_run)? {
        None => telling::explain(&args.case, &parts)?,
        Some(narrator) if args.dry_run => {
            narrator.show(&args.case, &parts)?;
            return Ok(Exit::Quiet);
        }
        Some(narrator) => narrator.ask(&args.case, &parts)?,
    };
    let mut out = std::io::stdout().lock();
    if args.json {
        let value = json!({ "prose": explained.prose, "tokens": explained.tokens, "remembered": explained.remembered });
        writeln!(out, "{value:#}").map_err(Failure::stdout)?;
    } else {
        say(&mut out, &explained).map_err(Failure::stdout)?;
    }
    Ok(Exit::Quiet)
}

/// A model that was asked for, ready to be asked.
pub struct Narrator(#[cfg(feature = "llm")] crate::narrate::llm::Settings);

impl Narrator {
    /// Has a finished case told, and writes its reports again; returns what they say.
    pub fn tell(self, folder: &Path, formats: &[Format]) -> Result<Report, Failure> {
        self.ask(folder, &[])?;
        let report = crate::pipeline::reopen(folder)?;
        crate::pipeline::write_reports(&report, formats, folder)?;
        Ok(report)
    }
}

/// This build cannot speak to a network.
#[cfg(not(feature = "llm"))]
impl Narrator {
    /// None can be had.
    pub fn wanted(asked: &ModelArgs, _: bool) -> Result<Option<Self>, Failure> {
        let why = "this build cannot ask models; leave --llm out for the template, or build with --features llm";
        asked.llm.map_or(Ok(None), |_| Err(Failure::Usage(why.into())))
    }

    fn ask(self, folder: &Path, parts: &[About]) -> Result<Explained, Failure> {
        Ok(telling::explain(folder, parts)?)
    }

    fn show(self, _: &Path, _: &[About]) -> Result<(), Failure> {
        Ok(())
    }
}

fn say(out: &mut impl Write, explained: &Explained) -> std::io::Result<()> {
    for (index, prose) in explained.prose.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        told(out, prose)?;
    }
    if explained.tokens > 0 || explained.remembered > 0 {
        writeln!(out, "\n{} tokens spent, {} answered before", explained.tokens, explained.remembered)?;
    }
    Ok(())
}

fn told(out: &mut impl Write, prose: &Prose) -> std::io::Result<()> {
    writeln!(out, "{}  told by {}", prose.about, visible(&prose.narrator))?;
    for part in Part::ALL {
        if prose.part(part).next().is_none() {
            continue;
        }
        writeln!(out, "\n{}", part.heading())?;
        for sentence in prose.part(part) {
            let cites = if sentence.cites.is_empty() { String::new() } else { format!(" [{}]", sentence.cites.join(", ")) };
            for line in wrapped(&format!("{}{cites}", visible(&sentence.text))) {
                writeln!(out, "  {line}")?;
            }
        }
    }
    if !prose.note.is_empty() {
        writeln!(out, "\n  note: the model could not be used: {}", visible(&prose.note))?;
    }
    if prose.dropped > 0 {
        writeln!(out, "\n  {} sentences were dropped: they said what the findings do not", prose.dropped)?;
    }
    Ok(())
}

/// Lines of at most a hundred characters, broken at blanks.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    for word in text.split(' ') {
        let full = lines.last().is_some_and(|line| !line.is_empty() && line.chars().count() + 1 + word.chars().count() > 98);
        if full {
            lines.push(format!("  {word}"));
        } else if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}
