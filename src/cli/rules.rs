//! `vigil rules`: what is looked for, why, and whether it works.

use super::args::{RulesAction, RulesArgs};
use super::settings::{Settings, parse_size};
use super::{Exit, Failure};
use crate::detect::{self, Rule, Rules};
use crate::model::report::RuleRun;
use crate::model::{Finding, Severity};
use crate::pipeline::{self, Options, Silent};
use crate::report::text::count;
use crate::store::{self, Case, Replace};
use crate::synth;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Runs it.
pub fn run(args: RulesArgs) -> Result<Exit, Failure> {
    match args.action {
        RulesAction::List { rules, json } => list(&rules, json),
        RulesAction::Show { id, rules } => show(&id, &rules),
        RulesAction::Time { case, rules, memory, threads, json } => time(&case, &rules, (memory.as_deref(), threads), json),
        RulesAction::Test { ids, rules } => test(&ids, &rules),
    }
}

fn list(dirs: &[PathBuf], json: bool) -> Result<Exit, Failure> {
    let rules = Rules::load(dirs, &[])?;
    let mut out = std::io::stdout().lock();
    for rule in rules.list() {
        let header = &rule.header;
        if json {
            let line = serde_json::json!({
                "id": header.id, "title": header.title, "tactic": rule.tactic, "attack": header.attack,
                "impact": header.impact, "reads": header.reads, "sha256": rule.sha256,
            });
            writeln!(out, "{line}").map_err(Failure::stdout)?;
        } else {
            writeln!(out, "{:<26} {:<20} {:<22} {}", header.id, rule.tactic, header.attack.join(" "), header.title)
                .map_err(Failure::stdout)?;
        }
    }
    Ok(Exit::Quiet)
}

fn show(id: &str, dirs: &[PathBuf]) -> Result<Exit, Failure> {
    let rules = Rules::load(dirs, &[])?;
    let rule: &Rule = rules.expect(id)?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "-- {}  (sha256 {})\n{}", rule.origin, rule.sha256, rule.text.trim_end()).map_err(Failure::stdout)?;
    Ok(Exit::Quiet)
}

/// How long each rule takes on a case, and all of them beside the analysis that made the case.
fn time(folder: &Path, dirs: &[PathBuf], (memory, threads): (Option<&str>, Option<usize>), json: bool) -> Result<Exit, Failure> {
    let settings = Settings::resolve(None)?;
    let mut options = Options::new(Vec::new(), folder.into());
    options.memory = memory.map_or(Ok(settings.memory.value), |text| parse_size(text).map_err(Failure::Usage))?;
    options.threads = threads.unwrap_or(settings.threads.value).max(1);
    let rules = Rules::load(dirs, &[])?;
    let report = pipeline::reopen(folder)?;
    let store = options.store([0; 16]);
    let case = store::open_for_rules(folder, store.memory_limit, store.threads)?;
    let began = Instant::now();
    let detected = rules.run(case.connection(), &detect::Settings { home: options.home_nets, threads: options.threads })?;
    let all = began.elapsed().as_secs_f64();
    let mut runs: Vec<(f64, &RuleRun)> = detected.took.iter().map(Duration::as_secs_f64).zip(&detected.runs).collect();
    runs.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.id.cmp(&b.1.id)));
    let mut out = std::io::stdout().lock();
    if json {
        let each: Vec<_> = runs
            .iter()
            .map(|(seconds, run)| serde_json::json!({ "id": run.id, "seconds": seconds, "status": run.status, "findings": run.findings }))
            .collect();
        let shared = detected.shared.as_secs_f64();
        let record = serde_json::json!({ "seconds": all, "shared_seconds": shared, "analysis_seconds": report.run.seconds, "rules": each });
        writeln!(out, "{record:#}").map_err(Failure::stdout)?;
        return Ok(Exit::Quiet);
    }
    for (seconds, run) in &runs {
        writeln!(out, "{seconds:>8.3} s  {:<26} {:<14} {} findings", run.id, run.status, run.findings).map_err(Failure::stdout)?;
    }
    let work: f64 = runs.iter().map(|(seconds, _)| seconds).sum();
    let (shared, analysis) = (detected.shared.as_secs_f64(), report.run.seconds);
    writeln!(
        out,
        "{} rules took {all:.2} s on {}: {work:.2} s of work and {shared:.2} s for what they share; the analysis took {analysis:.2} s",
        runs.len(),
        if options.threads == 1 { "1 thread".into() } else { format!("{} threads", options.threads) }
    )
    .map_err(Failure::stdout)?;
    Ok(Exit::Quiet)
}

