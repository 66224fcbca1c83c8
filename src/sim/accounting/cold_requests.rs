//! Cold requests: those that found no instance ready, or were the first of theirs, apart from the rest.

use std::collections::VecDeque;

use crate::stats::Digest;
use crate::time::Span;

/// When no instance was ready, and the latency of the requests that arrived then.
#[derive(Debug, Clone)]
pub(in crate::sim) struct ColdRequests {
    /// Since when no instance has been ready, if none is.
    none_ready_since: Option<u64>,
    /// Times in which no instance was ready: first instant, and the first after. As far back as requests in flight.
    gaps: VecDeque<(u64, u64)>,
    duration: Span,
    /// Latency of the cold requests answered; `None` while there are none.
    pub latency: Option<Digest>,
}

impl ColdRequests {
    /// No instance is ready at the start.
    pub fn new(duration: Span) -> Self {
        ColdRequests { none_ready_since: Some(0), gaps: VecDeque::new(), duration, latency: None }
    }

    pub fn none_is_ready(&self) -> bool {
        self.none_ready_since.is_some()
    }

    /// The last ready instance goes at `now`; those who arrived at this very instant came before. No request in flight
    /// arrived before `oldest`.
    pub fn lose_last(&mut self, now: u64, oldest: u64) {
        while self.gaps.front().is_some_and(|(_, until)| *until <= oldest) {
            self.gaps.pop_front();
        }
        self.none_ready_since = Some(now + 1);
    }

    /// An instance is ready at `now`, before any who arrive at this very instant.
    pub fn gain_first(&mut self, now: u64) {
        if let Some(from) = self.none_ready_since.take().filter(|from| *from < now) {
            self.gaps.push_back((from, now));
        }
    }

    /// Whether any request can have been cold so far.
    #[inline]
    pub fn is_quiet(&self) -> bool {
        self.gaps.is_empty()
    }

    /// Whether a request that arrived then, and may have been the first of its instance, was cold.
    #[inline]
    pub fn was_cold(&self, arrival: u64, was_first: bool) -> bool {
        let after = self.gaps.partition_point(|(from, _)| *from <= arrival);
        let within = after > 0 && arrival < self.gaps[after - 1].1;
        within || was_first
    }

    /// Takes in the latency of a cold request.
    pub fn record(&mut self, latency: u64) {
        self.latency.get_or_insert_with(|| Digest::new(self.duration)).record(latency);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_arrives_after_the_last_has_gone_and_before_one_is_ready_is_cold() {
        let mut cold = ColdRequests::new(Span::from_secs(1));
        cold.gain_first(0);
        cold.lose_last(10, 5);
        cold.gain_first(20);
        let was_cold = |arrival| cold.was_cold(arrival, false);
        assert_eq!([9, 10, 11, 19, 20].map(was_cold), [false, false, true, true, false]);
        assert!(cold.was_cold(20, true));
    }

    #[test]
    fn times_before_every_request_in_flight_are_forgotten() {
        let mut cold = ColdRequests::new(Span::from_secs(1));
        cold.gain_first(3);
        cold.lose_last(10, 8);
        cold.gain_first(20);
        assert_eq!(cold.gaps, [(11, 20)]);
    }
}
