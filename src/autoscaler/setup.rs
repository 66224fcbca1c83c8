//! The ideal on-demand autoscaler: an instance for every request that waits, none for longer than it is of use.
//!
//! One start per waiting request, cancelled when the request has found another instance; an instance that has run out
//! of work is kept for a while, then let go. The M/M/k/setup and M/M/k/setup/delayedoff systems of Gandhi, Doroudi,
//! Harchol-Balter and Scheller-Wolf, "Exact analysis of the M/M/k/setup class of Markov chains via recursive renewal
//! reward" (2014); with one instance, the keep-alive of function platforms.

use std::fmt;

use super::{Decision, Glance, Limits};
use crate::distribution::Durations;
use crate::random::{Purpose, Streams};
use crate::schema::{Key, Problem, Reader, TableSpec};
use crate::time::Span;

/// See the module.
#[derive(Debug, Clone, PartialEq)]
pub struct Setup {
    /// Fewest and most instances.
    pub limits: Limits,
    /// How long an instance without work is kept, in seconds; drawn each time it runs out of work.
    pub keep_alive: Durations,
}

const MIN: Key<u32> = Key::or("min", "0", "Fewest instances.");
const MAX: Key<u32> = Key::required("max", "Most instances.").at_least(1.0);
const KEEP_ALIVE: Key<Durations> = Key::or(
    "keep_alive",
    "\"0s\"",
    "How long an instance that has run out of work is kept before it is let go.",
);

/// What the policy saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reason {
    waiting: u64,
    starting: u32,
}

impl Setup {
    /// `kind = "setup"`.
    pub const SPEC: TableSpec = TableSpec {
        name: "setup",
        doc: "The ideal on-demand autoscaler: one start per waiting request, cancelled when no longer needed; an instance without work is let go at once, or after `keep_alive`. It acts at every arrival and departure and sees the truth, so it takes no metric. Central queue only.",
        keys: &[&MIN, &MAX, &KEEP_ALIVE],
    };

    pub(super) fn read(reader: &Reader<'_>) -> Result<Setup, Problem> {
        Ok(Setup { limits: Limits::read(reader, &MIN, &MAX)?, keep_alive: reader.get(&KEEP_ALIVE)? })
    }

    pub(super) fn react(&self, glance: &Glance) -> Decision {
        let Glance { waiting, ready, starting, .. } = *glance;
        let room = u64::from(self.limits.max.saturating_sub(ready));
        let wanted = ready + waiting.min(room) as u32;
        let reason = super::Reason::Setup(Reason { waiting, starting });
        Decision { desired: wanted.max(self.limits.min), reason }
    }

    pub(super) fn draw_keep_alive(&self, streams: Streams, instance: u32, spells: u64) -> Span {
        let part = u64::from(instance) << 32 | (spells & u64::from(u32::MAX));
        let seconds = self.keep_alive.0.sample(&mut streams.substream(Purpose::Policy, part));
        Span::from_secs_f64(seconds)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} waiting and {} starting: one start for each that waits", self.waiting, self.starting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distribution::Distribution;

    fn wanted(waiting: u64, ready: u32, starting: u32) -> u32 {
        let limits = Limits { min: 0, max: 4 };
        let setup = Setup { limits, keep_alive: Durations(Distribution::constant(0.0)) };
        setup.react(&Glance { in_flight: waiting + u64::from(ready), waiting, ready, starting }).desired
    }

    #[test]
    fn each_waiting_request_has_one_start_within_the_maximum() {
        assert_eq!(wanted(0, 0, 0), 0);
        assert_eq!(wanted(2, 1, 1), 3);
        assert_eq!(wanted(9, 1, 2), 4);
        assert_eq!(wanted(0, 2, 1), 2, "a start nobody waits for is cancelled");
    }
}
