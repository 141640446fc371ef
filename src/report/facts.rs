//! What several renderers say alike: the coverage box, the evidence of a finding, and the arithmetic of its confidence.

use super::text::{clipped, count, label, percent, share, thousands};
use crate::model::report::{Coverage, Report};
use crate::model::time::{human_bytes, human_duration, short};
use crate::model::{Finding, Severity};
use serde_json::{Map, Value};

/// One line of the coverage box.
pub struct Fact {
    /// What it is about.
    pub label: &'static str,
    /// The figure.
    pub value: String,
    /// What the figure means, or its parts.
    pub note: String,
    /// 0 to 1, where the figure is a share.
    pub share: Option<f64>,
    /// Whether it lowers what the findings, and their absence, can prove.
    pub doubt: bool,
}

/// Above this share of one-sided or mid-stream flows, rules that need both sides or a beginning go blind on many of them.
/// Chosen below the 30 % at which detections switch them off altogether, so that the reader is warned earlier.
const MANY_FLOWS: f64 = 0.1;

/// The coverage box, in the order in which it is read.
pub fn coverage(c: &Coverage) -> Vec<Fact> {
    let mut facts = Vec::from(reading(c));
    facts.extend(flows(c));
    facts.extend(capture_quality(c));
    facts.push(rules(c));
    facts.push(caps(c));
    facts
}

fn reading(c: &Coverage) -> [Fact; 3] {
    let span = match (c.first_ts, c.last_ts) {
        (Some(first), Some(last)) => format!("{} to {} UTC, {}", short(first), short(last), human_duration(c.span_ns())),
        _ => "no packet with a time".to_owned(),
    };
    let read = Fact {
        label: "Read",
        value: format!("{}, {}", human_bytes(c.bytes), count(c.frames, "frame")),
        note: span,
        share: None,
        doubt: c.frames == 0,
    };
    let decoded = Fact {
        label: "Decoded",
        value: percent(c.decoded, c.frames),
        note: format!("{} of {}, up to the transport layer or ARP", thousands(c.decoded), count(c.frames, "frame")),
        share: share(c.decoded, c.frames),
        doubt: share(c.decoded, c.frames).is_some_and(|s| s < 0.95),
    };
    let encrypted = Fact {
        label: "Encrypted",
        value: percent(c.encrypted_bytes, c.payload_bytes),
        note: format!(
            "{} of {} payload: only names, sizes and times are seen",
            human_bytes(c.encrypted_bytes),
            human_bytes(c.payload_bytes)
        ),
        share: share(c.encrypted_bytes, c.payload_bytes),
        doubt: share(c.encrypted_bytes, c.payload_bytes).is_some_and(|s| s > 0.5),
    };
    [read, decoded, encrypted]
}

fn flows(c: &Coverage) -> [Fact; 2] {
    let one_sided = Fact {
        label: "One-sided flows",
        value: percent(c.one_sided_flows, c.two_way_flows),
        note: format!("{} of {} where an answer was due", thousands(c.one_sided_flows), count(c.two_way_flows, "flow")),
        share: share(c.one_sided_flows, c.two_way_flows),
        doubt: share(c.one_sided_flows, c.two_way_flows).is_some_and(|s| s > MANY_FLOWS),
    };
    let midstream = Fact {
        label: "Begun before the capture",
        value: percent(c.midstream_flows, c.flows),
        note: format!("{} of {}", thousands(c.midstream_flows), count(c.flows, "flow")),
        share: share(c.midstream_flows, c.flows),
        doubt: share(c.midstream_flows, c.flows).is_some_and(|s| s > MANY_FLOWS),
    };
    [one_sided, midstream]
}

fn capture_quality(c: &Coverage) -> [Fact; 5] {
    let plain = |label, value: String, note: &str, doubt| Fact { label, value, note: note.to_owned(), share: None, doubt };
    let drops = c.reported_drops;
    [
        plain("Truncated", count(c.truncated_frames, "frame"), "cut short by the capturing program", c.truncated_frames > 0),
        plain("Missing", human_bytes(c.missed_bytes), "TCP payload that was acknowledged but is not in the capture", c.missed_bytes > 0),
        plain("Captured twice", count(c.duplicate_frames, "frame"), "recognised as copies of another frame", false),
        plain(
            "Dropped",
            drops.map_or_else(|| "not reported".to_owned(), |n| count(n, "frame")),
            "as the capturing program counted them itself",
            drops.is_some_and(|n| n > 0),
        ),
        plain("Damaged", count(c.damaged, "place"), "where the evidence could not be read as it should be", c.damaged > 0),
    ]
}

