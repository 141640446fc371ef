//! From scores to probabilities that mean what they say.
//!
//! A conformal p-value counts how many scores of the harmless were as high (Bates, Candès, Lei, Romano, Sesia: "Testing for outliers with
//! conformal p-values", Annals of Statistics 2023): it is exact without any assumption on the model, but no smaller than `1 / (m + 1)`.
//! Below that a generalised Pareto tail speaks (peaks over threshold; Siffer et al., KDD 2017), fitted by probability-weighted moments
//! (Hosking, Wallis: Technometrics 1987), where there is enough of a tail to fit and it is not too heavy.

/// Peaks that a tail needs.
const LEAST_PEAKS: usize = 50;
/// Share of scores below the peaks.
const PEAKS_FROM: f64 = 0.98;
/// Heavier tails than this say nothing certain about what lies beyond them.
const HEAVIEST: f64 = 0.5;
/// How far beyond what was counted a fitted tail is believed.
const FARTHEST: f64 = 1e-3;

/// Scores of the harmless, and their tail.
#[derive(Clone, Debug, Default)]
pub struct Calibration {
    /// Ascending.
    scores: Vec<f64>,
    tail: Option<Tail>,
    /// The tail that the greatest score is judged by, which must not be its own witness.
    without_greatest: Option<Tail>,
}

/// A generalised Pareto tail.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Tail {
    /// Where the peaks begin.
    from: f64,
    /// Share of scores beyond.
    share: f64,
    shape: f64,
    scale: f64,
}

impl Calibration {
    /// From scores of rows that the model was not fitted on.
    pub fn new(mut scores: Vec<f64>) -> Self {
        scores.retain(|score| score.is_finite());
        scores.sort_unstable_by(f64::total_cmp);
        let tail = Tail::fit(&scores);
        let without_greatest = scores.split_last().and_then(|(_, others)| Tail::fit(others));
        Self { scores, tail, without_greatest }
    }

    /// How many scores it rests on.
    pub fn len(&self) -> usize {
        self.scores.len()
    }

    /// P(a harmless row scores as high). 1 where nothing is known. `own`: the score is one of those that it rests on, and is left out.
    pub fn p(&self, score: f64, own: bool) -> f64 {
        let left_out = usize::from(own);
        let m = self.scores.len().saturating_sub(left_out);
        let as_high = (self.scores.len() - self.scores.partition_point(|known| *known < score)).saturating_sub(left_out);
        let counted = (1 + as_high) as f64 / (m + 1) as f64;
        let tail = if own { self.without_greatest } else { self.tail };
        match tail.filter(|_| as_high == 0) {
            Some(tail) => tail.beyond(score).clamp(counted * FARTHEST, counted),
            None => counted,
        }
    }
}

impl Tail {
    fn fit(sorted: &[f64]) -> Option<Self> {
        let m = sorted.len();
        let first = (m as f64 * PEAKS_FROM).ceil() as usize;
        let from = *sorted.get(first.checked_sub(1)?)?;
        let excess: Vec<f64> = sorted[first..].iter().map(|score| score - from).filter(|over| *over > 0.0).collect();
        let n = excess.len();
        if n < LEAST_PEAKS {
            return None;
        }
        // Probability-weighted moments with the plotting positions that Hosking and Wallis advise.
        let mean = excess.iter().sum::<f64>() / n as f64;
        let weighted = excess.iter().enumerate().map(|(at, over)| over * (1.0 - (at as f64 + 0.65) / n as f64)).sum::<f64>() / n as f64;
        let spread = mean - 2.0 * weighted;
        if spread <= 0.0 || weighted <= 0.0 {
            return None;
        }
        // A tail that seems to end is taken for an exponential one: from a few hundred peaks nobody knows where it would end.
        let shape = (2.0 - mean / spread).max(0.0);
        let scale = if shape > 0.0 { 2.0 * mean * weighted / spread } else { mean };
        let share = n as f64 / m as f64;
        (shape < HEAVIEST && scale > 0.0).then_some(Self { from, share, shape, scale })
    }

    fn beyond(&self, score: f64) -> f64 {
        let over = (score - self.from) / self.scale;
        if self.shape.abs() < 1e-9 {
            return self.share * (-over).exp();
        }
        self.share * (1.0 + self.shape * over).powf(-1.0 / self.shape)
    }
}

/// One p-value out of several that depend on each other in unknown ways (Liu, Xie: "Cauchy combination test", JASA 2020).
pub fn combine(ps: &[f64]) -> f64 {
    use std::f64::consts::PI;
    if ps.is_empty() {
        return 1.0;
    }
    // Near 0 and 1 the tangent is all rounding: its series is exact there.
    let one = |p: f64| match p {
        p if p < 1e-8 => 1.0 / (p.max(1e-300) * PI),
        p if p > 1.0 - 1e-8 => -1.0 / ((1.0 - p).max(1e-12) * PI),
        p => ((0.5 - p) * PI).tan(),
    };
    let mean = ps.iter().map(|p| one(*p)).sum::<f64>() / ps.len() as f64;
    if mean > 1e8 { 1.0 / (mean * PI) } else { (0.5 - mean.atan() / PI).clamp(0.0, 1.0) }
}

