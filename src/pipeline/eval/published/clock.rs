//! Times in label files: how they are written, and how far the clock behind them is from the capture's.
//!
//! Publishers write local time and rarely say whose. The capture knows: where a row and a flow have the same ends, they differ by the zone.

use chrono::{NaiveDateTime, Timelike};
use std::collections::BTreeMap;

/// Nanoseconds of a second.
pub(super) const SECOND: i64 = 1_000_000_000;
/// Zones lie whole quarters of an hour apart.
const QUARTER: i64 = 900 * SECOND;
/// The farthest that two clocks of this world differ, in quarters: 14 hours, and one of summer time.
const FARTHEST: i64 = 60;

/// Forms of dates, and what they are exact to. Days come before months.
const FORMS: [(&str, i64); 7] = [
    ("%Y-%m-%d %H:%M:%S%.f", SECOND),
    ("%Y/%m/%d %H:%M:%S%.f", SECOND),
    ("%d/%m/%Y %I:%M:%S %p", SECOND),
    ("%d/%m/%Y %H:%M:%S", SECOND),
    ("%d/%m/%Y %I:%M %p", 60 * SECOND),
    ("%d/%m/%Y %H:%M", 60 * SECOND),
    ("%Y-%m-%d %H:%M", 60 * SECOND),
];

/// A moment as it is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Stamp {
    /// Nanoseconds since 1970, if the clock were UTC.
    pub ns: i64,
    /// How far it may be off for how it is written, nanoseconds.
    pub exact: i64,
    /// Seconds since 1970, which are of no zone.
    pub absolute: bool,
    /// A date without AM or PM, of this hour.
    pub hour: Option<u32>,
}

impl Stamp {
    /// Reads one.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Ok(seconds) = text.parse::<f64>() {
            let ns = ((seconds * 1e6).round() as i64).saturating_mul(1_000);
            return (seconds > 0.0 && seconds < 9e9).then_some(Self { ns, exact: SECOND, absolute: true, hour: None });
        }
        FORMS.iter().find_map(|(form, exact)| {
            let moment = NaiveDateTime::parse_from_str(text, form).ok()?;
            let hour = (!form.contains("%p")).then_some(moment.hour());
            Some(Self { ns: moment.and_utc().timestamp_nanos_opt()?, exact: *exact, absolute: false, hour })
        })
    }
}

/// Counts by how many quarters of an hour flows begin after the rows with their ends.
#[derive(Clone, Debug, Default)]
pub(super) struct Offsets {
    flows: BTreeMap<i64, u64>,
}

impl Offsets {
    /// A flow, and the beginnings of rows with its ends.
    pub fn flow(&mut self, begins: i64, rows: impl Iterator<Item = i64>, slack: i64) {
        let mut quarters: Vec<i64> = rows.filter_map(|row| quarters(begins.saturating_sub(row), slack)).collect();
        quarters.sort_unstable();
        quarters.dedup();
        quarters.into_iter().for_each(|at| *self.flows.entry(at).or_default() += 1);
    }

    /// What most agree on, in nanoseconds; of equals the smallest.
    pub fn agreed(&self) -> Option<i64> {
        let most = self.flows.iter().max_by_key(|(at, flows)| (**flows, -at.abs(), **at))?;
        Some(most.0 * QUARTER)
    }
}

fn quarters(apart: i64, slack: i64) -> Option<i64> {
    let at = (apart as f64 / QUARTER as f64).round() as i64;
    (at.abs() <= FARTHEST && (apart - at * QUARTER).abs() <= slack).then_some(at)
}

/// `UTC-03:00` of a clock whose times the capture's are `offset` nanoseconds ahead of.
pub(super) fn zone(offset: i64) -> String {
    let minutes = -offset / (60 * SECOND);
    let sign = if minutes < 0 { '-' } else { '+' };
    format!("UTC{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_each_publisher_writes_them() {
        let seconds = |text: &str| Stamp::parse(text).map(|stamp| (stamp.ns / SECOND, stamp.exact / SECOND, stamp.absolute));
        assert_eq!(seconds("5/7/2017 8:42"), Some((1_499_244_120, 60, false)));
        assert_eq!(seconds("03/07/2017 08:55:58"), Some((1_499_072_158, 1, false)));
        assert_eq!(seconds("07/07/2017 02:29:33 PM"), Some((1_499_437_773, 1, false)));
        assert_eq!(seconds("2017-07-07 11:59:50.315195"), Some((1_499_428_790, 1, false)));
        assert_eq!(seconds("2011/08/10 09:46:53.058760"), Some((1_312_969_613, 1, false)));
        assert_eq!(seconds("1421927414"), Some((1_421_927_414, 1, true)));
        assert_eq!(seconds("Timestamp"), None);
    }

    #[test]
    fn the_zone_is_what_most_flows_agree_on() {
        let mut offsets = Offsets::default();
        let hour = 3_600 * SECOND;
        for second in 0..10 {
            offsets.flow(3 * hour + second * SECOND, [second * SECOND, 5 * hour].into_iter(), SECOND);
        }
        offsets.flow(SECOND, [0].into_iter(), SECOND);
        assert_eq!(offsets.agreed(), Some(3 * hour));
        assert_eq!((zone(3 * hour), zone(-2 * hour), zone(0)), ("UTC-03:00".into(), "UTC+02:00".into(), "UTC+00:00".into()));
        let mut far = Offsets::default();
        far.flow(0, [20 * hour, 100 * SECOND].into_iter(), SECOND);
        assert_eq!(far.agreed(), None);
    }
}
