//! AIPerf and genai-perf: a metric each with its unit.

use serde_json::Value;

use super::super::level::{Driven, Level};
use super::super::text::number;
use super::{Form, from_documents};

pub(super) const FORM: Form = Form {
    doc: "a result of AIPerf or genai-perf",
    read: |content| {
        let is_one = |value: &Value| value.pointer("/request_throughput/avg").is_some();
        from_documents(content, is_one, level)
    },
};

fn level(value: &Value) -> Result<Level, String> {
    let seconds = |metric: &str| -> Result<Option<f64>, String> {
        let Some(average) = number(value, &format!("/{metric}/avg")) else { return Ok(None) };
        let unit = value.pointer(&format!("/{metric}/unit")).and_then(Value::as_str).unwrap_or_default();
        match unit {
            "ms" => Ok(Some(average / 1e3)),
            "s" | "sec" => Ok(Some(average)),
            "us" => Ok(Some(average / 1e6)),
            "ns" => Ok(Some(average / 1e9)),
            other => Err(format!("`{metric}` has the unit `{other}`, which is no time")),
        }
    };
    let loadgen = ["/input_config/loadgen", "/input_config/perf_analyzer/stimulus"];
    let said = |key: &str| loadgen.iter().find_map(|at| number(value, &format!("{at}/{key}")));
    let driven = match (said("request_rate"), said("concurrency")) {
        (Some(rate), _) => Driven::Rate(rate),
        (None, Some(users)) => Driven::Users(users),
        (None, None) => Driven::Unknown,
    };
    let rate = number(value, "/request_throughput/avg").unwrap_or(0.0);
    Ok(Level {
        latency_s: seconds("request_latency")?,
        ttft_s: seconds("time_to_first_token")?,
        tpot_s: seconds("inter_token_latency")?,
        prompt_tokens: number(value, "/input_sequence_length/avg"),
        output_tokens: number(value, "/output_sequence_length/avg"),
        failed: number(value, "/error_request_count/avg").unwrap_or(0.0),
        ..Level::new(format!("{rate:.3}/s"), driven, rate)
    })
}
