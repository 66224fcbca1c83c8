//! How many instances an arrival rate takes for the SLO to hold: the queue M/M/c (Erlang, 1917).
//!
//! All slots of all instances are one pool of servers with a common queue and exponential service times; see
//! [`crate::theory::markovian::Mmc`]. Waits of other service times are much the same where few requests wait, which is
//! where an SLO leaves a pool.

use crate::autoscaler::PolicyContext;
use crate::theory::markovian::Mmc;

/// What the pool is sized for.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Promise {
    /// No more than `missed` of the requests take longer than `within_s`, service included.
    Latency { within_s: f64, missed: f64 },
    /// No more than `missed` of the requests wait at all.
    Wait { missed: f64 },
}

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::autoscaler) struct Sizing {
    /// Requests per second one slot serves.
    rate_of_slot: f64,
    slots: u32,
    promise: Promise,
}

/// Share of the requests that may wait where nothing is promised.
const WAIT_WITHOUT_SLO: f64 = 0.01;

impl Sizing {
    /// Sizes for the SLO of the run. Where the service alone takes longer than promised for too many requests, no pool
    /// can keep the promise, and the best there is has as few of them wait; without a promise, one in a hundred may wait.
    pub fn new(start: &PolicyContext) -> Sizing {
        let promise = match start.slo {
            Some((within_s, quantile)) if (-within_s / start.service_mean_s).exp() < 1.0 - quantile => {
                Promise::Latency { within_s, missed: 1.0 - quantile }
            }
            Some((_, quantile)) => Promise::Wait { missed: 1.0 - quantile },
            None => Promise::Wait { missed: WAIT_WITHOUT_SLO },
        };
        Sizing { rate_of_slot: 1.0 / start.service_mean_s, slots: start.slots.max(1), promise }
    }

    /// Whether `instances` keep the promise at `rate` requests per second.
    fn holds(&self, rate: f64, instances: u32) -> bool {
        if rate <= 0.0 {
            return true;
        }
        // More servers than the theory takes are not told apart from none that suffice.
        let Ok(queue) = Mmc::new(rate, self.rate_of_slot, instances as usize * self.slots as usize) else {
            return false;
        };
        match self.promise {
            Promise::Latency { within_s, missed } => queue.sojourn_tail(within_s) <= missed,
            Promise::Wait { missed } => queue.wait_probability <= missed,
        }
    }

    /// The fewest instances that keep the promise at `rate`, `most` if these do not; 0 only where nothing arrives. The
    /// search begins at `near`, so that a rate close to the last one takes two looks.
    pub fn instances(&self, rate: f64, near: u32, most: u32) -> u32 {
        if rate <= 0.0 {
            return 0;
        }
        // Fewer are less than fully busy only above this. `as` saturates.
        let least = ((rate / self.rate_of_slot / f64::from(self.slots)) as u32).saturating_add(1);
        let mut instances = near.max(least);
        while instances > least && self.holds(rate, instances - 1) {
            instances -= 1;
        }
        while instances < most && !self.holds(rate, instances) {
            instances += 1;
        }
        instances.min(most)
    }

    /// The promise in words: "p99 within 2.5 s".
    pub fn promise(&self) -> String {
        let percent = |missed: f64| (1e6 * 100.0 * (1.0 - missed)).round() / 1e6;
        match self.promise {
            Promise::Latency { within_s, missed } => format!("p{} within {within_s} s", percent(missed)),
            Promise::Wait { missed } => format!("{} % without a wait", percent(missed)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizing(slo: Option<(f64, f64)>) -> Sizing {
        Sizing::new(&PolicyContext {
            slots: 2,
            service_mean_s: 0.5,
            cold_start_mean_s: 60.0,
            slo,
            ..PolicyContext::unknown(1)
        })
    }

    #[test]
    fn the_fewest_that_keep_the_promise_wherever_the_search_begins() {
        let sizing = sizing(Some((2.5, 0.99)));
        for rate in [0.1, 3.0, 8.0, 40.0] {
            let fewest = sizing.instances(rate, 0, 1000);
            assert!(sizing.holds(rate, fewest) && (fewest == 1 || !sizing.holds(rate, fewest - 1)));
            assert_eq!(
                (sizing.instances(rate, 500, 1000), sizing.instances(rate, fewest, 1000)),
                (fewest, fewest)
            );
        }
        assert_eq!(sizing.instances(0.0, 7, 1000), 0);
        assert_eq!(sizing.instances(1e6, 0, 12), 12);
    }

    #[test]
    fn eight_a_second_at_half_a_second_each_take_three_instances_of_two() {
        // Six servers at a load of four: Erlang C is 0.2848, P(sojourn > 2.5 s) 0.0086; four servers would be unstable.
        let queue = Mmc::new(8.0, 2.0, 6).unwrap();
        assert!((queue.wait_probability - 0.2848).abs() < 1e-4);
        assert_eq!(sizing(Some((2.5, 0.99))).instances(8.0, 0, 100), 3);
    }

    #[test]
    fn a_promise_the_service_alone_breaks_leaves_few_to_wait() {
        // exp(-1/0.5) is 0.135: at most one in a hundred waits instead.
        assert_eq!(sizing(Some((1.0, 0.99))).promise(), "99 % without a wait");
        assert_eq!(sizing(None).promise(), "99 % without a wait");
        assert_eq!(sizing(Some((3.0, 0.995))).promise(), "p99.5 within 3 s");
    }
}
