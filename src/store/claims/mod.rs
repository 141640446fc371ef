//! What is claimed of hosts: each thing said of one, by whom, in which frame, and how far it is to be believed. `hosts` and `host_role` come
//! out of it.
//!
//! Everything is done by SQL over the tables of facts, in the temporary table `said`. What a text tells of a system, and whose a hardware
//! address is, DuckDB cannot tell: these are read here, each different one once.

mod grounds;
mod systems;

pub use grounds::meaning;

use super::case::put;
use super::column::Columns;
use super::{Result, StoreError};
use crate::model::Mac;
use crate::model::oui::{Registry, Vendor};
use duckdb::Connection;

/// Tables that what is said is gathered in.
const ENDS: &str = include_str!("ends.sql");
/// What each table of facts says.
const SAID: &str = include_str!("said.sql");
/// What hosts did.
const OBSERVED: &str = include_str!("observed.sql");
/// `host_claims`, `hosts` and `host_role` out of it.
const DERIVED: &str = include_str!("derived.sql");
/// Different texts that systems are read from, the most frequent first.
const TEXTS_MAX: usize = 10_000;
/// Different hardware addresses whose vendor is looked up: more are a flood's.
const MACS_MAX: usize = 100_000;
/// Different values of one claim that are listed of a host.
pub(super) const VALUES_MAX: usize = 16;
/// Vendor of an address that was made up on the spot.
const LOCAL: &str = "(locally administered)";

fn failed() -> impl FnOnce(duckdb::Error) -> StoreError {
    StoreError::database("deriving hosts and what is claimed of them")
}

/// Fills `host_claims`, `hosts` and `host_role`, which are empty. The table `arp_home` stands beside.
pub(super) fn derive(conn: &Connection) -> Result<()> {
    conn.execute_batch(ENDS).map_err(failed())?;
    for (table, sql) in parts() {
        if conn.query_row(&format!("SELECT EXISTS (FROM {table})"), [], |row| row.get(0)).map_err(failed())? {
            conn.execute_batch(&gathering(sql)).map_err(failed())?;
        }
    }
    conn.execute_batch(OBSERVED).map_err(failed())?;
    read_texts(conn)?;
    name_vendors(conn)?;
    know_grounds(conn)?;
    conn.execute_batch(&DERIVED.replace("{VALUES_MAX}", &VALUES_MAX.to_string())).map_err(failed())?;
    conn.execute_batch("DROP TABLE sound; DROP TABLE grounds; DROP TABLE readings; DROP TABLE vendors; DROP TABLE said; DROP TABLE proxied; DROP TABLE ends")
        .map_err(failed())
}

/// The parts of `said.sql`, each with the table without which it says nothing.
fn parts() -> impl Iterator<Item = (&'static str, &'static str)> {
    SAID.split("\n-- FROM ").skip(1).filter_map(|part| part.split_once('\n'))
}

/// The statement that gathers what a part says, each thing once.
fn gathering(part: &str) -> String {
    format!(
        "INSERT INTO said
         SELECT nullif(ip, ''), mac, claim, value, source, ground, min(frame), min(ts_ns), max(ts_ns), count(*), 1, min(detail)
         FROM (SELECT ip, mac, claim, left(trim(value), 200) AS value, source, ground, frame, ts_ns, detail
               FROM ({part}) AS told(ip, mac, claim, value, source, ground, frame, ts_ns, detail))
         WHERE value <> '' AND (nullif(ip, '') IS NOT NULL OR mac IS NOT NULL)
         GROUP BY ALL"
    )
}

/// What a text on its ground tells.
struct Read {
    ground: String,
    text: String,
    told: systems::Reading,
}

