//! The scenarios that are shipped, and the page that describes them all.

use std::path::{Path, PathBuf};

use kneepoint::internals::experiment::FIGURES;
use kneepoint::internals::random::Streams;
use kneepoint::internals::scenario::{STARTER, Scenario, ScenarioFile, reference_pages};
use kneepoint::internals::sim::{Block, Options, RequestSource, simulate};

use crate::fixtures::scenario::scenario;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The shipped scenarios.
pub fn shipped() -> Vec<PathBuf> {
    let folder = std::fs::read_dir(root().join("scenarios")).expect("the folder is there");
    let mut paths: Vec<PathBuf> = folder.map(|entry| entry.expect("it can be listed").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    paths
}

fn load(name: &str) -> ScenarioFile {
    ScenarioFile::load(&root().join("scenarios").join(name)).unwrap_or_else(|error| panic!("{error}"))
}

/// Expected requests of one run.
fn requests(scenario: &Scenario) -> f64 {
    scenario.model.arrivals.mean_rate(scenario.run.duration) * scenario.run.duration.as_secs_f64()
}

#[test]
fn every_shipped_scenario_is_right_in_all_its_points_and_fits_a_small_machine() {
    let paths = shipped();
    assert!(paths.len() >= 8, "only {} scenarios", paths.len());
    for path in paths {
        let check = || {
            let file = ScenarioFile::load(&path)?;
            for point in file.points()? {
                file.check_fits(&point.scenario, 1 << 30, 2)?;
            }
            file.variants()
        };
        if let Err(error) = check() {
            panic!("{error}");
        }
    }
}

#[test]
fn every_shipped_scenario_says_what_it_is_about_and_promises_something() {
    for path in shipped().iter().filter(|path| !path.ends_with("walkthrough.toml")) {
        let scenario = ScenarioFile::load(path).unwrap().scenario().unwrap();
        assert!(!scenario.description.is_empty(), "{}", path.display());
        assert!(scenario.model.slo.is_some(), "{}", path.display());
        let comments = std::fs::read_to_string(path).unwrap().matches('#').count();
        assert!(comments >= 10, "{} is hardly commented", path.display());
    }
}

#[test]
fn quickstart_is_a_day_with_two_swept_thresholds_small_enough_for_ten_seconds() {
    let points = load("quickstart.toml").points().unwrap();
    assert!((25..=40).contains(&points.len()), "{} points", points.len());
    assert!(points.iter().all(|point| point.settings.len() == 2));
    let scenario = &points[0].scenario;
    assert_eq!(scenario.run.duration.as_secs_f64(), 86_400.0);
    assert!(scenario.run.replications >= 5);
    assert!(requests(scenario) < 1.5e6, "{} requests a day", requests(scenario));
}

#[test]
fn the_walkthrough_is_the_worked_example() {
    let file = load("walkthrough.toml");
    let scenario = file.scenario().unwrap();
    assert_eq!(scenario.run.duration.as_secs_f64(), 360.0);
    assert_eq!(scenario.run.replications, 1);
    assert_eq!(requests(&scenario), 60.0 * (10.0 + 50.0 + 120.0 + 80.0 + 30.0 + 5.0));
    assert_eq!(scenario.model.initial_instances(), 1);
    let names: Vec<String> = file.variants().unwrap().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["lower threshold 10", "all loads 100"]);
    let (_, level) = file.variants().unwrap().remove(1);
    assert_eq!(requests(&level), 360.0 * 100.0);
}

#[test]
fn the_starter_runs_as_it_is() {
    let file = ScenarioFile::parse("starter.toml", STARTER, ".").unwrap();
    let points = file.points().unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(points.len(), 30, "15 of the base scenario, 15 of its variant");
    assert!(requests(&points[0].scenario) > 100_000.0);
}

#[test]
fn the_reference_pages_are_those_of_this_version() {
    let pages = reference_pages();
    assert!(pages.len() > 10);
    for page in &pages {
        let path = root().join("docs").join(&page.path);
        if std::env::var_os("KNEEPOINT_BLESS").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &page.text).unwrap();
        }
        let written = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            written.replace("\r\n", "\n") == page.text,
            "docs/{} is out of date: KNEEPOINT_BLESS=1 cargo test --test suite the_reference_pages",
            page.path
        );
    }
    let folder = std::fs::read_dir(root().join("docs/scenario")).unwrap();
    assert_eq!(
        folder.count(),
        pages.len() - 1,
        "docs/scenario has a page of a table that there is no longer"
    );
}

