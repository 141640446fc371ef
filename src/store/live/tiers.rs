//! Which segments are merged, and when: few of them stand however long a case grows, and no row is written again more than a few times.
//!
//! Whenever eight neighbours stand that cover equally much, they become one that covers eight times as much, as far as there is room: a
//! file is not to grow without end, and what is deleted as a whole must not span much of the time that is kept.

use crate::model::Ts;
use std::ops::Range;

/// Neighbours of one tier that become one of the next.
const FAN: usize = 8;
/// Where more stand that have room left, neighbours are merged whatever their tiers.
const CROWD: usize = 28;

/// What a merged segment may be at most.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// Bytes on disk.
    pub bytes: u64,
    /// Nanoseconds of capture time.
    pub span: i64,
}

/// A sealed segment, as far as it matters here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    /// How many segments were merged into it; 1 if none were.
    pub covers: u64,
    /// Bytes on disk.
    pub bytes: u64,
    /// Earliest and latest frame.
    pub span: Option<(Ts, Ts)>,
}

impl Standing {
    fn tier(&self) -> u32 {
        self.covers.max(1).ilog(FAN as u64)
    }
}

impl Room {
    /// Whether these fit into one.
    fn takes(self, standing: &[Standing]) -> bool {
        let bytes: u64 = standing.iter().map(|one| one.bytes).sum();
        let spans = || standing.iter().filter_map(|one| one.span);
        let first = spans().map(|(first, _)| first).min();
        let last = spans().map(|(_, last)| last).max();
        bytes <= self.bytes && first.zip(last).is_none_or(|(first, last)| last.saturating_sub(first) <= self.span)
    }

    /// Whether nothing of its size fits beside it.
    fn is_filled_by(self, one: &Standing) -> bool {
        let span = one.span.map_or(0, |(first, last)| last.saturating_sub(first));
        one.bytes > self.bytes / 2 || span > self.span / 2
    }
}

/// The neighbours to merge next, if any are due. `standing` is in order of time.
pub(super) fn due(standing: &[Standing], room: Room) -> Option<Range<usize>> {
    of_a_tier(standing, room).or_else(|| of_a_crowd(standing, room))
}

fn of_a_tier(standing: &[Standing], room: Room) -> Option<Range<usize>> {
    let alike = |a: &Standing, b: &Standing| a.tier() == b.tier() && !room.is_filled_by(a) && !room.is_filled_by(b);
    let mut begins = 0;
    for run in standing.chunk_by(alike) {
        if run.len() >= FAN
            && let Some(part) = first_fitting(run, room)
        {
            return Some(begins + part.start..begins + part.end);
        }
        begins += run.len();
    }
    None
}

/// The first neighbours that fit into one, as many of them as do.
fn first_fitting(run: &[Standing], room: Room) -> Option<Range<usize>> {
    (0..run.len()).find_map(|from| {
        let fit = |to: &usize| run.get(from..*to).is_some_and(|part| room.takes(part));
        (from + 2..=from + FAN).take_while(fit).last().map(|to| from..to)
    })
}

fn of_a_crowd(standing: &[Standing], room: Room) -> Option<Range<usize>> {
    if standing.iter().filter(|one| !room.is_filled_by(one)).count() <= CROWD {
        return None;
    }
    let pairs = standing.windows(2).enumerate().filter(|(_, pair)| room.takes(pair));
    pairs.min_by_key(|(_, pair)| pair.iter().map(|one| one.covers).sum::<u64>()).map(|(at, _)| at..at + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000_000_000;

    /// How a case grows: the most segments that ever stood, how often a segment was written again on average, and what stands at the end.
    fn grow(hours: u64, room: Room, keep: Option<i64>, bytes: impl Fn(u64) -> u64) -> (usize, f64, Vec<Standing>) {
        let (mut standing, mut most, mut written) = (Vec::new(), 0, 0);
        for hour in 0..hours {
            let begins = hour as i64 * HOUR;
            standing.push(Standing { covers: 1, bytes: bytes(hour), span: Some((begins, begins + HOUR - 1)) });
            if let Some(keep) = keep {
                standing.retain(|one: &Standing| one.span.is_some_and(|(_, last)| last >= begins - keep));
            }
            while let Some(part) = due(&standing, room) {
                let merged: Vec<Standing> = standing.drain(part.clone()).collect();
                assert!(merged.len() >= 2 && room.takes(&merged), "{merged:?}");
                let (first, last) = (merged[0].span.unwrap().0, merged[merged.len() - 1].span.unwrap().1);
                let covers = merged.iter().map(|one| one.covers).sum();
                written += covers;
                standing
                    .insert(part.start, Standing { covers, bytes: merged.iter().map(|one| one.bytes).sum(), span: Some((first, last)) });
            }
            most = most.max(standing.len());
        }
        (most, written as f64 / hours as f64, standing)
    }

    #[test]
    fn a_year_of_hours_never_stands_in_more_than_some_thirty_segments() {
        for (days, room) in [(None, 180), (Some(7), 1), (Some(30), 4), (Some(365), 45)] {
            let keep = days.map(|days: i64| days * 24 * HOUR);
            let room = Room { bytes: 4 << 30, span: room * 24 * HOUR };
            let (most, written, standing) = grow(366 * 24, room, keep, |_| 300_000);
            assert!(most <= 34, "{days:?} days kept: {most} segments");
            assert!(written < 6.0, "{days:?} days kept: each row is written {written} times");
            let oldest = standing[0].span.unwrap().0;
            if let Some(keep) = keep {
                assert!(366 * 24 * HOUR - oldest <= keep + room.span + HOUR, "{days:?} days are kept, {} hours stand", standing.len());
            }
            assert!(standing.windows(2).all(|pair| pair[0].span.unwrap().1 < pair[1].span.unwrap().0), "in order of time");
        }
    }

    #[test]
    fn large_segments_stay_as_they_are_and_small_ones_among_them_are_merged() {
        let room = Room { bytes: 1_000, span: 31 * 24 * HOUR };
        // Every eighth hour is a busy one.
        let (_, _, standing) = grow(24 * 24, room, None, |hour| if hour % 8 == 7 { 900 } else { 10 });
        let large = standing.iter().filter(|one| room.is_filled_by(one)).count();
        assert_eq!(large, 72);
        assert!(standing.len() <= large + CROWD + 1, "{} beside {large} large ones", standing.len() - large);
    }

    #[test]
    fn days_far_apart_are_not_made_one() {
        let room = Room { bytes: 1_000, span: 24 * HOUR };
        let day = |day: i64| Standing { covers: 1, bytes: 1, span: Some((day * 30 * 24 * HOUR, day * 30 * 24 * HOUR + HOUR)) };
        assert_eq!(due(&(0..20).map(day).collect::<Vec<_>>(), room), None);
    }
}
