//! `vigil train`: what is usual becomes a file, for `vigil analyze --baseline`.

use super::analyze::shown;
use super::args::TrainArgs;
use super::progress::Bar;
use super::settings::Settings;
use super::{Exit, Failure};
use crate::detect::baseline::Profile;
use crate::detect::models::Which;
use crate::model::HomeNets;
use crate::pipeline::{self, Options, profile_of};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Runs it.
pub fn run(args: TrainArgs) -> Result<Exit, Failure> {
    let (out, mut profile) = (&args.out, Profile::new());
    if args.update {
        profile = Profile::load(out).map_err(pipeline::Error::from)?;
    } else if out.exists() {
        let why = format!("{} is there already; --update adds to it, or name another file with -o", out.display());
        return Err(Failure::Usage(why));
    }
    let (cases, captures): (Vec<&PathBuf>, Vec<&PathBuf>) = args.paths.iter().partition(|path| is_case(path));
    let mut learnt: Vec<Profile> = cases.into_iter().map(|path| profile_of(path)).collect::<Result<_, _>>()?;
    if !captures.is_empty() {
        learnt.push(from_captures(captures.into_iter().cloned().collect(), &args)?);
    }
    // In order of time: what is older fades first.
    learnt.sort_by_key(|profile| profile.span);
    for newer in &learnt {
        if args.update { profile.update(newer) } else { profile.add(newer) }
    }
    profile.save(out).map_err(pipeline::Error::from)?;
    if !args.quiet {
        let said = writeln!(std::io::stdout(), "{}\n  {}\n\nvigil analyze NEW.pcap --baseline {}", shown(out), profile.says(), shown(out));
        said.map_err(Failure::stdout)?;
    }
    Ok(Exit::Quiet)
}

fn is_case(path: &Path) -> bool {
    path.join("case.duckdb").exists() || path.extension().is_some_and(|ending| ending == "duckdb")
}

/// Analyses captures into a case that is thrown away.
fn from_captures(paths: Vec<PathBuf>, args: &TrainArgs) -> Result<Profile, Failure> {
    let settings = Settings::resolve(None)?;
    let folder = std::env::temp_dir().join(format!("vigil-train-{}", std::process::id()));
    let scratch = Scratch(folder.clone());
    let mut options = Options::new(paths, folder.join("train.vigil"));
    options.memory = settings.memory.value;
    options.threads = settings.threads.value;
    options.models.which = Which::None;
    let typed = super::settings::parse_nets(&args.home_net.join(",")).map_err(|why| Failure::Usage(format!("--home-net: {why}")))?;
    let nets = if typed.is_empty() { settings.home_net.value } else { typed };
    if !nets.is_empty() {
        options.home_nets = HomeNets::new(nets);
    }
    pipeline::analyze(&options, &Bar::new(args.quiet))?;
    let profile = profile_of(&options.folder)?;
    drop(scratch);
    Ok(profile)
}

/// A folder that goes away with it.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
