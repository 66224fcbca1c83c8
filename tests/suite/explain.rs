//! Explanations of scenarios built so that the cause is known.

use kneepoint::internals::experiment::Evaluator;
use kneepoint::internals::explain::{Effect, Explained, Measure, explain};
use kneepoint::internals::scenario::ScenarioFile;

use crate::fixtures::cli::Work;

/// A burst to 20 requests/s, each half a second of one instance, in the middle of a run that starts with 2/s.
const BURST: &str = r#"
[arrivals]
kind = "piecewise"
shape = "constant"
points = [{ at = "0s", rate = 2 }, { at = "10m", rate = 20 }, { at = "20m", rate = 2 }]
[service]
time = { dist = "exponential", mean = "500ms" }
[slo]
latency = "5s"
percentile = 95
[cost]
per_instance_hour = 1
[run]
duration = "30m"
replications = 5
timeline_interval = "30s"
"#;

fn explained(rest: &str) -> Explained {
    let file = ScenarioFile::parse("built.toml", &format!("{BURST}{rest}"), ".").unwrap();
    explain(&file, None, None, &Evaluator::default()).unwrap()
}

fn effect(explained: &Explained, cause: &str) -> Option<Effect> {
    let account = explained.accounts.iter().find(|account| account.cause.id == cause)?;
    account.effects.get(&Measure::MissedRequests).copied()
}

fn share(explained: &Explained, cause: &str) -> f64 {
    effect(explained, cause).and_then(|effect| effect.share.mean).unwrap_or(0.0)
}

/// A policy that sees the pool of this very second and acts on it at once; `more` goes before its own keys.
fn quick(instances: &str, metrics: &str, autoscaler: &str) -> String {
    format!(
        "[instances]\ninitial = 2\n{instances}\n[metrics]\n{metrics}\n[autoscaler]\nkind = \"target\"\n\
         metric = \"in_flight\"\ntarget = 0.5\ninterval = \"1s\"\nmin = 2\n{autoscaler}"
    )
}

const AT_ONCE: &str = "scrape_interval = \"1s\"\nwindow = \"0s\"";

#[test]
fn a_cold_start_alone_is_found() {
    let found = explained(&quick("cold_start = \"90s\"", AT_ONCE, "max = 60"));
    let cold = effect(&found, "cold_start").unwrap();
    assert!(cold.share.mean.unwrap() > 0.95, "{cold:?}");
    assert!((cold.alone.mean.unwrap() - cold.share.mean.unwrap()).abs() < 0.05, "nothing overlaps: {cold:?}");
    assert!(!found.totals[&Measure::MissedRequests].overlap);
    let episode = &found.episodes.all[0];
    let seen = episode.seen.as_ref().unwrap();
    assert!((595.0..660.0).contains(&episode.from_s), "{episode:?}");
    assert!((600.0..605.0).contains(&seen.at_s), "{episode:?}");
}

#[test]
fn a_maximum_alone_is_found() {
    let found = explained(&quick("", AT_ONCE, "max = 8"));
    assert!(share(&found, "maximum") > 0.95, "{:?}", found.accounts);
    let episode = found.episodes.worst(1)[0];
    assert_eq!(episode.capped.map(|(_, max)| max), Some(8));
    let best = found.keys.iter().max_by(|a, b| {
        let taken = |key: &kneepoint::internals::explain::KeyEffect| {
            key.effects[&Measure::MissedRequests].mean.unwrap_or(0.0)
        };
        taken(a).total_cmp(&taken(b))
    });
    assert_eq!(best.unwrap().change.path, "autoscaler.max");
}

#[test]
fn a_delay_of_metrics_alone_is_found() {
    let found =
        explained(&quick("", "scrape_interval = \"1s\"\nwindow = \"0s\"\ndelay = \"90s\"", "max = 60"));
    assert!(share(&found, "metrics_delay") > 0.95, "{:?}", found.accounts);
    assert!(effect(&found, "maximum").is_none(), "the arrivals take no more than the maximum");
    assert!(effect(&found, "cold_start").is_none(), "there is none");
}

