//! What a user types, sees and finds on the disk afterwards.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::fixtures::cli::{PROGRAM, SMALL_SWEEP as SWEEP, Work};

/// DESIGN's worked example, with the two variants whose outcome is known as well.
const WALKTHROUGH: &str = r#"
name = "walkthrough"
[arrivals]
kind = "steps"
loads = [10, 50, 120, 80, 30, 5]
step = "60s"
[service]
time = "10ms"
concurrency = 200
[metrics]
scrape_interval = "60s"
window = "60s"
[autoscaler]
kind = "threshold"
metric = "request_rate"
interval = "60s"
max = 10
up = { above = 100 }
down = { below = 20 }
[run]
replications = 1
[[variant]]
name = "lower at 10"
set = { "autoscaler.down.below" = 10 }
[[variant]]
name = "all at 100"
set = { "arrivals.loads" = [100, 100, 100, 100, 100, 100] }
"#;

#[test]
fn help_shows_every_command_and_each_command_shows_an_example() {
    let work = Work::with("");
    insta::assert_snapshot!(work.done(&["--help"]));
    for command in
        ["run", "sweep", "compare", "explain", "backtest", "check", "schema", "init", "completions", "man"]
    {
        let help = work.done(&[command, "--help"]);
        assert!(help.contains("Example:\n  kneepoint "), "{command}: {help}");
    }
}

#[test]
fn the_worked_example_comes_out_as_it_is_known() {
    let work = Work::with(WALKTHROUGH);
    let shown = work.done(&["run", "scenario.toml"]);
    let folder = "output/walkthrough";
    let after = |place: &str| work.column(&format!("{folder}/{place}decisions.csv"), "desired_after");
    assert_eq!(after(""), ["1", "1", "2", "2", "2", "1"]);
    assert_eq!(after("variants/1-lower-at-10/"), ["1", "1", "2", "2", "2", "1"]);
    assert_eq!(after("variants/2-all-at-100/"), ["1"; 6]);

    let reasons = work.column(&format!("{folder}/decisions.csv"), "reason");
    assert!(reasons[0].contains("below 20") && reasons[0].contains("already at its minimum"), "{reasons:?}");
    let observed = work.column(&format!("{folder}/decisions.csv"), "observed");
    assert_eq!(observed, ["10", "50", "120", "80", "30", "5"]);

    let steps: Vec<Vec<&str>> =
        shown.lines().skip_while(|line| !line.starts_with("step")).skip(2).take(6).map(words).collect();
    assert_eq!(steps[0][..6], ["1", "10", "10 > 100: no", "10 < 20: yes", "stay", "1"]);
    assert!(steps[0][6].contains("already at its minimum"));
    assert_eq!(steps[2][..6], ["3", "120", "120 > 100: yes", "120 < 20: no", "add 1", "2"]);
    assert_eq!(steps[5][..6], ["6", "5", "5 > 100: no", "5 < 20: yes", "remove 1", "1"]);
}

/// The cells of a row of a table: what stands at least two spaces apart.
fn words(line: &str) -> Vec<&str> {
    line.split("  ").map(str::trim).filter(|word| !word.is_empty()).collect()
}

#[test]
fn one_variant_can_be_run_alone() {
    let work = Work::with(WALKTHROUGH);
    work.done(&["run", "scenario.toml", "--variant", "lower at 10", "--quiet"]);
    let after = work.column("output/walkthrough/decisions.csv", "desired_after");
    assert_eq!(after, ["1", "1", "2", "2", "2", "1"]);
    let message = work.fails(2, &["run", "scenario.toml", "--variant", "lower at 11"]);
    assert!(message.contains("did you mean \"lower at 10\"?"), "{message}");
}

#[test]
fn json_is_the_summary_and_every_figure_has_its_interval() {
    let work = Work::with(SWEEP);
    for command in ["run", "sweep"] {
        let shown = work.done(&[command, "scenario.toml", "--json"]);
        let written = std::fs::read_to_string(work.path().join("output/small/summary.json")).unwrap();
        assert_eq!(shown, written);
    }
    let run: Value = serde_json::from_str(&work.done(&["run", "scenario.toml", "--json"])).unwrap();
    assert_eq!((&run["schema_version"], &run["seed"]), (&1.into(), &1.into()));
    for table in ["latency", "wait"] {
        for key in ["mean", "p50", "p90", "p95", "p99", "p999", "max"] {
            let figure = &run[table][key];
            let [low, mean, high] = ["low", "mean", "high"].map(|end| figure[end].as_f64().unwrap());
            assert!(low <= mean && mean <= high, "{table}.{key}: {figure}");
            assert_eq!(figure["replications"], 5);
        }
    }
}

