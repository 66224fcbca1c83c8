//! vegeta, `vegeta encode --to csv`: no header; nanoseconds since 1970, status, nanoseconds of latency; an open load.

use super::super::level::LoadTest;
use super::super::samples::Samples;
use super::super::text::Fault;
use super::Form;

pub(super) const FORM: Form = Form {
    doc: "results of vegeta in a table",
    read: |content| content.text.lines().next().and_then(row).is_some().then(|| read(content.text)),
};

/// Seconds since 1970, status, seconds of latency.
fn row(line: &str) -> Option<(f64, &str, f64)> {
    let cells: Vec<&str> = line.split(',').collect();
    let [instant, status, latency, sent, received, ..] = cells.as_slice() else { return None };
    let numbers = [*sent, *received].iter().all(|cell| cell.parse::<u64>().is_ok());
    let is_row = cells.len() >= 8 && instant.len() == 19 && status.len() <= 3 && numbers;
    is_row.then_some((instant.parse::<f64>().ok()? / 1e9, *status, latency.parse::<f64>().ok()? / 1e9))
}

fn read(text: &str) -> Result<LoadTest, Fault> {
    let mut samples = Samples::new();
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        let (start_s, status, latency_s) = row(line)
            .ok_or_else(|| Fault::on(number, format!("line {number} has not the columns of vegeta")))?;
        samples.add(start_s, latency_s, None, status.starts_with('2'));
    }
    samples.level().map_err(Fault::from)
}
