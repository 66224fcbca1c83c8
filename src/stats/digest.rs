//! A distribution of times, recorded in bounded memory.

use super::Buckets;
use crate::time::Span;

/// A distribution of spans: exact count, mean and maximum; quantiles within 0.1 % of a recorded value.
///
/// Buckets of three significant digits with exact sums beside them. Memory depends on the range alone, never on the number
/// of values; digests of one range merge exactly.
#[derive(Debug, Clone)]
pub struct Digest {
    buckets: Buckets<BITS>,
    /// Zeros have a count of their own: they are the most frequent wait, and free to record.
    zeros: u64,
    sum: u128,
}

/// A bucket is at most 2⁻¹⁰ of its values wide: relative error at most 10⁻³.
const BITS: u32 = 10;

impl Digest {
    /// An empty digest for spans up to `longest`; longer ones count as `longest`.
    pub fn new(longest: Span) -> Self {
        let greatest = longest.as_nanos().clamp(2, u64::MAX / 2);
        Digest { buckets: Buckets::new(greatest), zeros: 0, sum: 0 }
    }

    /// Records one span, in nanoseconds.
    #[inline]
    pub fn record(&mut self, nanos: u64) {
        if nanos == 0 {
            self.zeros += 1;
            return;
        }
        self.buckets.record(nanos);
        self.sum += u128::from(nanos);
    }

    /// Records many spans, in nanoseconds.
    #[inline]
    pub fn record_all(&mut self, spans: &[u64]) {
        // In halves, which fit into a word and are added several at a time.
        let (mut low, mut high, mut zeros) = (0, 0, false);
        for nanos in spans {
            low += nanos & u64::from(u32::MAX);
            high += nanos >> 32;
            zeros |= *nanos == 0;
        }
        if zeros {
            return spans.iter().for_each(|nanos| self.record(*nanos));
        }
        self.sum += (u128::from(high) << 32) + u128::from(low);
        self.buckets.record_all(spans);
    }

    /// Records so many spans of 0.
    pub fn record_zeros(&mut self, count: u64) {
        self.zeros += count;
    }

    /// Adds everything `other` has recorded.
    pub fn merge(&mut self, other: &Digest) {
        self.buckets.add(&other.buckets);
        self.zeros += other.zeros;
        self.sum += other.sum;
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.buckets.clear();
        self.zeros = 0;
        self.sum = 0;
    }

    /// How many spans were recorded.
    pub fn count(&self) -> u64 {
        self.buckets.total() + self.zeros
    }

    /// Mean in seconds, exact; `None` if nothing was recorded.
    pub fn mean(&self) -> Option<f64> {
        (self.count() > 0).then(|| self.sum_s() / self.count() as f64)
    }

    /// Sum in seconds, exact to the rounding of one division.
    pub fn sum_s(&self) -> f64 {
        self.sum as f64 / 1e9
    }

    /// Greatest span in seconds, exact; `None` if nothing was recorded.
    pub fn max(&self) -> Option<f64> {
        (self.count() > 0).then(|| self.buckets.greatest() as f64 / 1e9)
    }