/// Fails where evaluating every second also lets a step be taken every second: the pool then overshoots, falls, and misses more.
#[test]
fn an_evaluation_interval_alone_is_found_where_each_evaluation_takes_a_step() {
    let rest = "[instances]\ninitial = 2\n[metrics]\nscrape_interval = \"1s\"\nwindow = \"30s\"\n[autoscaler]\n\
                kind = \"threshold\"\nmetric = \"utilization\"\ninterval = \"4m\"\nmin = 2\nmax = 40\n\
                up = { above = 0.7, step = 38 }\ndown = { below = 0.3, step = 12 }";
    let found = explained(rest);
    let interval = effect(&found, "evaluation_interval").unwrap();
    assert!(interval.alone.mean.unwrap() > 0.9 && interval.share.mean.unwrap() > 0.6, "{:?}", found.accounts);
    let key = found.keys.iter().find(|key| key.change.path == "autoscaler.interval").unwrap();
    assert_eq!(key.instead(), "\"1s\" with up.cooldown = \"4m\", down.cooldown = \"4m\"");
    assert!(key.effects[&Measure::MissedRequests].mean.unwrap() > 0.9, "{key:?}");
}

#[test]
fn a_maximum_that_is_the_minimum_too_is_found() {
    let found = explained(&quick("", AT_ONCE, "max = 2"));
    assert!(share(&found, "maximum") > 0.95, "{:?}", found.accounts);
}

#[test]
fn failures_alone_are_found() {
    let rest = "[instances]\ncold_start = \"10m\"\nfailures = { after = { dist = \"exponential\", mean = \"20m\" } }\n\
                [autoscaler]\nkind = \"fixed\"\ninstances = 16";
    let found = explained(rest);
    assert!(share(&found, "failures") > 0.95, "{:?}", found.accounts);
    let causes: Vec<&str> = found.accounts.iter().map(|account| account.cause.id).collect();
    assert_eq!(causes, ["failures"]);
}

#[test]
fn two_causes_that_overlap_are_said_to() {
    let late = "scrape_interval = \"1s\"\nwindow = \"0s\"\ndelay = \"60s\"";
    let found = explained(&quick("cold_start = \"60s\"", late, "max = 60"));
    let (cold, metrics) = (share(&found, "cold_start"), share(&found, "metrics_delay"));
    assert!(cold > 0.1 && metrics > 0.1, "{cold} {metrics}");
    let total = &found.totals[&Measure::MissedRequests];
    let all = total.all.mean.unwrap();
    assert!((cold + metrics - all).abs() < 1e-9, "shares add up: {cold} + {metrics} = {all}");
    assert!((all + total.remainder.mean.unwrap() - 1.0).abs() < 1e-9);
}

