//! The requests in an event-driven station, counted, and the integrals of the counts over time.

use crate::sim::accounting::{Areas, Gauges};

/// See the module. Time is to [`Ledger::pass`] before a count changes.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    /// Integrals up to `counted_to`; none of the work.
    areas: Areas,
    counted_to: u64,
    /// Requests waiting, wherever.
    pub waiting: u64,
    /// Requests in service, wherever.
    pub serving: u64,
    /// Of those, on ready instances.
    pub serving_ready: u64,
    /// The greatest number waiting for any time.
    pub peak_waiting: u64,
}

impl Ledger {
    /// Up to when time has passed, nanoseconds.
    #[inline]
    pub fn now(&self) -> u64 {
        self.counted_to
    }

    /// Lets time pass, adding to the integrals.
    #[inline]
    pub fn pass(&mut self, now: u64) {
        debug_assert!(self.counted_to <= now, "time falls from {} to {now}", self.counted_to);
        debug_assert!(self.serving_ready <= self.serving, "more in service on ready instances than on all");
        if now > self.counted_to {
            self.peak_waiting = self.peak_waiting.max(self.waiting);
        }
        self.areas = self.areas(now);
        self.counted_to = now;
    }

    /// Integrals up to `now`; none of the work.
    #[inline]
    pub fn areas(&self, now: u64) -> Areas {
        let passed = u128::from(now - self.counted_to);
        Areas {
            waiting: self.areas.waiting + passed * u128::from(self.waiting),
            in_service: self.areas.in_service + passed * u128::from(self.serving),
            busy: self.areas.busy + passed * u128::from(self.serving_ready),
            work: 0,
        }
    }

    /// The requests there are now, of which `buffered` wait because no instance is ready.
    #[inline]
    pub fn gauges(&self, buffered: u64) -> Gauges {
        Gauges {
            waiting: self.waiting,
            buffered,
            busy: self.serving_ready,
            draining: self.serving - self.serving_ready,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integrals_grow_with_the_counts_that_hold_meanwhile() {
        let mut ledger = Ledger { waiting: 2, serving: 3, serving_ready: 1, ..Ledger::default() };
        ledger.pass(10);
        ledger.waiting = 0;
        let areas = Areas { waiting: 20, in_service: 45, busy: 15, work: 0 };
        assert_eq!(ledger.areas(15), areas);
        ledger.pass(15);
        assert_eq!((ledger.areas(15), ledger.now()), (areas, 15));
        assert_eq!(ledger.gauges(0), Gauges { waiting: 0, buffered: 0, busy: 1, draining: 2 });
        // What waits for no time at all is no peak.
        ledger.waiting = 7;
        ledger.pass(15);
        assert_eq!(ledger.peak_waiting, 2);
    }
}
