//! One thing a line, with comments: block lists, hosts files, filter lists.

use super::super::kind::Kind;
use super::{About, IntelProvider, List, Raw, when};

/// Plain lists.
pub struct Plain;

impl IntelProvider for Plain {
    fn name(&self) -> &'static str {
        "plain"
    }

    fn recognises(&self, _: &Raw) -> bool {
        true
    }

    fn read(&self, raw: &Raw, list: &mut List) {
        // Thirty-two hex digits are an MD5 or a JA3; only the name of the list can tell.
        let name = raw.name.to_lowercase();
        let fingerprints = if name.contains("ja3s") { Some(Kind::Ja3s) } else { name.contains("ja3").then_some(Kind::Ja3) };
        for line in raw.text.lines() {
            let (entry, comment) = parts(line);
            if entry.is_empty() {
                list.dated = list.dated.or_else(|| when::in_comment(comment));
                continue;
            }
            let words: Vec<&str> = entry.split_whitespace().collect();
            // Hosts files: an address of one's own, then the name that is led astray.
            let (thing, rest) = match words[..] {
                ["0.0.0.0" | "127.0.0.1" | "::" | "::1", name, ..] => (name, ""),
                [thing, ..] => (thing, entry.get(thing.len()..).unwrap_or_default()),
                [] => continue,
            };
            let kind = fingerprints.filter(|_| thing.len() == 32);
            list.add(kind, thing, About { threat: [rest.trim(), comment].concat(), ..About::default() });
        }
    }
}

/// What stands before a comment, and the comment.
fn parts(line: &str) -> (&str, &str) {
    let line = line.trim();
    if line.starts_with(['#', ';', '!']) || line.starts_with("//") {
        return ("", line);
    }
    // A `#` within a URL is part of it.
    let at = line.find(" #").or_else(|| line.find("\t#")).or_else(|| line.find(" ;"));
    let (entry, comment) = at.map_or((line, ""), |at| line.split_at(at));
    (entry.trim(), comment.trim().trim_start_matches(['#', ';']).trim())
}
