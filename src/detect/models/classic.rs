//! The mode that is an Isolation Forest alone: the sixteen features, standard-scaled, and a share of flows that is called anomalous.

use super::Settings;
use super::distinct::Distinct;
use super::features::Page;
use super::forest::{Forest, Growth};
use super::matrix::{Scaler, Scaling};
use crate::detect::{Error, Result};

/// A fitted mode.
pub struct Classic {
    scaler: Scaler,
    forest: Option<Forest>,
    /// Score above which as many flows lie as are to be called anomalous.
    offset: f64,
}

/// What it says of a flow.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// Isolation score, 0 to 1.
    pub isolation: f64,
    /// `clip(0.5 - decision, 0, 1)`.
    pub score: f64,
    /// The decision is negative.
    pub is_anomaly: bool,
}

impl Verdict {
    /// `HIGH` from 0.8, `MEDIUM` from 0.6, `LOW` below.
    pub fn level(&self) -> &'static str {
        match self.score {
            score if score >= 0.8 => "HIGH",
            score if score >= 0.6 => "MEDIUM",
            _ => "LOW",
        }
    }
}

impl Classic {
    /// Fitted on a sample of the flows.
    pub fn fit(sample: &Page, settings: &Settings) -> Result<Self> {
        let frame = sample.leading()?;
        let scaler = Scaler::fit(&frame, Scaling::Standard).map_err(Error::frame)?;
        let rows = scaler.rows(&frame).map_err(Error::frame)?;
        let all: Vec<u32> = (0..rows.len() as u32).collect();
        let growth = Growth { trees: settings.trees, samples: settings.samples, seed: settings.seed };
        let forest = Forest::axes(&rows, &all, &growth);
        let mut fitted = Self { scaler, forest, offset: f64::INFINITY };
        if fitted.forest.is_some() {
            let mut scores = fitted.isolation(sample)?;
            fitted.offset = quantile(&mut scores, 1.0 - settings.contamination);
        }
        Ok(fitted)
    }

    /// What it says of each flow. Of a single flow nothing can be said: there is nothing to compare it with.
    pub fn verdicts(&self, page: &Page) -> Result<Vec<Verdict>> {
        if self.forest.is_none() {
            return Ok(vec![Verdict { isolation: 0.0, score: 0.0, is_anomaly: false }; page.len()]);
        }
        // The published score is the negative of the isolation score, and so is its offset.
        let decide = |score: f64| self.offset - score;
        let verdict = |isolation: f64| {
            let decision = decide(isolation);
            Verdict { isolation, score: (0.5 - decision).clamp(0.0, 1.0), is_anomaly: decision < 0.0 }
        };
        Ok(self.isolation(page)?.into_iter().map(verdict).collect())
    }

    /// Isolation score of each flow, 0 to 1.
    pub fn isolation(&self, page: &Page) -> Result<Vec<f64>> {
        let Some(forest) = &self.forest else { return Ok(vec![0.0; page.len()]) };
        let rows = self.scaler.rows(&page.leading()?).map_err(Error::frame)?;
        let distinct = Distinct::of(&rows);
        Ok(distinct.spread(&forest.scores(&distinct.rows)))
    }
}

/// The value below which `share` of `values` lie, interpolated between neighbours.
fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let at = share.clamp(0.0, 1.0) * values.len().saturating_sub(1) as f64;
    let (low, high) = (values.get(at.floor() as usize), values.get(at.ceil() as usize));
    match (low, high) {
        (Some(low), Some(high)) => low + (high - low) * at.fract(),
        _ => f64::INFINITY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_lies_between_its_neighbours() {
        assert!((quantile(&mut [4.0, 1.0, 3.0, 2.0], 0.9) - 3.7).abs() < 1e-12);
        assert_eq!(quantile(&mut [5.0], 0.9), 5.0);
    }

    #[test]
    fn levels_begin_where_they_are_said_to() {
        let level = |score: f64| Verdict { isolation: score, score, is_anomaly: true }.level();
        assert_eq!([level(0.8), level(0.799_999), level(0.6), level(0.599_999)], ["HIGH", "MEDIUM", "MEDIUM", "LOW"]);
    }
}
