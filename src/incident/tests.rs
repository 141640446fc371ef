use super::*;
use crate::model::finding::Term;
use crate::model::time::SECOND;
use crate::model::{Finding, Outcome};

/// `rule tactic family technique outcome risk confidence actor>target at_second`.
fn finding(id: &str, tactic: &str, family: &str, outcome: Outcome, risk: f64, who: (&str, &str), second: i64) -> Finding {
    let names = |name: &str| if name.is_empty() { vec![] } else { vec![name.to_owned()] };
    Finding {
        id: id.into(),
        rule: family.into(),
        title: format!("Title of {family}"),
        says: format!("{} did {family} to {}", who.0, who.1),
        severity: Severity::of_risk(risk),
        confidence: 0.9,
        risk,
        outcome,
        attack: vec![],
        tactic: tactic.into(),
        family: family.into(),
        actors: names(who.0),
        targets: names(who.1),
        users: vec![],
        first_seen: String::new(),
        last_seen: String::new(),
        first_ns: second * SECOND,
        last_ns: second * SECOND,
        evidence: serde_json::json!({}),
        terms: Vec::<Term>::new(),
        flows: vec![],
        frames: vec![],
        wireshark: String::new(),
        benign: String::new(),
        folded: 1,
        key: id.into(),
        incident: None,
    }
}

fn judged(findings: &mut [Finding]) -> Judged {
    judge(findings, &[], &Facts { frames: 10, flows: 2, ..Facts::default() })
}

fn of<'a>(judged: &'a Judged, ip: &str) -> &'a Host {
    judged.hosts.iter().find(|host| host.ip == ip).unwrap()
}

#[test]
fn kinds_of_evidence_add_up_and_repetitions_hardly_do() {
    let scan = |id, risk| finding(id, "discovery", "scan", Outcome::Confirmed, risk, ("10.0.0.9", ""), 0);
    let one = of(&judged(&mut [scan("F1", 50.0)]), "10.0.0.9").risk;
    let twice = of(&judged(&mut [scan("F1", 50.0), scan("F2", 20.0)]), "10.0.0.9").risk;
    let kinds = of(
        &judged(&mut [scan("F1", 50.0), finding("F2", "discovery", "sweep", Outcome::Confirmed, 20.0, ("10.0.0.9", ""), 0)]),
        "10.0.0.9",
    )
    .risk;
    assert_eq!((one, twice, kinds), (50.0, 55.0, 60.0));
}

#[test]
fn a_host_that_only_saw_attempts_stays_below_medium() {
    let mut findings = [finding("F1", "initial-access", "web-exploit", Outcome::Attempt, 90.0, ("192.0.2.1", "10.0.0.1"), 0)];
    let judged = judged(&mut findings);
    assert_eq!((of(&judged, "10.0.0.1").risk, of(&judged, "10.0.0.1").state.as_str()), (35.0, "targeted"));
}

#[test]
fn an_exploit_that_worked_makes_its_target_compromised_and_grave() {
    let mut findings = [finding("F1", "initial-access", "web-exploit", Outcome::Confirmed, 79.0, ("192.0.2.1", "10.0.0.1"), 0)];
    let host = of(&judged(&mut findings), "10.0.0.1").clone();
    assert_eq!((host.state.as_str(), host.risk, host.severity), ("compromised", 80.0, Severity::Critical));
}

#[test]
fn who_calls_a_controller_is_compromised_and_who_takes_a_program_in_too() {
    let beacon = finding("F1", "command-and-control", "periodic", Outcome::Confirmed, 60.0, ("10.0.0.1", "192.0.2.1"), 0);
    let mut download = finding("F2", "command-and-control", "download", Outcome::Confirmed, 60.0, ("192.0.2.9", "10.0.0.2"), 0);
    download.attack = vec!["T1105".into()];
    let judged = judged(&mut [beacon, download]);
    let states: Vec<_> = ["10.0.0.1", "192.0.2.1", "10.0.0.2", "192.0.2.9"].map(|ip| of(&judged, ip).state.clone()).into();
    assert_eq!(states, ["compromised", "targeted", "compromised", "attacking"]);
}

