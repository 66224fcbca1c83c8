//! The threshold loop: above one value add instances, below another remove them.
//!
//! The rule most home-grown autoscalers follow, and the ancestor of the rest. Comparisons are strict: a metric equal to
//! a threshold does nothing.

use crate::autoscaler::metric::{METRIC, PER, QUANTILE};
use crate::autoscaler::{
    Explanation, INTERVAL, Limits, Observation, PHASE, Policy, PolicyContext, Query, Role, Rounded, Schedule,
    Settings, Watched,
};
use crate::schema::{Context, Data, Key, Kind, Node, Problem, Reader, TableSpec, Value};
use crate::time::{Instant, Span};

/// Settings of the threshold loop.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::autoscaler) struct Threshold {
    /// When it is evaluated.
    pub schedule: Schedule,
    /// The metric it watches.
    pub query: Query,
    /// Minimum and maximum number of instances.
    pub limits: Limits,
    /// When and how it adds instances.
    pub up: Condition,
    /// When and how it removes instances.
    pub down: Condition,
}

/// One direction of the loop.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::autoscaler) struct Condition {
    /// The value the metric must pass, strictly.
    pub threshold: f64,
    /// By how much the pool changes.
    pub step: Step,
    /// Evaluations in a row that must find the metric past the threshold.
    pub breaches: u32,
    /// Time after any change during which this direction rests.
    pub cooldown: Span,
}

/// A change of the pool's size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::autoscaler) enum Step {
    /// So many instances.
    Instances(u32),
    /// A percentage of the desired instances, rounded up, at least one.
    Percent(f64),
}

impl Step {
    fn of(self, desired: u32) -> u32 {
        match self {
            Step::Instances(instances) => instances,
            Step::Percent(percent) => ((f64::from(desired) * percent / 100.0).ceil() as u32).max(1),
        }
    }
}

impl Value for Step {
    fn kind() -> Kind {
        Kind::Either(vec![Kind::Integer, Kind::Text])
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        let expected = "expected a number of instances (1 or more), or a percentage such as \"50%\"";
        let wrong = |found: &str| Err(Problem::new(&node.place, format!("`{path}` is {found}"), expected));
        match &node.data {
            Data::Integer(_) | Data::Float(_) => match u32::read(node, path, context)? {
                0 => wrong("0"),
                instances => Ok(Step::Instances(instances)),
            },
            Data::Text(text) => {
                match text.trim().strip_suffix('%').map(|number| number.trim().parse::<f64>()) {
                    Some(Ok(percent)) if percent > 0.0 && percent <= 10_000.0 => Ok(Step::Percent(percent)),
                    _ => wrong(&format!("\"{text}\"")),
                }
            }
            other => wrong(other.kind()),
        }
    }
}

const MIN: Key<u32> = Key::or(
    "min",
    "1",
    "Minimum instances. With 0 the pool scales to zero; requests are then buffered, and the next evaluation that finds one asks for an instance.",
);
const MAX: Key<u32> = Key::required("max", "Maximum instances.").at_least(1.0);
const UP: Key<Up> = Key::required("up", "When and how instances are added.");
const DOWN: Key<Down> = Key::required("down", "When and how instances are removed.");
const ABOVE: Key<f64> = Key::required("above", "Add instances when the metric is above this (strictly).");
const BELOW: Key<f64> = Key::required("below", "Remove instances when the metric is below this (strictly).");
const STEP: Key<Step> = Key::or(
    "step",
    "1",
    "By how much: a number of instances, or a percentage of the desired ones (\"50%\", rounded up).",
);
const BREACHES: Key<u32> =
    Key::or("breaches", "1", "Evaluations in a row that must find the metric past the threshold.")
        .at_least(1.0);
const COOLDOWN: Key<Span> =
    Key::or("cooldown", "\"0s\"", "Time after any change during which this direction rests.");

/// `[autoscaler.up]`.
struct Up(Condition);
/// `[autoscaler.down]`.
struct Down(Condition);

const UP_SPEC: TableSpec = TableSpec {
    name: "up",
    doc: "When and how instances are added.",
    keys: &[&ABOVE, &STEP, &BREACHES, &COOLDOWN],
};
const DOWN_SPEC: TableSpec = TableSpec {
    name: "down",
    doc: "When and how instances are removed.",
    keys: &[&BELOW, &STEP, &BREACHES, &COOLDOWN],
};

