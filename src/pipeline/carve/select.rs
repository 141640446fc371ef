//! What is to be carved: findings, incidents, flows, hosts, frames or the answer of a query become flows and frames in temporary tables.

use super::super::Error;
use crate::model::FlowId;
use crate::store::{Cell, query};
use duckdb::Connection;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::str::FromStr;

/// One thing to carve, as typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// `F3`: the flows of a finding, and its frames.
    Finding(String),
    /// `I1`: all findings of an incident.
    Incident(String),
    /// `flow:1042` or `flow:1042/1`.
    Flow(FlowId),
    /// `host:10.0.0.5`: its flows, and ARP that speaks of it.
    Host(IpAddr),
    /// `frame:17` or `frame:17-40`, numbers of the case.
    Frames(u64, u64),
    /// A query that answers with flow ids or frames.
    Sql(String),
}

impl FromStr for Selection {
    type Err = String;

    fn from_str(typed: &str) -> Result<Self, String> {
        let typed = typed.trim();
        let numbered = |letter: char| typed.strip_prefix(letter).is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
        match typed.split_once(':') {
            Some(("flow", id)) => {
                return id.parse().map(Self::Flow).map_err(|_| format!("{id:?} is no flow; write flow:1042 or flow:1042/1"));
            }
            Some(("host", ip)) => return ip.parse().map(Self::Host).map_err(|_| format!("{ip:?} is no address; write host:10.0.0.5")),
            Some(("frame", range)) => return frames(range),
            _ => {}
        }
        match () {
            () if numbered('F') => Ok(Self::Finding(typed.into())),
            () if numbered('I') => Ok(Self::Incident(typed.into())),
            () if typed.contains(char::is_whitespace) => Ok(Self::Sql(typed.into())),
            () => Err(format!(
                "{typed:?} names nothing that can be carved; write F3, I1, flow:1042, host:10.0.0.5, frame:17-40 or a query in quotes"
            )),
        }
    }
}

fn frames(range: &str) -> Result<Selection, String> {
    let wrong = || format!("{range:?} names no frames; write frame:17 or frame:17-40");
    let (from, to) = range.split_once('-').unwrap_or((range, range));
    let (from, to) = (from.parse().map_err(|_| wrong())?, to.parse().map_err(|_| wrong())?);
    if from == 0 || to < from { Err(wrong()) } else { Ok(Selection::Frames(from, to)) }
}

/// What selections came to.
#[derive(Default)]
pub(super) struct Chosen {
    /// Findings that are concerned, with their titles.
    pub findings: BTreeMap<String, String>,
    /// Frames that findings name, and which.
    pub marks: BTreeMap<u64, Vec<String>>,
    /// How many flows were chosen.
    pub flows: u64,
    /// What could not be chosen, and why.
    pub missing: Vec<String>,
}

/// Fills the tables `carve_flows` and `carve_frames`. With `frames_only`, a finding is no more than the frames it names.
pub(super) fn choose(db: &Connection, selections: &[Selection], frames_only: bool) -> Result<Chosen, Error> {
    db.execute_batch("CREATE OR REPLACE TEMP TABLE carve_flows (id BIGINT); CREATE OR REPLACE TEMP TABLE carve_frames (frame BIGINT)")?;
    let mut chosen = Chosen::default();
    for selection in selections {
        match selection {
            Selection::Finding(id) => finding(db, id, frames_only, &mut chosen)?,
            Selection::Incident(id) => incident(db, id, frames_only, &mut chosen)?,
            Selection::Flow(id) => flow(db, *id)?,
            Selection::Host(ip) => host(db, *ip)?,
            Selection::Frames(from, to) => range(db, *from, *to, &mut chosen)?,
            Selection::Sql(sql) => answer(db, sql)?,
        }
    }
    siblings(db)?;
    chosen.flows = one(db, "SELECT count(DISTINCT id) FROM carve_flows")?;
    Ok(chosen)
}

