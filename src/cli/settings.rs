//! What was meant: flag, then environment, then `vigil.toml`, then default. Each value knows where it came from.

use super::Failure;
use super::args::{CommonArgs, HashChoice, ModelChoice, SeverityChoice};
use crate::model::{Severity, time::SECOND};
use clap::ValueEnum;
use ipnet::IpNet;
use std::path::{Path, PathBuf};

/// Name of the settings file, looked for in the current folder.
pub const FILE: &str = "vigil.toml";

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Typed.
    Flag,
    /// The environment variable of that name.
    Environment(&'static str),
    /// The settings file.
    File,
    /// Built in.
    Default,
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Flag => f.write_str("flag"),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::File => f.write_str(FILE),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A value and its source.
#[derive(Clone, Debug)]
pub struct Set<T> {
    /// The value.
    pub value: T,
    /// Where from.
    pub source: Source,
}

/// The settings that can come from more than one place.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Memory to stay inside, bytes.
    pub memory: Set<u64>,
    /// Threads.
    pub threads: Set<usize>,
    /// Home networks; empty for the built-in ones.
    pub home_net: Set<Vec<IpNet>>,
    /// Hashes.
    pub hash: Set<HashChoice>,
    /// Severity from which the exit code is 1.
    pub fail_on: Set<Severity>,
    /// Where cases go; `None` for the current folder.
    pub out: Set<Option<PathBuf>>,
    /// Folders of additional rules.
    pub rules: Set<Vec<PathBuf>>,
    /// Parameters of rules, `rule.param=value`.
    pub tune: Set<Vec<String>>,
    /// Idle timeout for all transports, nanoseconds; `None` for each one's own.
    pub idle: Set<Option<i64>>,
    /// Active timeout, nanoseconds; 0 for never.
    pub active: Set<i64>,
    /// Models that look at every flow.
    pub models: Set<ModelChoice>,
    /// Share of flows that the Isolation Forest calls anomalous.
    pub contamination: Set<f64>,
    /// False findings a day that models may make in harmless traffic.
    pub false_findings: Set<f64>,
    /// Robust standard deviations from the usual that count as a change.
    pub sigma: Set<f64>,
    /// Lists of known bad things.
    pub intel: Set<Vec<PathBuf>>,
    /// Databases that know where addresses are.
    pub geoip: Set<Vec<PathBuf>>,
    /// What new captures are compared with.
    pub baseline: Set<Option<PathBuf>>,
}

/// `vigil.toml`, as written.
#[derive(Default, serde::Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    memory: Option<String>,
    threads: Option<usize>,
    home_net: Option<Vec<String>>,
    hash: Option<String>,
    fail_on: Option<String>,
    out: Option<PathBuf>,
    rules: Option<Vec<PathBuf>>,
    set: Option<Vec<String>>,
    idle_timeout: Option<String>,
    active_timeout: Option<String>,
    models: Option<String>,
    contamination: Option<f64>,
    false_findings: Option<f64>,
    sigma: Option<f64>,
    intel: Option<Vec<PathBuf>>,
    geoip: Option<Vec<PathBuf>>,
    baseline: Option<PathBuf>,
}

