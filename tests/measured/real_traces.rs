//! Public traces: their formats, and real input from end to end.

use kneepoint::internals::random::Streams;

use crate::fixtures::data::folder_with;
use crate::fixtures::scenario::scenario;
use crate::fixtures::simulation::simulate;
use crate::fixtures::traces::{LLM, read};

/// An hour of conversations with a language model (Azure, November 2023), through a threshold autoscaler. The figures
/// stated are those of the trace's own description: 19,366 requests in 3,501 s.
#[test]
fn the_azure_conversation_trace_runs_through_a_threshold_autoscaler() {
    const TRACE: &str = "traces/azure-llm-2023/AzureLLMInferenceTrace_conv.csv";
    let Some(folder) = folder_with(TRACE) else { return };
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
    let model = scenario(&text, &folder).model;
    let seconds = model.duration.as_secs_f64();
    assert!((3500.0..3503.0).contains(&seconds), "{seconds} s");

    let (outcome, ()) = simulate(&model, Streams::new(1, 0), ());
    assert_eq!(outcome.counts.arrived, 19_366);
    assert!(outcome.counts.conserved(), "{:?}", outcome.counts);
    assert_eq!(outcome.timeline.iter().map(|window| window.arrived).sum::<u64>(), 19_366);
    assert_eq!((outcome.counts.rejected, outcome.counts.failed, outcome.counts.timed_out), (0, 0, 0));
    // 5.5 requests a second of 6 s each keep 33 slots busy: the loop must have found about five instances of eight.
    assert!(outcome.actions.up > 0, "the autoscaler never acted");
    let busy = outcome.integrals.in_service / outcome.measured_s;
    assert!((30.0..36.0).contains(&busy), "{busy} in service");
}

/// Rows, and mean of the prompts and of the answers, as the descriptions of the traces give them; then an hour of it
/// through a small pool, whose tokens must be those of the rows.
#[test]
fn public_traces_bring_their_tokens() {
    for (file, format, rows, prompt, output) in [
        ("traces/azure-llm-2023/AzureLLMInferenceTrace_conv.csv", "azure_llm", 19_366_u64, 1154.7, 211.1),
        ("traces/mooncake/synthetic_trace.jsonl", "mooncake", 3993, 15_325.0, 149.0),
    ] {
        let Some(folder) = folder_with(file) else { continue };
        let model = read(&format!("file = \"{file}\"\nformat = \"{format}\""), LLM, &folder);
        let model = model.unwrap_or_else(|error| panic!("{error}"));
        let laws = model.service.tokens.clone().unwrap();
        assert!((laws.prompt.0.mean() / prompt - 1.0).abs() < 1e-3, "{}", laws.prompt.0.mean());
        assert!((laws.output.0.mean() / output - 1.0).abs() < 5e-3, "{}", laws.output.0.mean());
        let (outcome, ()) = simulate(&model, Streams::new(1, 0), ());
        assert_eq!(outcome.counts.arrived, rows);
        assert!(outcome.counts.conserved());
    }
}

/// Image generation at Alibaba: 26,823 requests, whose mean time is the data's own over all statuses.
#[test]
fn a_public_trace_brings_its_service_times() {
    const TRACE: &str = "traces/alibaba-gentd26/lora_request_trace.csv";
    let Some(folder) = folder_with(TRACE) else { return };
    let arrivals = format!("file = \"{TRACE}\"\nformat = \"gentd26\"\ncut = {{ to = \"24h\" }}");
    let model = read(&arrivals, "", &folder).unwrap_or_else(|error| panic!("{error}"));
    let (outcome, ()) = simulate(&model, Streams::new(1, 0), ());
    assert!(outcome.counts.conserved() && outcome.counts.arrived > 0, "{:?}", outcome.counts);
    let whole = read(&format!("file = \"{TRACE}\"\nformat = \"gentd26\""), "", &folder).unwrap();
    assert!((whole.service.time.0.mean() - 28.7).abs() < 0.3, "{}", whole.service.time.0.mean());
}

/// The synthetic trace of Mooncake (FAST'25): the paper's table 2 has 66 % of its blocks in an unlimited cache, and its figure 9 46 % of
/// that with 3 million tokens. A cache of its own computed beside this project finds 65.1 % of the tokens without a limit, 57.7 % with
/// 10 million, 31.5 % with 3 and 14.2 % with one.
#[test]
fn the_prefix_hits_of_the_mooncake_trace_are_those_published() {
    const TRACE: &str = "traces/mooncake/synthetic_trace.jsonl";
    let Some(folder) = folder_with(TRACE) else { return };
    let answer = std::process::Command::new(env!("CARGO_BIN_EXE_kneepoint"))
        .args(["traffic", "inspect", "--json"])
        .arg(folder.join(TRACE))
        .output()
        .unwrap();
    let inspected: serde_json::Value = serde_json::from_slice(&answer.stdout).unwrap();
    let reuse = &inspected["prefix_reuse"][0][1];
    println!("{reuse}");
    assert_eq!(reuse["block_tokens"], 512.0);
    let found = |size: Option<f64>| {
        let sizes = reuse["by_size"].as_array().unwrap();
        sizes.iter().find(|one| one[0].as_f64() == size).unwrap()[1].as_f64().unwrap()
    };
    for (size, share) in
        [(None, 0.651), (Some(5e7), 0.651), (Some(1e7), 0.577), (Some(3e6), 0.315), (Some(1e6), 0.142)]
    {
        assert!((found(size) - share).abs() < 0.005, "{size:?}: {} for {share}", found(size));
    }
    assert!((found(Some(3e6)) / found(None) - 0.46).abs() < 0.03);
}
