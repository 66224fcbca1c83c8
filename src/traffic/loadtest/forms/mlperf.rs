//! MLPerf inference, the summary or the detailed log of a Server run: nanoseconds.

use super::super::level::{Driven, Level, LoadTest};
use super::super::text::Fault;
use super::Form;

pub(super) const FORM: Form = Form {
    doc: "a summary of MLPerf inference",
    read: |content| {
        let text = content.text;
        match text.contains("MLPerf Results Summary") {
            true => Some(read(text)),
            false => text.lines().any(|line| line.starts_with(DETAIL)).then(|| read_detail(text)),
        }
    },
};

/// What a line of the detailed log begins with; an object follows.
const DETAIL: &str = ":::MLLOG";

/// `mlperf_log_detail.txt`: a key and a value a line.
fn read_detail(text: &str) -> Result<LoadTest, Fault> {
    let values: Vec<serde_json::Value> = text
        .lines()
        .filter_map(|line| serde_json::from_str(line.strip_prefix(DETAIL)?.trim()).ok())
        .collect();
    let said = |key: &str| values.iter().rev().find(|value| value["key"] == key).map(|value| &value["value"]);
    let text_of = |key: &str| said(key).and_then(serde_json::Value::as_str);
    let number = |key: &str| said(key)?.as_f64();
    usable(text_of("effective_scenario"), text_of("result_validity"))?;
    let scheduled = number("result_scheduled_samples_per_sec");
    level(&Figures {
        scheduled,
        completed: number("result_completed_samples_per_sec"),
        latency_ns: number("result_mean_latency_ns"),
        first_ns: number("result_first_token_mean_latency_ns"),
        token_ns: number("result_time_to_output_token_mean"),
        tokens_per_s: number("result_completed_tokens_per_second"),
    })
}

/// Figures of a run.
struct Figures {
    scheduled: Option<f64>,
    completed: Option<f64>,
    latency_ns: Option<f64>,
    first_ns: Option<f64>,
    token_ns: Option<f64>,
    tokens_per_s: Option<f64>,
}

/// Whether a run had arrivals, and is valid.
fn usable(scenario: Option<&str>, result: Option<&str>) -> Result<(), String> {
    match scenario {
        Some("Server") => {}
        Some(other) => {
            return Err(format!("its scenario is {other}, which has no arrivals: a Server run is needed"));
        }
        None => return Err("it names no scenario".into()),
    }
    if result == Some("INVALID") { Err("its result is INVALID".into()) } else { Ok(()) }
}

fn level(figures: &Figures) -> Result<LoadTest, Fault> {
    let rate = figures.completed.or(figures.scheduled).ok_or("has no samples per second")?;
    let seconds = |nanos: Option<f64>| nanos.map(|nanos| nanos / 1e9);
    let level = Level {
        latency_s: seconds(figures.latency_ns),
        ttft_s: seconds(figures.first_ns),
        tpot_s: seconds(figures.token_ns),
        output_tokens: figures.tokens_per_s.map(|tokens| tokens / rate),
        ..Level::new(format!("{rate}/s"), figures.scheduled.map_or(Driven::Unknown, Driven::Rate), rate)
    };
    let note = "the system under test is the whole system, and not an instance of it".to_owned();
    Ok(LoadTest { notes: vec![note], ..LoadTest::of(vec![level]) })
}

fn read(text: &str) -> Result<LoadTest, Fault> {
    let said = |key: &str| {
        let line = text.lines().find(|line| line.trim_start().starts_with(key))?;
        line.split_once(" : ").or_else(|| line.split_once(": ")).map(|(_, value)| value.trim())
    };
    let number = |key: &str| said(key)?.parse::<f64>().ok();
    usable(said("Scenario"), said("Result is"))?;
    level(&Figures {
        scheduled: number("Scheduled samples per second"),
        completed: number("Completed samples per second"),
        latency_ns: number("Mean latency (ns)"),
        first_ns: number("Mean First Token latency (ns)"),
        token_ns: number("Mean Time to Output Token (ns)"),
        tokens_per_s: number("Completed tokens per second"),
    })
}
