//! k6, `--out json=…`: a JSON object a line, a point for each sample, milliseconds, stamped with the end of the request.

use serde_json::Value;

use super::super::level::LoadTest;
use super::super::samples::Samples;
use super::super::text::{Fault, number};
use super::Form;
use crate::traffic::moment;

pub(super) const FORM: Form = Form {
    doc: "points of k6",
    read: |content| {
        let is_one = |value: &Value| {
            value.get("metric").is_some() && matches!(value["type"].as_str(), Some("Metric" | "Point"))
        };
        let found = content.documents.iter().filter(|value| is_one(value)).count();
        (found > 0 && found * 2 > content.documents.len()).then(|| read(&content.documents))
    },
};

fn read(points: &[Value]) -> Result<LoadTest, Fault> {
    let mut samples = Samples::new();
    for point in points.iter().filter(|point| point["type"] == "Point") {
        let Some(value) = number(point, "/data/value") else { continue };
        match point["metric"].as_str() {
            Some("vus") => samples.users(value),
            Some("http_req_duration") => {
                let time = point.pointer("/data/time").and_then(Value::as_str).unwrap_or_default();
                let (nanos, _) = moment::date(time).ok_or_else(|| format!("the time `{time}` is no date"))?;
                let status = point.pointer("/data/tags/status").and_then(Value::as_str).unwrap_or_default();
                let latency_s = value / 1e3;
                samples.add(nanos as f64 / 1e9 - latency_s, latency_s, None, status.starts_with('2'));
            }
            _ => {}
        }
    }
    samples.level().map_err(Fault::from)
}
