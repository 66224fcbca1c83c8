//! Reports of llm-d-benchmark, versions 0.1 and 0.2: YAML, each figure with its units.

use serde_json::Value;

use super::super::level::{Driven, Level, LoadTest};
use super::super::text::{Fault, number};
use super::Form;

pub(super) const FORM: Form = Form {
    doc: "a report of llm-d-benchmark",
    read: |content| {
        let value = content.document()?;
        let aggregate =
            value.pointer("/results/request_performance/aggregate").or_else(|| value.get("metrics"))?;
        let latency = aggregate.get("latency")?;
        Some(level(value, aggregate, latency).map(|level| LoadTest::of(vec![level])).map_err(Fault::from))
    },
};

fn level(value: &Value, aggregate: &Value, latency: &Value) -> Result<Level, String> {
    let seconds = |name: &str| -> Result<Option<f64>, String> {
        let Some(mean) = number(latency, &format!("/{name}/mean")) else { return Ok(None) };
        let units = latency.pointer(&format!("/{name}/units")).and_then(Value::as_str).unwrap_or_default();
        match units {
            "s" | "s/token" => Ok(Some(mean)),
            "ms" | "ms/token" => Ok(Some(mean / 1e3)),
            other => Err(format!("`{name}` has the units `{other}`, which are no time")),
        }
    };
    let rate = ["request_rate", "requests_per_sec"]
        .iter()
        .find_map(|name| {
            number(aggregate, &format!("/throughput/{name}/mean"))
                .or_else(|| number(aggregate, &format!("/throughput/{name}")))
        })
        .ok_or("has no `throughput.request_rate`")?;
    let load = "/scenario/load/standardized";
    let driven =
        match (number(value, &format!("{load}/rate_qps")), number(value, &format!("{load}/concurrency"))) {
            (Some(rate), _) => Driven::Rate(rate),
            (None, Some(users)) => Driven::Users(users),
            (None, None) => Driven::Unknown,
        };
    Ok(Level {
        latency_s: seconds("request_latency")?,
        ttft_s: seconds("time_to_first_token")?,
        tpot_s: seconds("time_per_output_token")?.or(seconds("inter_token_latency")?),
        prompt_tokens: number(aggregate, "/requests/input_length/mean"),
        output_tokens: number(aggregate, "/requests/output_length/mean"),
        failed: number(aggregate, "/requests/failures").unwrap_or(0.0),
        ..Level::new(format!("{rate}/s"), driven, rate)
    })
}
