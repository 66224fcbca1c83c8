//! Instructions per request, counted by callgrind: the same on a busy machine as on a quiet one, so that a change of one in
//! a thousand shows.
//!
//! A run of [`SHORT`] requests and one of [`LONG`] are counted, and the difference is divided by the added requests: what
//! start and end cost drops out. The counts depend on the compiler and a little on the C library and the processor.
//! `KNEEPOINT_BLESS=1 cargo bench -- instructions` writes them to `baseline.txt`.

use std::process::Command;

/// First argument of the process that is counted: this program again, to do one run and nothing else.
pub const CHILD: &str = "--instructions-of";

const SHORT: u64 = 50_000;
const LONG: u64 = 150_000;

/// Rise against the baseline above which the bench fails, in percent.
const LIMIT: f64 = 5.0;

const BASELINE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/instructions/baseline.txt");

/// Counts each of the rows named, prints its instructions per request beside those of the baseline, and returns whether
/// all of them are within the limit.
pub fn measure<'a>(names: impl Iterator<Item = &'a str>) -> bool {
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("{:<44} skipped: valgrind is not installed", "instructions");
        return true;
    }
    let baseline = std::fs::read_to_string(BASELINE).unwrap_or_default();
    let known = |name: &str| -> Option<f64> {
        let row = baseline.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('\t'))?;
        row.trim().parse().ok()
    };
    println!("{:<44} {:>16} {:>8} {:>9}", "instructions", "per request", "baseline", "change");
    let (mut within, mut table) = (true, String::new());
    for name in names {
        let Some((short, long)) = count(name, SHORT).zip(count(name, LONG)) else {
            println!("{name:<44} the run under valgrind failed");
            within = false;
            continue;
        };
        let each = (long - short) as f64 / (LONG - SHORT) as f64;
        table += &format!("{name}\t{each:.1}\n");
        let Some(before) = known(name) else {
            println!("{name:<44} {each:>16.1} {:>8}", "none");
            continue;
        };
        let change = 100.0 * (each / before - 1.0);
        let verdict = if change <= LIMIT { "holds" } else { "MISSED" };
        println!("{name:<44} {each:>16.1} {before:>8.1} {change:>+7.2} %  {verdict}");
        within &= change <= LIMIT;
    }
    if std::env::var_os("KNEEPOINT_BLESS").is_some() {
        let text = format!("# Instructions per request, {}\n{table}", compiler());
        std::fs::write(BASELINE, text).expect("the baseline can be written");
    }
    within
}

/// Instructions of a process that runs so many requests of the row of this name.
fn count(name: &str, requests: u64) -> Option<u64> {
    let program = std::env::current_exe().ok()?;
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    let output = command.arg(program).args([CHILD, name, &requests.to_string()]).output().ok()?;
    let told = String::from_utf8(output.stderr).ok().filter(|_| output.status.success())?;
    told.lines().find_map(|line| line.split_once("Collected :"))?.1.trim().parse().ok()
}

/// The compiler the counts belong to.
fn compiler() -> String {
    let output = Command::new("rustc").arg("--version").output();
    output.map_or_else(|_| "rustc".into(), |output| String::from_utf8_lossy(&output.stdout).trim().into())
}