/// The scenario whose account is published with its numbers in the documentation.
#[test]
fn the_worked_example_of_the_documentation_comes_out() {
    let text = r#"
[arrivals]
kind = "mmpp"
states = [{ rate = 6, duration = "5m" }, { rate = 18, duration = "2m" }]
[service]
time = { dist = "lognormal", mean = "500ms", cv = 1 }
[instances]
initial = 6
cold_start = "45s"
[metrics]
scrape_interval = "15s"
window = "30s"
[autoscaler]
kind = "threshold"
metric = "utilization"
interval = "15s"
min = 2
max = 24
up = { above = 0.7, step = 3 }
down = { below = 0.4, cooldown = "60s" }
[cost]
per_instance_hour = 1
[slo]
latency = "3s"
percentile = 95
[run]
duration = "1h"
warmup = "5m"
seed = 2026
"#;
    let file = ScenarioFile::parse("example.toml", text, ".").unwrap();
    let found = explain(&file, None, None, &Evaluator::default()).unwrap();
    let percent = |share: Option<f64>| (1000.0 * share.unwrap()).round() / 10.0;
    let expected = [
        ("metrics_delay", 54.2, 10.6, [34.9, 28.4, 41.1]),
        ("cold_start", 34.5, 0.3, [22.1, 16.9, 31.9]),
        ("evaluation_interval", 39.6, 0.1, [17.5, 12.6, 22.6]),
        ("scale_up_limits", 41.4, 0.0, [17.5, 13.0, 22.2]),
    ];
    for (cause, alone, last, share) in expected {
        let effect = effect(&found, cause).unwrap();
        assert_eq!(percent(effect.alone.mean), alone, "{cause}");
        assert_eq!(percent(effect.last.mean), last, "{cause}");
        let ends = [effect.share.mean, effect.share.low, effect.share.high];
        assert_eq!(ends.map(percent), share, "{cause}");
    }
    let total = &found.totals[&Measure::MissedRequests];
    assert!(total.overlap);
    assert_eq!(percent(total.remainder.mean), 8.0);
    assert_eq!(total.amount.mean.map(f64::round), Some(1891.0));
    let best = found.keys.iter().find(|key| key.change.path == "autoscaler.up.step").unwrap();
    assert_eq!((best.was.as_deref(), best.change.value.as_deref()), (Some("3"), Some("24")));
}

/// More causes than every set of is run: each replication draws orders of its own.
#[test]
fn shares_of_many_causes_add_up_too() {
    let rest = "[instances]\ninitial = 2\ncold_start = \"60s\"\nfailures = { after = { dist = \"exponential\", mean = \"20m\" } }\n\
                [dispatch]\npolicy = \"random\"\n[autoscaler]\nkind = \"threshold\"\nmetric = \"concurrency\"\nper = \"instance\"\n\
                max = 10\nup = { above = 0.8, cooldown = \"60s\" }\ndown = { below = 0.3 }";
    let found = explained(rest);
    assert!(found.orders.is_some() && found.accounts.len() > 5, "{:?}", found.accounts);
    let total = &found.totals[&Measure::MissedRequests];
    let sharing = found.accounts.iter().filter(|account| !account.cause.protects);
    let sum: f64 = sharing.map(|account| account.effects[&Measure::MissedRequests].share.mean.unwrap()).sum();
    assert!((sum - total.all.mean.unwrap()).abs() < 1e-9, "{sum} {:?}", total.all);
}

const FILE: &str = r#"
name = "late"
[arrivals]
kind = "piecewise"
shape = "constant"
points = [{ at = "0s", rate = 2 }, { at = "10m", rate = 20 }, { at = "20m", rate = 2 }]
[service]
time = "500ms"
[instances]
cold_start = "90s"
[autoscaler]
kind = "target"
metric = "in_flight"
target = 0.5
max = 60
[slo]
latency = "5s"
percentile = 95
[run]
duration = "30m"
replications = 4
[[variant]]
name = "fixed"
[variant.autoscaler]
kind = "fixed"
instances = 30
"#;

