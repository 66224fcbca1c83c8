//! Counts of values in buckets whose width grows with the value.

use std::cell::RefCell;

/// Counts of whole numbers in buckets of bounded relative width: below 2^(`BITS` + 1) each value has its own, above that
/// a bucket is at most 2^−`BITS` of its values wide.
///
/// The buckets are those of an HDR histogram (Tene) from 1 with three significant digits for `BITS` = 10 and two for
/// `BITS` = 7; the index follows from the position of the highest bit. Only the buckets between the lowest and the
/// highest in use are ever read or cleared. Counters are small, so that those of a group of runs that take turns stay in
/// the nearest memory.
#[derive(Debug)]
pub struct Buckets<const BITS: u32> {
    /// Each count, modulo 2¹⁶.
    counts: Vec<u16>,
    /// The rest of each in units of 2¹⁶; empty as long as all is 0.
    carried: Vec<u32>,
    /// Bucket of the values beyond the range.
    top: usize,
    /// Least and greatest value recorded; the other way round if there is none.
    range: (u64, u64),
    total: u64,
}

impl<const BITS: u32> Buckets<BITS> {
    /// Empty buckets for values up to `greatest`; those beyond its octave count as `greatest`.
    pub fn new(greatest: u64) -> Self {
        let octaves = shift::<BITS>(greatest) + 2;
        let counts = spare((octaves as usize) << BITS);
        Buckets { counts, carried: Vec::new(), top: index::<BITS>(greatest), range: (u64::MAX, 0), total: 0 }
    }

    /// Counts one value.
    #[inline]
    pub fn record(&mut self, value: u64) {
        self.range = (self.range.0.min(value), self.range.1.max(value));
        self.total += 1;
        self.increment(index::<BITS>(value));
    }

    /// As [`Buckets::record`] of each, which keeps what all have in common at hand.
    #[inline]
    pub fn record_all(&mut self, values: &[u64]) {
        let (mut least, mut greatest) = self.range;
        for value in values {
            least = least.min(*value);
            greatest = greatest.max(*value);
            self.increment(index::<BITS>(*value));
        }
        self.range = (least, greatest);
        self.total += values.len() as u64;
    }

    #[inline(always)]
    fn increment(&mut self, at: usize) {
        if let Some(count) = self.counts.get_mut(at) {
            *count = count.wrapping_add(1);
            if *count != 0 {
                return;
            }
        }
        self.increment_rare(at);
    }

    /// A value beyond the range, or one whose counter has just come to 2¹⁶.
    #[cold]
    #[inline(never)]
    fn increment_rare(&mut self, at: usize) {
        if at < self.counts.len() { self.carry(at, 1) } else { self.put(self.top, 1) }
    }

    /// Adds to what the counter at `index` does not hold, in its units.
    #[cold]
    fn carry(&mut self, index: usize, units: u64) {
        self.carried.resize(self.counts.len(), 0);
        let carried = &mut self.carried[index];
        *carried = carried.saturating_add(u32::try_from(units).unwrap_or(u32::MAX));
    }

    /// Counts `more` values in the bucket `index`.
    fn put(&mut self, index: usize, more: u64) {
        let count = u64::from(self.counts[index]) + more;
        self.counts[index] = count as u16;
        if count > u64::from(u16::MAX) {
            self.carry(index, count >> u16::BITS);
        }
    }

    /// Adds everything `other` has counted.
    pub fn add(&mut self, other: &Self) {
        for (index, count) in other.used() {
            self.put(if index < self.counts.len() { index } else { self.top }, count);
        }
        self.range = (self.range.0.min(other.range.0), self.range.1.max(other.range.1));
        self.total += other.total;
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        let span = self.span();
        self.counts[span].fill(0);
        self.carried.clear();
        self.range = (u64::MAX, 0);
        self.total = 0;
    }

    /// How many values were counted.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The greatest value, itself and not its bucket; 0 if there is none.
    pub fn greatest(&self) -> u64 {
        self.range.1
    }

    /// The indices from the lowest bucket in use to the highest.
    fn span(&self) -> std::ops::Range<usize> {
        if self.total == 0 {
            return 0..0;
        }
        let (low, high) = (index::<BITS>(self.range.0), index::<BITS>(self.range.1));
        if high < self.counts.len() {
            return low..high + 1;
        }
        low.min(self.top)..self.counts.len()
    }

    fn used(&self) -> impl Iterator<Item = (usize, u64)> {
        let span = self.span();
        let carried = |index| self.carried(index);
        let counts = self.counts[span.clone()].iter();
        span.zip(counts)
            .map(move |(index, count)| (index, u64::from(*count) + carried(index)))
            .filter(|(_, count)| *count > 0)
    }

