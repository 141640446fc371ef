//! Tables → findings: SQL rules. Tables → anomalies: [`models`].
//!
//! A rule is one file under `queries/TACTIC/`: what it looks for, why, and how sure to be, in a TOML header; then one statement.
//! [`Rules::load`] reads the embedded ones and those of `--rules`, [`Rules::run`] asks them of a case.
//!
//! ```text
//! file ─header→ Rule ─sql→ statement ─row→ Hit ─score→ confidence, risk ─fold→ Finding
//! ```
//!
//! To add a detection: one file under `queries/TACTIC/`. Nothing else.

pub mod baseline;
mod catalogue;
mod check;
mod edge;
mod fold;
mod header;
mod helpers;
pub mod models;
mod params;
mod row;
mod rules;
mod run;
mod score;
mod sql;
mod words;

#[cfg(test)]
mod tests;

pub use catalogue::markdown;
pub use check::check;
pub use edge::Edge;
pub use header::{Header, TACTICS};
pub use params::{Override, Param, Setting};
pub use rules::{Rule, Rules};
pub use run::{Detected, Settings, order};

/// What can go wrong before a rule runs. Each names the thing, the place and the cure.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A rule file that cannot be read.
    #[error("{path}: {why}")]
    File {
        /// The file.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// A `--set` that does not fit.
    #[error("--set {given}: {why}")]
    Set {
        /// What was typed.
        given: String,
        /// What is wrong with it.
        why: String,
    },
    /// A rule or view that does not hold its contract.
    #[error("rule {rule}: {why}")]
    Rule {
        /// Its id.
        rule: String,
        /// What is wrong with it.
        why: String,
    },
    /// The database refused something that is not a rule's fault.
    #[error("{doing}: {source}")]
    Database {
        /// What was being done.
        doing: String,
        /// What it said.
        source: duckdb::Error,
    },
    /// A model could not be fitted or asked.
    #[error("the models could not judge the flows: {0}")]
    Model(String),
}

impl Error {
    /// Of a feature matrix.
    fn frame(error: polars::prelude::PolarsError) -> Self {
        Self::Model(error.to_string())
    }
}

/// Short for this floor's results.
pub type Result<T, E = Error> = std::result::Result<T, E>;
