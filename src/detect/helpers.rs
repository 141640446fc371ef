//! What rules share, from `queries/_views`: words, which every connection defines for itself, and tables, which are made once.

use super::rules::Rules;
use super::{Error, Result};
use duckdb::Connection;

/// How a helper file begins that makes a table. Others hold macros.
const MAKES_TABLE: &str = "CREATE OR REPLACE TEMP TABLE ";

/// The in-memory database in which helper tables stand while rules run: temporary tables would belong to one connection alone.
const SHARED: &str = "vigil_helpers";

/// A helper file.
enum Helper<'a> {
    /// Macros: as they stand.
    Words(&'a str),
    /// A table: its name and what fills it.
    Table(&'a str, &'a str),
}

impl<'a> Helper<'a> {
    fn of(text: &'a str) -> Self {
        let made = text.split_once(MAKES_TABLE).and_then(|(_, rest)| rest.split_once(char::is_whitespace));
        made.map_or(Self::Words(text), |(name, filling)| Self::Table(name, filling))
    }
}

impl Rules {
    /// Creates the helpers on one connection, as temporary macros and tables: the case stays as it is.
    pub fn prepare(&self, db: &Connection) -> Result<()> {
        for (name, text) in self.views() {
            db.execute_batch(text).map_err(creating(name))?;
        }
        Ok(())
    }

    /// Creates the helpers so that every connection to this database can [`Rules::join`] them.
    pub(super) fn share(&self, db: &Connection) -> Result<()> {
        // A run that broke off may have left its own: live, rules run again and again on one database.
        db.execute_batch(&format!("DETACH DATABASE IF EXISTS {SHARED}; ATTACH ':memory:' AS {SHARED}")).map_err(creating(SHARED))?;
        for (file, text) in self.views() {
            let sql = match Helper::of(text) {
                Helper::Words(words) => words.to_owned(),
                Helper::Table(name, filling) => format!("CREATE TABLE {SHARED}.{name} {filling};\n{}", seen(name)),
            };
            db.execute_batch(&sql).map_err(creating(file))?;
        }
        Ok(())
    }

    /// Makes shared helpers known to a further connection.
    pub(super) fn join(&self, db: &Connection) -> Result<()> {
        for (file, text) in self.views() {
            let known = match Helper::of(text) {
                Helper::Words(words) => db.execute_batch(words),
                Helper::Table(name, _) => db.execute_batch(&seen(name)),
            };
            known.map_err(creating(file))?;
        }
        Ok(())
    }

    /// Takes shared helpers away; no other connection may still use them.
    pub(super) fn unshare(&self, db: &Connection) -> Result<()> {
        for (file, text) in self.views() {
            if let Helper::Table(name, _) = Helper::of(text) {
                db.execute_batch(&format!("DROP VIEW temp.{name}")).map_err(creating(file))?;
            }
        }
        db.execute_batch(&format!("DETACH {SHARED}")).map_err(creating(SHARED))
    }
}

fn seen(name: &str) -> String {
    format!("CREATE OR REPLACE TEMP VIEW {name} AS FROM {SHARED}.{name}")
}

fn creating(file: &str) -> impl FnOnce(duckdb::Error) -> Error {
    move |source| Error::Database { doing: format!("creating the helpers of _views/{file}"), source }
}
