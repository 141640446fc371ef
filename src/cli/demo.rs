//! `vigil demo`: a generated attack, analysed, so that a newcomer sees an answer within seconds.

use super::analyze::{print_json, print_summary, shown};
use super::args::DemoArgs;
use super::progress::Bar;
use super::settings::Settings;
use super::{Exit, Failure};
use crate::model::time::SECOND;
use crate::pipeline::{self, Options};
use crate::report::Format;
use crate::synth::{self, Load, Profile, SCENARIOS};
use std::io::{BufWriter, Write};
use std::path::PathBuf;

const HOUR: i64 = 3_600 * SECOND;

/// Runs it.
pub fn run(args: DemoArgs) -> Result<Exit, Failure> {
    if args.list {
        return list();
    }
    let made = make(&args)?;
    if args.capture_only {
        return told(&made);
    }
    let (name, pcap) = (&made.name, made.pcap.clone());
    let settings = Settings::resolve(None)?;
    let mut options = Options::new(vec![pcap.clone()], args.out.join(format!("{name}.vigil")));
    options.formats = vec![Format::Html];
    (options.memory, options.threads) = (settings.memory.value, settings.threads.value);
    options.argv = std::env::args().collect();
    let analyzed = pipeline::analyze(&options, &Bar::new(args.json))?;
    if args.json {
        print_json(&analyzed)?;
    } else {
        print_summary(&analyzed, &options.formats)?;
        writeln!(std::io::stdout()).map_err(Failure::stdout)?;
        told(&made)?;
    }
    // The demo has shown what it should: finding the attack is its success.
    Ok(Exit::Quiet)
}

/// A capture on disk.
struct Made {
    name: String,
    pcap: PathBuf,
    truth: PathBuf,
}

/// Writes the capture that was asked for, and what is in it.
fn make(args: &DemoArgs) -> Result<Made, Failure> {
    let wrong = |error| Failure::Write { what: format!("into {}", args.out.display()), error };
    std::fs::create_dir_all(&args.out).map_err(wrong)?;
    let name = match (&args.scenario, args.flows) {
        (Some(name), _) => name.clone(),
        (None, Some(flows)) => format!("flows-{flows}"),
        (None, None) => "demo".into(),
    };
    let [pcap, truth] = ["pcap", "truth.jsonl"].map(|ending| args.out.join(format!("{name}.{ending}")));
    let file = |path| std::fs::File::create(path).map(BufWriter::new).map_err(wrong);
    let labels = match (&args.scenario, args.flows) {
        (None, Some(flows)) => synth::scale(&load(args, flows), file(&pcap)?).map_err(wrong)?.truth,
        (scenario, _) => {
            let capture = match scenario {
                Some(name) => synth::scenario(name).ok_or_else(|| unknown(name))?,
                None => synth::demo(args.seed),
            };
            synth::write_pcap(&capture, file(&pcap)?).map_err(wrong)?;
            capture.truth
        }
    };
    std::fs::write(&truth, labels.jsonl()).map_err(wrong)?;
    Ok(Made { name, pcap, truth })
}

/// An hour, unless so many flows take longer at a thousand a second.
fn load(args: &DemoArgs, flows: u64) -> Load {
    let (profile, per_flow, usual_rate) = if args.tiny { (Profile::Tiny, 2, 0.0) } else { (Profile::Mixed, 20, 0.15) };
    let anomalies = (flows as f64 * args.anomaly_rate.unwrap_or(usual_rate)).round() as u64;
    let span = HOUR.max(flows as i64 * (SECOND / 1_000));
    Load { flows, packets: flows * per_flow, seed: args.seed, profile, anomalies, span: Some(span) }
}

fn told(made: &Made) -> Result<Exit, Failure> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "The capture: {}   what is in it: {}", shown(&made.pcap), shown(&made.truth)).map_err(Failure::stdout)?;
    Ok(Exit::Quiet)
}

fn list() -> Result<Exit, Failure> {
    let mut out = std::io::stdout().lock();
    for scenario in SCENARIOS {
        writeln!(out, "{:<28} {}", scenario.name, scenario.shows).map_err(Failure::stdout)?;
    }
    Ok(Exit::Quiet)
}

fn unknown(name: &str) -> Failure {
    Failure::Usage(format!("no scenario is called {name:?}; `vigil demo --list` names them all"))
}
