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

#[test]
fn measurements_with_dates_are_compared_at_the_time_of_a_recording_with_dates() {
    let from = DEPLOYED.find("[service]").unwrap();
    let recorded = format!(
        "name = \"shop\"\n[arrivals]\nkind = \"counts\"\nfile = \"traffic.csv\"\nwithin = \"even\"\n{}",
        &DEPLOYED[from..]
    );
    let work = Work::with(&recorded);
    let minute = |minute: u32| {
        let count = if (10..30).contains(&minute) { 960 } else { 240 };
        format!("2026-05-04T14:{minute:02}:00Z,{count}\n")
    };
    let traffic = "time,requests\n".to_owned() + &(0..40).map(minute).collect::<String>();
    work.write("traffic.csv", &traffic);
    work.done(&["run", "scenario.toml", "--out", "truth"]);
    let timeline = fs::read_to_string(work.path().join("truth/timeline.csv")).unwrap();
    let mut lines = timeline.lines();
    let header = lines.next().unwrap().replace("time_s", "time");
    // A day around it was measured; what is outside of the run is left out.
    let mut past = format!("{header}\n");
    for line in lines {
        let (time, rest) = line.split_once(',').unwrap();
        let seconds = time.parse::<f64>().unwrap() as u64;
        past += &format!("2026-05-04T14:{:02}:{:02}Z,{rest}\n", seconds / 60, seconds % 60);
    }
    work.write("past.csv", &past);
    let json = work.done(&["backtest", "scenario.toml", "--observed", "past.csv", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert!(json["errors"]["ready"]["apart"].as_f64().unwrap() < 1e-12, "{json}");
    // Of a run that is known by no date nothing can be said.
    work.write("scenario.toml", DEPLOYED);
    let refused = work.kneepoint(&["backtest", "scenario.toml", "--observed", "past.csv"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("known by date"));
}

#[test]
fn a_recommendation_that_is_told_the_past_states_no_confidence_where_the_simulation_misses_it() {
    let work = measured(DEPLOYED);
    let fewer = DEPLOYED.replace("replications = 1", "replications = 20");
    let sweep = "[sweep.parameters]\n\"autoscaler.min\" = [2, 3, 4]\n";
    work.write("scenario.toml", &format!("{fewer}{sweep}"));
    let told = |file: &str| work.done(&["recommend", file, "--observed", "past.csv", "--out", "out"]);
    let follows = told("scenario.toml");
    assert!(
        follows.contains("follows what was measured") && follows.contains("95 % confidence"),
        "{follows}"
    );
    // Instances that start three minutes later than they did.
    let slower = fewer.replace("cold_start = \"30s\"", "cold_start = \"4m\"");
    work.write("slower.toml", &format!("{slower}{sweep}"));
    let misses = told("slower.toml");
    assert!(misses.contains("misses what was measured") && !misses.contains("% confidence."), "{misses}");
    assert!(!misses.contains("with 95 % confidence"), "{misses}");
}
