//! Artillery, `artillery run --output …`: milliseconds; virtual users arrive whatever the answers.

use serde_json::Value;

use super::super::level::{Driven, Level, LoadTest};
use super::super::text::{Fault, millis, number};
use super::Form;

pub(super) const FORM: Form = Form {
    doc: "a report of Artillery",
    read: |content| {
        let value = content.document()?;
        let aggregate = value.get("aggregate")?;
        let is_one = value.get("intermediate").is_some() || aggregate.get("counters").is_some();
        is_one.then(|| read(aggregate))
    },
};

fn read(aggregate: &Value) -> Result<LoadTest, Fault> {
    // From 2.0 on metrics have names; before, they had fields of their own.
    let of = |now: &str, before: &str| number(aggregate, now).or_else(|| number(aggregate, before));
    let rate = of("/rates/http.request_rate", "/rps/mean").ok_or("has no `http.request_rate`")?;
    let mean = millis(aggregate, "/summaries/http.response_time/mean")
        .or_else(|| millis(aggregate, "/latency/mean"));
    let median = millis(aggregate, "/summaries/http.response_time/median")
        .or_else(|| millis(aggregate, "/latency/median"));
    let failed = of("/counters/vusers.failed", "/errors").unwrap_or(0.0);
    let note = mean.is_none().then(|| "it has no mean latency: its median is taken".to_owned());
    let level = Level {
        latency_s: mean.or(median),
        failed,
        ..Level::new(format!("{rate}/s"), Driven::Rate(rate), rate)
    };
    Ok(LoadTest { notes: note.into_iter().collect(), ..LoadTest::of(vec![level]) })
}
