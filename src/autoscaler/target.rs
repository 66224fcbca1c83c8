//! Proportional scaling to a target: as many instances as hold the metric at its target each.
//!
//! `desired = ceil(metric / target)`: the rule at the heart of most real autoscalers (Kubernetes HPA, KEDA, Knative, AWS
//! target tracking), without what each of them adds to it.

use std::fmt;

use super::metric::{METRIC, QUANTILE};
use super::{Decision, INTERVAL, Limits, Metric, Observation, PHASE, Per, Query, Schedule};
use crate::schema::{Key, Problem, Reader, TableSpec};

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Target {
    /// When it is evaluated.
    pub schedule: Schedule,
    /// The metric, over the pool.
    pub query: Query,
    /// The metric's value one instance should have.
    pub target: f64,
    /// Fewest and most instances.
    pub limits: Limits,
}

const MIN: Key<u32> = Key::or(
    "min",
    "1",
    "Fewest instances. With 0 the pool scales to zero; a request held at the door then wakes it at the next evaluation.",
);
const MAX: Key<u32> = Key::required("max", "Most instances.").at_least(1.0);
const TARGET: Key<f64> = Key::required(
    "target",
    "The value of the metric one instance should have: requests per second, requests, or busy share. With metric = \"latency\", in seconds, the pool grows in proportion to latency over target.",
)
.above(0.0);

/// What an evaluation found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reason {
    pub(super) query: Query,
    observed: Option<f64>,
    target: f64,
    held: u64,
    wanted: Option<f64>,
}

impl Target {
    /// `kind = "target"`.
    pub const SPEC: TableSpec = TableSpec {
        name: "target",
        doc: "Proportional scaling: as many instances as hold the metric at `target` each, rounded up. Rates and counts are divided by the target; utilization and latency, which are per instance already, scale the ready instances by metric over target.",
        keys: &[&METRIC, &QUANTILE, &TARGET, &INTERVAL, &PHASE, &MIN, &MAX],
    };

    pub(super) fn read(reader: &Reader<'_>) -> Result<Target, Problem> {
        Ok(Target {
            schedule: Schedule::read(reader)?,
            query: Query::read_total(reader)?,
            target: reader.get(&TARGET)?,
            limits: Limits::read(reader, &MIN, &MAX)?,
        })
    }

    pub(super) fn decide(&self, observation: &Observation) -> Decision {
        let Observation { desired, ready, held, metric: observed, .. } = *observation;
        let Target { query, target, limits, .. } = *self;
        let ratio = observed.map(|metric| metric / target);
        let wanted = match query.metric {
            Metric::Utilization | Metric::Latency => ratio.map(|ratio| ratio * f64::from(ready)),
            _ => ratio,
        };
        let reason = super::Reason::Target(Reason { query, observed, target, held, wanted });
        let desired = match wanted {
            _ if desired == 0 && held > 0 => limits.min.max(1),
            // `as` saturates, and the limits bound what it saturates at.
            Some(wanted) => (wanted.ceil() as u32).clamp(limits.min, limits.max),
            None => desired,
        };
        Decision { desired, reason }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.query.name();
        match (self.observed, self.wanted) {
            _ if self.held > 0 => write!(f, "{} held at the door: at least one", self.held),
            (Some(observed), Some(wanted)) => {
                write!(f, "{name} {observed:.4} at {} an instance asks for {wanted:.2}", self.target)
            }
            _ => write!(f, "no {name} to go by yet: stay"),
        }
    }
}

impl Query {
    /// As [`Query::read`], for a table without [`super::PER`]: over the pool.
    fn read_total(reader: &Reader<'_>) -> Result<Query, Problem> {
        Ok(Query { metric: reader.get(&METRIC)?, per: Per::Total, quantile: reader.get(&QUANTILE)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Span;

    fn desired(metric: Metric, observed: f64, ready: u32) -> u32 {
        let policy = Target {
            schedule: Schedule { interval: Span::from_secs(15), phase: Span::ZERO },
            query: Query { metric, per: Per::Total, quantile: 0.99 },
            target: 0.7,
            limits: Limits { min: 1, max: 12 },
        };
        let observation =
            Observation { desired: ready, existing: ready, ready, held: 0, metric: Some(observed) };
        policy.decide(&observation).desired
    }

    #[test]
    fn counts_are_divided_by_the_target_and_rounded_up() {
        assert_eq!(desired(Metric::InFlight, 0.0, 3), 1);
        assert_eq!(desired(Metric::InFlight, 2.0, 1), 3);
        assert_eq!(desired(Metric::InFlight, 7.0, 1), 10);
        assert_eq!(desired(Metric::InFlight, 99.0, 1), 12);
    }

    #[test]
    fn shares_scale_the_ready_instances() {
        assert_eq!(desired(Metric::Utilization, 0.7, 4), 4);
        assert_eq!(desired(Metric::Utilization, 0.9, 4), 6);
        assert_eq!(desired(Metric::Utilization, 0.2, 4), 2);
    }
}
