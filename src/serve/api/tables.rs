//! Every table of a case: filters, one order, and pages that follow each other by a cursor.
//!
//! Names of columns come from the schema in force, never from the request: a name that is not in it is refused. Values are bound.

use crate::serve::App;
use crate::serve::desk::{Rows, rows};
use crate::serve::problem::Problem;
use crate::store::Cell;
use crate::store::column::Kind;
use crate::store::live::KEYED;
use crate::store::schema;
use base64::Engine;
use chrono::{DateTime, NaiveDate, NaiveDateTime};
use duckdb::Connection;
use duckdb::types::Value;
use serde::{Deserialize, Serialize};
use std::fmt::Write;
use std::sync::OnceLock;

/// Rows of a page unless told otherwise, and at most.
pub const ROWS: usize = 100;
const MOST_ROWS: usize = 1_000;
/// Conditions of one request, and values of one `in`.
const CONDITIONS: usize = 32;
const VALUES: usize = 256;
/// Name of the column that carries the position of a row; no column of a case is called like that.
const KEY: &str = "_key";
const ORDER: &str = "_order";

/// Parameters that are no columns.
pub const RESERVED: [(&str, &str); 6] = [
    ("limit", "Rows of a page, 1 to 1000; 100 unless told."),
    ("cursor", "Where to go on: `next` of the page before, with the same filters and order."),
    ("sort", "A column; descending with a minus before it. Empty values come last. Without it, rows stand in the order of the case."),
    ("fields", "Columns to return, separated by commas; all unless told."),
    ("total", "`true` to count all rows that pass the filters."),
    ("either_end", "An address at either end (tables with `id_orig_h` and `id_resp_h`)."),
];

/// What may follow a column's name after a dot.
pub const OPERATORS: [(&str, &str); 9] = [
    ("eq", "equal; of a list, among its values (the same as no operator)"),
    ("ne", "not equal; empty values pass"),
    ("gt", "greater"),
    ("gte", "greater or equal"),
    ("lt", "less"),
    ("lte", "less or equal"),
    ("in", "one of several, separated by commas"),
    ("has", "text that occurs in it, in any case of letters"),
    ("null", "`true` for empty values, `false` for others"),
];

/// A table or view that can be asked.
pub struct Source {
    /// Name, in SQL and in the path.
    pub name: &'static str,
    /// What a row is.
    pub doc: String,
    /// Name, type and meaning of each column.
    pub columns: Vec<(String, Kind, String)>,
    /// What follows FROM.
    from: String,
    /// What tells rows apart and orders them: a whole number.
    key: &'static str,
}

/// All tables, and the views that are theirs to ask.
pub fn sources() -> &'static [Source] {
    static ALL: OnceLock<Vec<Source>> = OnceLock::new();
    ALL.get_or_init(|| {
        let mut all: Vec<Source> = schema::tables()
            .into_iter()
            .map(|table| Source {
                name: table.name,
                doc: table.doc.into(),
                columns: table.columns,
                from: format!("\"{}\"", table.name),
                key: "rowid",
            })
            .collect();
        let alerts = alerts(&all);
        all.extend(alerts);
        all
    })
}

/// The source of that name.
pub fn source(name: &str) -> Option<&'static Source> {
    sources().iter().find(|source| source.name == name)
}

/// The view `alerts`: findings as an alert list. Its columns are those of `findings`.
fn alerts(tables: &[Source]) -> Option<Source> {
    const NAMES: [&str; 15] = [
        "ts",
        "last_seen",
        "id",
        "severity",
        "risk",
        "confidence",
        "outcome",
        "rule",
        "title",
        "says",
        "actors",
        "targets",
        "attack",
        "tactic",
        "incident",
    ];
    let findings = tables.iter().find(|table| table.name == "findings")?;
    let of = |name: &str| {
        let wanted = if name == "ts" { "first_seen" } else { name };
        let (_, kind, doc) = findings.columns.iter().find(|(column, ..)| column == wanted)?;
        Some((name.to_string(), *kind, doc.clone()))
    };
    Some(Source {
        name: "alerts",
        doc: "Findings as an alert list, gravest first.".into(),
        columns: NAMES.iter().filter_map(|name| of(name)).collect(),
        from: "(SELECT *, row_number() OVER () AS place FROM alerts)".into(),
        key: "place",
    })
}

/// A page of rows.
#[derive(Debug)]
pub struct Page {
    /// Names of the columns.
    pub names: Vec<String>,
    /// Rows.
    pub rows: Vec<Vec<Cell>>,
    /// Where the next page begins, if there is one.
    pub next: Option<String>,
    /// All rows that pass the filters, if asked for.
    pub total: Option<u64>,
}