#[test]
fn the_summary_agrees_with_the_replications() {
    let work = Work::with(SWEEP);
    let run: Value = serde_json::from_str(&work.done(&["run", "scenario.toml", "--json"])).unwrap();
    let column = |name: &str| -> Vec<f64> {
        let values = work.column("output/small/replications.csv", name);
        values.iter().map(|value| value.parse().unwrap()).collect()
    };
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let near = |figure: &Value, value: f64| {
        let found = figure["mean"].as_f64().unwrap();
        assert!((found - value).abs() <= value.abs() * 1e-12, "{found} for {value}");
    };
    let (served, cost) = (column("served"), column("cost"));
    near(&run["latency"]["mean"], mean(&column("latency.mean")));
    near(&run["cost"], mean(&cost));
    near(&run["cost_per_1000"], cost.iter().sum::<f64>() * 1000.0 / served.iter().sum::<f64>());
    // Percentiles are those of the runs; the time promised is that of all requests, so it need not be their mean.
    near(&run["latency"]["p99"], mean(&column("latency.p99")));
    near(&run["slo_latency_of_run"], mean(&column("slo_latency")));
    let (pooled, of_each) = (run["slo_latency"]["mean"].as_f64().unwrap(), column("slo_latency"));
    assert!(of_each.iter().any(|each| *each <= pooled) && of_each.iter().any(|each| *each >= pooled));
    for (index, arrived) in column("arrived").iter().enumerate() {
        let gone: f64 = ["served", "rejected", "timed_out", "failed", "in_flight_at_end"]
            .iter()
            .map(|name| column(name)[index])
            .sum();
        assert_eq!(*arrived, gone);
    }
}

#[test]
fn what_each_type_of_instance_cost_is_shown_everywhere_and_adds_up() {
    let types = "\n[[instances.type]]\nname = \"spot\"\nper_instance_hour = 1\nstock = { refused = 0.5 }\n\
                 [[instances.type]]\nname = \"on demand\"\nbase = 1\n[autoscaler]";
    let work = Work::with(&SWEEP.replacen("\n[autoscaler]", types, 1));
    let text = work.done(&["run", "scenario.toml"]);
    assert!(text.lines().any(|line| line.starts_with("on demand") && line.contains("USD")), "{text}");
    let summary: Value = serde_json::from_str(&work.done(&["run", "scenario.toml", "--json"])).unwrap();
    let mean = |path: &str| summary.pointer(&format!("/{path}/mean")).and_then(Value::as_f64).unwrap();
    for figure in ["cost", "instance_hours", "mean_ready"] {
        let each = ["spot", "on demand"].map(|name| mean(&format!("by_type/{name}/{figure}")));
        assert!(each.iter().all(|value| *value > 0.0), "{figure}: {each:?}");
        assert!((each.iter().sum::<f64>() - mean(figure)).abs() < 1e-9, "{figure}: {each:?}");
        let column = work.column("output/small/replications.csv", &format!("by_type.spot.{figure}"));
        let values: Vec<f64> = column.iter().map(|value| value.parse().unwrap()).collect();
        assert!((values.iter().sum::<f64>() / 5.0 - each[0]).abs() < 1e-9, "{figure}: {values:?}");
    }
    assert!(summary["by_type"]["spot"]["cost"]["low"].as_f64().unwrap() < mean("by_type/spot/cost"));
    let html = std::fs::read_to_string(work.path().join("output/small/report.html")).unwrap();
    assert!(html.contains("By type of instance") && html.contains("<td>on demand</td>"));
    let text = work.done(&["sweep", "scenario.toml"]);
    assert!(text.contains("By type of instance at autoscaler.up.above"), "{text}");
    assert_eq!(work.column("output/small/sweep.csv", "by_type.on demand.cost_high").len(), 6);
}

