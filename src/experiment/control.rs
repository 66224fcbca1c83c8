//! What long work can be watched and stopped by.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::sim::RunLimits;

/// Shared between the threads that work and the one that watches. Nothing in it reaches a result.
#[derive(Debug)]
pub struct Control {
    watch: Arc<RunLimits>,
    requests: AtomicU64,
    runs: AtomicU64,
}

/// Bounds nothing.
impl Default for Control {
    fn default() -> Self {
        Control::bounded(u64::MAX)
    }
}

impl Control {
    /// Work of which each run may hold at most `most_waiting` waiting requests.
    pub fn bounded(most_waiting: u64) -> Control {
        Control {
            watch: Arc::new(RunLimits::new(most_waiting)),
            requests: AtomicU64::default(),
            runs: AtomicU64::default(),
        }
    }

    /// Asks the work to stop; it does at the next event of the pool or block of requests.
    pub fn cancel(&self) {
        self.watch.stop();
    }

    /// Whether the work was asked to stop.
    pub fn cancelled(&self) -> bool {
        self.watch.stopped()
    }

    /// What a run is watched by.
    pub(super) fn watch(&self) -> Arc<RunLimits> {
        Arc::clone(&self.watch)
    }

    /// Requests simulated so far, over all runs.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Runs finished so far.
    pub fn runs(&self) -> u64 {
        self.runs.load(Ordering::Relaxed)
    }

    pub(super) fn count_requests(&self, requests: u64) {
        self.requests.fetch_add(requests, Ordering::Relaxed);
    }

    pub(super) fn count_runs(&self, runs: u64) {
        self.runs.fetch_add(runs, Ordering::Relaxed);
    }
}
