//! Four models that look at flows in different ways, and one probability out of what they say.
//!
//! | member | strange is |
//! | --- | --- |
//! | `forest` | what few cuts along single features set apart: the forest of the classic mode |
//! | `extended` | what few cuts through all features set apart; asked only where another member raises its brows, since it costs most |
//! | `tails` | what lies far out in one feature or in many |
//! | `rarity` | what is rarely seen: service on this port, course of the connection, whom it is with |
//!
//! No flow is judged by a model that was fitted on flows of its own host: hosts are dealt into five folds, and each fold is scored by
//! models of the other four. The scores of harmless flows outside their own fold are also what p-values are counted against.

use super::Settings;
use super::calibrate::{Calibration, combine};
use super::chance::seed_of;
use super::distinct::Distinct;
use super::features::Page;
use super::forest::{Forest, Growth};
use super::matrix::{Scaler, Scaling};
use super::rarity::{Kinds, Rarity};
use super::rows::Rows;
use super::tails::{Tail, Tails};
use crate::detect::{Error, Result};
use std::collections::BTreeMap;

/// Folds that hosts are dealt into.
const FOLDS: u64 = 5;
/// A fold that holds more of the flows than this leaves too little for the others: flows are dealt singly then.
const LARGEST_FOLD: f64 = 0.6;
/// Fewer flows than this are no crowd to stand out from.
const LEAST: usize = 64;
/// Scores that a group of peers needs to be judged by itself.
const LEAST_PEERS: usize = 200;
/// Share of the strangest that is left out before fitting, twice.
const TRIM: f64 = 0.01;
/// Trees of the extended forest: half of what is advised, since its scores hardly change beyond and it costs most.
const PLANES: usize = 100;
/// Trees of a forest that only trims.
const TRIMMING: usize = 60;

/// Scores of the members: forest, extended, tails, rarity. NaN where the extended forest was not asked.
pub type Members = [f64; 4];

/// Share of harmless flows at which none of the other members raises its brows.
const ORDINARY: f64 = 0.85;
/// Place of the extended forest among the members.
const EXTENDED: usize = 1;

/// What the ensemble says of a flow.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Opinion {
    /// What each member says.
    pub members: Members,
    /// P(a harmless flow looks as strange).
    pub p: f64,
}

/// The fitted ensemble.
pub struct Ensemble {
    scaler: Scaler,
    by_host: bool,
    folds: Vec<Fold>,
    /// Nearly all were suspect, so that all were learnt from.
    learnt_all: bool,
    /// Scores of the members above which the extended forest is asked.
    gates: Members,
    peers: BTreeMap<u64, [Calibration; 4]>,
    wide: BTreeMap<u64, [Calibration; 4]>,
    whole: [Calibration; 4],
    combined: Calibration,
}

/// The members, fitted on all folds but one.
struct Fold {
    extended: Option<Forest>,
    tails: Tails,
    rarity: Rarity,
}

impl Fold {
    fn fit(rows: &Rows, kinds: &[Kinds], of: &[u32], settings: &Settings, number: u64) -> Self {
        let growth = Growth { trees: PLANES, samples: settings.samples, seed: seed_of(settings.seed, number) };
        Self { extended: Forest::planes(rows, of, &growth), tails: Tails::fit(rows, of), rarity: Rarity::fit(kinds, of) }
    }

    /// Scores of rows, `forest` being the classic mode's.
    fn scores(&self, rows: &Rows, kinds: &[Kinds], forest: &[f64], gates: &Members) -> Vec<Members> {
        let distinct = Distinct::of(rows);
        let (tails, rarity) = (distinct.spread(&self.tails.scores(&distinct.rows)), self.rarity.scores(kinds));
        let mut members: Vec<Members> = (0..rows.len()).map(|row| [forest[row], f64::NAN, tails[row], rarity[row]]).collect();
        let raised = |members: &Members| [0, 2, 3].iter().any(|member| members[*member] > gates[*member]);
        let asked: Vec<u32> = (0..rows.len() as u32).filter(|row| raised(&members[*row as usize])).collect();
        if let Some(extended) = &self.extended {
            let distinct = Distinct::of(&rows.pick(&asked));
            let scores = distinct.spread(&extended.scores(&distinct.rows));
            asked.iter().zip(scores).for_each(|(row, score)| members[*row as usize][EXTENDED] = score);
        }
        members
    }
}

