//! How much memory there is for runs.

use sysinfo::{MemoryRefreshKind, RefreshKind, System};

use super::{Global, progress};
use crate::experiment::MAX_TOGETHER;
use crate::scenario::Scenario;

/// Bytes of a waiting request while its queue grows: 16, and the old half of the queue beside the new whole.
const WAITING_BYTES: u64 = 48;

/// Bytes that may be used: what the system says is available, within what the process's control group may have.
/// Everything, where the system does not say.
pub(super) fn available() -> u64 {
    let memory = MemoryRefreshKind::nothing().with_ram();
    System::new_with_specifics(RefreshKind::nothing().with_memory(memory)).map_or(u64::MAX, |system| {
        let group = system.cgroup_limits().map_or(u64::MAX, |group| group.free_memory);
        system.available_memory().min(group)
    })
}

/// Runs that are in memory at a time, at the most.
pub(super) fn parallel_runs(global: &Global) -> usize {
    progress::threads(global) * MAX_TOGETHER
}

/// Waiting requests that each of the runs of `scenarios` may hold, so that all that run at a time fit into memory.
pub(super) fn most_waiting(global: &Global, scenarios: &[&Scenario]) -> u64 {
    let replications = |scenario: &&Scenario| {
        let most = scenario.run.precision.map_or(0, |precision| precision.most);
        scenario.run.replications.max(most) as usize
    };
    let runs: usize = scenarios.iter().map(replications).sum();
    available() / WAITING_BYTES / parallel_runs(global).min(runs).max(1) as u64
}