fn finding(db: &Connection, id: &str, frames_only: bool, chosen: &mut Chosen) -> Result<(), Error> {
    let row = query(db, &format!("SELECT title, frames, len(flows), evidence->>'flows_total' FROM main.findings WHERE id = '{id}'"))?;
    let Some([title, frames, flows, total]) = row.rows.first().and_then(|row| row.first_chunk::<4>()) else {
        let known = one(db, "SELECT count(*) FROM main.findings")?;
        return Err(Error::Selection(match known {
            0 => format!("there is no finding {id}: this case has none"),
            _ => format!("there is no finding {id}: this case has F1 to F{known}; `vigil report CASE` lists them"),
        }));
    };
    chosen.findings.insert(id.into(), title.to_string());
    for frame in numbers(frames) {
        chosen.marks.entry(frame).or_default().push(id.into());
    }
    db.execute_batch(&format!("INSERT INTO carve_frames SELECT unnest(frames) FROM main.findings WHERE id = '{id}'"))?;
    if !frames_only {
        db.execute_batch(&format!("INSERT INTO carve_flows SELECT flow_id FROM finding_flows WHERE finding_id = '{id}'"))?;
        if let (Cell::Int(kept), Some(all)) = (flows, total.to_string().parse::<i128>().ok().filter(|_| *total != Cell::Null)) {
            chosen.missing.push(format!("{id} keeps {kept} of its {all} flows; the others can be carved by host:ADDRESS or a query"));
        }
    }
    Ok(())
}

fn incident(db: &Connection, id: &str, frames_only: bool, chosen: &mut Chosen) -> Result<(), Error> {
    let rows = query(db, &format!("SELECT unnest(findings) FROM incidents WHERE id = '{id}'"))?;
    if rows.rows.is_empty() {
        let known = one(db, "SELECT count(*) FROM incidents")?;
        let there = if known == 0 { "this case has none".into() } else { format!("this case has I1 to I{known}") };
        return Err(Error::Selection(format!("there is no incident {id}: {there}")));
    }
    rows.rows.iter().flatten().try_for_each(|cell| finding(db, &cell.to_string(), frames_only, chosen))
}

fn flow(db: &Connection, id: FlowId) -> Result<(), Error> {
    if one(db, &format!("SELECT count(*) FROM flows WHERE flow_id = {}", id.0))? == 0 {
        return Err(Error::Selection(format!(
            "there is no flow {id}; `vigil sql CASE \"SELECT flow_id // 16 AS flow, flow_id % 16 AS layer FROM flows\"` lists them"
        )));
    }
    Ok(db.execute_batch(&format!("INSERT INTO carve_flows VALUES ({})", id.0))?)
}

fn host(db: &Connection, ip: IpAddr) -> Result<(), Error> {
    let before = chosen_so_far(db)?;
    db.execute_batch(&format!(
        "INSERT INTO carve_flows SELECT flow_id FROM flows WHERE '{ip}' IN (id_orig_h, id_resp_h);
         INSERT INTO carve_frames SELECT frame FROM arp WHERE '{ip}' IN (spa, tpa)"
    ))?;
    if chosen_so_far(db)? == before {
        return Err(Error::Selection(format!(
            "no packet of {ip} is in this case; `vigil sql CASE \"SELECT ip FROM hosts\"` lists its hosts"
        )));
    }
    Ok(())
}

fn range(db: &Connection, from: u64, to: u64, chosen: &mut Chosen) -> Result<(), Error> {
    let last = one(db, "SELECT coalesce(max(frame), 0) FROM packets")?;
    if from > last {
        return Err(Error::Selection(format!("there is no frame {from}: this case has {last}")));
    }
    if to > last {
        chosen.missing.push(format!("frames {} to {to} are not in the case, which has {last}", last + 1));
    }
    Ok(db.execute_batch(&format!("INSERT INTO carve_frames SELECT * FROM range({from}, {})", to.min(last) + 1))?)
}

fn chosen_so_far(db: &Connection) -> Result<u64, Error> {
    one(db, "SELECT (SELECT count(*) FROM carve_flows) + (SELECT count(*) FROM carve_frames)")
}

/// Columns of a query that name flows, and those that name frames.
const FLOW_COLUMNS: [&str; 5] = ["flow_id", "flow", "flows", "flow_ids", "uid"];
const FRAME_COLUMNS: [&str; 4] = ["frame", "frames", "first_frame", "last_frame"];

