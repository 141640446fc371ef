//! Models: which flows are unlike the others, how sure that is, and why.
//!
//! ```text
//! flows ─features→ polars frame ─sample→ fit ─page by page→ scores ─calibrate→ p ─budget→ anomalies ─words→ why
//! ```
//!
//! Two modes look at every flow. `classic` is an Isolation Forest on the sixteen features, with the settings people know it by; it calls a
//! fixed share of flows anomalous, whatever they are. `ensemble` asks four models and gives a probability, so that the user says how many
//! false findings a day are bearable and not where a threshold lies. Neither makes findings: a model ranks what rules left over.
//!
//! Fitting takes a sample, scoring goes page by page, equal flows are scored once: time and memory are bounded, and nothing depends on the
//! number of threads.

mod calibrate;
mod chance;
mod check;
mod classic;
mod distinct;
mod ensemble;
mod features;
mod forest;
mod matrix;
mod rarity;
mod rows;
pub mod table;
mod tails;
mod words;

#[cfg(test)]
mod tests;

pub use calibrate::binomial_interval;
pub use check::{Check, held_back};
pub use features::SIXTEEN;
pub use words::rounded;

use super::{Error, Override, Result};
use crate::store::{Anomaly, FlowScore, SystemLog};
use classic::Classic;
use duckdb::Connection;
use ensemble::{Ensemble, Opinion};
use features::Page;
use rayon::ThreadPool;

/// Flows that models are fitted on at most.
const SAMPLE: u64 = 32_768;
/// Flows of a page: a row group of DuckDB.
const PAGE: u64 = 122_880;
/// Flows that are explained at most, the least probable first.
const EXPLAINED: usize = 200;
/// Nanoseconds of an hour.
const HOUR: i64 = 3_600 * 1_000_000_000;

/// Which models run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The Isolation Forest and the ensemble.
    All,
    /// The Isolation Forest alone.
    Forest,
    /// None.
    None,
}

impl Which {
    /// By the name that it is written with.
    pub fn of_name(name: &str) -> Option<Self> {
        [Self::All, Self::Forest, Self::None].into_iter().find(|which| which.name() == name)
    }

    /// As it is written in settings.
    pub fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Forest => "forest",
            Self::None => "none",
        }
    }
}

/// How the models are fitted, and when they speak.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Which run.
    pub which: Which,
    /// Trees of the Isolation Forest.
    pub trees: usize,
    /// Flows that each tree sees.
    pub samples: usize,
    /// Share of flows that the Isolation Forest calls anomalous.
    pub contamination: f64,
    /// Seed.
    pub seed: u64,
    /// False findings that the ensemble may make in 24 hours of harmless traffic.
    pub false_per_day: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { which: Which::All, trees: 100, samples: 256, contamination: 0.1, seed: 42, false_per_day: 1.0 }
    }
}

impl Settings {
    /// The part of `--set` that models have: `models.trees=200`. Takes it out of `overrides`.
    pub fn tune(mut self, overrides: &mut Vec<Override>) -> Result<Self> {
        let (own, others): (Vec<_>, Vec<_>) = std::mem::take(overrides).into_iter().partition(|change| change.rule == "models");
        *overrides = others;
        for change in own {
            let wrong = |why: &str| Error::Set { given: change.to_string(), why: why.into() };
            let number = |least: u64, most: u64| {
                let said = change.value.parse().ok().filter(|n| (least..=most).contains(n));
                said.ok_or_else(|| wrong(&format!("write a whole number from {least} to {most}")))
            };
            match change.param.as_str() {
                "trees" => self.trees = number(1, 2_000)? as usize,
                "samples" => self.samples = number(2, 4_096)? as usize,
                "seed" => self.seed = number(0, u64::MAX)?,
                other => return Err(wrong(&super::params::unknown("parameter of models", other, &["trees", "samples", "seed"]))),
            }
        }
        Ok(self)
    }
}

