//! STIX 2.1 (OASIS standard, 2021): indicators of a bundle, with patterns of one condition or several that each suffice.

use super::super::kind::{Kind, Unused};
use super::{About, IntelProvider, List, Raw, when};
use serde_json::Value;

/// Bundles, single objects, and lists of objects.
pub struct Stix;

impl IntelProvider for Stix {
    fn name(&self) -> &'static str {
        "stix"
    }

    fn recognises(&self, raw: &Raw) -> bool {
        raw.json
            .as_ref()
            .is_some_and(|json| objects(json).any(|object| text(object, "pattern").is_some() || text(object, "type") == Some("bundle")))
    }

    fn read(&self, raw: &Raw, list: &mut List) {
        let Some(json) = &raw.json else { return };
        // Other objects tell of campaigns and people; what is to be matched are indicators.
        for object in objects(json).filter(|object| text(object, "type") == Some("indicator")) {
            indicator(object, list);
        }
    }
}

fn text<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Value::as_str)
}

/// The objects of a file, whatever holds them.
fn objects(json: &Value) -> Box<dyn Iterator<Item = &Value> + '_> {
    match (json, json.get("objects").and_then(Value::as_array)) {
        (_, Some(objects)) => Box::new(std::iter::once(json).chain(objects)),
        (Value::Array(objects), _) => Box::new(objects.iter().flat_map(objects_within)),
        _ => Box::new(std::iter::once(json)),
    }
}

/// One level of bundles inside a list; more is not STIX.
fn objects_within(json: &Value) -> Vec<&Value> {
    match json.get("objects").and_then(Value::as_array) {
        Some(objects) => objects.iter().collect(),
        None => vec![json],
    }
}

fn indicator(object: &Value, list: &mut List) {
    let pattern = text(object, "pattern").unwrap_or_default();
    if object.get("revoked").and_then(Value::as_bool) == Some(true) {
        return list.refuse(Unused::Revoked, pattern);
    }
    if !matches!(text(object, "pattern_type"), None | Some("stix")) {
        return list.refuse(Unused::NoColumn, pattern);
    }
    let moment = |name: &str| text(object, name).and_then(when::read);
    let words = |name: &str| {
        object.get(name).and_then(Value::as_array).map(|words| words.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "))
    };
    let about = About {
        threat: text(object, "name")
            .map(str::to_owned)
            .or_else(|| words("indicator_types"))
            .or_else(|| words("labels"))
            .unwrap_or_default(),
        confidence: object.get("confidence").and_then(Value::as_f64).map(|said| said / 100.0),
        first: moment("valid_from"),
        last: moment("valid_until"),
        listed: moment("modified").or_else(|| moment("created")),
    };
    match conditions(pattern) {
        Some(conditions) if !conditions.is_empty() => {
            for (path, value) in conditions {
                match kind_of(&path) {
                    Some(kind) => list.add(Some(kind), &value, about.clone()),
                    None => list.refuse(Unused::NoColumn, &format!("{path} = {value}")),
                }
            }
        }
        _ => list.refuse(Unused::Complex, pattern),
    }
}

fn kind_of(path: &str) -> Option<Kind> {
    let plain = path.to_lowercase().replace(['\'', '"', '-', '_'], "");
    let (object, property) = plain.split_once(':')?;
    Some(match (object, property) {
        ("ipv4addr" | "ipv6addr", "value") => Kind::Ip,
        ("networktraffic", "dstref.value" | "srcref.value") => Kind::Ip,
        ("domainname", "value") => Kind::Domain,
        ("url", "value") => Kind::Url,
        ("file" | "artifact" | "x509certificate", property) => Kind::named(property.strip_prefix("hashes.")?)?,
        ("networktraffic", property) if property.contains("ja3s") => Kind::Ja3s,
        ("networktraffic", property) if property.contains("ja3") => Kind::Ja3,
        ("networktraffic", property) if property.contains("ja4") => Kind::Ja4,
        _ => return None,
    })
}

/// A part of a pattern.
#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    Literal(String),
    Mark(char),
}

