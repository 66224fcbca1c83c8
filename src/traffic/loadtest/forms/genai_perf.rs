//! genai-perf of older releases, `profile_export.json`: experiments of requests, nanoseconds.

use serde_json::Value;

use super::super::level::{Driven, Level, LoadTest};
use super::super::samples::Samples;
use super::super::text::{Fault, number};
use super::Form;

pub(super) const FORM: Form = Form {
    doc: "requests of genai-perf",
    read: |content| {
        let experiments = content.document()?.get("experiments")?.as_array()?;
        let is_one =
            |one: &Value| one.get("experiment").is_some() && one.get("requests").is_some_and(Value::is_array);
        let is_it = !experiments.is_empty() && experiments.iter().all(is_one);
        is_it.then(|| experiments.iter().map(level).collect::<Result<Vec<Level>, Fault>>().map(LoadTest::of))
    },
};

fn level(experiment: &Value) -> Result<Level, Fault> {
    let mut samples = Samples::new();
    for request in experiment.get("requests").and_then(Value::as_array).into_iter().flatten() {
        let start = number(request, "/timestamp").ok_or("a request has no `timestamp`")?;
        let answers = request.get("response_timestamps").and_then(Value::as_array);
        let instants: Vec<f64> = answers.into_iter().flatten().filter_map(Value::as_f64).collect();
        let (first, last) = (instants.first(), instants.last());
        let seconds = |instant: Option<&f64>| instant.map(|instant| (instant - start).max(0.0) / 1e9);
        // One answer alone is the whole of it.
        let first_s = seconds(first).filter(|_| instants.len() > 1);
        samples.add(start / 1e9, seconds(last).unwrap_or(0.0), first_s, last.is_some());
    }
    let value = number(experiment, "/experiment/value");
    let driven = match experiment.pointer("/experiment/mode").and_then(Value::as_str) {
        Some("concurrency") => value.map_or(Driven::Unknown, Driven::Users),
        Some("request_rate") => value.map_or(Driven::Unknown, Driven::Rate),
        _ => Driven::Unknown,
    };
    let level = samples.level()?.levels.pop().ok_or("no request was answered")?;
    let name = match driven {
        Driven::Users(users) => format!("{users} users"),
        Driven::Rate(rate) => format!("{rate}/s"),
        Driven::Unknown => level.name.clone(),
    };
    Ok(Level { name, driven, ..level })
}
