//! The times that requests took, in few bytes: what a stored replication holds of them.

use serde::{Deserialize, Serialize};

use super::Digest;

/// Significant bits of a bucket: those of a [`Digest`], so that each of its buckets keeps its own.
const BITS: u32 = 10;

/// The values of a [`Digest`] as they are kept until the replications of a setting are put together, and in a store.
///
/// A bucket is written as twice its count, and where it does not follow on the bucket before, as one more than that and
/// the distance of their indices; in seven bits a byte (LEB128). Most buckets take one byte, where distances in nanoseconds
/// would take four more.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tally {
    #[serde(with = "bytes")]
    steps: Vec<u8>,
    count: u64,
    /// Upper end of the last bucket in nanoseconds: the greatest value may lie within the bucket.
    longest: u64,
}

impl Tally {
    /// The buckets of `digest`.
    pub fn of(digest: &Digest) -> Tally {
        let mut steps = Vec::new();
        let (mut before, mut longest) = (0, 0);
        for (nanos, count) in digest.buckets() {
            let index = index(nanos);
            match index - before {
                1 => put(&mut steps, count << 1),
                gap => {
                    put(&mut steps, count << 1 | 1);
                    put(&mut steps, gap);
                }
            }
            (before, longest) = (index, nanos);
        }
        steps.shrink_to_fit();
        Tally { steps, count: digest.count(), longest }
    }

    /// How many values there are.
    #[cfg(feature = "internals")]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The buckets: values that ascend, nanoseconds, and how many are at most that long.
    pub(super) fn cumulative(&self) -> Vec<(u64, u64)> {
        let mut bytes = self.steps.as_slice();
        let (mut index, mut below) = (0_u64, 0_u64);
        // A byte a step at least: never grown, since this is half of what it takes to read a finished run.
        let mut steps = Vec::with_capacity(self.steps.len());
        while let Some(step) = take(&mut bytes) {
            let gap = if step & 1 == 0 { Some(1) } else { take(&mut bytes) };
            // Bytes of a damaged file may say anything: wrong values, but no panic.
            index = index.saturating_add(gap.unwrap_or(0));
            below = below.saturating_add(step >> 1);
            steps.push((end(index).min(self.longest), below));
        }
        steps
    }
}

/// The bucket of `nanos`: below 2^([`BITS`] + 1) each value has its own, above that the first [`BITS`] + 1 bits count.
fn index(nanos: u64) -> u64 {
    let shift = (u64::BITS - nanos.leading_zeros()).saturating_sub(BITS + 1);
    (u64::from(shift) << BITS) + (nanos >> shift)
}

/// The greatest value of the bucket `index`.
fn end(index: u64) -> u64 {
    let shift = (index >> BITS).saturating_sub(1);
    if shift > u64::from(u64::BITS - BITS - 1) {
        return u64::MAX;
    }
    let first = (index - (shift << BITS)) << shift;
    first | ((1 << shift) - 1)
}

fn put(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

#[inline]
fn take(bytes: &mut &[u8]) -> Option<u64> {
    let (mut value, mut shift) = (0, 0);
    loop {
        let (byte, rest) = bytes.split_first()?;
        let byte = *byte;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
        shift += 7;
        if shift >= u64::BITS {
            return None;
        }
    }
}

/// Bytes as one block; `serde` would take them one by one.
mod bytes {
    use serde::de::{Deserializer, Error, Visitor};
    use serde::ser::Serializer;

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        deserializer.deserialize_bytes(Block)
    }

    struct Block;

    impl Visitor<'_> for Block {
        type Value = Vec<u8>;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("bytes")
        }
        fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
            Ok(bytes.to_vec())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Span;

    fn of(values: impl Iterator<Item = u64>) -> Digest {
        let mut digest = Digest::new(Span::from_secs(3600));
        values.for_each(|nanos| digest.record(nanos));
        digest
    }

    /// The buckets of the digest, with how many values are within each.
    fn within(digest: &Digest) -> Vec<(u64, u64)> {
        let mut below = 0;
        let step = |(nanos, count)| {
            below += count;
            (nanos, below)
        };
        digest.buckets().map(step).collect()
    }

    #[test]
    fn zeros_and_long_times_survive_the_tally() {
        let digest = of([0, 0, 5, 1_000_000_000, 3_599_000_000_000].into_iter());
        let steps = Tally::of(&digest).cumulative();
        assert_eq!(steps[0], (0, 2));
        assert_eq!(steps.last().unwrap(), &(3_599_000_000_000, 5));
    }

    #[test]
    fn every_bucket_of_a_digest_comes_back_as_it_was() {
        let spread = of((0..60_000_u64).map(|k| k * k * 997));
        let beyond = of([1, 2047, 2048, 4095, 4096, 9 * 3600 * 1_000_000_000].into_iter());
        let empty = of(std::iter::empty());
        for digest in [spread, beyond, empty] {
            assert_eq!(Tally::of(&digest).cumulative(), within(&digest));
        }
    }

    #[test]
    fn a_bucket_takes_about_one_byte() {
        // Exponential latencies of mean 200 ms, 100,000 of them, by their quantiles.
        let nanos = |k: u64| (-(((k as f64 + 0.5) / 1e5).ln()) * 2e8) as u64;
        let digest = of((0..100_000).map(nanos));
        let (buckets, bytes) = (digest.buckets().count(), Tally::of(&digest).steps.len());
        assert!(buckets > 10_000 && bytes * 10 < buckets * 12, "{bytes} for {buckets}");
    }

    #[test]
    fn a_tally_survives_its_bytes_and_damaged_ones_do_no_harm() {
        let tally = Tally::of(&of((0..1000).map(|k| k * 1_000_003)));
        let bytes = postcard::to_allocvec(&tally).unwrap();
        assert_eq!(postcard::from_bytes::<Tally>(&bytes).unwrap(), tally);
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0xff;
            if let Ok(tally) = postcard::from_bytes::<Tally>(&damaged) {
                tally.cumulative();
            }
        }
    }
}
