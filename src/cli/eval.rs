//! `vigil eval`: how well rules and models find what is known to be there.

use super::args::EvalArgs;
use super::settings::Settings;
use super::{Exit, Failure};
use crate::pipeline::eval::{Captured, Evaluated, Kind, LabelFile, Request, Rules, SetReport, eval};
use crate::pipeline::{Options, Silent};
use std::fmt::Write as _;
use std::io::Write;
use std::path::PathBuf;

/// Runs it.
pub fn run(args: EvalArgs) -> Result<Exit, Failure> {
    let settings = Settings::resolve(None)?;
    let before = args.against.as_deref().map(earlier).transpose()?;
    let scratch = Scratch::new()?;
    let mut options = Options::new(Vec::new(), PathBuf::new());
    options.memory = settings.memory.value;
    options.threads = settings.threads.value;
    options.rules = args.rules;
    let (scratch_folder, others) = (scratch.0.clone(), args.other);
    let request = Request { manifest: args.manifest, captures: args.captures, scratch: scratch_folder, options, others, set: args.set };
    let evaluated = eval(&request, &Silent, |captured| {
        if !args.quiet {
            let _ = writeln!(std::io::stderr(), "{}", line(captured));
        }
    })?;
    if let Some(path) = &args.save {
        let text = serde_json::to_string_pretty(&evaluated).unwrap_or_default();
        std::fs::write(path, text + "\n").map_err(|error| Failure::Write { what: path.display().to_string(), error })?;
    }
    let text = if args.json { json(&evaluated) } else { table(&evaluated, before.as_ref()) };
    std::io::stdout().write_all(text.as_bytes()).map_err(Failure::stdout)?;
    Ok(Exit::Quiet)
}

fn json(evaluated: &Evaluated) -> String {
    serde_json::to_string(evaluated).unwrap_or_default() + "\n"
}

