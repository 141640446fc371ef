//! Ground truth: what was done in which capture, by whom, to whom.

use super::super::Error;
use crate::model::Ts;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Clocks of those who label differ: a flow belongs to a deed if it begins this long before or after, nanoseconds.
const SLACK: (i64, i64) = (60_000_000_000, 300_000_000_000);

/// Something that was done in a capture: a line of the manifest.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Deed {
    /// Name of the capture.
    #[serde(alias = "file")]
    capture: String,
    /// `attack`; anything else is harmless.
    #[serde(default)]
    kind: String,
    /// ATT&CK ids. Other words are passed over.
    #[serde(default)]
    techniques: Vec<String>,
    #[serde(default)]
    attackers: Vec<String>,
    #[serde(default)]
    victims: Vec<String>,
    #[serde(default)]
    first_ns: Option<Ts>,
    #[serde(default)]
    last_ns: Option<Ts>,
    /// Frames as `[first, last]` runs, if they are known.
    #[serde(default)]
    frames: Vec<[u64; 2]>,
}

/// A flow, as far as labels ask.
#[derive(Clone, Debug, Default)]
pub struct Ends {
    /// First frame.
    pub frame: u64,
    /// Originator.
    pub orig: String,
    /// Its port.
    pub orig_p: u16,
    /// Responder.
    pub resp: String,
    /// Its port.
    pub resp_p: u16,
    /// Transport.
    pub proto: String,
    /// When it began.
    pub ts_ns: Ts,
    /// When it was over.
    pub end_ns: Ts,
}

impl Deed {
    /// An attack between some hosts, of a published set.
    pub fn attack(techniques: &[&str], attackers: Vec<String>, victims: Vec<String>) -> Self {
        let techniques = techniques.iter().map(|id| (*id).to_owned()).collect();
        Self { kind: "attack".into(), techniques, attackers, victims, ..Self::default() }
    }

    /// Whether it was an attack.
    pub fn is_attack(&self) -> bool {
        self.kind == "attack"
    }

    /// Attackers and victims.
    pub fn names(&self, host: &str) -> bool {
        self.attackers.iter().chain(&self.victims).any(|name| name == host)
    }

    /// Whether one of these techniques is meant; a parent covers its children and the other way round. Without ids anything is.
    pub fn is_meant_by(&self, techniques: &[String]) -> bool {
        let base = |id: &str| id.split('.').next().unwrap_or_default().to_owned();
        let wanted: Vec<&String> = self.techniques.iter().filter(|id| is_id(id)).collect();
        let covers = |id: &String| wanted.iter().any(|want| *want == id || base(id) == **want || base(want) == *id);
        wanted.is_empty() || techniques.iter().any(covers)
    }

    /// Whether a flow is part of it: by its frames where they are known, otherwise by its ends and its time.
    pub fn holds(&self, flow: &Ends) -> bool {
        if !self.frames.is_empty() {
            return self.frames.iter().any(|[first, last]| (*first..=*last).contains(&flow.frame));
        }
        let early = self.first_ns.is_some_and(|first| flow.ts_ns < first.saturating_sub(SLACK.0));
        let late = self.last_ns.is_some_and(|last| flow.ts_ns > last.saturating_add(SLACK.1));
        let is = |names: &[String], host: &String| names.contains(host);
        let between = |a: &String, b: &String| {
            (self.attackers.is_empty() || is(&self.attackers, a)) && (self.victims.is_empty() || is(&self.victims, b))
        };
        let unnamed = self.attackers.is_empty() && self.victims.is_empty();
        !early && !late && !unnamed && (between(&flow.orig, &flow.resp) || between(&flow.resp, &flow.orig))
    }
}

/// `T1046`, not `portscan`.
fn is_id(word: &str) -> bool {
    word.strip_prefix('T').is_some_and(|rest| rest.len() >= 4 && rest.bytes().all(|b| b.is_ascii_digit() || b == b'.'))
}

