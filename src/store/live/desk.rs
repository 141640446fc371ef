//! Where rules look at a live case: closed flows of the segments and open ones, as they stood at one moment.

use super::super::case::{Case, put};
use super::super::rows::FlowRows;
use super::super::{Options, Result, StoreError, schema};
use super::merge::Merge;
use super::tiers::{self, Room, Standing};
use super::views::{self, Bounds, OPEN};
use super::{Marks, Sealing, Segment, segment};
use crate::model::{Flow, Ts};
use duckdb::Connection;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};

/// Tables that are derived from others.
const DERIVED: [&str; 4] = ["hosts", "host_role", "indicators", "places"];
/// Catalog of the flows that are open.
const OPEN_FLOWS: &str = "open_flows";
/// Of more sealed segments than this a look would be slow: it is waited until some are merged.
const MANY: usize = 32;

/// What a look at the case takes in.
#[derive(Clone, Copy, Debug)]
pub struct Lens<'a> {
    /// Rows from before are left out; `None` takes in all there is.
    pub since: Option<Ts>,
    /// Rows that begin at this moment or later are left out.
    pub until: Option<Ts>,
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
    /// Segments that nobody writes to any more and that are not sealed yet.
    closed: VecDeque<Segment>,
    /// Sealed segments that are open now: those of long ago would only hold files open.
    attached: BTreeSet<u64>,
    tables: Vec<&'static str>,
    /// The views that stand, by table, as they were made.
    views: BTreeMap<&'static str, String>,
    room: Room,
    merge: Option<Merge>,
    /// The newest segment when merging failed: it is tried again when there is a newer one.
    failed_at: Option<u64>,
}

