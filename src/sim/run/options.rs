//! What a run keeps beside its figures.

use crate::time::Span;

/// What a run keeps beside its figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Length of the windows the run is judged by, and drawn in; not zero.
    pub mark_interval: Span,
    /// Keep the timeline.
    pub timeline: bool,
    /// Keep every decision of the autoscaler; of more than 100,000 evaluations, those that change the desired number.
    pub decisions: bool,
}
