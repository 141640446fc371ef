//! Axes: where ticks stand and how they are written. All times are UTC.

use crate::model::Ts;
use crate::model::time::{SECOND, rfc3339};

const MS: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Steps that people count time in.
const STEPS: [i64; 30] = [
    MS,
    2 * MS,
    5 * MS,
    10 * MS,
    20 * MS,
    50 * MS,
    100 * MS,
    200 * MS,
    500 * MS,
    SECOND,
    2 * SECOND,
    5 * SECOND,
    10 * SECOND,
    15 * SECOND,
    30 * SECOND,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    7 * DAY,
    28 * DAY,
    364 * DAY,
];

/// Most ticks on an axis of time, so that labels keep apart.
const MOST_TICKS: i128 = 9;

/// A stretch of time laid over a stretch of pixels.
pub struct TimeAxis {
    from: Ts,
    until: Ts,
    left: f64,
    width: f64,
}

impl TimeAxis {
    /// From `from` to `until` (at least a millisecond later) over `width` pixels from `left`.
    pub fn new(from: Ts, until: Ts, left: f64, width: f64) -> Self {
        Self { from, until: until.max(from.saturating_add(MS)), left, width }
    }

    /// Where `ts` stands; outside times stand at the nearest end.
    pub fn x(&self, ts: Ts) -> f64 {
        let whole = (self.until as f64 - self.from as f64).max(1.0);
        self.left + ((ts as f64 - self.from as f64) / whole).clamp(0.0, 1.0) * self.width
    }

    /// Position and text of each tick.
    pub fn ticks(&self) -> Vec<(f64, String)> {
        let (from, until) = (i128::from(self.from), i128::from(self.until));
        let fits = |step: &&i64| (until - from) / i128::from(**step) < MOST_TICKS;
        // Centuries happen: a damaged clock says 1970 for half of a capture, and 2200 for the rest.
        let step = STEPS.iter().find(fits).map_or((until - from) / (MOST_TICKS - 1), |step| i128::from(*step));
        let days = until.div_euclid(i128::from(DAY)) != from.div_euclid(i128::from(DAY));
        let first = from.div_euclid(step) * step + if from.rem_euclid(step) == 0 { 0 } else { step };
        (0..=MOST_TICKS)
            .map(|n| first + n * step)
            .take_while(|tick| *tick <= until)
            .filter_map(|tick| Ts::try_from(tick).ok())
            .map(|tick| (self.x(tick), written(tick, step, days)))
            .collect()
    }

    /// `2026-03-14` or `2026-03-14 to 2026-03-16`: the dates that the ticks leave out.
    pub fn dates(&self) -> String {
        let (from, until) = (rfc3339(self.from), rfc3339(self.until));
        match (from.get(..10), until.get(..10)) {
            (Some(first), Some(last)) if first == last => first.to_owned(),
            (Some(first), Some(last)) => format!("{first} to {last}"),
            _ => String::new(),
        }
    }
}

/// The part of a time that changes from tick to tick, and the day where hours recur.
fn written(ts: Ts, step: i128, days: bool) -> String {
    let full = rfc3339(ts);
    let part = match step {
        s if s < i128::from(SECOND) => 11..23,
        s if s < i128::from(MINUTE) => 11..19,
        s if s < i128::from(DAY) && days => 5..16,
        s if s < i128::from(DAY) => 11..16,
        _ => 0..10,
    };
    full.get(part).unwrap_or(&full).replace('T', " ")
}

/// A round number at or above `most` that divides into few ticks, and its ticks from 0 up.
pub fn value_ticks(most: u64) -> (u64, Vec<u64>) {
    let wanted = most.max(1).div_ceil(3);
    let mut power = 1_u64;
    while power.saturating_mul(10) <= wanted {
        power = power.saturating_mul(10);
    }
    let step = [1, 2, 5, 10].into_iter().map(|n| power.saturating_mul(n)).find(|step| *step >= wanted).unwrap_or(u64::MAX);
    let ticks: Vec<u64> = (0..=most.max(1).div_ceil(step)).map(|n| step.saturating_mul(n)).collect();
    (ticks.last().copied().unwrap_or(1).max(1), ticks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        let from = 1_773_475_217 * SECOND;
        let labels = |span| TimeAxis::new(from, from + span, 0.0, 100.0).ticks().into_iter().map(|(_, label)| label).collect::<Vec<_>>();
        assert_eq!(labels(2 * HOUR)[..3], ["08:15", "08:30", "08:45"]);
        assert_eq!(labels(20 * SECOND)[..2], ["08:00:20", "08:00:25"]);
        assert_eq!(labels(3 * DAY)[0], "03-14 12:00");
        assert_eq!(labels(5 * DAY)[0], "2026-03-15");
        assert_eq!(labels(4 * MS)[1], "08:00:17.001");
    }

    #[test]
    fn any_two_times_make_an_axis() {
        for (from, until) in [(0, 0), (5, -5), (i64::MIN, i64::MAX), (i64::MAX, i64::MAX), (i64::MIN, i64::MIN), (-1, 1)] {
            let axis = TimeAxis::new(from, until, 10.0, 100.0);
            let ticks = axis.ticks();
            assert!(ticks.len() <= 10 && ticks.iter().all(|(x, _)| (10.0..=110.0).contains(x)), "{from} {until}");
            assert!((10.0..=110.0).contains(&axis.x(i64::MIN)) && (10.0..=110.0).contains(&axis.x(i64::MAX)));
        }
    }

    #[test]
    fn values_end_on_a_round_number_above_the_most() {
        assert_eq!(value_ticks(0), (1, vec![0, 1]));
        assert_eq!(value_ticks(7), (10, vec![0, 5, 10]));
        assert_eq!(value_ticks(29_063_111), (30_000_000, vec![0, 10_000_000, 20_000_000, 30_000_000]));
        assert!(value_ticks(u64::MAX).0 > u64::MAX / 2);
    }
}
