//! inference-perf, `stage_N_lifecycle_metrics.json`: seconds, a file a stage.

use super::super::level::{Driven, Level, LoadTest};
use super::super::text::number;
use super::Form;

pub(super) const FORM: Form = Form {
    doc: "a stage of inference-perf",
    read: |content| {
        let value = content.document()?;
        let (summary, successes) = (value.get("load_summary")?, value.get("successes")?);
        let Some(requested) =
            number(summary, "/requested_rate").or_else(|| number(summary, "/achieved_rate"))
        else {
            return Some(Err("it is the summary of several stages: give the files of the stages".into()));
        };
        let rate = number(summary, "/achieved_rate").unwrap_or(requested);
        let latency = |name: &str| number(successes, &format!("/latency/{name}/mean"));
        // Newer releases have other names.
        let tokens = |name: &str, newer: &str| {
            [name, newer].iter().find_map(|name| number(successes, &format!("/{name}/mean")))
        };
        Some(Ok(LoadTest::of(vec![Level {
            latency_s: latency("request_latency"),
            ttft_s: latency("time_to_first_token"),
            tpot_s: latency("time_per_output_token").or_else(|| latency("inter_token_latency")),
            prompt_tokens: tokens("prompt_len", "prompt_tokens"),
            output_tokens: tokens("output_len", "output_tokens"),
            failed: number(value, "/failures/count").unwrap_or(0.0),
            ..Level::new(format!("{requested}/s"), Driven::Rate(requested), rate)
        }])))
    },
};
