//! `vigil live`: the same judgement on an interface, for as long as it is wanted.

use super::analyze::{common, print_report, report_as_json};
use super::args::LiveArgs;
use super::explain::Narrator;
use super::screen::Screen;
use super::settings::{Settings, parse_bytes, parse_time};
use super::{Exit, Failure};
use crate::capture::live::{Listening, Speed};
use crate::model::report::RuleRun;
use crate::pipeline::{self, Change, From, LiveOptions, Pulse, Watcher};
use crate::serve::{Beside, Door};
use crate::store::live::LiveCase;
use signal_hook::consts::{SIGINT, SIGTERM};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// Runs it.
pub fn run(args: Box<LiveArgs>) -> Result<Exit, Failure> {
    let settings = Settings::resolve(Some(&args.common))?;
    let options = options(&args, &settings)?;
    let narrator = Narrator::wanted(&args.common.asked, false)?;
    // What is wrong with the address or the users is told before anything is captured.
    let door = args.serve.map(|addr| Door::open(super::serve::door(&args.door, addr, &settings, &options.common.folder))).transpose()?;
    let stop = stopped_by_signals()?;
    let screen = Screen::new(args.common.quiet, args.common.json);
    let watched = Watched::new(&screen, door);
    let lived = pipeline::live(&options, &stop, &watched);
    drop(watched);
    screen.ends();
    let mut lived = lived?;
    if let Some(narrator) = narrator {
        lived.report = narrator.tell(&lived.folder, &options.common.formats)?;
    }
    if args.common.json {
        report_as_json(&lived.report, args.report_at_end)?;
    } else if !args.common.quiet {
        print_report(&lived.report, &lived.folder, &options.common.formats)?;
    }
    Ok(match () {
        () if lived.incomplete => Exit::Incomplete,
        () if lived.has_findings(settings.fail_on.value) => Exit::Findings,
        () => Exit::Quiet,
    })
}

/// The screen, and a server beside it if there is one.
struct Watched<'a> {
    screen: &'a Screen,
    door: Mutex<Option<Door>>,
    beside: OnceLock<Beside>,
}

impl<'a> Watched<'a> {
    fn new(screen: &'a Screen, door: Option<Door>) -> Self {
        Self { screen, door: Mutex::new(door), beside: OnceLock::new() }
    }

    fn serve(&self, case: &LiveCase) -> Result<(), String> {
        let Some(door) = self.door.lock().unwrap_or_else(PoisonError::into_inner).take() else { return Ok(()) };
        let begun = door.begun();
        let reader = case.reader().map_err(|error| error.to_string())?;
        let beside = door.beside(reader).map_err(|error| error.to_string())?;
        super::serve::said_on(&mut std::io::stderr(), &begun);
        // Listening begins once.
        let _ = self.beside.set(beside);
        Ok(())
    }
}

impl Watcher for Watched<'_> {
    fn begins(&self, case: &LiveCase) {
        self.screen.begins(case);
        if let Err(why) = self.serve(case) {
            self.screen.trouble(&format!("{why}; the capture goes on without a dashboard"));
        }
    }

    fn pulse(&self, pulse: &Pulse) {
        self.screen.pulse(pulse);
        self.beside.get().into_iter().for_each(|beside| beside.pulse(pulse));
    }

    fn change(&self, change: &Change) {
        self.screen.change(change);
        self.beside.get().into_iter().for_each(|beside| beside.change(change));
    }

    fn rules(&self, rules: &[RuleRun]) {
        self.beside.get().into_iter().for_each(|beside| beside.rules(rules));
    }

    fn trouble(&self, what: &str) {
        self.screen.trouble(what);
        self.beside.get().into_iter().for_each(|beside| beside.trouble(what));
    }
}

