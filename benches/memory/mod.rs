//! Peak memory of a run, which must not grow with its requests.

use std::process::Command;

/// First argument of the process that a measurement starts: this program again, to do one run and nothing else.
pub const CHILD: &str = "--peak-memory-of";

/// Peak resident memory in bytes of a process of its own that runs `requests` requests of the kind named; `None` where the
/// system does not tell.
pub fn peak(kind: &str, requests: u64) -> Option<u64> {
    let program = std::env::current_exe().ok()?;
    let output = Command::new(program).args([CHILD, kind, &requests.to_string()]).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

/// The peak so far of this process, printed for [`peak`]: `VmHWM` of Linux's `/proc/self/status` (proc(5)).
pub fn report() {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|rest| rest.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    if let Some(kilobytes) = kilobytes {
        println!("{}", kilobytes * 1024);
    }
}
