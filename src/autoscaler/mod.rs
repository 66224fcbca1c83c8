//! Autoscaling policies, one file each.
//!
//! A policy is a pure function of its own state and an [`Observation`] to a [`Decision`]: no engine, no randomness, no
//! clock of its own. The same object serves the simulator, `replay` and the conformance tests.
//!
//! Adding a policy: write its file, list it in [`Autoscaler::SPEC`] and in the `match`es of this file.

mod fixed;
mod hysteresis;
mod metric;
mod setup;
mod target;
mod threshold;

use std::fmt;

pub use fixed::Fixed;
pub use hysteresis::Hysteresis;
pub use metric::{METRIC, Metric, PER, Per, QUANTILE, Query};
pub use setup::Setup;
pub use target::Target;
pub use threshold::{Condition, Outcome as ThresholdOutcome, Reason as ThresholdReason, Step, Threshold};

use crate::random::Streams;
use crate::schema::{Context, Key, Node, Problem, Reader, UnionSpec};
use crate::time::{Instant, Span};

/// What the autoscaler is shown at an evaluation. Never the truth: metrics are scraped, averaged and late.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation {
    /// Instances last asked for (a real system's "spec" or "target").
    pub desired: u32,
    /// Instances that exist and are not on their way out: starting and ready.
    pub existing: u32,
    /// Instances ready to serve.
    pub ready: u32,
    /// Requests held because no instance is ready. The door itself knows them, so they are neither averaged nor late.
    pub held: u64,
    /// The metric the policy asked for; `None` until the first one has arrived, or when nothing was there to measure.
    pub metric: Option<f64>,
}

/// What a policy wants, and why.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Decision {
    /// Instances wanted from now on.
    pub desired: u32,
    /// Why, with the figures it rests on.
    pub reason: Reason,
}

/// Why a decision came out as it did. Plain figures: turned into words only when a log is written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reason {
    /// The pool has a fixed size.
    Fixed,
    /// A [`Threshold`] evaluation.
    Threshold(ThresholdReason),
    /// A [`Target`] evaluation.
    Target(target::Reason),
    /// A [`Setup`] reaction.
    Setup(setup::Reason),
    /// A [`Hysteresis`] reaction.
    Hysteresis(hysteresis::Reason),
    /// An instance was without work for as long as the policy keeps one.
    Idle,
}

impl Reason {
    /// Name of the metric it rests on, as a scenario writes it; empty if on none.
    pub fn metric(&self) -> &'static str {
        match self {
            Reason::Threshold(reason) => reason.query.name(),
            Reason::Target(reason) => reason.query.name(),
            Reason::Hysteresis(_) | Reason::Setup(_) => "in_flight",
            Reason::Fixed | Reason::Idle => "",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Fixed => f.write_str("the pool has a fixed size"),
            Reason::Threshold(reason) => reason.fmt(f),
            Reason::Target(reason) => reason.fmt(f),
            Reason::Setup(reason) => reason.fmt(f),
            Reason::Hysteresis(reason) => reason.fmt(f),
            Reason::Idle => f.write_str("an instance has idled for its keep-alive: let it go"),
        }
    }
}

/// What a policy that acts at every arrival and departure sees: the truth of the instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Glance {
    /// Requests waiting or in service.
    pub in_flight: u64,
    /// Requests waiting.
    pub waiting: u64,
    /// Instances ready.
    pub ready: u32,
    /// Instances starting.
    pub starting: u32,
}

/// How far an autoscaler may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Fewest instances.
    pub min: u32,
    /// Most instances.
    pub max: u32,
}

impl Limits {
    /// Reads both keys.
    fn read(reader: &Reader<'_>, min: &Key<u32>, max: &Key<u32>) -> Result<Limits, Problem> {
        let limits = Limits { min: reader.get(min)?, max: reader.get(max)? };
        if limits.min <= limits.max {
            return Ok(limits);
        }
        let Limits { min: least, max: most } = limits;
        let message = format!("`{}` is {least} but the maximum is {most}", reader.path_of(min.name()));
        Err(reader.problem(min.name(), message, format!("expected at most {most}")))
    }
}

/// The `[autoscaler]` table: a policy with its settings, before it has seen anything.
#[derive(Debug, Clone, PartialEq)]
pub enum Autoscaler {
    /// A pool of fixed size.
    Fixed(Fixed),
    /// A threshold loop.
    Threshold(Threshold),
    /// Proportional scaling to a target.
    Target(Target),
    /// The ideal on-demand autoscaler.
    Setup(Setup),
    /// Thresholds on the requests in the system.
    Hysteresis(Hysteresis),
}

const INTERVAL: Key<Span> = Key::or("interval", "\"15s\"", "Time between two evaluations.").at_least(1e-3);
const PHASE: Key<Span> = Key::or(
    "phase",
    "\"0s\"",
    "Shifts the evaluations: they fall at `phase` + k × `interval`, k = 1, 2, … (k = 0 too when `phase` is not zero).",
);

