//! How well scores tell attacks from the rest.

use serde::Serialize;

/// Of a set of scored flows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Curves {
    /// P(an attack scores higher than something harmless); a tie counts half.
    pub roc_auc: f64,
    /// Average precision: the area under precision over recall, which a coin would hold at the share of attacks.
    pub pr_auc: f64,
}

/// The curves of `(score, is attack)`; `None` where one kind is missing. What has no score stands last.
pub fn curves(scored: &[(f64, bool)]) -> Option<Curves> {
    let attacks = scored.iter().filter(|(_, attack)| *attack).count() as f64;
    let harmless = scored.len() as f64 - attacks;
    if attacks == 0.0 || harmless == 0.0 {
        return None;
    }
    let mut sorted: Vec<(f64, bool)> =
        scored.iter().map(|(score, attack)| (if score.is_finite() { *score } else { f64::MIN }, *attack)).collect();
    sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut right, mut wrong, mut roc, mut average) = (0.0, 0.0, 0.0, 0.0);
    // Equal scores are taken together: their order would be chance.
    for tied in sorted.chunk_by(|a, b| a.0 == b.0) {
        let hits = tied.iter().filter(|(_, attack)| *attack).count() as f64;
        let misses = tied.len() as f64 - hits;
        roc += misses * (right + hits / 2.0);
        right += hits;
        wrong += misses;
        average += hits * right / (right + wrong);
    }
    Some(Curves { roc_auc: roc / (attacks * harmless), pr_auc: average / attacks })
}

/// What was flagged, and what should have been.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Counts {
    /// Attacks that were flagged.
    pub hits: u64,
    /// Harmless flows that were.
    pub false_alarms: u64,
    /// Attacks that were not.
    pub missed: u64,
    /// Harmless flows that were not.
    pub left_alone: u64,
}

impl Counts {
    /// Counts one flow.
    pub fn count(&mut self, flagged: bool, attack: bool) {
        *match (flagged, attack) {
            (true, true) => &mut self.hits,
            (true, false) => &mut self.false_alarms,
            (false, true) => &mut self.missed,
            (false, false) => &mut self.left_alone,
        } += 1;
    }

    /// Of what was flagged, the share that is an attack.
    pub fn precision(&self) -> f64 {
        share(self.hits, self.hits + self.false_alarms)
    }

    /// Of the attacks, the share that was flagged.
    pub fn recall(&self) -> f64 {
        share(self.hits, self.hits + self.missed)
    }

    /// Harmonic mean of both.
    pub fn f1(&self) -> f64 {
        share(2 * self.hits, 2 * self.hits + self.false_alarms + self.missed)
    }

    /// Of what is harmless, the share that was flagged.
    pub fn false_alarm_rate(&self) -> f64 {
        share(self.false_alarms, self.false_alarms + self.left_alone)
    }
}

/// 0 of nothing is 0.
pub fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_perfect_order_a_wrong_one_and_a_tie() {
        let of = |scores: &[(f64, bool)]| {
            curves(scores).map(|curves| ((curves.roc_auc * 1e6).round() / 1e6, (curves.pr_auc * 1e6).round() / 1e6))
        };
        assert_eq!(of(&[(3.0, true), (2.0, false), (1.0, false)]), Some((1.0, 1.0)));
        assert_eq!(of(&[(3.0, false), (2.0, false), (1.0, true)]), Some((0.0, 0.333333)));
        assert_eq!(of(&[(1.0, true), (1.0, false), (1.0, false), (1.0, false)]), Some((0.5, 0.25)));
        assert_eq!(of(&[(1.0, true), (f64::NAN, false)]), Some((1.0, 1.0)));
        assert_eq!(of(&[(1.0, true)]), None);
    }

    #[test]
    fn counts_give_precision_recall_and_their_mean() {
        let mut counts = Counts::default();
        for (flagged, attack, times) in [(true, true, 3), (true, false, 1), (false, true, 2), (false, false, 4)] {
            (0..times).for_each(|_| counts.count(flagged, attack));
        }
        assert_eq!((counts.precision(), counts.recall(), counts.false_alarm_rate()), (0.75, 0.6, 0.2));
        assert!((counts.f1() - 2.0 / 3.0).abs() < 1e-12);
        assert_eq!(Counts::default().precision(), 0.0);
    }
}
