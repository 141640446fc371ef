//! What the models look at: columns of `flows`, into a polars frame and some hashes.

use super::rarity::Kinds;
use crate::detect::{Error, Result};
use duckdb::Connection;
use duckdb::arrow::array::{Array, BooleanArray, Float64Array, Int64Array, RecordBatch, UInt64Array};
use polars::prelude::{Column, DataFrame};

/// The sixteen features of `flows`, in their order.
pub const SIXTEEN: [&str; 16] = [
    "flow_duration",
    "total_fwd_packets",
    "total_bwd_packets",
    "total_packets",
    "packet_length_mean",
    "packet_length_std",
    "fwd_packet_length_mean",
    "fwd_packet_length_std",
    "bwd_packet_length_mean",
    "bwd_packet_length_std",
    "iat_mean",
    "iat_std",
    "fwd_iat_mean",
    "fwd_iat_std",
    "bwd_iat_mean",
    "bwd_iat_std",
];

/// What the ensemble looks at beside them: bytes each way, the sender's share, and whether there were gaps to measure at all.
const MORE: [(&str, &str); 4] = [
    ("orig_ip_bytes", "orig_ip_bytes"),
    ("resp_ip_bytes", "resp_ip_bytes"),
    ("sent_share", "orig_ip_bytes / greatest(orig_ip_bytes + resp_ip_bytes, 1)"),
    ("timed", "(iat_mean IS NOT NULL)::INT"),
];

/// Hashes of what a flow is, for counting; DuckDB's hash is a matter of its release, so they never leave this run.
const HASHES: [&str; 6] = [
    "hash(id_orig_h)",
    "hash(coalesce(service, proto), direction)",
    "hash(proto)",
    "hash(coalesce(service, proto), id_resp_p)",
    "hash(proto, conn_state, history)",
    "hash(id_resp_h, id_resp_p)",
];

/// Names of the columns of [`Page::all`], in order.
pub fn names() -> impl Iterator<Item = &'static str> {
    SIXTEEN.into_iter().chain(MORE.iter().map(|(name, _)| *name))
}

/// Some flows as the models see them.
pub struct Page {
    /// Ids.
    pub flows: Vec<i64>,
    /// All features.
    pub all: DataFrame,
    /// How many of them, from the first, the classic mode looks at.
    pub leading: usize,
    /// Hash of the originator.
    pub hosts: Vec<u64>,
    /// Hash of what it is compared with: service and direction.
    pub peers: Vec<u64>,
    /// The same, more loosely: the transport.
    pub wide: Vec<u64>,
    /// What it is, for rarity: service and port, course of the connection, whom it is with.
    pub kinds: Vec<Kinds>,
    /// A rule found its originator at something.
    pub suspect: Vec<bool>,
    /// Models are fitted on it.
    pub sampled: Vec<bool>,
}

impl Page {
    /// The flows for which `condition` holds, by their ids: what is fitted on them must not depend on where they happen to be stored.
    /// `suspects` are addresses; `sample` is the condition for being fitted on.
    pub fn read(db: &Connection, condition: &str, sample: &str, suspects: &[String]) -> Result<Self> {
        Self::query(db, &format!("{condition} ORDER BY flow_id"), sample, suspects)
    }

    /// A stretch of the table, in stored order.
    pub fn stored(db: &Connection, rows: std::ops::Range<u64>, sample: &str, suspects: &[String]) -> Result<Self> {
        Self::query(db, &format!("rowid >= {} AND rowid < {}", rows.start, rows.end), sample, suspects)
    }

    fn query(db: &Connection, condition: &str, sample: &str, suspects: &[String]) -> Result<Self> {
        let numbers = SIXTEEN.iter().map(|name| format!("{name}::DOUBLE")).chain(MORE.iter().map(|(_, sql)| format!("({sql})::DOUBLE")));
        let columns: Vec<String> = numbers.chain(HASHES.iter().map(|sql| sql.to_string())).collect();
        let listed: Vec<String> = suspects.iter().map(|ip| format!("'{}'", ip.replace('\'', "''"))).collect();
        let suspect = if listed.is_empty() { "false".into() } else { format!("id_orig_h IN ({})", listed.join(", ")) };
        let sql = format!("SELECT flow_id, {}, {suspect}, {sample} FROM flows WHERE {condition}", columns.join(", "));
        let failed = |source| Error::Database { doing: "reading flows for the models".into(), source };
        let mut statement = db.prepare(&sql).map_err(failed)?;
        let batches: Vec<RecordBatch> = statement.query_arrow([]).map_err(failed)?.collect();
        Self::of(&batches)
    }

    fn of(batches: &[RecordBatch]) -> Result<Self> {
        let width = SIXTEEN.len() + MORE.len();
        let frame = |from: usize, to: usize| {
            let columns = names().enumerate().skip(from).take(to - from);
            let columns = columns.map(|(at, name)| Ok(Column::new(name.into(), numbers(batches, 1 + at)?)));
            DataFrame::new_infer_height(columns.collect::<Result<Vec<_>>>()?).map_err(Error::frame)
        };
        let hash = |at: usize| hashes(batches, 1 + width + at);
        Ok(Self {
            flows: ids(batches)?,
            all: frame(0, width)?,
            leading: SIXTEEN.len(),
            hosts: hash(0)?,
            peers: hash(1)?,
            wide: hash(2)?,
            kinds: vec![hash(3)?, hash(4)?, hash(5)?],
            suspect: flags(batches, 1 + width + HASHES.len())?,
            sampled: flags(batches, 2 + width + HASHES.len())?,
        })
    }

    /// What the classic mode looks at: of flows the sixteen.
    pub fn leading(&self) -> Result<DataFrame> {
        let columns = self.all.columns().iter().take(self.leading).cloned().collect();
        DataFrame::new(self.all.height(), columns).map_err(Error::frame)
    }

    /// How many flows.
    pub fn len(&self) -> usize {
        self.flows.len()
    }
}

fn column<A: Array + 'static>(batch: &RecordBatch, at: usize) -> Result<&A> {
    let found = batch.columns().get(at).and_then(|column| column.as_any().downcast_ref());
    found.ok_or_else(|| Error::Model(format!("column {at} of the flows has another type than expected")))
}

/// Missing values become NaN.
fn numbers(batches: &[RecordBatch], at: usize) -> Result<Vec<f64>> {
    let mut values = Vec::with_capacity(batches.iter().map(RecordBatch::num_rows).sum());
    for batch in batches {
        values.extend(column::<Float64Array>(batch, at)?.iter().map(|value| value.unwrap_or(f64::NAN)));
    }
    Ok(values)
}

fn hashes(batches: &[RecordBatch], at: usize) -> Result<Vec<u64>> {
    let mut values = Vec::new();
    for batch in batches {
        values.extend(column::<UInt64Array>(batch, at)?.values());
    }
    Ok(values)
}

fn ids(batches: &[RecordBatch]) -> Result<Vec<i64>> {
    let mut values = Vec::new();
    for batch in batches {
        values.extend(column::<Int64Array>(batch, 0)?.values());
    }
    Ok(values)
}

fn flags(batches: &[RecordBatch], at: usize) -> Result<Vec<bool>> {
    let mut values = Vec::new();
    for batch in batches {
        values.extend(column::<BooleanArray>(batch, at)?.iter().map(|value| value.unwrap_or(false)));
    }
    Ok(values)
}