impl Settings {
    /// From the flags of `analyze` or `live` (or none) and the world around.
    pub fn resolve(args: Option<&CommonArgs>) -> Result<Self, Failure> {
        let file = File::read(Path::new(FILE))?;
        let memory = pick(args.and_then(|a| a.memory.clone()), "VIGIL_MEMORY", file.memory, || "2G".into());
        let threads_typed = args.and_then(|a| a.threads).map(|n| n.to_string());
        let processors = || std::thread::available_parallelism().map_or(1, usize::from).to_string();
        let threads = pick(threads_typed, "VIGIL_THREADS", file.threads.map(|n| n.to_string()), processors);
        let home = args.map(|a| a.home_net.clone()).filter(|nets| !nets.is_empty()).map(|nets| nets.join(","));
        let home_net = pick(home, "VIGIL_HOME_NET", file.home_net.map(|nets| nets.join(",")), String::new);
        let hash = pick(args.and_then(|a| a.hash).and_then(name_of), "VIGIL_HASH", file.hash, || "both".into());
        let fail_on = pick(args.and_then(|a| a.fail_on).and_then(name_of), "VIGIL_FAIL_ON", file.fail_on, || "medium".into());
        let idle = pick(args.and_then(|a| a.idle_timeout.clone()), "VIGIL_IDLE_TIMEOUT", file.idle_timeout, String::new);
        let active = pick(args.and_then(|a| a.active_timeout.clone()), "VIGIL_ACTIVE_TIMEOUT", file.active_timeout, String::new);
        let models = pick(args.and_then(|a| a.models).and_then(name_of), "VIGIL_MODELS", file.models, || "all".into());
        let number = |typed: Option<f64>| typed.map(|number| number.to_string());
        let contamination =
            pick(number(args.and_then(|a| a.contamination)), "VIGIL_CONTAMINATION", number(file.contamination), || "0.1".into());
        let budget = pick(number(args.and_then(|a| a.false_findings)), "VIGIL_FALSE_FINDINGS", number(file.false_findings), || "1".into());
        let sigma = pick(number(args.and_then(|a| a.sigma)), "VIGIL_SIGMA", number(file.sigma), || "3.5".into());
        let baseline = args.and_then(|a| a.baseline.clone()).map(|path| path.to_string_lossy().into_owned());
        let baseline = pick(baseline, "VIGIL_BASELINE", file.baseline.map(|path| path.to_string_lossy().into_owned()), String::new);
        let out = match (args.and_then(|a| a.out.clone()), file.out) {
            (Some(folder), _) if std::env::var_os("VIGIL_DB_PATH").is_some_and(|env| env == folder.as_os_str()) => {
                Set { value: Some(folder), source: Source::Environment("VIGIL_DB_PATH") }
            }
            (Some(folder), _) => Set { value: Some(folder), source: Source::Flag },
            (None, Some(folder)) => Set { value: Some(folder), source: Source::File },
            (None, None) => Set { value: None, source: Source::Default },
        };
        Ok(Self {
            memory: memory.parse("memory", parse_size)?,
            threads: threads.parse("threads", parse_threads)?,
            home_net: home_net.parse("home-net", parse_nets)?,
            hash: hash.parse("hash", |text| HashChoice::from_str(text, true))?,
            fail_on: fail_on.parse("fail-on", |text| SeverityChoice::from_str(text, true).map(Severity::from))?,
            out,
            rules: list(args.map(|a| a.rules.clone()), file.rules),
            tune: list(args.map(|a| a.set.clone()), file.set),
            idle: idle.parse("idle-timeout", |text| if text.is_empty() { Ok(None) } else { parse_time(text).map(Some) })?,
            active: active.parse("active-timeout", |text| if text.is_empty() { Ok(0) } else { parse_time(text) })?,
            models: models.parse("models", |text| ModelChoice::from_str(text, true))?,
            contamination: contamination.parse("contamination", |text| parse_within(text, 0.000_1, 0.5))?,
            false_findings: budget.parse("false-findings", |text| parse_within(text, 0.000_1, 10_000.0))?,
            sigma: sigma.parse("sigma", |text| parse_within(text, 1.0, 100.0))?,
            intel: list(args.map(|a| a.intel.clone()), file.intel),
            geoip: list(args.map(|a| a.geoip.clone()), file.geoip),
            baseline: baseline.parse("baseline", |text| Ok((!text.is_empty()).then(|| text.into())))?,
        })
    }

