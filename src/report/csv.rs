//! Findings for spreadsheets: RFC 4180, a header line, CRLF, every cell in quotes, lists separated by a blank.
//!
//! **Formulas.** A spreadsheet runs a cell that begins with `=`, `+`, `-`, `@`, a tab or a line end (OWASP, "CSV Injection"), and
//! where `;` separates columns it does so in the middle of a cell too. Such a place gets a leading apostrophe, which
//! spreadsheets do not show. Programs that read the file take one apostrophe off a cell that begins with one followed by
//! such a character; exact values are in `report.json`.

use super::{Error, Renderer, text::visible};
use crate::model::{Finding, Report};

/// `findings.csv`.
pub struct Csv;

impl Renderer for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn file_name(&self) -> &'static str {
        "findings.csv"
    }

    fn render(&self, report: &Report) -> Result<Vec<u8>, Error> {
        let mut text = String::with_capacity(1_024 * (report.findings.len() + 1));
        write_line(&mut text, COLUMNS.iter().map(|(name, _)| (*name).to_owned()));
        for finding in &report.findings {
            write_line(&mut text, COLUMNS.iter().map(|(_, cell)| cell(finding)));
        }
        Ok(text.into_bytes())
    }
}

type Column = (&'static str, fn(&Finding) -> String);

/// The columns, in order. Appending one is compatible; renaming or moving one is not.
const COLUMNS: [Column; 23] = [
    ("id", |f| f.id.clone()),
    ("severity", |f| f.severity.name().to_owned()),
    ("risk", |f| format!("{:.1}", f.risk)),
    ("confidence", |f| format!("{:.2}", f.confidence)),
    ("outcome", |f| f.outcome.name().to_owned()),
    ("rule", |f| f.rule.clone()),
    ("title", |f| f.title.clone()),
    ("says", |f| f.says.clone()),
    ("attack", |f| f.attack.join(" ")),
    ("tactic", |f| f.tactic.clone()),
    ("actors", |f| f.actors.join(" ")),
    ("targets", |f| f.targets.join(" ")),
    ("users", |f| f.users.join(" ")),
    ("first_seen", |f| f.first_seen.clone()),
    ("last_seen", |f| f.last_seen.clone()),
    ("evidence", |f| f.evidence.to_string()),
    ("flows", |f| f.flows.join(" ")),
    ("frames", |f| f.frames.iter().map(u64::to_string).collect::<Vec<_>>().join(" ")),
    ("wireshark", |f| f.wireshark.clone()),
    ("benign", |f| f.benign.clone()),
    ("folded", |f| f.folded.to_string()),
    ("family", |f| f.family.clone()),
    ("incident", |f| f.incident.clone().unwrap_or_default()),
];

fn write_line(text: &mut String, cells: impl Iterator<Item = String>) {
    for (index, cell) in cells.enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push('"');
        text.push_str(&guarded(&cell).replace('"', "\"\""));
        text.push('"');
    }
    text.push_str("\r\n");
}

/// Whether a spreadsheet may take what follows for a formula. The wide forms are what some programs normalise to the narrow.
fn begins_formula(c: char) -> bool {
    matches!(c, '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠')
}

/// `cell` on one line, with an apostrophe wherever a spreadsheet may begin to read a formula.
fn guarded(cell: &str) -> String {
    let mut out = String::with_capacity(cell.len() + 2);
    let mut at_start = true;
    for c in cell.chars() {
        if at_start && begins_formula(c) {
            out.push('\'');
        }
        out.push_str(&visible(c.encode_utf8(&mut [0; 4])));
        at_start = c == ';' || (at_start && c == ' ');
    }
    out
}

/// RFC 4180 read back, for tests: rows of cells.
#[cfg(test)]
pub(super) fn parse(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => cell.extend(chars.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\r' if !quoted => {
                assert_eq!(chars.next(), Some('\n'), "a lone CR outside quotes");
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            other => cell.push(other),
        }
    }
    assert!(!quoted && cell.is_empty() && row.is_empty(), "the text ends inside a row");
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn every_finding_is_a_row_as_wide_as_the_header() {
        let report = fixture::attack();
        let rows = parse(&String::from_utf8(Csv.render(&report).unwrap()).unwrap());
        assert_eq!(rows.len(), report.findings.len() + 1);
        assert!(rows.iter().all(|row| row.len() == COLUMNS.len()));
        let says = COLUMNS.iter().position(|(name, _)| *name == "says").unwrap();
        assert_eq!(rows[1][says], report.findings[0].says);
    }

    #[test]
    fn without_findings_only_the_header_remains() {
        let text = String::from_utf8(Csv.render(&fixture::benign_without_findings()).unwrap()).unwrap();
        assert_eq!(parse(&text).len(), 1);
    }

    #[test]
    fn formulas_are_disarmed_where_a_cell_may_begin() {
        let cells = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "＝1", "  =1", "a;=1", "a=b", "a-b", "x;y"];
        let wanted = ["'=1+1", "'+1", "'-1", "'@SUM(A1)", r"'\tx", r"'\rx", "'＝1", "  '=1", "a;'=1", "a=b", "a-b", "x;y"];
        assert_eq!(cells.map(guarded), wanted);
    }

    #[test]
    fn the_table_reads_as_expected() {
        let mut report = fixture::attack();
        report.findings.truncate(2);
        insta::assert_snapshot!(String::from_utf8(Csv.render(&report).unwrap()).unwrap());
    }
}
