//! Two sliding windows: per-second buckets whose mean is what the decider sees, and the maximum that delays a scale-down.
//!
//! Source: Knative Serving, `pkg/autoscaler/aggregation` (`bucketing.go`, `max/window.go`, `max/timewindow.go`).

use crate::time::{Instant, Span};

/// Sums per bucket of time over a sliding window, and their mean.
///
/// Values written into the same bucket add up, because the activator and the pods each report their own part of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Buckets {
    ring: Vec<f64>,
    granularity: u64,
    window: Span,
    /// Numbers of the first and the last bucket written; none before the first write.
    written: Option<(u64, u64)>,
    first_unknown: bool,
    total: f64,
    /// Weight of the newest bucket, when recent ones count more.
    smoothing: Option<f64>,
}

/// How buckets become one value (`metric-aggregation-algorithm`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregation {
    /// The mean.
    Linear,
    /// A mean in which each second counts less than the one after it.
    WeightedExponential,
}

impl Buckets {
    /// Weights of a whole window sum to at least this.
    const WEIGHT: f64 = 0.9999;
    /// However long the window, the newest bucket has at least this weight.
    const LEAST_SMOOTHING: f64 = 0.2;

    /// Empty buckets of `granularity` seconds (at least 1) over `window`.
    pub fn new(window: Span, granularity: u64, aggregation: Aggregation) -> Buckets {
        let granularity = granularity.max(1);
        let count = bucket_count(window, granularity);
        Buckets {
            ring: vec![0.0; count],
            granularity,
            window,
            written: None,
            first_unknown: false,
            total: 0.0,
            smoothing: (aggregation == Aggregation::WeightedExponential).then(|| Self::smoothing(count)),
        }
    }

    fn smoothing(count: usize) -> f64 {
        (1.0 - (1.0 - Self::WEIGHT).powf(1.0 / count as f64)).max(Self::LEAST_SMOOTHING)
    }

    fn index(&self, at: Instant) -> u64 {
        at.as_nanos() / 1_000_000_000 / self.granularity
    }

    fn span(&self, buckets: u64) -> Span {
        Span::from_secs(buckets.saturating_mul(self.granularity))
    }

    fn slot(&self, index: u64) -> usize {
        (index % self.ring.len() as u64) as usize
    }

    /// Adds `value` to the bucket of `at`. A gap since the last write counts as zeros; after a silence as long as the
    /// window everything starts afresh; what is a whole window older than the last write is ignored.
    pub fn record(&mut self, at: Instant, value: f64) {
        let index = self.index(at);
        match self.written {
            Some((first, last)) if index > last && self.span(index - last) < self.window => {
                for gap in last + 1..=index {
                    let slot = self.slot(gap);
                    self.total -= self.ring[slot];
                    self.ring[slot] = 0.0;
                }
                self.written = Some((if self.first_unknown { index } else { first }, index));
                self.first_unknown = false;
            }
            Some((first, last)) if index < last => {
                if self.span(last - index) >= self.window {
                    return;
                }
                let first = if self.first_unknown { index } else { first.min(index) };
                self.written = Some((first, last));
                self.first_unknown = false;
            }
            Some((_, last)) if index == last => {}
            _ => {
                self.ring.fill(0.0);
                self.total = 0.0;
                self.written = Some((index, index));
                self.first_unknown = false;
            }
        }
        let slot = self.slot(index);
        self.ring[slot] += value;
        self.total += value;
    }

    /// Whether nothing has been written for longer than the window.
    pub fn is_empty(&self, now: Instant) -> bool {
        match self.written {
            None => true,
            Some((_, last)) => self.span(self.index(now).saturating_sub(last)) > self.window,
        }
    }

    /// The mean as it is seen at `now`: over the seconds written so far while the window is not full, and without the
    /// most recent ones while these have no value yet; rounded to 6 decimals. 0 after a silence as long as the window.
    pub fn average(&self, now: Instant) -> f64 {
        let Some((first, last)) = self.written else { return 0.0 };
        let now = self.index(now);
        if let Some(smoothing) = self.smoothing {
            return self.weighted(smoothing, last, now);
        }
        let count = self.ring.len() as u64;
        // After a change of the window that found no data, the first write is not known: as if it were long ago.
        let seen = if self.first_unknown { count } else { last - first + 1 };
        let (total, buckets) = match now.saturating_sub(last) {
            0 => (self.total, seen.min(count)),
            gap if self.span(gap) < self.window => {
                let stale: f64 = (last + 1..=now).fold(self.total, |sum, i| sum - self.ring[self.slot(i)]);
                (stale, seen.min(count - gap))
            }
            _ => return 0.0,
        };
        rounded(total / buckets as f64)
    }

