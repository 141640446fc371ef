//! Rows that are equal are scored once: in floods and scans nearly all are.

use super::rows::Rows;
use ahash::{HashMap, HashMapExt, RandomState};

/// Which rows differ, and for every row which of these it equals.
pub struct Distinct {
    /// The rows that differ, in the order in which they first stand.
    pub rows: Rows,
    place: Vec<u32>,
}

impl Distinct {
    /// Of `rows`. Two rows of one hash that are not equal count as two: nothing is ever confused.
    pub fn of(rows: &Rows) -> Self {
        // Fixed keys: what is merged must not depend on chance, though scores would be the same either way.
        let hasher = RandomState::with_seeds(1, 2, 3, 4);
        let mut seen: HashMap<u64, u32> = HashMap::with_capacity(1_024);
        let (mut firsts, mut place): (Vec<u32>, Vec<u32>) = (Vec::new(), Vec::with_capacity(rows.len()));
        for at in 0..rows.len() as u32 {
            let row = rows.row(at);
            let key = hasher.hash_one(Bits(row));
            let known = seen.get(&key).copied().filter(|known| rows.row(firsts[*known as usize]) == row);
            place.push(known.unwrap_or_else(|| {
                let new = firsts.len() as u32;
                firsts.push(at);
                seen.entry(key).or_insert(new);
                new
            }));
        }
        Self { rows: rows.pick(&firsts), place }
    }

    /// What was found for the distinct rows, spread to all.
    pub fn spread(&self, found: &[f64]) -> Vec<f64> {
        self.place.iter().map(|place| found[*place as usize]).collect()
    }
}

struct Bits<'a>(&'a [f32]);

impl std::hash::Hash for Bits<'_> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        // 0.0 and -0.0 are equal, so they hash alike.
        self.0.iter().for_each(|value| state.write_u32((value + 0.0).to_bits()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_rows_share_a_place_and_others_do_not() {
        let rows = Rows::new(vec![1.0, 2.0, 3.0, 4.0, 1.0, 2.0, -0.0, 5.0, 0.0, 5.0], 2);
        let distinct = Distinct::of(&rows);
        assert_eq!(distinct.rows.flat(), [1.0, 2.0, 3.0, 4.0, -0.0, 5.0]);
        assert_eq!(distinct.spread(&[10.0, 20.0, 30.0]), [10.0, 20.0, 10.0, 30.0, 30.0]);
    }
}
