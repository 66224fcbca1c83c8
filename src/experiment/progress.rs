//! How far work has come.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Counters shared by the threads that work and the one that watches. Nothing in them reaches a result. Clones count
/// together.
///
/// ```
/// use kneepoint::{Options, Progress, Scenario, run};
///
/// # let text = "[arrivals]\nkind = \"poisson\"\nrate = 8\n[service]\ntime = \"1s\"\n[autoscaler]\nkind = \"fixed\"\n\
/// #     instances = 10\n[cost]\nper_instance_hour = 2\n[slo]\nlatency = \"3s\"\n[run]\nduration = \"1m\"";
/// let progress = Progress::default();
/// run(&Scenario::parse(text)?, &Options { progress: progress.clone(), ..Options::default() })?;
/// assert!(progress.runs() > 0 && progress.requests() > 100);
/// # Ok::<(), kneepoint::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Progress(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    requests: AtomicU64,
    runs: AtomicU64,
    stored: AtomicU64,
    note: Mutex<String>,
}

impl Progress {
    /// What is found so far, in a few words; empty if nothing is said.
    pub fn note(&self) -> String {
        self.0.note.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Says what is found so far.
    pub fn set_note(&self, note: impl Into<String>) {
        *self.0.note.lock().unwrap_or_else(PoisonError::into_inner) = note.into();
    }

    /// Requests simulated so far, over all runs.
    pub fn requests(&self) -> u64 {
        self.0.requests.load(Ordering::Relaxed)
    }

    /// Runs finished so far: simulated, or found in the store.
    pub fn runs(&self) -> u64 {
        self.0.runs.load(Ordering::Relaxed)
    }

    /// Those of the runs that were found in the store.
    pub fn stored(&self) -> u64 {
        self.0.stored.load(Ordering::Relaxed)
    }

    pub(super) fn add_requests(&self, requests: u64) {
        self.0.requests.fetch_add(requests, Ordering::Relaxed);
    }

    pub(super) fn add_simulated(&self) {
        self.0.runs.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn add_stored(&self, runs: u64) {
        self.0.stored.fetch_add(runs, Ordering::Relaxed);
        self.0.runs.fetch_add(runs, Ordering::Relaxed);
    }
}
