//! Sentences and display filters out of templates: `{actor} tried {ports} ports on {target}`.
//!
//! A field may say how to print itself: `{bytes:bytes}`, `{span_s:duration}`. What a template names and the evidence
//! lacks is printed as `?`, and the test that runs every rule on its proof looks for it.

use super::row::Hit;
use crate::model::time::{SECOND, human_bytes, human_duration};
use serde_json::Value as Json;

/// Longest text of packets that a sentence quotes, characters.
const QUOTE_MOST: usize = 80;

/// Whom a finding is about, once rows are folded.
pub struct Who<'a> {
    /// Who does it.
    pub actors: &'a [String],
    /// Who suffers it.
    pub targets: &'a [String],
    /// Accounts.
    pub users: &'a [String],
}

/// The template with its fields filled in as a person reads them.
pub fn sentence(template: &str, hit: &Hit, who: &Who<'_>) -> String {
    fill(template, |name, style| match name {
        "actor" => named(who.actors, "someone"),
        "target" => named(who.targets, "unknown targets"),
        "user" => named(who.users, "no account"),
        _ => hit.evidence.get(name).map_or_else(|| "?".to_owned(), |value| spoken(value, style)),
    })
}

/// The template as a display filter. A filter on a field that has no value would match nothing, so the whole is left out.
pub fn filter(template: &str, hit: &Hit) -> Option<String> {
    let mut whole = true;
    let filled = fill(template, |name, _| {
        let value = match name {
            "actor" => hit.actor.clone(),
            "target" => hit.target.clone(),
            "user" => hit.user.clone(),
            _ => hit.evidence.get(name).map(plain).filter(|text| !text.is_empty()),
        };
        whole &= value.is_some();
        value.unwrap_or_default().replace('\\', "\\\\").replace('"', "\\\"")
    });
    whole.then(|| addresses_fit(&filled))
}

/// `ip.addr == 2001:db8::1` matches nothing in Wireshark: the field of the other family is needed.
fn addresses_fit(filter: &str) -> String {
    let mut words: Vec<String> = filter.split(' ').map(str::to_owned).collect();
    for at in 2..words.len() {
        let is_v6 = words[at].trim_end_matches(')').parse::<std::net::Ipv6Addr>().is_ok();
        if is_v6 && words[at - 1] == "==" {
            words[at - 2] = words[at - 2].replace("ip.", "ipv6.");
        }
    }
    words.join(" ")
}

fn fill(template: &str, mut value: impl FnMut(&str, &str) -> String) -> String {
    let mut filled = String::with_capacity(template.len() + 32);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let Some((field, tail)) = after.split_once('}') else {
            filled.push('{');
            rest = after;
            continue;
        };
        let (name, style) = field.split_once(':').unwrap_or((field, ""));
        filled.push_str(&value(name.trim(), style.trim()));
        rest = tail;
    }
    filled + rest
}

/// `a`, `a and b`, `a, b and 7 more`.
fn named(names: &[String], nobody: &str) -> String {
    match names {
        [] => nobody.to_owned(),
        [one] => one.clone(),
        [one, two] => format!("{one} and {two}"),
        [one, two, rest @ ..] => format!("{one}, {two} and {} more", rest.len()),
    }
}

fn spoken(value: &Json, style: &str) -> String {
    match (style, value.as_f64()) {
        ("bytes", Some(x)) => human_bytes(x.max(0.0) as u64),
        ("duration", Some(x)) => human_duration((x * SECOND as f64) as i64),
        ("percent", Some(x)) => format!("{:.0} %", x * 100.0),
        ("", Some(x)) if value.is_f64() => short_number(x),
        ("", _) => quoted(value),
        // Any other word is what is counted, in the plural.
        (things, Some(1.0)) => format!("1 {}", singular(things)),
        (things, Some(_)) => format!("{} {things}", quoted(value)),
        _ => quoted(value),
    }
}

fn singular(things: &str) -> String {
    match (things.strip_suffix("sses"), things.strip_suffix("ies")) {
        (Some(stem), _) => format!("{stem}ss"),
        (_, Some(stem)) => format!("{stem}y"),
        _ => things.strip_suffix('s').unwrap_or(things).to_owned(),
    }
}

/// Three digits are enough for a sentence.
fn short_number(x: f64) -> String {
    let digits = if x.abs() >= 100.0 {
        0
    } else if x.abs() >= 10.0 {
        1
    } else {
        2
    };
    let text = format!("{x:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn quoted(value: &Json) -> String {
    let text = plain(value);
    match text.char_indices().nth(QUOTE_MOST) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text,
    }
}

fn plain(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Array(items) => {
            let shown: Vec<String> = items.iter().take(5).map(plain).collect();
            let more = items.len().saturating_sub(shown.len());
            if more > 0 { format!("{} and {more} more", shown.join(", ")) } else { shown.join(", ") }
        }
        Json::Null => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::finding::Outcome;
    use serde_json::json;

    fn hit(evidence: Json) -> Hit {
        let evidence = evidence.as_object().cloned().unwrap_or_default();
        let (actor, target) = (Some("10.0.0.1".into()), Some("2001:db8::7".into()));
        let outcome = Outcome::Confirmed;
        Hit {
            actor,
            target,
            more_targets: Vec::new(),
            user: None,
            first_ns: 0,
            last_ns: 0,
            outcome,
            terms: vec![],
            evidence,
            flows: vec![],
            frames: vec![],
            impact: None,
        }
    }

    #[test]
    fn a_sentence_prints_each_field_as_people_say_it() {
        let hit = hit(json!({"ports": 1000, "span": 90.4, "sent": 1_400_000, "share": 0.987, "mean": 0.12345, "names": ["a", "b"]}));
        let who = Who { actors: &["10.0.0.1".into()], targets: &["a".into(), "b".into(), "c".into()], users: &[] };
        let said = sentence(
            "{actor} tried {ports} ports on {target} in {span:duration}: {sent:bytes}, {share:percent}, {mean}, {names}, {gone}",
            &hit,
            &who,
        );
        assert_eq!(said, "10.0.0.1 tried 1000 ports on a, b and 1 more in 90 s: 1.4 MB, 99 %, 0.12, a, b, ?");
    }

    #[test]
    fn one_of_a_thing_is_not_said_in_the_plural() {
        let who = Who { actors: &["10.0.0.1".into()], targets: &[], users: &[] };
        let said = |n: i64| sentence("{n:calls}, {n:addresses}, {n:queries}", &hit(json!({ "n": n })), &who);
        assert_eq!([said(1), said(2)], ["1 call, 1 address, 1 query", "2 calls, 2 addresses, 2 queries"]);
    }

    #[test]
    fn a_filter_suits_the_address_family_and_escapes_quotes() {
        let hit = hit(json!({"name": "a\"b", "none": null}));
        let made = filter("ip.src == {actor} && ip.dst == {target} && dns.qry.name contains \"{name}\"", &hit);
        assert_eq!(made.unwrap(), "ip.src == 10.0.0.1 && ipv6.dst == 2001:db8::7 && dns.qry.name contains \"a\\\"b\"");
        assert_eq!(filter("dns.qry.name == \"{none}\"", &hit), None);
    }

    #[test]
    fn text_from_packets_is_cut_before_it_floods_a_sentence() {
        let hit = hit(json!({"name": "é".repeat(500)}));
        let who = Who { actors: &[], targets: &[], users: &[] };
        assert_eq!(sentence("{name}", &hit, &who).chars().count(), QUOTE_MOST + 1);
    }
}