impl Value for Up {
    fn kind() -> Kind {
        Kind::Table(&UP_SPEC)
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        Condition::read(&Reader::open(node, path, &UP_SPEC, context)?, &ABOVE).map(Up)
    }
}

impl Value for Down {
    fn kind() -> Kind {
        Kind::Table(&DOWN_SPEC)
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        Condition::read(&Reader::open(node, path, &DOWN_SPEC, context)?, &BELOW).map(Down)
    }
}

impl Condition {
    fn read(reader: &Reader<'_>, threshold: &Key<f64>) -> Result<Condition, Problem> {
        Ok(Condition {
            threshold: reader.get(threshold)?,
            step: reader.get(&STEP)?,
            breaches: reader.get(&BREACHES)?,
            cooldown: reader.get(&COOLDOWN)?,
        })
    }
}

/// `kind = "threshold"`.
pub(in crate::autoscaler) const SPEC: TableSpec = TableSpec {
    name: "threshold",
    doc: "Above one value of a metric add instances, below another remove them. Both comparisons are strict.",
    keys: &[&METRIC, &PER, &QUANTILE, &INTERVAL, &PHASE, &MIN, &MAX, &UP, &DOWN],
};

pub(in crate::autoscaler) fn read(reader: &Reader<'_>) -> Result<Threshold, Problem> {
    let limits = Limits::read(reader, &MIN, &MAX)?;
    let (Up(up), Down(down)) = (reader.get(&UP)?, reader.get(&DOWN)?);
    if down.threshold > up.threshold {
        let message = format!(
            "`{}` is {}, above the scale-up threshold of {}",
            reader.path_of("down.below"),
            down.threshold,
            up.threshold
        );
        let label = format!("expected at most {}: else one value asks for both", up.threshold);
        return Err(reader.problem("down", message, label));
    }
    Ok(Threshold { schedule: Schedule::read(reader)?, query: Query::read(reader)?, limits, up, down })
}

impl Settings for Threshold {
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
        let Query { metric, per, .. } = self.query;
        let one = |key, threshold, role| Watched { per, role, ..Watched::new(key, metric, threshold) };
        vec![one("up.above", self.up.threshold, Role::Up), one("down.below", self.down.threshold, Role::Down)]
    }
    fn policy(&self, _: &PolicyContext) -> Box<dyn Policy> {
        Box::new(self.new_policy())
    }
}

impl Threshold {
    fn new_policy(&self) -> ThresholdPolicy {
        let last = (None, Outcome::NoMetric);
        let settings = self.clone();
        ThresholdPolicy {
            settings,
            breaches_up: 0,
            breaches_down: 0,
            changed: None,
            last,
            pending: 0,
            desired: 0,
        }
    }
}

/// The loop at work.
#[derive(Debug, Clone)]
struct ThresholdPolicy {
    settings: Threshold,
    breaches_up: u32,
    breaches_down: u32,
    changed: Option<Instant>,
    /// What the last evaluation observed, and what came of it.
    last: (Option<f64>, Outcome),
    /// Instances that it found starting, and those it asked for.
    pending: u32,
    desired: u32,
}

/// What came of an evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// No metric has arrived yet.
    NoMetric,
    /// Requests wait and no instance is asked for: one is.
    Wake {
        /// Requests at the door.
        held: u64,
    },
    /// Between the thresholds, or equal to one.
    Between,
    /// Above; added.
    Up,
    /// Above, but already at the maximum.
    AtMax,
    /// Below; removed.
    Down,
    /// Below, but already at the minimum.
    AtMin,
    /// Past a threshold, but not for enough evaluations yet.
    Waiting {
        /// Whether the upper threshold was passed, else the lower.
        up: bool,
        /// Evaluations in a row so far.
        breaches: u32,
        /// Evaluations in a row needed.
        needed: u32,
    },
    /// Past a threshold, but resting after the last change.
    Cooling {
        /// Whether the upper threshold was passed, else the lower.
        up: bool,
        /// Rest still to come.
        left: Span,
    },
}

