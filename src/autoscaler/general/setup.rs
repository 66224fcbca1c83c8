//! The ideal on-demand autoscaler: an instance for every request that waits, none for longer than it is of use.
//!
//! One start per waiting request, cancelled when the request has found another instance; an instance that has run out
//! of work is kept for a while, then let go. The M/M/k/setup and M/M/k/setup/delayedoff systems of Gandhi, Doroudi,
//! Harchol-Balter and Scheller-Wolf, "Exact analysis of the M/M/k/setup class of Markov chains via recursive renewal
//! reward" (2014); with one instance, the keep-alive of function platforms.

use crate::autoscaler::{
    Explanation, Limits, Observation, Policy, PolicyContext, PoolState, Schedule, Settings,
};
use crate::distribution::Durations;
use crate::random::{Purpose, Streams};
use crate::schema::{Key, Problem, Reader, TableSpec};
use crate::time::{Instant, Span};

/// See the module.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::autoscaler) struct Setup {
    /// Minimum and maximum number of instances.
    pub limits: Limits,
    /// How long an instance without work is kept, in seconds; drawn each time it runs out of work.
    pub keep_alive: Durations,
}

const MIN: Key<u32> = Key::or("min", "0", "Minimum instances.");
const MAX: Key<u32> = Key::required("max", "Maximum instances.").at_least(1.0);
const KEEP_ALIVE: Key<Durations> =
    Key::or("keep_alive", "\"0s\"", "Keep-alive: how long an idle instance is kept before it is removed.");

/// The policy at work.
#[derive(Debug, Clone)]
struct SetupPolicy {
    settings: Setup,
    last: Option<PoolState>,
}

/// `kind = "setup"`.
pub(in crate::autoscaler) const SPEC: TableSpec = TableSpec {
    name: "setup",
    doc: "The ideal on-demand autoscaler: one start per waiting request, cancelled when no longer needed; an idle instance is removed at once, or after `keep_alive`. It acts at every arrival and departure and sees the true state, so it takes no metric. Central queue only.",
    keys: &[&MIN, &MAX, &KEEP_ALIVE],
};

pub(in crate::autoscaler) fn read(reader: &Reader<'_>) -> Result<Setup, Problem> {
    Ok(Setup { limits: Limits::read(reader, &MIN, &MAX)?, keep_alive: reader.get(&KEEP_ALIVE)? })
}

impl Settings for Setup {
    fn limits(&self) -> Limits {
        self.limits
    }
    fn schedule(&self) -> Option<Schedule> {
        None
    }
    fn is_reactive(&self) -> bool {
        true
    }
    fn policy(&self, _: &PolicyContext) -> Box<dyn Policy> {
        Box::new(SetupPolicy { settings: self.clone(), last: None })
    }
}

impl Setup {
    fn wanted(&self, pool: &PoolState) -> u32 {
        let PoolState { waiting, ready, .. } = *pool;
        let room = u64::from(self.limits.max.saturating_sub(ready));
        (ready + waiting.min(room) as u32).max(self.limits.min)
    }
}

impl Policy for SetupPolicy {
    fn decide(&mut self, _: Instant, observation: &Observation<'_>) -> u32 {
        observation.desired
    }

    fn react(&mut self, pool: &PoolState) -> Option<u32> {
        self.last = Some(*pool);
        Some(self.settings.wanted(pool))
    }

    fn explain(&self) -> Explanation {
        let Some(PoolState { in_flight, waiting, ready, starting }) = self.last else {
            return Explanation::plain("nothing has happened yet");
        };
        Explanation {
            metric: "in_flight",
            observed: Some(in_flight as f64),
            target: None,
            figures: vec![
                ("waiting", waiting.into()),
                ("ready", ready.into()),
                ("starting", starting.into()),
            ],
            reason: format!("{waiting} waiting and {starting} starting: one start for each that waits"),
        }
    }

    fn keep_alive(&self, streams: Streams, instance: u32, spells: u64) -> Option<Span> {
        let part = u64::from(instance) << 32 | (spells & u64::from(u32::MAX));
        let seconds = self.settings.keep_alive.0.sample(&mut streams.substream(Purpose::Policy, part));
        Some(Span::from_secs_f64(seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distribution::Distribution;

    fn wanted(waiting: u64, ready: u32, starting: u32) -> u32 {
        let limits = Limits { min: 0, max: 4 };
        let setup = Setup { limits, keep_alive: Durations(Distribution::constant(0.0)) };
        setup.wanted(&PoolState { in_flight: waiting + u64::from(ready), waiting, ready, starting })
    }

    #[test]
    fn each_waiting_request_has_one_start_within_the_maximum() {
        assert_eq!(wanted(0, 0, 0), 0);
        assert_eq!(wanted(2, 1, 1), 3);
        assert_eq!(wanted(9, 1, 2), 4);
        assert_eq!(wanted(0, 2, 1), 2, "a start nobody waits for is cancelled");
    }
}
