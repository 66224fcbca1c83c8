//! Commands that are stopped or killed, and go on where they were.
#![cfg(unix)]

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::fixtures::cli::Work;

/// 48 points of two replications, some 480,000 requests each: seconds of work, so that it can be stopped half-way.
const SWEEP: &str = r#"
name = "small"
[arrivals]
kind = "poisson"
rate = 11
[service]
time = { dist = "exponential", mean = "400ms" }
[autoscaler]
kind = "threshold"
metric = "utilization"
min = 2
max = 12
up = { above = 0.8 }
down = { below = 0.4 }
[slo]
latency = "2s"
[run]
duration = "12h"
replications = 2
[sweep.parameters]
"autoscaler.up.above" = { from = 0.55, to = 0.9, steps = 16 }
"autoscaler.down.below" = [0.2, 0.3, 0.4]
"#;

const RECORDS: &str = "output/small/.records";

fn size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |file| file.len())
}

/// Bytes of the first records: more than none, and far fewer than those of all runs.
const SOME: u64 = 15_000;

/// Bytes of records enough that all replications of some points are among them.
const POINTS: u64 = 500_000;

/// Starts the command and sends it this signal when it has kept so many bytes of records, or waits until it has ended.
fn stopped(work: &Work, arguments: &[&str], signal: &str, bytes: u64) {
    let records = work.path().join(RECORDS);
    let before = size(&records);
    let mut child = work.kneepoint(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let started = Instant::now();
    // Without --resume what an earlier command has left is thrown away first.
    let enough = if arguments.contains(&"--resume") { before + bytes } else { bytes };
    while size(&records) < enough && child.try_wait().unwrap().is_none() {
        assert!(started.elapsed() < Duration::from_secs(120), "nothing is kept");
        std::thread::sleep(Duration::from_millis(2));
    }
    std::process::Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_sweep_that_is_killed_again_and_again_comes_to_the_same_bytes() {
    let whole = Work::with(SWEEP);
    let printed = whole.done(&["sweep", "scenario.toml", "--threads", "2"]);
    let outputs = whole.files("output/small");
    assert!(!whole.path().join(RECORDS).exists(), "{:?}", outputs.keys());
    for threads in ["1", "2"] {
        let work = Work::with(SWEEP);
        let resume = ["sweep", "scenario.toml", "--threads", threads, "--resume"];
        stopped(&work, &resume[..4], "-KILL", SOME);
        for _ in 0..3 {
            let kept = size(&work.path().join(RECORDS));
            assert!(kept >= SOME);
            assert!(!work.path().join("output/small/summary.json").exists(), "all files appear together");
            stopped(&work, &resume, "-KILL", SOME);
            assert!(size(&work.path().join(RECORDS)) > kept, "it goes on from what there was");
        }
        assert_eq!(work.done(&resume), printed);
        let found = work.files("output/small");
        assert_eq!(found.keys().collect::<Vec<_>>(), outputs.keys().collect::<Vec<_>>());
        assert!(found == outputs, "{threads} threads");
    }
}

#[test]
fn a_sweep_stopped_by_ctrl_c_is_completed() {
    let whole = Work::with(SWEEP);
    whole.done(&["sweep", "scenario.toml"]);
    let work = Work::with(SWEEP);
    stopped(&work, &["sweep", "scenario.toml", "--threads", "1"], "-INT", POINTS);
    let summary = std::fs::read_to_string(work.path().join("output/small/summary.json")).unwrap();
    assert!(summary.contains("\"complete\": false") && work.path().join(RECORDS).exists());
    work.done(&["sweep", "scenario.toml", "--resume"]);
    assert!(work.files("output/small") == whole.files("output/small"));
}

#[test]
fn runs_of_another_scenario_are_not_taken_for_those_of_this_one() {
    let work = Work::with(SWEEP);
    stopped(&work, &["sweep", "scenario.toml"], "-KILL", SOME);
    let kept = size(&work.path().join(RECORDS));
    // A file that says the same in other words is the same scenario.
    work.write(
        "scenario.toml",
        &SWEEP.replace("\"12h\"", "\"720m\"").replace("name = \"small\"", "name = \"small\" # it"),
    );
    stopped(&work, &["sweep", "scenario.toml", "--resume"], "-KILL", SOME);
    assert!(size(&work.path().join(RECORDS)) > kept);
    work.write("scenario.toml", &SWEEP.replace("400ms", "410ms"));
    let message = work.fails(1, &["sweep", "scenario.toml", "--resume"]);
    assert!(message.contains("the scenario has changed") && message.contains("0 of its 48"), "{message}");
    let message = work.fails(1, &["run", "scenario.toml", "--resume"]);
    assert!(message.contains("was left by `kneepoint sweep`"), "{message}");
    std::fs::write(work.path().join(RECORDS), "not ours").unwrap();
    let message = work.fails(1, &["sweep", "scenario.toml", "--resume"]);
    assert!(message.contains("was not written by this version"), "{message}");
    // Without --resume all of it is forgotten.
    work.done(&["sweep", "scenario.toml"]);
    assert!(!work.path().join(RECORDS).exists());
}

#[test]
fn run_and_compare_resume_too_and_two_commands_do_not_share_a_folder() {
    let text = SWEEP
        .split("[sweep.parameters]")
        .next()
        .unwrap()
        .replace("\"12h\"", "\"48h\"")
        .replace("replications = 2", "replications = 12");
    let text = format!("{text}[[variant]]\nname = \"larger\"\nset = {{ \"autoscaler.max\" = 20 }}\n");
    for (command, folder) in [("run", "output/small"), ("compare", "output/small-compare")] {
        let whole = Work::with(&text);
        whole.done(&[command, "scenario.toml"]);
        let work = Work::with(&text);
        let records = work.path().join(folder).join(".records");
        let mut child = work
            .kneepoint(&[command, "scenario.toml", "--threads", "1"])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        while size(&records) < SOME && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(2));
        }
        let message = work.fails(1, &[command, "scenario.toml"]);
        assert!(message.contains("another process is writing to this folder"), "{message}");
        child.kill().unwrap();
        child.wait().unwrap();
        work.done(&[command, "scenario.toml", "--resume"]);
        assert!(work.files(folder) == whole.files(folder), "{command}");
    }
}

