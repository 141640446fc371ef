//! How far out each feature of a row lies, after ECOD (Li, Zhao, Hu, Botta, Ionescu, Chen: "ECOD: Unsupervised Outlier Detection Using
//! Empirical Cumulative Distribution Functions", TKDE 2022): the sum of the logarithms of tail probabilities, feature by feature.

use super::rows::Rows;
use rayon::prelude::*;

/// Points of a distribution that are kept: enough to tell one in four thousand, few enough to stay near the processor.
const POINTS: usize = 4_096;

/// The distribution of every feature.
#[derive(Clone, Debug)]
pub struct Tails {
    features: Vec<Feature>,
}

#[derive(Clone, Debug)]
struct Feature {
    /// Ascending.
    points: Vec<f32>,
    /// The longer tail is the left one.
    left: bool,
}

/// On which side, and how rarely, a value lies so far out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tail {
    /// Share of rows at least as far out; beyond all of them, less than `1 / (n + 1)`.
    pub p: f64,
    /// Above the others; else below.
    pub above: bool,
    /// Farther out than all of them.
    pub beyond_all: bool,
    /// Value in the middle of the others, in the units of the matrix.
    pub median: f32,
}

impl Tails {
    /// Of these rows.
    pub fn fit(rows: &Rows, of: &[u32]) -> Self {
        let feature = |feature: usize| {
            let mut values: Vec<f32> = of.iter().map(|row| rows.row(*row)[feature]).collect();
            values.par_sort_unstable_by(f32::total_cmp);
            let left = skewness(&values) < 0.0;
            let n = values.len();
            let points = match n > POINTS {
                // From the least to the greatest, both kept.
                true => (0..POINTS).map(|at| values[at * (n - 1) / (POINTS - 1)]).collect(),
                false => values,
            };
            Feature { points, left }
        };
        Self { features: (0..rows.width()).map(feature).collect() }
    }

    /// The greatest of three sums of `-ln p`: over left tails, right tails, and for each feature the longer tail.
    pub fn scores(&self, rows: &Rows) -> Vec<f64> {
        let score = |row: &[f32]| {
            let (mut left, mut right, mut skewed) = (0.0, 0.0, 0.0);
            for (feature, value) in self.features.iter().zip(row) {
                let (below, above) = feature.shares(*value);
                let (below, above) = (-below.ln(), -above.ln());
                left += below;
                right += above;
                skewed += if feature.left { below } else { above };
            }
            f64::max(skewed, f64::max(left, right))
        };
        rows.flat().par_chunks(rows.width()).map(score).collect()
    }

    /// Where the value of one feature lies.
    pub fn of(&self, feature: usize, value: f32) -> Option<Tail> {
        let feature = self.features.get(feature)?;
        let (below, above) = feature.shares(value);
        let median = *feature.points.get(feature.points.len() / 2)?;
        let beyond_all =
            feature.points.first().is_some_and(|least| value < *least) || feature.points.last().is_some_and(|most| value > *most);
        Some(Tail { p: below.min(above), above: above <= below, beyond_all, median })
    }
}

impl Feature {
    /// Shares of points at or below, and at or above; never zero. Beyond all points, where counting ends, a share falls on as that of a normal
    /// distribution (the matrix holds robust deviations of logarithms): else a gigabyte among kilobytes would be no stranger than the
    /// largest kilobyte.
    fn shares(&self, value: f32) -> (f64, f64) {
        let n = self.points.len() as f64 + 1.0;
        if let (Some(least), Some(most)) = (self.points.first(), self.points.last()) {
            let beyond = |far: f32, near: f32| (f64::from((near * near - far * far).min(0.0)) / 2.0).exp() / n;
            if value < *least {
                return (beyond(value.min(0.0), least.min(0.0)), 1.0);
            }
            if value > *most {
                return (1.0, beyond(value.max(0.0), most.max(0.0)));
            }
        }
        let less = self.points.partition_point(|point| *point < value);
        // Most values are met by no point or by few: a second search starts where the first ended.
        let rest = &self.points[less..];
        let equal = if rest.first() == Some(&value) { rest.partition_point(|point| *point <= value) } else { 0 };
        (((less + equal) as f64 + 1.0) / n, (rest.len() as f64 + 1.0) / n)
    }
}

fn skewness(sorted: &[f32]) -> f64 {
    let n = sorted.len() as f64;
    let mean = sorted.iter().map(|x| f64::from(*x)).sum::<f64>() / n.max(1.0);
    sorted.iter().map(|x| (f64::from(*x) - mean).powi(3)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp() -> (Rows, Vec<u32>) {
        // One feature evenly spread, one constant, two that only few rows have.
        let flat = (0..1_000u32).flat_map(|n| [n as f32, 1.0, if n == 999 { 50.0 } else { 0.0 }, 0.0]).collect();
        (Rows::new(flat, 4), (0..1_000).collect())
    }

    #[test]
    fn shares_count_the_rows_on_either_side() {
        let (rows, all) = ramp();
        let tails = Tails::fit(&rows, &all);
        let tail = tails.of(0, 990.0).unwrap();
        assert_eq!((tail.above, tail.beyond_all, (tail.p * 1_001.0).round()), (true, false, 11.0));
        let tail = tails.of(0, -5.0).unwrap();
        assert_eq!((tail.above, tail.beyond_all, tail.median), (false, true, 500.0));
        assert!((tail.p * 1_001.0 - (-12.5f64).exp()).abs() < 1e-9, "as the density of a normal distribution falls in five: {}", tail.p);
        assert!(tails.of(9, 0.0).is_none());
    }

    #[test]
    fn the_row_in_two_tails_at_once_scores_highest() {
        let (rows, all) = ramp();
        let scores = Tails::fit(&rows, &all).scores(&rows);
        assert!(scores[..999].iter().all(|score| *score < scores[999]), "{:?}", &scores[990..]);
    }

    #[test]
    fn a_thinned_distribution_keeps_its_ends() {
        let flat = (0..20_000u32).flat_map(|n| [n as f32, 0.0, 0.0, 0.0]).collect();
        let tails = Tails::fit(&Rows::new(flat, 4), &(0..20_000).collect::<Vec<_>>());
        let p = |value: f32| tails.of(0, value).unwrap().p;
        assert!(p(20_000.0) < p(19_990.0) && (p(15_000.0) - 0.25).abs() < 0.01);
    }
}