fn rules(c: &Coverage) -> Fact {
    Fact {
        label: "Rules",
        value: format!("{} ran, {} fired", thousands(c.rules_run), thousands(c.rules_fired)),
        note: match c.rules_not_applicable {
            0 => "all could apply".to_owned(),
            n => format!("{} could not apply to this capture", thousands(n)),
        },
        share: None,
        doubt: c.rules_not_applicable > 0 || c.rules_run == 0,
    }
}

fn caps(c: &Coverage) -> Fact {
    let reached: Vec<String> =
        c.caps.iter().map(|hit| format!("{} {} ({})", clipped(&hit.cap, 40), thousands(hit.limit), count(hit.hits, "time"))).collect();
    Fact {
        label: "Caps reached",
        value: if reached.is_empty() { "none".to_owned() } else { thousands(reached.len() as u64) },
        note: if reached.is_empty() { "nothing was left out to save memory".to_owned() } else { reached.join("; ") },
        share: None,
        doubt: !c.caps.is_empty(),
    }
}

/// How many findings of each severity, gravest first, none left out.
pub fn tally(findings: &[Finding]) -> [(Severity, usize); 5] {
    let mut tally = Severity::ALL.map(|severity| (severity, findings.iter().filter(|finding| finding.severity == severity).count()));
    tally.reverse();
    tally
}

/// The state of a host in words. `clean` would promise what a capture cannot: only that nothing was found is known.
pub fn host_state(state: &str) -> &str {
    if state == "clean" { "nothing found" } else { state }
}

/// The part of a host in an incident, in words.
pub fn part_played(part: &str) -> &'static str {
    match part {
        "attacker" => "attacker",
        "pivot" => "victim, then attacker",
        "victim" => "victim",
        _ => "far end",
    }
}

/// A row of "observed beside threshold".
#[derive(Debug, PartialEq)]
pub struct Measure {
    /// What was measured.
    pub name: String,
    /// What was seen.
    pub observed: String,
    /// What it takes to fire; empty where the value only describes.
    pub threshold: String,
}

/// Characters of one evidence value that a report shows; the case holds all.
const VALUE_CHARS: usize = 300;
/// Elements of one evidence list that a report shows.
const LIST_ITEMS: usize = 12;

/// Under this name a finding's evidence holds the thresholds in force, as the rule's parameters name them.
const THRESHOLDS: &str = "thresholds";

/// The rows of a finding's evidence. `{names: 310, thresholds: {min_names: 100}}`, `{names: 310, min_names: 100}` and
/// `{names: {observed: 310, min: 100}}` all become one row with its threshold beside it. What has none, or measures nothing
/// that was observed, gets a row of its own.
pub fn measures(evidence: &Value) -> Vec<Measure> {
    let map = match evidence {
        Value::Null => return Vec::new(),
        Value::Object(map) => map,
        other => return vec![Measure { name: "Evidence".to_owned(), observed: say("", other), threshold: String::new() }],
    };
    let named = map.get(THRESHOLDS).and_then(Value::as_object);
    let is_measure =
        |key: &str| map.get(key).is_some_and(|value| !value.is_object()) && bounded(key).is_none_or(|(name, _)| !map.contains_key(name));
    let beside = map.iter().filter(|(key, _)| bounded(key).is_some_and(|(name, _)| is_measure(name)));
    let bounds: Vec<(&String, &Value)> = beside.chain(named.into_iter().flatten()).collect();
    let is_threshold =
        |key: &String, value: &Value| (key == THRESHOLDS && value.is_object()) || bounds.iter().any(|(bound, _)| *bound == key);
    let observed = map.iter().filter(|(key, value)| !is_threshold(key, value));
    let mut rows: Vec<Measure> = observed.map(|(key, value)| measure(key, value, &bounds)).collect();
    let lonely = named.into_iter().flatten().filter(|(key, _)| !map.keys().any(|measure| bound_of(key, measure).is_some()));
    rows.extend(lonely.map(|(key, value)| Measure { name: name_of(key), observed: String::new(), threshold: say(key, value) }));
    rows
}

