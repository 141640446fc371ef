//! `vigil explain`: the case in words.

#[cfg(feature = "llm")]
mod model;

use super::args::{ApiChoice, ExplainArgs};
use super::{Exit, Failure};
use crate::model::report::{Part, Prose};
use crate::narrate::About;
use crate::pipeline::telling::{self, Explained};
use crate::report::visible;
use serde_json::json;
use std::io::Write;

/// Runs it.
pub fn run(args: ExplainArgs) -> Result<Exit, Failure> {
    let parts = args.what.iter().map(|typed| typed.parse::<About>().map_err(Failure::Usage)).collect::<Result<Vec<_>, _>>()?;
    let explained = match args.llm {
        None => telling::explain(&args.case, &parts)?,
        Some(api) => match asked(&args, api, &parts)? {
            Some(explained) => explained,
            None => return Ok(Exit::Quiet),
        },
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

/// What a model says; none after a dry run.
#[cfg(feature = "llm")]
fn asked(args: &ExplainArgs, api: ApiChoice, parts: &[About]) -> Result<Option<Explained>, Failure> {
    model::asked(args, api, parts)
}

/// This build cannot speak to a network.
#[cfg(not(feature = "llm"))]
fn asked(_: &ExplainArgs, _: ApiChoice, _: &[About]) -> Result<Option<Explained>, Failure> {
    Err(Failure::Usage("this build cannot ask models; leave --llm out for the template, or build with --features llm".into()))
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
