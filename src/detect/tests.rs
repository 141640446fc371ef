//! The shared test over every rule file: it parses, its parameters are those it uses, it binds on an empty case, and
//! nothing in it depends on the clock, on chance or on the order of rows.

use super::*;
use crate::store::schema;
use duckdb::Connection;

/// Tables of a case without rows.
fn empty_case() -> Connection {
    let db = Connection::open_in_memory().unwrap();
    db.execute_batch(&schema::ddl()).unwrap();
    db
}

#[test]
fn every_rule_holds_the_contract_and_binds_on_an_empty_case() {
    let rules = Rules::load(&[], &[]).unwrap();
    let db = empty_case();
    let mut wrong = Vec::new();
    for rule in rules.list() {
        wrong.extend(check(&rules, rule, &db).unwrap().into_iter().map(|why| format!("{}: {why}", rule.header.id)));
    }
    for (name, text) in rules.views() {
        wrong.extend(super::check::unsteady(text).into_iter().map(|why| format!("_views/{name}: {why}")));
        if text.contains("CREATE OR REPLACE TEMP TABLE") && text.matches("CREATE").count() > 1 {
            wrong.push(format!("_views/{name}: a table stands alone in its file, since it is made once for all connections"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(rules.list().count() >= 20);
}

#[test]
fn every_parameter_says_what_it_is() {
    let rules = Rules::load(&[], &[]).unwrap();
    let silent: Vec<String> = rules
        .list()
        .flat_map(|rule| rule.params.iter().filter(|param| param.doc.is_empty()).map(|param| format!("{}.{}", rule.header.id, param.name)))
        .collect();
    assert!(silent.is_empty(), "no comment beside {silent:?}");
}

#[test]
fn on_an_empty_case_no_rule_applies_and_each_says_why() {
    let detected = Rules::load(&[], &[]).unwrap().run(&empty_case(), &Settings::default()).unwrap();
    assert!(detected.findings.is_empty());
    for run in &detected.runs {
        assert_eq!(run.status, "not_applicable", "{}: {}", run.id, run.why);
        assert!(run.why.starts_with("no "), "{}", run.why);
        assert_eq!(run.sha256.len(), 64);
    }
}

#[test]
fn a_tuned_parameter_reaches_the_statement_and_a_wrong_one_is_refused_with_the_choice() {
    let tuned = Rules::load(&[], &[Override::parse("port-scan-vertical.min_ports=7").unwrap()]).unwrap();
    let rule = tuned.get("port-scan-vertical").unwrap();
    assert!(rule.sql().contains(">= 7"));
    let error = Rules::load(&[], &[Override::parse("port-scan-vertical.min_port=7").unwrap()]).unwrap_err().to_string();
    assert!(error.contains("did you mean `min_ports`?") && error.contains("min_failed"), "{error}");
    let error = Rules::load(&[], &[Override::parse("port-scam-vertical.min_ports=7").unwrap()]).unwrap_err().to_string();
    assert!(error.contains("did you mean `port-scan-vertical`?"), "{error}");
}

#[test]
fn a_rule_from_a_folder_replaces_the_embedded_one_of_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let own = Rules::load(&[], &[]).unwrap().get("sweep-arp").unwrap().text.replace("impact   = 35", "impact   = 99");
    std::fs::create_dir(dir.path().join("discovery")).unwrap();
    std::fs::write(dir.path().join("discovery/sweep-arp.sql"), own).unwrap();
    let rules = Rules::load(&[dir.path().to_owned()], &[]).unwrap();
    assert_eq!(rules.get("sweep-arp").unwrap().header.impact, 99.0);
    std::fs::write(dir.path().join("discovery/other.sql"), "SELECT 1").unwrap();
    let error = Rules::load(&[dir.path().to_owned()], &[]).unwrap_err().to_string();
    assert!(error.contains("other.sql: a rule begins with its header"), "{error}");
}
