//! vegeta, `vegeta report -type json`: nanoseconds, an open load.

use super::super::level::{Driven, Level, LoadTest};
use super::super::text::number;
use super::Form;

pub(super) const FORM: Form = Form {
    doc: "a report of vegeta",
    read: |content| {
        let value = content.document()?;
        let (mean, sent) = (number(value, "/latencies/mean")?, number(value, "/rate")?);
        let rate = number(value, "/throughput")?;
        let requests = number(value, "/requests").unwrap_or(0.0);
        let success = number(value, "/success").unwrap_or(1.0);
        Some(Ok(LoadTest::of(vec![Level {
            latency_s: Some(mean / 1e9),
            failed: (1.0 - success) * requests,
            ..Level::new(format!("{sent}/s"), Driven::Rate(sent), rate)
        }])))
    },
};