#[test]
fn the_verdict_the_share_and_the_latency_of_the_slo_agree_at_every_point() {
    let work = Work::with(SWEEP);
    let (mut verdicts, mut sides) = (BTreeSet::new(), BTreeSet::new());
    // Promises about what the settings can keep, so that some are close.
    for latency in ["300ms", "500ms", "800ms", "1100ms", "1500ms", "3s"] {
        let latency = format!("slo.latency={latency}");
        let text = work.done(&["sweep", "scenario.toml", "--json", "--set", &latency]);
        let summary: Value = serde_json::from_str(&text).unwrap();
        let limit = summary["slo"]["latency_s"].as_f64().unwrap();
        let promised = summary["slo"]["percentile"].as_f64().unwrap() / 100.0;
        for point in summary["points"].as_array().unwrap() {
            // What has no upper end is null.
            let end = |figure: &str, end: &str| point[figure][end].as_f64().unwrap_or(f64::INFINITY);
            let (share, within) = (end("slo_attainment", "mean"), end("slo_latency", "mean"));
            // Within a thousandth of the limit the buckets of the histogram decide.
            let clear = |seconds: f64| (seconds / limit - 1.0).abs() > 2e-3;
            assert!(!clear(within) || (share >= promised) == (within <= limit), "{point}");
            let (low, high) = (end("slo_latency", "low"), end("slo_latency", "high"));
            let verdict = match point["meets_slo"].as_str().unwrap() {
                "so_far" => high <= limit,
                "no" => low > limit,
                // The limit of a decision may be safer than the interval.
                "uncertain" => low <= limit,
                _ => false,
            };
            assert!(verdict || !clear(low) || !clear(high), "{point}");
            verdicts.insert(point["meets_slo"].as_str().unwrap().to_owned());
            sides.insert(share >= promised);
        }
    }
    assert_eq!((verdicts.len(), sides.len()), (3, 2), "{verdicts:?}");
}

#[test]
fn one_replication_gets_no_interval_and_says_so() {
    let work = Work::with(WALKTHROUGH);
    let shown = work.done(&["run", "scenario.toml"]);
    assert!(shown.contains("One replication: there are no confidence intervals"), "{shown}");
    let run: Value = serde_json::from_str(&work.done(&["run", "scenario.toml", "--json"])).unwrap();
    assert_eq!(run["latency"]["mean"]["low"], Value::Null);
    assert_eq!(run["latency"]["mean"]["replications"], 1);
}

#[test]
fn a_sweep_marks_the_frontier_the_knee_and_the_slo() {
    let work = Work::with(SWEEP);
    let shown = work.done(&["sweep", "scenario.toml"]);
    assert!(shown.contains("knee") && shown.contains("frontier"), "{shown}");
    let column = |name: &str| work.column("output/small/sweep.csv", name);
    assert_eq!(column("autoscaler.up.above").len(), 6);
    let number =
        |name: &str| -> Vec<f64> { column(name).iter().map(|value| value.parse().unwrap()).collect() };
    let (cost, latency) = (number("cost"), number("slo_latency"));
    let beaten = |a: usize| {
        (0..6).any(|b| {
            cost[b] <= cost[a] && latency[b] <= latency[a] && (cost[b], latency[b]) != (cost[a], latency[a])
        })
    };
    let frontier: Vec<String> = (0..6).map(|point| (!beaten(point)).to_string()).collect();
    assert_eq!(column("frontier"), frontier);
    let (low, high) = (number("slo_latency_low"), number("slo_latency_high"));
    let meets = |point: usize| match () {
        () if low[point] > 2.0 => "no",
        () if high[point] > 2.0 => "uncertain",
        // Five replications are too few to say yes, and the limit of a decision may be safer than the interval.
        () => "so_far uncertain",
    };
    for (point, verdict) in column("meets_slo").iter().enumerate() {
        assert!(meets(point).contains(verdict.as_str()), "{point}: {verdict}");
    }
    for file in ["cost_latency.svg", "cost_latency.png", "heat_map.svg", "timeline.png", "report.html"] {
        assert!(work.path().join("output/small").join(file).exists(), "{file}");
    }
}

