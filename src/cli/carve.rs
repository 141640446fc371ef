//! `vigil carve`: from a finding to its packets.

use super::analyze::shown;
use super::args::CarveArgs;
use super::settings::parse_time;
use super::{Exit, Failure};
use crate::model::time::human_bytes;
use crate::pipeline::carve::{self, Carved, Request, Selection};
use crate::report::{shell_path, visible};
use std::io::Write;

/// Runs it.
pub fn run(args: CarveArgs) -> Result<Exit, Failure> {
    let selections = args.selections.iter().map(|typed| typed.parse::<Selection>().map_err(Failure::Usage));
    let context = args.context.as_deref().map(parse_time).transpose();
    let request = Request {
        case: args.case,
        selections: selections.collect::<Result<_, _>>()?,
        typed: args.selections,
        out: args.out,
        files: args.files,
        context_ns: context.map_err(|why| Failure::Usage(format!("--context: {why}")))?.unwrap_or(0),
        frames_only: args.frames_only,
        evidence: args.evidence,
    };
    let carved = carve::carve(&request)?;
    let mut out = std::io::stdout().lock();
    if args.json {
        let json = serde_json::to_string_pretty(&carved).unwrap_or_default();
        writeln!(out, "{json}").map_err(Failure::stdout)?;
    } else {
        say(&mut out, &carved).map_err(Failure::stdout)?;
    }
    Ok(Exit::Quiet)
}

fn say(out: &mut impl Write, carved: &Carved) -> std::io::Result<()> {
    let many = |n: u64, noun: &str| format!("{n} {noun}{}", if n == 1 { "" } else { "s" });
    if let Some(path) = &carved.path {
        let around = if carved.context > 0 { format!(", {} of them around those chosen", carved.context) } else { String::new() };
        writeln!(out, "{}  {}{around}, {}", shown(path), many(carved.packets, "packet"), human_bytes(carved.bytes))?;
        writeln!(out, "  SHA-256 {}", carved.sha256.as_deref().unwrap_or_default())?;
    }
    for file in &carved.files {
        let name = file.name.as_deref().map(|name| format!(", called {}", visible(name))).unwrap_or_default();
        let kind = file.mime_type.as_deref().unwrap_or("unknown type");
        let place = file.path.as_deref().map_or_else(|| "–".into(), shown);
        let note = if file.note.is_empty() { String::new() } else { format!(" ({})", file.note) };
        writeln!(out, "{place}  {}, {kind}, frame {}{name}{note}", human_bytes(file.bytes), file.frame)?;
    }
    for (path, hash) in &carved.evidence {
        writeln!(out, "  from {}, unchanged, {hash}", shown(path))?;
    }
    for missing in &carved.missing {
        writeln!(out, "  not carved: {missing}")?;
    }
    if let Some(path) = &carved.path {
        writeln!(out, "  open it: wireshark {}", shell_path(&path.display().to_string()))?;
    }
    Ok(())
}