impl Policy for ThresholdPolicy {
    fn decide(&mut self, now: Instant, observation: &Observation<'_>) -> u32 {
        let (desired, outcome) = self.evaluate(now, observation);
        if desired != observation.desired {
            self.changed = Some(now);
        }
        self.last = (observation.metric, outcome);
        (self.pending, self.desired) = (observation.existing.saturating_sub(observation.ready), desired);
        desired
    }

    fn explain(&self) -> Explanation {
        let Threshold { query, up, down, .. } = self.settings;
        Explanation {
            metric: query.name(),
            observed: self.last.0,
            target: Some(up.threshold),
            figures: vec![("above", up.threshold.into()), ("below", down.threshold.into())],
            reason: self.reason(),
        }
    }
}

impl ThresholdPolicy {
    fn evaluate(&mut self, now: Instant, observation: &Observation<'_>) -> (u32, Outcome) {
        let desired = observation.desired;
        if desired == 0 && observation.held > 0 {
            return (1, Outcome::Wake { held: observation.held });
        }
        let Some(metric) = observation.metric else { return (desired, Outcome::NoMetric) };
        let Threshold { limits, up, down, .. } = self.settings;
        let (above, below) = (metric > up.threshold, metric < down.threshold);
        self.breaches_up = if above { self.breaches_up.saturating_add(1) } else { 0 };
        self.breaches_down = if below { self.breaches_down.saturating_add(1) } else { 0 };
        let (condition, breaches, limit) = match (above, below) {
            (true, _) => (up, self.breaches_up, limits.max),
            (_, true) => (down, self.breaches_down, limits.min),
            _ => return (desired, Outcome::Between),
        };
        let left = self.changed.map_or(Span::ZERO, |changed| (changed + condition.cooldown).since(now));
        if desired == limit {
            return (desired, if above { Outcome::AtMax } else { Outcome::AtMin });
        }
        if breaches < condition.breaches {
            return (desired, Outcome::Waiting { up: above, breaches, needed: condition.breaches });
        }
        if !left.is_zero() {
            return (desired, Outcome::Cooling { up: above, left });
        }
        match above {
            true => (desired.saturating_add(up.step.of(desired)).clamp(limits.min, limits.max), Outcome::Up),
            false => {
                (desired.saturating_sub(down.step.of(desired)).clamp(limits.min, limits.max), Outcome::Down)
            }
        }
    }