/// Conditions of which each alone fulfils the pattern; `None` where several must hold together, or something else is meant than equality.
fn conditions(pattern: &str) -> Option<Vec<(String, String)>> {
    let mut tokens = tokens(pattern)?.into_iter().peekable();
    let mut found = Vec::new();
    while let Some(token) = tokens.next() {
        match token {
            Token::Mark('[' | ']' | '(' | ')') => {}
            Token::Word(word) if word.eq_ignore_ascii_case("or") => {}
            Token::Word(path) if path.contains(':') => match tokens.next()? {
                Token::Mark('=') => match tokens.next()? {
                    Token::Literal(value) => found.push((path, value)),
                    _ => return None,
                },
                Token::Word(word) if word.eq_ignore_ascii_case("issubset") => match tokens.next()? {
                    Token::Literal(value) => found.push((path, value)),
                    _ => return None,
                },
                Token::Word(word) if word.eq_ignore_ascii_case("in") => {
                    (tokens.next()? == Token::Mark('(')).then_some(())?;
                    loop {
                        match tokens.next()? {
                            Token::Literal(value) => found.push((path.clone(), value)),
                            Token::Mark(',') => {}
                            Token::Mark(')') => break,
                            _ => return None,
                        }
                    }
                }
                _ => return None,
            },
            // AND, FOLLOWEDBY, NOT, LIKE, MATCHES, WITHIN, REPEATS …
            _ => return None,
        }
    }
    Some(found)
}

fn tokens(pattern: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut letters = pattern.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            space if space.is_whitespace() => {}
            '[' | ']' | '(' | ')' | ',' | '=' => tokens.push(Token::Mark(letter)),
            '\'' => tokens.push(Token::Literal(literal(&mut letters)?)),
            first if first.is_alphanumeric() || first == '_' => {
                let mut word = String::from(first);
                // A path may hold a quoted part: file:hashes.'SHA-256'.
                while let Some(next) = letters.next_if(|next| next.is_alphanumeric() || "_-.:'\"*".contains(*next)) {
                    word.push(next);
                }
                tokens.push(Token::Word(word));
            }
            // `!=`, `<`, `>` and what STIX has not.
            _ => return None,
        }
    }
    Some(tokens)
}

/// Up to the closing quote; a backslash takes the next letter as it is.
fn literal(letters: &mut impl Iterator<Item = char>) -> Option<String> {
    let mut text = String::new();
    loop {
        match letters.next()? {
            '\'' => return Some(text),
            '\\' => text.push(letters.next()?),
            letter => text.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(pattern: &str) -> String {
        match conditions(pattern) {
            Some(found) => found.iter().map(|(path, value)| format!("{path}={value}")).collect::<Vec<_>>().join(" "),
            None => "complex".into(),
        }
    }

    #[test]
    fn conditions_that_suffice_alone_are_taken_and_others_are_not() {
        for (pattern, expect) in [
            ("[ipv4-addr:value = '203.0.113.7']", "ipv4-addr:value=203.0.113.7"),
            ("[domain-name:value='a.example' OR domain-name:value='b.example']", "domain-name:value=a.example domain-name:value=b.example"),
            ("[file:hashes.'SHA-256' = 'ab'] OR [file:hashes.MD5 = 'cd']", "file:hashes.'SHA-256'=ab file:hashes.MD5=cd"),
            ("[ipv4-addr:value IN ('203.0.113.7', '203.0.113.8')]", "ipv4-addr:value=203.0.113.7 ipv4-addr:value=203.0.113.8"),
            ("[ipv4-addr:value ISSUBSET '203.0.113.0/24']", "ipv4-addr:value=203.0.113.0/24"),
            (r"[url:value = 'http://a.example/it\'s']", "url:value=http://a.example/it's"),
            ("[domain-name:value = 'a.example' AND url:value = 'x']", "complex"),
            ("[url:value LIKE '%a%']", "complex"),
            ("[url:value != 'a']", "complex"),
            ("[ipv4-addr:value = 'a'] FOLLOWEDBY [url:value = 'b']", "complex"),
            ("[ipv4-addr:value = '203.0.113.7", "complex"),
            ("[ipv4-addr:value = ", "complex"),
            ("", ""),
        ] {
            assert_eq!(shown(pattern), expect, "{pattern}");
        }
    }

    #[test]
    fn paths_lead_to_kinds() {
        let paths = [
            "file:hashes.'SHA-256'",
            "x509-certificate:hashes.\"SHA-1\"",
            "ipv6-addr:value",
            "email-addr:value",
            "network-traffic:x_ja3_hash",
        ];
        assert_eq!(paths.map(kind_of), [Some(Kind::Sha256), Some(Kind::Sha1), Some(Kind::Ip), None, Some(Kind::Ja3)]);
    }
}