/// The deeds of each capture, by its path. A manifest is JSON lines or a JSON list; a folder holds several, `*.truth.jsonl`.
pub fn read(manifest: &Path, captures: Option<&Path>) -> Result<BTreeMap<PathBuf, Vec<Deed>>, Error> {
    let mut labelled: BTreeMap<PathBuf, Vec<Deed>> = BTreeMap::new();
    for path in manifests(manifest)? {
        let folder = path.parent().unwrap_or(Path::new("."));
        for deed in deeds(&path)? {
            // Captures that are made when a test asks for them lie nowhere.
            if let Some(capture) = place(&deed.capture, captures.unwrap_or(folder)) {
                labelled.entry(capture).or_default().push(deed);
            }
        }
    }
    match labelled.is_empty() {
        true => Err(unreadable(manifest, "it names no capture that is there; --captures DIR says where they lie")),
        false => Ok(labelled),
    }
}

fn manifests(path: &Path) -> Result<Vec<PathBuf>, Error> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let failed = |error: std::io::Error| unreadable(path, &error.to_string());
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        found.extend(path.to_string_lossy().ends_with(".truth.jsonl").then(|| path.clone()));
    }
    found.sort();
    Ok(found)
}

fn deeds(path: &Path) -> Result<Vec<Deed>, Error> {
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(path, &error.to_string()))?;
    let wrong = |error: serde_json::Error| unreadable(path, &error.to_string());
    if text.trim_start().starts_with('[') {
        return serde_json::from_str(&text).map_err(wrong);
    }
    text.lines().filter(|line| !line.trim().is_empty()).map(|line| serde_json::from_str(line).map_err(wrong)).collect()
}

fn place(name: &str, folder: &Path) -> Option<PathBuf> {
    let names = [name.to_owned(), format!("{name}.pcap"), format!("captures/{name}")];
    names.iter().map(|name| folder.join(name)).find(|path| path.is_file())
}

/// That a file cannot be used, and why.
pub(super) fn unreadable(path: &Path, why: &str) -> Error {
    Error::Given { what: path.display().to_string(), why: why.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deed(text: &str) -> Deed {
        serde_json::from_str(text).unwrap()
    }

    fn flow(orig: &str, resp: &str, frame: u64, second: i64) -> Ends {
        Ends { frame, orig: orig.into(), resp: resp.into(), ts_ns: second * 1_000_000_000, ..Ends::default() }
    }

    #[test]
    fn a_flow_is_part_of_a_deed_by_its_frames_or_else_by_its_ends_and_its_time() {
        let exact = deed(r#"{"capture": "x", "kind": "attack", "attackers": ["a"], "frames": [[3, 5]]}"#);
        assert!(exact.holds(&flow("b", "c", 4, 0)) && !exact.holds(&flow("a", "b", 6, 0)));
        let pair = deed(r#"{"file": "x", "attackers": ["a"], "victims": ["v"], "first_ns": 100000000000, "last_ns": 100000000000}"#);
        assert!(pair.holds(&flow("a", "v", 1, 100)) && pair.holds(&flow("v", "a", 1, 60)));
        assert!(!pair.holds(&flow("a", "b", 1, 100)) && !pair.holds(&flow("a", "v", 1, 39)) && !pair.holds(&flow("a", "v", 1, 401)));
        assert!(deed(r#"{"capture": "x", "victims": ["v"]}"#).holds(&flow("any", "v", 1, 0)));
        assert!(!deed(r#"{"capture": "x"}"#).holds(&flow("a", "b", 1, 0)));
    }

    #[test]
    fn parents_and_children_cover_each_other_and_words_that_are_no_ids_ask_nothing() {
        let child = deed(r#"{"capture": "x", "techniques": ["T1071.004", "dns_tunnel"]}"#);
        let ids = |list: &[&str]| list.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        assert!(child.is_meant_by(&ids(&["T1071"])) && child.is_meant_by(&ids(&["T1071.004"])));
        assert!(!child.is_meant_by(&ids(&["T1071.001"])) && !child.is_meant_by(&[]));
        assert!(deed(r#"{"capture": "x", "techniques": ["portscan"]}"#).is_meant_by(&[]));
    }
}
