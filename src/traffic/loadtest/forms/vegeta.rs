//! vegeta: `vegeta report`, as text or as JSON in nanoseconds; an open load.

use super::super::level::{Driven, Level, LoadTest};
use super::super::text::{Fault, number, printed_seconds};
use super::Form;

pub(super) const FORM: Form = Form {
    doc: "a report of vegeta",
    read: |content| {
        if content.text.contains("[total, rate, throughput]") {
            return Some(read_text(content.text));
        }
        let value = content.document()?;
        let (mean, sent) = (number(value, "/latencies/mean")?, number(value, "/rate")?);
        let rate = number(value, "/throughput")?;
        let requests = number(value, "/requests").unwrap_or(0.0);
        let success = number(value, "/success").unwrap_or(1.0);
        Some(Ok(level(sent, rate, mean / 1e9, (1.0 - success) * requests)))
    },
};

fn level(sent: f64, rate: f64, latency_s: f64, failed: f64) -> LoadTest {
    LoadTest::of(vec![Level {
        latency_s: Some(latency_s),
        failed,
        ..Level::new(format!("{sent}/s"), Driven::Rate(sent), rate)
    }])
}

/// `Requests [total, rate, throughput] 300, 30.10, 29.40`, and so a line each.
fn read_text(text: &str) -> Result<LoadTest, Fault> {
    let values = |name: &str, listed: &str| -> Result<(u64, Vec<&str>), Fault> {
        let found = (1..).zip(text.lines()).find(|(_, line)| line.trim_start().starts_with(name));
        let (number, line) = found.ok_or_else(|| Fault::from(format!("has no line `{name}`")))?;
        let (_, rest) = line
            .split_once(']')
            .filter(|_| line.contains(listed))
            .ok_or_else(|| Fault::on(number, format!("line {number} does not list {listed}")))?;
        Ok((number, rest.split(',').map(str::trim).collect()))
    };
    let (line, requests) = values("Requests", "[total, rate, throughput")?;
    let wrong = |line: u64, what: &str| Fault::on(line, format!("line {line} has no {what}"));
    let numbers: Vec<f64> = requests.iter().filter_map(|text| text.parse().ok()).collect();
    let [total, sent, rate] = numbers.as_slice() else { return Err(wrong(line, "three numbers")) };
    let (line, latencies) = values("Latencies", "mean")?;
    // Releases before 12 do not begin by the minimum.
    let at = usize::from(text.contains("[min, mean"));
    let mean = latencies.get(at).and_then(|text| printed_seconds(text)).ok_or_else(|| wrong(line, "mean"))?;
    let (line, success) = values("Success", "ratio")?;
    let percent = success.first().and_then(|text| text.trim_end_matches('%').parse::<f64>().ok());
    let percent = percent.ok_or_else(|| wrong(line, "share in percent"))?;
    Ok(level(*sent, *rate, mean, ((1.0 - percent / 100.0) * total).round()))
}
