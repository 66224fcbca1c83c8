//! How many instances an arrival rate takes for the SLO to hold: the queue M/M/c (Erlang, 1917).
//!
//! All slots of all instances are one pool of servers with a common queue and exponential service times; see
//! [`crate::theory::markovian::Mmc`]. Waits of other service times are much the same where few requests wait, which is
//! where an SLO leaves a pool.

use crate::autoscaler::{PolicyContext, TokenPromise};
use crate::theory::markovian::Mmc;

/// What the pool is sized for.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Promise {
    /// No more than `missed` of the requests take longer than `within_s`, service included.
    Latency { within_s: f64, missed: f64 },
    /// No more than `missed` of the requests wait at all.
    Wait { missed: f64 },
    /// Nothing but what is promised of tokens.
    Tokens,
}

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::autoscaler) struct Sizing {
    /// Requests per second one slot serves.
    rate_of_slot: f64,
    slots: u32,
    promise: Promise,
    /// What is promised of answers token by token, which the pool keeps besides.
    tokens: Option<TokenPromise>,
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
            None if start.token_promise.is_some() => Promise::Tokens,
            None => Promise::Wait { missed: WAIT_WITHOUT_SLO },
        };
        let (rate_of_slot, slots) = (1.0 / start.service_mean_s, start.slots.max(1));
        Sizing { rate_of_slot, slots, promise, tokens: start.token_promise }
    }

    /// Whether `instances` keep the promise at `rate` requests per second.
    fn holds(&self, rate: f64, instances: u32) -> bool {
        if rate <= 0.0 {
            return true;
        }
        if self.tokens.is_some_and(|tokens| !keeps_tokens(&tokens, rate / f64::from(instances.max(1)))) {
            return false;
        }
        // More servers than the theory takes are not told apart from none that suffice.
        let Ok(queue) = Mmc::new(rate, self.rate_of_slot, instances as usize * self.slots as usize) else {
            return false;
        };
        match self.promise {
            Promise::Latency { within_s, missed } => queue.sojourn_tail(within_s) <= missed,
            Promise::Wait { missed } => queue.wait_probability <= missed,
            Promise::Tokens => true,
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
            Promise::Tokens => self.tokens.map_or_else(String::new, |tokens| {
                let time = |name: &str, time: Option<f64>| time.map(|time| format!("{name} within {time} s"));
                let times = time("TTFT", tokens.ttft_s).into_iter().chain(time("TPOT", tokens.tpot_s));
                format!("p{} {}", percent(1.0 - tokens.quantile), times.collect::<Vec<_>>().join(", "))
            }),
        }
    }
}

/// Whether an instance that meets `rate` requests per second keeps what is promised of tokens. The time of an iteration is
/// that of the steady state; a prompt waits for the iteration in progress, then for its own, in which it meets the prompts
/// that have come meanwhile. What chance adds is left to the margin of the policy.
fn keeps_tokens(tokens: &TokenPromise, rate: f64) -> bool {
    let iteration_s = tokens.iterations.iteration_s(rate);
    let wait_s = tokens.quantile * iteration_s;
    let own_s = tokens.iterations.prompt_iterations * iteration_s + tokens.iterations.prefill_s;
    let within = |time: f64, promised: Option<f64>| promised.is_none_or(|promised| time <= promised);
    within(wait_s + own_s, tokens.ttft_s) && within(iteration_s, tokens.tpot_s)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::SteadyIterations;

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

    #[test]
    fn a_promise_of_tokens_alone_sizes_by_the_time_of_an_iteration() {
        // An iteration takes 10 ms / (1 − r 0.05): at 10 requests/s an instance, 20 ms; at 15, 40 ms.
        let iterations =
            SteadyIterations { fixed_s: 0.01, prefill_s: 0.02, decode_s: 0.03, prompt_iterations: 1.0 };
        let promise = |ttft_s, tpot_s| TokenPromise { ttft_s, tpot_s, quantile: 0.95, iterations };
        let sizing = |tokens| {
            Sizing::new(&PolicyContext {
                slots: 1,
                service_mean_s: 0.05,
                token_promise: Some(tokens),
                ..PolicyContext::unknown(1)
            })
        };
        assert_eq!(sizing(promise(None, Some(0.0201))).instances(30.0, 0, 100), 3);
        assert_eq!(sizing(promise(None, Some(0.0401))).instances(30.0, 0, 100), 2);
        // 0.95 and 1 iterations, and 20 ms for the prompt: 59 ms at 10 requests/s.
        assert_eq!(sizing(promise(Some(0.0591), None)).instances(30.0, 0, 100), 3);
        assert_eq!(sizing(promise(Some(0.0591), None)).promise(), "p95 TTFT within 0.0591 s");
    }
}
