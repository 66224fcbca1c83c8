//! Proportional scaling to a target: as many instances as hold the metric at its target each.
//!
//! `desired = ceil(metric / target)`: the rule at the heart of most real autoscalers (Kubernetes HPA, KEDA, Knative, AWS
//! target tracking), without what each of them adds to it.

use crate::autoscaler::metric::{METRIC, QUANTILE};
use crate::autoscaler::{
    Explanation, INTERVAL, Limits, Observation, PHASE, Per, Policy, PolicyContext, Query, Schedule, Settings,
    Watched,
};
use crate::schema::{Key, Problem, Reader, TableSpec};
use crate::time::Instant;

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::autoscaler) struct Target {
    /// When it is evaluated.
    pub schedule: Schedule,
    /// The metric, over the pool.
    pub query: Query,
    /// The metric's value one instance should have.
    pub target: f64,
    /// Minimum and maximum number of instances.
    pub limits: Limits,
}

const MIN: Key<u32> = Key::or(
    "min",
    "1",
    "Minimum instances. With 0 the pool scales to zero; a buffered request then scales it up at the next evaluation.",
);
const MAX: Key<u32> = Key::required("max", "Maximum instances.").at_least(1.0);
const TARGET: Key<f64> = Key::required(
    "target",
    "The value of the metric one instance should have: requests per second, requests, or busy share. With metric = \"latency\", in seconds, the pool grows in proportion to latency over target.",
)
.above(0.0);

/// `kind = "target"`.
pub(in crate::autoscaler) const SPEC: TableSpec = TableSpec {
    name: "target",
    doc: "Proportional scaling: as many instances as hold the metric at `target` each, rounded up. Rates and counts are divided by the target; utilization and latency, which are per instance already, scale the ready instances by metric over target.",
    keys: &[&METRIC, &QUANTILE, &TARGET, &INTERVAL, &PHASE, &MIN, &MAX],
};

pub(in crate::autoscaler) fn read(reader: &Reader<'_>) -> Result<Target, Problem> {
    Ok(Target {
        schedule: Schedule::read(reader)?,
        query: Query::read_total(reader)?,
        target: reader.get(&TARGET)?,
        limits: Limits::read(reader, &MIN, &MAX)?,
    })
}

impl Settings for Target {
    fn limits(&self) -> Limits {
        self.limits
    }
    fn schedule(&self) -> Option<Schedule> {
        Some(self.schedule)
    }
    fn query(&self) -> Option<Query> {
        Some(self.query)
    }
    fn watched(&self) -> Vec<Watched> {
        // Of the pool's total, the target is for each instance all the same.
        vec![Watched::new(TARGET.name(), self.query.metric, self.target)]
    }
    fn policy(&self, _: &PolicyContext) -> Box<dyn Policy> {
        Box::new(TargetPolicy { settings: *self, last: TargetEvaluation::default() })
    }
}

/// The policy at work.
#[derive(Debug, Clone)]
struct TargetPolicy {
    settings: Target,
    last: TargetEvaluation,
}

/// What an evaluation found.
#[derive(Debug, Clone, Copy, Default)]
struct TargetEvaluation {
    observed: Option<f64>,
    held: u64,
    ready: u32,
    /// Instances it takes, before rounding.
    wanted: Option<f64>,
}

impl Policy for TargetPolicy {
    fn decide(&mut self, _: Instant, observation: &Observation<'_>) -> u32 {
        let Observation { desired, ready, held, metric: observed, .. } = *observation;
        let Target { query, target, limits, .. } = self.settings;
        let ratio = observed.map(|metric| metric / target);
        let wanted = match query.metric {
            metric if !metric.quantity().is_additive() => ratio.map(|ratio| ratio * f64::from(ready)),
            _ => ratio,
        };
        self.last = TargetEvaluation { observed, held, ready, wanted };
        match wanted {
            _ if desired == 0 && held > 0 => limits.min.max(1),
            // `as` saturates, and the limits bound what it saturates at.
            Some(wanted) => (wanted.ceil() as u32).clamp(limits.min, limits.max),
            None => desired,
        }
    }

    fn explain(&self) -> Explanation {
        let metric = self.settings.query.name();
        let TargetEvaluation { observed, held, ready, wanted } = self.last;
        let target = self.settings.target;
        let reason = match (observed, wanted) {
            _ if held > 0 => format!("{held} buffered: at least one"),
            (Some(observed), Some(wanted)) => {
                let bound = self.settings.limits.words(wanted.ceil() as u32);
                format!("{metric} {observed:.4} at {target} an instance asks for {wanted:.2}{bound}")
            }
            _ => format!("no {metric} yet: stay"),
        };
        let figures = vec![("target", target.into()), ("wanted", wanted.into())];
        // The metric is the pool's.
        let each = match self.settings.query.metric.quantity().is_additive() {
            true => f64::from(ready),
            false => 1.0,
        };
        let target = Some(target * each).filter(|target| *target > 0.0);
        Explanation { metric, observed, target, figures, reason }
    }
}

impl Query {
    /// As [`Query::read`], for a table without [`crate::autoscaler::PER`]: over the pool.
    fn read_total(reader: &Reader<'_>) -> Result<Query, Problem> {
        Ok(Query { metric: reader.get(&METRIC)?, per: Per::Total, quantile: reader.get(&QUANTILE)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autoscaler::Signal;
    use crate::time::Span;

    fn desired(metric: Signal, observed: f64, ready: u32) -> u32 {
        let settings = Target {
            schedule: Schedule { interval: Span::from_secs(15), phase: Span::ZERO },
            query: Query { metric, per: Per::Total, quantile: 0.99 },
            target: 0.7,
            limits: Limits { min: 1, max: 12 },
        };
        let observation = Observation {
            desired: ready,
            existing: ready,
            ready,
            held: 0,
            metric: Some(observed),
            instances: &[],
        };
        TargetPolicy { settings, last: TargetEvaluation::default() }.decide(Instant::ZERO, &observation)
    }

    #[test]
    fn counts_are_divided_by_the_target_and_rounded_up() {
        assert_eq!(desired(Signal::InFlight, 0.0, 3), 1);
        assert_eq!(desired(Signal::InFlight, 2.0, 1), 3);
        assert_eq!(desired(Signal::InFlight, 7.0, 1), 10);
        assert_eq!(desired(Signal::InFlight, 99.0, 1), 12);
    }

    #[test]
    fn shares_scale_the_ready_instances() {
        assert_eq!(desired(Signal::Utilization, 0.7, 4), 4);
        assert_eq!(desired(Signal::Utilization, 0.9, 4), 6);
        assert_eq!(desired(Signal::Utilization, 0.2, 4), 2);
    }
}