    fn weighted(&self, smoothing: f64, last: u64, now: u64) -> f64 {
        let gap = now.saturating_sub(last);
        if self.span(gap) > self.window {
            return 0.0;
        }
        let count = self.ring.len() as u64;
        let mut weight = if gap > 0 { smoothing * (1.0 - smoothing).powf(gap as f64) } else { smoothing };
        let mut sum = 0.0;
        for back in 0..count.saturating_sub(gap) {
            sum += self.ring[self.slot(last + count - back)] * weight;
            weight *= 1.0 - smoothing;
        }
        sum
    }

    /// Changes the length of the window, keeping the newest buckets that fit.
    pub fn resize(&mut self, window: Span, now: Instant) {
        if window == self.window {
            return;
        }
        let count = bucket_count(window, self.granularity);
        let old = self.ring.len();
        let mut ring = vec![0.0; count];
        let mut total = 0.0;
        match self.written {
            Some((_, last)) if !self.is_empty(now) => {
                for back in 0..count.min(old) as u64 {
                    let Some(index) = last.checked_sub(back) else { break };
                    let value = self.ring[self.slot(index)];
                    ring[(index % count as u64) as usize] = value;
                    total += value;
                }
                self.written = Some((last.saturating_sub(old as u64 - 1), last));
                self.first_unknown = false;
            }
            _ => self.first_unknown = self.written.is_some(),
        }
        self.smoothing = self.smoothing.map(|_| Self::smoothing(count));
        (self.ring, self.total, self.window) = (ring, total, window);
    }

    /// How many buckets there are.
    pub fn count(&self) -> usize {
        self.ring.len()
    }

    /// Start and value of each bucket that the window at `now` still holds, newest first.
    pub fn values(&self, now: Instant) -> impl Iterator<Item = (Instant, f64)> {
        let count = self.ring.len() as u64;
        let (last, left) = match self.written {
            Some((_, last)) => (last, count.saturating_sub(self.index(now).saturating_sub(last))),
            None => (0, 0),
        };
        (0..left).filter_map(move |back| {
            let index = last.checked_sub(back)?;
            Some((Instant::ZERO + self.span(index), self.ring[self.slot(index)]))
        })
    }
}

fn bucket_count(window: Span, granularity: u64) -> usize {
    (window.as_secs_f64() / granularity as f64).ceil().max(1.0) as usize
}

/// Rounded to the nearest 6 decimals, halves away from zero.
fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

/// The greatest value of the last so many numbered buckets, in constant time on average.
///
/// Holds values in falling order, each the greatest since its bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaxWindow {
    maxima: Vec<(u64, u32)>,
    first: usize,
    length: usize,
}

impl MaxWindow {
    /// A window of `buckets` buckets (at least 1).
    pub fn new(buckets: usize) -> MaxWindow {
        MaxWindow { maxima: vec![(0, 0); buckets.max(1)], first: 0, length: 0 }
    }

    fn last(&self) -> (u64, u32) {
        self.maxima[(self.first + self.length - 1) % self.maxima.len()]
    }

    /// Records `value` in bucket `index`; a value leaves when its bucket is as many buckets back as the window is long.
    pub fn record(&mut self, index: u64, mut value: u32) {
        let size = self.maxima.len();
        while self.length > 0 && self.last().1 <= value {
            self.length -= 1;
        }
        while self.length > 0 && index.saturating_sub(self.maxima[self.first].0) >= size as u64 {
            self.drop_first();
        }
        if self.length > 0 && self.last().0 == index {
            value = value.max(self.last().1);
            self.length -= 1;
        }
        if self.length == size {
            self.drop_first();
        }
        self.maxima[(self.first + self.length) % size] = (index, value);
        self.length += 1;
    }

    fn drop_first(&mut self) {
        self.length -= 1;
        self.first = (self.first + 1) % self.maxima.len();
    }

    /// The greatest value in the window; 0 before the first record.
    pub fn current(&self) -> u32 {
        self.maxima[self.first].1
    }
}

/// A [`MaxWindow`] whose buckets are stretches of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeWindow {
    window: MaxWindow,
    granularity: u64,
}

impl TimeWindow {
    /// A window of `length` in buckets of `granularity` seconds (at least 1), their number rounded up.
    pub fn new(length: Span, granularity: u64) -> TimeWindow {
        let granularity = granularity.max(1);
        TimeWindow { window: MaxWindow::new(bucket_count(length, granularity)), granularity }
    }

