//! Do p-values keep their word here? One half of the flows is learnt from, the other is judged.

use super::Settings;
use super::classic::Classic;
use super::ensemble::Ensemble;
use super::features::Page;
use crate::detect::Result;
use duckdb::Connection;
use rayon::ThreadPool;

/// Flows of each half at most.
const HALF: u64 = 6_144;
/// Flows that the judged half needs.
const LEAST: usize = 200;
/// From this many times the promised alarms on nothing is flagged.
const BROKEN: f64 = 3.0;

/// What became of the judged half.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Check {
    /// Flows that were judged; none of them, nor of those learnt from, belong to hosts that rules found at something.
    pub flows: usize,
    /// Share of them that should fall so low.
    pub nominal: f64,
    /// How many did.
    pub below: usize,
    /// As many as chance allows in 95 of 100 cases. Both halves are draws: the variance is that of the binomial distribution times
    /// `1 + judged / learnt`.
    pub interval: (usize, usize),
}

impl Check {
    /// Whether the promise is broken so badly that nothing should be flagged.
    pub fn is_broken(&self) -> bool {
        self.below > self.interval.1 && self.below as f64 > BROKEN * self.nominal * self.flows as f64
    }

    /// In a sentence.
    pub fn says(&self) -> String {
        let Self { flows, nominal, below, interval: (low, high) } = self;
        format!("of {flows} flows held back {below} have p at or below {nominal}; {low} to {high} are expected")
    }
}

/// Splits the flows by a hash of their ids. `None` if there are too few.
pub fn held_back(db: &Connection, pool: &ThreadPool, settings: &Settings, suspects: &[String]) -> Result<Option<Check>> {
    let flows = super::count(db, "SELECT count(*) FROM flows")?;
    let every = flows.div_ceil(2 * HALF).max(1);
    let half = |which: u8| format!("hash(flow_id) % {every} = 0 AND hash(flow_id, 'half') % 2 = {which}");
    let (learnt, judged) = (Page::read(db, &half(0), &half(0), suspects)?, Page::read(db, &half(1), &half(0), suspects)?);
    let harmless = |page: &Page| page.suspect.iter().filter(|suspect| !**suspect).count();
    let (known, n) = (harmless(&learnt), harmless(&judged));
    if known < LEAST || n < LEAST {
        return Ok(None);
    }
    let opinions = pool.install(|| {
        let classic = Classic::fit(&learnt, settings)?;
        let ensemble = Ensemble::fit(&learnt, &classic.isolation(&learnt)?, settings)?;
        ensemble.map(|ensemble| ensemble.opinions(&judged, &classic.isolation(&judged)?)).transpose()
    })?;
    let Some(opinions) = opinions else { return Ok(None) };
    // At one percent a few hundred flows would say nothing either way.
    let nominal = if n < 2_000 { 0.05 } else { 0.01 };
    let below = opinions.iter().zip(&judged.suspect).filter(|(opinion, suspect)| !**suspect && opinion.p <= nominal).count();
    let (mean, variance) = (n as f64 * nominal, n as f64 * nominal * (1.0 - nominal) * (1.0 + n as f64 / known as f64));
    let off = 1.96 * variance.sqrt();
    Ok(Some(Check { flows: n, nominal, below, interval: ((mean - off).max(0.0).floor() as usize, (mean + off).ceil() as usize) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_is_broken_by_three_times_the_alarms_beyond_chance() {
        let check = |below| Check { flows: 1_000, nominal: 0.05, below, interval: (35, 65) };
        assert!(!check(60).is_broken() && !check(140).is_broken() && check(151).is_broken());
        assert!(check(50).says().contains("35 to 65 are expected"));
    }
}
