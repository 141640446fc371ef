//! How often a measure took which value: bins along the logarithm, which can be added up, aged and written down.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Width of a bin along `ln(1 + x)`: five percent. Counts up to twenty have a bin each.
pub const BIN: f64 = 0.05;

/// A distribution.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sketch {
    /// Weight by bin.
    bins: BTreeMap<i32, f64>,
}

impl Sketch {
    /// The bin of a value.
    pub fn bin(value: f64) -> i32 {
        (value.max(0.0).ln_1p() / BIN).round() as i32
    }

    /// Adds `weight` observations of a bin.
    pub fn add(&mut self, bin: i32, weight: f64) {
        if weight.is_finite() && weight > 0.0 {
            *self.bins.entry(bin).or_default() += weight;
        }
    }

    /// Adds all of another.
    pub fn merge(&mut self, other: &Self) {
        other.bins.iter().for_each(|(bin, weight)| self.add(*bin, *weight));
    }

    /// Lets everything weigh less; what weighs next to nothing is forgotten.
    pub fn decay(&mut self, factor: f64) {
        self.bins.values_mut().for_each(|weight| *weight *= factor);
        self.bins.retain(|_, weight| *weight >= 1e-3);
    }

    /// Observations, by weight.
    pub fn n(&self) -> f64 {
        self.bins.values().sum()
    }

    /// Where a share of the observations lies below, along `ln(1 + x)`.
    pub fn quantile(&self, share: f64) -> f64 {
        at_share(self.bins.iter().map(|(bin, weight)| (f64::from(*bin) * BIN, *weight)), self.n() * share)
    }

    /// Median absolute deviation from `middle`, along `ln(1 + x)`.
    pub fn mad(&self, middle: f64) -> f64 {
        let mut off: Vec<(f64, f64)> = self.bins.iter().map(|(bin, weight)| ((f64::from(*bin) * BIN - middle).abs(), *weight)).collect();
        off.sort_by(|a, b| a.0.total_cmp(&b.0));
        at_share(off.into_iter(), self.n() * 0.5)
    }

    /// Mean and variance of the values themselves, without the outer twentieth on either side.
    pub fn trimmed_moments(&self) -> (f64, f64) {
        let (low, high) = (self.n() * 0.05, self.n() * 0.95);
        let (mut before, mut sum, mut squares, mut kept) = (0.0, 0.0, 0.0, 0.0);
        for (bin, weight) in &self.bins {
            let inside = (before + weight).min(high) - before.max(low);
            before += weight;
            if inside > 0.0 {
                let value = (f64::from(*bin) * BIN).exp_m1().round();
                (sum, squares, kept) = (sum + inside * value, squares + inside * value * value, kept + inside);
            }
        }
        let mean = sum / kept.max(f64::MIN_POSITIVE);
        (mean, (squares / kept.max(f64::MIN_POSITIVE) - mean * mean).max(0.0))
    }

    /// Population stability index against `now`: how much the distribution has moved, over tenths of this one.
    pub fn drift(&self, now: &Self) -> f64 {
        let borders: Vec<f64> = (1..10).map(|tenth| self.quantile(f64::from(tenth) / 10.0)).collect();
        let shares = |of: &Self| {
            let mut shares = [0.0f64; 10];
            for (bin, weight) in &of.bins {
                shares[borders.partition_point(|border| *border < f64::from(*bin) * BIN)] += weight / of.n();
            }
            shares
        };
        // A tenth that nobody is in would make the index infinite.
        shares(self)
            .iter()
            .zip(shares(now))
            .map(|(was, is)| (was.max(1e-4), is.max(1e-4)))
            .map(|(was, is)| (is - was) * (is / was).ln())
            .sum()
    }
}

fn at_share(values: impl Iterator<Item = (f64, f64)>, wanted: f64) -> f64 {
    let (mut sum, mut last) = (0.0, 0.0);
    for (value, weight) in values {
        last = value;
        sum += weight;
        if sum >= wanted {
            break;
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: impl IntoIterator<Item = f64>) -> Sketch {
        let mut sketch = Sketch::default();
        values.into_iter().for_each(|value| sketch.add(Sketch::bin(value), 1.0));
        sketch
    }

    #[test]
    fn quantiles_lie_within_a_bin_of_the_truth() {
        let sketch = of((1..=1_001).map(f64::from));
        for (share, truth) in [(0.5, 501.0f64), (0.25, 251.0), (0.75, 751.0)] {
            assert!((sketch.quantile(share) - truth.ln_1p()).abs() <= BIN, "{share}");
        }
        let middle = sketch.quantile(0.5);
        let mut off: Vec<f64> = (1..=1_001).map(|n| (f64::from(n).ln_1p() - middle).abs()).collect();
        off.sort_by(f64::total_cmp);
        assert!((sketch.mad(middle) - off[500]).abs() <= BIN);
    }

    #[test]
    fn small_counts_are_told_apart_and_their_moments_are_exact() {
        let sketch = of([2.0, 3.0, 3.0, 4.0, 2.0, 4.0, 3.0, 3.0, 2.0, 4.0]);
        let (mean, variance) = sketch.trimmed_moments();
        assert!((mean - 3.0).abs() < 1e-9 && (0.4..0.7).contains(&variance), "{mean} {variance}");
        assert!((0..=20).collect::<Vec<_>>().windows(2).all(|pair| Sketch::bin(f64::from(pair[0])) < Sketch::bin(f64::from(pair[1]))));
    }

    #[test]
    fn merged_sketches_are_those_of_all_values_and_old_ones_fade() {
        let (mut low, high) = (of([1.0; 10]), of([100.0; 10]));
        low.merge(&high);
        assert_eq!(low, of([1.0; 10].into_iter().chain([100.0; 10])));
        low.decay(0.5);
        assert_eq!(low.n(), 10.0);
        low.decay(1e-9);
        assert_eq!(low, Sketch::default());
    }

    #[test]
    fn a_moved_distribution_drifts_and_the_same_one_does_not() {
        let before = of((1..=1_000).map(f64::from));
        assert!(before.drift(&before) < 1e-9);
        assert!(before.drift(&of((1..=1_000).map(|n| f64::from(n) * 3.0))) > 0.25);
        assert!(before.drift(&of((1..=1_000).map(|n| f64::from(n) * 1.05))) < 0.1);
    }

    #[test]
    fn nothing_at_all_has_no_shape() {
        let nothing = Sketch::default();
        assert_eq!((nothing.n(), nothing.quantile(0.5), nothing.mad(0.0)), (0.0, 0.0, 0.0));
        assert_eq!(nothing.trimmed_moments(), (0.0, 0.0));
    }
}