#[test]
fn a_setting_is_recommended_only_if_fresh_random_numbers_confirm_it() {
    let sweep = |replications: u32, latency: &str| {
        let work = Work::with(&SWEEP.replace("replications = 5", &format!("replications = {replications}")));
        let set = format!("slo.latency={latency}");
        let arguments = ["sweep", "scenario.toml", "--set", &set];
        let shown = work.done(&arguments);
        let json = work.done(&[&arguments[..], &["--json"]].concat());
        (shown, serde_json::from_str::<Value>(&json).unwrap())
    };
    // Six points of five replications are too few runs to confirm anything.
    let (shown, summary) = sweep(5, "20s");
    assert!(shown.contains("Estimated: the cheapest setting that keeps p"), "{shown}");
    assert_eq!((&summary["cheapest_within_slo"], &summary["fresh_replications"]), (&Value::Null, &0.into()));
    // Nor are forty new ones without any miss: how rare a run with one is they do not tell.
    let (shown, summary) = sweep(20, "20s");
    assert!(shown.contains("Estimated: the cheapest setting that keeps p"), "{shown}");
    assert_eq!(summary["confirmation"], Value::Null);
    let (shown, summary) = sweep(20, "2s");
    assert!(shown.contains(" with 95 % confidence is "), "{shown}");
    let confirmation = &summary["confirmation"];
    assert_eq!(confirmation["point"], summary["cheapest_within_slo"]);
    assert_eq!((&confirmation["replications"], &summary["fresh_replications"]), (&40.into(), &40.into()));
    assert_eq!(confirmation["cost"]["replications"], 40);
    // Other random numbers than the sweep's, so other figures.
    let point = confirmation["point"].as_u64().unwrap() as usize;
    assert_ne!(confirmation["cost"]["mean"], summary["points"][point]["cost"]["mean"]);
    let (shown, summary) = sweep(20, "150ms");
    assert!(shown.contains("No setting keeps"), "{shown}");
    assert_eq!(summary["confirmation"], Value::Null);
}

