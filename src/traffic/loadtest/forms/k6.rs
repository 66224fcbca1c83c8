//! k6: the summary of `--summary-export`, of `handleSummary`, and the summary for machines (version 1 of its schema); milliseconds.

use serde_json::Value;

use super::super::level::{Driven, Level, LoadTest};
use super::super::text::{Fault, millis, number};
use super::Form;

pub(super) const FORM: Form = Form {
    doc: "a summary of k6",
    read: |content| {
        let document = content.document()?;
        let listed = document.pointer("/results/metrics").and_then(by_name);
        let metrics = listed.as_ref().or_else(|| document.get("metrics"))?;
        metrics.get("http_req_duration")?;
        Some(level(metrics).map(|level| LoadTest::of(vec![level])).map_err(Fault::from))
    },
};

/// Metrics that are a list in which each has its name, as an object.
fn by_name(metrics: &Value) -> Option<Value> {
    let named = |metric: &Value| Some((metric.get("name")?.as_str()?.to_owned(), metric.clone()));
    metrics.as_array()?.iter().map(named).collect::<Option<serde_json::Map<_, _>>>().map(Value::Object)
}

fn level(metrics: &Value) -> Result<Level, String> {
    // Directly under the metric, or under its `values`.
    let value = |metric: &str, key: &str| {
        [format!("/{metric}/values/{key}"), format!("/{metric}/{key}")]
            .iter()
            .find(|pointer| metrics.pointer(pointer).is_some())
            .cloned()
            .unwrap_or_default()
    };
    let rate = number(metrics, &value("http_reqs", "rate")).ok_or("has no `http_reqs.rate`")?;
    let failed_share = ["rate", "value"]
        .iter()
        .find_map(|key| number(metrics, &value("http_req_failed", key)))
        .unwrap_or(0.0);
    let users = number(metrics, &value("vus", "max")).or_else(|| number(metrics, &value("vus", "value")));
    let dropped = number(metrics, &value("dropped_iterations", "count")).unwrap_or(0.0);
    if dropped > 0.0 {
        return Err(format!("{dropped} iterations were dropped: the rate that was asked for was not kept"));
    }
    Ok(Level {
        latency_s: millis(metrics, &value("http_req_duration", "avg")),
        failed: failed_share * number(metrics, &value("http_reqs", "count")).unwrap_or(0.0),
        ..Level::new(format!("{rate:.3}/s"), users.map_or(Driven::Unknown, Driven::Users), rate)
    })
}
