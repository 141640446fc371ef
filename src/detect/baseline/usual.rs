//! What is usual in a group of peers, and how far from it a value lies.

use super::sketch::Sketch;

/// Observations of the wider group that count beside those of the group itself.
const SHRINK: f64 = 50.0;
/// A spread below this would make a mountain of every hill, along `ln(1 + x)`.
const FLOOR: f64 = 0.05;
/// From the median absolute deviation to the standard deviation of a normal distribution.
const NORMAL: f64 = 1.4826;

/// What is usual.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Usual {
    /// Along `ln(1 + x)`.
    middle: f64,
    spread: f64,
    mean: f64,
    variance: f64,
    /// Observations that it rests on.
    pub n: f64,
}

impl Usual {
    /// Of a group, drawn towards the wider group it belongs to; `widen` stretches the spread where times have changed.
    pub fn of(group: &Sketch, parent: &Sketch, widen: f64) -> Self {
        let n = group.n();
        let mixed = |own: f64, wider: f64| (n * own + SHRINK * wider) / (n + SHRINK);
        let (own, wider) = (group.quantile(0.5), parent.quantile(0.5));
        let floor = (0.1 * (parent.quantile(0.75) - parent.quantile(0.25))).max(FLOOR);
        let (moments, wider_moments) = (group.trimmed_moments(), parent.trimmed_moments());
        Self {
            middle: mixed(own, wider),
            spread: (NORMAL * mixed(group.mad(own), parent.mad(wider))).max(floor) * widen,
            mean: mixed(moments.0, wider_moments.0),
            variance: mixed(moments.1, wider_moments.1) * widen * widen,
            n,
        }
    }

    /// The usual value.
    pub fn value(&self) -> f64 {
        self.middle.exp_m1().max(0.0)
    }

    /// Robust standard deviations of an amount from the usual; negative below.
    pub fn deviation(&self, value: f64) -> f64 {
        (value.max(0.0).ln_1p() - self.middle) / self.spread
    }

    /// The same of a count: by its spread and by chance alone, whichever is less.
    pub fn deviation_of_count(&self, value: f64) -> f64 {
        let by_spread = self.deviation(value);
        if by_spread <= 0.0 { by_spread } else { by_spread.min(deviation_of(self.tail(value))) }
    }

    /// The value from which on an amount lies `sigma` above the usual.
    pub fn limit(&self, sigma: f64) -> f64 {
        (self.middle + sigma * self.spread).exp_m1()
    }

    /// P(at least so many), negative binomial where counts vary more than chance alone would have them, else Poisson.
    fn tail(&self, value: f64) -> f64 {
        // A mean of nothing would make any count impossible.
        let mean = self.mean.max(0.5);
        let upto = value.ceil().min(100_000.0) as u64;
        let size = if self.variance > mean * 1.01 { mean * mean / (self.variance - mean) } else { f64::INFINITY };
        let share = mean / (mean + size);
        // The logarithm of P(0), then each probability from the one before.
        let mut log = if size.is_finite() { size * (size / (size + mean)).ln() } else { -mean };
        let mut below = 0.0;
        for k in 0..upto {
            below += log.exp();
            let k = k as f64;
            log += if size.is_finite() { ((k + size) / (k + 1.0) * share).ln() } else { (mean / (k + 1.0)).ln() };
        }
        // Beyond what subtraction from one can tell, the next term says how small it is.
        (1.0 - below).max(log.exp()).clamp(1e-300, 1.0)
    }
}

/// Standard deviations at which a normal distribution leaves so much above (Abramowitz and Stegun 26.2.23, error below 0.00045).
pub fn deviation_of(tail: f64) -> f64 {
    if tail >= 0.5 {
        return 0.0;
    }
    let t = (-2.0 * tail.max(1e-300).ln()).sqrt();
    t - (2.515_517 + 0.802_853 * t + 0.010_328 * t * t) / (1.0 + 1.432_788 * t + 0.189_269 * t * t + 0.001_308 * t * t * t)
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
    fn a_value_ten_times_the_usual_lies_far_out_and_the_usual_does_not() {
        let sketch = of((0..400).map(|n| 1_000.0 + f64::from(n % 100)));
        let usual = Usual::of(&sketch, &sketch, 1.0);
        assert!(usual.deviation(1_050.0).abs() < 1.5 && usual.deviation(10_000.0) > 10.0 && usual.deviation(100.0) < -10.0);
        assert!((usual.value() / 1_050.0 - 1.0).abs() < 0.06);
        let limit = usual.limit(3.5);
        assert!((usual.deviation(limit) - 3.5).abs() < 1e-6);
        assert!(Usual::of(&sketch, &sketch, 1.5).deviation(10_000.0) < usual.deviation(10_000.0));
    }

    #[test]
    fn a_small_group_believes_its_parent_more_than_itself() {
        let (parent, child) = (of(vec![1_000.0; 1_000]), of(vec![10.0; 5]));
        let usual = Usual::of(&child, &parent, 1.0);
        assert!(usual.value() > 500.0, "{}", usual.value());
        assert!(Usual::of(&of(vec![10.0; 5_000]), &parent, 1.0).value() < 12.0);
    }

    #[test]
    fn counts_are_judged_by_chance_too() {
        // Between none and two a window: five is far out in logarithms, and not so rare.
        let sketch = of((0..300).map(|n| f64::from(n % 3)));
        let usual = Usual::of(&sketch, &sketch, 1.0);
        assert!(usual.deviation_of_count(4.0) < 3.0, "{}", usual.deviation_of_count(4.0));
        assert!(usual.deviation_of_count(60.0) > 3.5);
        assert!(usual.deviation_of_count(0.0) <= 0.0);
    }

    #[test]
    fn tails_of_the_poisson_distribution_are_those_of_tables() {
        let usual = Usual { middle: 0.0, spread: 1.0, mean: 4.0, variance: 4.0, n: 100.0 };
        // P(X >= 10 | 4) = 0.00813.
        assert!((usual.tail(10.0) - 0.008_13).abs() < 1e-4, "{}", usual.tail(10.0));
        assert!((usual.tail(0.0) - 1.0).abs() < 1e-12 && usual.tail(90_000.0) < 1e-12);
        // Negative binomial of mean 4 and variance 20: P(0) = 0.2, so P(>= 1) = 0.8.
        let wide = Usual { variance: 20.0, ..usual };
        assert!((wide.tail(1.0) - 0.8).abs() < 1e-9, "{}", wide.tail(1.0));
        assert!((deviation_of(0.001_35) - 3.0).abs() < 1e-2 && deviation_of(0.7) == 0.0);
    }
}
