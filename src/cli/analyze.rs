//! `vigil analyze`: evidence becomes a case, findings and reports.

use super::args::{AnalyzeArgs, CommonArgs, HashChoice, ModelChoice, ReportFormat};
use super::explain::Narrator;
use super::progress::{Bar, Lines};
use super::settings::Settings;
use super::{Exit, Failure};
use crate::capture::Hash;
use crate::detect::{Override, models};
use crate::model::{HomeNets, Report};
use crate::pipeline::{self, Analyzed, Options, case_name};
use crate::report::{self, Format};
use std::io::{IsTerminal, Write};
use std::path::Path;

/// Runs it.
pub fn run(args: Box<AnalyzeArgs>) -> Result<Exit, Failure> {
    let settings = Settings::resolve(Some(&args.common))?;
    let options = options(&args, &settings)?;
    if let Some(case) = &args.reproduce {
        return super::verify::reproduce(case, &args, &options);
    }
    let narrator = Narrator::wanted(&args.common.asked, false)?;
    let lines = args.tell.then(Lines::default);
    let bar = Bar::new(args.common.quiet || args.tell);
    let observer: &dyn pipeline::Observer = lines.as_ref().map_or(&bar, |lines| lines);
    let mut analyzed = pipeline::analyze(&options, observer)?;
    if let Some(narrator) = narrator {
        analyzed.report = narrator.tell(&analyzed.folder, &options.formats)?;
    }
    if args.common.json {
        print_json(&analyzed)?;
    } else if !args.common.quiet {
        print_summary(&analyzed, &options.formats)?;
    }
    Ok(match () {
        () if analyzed.incomplete => Exit::Incomplete,
        () if analyzed.has_findings(settings.fail_on.value) => Exit::Findings,
        () => Exit::Quiet,
    })
}

fn options(args: &AnalyzeArgs, settings: &Settings) -> Result<Options, Failure> {
    let folder = settings.out.value.clone().unwrap_or_else(|| args.paths.first().map(|path| case_name(path)).unwrap_or_default().into());
    Ok(Options { paths: args.paths.clone(), folder, ..common(&args.common, settings)? })
}

/// What `analyze` and `live` have in common: all but the evidence, and where the case goes if nobody said.
pub fn common(args: &CommonArgs, settings: &Settings) -> Result<Options, Failure> {
    let mut overrides = settings.tune.value.iter().map(|given| Override::parse(given)).collect::<Result<Vec<_>, _>>()?;
    let models = model_settings(settings).tune(&mut overrides)?;
    let nets = settings.home_net.value.clone();
    Ok(Options {
        paths: Vec::new(),
        folder: settings.out.value.clone().unwrap_or_default(),
        formats: args.report.iter().map(|format| (*format).into()).collect(),
        home_nets: if nets.is_empty() { HomeNets::default() } else { HomeNets::new(nets) },
        filter: args.filter.clone(),
        rules: settings.rules.value.clone(),
        overrides,
        overrides_typed: settings.tune.value.clone(),
        hash: match settings.hash.value {
            HashChoice::Both => Hash::Both,
            HashChoice::Sha256 => Hash::Sha256,
            HashChoice::Blake3 => Hash::Blake3,
        },
        memory: settings.memory.value,
        threads: settings.threads.value,
        idle: settings.idle.value,
        active: settings.active.value,
        reveal_secrets: args.reveal_secrets,
        models,
        intel: settings.intel.value.clone(),
        keys: pipeline::read_keys(&args.keylog).map_err(|error| Failure::Usage(error.to_string()))?,
        keylogs: args.keylog.clone(),
        geoip: settings.geoip.value.clone(),
        baseline: settings.baseline.value.clone(),
        sigma: settings.sigma.value,
        argv: std::env::args().collect(),
    })
}

/// What the models are told, but for what `--set` says.
fn model_settings(settings: &Settings) -> models::Settings {
    models::Settings {
        which: match settings.models.value {
            ModelChoice::All => models::Which::All,
            ModelChoice::Forest => models::Which::Forest,
            ModelChoice::None => models::Which::None,
        },
        contamination: settings.contamination.value,
        false_per_day: settings.false_findings.value,
        ..models::Settings::default()
    }
}

impl From<ReportFormat> for Format {
    fn from(format: ReportFormat) -> Self {
        match format {
            ReportFormat::Html => Self::Html,
            ReportFormat::Json => Self::Json,
            ReportFormat::Md => Self::Md,
            ReportFormat::Csv => Self::Csv,
        }
    }
}

/// The result on standard output, for programs.
pub fn print_json(analyzed: &Analyzed) -> Result<(), Failure> {
    let json = report::render(Format::Json, &analyzed.report)?;
    std::io::stdout().write_all(&json).map_err(Failure::stdout)
}

/// The report on one line of standard output, if it is wanted.
pub fn report_as_json(report: &Report, wanted: bool) -> Result<(), Failure> {
    if !wanted {
        return Ok(());
    }
    let line = serde_json::to_string(report).map_err(|error| Failure::stdout(error.into()))?;
    writeln!(std::io::stdout(), "{line}").map_err(Failure::stdout)
}

/// The result in a dozen lines, for people, with what to type next.
pub fn print_summary(analyzed: &Analyzed, formats: &[Format]) -> Result<(), Failure> {
    print_report(&analyzed.report, &analyzed.folder, formats)
}

/// A report in a dozen lines, and where those in other formats are.
pub fn print_report(report: &Report, folder: &Path, formats: &[Format]) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let text = screen(report);
    out.write_all(text.as_bytes()).map_err(Failure::stdout)?;
    for format in formats {
        writeln!(out, "  {}", shown(&folder.join(format.file_name()))).map_err(Failure::stdout)?;
    }
    Ok(())
}

/// The summary as wide as the terminal, coloured only on one.
pub fn screen(report: &Report) -> String {
    let terminal = std::io::stdout().is_terminal();
    let colour = terminal && std::env::var_os("NO_COLOR").is_none();
    let width = if terminal { usize::from(console::Term::stdout().size().1) } else { 100 };
    report::terminal(report, width.clamp(60, 160), colour)
}

/// A path as short as it can be said from here.
pub fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(&here).unwrap_or(path).display().to_string()
}