/// Scores every flow and says which are too improbable to be chance. `suspects` are addresses that rules found at something: nothing is
/// learnt from them. Scores go to `take`, page by page in stored order.
pub fn run<E: From<Error>>(
    db: &Connection,
    pool: &ThreadPool,
    settings: &Settings,
    suspects: &[String],
    mut take: impl FnMut(&[FlowScore]) -> Result<(), E>,
) -> Result<(Vec<Anomaly>, Vec<SystemLog>), E> {
    let flows = count(db, "SELECT count(*) FROM flows")?;
    if settings.which == Which::None || flows == 0 {
        return Ok((Vec::new(), Vec::new()));
    }
    let every = flows.div_ceil(SAMPLE);
    let sample = if every == 1 { "true".to_owned() } else { format!("hash(flow_id) % {every} = 0") };
    let drawn = sample;
    let sample = Page::read(db, &drawn, &drawn, suspects)?;
    let classic = pool.install(|| Classic::fit(&sample, settings))?;
    let fit = || Ensemble::fit(&sample, &classic.isolation(&sample)?, settings);
    let ensemble = if settings.which == Which::All { pool.install(fit)? } else { None };
    drop(sample);
    let budget = Budget::of(db, settings)?;
    let mut improbable: Vec<(f64, i64)> = Vec::new();
    for first in (0..flows).step_by(PAGE as usize) {
        let page = Page::stored(db, first..first + PAGE, &drawn, suspects)?;
        let verdicts = pool.install(|| classic.verdicts(&page))?;
        let forest: Vec<f64> = verdicts.iter().map(|verdict| verdict.isolation).collect();
        let opinions = ensemble.as_ref().map(|ensemble| pool.install(|| ensemble.opinions(&page, &forest))).transpose()?;
        let opinions = opinions.as_deref();
        improbable
            .extend(opinions.unwrap_or_default().iter().zip(&page.flows).filter(|(o, _)| o.p <= budget.limit).map(|(o, id)| (o.p, *id)));
        take(&scores(&page, &verdicts, opinions))?;
    }
    let Some(ensemble) = ensemble else { return Ok((Vec::new(), Vec::new())) };
    let check = held_back(db, pool, settings, suspects)?;
    let log = |level: &str, message: String| SystemLog { level: level.into(), source: "models".into(), message, count: 1 };
    if let Some(check) = check.filter(Check::is_broken) {
        let message = format!("{}: p-values do not hold on this capture, so no flow is called unusual by them", check.says());
        return Ok((Vec::new(), vec![log("warning", message)]));
    }
    let read = |condition: &str| Page::read(db, condition, &drawn, suspects);
    let found = anomalies(db, read, (&classic, &ensemble), &budget, improbable)?;
    Ok((found, check.iter().map(|check| log("info", check.says())).collect()))
}

fn scores(page: &Page, verdicts: &[classic::Verdict], opinions: Option<&[Opinion]>) -> Vec<FlowScore> {
    let six = |value: f64| (value * 1e6).round() / 1e6;
    let score = |(at, (flow, verdict)): (usize, (&i64, &classic::Verdict))| {
        let opinion = opinions.and_then(|opinions| opinions.get(at));
        let member = |member: usize| opinion.map(|opinion| six(opinion.members[member])).filter(|score| score.is_finite());
        FlowScore {
            flow: *flow,
            score: six(verdict.score),
            is_anomaly: verdict.is_anomaly,
            level: verdict.level(),
            forest: member(0),
            extended: member(1),
            tails: member(2),
            rarity: member(3),
            p: opinion.map(|opinion| words::rounded(opinion.p)),
        }
    };
    page.flows.iter().zip(verdicts).enumerate().map(score).collect()
}

/// How improbable a flow has to be.
struct Budget {
    /// p below which an hour of a host stands out.
    limit: f64,
    /// False findings expected in this capture, if it were harmless.
    expected: f64,
}

impl Budget {
    /// So many false findings a day, spread over the hours of all hosts in the capture. A capture shorter than an hour counts as one.
    fn of(db: &Connection, settings: &Settings) -> Result<Self> {
        let hours = count(db, &format!("SELECT count(*) FROM (SELECT DISTINCT id_orig_h, ts_ns // {HOUR} FROM flows)"))?;
        let span = count(db, "SELECT coalesce(max(ts_ns) - min(ts_ns), 0) FROM flows")? as f64;
        let expected = settings.false_per_day * (span / HOUR as f64).max(1.0) / 24.0;
        Ok(Self { limit: expected / hours.max(1) as f64, expected })
    }
}

