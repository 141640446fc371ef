//! Knowledge from outside, offline: lists of known bad things become `indicators`, MMDB files become `places`.
//!
//! Files are read before the evidence, so that a wrong path is known at once. What they say meets the case when its facts are complete: only
//! then is it known when the capture was made and which addresses are in it.
//!
//! To add a format of lists: one file under `intel/`, one line in [`intel::PROVIDERS`].

mod geo;
mod guard;
pub mod intel;
mod kind;

#[cfg(test)]
pub(crate) mod mmdb;
#[cfg(test)]
mod tests;

pub use geo::Atlas;
pub use intel::{IntelProvider, List};

use crate::model::HomeNets;
use crate::store::{Case, StoreError, SystemLog};
use std::path::PathBuf;

/// Why knowledge cannot be used. Each names the file and the cure.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read.
    #[error("cannot read {path}: {why}")]
    File {
        /// Which.
        path: String,
        /// Why.
        why: String,
    },
}

/// Short for this floor's results.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// All that is known from outside.
#[derive(Default)]
pub struct Knowledge {
    lists: Vec<List>,
    atlas: Atlas,
}

impl Knowledge {
    /// Reads lists (files, or folders of them) and MMDB files.
    pub fn read(lists: &[PathBuf], databases: &[PathBuf]) -> Result<Self> {
        Ok(Self { lists: intel::read(lists)?, atlas: Atlas::open(databases)? })
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.lists.is_empty() && self.atlas.is_empty()
    }

    /// What of the lists is of no use, whatever the evidence.
    pub fn unused(&self) -> Vec<String> {
        let notes = self.lists.iter().flat_map(|list| list.clone().rows(None, &[]).1);
        notes.filter(|note| note.level == "warning").map(|note| note.message).collect()
    }

    /// Stores what applies to the facts of `case`; returns what is to be said of it, also what could not be used.
    pub fn store(&self, case: &Case, home: &HomeNets) -> Result<Vec<SystemLog>, StoreError> {
        let db = case.connection();
        let mut logs: Vec<SystemLog> = Vec::new();
        if !self.lists.is_empty() {
            let span = span(db)?;
            let addresses = addresses(db)?;
            for list in &self.lists {
                let (rows, notes) = list.clone().rows(span, &addresses);
                case.append_indicators(&rows)?;
                logs.extend(notes);
            }
        }
        if !self.atlas.is_empty() {
            let foreign: Vec<_> = addresses(db)?.into_iter().filter(|address| !home.contains(*address)).collect();
            let (rows, notes) = self.atlas.places(&foreign);
            case.append_places(&rows)?;
            logs.extend(notes);
        }
        Ok(logs)
    }
}

/// First and last moment of the evidence.
fn span(db: &duckdb::Connection) -> Result<Option<(i64, i64)>, StoreError> {
    let ends = |row: &duckdb::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let asked = db.query_row("SELECT min(first_ts_ns), max(last_ts_ns) FROM captures", [], ends);
    let (first, last): (Option<i64>, Option<i64>) = asked.map_err(StoreError::database("looking up when the evidence is from"))?;
    Ok(first.zip(last))
}

/// Every address of the case, in order.
fn addresses(db: &duckdb::Connection) -> Result<Vec<std::net::IpAddr>, StoreError> {
    let failed = || StoreError::database("looking up the addresses of the case");
    let mut statement = db.prepare("SELECT ip FROM hosts ORDER BY ip").map_err(failed())?;
    let texts = statement.query_map([], |row| row.get::<_, String>(0)).map_err(failed())?;
    let texts = texts.collect::<duckdb::Result<Vec<_>>>().map_err(failed())?;
    Ok(texts.iter().filter_map(|text| text.parse().ok()).collect())
}
