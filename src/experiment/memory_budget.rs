//! What the runs of an experiment may use of memory.

use super::task::MAX_TOGETHER;
use crate::scenario::Scenario;

/// Bytes of a waiting request while its queue grows: 24, the old half of the queue beside the new whole, and as much as 21 for the
/// instant at which it starts.
const WAITING_BYTES: u64 = 96;

/// What all runs together may use of memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryBudget {
    /// Bytes.
    pub bytes: u64,
    /// Maximum number of runs that are in memory at a time.
    pub parallel_runs: usize,
}

impl MemoryBudget {
    /// So many bytes for the runs of so many threads.
    pub fn of(bytes: u64, threads: usize) -> MemoryBudget {
        MemoryBudget { bytes, parallel_runs: threads * MAX_TOGETHER }
    }

    /// Runs of `scenarios` that are in memory at a time.
    pub fn parallel_runs_of(&self, scenarios: &[&Scenario]) -> usize {
        let replications = |scenario: &&Scenario| {
            let most = scenario.run.precision.map_or(0, |precision| precision.most);
            scenario.run.replications.max(most) as usize
        };
        let runs: usize = scenarios.iter().map(replications).sum();
        self.parallel_runs.min(runs).max(1)
    }

    /// Waiting requests that each of the runs of `scenarios` may hold, so that all that run at a time fit.
    pub fn max_waiting(&self, scenarios: &[&Scenario]) -> u64 {
        self.bytes / WAITING_BYTES / self.parallel_runs_of(scenarios) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::task::tests::scenario;

    #[test]
    fn few_runs_may_hold_more_each_than_many() {
        let (one, budget) = (scenario(8.0), MemoryBudget::of(96_000, 2));
        assert_eq!(budget.parallel_runs, 32);
        // Three replications, then six, then more than run at a time.
        let most = |count: usize| budget.max_waiting(&vec![&one; count]);
        assert_eq!([most(1), most(2), most(11), most(100)], [333, 166, 31, 31]);
    }
}