/// Of the flows that are improbable by themselves, those that still are when it counts how many conversations their host had in that hour.
fn anomalies(
    db: &Connection,
    read: impl Fn(&str) -> Result<Page>,
    (classic, ensemble): (&Classic, &Ensemble),
    budget: &Budget,
    mut improbable: Vec<(f64, i64)>,
) -> Result<Vec<Anomaly>> {
    improbable.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    // What is far too much cannot all be told, and looking up all of it would take longer than it is worth.
    improbable.truncate(20 * EXPLAINED);
    let ids: Vec<String> = improbable.iter().map(|(_, id)| id.to_string()).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let own = format!("flow_id IN ({})", ids.join(", "));
    let tests = tests_beside(db, &own)?;
    let stands_out = |(p, id): &(f64, i64)| tests.get(id).is_none_or(|(tests, _)| p * *tests as f64 <= budget.limit);
    improbable.retain(stands_out);
    improbable.truncate(EXPLAINED);
    let chosen: Vec<String> = improbable.iter().map(|(_, id)| id.to_string()).collect();
    if chosen.is_empty() {
        return Ok(Vec::new());
    }
    let page = read(&format!("flow_id IN ({})", chosen.join(", ")))?;
    let opinions = ensemble.opinions(&page, &classic.isolation(&page)?)?;
    let mut made = Vec::with_capacity(improbable.len());
    for (p, id) in improbable {
        let Some(row) = page.flows.iter().position(|flow| *flow == id) else { continue };
        let opinion = &opinions[row];
        let (tests, peers) = tests.get(&id).cloned().unwrap_or_default();
        let mut why = words::reasons(ensemble, &page, row, opinion, budget.limit)?;
        why["conversations"] = tests.into();
        why["limit"] = words::rounded(budget.limit).into();
        why["false_findings_expected"] = words::rounded(budget.expected).into();
        made.push(Anomaly {
            flow: Some(crate::model::FlowId(id.unsigned_abs())),
            model: "ensemble".into(),
            score: words::rounded(-p.log10()),
            p: Some(words::rounded(p)),
            peers: Some(peers),
            flagged: true,
            says: why["says"].as_str().unwrap_or_default().to_owned(),
            why,
            ..Anomaly::default()
        });
    }
    Ok(made)
}

/// For each of some flows: how many conversations its host had in that hour, each of which might have stood out; and its peers.
fn tests_beside(db: &Connection, own: &str) -> Result<std::collections::BTreeMap<i64, (u64, String)>> {
    let failed = |source| Error::Database { doing: "counting what stands beside unusual flows".into(), source };
    let sql = format!(
        "WITH own AS (SELECT flow_id, id_orig_h, ts_ns // {HOUR} AS hour, coalesce(service, proto) || ' ' || direction AS peers FROM flows WHERE {own}), \
         hours AS (SELECT DISTINCT id_orig_h, hour FROM own), \
         beside AS (SELECT id_orig_h, hour, count(DISTINCT (id_resp_h, id_resp_p)) AS tests \
                    FROM flows JOIN hours USING (id_orig_h) WHERE ts_ns // {HOUR} = hour GROUP BY ALL) \
         SELECT flow_id, tests, peers FROM own JOIN beside USING (id_orig_h, hour) ORDER BY flow_id"
    );
    let mut statement = db.prepare(&sql).map_err(failed)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, (row.get::<_, i64>(1)?.unsigned_abs(), row.get(2)?)))).map_err(failed)?;
    rows.collect::<duckdb::Result<_>>().map_err(failed)
}

fn count(db: &Connection, sql: &str) -> Result<u64> {
    let failed = |source| Error::Database { doing: "counting flows for the models".into(), source };
    db.query_row(sql, [], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs).map_err(failed)
}