#[test]
fn an_attack_that_moves_on_is_one_incident_and_a_stranger_is_another() {
    let mut findings = [
        finding("F1", "initial-access", "web-exploit", Outcome::Confirmed, 85.0, ("192.0.2.1", "10.0.0.1"), 0),
        finding("F2", "discovery", "scan", Outcome::Confirmed, 62.0, ("10.0.0.1", "10.0.0.7"), 600),
        finding("F3", "impact", "flood", Outcome::Confirmed, 50.0, ("", "203.0.113.5"), 700),
        finding("F4", "discovery", "sweep", Outcome::Confirmed, 30.0, ("10.0.0.1", ""), 90_000),
        finding("F5", "discovery", "sweep", Outcome::Confirmed, 10.0, ("10.0.0.1", ""), 5),
    ];
    let judged = judged(&mut findings);
    let grouped: Vec<_> = findings.iter().map(|f| f.incident.as_deref().unwrap_or("-")).collect();
    assert_eq!(grouped, ["I1", "I1", "I2", "I3", "-"], "F4 comes a day later, F5 is not worth a story");
    assert_eq!(judged.incidents[0].findings, ["F1", "F2"]);
    assert_eq!(judged.incidents[0].tactics, ["initial-access", "discovery"]);
    let order: Vec<_> = judged.timeline.iter().map(|line| line.finding.as_str()).collect();
    assert_eq!(order, ["F1", "F2", "F3", "F4"]);
}

/// Broken into, under control, and going on.
fn chain() -> [Finding; 3] {
    [
        finding("F1", "initial-access", "web-exploit", Outcome::Confirmed, 85.0, ("192.0.2.1", "10.0.0.1"), 0),
        finding("F2", "command-and-control", "periodic", Outcome::Confirmed, 60.0, ("10.0.0.1", "192.0.2.7"), 60),
        finding("F3", "discovery", "scan", Outcome::Confirmed, 62.0, ("10.0.0.1", "10.0.0.7"), 600),
    ]
}

#[test]
fn each_host_of_an_incident_has_its_part_and_the_entry_is_told() {
    let incident = judged(&mut chain()).incidents.remove(0);
    let part = |ip: &str| incident.roles.iter().find(|role| role.ip == ip).unwrap().part.clone();
    assert_eq!(["192.0.2.1", "10.0.0.1", "10.0.0.7", "192.0.2.7"].map(part), ["attacker", "pivot", "victim", "far_end"]);
    assert_eq!(incident.entry, "It came in on 10.0.0.1 1970-01-01 00:00:00, from 192.0.2.1 (F1).");
    assert!(!incident.background);
}

#[test]
fn the_title_is_the_path_of_the_host_that_is_worst_off() {
    let incident = judged(&mut chain()).incidents.remove(0);
    assert_eq!(
        incident.title,
        "10.0.0.1 attacking: Title of web-exploit from 192.0.2.1 00:00:00 → Title of periodic to 192.0.2.7 00:01:00 → \
         Title of scan to 10.0.0.7 00:10:00"
    );
    let lines: Vec<_> = incident.timeline.iter().map(|line| line.finding.as_str()).collect();
    assert_eq!(lines, ["F1", "F2", "F3"]);
}

#[test]
fn the_graph_holds_each_pair_of_hosts_once_the_gravest_first() {
    let again = finding("F4", "discovery", "scan", Outcome::Confirmed, 30.0, ("10.0.0.1", "10.0.0.7"), 700);
    let mut findings: Vec<Finding> = chain().into_iter().chain([again]).collect();
    let incident = judged(&mut findings).incidents.remove(0);
    let pairs: Vec<_> = incident.deeds.iter().map(|deed| (deed.from.as_str(), deed.to.as_str(), deed.findings.len())).collect();
    assert_eq!(pairs, [("192.0.2.1", "10.0.0.1", 1), ("10.0.0.1", "10.0.0.7", 2), ("10.0.0.1", "192.0.2.7", 1)]);
    let left = incident.without(|id| id == "F2").unwrap();
    assert_eq!((left.findings.len(), left.deeds.len(), left.roles.iter().any(|role| role.ip == "192.0.2.7")), (3, 2, false));
    assert!(left.without(|_| true).is_none());
}

#[test]
fn what_a_capture_does_not_show_of_the_entry_is_said() {
    let entry = |finding: Finding| judged(&mut [finding]).incidents.remove(0).entry;
    let beacon = finding("F1", "command-and-control", "periodic", Outcome::Confirmed, 60.0, ("10.0.0.1", "192.0.2.7"), 0);
    assert_eq!(entry(beacon), "How 10.0.0.1 was taken over is not in this capture: F1 1970-01-01 00:00:00 is the first sign.");
    let scan = finding("F1", "discovery", "scan", Outcome::Confirmed, 60.0, ("10.0.0.9", "10.0.0.7"), 0);
    assert_eq!(entry(scan), "10.0.0.9 acts from inside; who uses it, and since when, is not in this capture.");
    let knock = finding("F1", "initial-access", "web-exploit", Outcome::Attempt, 45.0, ("192.0.2.1", "10.0.0.1"), 0);
    let incident = judged(&mut [knock]).incidents.remove(0);
    assert_eq!((incident.entry.as_str(), incident.background), ("", true));
}