impl Autoscaler {
    /// The `[autoscaler]` table.
    pub const SPEC: UnionSpec = UnionSpec {
        name: "autoscaler",
        doc: "The autoscaler that watches the pool.",
        tag: "kind",
        default: None,
        common: &[],
        variants: &[&Fixed::SPEC, &Threshold::SPEC, &Target::SPEC, &Setup::SPEC, &Hysteresis::SPEC],
    };
    /// Reads the `[autoscaler]` table.
    ///
    /// # Errors
    /// What is wrong with it, at its place.
    pub fn read(node: &Node, path: &str, context: &Context) -> Result<Autoscaler, Problem> {
        let (variant, reader) = Self::SPEC.open(node, path, context)?;
        match variant.name {
            "fixed" => Fixed::read(&reader).map(Autoscaler::Fixed),
            "target" => Target::read(&reader).map(Autoscaler::Target),
            "setup" => Setup::read(&reader).map(Autoscaler::Setup),
            "hysteresis" => Hysteresis::read(&reader).map(Autoscaler::Hysteresis),
            _ => Threshold::read(&reader).map(Autoscaler::Threshold),
        }
    }

    /// When the policy is evaluated; `None` if never.
    pub fn schedule(&self) -> Option<Schedule> {
        match self {
            Autoscaler::Fixed(_) | Autoscaler::Setup(_) | Autoscaler::Hysteresis(_) => None,
            Autoscaler::Threshold(threshold) => Some(threshold.schedule),
            Autoscaler::Target(target) => Some(target.schedule),
        }
    }

    /// The metric it asks for, if it asks for one.
    pub fn query(&self) -> Option<Query> {
        match self {
            Autoscaler::Fixed(_) | Autoscaler::Setup(_) | Autoscaler::Hysteresis(_) => None,
            Autoscaler::Threshold(threshold) => Some(threshold.query),
            Autoscaler::Target(target) => Some(target.query),
        }
    }

    /// Fewest and most instances it will ever ask for.
    pub fn limits(&self) -> Limits {
        match self {
            Autoscaler::Fixed(fixed) => Limits { min: fixed.instances, max: fixed.instances },
            Autoscaler::Threshold(threshold) => threshold.limits,
            Autoscaler::Target(target) => target.limits,
            Autoscaler::Setup(setup) => setup.limits,
            Autoscaler::Hysteresis(hysteresis) => hysteresis.limits(),
        }
    }

    /// The policy at the start of a run.
    pub fn policy(&self) -> Policy {
        match self {
            Autoscaler::Fixed(fixed) => Policy::Fixed(fixed.clone()),
            Autoscaler::Threshold(threshold) => Policy::Threshold(threshold.policy()),
            Autoscaler::Target(target) => Policy::Target(*target),
            Autoscaler::Setup(setup) => Policy::Setup(setup.clone()),
            Autoscaler::Hysteresis(hysteresis) => Policy::Hysteresis(hysteresis.clone()),
        }
    }

    /// Whether it acts at every arrival and departure, rather than now and then on metrics.
    pub fn is_reactive(&self) -> bool {
        matches!(self, Autoscaler::Setup(_) | Autoscaler::Hysteresis(_))
    }
}

/// A policy at work: its settings and what it remembers.
#[derive(Debug, Clone)]
pub enum Policy {
    /// See [`Fixed`].
    Fixed(Fixed),
    /// See [`Threshold`].
    Threshold(threshold::Policy),
    /// See [`Target`].
    Target(Target),
    /// See [`Setup`].
    Setup(Setup),
    /// See [`Hysteresis`].
    Hysteresis(Hysteresis),
}

impl Policy {
    /// The instances wanted at `now`, given what is observed.
    pub fn decide(&mut self, now: Instant, observation: &Observation) -> Decision {
        match self {
            Policy::Fixed(fixed) => Decision { desired: fixed.instances, reason: Reason::Fixed },
            Policy::Threshold(policy) => policy.decide(now, observation),
            Policy::Target(target) => target.decide(observation),
            // These act through `react` alone.
            Policy::Setup(_) | Policy::Hysteresis(_) => {
                Decision { desired: observation.desired, reason: Reason::Idle }
            }
        }
    }

    /// The instances wanted after an arrival, a departure or a change of the pool, if the policy acts at these.
    pub fn react(&self, glance: &Glance) -> Option<Decision> {
        match self {
            Policy::Fixed(_) | Policy::Threshold(_) | Policy::Target(_) => None,
            Policy::Setup(setup) => Some(setup.react(glance)),
            Policy::Hysteresis(hysteresis) => hysteresis.react(glance),
        }
    }

    /// How long instance number `instance` is kept without work after so many spells of it; `None`: the policy does
    /// not let instances go for being idle.
    pub fn keep_alive(&self, streams: Streams, instance: u32, spells: u64) -> Option<Span> {
        match self {
            Policy::Setup(setup) => Some(setup.draw_keep_alive(streams, instance, spells)),
            _ => None,
        }
    }
}

/// When a periodic policy is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// Time between two evaluations; not zero.
    pub interval: Span,
    /// Shift of the evaluations from the multiples of `interval`.
    pub phase: Span,
}

impl Schedule {
    fn read(reader: &Reader<'_>) -> Result<Schedule, Problem> {
        Ok(Schedule { interval: reader.get(&INTERVAL)?, phase: reader.get(&PHASE)? })
    }

    /// The first evaluation: never at the very start of the run, when nothing has been observed.
    pub fn first(&self) -> Instant {
        Instant::ZERO + if self.phase.is_zero() { self.interval } else { self.phase }
    }
}