    /// Records `value` at `now` and returns the greatest value of the window.
    pub fn record(&mut self, now: Instant, value: u32) -> u32 {
        self.window.record(now.as_nanos() / 1_000_000_000 / self.granularity, value);
        self.window.current()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> Instant {
        Instant::ZERO + Span::from_secs_f64(1000.0 + seconds)
    }

    fn five_seconds() -> Buckets {
        Buckets::new(Span::from_secs(5), 1, Aggregation::Linear)
    }

    #[test]
    fn a_window_that_is_not_full_yet_averages_over_the_seconds_seen() {
        let mut buckets = five_seconds();
        buckets.record(at(0.0), 1.0);
        assert_eq!(buckets.average(at(0.0)), 1.0);
        (1..5).for_each(|i| buckets.record(at(f64::from(i)), f64::from(i) + 1.0));
        assert_eq!(buckets.average(at(4.0)), 3.0);
        assert_eq!(buckets.average(at(3.6)), 3.0, "a clock that lags sees the same");
        assert_eq!(buckets.average(at(6.0)), (3.0 + 4.0 + 5.0) / 3.0, "missing recent seconds are left out");
        assert_eq!(buckets.average(at(10.0)), 0.0, "nothing for a whole window");
        buckets.record(at(6.0), 91.0);
        assert_eq!(buckets.average(at(6.0)), (3.0 + 4.0 + 5.0 + 91.0) / 5.0, "a gap between writes is zeros");
    }

    #[test]
    fn a_silence_as_long_as_the_window_starts_afresh() {
        let mut buckets = five_seconds();
        buckets.record(at(0.0), 7.0);
        buckets.record(at(60.0), 1984.0);
        assert_eq!(buckets.average(at(60.0)), 1984.0);
        buckets.record(at(57.0), 4.0);
        assert_eq!(
            buckets.average(at(60.0)),
            (4.0 + 1984.0) / 4.0,
            "an earlier write moves the first one back"
        );
        buckets.record(at(54.0), 10.0);
        assert_eq!(buckets.average(at(60.0)), (4.0 + 1984.0) / 4.0, "too early to count");
    }

    #[test]
    fn averages_are_rounded_to_the_nearest_of_six_decimals() {
        let mut buckets = five_seconds();
        [2.0, 0.0, 0.0].iter().enumerate().for_each(|(i, value)| buckets.record(at(i as f64), *value));
        assert_eq!(buckets.average(at(2.0)), 0.666_667);
    }

    #[test]
    fn a_change_of_the_window_keeps_the_newest_buckets() {
        let mut buckets = five_seconds();
        (0..6).for_each(|i| buckets.record(at(f64::from(i)), f64::from(i) + 1.0));
        buckets.resize(Span::from_secs(10), at(5.0));
        assert_eq!((buckets.count(), buckets.average(at(5.0))), (10, 4.0));
        buckets.record(at(6.0), 7.0);
        assert_eq!(buckets.average(at(6.0)), 4.5);
        buckets.resize(Span::from_secs(4), at(6.0));
        assert_eq!((buckets.count(), buckets.average(at(6.0))), (4, 5.5));
        let kept: Vec<f64> = buckets.values(at(6.0)).map(|(_, value)| value).collect();
        assert_eq!(kept, [7.0, 6.0, 5.0, 4.0]);
    }

    #[test]
    fn coarse_buckets_hold_several_seconds() {
        let mut buckets = Buckets::new(Span::from_secs(5), 3, Aggregation::Linear);
        let at = |seconds: u64| Instant::ZERO + Span::from_secs(999 + seconds);
        [10.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
            .iter()
            .zip(0..)
            .for_each(|(value, second)| buckets.record(at(second), *value));
        let kept: Vec<f64> = buckets.values(at(6)).map(|(_, value)| value).collect();
        assert_eq!((buckets.count(), kept), (2, vec![7.0, 15.0]));
    }

    #[test]
    fn the_weighted_mean_follows_the_newest_seconds() {
        // Knative's own documentation of the algorithm gives this example.
        let mut buckets = Buckets::new(Span::from_secs(10), 1, Aggregation::WeightedExponential);
        for (value, second) in [1.0, 3.0, 5.0, 4.0, 6.0, 7.0, 2.0, 8.0, 10.0, 20.0].iter().zip(1..) {
            buckets.record(at(f64::from(second)), *value);
        }
        assert!((buckets.average(at(10.0)) - 15.430_728_028_666_296).abs() < 1e-12);
    }

    #[test]
    fn the_maximum_leaves_with_its_bucket() {
        let mut window = MaxWindow::new(5);
        let maxima: Vec<u32> = [5, 6, 5, 5, 5, 5, 5]
            .iter()
            .zip(0..)
            .map(|(value, index)| {
                window.record(index, *value);
                window.current()
            })
            .collect();
        assert_eq!(maxima, [5, 6, 6, 6, 6, 6, 5]);
    }

    #[test]
    fn within_one_bucket_the_largest_counts() {
        let mut window = TimeWindow::new(Span::from_secs(5), 1);
        window.record(at(0.0), 6);
        assert_eq!(window.record(at(0.5), 5), 6);
        assert_eq!(window.record(at(6.0), 4), 4);
    }

    #[test]
    fn a_clock_that_runs_backwards_does_no_harm() {
        let mut window = MaxWindow::new(2);
        for (index, value) in [(9, 9), (8, 8), (7, 7), (6, 6)] {
            window.record(index, value);
        }
        window.record(20, 1);
        assert_eq!(window.current(), 1);
    }
}
