//! What an analysis is told: everything resolved, nothing left to ask.

use super::Error;
use crate::capture::Hash;
use crate::detect::{Override, models};
use crate::model::{HomeNets, Keys, Limits, Report, report::Run};
use crate::report::Format;
use crate::store;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Options of [`super::analyze`].
#[derive(Clone, Debug)]
pub struct Options {
    /// Evidence.
    pub paths: Vec<PathBuf>,
    /// Case folder.
    pub folder: PathBuf,
    /// Reports to write.
    pub formats: Vec<Format>,
    /// Our networks.
    pub home_nets: HomeNets,
    /// BPF expression.
    pub filter: Option<String>,
    /// Folders of rules beside the built-in ones.
    pub rules: Vec<PathBuf>,
    /// Parameters set by the user.
    pub overrides: Vec<Override>,
    /// `rule.param=value`, as typed.
    pub overrides_typed: Vec<String>,
    /// Hashes to take.
    pub hash: Hash,
    /// Bytes of memory to stay inside.
    pub memory: u64,
    /// Threads.
    pub threads: usize,
    /// Idle timeout of all transports, if the user set one.
    pub idle: Option<i64>,
    /// Active timeout, 0 for never.
    pub active: i64,
    /// Store secrets as sent.
    pub reveal_secrets: bool,
    /// How the models are fitted, and when they speak.
    pub models: models::Settings,
    /// Lists of known bad things: files and folders.
    pub intel: Vec<PathBuf>,
    /// Key logs with which TLS is read.
    pub keylogs: Vec<PathBuf>,
    /// What stands in them.
    pub keys: Keys,
    /// Databases that know where addresses are.
    pub geoip: Vec<PathBuf>,
    /// What the capture is compared with: a case, or a profile.
    pub baseline: Option<PathBuf>,
    /// Robust standard deviations from the usual that count.
    pub sigma: f64,
    /// Command line, for the record.
    pub argv: Vec<String>,
}

impl Options {
    /// Everything by default.
    pub fn new(paths: Vec<PathBuf>, folder: PathBuf) -> Self {
        Self {
            paths,
            folder,
            formats: Vec::new(),
            home_nets: HomeNets::default(),
            filter: None,
            rules: Vec::new(),
            overrides: Vec::new(),
            overrides_typed: Vec::new(),
            hash: Hash::Both,
            memory: 2 << 30,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            idle: None,
            active: 0,
            reveal_secrets: false,
            models: models::Settings::default(),
            intel: Vec::new(),
            keylogs: Vec::new(),
            keys: Keys::default(),
            geoip: Vec::new(),
            baseline: None,
            sigma: 3.5,
            argv: Vec::new(),
        }
    }

    /// Caps and timeouts.
    pub fn limits(&self) -> Limits {
        let mut limits = Limits::for_memory(self.memory);
        if let Some(idle) = self.idle {
            (limits.udp_idle, limits.icmp_idle, limits.tcp_idle) = (idle, idle, idle);
        }
        limits.active = self.active;
        limits.keys = self.keys.clone();
        limits
    }

    /// How the case is written.
    pub fn store(&self, salt: [u8; 16]) -> store::Options {
        store::Options {
            // A quarter for DuckDB; flows, reassembly and blocks share the rest.
            memory_limit: self.memory / 4,
            threads: self.threads,
            home_nets: self.home_nets.clone(),
            salt,
            reveal_secrets: self.reveal_secrets,
        }
    }

    /// What decides about the content of the case: stored in it, so nothing that differs from machine to machine.
    pub fn facts(&self) -> Value {
        let nets: Vec<String> = self.home_nets.nets().iter().map(ToString::to_string).collect();
        json!({
            "home_net": nets,
            "filter": self.filter,
            "set": self.overrides_typed,
            "memory": self.memory,
            "idle_timeout_ns": self.idle,
            "active_timeout_ns": self.active,
            "reveal_secrets": self.reveal_secrets,
            "keylog_sessions": self.keys.len(),
            "sigma": self.sigma,
            "models": {
                "which": self.models.which.name(),
                "trees": self.models.trees,
                "samples": self.models.samples,
                "contamination": self.models.contamination,
                "seed": self.models.seed,
                "false_findings": self.models.false_per_day,
            },
        })
    }

    /// The record of the run.
    pub fn manifest(&self, report: &Report) -> Value {
        json!({
            "argv": report.run.argv,
            "started": report.run.started,
            "seconds": report.run.seconds,
            "threads": report.run.threads,
            "options": self.facts(),
            "rules_from": self.rules,
            "intel_from": self.intel,
            "keylog_from": self.keylogs,
            "geoip_from": self.geoip,
            "baseline_from": self.baseline,
            "evidence": report.evidence,
            "rules": report.rules.iter().map(|rule| json!({ "id": rule.id, "sha256": rule.sha256, "status": rule.status })).collect::<Vec<_>>(),
        })
    }
}

/// The keys in these files, which have to hold some.
pub fn read_keys(files: &[PathBuf]) -> Result<Keys, Error> {
    let keys = Keys::default();
    for path in files {
        let unreadable = |why: String| Error::Given { what: format!("the key log {}", path.display()), why };
        let log = std::fs::read(path).map_err(|error| unreadable(error.to_string()))?;
        if keys.add(&log) == 0 {
            return Err(unreadable("it holds no TLS secrets: lines such as `CLIENT_RANDOM …`, as SSLKEYLOGFILE has them written".into()));
        }
    }
    Ok(keys)
}

/// The run block of a finished case, out of its manifest.
pub fn run_of(manifest: &Value) -> Run {
    let run = &manifest["run"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
    Run {
        version: text(&manifest["vigil"]),
        argv: run["argv"].as_array().map(|argv| argv.iter().map(text).collect()).unwrap_or_default(),
        started: text(&run["started"]),
        seconds: run["seconds"].as_f64().unwrap_or(0.0),
        threads: run["threads"].as_u64().unwrap_or(0) as usize,
        folder: String::new(),
    }
}

/// `dump.vigil` for `/evidence/dump.pcapng.gz`; `stdin.vigil` for `-`.
pub fn case_name(path: &Path) -> String {
    const ENDINGS: [&str; 10] = [".gz", ".zst", ".xz", ".bz2", ".lz4", ".pcap", ".pcapng", ".cap", ".dmp", ".trace"];
    if path == Path::new("-") {
        return "stdin.vigil".into();
    }
    let resolved = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let mut name = resolved.file_name().map_or_else(|| "case".into(), |name| name.to_string_lossy().into_owned());
    while let Some(shorter) = ENDINGS.iter().find_map(|ending| name.strip_suffix(ending)).filter(|shorter| !shorter.is_empty()) {
        name = shorter.to_string();
    }
    format!("{name}.vigil")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_named_after_its_evidence() {
        let names = ["/evidence/dump.pcapng.gz", "day.one.pcap", "-", ".pcap"].map(|path| case_name(Path::new(path)));
        assert_eq!(names, ["dump.vigil", "day.one.vigil", "stdin.vigil", ".pcap.vigil"]);
    }
}
