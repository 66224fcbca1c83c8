//! What a sweep of the load alone comes to.

use serde::Serialize;

use crate::stats::Estimate;

/// The greatest load at which a setting keeps its promise.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LoadLimit {
    /// The variant; `None` for the base scenario.
    pub variant: Option<String>,
    /// The condition that is swept, such as `arrivals.rate`.
    pub path: String,
    /// The greatest load, between two values swept by interpolation of the share of requests that miss the SLO, with the
    /// interval that follows from that of the share. No mean if even the least load misses the SLO; no upper end if that
    /// may be kept beyond the greatest load swept.
    pub load: Estimate,
    /// Whether the greatest load swept keeps the SLO, so that the limit lies beyond.
    pub beyond: bool,
    /// Utilization at the greatest load.
    pub utilization: Option<f64>,
}
