//! The case: a folder `x.vigil/` with facts and judgements in `case.duckdb`, the packet index in `packets.parquet`,
//! one finding a line in `findings.ndjson`, what made it in `manifest.json`, and what people did since in `journal.ndjson`.
//!
//! A case is written once, by [`Case`]; from then on everyone opens it read-only ([`open_read_only`]). What happens to it later goes to the
//! journal, never to the database: DuckDB has one writer, and evidence should not change.
//!
//! A live case has segments of time instead of `case.duckdb` ([`live`]).

mod case;
mod claims;
pub mod column;
mod error;
mod fingerprint;
pub mod folder;
pub mod journal;
pub mod live;
pub mod manifest;
mod open;
mod packets;
mod query;
mod rows;
pub mod schema;

#[cfg(test)]
mod tests;

pub use case::{Case, Options};
pub use claims::meaning;
pub use error::StoreError;
pub use fingerprint::fingerprint;
pub use folder::Replace;
pub use open::{OpenCase, open_for_rules, open_read_only};
pub use packets::PacketRow;
pub use query::{Cell, Table, query, query_each};
pub use schema::judgement::{Anomaly, FlowScore, Indicator, ListEntry, Place, Summary};
pub use schema::record::{PacketsSummary, RunRow, StatisticsRow, SystemLog};

/// A result of this floor.
pub type Result<T> = std::result::Result<T, StoreError>;
