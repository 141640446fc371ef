//! Isolation forests: what few random cuts set apart is strange.
//!
//! [`Forest::axes`] cuts one feature at a time (Liu, Ting, Zhou: "Isolation Forest", ICDM 2008), [`Forest::planes`] cuts along random
//! planes through all features (Hariri, Carrasco Kind, Brunner: "Extended Isolation Forest", TKDE 2019, extension level d-1).
//!
//! A tree is kept as a full binary tree in one array: a branch that ended early is continued by cuts that all rows pass on the same
//! side. Every row then takes the same number of steps, and no step depends on a guess of the processor.

use super::chance::{between, normal, sample, seed_of};
use super::rows::Rows;
use crate::synth::Rng;
use rayon::prelude::*;

/// Rows that one task scores: few enough to stay near the processor while all trees pass over them.
const CHUNK: usize = 512;

/// Rows that go down a tree side by side: while one waits for its next cut, the others go on.
const ABREAST: usize = 8;

/// What a forest is grown with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Growth {
    /// Trees.
    pub trees: usize,
    /// Rows that each tree sees, at most 4096.
    pub samples: usize,
    /// Seed.
    pub seed: u64,
}

/// A grown forest.
#[derive(Clone, Debug)]
pub struct Forest {
    trees: Vec<Tree>,
    /// Mean path length of as many rows as each tree saw: what makes paths comparable.
    usual: f64,
}

#[derive(Clone, Debug)]
struct Tree {
    depth: u32,
    cuts: Cuts,
    /// Path length at each of the `2^depth` ends.
    paths: Vec<f32>,
}

#[derive(Clone, Debug)]
enum Cuts {
    /// Feature and threshold: below goes left.
    Axes(Vec<(u32, f32)>),
    /// A normal vector each, one after the other, and the offsets: on or under the plane goes left.
    Planes(Vec<f32>, Vec<f32>),
}

impl Forest {
    /// Cuts one feature at a time. `None` where fewer than two rows leave nothing to set apart.
    pub fn axes(rows: &Rows, of: &[u32], growth: &Growth) -> Option<Self> {
        Self::grow(rows, of, growth, false)
    }

    /// Cuts along planes.
    pub fn planes(rows: &Rows, of: &[u32], growth: &Growth) -> Option<Self> {
        Self::grow(rows, of, growth, true)
    }

    fn grow(rows: &Rows, of: &[u32], growth: &Growth, planes: bool) -> Option<Self> {
        let samples = growth.samples.min(of.len()).min(4_096);
        if samples < 2 || growth.trees == 0 {
            return None;
        }
        let depth = usize::BITS - (samples - 1).leading_zeros();
        let tree = |number: usize| {
            let mut rng = Rng::new(seed_of(growth.seed, number as u64));
            let mut own: Vec<u32> =
                sample(&mut rng, of.len(), samples).iter().filter_map(|place| of.get(*place as usize).copied()).collect();
            let mut tree = Tree::empty(depth, planes, rows.width());
            tree.split(rows, &mut own, &mut rng, 0, 0);
            tree
        };
        let trees = (0..growth.trees).into_par_iter().map(tree).collect();
        Some(Self { trees, usual: usual_path(samples) })
    }

    /// `2^(-mean path / usual path)` of each row, 0 to 1: more is stranger.
    pub fn scores(&self, rows: &Rows) -> Vec<f64> {
        let mut scores = vec![0.0; rows.len()];
        let width = rows.width();
        scores.par_chunks_mut(CHUNK).zip(rows.flat().par_chunks(CHUNK * width)).for_each(|(scores, flat)| {
            for tree in &self.trees {
                tree.add_paths(flat, width, scores);
            }
            for score in scores {
                *score = (-*score / self.trees.len() as f64 / self.usual).exp2();
            }
        });
        scores
    }
}

impl Tree {
    fn empty(depth: u32, planes: bool, width: usize) -> Self {
        let inner = (1usize << depth) - 1;
        let cuts = match planes {
            // Nothing is below minus infinity, and zero is never above it.
            false => Cuts::Axes(vec![(0, f32::NEG_INFINITY); inner]),
            true => Cuts::Planes(vec![0.0; inner * width], vec![f32::NEG_INFINITY; inner]),
        };
        Self { depth, cuts, paths: vec![0.0; 1 << depth] }
    }

    /// Grows what hangs below `node`, at `level`, from the rows named in `own`.
    fn split(&mut self, rows: &Rows, own: &mut [u32], rng: &mut Rng, node: usize, level: u32) {
        let cut = if level < self.depth && own.len() > 1 { self.cut(rows, own, rng, node) } else { None };
        let Some(left) = cut else { return self.end(node, level, f64::from(level) + usual_path(own.len())) };
        let (left, right) = own.split_at_mut(left);
        self.split(rows, left, rng, 2 * node + 1, level + 1);
        self.split(rows, right, rng, 2 * node + 2, level + 1);
    }

