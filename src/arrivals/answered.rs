//! Arrivals that depend on the answers, seen from here: no instant is known in advance, only about how many there are.

use std::sync::Arc;

use super::process::{Process, Stream};
use crate::random::Rng;
use crate::time::{Instant, Span};

/// The requests of a closed loop: the clients send them, none comes from here. The rate is an estimate for whoever has to
/// reckon with one.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answered {
    /// Seconds from the start and requests per second there, in order; straight lines between, the last one stays.
    pub(super) points: Vec<(f64, f64)>,
    /// When the load ends of its own accord.
    pub(super) natural_duration: Option<Span>,
}

impl Answered {
    fn at(&self, at_s: f64) -> f64 {
        let after = self.points.partition_point(|(point, _)| *point <= at_s);
        match (after.checked_sub(1).map(|before| self.points[before]), self.points.get(after)) {
            (Some((from, low)), Some((to, high))) => low + (high - low) * (at_s - from) / (to - from),
            (Some((_, rate)), None) => rate,
            (None, Some((_, rate))) => *rate,
            (None, None) => 0.0,
        }
    }

    /// Requests expected up to `until_s`.
    fn requests(&self, until_s: f64) -> f64 {
        let within = self.points.iter().map(|(at, _)| *at).filter(|at| *at < until_s);
        let ends: Vec<f64> = std::iter::once(0.0).chain(within).chain([until_s]).collect();
        // The value just after a point where the rate leaps is that at it, the value just before that of the line left of it.
        let before = |at_s: f64| {
            let index = self.points.partition_point(|(point, _)| *point < at_s);
            match (index.checked_sub(1).map(|left| self.points[left]), self.points.get(index)) {
                (Some((from, low)), Some((to, high))) if to > &from => {
                    low + (high - low) * (at_s - from) / (to - from)
                }
                _ => self.at(at_s),
            }
        };
        ends.windows(2).map(|part| (part[1] - part[0]) * 0.5 * (self.at(part[0]) + before(part[1]))).sum()
    }
}

impl Process for Answered {
    fn stream(self: Arc<Self>, _: Rng) -> Box<dyn Stream> {
        Box::new(NoRequests)
    }
    fn natural_duration(&self) -> Option<Span> {
        self.natural_duration
    }
    fn mean_rate(&self, duration: Span) -> f64 {
        let length_s = duration.as_secs_f64();
        if length_s > 0.0 { self.requests(length_s) / length_s } else { self.at(0.0) }
    }
    fn rate_at(&self, at: Instant) -> Option<f64> {
        Some(self.at(at.as_secs_f64()))
    }
    fn peak_rate(&self) -> f64 {
        self.points.iter().map(|(_, rate)| *rate).fold(0.0, f64::max)
    }
}

#[derive(Debug)]
struct NoRequests;

impl Stream for NoRequests {
    fn fill(&mut self, _: &mut Vec<u64>, _: usize) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_follows_its_points_and_sums_to_the_requests() {
        let points = vec![(0.0, 0.0), (10.0, 4.0), (10.0, 2.0), (20.0, 2.0)];
        let arrivals = Answered { points, natural_duration: None };
        assert_eq!(arrivals.mean_rate(Span::from_secs(10)), 2.0);
        assert_eq!(arrivals.mean_rate(Span::from_secs(20)), 2.0);
        assert_eq!(arrivals.mean_rate(Span::from_secs(40)), 2.0);
        assert_eq!(arrivals.rate_at(Instant::ZERO + Span::from_secs(5)), Some(2.0));
        assert_eq!(arrivals.rate_at(Instant::ZERO + Span::from_secs(30)), Some(2.0));
        assert_eq!(arrivals.peak_rate(), 4.0);
    }
}
