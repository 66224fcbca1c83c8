//! What Ray Serve's controller knows of the requests: averages over a look-back period, reported now and then.
//!
//! Handles and replicas record their counts at a short interval and report the time-weighted mean of the last period. The
//! records are evenly spaced and each holds until the next, so that mean is the mean of the records.

use std::collections::VecDeque;

use crate::schema::{Choice, Context, Kind, Node, Problem, Value, read_choice};
use crate::time::{Instant, Span};

/// What becomes of the records of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregation {
    /// Their mean.
    Mean,
    /// The largest.
    Max,
    /// The smallest.
    Min,
}

impl Choice for Aggregation {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &[
        ("mean", Aggregation::Mean, "their mean"),
        ("max", Aggregation::Max, "the largest"),
        ("min", Aggregation::Min, "the smallest"),
    ];
}

impl Value for Aggregation {
    fn kind() -> Kind {
        Self::choices()
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        read_choice(node, path)
    }
}

/// See the module.
#[derive(Debug, Clone)]
pub struct LookBack {
    period: Span,
    push_interval: Span,
    aggregation: Aggregation,
    /// Records within the period, oldest first. Grows to a period's worth, then stays.
    records: VecDeque<(Instant, u64)>,
    sum: u64,
    next_push: Instant,
    reported: f64,
}

impl LookBack {
    /// No requests yet. A report comes at every multiple of `push_interval`; at every record if that is zero.
    pub fn new(period: Span, push_interval: Span, aggregation: Aggregation) -> LookBack {
        let next_push = Instant::ZERO + push_interval;
        let records = VecDeque::new();
        LookBack { period, push_interval, aggregation, records, sum: 0, next_push, reported: 0.0 }
    }

    /// Ongoing and queued requests at `at`.
    pub fn record(&mut self, at: Instant, requests: u64) {
        while let Some((oldest, gone)) = self.records.front().copied() {
            if oldest + self.period > at {
                break;
            }
            self.records.pop_front();
            self.sum -= gone;
        }
        self.records.push_back((at, requests));
        self.sum += requests;
        if at >= self.next_push {
            let counts = || self.records.iter().map(|(_, requests)| *requests);
            self.reported = match self.aggregation {
                Aggregation::Mean => self.sum as f64 / self.records.len() as f64,
                Aggregation::Max => counts().max().unwrap_or(0) as f64,
                Aggregation::Min => counts().min().unwrap_or(0) as f64,
            };
            while self.next_push <= at && !self.push_interval.is_zero() {
                self.next_push += self.push_interval;
            }
        }
    }

    /// The mean last reported; 0 before the first report.
    pub fn total(&self) -> f64 {
        self.reported
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + Span::from_secs(seconds)
    }

    #[test]
    fn the_mean_is_over_the_period_and_known_once_reported() {
        let mut look_back = LookBack::new(Span::from_secs(3), Span::from_secs(2), Aggregation::Mean);
        let seen: Vec<f64> = [(1, 6), (2, 2), (3, 4), (4, 0), (5, 9), (6, 3)]
            .map(|(second, requests)| {
                look_back.record(at(second), requests);
                look_back.total()
            })
            .to_vec();
        assert_eq!(seen, [0.0, 4.0, 4.0, 2.0, 2.0, 4.0]);
    }

    #[test]
    fn without_an_interval_every_record_is_reported() {
        let mut look_back = LookBack::new(Span::from_secs(10), Span::ZERO, Aggregation::Mean);
        look_back.record(at(1), 4);
        assert_eq!(look_back.total(), 4.0);
        look_back.record(at(2), 0);
        assert_eq!(look_back.total(), 2.0);
        for (aggregation, expected) in [(Aggregation::Max, 9.0), (Aggregation::Min, 1.0)] {
            let mut look_back = LookBack::new(Span::from_secs(10), Span::ZERO, aggregation);
            [5, 9, 1]
                .into_iter()
                .zip(1..)
                .for_each(|(requests, second)| look_back.record(at(second), requests));
            assert_eq!(look_back.total(), expected);
        }
    }
}
