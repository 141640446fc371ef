//! The same models on a table that is not of flows: numbers, and what each row is. For sets that were published without packets.

use super::classic::Classic;
use super::ensemble::{Ensemble, Members};
use super::features::Page;
use super::{SAMPLE, Settings};
use crate::detect::{Error, Result};
use polars::prelude::{Column, DataFrame};
use rayon::ThreadPool;

/// Rows that models look at.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// Columns of numbers.
    pub numbers: Vec<(String, Vec<f64>)>,
    /// Columns of what a row is, for counting, from what tells most to what tells least; the first two are also whom it is compared with.
    pub kinds: Vec<Vec<u64>>,
    /// Rows that are fitted on; at most 32,768 of them are, evenly drawn.
    pub learn: Vec<bool>,
}

/// What the models say of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judged {
    /// The Isolation Forest's score, 0 to 1.
    pub score: f64,
    /// It is among the share that the forest calls anomalous.
    pub is_anomaly: bool,
    /// Forest, extended forest, tails, rarity; NaN where the extended forest was not asked.
    pub members: Members,
    /// P(a row like those that were fitted on looks as strange).
    pub p: f64,
}

/// Fits the models on the rows to be learnt and judges all; nothing if there are too few.
pub fn judge(table: &Table, pool: &ThreadPool, settings: &Settings) -> Result<Vec<Judged>> {
    let learnt: Vec<usize> = table.learn.iter().enumerate().filter_map(|(row, learn)| learn.then_some(row)).collect();
    let every = learnt.len().div_ceil(SAMPLE as usize).max(1);
    let drawn: Vec<usize> = learnt.iter().step_by(every).copied().collect();
    let (sample, all) = (page(table, &drawn, &drawn)?, page(table, &(0..table.learn.len()).collect::<Vec<_>>(), &drawn)?);
    pool.install(|| {
        let classic = Classic::fit(&sample, settings)?;
        let Some(ensemble) = Ensemble::fit(&sample, &classic.isolation(&sample)?, settings)? else { return Ok(Vec::new()) };
        let verdicts = classic.verdicts(&all)?;
        let forest: Vec<f64> = verdicts.iter().map(|verdict| verdict.isolation).collect();
        let opinions = ensemble.opinions(&all, &forest)?;
        let judged = verdicts.iter().zip(opinions);
        Ok(judged.map(|(of, more)| Judged { score: of.score, is_anomaly: of.is_anomaly, members: more.members, p: more.p }).collect())
    })
}

fn page(table: &Table, rows: &[usize], drawn: &[usize]) -> Result<Page> {
    let number = |(name, column): &(String, Vec<f64>)| {
        Column::new(name.as_str().into(), rows.iter().map(|row| column.get(*row).copied().unwrap_or_default()).collect::<Vec<f64>>())
    };
    let all = DataFrame::new(rows.len(), table.numbers.iter().map(number).collect()).map_err(Error::frame)?;
    let kind = |column: &Vec<u64>| rows.iter().map(|row| column.get(*row).copied().unwrap_or_default()).collect::<Vec<u64>>();
    let kinds: Vec<Vec<u64>> = table.kinds.iter().map(kind).collect();
    let compared = |at: usize| kinds.get(at).cloned().unwrap_or_else(|| vec![0; rows.len()]);
    Ok(Page {
        flows: rows.iter().map(|row| *row as i64).collect(),
        leading: table.numbers.len(),
        all,
        // Nobody sent these rows: each is dealt into the folds for itself.
        hosts: rows.iter().map(|row| *row as u64).collect(),
        peers: compared(0),
        wide: compared(1),
        kinds,
        suspect: vec![false; rows.len()],
        sampled: rows.iter().map(|row| drawn.binary_search(row).is_ok()).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_unlike_those_that_were_learnt_are_improbable_and_the_learnt_are_not() {
        let wave = |row: usize| (row as f64 * 0.7).sin() * 10.0 + 20.0;
        let odd = |row: usize| row >= 400;
        let column = |name: &str, far: f64| (name.to_owned(), (0..420).map(|row| if odd(row) { far } else { wave(row) }).collect());
        let table = Table {
            numbers: vec![column("a", 5_000.0), column("b", 0.0), column("c", 9_000.0)],
            kinds: vec![(0..420).map(|row| u64::from(odd(row)) * 9).collect(), vec![1; 420]],
            learn: (0..420).map(|row| !odd(row)).collect(),
        };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
        let judged = judge(&table, &pool, &Settings::default()).unwrap();
        let (known, strange) = judged.split_at(400);
        assert!(strange.iter().all(|row| row.p <= 0.01), "{strange:?}");
        // As many as were promised, give or take chance.
        assert!(known.iter().filter(|row| row.p <= 0.01).count() <= 12);
        assert_eq!(judged.len(), 420);
        let few = Table { learn: vec![false; 420], ..table };
        assert!(judge(&few, &pool, &Settings::default()).unwrap().is_empty());
    }
}
