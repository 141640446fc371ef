//! Where rules look at a live case: closed flows of the segments and open ones, as they stood at one moment.

use super::super::case::{Case, put};
use super::super::rows::FlowRows;
use super::super::{Options, Result, StoreError, schema};
use super::views::{self, Bounds, OPEN};
use super::{Marks, Segment, segment};
use crate::model::report::RuleRun;
use crate::model::{Flow, Ts};
use duckdb::Connection;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Tables that are derived from others.
const DERIVED: [&str; 4] = ["hosts", "host_role", "indicators", "places"];
/// Catalog of the flows that are open.
const OPEN_FLOWS: &str = "open_flows";

/// What a look at the case takes in.
#[derive(Clone, Copy, Debug)]
pub struct Lens<'a> {
    /// Rows from before are left out; `None` takes in all there is.
    pub since: Option<Ts>,
    /// How far the open segment is looked at.
    pub marks: &'a Marks,
}

/// The desk. It belongs to one thread; the writer goes on meanwhile.
pub struct Desk {
    folder: PathBuf,
    options: Options,
    case: Case,
    open: Connection,
    segments: Vec<Segment>,
    /// Sealed segments that are open now: those of long ago would only hold files open.
    attached: BTreeSet<u64>,
    tables: Vec<&'static str>,
}

impl Desk {
    pub(super) fn new(conn: Connection, folder: &Path, options: &Options, segments: Vec<Segment>) -> Result<Self> {
        let failed = || StoreError::database("making the tables of a live case");
        conn.execute_batch(&schema::ddl_of(|name| schema::JUDGEMENTS.contains(&name))).map_err(failed())?;
        conn.execute_batch(&format!("ATTACH ':memory:' AS {OPEN_FLOWS}")).map_err(failed())?;
        let open = super::another(&conn)?;
        open.execute_batch(&format!("USE {OPEN_FLOWS}; {}", schema::ddl_of(|name| OPEN.contains(&name)))).map_err(failed())?;
        let case = Case::segment(folder, options, conn);
        Ok(Self { folder: folder.into(), options: options.clone(), case, open, segments, attached: BTreeSet::new(), tables: Vec::new() })
    }

    /// The connection that sees what [`Desk::look`] made visible.
    pub fn connection(&self) -> &Connection {
        self.case.connection()
    }

    /// Segments, oldest first; the open one is not among them.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Forgets the open flows of the last look.
    pub fn clear_open(&self) -> Result<()> {
        // Deleted rows would keep their place; new tables are as small as what is put into them.
        let drop: Vec<String> = OPEN.iter().map(|table| format!("DROP TABLE IF EXISTS {OPEN_FLOWS}.main.{table}")).collect();
        let make = schema::ddl_of(|name| OPEN.contains(&name));
        self.open.execute_batch(&format!("{};\n{make}", drop.join(";"))).map_err(StoreError::database("clearing the open flows"))
    }

    /// Takes flows that are open.
    pub fn add_open(&self, flows: &[Flow]) -> Result<()> {
        let rows = FlowRows::new(flows, &self.options.home_nets);
        put(&self.open, "flows", &schema::flows::flows(), &rows.all)?;
        put(&self.open, "flow_shape", &schema::flows::flow_shape(), &rows.all)?;
        put(&self.open, "payloads", &schema::flows::payloads(), &rows.with_payload())
    }

    /// Makes the case visible through a lens, `current` being the open segment.
    pub fn look(&mut self, lens: Lens<'_>, current: &Segment) -> Result<()> {
        if self.tables.is_empty() {
            self.tables = views::facts(lens.marks.rows.contains_key(views::PACKETS));
        }
        let seen = |segment: &&Segment| lens.since.is_none_or(|since| segment.last_ns.is_none_or(|last| last >= since));
        let mut segments: Vec<Segment> = self.segments.iter().filter(seen).cloned().collect();
        for segment in &segments {
            if self.attached.insert(segment.number) {
                segment::attach_sealed(self.case.connection(), segment)?;
            }
        }
        if !segments.iter().any(|segment| segment.number == current.number) {
            segments.push(current.clone());
        }
        let bounds = Bounds { since: lens.since, marks: Some(lens.marks), open: Some(OPEN_FLOWS) };
        let sql = views::over(&segments, &self.tables, bounds);
        self.connection().execute_batch(&sql).map_err(StoreError::database("looking at the segments"))
    }

    /// Derives hosts and their roles anew from what is visible; `also` adds what is known from outside.
    pub fn derive(&self, also: impl FnOnce(&Case) -> Result<()>) -> Result<()> {
        // New tables, not emptied ones: deleted rows would keep their place for weeks.
        let make = schema::ddl_of(|name| DERIVED.contains(&name));
        let drop: Vec<String> = DERIVED.iter().map(|table| format!("DROP TABLE {table};")).collect();
        let sql = format!("{}\n{make}", drop.concat());
        self.connection().execute_batch(&sql).map_err(StoreError::database("deriving hosts"))?;
        self.case.derive()?;
        also(&self.case)
    }

    /// Seals a segment that is no longer written to: from then on others may read it. `also` adds what is known from outside.
    pub fn seal(&mut self, mut sealed: Segment, rules: &[RuleRun], also: impl FnOnce(&Case) -> Result<()>) -> Result<()> {
        let conn = super::another(self.connection())?;
        self.hide()?;
        if sealed.last_ns.is_none() {
            sealed.last_ns = self.segments.last().and_then(|before| before.last_ns);
        }
        segment::seal(conn, &self.folder, &self.options, &sealed, rules, also)?;
        self.attached.insert(sealed.number);
        self.segments.push(sealed);
        Ok(())
    }

    /// Deletes sealed segments all of whose rows are older than `before`; returns how many.
    pub fn delete_before(&mut self, before: Ts) -> Result<usize> {
        let old: Vec<Segment> = self.segments.iter().filter(|segment| segment.last_ns.is_some_and(|last| last < before)).cloned().collect();
        for segment in &old {
            self.close(segment)?;
            super::remove(&segment.path)?;
            self.segments.retain(|other| other != segment);
        }
        Ok(old.len())
    }

    /// Closes sealed segments that end before `before`: nobody looks so far back.
    pub fn let_go(&mut self, before: Ts) -> Result<()> {
        let old = |segment: &&Segment| segment.last_ns.is_some_and(|last| last < before) && self.attached.contains(&segment.number);
        let old: Vec<Segment> = self.segments.iter().filter(old).cloned().collect();
        old.iter().try_for_each(|segment| self.close(segment))
    }

    fn close(&mut self, segment: &Segment) -> Result<()> {
        if self.attached.remove(&segment.number) {
            self.hide()?;
            segment::detach(self.connection(), segment)?;
        }
        Ok(())
    }

    /// Takes the views away, so that none leads to a segment that changes its place.
    fn hide(&self) -> Result<()> {
        if self.tables.is_empty() {
            return Ok(());
        }
        let sql: Vec<String> = self.tables.iter().map(|table| format!("DROP VIEW IF EXISTS memory.main.{table}")).collect();
        self.connection().execute_batch(&sql.join(";")).map_err(StoreError::database("hiding the segments"))
    }
}