    /// Draws a cut for `node` and sorts the rows by it; how many go left, or `None` if all rows are alike.
    fn cut(&mut self, rows: &Rows, own: &mut [u32], rng: &mut Rng, node: usize) -> Option<usize> {
        let spans = spans(rows, own);
        let varied: Vec<usize> = (0..spans.len()).filter(|feature| spans[*feature].0 < spans[*feature].1).collect();
        if varied.is_empty() {
            return None;
        }
        let width = rows.width();
        Some(match &mut self.cuts {
            Cuts::Axes(cuts) => {
                let feature = *varied.get(rng.below(varied.len() as u64) as usize)?;
                // Above the least and up to the greatest: both sides get rows.
                let (low, high) = spans[feature];
                let at = between(rng, low, high).max(low.next_up()).min(high);
                *cuts.get_mut(node)? = (feature as u32, at);
                partition(own, |row| rows.row(row)[feature] < at)
            }
            Cuts::Planes(normals, offsets) => {
                let vector = normals.get_mut(node * width..(node + 1) * width)?;
                let mut offset = 0.0;
                for (feature, part) in vector.iter_mut().enumerate() {
                    *part = normal(rng);
                    offset += *part * between(rng, spans[feature].0, spans[feature].1);
                }
                *offsets.get_mut(node)? = offset;
                let vector = vector.to_vec();
                partition(own, |row| product(rows.row(row), &vector) <= offset)
            }
        })
    }

    /// All rows that come to `node` end here: whatever way they take further down, their path is this long.
    fn end(&mut self, node: usize, level: u32, path: f64) {
        let below = self.depth - level;
        let first = ((node + 1) << below) - (1 << self.depth);
        if let Some(ends) = self.paths.get_mut(first..first + (1 << below)) {
            ends.fill(path as f32);
        }
    }

    fn add_paths(&self, flat: &[f32], width: usize, sums: &mut [f64]) {
        let inner = (1usize << self.depth) - 1;
        match &self.cuts {
            Cuts::Axes(cuts) => {
                for (rows, sums) in flat.chunks(ABREAST * width).zip(sums.chunks_mut(ABREAST)) {
                    let mut nodes = [0; ABREAST];
                    for _ in 0..self.depth {
                        for (row, node) in rows.chunks_exact(width).zip(&mut nodes) {
                            let (feature, at) = cuts[*node];
                            *node = 2 * *node + 1 + usize::from(row[feature as usize] >= at);
                        }
                    }
                    for (sum, node) in sums.iter_mut().zip(nodes) {
                        *sum += f64::from(self.paths[node - inner]);
                    }
                }
            }
            Cuts::Planes(normals, offsets) => {
                for (rows, sums) in flat.chunks(ABREAST * width).zip(sums.chunks_mut(ABREAST)) {
                    let mut nodes = [0; ABREAST];
                    for _ in 0..self.depth {
                        for (row, node) in rows.chunks_exact(width).zip(&mut nodes) {
                            let above = product(row, &normals[*node * width..(*node + 1) * width]) > offsets[*node];
                            *node = 2 * *node + 1 + usize::from(above);
                        }
                    }
                    for (sum, node) in sums.iter_mut().zip(nodes) {
                        *sum += f64::from(self.paths[node - inner]);
                    }
                }
            }
        }
    }
}

/// The width of the ensemble's rows: known when this is compiled, it saves a third of the time.
const USUAL_WIDTH: usize = 20;

/// The scalar product, in lanes.
fn product(a: &[f32], b: &[f32]) -> f32 {
    match (<&[f32; USUAL_WIDTH]>::try_from(a), <&[f32; USUAL_WIDTH]>::try_from(b)) {
        (Ok(a), Ok(b)) => in_lanes(a, b),
        _ => in_lanes(a, b),
    }
}

/// In four lanes, always the same: fast, and the same sum every time.
#[inline(always)]
fn in_lanes(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0f32; 4];
    for (a, b) in a.chunks_exact(4).zip(b.chunks_exact(4)) {
        for lane in 0..4 {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    let rest = a.len() / 4 * 4;
    let tail: f32 = a[rest..].iter().zip(&b[rest..]).map(|(a, b)| a * b).sum();
    (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]) + tail
}

/// Least and greatest value of each feature.
fn spans(rows: &Rows, own: &[u32]) -> Vec<(f32, f32)> {
    let mut spans = vec![(f32::INFINITY, f32::NEG_INFINITY); rows.width()];
    for row in own {
        for (span, value) in spans.iter_mut().zip(rows.row(*row)) {
            *span = (span.0.min(*value), span.1.max(*value));
        }
    }
    spans
}