    /// Name, value and source of each, for `vigil config`.
    pub fn rows(&self) -> Vec<(&'static str, String, String)> {
        let nets = self.home_net.value.iter().map(IpNet::to_string).collect::<Vec<_>>().join(",");
        let nets = if nets.is_empty() { "private, shared, link-local and unique-local ranges".into() } else { nets };
        let paths = |paths: &[PathBuf]| paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(",");
        let time = |ns: i64, unset: &str| if ns == 0 { unset.into() } else { format!("{}s", ns / SECOND) };
        let out = self.out.value.as_ref().map_or("NAME.vigil in the current folder".into(), |path| path.display().to_string());
        vec![
            ("memory", size(self.memory.value), self.memory.source.to_string()),
            ("threads", self.threads.value.to_string(), self.threads.source.to_string()),
            ("home-net", nets, self.home_net.source.to_string()),
            ("hash", name_of(self.hash.value).unwrap_or_default(), self.hash.source.to_string()),
            ("fail-on", self.fail_on.value.name().into(), self.fail_on.source.to_string()),
            ("out", out, self.out.source.to_string()),
            ("rules", paths(&self.rules.value), self.rules.source.to_string()),
            ("set", self.tune.value.join(" "), self.tune.source.to_string()),
            ("idle-timeout", time(self.idle.value.unwrap_or(0), "60s, TCP 300s"), self.idle.source.to_string()),
            ("active-timeout", time(self.active.value, "never"), self.active.source.to_string()),
            ("models", name_of(self.models.value).unwrap_or_default(), self.models.source.to_string()),
            ("contamination", self.contamination.value.to_string(), self.contamination.source.to_string()),
            ("false-findings", format!("{} a day", self.false_findings.value), self.false_findings.source.to_string()),
            ("sigma", self.sigma.value.to_string(), self.sigma.source.to_string()),
            ("intel", paths(&self.intel.value), self.intel.source.to_string()),
            ("geoip", paths(&self.geoip.value), self.geoip.source.to_string()),
            ("baseline", self.baseline.value.iter().map(|path| path.display().to_string()).collect(), self.baseline.source.to_string()),
        ]
    }
}

impl File {
    fn read(path: &Path) -> Result<Self, Failure> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(Failure::Usage(format!("cannot read {}: {error}", path.display()))),
        };
        toml::from_str(&text).map_err(|error| Failure::Usage(format!("{} is not understood: {}", path.display(), error.message())))
    }
}

impl Set<String> {
    fn parse<T>(self, name: &str, how: impl Fn(&str) -> Result<T, String>) -> Result<Set<T>, Failure> {
        let value = how(&self.value).map_err(|why| Failure::Usage(format!("{name} = {:?} (from {}): {why}", self.value, self.source)))?;
        Ok(Set { value, source: self.source })
    }
}

fn pick(flag: Option<String>, variable: &'static str, file: Option<String>, default: impl Fn() -> String) -> Set<String> {
    let environment = || std::env::var(variable).ok().filter(|value| !value.is_empty());
    if let Some(value) = flag {
        return Set { value, source: Source::Flag };
    }
    if let Some(value) = environment() {
        return Set { value, source: Source::Environment(variable) };
    }
    match file {
        Some(value) => Set { value, source: Source::File },
        None => Set { value: default(), source: Source::Default },
    }
}

/// Lists add up: what the file says holds, flags come on top.
fn list<T>(flags: Option<Vec<T>>, file: Option<Vec<T>>) -> Set<Vec<T>> {
    let flags = flags.unwrap_or_default();
    let source = match (flags.is_empty(), &file) {
        (false, _) => Source::Flag,
        (true, Some(_)) => Source::File,
        (true, None) => Source::Default,
    };
    let mut value = file.unwrap_or_default();
    value.extend(flags);
    Set { value, source }
}

fn name_of<T: ValueEnum>(value: T) -> Option<String> {
    value.to_possible_value().map(|value| value.get_name().to_string())
}

fn size(bytes: u64) -> String {
    match bytes {
        _ if bytes.is_multiple_of(1 << 30) => format!("{}G", bytes >> 30),
        _ if bytes.is_multiple_of(1 << 20) => format!("{}M", bytes >> 20),
        _ => bytes.to_string(),
    }
}