/// Names in the first column of the table of figures, `group.…` for all of a group.
#[test]
fn every_figure_is_in_the_documentation_and_nothing_else() {
    let page = std::fs::read_to_string(root().join("docs/outputs.md")).unwrap();
    let section = page.split("\n## Figures\n").nth(1).and_then(|rest| rest.split("\n## ").next()).unwrap();
    let cells = section.lines().filter_map(|line| line.strip_prefix("| `")?.split(" | ").next());
    let names: Vec<&str> =
        cells.flat_map(|cell| cell.split(", ")).map(|name| name.trim_matches(['`', ' '])).collect();
    assert!(names.len() > 40, "{names:?}");
    let known = |name: &str| FIGURES.iter().any(|figure| figure.name == name);
    for figure in FIGURES {
        let group = figure.name.split_once('.').map(|(group, _)| format!("{group}.…"));
        let told = names.contains(&figure.name) || group.is_some_and(|group| names.contains(&group.as_str()));
        assert!(told, "docs/outputs.md does not have {}", figure.name);
    }
    for name in names.iter().filter(|name| !name.starts_with("by_type.") && !name.starts_with('.')) {
        let group = name.strip_suffix('…');
        let some = |group: &str| FIGURES.iter().any(|figure| figure.name.starts_with(group));
        assert!(known(name) || group.is_some_and(some), "docs/outputs.md has {name}, which is no figure");
    }
}

#[test]
fn every_example_of_the_reference_page_reads() {
    let pages: Vec<String> = reference_pages().into_iter().map(|page| page.text).collect();
    let page = pages.concat();
    let examples: Vec<&str> =
        page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(examples.len() > 10);
    for example in examples {
        let mut text = example.to_owned();
        for (table, rest) in [
            ("arrivals", "kind = \"poisson\"\nrate = 2"),
            ("service", "time = \"1s\""),
            (
                "autoscaler",
                "kind = \"threshold\"\nmetric = \"utilization\"\nmax = 40\nup = { above = 0.9 }\ndown = { below = 0.1 }",
            ),
            ("run", "duration = \"1h\""),
        ] {
            if !text.contains(&format!("\n[{table}]")) && !text.starts_with(&format!("[{table}]")) {
                text = format!("{text}\n[{table}]\n{rest}\n");
            }
        }
        let points = ScenarioFile::parse("example.toml", &text, ".").and_then(|file| file.points());
        if let Err(error) = points {
            panic!("{error}");
        }
    }
}

/// The arrivals that `scenarios/data/chat-requests.csv` holds.
const CHAT: &str = r#"
[arrivals]
kind = "mmpp"
states = [
    { rate = 0.4, duration = "6m" },
    { rate = 0.9, duration = "10m" },
    { rate = 1.5, duration = "5m" },
    { rate = 2.6, duration = "2m" },
]
[[arrivals.spikes]]
at = "1h"
duration = "10m"
rate = 4
shape = "triangle"
[service]
time = "1s"
[autoscaler]
kind = "fixed"
instances = 1
[run]
duration = "2h"
"#;

#[test]
fn the_shipped_trace_is_drawn_from_the_arrivals_stated_here() {
    let scenario = scenario(CHAT, ".");
    let mut nanos = Vec::new();
    scenario
        .model
        .arrivals
        .stream(kneepoint::internals::random::Streams::new(42, 0))
        .fill(&mut nanos, 100_000);
    let start: jiff::Timestamp = "2026-03-02T08:00:00Z".parse().unwrap();
    let mut csv = String::from("timestamp\n");
    for nanos in nanos.iter().take_while(|nanos| **nanos < scenario.run.duration.as_nanos()) {
        let at = start + jiff::SignedDuration::from_millis((nanos / 1_000_000) as i64);
        csv.push_str(&format!("{at:.3}\n"));
    }
    let path = root().join("scenarios/data/chat-requests.csv");
    if std::env::var_os("KNEEPOINT_BLESS").is_some() {
        std::fs::write(&path, &csv).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written.replace("\r\n", "\n") == csv, "{} differs from what is stated here", path.display());
}

