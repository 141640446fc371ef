//! Every rule fires on the capture that proves it, is silent on the one that only looks like it, flips where its thresholds say, and fires
//! again on nothing but the packets that its finding names.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use vigil::detect::models::Which;
use vigil::detect::{Edge, Override, Rules, Setting};
use vigil::model::{Finding, Severity};
use vigil::pipeline::carve::{Request, Selection, carve};
use vigil::pipeline::{self, Options};
use vigil::store::open_read_only;
use vigil::synth::{self, SCENARIOS, Scenario};

/// Memory to ask finished cases in.
const MEMORY: u64 = 512 << 20;

/// What a scenario is analysed with.
#[derive(Clone, Copy)]
struct How {
    threads: usize,
    models: Which,
}

/// As users do.
const USUAL: How = How { threads: 2, models: Which::All };
/// Rules alone.
const RULES: How = How { threads: 2, models: Which::None };

/// The case of a scenario and what was found in it.
struct Told {
    case: PathBuf,
    findings: Vec<Finding>,
}

impl Told {
    fn of(scenario: &Scenario, folder: &Path, how: How) -> Self {
        let pcap = folder.join(format!("{}.pcap", scenario.name));
        let mut bytes = Vec::new();
        synth::write_pcap(&scenario.make(), &mut bytes).expect("a capture in memory");
        std::fs::write(&pcap, bytes).expect("a file in a temporary folder");
        Self::of_capture(scenario, pcap, folder.join(format!("{}-{}.vigil", scenario.name, how.threads)), how)
    }

    /// Of any capture, with the list that belongs to the scenario.
    fn of_capture(scenario: &Scenario, pcap: PathBuf, case: PathBuf, how: How) -> Self {
        let mut options = Options::new(vec![pcap], case.clone());
        options.threads = how.threads;
        options.models.which = how.models;
        if let Some(text) = synth::list(scenario.name) {
            // Findings name the list: it is called the same whatever the case is called.
            let list = case.with_file_name(format!("{}.list", scenario.name));
            std::fs::write(&list, text).expect("a file in a temporary folder");
            options.intel = vec![list];
        }
        let findings = pipeline::analyze(&options, &pipeline::Silent).expect("a scenario is analysed").report.findings;
        Self { case, findings }
    }

    /// Findings of a rule that are worth a look.
    fn by<'a>(&'a self, rule: &'a str) -> impl Iterator<Item = &'a Finding> {
        self.findings.iter().filter(move |finding| finding.rule == rule && finding.severity > Severity::Info)
    }
}

fn proofs() -> impl Iterator<Item = &'static Scenario> {
    SCENARIOS.iter().filter(|scenario| scenario.fires)
}

