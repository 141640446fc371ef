//! Chance that repeats: SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014).
//!
//! Whole numbers only. The last digit of a logarithm differs between C libraries, and a dataset must not.

/// A seeded stream of numbers; the same on every machine.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// The stream of this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 up to, not including, `n`; 0 if `n` is 0.
    pub fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(n)) >> 64) as u64
    }

    /// A number between both ends, both included.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below((high - low).max(0) as u64 + 1) as i64
    }

    /// True in `permille` of 1000 cases.
    pub fn chance(&mut self, permille: u64) -> bool {
        self.below(1000) < permille
    }

    /// `value`, moved evenly by at most `percent` of itself either way.
    pub fn jitter(&mut self, value: i64, percent: i64) -> i64 {
        let spread = value / 100 * percent + value % 100 * percent / 100;
        self.between(value - spread, value + spread)
    }

    /// A time or size as people make it: from a sixteenth of `usual` to four times as much, each doubling as likely as the next.
    pub fn human(&mut self, usual: i64) -> i64 {
        let least = (usual / 16).max(1) << self.below(6);
        self.between(least, 2 * least - 1)
    }

    /// `n` bytes with no structure, as ciphertext has.
    pub fn bytes(&mut self, n: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(n + 8);
        while out.len() < n {
            out.extend_from_slice(&self.bits().to_le_bytes());
        }
        out.truncate(n);
        out
    }

    /// `n` characters of `alphabet`.
    pub fn text(&mut self, n: usize, alphabet: &str) -> String {
        let letters: Vec<char> = alphabet.chars().collect();
        (0..n).filter_map(|_| letters.get(self.below(letters.len() as u64) as usize)).collect()
    }

    /// One of `from`, which must not be empty.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len() as u64) as usize]
    }

    /// The same things in another order.
    pub fn shuffle<T>(&mut self, things: &mut [T]) {
        for last in (1..things.len()).rev() {
            things.swap(last, self.below(last as u64 + 1) as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_the_published_one() {
        // First values of SplitMix64 for seed 1234567, as listed with the reference code.
        let mut rng = Rng::new(1_234_567);
        assert_eq!([rng.bits(), rng.bits(), rng.bits()], [6457827717110365317, 3203168211198807973, 9817491932198370423]);
    }

    #[test]
    fn numbers_stay_inside_their_bounds_and_reach_both_ends() {
        let mut rng = Rng::new(1);
        let drawn: Vec<i64> = (0..1000).map(|_| rng.between(-3, 3)).collect();
        assert_eq!((drawn.iter().min(), drawn.iter().max()), (Some(&-3), Some(&3)));
        assert!((0..1000).map(|_| rng.jitter(60_000_000_000, 20)).all(|gap| (48_000_000_000..=72_000_000_000).contains(&gap)));
    }

    #[test]
    fn people_keep_no_pace() {
        // The measure of the beacon rule: 1 - 1.4826 · MAD / median of the pauses.
        let mut rng = Rng::new(2);
        let mut waits: Vec<i64> = (0..10_001).map(|_| rng.human(16_000)).collect();
        waits.sort();
        assert!(waits[0] >= 1_000 && waits[10_000] < 64_000);
        let median = waits[5_000];
        let mut off: Vec<i64> = waits.iter().map(|wait| (wait - median).abs()).collect();
        off.sort();
        assert!(1.0 - 1.4826 * off[5_000] as f64 / (median as f64) < 0.1, "median {median}, off by {}", off[5_000]);
    }
}