#[test]
fn an_overloaded_pool_is_named_before_anything_else() {
    let work = Work::with(&POOLS.replace("rate = 8\n", "rate = 12\n"));
    let shown = work.done(&["run", "scenario.toml"]);
    let first = shown.lines().next().unwrap();
    assert!(first.starts_with("warning: ") && first.contains("is overloaded"), "{shown}");
    let summary: Value = serde_json::from_str(&work.done(&["run", "scenario.toml", "--json"])).unwrap();
    let warnings = summary["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 1, "four instances are enough: {warnings:?}");
    assert_eq!(warnings[0]["facts"]["alternative"], "base");
    let html = std::fs::read_to_string(work.path().join("output/pools/report.html")).unwrap();
    let place = |text: &str| html.find(text).unwrap_or(usize::MAX);
    assert!(place("is overloaded") < place("class=\"answer\""), "said before the answer");
    let calm = Work::with(POOLS);
    let summary: Value = serde_json::from_str(&calm.done(&["run", "scenario.toml", "--json"])).unwrap();
    assert_eq!(summary["warnings"], Value::Array(Vec::new()));
}

/// A pool of three instances, and one of four.
pub(super) const POOLS: &str = r#"
name = "pools"
[arrivals]
kind = "poisson"
rate = 8
[service]
time = { dist = "exponential", mean = "300ms" }
[autoscaler]
kind = "fixed"
instances = 3
[cost]
per_instance_hour = 2.5
currency = "EUR"
[slo]
latency = "1s"
percentile = 95
[run]
duration = "1h"
replications = 6
[[variant]]
name = "four"
set = { "autoscaler.instances" = 4 }
[[variant]]
name = "busier"
set = { "arrivals.rate" = 8.5 }
"#;

#[test]
fn precision_adds_replications_and_says_whether_they_were_enough() {
    let asked = |relative: &str, most: u32| {
        let precision = format!(
            "replications = 6\nprecision = {{ metric = \"latency.mean\", relative = {relative}, most = {most} }}"
        );
        Work::with(&POOLS.replace("replications = 6", &precision))
    };
    let work = asked("0.02", 100);
    let shown = work.done(&["run", "scenario.toml"]);
    insta::assert_snapshot!(shown.lines().filter(|line| line.contains("recision")).collect::<String>());
    let text = std::fs::read_to_string(work.path().join("output/pools/summary.json")).unwrap();
    let summary: Value = serde_json::from_str(&text).unwrap();
    let precision = &summary["precision"];
    assert_eq!(precision["reached"], true);
    assert!(precision["widest"].as_f64().unwrap() <= 0.02);
    assert!(precision["replications"].as_u64().unwrap() > 10);
    assert_eq!(summary["latency"]["mean"]["replications"], precision["replications"]);
    let page = std::fs::read_to_string(work.path().join("output/pools/report.html")).unwrap();
    assert!(page.contains("Precision reached: latency.mean"));
    let work = asked("0.0001", 12);
    let shown = work.done(&["compare", "scenario.toml"]);
    assert!(shown.contains("Precision not reached") && shown.contains("limit of 12 replications"), "{shown}");
    assert_eq!(work.column("output/pools-compare/replications.csv", "contender").len(), 3 * 12);
    let message = asked("0.01", 5).fails(2, &["check", "scenario.toml"]);
    assert!(message.contains("at least the 6 of `replications`"), "{message}");
}

#[test]
fn an_automatic_warm_up_is_shown() {
    let work = Work::with(&POOLS.replace("replications = 6", "replications = 6\nwarmup = \"auto\""));
    let shown = work.done(&["run", "scenario.toml"]);
    assert!(shown.contains("found by MSER-5 in 6 pilot runs of each of 3 settings"), "{shown}");
    let text = std::fs::read_to_string(work.path().join("output/pools/summary.json")).unwrap();
    let summary: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(summary["warmup_found"]["settled"], true);
    let warmup = summary["warmup_s"].as_f64().unwrap();
    assert!(warmup < 1800.0 && (warmup / 18.0).fract() < 1e-9, "{warmup}");
}

#[test]
fn outputs_are_the_same_on_any_number_of_threads() {
    let automatic = "replications = 5\nwarmup = \"auto\"\n\
         precision = { metric = \"latency.p99\", relative = 0.05, most = 40 }\n\
         [[variant]]\nname = \"early\"\nset = { \"autoscaler.up.above\" = 0.5 }";
    let work = Work::with(&SWEEP.replace("replications = 5", automatic));
    for command in ["run", "sweep", "compare"] {
        for threads in ["1", "2"] {
            let out = format!("{command}{threads}");
            work.done(&[command, "scenario.toml", "--quiet", "--threads", threads, "--out", &out]);
        }
        let (one, two) = (work.files(&format!("{command}1")), work.files(&format!("{command}2")));
        assert!(one.len() >= 6, "{:?}", one.keys());
        assert_eq!(one.keys().collect::<Vec<_>>(), two.keys().collect::<Vec<_>>());
        for (name, bytes) in &one {
            assert!(two[name] == *bytes, "{command}: {name} differs");
        }
    }
}

#[test]
fn the_seed_changes_the_figures_and_the_same_seed_does_not() {
    let work = Work::with(SWEEP);
    let run = |seed: &str| work.done(&["run", "scenario.toml", "--json", "--seed", seed]);
    let (seven, again, eight) = (run("7"), run("7"), run("8"));
    assert_eq!(seven, again);
    let mean = |text: &str| serde_json::from_str::<Value>(text).unwrap()["latency"]["mean"]["mean"].clone();
    assert_ne!(mean(&seven), mean(&eight));
}

#[test]
fn set_changes_one_value() {
    let work = Work::with(WALKTHROUGH);
    work.done(&["run", "scenario.toml", "--quiet", "--set", "autoscaler.up.above=40"]);
    let after = work.column("output/walkthrough/decisions.csv", "desired_after");
    // 10, 50, 120, 80, 30, 5 against 40 and 20.
    assert_eq!(after, ["1", "2", "3", "4", "4", "3"]);
    let message = work.fails(2, &["run", "scenario.toml", "--set", "autoscaler.up.abov=40"]);
    assert!(message.contains("above"), "{message}");
    let message = work.fails(2, &["run", "scenario.toml", "--set", "nothing"]);
    assert!(message.contains("PATH=VALUE"), "{message}");
}

#[test]
fn bad_usage_and_bad_scenarios_exit_with_2() {
    let work = Work::with(&WALKTHROUGH.replace("steps", "stepps"));
    work.fails(2, &["frobnicate"]);
    work.fails(2, &["run"]);
    work.fails(2, &["run", "missing.toml"]);
    let message = work.fails(2, &["run", "scenario.toml"]);
    assert!(message.contains("scenario.toml") && message.contains("did you mean \"steps\"?"), "{message}");
    work.fails(2, &["check", "scenario.toml"]);
    let nothing = Work::with(&SWEEP[..SWEEP.find("[sweep").unwrap()]);
    let message = nothing.fails(2, &["sweep", "scenario.toml"]);
    assert!(message.contains("sweeps nothing"), "{message}");
    assert!(!nothing.path().join("output").exists());
}

#[test]
fn a_place_that_cannot_be_written_is_refused_before_the_work() {
    let work = Work::with(SWEEP);
    std::fs::write(work.path().join("taken"), "").unwrap();
    for command in ["run", "sweep"] {
        let message = work.fails(1, &[command, "scenario.toml", "--out", "taken/deeper"]);
        assert!(message.starts_with("error: cannot write into `taken/deeper`"), "{message}");
        assert_eq!(message.lines().count(), 1, "{message}");
    }
    assert_eq!(std::fs::read(work.path().join("taken")).unwrap(), b"");
}

#[test]
fn the_answer_is_there_even_where_its_files_cannot_be() {
    let work = Work::with(WALKTHROUGH);
    // No file can take the place of a folder that holds something.
    std::fs::create_dir_all(work.path().join("out/timeline.svg/taken")).unwrap();
    let printed = work.run(1, &["run", "scenario.toml", "--out", "out"], "");
    assert!(printed.stdout.contains("latency.mean"), "{}", printed.stdout);
    assert!(!printed.stdout.contains("Outputs are in"), "{}", printed.stdout);
    assert!(printed.stderr.starts_with("error: cannot write `out/timeline.svg`"), "{}", printed.stderr);
}

#[test]
fn a_report_is_printed_as_markdown_or_whole_as_json() {
    let work = Work::with(SWEEP);
    let text = work.done(&["sweep", "scenario.toml", "--summary", "md"]);
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("## small"));
    assert!(
        lines.nth(1).is_some_and(|verdict| verdict.starts_with("**It is uncertain whether the SLO ")),
        "{text}"
    );
    assert!(
        text.contains("\n| autoscaler.up.above | autoscaler.down.below | cost | p99 | within SLO |"),
        "{text}"
    );
    assert!(!text.contains('\x1b') && !text.contains("Outputs are in"), "{text}");
    assert!(work.path().join("output/small/report.html").exists());
    let text = work.done(&["run", "scenario.toml", "--summary", "report-json", "--seed", "7"]);
    let report: Value = serde_json::from_str(&text).unwrap();
    let written = std::fs::read_to_string(work.path().join("output/small/summary.json")).unwrap();
    assert_eq!(report["summary"], serde_json::from_str::<Value>(&written).unwrap());
    assert_eq!(report["verdict"]["id"], "run.verdict");
    let arrived = work.column("output/small/timeline.csv", "arrived");
    let in_report: Vec<String> =
        report["runs"][0]["windows"]["arrived"].as_array().unwrap().iter().map(Value::to_string).collect();
    assert_eq!(in_report, arrived);
    work.fails(2, &["run", "scenario.toml", "--summary", "md", "--json"]);
}