/// What a rule may put before or after a name to say "threshold of", and how it reads.
const BOUNDS: [(&str, &str); 4] = [("min", "at least "), ("max", "at most "), ("threshold", ""), ("limit", "")];

/// The measure that `key` bounds: `min_names` and `names_min` → (`names`, `at least `).
fn bounded(key: &str) -> Option<(&str, &'static str)> {
    BOUNDS.iter().find_map(|(bound, reads)| {
        let before = key.strip_prefix(bound).and_then(|rest| rest.strip_prefix('_'));
        let after = || key.strip_suffix(bound).and_then(|rest| rest.strip_suffix('_'));
        before.or_else(after).filter(|name| !name.is_empty()).map(|name| (name, *reads))
    })
}

/// How the threshold `key` reads beside `measure`, if it bounds that.
fn bound_of(key: &str, measure: &str) -> Option<&'static str> {
    if key == measure { Some("") } else { bounded(key).filter(|(name, _)| *name == measure).map(|(_, reads)| reads) }
}

/// A key as a heading, without the unit that its value shows.
fn name_of(key: &str) -> String {
    label(&clipped(key.strip_suffix("_s").unwrap_or(key), 60))
}

fn measure(key: &str, value: &Value, bounds: &[(&String, &Value)]) -> Measure {
    if let Some((observed, threshold)) = value.as_object().and_then(|inner| observed_beside_threshold(key, inner)) {
        return Measure { name: name_of(key), observed, threshold };
    }
    let said: Vec<String> =
        bounds.iter().filter_map(|(bound, value)| Some(format!("{}{}", bound_of(bound, key)?, say(key, value)))).collect();
    Measure { name: name_of(key), observed: say(key, value), threshold: said.join(", ") }
}

/// `{observed: …, threshold|min|max|limit: …}`, with whatever else stands in it behind the observed value.
fn observed_beside_threshold(key: &str, inner: &Map<String, Value>) -> Option<(String, String)> {
    let seen = ["observed", "value"].into_iter().find(|name| inner.contains_key(*name))?;
    let reads = |name: &str| BOUNDS.iter().find(|(bound, _)| *bound == name).map(|(_, reads)| *reads);
    let mut observed = say(key, inner.get(seen)?);
    let mut bounds = Vec::new();
    for (name, value) in inner.iter().filter(|(name, _)| *name != seen) {
        match reads(name) {
            Some(reads) => bounds.push(format!("{reads}{}", say(key, value))),
            None => observed.push_str(&format!("; {} {}", clipped(name, 40).replace('_', " "), say(name, value))),
        }
    }
    Some((observed, bounds.join(", ")))
}

/// A value as people read it. `key` tells bytes from other numbers.
fn say(key: &str, value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::Number(number) => say_number(key, number),
        Value::String(text) => clipped(text, VALUE_CHARS).into_owned(),
        Value::Array(items) => {
            let mut said: Vec<String> = items.iter().take(LIST_ITEMS).map(|item| say(key, item)).collect();
            if items.len() > LIST_ITEMS {
                said.push(format!("{} more", thousands((items.len() - LIST_ITEMS) as u64)));
            }
            said.join(", ")
        }
        Value::Object(map) => {
            let said: Vec<String> = map
                .iter()
                .take(LIST_ITEMS)
                .map(|(name, value)| format!("{} {}", clipped(name, 40).replace('_', " "), say(name, value)))
                .collect();
            said.join("; ")
        }
    }
}

fn say_number(key: &str, number: &serde_json::Number) -> String {
    match (number.as_u64(), number.as_f64()) {
        // Rules write durations as seconds and say so in the name.
        (_, Some(seconds)) if key.ends_with("_s") && seconds.abs() < 1e9 => human_duration((seconds * 1e9) as i64),
        (Some(whole), _) if key.contains("bytes") && whole >= 1_000 => format!("{} ({})", human_bytes(whole), thousands(whole)),
        (Some(whole), _) if key.contains("port") || key.contains("frame") || key.contains("code") => whole.to_string(),
        (Some(whole), _) => thousands(whole),
        (None, Some(fraction)) if fraction.fract() != 0.0 && fraction.abs() < 1e9 && fraction.abs() >= 1e-3 => {
            format!("{fraction:.3}").trim_end_matches('0').to_owned()
        }
        _ => number.to_string(),
    }
}

