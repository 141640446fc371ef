//! `vigil suppress` and `vigil comment`: what people have to say about findings.

use super::args::{CommentArgs, ScopeChoice, SuppressArgs};
use super::{Exit, Failure};
use crate::pipeline::notes::{self, Notes, Scope, Suppression, Who};
use crate::report::visible;
use std::io::Write;
use std::path::Path;

impl From<ScopeChoice> for Scope {
    fn from(choice: ScopeChoice) -> Self {
        match choice {
            ScopeChoice::Finding => Self::Finding,
            ScopeChoice::Rule => Self::Rule,
            ScopeChoice::Host => Self::Host,
            ScopeChoice::Pair => Self::Pair,
            ScopeChoice::Domain => Self::Domain,
        }
    }
}

/// Runs `vigil suppress`.
pub fn run(args: SuppressArgs) -> Result<Exit, Failure> {
    let who = Who { author: author(args.author), reason: args.reason.unwrap_or_default() };
    match (args.finding, args.undo) {
        (_, Some(id)) => undo(&args.case, &id, &who, args.json),
        (Some(id), None) => {
            if args.domain.is_some() && args.scope != ScopeChoice::Domain {
                return Err(Failure::Usage("--domain is for --scope domain".into()));
            }
            if who.reason.trim().is_empty() {
                return Err(Failure::Usage("--reason is empty; say why, for whoever reads it later".into()));
            }
            let lasts = args.expires.as_deref().map(parse_lasting).transpose()?;
            let made = notes::suppress(&args.case, &id, args.scope.into(), args.domain.as_deref(), &who, lasts)?;
            told(&args.case, &made, args.json)
        }
        (None, None) => list(&args.case, args.json),
    }
}

/// Runs `vigil comment`.
pub fn comment(args: CommentArgs) -> Result<Exit, Failure> {
    if args.text.trim().is_empty() {
        return Err(Failure::Usage("the comment is empty; write what is to be noted".into()));
    }
    notes::comment(&args.case, &args.finding, &args.text, &author(args.author))?;
    writeln!(std::io::stdout(), "noted on {}", args.finding).map_err(Failure::stdout)?;
    Ok(Exit::Quiet)
}

fn author(typed: Option<String>) -> String {
    let logged_in = || ["USER", "LOGNAME", "USERNAME"].iter().find_map(|name| std::env::var(name).ok()).filter(|name| !name.is_empty());
    typed.filter(|name| !name.trim().is_empty()).or_else(logged_in).unwrap_or_else(|| "unknown".into())
}

fn told(case: &Path, made: &Suppression, json: bool) -> Result<Exit, Failure> {
    let mut out = std::io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::to_string(made).unwrap_or_default()).map_err(Failure::stdout)?;
        return Ok(Exit::Quiet);
    }
    let all = crate::pipeline::read_findings(case)?;
    let notes = Notes::read(case)?;
    let mine = |finding: &&crate::model::Finding| notes.hiding(&notes::Subject::of(finding)).is_some_and(|one| one.id == made.id);
    let ids: Vec<&str> = all.iter().filter(mine).map(|finding| finding.id.as_str()).collect();
    writeln!(out, "{}: {}", made.id, shown(made)).map_err(Failure::stdout)?;
    writeln!(out, "  puts aside {}; take it back with: vigil suppress CASE --undo {}", ids.join(", "), made.id).map_err(Failure::stdout)?;
    Ok(Exit::Quiet)
}

fn undo(case: &Path, id: &str, who: &Who, json: bool) -> Result<Exit, Failure> {
    let undone = notes::unsuppress(case, id, who)?;
    let mut out = std::io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::json!({ "undone": undone })).map_err(Failure::stdout)?;
    } else {
        writeln!(out, "{} taken back", undone.join(", ")).map_err(Failure::stdout)?;
    }
    Ok(Exit::Quiet)
}

fn list(case: &Path, json: bool) -> Result<Exit, Failure> {
    crate::store::manifest::read(case)?;
    let notes = Notes::read(case)?;
    let mut out = std::io::stdout().lock();
    for one in &notes.suppressions {
        if json {
            writeln!(out, "{}", serde_json::to_string(one).unwrap_or_default()).map_err(Failure::stdout)?;
        } else {
            writeln!(out, "{:<5} {:<8} {}", one.id, one.state, shown(one)).map_err(Failure::stdout)?;
        }
    }
    if !json {
        let active = notes.suppressions.iter().filter(|one| one.state == "active").count();
        writeln!(out, "{active} in force").map_err(Failure::stdout)?;
    }
    Ok(Exit::Quiet)
}

/// One line, safe for a terminal.
fn shown(one: &Suppression) -> String {
    let names = |names: &[String]| names.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
    let about = match one.scope {
        Scope::Finding => one.finding.clone(),
        Scope::Rule => format!("everything of {}", one.subject.rule),
        Scope::Host if one.subject.actors.is_empty() => format!("{} of {}", one.subject.rule, names(&one.subject.targets)),
        Scope::Host => format!("{} of {}", one.subject.rule, names(&one.subject.actors)),
        Scope::Pair => format!("{} between {} and {}", one.subject.rule, names(&one.subject.actors), names(&one.subject.targets)),
        Scope::Domain => format!("{} about {}", one.subject.rule, one.domain.as_deref().unwrap_or_default()),
    };
    let until = one.expires.as_deref().map(|until| format!(" until {until}")).unwrap_or_default();
    let line = format!("{about}{until}: {} ({}, {})", one.reason, one.author, one.at);
    visible(&line).into_owned()
}

/// `12h`, `30d`, `8w`.
fn parse_lasting(text: &str) -> Result<chrono::Duration, Failure> {
    let wrong = || Failure::Usage(format!("--expires {text:?}: write a time such as 12h, 30d or 8w"));
    let (at, unit) = text.char_indices().last().ok_or_else(wrong)?;
    let number: i64 = text[..at].parse().ok().filter(|number| (1..=100_000).contains(number)).ok_or_else(wrong)?;
    match unit {
        'h' => Ok(chrono::Duration::hours(number)),
        'd' => Ok(chrono::Duration::days(number)),
        'w' => Ok(chrono::Duration::weeks(number)),
        _ => Err(wrong()),
    }
}
