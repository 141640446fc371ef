//! How rarely a flow's kind is seen: service and port, course of the connection, length classes. Counts of a sample, shrunk.

use ahash::{HashMap, HashMapExt};

/// Kinds that a flow belongs to, as hashes; one number each.
pub type Kinds = Vec<u64>;

/// How often each kind was seen.
#[derive(Clone, Debug, Default)]
pub struct Rarity {
    counts: Vec<HashMap<u64, u32>>,
    total: f64,
}

/// Belief before anything was seen, in rows: a kind never met is as rare as half a row.
const PRIOR: f64 = 0.5;

impl Rarity {
    /// Counts `kinds[k][row]` over the rows named in `of`.
    pub fn fit(kinds: &[Kinds], of: &[u32]) -> Self {
        let count = |column: &Kinds| {
            let mut counts = HashMap::with_capacity(256);
            for row in of {
                if let Some(kind) = column.get(*row as usize) {
                    *counts.entry(*kind).or_insert(0) += 1;
                }
            }
            counts
        };
        Self { counts: kinds.iter().map(count).collect(), total: of.len() as f64 }
    }

    /// Sum of `-log10` of the frequencies, row by row.
    pub fn scores(&self, kinds: &[Kinds]) -> Vec<f64> {
        let rows = kinds.first().map_or(0, Vec::len);
        (0..rows).map(|row| self.counts.iter().zip(kinds).map(|(counts, kind)| -self.share(counts, kind[row]).log10()).sum()).collect()
    }

    /// How often the `k`th kind of a row was seen, as a share.
    pub fn share_of(&self, k: usize, kind: u64) -> Option<f64> {
        self.counts.get(k).map(|counts| self.share(counts, kind))
    }

    fn share(&self, counts: &HashMap<u64, u32>, kind: u64) -> f64 {
        (f64::from(counts.get(&kind).copied().unwrap_or(0)) + PRIOR) / (self.total + 2.0 * PRIOR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rarer_the_kind_the_higher_the_score_and_the_unknown_is_rarest() {
        let kinds = vec![vec![1, 1, 1, 1, 1, 1, 1, 1, 1, 2]];
        let rarity = Rarity::fit(&kinds, &(0..10).collect::<Vec<_>>());
        let scores = rarity.scores(&[vec![1, 2, 3]]);
        assert!(scores[0] < scores[1] && scores[1] < scores[2], "{scores:?}");
        assert_eq!(rarity.share_of(0, 1), Some(9.5 / 11.0));
        assert_eq!(rarity.share_of(1, 1), None);
    }
}