/// Confidence is the sigmoid of the rule's prior, in log-odds, plus the terms. The prior itself is not in a finding, but it
/// is what remains; `None` where the confidence was clamped (0.02, 0.99), because then the remainder says nothing.
pub fn start_log_odds(finding: &Finding) -> Option<f64> {
    let c = finding.confidence;
    let sum: f64 = finding.terms.iter().map(|term| term.weight * term.value).sum();
    (c > 0.0201 && c < 0.9899 && sum.is_finite()).then(|| (c / (1.0 - c)).ln() - sum)
}

/// `3 new hosts, 1 new service, 4 unusual volumes, 2 missing hosts`, of the changes that are listed.
pub fn changes_by_kind(report: &Report) -> String {
    let mut kinds: std::collections::BTreeMap<(usize, String), u64> = std::collections::BTreeMap::new();
    for change in &report.changes {
        let kind = match change.model.as_str() {
            "novelty" => (0, format!("new {}", change.metric)),
            "gone" => (2, format!("missing {}", change.metric)),
            _ => (1, "unusual volume".into()),
        };
        *kinds.entry(kind).or_default() += 1;
    }
    let said: Vec<String> = kinds.into_iter().map(|((_, kind), n)| count(n, &kind)).collect();
    let left = report.changes_total.saturating_sub(report.changes.len() as u64);
    let more = if left > 0 { format!("; {left} more in `anomalies`") } else { String::new() };
    format!("since the baseline: {}{more}", said.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rows(evidence: Value) -> Vec<[String; 3]> {
        measures(&evidence).into_iter().map(|m| [m.name, m.observed, m.threshold]).collect()
    }

    #[test]
    fn flat_evidence_finds_its_thresholds() {
        let said = rows(
            json!({"names": 3100, "min_names": 100, "bytes_out": 1_200_000_000u64, "bytes_out_min": 1_000_000, "domain": "evil.example"}),
        );
        let wanted = [
            ["Bytes out", "1.2 GB (1,200,000,000)", "at least 1.0 MB (1,000,000)"],
            ["Domain", "evil.example", ""],
            ["Names", "3,100", "at least 100"],
        ];
        assert_eq!(said, wanted);
    }

    #[test]
    fn thresholds_of_the_rule_stand_beside_what_they_bound() {
        let said = rows(
            json!({"calls": 87, "period_s": 60.2, "regularity": 0.98, "thresholds": {"min_calls": 8, "few_calls": 5, "min_regularity": 0.6}}),
        );
        let wanted =
            [["Calls", "87", "at least 8"], ["Period", "60 s", ""], ["Regularity", "0.98", "at least 0.6"], ["Few calls", "", "5"]];
        assert_eq!(said, wanted);
    }

    #[test]
    fn nested_evidence_reads_the_same() {
        let said = rows(json!({"jitter": {"observed": 0.0412, "max": 0.35, "n": 48}, "ports": {"value": [22, 8080], "min": 1}}));
        assert_eq!(said, [["Jitter", "0.041; n 48", "at most 0.35"], ["Ports", "22, 8080", "at least 1"]]);
    }

    #[test]
    fn a_threshold_without_its_measure_is_kept_as_a_row() {
        assert_eq!(rows(json!({"min_names": 100})), [["Min names", "100", ""]]);
        assert_eq!(rows(json!({"max_size": 5, "size": {"a": 1}})), [["Max size", "5", ""], ["Size", "a 1", ""]]);
    }

    #[test]
    fn evidence_of_any_shape_is_shown() {
        assert_eq!(rows(Value::Null), Vec::<[String; 3]>::new());
        assert_eq!(rows(json!("seen\u{202e}")), [["Evidence", r"seen\u{202e}", ""]]);
        assert_eq!(rows(json!({"ids": (0..20).collect::<Vec<_>>()}))[0][1], "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 8 more");
    }

    #[test]
    fn terms_and_start_add_up_to_the_confidence() {
        let finding = &crate::report::fixture::attack().findings[1];
        let sum: f64 = finding.terms.iter().map(|t| t.weight * t.value).sum();
        let logit = start_log_odds(finding).unwrap() + sum;
        assert!((1.0 / (1.0 + (-logit).exp()) - finding.confidence).abs() < 1e-9);
    }
}