#[test]
fn hosts_that_call_one_controller_are_one_incident_and_hosts_that_ask_one_resolver_are_not() {
    let call = |id, from, to, second| finding(id, "command-and-control", "periodic", Outcome::Confirmed, 60.0, (from, to), second);
    assert_eq!(judged(&mut [call("F1", "10.0.0.1", "192.0.2.7", 0), call("F2", "10.0.0.2", "192.0.2.7", 9)]).incidents.len(), 1);
    let resolver = Host { ip: "10.0.0.53".into(), internal: true, roles: vec!["dns_resolver".into()], ..Host::default() };
    let facts = Facts { hosts: vec![resolver], frames: 10, flows: 2, damaged: 0 };
    let mut findings = [call("F1", "10.0.0.1", "10.0.0.53", 0), call("F2", "10.0.0.2", "10.0.0.53", 9)];
    assert_eq!(judge(&mut findings, &[], &facts).incidents.len(), 2);
}

#[test]
fn the_verdict_names_hosts_and_deeds_and_what_to_do() {
    let mut success = finding("F1", "credential-access", "guessing-success", Outcome::Confirmed, 90.0, ("192.0.2.1", "10.0.0.5"), 0);
    success.attack = vec!["T1110".into(), "T1078".into()];
    success.users = vec!["root".into()];
    let exfil = finding("F2", "exfiltration", "exfil", Outcome::Confirmed, 70.0, ("10.0.0.5", "192.0.2.7"), 60);
    let verdict = judged(&mut [success, exfil]).verdict;
    assert_eq!(verdict.line, "1 host needs action: 192.0.2.1 did guessing-success to 10.0.0.5; 10.0.0.5 did exfil to 192.0.2.7.");
    assert_eq!(verdict.actions[0], "Reset the password of root on 10.0.0.5, end its sessions, and see what was done after the login (F1).");
    assert_eq!(verdict.severity, Some(Severity::Critical));
}

#[test]
fn without_findings_it_says_what_was_looked_at_and_never_clean() {
    let run = |status: &str, why: &str| RuleRun { status: status.into(), why: why.into(), ..RuleRun::default() };
    let runs = [run("silent", ""), run("not_applicable", "no DNS in this capture"), run("not_applicable", "no DNS in this capture")];
    let verdict = judge(&mut [], &runs, &Facts { frames: 12, flows: 3, ..Facts::default() }).verdict;
    assert_eq!(verdict.severity, None);
    assert_eq!(
        verdict.line,
        "1 rules looked at 12 frames in 3 flows and found nothing worth a report; 2 rules could not apply: no DNS in this capture. \
         That is no proof that nothing happened."
    );
    let nothing = judge(&mut [], &[], &Facts { damaged: 1, ..Facts::default() }).verdict;
    assert!(nothing.line.starts_with("Nothing could be read"), "{}", nothing.line);
    let empty = judge(&mut [], &[], &Facts::default()).verdict;
    assert!(empty.line.starts_with("This evidence holds no packets"), "{}", empty.line);
}

#[test]
fn nothing_is_advised_twice() {
    let one = |id, family, target| finding(id, "command-and-control", family, Outcome::Confirmed, 60.0, ("10.0.0.5", target), 0);
    let all = [
        one("F1", "periodic", "192.0.2.1"),
        one("F2", "bare-post", "192.0.2.1"),
        one("F3", "periodic", "192.0.2.9"),
        one("F4", "c2-tls", "192.0.2.2"),
    ];
    let told = things_to_do(&all.iter().collect::<Vec<_>>(), &[], 9);
    let told: Vec<_> = told.iter().map(|(finding, text)| (finding.id.as_str(), text.as_str())).collect();
    assert_eq!(
        told,
        [
            ("F1", "Isolate 10.0.0.5, keep its memory, and block 192.0.2.1 at the border (F1)."),
            ("F4", "Isolate 10.0.0.5, keep its memory, and block 192.0.2.2 at the border (F4)."),
        ]
    );
}