fn answer(db: &Connection, sql: &str) -> Result<(), Error> {
    let (mut flows, mut frames) = (BTreeSet::new(), BTreeSet::new());
    let mut names = Vec::new();
    for (at, name, column) in columns(&query(db, sql)?) {
        names.push(name.to_string());
        let wanted = |known: &[&str]| known.contains(&name.to_ascii_lowercase().as_str());
        match () {
            () if wanted(&FLOW_COLUMNS) => column.for_each(|row| flows.extend(row.get(at).into_iter().flat_map(flow_ids))),
            () if wanted(&FRAME_COLUMNS) => column.for_each(|row| frames.extend(row.get(at).into_iter().flat_map(numbers))),
            () => {}
        }
    }
    let told = names.iter().any(|name| {
        FLOW_COLUMNS.contains(&name.to_ascii_lowercase().as_str()) || FRAME_COLUMNS.contains(&name.to_ascii_lowercase().as_str())
    });
    if !told {
        return Err(Error::Selection(format!(
            "the query answers with {}, which names no packets; have it answer with flow_id or frame (or flows, frames)",
            names.join(", ")
        )));
    }
    if flows.is_empty() && frames.is_empty() {
        return Err(Error::Selection("the query answers with no flow and no frame: nothing to carve".into()));
    }
    insert(db, "carve_flows", flows)?;
    insert(db, "carve_frames", frames)
}

type Rows<'a> = std::slice::Iter<'a, Vec<Cell>>;

fn columns(table: &crate::store::Table) -> impl Iterator<Item = (usize, &str, Rows<'_>)> {
    table.names.iter().enumerate().map(|(at, name)| (at, name.as_str(), table.rows.iter()))
}

/// Numbers of one statement.
const AT_ONCE: usize = 4_096;

/// Puts numbers into a temporary table. DuckDB's appender refuses where the case itself is read-only.
fn insert(db: &Connection, table: &str, numbers: BTreeSet<u64>) -> Result<(), Error> {
    let numbers: Vec<String> = numbers.into_iter().map(|number| format!("({number})")).collect();
    let put = |part: &[String]| db.execute_batch(&format!("INSERT INTO {table} VALUES {}", part.join(", ")));
    Ok(numbers.chunks(AT_ONCE).try_for_each(put)?)
}

/// Whole numbers in a cell, or in its list.
fn numbers(cell: &Cell) -> Vec<u64> {
    match cell {
        Cell::Int(n) => u64::try_from(*n).into_iter().collect(),
        Cell::List(cells) => cells.iter().flat_map(numbers).collect(),
        _ => Vec::new(),
    }
}

/// Flow ids in a cell or its list: numbers as stored, or text as printed.
fn flow_ids(cell: &Cell) -> Vec<u64> {
    match cell {
        Cell::Text(text) => text.parse::<FlowId>().map(|id| id.0).into_iter().collect(),
        Cell::List(cells) => cells.iter().flat_map(flow_ids).collect(),
        other => numbers(other),
    }
}

/// Fragments have no flow of their own: the frame that completed a datagram brings the others with it.
pub(super) fn siblings(db: &Connection) -> Result<(), Error> {
    Ok(db.execute_batch(&format!(
        "INSERT INTO carve_frames SELECT unnest(f.frames) FROM frag f JOIN packets p ON p.frame = f.frames[-1] WHERE f.complete AND {CHOSEN}"
    ))?)
}

/// Whether a row `p` of the packet index is chosen.
pub(super) const CHOSEN: &str = "(p.flow_id IN (SELECT id FROM carve_flows) OR p.frame IN (SELECT frame FROM carve_frames) \
     OR list_has_any(p.inner_flow_ids, (SELECT coalesce(list(id), []::BIGINT[]) FROM carve_flows)))";

pub(super) fn one(db: &Connection, sql: &str) -> Result<u64, Error> {
    Ok(db.query_row(sql, [], |row| row.get::<_, Option<i64>>(0))?.unwrap_or(0).unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selections_are_read_as_people_write_them() {
        let read = |typed: &str| typed.parse::<Selection>();
        assert_eq!(read("F3"), Ok(Selection::Finding("F3".into())));
        assert_eq!(read(" I12 "), Ok(Selection::Incident("I12".into())));
        assert_eq!(read("flow:1042/1"), Ok(Selection::Flow(FlowId::new(1042, 1))));
        assert_eq!(read("host:2001:db8::1"), Ok(Selection::Host("2001:db8::1".parse().unwrap())));
        assert_eq!(read("frame:17-40"), Ok(Selection::Frames(17, 40)));
        assert_eq!(read("SELECT flow_id FROM flows"), Ok(Selection::Sql("SELECT flow_id FROM flows".into())));
        for (typed, cure) in
            [("F", "F3"), ("finding", "host:10.0.0.5"), ("flow:x", "flow:1042"), ("frame:9-3", "frame:17-40"), ("F3;DROP", "F3")]
        {
            assert!(read(typed).is_err_and(|why| why.contains(cure)), "{typed}");
        }
    }
}
