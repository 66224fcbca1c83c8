//! How a run is watched and bounded from outside.

use std::sync::atomic::{AtomicBool, Ordering};

/// Shared by the runs of one piece of work and whoever watches them. Nothing in it reaches a result: a run that is
/// stopped has none.
#[derive(Debug)]
pub struct RunLimits {
    stopped: AtomicBool,
    max_waiting: u64,
}

impl RunLimits {
    /// Runs of which each may hold at most `max_waiting` waiting requests.
    pub fn new(max_waiting: u64) -> Self {
        RunLimits { stopped: AtomicBool::new(false), max_waiting }
    }

    /// Waiting requests that a run may hold.
    pub fn max_waiting(&self) -> u64 {
        self.max_waiting
    }

    /// Asks the runs to stop.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Whether they are asked to stop.
    pub fn stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}