/// The first SIGINT or SIGTERM ends the run in order; a second SIGINT ends it at once.
fn stopped_by_signals() -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let failed = |error| Failure::Usage(format!("cannot listen to signals: {error}"));
    for signal in [SIGINT, SIGTERM] {
        // In this order: the first signal finds the flag unset, the second finds it set.
        signal_hook::flag::register_conditional_default(signal, stop.clone()).map_err(failed)?;
        signal_hook::flag::register(signal, stop.clone()).map_err(failed)?;
    }
    Ok(stop)
}

fn options(args: &LiveArgs, settings: &Settings) -> Result<LiveOptions, Failure> {
    let mut common = common(&args.common, settings)?;
    let wrong = |name: &str, given: &str, why: String| Failure::Usage(format!("--{name} {given}: {why}"));
    let time = |name: &str, given: &Option<String>| {
        given.as_deref().map(|given| parse_time(given).map_err(|why| wrong(name, given, why))).transpose()
    };
    let size = |name: &str, given: &str| parse_bytes(given).map_err(|why| wrong(name, given, why));
    let from = match (&args.read[..], &args.interfaces[..]) {
        ([], []) => return Err(Failure::Usage("name an interface (`vigil live eth0`, or `any`), or a file to replay with --read".into())),
        ([], names) => {
            let buffer_bytes = u32::try_from(size("buffer", &args.buffer)?).unwrap_or(u32::MAX);
            let listening = Listening {
                filter: args.common.filter.clone(),
                promiscuous: !args.no_promiscuous,
                snaplen: args.snaplen,
                buffer_bytes,
                queue_bytes: usize::try_from(common.memory / 16).unwrap_or(usize::MAX),
            };
            From::Interfaces { names: names.to_vec(), listening }
        }
        (files, []) => {
            common.paths = files.to_vec();
            From::Files { speed: parse_speed(&args.speed).map_err(|why| wrong("speed", &args.speed, why))? }
        }
        _ => return Err(Failure::Usage("name interfaces or files to replay, not both".into())),
    };
    if settings.out.value.is_none() {
        common.folder = match &args.interfaces[..] {
            [] => args.read.first().map(|path| pipeline::case_name(path)).unwrap_or_default().into(),
            names => format!("{}.vigil", names.join("+")).into(),
        };
    }
    let mut options = LiveOptions::new(common, from);
    options.duration = time("duration", &args.duration)?.map(|ns| Duration::from_nanos(ns.unsigned_abs()));
    options.check_period = time("check-period", &Some(args.check_period.clone()))?.unwrap_or(options.check_period);
    options.look_back = time("look-back", &Some(args.look_back.clone()))?.unwrap_or(options.look_back);
    options.segment_span = time("segment", &Some(args.segment.clone()))?.unwrap_or(options.segment_span);
    options.segment_bytes = size("segment-size", &args.segment_size)?;
    options.keep = time("keep", &args.keep)?;
    options.ring = args.ring.clone().map(|folder| size("ring-size", &args.ring_size).map(|most| (folder, most))).transpose()?;
    if options.ring.is_some() && args.interfaces.is_empty() {
        return Err(Failure::Usage("--ring keeps packets of interfaces; a file that is replayed is there already".into()));
    }
    options.programs = !args.no_programs;
    Ok(options)
}

/// `max`, `1x`, `10x`, `0.5x`.
fn parse_speed(text: &str) -> Result<Speed, String> {
    if text == "max" {
        return Ok(Speed::Max);
    }
    match text.trim_end_matches('x').parse::<f64>() {
        Ok(times) if times.is_finite() && times > 0.0 => Ok(Speed::Times(times)),
        _ => Err("write max, or a multiple of the recorded speed such as 1x or 10x".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_are_read_as_people_write_them() {
        assert_eq!(parse_speed("max"), Ok(Speed::Max));
        assert_eq!(parse_speed("10x"), Ok(Speed::Times(10.0)));
        assert_eq!(parse_speed("0.5"), Ok(Speed::Times(0.5)));
        for wrong in ["", "x", "-1x", "0", "inf", "fast"] {
            assert!(parse_speed(wrong).is_err(), "{wrong}");
        }
    }
}
