//! What a model says is believed as far as the findings that it cites say it. A sentence that cites none, or that names an address, a
//! name, a number or a technique that its findings do not hold, is dropped; so is one that calls off an alarm, which no model may do.

use super::facts::{clean_to, finding};
use crate::model::Finding;
use crate::model::report::{Host, Part, Sentence};
use serde_json::Value;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Characters of a sentence.
const CHARS: usize = 600;
/// Sentences of an answer that are looked at.
const SENTENCES: usize = 40;
/// Words with which a sentence would call off an alarm.
const ALL_CLEAR: [&str; 14] = [
    "false positive",
    "false alarm",
    "no threat",
    "not a threat",
    "no action",
    "no further action",
    "is clean",
    "are clean",
    "is safe",
    "are safe",
    "is harmless",
    "are harmless",
    "can be ignored",
    "is benign",
];

/// The sentences that stand, and how many were dropped.
pub(super) fn checked(answer: &Value, findings: &[&Finding], hosts: &[Host], reveal: impl Fn(&str) -> String) -> (Vec<Sentence>, u64) {
    let (mut kept, mut dropped) = (Vec::new(), 0);
    let all = answer["sentences"].as_array().map(Vec::as_slice).unwrap_or_default();
    for told in all.iter().take(SENTENCES) {
        match sentence(told, findings, hosts, &reveal) {
            Some(sentence) => kept.push(sentence),
            None => dropped += 1,
        }
    }
    dropped += all.len().saturating_sub(SENTENCES) as u64;
    kept.sort_by_key(|sentence| sentence.part);
    (kept, dropped)
}

fn sentence(told: &Value, findings: &[&Finding], hosts: &[Host], reveal: &impl Fn(&str) -> String) -> Option<Sentence> {
    let part: Part = serde_json::from_value(told["part"].clone()).ok()?;
    let raw = told["text"].as_str()?.trim();
    if raw.is_empty() || raw.chars().count() > CHARS {
        return None;
    }
    let text = reveal(&clean_to(raw, CHARS));
    let mut cites: Vec<String> = Vec::new();
    for id in told["cites"].as_array()?.iter().filter_map(Value::as_str) {
        // One wrong citation is enough: who invents one may have invented the sentence.
        findings.iter().find(|finding| finding.id == id)?;
        if !cites.iter().any(|other| other == id) {
            cites.push(id.to_owned());
        }
    }
    let cited: Vec<&Finding> = findings.iter().filter(|finding| cites.contains(&finding.id)).copied().collect();
    let grounds = Grounds::of(&cited, hosts);
    (!cited.is_empty() && !calls_off(&text) && grounds.hold(&text)).then_some(Sentence { part, text, cites })
}

fn calls_off(text: &str) -> bool {
    let lower = text.to_lowercase();
    ALL_CLEAR.iter().any(|words| lower.contains(words))
}

/// What the cited findings hold, ready to be compared with.
struct Grounds {
    text: String,
    numbers: Vec<f64>,
    techniques: BTreeSet<String>,
}

impl Grounds {
    fn of(cited: &[&Finding], hosts: &[Host]) -> Self {
        let mut text = String::new();
        let mut numbers = Vec::new();
        for it in cited {
            let shown = finding(it);
            gather(&shown, &mut text, &mut numbers);
            let named = hosts.iter().filter(|host| it.actors.contains(&host.ip) || it.targets.contains(&host.ip));
            named.flat_map(|host| host.names.iter().chain([&host.ip])).for_each(|name| {
                text.push_str(name);
                text.push('\n');
            });
        }
        let text = text.to_lowercase();
        numbers.extend(digits(&text));
        // A share may be said in percent.
        let shares: Vec<f64> = numbers.iter().filter(|n| **n > 0.0 && **n < 1.0).map(|n| n * 100.0).collect();
        numbers.extend(shares);
        let techniques = cited.iter().flat_map(|it| &it.attack).map(|id| id.to_lowercase()).collect();
        Self { text, numbers, techniques }
    }

    /// Whether everything that can be looked up in `text` is there.
    fn hold(&self, text: &str) -> bool {
        let lower = text.to_lowercase();
        words(&lower).all(|word| self.holds_word(word))
    }