#[test]
fn rules_fire_on_their_proofs_and_not_on_the_look_alikes() {
    let desk = tempfile::tempdir().expect("a temporary folder");
    let mut wrong = Vec::new();
    for scenario in SCENARIOS {
        let told = Told::of(scenario, desk.path(), USUAL);
        let own = told.by(scenario.rule).count();
        if scenario.fires == (own == 0) {
            wrong.push(format!("{}: rule {} made {own} findings", scenario.name, scenario.rule));
        }
        let loud = told.findings.iter().filter(|finding| !scenario.fires && finding.severity >= Severity::Medium);
        wrong
            .extend(loud.map(|finding| format!("{}: {} cries {}: {}", scenario.name, finding.rule, finding.severity.name(), finding.says)));
        wrong.extend(told.findings.iter().flat_map(|finding| broken(scenario.name, finding)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What a finding must have to be of use.
fn broken(scenario: &str, finding: &Finding) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut must = |holds: bool, what: &str| {
        if !holds {
            wrong.push(format!("{scenario}: {} of {}: {what}: {}", finding.id, finding.rule, finding.says));
        }
    };
    must(!finding.says.contains('?'), "its sentence lacks a value");
    must(!finding.frames.is_empty(), "it ends in no frames");
    must(!finding.wireshark.is_empty() && !finding.wireshark.contains('{'), "it has no display filter");
    must(!finding.actors.is_empty() || !finding.targets.is_empty(), "it names nobody");
    must(finding.first_ns <= finding.last_ns, "it ends before it begins");
    wrong
}

#[test]
fn findings_are_the_same_at_one_and_eight_threads() {
    let desk = tempfile::tempdir().expect("a temporary folder");
    for scenario in proofs() {
        let at = |threads| Told::of(scenario, desk.path(), How { threads, ..USUAL }).findings;
        assert!(at(1) == at(8), "{}", scenario.name);
    }
}

/// Numeric parameters that change nothing on the dataset of their rule, and why. The list is exact: a threshold that comes to count, or no
/// longer does, has to be looked at.
const IDLE: [(&str, &str); 16] = [
    ("beacon.common", "counts from ten hosts of ours on"),
    ("dns-tunnel.min_odd_share", "the names alone are long and many enough"),
    ("icmp-tunnel.min_contents", "payload and replies tell it already"),
    ("intel-match.early_days", "the list was valid at the time"),
    ("asrep-roasting.min_accounts", "the accounts were searched for beforehand"),
    ("kerberoasting.min_services", "the accounts were searched for beforehand"),
    ("kerberoasting.min_burst", "the accounts were searched for beforehand"),
    ("name-poisoning.min_names", "a name that nobody has is answered"),
    ("password-guessing.min_sessions", "the servers say that they refuse"),
    ("password-guessing.max_session", "the servers say that they refuse"),
    ("password-guessing.max_spread", "the servers say that they refuse"),
    ("password-guessing.min_pace", "the servers say that they refuse"),
    ("port-scan-horizontal.min_walk_udp", "the scan is one of TCP"),
    ("port-scan-stealth.min_maimon", "none of the probes has FIN and ACK"),
    ("port-scan-stealth.min_ack", "none of the probes is a bare ACK"),
    ("shellshock.wait_s", "the answer holds what the command said"),
];

#[test]
fn every_threshold_flips_its_rule_or_changes_what_it_says() {
    let desk = tempfile::tempdir().expect("a temporary folder");
    let rules = Rules::load(&[], &[]).expect("the embedded rules");
    let (mut idle, mut flips) = (BTreeSet::new(), 0);
    for scenario in proofs() {
        let rule = rules.get(scenario.rule).expect("each scenario proves a rule");
        let numeric = || rule.params.iter().filter(|param| matches!(param.value, Setting::Int(_) | Setting::Float(_)));
        if numeric().next().is_none() {
            continue;
        }
        let told = Told::of(scenario, desk.path(), RULES);
        let case = open_read_only(&told.case, MEMORY, 1).expect("a finished case opens");
        let edges = rules.edges(scenario.rule, case.connection()).expect("the rule can be asked at its thresholds");
        let weighing = rules.weighing(scenario.rule, case.connection()).expect("the rule can be asked at its thresholds");
        for edge in &edges {
            println!("{}.{}: fires at {}, silent at {}, {:?}", scenario.rule, edge.param, edge.fires, edge.silent, edge.shut);
        }
        // Asked anew, with the threshold set as users do.
        if let Some(edge) = edges.first() {
            flips += 1;
            let fires = |value| fires(scenario, case.connection(), edge, value);
            assert!(fires(edge.fires) && !fires(edge.silent), "{}: {edge:?}", scenario.rule);
        }
        let counts = |name: &String| edges.iter().any(|edge| edge.param == *name) || weighing.contains(name);
        idle.extend(numeric().filter(|param| !counts(&param.name)).map(|param| format!("{}.{}", scenario.rule, param.name)));
    }
    let known: BTreeSet<String> = IDLE.iter().map(|(name, _)| (*name).to_owned()).collect();
    let (new, gone): (Vec<_>, Vec<_>) = (idle.difference(&known).collect(), known.difference(&idle).collect());
    assert!(new.is_empty() && gone.is_empty(), "change nothing and are not known to: {new:?}; known to and do: {gone:?}");
    assert!(flips >= 51, "only {flips} rules have a threshold that silences them");
}

/// Whether the rule of a scenario fires with one threshold set as on the command line.
fn fires(scenario: &Scenario, db: &duckdb::Connection, edge: &Edge, value: f64) -> bool {
    let set = |param: &str, value: f64| Override::parse(&format!("{}.{param}={value}", scenario.rule)).expect("an override");
    let others = edge.shut.iter().map(|(param, value)| set(param, *value));
    let rules = Rules::load(&[], &others.chain([set(&edge.param, value)]).collect::<Vec<_>>()).expect("the value is of the right type");
    rules.prepare(db).expect("helpers");
    let sql = rules.get(scenario.rule).expect("the rule").sql();
    db.query_row(&format!("SELECT count(*) FROM ({sql})"), [], |row| row.get::<_, i64>(0)).expect("the rule runs") > 0
}

#[test]
fn the_packets_that_a_finding_names_make_its_rule_fire_again() {
    let desk = tempfile::tempdir().expect("a temporary folder");
    let rules = Rules::load(&[], &[]).expect("the embedded rules");
    let whole = |id: &str| rules.get(id).is_some_and(|rule| rule.header.whole.is_some());
    let mut lost = Vec::new();
    for scenario in proofs().filter(|scenario| !whole(scenario.rule)) {
        let told = Told::of(scenario, desk.path(), RULES);
        assert!(told.by(scenario.rule).next().is_some(), "{}", scenario.name);
        lost.extend(told.by(scenario.rule).filter_map(|finding| fired_again(scenario, &told.case, finding).err()));
    }
    assert!(lost.is_empty(), "{}", lost.join("\n"));
    let marked = rules.list().filter(|rule| rule.header.whole.is_some()).count();
    assert!(4 * marked <= rules.list().count(), "{marked} rules need the whole capture");
}

/// Carves the packets of a finding alone and asks its rule of them.
fn fired_again(scenario: &Scenario, case: &Path, finding: &Finding) -> Result<(), String> {
    let part = case.with_file_name(format!("{}-{}.pcapng", scenario.name, finding.id));
    let request = Request {
        case: case.into(),
        selections: vec![Selection::Finding(finding.id.clone())],
        typed: vec![finding.id.clone()],
        out: Some(part.clone()),
        files: None,
        context_ns: 0,
        frames_only: false,
        evidence: None,
    };
    let carved = carve(&request).map_err(|error| format!("{}: {error}", scenario.name))?;
    let told = Told::of_capture(scenario, part.clone(), part.with_extension("vigil"), RULES);
    let of_same = |other: &&Finding| {
        let named: Vec<&String> = other.actors.iter().chain(&other.targets).collect();
        finding.actors.iter().chain(&finding.targets).any(|name| named.contains(&name))
    };
    match told.by(scenario.rule).find(of_same) {
        Some(_) => Ok(()),
        None => Err(format!("{} of {}: silent on its {} packets alone: {}", finding.id, scenario.name, carved.packets, finding.says)),
    }
}
