//! The catalogue for people: `docs/detections.md`, written from the headers of the rules.

use super::header::{Header, Need, TACTICS};
use super::rules::{Rule, Rules};
use std::fmt::Write;

const HEAD: &str = "# Detections

Written by `UPDATE_DOCS=1 cargo test --lib detect::catalogue` from the headers of the rules under `queries/`, which are the source. `vigil rules show ID`
prints a rule with its statement and the values in force; `--set ID.NAME=VALUE` changes one; `--rules DIR` adds rules or replaces them.

- *Impact* is how bad it is if it is true and worked, 0 to 100; *prior* is how often it is true when the rule fires, before the evidence of the one case
  moves that. Risk is impact × confidence × outcome (attempt 0.4, guessing 0.6, likely 0.8, confirmed 1).
- Rules of one *family* show the same trouble from several sides: they count once for a host.
- What a rule *reads* must be in the capture, or it says that it could not apply.
- Each rule is proven by the dataset that it names, and by a look-alike at which it must stay silent (`NAME-benign`, where there is one).
";

/// `docs/detections.md`.
pub fn markdown(rules: &Rules) -> String {
    let mut text = String::from(HEAD);
    let _ = write!(text, "\n{} rules.\n\n| rule | tactic | techniques | finds |\n| --- | --- | --- | --- |\n", rules.list().count());
    for (tactic, rule) in by_tactic(rules) {
        let header = &rule.header;
        let _ = writeln!(text, "| [{id}](#{id}) | {tactic} | {} | {} |", header.attack.join(", "), cell(&header.title), id = header.id);
    }
    for (tactic, rule) in by_tactic(rules) {
        text.push_str(&section(tactic, rule));
    }
    text
}

/// Rules in the order of the kill chain, then by id.
fn by_tactic(rules: &Rules) -> impl Iterator<Item = (&'static str, &Rule)> {
    TACTICS.into_iter().flat_map(|tactic| rules.list().filter(move |rule| rule.tactic == tactic).map(move |rule| (tactic, rule)))
}

fn section(tactic: &str, rule: &Rule) -> String {
    let header = &rule.header;
    let mut text = format!("\n## {}\n\n{}.\n\n", header.id, header.title.trim_end_matches('.'));
    let _ = writeln!(
        text,
        "- {tactic}; {}; impact {}, prior {}, family `{}`",
        header.attack.join(", "),
        header.impact,
        header.prior,
        header.family
    );
    let _ = writeln!(text, "- reads {}; window {}; one finding per {}", tables(header), header.window, header.key.join(", "));
    if let Some(whole) = &header.whole {
        let _ = writeln!(text, "- needs the whole capture: {whole}");
    }
    let _ = writeln!(text, "- harmless look-alikes: {}", header.benign);
    let _ = writeln!(text, "- dataset: `{}`", header.fires_on);
    if rule.params.is_empty() {
        return text;
    }
    text.push_str("\n| parameter | value | meaning |\n| --- | --- | --- |\n");
    for param in &rule.params {
        let _ = writeln!(text, "| `{}` | `{}` | {} |", param.name, cell(&param.default.to_string()), cell(&param.doc));
    }
    text
}

fn tables(header: &Header) -> String {
    let mut text = header.reads.iter().map(|table| format!("`{table}`")).collect::<Vec<_>>().join(", ");
    if !header.also.is_empty() {
        let also: Vec<String> = header.also.iter().map(|table| format!("`{table}`")).collect();
        let _ = write!(text, " and, where there, {}", also.join(", "));
    }
    for need in &header.needs {
        text.push_str(match need {
            Need::TwoSided => "; needs both directions of conversations",
            Need::Payload => "; needs payload",
        });
    }
    text
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_written_catalogue_is_the_one_in_force() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/detections.md");
        let expected = markdown(&Rules::load(&[], &[]).expect("the embedded rules"));
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(path, &expected).expect("docs/detections.md");
        }
        let written = std::fs::read_to_string(path).unwrap_or_default();
        assert!(written == expected, "docs/detections.md is out of date: UPDATE_DOCS=1 cargo test --lib detect::catalogue");
    }
}