impl Serialize for Page {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("rows", &self.rows.iter().map(|row| Named(&self.names, row)).collect::<Vec<_>>())?;
        map.serialize_entry("next", &self.next)?;
        if let Some(total) = self.total {
            map.serialize_entry("total", &total)?;
        }
        map.end()
    }
}

/// A row as an object, in the order of the columns.
struct Named<'a>(&'a [String], &'a [Cell]);

impl Serialize for Named<'_> {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.0.iter().zip(self.1.iter().map(Cell::to_json)))
    }
}

/// A question, understood and checked.
#[derive(Debug)]
pub struct Question {
    source: &'static Source,
    fields: Vec<&'static str>,
    conditions: Vec<String>,
    values: Vec<Value>,
    sort: Option<Sort>,
    cursor: Option<Cursor>,
    limit: usize,
    total: bool,
    /// The case is a live one, whose tables are views with a key of their own.
    live: bool,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

#[derive(Clone, Copy, Debug)]
struct Sort {
    column: &'static str,
    kind: Kind,
    down: bool,
}

/// The last row of a page: its value in the order, and its key.
#[derive(Debug, Serialize, Deserialize)]
struct Cursor {
    /// The order that it belongs to.
    sort: String,
    value: Option<String>,
    key: i64,
}

impl Cursor {
    fn written(&self) -> String {
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    fn read(text: &str) -> Option<Self> {
        serde_json::from_slice(&base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).ok()?).ok()
    }
}

impl Source {
    fn column(&'static self, name: &str) -> Result<(&'static str, Kind), Problem> {
        let found = self.columns.iter().find(|(column, ..)| column == name).map(|(column, kind, _)| (column.as_str(), *kind));
        found.ok_or_else(|| {
            Problem::Wrong(format!("the table {} has no column {name:?}; /api/v1/tables/{} lists them", self.name, self.name))
        })
    }

    /// Understands the parameters of a request.
    pub fn question(&'static self, parameters: &[(String, String)]) -> Result<Question, Problem> {
        let fields = self.columns.iter().map(|(name, ..)| name.as_str()).collect();
        let (conditions, values) = (Vec::new(), Vec::new());
        let mut question =
            Question { source: self, fields, conditions, values, sort: None, cursor: None, limit: ROWS, total: false, live: false };
        for (name, value) in parameters {
            question.take(name, value)?;
        }
        if question.conditions.len() > CONDITIONS {
            return Err(Problem::Wrong(format!("at most {CONDITIONS} conditions at once")));
        }
        if question.cursor.as_ref().is_some_and(|cursor| cursor.sort != question.order_name()) {
            return Err(Problem::Wrong("the cursor belongs to another order of rows; begin without it".into()));
        }
        Ok(question)
    }
}

impl Question {
    /// To be asked of that case.
    pub fn of(self, app: &App) -> Self {
        Self { live: app.live, ..self }
    }

    /// What is asked, and what tells rows apart there.
    fn place(&self) -> (String, &'static str) {
        // Views of vigil's own have a key of their own, live or not.
        if self.live && self.source.key == "rowid" {
            (format!("{KEYED}.\"{}\"", self.source.name), KEY)
        } else {
            (self.source.from.clone(), self.source.key)
        }
    }

    fn take(&mut self, name: &str, value: &str) -> Result<(), Problem> {
        match name {
            "limit" => {
                let limit = value.parse().ok().filter(|limit| (1..=MOST_ROWS).contains(limit));
                self.limit = limit.ok_or_else(|| Problem::Wrong(format!("limit is a number from 1 to {MOST_ROWS}")))?;
            }
            "cursor" => {
                self.cursor = Some(Cursor::read(value).ok_or_else(|| Problem::Wrong("the cursor is not one of this server's".into()))?)
            }
            "sort" => {
                let (column, down) = value.strip_prefix('-').map_or((value, false), |column| (column, true));
                let (column, kind) = self.source.column(column)?;
                if is_list(kind) {
                    return Err(Problem::Wrong(format!("{column} is a list: rows cannot be put in order by it")));
                }
                self.sort = Some(Sort { column, kind, down });
            }
            "fields" => {
                self.fields = value.split(',').map(|name| Ok(self.source.column(name.trim())?.0)).collect::<Result<_, Problem>>()?;
            }
            "total" => self.total = truth(value).ok_or_else(|| Problem::Wrong("total is true or false".into()))?,
            "either_end" => {
                let ends = (self.source.column("id_orig_h")?.0, self.source.column("id_resp_h")?.0);
                self.conditions.push(format!("(\"{}\" = ? OR \"{}\" = ?)", ends.0, ends.1));
                self.values.extend([Value::Text(value.into()), Value::Text(value.into())]);
            }
            _ => self.filter(name, value)?,
        }
        Ok(())
    }

