//! Seeded numbers for the forests: the same on every machine and at any number of threads.

use crate::synth::Rng;

/// The seed of one of many streams: far apart for neighbouring numbers, so that trees grown side by side have nothing in common.
pub fn seed_of(seed: u64, stream: u64) -> u64 {
    Rng::new(seed ^ stream.wrapping_mul(0xd1b5_4a32_d192_ed03)).bits()
}

/// From 0 up to, not including, 1.
pub fn unit(rng: &mut Rng) -> f64 {
    (rng.bits() >> 11) as f64 / (1u64 << 53) as f64
}

/// Between both ends.
pub fn between(rng: &mut Rng, low: f32, high: f32) -> f32 {
    low + (high - low) * unit(rng) as f32
}

/// Nearly normal, mean 0 and variance 1: the sum of twelve even draws of 16 bits (Irwin-Hall). No logarithm, whose last digit differs
/// between C libraries.
pub fn normal(rng: &mut Rng) -> f32 {
    let mut sum = 0u64;
    for _ in 0..3 {
        let bits = rng.bits();
        sum += (bits & 0xffff) + (bits >> 16 & 0xffff) + (bits >> 32 & 0xffff) + (bits >> 48);
    }
    // Each draw has mean 32767.5; the sum of twelve has the deviation of one unit of 65536.
    (sum as f64 / 65_536.0 - 12.0 * 32_767.5 / 65_536.0) as f32
}

/// `n` different places below `of`, in the order in which they were drawn; all of them, in order, if there are no more.
pub fn sample(rng: &mut Rng, of: usize, n: usize) -> Vec<u32> {
    let mut places: Vec<u32> = (0..of as u32).collect();
    if n >= of {
        return places;
    }
    for at in 0..n {
        let other = at + rng.below((of - at) as u64) as usize;
        places.swap(at, other);
    }
    places.truncate(n);
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_draws_have_mean_zero_and_variance_one() {
        let mut rng = Rng::new(3);
        let drawn: Vec<f64> = (0..20_000).map(|_| f64::from(normal(&mut rng))).collect();
        let mean = drawn.iter().sum::<f64>() / 20_000.0;
        let variance = drawn.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / 20_000.0;
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.05, "{mean} {variance}");
    }

    #[test]
    fn a_sample_names_different_places_and_a_large_one_names_all() {
        let mut drawn = sample(&mut Rng::new(1), 1_000, 256);
        drawn.sort_unstable();
        drawn.dedup();
        assert_eq!((drawn.len(), drawn.iter().all(|place| *place < 1_000)), (256, true));
        assert_eq!(sample(&mut Rng::new(1), 3, 256), [0, 1, 2]);
    }

    #[test]
    fn neighbouring_streams_have_nothing_in_common() {
        let first: Vec<u64> = (0..100).map(|stream| seed_of(42, stream)).collect();
        let mut distinct = first.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), 100);
        assert!(seed_of(42, 1) ^ seed_of(42, 2) > 1 << 40);
    }
}
