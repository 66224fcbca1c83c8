//! The cap on requests outstanding: further ones wait at the client until it has an answer.

use std::collections::VecDeque;

use crate::sim::accounting::HeldTimes;
use crate::sim::queueing::Arrival;
use crate::stats::Digest;
use crate::time::Span;

/// See the module.
#[derive(Debug, Clone)]
pub(in crate::sim) struct Gate {
    max_outstanding: u32,
    outstanding: u32,
    held: VecDeque<Arrival>,
    /// Requests meant to be sent before this are not measured, nanoseconds.
    measured_from: u64,
    times: HeldTimes,
}

impl Gate {
    /// A cap in a run of this length; what is meant to be sent before `measured_from` is not measured.
    pub fn new(max_outstanding: u32, duration: Span, measured_from: Span) -> Self {
        Gate {
            max_outstanding,
            outstanding: 0,
            held: VecDeque::new(),
            measured_from: measured_from.as_nanos(),
            times: HeldTimes { delay: Digest::new(duration), latency: Digest::new(duration) },
        }
    }

    /// A request is meant to be sent: whether it may at once. Else it waits here.
    #[inline]
    pub fn pass(&mut self, arrival: Arrival) -> bool {
        let may = self.outstanding < self.max_outstanding;
        match may {
            true => self.outstanding += 1,
            false => self.held.push_back(arrival),
        }
        may
    }

    /// A client has its answer: the request that is sent in its place, as it was meant to be.
    #[inline]
    pub fn release(&mut self) -> Option<Arrival> {
        let next = self.held.pop_front();
        if next.is_none() {
            self.outstanding -= 1;
        }
        next
    }

    /// A request that was meant to be sent at `intended`, and was at `sent`, has its answer at `finish`.
    #[inline]
    pub fn answered(&mut self, intended: u64, sent: u64, finish: u64) {
        if intended >= self.measured_from {
            self.times.delay.record(sent - intended);
            self.times.latency.record(finish - intended);
        }
    }

    /// Requests that wait here.
    pub fn held(&self) -> u64 {
        self.held.len() as u64
    }

    pub fn times(&self) -> &HeldTimes {
        &self.times
    }
}