impl Ensemble {
    /// Fitted on a sample of the flows, of which `forest` are the isolation scores; `None` if it is too small to stand out from.
    pub fn fit(sample: &Page, forest: &[f64], settings: &Settings) -> Result<Option<Self>> {
        let harmless: Vec<u32> = (0..sample.len() as u32).filter(|row| !sample.suspect[*row as usize]).collect();
        // Where nearly everything is suspect, the rest is no picture of the normal either.
        let learnt_all = harmless.len() < LEAST;
        let harmless = if !learnt_all { harmless } else { (0..sample.len() as u32).collect() };
        if harmless.len() < LEAST {
            return Ok(None);
        }
        let scaler = Scaler::fit(&sample.all, Scaling::Robust).map_err(Error::frame)?;
        let rows = scaler.rows(&sample.all).map_err(Error::frame)?;
        let usual = trimmed(&rows, harmless.clone(), settings);
        let by_host = evenly_dealt(sample, &harmless);
        let fold_of = |row: &u32| fold(sample, *row as usize, by_host);
        let folds: Vec<Fold> = (0..FOLDS)
            .map(|number| {
                let others: Vec<u32> = usual.iter().copied().filter(|row| fold_of(row) != number).collect();
                Fold::fit(&rows, &sample.kinds, &others, settings, number)
            })
            .collect();
        let nothing = || [const { Vec::new() }; 4].map(Calibration::new);
        let mut ensemble = Self {
            scaler,
            by_host,
            folds,
            learnt_all,
            gates: [f64::INFINITY; 4],
            peers: BTreeMap::new(),
            wide: BTreeMap::new(),
            whole: nothing(),
            combined: Calibration::default(),
        };
        ensemble.calibrate(sample, &rows, forest, &harmless);
        Ok(Some(ensemble))
    }

    /// Counts what harmless flows score. Nothing is trimmed here: who leaves out the strangest promises fewer alarms than there will be.
    fn calibrate(&mut self, sample: &Page, rows: &Rows, forest: &[f64], harmless: &[u32]) {
        let alone = self.members(sample, rows, forest);
        self.gates = [0, 1, 2, 3].map(|member| {
            let mut scores: Vec<f64> = harmless.iter().map(|row| alone[*row as usize][member]).collect();
            scores.sort_unstable_by(f64::total_cmp);
            scores.get((scores.len() as f64 * ORDINARY) as usize).copied().unwrap_or(f64::INFINITY)
        });
        let members = self.members(sample, rows, forest);
        let of_group = |groups: &[u64]| {
            let mut gathered: BTreeMap<u64, Vec<u32>> = BTreeMap::new();
            for row in harmless {
                gathered.entry(groups[*row as usize]).or_default().push(*row);
            }
            gathered.retain(|_, rows| rows.len() >= LEAST_PEERS);
            gathered.into_iter().map(|(group, rows)| (group, calibrations(&members, &rows))).collect::<BTreeMap<_, _>>()
        };
        self.peers = of_group(&sample.peers);
        self.wide = of_group(&sample.wide);
        self.whole = calibrations(&members, harmless);
        let combined = harmless.iter().map(|row| self.combined(sample, *row as usize, &members[*row as usize]));
        self.combined = Calibration::new(combined.collect());
    }

    /// What it says of each flow; `forest` are the isolation scores.
    pub fn opinions(&self, page: &Page, forest: &[f64]) -> Result<Vec<Opinion>> {
        let rows = self.scaler.rows(&page.all).map_err(Error::frame)?;
        let members = self.members(page, &rows, forest);
        let opinion = |(row, members): (usize, &Members)| Opinion { members: *members, p: self.p(page, row, members) };
        Ok(members.iter().enumerate().map(opinion).collect())
    }

    fn p(&self, page: &Page, row: usize, members: &Members) -> f64 {
        self.combined.p(self.combined(page, row, members), self.is_own(page, row))
    }

    /// Whether a flow is one of those that p-values are counted against.
    fn is_own(&self, page: &Page, row: usize) -> bool {
        page.sampled[row] && (self.learnt_all || !page.suspect[row])
    }

    /// Each flow's scores by the models of the other folds.
    fn members(&self, page: &Page, rows: &Rows, forest: &[f64]) -> Vec<Members> {
        let mut members = vec![[0.0; 4]; rows.len()];
        for (number, models) in self.folds.iter().enumerate() {
            let own: Vec<u32> = (0..rows.len() as u32).filter(|row| fold(page, *row as usize, self.by_host) == number as u64).collect();
            let kinds: Vec<Kinds> = page.kinds.iter().map(|kinds| own.iter().map(|row| kinds[*row as usize]).collect()).collect();
            let forest: Vec<f64> = own.iter().map(|row| forest[*row as usize]).collect();
            for (row, scores) in own.iter().zip(models.scores(&rows.pick(&own), &kinds, &forest, &self.gates)) {
                members[*row as usize] = scores;
            }
        }
        members
    }

    /// `-ln` of the members' p-values together: they depend on each other, and Cauchy's combination does not mind.
    fn combined(&self, page: &Page, row: usize, members: &Members) -> f64 {
        let known = self.peers.get(&page.peers[row]).or_else(|| self.wide.get(&page.wide[row])).unwrap_or(&self.whole);
        // Who was not asked has nothing to say either way.
        let own = self.is_own(page, row);
        let p = |(known, score): (&Calibration, &f64)| if score.is_nan() { 0.5 } else { known.p(*score, own) };
        let ps: Vec<f64> = known.iter().zip(members).map(p).collect();
        -combine(&ps).max(1e-300).ln()
    }

