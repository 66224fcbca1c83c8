//! `backtest`: simulated against measured, where what was measured is known.

use std::fs;

use crate::fixtures::cli::Work;

/// One fixed course of requests, and a policy that follows it.
const DEPLOYED: &str = r#"
name = "shop"
[arrivals]
kind = "piecewise"
shape = "constant"
points = [{ at = "0s", rate = 4 }, { at = "10m", rate = 16 }, { at = "30m", rate = 4 }]
[service]
time = "500ms"
[instances]
initial = 4
cold_start = "30s"
[autoscaler]
kind = "hpa"
min = 2
max = 30
metrics = [{ type = "resource", name = "cpu", average_utilization = 60 }]
[slo]
latency = "3s"
percentile = 95
[cost]
per_instance_hour = 2
[run]
duration = "40m"
replications = 1
timeline_interval = "15s"
"#;

/// A folder with the scenario, and the timeline of a run of `truth` as what was measured.
fn measured(truth: &str) -> Work {
    let work = Work::with(truth);
    work.done(&["run", "scenario.toml", "--out", "truth"]);
    fs::copy(work.path().join("truth/timeline.csv"), work.path().join("past.csv")).unwrap();
    work.write("scenario.toml", DEPLOYED);
    work
}

#[test]
fn what_the_simulation_itself_did_is_followed_without_an_error() {
    let work = measured(DEPLOYED);
    let json = work.done(&["backtest", "scenario.toml", "--observed", "past.csv", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    for field in ["ready", "latency_mean_s", "latency_p50_s", "latency_p99_s", "lost"] {
        assert!(json["errors"][field]["apart"].as_f64().unwrap() < 1e-12, "{field}: {json}");
    }
    assert!(json["missing"].is_null() && json["parted"].is_null(), "{json}");
    assert_eq!(json["measured_cost"], json["simulated_cost"]);
    let names: Vec<String> = work.files("output/shop-backtest").into_keys().collect();
    for name in ["summary.json", "backtest.csv", "backtest.svg", "backtest.png", "report.html"] {
        assert!(names.iter().any(|known| known == name), "{name}: {names:?}");
    }
}

#[test]
fn a_start_that_really_takes_longer_is_found_to_be_missing() {
    let work = measured(&DEPLOYED.replace("cold_start = \"30s\"", "cold_start = \"150s\""));
    let shown = work.done(&["backtest", "scenario.toml", "--observed", "past.csv"]);
    assert!(
        shown.contains(
            "The likeliest missing piece is the time of a start: with instances.cold_start = \"150000ms\""
        ),
        "{shown}"
    );
    assert!(shown.contains("They part longest from 0:1"), "{shown}");
}

#[test]
fn a_service_that_is_slower_is_found_to_be_missing() {
    let work = measured(&DEPLOYED.replace("time = \"500ms\"", "time = \"700ms\""));
    let shown = work.done(&["backtest", "scenario.toml", "--observed", "past.csv"]);
    assert!(shown.contains("The likeliest missing piece is the service time"), "{shown}");
}

#[test]
fn the_ledger_has_a_line_a_day() {
    let work = measured(DEPLOYED);
    work.write("better.toml", &DEPLOYED.replace("average_utilization = 60", "average_utilization = 50"));
    for day in ["2026-11-25", "2026-11-26"] {
        work.done(&[
            "backtest",
            "scenario.toml",
            "--observed",
            "past.csv",
            "--recommended",
            "better.toml",
            "--ledger",
            "regret.csv",
            "--day",
            day,
        ]);
    }
    let days = work.column("regret.csv", "day");
    assert_eq!(days, ["2026-11-25", "2026-11-26"]);
    let number = |name: &str| work.column("regret.csv", name)[0].parse::<f64>().unwrap();
    assert!(number("clairvoyant_cost") < number("deployed_cost"));
    assert!(number("recommended_cost") > number("deployed_cost"));
    assert_eq!(number("ready_error"), 0.0);
}

#[test]
fn measurements_that_do_not_fit_are_refused_and_nothing_is_written() {
    let work = Work::with(DEPLOYED);
    for (text, expected) in [
        ("time_s,redy\n60,2\n", "did you mean `ready`?"),
        ("time_s,ready\n60,2\n99999,2\n", "after the end of the run"),
        ("", "there is no column `time_s`"),
    ] {
        work.write("past.csv", text);
        let message = work.fails(2, &["backtest", "scenario.toml", "--observed", "past.csv"]);
        assert!(message.contains(expected), "{text}: {message}");
        assert!(!work.path().join("output/shop-backtest/summary.json").exists());
    }
    assert!(work.fails(2, &["backtest", "scenario.toml", "--observed", "none.csv"]).contains("cannot read"));
}
