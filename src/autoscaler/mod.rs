//! Autoscaling policies, one file each.
//!
//! A policy is a pure function of its own state and an [`Observation`] to a [`Decision`]: no engine, no randomness, no
//! clock of its own. The same object serves the simulator, `replay` and the conformance tests.
//!
//! Adding a policy: write its file, list it in [`Autoscaler::SPEC`] and in the three `match`es of this file.

mod fixed;
mod metric;
mod threshold;

use std::fmt;

pub use fixed::Fixed;
pub use metric::{METRIC, Metric, PER, Per, QUANTILE, Query};
pub use threshold::{Condition, Outcome as ThresholdOutcome, Reason as ThresholdReason, Step, Threshold};

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
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Fixed => f.write_str("the pool has a fixed size"),
            Reason::Threshold(reason) => reason.fmt(f),
        }
    }
}

/// What is common to all autoscalers: when they run and how far they may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Fewest instances.
    pub min: u32,
    /// Most instances.
    pub max: u32,
}

/// The `[autoscaler]` table: a policy with its settings, before it has seen anything.
#[derive(Debug, Clone, PartialEq)]
pub enum Autoscaler {
    /// A pool of fixed size.
    Fixed(Fixed),
    /// A threshold loop.
    Threshold(Threshold),
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
        variants: &[&Fixed::SPEC, &Threshold::SPEC],
    };
    /// Reads the `[autoscaler]` table.
    ///
    /// # Errors
    /// What is wrong with it, at its place.
    pub fn read(node: &Node, path: &str, context: &Context) -> Result<Autoscaler, Problem> {
        let (variant, reader) = Self::SPEC.open(node, path, context)?;
        match variant.name {
            "fixed" => Fixed::read(&reader).map(Autoscaler::Fixed),
            _ => Threshold::read(&reader).map(Autoscaler::Threshold),
        }
    }

    /// When the policy is evaluated; `None` if never.
    pub fn schedule(&self) -> Option<Schedule> {
        match self {
            Autoscaler::Fixed(_) => None,
            Autoscaler::Threshold(threshold) => Some(threshold.schedule),
        }
    }

    /// The metric it asks for, if it asks for one.
    pub fn query(&self) -> Option<Query> {
        match self {
            Autoscaler::Fixed(_) => None,
            Autoscaler::Threshold(threshold) => Some(threshold.query),
        }
    }

    /// Fewest and most instances it will ever ask for.
    pub fn limits(&self) -> Limits {
        match self {
            Autoscaler::Fixed(fixed) => Limits { min: fixed.instances, max: fixed.instances },
            Autoscaler::Threshold(threshold) => threshold.limits,
        }
    }

    /// The policy at the start of a run.
    pub fn policy(&self) -> Policy {
        match self {
            Autoscaler::Fixed(fixed) => Policy::Fixed(fixed.clone()),
            Autoscaler::Threshold(threshold) => Policy::Threshold(threshold.policy()),
        }
    }
}

/// A policy at work: its settings and what it remembers.
#[derive(Debug, Clone)]
pub enum Policy {
    /// See [`Fixed`].
    Fixed(Fixed),
    /// See [`Threshold`].
    Threshold(threshold::Policy),
}

impl Policy {
    /// The instances wanted at `now`, given what is observed.
    pub fn decide(&mut self, now: Instant, observation: &Observation) -> Decision {
        match self {
            Policy::Fixed(fixed) => Decision { desired: fixed.instances, reason: Reason::Fixed },
            Policy::Threshold(policy) => policy.decide(now, observation),
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
