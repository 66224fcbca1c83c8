//! What a policy remembers of the recent past: means of metrics, extremes of recommendations.

use std::collections::VecDeque;

use crate::time::{Instant, Span};

/// The mean of a gauge over a trailing window, from averages over stretches of time that follow one another.
#[derive(Debug, Clone)]
pub(in crate::autoscaler) struct TrailingMean {
    window: Span,
    /// Ends of the stretches, and the integral up to them, value-seconds; the first is the start of the oldest.
    edges: VecDeque<(Instant, f64)>,
}

impl TrailingMean {
    /// The mean over the last `window`. A window shorter than a stretch still covers the last one.
    pub fn new(window: Span) -> Self {
        TrailingMean { window, edges: VecDeque::new() }
    }

    /// Takes in the average `value` from `since` to `at`.
    pub fn record(&mut self, since: Instant, at: Instant, value: f64) {
        let before = match self.edges.back() {
            Some((_, integral)) => *integral,
            None => {
                self.edges.push_back((since, 0.0));
                0.0
            }
        };
        self.edges.push_back((at, before + value * at.since(since).as_secs_f64()));
        while self.edges.len() > 2 && self.edges[1].0 + self.window <= at {
            self.edges.pop_front();
        }
    }

    /// The mean, over as much of the window as has been seen; `None` before the first record.
    pub fn value(&self) -> Option<f64> {
        let ((start, before), (end, after)) = (self.edges.front()?, self.edges.back()?);
        let seconds = end.since(*start).as_secs_f64();
        (seconds > 0.0).then(|| (after - before) / seconds)
    }
}

/// The largest or least recommendation of a trailing window, itself included (the stabilization of the Kubernetes HPA).
#[derive(Debug, Clone)]
pub(in crate::autoscaler) struct Stabilized {
    window: Span,
    largest: bool,
    /// Those that may still come to count: each more extreme than all after it.
    kept: VecDeque<(Instant, u32)>,
}

impl Stabilized {
    /// The largest of the last `window`.
    pub fn largest(window: Span) -> Self {
        Stabilized { window, largest: true, kept: VecDeque::new() }
    }

    /// The least of the last `window`.
    pub fn least(window: Span) -> Self {
        Stabilized { window, largest: false, kept: VecDeque::new() }
    }

    /// Takes in the recommendation `value` of `now`; gives the extreme of those no older than the window.
    pub fn push(&mut self, now: Instant, value: u32) -> u32 {
        let yields = |kept: u32| if self.largest { kept <= value } else { kept >= value };
        while self.kept.back().is_some_and(|(_, kept)| yields(*kept)) {
            self.kept.pop_back();
        }
        self.kept.push_back((now, value));
        while self.kept.front().is_some_and(|(at, _)| *at + self.window < now) {
            self.kept.pop_front();
        }
        self.kept.front().map_or(value, |(_, kept)| *kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + Span::from_secs(seconds)
    }

    #[test]
    fn a_mean_weighs_by_time_and_forgets_what_is_older_than_its_window() {
        let mut mean = TrailingMean::new(Span::from_secs(60));
        assert_eq!(mean.value(), None);
        mean.record(at(0), at(10), 6.0);
        assert_eq!(mean.value(), Some(6.0));
        mean.record(at(10), at(40), 2.0);
        assert_eq!(mean.value(), Some(3.0));
        // From 10 to 70: the first stretch is out, and the rest is 30 s of 2 and 30 s of 4.
        mean.record(at(40), at(70), 4.0);
        assert_eq!(mean.value(), Some(3.0));
    }

    #[test]
    fn a_window_shorter_than_the_stretches_covers_the_last_one() {
        let mut mean = TrailingMean::new(Span::from_secs(1));
        mean.record(at(0), at(10), 6.0);
        mean.record(at(10), at(20), 2.0);
        assert_eq!(mean.value(), Some(2.0));
    }

    #[test]
    fn an_extreme_holds_for_its_window_and_no_longer() {
        let mut largest = Stabilized::largest(Span::from_secs(30));
        let found: Vec<u32> =
            [(0, 5), (10, 3), (30, 2), (31, 2), (45, 1)].map(|(s, n)| largest.push(at(s), n)).into();
        assert_eq!(found, [5, 5, 5, 3, 2]);
        let mut least = Stabilized::least(Span::from_secs(30));
        let found: Vec<u32> = [(0, 1), (10, 4), (31, 6), (41, 9)].map(|(s, n)| least.push(at(s), n)).into();
        assert_eq!(found, [1, 1, 4, 6]);
        let mut at_once = Stabilized::least(Span::ZERO);
        assert_eq!((at_once.push(at(0), 1), at_once.push(at(1), 4)), (1, 4));
    }
}
