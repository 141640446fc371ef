//! Stories small enough to read.

use super::*;
use crate::model::finding::Term;
use crate::model::report::Part;
use crate::model::{Outcome, Severity};
use serde_json::json;

fn finding(id: &str, family: &str, actor: &str, target: &str, risk: f64, first_ns: i64) -> Finding {
    Finding {
        id: id.into(),
        rule: family.into(),
        title: format!("title of {id}"),
        says: format!("{actor} did something to {target} 54 times"),
        severity: Severity::of_risk(risk),
        confidence: 0.91,
        risk,
        outcome: Outcome::Confirmed,
        attack: vec!["T1110".into()],
        tactic: "credential-access".into(),
        family: family.into(),
        actors: vec![actor.into()],
        targets: vec![target.into()],
        users: vec!["root".into()],
        first_seen: "2026-03-14T08:00:00Z".into(),
        last_seen: "2026-03-14T08:05:00Z".into(),
        first_ns,
        last_ns: first_ns + 300_000_000_000,
        evidence: json!({ "refused": 54, "shown": "cat /etc/passwd" }),
        terms: vec![
            Term { name: "many_refusals".into(), weight: 2.0, value: 1.0 },
            Term { name: "known scanner".into(), weight: -1.0, value: 0.5 },
        ],
        flows: vec!["2898".into()],
        frames: vec![2898, 2901],
        wireshark: format!("ip.addr == {actor}"),
        benign: "A forgotten script with an old password.".into(),
        folded: 1,
        key: format!("{family} {actor} {target}"),
        incident: Some("I1".into()),
    }
}

struct Told {
    findings: Vec<Finding>,
    incidents: Vec<Incident>,
    hosts: Vec<Host>,
    verdict: Verdict,
    coverage: Coverage,
}

impl Told {
    fn new() -> Self {
        let findings = vec![
            finding("F1", "guessing-success", "198.51.100.66", "10.20.0.80", 90.0, 0),
            finding("F2", "scan", "10.20.0.80", "10.20.0.20", 60.0, 600_000_000_000),
        ];
        let incidents = vec![Incident {
            id: "I1".into(),
            title: "somebody got in".into(),
            severity: Severity::Critical,
            risk: 90.0,
            confidence: 0.99,
            first_ns: 0,
            last_ns: 900_000_000_000,
            hosts: vec!["10.20.0.80".into()],
            tactics: vec!["credential-access".into(), "discovery".into()],
            findings: vec!["F1".into(), "F2".into()],
            ..Incident::default()
        }];
        let host = |ip: &str, name: &str, state: &str, internal| Host {
            ip: ip.into(),
            names: vec![name.into()],
            state: state.into(),
            internal,
            ..Host::default()
        };
        let hosts =
            vec![host("10.20.0.80", "web01.office.example", "compromised", true), host("198.51.100.66", "bad.example", "attacking", false)];
        let verdict =
            Verdict { severity: Some(Severity::Critical), line: "1 host needs action.".into(), actions: vec!["Reset it (F1).".into()] };
        Self { findings, incidents, hosts, verdict, coverage: Coverage::default() }
    }

    fn story(&self) -> Story<'_> {
        Story { verdict: &self.verdict, coverage: &self.coverage, findings: &self.findings, incidents: &self.incidents, hosts: &self.hosts }
    }
}

#[test]
fn an_incident_is_told_in_order_with_who_moved_on_from_where() {
    let told = Told::new();
    let prose = Template.tell(&told.story(), &About::Incident("I1".into())).unwrap();
    let told: Vec<(Part, &str, String)> = prose.sentences.iter().map(|it| (it.part, it.text.as_str(), it.cites.join(","))).collect();
    let at =
        |words: &str| told.iter().position(|(_, text, _)| text.contains(words)).unwrap_or_else(|| panic!("{words} is not in: {told:#?}"));
    assert!(at("I1 is an incident of critical severity") < at("At 1970-01-01 00:00:00 UTC 198.51.100.66"));
    assert!(at("UTC 198.51.100.66 did something") < at("At 1970-01-01 00:10:00 UTC 10.20.0.80 did something"));
    assert!(told[at("10.20.0.80 (web01.office.example) (inside, compromised)")].0 == Part::Happened);
    let pivot = at("10.20.0.80 was the target in F1 and acts itself in F2");
    assert_eq!((told[pivot].0, told[pivot].2.as_str()), (Part::Suspicious, "F1,F2"));
    assert_eq!(told[at("credential access and discovery")].0, Part::Suspicious);
    assert_eq!(told[at("Reset the password of root")].0, Part::Next);
    assert!(told.is_sorted_by_key(|(part, ..)| *part), "{told:#?}");
    assert!(told.iter().all(|(_, text, cites)| text.ends_with('.') && !cites.is_empty()), "{told:#?}");
}

#[test]
fn a_finding_is_told_with_its_proof() {
    let told = Told::new();
    let prose = Template.tell(&told.story(), &About::Finding("F1".into())).unwrap();
    for part in Part::ALL {
        assert!(prose.part(part).next().is_some(), "{part:?}");
    }
    assert!(prose.sentences.iter().all(|sentence| sentence.cites == ["F1"]));
    let text = prose.text();
    for words in [
        "54 times",
        "guessing of passwords (T1110)",
        "91 %",
        "many refusals",
        "known scanner",
        "vigil carve CASE F1",
        "web01.office.example",
    ] {
        assert!(text.contains(words), "{words} is not in: {text}");
    }
    assert!(Template.tell(&told.story(), &About::Finding("F9".into())).is_none());
}

#[test]
fn every_technique_that_a_rule_names_can_be_said_in_words() {
    let rules = crate::detect::Rules::load(&[], &[]).expect("the embedded rules");
    let bare: Vec<String> = rules
        .list()
        .flat_map(|rule| &rule.header.attack)
        .map(|id| words::technique(id))
        .filter(|said| said.starts_with("ATT&CK"))
        .collect();
    assert!(bare.is_empty(), "{bare:?}");
}
