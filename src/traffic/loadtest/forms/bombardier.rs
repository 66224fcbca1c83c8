//! bombardier, `-o json`: microseconds; so many connections at a time.

use super::super::level::{Driven, Level, LoadTest};
use super::super::text::number;
use super::Form;

pub(super) const FORM: Form = Form {
    doc: "a result of bombardier",
    read: |content| {
        let value = content.document()?;
        let taken_s = number(value, "/result/timeTakenSeconds").filter(|taken| *taken > 0.0)?;
        let micros = number(value, "/result/latency/mean")?;
        let count = |key: &str| number(value, &format!("/result/{key}")).unwrap_or(0.0);
        // The mean of its samples of the rate differs from answers over time.
        let rate = count("req2xx") / taken_s;
        let connections = number(value, "/spec/numberOfConnections");
        let name =
            connections.map_or(format!("{rate:.3}/s"), |connections| format!("{connections} connections"));
        let others = ["req1xx", "req3xx", "req4xx", "req5xx", "others"];
        Some(Ok(LoadTest::of(vec![Level {
            latency_s: Some(micros / 1e6),
            failed: others.iter().map(|key| count(key)).sum(),
            ..Level::new(name, connections.map_or(Driven::Unknown, Driven::Users), rate)
        }])))
    },
};