/// Each rule must parse, bind on an empty case, fire on the dataset that proves it, and keep silent on the look-alike.
fn test(ids: &[String], dirs: &[PathBuf]) -> Result<Exit, Failure> {
    let rules = Rules::load(dirs, &[])?;
    for id in ids {
        rules.expect(id)?;
    }
    let scratch = Scratch::new()?;
    let empty = Case::create(&scratch.0.join("empty.vigil"), &store::Options::default(), Replace::Yes)?;
    let mut out = std::io::stdout().lock();
    let mut failed = 0;
    for rule in rules.list().filter(|rule| ids.is_empty() || ids.contains(&rule.header.id)) {
        let said = proof(&rules, rule, &empty, dirs, &scratch)?;
        failed += u64::from(said.is_err());
        let (word, why) = match &said {
            Ok(why) => ("ok", why),
            Err(why) => ("FAILED", why),
        };
        writeln!(out, "{word:<7} {:<26} {why}", rule.header.id).map_err(Failure::stdout)?;
    }
    writeln!(out, "{}", if failed == 0 { "all rules hold".into() } else { format!("{failed} failed") }).map_err(Failure::stdout)?;
    Ok(if failed == 0 { Exit::Quiet } else { Exit::Findings })
}

/// `Ok` with what was shown, or `Err` with what is wrong.
fn proof(rules: &Rules, rule: &Rule, empty: &Case, dirs: &[PathBuf], scratch: &Scratch) -> Result<Result<String, String>, Failure> {
    let wrong = detect::check(rules, rule, empty.connection())?;
    if !wrong.is_empty() {
        return Ok(Err(wrong.join("; ")));
    }
    let dataset = &rule.header.fires_on;
    let Some(found) = scratch.findings(dataset, &rule.header.id, dirs)? else {
        return Ok(Err(format!("fires_on = {dataset:?}, but there is no such dataset; `vigil demo --list` names them all")));
    };
    if found == 0 {
        return Ok(Err(format!("silent on its dataset {dataset:?}")));
    }
    let alike = format!("{dataset}-benign");
    Ok(match scratch.findings(&alike, &rule.header.id, dirs)? {
        Some(0) => Ok(format!("fires on {dataset}, silent on {alike}")),
        Some(false_alarms) => Err(format!("{} on {alike}", count(false_alarms as u64, "false finding"))),
        None => Ok(format!("fires on {dataset}; no look-alike")),
    })
}

/// A folder for cases that are made to be asked once.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self, Failure> {
        let folder = std::env::temp_dir().join(format!("vigil-rules-{}", std::process::id()));
        std::fs::create_dir_all(&folder).map_err(|error| Failure::Write { what: folder.display().to_string(), error })?;
        Ok(Self(folder))
    }

    /// How many findings of low or more `rule` makes on a dataset; `None` if there is no such dataset.
    fn findings(&self, dataset: &str, rule: &str, dirs: &[PathBuf]) -> Result<Option<usize>, Failure> {
        let Some(capture) = synth::scenario(dataset) else { return Ok(None) };
        let pcap = self.0.join(format!("{dataset}.pcap"));
        let wrong = |error| Failure::Write { what: pcap.display().to_string(), error };
        let mut bytes = Vec::new();
        synth::write_pcap(&capture, &mut bytes).map_err(wrong)?;
        std::fs::write(&pcap, bytes).map_err(wrong)?;
        let mut options = Options::new(vec![pcap.clone()], self.0.join(format!("{dataset}.vigil")));
        options.rules = dirs.to_vec();
        if let Some(text) = synth::list(dataset) {
            let list = self.0.join(format!("{dataset}.list"));
            std::fs::write(&list, text).map_err(|error| Failure::Write { what: list.display().to_string(), error })?;
            options.intel = vec![list];
        }
        let report = pipeline::analyze(&options, &Silent)?.report;
        let counts = |finding: &&Finding| finding.rule == rule && finding.severity >= Severity::Low;
        Ok(Some(report.findings.iter().filter(counts).count()))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