    /// Which features of a flow lie farthest out, farthest first: column, tail, and the value in its own units.
    pub fn outlying(&self, page: &Page, row: usize) -> Result<Vec<(usize, Tail, f64, f64)>> {
        let rows = self.scaler.rows(&page.all).map_err(Error::frame)?;
        let Some(models) = self.folds.get(fold(page, row, self.by_host) as usize) else { return Ok(Vec::new()) };
        let values = rows.row(row as u32);
        let mut found: Vec<(usize, Tail, f64, f64)> = values
            .iter()
            .take(page.all.width())
            .enumerate()
            .filter_map(|(at, value)| {
                let tail = models.tails.of(at, *value)?;
                Some((at, tail, self.scaler.original(at, *value)?, self.scaler.original(at, tail.median)?))
            })
            .collect();
        found.sort_by(|a, b| a.1.p.total_cmp(&b.1.p).then(a.0.cmp(&b.0)));
        Ok(found)
    }

    /// The fewest of `features`, in that order, that have to be put to the middle before the flow no longer stands out at `p`; at most four.
    /// The forest keeps its say: only the members that look at these features are asked again.
    pub fn enough(&self, page: &Page, row: usize, forest: f64, features: &[usize], p: f64) -> Result<usize> {
        let rows = self.scaler.rows(&page.all).map_err(Error::frame)?;
        let Some(models) = self.folds.get(fold(page, row, self.by_host) as usize) else { return Ok(0) };
        let mut values = rows.row(row as u32).to_vec();
        let kinds: Vec<Kinds> = page.kinds.iter().map(|kinds| vec![kinds[row]]).collect();
        for (n, feature) in features.iter().take(4).enumerate() {
            if let (Some(value), Some(tail)) = (values.get_mut(*feature), models.tails.of(*feature, 0.0)) {
                *value = tail.median;
            }
            let moved = models.scores(&Rows::new(values.clone(), rows.width()), &kinds, &[forest], &self.gates);
            let probable = |members: &Members| self.combined.p(self.combined(page, row, members), false);
            if moved.first().is_some_and(|members| probable(members) > p) {
                return Ok(n + 1);
            }
        }
        Ok(features.len().min(4))
    }

    /// How often the kinds of a flow are seen, as shares: service on this port, course of the connection, whom it is with.
    pub fn shares(&self, page: &Page, row: usize) -> Vec<f64> {
        let models = self.folds.get(fold(page, row, self.by_host) as usize);
        let share = |(k, kinds): (usize, &Kinds)| models?.rarity.share_of(k, kinds[row]);
        page.kinds.iter().enumerate().filter_map(share).collect()
    }

    /// How many harmless flows the p-values rest on.
    pub fn crowd(&self) -> usize {
        self.combined.len()
    }
}

fn calibrations(members: &[Members], rows: &[u32]) -> [Calibration; 4] {
    [0, 1, 2, 3].map(|member| Calibration::new(rows.iter().map(|row| members[*row as usize][member]).collect()))
}

fn fold(page: &Page, row: usize, by_host: bool) -> u64 {
    let key = if by_host { page.hosts[row] } else { seed_of(0, page.flows[row].unsigned_abs()) };
    key % FOLDS
}

/// Whether folds of hosts are of bearable size.
fn evenly_dealt(sample: &Page, rows: &[u32]) -> bool {
    let mut sizes = [0usize; FOLDS as usize];
    rows.iter().for_each(|row| sizes[fold(sample, *row as usize, true) as usize] += 1);
    sizes.iter().max().is_some_and(|largest| (*largest as f64) <= LARGEST_FOLD * rows.len() as f64)
}

/// Leaves out the strangest, twice: models should be fitted on what is normal.
fn trimmed(rows: &Rows, mut of: Vec<u32>, settings: &Settings) -> Vec<u32> {
    for round in 0..2 {
        let growth = Growth { trees: TRIMMING, samples: settings.samples, seed: seed_of(settings.seed, 1_000 + round) };
        let Some(forest) = Forest::axes(rows, &of, &growth) else { break };
        let distinct = Distinct::of(&rows.pick(&of));
        let scores = distinct.spread(&forest.scores(&distinct.rows));
        let mut order: Vec<usize> = (0..of.len()).collect();
        order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b)));
        let strangest = (of.len() as f64 * TRIM) as usize;
        let mut out = order[..strangest].to_vec();
        out.sort_unstable();
        let mut place = 0;
        of.retain(|_| {
            place += 1;
            out.binary_search(&(place - 1)).is_err()
        });
    }
    of
}