/// Those for which `left` holds first; how many they are.
fn partition(own: &mut [u32], left: impl Fn(u32) -> bool) -> usize {
    let mut border = 0;
    for at in 0..own.len() {
        if left(own[at]) {
            own.swap(border, at);
            border += 1;
        }
    }
    border
}

/// Mean length of an unsuccessful search in a binary search tree of `n` rows: `c(n)` of the paper.
pub fn usual_path(n: usize) -> f64 {
    const EULER: f64 = 0.577_215_664_901_532_9;
    match n {
        0 | 1 => 0.0,
        2 => 1.0,
        _ => 2.0 * (((n - 1) as f64).ln() + EULER) - 2.0 * (n - 1) as f64 / n as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROWTH: Growth = Growth { trees: 100, samples: 256, seed: 42 };

    /// A cloud around the origin, with one row far out at the end.
    fn cloud(n: usize) -> Rows {
        let mut rng = Rng::new(7);
        let mut flat: Vec<f32> = (0..4 * n).map(|_| normal(&mut rng)).collect();
        flat.extend([9.0, -9.0, 9.0, 9.0]);
        Rows::new(flat, 4)
    }

    fn all(rows: &Rows) -> Vec<u32> {
        (0..rows.len() as u32).collect()
    }

    #[test]
    fn the_row_far_out_is_the_strangest_in_both_kinds_of_forest() {
        let rows = cloud(2_000);
        for grow in [Forest::axes, Forest::planes] {
            let scores = grow(&rows, &all(&rows), &GROWTH).unwrap().scores(&rows);
            let last = scores[2_000];
            assert!(scores[..2_000].iter().all(|score| *score < last), "{last}");
            assert!(last > 0.65 && scores[..2_000].iter().sum::<f64>() / 2_000.0 < 0.5);
        }
    }

    #[test]
    fn the_usual_path_is_that_of_the_paper() {
        // c(256) as published with the first implementations.
        assert!((usual_path(256) - 10.244_770_9).abs() < 1e-6);
        assert_eq!([usual_path(0), usual_path(1), usual_path(2)], [0.0, 0.0, 1.0]);
    }

    #[test]
    fn trees_are_the_same_on_any_number_of_threads() {
        let rows = cloud(5_000);
        let scores = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| Forest::planes(&rows, &all(&rows), &GROWTH).unwrap().scores(&rows))
        };
        let one = scores(1);
        assert!(one == scores(2) && one == scores(16));
    }

    #[test]
    fn a_forest_of_axes_gives_the_scores_of_a_plain_recursive_one() {
        // The full array must be worth what the tree with its early ends is worth: for two rows, one cut and two ends of depth one.
        let rows = Rows::new(vec![0.0, 0.0, 0.0, 0.0, 5.0, 0.0, 0.0, 0.0], 4);
        let forest = Forest::axes(&rows, &[0, 1], &GROWTH).unwrap();
        assert_eq!(forest.scores(&rows), [0.5, 0.5]);
        // Three alike and one apart: the one always needs a single cut, the three end together at c(3).
        let mut flat = vec![0.0; 12];
        flat.extend([1.0, 0.0, 0.0, 0.0]);
        let rows = Rows::new(flat, 4);
        let scores = Forest::axes(&rows, &all(&rows), &GROWTH).unwrap().scores(&rows);
        let expect = |path: f64| (-path / usual_path(4)).exp2();
        assert!((scores[3] - expect(1.0)).abs() < 1e-6 && (scores[0] - expect(1.0 + usual_path(3))).abs() < 1e-6, "{scores:?}");
    }

    #[test]
    fn rows_that_are_all_alike_are_all_as_strange_as_each_other() {
        let rows = Rows::new(vec![3.0; 400], 4);
        for grow in [Forest::axes, Forest::planes] {
            let scores = grow(&rows, &all(&rows), &GROWTH).unwrap().scores(&rows);
            assert!(scores.iter().all(|score| *score == scores[0] && (0.0..=1.0).contains(score)), "{}", scores[0]);
        }
        assert!(Forest::axes(&rows, &[0], &GROWTH).is_none());
    }

    #[test]
    fn values_at_the_ends_of_floats_do_no_harm() {
        let flat = vec![f32::MAX, f32::MIN, 0.0, 1.0, f32::MIN, f32::MAX, 0.0, f32::MIN_POSITIVE, 1e-30, 0.0, 0.0, 0.0];
        let rows = Rows::new(flat, 4);
        for grow in [Forest::axes, Forest::planes] {
            let scores = grow(&rows, &all(&rows), &GROWTH).unwrap().scores(&rows);
            assert!(scores.iter().all(|score| score.is_finite()), "{scores:?}");
        }
    }
}
