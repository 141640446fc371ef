//! `vigil demo`: a generated attack, analysed, so that a newcomer sees an answer within seconds.

use super::analyze::{print_json, print_summary, shown};
use super::args::DemoArgs;
use super::progress::Bar;
use super::settings::Settings;
use super::{Exit, Failure};
use crate::pipeline::{self, Options};
use crate::report::Format;
use crate::synth::{self, SCENARIOS};
use std::io::Write;

/// Runs it.
pub fn run(args: DemoArgs) -> Result<Exit, Failure> {
    if args.list {
        return list();
    }
    let (name, capture) = match &args.scenario {
        Some(name) => (name.as_str(), synth::scenario(name).ok_or_else(|| unknown(name))?),
        None => ("demo", synth::demo(args.seed)),
    };
    let wrong = |error| Failure::Write { what: format!("into {}", args.out.display()), error };
    std::fs::create_dir_all(&args.out).map_err(wrong)?;
    let pcap = args.out.join(format!("{name}.pcap"));
    let mut bytes = Vec::new();
    synth::write_pcap(&capture, &mut bytes).map_err(wrong)?;
    std::fs::write(&pcap, bytes).map_err(wrong)?;
    let truth = args.out.join(format!("{name}.truth.jsonl"));
    std::fs::write(&truth, capture.truth.jsonl()).map_err(wrong)?;
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
        let mut out = std::io::stdout().lock();
        writeln!(out, "\nThe capture: {}   what is in it: {}", shown(&pcap), shown(&truth)).map_err(Failure::stdout)?;
    }
    // The demo has shown what it should: finding the attack is its success.
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
