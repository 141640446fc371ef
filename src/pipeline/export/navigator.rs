//! A layer of the ATT&CK Navigator: each technique with the risk of its gravest finding, and which findings name it.

use crate::model::Report;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Findings named in a comment.
const NAMED: usize = 12;

/// The layer. <https://github.com/mitre-attack/attack-navigator/blob/master/layers/spec/v4.5/layerformat.md>
pub(super) fn layer(report: &Report) -> Value {
    let mut techniques: BTreeMap<&str, (f64, Vec<String>)> = BTreeMap::new();
    for finding in &report.findings {
        for id in finding.attack.iter().filter(|id| is_technique(id)) {
            let entry = techniques.entry(id).or_default();
            entry.0 = entry.0.max(finding.risk);
            entry.1.push(format!("{} {}", finding.id, finding.title));
        }
    }
    let only_plants = !techniques.is_empty() && techniques.keys().all(|id| is_of_plants(id));
    let (here, elsewhere): (BTreeMap<_, _>, BTreeMap<_, _>) = techniques.into_iter().partition(|(id, _)| is_of_plants(id) == only_plants);
    let mut description = report.verdict.line.clone();
    if !elsewhere.is_empty() {
        let ids: Vec<&str> = elsewhere.into_keys().collect();
        description.push_str(&format!(" Of the ICS matrix, which no layer of this one can show: {}.", ids.join(", ")));
    }
    let techniques: Vec<Value> = here.into_iter().map(|(id, (risk, findings))| technique(id, risk, &findings)).collect();
    json!({
        "name": format!("vigil: {}", report.case),
        "versions": { "attack": "17", "navigator": "5.1.0", "layer": "4.5" },
        "domain": if only_plants { "ics-attack" } else { "enterprise-attack" },
        "description": description,
        "sorting": 3,
        "layout": { "layout": "side", "aggregateFunction": "max", "showID": true, "showName": true, "showAggregateScores": false, "countUnscored": false, "expandedSubtechniques": "annotated" },
        "hideDisabled": false,
        "techniques": techniques,
        "gradient": { "colors": ["#fff7ec", "#fc8d59", "#b30000"], "minValue": 0, "maxValue": 100 },
        "legendItems": [],
        "metadata": [
            { "name": "evidence", "value": super::case_key(report) },
            { "name": "program", "value": concat!("vigil ", env!("CARGO_PKG_VERSION")) },
        ],
        "showTacticRowBackground": false,
        "selectTechniquesAcrossTactics": true,
        "selectSubtechniquesWithParent": false,
    })
}

fn technique(id: &str, risk: f64, findings: &[String]) -> Value {
    let mut comment = findings.iter().take(NAMED).cloned().collect::<Vec<_>>().join("\n");
    if findings.len() > NAMED {
        comment.push_str(&format!("\nand {} more", findings.len() - NAMED));
    }
    json!({
        "techniqueID": id,
        "score": risk.round() as i64,
        "comment": comment,
        "enabled": true,
        "metadata": [{ "name": "findings", "value": findings.len().to_string() }],
        "links": [],
        "showSubtechniques": id.contains('.'),
    })
}

/// Techniques of the ICS matrix are numbered below 1000.
fn is_of_plants(id: &str) -> bool {
    id.starts_with("T0")
}

/// `T1046`, `T1071.004`.
pub(super) fn is_technique(id: &str) -> bool {
    let digits = |text: &str, n: usize| text.len() == n && text.bytes().all(|b| b.is_ascii_digit());
    id.strip_prefix('T').is_some_and(|rest| match rest.split_once('.') {
        Some((main, sub)) => digits(main, 4) && digits(sub, 3),
        None => digits(rest, 4),
    })
}
