//! Why a run came to nothing.

use crate::sim::Counts;
use crate::time::Instant;
use crate::units::show_span;

/// Why a run came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunError {
    /// The case.
    pub case: usize,
    /// The replication.
    pub replication: u32,
    /// What went wrong.
    pub what: RunFailure,
}

/// What may go wrong with a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunFailure {
    /// Requests went missing: a defect of the simulator, never of a scenario.
    NotConserved(Counts),
    /// More requests waited than memory has room for.
    Overgrown {
        /// When, from the start of the run.
        at: Instant,
        /// Requests that there was room for.
        most_waiting: u64,
    },
}

impl std::fmt::Display for RunError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let replication = self.replication;
        match self.what {
            RunFailure::NotConserved(counts) => write!(
                f,
                "internal error: requests are not conserved in replication {replication}: {counts:?}; please report this \
                 with the scenario"
            ),
            RunFailure::Overgrown { at, most_waiting } => write!(
                f,
                "more than {most_waiting} requests wait at {} of replication {replication}, which is what this machine's \
                 memory holds; nothing was written\n  help: the autoscaler lets the queue grow; limit it \
                 (dispatch.queue_capacity), let more instances start, or check the unit of the rate: per second",
                show_span(at.since(Instant::ZERO))
            ),
        }
    }
}

impl std::error::Error for RunError {}
