//! What a model is shown: findings and the hosts that they name. Never payloads, never frames, never the case's name or paths.
//!
//! Strings that come from packets are data of an attacker: they lose control characters and what hides or turns text round, are cut, and
//! stand only inside JSON strings.

use super::super::{About, Story};
use crate::model::Finding;
use crate::model::report::Host;
use serde_json::{Map, Value, json};

/// Findings shown at once, the gravest first: more would not fit into one telling.
const FINDINGS: usize = 30;
/// Characters of a string.
const CHARS: usize = 160;
/// Items of a list, fields of an object.
const ITEMS: usize = 12;
/// Words in names of evidence that hold pieces of payload.
const PAYLOAD: [&str; 14] = [
    "payload",
    "secret",
    "password",
    "shown",
    "line",
    "example",
    "content",
    "uri",
    "url",
    "body",
    "data",
    "command",
    "first_bytes",
    "agent",
];

/// What is shown about a part of the story, and the findings that may be cited. `None` if there is no such part.
pub(super) fn facts<'a>(story: &Story<'a>, about: &About) -> Option<(Value, Vec<&'a Finding>)> {
    let mut findings = story.findings_of(about)?;
    findings.sort_by(|a, b| b.risk.total_cmp(&a.risk).then_with(|| a.id.cmp(&b.id)));
    findings.truncate(FINDINGS);
    findings.sort_by(|a, b| (a.first_ns, &a.id).cmp(&(b.first_ns, &b.id)));
    let named = |host: &&Host| findings.iter().any(|it| it.actors.contains(&host.ip) || it.targets.contains(&host.ip));
    let hosts: Vec<Value> = story.hosts.iter().filter(named).take(FINDINGS).map(host).collect();
    let shown: Vec<Value> = findings.iter().map(|it| finding(it)).collect();
    Some((json!({ "about": about.to_string(), "findings": shown, "hosts": hosts }), findings))
}

/// A finding as it is shown. Only what is in here may be repeated.
pub(super) fn finding(it: &Finding) -> Value {
    let (evidence, left_out) = evidence(&it.evidence);
    let says = left_out.iter().fold(it.says.clone(), |says, text| says.replace(text, "[left out]"));
    json!({
        "id": it.id,
        "rule": clean(&it.rule),
        "title": clean(&it.title),
        "says": clean_to(&says, 2 * CHARS),
        "severity": it.severity.name(),
        "confidence": it.confidence,
        "risk": it.risk,
        "outcome": it.outcome.name(),
        "attack": it.attack.iter().map(|id| clean(id)).collect::<Vec<_>>(),
        "tactic": clean(&it.tactic),
        "actors": it.actors.iter().take(ITEMS).map(|name| clean(name)).collect::<Vec<_>>(),
        "targets": it.targets.iter().take(ITEMS).map(|name| clean(name)).collect::<Vec<_>>(),
        "users": it.users.iter().take(ITEMS).map(|name| clean(name)).collect::<Vec<_>>(),
        "first_seen": it.first_seen,
        "last_seen": it.last_seen,
        "evidence": evidence,
        "looks_alike": clean_to(&it.benign, 2 * CHARS),
    })
}

fn host(host: &Host) -> Value {
    json!({
        "address": clean(&host.ip),
        "names": host.names.iter().take(3).map(|name| clean(name)).collect::<Vec<_>>(),
        "inside": host.internal,
        "state": clean(&host.state),
        "roles": host.roles.iter().take(ITEMS).map(|role| clean(role)).collect::<Vec<_>>(),
    })
}

/// Evidence without pieces of payload, and the texts that were left out.
fn evidence(evidence: &Value) -> (Value, Vec<String>) {
    let (mut kept, mut left_out) = (Map::new(), Vec::new());
    for (name, value) in evidence.as_object().into_iter().flatten() {
        let name_of_payload = PAYLOAD.iter().any(|word| name.to_ascii_lowercase().contains(word));
        if name_of_payload && !(value.is_number() || value.is_boolean()) {
            texts(value, &mut left_out);
        } else if kept.len() < 2 * ITEMS {
            kept.insert(clean(name), cut(value));
        }
    }
    left_out.retain(|text| text.chars().count() >= 3);
    // The longest first, so that no part of one stays behind.
    left_out.sort_by_key(|text| std::cmp::Reverse(text.len()));
    (Value::Object(kept), left_out)
}

fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(fields) => fields.values().for_each(|value| texts(value, found)),
        _ => {}
    }
}

fn cut(value: &Value) -> Value {
    match value {
        Value::String(text) => clean(text).into(),
        Value::Array(items) => items.iter().take(ITEMS).map(cut).collect(),
        Value::Object(fields) => fields.iter().take(ITEMS).map(|(name, value)| (clean(name), cut(value))).collect::<Map<_, _>>().into(),
        other => other.clone(),
    }
}

fn clean(text: &str) -> String {
    clean_to(text, CHARS)
}

/// Without control characters and what hides or turns text round, on one line, cut.
pub(super) fn clean_to(text: &str, most: usize) -> String {
    let hides = |c: char| {
        c.is_control()
            || matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}')
            || matches!(c, '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
    };
    let plain: String = text.chars().map(|c| if hides(c) { ' ' } else { c }).take(most + 1).collect();
    match plain.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &plain[..at]),
        None => plain,
    }
}
