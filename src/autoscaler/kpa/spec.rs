//! What decider and activator go by.

use crate::time::Span;

/// What the decider goes by (Knative's `DeciderSpec`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spec {
    /// Value of the metric one pod should have.
    pub target: f64,
    /// Value of the metric one pod can have.
    pub total: f64,
    /// Room for a burst kept free before the activator leaves the path; 0: the activator serves at zero only; below 0:
    /// it always does.
    pub target_burst_capacity: f64,
    /// Panic when the short mean needs this many times the ready pods, or more.
    pub panic_threshold: f64,
    /// Most pods wanted, in multiples of the ready ones.
    pub max_scale_up_rate: f64,
    /// The minimum desired number of pods is that of the ready ones divided by this.
    pub max_scale_down_rate: f64,
    /// How long a panic lasts after the last time it was needed.
    pub stable_window: Span,
    /// Minimum desired number of pods while it is not zero; 0 and 1: no such bound.
    pub activation_scale: u32,
    /// Whether requests can reach the revision.
    pub reachable: bool,
}