#[test]
fn init_writes_a_scenario_that_checks_and_never_overwrites() {
    let work = Work::with("mine");
    let message = work.fails(1, &["init", "scenario.toml"]);
    assert!(message.contains("exists already"), "{message}");
    assert_eq!(std::fs::read_to_string(work.path().join("scenario.toml")).unwrap(), "mine");
    work.done(&["init", "new.toml"]);
    let checked = work.done(&["check", "new.toml"]);
    assert!(checked.starts_with("new.toml: ok: "), "{checked}");
}

#[test]
fn schema_and_completions_print() {
    let work = Work::with("");
    let schema: Value = serde_json::from_str(&work.done(&["schema"])).unwrap();
    assert!(schema["properties"]["autoscaler"].is_object());
    for (shell, sign) in
        [("bash", "complete -F"), ("zsh", "#compdef kneepoint"), ("fish", "complete -c kneepoint")]
    {
        assert!(work.done(&["completions", shell]).contains(sign), "{shell}");
    }
}

#[test]
fn quiet_says_nothing_and_pipes_get_no_colour() {
    let work = Work::with(WALKTHROUGH);
    let quiet = work.run(0, &["run", "scenario.toml", "--quiet"], "");
    assert!(quiet.stdout.is_empty() && quiet.stderr.is_empty());
    assert!(!work.done(&["run", "scenario.toml"]).contains('\x1b'));
    assert!(!work.fails(2, &["run", "missing.toml"]).contains('\x1b'));
}

