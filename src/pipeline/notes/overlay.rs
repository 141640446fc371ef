//! Notes as SQL sees them: temporary views over the case, which itself stays as it was written.

use super::{Notes, Subject};
use crate::pipeline::Error;
use crate::store::{Cell, OpenCase, query};
use std::fmt::Write;

/// Puts over `case`: `suppressions`, `remarks`, `findings` with `suppressed` and `suppressed_by`, `alerts` without what is put aside.
pub fn overlay(case: &OpenCase) -> Result<(), Error> {
    let db = case.connection();
    let notes = Notes::read(case.folder())?;
    // A finished case is a database of its own; a live one is views in memory over its segments.
    let home: String = db.query_row("SELECT '\"' || replace(current_database(), '\"', '\"\"') || '\".main'", [], |row| row.get(0))?;
    let rows = query(db, &format!("SELECT id, rule, coalesce(key, ''), actors, targets, coalesce(evidence, '') FROM {home}.findings"))?;
    let mut hidden = Vec::new();
    for row in &rows.rows {
        let text = |at: usize| row.get(at).map(Cell::to_string).unwrap_or_default();
        let list = |at: usize| match row.get(at) {
            Some(Cell::List(cells)) => cells.iter().map(Cell::to_string).collect(),
            _ => Vec::new(),
        };
        let (actors, targets): (Vec<String>, Vec<String>) = (list(3), list(4));
        let evidence = serde_json::from_str(&text(5)).unwrap_or_default();
        let domains = super::scope::domains(&evidence, &targets);
        let subject = Subject { rule: text(1), key: text(2), actors, targets, domains };
        hidden.extend(notes.hiding(&subject).map(|one| vec![Some(text(0)), Some(one.id.clone())]));
    }
    let suppressions = notes.suppressions.iter().map(|one| {
        let own = |text: &str| Some(text.to_owned());
        vec![
            own(&one.id),
            own(&one.finding),
            own(one.scope.name()),
            own(&one.subject.rule),
            one.domain.clone(),
            own(&one.reason),
            own(&one.author),
            own(&one.at),
            one.expires.clone(),
            own(&one.state),
        ]
    });
    let remarks = notes.remarks.iter().map(|one| [&one.finding, &one.text, &one.author, &one.at].map(|text| Some(text.clone())).to_vec());
    let sql = [
        view("suppressions", &["id", "finding", "scope", "rule", "domain", "reason", "author", "at", "expires", "state"], suppressions),
        view("remarks", &["finding", "text", "author", "at"], remarks),
        view("set_aside", &["id", "suppressed_by"], hidden.into_iter()),
        format!(
            "CREATE OR REPLACE TEMP VIEW findings AS SELECT f.*, s.suppressed_by IS NOT NULL AS suppressed, s.suppressed_by
             FROM {home}.findings f LEFT JOIN set_aside s USING (id);
         CREATE OR REPLACE TEMP VIEW alerts AS SELECT a.* FROM {home}.alerts a WHERE a.id NOT IN (SELECT id FROM set_aside);"
        ),
    ];
    Ok(db.execute_batch(&sql.concat())?)
}

/// A view of these rows, all text.
fn view(name: &str, columns: &[&str], rows: impl Iterator<Item = Vec<Option<String>>>) -> String {
    let literal = |value: Option<String>| value.map_or("NULL".into(), |text| format!("'{}'", text.replace('\'', "''").replace('\0', "")));
    let rows: Vec<String> = rows.map(|row| format!("({})", row.into_iter().map(literal).collect::<Vec<_>>().join(", "))).collect();
    let mut sql = format!("CREATE OR REPLACE TEMP VIEW {name} AS SELECT ");
    let typed = |alias: &str| {
        columns.iter().map(|column| format!("CAST({alias}\"{column}\" AS VARCHAR) AS \"{column}\"")).collect::<Vec<_>>().join(", ")
    };
    let quoted = columns.iter().map(|column| format!("\"{column}\"")).collect::<Vec<_>>().join(", ");
    if rows.is_empty() {
        let nulls = columns.iter().map(|column| format!("CAST(NULL AS VARCHAR) AS \"{column}\"")).collect::<Vec<_>>().join(", ");
        let _ = write!(sql, "{nulls} WHERE false;");
    } else {
        let _ = write!(sql, "{} FROM (VALUES {}) AS t({quoted});", typed("t."), rows.join(", "));
    }
    sql
}