    fn reason(&self) -> String {
        let Threshold { query, up, down, .. } = self.settings;
        let (name, above, below) = (query.name(), up.threshold, down.threshold);
        let (observed, outcome) = self.last;
        let limits = self.settings.limits;
        let pending = match self.pending {
            0 => String::new(),
            1 => ", while 1 instance starts".to_owned(),
            pending => format!(", while {pending} instances start"),
        };
        let side = |up| if up { ("above", above) } else { ("below", below) };
        if let Outcome::Wake { held } = outcome {
            return format!("{held} buffered and no instance: start one");
        }
        let Some(observed) = observed.map(Rounded) else { return format!("no {name} yet: stay") };
        match outcome {
            Outcome::NoMetric | Outcome::Wake { .. } => format!("no {name} yet: stay"),
            Outcome::Between => {
                format!("{name} {observed} is neither above {above} nor below {below}: stay")
            }
            Outcome::Up if self.desired == limits.max => {
                format!(
                    "{name} {observed} is above {above}{pending}: add, up to the maximum of {}",
                    limits.max
                )
            }
            Outcome::Up => format!("{name} {observed} is above {above}{pending}: add"),
            Outcome::AtMax => {
                format!(
                    "{name} {observed} is above {above}{pending}, but the pool is already at its maximum of {}",
                    limits.max
                )
            }
            Outcome::Down if self.desired == limits.min => {
                format!("{name} {observed} is below {below}: remove, down to the minimum of {}", limits.min)
            }
            Outcome::Down => format!("{name} {observed} is below {below}: remove"),
            Outcome::AtMin => {
                format!(
                    "{name} {observed} is below {below}, but the pool is already at its minimum of {}",
                    limits.min
                )
            }
            Outcome::Waiting { up, breaches, needed } => {
                let (side, threshold) = side(up);
                format!(
                    "{name} {observed} is {side} {threshold}, {breaches} of {needed} times needed{pending}: wait"
                )
            }
            Outcome::Cooling { up, left } => {
                let (side, threshold) = side(up);
                format!(
                    "{name} {observed} is {side} {threshold}, but cooling down for another {left}{pending}: wait"
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autoscaler::{Per, Signal};

    fn loop_between(below: f64, above: f64) -> ThresholdPolicy {
        let condition =
            |threshold| Condition { threshold, step: Step::Instances(1), breaches: 1, cooldown: Span::ZERO };
        Threshold {
            schedule: Schedule { interval: Span::from_secs(60), phase: Span::ZERO },
            query: Query { metric: Signal::RequestRate, per: Per::Total, quantile: 0.99 },
            limits: Limits { min: 1, max: 10 },
            up: condition(above),
            down: condition(below),
        }
        .new_policy()
    }

    fn seen(desired: u32, held: u64, metric: f64) -> Observation<'static> {
        let metric = Some(metric);
        Observation { desired, existing: desired, ready: desired, held, metric, instances: &[] }
    }

    /// Feeds one load an evaluation and returns the pool's size after each.
    fn sizes(policy: &mut ThresholdPolicy, loads: &[f64], start: u32) -> Vec<u32> {
        let mut desired = start;
        let mut minutes = 0;
        loads
            .iter()
            .map(|load| {
                minutes += 1;
                let now = Instant::ZERO + Span::from_secs(60) * minutes;
                desired = policy.decide(now, &seen(desired, 0, *load));
                desired
            })
            .collect()
    }

    #[test]
    fn the_worked_example() {
        let loads = [10.0, 50.0, 120.0, 80.0, 30.0, 5.0];
        assert_eq!(sizes(&mut loop_between(20.0, 100.0), &loads, 1), [1, 1, 2, 2, 2, 1]);
        assert_eq!(sizes(&mut loop_between(10.0, 100.0), &loads, 1), [1, 1, 2, 2, 2, 1]);
    }

    #[test]
    fn equal_to_a_threshold_does_nothing() {
        assert_eq!(sizes(&mut loop_between(20.0, 100.0), &[100.0, 20.0], 3), [3, 3]);
    }

    #[test]
    fn breaches_must_follow_one_another() {
        let mut policy = loop_between(20.0, 100.0);
        policy.settings.up.breaches = 2;
        assert_eq!(sizes(&mut policy, &[120.0, 50.0, 120.0, 120.0, 50.0], 1), [1, 1, 1, 2, 2]);
    }

    #[test]
    fn a_cooldown_counts_from_the_last_change_in_either_direction() {
        let mut policy = loop_between(20.0, 100.0);
        policy.settings.up.cooldown = Span::from_secs(120);
        assert_eq!(sizes(&mut policy, &[120.0, 120.0, 120.0, 5.0, 120.0, 120.0], 1), [2, 2, 3, 2, 2, 3]);
    }

    #[test]
    fn percentages_round_up_and_the_limits_hold() {
        let mut policy = loop_between(20.0, 100.0);
        policy.settings.up.step = Step::Percent(50.0);
        policy.settings.down.step = Step::Percent(50.0);
        assert_eq!(
            sizes(&mut policy, &[120.0, 120.0, 120.0, 120.0, 1.0, 1.0, 1.0], 3),
            [5, 8, 10, 10, 5, 2, 1]
        );
    }

    #[test]
    fn a_request_at_the_door_wakes_an_empty_pool() {
        let mut policy = loop_between(20.0, 100.0);
        policy.settings.limits.min = 0;
        assert_eq!(policy.decide(Instant::from_nanos(1), &seen(0, 3, 0.0)), 1);
        assert_eq!(policy.decide(Instant::from_nanos(2), &seen(0, 0, 0.0)), 0);
    }

    #[test]
    fn reasons_are_sentences() {
        let mut policy = loop_between(20.0, 100.0);
        policy.decide(Instant::from_nanos(1), &seen(1, 0, 10.0));
        let reason = policy.explain().reason;
        assert_eq!(reason, "request_rate 10 is below 20, but the pool is already at its minimum of 1");
        policy.decide(Instant::from_nanos(2), &Observation { ready: 1, ..seen(3, 0, 120.0) });
        let reason = policy.explain().reason;
        assert_eq!(reason, "request_rate 120 is above 100, while 2 instances start: add");
    }
}