/// Stops a sweep that takes far longer than the test waits for it by the signal `name`.
#[cfg(unix)]
fn stopped_by(name: &str) {
    let long =
        SWEEP.replace("20m", "1h").replace("[0.6, 0.7, 0.8]", "{ from = 0.5, to = 0.9, steps = 2000 }");
    let work = Work::with(&long);
    let mut child = work
        .kneepoint(&["sweep", "scenario.toml", "--threads", "1"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // Its signals are heard from when its folder is there; then some points need their time.
    let started = std::time::Instant::now();
    while !work.path().join("output/small").exists() && started.elapsed().as_secs() < 60 {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    std::thread::sleep(std::time::Duration::from_secs(6));
    let asked = std::time::Instant::now();
    let kill = std::process::Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    let status = child.wait().unwrap();
    let took = asked.elapsed();
    assert_eq!(status.code(), Some(1));
    // On a quiet machine it takes a second; on one that tests much else at once it still is far from the minutes that
    // the other points would take.
    assert!(took.as_secs_f64() < 30.0, "{took:?}");
    let points = work.column("output/small/sweep.csv", "replications");
    assert!(!points.is_empty() && points.len() < 4000 && points.iter().all(|n| n == "5"), "{}", points.len());
    let text = std::fs::read_to_string(work.path().join("output/small/summary.json")).unwrap();
    let summary: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&summary["complete"], &summary["points_planned"]), (&false.into(), &4000.into()));
    let left = work.files("output/small");
    assert!(left.keys().all(|name| !name.contains(".kneepoint-")), "{:?}", left.keys());
}

#[cfg(unix)]
#[test]
fn ctrl_c_stops_at_once_and_keeps_the_finished_points() {
    stopped_by("-INT");
}

#[cfg(unix)]
#[test]
fn a_polite_kill_stops_as_ctrl_c_does() {
    stopped_by("-TERM");
}

#[cfg(unix)]
#[test]
fn a_reader_that_goes_away_is_no_panic() {
    let work = Work::with(SWEEP);
    let line = format!("{PROGRAM} run scenario.toml --json 2>errors | head -c 1 >/dev/null");
    std::process::Command::new("sh").args(["-c", &line]).current_dir(work.path()).status().unwrap();
    assert_eq!(std::fs::read_to_string(work.path().join("errors")).unwrap(), "");
}

#[test]
fn verify_prints_a_table_or_json_and_knows_its_systems() {
    let work = Work::with("");
    let table = work.done(&["verify", "--quick", "m/m/1, rate 0.5"]);
    assert!(table.contains("mean sojourn") && table.contains("The simulator agrees with theory."), "{table}");
    let found: Value = serde_json::from_str(&work.done(&["verify", "--quick", "--json", "fluid"])).unwrap();
    assert_eq!((found["plausible"].as_bool(), found["systems"].as_u64()), (Some(true), Some(1)));
    let error = work.fails(2, &["verify", "erlang c"]);
    assert!(error.contains("did you mean \"Erlang B\"?") || error.contains("there are: M/M/1;"), "{error}");
}

#[test]
fn a_sweep_of_loads_says_up_to_which_the_promise_is_kept() {
    // An M/M/1 queue of ten a second: at two a second 0.03 % are late, at nine more than a third.
    let work = Work::with(
        "[arrivals]\nkind = \"poisson\"\nrate = 1\n[service]\ntime = { dist = \"exponential\", mean = \"100ms\" }\n\
         [autoscaler]\nkind = \"fixed\"\ninstances = 1\n[slo]\nlatency = \"1s\"\npercentile = 99\n[run]\nduration = \"20m\"\n\
         replications = 5\n[sweep.conditions]\n\"arrivals.rate\" = [1, 2, 9, 12]\n",
    );
    let shown = work.done(&["sweep", "scenario.toml"]);
    let said = "The SLO is missed: no setting keeps p99 within 1 s under all 4 conditions; it is kept at 2 of 4 points, up to \
                arrivals.rate = ";
    assert!(shown.contains(said), "{shown}");
}
