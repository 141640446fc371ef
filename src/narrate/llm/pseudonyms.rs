//! Names that mean nothing outside: addresses, hosts, domains, accounts and hardware are called `address-001`, `name-002`, `account-003`
//! before anything leaves, and get their names back in what comes in.

use crate::model::Finding;
use crate::model::report::Host;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Words that are no secret though they look like names.
const PLAIN: [&str; 2] = ["e.g", "i.e"];
/// A literal is looked for inside words from this length on; shorter ones only as whole words.
const INSIDE_WORDS: usize = 5;

/// Both ways.
#[derive(Debug, Default)]
pub(super) struct Pseudonyms {
    given: BTreeMap<String, String>,
    real: BTreeMap<String, String>,
    counts: BTreeMap<&'static str, u32>,
}

impl Pseudonyms {
    /// Knows everything that findings and hosts name, in their order.
    pub fn of(findings: &[&Finding], hosts: &[Host]) -> Self {
        let mut all = Self::default();
        for it in findings {
            it.actors.iter().chain(&it.targets).for_each(|name| drop(all.token(kind(name).unwrap_or("name"), name)));
            it.users.iter().for_each(|user| drop(all.token("account", user)));
        }
        let named = |host: &&Host| findings.iter().any(|it| it.actors.contains(&host.ip) || it.targets.contains(&host.ip));
        for host in hosts.iter().filter(named) {
            all.token("address", &host.ip);
            host.names.iter().for_each(|name| drop(all.token("name", name)));
            host.macs.iter().for_each(|mac| drop(all.token("mac", mac)));
        }
        all
    }

    /// The pseudonym of `text`.
    fn token(&mut self, kind: &'static str, text: &str) -> String {
        let key = text.to_lowercase();
        if let Some(token) = self.given.get(&key) {
            return token.clone();
        }
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        let token = format!("{kind}-{count:03}");
        self.given.insert(key, token.clone());
        self.real.insert(token.clone(), text.to_owned());
        token
    }

    /// Hides every string in `value`; names of fields are vigil's own.
    pub fn hide_all(&mut self, value: &Value) -> Value {
        match value {
            Value::String(text) => self.hide(text).into(),
            Value::Array(items) => items.iter().map(|item| self.hide_all(item)).collect(),
            Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), self.hide_all(value))).collect::<Map<_, _>>().into(),
            other => other.clone(),
        }
    }

    /// `text` without anything that names somebody.
    pub fn hide(&mut self, text: &str) -> String {
        let mut hidden = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let end = rest.find(|c| is_word(c) != is_word(first)).unwrap_or(rest.len());
            let (run, after) = rest.split_at(end);
            if is_word(first) {
                hidden.push_str(&self.word(run))
            } else {
                hidden.push_str(run)
            }
            rest = after;
        }
        hidden
    }

    /// One word: an address, a name, an account, or nothing of the kind.
    fn word(&mut self, run: &str) -> String {
        let core = run.trim_matches(['.', ':', '-', '\\', '$', '/']);
        let Some(at) = run.find(core).filter(|_| !core.is_empty()) else { return run.to_owned() };
        let (before, after) = (&run[..at], &run[at + core.len()..]);
        let around = |middle: String| format!("{before}{middle}{after}");
        if let Some(token) = self.given.get(&core.to_lowercase()) {
            return around(token.clone());
        }
        if PLAIN.contains(&core.to_lowercase().as_str()) {
            return run.to_owned();
        }
        if let Some(kind) = kind(core) {
            return around(self.token(kind, core));
        }
        // An address with a port, a path behind a name, an account behind its domain: each part for itself. Pseudonyms survive being split.
        let known = self.inside(core);
        match known.find(['/', '\\', '@', ':', '_', '=', '-']) {
            Some(at) => {
                let (left, rest) = known.split_at(at);
                let (mark, right) = rest.split_at(1);
                let (left, mark, right) = (left.to_owned(), mark.to_owned(), right.to_owned());
                let parts = format!("{}{mark}{}", self.word(&left), self.word(&right));
                around(parts)
            }
            None => around(known),
        }
    }

    /// Known names inside of a word.
    fn inside(&self, word: &str) -> String {
        let mut known: Vec<(&String, &String)> = self.given.iter().filter(|(name, _)| name.len() >= INSIDE_WORDS).collect();
        known.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        let mut hidden = word.to_owned();
        for (name, token) in known {
            // Lower case may change the length of some letters; then positions mean nothing, and the word is hidden whole.
            let lower = hidden.to_lowercase();
            let Some(at) = lower.find(name.as_str()) else { continue };
            if lower.len() != hidden.len() || !hidden.is_char_boundary(at) || !hidden.is_char_boundary(at + name.len()) {
                return token.clone();
            }
            hidden.replace_range(at..at + name.len(), token);
        }
        hidden
    }

    /// What came back, with the real names.
    pub fn reveal(&self, text: &str) -> String {
        let mut told = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let token = |c: char| c.is_ascii_alphanumeric() || c == '-';
            let end = rest.find(|c| token(c) != token(first)).unwrap_or(rest.len());
            let (run, after) = rest.split_at(end);
            told.push_str(self.real.get(&run.to_ascii_lowercase()).map_or(run, String::as_str));
            rest = after;
        }
        told
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '@' | '\\' | '$' | '/' | '=' | '%')
}

/// What a word is the name of, if it is one.
fn kind(word: &str) -> Option<&'static str> {
    match () {
        () if word.parse::<IpAddr>().is_ok() => Some("address"),
        () if is_mac(word) => Some("mac"),
        () if word.contains('@') && word.split_once('@').is_some_and(|(left, right)| !left.is_empty() && is_domain(right)) => {
            Some("account")
        }
        () if is_domain(word) => Some("name"),
        () => None,
    }
}

fn is_mac(word: &str) -> bool {
    let pairs = |mark: char| {
        word.split(mark).count() == 6 && word.split(mark).all(|pair| pair.len() == 2 && pair.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    pairs(':') || pairs('-')
}

/// Labels with dots between, the last of letters: `files.office.example`, `xn--…`.
fn is_domain(word: &str) -> bool {
    let label = |label: &str| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_');
    let last = word.rsplit('.').next().unwrap_or_default();
    let ends_as_one = last.len() >= 2 && (last.chars().all(char::is_alphabetic) || last.starts_with("xn--"));
    word.contains('.') && ends_as_one && word.split('.').all(label)
}
