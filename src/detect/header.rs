//! The header of a rule: TOML in the comment that its file begins with.

use super::params::{Param, Setting};
use serde::Deserialize;

/// ATT&CK's tactics for enterprise and industrial systems in kill-chain order: the folders that rules stand in.
pub const TACTICS: [&str; 16] = [
    "reconnaissance",
    "resource-development",
    "initial-access",
    "execution",
    "persistence",
    "privilege-escalation",
    "defense-evasion",
    "credential-access",
    "discovery",
    "lateral-movement",
    "collection",
    "command-and-control",
    "exfiltration",
    "inhibit-response-function",
    "impair-process-control",
    "impact",
];

/// What a capture must have for a rule to mean anything, beyond rows in its tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// Both directions of conversations: on a one-sided tap every connection looks failed.
    TwoSided,
    /// Payload bytes: a capture snapped behind the headers has none.
    Payload,
}

/// What a rule says about itself.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Name of the file without `.sql`.
    pub id: String,
    /// What it finds, in a line.
    pub title: String,
    /// ATT&CK techniques, the main one first; one to three.
    pub attack: Vec<String>,
    /// 0 to 100: how bad it is if it is true and worked. A row may say otherwise in a column `impact`.
    pub impact: f64,
    /// P(true | it fires), before the evidence is weighed.
    pub prior: f64,
    /// Mutually redundant rules share one.
    pub family: String,
    /// Tables without whose rows it cannot speak.
    pub reads: Vec<String>,
    /// Tables that it looks into where they have rows.
    #[serde(default)]
    pub also: Vec<String>,
    /// What else the capture must have.
    #[serde(default)]
    pub needs: Vec<Need>,
    /// How far back it looks: `capture`, or `30s`, `10min`, `1h`, `1d`.
    pub window: String,
    /// What makes a finding the same finding: `actor`, `target`, `user`, or fields of its evidence.
    pub key: Vec<String>,
    /// The dataset that proves it.
    pub fires_on: String,
    /// What harmless thing looks like it.
    pub benign: String,
    /// The sentence about one finding, with `{actor}`, `{target}`, `{user}` and fields of its evidence.
    pub says: String,
    /// A Wireshark display filter, with the same fields.
    #[serde(default)]
    pub filter: Option<String>,
    /// Why it cannot fire on its carved packets alone, if so.
    #[serde(default)]
    pub whole: Option<String>,
    /// Tactic, for a file that stands in no tactic's folder.
    #[serde(default)]
    pub tactic: Option<String>,
    #[serde(default)]
    params: toml::Table,
}

impl Header {
    /// Reads the header of a rule file; the statement is what follows it.
    pub fn parse(text: &str) -> Result<(Self, Vec<Param>, &str), String> {
        let inner = text.trim_start().strip_prefix("/*").ok_or("a rule begins with its header in /* … */")?;
        let (comment, statement) = inner.split_once("*/").ok_or("the header's comment is never closed")?;
        let header: Self = toml::from_str(comment).map_err(|error| format!("in the header: {}", one_line(&error.to_string())))?;
        header.check()?;
        let params = header.params(comment)?;
        if statement.trim().is_empty() {
            return Err("there is no statement behind the header".into());
        }
        Ok((header, params, statement))
    }

    /// What the types cannot say.
    fn check(&self) -> Result<(), String> {
        let must = |holds: bool, why: String| if holds { Ok(()) } else { Err(why) };
        must(is_slug(&self.id), format!("id `{}` is not lower-case words joined by hyphens", self.id))?;
        must((1..=3).contains(&self.attack.len()), format!("attack names {} techniques; one to three are wanted", self.attack.len()))?;
        for technique in &self.attack {
            must(is_technique(technique), format!("`{technique}` is no ATT&CK technique such as T1046 or T1071.004"))?;
        }
        must((0.0..=100.0).contains(&self.impact), format!("impact {} is not within 0 to 100", self.impact))?;
        must(self.prior > 0.0 && self.prior < 1.0, format!("prior {} is not between 0 and 1", self.prior))?;
        must(!self.reads.is_empty(), "reads names no table".into())?;
        must(!self.key.is_empty(), "key names nothing; write at least \"actor\"".into())?;
        must(is_window(&self.window), format!("window `{}` is neither `capture` nor like 30s, 10min, 1h, 1d", self.window))?;
        must(!self.title.trim().is_empty() && !self.says.trim().is_empty(), "title and says must not be empty".into())?;
        let tactic_known = self.tactic.as_deref().is_none_or(|tactic| TACTICS.contains(&tactic));
        must(tactic_known, format!("tactic must be one of {}", TACTICS.join(", ")))
    }