impl Desk {
    pub(super) fn new(conn: Connection, folder: &Path, options: &Options, segments: Vec<Segment>, room: Room) -> Result<Self> {
        let failed = || StoreError::database("making the tables of a live case");
        conn.execute_batch(&schema::ddl_of(|name| schema::JUDGEMENTS.contains(&name))).map_err(failed())?;
        conn.execute_batch(&format!("ATTACH ':memory:' AS {OPEN_FLOWS}")).map_err(failed())?;
        let open = super::another(&conn)?;
        open.execute_batch(&format!("USE {OPEN_FLOWS}; {}", schema::ddl_of(|name| OPEN.contains(&name)))).map_err(failed())?;
        let case = Case::segment(folder, options, conn);
        Ok(Self {
            folder: folder.into(),
            options: options.clone(),
            case,
            open,
            segments,
            closed: VecDeque::new(),
            attached: BTreeSet::new(),
            tables: Vec::new(),
            views: BTreeMap::new(),
            room,
            merge: None,
            failed_at: None,
        })
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
        segments.extend(self.closed.iter().cloned());
        if !segments.iter().any(|segment| segment.number == current.number) {
            segments.push(current.clone());
        }
        let bounds = Bounds { since: lens.since, until: lens.until, marks: Some(lens.marks), open: Some(OPEN_FLOWS) };
        let made = self.tables.iter().copied().zip(views::over(&segments, &self.tables, bounds));
        // Most tables have no rows at all: their views stay as they are.
        let changed: Vec<(&'static str, String)> = made.filter(|(table, sql)| self.views.get(table) != Some(sql)).collect();
        let sql: String = changed.iter().map(|(_, sql)| sql.as_str()).collect();
        self.views.retain(|table, _| changed.iter().all(|(new, _)| new != table));
        self.connection().execute_batch(&sql).map_err(StoreError::database("looking at the segments"))?;
        self.views.extend(changed);
        Ok(())
    }

    /// Derives hosts and their roles anew from what is visible; `also` adds what is known from outside.
    pub fn derive(&self, also: impl FnOnce(&Case) -> Result<()>) -> Result<()> {
        // New tables, not emptied ones: deleted rows would keep their place for weeks.
        let make = schema::ddl_of(|name| DERIVED.contains(&name));
        let drop: Vec<String> = DERIVED.iter().map(|table| format!("DROP TABLE IF EXISTS {table};")).collect();
        let sql = format!("{}\n{make}", drop.concat());
        self.connection().execute_batch(&sql).map_err(StoreError::database("deriving hosts"))?;
        self.case.derive()?;
        also(&self.case)
    }

    /// Seals a segment that is no longer written to, and those before it with which that failed: from then on others may read them.
    pub fn seal(&mut self, closed: Option<Segment>, sealing: &mut Sealing<'_>) -> Result<()> {
        self.closed.extend(closed);
        while let Some(mut closed) = self.closed.front().cloned() {
            self.hide()?;
            if closed.last_ns.is_none() {
                closed.last_ns = self.segments.last().and_then(|before| before.last_ns);
            }
            segment::seal(super::another(self.connection())?, &self.folder, &self.options, &closed, sealing)?;
            self.closed.pop_front();
            self.attached.insert(closed.number);
            self.segments.push(closed);
        }
        Ok(())
    }

    /// Deletes sealed segments all of whose rows are older than `before`; returns how many.
    pub fn delete_before(&mut self, before: Ts) -> Result<usize> {
        // What is being merged goes when it is merged.
        let merging = |segment: &Segment| self.merge.as_ref().is_some_and(|merge| merge.of().contains(segment));
        let over = |segment: &&Segment| segment.last_ns.is_some_and(|last| last < before) && !merging(segment);
        let old: Vec<Segment> = self.segments.iter().filter(over).cloned().collect();
        for segment in &old {
            self.close(segment)?;
            super::remove(&segment.path)?;
            self.segments.retain(|other| other != segment);
        }
        Ok(old.len())
    }

    /// Merges segments older than `current` where that is due, on another thread; waits for it where there are many. Capture goes on
    /// meanwhile, and so do looks.
    pub fn tidy(&mut self, current: u64) -> Result<()> {
        let done = self.merge_what_is_due(current);
        if done.is_err() {
            self.failed_at = self.segments.last().map(|segment| segment.number);
        }
        done
    }

    /// Whether segments are being merged now.
    #[cfg(test)]
    pub fn is_merging(&self) -> bool {
        self.merge.is_some()
    }

    fn merge_what_is_due(&mut self, current: u64) -> Result<()> {
        loop {
            match &self.merge {
                Some(merge) if !merge.is_over() && self.segments.len() <= MANY => return Ok(()),
                Some(_) => self.take_merged()?,
                None => self.merge = self.next_merge(current)?,
            }
            if self.merge.is_none() && self.due(current).is_none() {
                return Ok(());
            }
        }
    }

    fn due(&self, current: u64) -> Option<&[Segment]> {
        if self.failed_at.is_some() && self.failed_at == self.segments.last().map(|segment| segment.number) {
            return None;
        }
        let standing = |segment: &Segment| Standing {
            covers: segment.covers,
            bytes: std::fs::metadata(&segment.path).map_or(0, |meta| meta.len()),
            span: segment.first_ns.zip(segment.last_ns),
        };
        // Of the current one a look may still show the beginning alone, by the places of its rows.
        let older = self.segments.iter().take_while(|segment| segment.number < current);
        let standing: Vec<Standing> = older.map(standing).collect();
        self.segments.get(tiers::due(&standing, self.room)?)
    }

    fn next_merge(&self, current: u64) -> Result<Option<Merge>> {
        self.due(current).map_or(Ok(None), |due| Merge::begin(&self.folder, &self.options, due.to_vec()))
    }

    /// Lets what was merged take the place of its parts.
    fn take_merged(&mut self) -> Result<()> {
        let Some(mut merge) = self.merge.take() else { return Ok(()) };
        merge.wait()?;
        let seen = merge.of().iter().any(|part| self.attached.contains(&part.number));
        merge.of().iter().try_for_each(|part| self.close(part))?;
        let merged = merge.put_in_place()?;
        if seen {
            // Others in this process look at what is open.
            segment::attach_sealed(self.connection(), &merged)?;
            self.attached.insert(merged.number);
        }
        let place = self.segments.iter().position(|segment| merge.of().contains(segment)).unwrap_or(self.segments.len());
        self.segments.retain(|segment| !merge.of().contains(segment));
        self.segments.insert(place, merged);
        Ok(())
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
    fn hide(&mut self) -> Result<()> {
        self.views.clear();
        let sql: Vec<String> = self.tables.iter().map(|table| format!("DROP VIEW IF EXISTS memory.main.{table}")).collect();
        self.connection().execute_batch(&sql.join(";")).map_err(StoreError::database("hiding the segments"))
    }
}
