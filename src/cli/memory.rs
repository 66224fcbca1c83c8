//! How much memory this machine has for runs.

use sysinfo::{MemoryRefreshKind, RefreshKind, System};

use crate::experiment::MemoryBudget;

/// Memory that the runs of a command on this number of threads may use.
pub(super) fn budget(threads: usize) -> MemoryBudget {
    MemoryBudget::of(available(), threads)
}

/// Bytes that may be used: what the system says is available, within what the process's control group may have.
/// Everything, where the system does not say.
fn available() -> u64 {
    let memory = MemoryRefreshKind::nothing().with_ram();
    System::new_with_specifics(RefreshKind::nothing().with_memory(memory)).map_or(u64::MAX, |system| {
        let group = system.cgroup_limits().map_or(u64::MAX, |group| group.free_memory);
        system.available_memory().min(group)
    })
}