    /// Parameters in the order of the file, with the comment beside each.
    fn params(&self, comment: &str) -> Result<Vec<Param>, String> {
        let mut params = Vec::with_capacity(self.params.len());
        for (name, value) in &self.params {
            let value =
                Setting::from_toml(value).ok_or(format!("parameter `{name}` is neither number, text, true/false nor a list of these"))?;
            let (place, doc) = documented(comment, name).unwrap_or_default();
            params.push((place, Param { name: name.clone(), default: value.clone(), value, doc }));
        }
        params.sort_by(|a, b| (a.0, &a.1.name).cmp(&(b.0, &b.1.name)));
        Ok(params.into_iter().map(|(_, param)| param).collect())
    }
}

/// Line of `name = …  # doc` below `[params]`, and the comment.
fn documented(comment: &str, name: &str) -> Option<(usize, String)> {
    let section = comment.lines().enumerate().skip_while(|(_, line)| line.trim() != "[params]").skip(1);
    for (number, line) in section {
        let Some(rest) = line.trim().strip_prefix(name).map(str::trim_start) else { continue };
        let Some(value) = rest.strip_prefix('=') else { continue };
        return Some((number, comment_of(value).trim().to_owned()));
    }
    None
}

/// What stands behind the first `#` outside quotes.
fn comment_of(value: &str) -> &str {
    let (mut quote, mut escaped) = (None, false);
    for (at, c) in value.char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            // In double quotes a backslash takes the next sign's meaning (TOML 1.0, basic strings).
            (Some('"'), '\\') => escaped = true,
            (None, '#') => return &value[at + 1..],
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            _ => {}
        }
    }
    ""
}

/// `T1046`, `T1071.004`, and `T0855` of the industrial matrix.
fn is_technique(id: &str) -> bool {
    let digits = |text: &str, n: usize| text.len() == n && text.bytes().all(|b| b.is_ascii_digit());
    match id.strip_prefix('T').map(|rest| rest.split_once('.').map_or((rest, None), |(base, sub)| (base, Some(sub)))) {
        Some((base, sub)) => digits(base, 4) && sub.is_none_or(|sub| digits(sub, 3)),
        None => false,
    }
}

fn is_slug(id: &str) -> bool {
    !id.is_empty() && id.split('-').all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()))
}

fn is_window(window: &str) -> bool {
    let unit = window.trim_start_matches(|c: char| c.is_ascii_digit());
    window == "capture" || (unit.len() < window.len() && ["s", "min", "h", "d"].contains(&unit))
}

impl Header {
    /// How far back the rule looks, nanoseconds; `None` for the whole capture.
    pub fn window_ns(&self) -> Option<i64> {
        let unit = self.window.trim_start_matches(|c: char| c.is_ascii_digit());
        let seconds = match unit {
            "s" => 1,
            "min" => 60,
            "h" => 3_600,
            "d" => 86_400,
            _ => return None,
        };
        let number: i64 = self.window.strip_suffix(unit)?.parse().ok()?;
        number.checked_mul(seconds * crate::model::time::SECOND)
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r##"/*
id       = "port-scan"
title    = "Port scan"
attack   = ["T1046", "T1595.001"]
impact   = 50
prior    = 0.8
family   = "scan"
reads    = ["flows"]
window   = "15min"
key      = ["actor"]
fires_on = "port-scan"
benign   = "Monitoring."
says     = "{actor} tried {ports} ports"
[params]
min_ports = 15     # distinct ports that failed
suffix    = "a#b"  # what # means here
*/
SELECT 1"##;

    #[test]
    fn a_header_gives_its_fields_and_its_documented_parameters() {
        let (header, params, statement) = Header::parse(GOOD).unwrap();
        assert_eq!((header.id.as_str(), header.impact, statement.trim()), ("port-scan", 50.0, "SELECT 1"));
        let docs: Vec<_> = params.iter().map(|p| (p.name.as_str(), p.value.to_string(), p.doc.as_str())).collect();
        assert_eq!(docs, [("min_ports", "15".into(), "distinct ports that failed"), ("suffix", "\"a#b\"".into(), "what # means here")]);
    }

    #[test]
    fn every_broken_header_says_what_is_wrong() {
        for (from, to, said) in [
            ("\"T1046\", \"T1595.001\"", "", "attack names 0 techniques"),
            ("T1595.001", "T1595.1", "is no ATT&CK technique"),
            ("prior    = 0.8", "prior = 1.0", "prior 1 is not between"),
            ("15min", "soon", "window `soon`"),
            ("\"port-scan\"\ntitle", "\"Port Scan\"\ntitle", "not lower-case words"),
            ("family", "famly", "unknown field `famly`"),
            ("/*\n", "", "a rule begins with"),
            ("SELECT 1", " ", "no statement"),
            ("min_ports = 15", "min_ports = 2020-01-01", "parameter `min_ports` is neither"),
        ] {
            let error = Header::parse(&GOOD.replacen(from, to, 1)).unwrap_err();
            assert!(error.contains(said), "{to}: {error}");
        }
    }
}