/// Where `held` p-values below `p` are as many as chance allows among `n` rows that should be harmless: a central interval of 95 %.
pub fn binomial_interval(n: usize, p: f64) -> (usize, usize) {
    let tail = |upto: &mut dyn FnMut(f64) -> bool| {
        // Probabilities by recurrence, from the logarithm of the first: no factorials.
        let mut log = n as f64 * (1.0 - p).ln();
        let mut sum = 0.0;
        for k in 0..=n {
            sum += log.exp();
            if upto(sum) {
                return k;
            }
            log += ((n - k) as f64 / (k + 1) as f64).ln() + (p / (1.0 - p)).ln();
        }
        n
    };
    (tail(&mut |sum| sum >= 0.025), tail(&mut |sum| sum >= 0.975))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::models::chance::unit;
    use crate::synth::Rng;

    /// Exponential draws: the tail of which is known.
    fn draws(n: usize, seed: u64) -> Vec<f64> {
        let mut rng = Rng::new(seed);
        (0..n).map(|_| -(1.0 - unit(&mut rng)).ln()).collect()
    }

    #[test]
    fn a_p_value_is_the_share_of_the_harmless_that_score_as_high() {
        let known = Calibration::new((1..=99).map(f64::from).collect());
        assert_eq!([known.p(0.0, false), known.p(50.0, false), known.p(99.0, false), known.p(1e9, false)], [1.0, 0.51, 0.02, 0.01]);
        assert_eq!(Calibration::default().p(5.0, false), 1.0);
    }

    #[test]
    fn of_what_is_harmless_as_much_falls_below_p_as_p_says() {
        let known = Calibration::new(draws(20_000, 1));
        let fresh = draws(20_000, 2);
        for p in [0.1, 0.01, 0.001] {
            let alarms = fresh.iter().filter(|score| known.p(**score, false) <= p).count();
            let (low, high) = binomial_interval(fresh.len(), p);
            // The calibration is itself a draw: its own chance doubles the variance.
            let slack = (high - low).div_ceil(4);
            assert!((low.saturating_sub(slack)..=high + slack).contains(&alarms), "p {p}: {alarms} not in {low}..={high}");
        }
    }

    #[test]
    fn a_fitted_tail_goes_on_where_counting_ends() {
        let known = Calibration::new(draws(20_000, 3));
        // P(X > 13) = e^-13, a hundred times rarer than one in twenty thousand.
        let p = known.p(13.0, false);
        assert!((0.1..10.0).contains(&(p / (-13.0f64).exp())), "{p}");
        assert!(known.p(12.0, false) >= p && known.p(1e6, false) >= 1e-3 / 20_001.0 * 0.999);
    }

    #[test]
    fn a_score_is_not_its_own_witness() {
        let mut scores = draws(20_000, 6);
        scores.push(30.0);
        let known = Calibration::new(scores);
        assert_eq!(known.p(30.0, false), 2.0 / 20_002.0);
        assert!(known.p(30.0, true) < 1e-6, "{}", known.p(30.0, true));
        assert_eq!(known.p(-1.0, true), 1.0);
        assert_eq!(Calibration::new(vec![3.0]).p(3.0, true), 1.0);
    }

    #[test]
    fn too_few_peaks_or_too_heavy_a_tail_are_left_to_counting() {
        assert!(Calibration::new(draws(500, 4)).tail.is_none());
        let heavy = draws(20_000, 5).into_iter().map(|x| (2.0 * x).exp()).collect();
        assert!(Calibration::new(heavy).tail.is_none());
        assert!(Calibration::new(vec![1.0; 10_000]).tail.is_none());
    }

    #[test]
    fn combined_evidence_is_as_strong_as_its_parts_allow() {
        assert!((combine(&[0.3, 0.3, 0.3]) - 0.3).abs() < 1e-9);
        let strong = combine(&[1e-12, 0.5, 0.9, 0.4]);
        assert!(strong > 1e-12 && strong < 1e-11, "{strong}");
        assert_eq!(combine(&[]), 1.0);
        assert!(combine(&[1.0, 1.0]) > 0.99);
    }

    #[test]
    fn the_interval_is_that_of_the_binomial_distribution() {
        assert_eq!(binomial_interval(100, 0.1), (5, 16));
        assert_eq!(binomial_interval(10_000, 0.01), (81, 120));
    }
}
