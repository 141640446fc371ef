//! The feature matrix: polars columns in, scaled rows out.

use super::rows::Rows;
use polars::prelude::{Column, DataFrame, PolarsResult};

/// How the numbers of a column become comparable.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scaling {
    /// Mean 0, deviation 1: what the mode of the Isolation Forest promises.
    Standard,
    /// `ln(1 + x)`, then median 0 and robust deviation 1, no farther than 8 from it: for features with long tails.
    Robust,
}

/// The shift and scale of every column, from rows that were fitted on.
#[derive(Clone, Debug)]
pub struct Scaler {
    scaling: Scaling,
    columns: Vec<(f64, f64)>,
    width: usize,
}

/// Robust deviations beyond which a value is no stranger for being farther still.
const CLIP: f64 = 8.0;

impl Scaler {
    /// Fits every column of `frame`; rows that lack a value count as zero.
    pub fn fit(frame: &DataFrame, scaling: Scaling) -> PolarsResult<Self> {
        let columns =
            frame.columns().iter().map(|column| Ok(center(values(column, scaling)?, scaling))).collect::<PolarsResult<Vec<_>>>()?;
        // Rows end on a multiple of four, so that sums go in lanes.
        let width = columns.len().next_multiple_of(4);
        Ok(Self { scaling, columns, width })
    }

    /// The scaled rows of a frame with the same columns.
    pub fn rows(&self, frame: &DataFrame) -> PolarsResult<Rows> {
        let mut flat = vec![0.0; frame.height() * self.width];
        for (at, (column, (shift, scale))) in frame.columns().iter().zip(&self.columns).enumerate() {
            let values = values(column, self.scaling)?;
            for (cell, value) in flat.iter_mut().skip(at).step_by(self.width).zip(values) {
                let scaled = (value - shift) / scale;
                *cell = match self.scaling {
                    Scaling::Standard => scaled,
                    Scaling::Robust => scaled.clamp(-CLIP, CLIP),
                } as f32;
            }
        }
        Ok(Rows::new(flat, self.width))
    }

    /// What a scaled number of column `at` was before.
    pub fn original(&self, at: usize, scaled: f32) -> Option<f64> {
        let (shift, scale) = self.columns.get(at)?;
        let value = f64::from(scaled) * scale + shift;
        Some(if self.scaling == Scaling::Robust { value.exp_m1() } else { value })
    }
}

fn values(column: &Column, scaling: Scaling) -> PolarsResult<Vec<f64>> {
    let numbers = column.f64()?;
    let plain = |value: Option<f64>| value.filter(|value| value.is_finite()).unwrap_or(0.0);
    Ok(match scaling {
        Scaling::Standard => numbers.iter().map(plain).collect(),
        Scaling::Robust => numbers.iter().map(|value| plain(value).max(0.0).ln_1p()).collect(),
    })
}

/// Shift and scale of one column.
fn center(mut values: Vec<f64>, scaling: Scaling) -> (f64, f64) {
    let n = values.len().max(1) as f64;
    match scaling {
        Scaling::Standard => {
            let mean = values.iter().sum::<f64>() / n;
            let variance = values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / n;
            (mean, if variance > 0.0 { variance.sqrt() } else { 1.0 })
        }
        Scaling::Robust => {
            values.sort_unstable_by(f64::total_cmp);
            let at = |share: f64| values.get(((n - 1.0) * share).round() as usize).copied().unwrap_or(0.0);
            let (median, spread) = (at(0.5), at(0.75) - at(0.25));
            let mut off: Vec<f64> = values.iter().map(|value| (value - median).abs()).collect();
            off.sort_unstable_by(f64::total_cmp);
            let mad = off.get(off.len() / 2).copied().unwrap_or(0.0);
            // Columns that hardly vary would make a mountain of every hill.
            (median, (1.4826 * mad).max(0.1 * spread).max(0.05))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(values: Vec<Option<f64>>) -> DataFrame {
        DataFrame::new_infer_height(vec![Column::new("x".into(), values)]).unwrap()
    }

    #[test]
    fn standard_scaling_gives_mean_zero_and_deviation_one_and_takes_missing_values_for_zero() {
        let frame = frame(vec![Some(1.0), Some(3.0), None, Some(f64::NAN)]);
        let scaler = Scaler::fit(&frame, Scaling::Standard).unwrap();
        let rows = scaler.rows(&frame).unwrap();
        let column: Vec<f32> = (0..4).map(|row| rows.row(row)[0]).collect();
        let mean: f32 = column.iter().sum::<f32>() / 4.0;
        let variance: f32 = column.iter().map(|x| x * x).sum::<f32>() / 4.0;
        assert!(mean.abs() < 1e-6 && (variance - 1.0).abs() < 1e-6, "{column:?}");
        assert_eq!(column[2], column[3]);
        assert_eq!(rows.width(), 4);
        assert!((scaler.original(0, column[1]).unwrap() - 3.0).abs() < 1e-5);
    }

    #[test]
    fn robust_scaling_is_not_moved_by_the_one_that_is_far_out() {
        let mut values: Vec<Option<f64>> = (0..1_000).map(|n| Some(100.0 + f64::from(n % 10))).collect();
        let plain = Scaler::fit(&frame(values.clone()), Scaling::Robust).unwrap();
        values.push(Some(1e12));
        let with = Scaler::fit(&frame(values.clone()), Scaling::Robust).unwrap();
        assert!((plain.columns[0].1 - with.columns[0].1).abs() < 1e-9);
        assert_eq!(with.rows(&frame(values)).unwrap().row(1_000)[0], 8.0);
    }

    #[test]
    fn a_constant_column_is_zero_in_either_scaling() {
        for scaling in [Scaling::Standard, Scaling::Robust] {
            let frame = frame(vec![Some(7.0); 5]);
            let rows = Scaler::fit(&frame, scaling).unwrap().rows(&frame).unwrap();
            assert!(rows.flat().iter().all(|cell| *cell == 0.0));
        }
    }
}
