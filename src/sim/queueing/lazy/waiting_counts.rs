//! How many requests wait at each of many queues, kept as it changes.

use crate::sim::queueing::due_times::DueTimes;

/// What waits at each queue of a pool and in all, and when each will have less of it by itself: so that in a pool where more and
/// more waits, only the queues that have changed are looked at again.
#[derive(Debug, Clone, Default)]
pub(super) struct WaitingCounts {
    waiting: Vec<u64>,
    total: u64,
    falls: DueTimes,
}

impl WaitingCounts {
    /// Of queues that have been looked at at `now`: what waits at each, and when that next falls.
    pub fn begin(now: u64, queues: impl Iterator<Item = (u64, u64)>) -> Self {
        let (waiting, falls): (Vec<u64>, Vec<u64>) = queues.unzip();
        let mut counts = WaitingCounts { total: waiting.iter().sum(), waiting, falls: DueTimes::default() };
        counts.falls.rebuild(now, falls.into_iter());
        counts
    }

    /// Requests waiting in all, once [`WaitingCounts::next_by`] names no queue.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// A queue that may have less by `now`.
    pub fn next_by(&self, now: u64) -> Option<usize> {
        self.falls.next_by(now)
    }

    /// Whether `now` is so late that a fall by then may be missing.
    pub fn is_beyond(&self, now: u64) -> bool {
        self.falls.is_beyond(now)
    }

    /// A queue has been looked at: so many wait there, and fewer from `falls` on, if no more come.
    pub fn set(&mut self, index: usize, waiting: u64, falls: u64) {
        self.total -= std::mem::replace(&mut self.waiting[index], waiting);
        self.total += waiting;
        self.falls.set(index, falls);
    }
}
