//! When packets were dropped: a finding is weaker, and silence means less, where packets are missing.

use crate::model::{Finding, Ts};
use serde_json::Value;
use std::collections::VecDeque;

/// Spans that are remembered; older ones are joined.
const MOST: usize = 4_096;

/// Spans of capture time with drops, oldest first.
#[derive(Clone, Debug, Default)]
pub struct Drops {
    spans: VecDeque<(Ts, Ts, u64)>,
    /// All of them.
    pub total: u64,
}

impl Drops {
    /// Notes that `count` packets were dropped somewhere from `from` to `to`.
    pub fn note(&mut self, from: Ts, to: Ts, count: u64) {
        if count == 0 {
            return;
        }
        self.total += count;
        match self.spans.back_mut() {
            // Drops of one second belong together.
            Some((_, end, sum)) if from <= *end => {
                *end = to.max(*end);
                *sum += count;
            }
            _ => self.spans.push_back((from, to, count)),
        }
        if self.spans.len() > MOST
            && let (Some((from, _, first)), Some((_, to, second))) = (self.spans.pop_front(), self.spans.pop_front())
        {
            self.spans.push_front((from, to, first + second));
        }
    }

    /// Packets dropped while something went on.
    pub fn during(&self, from: Ts, to: Ts) -> u64 {
        self.spans.iter().filter(|(start, end, _)| *start <= to && *end >= from).map(|(.., count)| count).sum()
    }

    /// Says in a finding what it may lack.
    pub fn mark(&self, finding: &mut Finding) {
        const NAME: &str = "packets_dropped_meanwhile";
        let dropped = self.during(finding.first_ns, finding.last_ns);
        let Value::Object(evidence) = &mut finding.evidence else { return };
        let told = evidence.get(NAME).and_then(Value::as_u64).unwrap_or(0);
        if dropped > told {
            evidence.insert(NAME.into(), dropped.into());
            if told == 0 {
                finding.says += " (packets were dropped meanwhile: there may be more to it)";
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drops_are_told_of_the_time_in_which_they_happened() {
        let mut drops = Drops::default();
        drops.note(10, 20, 5);
        drops.note(18, 25, 2);
        drops.note(100, 110, 1);
        drops.note(200, 210, 0);
        assert_eq!([drops.during(0, 9), drops.during(0, 10), drops.during(25, 99), drops.during(0, 999)], [0, 7, 7, 8]);
        assert_eq!(drops.total, 8);
    }

    #[test]
    fn a_long_history_is_joined_and_loses_no_count() {
        let mut drops = Drops::default();
        for at in 0..10_000 {
            drops.note(at * 10, at * 10 + 1, 1);
        }
        assert!(drops.spans.len() <= MOST);
        assert_eq!((drops.during(0, Ts::MAX), drops.total), (10_000, 10_000));
    }
}
