//! `vigil sql`: any read-only question to a case.

use super::args::{RowFormat, SqlArgs};
use super::{Exit, Failure};
use crate::report::visible;
use crate::store::{self, Cell, StoreError};
use std::io::{Read, Write};

/// Memory for a query session: half of what an analysis may take.
const MEMORY: u64 = 1 << 30;
/// Cells of the table form are cut to this; the other forms are never cut.
const CELL_WIDTH: usize = 60;
/// Rows that are aligned together.
const ROWS_ALIGNED: usize = 1_000;

/// A live case has each table once per segment.
const TABLES: &str = "SELECT t.table_name AS \"table\", sum(t.estimated_size)::BIGINT AS rows, min(t.comment) AS \"what a row is\" \
    FROM duckdb_tables() t WHERE NOT t.internal AND t.estimated_size > 0 GROUP BY ALL ORDER BY min(t.table_oid), 1";

/// Runs it.
pub fn run(args: SqlArgs) -> Result<Exit, Failure> {
    let query = statement(&args)?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let case = store::open_read_only(&args.case, MEMORY, threads)?;
    crate::pipeline::notes::overlay(&case)?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let format = if args.json { RowFormat::Json } else { args.format };
    let mut printer = Printer::new(format);
    let mut broken = None;
    let names = store::query_each(case.connection(), query.as_deref().unwrap_or(TABLES), |names, row| {
        printer.row(&mut out, names, row).map_err(|error| {
            let stop = StoreError::File { doing: "write", path: "standard output".into(), source: error.kind().into() };
            broken = Some(error);
            stop
        })
    });
    // Whoever reads may have had enough: then there is no reason to ask on.
    if let Some(error) = broken {
        return Err(Failure::stdout(error));
    }
    let names = names?;
    printer.end(&mut out, &names).map_err(Failure::stdout)?;
    if query.is_none() && format == RowFormat::Table {
        writeln!(out, "\nColumns and their meaning: vigil sql CASE \"FROM duckdb_columns() SELECT column_name, data_type, comment WHERE table_name = 'flows'\"")
            .map_err(Failure::stdout)?;
    }
    out.flush().map_err(Failure::stdout)?;
    Ok(Exit::Quiet)
}

fn statement(args: &SqlArgs) -> Result<Option<String>, Failure> {
    let Some(path) = &args.file else { return Ok(args.query.clone()) };
    let mut text = String::new();
    let read = if path.as_os_str() == "-" {
        std::io::stdin().read_to_string(&mut text).map(drop)
    } else {
        std::fs::read_to_string(path).map(|read| text = read)
    };
    read.map_err(|error| Failure::Usage(format!("cannot read the statement from {}: {error}", path.display())))?;
    Ok(Some(text))
}

struct Printer {
    format: RowFormat,
    waiting: Vec<Vec<String>>,
    rows: u64,
}

impl Printer {
    fn new(format: RowFormat) -> Self {
        Self { format, waiting: Vec::new(), rows: 0 }
    }

    fn row(&mut self, out: &mut impl Write, names: &[String], row: Vec<Cell>) -> std::io::Result<()> {
        self.rows += 1;
        match self.format {
            RowFormat::Json => {
                let fields = names.iter().cloned().zip(row.iter().map(Cell::to_json));
                writeln!(out, "{}", serde_json::Value::Object(fields.collect()))
            }
            RowFormat::Csv => {
                if self.rows == 1 {
                    csv_line(out, names.iter().cloned())?;
                }
                csv_line(out, row.iter().map(Cell::to_string))
            }
            RowFormat::Table => {
                self.waiting.push(row.iter().map(shown).collect());
                if self.waiting.len() >= ROWS_ALIGNED { self.table(out, names) } else { Ok(()) }
            }
        }
    }

    fn end(&mut self, out: &mut impl Write, names: &[String]) -> std::io::Result<()> {
        match self.format {
            RowFormat::Csv if self.rows == 0 => csv_line(out, names.iter().cloned()),
            RowFormat::Table => {
                if !self.waiting.is_empty() || self.rows == 0 {
                    self.table(out, names)?;
                }
                writeln!(out, "({} row{})", self.rows, if self.rows == 1 { "" } else { "s" })
            }
            _ => Ok(()),
        }
    }

    fn table(&mut self, out: &mut impl Write, names: &[String]) -> std::io::Result<()> {
        let rows = std::mem::take(&mut self.waiting);
        let length = |text: &str| text.chars().count();
        let widths: Vec<usize> =
            (0..names.len()).map(|at| rows.iter().map(|row| length(&row[at])).chain([length(&names[at])]).max().unwrap_or(0)).collect();
        let line = |cells: &[String]| {
            let padded: Vec<String> = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
            padded.join("  ").trim_end().to_string()
        };
        writeln!(out, "{}", line(names))?;
        writeln!(out, "{}", widths.iter().map(|width| "─".repeat(*width)).collect::<Vec<_>>().join("  "))?;
        rows.iter().try_for_each(|row| writeln!(out, "{}", line(row)))
    }
}

/// A cell for a terminal: no control characters, nothing that turns the text round, cut to a width.
fn shown(cell: &Cell) -> String {
    let text = cell.to_string();
    let safe = visible(&text);
    match safe.char_indices().nth(CELL_WIDTH) {
        Some((at, _)) => format!("{}…", &safe[..at]),
        None => safe.into_owned(),
    }
}

/// RFC 4180; a cell that a spreadsheet would run as a formula gets a leading apostrophe.
fn csv_line(out: &mut impl Write, cells: impl Iterator<Item = String>) -> std::io::Result<()> {
    let quoted = cells.map(|cell| {
        let number = cell.parse::<f64>().is_ok();
        let guarded = if !number && cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell };
        if guarded.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", guarded.replace('"', "\"\"")) } else { guarded }
    });
    write!(out, "{}\r\n", quoted.collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_defuses_formulas_and_leaves_numbers_alone() {
        let mut out = Vec::new();
        let cells = ["=1+1", "-5", "a \"b\", c", "@cmd", "plain"].map(str::to_string);
        csv_line(&mut out, cells.into_iter()).expect("memory takes it");
        assert_eq!(String::from_utf8_lossy(&out), "'=1+1,-5,\"a \"\"b\"\", c\",'@cmd,plain\r\n");
    }
}