    fn holds_word(&self, word: &str) -> bool {
        let is_id =
            |letter: char| word.strip_prefix(letter).is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()));
        // Ids of findings and incidents are citations, not claims.
        if is_id('f') || is_id('i') {
            return self.text.contains(&format!("{word}\n")) || is_id('i');
        }
        if technique(word) {
            return self.techniques.contains(word) || self.techniques.iter().any(|id| id.starts_with(&format!("{word}.")));
        }
        if named(word) {
            return self.text.contains(word);
        }
        digits(word).into_iter().all(|number| self.holds_number(number, word))
    }

    /// A number stands if the findings have it, or have one that rounds to it as it is written.
    fn holds_number(&self, number: f64, word: &str) -> bool {
        let places = word.rsplit_once('.').map_or(0, |(_, after)| after.bytes().take_while(u8::is_ascii_digit).count());
        let unit = 10f64.powi(-(places.min(9) as i32));
        self.numbers.iter().any(|known| (known - number).abs() <= unit / 2.0 + 1e-9)
    }
}

/// Texts and numbers of a value.
fn gather(value: &Value, text: &mut String, numbers: &mut Vec<f64>) {
    match value {
        Value::String(said) => {
            text.push_str(said);
            text.push('\n');
        }
        Value::Number(number) => numbers.extend(number.as_f64()),
        Value::Array(items) => items.iter().for_each(|item| gather(item, text, numbers)),
        Value::Object(fields) => fields.values().for_each(|value| gather(value, text, numbers)),
        _ => {}
    }
}

/// Words without the punctuation around them.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let ends = |c: char| !(c.is_alphanumeric() || c == '%');
    text.split(|c: char| {
        c.is_whitespace() || matches!(c, '(' | ')' | '[' | ']' | '{' | '}' | '"' | '\'' | '`' | '<' | '>' | ';' | '“' | '”')
    })
    .map(move |word| word.trim_matches(ends))
    .filter(|word| !word.is_empty())
}

fn technique(word: &str) -> bool {
    let digits = |text: &str, n: usize| text.len() == n && text.bytes().all(|b| b.is_ascii_digit());
    word.strip_prefix('t').is_some_and(|rest| match rest.split_once('.') {
        Some((main, sub)) => digits(main, 4) && digits(sub, 3),
        None => digits(rest, 4),
    })
}

/// Whether a word names a host, a page or an account: an address, something with dots and letters, a path, an address of mail.
fn named(word: &str) -> bool {
    if word.parse::<IpAddr>().is_ok() || word.contains("://") || word.contains('@') || word.contains('\\') {
        return true;
    }
    let dotted = word.contains('.') && word.split('.').all(|label| !label.is_empty());
    let lettered = word.rsplit('.').next().is_some_and(|last| last.chars().any(char::is_alphabetic));
    let hexes = word.len() >= 16 && word.bytes().all(|b| b.is_ascii_hexdigit());
    let addressed = word.split(':').count() >= 3
        && word.chars().any(char::is_alphabetic)
        && word.bytes().all(|b| b.is_ascii_hexdigit() || b == b':' || b == b'/');
    (dotted && lettered) || hexes || addressed || word.split('.').count() == 4 && word.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

/// Numbers in a text: `1,402` is one, `10:02` are two, `443/tcp` is one, `10.0.0.5` is none that can be compared and gives its parts.
fn digits(text: &str) -> Vec<f64> {
    let mut found = Vec::new();
    let bytes = text.as_bytes();
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut at = 0;
    while at < bytes.len() {
        if !is_digit(at) {
            at += 1;
            continue;
        }
        let (from, mut dots) = (at, 0);
        let mut number = String::new();
        while at < bytes.len() {
            match bytes.get(at) {
                Some(digit) if digit.is_ascii_digit() => number.push(char::from(*digit)),
                Some(b',') if is_digit(at + 1) && is_digit(at + 2) && is_digit(at + 3) && !is_digit(at + 4) && dots == 0 => {}
                Some(b'.') if is_digit(at + 1) && dots == 0 => {
                    dots = 1;
                    number.push('.');
                }
                _ => break,
            }
            at += 1;
        }
        found.extend(number.parse::<f64>().ok());
        at = at.max(from + 1);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_people_write_them() {
        assert_eq!(digits("1,402,113 packets, 97.5 % at 10:02, port 443/tcp"), [1_402_113.0, 97.5, 10.0, 2.0, 443.0]);
        assert_eq!(digits("no number, a,b 1,2"), [1.0, 2.0]);
    }

    #[test]
    fn names_techniques_and_plain_words_are_told_apart() {
        for word in ["10.0.0.5", "evil.example", "http://evil.example/x", "bob@corp.example", "fe80::1", "30ac27667611e253"] {
            assert!(named(word), "{word}");
        }
        for word in ["beacon", "10:02", "443", "97.5", "2026-03-14"] {
            assert!(!named(word), "{word}");
        }
        assert!(technique("t1046") && technique("t1071.004") && !technique("t10") && !technique("tcp"));
    }
}