    fn filter(&mut self, name: &str, value: &str) -> Result<(), Problem> {
        let (column, operator) = name.split_once('.').unwrap_or((name, "eq"));
        let (column, kind) = self.source.column(column)?;
        let quoted = format!("\"{column}\"");
        let list = is_list(kind);
        let condition = match operator {
            "null" => {
                let empty = truth(value).ok_or_else(|| Problem::Wrong(format!("{name} is true or false")))?;
                self.conditions.push(format!("{quoted} IS {}NULL", if empty { "" } else { "NOT " }));
                return Ok(());
            }
            "has" if matches!(kind, Kind::Text) => {
                self.values.push(Value::Text(value.into()));
                format!("contains(lower({quoted}), lower(?))")
            }
            "has" if list => {
                self.values.push(Value::Text(value.into()));
                format!("contains(lower(array_to_string({quoted}, chr(31))), lower(?))")
            }
            "in" => {
                let values = value.split(',').map(|value| bound(column, element(kind), value)).collect::<Result<Vec<_>, _>>()?;
                if values.len() > VALUES {
                    return Err(Problem::Wrong(format!("{name}: at most {VALUES} values")));
                }
                let marks = vec![mark(element(kind)); values.len()].join(", ");
                self.values.extend(values);
                if list { format!("list_has_any({quoted}, [{marks}])") } else { format!("{quoted} IN ({marks})") }
            }
            "eq" | "ne" => {
                self.values.push(bound(column, element(kind), value)?);
                let mark = mark(element(kind));
                match (list, operator) {
                    (false, "eq") => format!("{quoted} = {mark}"),
                    (false, _) => format!("{quoted} IS DISTINCT FROM {mark}"),
                    (true, "eq") => format!("list_contains({quoted}, {mark})"),
                    (true, _) => format!("NOT coalesce(list_contains({quoted}, {mark}), false)"),
                }
            }
            "gt" | "gte" | "lt" | "lte" if !list => {
                self.values.push(bound(column, kind, value)?);
                let sign = match operator {
                    "gt" => ">",
                    "gte" => ">=",
                    "lt" => "<",
                    _ => "<=",
                };
                format!("{quoted} {sign} {}", mark(kind))
            }
            _ => {
                let known = OPERATORS.map(|(name, _)| name).join(", ");
                return Err(Problem::Wrong(format!(
                    "{column} of type {} is not compared by {operator:?}; operators are {known}",
                    kind.sql()
                )));
            }
        };
        self.conditions.push(condition);
        Ok(())
    }

    fn order_name(&self) -> String {
        self.sort.map_or(String::new(), |sort| format!("{}{}", if sort.down { "-" } else { "" }, sort.column))
    }

    /// Rows after the cursor, in the order of the question. Empty values come last, whichever way the order runs.
    fn after(&self, cursor: &Cursor, conditions: &mut Vec<String>, values: &mut Vec<Value>) -> Result<(), Problem> {
        let key = format!("{} > ?", self.place().1);
        let Some(sort) = self.sort else {
            conditions.push(key);
            values.push(Value::BigInt(cursor.key));
            return Ok(());
        };
        let column = format!("\"{}\"", sort.column);
        let Some(value) = &cursor.value else {
            conditions.push(format!("{column} IS NULL AND {key}"));
            values.push(Value::BigInt(cursor.key));
            return Ok(());
        };
        let value = bound(sort.column, sort.kind, value)?;
        let (sign, mark) = (if sort.down { "<" } else { ">" }, mark(sort.kind));
        conditions.push(format!("({column} {sign} {mark} OR ({column} = {mark} AND {key}) OR {column} IS NULL)"));
        values.extend([value.clone(), value, Value::BigInt(cursor.key)]);
        Ok(())
    }

