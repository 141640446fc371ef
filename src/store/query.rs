//! Answers to any SQL: names and typed cells, which print themselves and turn into JSON.

use super::{Result, StoreError};
use crate::model::time;
use crate::store::schema::flows::Hex;
use chrono::DateTime;
use duckdb::Connection;
use duckdb::types::{TimeUnit, Value};
use std::fmt;

/// An answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Names of the columns.
    pub names: Vec<String>,
    /// Rows, each as long as `names`.
    pub rows: Vec<Vec<Cell>>,
}

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Nothing.
    Null,
    /// `BOOLEAN`.
    Bool(bool),
    /// Any whole number.
    Int(i128),
    /// Any number with a fraction.
    Float(f64),
    /// Text, and what has no better form.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A moment, nanoseconds since 1970-01-01.
    Time(i128),
    /// Values of one kind.
    List(Vec<Cell>),
    /// Named values, and maps.
    Struct(Vec<(String, Cell)>),
}

/// Runs `sql` and hands over rows one by one: the whole answer never stands in memory twice.
pub fn query_each(conn: &Connection, sql: &str, mut take: impl FnMut(&[String], Vec<Cell>) -> Result<()>) -> Result<Vec<String>> {
    let failed = || StoreError::database("running the query");
    let mut statement = conn.prepare(sql).map_err(failed())?;
    let mut rows = statement.query([]).map_err(failed())?;
    let names = rows.as_ref().map(|statement| statement.column_names()).unwrap_or_default();
    while let Some(row) = rows.next().map_err(failed())? {
        let cells = (0..names.len()).map(|column| row.get::<_, Value>(column).map(Cell::from)).collect::<duckdb::Result<_>>();
        take(&names, cells.map_err(failed())?)?;
    }
    Ok(names)
}

/// Runs `sql` and returns the whole answer.
pub fn query(conn: &Connection, sql: &str) -> Result<Table> {
    let mut rows = Vec::new();
    let names = query_each(conn, sql, |_, row| {
        rows.push(row);
        Ok(())
    })?;
    Ok(Table { names, rows })
}

fn nanoseconds(unit: TimeUnit, value: i64) -> i128 {
    let scale = match unit {
        TimeUnit::Second => 1_000_000_000,
        TimeUnit::Millisecond => 1_000_000,
        TimeUnit::Microsecond => 1_000,
        TimeUnit::Nanosecond => 1,
    };
    i128::from(value) * scale
}

impl From<Value> for Cell {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Boolean(value) => Self::Bool(value),
            Value::TinyInt(value) => Self::Int(value.into()),
            Value::SmallInt(value) => Self::Int(value.into()),
            Value::Int(value) => Self::Int(value.into()),
            Value::BigInt(value) => Self::Int(value.into()),
            Value::HugeInt(value) => Self::Int(value),
            Value::UTinyInt(value) => Self::Int(value.into()),
            Value::USmallInt(value) => Self::Int(value.into()),
            Value::UInt(value) => Self::Int(value.into()),
            Value::UBigInt(value) => Self::Int(value.into()),
            Value::UHugeInt(value) => i128::try_from(value).map_or_else(|_| Self::Text(value.to_string()), Self::Int),
            Value::Float(value) => Self::Float(value.into()),
            Value::Double(value) => Self::Float(value),
            Value::Decimal(value) => Self::Text(value.to_string()),
            Value::Timestamp(unit, value) => Self::Time(nanoseconds(unit, value)),
            Value::Text(value) | Value::Enum(value) => Self::Text(value),
            Value::Blob(value) | Value::Geometry(value) => Self::Bytes(value),
            Value::Date32(days) => Self::Text(date(days)),
            Value::Time64(unit, value) => Self::Text(clock(nanoseconds(unit, value))),
            Value::Interval { months, days, nanos } => Self::Text(format!("{months} months {days} days {}", clock(nanos.into()))),
            Value::List(values) | Value::Array(values) => Self::List(values.into_iter().map(Self::from).collect()),
            Value::Struct(fields) => Self::Struct(fields.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect()),
            Value::Map(fields) => {
                Self::Struct(fields.iter().map(|(key, value)| (Self::from(key.clone()).to_string(), value.clone().into())).collect())
            }
            Value::Union(value) => Self::from(*value),
            other => Self::Text(format!("{other:?}")),
        }
    }
}

fn date(days: i32) -> String {
    DateTime::from_timestamp(i64::from(days) * 86_400, 0).map_or_else(|| format!("{days} days"), |day| day.format("%Y-%m-%d").to_string())
}

fn clock(ns: i128) -> String {
    let sign = if ns < 0 { "-" } else { "" };
    let (seconds, micros) = (ns.unsigned_abs() / 1_000_000_000, ns.unsigned_abs() % 1_000_000_000 / 1_000);
    format!("{sign}{:02}:{:02}:{:02}.{micros:06}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

/// RFC 3339 in UTC; beyond the years that nanoseconds reach, the bare number of seconds.
fn moment(ns: i128) -> String {
    i64::try_from(ns).map_or_else(|_| format!("{} s", ns / 1_000_000_000), time::rfc3339)
}

impl Cell {
    /// As JSON. Whole numbers beyond 64 bits become text; numbers that JSON has not become null.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match self {
            Self::Null => Json::Null,
            Self::Bool(value) => (*value).into(),
            Self::Int(value) => i64::try_from(*value).map_or_else(|_| Json::String(value.to_string()), Json::from),
            Self::Float(value) => serde_json::Number::from_f64(*value).map_or(Json::Null, Json::Number),
            Self::List(values) => values.iter().map(Self::to_json).collect(),
            Self::Struct(fields) => fields.iter().map(|(name, value)| (name.clone(), value.to_json())).collect(),
            Self::Text(value) => value.as_str().into(),
            Self::Bytes(_) | Self::Time(_) => self.to_string().into(),
        }
    }
}

/// As people read it: NULL is empty, lists in brackets. Control characters are as they came: escaping is the sink's work.
impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => Ok(()),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            // Debug, because Display writes 1e300 with three hundred digits.
            Self::Float(value) => write!(f, "{value:?}"),
            Self::Text(value) => f.write_str(value),
            Self::Bytes(value) => write!(f, "{}", Hex(value)),
            Self::Time(ns) => f.write_str(&moment(*ns)),
            Self::List(values) => {
                f.write_str("[")?;
                separated(f, values, nested)?;
                f.write_str("]")
            }
            Self::Struct(fields) => {
                f.write_str("{")?;
                separated(f, fields, |f, (name, value)| {
                    write!(f, "{name}: ")?;
                    nested(f, value)
                })?;
                f.write_str("}")
            }
        }
    }
}

fn nested(f: &mut fmt::Formatter<'_>, value: &Cell) -> fmt::Result {
    match value {
        Cell::Null => f.write_str("NULL"),
        other => write!(f, "{other}"),
    }
}

fn separated<T>(
    f: &mut fmt::Formatter<'_>,
    values: &[T],
    mut write: impl FnMut(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            f.write_str(", ")?;
        }
        write(f, value)?;
    }
    Ok(())
}
