//! The same evidence, the same options: the same case? Runs the analysis again and compares table by table.

use super::super::carve::evidence::locate;
use super::super::{Error, Observer, Options, REOPEN_MEMORY, analyze, read_keys};
use super::verify::{hashes, remembered};
use crate::capture::Hash;
use crate::detect::Override;
use crate::detect::models::{Settings, Which};
use crate::model::HomeNets;
use crate::store::{self, folder::files, manifest};
use serde::Serialize;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// How the two cases compare.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Reproduced {
    /// Folder of the new case.
    pub folder: PathBuf,
    /// Tables compared.
    pub tables: u64,
    /// Version that made the first case, if it is another.
    pub version: Option<String>,
    /// What differs, one sentence each.
    pub differences: Vec<String>,
}

/// Analyses the evidence of the case in `folder` again into `out`, with the options on record.
pub fn reproduce(folder: &Path, evidence: Option<&Path>, out: &Path, now: &Options, observer: &dyn Observer) -> Result<Reproduced, Error> {
    let head = manifest::read(folder)?;
    let made = manifest::read_all(folder)?;
    let options = recorded(folder, &made, evidence, out, now)?;
    let version = (head.vigil != env!("CARGO_PKG_VERSION")).then_some(head.vigil);
    analyze(&options, observer)?;
    let mut compared = Reproduced { folder: out.to_path_buf(), version, ..Reproduced::default() };
    tables(folder, out, &made, &mut compared)?;
    let read = |folder: &Path| std::fs::read(folder.join(files::FINDINGS)).ok();
    if read(folder) != read(out) {
        compared.differences.push(format!("{} is another", files::FINDINGS));
    }
    Ok(compared)
}

/// The options of the first analysis; threads and argv are those of now.
fn recorded(folder: &Path, made: &Value, evidence: Option<&Path>, out: &Path, now: &Options) -> Result<Options, Error> {
    let run = &made["run"];
    let said = &run["options"];
    let texts =
        |value: &Value| -> Vec<String> { value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect() };
    let unreadable = |why: String| Error::Read { what: format!("the options in {}", folder.join(files::MANIFEST).display()), why };
    let nets = texts(&said["home_net"]).iter().map(|net| net.parse()).collect::<Result<Vec<_>, _>>();
    let nets = nets.map_err(|error| unreadable(format!("home_net: {error}")))?;
    let set = texts(&said["set"]);
    let pieces = remembered(made);
    let absolute = folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf());
    let mut paths = Vec::new();
    for piece in &pieces {
        paths.push(locate(piece, &absolute, evidence)?.ok_or_else(|| super::super::carve::missing(piece, evidence))?);
    }
    let memory = said["memory"].as_u64().ok_or_else(|| unreadable("memory is not on record".into()))?;
    let keylogs: Vec<PathBuf> = texts(&run["keylog_from"]).into_iter().map(PathBuf::from).collect();
    Ok(Options {
        keys: read_keys(&keylogs)?,
        keylogs,
        home_nets: HomeNets::new(nets),
        filter: said["filter"].as_str().map(str::to_owned),
        rules: texts(&run["rules_from"]).into_iter().map(PathBuf::from).collect(),
        overrides: set.iter().map(|given| Override::parse(given)).collect::<Result<_, _>>()?,
        overrides_typed: set,
        hash: pieces.first().map_or(Hash::Both, |piece| piece.kind()),
        memory,
        idle: said["idle_timeout_ns"].as_i64(),
        active: said["active_timeout_ns"].as_i64().unwrap_or(0),
        reveal_secrets: said["reveal_secrets"].as_bool().unwrap_or(false),
        models: models(&said["models"]).ok_or_else(|| unreadable("models are not on record".into()))?,
        sigma: said["sigma"].as_f64().ok_or_else(|| unreadable("sigma is not on record".into()))?,
        intel: texts(&run["intel_from"]).into_iter().map(PathBuf::from).collect(),
        geoip: texts(&run["geoip_from"]).into_iter().map(PathBuf::from).collect(),
        baseline: run["baseline_from"].as_str().map(PathBuf::from),
        paths,
        folder: out.to_path_buf(),
        formats: Vec::new(),
        ..now.clone()
    })
}

/// As [`Options::facts`] wrote them.
fn models(said: &Value) -> Option<Settings> {
    let number = |name: &str| said[name].as_u64();
    Some(Settings {
        which: Which::of_name(said["which"].as_str()?)?,
        trees: number("trees")? as usize,
        samples: number("samples")? as usize,
        contamination: said["contamination"].as_f64()?,
        seed: number("seed")?,
        false_per_day: said["false_findings"].as_f64()?,
    })
}

fn tables(first: &Path, second: &Path, made: &Value, compared: &mut Reproduced) -> Result<(), Error> {
    let mut before = hashes(&made["tables"]);
    if before.is_empty() {
        before = store::fingerprint(store::open_read_only(first, REOPEN_MEMORY, 1)?.connection())?;
        before.remove("packets");
    }
    let after = hashes(&manifest::read_all(second)?["tables"]);
    compared.tables = before.len() as u64;
    for (name, hash) in &before {
        match after.get(name) {
            Some(now) if now == hash => {}
            // Evidence may lie elsewhere now: then its path is another, and nothing else may be.
            Some(_) if name == "captures" && captures(first)? == captures(second)? => {}
            Some(_) => compared.differences.push(format!("table {name} has other rows")),
            None => compared.differences.push(format!("table {name} is not there any more")),
        }
    }
    for name in after.keys().filter(|name| !before.contains_key(*name)) {
        compared.differences.push(format!("table {name} was not there before"));
    }
    let index = |folder: &Path| crate::capture::hash_file(&folder.join(files::PACKETS), Hash::Blake3).ok();
    if index(first) != index(second) {
        compared.differences.push(format!("{} is another", files::PACKETS));
    }
    Ok(())
}

/// What is known of the evidence, without where it lies.
fn captures(folder: &Path) -> Result<store::Table, Error> {
    let case = store::open_read_only(folder, REOPEN_MEMORY, 1)?;
    Ok(store::query(case.connection(), "SELECT * EXCLUDE (path, also_at) FROM captures ORDER BY capture_id")?)
}