/// A sweep of a moment: most of its time goes into writing files.
const SHORT: &str = r#"
name = "short"
[arrivals]
kind = "poisson"
rate = 5
[service]
time = { dist = "exponential", mean = "200ms" }
[autoscaler]
kind = "fixed"
instances = 2
[cost]
per_instance_hour = 1
[slo]
latency = "2s"
[run]
duration = "5m"
replications = 2
[sweep.parameters]
"autoscaler.instances" = [2, 3]
"#;

#[test]
fn killed_at_a_hundred_instants_no_summary_stands_beside_files_of_another_run() {
    let work = Work::with(SHORT);
    let sweep =
        |seed: u32| ["sweep", "scenario.toml", "--quiet", "--seed", &seed.to_string()].map(str::to_owned);
    let start = |seed: u32| {
        let arguments = sweep(seed);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        work.kneepoint(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    };
    // The shortest of three: the first may wait for the disk, and other tests run beside it.
    let timed = |_| {
        let began = Instant::now();
        assert!(start(1).wait().unwrap().success());
        began.elapsed()
    };
    let whole = (0..3).map(timed).min().unwrap();
    let (folder, mut killed) = (work.path().join("output/short"), 0);
    for instant in 1..=100 {
        let mut child = start(instant + 1);
        // Spread evenly over a run and a little more, not in order: multiples of the golden ratio.
        std::thread::sleep(whole.mul_f64((f64::from(instant) * 0.618_034).fract() * 1.1));
        child.kill().unwrap();
        killed += u32::from(!child.wait().unwrap().success());
        let Ok(summary) = std::fs::read_to_string(folder.join("summary.json")) else { continue };
        let summary: serde_json::Value = serde_json::from_str(&summary).unwrap();
        assert_eq!(summary["complete"], true);
        let page = std::fs::read_to_string(folder.join("report.html")).unwrap();
        assert!(page.trim_end().ends_with("</html>"));
        let seed =
            page.rsplit_once("seed ").map(|(_, rest)| rest.split(|c: char| !c.is_ascii_digit()).next());
        assert_eq!(seed, Some(Some(summary["seed"].to_string().as_str())), "killed at instant {instant}");
    }
    assert!(killed >= 20, "only {killed} were killed before they had ended");
    assert!(start(1).wait().unwrap().success());
    let names: Vec<String> = work.files("output/short").into_keys().collect();
    assert!(
        names.iter().all(|name| !name.contains("kneepoint-") && !name.contains("INCOMPLETE")),
        "{names:?}"
    );
}
