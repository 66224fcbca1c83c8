//! A metric that stayed far from its target is said of `run`, `sweep` and `compare`, on the terminal and in `summary.json`.

use serde_json::Value;

use crate::fixtures::cli::Work;

/// A fifth of a slot of one instance is in use on average.
const POOL: &str = r#"
[arrivals]
kind = "poisson"
rate = 2
[service]
time = { dist = "exponential", mean = "100ms" }
concurrency = 4
[instances]
initial = 1
[autoscaler]
kind = "threshold"
metric = "in_flight"
per = "instance"
min = 1
max = 6
up = { above = 70 }
down = { below = 30 }
[run]
duration = "10m"
replications = 2
[[variant]]
name = "within reach"
set = { "autoscaler.up.above" = 0.3, "autoscaler.down.below" = 0.1 }
"#;

/// The texts of the warnings in `summary.json`, and of those that a terminal shows.
fn warned(work: &Work, arguments: &[&str]) -> (Vec<String>, Vec<String>) {
    let shown = work.done(arguments);
    let on_terminal = shown.lines().filter_map(|line| line.split_once("warning: "));
    let on_terminal = on_terminal.map(|(_, text)| text.replace("\u{1b}[0m", "")).collect();
    let json: Value = serde_json::from_str(&work.done(&[arguments, &["--json"]].concat())).unwrap();
    let texts = json["warnings"].as_array().unwrap().iter().map(|warning| warning["text"].as_str().unwrap());
    (texts.map(str::to_owned).collect(), on_terminal)
}

/// What is said of an autoscaler whose metric stayed below its target, which begins with its name.
fn is_still(text: &str, name: &str) -> bool {
    text.starts_with(&format!("{name} never changed the number of instances: in_flight stayed between "))
        && text.contains(" times its target of 70")
        && text.ends_with("no scale-up was ever possible.")
}

#[test]
fn a_run_says_of_each_alternative_that_its_metric_never_came_near_its_target() {
    let work = Work::with(POOL);
    let (summary, shown) = warned(&work, &["run", "scenario.toml"]);
    assert_eq!(summary, shown);
    assert!(summary.len() == 1 && is_still(&summary[0], "The autoscaler of base"), "{summary:?}");
    let (head, _) = POOL.split_once("[[variant]]").unwrap();
    let (alone, _) = warned(&Work::with(head), &["run", "scenario.toml"]);
    assert!(alone.len() == 1 && is_still(&alone[0], "The autoscaler"), "{alone:?}");
}

#[test]
fn a_comparison_says_it_of_each_contender_by_its_name() {
    let work = Work::with(POOL);
    let (summary, shown) = warned(&work, &["compare", "scenario.toml"]);
    assert_eq!(summary, shown);
    assert!(summary.len() == 1 && is_still(&summary[0], "The autoscaler of base"), "{summary:?}");
    let reached = [
        "compare",
        "scenario.toml",
        "--set",
        "autoscaler.up.above=0.4",
        "--set",
        "autoscaler.down.below=0.1",
    ];
    assert_eq!(warned(&work, &reached), (Vec::new(), Vec::new()));
}

#[test]
fn a_sweep_says_it_where_no_setting_changed_anything() {
    let (head, _) = POOL.split_once("[[variant]]").unwrap();
    let sweep = |values: &str| format!("{head}[sweep.parameters]\n\"autoscaler.up.above\" = {values}\n");
    let (summary, shown) = warned(&Work::with(&sweep("[60, 70]")), &["sweep", "scenario.toml"]);
    assert_eq!(summary, shown);
    let told = "In 2 of 2 settings the autoscaler never changed the number of instances. At the one shown in detail \
                in_flight stayed between ";
    assert!(summary.len() == 1 && summary[0].starts_with(told), "{summary:?}");
    let one = sweep("[0.3, 0.4]").replace("below = 30", "below = 0.1");
    assert_eq!(warned(&Work::with(&one), &["sweep", "scenario.toml"]), (Vec::new(), Vec::new()));
}

#[test]
fn an_autoscaler_that_could_only_shrink_the_pool_is_told_so() {
    let (head, _) = POOL.split_once("[[variant]]").unwrap();
    let (summary, _) =
        warned(&Work::with(&head.replace("initial = 1", "initial = 3")), &["run", "scenario.toml"]);
    assert!(summary[0].starts_with("The autoscaler could only shrink the pool: "), "{summary:?}");
}

#[test]
fn every_system_says_that_its_metric_never_came_near_its_target() {
    let (head, rest) = POOL.split_once("[autoscaler]").unwrap();
    let (_, run) = rest.split_once("[run]").unwrap();
    let (run, _) = run.split_once("[[variant]]").unwrap();
    for (policy, metric) in [
        (
            "kind = \"aws\"\nmax = 6\npolicies = [{ type = \"target_tracking\", metric = \"utilization\", target = 90 }]",
            "utilization stayed between",
        ),
        (
            "kind = \"azure_monitor\"\nmax = 6\nrules = [{ metric = \"requests_per_minute\", operator = \"greater_than\", threshold = 6000, direction = \"out\" }]",
            "requests_per_minute stayed between",
        ),
        ("kind = \"ray_serve\"\nmax = 6\ntarget_ongoing_requests = 70", "in_flight stayed between"),
        ("kind = \"knative\"\nmin_scale = 1\nmax_scale = 6\ntarget = 70", "in_flight stayed between"),
        ("kind = \"vertex\"\nmax_replica_count = 6\ncpu_target = 90", "utilization stayed between"),
        ("kind = \"hugging_face\"\nmax = 6", "hardware_usage stayed between"),
        ("kind = \"in_flight_target\"\nmin = 1\nmax = 6\ntarget = 70", "in_flight stayed between"),
        ("kind = \"cloud_run\"\nmin_instances = 1\nmax_instances = 6", "concurrency stayed between"),
    ] {
        let work = Work::with(&format!("{head}[autoscaler]\n{policy}\n[run]{run}"));
        let (said, _) = warned(&work, &["run", "scenario.toml"]);
        let is_said =
            |text: &String| text.contains(metric) && text.ends_with("no scale-up was ever possible.");
        assert!(said.iter().any(is_said), "{policy}: {said:?}");
    }
}
