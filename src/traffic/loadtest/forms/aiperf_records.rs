//! AIPerf, `profile_export.jsonl`: a request a line, nanoseconds since 1970, each metric with its unit.

use serde_json::Value;

use super::super::level::{Driven, Level, LoadTest};
use super::super::samples::Samples;
use super::super::text::{Fault, number};
use super::Form;

pub(super) const FORM: Form = Form {
    doc: "records of AIPerf",
    read: |content| {
        let is_one = |value: &Value| value.pointer("/metadata/request_start_ns").is_some();
        let found: Vec<&Value> = content.documents.iter().filter(|value| is_one(value)).collect();
        (!found.is_empty()).then(|| read(&found))
    },
};

fn read(records: &[&Value]) -> Result<LoadTest, Fault> {
    let mut samples = Samples::new();
    let mut tokens = [Mean::default(), Mean::default(), Mean::default()];
    for record in records {
        // Requests that warm the server up are no part of the level.
        let phase = record.pointer("/metadata/benchmark_phase").and_then(Value::as_str);
        if phase.is_some_and(|phase| phase != "profiling") {
            continue;
        }
        let at = |key: &str| number(record, &format!("/metadata/{key}")).map(|nanos| nanos / 1e9);
        let (Some(start_s), Some(end_s)) = (at("request_start_ns"), at("request_end_ns")) else {
            return Err("a record has no start and end".into());
        };
        let succeeded = record.get("error").is_none_or(Value::is_null);
        let first_s = seconds(record, "time_to_first_token")?;
        samples.add(start_s, (end_s - start_s).max(0.0), first_s, succeeded);
        if succeeded {
            tokens[0].add(value(record, "input_sequence_length"));
            tokens[1].add(value(record, "output_sequence_length"));
            tokens[2].add(seconds(record, "inter_token_latency")?);
        }
    }
    let mut test = samples.level()?;
    for level in &mut test.levels {
        *level = Level {
            prompt_tokens: tokens[0].mean(),
            output_tokens: tokens[1].mean(),
            tpot_s: tokens[2].mean(),
            driven: Driven::Unknown,
            ..level.clone()
        };
    }
    Ok(test)
}

#[derive(Default)]
struct Mean(f64, f64);

impl Mean {
    fn add(&mut self, value: Option<f64>) {
        if let Some(value) = value {
            *self = Mean(self.0 + value, self.1 + 1.0);
        }
    }
    fn mean(&self) -> Option<f64> {
        (self.1 > 0.0).then(|| self.0 / self.1)
    }
}

fn value(record: &Value, metric: &str) -> Option<f64> {
    number(record, &format!("/metrics/{metric}/value"))
}

fn seconds(record: &Value, metric: &str) -> Result<Option<f64>, String> {
    let Some(found) = value(record, metric) else { return Ok(None) };
    match record.pointer(&format!("/metrics/{metric}/unit")).and_then(Value::as_str).unwrap_or_default() {
        "ms" => Ok(Some(found / 1e3)),
        "s" | "sec" => Ok(Some(found)),
        "us" => Ok(Some(found / 1e6)),
        "ns" => Ok(Some(found / 1e9)),
        other => Err(format!("`{metric}` has the unit `{other}`, which is no time")),
    }
}