    /// What of the count at `index` does not fit into its counter.
    #[inline]
    fn carried(&self, index: usize) -> u64 {
        self.carried.get(index).map_or(0, |carried| u64::from(*carried) << u16::BITS)
    }

    /// The greatest value of each bucket in use, in ascending order, with its count.
    pub fn iter(&self) -> impl Iterator<Item = (u64, u64)> {
        self.used().map(|(index, count)| (end::<BITS>(index), count))
    }

    /// For each of `ranks`, which count from 1 and ascend, the greatest value of the bucket that holds it, in one pass: that of the
    /// highest in use for those beyond all.
    pub fn at_ranks(&self, ranks: impl Iterator<Item = u64>) -> Vec<u64> {
        let span = self.span();
        // The first counter that has not been passed, and the counts before it.
        let (mut at, mut below) = (span.start, 0);
        let find = |rank| {
            // Stretches are passed as a whole: nearly all counters are in one that holds no rank.
            while let Some(stretch) = self.counts[at..span.end].get(..STRETCH) {
                // No sum of so few of them exceeds a word of half the size.
                let mut counted = u64::from(stretch.iter().fold(0, |sum, count| sum + u32::from(*count)));
                for carried in self.carried.get(at..at + STRETCH).unwrap_or_default() {
                    counted += u64::from(*carried) << u16::BITS;
                }
                if below + counted >= rank {
                    break;
                }
                (at, below) = (at + STRETCH, below + counted);
            }
            while at < span.end {
                let counted = u64::from(self.counts[at]) + self.carried(at);
                if below + counted >= rank {
                    return end::<BITS>(at);
                }
                (at, below) = (at + 1, below + counted);
            }
            self.used().last().map_or(0, |(index, _)| end::<BITS>(index))
        };
        ranks.map(find).collect()
    }

    /// The least value that at least a share `q` (0 < `q` ≤ 1) does not exceed, to the end of its bucket; `None` if there
    /// is none.
    pub fn quantile(&self, q: f64) -> Option<u64> {
        let rank = ((q * self.total as f64).ceil() as u64).max(1);
        (self.total > 0).then(|| self.at_ranks(std::iter::once(rank))[0])
    }
}

impl<const BITS: u32> Clone for Buckets<BITS> {
    fn clone(&self) -> Self {
        let mut counts = spare(self.counts.len());
        let span = self.span();
        counts[span.clone()].copy_from_slice(&self.counts[span]);
        let (top, range, total) = (self.top, self.range, self.total);
        Buckets { counts, carried: self.carried.clone(), top, range, total }
    }
}

/// The memory serves the next ones of this thread: a sweep makes some for every run, and fresh memory costs more than a
/// short run records.
impl<const BITS: u32> Drop for Buckets<BITS> {
    fn drop(&mut self) {
        self.clear();
        give_back(std::mem::take(&mut self.counts));
    }
}

/// Maximum number of counters kept for the next use. A run has some ten histograms, and a few runs go side by side.
const MOST_SPARE: usize = 64;

thread_local! {
    /// Counters that are all zero, of any lengths.
    static SPARE: RefCell<Vec<Vec<u16>>> = const { RefCell::new(Vec::new()) };
}

/// So many counters, all zero.
fn spare(length: usize) -> Vec<u16> {
    let found = SPARE.try_with(|spare| {
        let mut spare = spare.borrow_mut();
        let fits = spare.iter().rposition(|counts| counts.len() == length)?;
        Some(spare.swap_remove(fits))
    });
    found.ok().flatten().unwrap_or_else(|| vec![0; length])
}

fn give_back(counts: Vec<u16>) {
    // Refused only while the thread ends, when nobody needs them any more.
    let _ = SPARE.try_with(|spare| {
        let mut spare = spare.borrow_mut();
        if spare.len() == MOST_SPARE {
            spare.swap_remove(0);
        }
        spare.push(counts);
    });
}

/// Counters that are looked at together: those of a line of the cache.
const STRETCH: usize = 32;

/// How many of the lowest bits of a value its bucket does not tell apart.
#[inline]
fn shift<const BITS: u32>(value: u64) -> u32 {
    63 - BITS - (value | ((2 << BITS) - 1)).leading_zeros()
}

#[inline]
fn index<const BITS: u32>(value: u64) -> usize {
    let shift = shift::<BITS>(value);
    ((u64::from(shift) << BITS) + (value >> shift)) as usize
}

