//! How much memory this machine has for runs.

use sysinfo::{MemoryRefreshKind, RefreshKind, System};

use crate::experiment::MemoryBudget;

/// Memory that the runs of a command on this number of threads may use.
pub(super) fn budget(threads: usize) -> MemoryBudget {
    MemoryBudget::of(available().min(address_space(threads)), threads)
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

/// Bytes that the process may still take from its address space (`ulimit -v`), as Linux tells it; everything elsewhere.
fn address_space(threads: usize) -> u64 {
    let read = |file: &str| std::fs::read_to_string(file).unwrap_or_default();
    left(&read("/proc/self/limits"), &read("/proc/self/status"), threads).unwrap_or(u64::MAX)
}

/// What a process of these limits and this status may still take; `None` if there is no limit.
fn left(limits: &str, status: &str, threads: usize) -> Option<u64> {
    /// What the allocator sets aside for a thread, and its stack.
    const THREAD_BYTES: u64 = 66 << 20;
    /// What is needed beside the runs, for charts and files.
    const OTHER_BYTES: u64 = 32 << 20;
    let of = |text: &str, name: &str| -> Option<u64> {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse().ok()
    };
    let room = of(limits, "Max address space")?.saturating_sub(of(status, "VmSize:").unwrap_or(0) << 10);
    // One more waits for signals. Where there is less, they share what there is.
    Some(room - ((threads as u64 + 1) * THREAD_BYTES + OTHER_BYTES).min(room / 4 * 3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_of_the_address_space_bounds_what_runs_may_use() {
        let status = "Name:\tkneepoint\nVmPeak:\t  200000 kB\nVmSize:\t  100000 kB\n";
        let limits = |soft: &str| {
            format!(
                "Limit                     Soft Limit           Hard Limit           Units\n\
                 Max address space         {soft}            unlimited            bytes\n"
            )
        };
        assert_eq!(left(&limits("unlimited"), status, 2), None);
        assert_eq!(left("", "", 2), None);
        let gib = 1 << 30;
        assert_eq!(left(&limits(&gib.to_string()), status, 2), Some(gib - 102_400_000 - (230 << 20)));
        assert_eq!(left(&limits("202400000"), status, 64), Some(25_000_000), "a quarter of it at least");
        assert_eq!(left(&limits("5000"), status, 1), Some(0));
    }
}
