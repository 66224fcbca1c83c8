//! GuideLLM: a benchmark a level, metrics by the outcome of requests.

use serde_json::Value;

use super::super::level::{Driven, Level, LoadTest};
use super::super::text::{millis, number};
use super::Form;

pub(super) const FORM: Form = Form {
    doc: "a result of GuideLLM",
    read: |content| {
        let benchmarks = content.document()?.get("benchmarks")?.as_array()?;
        benchmarks
            .iter()
            .all(|one| one.get("metrics").is_some())
            .then(|| Ok(LoadTest::of(benchmarks.iter().filter_map(level).collect())))
    },
};

fn level(value: &Value) -> Option<Level> {
    let of = |metric: &str| format!("/metrics/{metric}/successful/mean");
    let rate = number(value, &of("requests_per_second"))?;
    let strategy = value.pointer("/args/strategy").or_else(|| value.pointer("/config/strategy"));
    let kind = strategy.and_then(|strategy| strategy.get("type_")).and_then(Value::as_str);
    let driven = match (kind, strategy) {
        (Some("synchronous"), _) => Driven::Users(1.0),
        (Some("concurrent"), Some(strategy)) => {
            number(strategy, "/streams").map_or(Driven::Unknown, Driven::Users)
        }
        (Some("constant" | "poisson"), Some(strategy)) => {
            number(strategy, "/rate").map_or(Driven::Unknown, Driven::Rate)
        }
        _ => Driven::Unknown,
    };
    Some(Level {
        latency_s: number(value, &of("request_latency")),
        ttft_s: millis(value, &of("time_to_first_token_ms")),
        // `time_per_output_token_ms` is the whole latency over the tokens, and so holds the first.
        tpot_s: millis(value, &of("inter_token_latency_ms")),
        prompt_tokens: number(value, &of("prompt_token_count")),
        output_tokens: number(value, &of("output_token_count")),
        failed: number(value, "/metrics/requests_per_second/errored/count").unwrap_or(0.0),
        ..Level::new(format!("{rate:.3}/s"), driven, rate)
    })
}
