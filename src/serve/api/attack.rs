//! Findings and rules by ATT&CK tactic and technique.

use super::App;
use crate::model::{Finding, Severity};
use crate::report::attack;
use crate::report::html::charts::TACTICS;
use crate::serve::described::message;
use serde::Serialize;
use std::collections::BTreeMap;

message! {
    /// A technique under a tactic.
    #[derive(Clone, Debug, Serialize)]
    pub struct Cell {
        /// ATT&CK id.
        pub technique: String,
        /// ATT&CK's name for it, where it is known here.
        pub name: Option<String>,
        /// Rules that look for it.
        pub rules: Vec<String>,
        /// Findings that name it, gravest first.
        pub findings: Vec<String>,
        /// The gravest of them.
        pub severity: Option<Severity>,
        /// Whether at least one of the rules could apply to this capture.
        pub looked: bool,
    }
}

message! {
    /// A tactic with its techniques.
    #[derive(Clone, Debug, Serialize)]
    pub struct Tactic {
        /// Name, as ATT&CK writes it in paths.
        pub tactic: String,
        /// Techniques that rules look for, by id.
        pub techniques: Vec<Cell>,
    }
}

/// All tactics that rules look for, in the order of an attack. A technique without a finding was looked for, or could not be: both are said.
pub fn matrix(app: &App) -> Vec<Tactic> {
    let mut cells = Cells::new();
    for rule in &app.report.rules {
        for id in &rule.attack {
            let cell = cell(&mut cells, &rule.tactic, id);
            cell.rules.push(rule.id.clone());
            cell.looked |= rule.status != "not_applicable" && rule.status != "failed";
        }
    }
    for finding in &app.report.findings {
        note(&mut cells, finding);
    }
    cells.into_iter().map(|((_, tactic), cells)| Tactic { tactic, techniques: cells.into_values().collect() }).collect()
}

fn note(cells: &mut Cells, finding: &Finding) {
    for id in &finding.attack {
        let cell = cell(cells, &finding.tactic, id);
        cell.looked = true;
        cell.findings.push(finding.id.clone());
        cell.severity = cell.severity.max(Some(finding.severity));
    }
}

/// Cells by technique, by tactic and its place in the order of an attack.
type Cells = BTreeMap<(usize, String), BTreeMap<String, Cell>>;

/// The cell of a technique that a rule of `wanted` names. A rule of one tactic may name techniques of another: each stands where ATT&CK has it.
fn cell<'a>(cells: &'a mut Cells, wanted: &str, id: &str) -> &'a mut Cell {
    let wanted = wanted.replace('_', "-");
    let tactic = attack::tactic(id, &wanted);
    cells.entry(place(tactic)).or_default().entry(id.into()).or_insert_with(|| Cell {
        technique: id.into(),
        name: attack::technique(id).filter(|known| known.id == id).map(|known| known.name.into()),
        rules: Vec::new(),
        findings: Vec::new(),
        severity: None,
        looked: false,
    })
}

fn place(tactic: &str) -> (usize, String) {
    (TACTICS.iter().position(|known| *known == tactic).unwrap_or(TACTICS.len()), tactic.into())
}