/// The requests that `scenarios/data/llm-requests.csv` holds.
const COMPLETIONS: &str = r#"
[arrivals]
kind = "mmpp"
states = [
    { rate = 0.6, duration = "3m" },
    { rate = 3, duration = "2m" },
    { rate = 9, duration = "30s" },
]
[service]
model = "llm"
preset = "llama-3.1-8b-h100"
prompt_tokens = { dist = "lognormal", mean = 2000, cv = 1 }
output_tokens = { dist = "lognormal", mean = 30, cv = 2 }
[autoscaler]
kind = "fixed"
instances = 1
[run]
duration = "40m"
"#;

#[test]
fn the_shipped_llm_trace_is_drawn_from_the_requests_stated_here() {
    let scenario = scenario(COMPLETIONS, ".");
    let mut source = RequestSource::new(&scenario.model, Streams::new(42, 0));
    let mut block = Block::default();
    let start: jiff::Timestamp = "2026-03-02T08:00:00Z".parse().unwrap();
    let (mut csv, mut before) = (String::from("TIMESTAMP,ContextTokens,GeneratedTokens\n"), 0);
    while before < scenario.run.duration.as_nanos() {
        source.fill(&mut block);
        for (nanos, tokens) in block.arrival.iter().zip(&block.tokens) {
            before = *nanos;
            if before < scenario.run.duration.as_nanos() {
                let at = start + jiff::SignedDuration::from_millis((nanos / 1_000_000) as i64);
                let at = at.strftime("%Y-%m-%d %H:%M:%S%.3f");
                csv.push_str(&format!("{at},{},{}\n", tokens.prompt.min(7437), tokens.output));
            }
        }
    }
    let path = root().join("scenarios/data/llm-requests.csv");
    if std::env::var_os("KNEEPOINT_BLESS").is_some() {
        std::fs::write(&path, &csv).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written.replace("\r\n", "\n") == csv, "{} differs from what is stated here", path.display());
}

/// Every shipped scenario is run, and loses no request.
#[test]
fn every_shipped_scenario_runs() {
    for path in shipped() {
        let scenario = ScenarioFile::load(&path).unwrap().scenario().unwrap();
        let options =
            Options { mark_interval: scenario.run.timeline_interval, timeline: true, decisions: true };
        let (outcome, ()) = simulate(&scenario.model, Streams::new(scenario.run.seed, 0), &options, ());
        assert!(outcome.counts.conserved(), "{}: {:?}", path.display(), outcome.counts);
        assert!(outcome.counts.served > 0, "{} serves nothing", path.display());
        assert!(!outcome.timeline.is_empty(), "{} has no timeline", path.display());
    }
}

/// In the simulator, not only in replays: woken by the first request, not by a tick, and asleep again at night.
#[test]
fn the_knative_scenario_wakes_at_the_first_request_and_sleeps_again() {
    let scenario = load("knative.toml").scenario().unwrap();
    let streams = Streams::new(scenario.run.seed, 0);
    let options = Options { mark_interval: scenario.run.timeline_interval, timeline: false, decisions: true };
    let (outcome, ()) = simulate(&scenario.model, streams, &options, ());
    let mut first = Vec::new();
    scenario.model.arrivals.stream(streams).fill(&mut first, 1);
    let woken = outcome.decisions.iter().find(|decision| decision.desired > 0).unwrap();
    assert_eq!((woken.at.as_nanos(), woken.before, woken.desired), (first[0], 0, 1));
    assert!(woken.explanation.reason.starts_with("first request"), "{}", woken.explanation.reason);
    let asleep =
        outcome.decisions.iter().find(|decision| decision.before == 1 && decision.desired == 0).unwrap();
    assert!(asleep.explanation.reason.contains("the activator has been in the path"));
    let panics = |mode: bool| {
        let decisions = outcome.decisions.iter();
        decisions
            .filter(|decision| decision.explanation.figures.contains(&("panic_mode", mode.into())))
            .count()
    };
    assert!(panics(true) > 100 && panics(false) > 10_000, "{} and {}", panics(true), panics(false));
}