fn read_texts(conn: &Connection) -> Result<()> {
    let sql = format!(
        "SELECT ground, value FROM said WHERE claim = 'reads' GROUP BY ground, value ORDER BY sum(times) DESC, ground, value LIMIT {TEXTS_MAX}"
    );
    let mut found = conn.prepare(&sql).map_err(failed())?;
    let texts = found.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))).map_err(failed())?;
    let mut readings = Vec::new();
    for text in texts {
        let (ground, text) = text.map_err(failed())?;
        let told = systems::read(&ground, &text);
        readings.extend(told.into_iter().map(|told| Read { ground: ground.clone(), text: text.clone(), told }));
    }
    let create = "CREATE OR REPLACE TEMP TABLE readings (ground VARCHAR, text VARCHAR, claim VARCHAR, value VARCHAR, sure DOUBLE)";
    conn.execute_batch(create).map_err(failed())?;
    let columns = Columns::new()
        .text("ground", "", |r: &Read| Some(&r.ground))
        .text("text", "", |r| Some(&r.text))
        .text("claim", "", |r| Some(r.told.claim))
        .text("value", "", |r| Some(&r.told.value))
        .double("sure", "", |r| r.told.sure);
    put(conn, "readings", &columns, &readings)?;
    let insert = "INSERT INTO said
        SELECT ip, mac, readings.claim, readings.value, source, said.ground, min(frame), min(ts_ns), max(last_ts_ns), sum(times)::BIGINT,
               max(readings.sure), min(CASE WHEN readings.value <> text THEN text END)
        FROM said JOIN readings ON said.ground = readings.ground AND said.value = readings.text
        WHERE said.claim = 'reads'
        GROUP BY ALL";
    conn.execute_batch(insert).map_err(failed())
}

/// A hardware address with its vendor.
struct Named {
    mac: String,
    vendor: String,
    detail: String,
}

fn name_vendors(conn: &Connection) -> Result<()> {
    let sql = format!(
        "SELECT DISTINCT value FROM said WHERE claim = 'mac' UNION SELECT DISTINCT mac FROM said WHERE mac IS NOT NULL AND ip IS NULL ORDER BY 1 LIMIT {MACS_MAX}"
    );
    let mut found = conn.prepare(&sql).map_err(failed())?;
    let macs = found.query_map([], |row| row.get::<_, String>(0)).map_err(failed())?;
    let macs: Vec<Mac> = macs.filter_map(|mac| mac.map(|mac| mac_of(&mac)).transpose()).collect::<duckdb::Result<_>>().map_err(failed())?;
    conn.execute_batch("CREATE OR REPLACE TEMP TABLE vendors (mac VARCHAR, vendor VARCHAR, detail VARCHAR)").map_err(failed())?;
    if macs.is_empty() {
        return Ok(());
    }
    let registry = Registry::open().map_err(|source| StoreError::File { doing: "unpack", path: "src/model/oui.zst".into(), source })?;
    let named = |(mac, vendor): (Mac, Vendor)| {
        let (vendor, detail) = match vendor {
            Vendor::Registered(name) => (name, format!("IEEE registry of {}", registry.date())),
            Vendor::Local => (LOCAL.to_owned(), "no vendor: the address was made up on the spot".to_owned()),
            Vendor::Group | Vendor::Unknown => return None,
        };
        Some(Named { mac: mac.to_string(), vendor, detail })
    };
    let named: Vec<Named> = registry.vendors(macs).into_iter().filter_map(named).collect();
    let columns =
        Columns::new()
            .text("mac", "", |r: &Named| Some(&r.mac))
            .text("vendor", "", |r| Some(&r.vendor))
            .text("detail", "", |r| Some(&r.detail));
    put(conn, "vendors", &columns, &named)?;
    let insert = "INSERT INTO said
        SELECT ip, said.mac, 'vendor', vendor, 'ieee', 'registry', frame, ts_ns, last_ts_ns, times, 1, vendors.detail || ' (' || vendors.mac || ')'
        FROM said JOIN vendors ON vendors.mac = CASE WHEN claim = 'mac' THEN value END
        UNION ALL
        SELECT NULL, vendors.mac, 'vendor', vendor, 'ieee', 'registry', min(frame), min(ts_ns), max(last_ts_ns), sum(times)::BIGINT, 1, vendors.detail
        FROM said JOIN vendors USING (mac)
        WHERE ip IS NULL
        GROUP BY ALL";
    conn.execute_batch(insert).map_err(failed())
}

/// An address as tables have it.
fn mac_of(text: &str) -> Option<Mac> {
    let mut bytes = text.split(':').map(|byte| u8::from_str_radix(byte, 16).ok());
    let mut mac = [0; 6];
    for byte in &mut mac {
        *byte = bytes.next()??;
    }
    bytes.next().is_none().then_some(Mac(mac))
}

fn know_grounds(conn: &Connection) -> Result<()> {
    conn.execute_batch("CREATE OR REPLACE TEMP TABLE grounds (ground VARCHAR, said_by VARCHAR, confidence DOUBLE)").map_err(failed())?;
    let columns = Columns::new()
        .text("ground", "", |r: &grounds::Ground| Some(r.name))
        .text("said_by", "", |r| Some(r.teller.name()))
        .double("confidence", "", |r| r.confidence);
    put(conn, "grounds", &columns, grounds::GROUNDS)
}
