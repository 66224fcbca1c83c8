//! How one promise beside the first is kept.

use super::slo::Promise;

/// Counts of the measured requests, of the whole run or window by window.
#[derive(Debug, Clone)]
pub(in crate::sim) struct PromiseTally {
    pub promise: Promise,
    /// Answers that kept it.
    good: u64,
    /// Requests that have ended or are overdue, and those of them that missed it, of the requests that arrived in each
    /// window; empty for a promise of the whole run.
    windows: Vec<(u32, u32)>,
}

impl PromiseTally {
    /// Nothing yet.
    pub fn of(promise: Promise) -> PromiseTally {
        PromiseTally { promise, good: 0, windows: Vec::new() }
    }

    /// An answer to a request that arrived so many nanoseconds after the measured part began.
    pub fn answered(&mut self, since: u64, good: bool) {
        self.good += u64::from(good);
        self.in_window(since, 1, u32::from(!good));
    }

    /// A request lost, likewise.
    pub fn lost(&mut self, since: u64) {
        self.in_window(since, 1, 1);
    }

    /// Requests that arrived then and are overdue at the end of the run.
    pub fn overdue(&mut self, since: u64, many: u64) {
        let many = u32::try_from(many).unwrap_or(u32::MAX);
        self.in_window(since, many, many);
    }

    fn in_window(&mut self, since: u64, counted: u32, missed: u32) {
        let Some(windows) = self.promise.windows else { return };
        let Ok(index) = usize::try_from(since / windows.length.as_nanos().max(1)) else { return };
        if index >= self.windows.len() {
            self.windows.resize(index + 1, (0, 0));
        }
        let window = &mut self.windows[index];
        *window = (window.0.saturating_add(counted), window.1.saturating_add(missed));
    }

    /// How it was kept: what missed it and what counts, of the requests, or of the windows with a request. `ended` of the
    /// requests have ended and `overdue` have missed it without.
    pub fn kept(&self, ended: u64, overdue: u64) -> (u64, u64) {
        if self.promise.windows.is_none() {
            let counted = ended + overdue;
            return (counted - self.good.min(counted), counted);
        }
        let counted = self.windows.iter().filter(|(counted, _)| *counted > 0);
        let missed = counted
            .clone()
            .filter(|(all, missed)| self.promise.misses_window((*missed).into(), (*all).into()));
        (missed.count() as u64, counted.count() as u64)
    }
}
