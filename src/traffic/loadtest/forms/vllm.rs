//! vLLM, `vllm bench serve --save-result` (and `benchmark_serving.py`): milliseconds, an object a level.

use serde_json::Value;

use super::super::level::{Driven, Level};
use super::super::text::{millis, number};
use super::{Form, from_documents};

pub(super) const FORM: Form = Form {
    doc: "a result of vllm bench serve",
    read: |content| {
        let is_one = |value: &Value| {
            value.get("request_throughput").is_some_and(Value::is_number) && value.get("completed").is_some()
        };
        from_documents(content, is_one, level)
    },
};

fn level(value: &Value) -> Result<Level, String> {
    let completed =
        number(value, "/completed").filter(|count| *count > 0.0).ok_or("no request was completed")?;
    let users = number(value, "/max_concurrency");
    let driven = match (number(value, "/request_rate"), users) {
        (Some(rate), _) => Driven::Rate(rate),
        (None, Some(users)) => Driven::Users(users),
        (None, None) => Driven::Unknown,
    };
    let name = match driven {
        Driven::Users(users) => format!("{users} users"),
        Driven::Rate(rate) => format!("{rate}/s"),
        Driven::Unknown => "all at once".to_owned(),
    };
    let rate = number(value, "/request_throughput").unwrap_or(0.0);
    let tokens = |pointer| number(value, pointer).filter(|total| *total > 0.0).map(|total| total / completed);
    Ok(Level {
        latency_s: millis(value, "/mean_e2el_ms").or_else(|| millis(value, "/mean_e2e_latency_ms")),
        ttft_s: millis(value, "/mean_ttft_ms"),
        tpot_s: millis(value, "/mean_tpot_ms"),
        prompt_tokens: tokens("/total_input_tokens"),
        output_tokens: tokens("/total_output_tokens"),
        failed: number(value, "/failed").unwrap_or(0.0),
        ..Level::new(name, driven, rate)
    })
}
