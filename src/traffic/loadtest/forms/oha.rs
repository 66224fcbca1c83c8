//! oha, `--output-format json`: seconds.

use serde_json::Value;

use super::super::level::{Driven, Level, LoadTest};
use super::super::text::number;
use super::Form;

pub(super) const FORM: Form = Form {
    doc: "a result of oha",
    read: |content| {
        let value = content.document()?;
        let (latency, rate) = (number(value, "/summary/average")?, number(value, "/summary/requestsPerSec")?);
        // `successRate` counts an answer of the status 500 as a success.
        let statuses = value.get("statusCodeDistribution").and_then(Value::as_object);
        let failed = statuses.into_iter().flatten().filter(|(status, _)| !status.starts_with('2'));
        Some(Ok(LoadTest::of(vec![Level {
            latency_s: Some(latency),
            failed: failed.filter_map(|(_, count)| count.as_f64()).sum(),
            ..Level::new(format!("{rate:.3}/s"), Driven::Unknown, rate)
        }])))
    },
};
