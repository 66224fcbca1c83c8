//! What long work can be watched and stopped by.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Shared between the threads that work and the one that watches. Nothing in it reaches a result.
#[derive(Debug, Default)]
pub struct Control {
    cancelled: Arc<AtomicBool>,
    requests: AtomicU64,
    runs: AtomicU64,
}

impl Control {
    /// Asks the work to stop; it does at the next event of the pool or block of requests.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether the work was asked to stop.
    pub fn cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// What tells a run that it is wanted no more.
    pub(super) fn stop(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.cancelled)
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