    fn sql(&self) -> Result<(String, Vec<Value>), Problem> {
        let (mut conditions, mut values) = (self.conditions.clone(), self.values.clone());
        let (from, key) = self.place();
        if let Some(cursor) = &self.cursor {
            self.after(cursor, &mut conditions, &mut values)?;
        }
        let mut sql = String::from("SELECT ");
        for field in &self.fields {
            let _ = write!(sql, "\"{field}\", ");
        }
        let order = self.sort.map_or("NULL".to_string(), |sort| format!("CAST(\"{}\" AS VARCHAR)", sort.column));
        let _ = write!(sql, "CAST({key} AS BIGINT) AS {KEY}, {order} AS {ORDER} FROM {from}");
        if !conditions.is_empty() {
            let _ = write!(sql, " WHERE {}", conditions.join(" AND "));
        }
        sql.push_str(" ORDER BY ");
        if let Some(sort) = self.sort {
            let _ = write!(sql, "\"{}\" {} NULLS LAST, ", sort.column, if sort.down { "DESC" } else { "ASC" });
        }
        let _ = write!(sql, "{key} LIMIT {}", self.limit + 1);
        Ok((sql, values))
    }

    /// Asks.
    pub fn ask(&self, conn: &Connection) -> Result<Page, Problem> {
        let (sql, values) = self.sql()?;
        let Rows { mut names, mut cells } = rows(conn, &sql, &values)?;
        names.truncate(self.fields.len());
        let more = cells.len() > self.limit;
        cells.truncate(self.limit);
        let next = if more { cells.last().and_then(|row| self.cursor_at(row)) } else { None };
        cells.iter_mut().for_each(|row| row.truncate(self.fields.len()));
        let total = if self.total { Some(self.count(conn)?) } else { None };
        Ok(Page { names, rows: cells, next, total })
    }

    fn cursor_at(&self, row: &[Cell]) -> Option<String> {
        let Cell::Int(key) = row.get(self.fields.len())? else { return None };
        let value = match row.get(self.fields.len() + 1)? {
            Cell::Null => None,
            other => Some(other.to_string()),
        };
        Some(Cursor { sort: self.order_name(), value, key: i64::try_from(*key).ok()? }.written())
    }

    /// All rows that pass the filters.
    pub fn count(&self, conn: &Connection) -> Result<u64, Problem> {
        let filter = if self.conditions.is_empty() { String::new() } else { format!(" WHERE {}", self.conditions.join(" AND ")) };
        let found = rows(conn, &format!("SELECT count(*) FROM {}{filter}", self.source.from), &self.values)?;
        match found.cells.first().and_then(|row| row.first()) {
            Some(Cell::Int(count)) => Ok(u64::try_from(*count).unwrap_or(0)),
            _ => Ok(0),
        }
    }
}

fn is_list(kind: Kind) -> bool {
    element(kind) != kind
}

/// Type of the values that a column is compared with.
fn element(kind: Kind) -> Kind {
    match kind {
        Kind::Ints => Kind::Int,
        Kind::Bigs => Kind::Big,
        Kind::Texts => Kind::Text,
        plain => plain,
    }
}

/// What stands for a bound value. Times are bound as text.
fn mark(kind: Kind) -> &'static str {
    if kind == Kind::Time { "CAST(? AS TIMESTAMP)" } else { "?" }
}

fn truth(text: &str) -> Option<bool> {
    match text {
        "true" | "1" | "yes" => Some(true),
        "false" | "0" | "no" => Some(false),
        _ => None,
    }
}

/// The value to bind, if the text is one of that type.
fn bound(column: &str, kind: Kind, text: &str) -> Result<Value, Problem> {
    let text = text.trim();
    let wrong = |what: &str| Problem::Wrong(format!("{column} is compared with {what}, not with {:?}", crate::report::visible(text)));
    match kind {
        Kind::Bool => truth(text).map(Value::Boolean).ok_or_else(|| wrong("true or false")),
        Kind::Int | Kind::Big => text.parse().map(Value::BigInt).map_err(|_| wrong("a whole number")),
        Kind::Double => text.parse().ok().filter(|number: &f64| !number.is_nan()).map(Value::Double).ok_or_else(|| wrong("a number")),
        Kind::Time => moment(text).map(Value::Text).ok_or_else(|| wrong("a time such as 2026-11-22T09:30:00Z")),
        _ => Ok(Value::Text(text.into())),
    }
}