/// The greatest value of a bucket.
fn end<const BITS: u32>(index: usize) -> u64 {
    let shift = (index as u64 >> BITS).saturating_sub(1);
    let place = index as u64 - (shift << BITS);
    ((place + 1) << shift) - 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use hdrhistogram::Histogram;
    use proptest::prelude::*;

    /// Values of every order of magnitude, some of them beyond a range.
    fn values() -> impl Strategy<Value = Vec<u64>> {
        let any = (0_u32..62, any::<u64>()).prop_map(|(bits, value)| value >> (63 - bits));
        prop::collection::vec(any, 1..200)
    }

    fn same<const BITS: u32>(
        digits: u8,
        greatest: u64,
        values: &[u64],
        shares: &[f64],
    ) -> Result<(), TestCaseError> {
        let mut theirs = Histogram::<u64>::new_with_bounds(1, greatest, digits).unwrap();
        let mut ours = Buckets::<BITS>::new(greatest);
        for value in values {
            theirs.saturating_record(*value);
            ours.record(*value);
        }
        let recorded: Vec<(u64, u64)> = theirs
            .iter_recorded()
            .map(|bucket| (bucket.value_iterated_to(), bucket.count_since_last_iteration()))
            .collect();
        prop_assert_eq!(ours.iter().collect::<Vec<_>>(), recorded);
        for share in shares {
            prop_assert_eq!(ours.quantile(*share), Some(theirs.value_at_quantile(*share)));
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn buckets_and_quantiles_are_those_of_an_hdr_histogram(
            values in values(),
            greatest in 2_u64..1 << 62,
            shares in prop::collection::vec(1e-6..=1.0, 4),
        ) {
            same::<10>(3, greatest, &values, &shares)?;
            same::<7>(2, greatest, &values, &shares)?;
        }

        #[test]
        fn the_end_of_a_bucket_is_in_it_and_the_next_value_is_not(value in 0_u64..u64::MAX / 4) {
            let last = end::<10>(index::<10>(value));
            prop_assert!(value <= last && index::<10>(last) == index::<10>(value));
            prop_assert_eq!(index::<10>(last + 1), index::<10>(value) + 1);
        }

        #[test]
        fn adding_and_clearing_leave_what_recording_alone_would(
            before in values(), first in values(), second in values(), greatest in 2_u64..1 << 62,
        ) {
            let of = |values: &[u64]| {
                let mut buckets = Buckets::<10>::new(greatest);
                let (one_by_one, at_once) = values.split_at(values.len() / 3);
                one_by_one.iter().for_each(|value| buckets.record(*value));
                buckets.record_all(at_once);
                buckets
            };
            let mut sum = of(&before);
            sum.clear();
            sum.add(&of(&first));
            sum.add(&of(&second).clone());
            let together = of(&[first, second].concat());
            prop_assert_eq!(sum.iter().collect::<Vec<_>>(), together.iter().collect::<Vec<_>>());
            prop_assert_eq!((sum.total(), sum.range), (together.total(), together.range));
        }
    }

    #[test]
    fn a_counter_that_overflows_carries() {
        let mut buckets = Buckets::<10>::new(1000);
        buckets.put(5, u64::from(u32::MAX) - 1);
        buckets.total = u64::from(u32::MAX) - 1;
        buckets.range = (5, 5);
        for _ in 0..3 {
            buckets.record(5);
        }
        assert_eq!(buckets.iter().collect::<Vec<_>>(), [(5, (1 << 32) + 1)]);
        let twice = buckets.clone();
        buckets.add(&twice);
        assert_eq!(buckets.iter().collect::<Vec<_>>(), [(5, (2 << 32) + 2)]);
        assert_eq!(buckets.at_ranks([1, (2 << 32) + 2].into_iter()), [5, 5]);
        buckets.put(5, u64::from(u32::MAX) - 1);
        buckets.total += u64::from(u32::MAX) - 1;
        assert_eq!(buckets.counts[5], 0, "all of it is carried");
        assert_eq!(buckets.iter().collect::<Vec<_>>(), [(5, 3 << 32)]);
        buckets.clear();
        assert_eq!(buckets.iter().next(), None);
    }

    #[test]
    fn memory_is_handed_on_empty() {
        let mut buckets = Buckets::<10>::new(1 << 40);
        (0..1000).for_each(|value| buckets.record(value << 30));
        let length = buckets.counts.len();
        drop(buckets);
        assert!(SPARE.with_borrow(|spare| spare.iter().any(|counts| counts.len() == length)));
        assert_eq!(Buckets::<10>::new(1 << 40).counts, vec![0; length]);
    }
}