/// What an earlier run saved.
fn earlier(path: &std::path::Path) -> Result<serde_json::Value, Failure> {
    let wrong = |why: String| Failure::Usage(format!("--against {}: {why}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| wrong(format!("it is not what --save writes: {error}")))
}

fn line(captured: &Captured) -> String {
    let found = match (&captured.hit, captured.attack) {
        (Some(rule), _) => format!("found by {rule}"),
        (None, true) => "MISSED".into(),
        (None, false) => "benign".into(),
    };
    let wrong = if captured.wrong.is_empty() { String::new() } else { format!("; cries {}", captured.wrong.join(", ")) };
    crate::report::visible(&format!("{}: {found}{wrong}", captured.file)).into_owned()
}

/// Tables that read as Markdown too.
fn table(evaluated: &Evaluated, before: Option<&serde_json::Value>) -> String {
    let mut text = evaluated.set.as_ref().map(of_set).unwrap_or_default();
    if !evaluated.captures.is_empty() {
        text.push_str(&found(evaluated, before));
        text.push_str(&match evaluated.mixed {
            0 => "\nNo capture has flows of both kinds, so that no score can be told from chance.\n".to_owned(),
            mixed => {
                format!("\nMeans over {mixed} captures with flows of both kinds, {:.3} of them of the attack.\n", evaluated.prevalence)
            }
        });
    } else {
        let _ = writeln!(text, "The models alone; {:.3} of the rows are attacks.", evaluated.prevalence);
    }
    if evaluated.mixed > 0 {
        text.push_str("\n| score | ROC-AUC | PR-AUC |\n| --- | --- | --- |\n");
    }
    for member in evaluated.members.iter().filter(|_| evaluated.mixed > 0) {
        let _ = writeln!(text, "| {} | {:.3} | {:.3} |", member.name, member.curves.roc_auc, member.curves.pr_auc);
    }
    // Without captures the harmless rows stand beside the attacks.
    let harmless = if evaluated.captures.is_empty() { "of harmless rows" } else { "of benign captures" };
    let _ = writeln!(text, "\n| flows are called anomalous | precision | recall | F1 | {harmless} |\n| --- | --- | --- | --- | --- |");
    for call in &evaluated.calls {
        let a = &call.attacks;
        let b = if evaluated.captures.is_empty() { a } else { &call.benign };
        let _ =
            writeln!(text, "| {} | {:.3} | {:.3} | {:.3} | {:.4} |", call.name, a.precision(), a.recall(), a.f1(), b.false_alarm_rate());
    }
    text
}

/// The label files of a published set, and what was found of each of its classes.
fn of_set(set: &SetReport) -> String {
    let mut text = format!("Labels of {}.\n\n| file | rows | attacks | times | SHA-256 |\n| --- | --- | --- | --- | --- |\n", set.set);
    for file in &set.files {
        let unreadable = if file.unreadable == 0 { String::new() } else { format!(", {} not understood", file.unreadable) };
        let verified = if file.verified { ", as published" } else { "" };
        let (name, sum) = (crate::report::visible(&file.file), file.sha256.get(..16).unwrap_or_default());
        let _ = writeln!(text, "| {name} | {}{unreadable} | {} | {} | {sum}…{verified} |", file.rows, file.attacks, times(file));
    }
    let of_rows = set.classes.iter().all(|class| class.flows == 0) && set.left_out == 0;
    if !of_rows {
        let _ = writeln!(
            text,
            "\n{} flows have a label; {} have none, or one that says neither, and are left out.",
            set.labelled, set.left_out
        );
    }
    text.push_str("\n| label | meaning | rows | flows | in findings | improbable at 0.01 |\n| --- | --- | --- | --- | --- | --- |\n");
    for class in &set.classes {
        let meaning = match class.kind {
            Kind::Attack => "attack",
            Kind::Harmless => "harmless",
            Kind::Unclear => "left out",
        };
        let share = |part: u64, whole: u64| if whole == 0 { "–".into() } else { format!("{:.3}", part as f64 / whole as f64) };
        let whole = if of_rows { class.rows } else { class.flows };
        let (flows, found) =
            if of_rows { ("–".into(), "–".into()) } else { (class.flows.to_string(), share(class.in_findings, whole)) };
        let (name, improbable) = (crate::report::visible(&class.name), share(class.improbable, whole));
        let _ = writeln!(text, "| {name} | {meaning} | {} | {flows} | {found} | {improbable} |", class.rows);
    }
    text.push('\n');
    text
}

/// What is known of the clock behind a file.
fn times(file: &LabelFile) -> String {
    let zone = file.zone.as_deref().unwrap_or("–");
    if file.twelve_hours { format!("{zone}, hours 1 to 7 taken for the afternoon") } else { zone.to_owned() }
}

/// What rules found, beside an earlier run and other tools.
fn found(evaluated: &Evaluated, before: Option<&serde_json::Value>) -> String {
    let part = |part: u64, whole: u64| {
        if whole == 0 { "–".to_owned() } else { format!("{:.3} ({part} of {whole})", part as f64 / whole as f64) }
    };
    let figures = |rules: &Rules| {
        [
            ("attacks found, low or above", "found_low", part(rules.found_low, rules.attacks)),
            ("attacks found, medium or above", "found_medium", part(rules.found_medium, rules.attacks)),
            ("attacks found in the first ten", "found_first", part(rules.found_first, rules.attacks)),
            ("findings of medium or more that are right", "medium_right", part(rules.medium_right, rules.medium)),
            ("findings in an attack capture, median", "median_findings", rules.median_findings.to_string()),
            ("benign captures that cry", "benign_crying", part(rules.benign_crying, rules.benign)),
            ("low findings in benign captures", "benign_low", rules.benign_low.to_string()),
        ]
    };
    let others: Vec<_> = evaluated.others.iter().map(|other| (other, figures(&other.rules))).collect();
    let mut columns = vec!["rules", "now"];
    columns.extend(before.map(|_| "before"));
    columns.extend(others.iter().map(|(other, _)| other.tool.as_str()));
    let mut text = format!("| {} |\n|{}\n", columns.join(" | "), " --- |".repeat(columns.len()));
    for (at, (name, key, value)) in figures(&evaluated.rules).into_iter().enumerate() {
        let _ = write!(text, "| {name} | {value} |");
        if let Some(before) = before {
            let _ = write!(text, " {} |", before["rules"].get(key).map_or("–".to_owned(), ToString::to_string));
        }
        others.iter().filter_map(|(_, figures)| figures.get(at)).for_each(|(_, _, value)| text.push_str(&format!(" {value} |")));
        text.push('\n');
    }
    let all = evaluated.captures.len() as u64;
    for other in evaluated.others.iter().filter(|other| other.captures < all) {
        let _ = writeln!(
            text,
            "\n{}: of {} captures there is no output; its figures are of the other {}.",
            other.tool,
            all - other.captures,
            other.captures
        );
    }
    if !evaluated.others.is_empty() {
        text.push_str("\nOf other tools the technique is not asked: a host of the attack is enough.\n");
    }
    text
}

/// A folder that goes away with it.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self, Failure> {
        let folder = std::env::temp_dir().join(format!("vigil-eval-{}", std::process::id()));
        std::fs::create_dir_all(&folder).map_err(|error| Failure::Write { what: folder.display().to_string(), error })?;
        Ok(Self(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