    /// The `q`-quantile in seconds (0 < `q` ≤ 1): the least recorded value that at least a share `q` does not exceed,
    /// within 0.1 %; `None` if nothing was recorded.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        self.quantiles(std::slice::from_ref(&q)).map(|found| found[0])
    }

    /// Several of [`Digest::quantile`], of shares that ascend, in one pass.
    pub fn quantiles(&self, shares: &[f64]) -> Option<Vec<f64>> {
        let count = self.count();
        if count == 0 {
            return None;
        }
        // Rounding must not push a rank that is whole up by one: 0.07 × 100 is 7.000000000000001.
        let rank =
            |q: &f64| (q * count as f64 * (1.0 - 2.0 * f64::EPSILON)).ceil().clamp(1.0, count as f64) as u64;
        let zeros = shares.iter().filter(|q| rank(q) <= self.zeros).count();
        let within = self.buckets.at_ranks(shares[zeros..].iter().map(|q| rank(q) - self.zeros));
        let longest = self.buckets.greatest();
        let seconds = within.into_iter().map(|nanos| nanos.min(longest) as f64 / 1e9);
        Some(std::iter::repeat_n(0.0, zeros).chain(seconds).collect())
    }

    /// The values recorded, in nanoseconds and to the width of a bucket, in ascending order, with how many there are of
    /// each.
    pub fn buckets(&self) -> impl Iterator<Item = (u64, u64)> {
        let longest = self.buckets.greatest();
        let recorded = self.buckets.iter().map(move |(nanos, count)| (nanos.min(longest), count));
        (self.zeros > 0).then_some((0, self.zeros)).into_iter().chain(recorded)
    }

    /// The distribution as steps: `(seconds, share of values at most that long)`, increasing in both.
    pub fn cumulative(&self) -> Vec<(f64, f64)> {
        let count = self.count() as f64;
        let mut below = 0;
        let step = |(nanos, more)| {
            below += more;
            (nanos as f64 / 1e9, below as f64 / count)
        };
        self.buckets().map(step).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_known_values_are_within_a_thousandth() {
        let mut digest = Digest::new(Span::from_secs(3600));
        for millis in 1..=10_000_u64 {
            digest.record(millis * 1_000_000);
        }
        for (q, exact) in [(0.5, 5.0), (0.9, 9.0), (0.99, 9.9), (0.999, 9.99), (1.0, 10.0), (1e-9, 0.001)] {
            let found = digest.quantile(q).unwrap();
            assert!((found - exact).abs() <= exact * 1e-3, "{q}: {found} for {exact}");
        }
        let several = [0.5, 0.9, 0.99].map(|q| digest.quantile(q).unwrap());
        assert_eq!(digest.quantiles(&[0.5, 0.9, 0.99]).unwrap(), several);
        assert_eq!(digest.mean(), Some(5.0005));
        assert_eq!(digest.max(), Some(10.0));
    }

    #[test]
    fn zeros_count_and_take_their_place() {
        let mut digest = Digest::new(Span::from_secs(60));
        for nanos in [0, 0, 0, 1_000] {
            digest.record(nanos);
        }
        assert_eq!(digest.count(), 4);
        assert_eq!(digest.quantile(0.75), Some(0.0));
        assert_eq!(digest.quantile(0.76), Some(1e-6));
        assert_eq!(digest.cumulative(), [(0.0, 0.75), (1e-6, 1.0)]);
    }

    #[test]
    fn many_at_once_are_recorded_as_one_by_one() {
        for count in [0, 1, 300] {
            let spans = || (0..count).map(|index: u64| (index * 7 % 5) * index * 1_000_003);
            let (mut one_by_one, mut at_once) =
                (Digest::new(Span::from_secs(60)), Digest::new(Span::from_secs(60)));
            spans().for_each(|nanos| one_by_one.record(nanos));
            at_once.record_zeros(1);
            at_once.record_all(&spans().collect::<Vec<u64>>());
            one_by_one.record(0);
            assert_eq!(format!("{at_once:?}"), format!("{one_by_one:?}"), "{count}");
        }
    }

    #[test]
    fn every_rank_is_found_among_few_values() {
        for count in 1..200_u64 {
            let mut digest = Digest::new(Span::from_secs(60));
            (1..=count).for_each(|value| digest.record(value * 1_000));
            for rank in 1..=count {
                let found = digest.quantile(rank as f64 / count as f64);
                let exact = rank as f64 * 1e-6;
                assert!(
                    found.is_some_and(|found| (found - exact).abs() <= exact * 1e-3),
                    "{rank} of {count}: {found:?}"
                );
            }
        }
    }

    #[test]
    fn merging_is_the_same_as_recording_together() {
        let (mut left, mut right, mut both) = (
            Digest::new(Span::from_secs(60)),
            Digest::new(Span::from_secs(60)),
            Digest::new(Span::from_secs(60)),
        );
        for nanos in [5_u64, 77_777, 0, 123_456_789] {
            left.record(nanos);
            both.record(nanos);
        }
        for nanos in [9_u64, 0, 1_000_000_007] {
            right.record(nanos);
            both.record(nanos);
        }
        left.merge(&right);
        assert_eq!(left.cumulative(), both.cumulative());
        assert_eq!(left.mean(), both.mean());
    }

    #[test]
    fn an_empty_digest_says_so() {
        let digest = Digest::new(Span::from_secs(1));
        assert_eq!((digest.mean(), digest.max(), digest.quantile(0.5)), (None, None, None));
        assert!(digest.cumulative().is_empty());
    }
}
