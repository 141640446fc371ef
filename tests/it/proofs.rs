//! Every rule fires on the capture that proves it and stays silent on the one that only looks like it.

use std::path::Path;
use vigil::model::{Finding, Severity};
use vigil::pipeline::{self, Options};
use vigil::synth::{self, SCENARIOS, Scenario};

/// Findings of a scenario, at so many threads.
fn findings(scenario: &Scenario, folder: &Path, threads: usize) -> Vec<Finding> {
    let pcap = folder.join(format!("{}.pcap", scenario.name));
    let mut bytes = Vec::new();
    synth::write_pcap(&scenario.make(), &mut bytes).expect("a capture in memory");
    std::fs::write(&pcap, bytes).expect("a file in a temporary folder");
    let mut options = Options::new(vec![pcap], folder.join(format!("{}-{threads}.vigil", scenario.name)));
    options.formats = Vec::new();
    options.threads = threads;
    if let Some(text) = synth::list(scenario.name) {
        let list = folder.join(format!("{}.list", scenario.name));
        std::fs::write(&list, text).expect("a file in a temporary folder");
        options.intel = vec![list];
    }
    pipeline::analyze(&options, &pipeline::Silent).expect("a scenario is analysed").report.findings
}

#[test]
fn rules_fire_on_their_proofs_and_not_on_the_look_alikes() {
    let desk = tempfile::tempdir().expect("a temporary folder");
    let mut wrong = Vec::new();
    for scenario in SCENARIOS {
        let found = findings(scenario, desk.path(), 2);
        let own = found.iter().filter(|finding| finding.rule == scenario.rule && finding.severity > Severity::Info).count();
        if scenario.fires == (own == 0) {
            wrong.push(format!("{}: rule {} made {own} findings", scenario.name, scenario.rule));
        }
        let loud = found.iter().filter(|finding| !scenario.fires && finding.severity >= Severity::Medium);
        wrong
            .extend(loud.map(|finding| format!("{}: {} cries {}: {}", scenario.name, finding.rule, finding.severity.name(), finding.says)));
        wrong.extend(found.iter().flat_map(|finding| broken(scenario.name, finding)));
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
    for scenario in SCENARIOS.iter().filter(|scenario| scenario.fires) {
        let (one, eight) = (findings(scenario, desk.path(), 1), findings(scenario, desk.path(), 8));
        assert!(one == eight, "{}", scenario.name);
    }
}
