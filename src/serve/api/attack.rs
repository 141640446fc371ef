//! Findings and rules by ATT&CK tactic and technique.

use super::App;
use crate::model::{Finding, Severity};
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
    let mut cells: BTreeMap<(usize, String), BTreeMap<String, Cell>> = BTreeMap::new();
    for rule in &app.report.rules {
        let column = cells.entry(place(&rule.tactic)).or_default();
        for id in &rule.attack {
            let cell = column.entry(id.clone()).or_insert_with(|| empty(id));
            cell.rules.push(rule.id.clone());
            cell.looked |= rule.status != "not_applicable" && rule.status != "failed";
        }
    }
    for finding in &app.report.findings {
        note(cells.entry(place(&finding.tactic)).or_default(), finding);
    }
    cells.into_iter().map(|((_, tactic), cells)| Tactic { tactic, techniques: cells.into_values().collect() }).collect()
}

fn note(column: &mut BTreeMap<String, Cell>, finding: &Finding) {
    for id in &finding.attack {
        let cell = column.entry(id.clone()).or_insert_with(|| empty(id));
        cell.looked = true;
        cell.findings.push(finding.id.clone());
        cell.severity = cell.severity.max(Some(finding.severity));
    }
}

fn empty(id: &str) -> Cell {
    Cell { technique: id.into(), rules: Vec::new(), findings: Vec::new(), severity: None, looked: false }
}

fn place(tactic: &str) -> (usize, String) {
    let plain = tactic.replace('_', "-");
    (TACTICS.iter().position(|known| *known == plain).unwrap_or(TACTICS.len()), plain)
}
