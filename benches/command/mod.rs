//! The command as its user has it: from its start to the first result, and to the end of the README's sweep.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use super::table::{self, Limit};

/// A pool that serves 6,000 requests: what a person tries first.
const SMALL: &str = "[arrivals]\nkind = \"poisson\"\nrate = 10\n[service]\nmodel = \"slots\"\ntime = \"100ms\"\n\
                     [autoscaler]\nkind = \"fixed\"\ninstances = 2\n[run]\nduration = \"10m\"\nreplications = 1\n";
/// Seconds until the first result of it is on the terminal.
const FIRST: f64 = 0.01;
/// Seconds of the quickstart for each of its replications, everything written.
const REPLICATION: f64 = 0.3;
/// Replications of the quickstart.
const QUICKSTART: u32 = 20;

/// Prints the rows; none where the command is not built.
pub fn rows() {
    let Some(program) = option_env!("CARGO_BIN_EXE_kneepoint") else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let small = folder.path().join("small.toml");
    std::fs::write(&small, SMALL).expect("a file");
    let run = |scenario: &Path, command: &str| {
        let mut started = Command::new(program);
        started.arg(command).arg(scenario).arg("--out").arg(folder.path().join(command));
        started.stdout(Stdio::piped()).stderr(Stdio::null());
        let begun = Instant::now();
        let mut child = started.spawn().expect("the command");
        let answer = BufReader::new(child.stdout.take().expect("its output"));
        // All is read, so that the command is not held up; the first figure of latency is the first result.
        let first = answer.lines().map_while(Result::ok).fold(None, |first, line| {
            first.or_else(|| line.contains("p99").then(|| begun.elapsed().as_secs_f64()))
        });
        assert!(child.wait().expect("its end").success(), "{command} of {} fails", scenario.display());
        (first.expect("a 99th percentile"), begun.elapsed().as_secs_f64())
    };
    let first = table::median((0..9).map(|_| run(&small, "run").0).collect());
    let name = "command, first result of a small scenario";
    table::row(name, &format!("{:.1} ms", 1e3 * first), first / FIRST, Limit::AtMost(1.0));
    let quickstart = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/quickstart.toml");
    let whole = table::median((0..3).map(|_| run(&quickstart, "sweep").1).collect());
    let each = whole / f64::from(QUICKSTART);
    let name = "command, quickstart, each of 20 replications";
    table::row(name, &format!("{each:.2} s"), each / REPLICATION, Limit::AtMost(1.0));
}
