//! Public traces, where `KNEEPOINT_DATA` (default `../shared`) has them: real input from end to end.

use std::path::PathBuf;

use kneepoint::random::Streams;
use kneepoint::scenario::ScenarioFile;
use kneepoint::sim::{Options, simulate};

/// The folder of public data, if `path` is in it; says so if not.
fn data(path: &str) -> Option<PathBuf> {
    let folder = std::env::var("KNEEPOINT_DATA").unwrap_or_else(|_| "../shared".into());
    let folder = std::path::absolute(folder).unwrap();
    if folder.join(path).exists() {
        return Some(folder);
    }
    eprintln!(
        "skipped: {} is not there (set KNEEPOINT_DATA to the folder that has it)",
        folder.join(path).display()
    );
    None
}

/// An hour of conversations with a language model (Azure, November 2023), through a threshold autoscaler. The figures
/// stated are those of the trace's own description: 19,366 requests in 3,501 s.
#[test]
fn the_azure_conversation_trace_runs_through_a_threshold_autoscaler() {
    const TRACE: &str = "traces/azure-llm-2023/AzureLLMInferenceTrace_conv.csv";
    let Some(folder) = data(TRACE) else { return };
    let text = format!(
        r#"
        [arrivals]
        kind = "trace"
        file = "{TRACE}"
        column = "TIMESTAMP"

        [service]
        time = {{ dist = "lognormal", mean = "6s", cv = 0.8 }}
        concurrency = 8

        [instances]
        initial = 4
        cold_start = "90s"

        [autoscaler]
        kind = "threshold"
        metric = "concurrency"
        per = "instance"
        min = 1
        max = 20
        up = {{ above = 6, cooldown = "30s" }}
        down = {{ below = 3, breaches = 4, cooldown = "2m" }}

        [slo]
        latency = "30s"
        "#
    );
    let file = ScenarioFile::parse("azure.toml", &text, &folder).unwrap();
    let model = file.scenario().unwrap().model;
    let seconds = model.duration.as_secs_f64();
    assert!((3500.0..3503.0).contains(&seconds), "{seconds} s");

    let options =
        Options { mark_interval: kneepoint::time::Span::from_secs(60), timeline: true, decisions: true };
    let (outcome, ()) = simulate(&model, Streams::new(1, 0), &options, ());
    assert_eq!(outcome.counts.arrived, 19_366);
    assert!(outcome.counts.conserved(), "{:?}", outcome.counts);
    assert_eq!(outcome.timeline.iter().map(|window| window.arrived).sum::<u64>(), 19_366);
    assert_eq!((outcome.counts.rejected, outcome.counts.failed, outcome.counts.timed_out), (0, 0, 0));
    // 5.5 requests a second of 6 s each keep 33 slots busy: the loop must have found about five instances of eight.
    assert!(outcome.actions.up > 0, "the autoscaler never acted");
    let busy = outcome.integrals.in_service / outcome.measured_s;
    assert!((30.0..36.0).contains(&busy), "{busy} in service");
}