/// As [`parse_bytes`], at least 256M, below which DuckDB cannot work.
pub(super) fn parse_size(text: &str) -> Result<u64, String> {
    let bytes = parse_bytes(text)?;
    if bytes < 256 << 20 {
        return Err("at least 256M is needed".into());
    }
    Ok(bytes)
}

/// `2G`, `512M`, `1.5g`, `800000000`: powers of 1024.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    let text = text.trim().trim_end_matches(['b', 'B', 'i']);
    let (number, unit) = match text.char_indices().last() {
        Some((at, letter)) if letter.is_ascii_alphabetic() => (&text[..at], letter.to_ascii_uppercase()),
        _ => (text, ' '),
    };
    let factor = match unit {
        ' ' => 1u64,
        'K' => 1 << 10,
        'M' => 1 << 20,
        'G' => 1 << 30,
        'T' => 1 << 40,
        _ => return Err("write a size such as 2G or 512M".into()),
    };
    let number: f64 = number.trim().parse().map_err(|_| "write a size such as 2G or 512M".to_string())?;
    Ok((number * factor as f64) as u64)
}

fn parse_threads(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(threads @ 1..=1024) => Ok(threads),
        _ => Err("write a number from 1 to 1024".into()),
    }
}

/// A number between both ends.
fn parse_within(text: &str, least: f64, most: f64) -> Result<f64, String> {
    let number = text.trim().parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| format!("write a number from {least} to {most}"))
}

/// Networks, separated by commas; a single address is one of its own.
pub(super) fn parse_nets(text: &str) -> Result<Vec<IpNet>, String> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let net = part.parse().or_else(|_| part.parse::<std::net::IpAddr>().map(IpNet::from));
            net.map_err(|_| format!("{part:?} is no network; write one such as 10.0.0.0/8"))
        })
        .collect()
}

/// `90`, `90s`, `5m`, `1h`, `7d`: nanoseconds.
pub(super) fn parse_time(text: &str) -> Result<i64, String> {
    let wrong = || "write a time such as 90s, 5m or 1h".to_string();
    let text = text.trim();
    let (number, factor) = match text.char_indices().last() {
        Some((at, 's')) => (&text[..at], 1),
        Some((at, 'm')) => (&text[..at], 60),
        Some((at, 'h')) => (&text[..at], 3_600),
        Some((at, 'd')) => (&text[..at], 86_400),
        _ => (text, 1),
    };
    let seconds: i64 = number.trim().parse().map_err(|_| wrong())?;
    if seconds <= 0 {
        return Err(wrong());
    }
    seconds.checked_mul(factor * SECOND).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_are_read_as_people_write_them() {
        assert_eq!(parse_size("2G"), Ok(2 << 30));
        assert_eq!(parse_size("1.5GiB"), Ok(3 << 29));
        assert_eq!(parse_size("512m"), Ok(512 << 20));
        assert!(parse_size("12 parsecs").is_err_and(|why| why.contains("512M")));
        assert!(parse_size("1M").is_err_and(|why| why.contains("256M")));
        assert_eq!(parse_time("5m"), Ok(300 * SECOND));
        assert!(parse_time("0").is_err());
        assert!(parse_time("99999999999999h").is_err());
    }

    #[test]
    fn numbers_outside_their_bounds_are_refused_with_the_bounds() {
        assert_eq!(parse_within(" 0.05 ", 0.0, 0.5), Ok(0.05));
        for wrong in ["0.6", "NaN", "inf", "ten"] {
            assert!(parse_within(wrong, 0.0, 0.5).is_err_and(|why| why.contains("from 0 to 0.5")), "{wrong}");
        }
    }

    #[test]
    fn a_single_address_is_a_network_of_one() {
        let nets = parse_nets("10.0.0.0/8, 2001:db8::1").map(|nets| nets.iter().map(IpNet::to_string).collect::<Vec<_>>());
        assert_eq!(nets, Ok(vec!["10.0.0.0/8".into(), "2001:db8::1/128".into()]));
        assert!(parse_nets("10.0.0.0/8,office").is_err_and(|why| why.contains("office")));
    }
}