/// A time as DuckDB reads it, in UTC.
fn moment(text: &str) -> Option<String> {
    let utc = DateTime::parse_from_rfc3339(text).map(|time| time.naive_utc());
    let plain = || {
        ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"]
            .iter()
            .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
    };
    let day = || NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0);
    Some(utc.ok().or_else(plain).or_else(day)?.format("%Y-%m-%d %H:%M:%S%.6f").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(table: &str, parameters: &[(&str, &str)]) -> Result<Question, Problem> {
        let parameters: Vec<_> = parameters.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        source(table).unwrap().question(&parameters)
    }

    /// A case without rows, with all tables.
    fn empty() -> Connection {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(&schema::ddl()).unwrap();
        conn.execute_batch(schema::VIEWS).unwrap();
        conn
    }

    #[test]
    fn no_column_is_called_like_a_parameter() {
        for source in sources() {
            for (column, ..) in &source.columns {
                assert!(!RESERVED.iter().any(|(name, _)| name == column), "{}.{column}", source.name);
                assert!(!column.contains('.') && ![KEY, ORDER].contains(&column.as_str()), "{}.{column}", source.name);
            }
        }
    }

    #[test]
    fn every_table_and_view_answers_with_the_columns_it_promises() {
        let conn = empty();
        for source in sources() {
            let page = source.question(&[]).unwrap().ask(&conn).unwrap_or_else(|problem| panic!("{}: {problem:?}", source.name));
            assert_eq!(page.names, source.columns.iter().map(|(name, ..)| name.clone()).collect::<Vec<_>>(), "{}", source.name);
        }
    }

    #[test]
    fn every_operator_binds_on_every_column_that_takes_it() {
        let conn = empty();
        for source in sources() {
            for (column, kind, _) in &source.columns {
                let value = match element(*kind) {
                    Kind::Bool => "true",
                    Kind::Time => "2026-01-02",
                    Kind::Text => "x' OR 1=1 --",
                    _ => "7",
                };
                for (operator, _) in OPERATORS {
                    let value = if operator == "null" { "true" } else { value };
                    if let Ok(question) = source.question(&[(format!("{column}.{operator}"), value.into())]) {
                        question.ask(&conn).unwrap_or_else(|problem| panic!("{}.{column}.{operator}: {problem:?}", source.name));
                    }
                }
                if !is_list(*kind) {
                    let sorted = source.question(&[("sort".into(), format!("-{column}"))]).unwrap();
                    let cursor = Cursor { sort: sorted.order_name(), value: Some(value.into()), key: 3 }.written();
                    let next = source.question(&[("sort".into(), format!("-{column}")), ("cursor".into(), cursor)]).unwrap();
                    next.ask(&conn).unwrap_or_else(|problem| panic!("{}.{column}: {problem:?}", source.name));
                }
            }
        }
    }

    #[test]
    fn pages_follow_each_other_without_gap_or_repetition_in_any_order() {
        let conn = empty();
        conn.execute_batch(
            "INSERT INTO host_role SELECT CASE WHEN n % 7 = 0 THEN NULL ELSE 'ip' || (n % 5) END, 'r' || n, '' FROM range(100) t(n)",
        )
        .unwrap();
        for sort in ["", "ip", "-ip", "role"] {
            let (mut seen, mut cursor) = (Vec::new(), None::<String>);
            loop {
                let mut parameters = vec![("limit", "9")];
                if !sort.is_empty() {
                    parameters.push(("sort", sort));
                }
                if let Some(cursor) = &cursor {
                    parameters.push(("cursor", cursor));
                }
                let page = ask("host_role", &parameters).unwrap().ask(&conn).unwrap();
                seen.extend(page.rows.iter().map(|row| row[1].to_string()));
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
            }
            assert_eq!(seen.len(), 100, "{sort}");
            seen.sort();
            seen.dedup();
            assert_eq!(seen.len(), 100, "{sort}");
        }
    }

    #[test]
    fn what_is_not_in_the_schema_never_reaches_sql() {
        let refused = [
            ("id_orig_h\"; DROP TABLE flows; --", "1"),
            ("nonsense", "1"),
            ("id_orig_p", "80 OR 1=1"),
            ("id_orig_p.bogus", "80"),
            ("sort", "ts; DROP TABLE flows"),
            ("sort", "tunnel_parents"),
            ("fields", "ts, 1"),
            ("limit", "0"),
            ("limit", "1e9"),
            ("cursor", "AAAA"),
            ("ts.gt", "yesterday"),
            ("total", "maybe"),
        ];
        for (name, value) in refused {
            assert!(matches!(ask("flows", &[(name, value)]), Err(Problem::Wrong(_))), "{name}={value}");
        }
        assert!(matches!(ask("rules", &[("either_end", "10.0.0.1")]), Err(Problem::Wrong(_))));
    }

    #[test]
    fn times_are_read_as_people_write_them() {
        let read = ["2026-11-22T09:30:00+01:00", "2026-11-22 09:30", "2026-11-22", "09:30"].map(moment);
        assert_eq!(read[0].as_deref(), Some("2026-11-22 08:30:00.000000"));
        assert_eq!(read[1].as_deref(), Some("2026-11-22 09:30:00.000000"));
        assert_eq!(read[2].as_deref(), Some("2026-11-22 00:00:00.000000"));
        assert_eq!(read[3], None);
    }
}
