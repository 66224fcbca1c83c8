//! What an evaluation found.

use super::apply::{Condition, Step};
use super::decider::Verdict;
use crate::time::Instant;

/// What the last evaluation found.
#[derive(Debug, Clone, Copy)]
pub(super) struct KpaEvaluation {
    pub at: Instant,
    pub ready: u32,
    pub stable: f64,
    pub panic: f64,
    pub occasion: Occasion,
    /// How the decider came out, if it decided.
    pub verdict: Option<Verdict>,
    /// Pods the decider wants, from this evaluation or an earlier one.
    pub desired: Option<u32>,
    pub excess_burst_capacity: i32,
    pub step: Step,
    pub condition: Condition,
    pub proxied: bool,
}

/// Why it was evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Occasion {
    /// The clock of the decider.
    Tick,
    /// The activator reports the first request while nothing is wanted.
    Poke,
    /// A wait of the scale-to-zero machine is over.
    Requeue,
}
