//! MLPerf inference, the summary of a Server run: nanoseconds.

use super::super::level::{Driven, Level, LoadTest};
use super::Form;

pub(super) const FORM: Form = Form {
    doc: "a summary of MLPerf inference",
    read: |content| content.text.contains("MLPerf Results Summary").then(|| read(content.text)),
};

fn read(text: &str) -> Result<LoadTest, String> {
    let said = |key: &str| {
        let line = text.lines().find(|line| line.trim_start().starts_with(key))?;
        line.split_once(" : ").or_else(|| line.split_once(": ")).map(|(_, value)| value.trim())
    };
    let number = |key: &str| said(key)?.parse::<f64>().ok();
    match said("Scenario") {
        Some("Server") => {}
        Some(other) => {
            return Err(format!("its scenario is {other}, which has no arrivals: a Server run is needed"));
        }
        None => return Err("it names no scenario".into()),
    }
    if said("Result is") == Some("INVALID") {
        return Err("its result is INVALID".into());
    }
    let scheduled = number("Scheduled samples per second");
    let rate = number("Completed samples per second").or(scheduled).ok_or("has no samples per second")?;
    let seconds = |key: &str| number(key).map(|nanos| nanos / 1e9);
    let level = Level {
        latency_s: seconds("Mean latency (ns)"),
        ttft_s: seconds("Mean First Token latency (ns)"),
        tpot_s: seconds("Mean Time to Output Token (ns)"),
        output_tokens: number("Completed tokens per second").map(|tokens| tokens / rate),
        ..Level::new(format!("{rate}/s"), scheduled.map_or(Driven::Unknown, Driven::Rate), rate)
    };
    let note = "the system under test is the whole system, and not an instance of it".to_owned();
    Ok(LoadTest { notes: vec![note], ..LoadTest::of(vec![level]) })
}