#[test]
fn the_command_explains_on_the_terminal_in_json_and_on_the_page() {
    let work = Work::with(FILE);
    let shown = work.done(&["explain", "scenario.toml", "--at", "0:12"]);
    for part in [
        "Missed requests taken away",
        "cold start",
        "not explained",
        "The one key that would have helped most",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(shown.contains("0:10:") && shown.contains("took 90 s to start"), "{shown}");
    let names: Vec<String> = work.files("output/late-explain").into_keys().collect();
    for name in ["summary.json", "causes.csv", "timeline.csv", "report.html", "timeline.svg"] {
        assert!(names.iter().any(|known| known == name), "{name}: {names:?}");
    }
    let page = std::fs::read_to_string(work.path().join("output/late-explain/report.html")).unwrap();
    assert!(
        page.contains("The one key that would have helped most") && page.contains("Missed time taken away")
    );
    let one = work.done(&["explain", "scenario.toml", "--json", "--threads", "1"]);
    let two = work.done(&["explain", "scenario.toml", "--json", "--threads", "2"]);
    assert_eq!(one, two, "the same bytes at any number of threads");
    let json: serde_json::Value = serde_json::from_str(&one).unwrap();
    assert_eq!(json["command"], "explain");
    assert_eq!(json["causes"][0]["cause"], "cold_start");
    assert!(json["causes"][0]["effects"]["missed_requests"]["share"]["mean"].as_f64().unwrap() > 0.3);
    // The pool begins small and late too; what counts is the step up.
    let late = |episode: &serde_json::Value| episode["late"].as_u64().unwrap();
    let worst = json["episodes"].as_array().unwrap().iter().max_by_key(|episode| late(episode)).unwrap();
    assert!(late(worst) > 1000 && worst["seen_s"].as_f64().unwrap() >= 600.0, "{worst}");
}

#[test]
fn a_pool_that_never_scales_and_moments_that_are_none() {
    let work = Work::with(FILE);
    let fixed = work.done(&["explain", "scenario.toml", "--variant", "fixed"]);
    assert!(fixed.contains("No request missed the SLO"), "{fixed}");
    for (at, expected) in
        [("noon", "is no moment"), ("2:00", "after the end of the run"), ("1:70", "is no moment")]
    {
        let message = work.fails(2, &["explain", "scenario.toml", "--at", at]);
        assert!(message.contains(expected), "{message}");
    }
    assert!(work.fails(2, &["explain", "scenario.toml", "--variant", "fxed"]).contains("did you mean"));
}

/// A minute of requests each, from 13:50 to 14:20 on 2026-05-04, with ten minutes of a burst from 14:00 on.
fn recorded() -> String {
    let row = |minute: u32| {
        let (hour, minute, count) =
            (13 + (50 + minute) / 60, (50 + minute) % 60, [120, 1200, 120][minute as usize / 10]);
        format!("2026-05-04T{hour}:{minute:02}:00Z,{count}\n")
    };
    "time,requests\n".to_owned() + &(0..30).map(row).collect::<String>()
}

#[test]
fn a_recording_with_dates_is_explained_by_the_time_of_day() {
    let arrivals = BURST.find("[service]").unwrap();
    let rest = "[instances]\ninitial = 2\ncold_start = \"90s\"\n[autoscaler]\nkind = \"target\"\nmetric = \"in_flight\"\n\
                target = 0.7\nmax = 30\n";
    let scenario = format!(
        "name = \"recorded\"\n[arrivals]\nkind = \"counts\"\nfile = \"past.csv\"\n{}{rest}",
        &BURST[arrivals..]
    );
    let work = Work::with(&scenario);
    work.write("past.csv", &recorded());
    let told = work.done(&["explain", "scenario.toml", "--at", "14:01"]);
    assert!(told.contains("the run starts at 2026-05-04 13:50:00"), "{told}");
    let json = |at: &str| -> serde_json::Value {
        serde_json::from_str(&work.done(&["explain", "scenario.toml", "--at", at, "--json"])).unwrap()
    };
    // The same moment in four forms.
    let of_day = json("14:01");
    for other in ["2026-05-04T14:01:00Z", "11m", "14:01:00"] {
        assert_eq!(json(other)["answer"], of_day["answer"], "{other}");
    }
    let episode = &of_day["episodes"][0];
    let from = episode["from"].as_str().unwrap_or_default();
    assert!(from.starts_with("14:0") || from.starts_with("13:5"), "{episode}");
    for outside in ["12:00", "2026-05-05T14:01:00Z"] {
        let refused = work.kneepoint(&["explain", "scenario.toml", "--at", outside]).output().unwrap();
        assert_eq!(refused.status.code(), Some(2));
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(said.contains("is outside of the run") && said.contains("2026-05-04T13:50"), "{said}");
    }
}
