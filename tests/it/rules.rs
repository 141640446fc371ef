//! Rules are files, and anybody's files will do.

use crate::desk::Desk;

#[test]
fn rules_of_ones_own_add_to_the_embedded_ones_and_replace_them() {
    let desk = Desk::new();
    std::fs::create_dir_all(desk.path("mine/discovery")).unwrap();
    let scan = desk.vigil(["rules", "show", "port-scan-vertical"]).well().out;
    let file = scan.split_once('\n').expect("a line on where it comes from, then the file").1;
    assert!(file.contains("impact   = "), "{file}");
    let tuned: String =
        file.lines().map(|line| if line.starts_with("title ") { "title    = \"Mine\"\n".into() } else { format!("{line}\n") }).collect();
    desk.write("mine/discovery/port-scan-vertical.sql", tuned);
    desk.write("mine/discovery/any-flow.sql", ANY_FLOW);
    desk.write("scan.pcap", crate::desk::scenario("port-scan-vertical"));
    desk.vigil(["analyze", "scan.pcap", "--rules", "mine"]).well();
    let rows = desk.sql(
        "scan.vigil",
        "SELECT rule, min(title) AS title FROM findings WHERE rule IN ('any-flow', 'port-scan-vertical') GROUP BY rule ORDER BY rule",
    );
    assert_eq!(rows.iter().map(|row| row["title"].as_str().unwrap()).collect::<Vec<_>>(), ["A flow", "Mine"], "{rows:?}");
    // What is broken is told with its file, before any evidence is read.
    desk.write("mine/discovery/broken.sql", "SELECT 1");
    let said = desk.vigil(["analyze", "scan.pcap", "--rules", "mine"]);
    assert!(said.code == 2 && said.err.contains("mine/discovery/broken.sql"), "{said:?}");
}

#[test]
fn what_each_rule_costs_is_measured_on_a_case_that_stays_as_it_is() {
    let desk = Desk::new();
    desk.write("scan.pcap", crate::desk::scenario("port-scan-vertical"));
    desk.vigil(["analyze", "scan.pcap"]).well();
    let said = desk.vigil(["rules", "time", "scan.vigil", "--json"]).well();
    let cost: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
    let each = cost["rules"].as_array().expect("rules");
    let seconds: Vec<f64> = each.iter().map(|rule| rule["seconds"].as_f64().expect("seconds")).collect();
    assert!(seconds.is_sorted_by(|a, b| a >= b), "the slowest first: {seconds:?}");
    assert_eq!(each.len(), desk.vigil(["rules", "list"]).well().out.lines().count());
    let findings = |rule: &str| each.iter().find(|one| one["id"] == rule).map(|one| (one["status"].clone(), one["findings"].clone()));
    assert_eq!(findings("port-scan-vertical"), Some(("fired".into(), 1.into())), "it was truly asked");
    assert!(cost["seconds"].as_f64() >= cost["shared_seconds"].as_f64() && cost["analysis_seconds"].as_f64() > Some(0.0), "{cost}");
    let lines = desk.vigil(["rules", "time", "scan.vigil", "--threads", "1"]).well().out;
    assert!(lines.lines().last().is_some_and(|line| line.contains("of work") && line.contains("on 1 thread:")), "{lines}");
    desk.vigil(["verify", "scan.vigil"]).well();
    let none = desk.vigil(["rules", "time", "nowhere.vigil"]);
    assert!(none.code == 2 && none.err.contains("nowhere.vigil"), "{none:?}");
}

const ANY_FLOW: &str = r#"/*
id       = "any-flow"
title    = "A flow"
attack   = ["T1046"]
impact   = 10
prior    = 0.5
family   = "any"
reads    = ["flows"]
window   = "capture"
key      = ["actor"]
fires_on = "port-scan-vertical"
benign   = "Everything."
says     = "{actor} talked to {target}"
*/
SELECT
    id_orig_h AS actor, id_resp_h AS target, NULL::VARCHAR AS user, min(ts) AS first_seen, max(last_ts) AS last_seen, 'confirmed' AS outcome,
    [term('it is there', 1, 1)] AS terms, {'flows': count(*)} AS evidence, min(flow_id, 10) AS flows, min(first_frame, 10) AS frames
FROM flows
GROUP BY id_orig_h, id_resp_h
ORDER BY actor, target
"#;
